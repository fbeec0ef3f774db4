//! Access tokens: compact JWS, RS256, claims of version 5 (wire §1).
//!
//! What may be in a token is decided here and is exactly what is written here, plus the
//! application's claims; `aws-lc-rs` is asked about the signature only.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    MalformedToken, SecretText, TokenRejection,
    jws::{Jws, Signed},
};
use crate::{
    blacklist,
    clock::unix_ms,
    ids::{KeyId, SessionHandle, TenantId, UserId},
    json::{self, Member, Outline},
    keys::{SigningKey, VerificationKey},
    payload::Payload,
    store::KeyPurpose,
};

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
) -> Result<(AccessToken, VerifiedAccessToken), MintError> {
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
    let verified = VerifiedAccessToken::read(payload).map_err(|_| MintError::Unreadable)?;
    Ok((
        AccessToken(Arc::new(token)),
        verified.with_payload(all_claims),
    ))
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
    claims: Arc<VerifiedAccessToken>,
    signed: Signed,
}

impl ParsedAccessToken {
    /// As [`parse`], of a text that is kept already.
    pub(crate) fn read(token: AccessToken) -> Result<Self, MalformedToken> {
        let Jws {
            header,
            payload,
            signed,
        } = Jws::parse(token)?;
        let payload = String::from_utf8(payload).map_err(|_| MalformedToken::Json)?;
        if !header.is_jwt {
            return Err(MalformedToken::Header("typ"));
        }
        if !header.is_version_5 {
            return Err(MalformedToken::Header("version"));
        }
        Ok(Self {
            key: header.key.ok_or(MalformedToken::Header("kid"))?,
            claims: Arc::new(VerifiedAccessToken::read(payload.into())?),
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
    ) -> Result<(AccessToken, Arc<VerifiedAccessToken>), TokenRejection> {
        if *key.id() != self.key {
            return Err(TokenRejection::UnknownKey);
        }
        if !self.signed.is_signed_by(key) {
            return Err(TokenRejection::BadSignature);
        }
        self.claims.judge(key, now, policy)?;
        Ok((self.signed.into_token(), self.claims))
    }
}

/// The claims of an access token that was verified.
pub(crate) struct VerifiedAccessToken {
    user: UserId,
    recipe_user: UserId,
    tenant: TenantId,
    handle: SessionHandle,
    issuer: String,
    issued_at_s: i64,
    expires_at_s: i64,
    not_before_s: Option<f64>,
    refresh_token_hash: String,
    anti_csrf_token: Option<Zeroizing<String>>,
    /// All claims as JSON, and as values once somebody asks for them: most requests do not.
    text: SecretText,
    payload: OnceLock<Arc<Map<String, Value>>>,
    revocation_key: OnceLock<u128>,
}

impl VerifiedAccessToken {
    /// Whose session it is.
    pub(crate) fn user_id(&self) -> &UserId {
        &self.user
    }

    /// The login method's own id of the user; the same as [`user_id`](Self::user_id) in tokens that
    /// were made here.
    pub(crate) fn recipe_user_id(&self) -> &UserId {
        &self.recipe_user
    }

    /// The session's tenant.
    pub(crate) fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The session.
    pub(crate) fn handle(&self) -> &SessionHandle {
        &self.handle
    }

    /// What the set of revoked sessions knows the session by.
    pub(crate) fn revocation_key(&self) -> u128 {
        *self
            .revocation_key
            .get_or_init(|| blacklist::key_of(&self.handle))
    }

    /// When it expires, in Unix seconds.
    pub(crate) fn expires_at_s(&self) -> i64 {
        self.expires_at_s
    }

    /// The hash of the refresh token that goes with it.
    pub(crate) fn refresh_token_hash(&self) -> &str {
        &self.refresh_token_hash
    }

    /// What a request with this token must repeat, where anti-CSRF works by token.
    pub(crate) fn anti_csrf_token(&self) -> Option<&str> {
        self.anti_csrf_token.as_ref().map(|token| token.as_str())
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
            let claims = json::parse_object(self.text.as_bytes());
            debug_assert!(claims.is_ok(), "the text was judged when it was read");
            Arc::new(claims.unwrap_or_default())
        })
    }

