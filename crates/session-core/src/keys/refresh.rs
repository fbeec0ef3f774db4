//! `RefreshKey`: authenticates refresh tokens and derives their successors.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroizing;

use super::KeyError;
use crate::{ids::KeyId, store::KeyRecord};

/// Two independent HMAC-SHA256 keys, so that what one computes says nothing about the other.
pub(crate) struct RefreshKey {
    id: KeyId,
    mac: hmac::Key,
    derivation: hmac::Key,
}

impl RefreshKey {
    /// Makes the material of a key, from the operating system's generator.
    pub(crate) fn generate() -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut material = Zeroizing::new(vec![0; 2 * HALF]);
        getrandom::fill(&mut material).map_err(|_| KeyError::Generation)?;
        Ok(material)
    }

    /// Reads a record's material: 32 bytes for the MAC, then 32 for derivation.
    pub(crate) fn from_record(record: &KeyRecord) -> Result<Self, KeyError> {
        let unreadable = || KeyError::Unreadable(record.id.clone());
        let (mac, derivation) = record
            .material
            .split_at_checked(HALF)
            .ok_or_else(unreadable)?;
        if derivation.len() != HALF {
            return Err(unreadable());
        }
        if constant_time::verify_slices_are_equal(mac, derivation).is_ok() {
            let reason = "its two halves are the same";
            return Err(KeyError::Weak {
                key: record.id.clone(),
                reason,
            });
        }
        Ok(Self {
            id: record.id.clone(),
            mac: hmac::Key::new(hmac::HMAC_SHA256, mac),
            derivation: hmac::Key::new(hmac::HMAC_SHA256, derivation),
        })
    }

    /// The key's name.
    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    /// What proves that `message` is ours.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; HALF] {
        hmac_of(&self.mac, message)
    }

    /// A secret that only a holder of this key can compute from `input`.
    pub(crate) fn derive(&self, input: &[u8]) -> [u8; HALF] {
        hmac_of(&self.derivation, input)
    }
}

impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey")
    }
}

fn hmac_of(key: &hmac::Key, message: &[u8]) -> [u8; HALF] {
    let mut output = [0; HALF];
    output.copy_from_slice(hmac::sign(key, message).as_ref());
    output
}

/// The only algorithm that these keys are used with.
pub(crate) const ALGORITHM: &str = "HS256";
const HALF: usize = 32;
