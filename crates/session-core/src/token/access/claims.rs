//! The claims that the library itself reads from an access token (wire §1.2).

use std::{fmt, ops::Range, time::SystemTime};

use zeroize::Zeroizing;

use super::AccessPolicy;
use crate::{
    clock::unix_ms,
    ids::{SessionHandle, TenantId, UserId},
    json::{self, Member, Outline},
    keys::VerificationKey,
    token::{MalformedToken, SecretText, TokenRejection},
};

/// The claims of a well-formed token.
pub(super) struct Claims {
    pub(super) user: UserId,
    pub(super) recipe_user: UserId,
    pub(super) tenant: TenantId,
    pub(super) handle: SessionHandle,
    issuer: Extract,
    pub(super) issued_at_s: i64,
    pub(super) expires_at_s: i64,
    not_before_s: Option<f64>,
    pub(super) refresh_token_hash: Extract,
    pub(super) anti_csrf_token: Option<Zeroizing<String>>,
    /// All of them, as JSON.
    pub(super) text: SecretText,
}

impl Claims {
    /// Reads the payload of a token.
    pub(super) fn read(payload: SecretText) -> Result<Self, MalformedToken> {
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
            issuer: Extract::of(&payload, text(&claims, "iss")?),
            issued_at_s,
            expires_at_s,
            not_before_s,
            refresh_token_hash: Extract::of(&payload, text(&claims, "refreshTokenHash1")?),
            anti_csrf_token: anti_csrf_token.map(|token| Zeroizing::new(token.to_owned())),
            text: payload,
        })
    }

    /// What can be said of a token that `key` has signed, as of now.
    pub(super) fn judge(
        &self,
        key: &VerificationKey,
        now: SystemTime,
        policy: &AccessPolicy,
    ) -> Result<(), TokenRejection> {
        judge_kind(key, policy)?;
        if self.issuer.of_payload(&self.text) != policy.issuer {
            return Err(TokenRejection::WrongIssuer);
        }
        self.judge_times(now, policy)
    }

    /// As [`judge`](Self::judge), of a token that was judged so before under the same policy: its
    /// issuer is still who it was.
    pub(super) fn judge_again(
        &self,
        key: &VerificationKey,
        now: SystemTime,
        policy: &AccessPolicy,
    ) -> Result<(), TokenRejection> {
        judge_kind(key, policy)?;
        self.judge_times(now, policy)
    }

    fn judge_times(&self, now: SystemTime, policy: &AccessPolicy) -> Result<(), TokenRejection> {
        let now_ms = unix_ms(now);
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

impl fmt::Debug for Claims {
    /// Shows nothing that belongs to the user (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// A string of a payload that is hardly ever asked for, so it is left where it stands.
pub(super) enum Extract {
    /// Between these bytes of the payload.
    Within(Range<usize>),
    /// Not word for word in it: it was escaped.
    Apart(Zeroizing<String>),
}

impl Extract {
    fn of(payload: &str, part: &str) -> Self {
        json::place_in(payload, part).map_or_else(
            || Self::Apart(Zeroizing::new(part.to_owned())),
            Self::Within,
        )
    }

    /// The string, given the payload that it is of.
    pub(super) fn of_payload<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::Within(range) => payload.get(range.clone()).unwrap_or_default(),
            Self::Apart(text) => text,
        }
    }
}

fn judge_kind(key: &VerificationKey, policy: &AccessPolicy) -> Result<(), TokenRejection> {
    if key.purpose() == policy.key_purpose {
        Ok(())
    } else {
        Err(TokenRejection::WrongKeyKind)
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
pub(super) const LATEST_S: i64 = 253_402_300_799;
