//! The tokens of a session: made and read here, without any I/O.
//!
//! The three kinds have nothing in common that one could be taken for another (security C1, C2): an
//! access token has three segments, the other two have one, and only the refresh token's ends in a
//! MAC.

pub(crate) mod access;
pub(crate) mod front;
#[cfg(feature = "measuring")]
#[doc(hidden)]
pub mod measuring;
pub(crate) mod refresh;

mod jws;
mod rejection;
mod secret_text;

pub use access::{AccessToken, MintError};
pub(crate) use access::{ParsedAccessToken, VerifiedAccessToken};
pub use front::FrontToken;
pub use refresh::RefreshToken;
pub(crate) use rejection::ForgedToken;
pub use rejection::{MalformedToken, TokenRejection};
pub(crate) use secret_text::SecretText;
