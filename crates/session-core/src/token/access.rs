//! Access tokens: compact JWS, RS256, claims of version 5 (wire §1).
//!
//! What may be in a token is decided here and is exactly what is written here, plus the
//! application's claims; `aws-lc-rs` is asked about the signature only.

mod claims;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value};

use super::{
    MalformedToken, SecretText, TokenRejection,
    jws::{Jws, Signed},
};
use crate::{
    blacklist,
    ids::{KeyId, SessionHandle, TenantId, UserId},
    json,
    keys::{KeyFingerprint, SigningKey, VerificationKey},
    payload::Payload,
    store::KeyPurpose,
};
use claims::{Claims, LATEST_S};

/// An access token, ready to be sent. Whoever has it is the user until it expires.
///
/// Cheap to clone; clones are the same bytes in memory.
#[derive(Clone)]
#[must_use]
pub struct AccessToken(Arc<SecretText>);

impl AccessToken {
    /// The most bytes that a token may have, given or taken.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The token as it goes over the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(text: Arc<SecretText>) -> Self {
        Self(text)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}

/// The claims of a token to be made.
#[derive(Debug)]
pub(crate) struct AccessClaims<'a> {
    /// Whose session it is.
    pub(crate) user: &'a UserId,
    /// The session's tenant.
    pub(crate) tenant: &'a TenantId,
    /// The session.
    pub(crate) handle: &'a SessionHandle,
    /// Who issues the token.
    pub(crate) issuer: &'a str,
    /// `iat`, in Unix seconds.
    pub(crate) issued_at_s: i64,
    /// `exp`, in Unix seconds.
    pub(crate) expires_at_s: i64,
    /// The hash of the refresh token that goes with it.
    pub(crate) refresh_token_hash: &'a str,
    /// What a request must repeat, where anti-CSRF works by token.
    pub(crate) anti_csrf_token: Option<&'a str>,
}

impl AccessClaims<'_> {
    /// All claims: these and the application's. This is what the front token shows, too.
    pub(crate) fn with(&self, custom: &Payload) -> Map<String, Value> {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), self.user.as_str().into());
        claims.insert("rsub".to_owned(), self.user.as_str().into());
        claims.insert("tId".to_owned(), self.tenant.as_str().into());
        claims.insert("iat".to_owned(), self.issued_at_s.into());
        claims.insert("exp".to_owned(), self.expires_at_s.into());
        claims.insert("sessionHandle".to_owned(), self.handle.as_str().into());
        claims.insert(
            "refreshTokenHash1".to_owned(),
            self.refresh_token_hash.into(),
        );
        // Rotation happens at refresh, so no token ever has a parent; readers want the member.
        claims.insert("parentRefreshTokenHash1".to_owned(), Value::Null);
        claims.insert("antiCsrfToken".to_owned(), self.anti_csrf_token.into());
        claims.insert("iss".to_owned(), self.issuer.into());
        claims.extend(custom.as_map().clone());
        claims
    }
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// With this payload the token would have more bytes than
    /// [`AccessToken::MAX_BYTES`], and nobody would accept it.
    #[error("the access token would have {length} bytes, more than the {limit} allowed", limit = AccessToken::MAX_BYTES)]
    TooLong {
        /// The length that the token would have.
        length: usize,
    },
    /// The expiry is not after the time of issue, or one of them is outside the years that are
    /// written.
    #[error("the access token's times are out of range")]
    Times,
    /// The signature could not be made.
    #[error("the access token could not be signed")]
    Signing,
    /// What was to be written is not what would be read.
    #[error("the access token's claims cannot be read back")]
    Unreadable,
}

