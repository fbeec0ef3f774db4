//! Refresh tokens: opaque to everybody else, and of a single lineage (design §5).
//!
//! A token is unpadded base64url of
//!
//! ```text
//! version 1 │ flags 1 │ key id 1+n │ handle 1+n │ tenant 1+n │ generation 8 │ secret 32 │ MAC 32
//! ```
//!
//! where each of the three names is preceded by its length, numbers are big-endian and the MAC is
//! HMAC-SHA256 over everything before it. Only a hash of the secret is ever stored.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{ForgedToken, MalformedToken};
use crate::{
    ids::{KeyId, SessionHandle, TenantId},
    keys::RefreshKey,
    random::{self, NoRandomness},
};

/// A refresh token, ours or anything a client sent in its place. Whoever has ours can keep the
/// session alive.
#[derive(Clone)]
#[must_use]
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// The most bytes that a token may have; a longer text is refused unread.
    pub const MAX_BYTES: usize = 1024;

    /// Takes what a client sent. What it is worth is judged when the token is used.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The token as it goes over the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

/// What a refresh token says.
#[derive(Clone)]
pub(crate) struct RefreshTokenParts {
    /// The session.
    pub(crate) handle: SessionHandle,
    /// The session's tenant.
    pub(crate) tenant: TenantId,
    /// How many rotations led to this token.
    pub(crate) generation: u64,
    /// The key that the token is made under.
    pub(crate) key: KeyId,
    /// Whether a refresh must repeat the anti-CSRF token.
    pub(crate) anti_csrf: bool,
    /// What proves that the token is the one of its generation.
    pub(crate) secret: RefreshSecret,
}

impl fmt::Debug for RefreshTokenParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshTokenParts")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Makes the token that says `parts`. The same parts give the same token.
pub(crate) fn seal(parts: &RefreshTokenParts, key: &RefreshKey) -> RefreshToken {
    let mut bytes = Zeroizing::new(Vec::with_capacity(RefreshToken::MAX_BYTES));
    bytes.push(VERSION);
    bytes.push(if parts.anti_csrf { ANTI_CSRF_FLAG } else { 0 });
    put_name(&mut bytes, parts.key.as_str());
    put_name(&mut bytes, parts.handle.as_str());
    put_name(&mut bytes, parts.tenant.as_str());
    bytes.extend_from_slice(&parts.generation.to_be_bytes());
    bytes.extend_from_slice(&parts.secret.0);
    let mac = key.mac(&bytes);
    bytes.extend_from_slice(&mac);
    RefreshToken(Zeroizing::new(
        BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice()),
    ))
}

/// The key that a token says it was made under: unauthenticated, good only to look the key up.
pub(crate) fn key_id_of(token: &RefreshToken) -> Result<KeyId, MalformedToken> {
    let bytes = decode(token)?;
    let (parts, _mac) = Reader(&bytes).parts().ok_or(MalformedToken::Encoding)?;
    Ok(parts.key)
}

/// What a token says, if it was made under `key`. A token that was not is nobody's: it proves no
/// theft and reaches no database (security F11).
pub(crate) fn open(
    token: &RefreshToken,
    key: &RefreshKey,
) -> Result<RefreshTokenParts, ForgedToken> {
    let bytes = decode(token).map_err(|_| ForgedToken)?;
    let (signed, mac) = bytes.split_last_chunk::<LEN>().ok_or(ForgedToken)?;
    constant_time::verify_slices_are_equal(&key.mac(signed), mac).map_err(|_| ForgedToken)?;
    let (parts, _mac) = Reader(&bytes).parts().ok_or(ForgedToken)?;
    if parts.key == *key.id() {
        Ok(parts)
    } else {
        Err(ForgedToken)
    }
}

/// `refreshTokenHash1`: SHA-256 of the token's text in lower-case hexadecimal (wire §0).
pub(crate) fn token_hash(token: &RefreshToken) -> String {
    let hash = digest::digest(&digest::SHA256, token.expose().as_bytes());
    hash.as_ref()
        .iter()
        .fold(String::with_capacity(2 * LEN), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 0x0f] {
                hex.extend(char::from_digit(nibble.into(), 16));
            }
            hex
        })
}

