//! Encryption of key material at rest: whoever reads the database cannot forge tokens with what is
//! there (security K10).

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use zeroize::Zeroizing;

use super::KeyError;
use crate::store::KeyRecord;

/// A secret of the deployment, kept outside the database, that keys are encrypted under.
///
/// Its name is stored beside what is encrypted with it, so that secrets can be replaced one after
/// the other.
#[derive(Clone)]
pub(crate) struct AtRestSecret {
    name: String,
    key: Zeroizing<[u8; KEY_LEN]>,
}

/// Why bytes cannot be an at-rest secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAtRestSecret {
    /// Fewer than 32 bytes can be guessed.
    #[error("an at-rest secret must have at least 32 bytes")]
    TooShort,
    /// The name is empty, longer than 64 bytes, or has other characters than visible ASCII.
    #[error("an at-rest secret's name must be 1 to 64 visible ASCII characters")]
    Name,
}

impl AtRestSecret {
    /// A secret with a name of its own. `secret` must be at least 32 random bytes; it is not
    /// stretched as a password would have to be.
    ///
    /// # Errors
    ///
    /// [`InvalidAtRestSecret`].
    pub(crate) fn new(name: impl Into<String>, secret: &[u8]) -> Result<Self, InvalidAtRestSecret> {
        let name = name.into();
        if !(1..=64).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidAtRestSecret::Name);
        }
        if secret.len() < KEY_LEN {
            return Err(InvalidAtRestSecret::TooShort);
        }
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Salt::new(HKDF_SHA256, &[])
            .extract(secret)
            .expand(&[DERIVATION], HKDF_SHA256)
            .and_then(|output| output.fill(key.as_mut_slice()))
            .map_err(|_| InvalidAtRestSecret::TooShort)?;
        Ok(Self { name, key })
    }

    /// The name that is stored beside what this secret encrypts.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, self.key.as_slice())
            .ok()
            .map(LessSafeKey::new)
    }
}

impl fmt::Debug for AtRestSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtRestSecret")
    }
}

/// The at-rest secrets of a deployment: the one that encrypts, and older ones that may still be
/// needed to read. Without a primary secret, keys are stored in the clear.
#[derive(Debug, Clone, Default)]
pub(crate) struct AtRestSecrets {
    primary: Option<AtRestSecret>,
    older: Vec<AtRestSecret>,
}

impl AtRestSecrets {
    /// Encrypts under `primary`.
    pub(crate) fn new(primary: AtRestSecret) -> Self {
        Self {
            primary: Some(primary),
            older: Vec::new(),
        }
    }

    /// Also reads what is encrypted under `secret`.
    #[must_use]
    pub(crate) fn with_older(mut self, secret: AtRestSecret) -> Self {
        self.older.push(secret);
        self
    }

    /// The name of the secret that encrypts.
    pub(crate) fn primary_name(&self) -> Option<&str> {
        self.primary.as_ref().map(AtRestSecret::name)
    }

    /// `record`, whose material is in the clear, as it is to be stored.
    pub(crate) fn seal(&self, mut record: KeyRecord) -> Result<KeyRecord, KeyError> {
        let Some(secret) = &self.primary else {
            return Ok(record);
        };
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| KeyError::Generation)?;
        let cipher = secret.cipher().ok_or(KeyError::Generation)?;
        let mut material = Zeroizing::new(record.material.to_vec());
        let tag = cipher
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding(&record)),
                &mut material,
            )
            .map_err(|_| KeyError::Generation)?;
        record.material = Zeroizing::new([&nonce, material.as_slice(), tag.as_ref()].concat());
        record.sealed_under = Some(secret.name.clone());
        Ok(record)
    }

    /// `record` as it was stored, with its material in the clear.
    pub(crate) fn open(&self, mut record: KeyRecord) -> Result<KeyRecord, KeyError> {
        let Some(name) = record.sealed_under.take() else {
            return Ok(record);
        };
        let known = self.primary.iter().chain(&self.older);
        let mut of_this_name = known.filter(|secret| secret.name == name);
        match of_this_name
            .next()
            .and_then(|secret| unseal(secret, &record))
        {
            Some(material) => {
                record.material = material;
                Ok(record)
            }
            None => Err(KeyError::Sealed {
                key: record.id,
                secret: name,
            }),
        }
    }
}

fn unseal(secret: &AtRestSecret, record: &KeyRecord) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = record.material.split_first_chunk::<NONCE_LEN>()?;
    let mut material = Zeroizing::new(ciphertext.to_vec());
    let length = secret
        .cipher()?
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(binding(record)),
            &mut material,
        )
        .ok()?
        .len();
    material.truncate(length);
    Some(material)
}

/// What the material belongs to, authenticated with it: nobody can move it to another row and have
/// it used as something else.
fn binding(record: &KeyRecord) -> Vec<u8> {
    let mut binding = Vec::new();
    for part in [
        record.id.as_str(),
        record.purpose.as_str(),
        &record.algorithm,
    ] {
        binding.extend_from_slice(&(part.len() as u64).to_be_bytes());
        binding.extend_from_slice(part.as_bytes());
    }
    binding
}

const KEY_LEN: usize = 32;
const DERIVATION: &[u8] = b"session key at rest v1";

#[cfg(test)]
mod tests;
