//! The identifiers of a session, as newtypes whose construction judges length and content once.
//!
//! Two identifiers are equal when their bytes are: nothing here trims, folds case or normalises.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// The text has no bytes.
    #[error("an identifier must not be empty")]
    Empty,
    /// The text has more bytes than this kind of identifier may have.
    #[error("an identifier has {length} bytes, more than the {limit} allowed")]
    TooLong {
        /// The length of the text in bytes.
        length: usize,
        /// The most bytes that this kind of identifier may have.
        limit: usize,
    },
    /// The text contains a NUL byte, which not every database can store.
    #[error("an identifier must not contain a NUL byte")]
    Nul,
    /// The text contains a character that this kind of identifier does not allow.
    #[error("the identifier contains a character that is not allowed")]
    Character,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, limit = $limit:expr, valid = $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most bytes that this identifier may have.
            pub const MAX_BYTES: usize = $limit;

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn judge(text: &str) -> Result<(), InvalidId> {
                if text.is_empty() {
                    return Err(InvalidId::Empty);
                }
                if text.len() > Self::MAX_BYTES {
                    return Err(InvalidId::TooLong { length: text.len(), limit: Self::MAX_BYTES });
                }
                if text.contains('\0') {
                    return Err(InvalidId::Nul);
                }
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(()) } else { Err(InvalidId::Character) }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(text: &str) -> Result<Self, InvalidId> {
                Self::judge(text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::judge(&text)?;
                Ok(Self(text.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

identifier! {
    /// Whose session it is: 1 to 256 bytes of UTF-8 without NUL, compared byte by byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_core::UserId;
    ///
    /// let ann = UserId::try_from("ann")?;
    /// assert_eq!(ann.as_str(), "ann");
    /// assert_ne!(ann, UserId::try_from("Ann")?);
    /// assert!(UserId::try_from("a\0b").is_err());
    /// # Ok::<(), session_core::InvalidId>(())
    /// ```
    UserId, limit = 256, valid = |_| true
}

identifier! {
    /// Names one session for as long as it lives; 1 to 128 bytes of UTF-8 without NUL.
    ///
    /// Handles made here carry 128 bits from the operating system's generator, look like a UUID and
    /// end in `_` and the tenant unless that is the default one (wire §3, case 65). Nothing may be
    /// concluded from their form.
    SessionHandle, limit = 128, valid = |_| true
}

identifier! {
    /// A part of the user base that is kept apart: 1 to 64 of the characters `a-z`, `A-Z`, `0-9`
    /// and `-` (wire §5: the segment of a path). The default tenant is called `public`.
    TenantId, limit = 64, valid = |text| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    }
}

identifier! {
    /// Names a key: 1 to 64 visible ASCII characters (`d-…` and `s-…` sign access tokens, `r-…`
    /// protect refresh tokens).
    KeyId, limit = 64, valid = |text| text.bytes().all(|byte| byte.is_ascii_graphic())
}

identifier! {
    /// Names one run of a node: 1 to 64 visible ASCII characters. A node that starts again has
    /// another one.
    NodeId, limit = 64, valid = |text| text.bytes().all(|byte| byte.is_ascii_graphic())
}

identifier! {
    /// What an operator calls a node: 1 to 128 bytes of UTF-8 without control characters.
    NodeName, limit = 128, valid = |text| !text.chars().any(char::is_control)
}

impl TenantId {
    /// The tenant of applications that know only one.
    pub const DEFAULT: &'static str = "public";

    /// Whether this is the tenant of applications that know only one.
    pub fn is_default(&self) -> bool {
        self.as_str() == Self::DEFAULT
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3, H4: one verdict for every store, before any SQL.
    #[test]
    fn length_and_nul_are_judged_before_any_store_sees_the_text() {
        assert_eq!(UserId::try_from(""), Err(InvalidId::Empty));
        assert_eq!(UserId::try_from("a\0"), Err(InvalidId::Nul));
        assert!(UserId::try_from("é".repeat(128)).is_ok());
        assert_eq!(
            UserId::try_from("x".repeat(257)),
            Err(InvalidId::TooLong {
                length: 257,
                limit: 256
            })
        );
        assert_eq!(TenantId::try_from("a_b"), Err(InvalidId::Character));
        assert_eq!(KeyId::try_from("d 1"), Err(InvalidId::Character));
        assert_eq!(NodeName::try_from("a\nb"), Err(InvalidId::Character));
    }
}
