//! Front tokens: what a website's scripts may know about the session (wire §4.3).
//!
//! A front token is neither signed nor secret, and proves nothing to anybody.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Value};

use super::MalformedToken;
use crate::{ids::UserId, json};

/// What a front token says, as a client reads it.
///
/// # Examples
///
/// ```
/// use session_core::token::FrontToken;
///
/// let header = "eyJ1aWQiOiJ1c2VyLTEiLCJhdGUiOjE3MDAwMDM2MDAwMDAsInVwIjp7ImlhdCI6MTcwMDAwMDAwMCwiZXhwIjox\
///     NzAwMDAzNjAwLCJzdWIiOiJ1c2VyLTEiLCJuYW1lIjoiWm/DqyJ9fQ==";
/// let token = FrontToken::parse(header)?;
/// assert_eq!(token.user_id().as_str(), "user-1");
/// assert_eq!(token.payload()["name"], "Zoë");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct FrontToken {
    user: UserId,
    access_expires_at_ms: i64,
    payload: Map<String, Value>,
}

impl FrontToken {
    /// The most bytes that a token may have: twice what an access token can need.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`MalformedToken`] when it is not one that was written here.
    pub fn parse(text: &str) -> Result<Self, MalformedToken> {
        if text.len() > Self::MAX_BYTES {
            return Err(MalformedToken::TooLong);
        }
        let bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|_| MalformedToken::Encoding)?;
        let mut object = json::parse_object(&bytes).map_err(|_| MalformedToken::Json)?;
        let user = object
            .remove(USER)
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|user| UserId::try_from(user).ok())
            .ok_or(MalformedToken::Claim(USER))?;
        let access_expires_at_ms = object
            .remove(ACCESS_EXPIRY)
            .as_ref()
            .and_then(Value::as_i64)
            .ok_or(MalformedToken::Claim(ACCESS_EXPIRY))?;
        match object.remove(PAYLOAD) {
            Some(Value::Object(payload)) if object.is_empty() => Ok(Self {
                user,
                access_expires_at_ms,
                payload,
            }),
            _ => Err(MalformedToken::Claim(PAYLOAD)),
        }
    }

    /// Whose session it is.
    pub fn user_id(&self) -> &UserId {
        &self.user
    }

    /// When the access token expires, in Unix milliseconds.
    pub fn access_expires_at_ms(&self) -> i64 {
        self.access_expires_at_ms
    }

    /// All claims of the access token.
    pub fn payload(&self) -> &Map<String, Value> {
        &self.payload
    }
}

impl fmt::Debug for FrontToken {
    /// Shows nothing that belongs to the user (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontToken")
            .field("access_expires_at_ms", &self.access_expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// Writes the front token that goes with a new access token, in standard base64 with padding.
///
/// `payload` is the claims of that very access token: the client reads its clock's error from `iat`.
pub(crate) fn build(
    user: &UserId,
    access_expires_at_ms: i64,
    payload: &Map<String, Value>,
) -> String {
    let object = Map::from_iter([
        (USER.to_owned(), user.as_str().into()),
        (ACCESS_EXPIRY.to_owned(), access_expires_at_ms.into()),
        (PAYLOAD.to_owned(), payload.clone().into()),
    ]);
    BASE64_STANDARD.encode(json::to_text(&object))
}

const USER: &str = "uid";
const ACCESS_EXPIRY: &str = "ate";
const PAYLOAD: &str = "up";

#[cfg(test)]
mod tests;
