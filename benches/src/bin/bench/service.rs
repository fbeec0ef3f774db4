//! A service with sessions, and the key under its tokens as the library of the signatures has it.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value, json};
use session_core::{
    AppInfo, IssuedSession, MemoryStore, NewSession, Sessions, UserId,
    config::SessionConfigBuilder,
    store::{KeyPurpose, KeyRecord, SessionStore},
};

/// A service, and the key that it signs with.
pub(crate) struct Service {
    pub(crate) sessions: Sessions,
    pub(crate) key: RawKey,
}

impl Service {
    /// On a store, with some settings changed.
    pub(crate) async fn on(
        store: impl SessionStore + Clone,
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let builder = Sessions::builder(app).store(store.clone()).config(change);
        let sessions = builder.build().await.unwrap();
        let key = RawKey::of(&store).await;
        Self { sessions, key }
    }

    /// In memory, with the settings that a service has by itself.
    pub(crate) async fn in_memory() -> Self {
        Self::on(MemoryStore::default(), |config| config).await
    }

    /// Logs in a user, with claims that make a token of about 1.1 kB.
    pub(crate) async fn log_in(&self, number: usize) -> IssuedSession {
        let new = NewSession::new(user(number)).payload(claims());
        self.sessions.create(new).await.unwrap()
    }

    /// The access tokens of sessions with these numbers.
    pub(crate) async fn tokens(&self, numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
        let mut tokens = Vec::new();
        for number in numbers {
            let issued = self.log_in(number).await;
            tokens.push(issued.tokens().access_token().expose().to_owned());
        }
        tokens
    }
}

/// A user as services name them.
pub(crate) fn user(number: usize) -> UserId {
    UserId::try_from(format!("0f8fad5b-d9cb-469f-a165-{number:012}")).unwrap()
}

/// The claims of an ordinary application.
pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "st-role": { "v": ["member", "editor"], "t": 1_700_000_000_000_u64 },
        "st-ev": { "v": true, "t": 1_700_000_000_000_u64 },
        "plan": "basic",
    });
    let Value::Object(claims) = claims else {
        panic!("the claims are an object");
    };
    claims
}

/// A key pair parsed beforehand: what nobody can do without.
pub(crate) struct RawKey {
    pub(crate) record: KeyRecord,
    pair: KeyPair,
    public: ParsedPublicKey,
}

impl RawKey {
    async fn of(store: &dyn SessionStore) -> Self {
        let keys = store.load_keys().await.unwrap();
        let signs = |key: &KeyRecord| key.purpose == KeyPurpose::AccessDynamic;
        let record = keys.into_iter().find(signs).unwrap();
        let pair = KeyPair::from_pkcs8(&record.material).unwrap();
        let der = pair.public_key();
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).unwrap();
        Self {
            record,
            pair,
            public,
        }
    }

    /// Verifies a signature and nothing else.
    pub(crate) fn verify(&self, token: &Apart) {
        let verified = self.public.verify_sig(&token.signed, &token.signature);
        verified.unwrap();
    }

    /// Makes a signature and nothing else, in a buffer of its length.
    pub(crate) fn sign(&self, message: &[u8], signature: &mut [u8]) {
        let random = SystemRandom::new();
        let signed = self
            .pair
            .sign(&RSA_PKCS1_SHA256, &random, message, signature);
        signed.unwrap();
    }

    /// How long a signature is.
    pub(crate) fn signature_length(&self) -> usize {
        self.pair.public_modulus_len()
    }
}

/// A token taken apart beforehand.
pub(crate) struct Apart {
    pub(crate) signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Apart {
    pub(crate) fn of(token: &str) -> Self {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        Self {
            signed: signed.as_bytes().to_vec(),
            signature: BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
        }
    }

    pub(crate) fn all(tokens: &[String]) -> Vec<Self> {
        tokens.iter().map(|token| Self::of(token)).collect()
    }
}