/// Makes a token. Costs one RSA signature (0.3 ms with 2048 bits, 0.9 ms with 3072).
pub(crate) fn mint(
    key: &SigningKey,
    claims: &AccessClaims<'_>,
    custom: &Payload,
) -> Result<VerifiedAccessToken, MintError> {
    let times = claims.issued_at_s..claims.expires_at_s;
    if times.is_empty() || times.start < 0 || times.end > LATEST_S {
        return Err(MintError::Times);
    }
    let all_claims = claims.with(custom);
    let payload = SecretText::from(json::to_text(&all_claims));
    let mut token = String::with_capacity(2 * payload.len() + 1024);
    token.push_str(key.encoded_header());
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(payload.as_bytes(), &mut token);
    let signature = key.sign(token.as_bytes()).map_err(|_| MintError::Signing)?;
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    let token = SecretText::from(token);
    if token.len() > AccessToken::MAX_BYTES {
        return Err(MintError::TooLong {
            length: token.len(),
        });
    }
    let claims = Claims::read(payload).map_err(|_| MintError::Unreadable)?;
    let token = AccessToken(Arc::new(token));
    let mut verified = VerifiedAccessToken::new(token, key.public(), claims);
    verified.payload = OnceLock::from(Arc::new(all_claims));
    Ok(verified)
}

/// The header of all tokens made under `key`, encoded.
pub(crate) fn encoded_header(key: &KeyId) -> String {
    let mut header = Map::new();
    header.insert("alg".to_owned(), "RS256".into());
    header.insert("typ".to_owned(), "JWT".into());
    header.insert("kid".to_owned(), key.as_str().into());
    header.insert("version".to_owned(), "5".into());
    BASE64_URL_SAFE_NO_PAD.encode(json::to_text(&header))
}

/// What a token must be besides well-formed and signed.
#[derive(Debug, Clone)]
pub(crate) struct AccessPolicy {
    /// The only issuer accepted.
    pub(crate) issuer: String,
    /// The kind of key that signs.
    pub(crate) key_purpose: KeyPurpose,
    /// The greatest `exp − iat`.
    pub(crate) max_lifetime_s: i64,
    /// How far in the future `iat` and `nbf` may be. Expiry has no leeway (wire case 14).
    pub(crate) leeway_s: i64,
}

/// Reads a token without believing it: the only thing to learn is the key to ask. No cryptography,
/// no I/O, and nothing looked at of a text that is too long.
pub(crate) fn parse(token: &str) -> Result<ParsedAccessToken, MalformedToken> {
    if token.len() > AccessToken::MAX_BYTES {
        return Err(MalformedToken::TooLong);
    }
    ParsedAccessToken::read(AccessToken::of(Arc::new(token.to_owned().into())))
}

/// A well-formed token that nobody has verified yet, so its claims are out of reach.
#[derive(Debug)]
#[must_use]
pub(crate) struct ParsedAccessToken {
    key: KeyId,
    token: AccessToken,
    claims: Claims,
    signed: Signed,
}

impl ParsedAccessToken {
    /// As [`parse`], of a text that is kept already.
    pub(crate) fn read(token: AccessToken) -> Result<Self, MalformedToken> {
        let Jws {
            header,
            payload,
            signed,
        } = Jws::parse(token.expose())?;
        let payload = String::from_utf8(payload).map_err(|_| MalformedToken::Json)?;
        if !header.is_jwt {
            return Err(MalformedToken::Header("typ"));
        }
        if !header.is_version_5 {
            return Err(MalformedToken::Header("version"));
        }
        Ok(Self {
            key: header.key.ok_or(MalformedToken::Header("kid"))?,
            claims: Claims::read(payload.into())?,
            token,
            signed,
        })
    }

    /// The key that the token says it was made under.
    pub(crate) fn key_id(&self) -> &KeyId {
        &self.key
    }

    /// Verifies signature, kind of key, issuer and times, and hands out the claims.
    ///
    /// `key` must be the key that [`key_id`](Self::key_id) names. Costs one RSA verification
    /// (15 µs with 2048 bits, 35 µs with 3072).
    pub(crate) fn verify(
        self,
        key: &VerificationKey,
        now: SystemTime,
        policy: &AccessPolicy,
    ) -> Result<VerifiedAccessToken, TokenRejection> {
        if *key.id() != self.key {
            return Err(TokenRejection::UnknownKey);
        }
        if !self.signed.is_signed_by(self.token.expose(), key) {
            return Err(TokenRejection::BadSignature);
        }
        self.claims.judge(key, now, policy)?;
        Ok(VerifiedAccessToken::new(self.token, key, self.claims))
    }
}

