//! `Payload`: the application's own claims in an access token.

use std::fmt;

use serde_json::{Map, Value};

use crate::{json, store::StoreError};

/// The claims that an application adds to a session's access tokens.
///
/// A payload is a JSON object of at most [`Payload::MAX_BYTES`] that uses none of the
/// [`PROTECTED_NAMES`](Payload::PROTECTED_NAMES). Whoever holds the token can read it: it is no
/// place for secrets.
///
/// # Examples
///
/// ```
/// use serde_json::{Map, json};
/// use session_core::Payload;
///
/// let payload = Payload::parse(r#"{"plan":"free","trial":true}"#)?;
/// let update = Map::from_iter([("plan".to_owned(), json!("pro")), ("trial".to_owned(), json!(null))]);
/// assert_eq!(payload.merged(update)?.to_text(), r#"{"plan":"pro"}"#);
/// assert!(Payload::parse(r#"{"sub":"somebody else"}"#).is_err());
/// # Ok::<(), session_core::InvalidPayload>(())
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct Payload(Map<String, Value>);

/// Why an object cannot be a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPayload {
    /// The object has a member that only the session itself may set (security B10).
    #[error("`{0}` is a claim of the session itself")]
    ProtectedName(&'static str),
    /// A member is `null`, which means "remove" in an update and nothing in a payload.
    #[error("a member of a payload must not be null")]
    Null,
    /// `nbf` is not a number, so no verifier could judge it (RFC 7519 §4.1.5).
    #[error("`nbf` must be a number")]
    NotBefore,
    /// The JSON text has more bytes than [`Payload::MAX_BYTES`].
    #[error("the payload has {length} bytes, more than the {limit} allowed", limit = Payload::MAX_BYTES)]
    TooLong {
        /// The length of the JSON text in bytes.
        length: usize,
    },
    /// With this payload, the tokens would be larger than their transport can carry: 4,096 bytes
    /// for a cookie with its name (RFC 6265 §6.1), 8 KiB for a header.
    #[error("with this payload the session's tokens are too large for a cookie or a header")]
    TokenTooLong,
    /// The object is nested too deeply, or has a number that is out of range.
    #[error("the payload is nested too deeply or has a number that is out of range")]
    NotPlain,
    /// The text is not a JSON object with distinct member names.
    #[error("the text is not a JSON object with distinct member names")]
    NotAnObject,
}

impl Payload {
    /// The names of the claims that only the session itself sets (wire §1.2, and `iss`).
    pub const PROTECTED_NAMES: [&'static str; 11] = [
        "sub",
        "iat",
        "exp",
        "sessionHandle",
        "parentRefreshTokenHash1",
        "refreshTokenHash1",
        "antiCsrfToken",
        "rsub",
        "tId",
        "stt",
        "iss",
    ];

    /// The most bytes that the JSON text may have.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Reads a payload from JSON text.
    ///
    /// # Errors
    ///
    /// [`InvalidPayload`].
    pub fn parse(text: &str) -> Result<Self, InvalidPayload> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidPayload::TooLong { length: text.len() });
        }
        let object =
            json::parse_object(text.as_bytes()).map_err(|_| InvalidPayload::NotAnObject)?;
        Self::try_from(object)
    }

    /// Reads what [`to_text`](Self::to_text) has written, so its length needs no other look.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`]: it has been changed by somebody else.
    pub(crate) fn stored(text: &str) -> Result<Self, StoreError> {
        let corrupt = StoreError::Corrupt("payload");
        if text.len() > Self::MAX_BYTES {
            return Err(corrupt);
        }
        match json::parse_object(text.as_bytes()).map(Self::of_any_length) {
            Ok(Ok(payload)) => Ok(payload),
            Ok(Err(_)) | Err(_) => Err(corrupt),
        }
    }

    /// This payload with the members of `update` laid over it; a member that is `null` there is
    /// removed. Members are replaced as a whole, whatever they contain (wire case 63).
    ///
    /// # Errors
    ///
    /// [`InvalidPayload`] when `update` names a protected claim or the result is too large.
    pub fn merged(&self, update: Map<String, Value>) -> Result<Self, InvalidPayload> {
        refuse_protected_names(&update)?;
        let mut object = self.0.clone();
        for (name, value) in update {
            if value.is_null() {
                object.remove(&name);
            } else {
                object.insert(name, value);
            }
        }
        Self::try_from(object)
    }

    /// `object` without the members that a payload cannot have for their name (wire case 4).
    pub fn without_protected_names(mut object: Map<String, Value>) -> Map<String, Value> {
        for name in Self::PROTECTED_NAMES {
            object.remove(name);
        }
        object
    }

    /// The application's part of a token's claims: of a token that was made under our key, so there
    /// is nothing to judge.
    pub(crate) fn of_claims(claims: &Map<String, Value>) -> Self {
        Self(Self::without_protected_names(claims.clone()))
    }

    /// Whether this is what [`of_claims`](Self::of_claims) would make of them.
    pub(crate) fn is_part_of(&self, claims: &Map<String, Value>) -> bool {
        let own = Self::PROTECTED_NAMES.into_iter();
        let own = own.filter(|name| claims.contains_key(*name)).count();
        claims.len() == own + self.0.len()
            && self
                .0
                .iter()
                .all(|(name, value)| claims.get(name) == Some(value))
    }

    /// All claims of a token whose application part is this payload and whose own are those of
    /// `claims`.
    pub(crate) fn with_own_claims_of(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        let own = Self::PROTECTED_NAMES.into_iter().filter_map(|name| {
            claims
                .get(name)
                .map(|value| (name.to_owned(), value.clone()))
        });
        own.chain(self.0.clone()).collect()
    }

    /// The members.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The members, taken out.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Compact JSON text, as it is kept in the session's row; numbers are in decimal notation.
    pub fn to_text(&self) -> String {
        json::to_text(&self.0)
    }
}

impl Payload {
    fn of_any_length(object: Map<String, Value>) -> Result<Self, InvalidPayload> {
        refuse_protected_names(&object)?;
        if object.values().any(Value::is_null) {
            return Err(InvalidPayload::Null);
        }
        if object.get("nbf").is_some_and(|nbf| !nbf.is_number()) {
            return Err(InvalidPayload::NotBefore);
        }
        if !json::is_plain(&object, MAX_DEPTH) {
            return Err(InvalidPayload::NotPlain);
        }
        Ok(Self(object))
    }
}

impl TryFrom<Map<String, Value>> for Payload {
    type Error = InvalidPayload;

    fn try_from(object: Map<String, Value>) -> Result<Self, InvalidPayload> {
        let payload = Self::of_any_length(object)?;
        let length = payload.to_text().len();
        if length > Self::MAX_BYTES {
            return Err(InvalidPayload::TooLong { length });
        }
        Ok(payload)
    }
}

impl fmt::Debug for Payload {
    /// Shows no value: a payload is the user's business (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").finish_non_exhaustive()
    }
}

fn refuse_protected_names(object: &Map<String, Value>) -> Result<(), InvalidPayload> {
    match Payload::PROTECTED_NAMES
        .into_iter()
        .find(|name| object.contains_key(*name))
    {
        Some(name) => Err(InvalidPayload::ProtectedName(name)),
        None => Ok(()),
    }
}

/// One less than what is read back: the front token wraps a payload in an object of its own.
const MAX_DEPTH: usize = json::MAX_DEPTH - 1;

#[cfg(test)]
mod tests;
