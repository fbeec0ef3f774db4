//! `Jwks`: the public keys as a JSON Web Key Set (wire §1.4, case 62).

use serde::Serialize;

use super::VerificationKey;

/// The keys that access tokens verify with, for other services that verify them by themselves.
///
/// Serialises as `{"keys":[…]}` with the members `kty`, `kid`, `n`, `e`, `alg` and `use` of each key
/// and nothing else (security D9).
#[derive(Debug, Clone, Serialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
    #[serde(skip)]
    max_age_s: u64,
}

impl Jwks {
    pub(crate) fn new<'a>(
        keys: impl IntoIterator<Item = &'a VerificationKey>,
        max_age_s: u64,
    ) -> Self {
        Self {
            keys: keys.into_iter().map(Jwk::from).collect(),
            max_age_s,
        }
    }

    /// For how many seconds the set may be cached: until shortly before the next key is made.
    pub fn max_age_s(&self) -> u64 {
        self.max_age_s
    }

    /// The set as JSON text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Serialize)]
struct Jwk {
    kty: &'static str,
    kid: String,
    n: String,
    e: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl From<&VerificationKey> for Jwk {
    fn from(key: &VerificationKey) -> Self {
        Self {
            kty: "RSA",
            kid: key.id().to_string(),
            n: key.encoded_modulus(),
            e: key.encoded_exponent(),
            alg: super::signing::ALGORITHM,
            usage: "sig",
        }
    }
}
