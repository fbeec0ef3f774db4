//! `SigningKey`: signs access tokens with RS256.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use zeroize::Zeroizing;

use super::{KeyError, VerificationKey};
use crate::{
    config::RsaKeySize,
    ids::KeyId,
    store::{KeyPurpose, KeyRecord},
    telemetry,
    token::access::encoded_header,
};

/// Signs access tokens, and knows the public key that verifies them.
pub(crate) struct SigningKey {
    pair: KeyPair,
    public: VerificationKey,
    encoded_header: String,
}

impl SigningKey {
    /// Makes a key. Takes 50 ms to several seconds of processor time: not for an async task.
    pub(crate) fn generate(size: RsaKeySize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let size = match size {
            RsaKeySize::Bits2048 => KeySize::Rsa2048,
            RsaKeySize::Bits3072 => KeySize::Rsa3072,
            RsaKeySize::Bits4096 => KeySize::Rsa4096,
        };
        let pair = KeyPair::generate(size).map_err(|_| KeyError::Generation)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generation)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// Reads a record's material: PKCS #8 in DER.
    pub(crate) fn from_record(record: &KeyRecord) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(&record.material)
            .map_err(|_| KeyError::Unreadable(record.id.clone()))?;
        let public = VerificationKey::from_der(
            record.id.clone(),
            record.purpose,
            pair.public_key().as_ref(),
        )?;
        Ok(Self {
            pair,
            public,
            encoded_header: encoded_header(&record.id),
        })
    }

    /// The key's name.
    pub(crate) fn id(&self) -> &KeyId {
        self.public.id()
    }

    /// What the key is for.
    pub(crate) fn purpose(&self) -> KeyPurpose {
        self.public.purpose()
    }

    /// The key that verifies what this one signs.
    pub(crate) fn public(&self) -> &VerificationKey {
        &self.public
    }

    /// The first segment of every token signed with this key.
    pub(crate) fn encoded_header(&self) -> &str {
        &self.encoded_header
    }

    /// The RS256 signature over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        telemetry::signature("made");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeyError::Generation)?;
        Ok(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The only algorithm that these keys are used with (RFC 8725 §3.1).
pub(crate) const ALGORITHM: &str = "RS256";
