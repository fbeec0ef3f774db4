//! The secrets that keys are encrypted with in the store.

use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

/// A secret that private keys are encrypted with before they are stored.
///
/// The name is stored in clear beside each key, so that the secret can be changed: the new one
/// encrypts, older ones only decrypt.
#[derive(Clone)]
pub struct EncryptionSecret {
    name: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl EncryptionSecret {
    pub(super) fn new(name: String, bytes: Vec<u8>) -> Self {
        Self {
            name,
            bytes: Zeroizing::new(bytes),
        }
    }

    /// The name that stored keys refer to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn has_same_bytes(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.bytes, &other.bytes).is_ok()
    }
}

impl fmt::Debug for EncryptionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K7: a configuration may be logged.
    #[test]
    fn debug_prints_the_type_name_only() {
        let secret = EncryptionSecret::new("2026".to_owned(), vec![7; 32]);
        assert_eq!(format!("{secret:?}"), "EncryptionSecret");
    }
}