/// The 32 bytes that tell one generation of a session from all others.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RefreshSecret([u8; LEN]);

impl RefreshSecret {
    /// A new one, from the operating system's generator.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub(crate) fn random() -> Result<Self, NoRandomness> {
        Ok(Self(random::bytes()?))
    }

    /// What the database keeps. 256 random bits need no slow hash.
    pub(crate) fn hash(&self) -> [u8; LEN] {
        let mut hash = [0; LEN];
        hash.copy_from_slice(digest::digest(&digest::SHA256, &self.0).as_ref());
        hash
    }

    /// Whether `hash` is this secret's; compared in constant time (security K3).
    pub(crate) fn matches(&self, hash: &[u8; LEN]) -> bool {
        constant_time::verify_slices_are_equal(&self.hash(), hash).is_ok()
    }

    /// The secret of the next generation, where this one is `generation`'s: the same for everybody
    /// who presents this one, and out of reach without the key.
    pub(crate) fn successor(
        &self,
        key: &RefreshKey,
        handle: &SessionHandle,
        generation: u64,
    ) -> Self {
        Self(self.derive(key, SUCCESSOR, handle, generation))
    }

    /// The anti-CSRF token of `generation`, which this secret is of: 256 bits in base64url.
    pub(crate) fn anti_csrf_token(
        &self,
        key: &RefreshKey,
        handle: &SessionHandle,
        generation: u64,
    ) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.derive(key, ANTI_CSRF, handle, generation))
    }

    fn derive(
        &self,
        key: &RefreshKey,
        purpose: &str,
        handle: &SessionHandle,
        generation: u64,
    ) -> [u8; LEN] {
        let mut input = Zeroizing::new(Vec::with_capacity(256));
        put_name(&mut input, purpose);
        put_name(&mut input, handle.as_str());
        input.extend_from_slice(&generation.to_be_bytes());
        input.extend_from_slice(&self.0);
        key.derive(&input)
    }
}

impl fmt::Debug for RefreshSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshSecret")
    }
}

/// Reads a token's bytes from front to back. Every byte has one meaning, and none is left over, so
/// one token has one text.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn parts(mut self) -> Option<(RefreshTokenParts, [u8; LEN])> {
        let [VERSION, flags] = self.array()? else {
            return None;
        };
        let anti_csrf = match flags {
            0 => false,
            ANTI_CSRF_FLAG => true,
            _ => return None,
        };
        let parts = RefreshTokenParts {
            anti_csrf,
            key: KeyId::try_from(self.name()?).ok()?,
            handle: SessionHandle::try_from(self.name()?).ok()?,
            tenant: TenantId::try_from(self.name()?).ok()?,
            generation: u64::from_be_bytes(self.array()?),
            secret: RefreshSecret(self.array()?),
        };
        let mac = self.array()?;
        self.0.is_empty().then_some((parts, mac))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn name(&mut self) -> Option<&'a str> {
        let [length] = self.array()?;
        let (name, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        str::from_utf8(name).ok()
    }
}

fn decode(token: &RefreshToken) -> Result<Zeroizing<Vec<u8>>, MalformedToken> {
    if token.0.len() > RefreshToken::MAX_BYTES {
        return Err(MalformedToken::TooLong);
    }
    BASE64_URL_SAFE_NO_PAD
        .decode(token.0.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| MalformedToken::Encoding)
}

/// Appends a name after its length, so that no two sequences of names look alike.
fn put_name(bytes: &mut Vec<u8>, name: &str) {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an identifier has at most 128 bytes"
    )]
    bytes.push(name.len() as u8);
    bytes.extend_from_slice(name.as_bytes());
}

const VERSION: u8 = 1;
const ANTI_CSRF_FLAG: u8 = 1;
/// The length of a secret, of a hash and of a MAC.
const LEN: usize = 32;
const SUCCESSOR: &str = "refresh token successor v1";
const ANTI_CSRF: &str = "anti-CSRF token v1";

#[cfg(test)]
mod tests;