/// An access token that was verified.
pub(crate) struct VerifiedAccessToken {
    token: AccessToken,
    key: KeyFingerprint,
    claims: Claims,
    /// All claims as values, once somebody asks for them: most requests do not.
    payload: OnceLock<Arc<Map<String, Value>>>,
    revocation_key: OnceLock<u128>,
}

impl VerifiedAccessToken {
    fn new(token: AccessToken, key: &VerificationKey, claims: Claims) -> Self {
        Self {
            token,
            key: key.fingerprint(),
            claims,
            payload: OnceLock::new(),
            revocation_key: OnceLock::new(),
        }
    }

    /// The token as it was made, or received.
    pub(crate) fn token(&self) -> &AccessToken {
        &self.token
    }

    /// The key that made its signature.
    pub(crate) fn key(&self) -> KeyFingerprint {
        self.key
    }

    /// Whose session it is.
    pub(crate) fn user_id(&self) -> &UserId {
        &self.claims.user
    }

    /// The login method's own id of the user; the same as [`user_id`](Self::user_id) in tokens that
    /// were made here.
    pub(crate) fn recipe_user_id(&self) -> &UserId {
        &self.claims.recipe_user
    }

    /// The session's tenant.
    pub(crate) fn tenant(&self) -> &TenantId {
        &self.claims.tenant
    }

    /// The session.
    pub(crate) fn handle(&self) -> &SessionHandle {
        &self.claims.handle
    }

    /// What the set of revoked sessions knows the session by.
    pub(crate) fn revocation_key(&self) -> u128 {
        *self
            .revocation_key
            .get_or_init(|| blacklist::key_of(&self.claims.handle))
    }

    /// When it expires, in Unix seconds.
    pub(crate) fn expires_at_s(&self) -> i64 {
        self.claims.expires_at_s
    }

    /// The hash of the refresh token that goes with it.
    pub(crate) fn refresh_token_hash(&self) -> &str {
        self.claims.refresh_token_hash.of_payload(&self.claims.text)
    }

    /// What a request with this token must repeat, where anti-CSRF works by token.
    pub(crate) fn anti_csrf_token(&self) -> Option<&str> {
        self.claims
            .anti_csrf_token
            .as_ref()
            .map(|token| token.as_str())
    }

    /// Whether `presented` is this token's anti-CSRF token; compared in constant time (security
    /// E16, K3).
    pub(crate) fn is_anti_csrf_token(&self, presented: &str) -> bool {
        self.anti_csrf_token().is_some_and(|ours| {
            aws_lc_rs::constant_time::verify_slices_are_equal(ours.as_bytes(), presented.as_bytes())
                .is_ok()
        })
    }

    /// All claims.
    pub(crate) fn payload(&self) -> &Arc<Map<String, Value>> {
        self.payload.get_or_init(|| {
            let claims = json::parse_object(self.claims.text.as_bytes());
            debug_assert!(claims.is_ok(), "the text was judged when it was read");
            Arc::new(claims.unwrap_or_default())
        })
    }

    /// Whether its claims of the application's are, word for word, those of this text. When they are
    /// not, they may be the same all the same.
    pub(crate) fn carries(&self, payload: &str) -> bool {
        json::is_what_is_left(&self.claims.text, payload, |name| {
            Payload::PROTECTED_NAMES.contains(&name)
        })
    }

    /// What can be said of it now: of all that was judged when it was verified, what may have become
    /// another. `key` has to be the key that made its signature.
    pub(crate) fn judge(
        &self,
        key: &VerificationKey,
        now: SystemTime,
        policy: &AccessPolicy,
    ) -> Result<(), TokenRejection> {
        self.claims.judge_again(key, now, policy)
    }
}

impl fmt::Debug for VerifiedAccessToken {
    /// Shows nothing that belongs to the user (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedAccessToken")
            .field("issued_at_s", &self.claims.issued_at_s)
            .field("expires_at_s", &self.claims.expires_at_s)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
