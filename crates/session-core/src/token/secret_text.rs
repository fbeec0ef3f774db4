//! `SecretText`: a text that is overwritten before its memory is given back.

use std::{fmt, ops::Deref};

use zeroize::Zeroize as _;

/// Overwritten as a whole: `Zeroizing<String>` writes byte after byte, which for a token takes a
/// twentieth of the time of its verification.
///
/// What is beyond the end of the text is not: it must not have been longer.
pub(crate) struct SecretText(String);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Deref for SecretText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.as_mut_str().zeroize();
    }
}

impl fmt::Debug for SecretText {
    /// Shows nothing (security K1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}
