//! `VerificationKey`: the public half of a signing key, judged before it is trusted.

use std::fmt;

use aws_lc_rs::{
    digest,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::KeyError;
use crate::{ids::KeyId, store::KeyPurpose, telemetry};

/// Verifies the signatures of one key, with RS256 and nothing else.
pub(crate) struct VerificationKey {
    id: KeyId,
    purpose: KeyPurpose,
    key: ParsedPublicKey,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    fingerprint: KeyFingerprint,
}

/// Tells keys apart by name and numbers: two that have the same are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyFingerprint([u8; digest::SHA256_OUTPUT_LEN]);

impl VerificationKey {
    /// Reads an `RSAPublicKey` in DER (RFC 8017 §A.1.1).
    pub(crate) fn from_der(id: KeyId, purpose: KeyPurpose, der: &[u8]) -> Result<Self, KeyError> {
        let Some((modulus, exponent)) = numbers_of(der) else {
            return Err(KeyError::Unreadable(id));
        };
        if let Err(reason) = judge(modulus, exponent) {
            return Err(KeyError::Weak { key: id, reason });
        }
        match ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der) {
            Ok(key) => Ok(Self {
                fingerprint: KeyFingerprint::of(&id, der),
                id,
                purpose,
                key,
                modulus: modulus.to_vec(),
                exponent: exponent.to_vec(),
            }),
            Err(_) => Err(KeyError::Unreadable(id)),
        }
    }

    /// The key's name.
    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    /// What tells the key from every other.
    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// What the key is for.
    pub(crate) fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        telemetry::signature("verified");
        self.key.verify_sig(message, signature).is_ok()
    }

    /// The length of the modulus in bits.
    pub(crate) fn bits(&self) -> usize {
        bits_of(&self.modulus)
    }

    /// `n` as a JWK has it: unsigned big-endian without leading zeros, in unpadded base64url.
    pub(crate) fn encoded_modulus(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.modulus)
    }

    /// `e` in the same form.
    pub(crate) fn encoded_exponent(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.exponent)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl KeyFingerprint {
    fn of(id: &KeyId, der: &[u8]) -> Self {
        let mut hashed = digest::Context::new(&digest::SHA256);
        hashed.update(id.as_str().as_bytes());
        // No name has such a byte.
        hashed.update(&[0]);
        hashed.update(der);
        let mut fingerprint = [0; digest::SHA256_OUTPUT_LEN];
        fingerprint.copy_from_slice(hashed.finish().as_ref());
        Self(fingerprint)
    }
}

/// Modulus and exponent, without leading zeros, of a DER `SEQUENCE { INTEGER, INTEGER }` that has
/// nothing after it.
fn numbers_of(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, after) = element(SEQUENCE, der)?;
    let (modulus, rest) = element(INTEGER, sequence)?;
    let (exponent, rest) = element(INTEGER, rest)?;
    if !after.is_empty() || !rest.is_empty() {
        return None;
    }
    Some((unsigned(modulus)?, unsigned(exponent)?))
}

/// The content of the element that `der` begins with, and what comes after it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = der.split_first_chunk()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match length {
        0x00..=0x7f => (usize::from(length), rest),
        0x81 => rest
            .split_first()
            .map(|(&length, rest)| (usize::from(length), rest))?,
        0x82 => rest
            .split_first_chunk()
            .map(|(&length, rest)| (usize::from(u16::from_be_bytes(length)), rest))?,
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A positive number's bytes without the zero that only says it is positive.
fn unsigned(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] if rest.first().is_some_and(|byte| byte & 0x80 != 0) => Some(rest),
        [first, ..] if (1..0x80).contains(first) => Some(integer),
        _ => None,
    }
}

/// Refuses keys that can be factored or that make signatures forgeable (RFC 8725 §3.4; security
/// A18, J3).
fn judge(modulus: &[u8], exponent: &[u8]) -> Result<(), &'static str> {
    if !(2048..=8192).contains(&bits_of(modulus)) {
        return Err("the modulus must have 2048 to 8192 bits");
    }
    let exponent = exponent.iter().try_fold(0_u64, |value, &byte| {
        value.checked_mul(256)?.checked_add(byte.into())
    });
    match exponent {
        Some(value) if value % 2 == 1 && (3..=1 << 32).contains(&value) => {}
        _ => return Err("the exponent must be odd and between 3 and 2^32"),
    }
    if modulus.last().is_none_or(|last| last % 2 == 0) {
        return Err("the modulus is even");
    }
    if has_roca_fingerprint(modulus) {
        return Err("the modulus was made by a generator whose keys can be factored");
    }
    Ok(())
}

/// The length in bits of a number without leading zero bytes.
fn bits_of(number: &[u8]) -> usize {
    let leading_zeros = number.first().map_or(0, |first| first.leading_zeros());
    8 * number.len() - leading_zeros as usize
}

/// Whether the modulus has the structure that Infineon's library left in its keys (ROCA,
/// CVE-2017-15361): modulo every small prime it is a power of 65537. Of other keys, one in 2^27
/// looks the same.
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|&prime| {
        let residue = modulus.iter().fold(0_u32, |residue, &byte| {
            (residue * 256 + u32::from(byte)) % prime
        });
        let powers = std::iter::successors(Some(1), |power| Some(power * 65537 % prime));
        powers.take(prime as usize).any(|power| power == residue)
    })
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// The primes up to 167 without 2: those that the generator's structure shows in, and some that every
/// modulus passes.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests;