    /// What can be said of a token that `key` has signed, as of now.
    pub(crate) fn judge(
        &self,
        key: &VerificationKey,
        now: SystemTime,
        policy: &AccessPolicy,
    ) -> Result<(), TokenRejection> {
        if key.purpose() != policy.key_purpose {
            return Err(TokenRejection::WrongKeyKind);
        }
        let now_ms = unix_ms(now);
        if self.issuer != policy.issuer {
            return Err(TokenRejection::WrongIssuer);
        }
        // Both are at most `LATEST_S`, so nothing here overflows.
        if now_ms >= self.expires_at_s * 1000 {
            return Err(TokenRejection::Expired);
        }
        if self.expires_at_s - self.issued_at_s > policy.max_lifetime_s {
            return Err(TokenRejection::LifetimeTooLong);
        }
        let latest_start_s = now_ms.div_euclid(1000).saturating_add(policy.leeway_s);
        if self.issued_at_s > latest_start_s {
            return Err(TokenRejection::IssuedInFuture);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a time in seconds is far below 2^53"
        )]
        if self
            .not_before_s
            .is_some_and(|not_before_s| not_before_s > latest_start_s as f64)
        {
            return Err(TokenRejection::NotYetValid);
        }
        Ok(())
    }
}

impl fmt::Debug for VerifiedAccessToken {
    /// Shows nothing that belongs to the user (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedAccessToken")
            .field("issued_at_s", &self.issued_at_s)
            .field("expires_at_s", &self.expires_at_s)
            .finish_non_exhaustive()
    }
}

impl VerifiedAccessToken {
    fn read(payload: SecretText) -> Result<Self, MalformedToken> {
        let claims = json::outline(&payload).map_err(|_| MalformedToken::Json)?;
        // Tokens of other kinds under the same key carry another `stt` (wire case 8).
        if claims.get("stt").is_some_and(|stt| stt.as_i64() != Some(0)) {
            return Err(MalformedToken::Claim("stt"));
        }
        // A parent means a refresh that our service never makes. A member of another type counts as
        // absent (wire case 6).
        if claims.text("parentRefreshTokenHash1").is_some() {
            return Err(MalformedToken::Claim("parentRefreshTokenHash1"));
        }
        let not_before_s = match claims.get("nbf") {
            None => None,
            Some(nbf) => Some(nbf.as_f64().ok_or(MalformedToken::Claim("nbf"))?),
        };
        let (issued_at_s, expires_at_s) = (seconds(&claims, "iat")?, seconds(&claims, "exp")?);
        if expires_at_s <= issued_at_s {
            return Err(MalformedToken::Claim("exp"));
        }
        let user: UserId = identifier(&claims, "sub")?;
        let recipe_user = match text(&claims, "rsub")? {
            same if same == user.as_str() => user.clone(),
            _ => identifier(&claims, "rsub")?,
        };
        let anti_csrf_token = claims.text("antiCsrfToken");
        Ok(Self {
            user,
            recipe_user,
            tenant: identifier(&claims, "tId")?,
            handle: identifier(&claims, "sessionHandle")?,
            issuer: text(&claims, "iss")?.to_owned(),
            issued_at_s,
            expires_at_s,
            not_before_s,
            refresh_token_hash: text(&claims, "refreshTokenHash1")?.to_owned(),
            anti_csrf_token: anti_csrf_token.map(|token| Zeroizing::new(token.to_owned())),
            payload: OnceLock::new(),
            revocation_key: OnceLock::new(),
            text: payload,
        })
    }

    /// With the claims as values that its text was made of.
    fn with_payload(self, claims: Map<String, Value>) -> Self {
        Self {
            payload: OnceLock::from(Arc::new(claims)),
            ..self
        }
    }
}

fn text<'a>(claims: &'a Outline<'_>, name: &'static str) -> Result<&'a str, MalformedToken> {
    claims.text(name).ok_or(MalformedToken::Claim(name))
}

fn identifier<'a, T: TryFrom<&'a str>>(
    claims: &'a Outline<'_>,
    name: &'static str,
) -> Result<T, MalformedToken> {
    T::try_from(text(claims, name)?).map_err(|_| MalformedToken::Claim(name))
}

fn seconds(claims: &Outline<'_>, name: &'static str) -> Result<i64, MalformedToken> {
    claims
        .get(name)
        .and_then(Member::as_i64)
        .filter(|seconds| (0..=LATEST_S).contains(seconds))
        .ok_or(MalformedToken::Claim(name))
}

/// The last second of the year 9999.
const LATEST_S: i64 = 253_402_300_799;

#[cfg(test)]
mod tests;
