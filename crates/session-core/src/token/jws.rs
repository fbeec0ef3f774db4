//! The compact JWS under an access token (RFC 7515 §3.1), as strict as it is written.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{AccessToken, MalformedToken};
use crate::{json, keys::VerificationKey};

/// A JWS that was taken apart and not verified.
#[derive(Debug)]
pub(super) struct Jws {
    header: Map<String, Value>,
    payload: Zeroizing<Vec<u8>>,
    /// The bytes as received: what is signed is never put together again (security A20).
    token: AccessToken,
    /// How many of them are signed.
    signed_bytes: usize,
    signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart: three segments, each in the one base64url form, a header that says RS256
    /// and brings nothing that would change how the rest is read. Decodes nothing of a text that is
    /// too long, and does no cryptography.
    pub(super) fn parse(token: &str) -> Result<Self, MalformedToken> {
        if token.len() > AccessToken::MAX_BYTES {
            return Err(MalformedToken::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MalformedToken::Encoding)?;
        let (header, payload) = signed.split_once('.').ok_or(MalformedToken::Encoding)?;
        let header = json::parse_object(&decode(header)?).map_err(|_| MalformedToken::Json)?;
        if let Some(name) = FORBIDDEN_PARAMETERS
            .into_iter()
            .find(|name| header.contains_key(*name))
        {
            return Err(MalformedToken::Header(name));
        }
        let jws = Self {
            header,
            payload: Zeroizing::new(decode(payload)?),
            signature: decode(signature)?,
            signed_bytes: signed.len(),
            token: AccessToken(Zeroizing::new(token.to_owned())),
        };
        jws.require("alg", "RS256")?;
        Ok(jws)
    }

    /// A header parameter, if it is a string.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// Refuses the token unless a header parameter has one value.
    pub(super) fn require(
        &self,
        name: &'static str,
        only_value: &str,
    ) -> Result<(), MalformedToken> {
        if self.parameter(name) == Some(only_value) {
            Ok(())
        } else {
            Err(MalformedToken::Header(name))
        }
    }

    /// The payload.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether `key` made the signature.
    pub(super) fn is_signed_by(&self, key: &VerificationKey) -> bool {
        let signed = self.token.expose().as_bytes().get(..self.signed_bytes);
        signed.is_some_and(|signed| key.has_signed(signed, &self.signature))
    }

    /// The token as received.
    pub(super) fn into_token(self) -> AccessToken {
        self.token
    }
}

fn decode(segment: &str) -> Result<Vec<u8>, MalformedToken> {
    BASE64_URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| MalformedToken::Encoding)
}

/// Header parameters that bring a key of their own, change what is signed, or must be understood:
/// a token that has one is not ours (RFC 8725 §3.10, RFC 7515 §4.1.11, RFC 7797; security A5, A6).
const FORBIDDEN_PARAMETERS: [&str; 10] = [
    "crit", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip", "b64", "cty",
];
