//! The compact JWS under an access token (RFC 7515 §3.1), as strict as it is written.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::{AccessToken, MalformedToken};
use crate::{
    ids::KeyId,
    json::{self, Outline},
    keys::VerificationKey,
};

/// A JWS that was taken apart and not verified.
#[derive(Debug)]
pub(super) struct Jws {
    pub(super) header: Header,
    pub(super) payload: Vec<u8>,
    pub(super) signed: Signed,
}

/// What a header says besides its algorithm.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) is_jwt: bool,
    pub(super) is_version_5: bool,
    pub(super) key: Option<KeyId>,
}

/// What is signed, of the bytes as received: it is never put together again (security A20).
#[derive(Debug)]
pub(super) struct Signed {
    /// How many of them are signed.
    message_bytes: usize,
    signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart: three segments, each in the one base64url form, a header that says RS256
    /// and brings nothing that would change how the rest is read. Does no cryptography.
    /// Looks at nothing of a text that is too long.
    pub(super) fn parse(text: &str) -> Result<Self, MalformedToken> {
        if text.len() > AccessToken::MAX_BYTES {
            return Err(MalformedToken::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(MalformedToken::Encoding)?;
        let (header, payload) = signed.split_once('.').ok_or(MalformedToken::Encoding)?;
        let header = Header::read(header)?;
        let payload = decode(payload)?;
        let (signature, message_bytes) = (decode(signature)?, signed.len());
        Ok(Self {
            header,
            payload,
            signed: Signed {
                message_bytes,
                signature,
            },
        })
    }
}

impl Header {
    fn read(encoded: &str) -> Result<Self, MalformedToken> {
        let mut short = [0; 3 * USUAL_HEADER_BLOCKS];
        let long;
        let json = if encoded.len() <= 4 * USUAL_HEADER_BLOCKS {
            let length = BASE64_URL_SAFE_NO_PAD.decode_slice(encoded, &mut short);
            let length = length.map_err(|_| MalformedToken::Encoding)?;
            short.get(..length).unwrap_or_default()
        } else {
            long = decode(encoded)?;
            &long
        };
        Self::parse(str::from_utf8(json).map_err(|_| MalformedToken::Json)?)
    }

    fn parse(text: &str) -> Result<Self, MalformedToken> {
        if let Some(key) = key_of_our_own(text) {
            return Ok(Self {
                is_jwt: true,
                is_version_5: true,
                key: Some(key),
            });
        }
        let header = json::outline(text).map_err(|_| MalformedToken::Json)?;
        if let Some(name) = forbidden_parameter(&header) {
            return Err(MalformedToken::Header(name));
        }
        if header.text("alg") != Some("RS256") {
            return Err(MalformedToken::Header("alg"));
        }
        Ok(Self {
            is_jwt: header.text("typ") == Some("JWT"),
            is_version_5: header.text("version") == Some("5"),
            key: header.text("kid").and_then(|kid| KeyId::try_from(kid).ok()),
        })
    }
}

/// The key that a header names which is, letter by letter, one of those that we write, so that
/// nobody need read its JSON.
fn key_of_our_own(header: &str) -> Option<KeyId> {
    let rest = header.strip_prefix(r#"{"alg":"RS256","kid":""#)?;
    let key = rest.strip_suffix(r#"","typ":"JWT","version":"5"}"#)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    KeyId::try_from(key)
        .ok()
        .filter(|_| key.bytes().all(is_plain))
}

impl Signed {
    /// Whether `key` made the signature of `text`, which is the text that was taken apart.
    pub(super) fn is_signed_by(&self, text: &str, key: &VerificationKey) -> bool {
        let signed = text.as_bytes().get(..self.message_bytes);
        signed.is_some_and(|signed| key.has_signed(signed, &self.signature))
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, MalformedToken> {
    BASE64_URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| MalformedToken::Encoding)
}

/// Of four characters, three bytes each: more than a header of ours has.
const USUAL_HEADER_BLOCKS: usize = 64;

/// Header parameters that bring a key of their own, change what is signed, or must be understood:
/// a token that has one is not ours (RFC 8725 §3.10, RFC 7515 §4.1.11, RFC 7797; security A5, A6).
fn forbidden_parameter(header: &Outline<'_>) -> Option<&'static str> {
    const FORBIDDEN: [&str; 10] = [
        "crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip", "b64", "cty",
    ];
    FORBIDDEN
        .into_iter()
        .find(|name| header.get(name).is_some())
}
