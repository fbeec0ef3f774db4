//! `Signer`: makes tokens that no session would be given, with the server's own key.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;
use session_core::store::{KeyPurpose, KeyRecord, SessionStore};

/// Signs with a server's own key, so that a token is refused for what it says and not for its
/// signature.
pub struct Signer {
    pair: KeyPair,
    key_id: String,
}

impl Signer {
    /// The newest key of a store that signs access tokens; it must not be encrypted.
    pub async fn of(store: &dyn SessionStore) -> Self {
        let keys = store.load_keys().await.unwrap();
        let is_signing = |key: &&KeyRecord| {
            matches!(
                key.purpose,
                KeyPurpose::AccessDynamic | KeyPurpose::AccessStatic
            )
        };
        let key = keys
            .iter()
            .find(is_signing)
            .expect("there is no signing key");
        assert_eq!(key.sealed_under, None, "the key is encrypted");
        Self {
            pair: KeyPair::from_pkcs8(&key.material).unwrap(),
            key_id: key.id.to_string(),
        }
    }

    /// The name of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key as DER (SPKI).
    pub fn public_key(&self) -> Vec<u8> {
        use aws_lc_rs::{
            encoding::{AsDer as _, PublicKeyX509Der},
            signature::KeyPair as _,
        };

        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// A token of this header and payload.
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_bytes(
            header.to_string().as_bytes(),
            payload.to_string().as_bytes(),
        )
    }

    /// A token of this header and payload, whatever they are.
    pub fn sign_bytes(&self, header: &[u8], payload: &[u8]) -> String {
        self.sign_with(&RSA_PKCS1_SHA256, header, payload)
    }

    /// A token of these two segments, however they are encoded.
    pub fn sign_segments(&self, header: &str, payload: &str) -> String {
        self.sign_text(&RSA_PKCS1_SHA256, &format!("{header}.{payload}"))
    }

    /// The same token under each of the other RSA algorithms, with its `alg` put in.
    pub fn sign_otherwise(&self, header: &Value, payload: &Value) -> Vec<String> {
        let algorithms: [(&str, &'static dyn RsaEncoding); 3] = [
            ("RS384", &RSA_PKCS1_SHA384),
            ("RS512", &RSA_PKCS1_SHA512),
            ("PS256", &RSA_PSS_SHA256),
        ];
        let mut header = header.clone();
        let tokens = algorithms.map(|(name, algorithm)| {
            header["alg"] = name.into();
            let header = header.to_string();
            self.sign_with(algorithm, header.as_bytes(), payload.to_string().as_bytes())
        });
        tokens.into()
    }

    fn sign_with(
        &self,
        algorithm: &'static dyn RsaEncoding,
        header: &[u8],
        payload: &[u8],
    ) -> String {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let text = format!("{}.{}", encode(header), encode(payload));
        self.sign_text(algorithm, &text)
    }

    fn sign_text(&self, algorithm: &'static dyn RsaEncoding, text: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                algorithm,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(&signature))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
