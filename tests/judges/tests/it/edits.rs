//! Edits of real tokens: each by its name, with chance from a seed.
//!
//! Wherever it can be, what was edited is signed with our own key, so that a verifier judges the edit
//! and not the signature.

mod claims;
mod header;
mod json;
mod signature;
mod text;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fastrand::Rng;
use serde_json::{Map, Value};
use session_testkit::http::{client::segment, signer::Signer};

/// A kind of edit: its name, and how it is made.
pub(crate) type Edit = (&'static str, fn(&mut Workshop) -> String);

/// Every kind of edit.
pub(crate) fn all() -> impl Iterator<Item = Edit> + Clone {
    [
        text::EDITS,
        signature::EDITS,
        header::EDITS,
        json::EDITS,
        claims::EDITS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What edits are made with.
pub(crate) struct Workshop {
    /// Chance.
    pub(crate) chance: Rng,
    /// Real tokens under the key that signs now.
    pub(crate) tokens: Vec<String>,
    /// Tokens for other services, under the same key.
    pub(crate) service_tokens: Vec<String>,
    /// The key that signs now.
    pub(crate) signer: Signer,
    /// The key that signed before, which is still in the set.
    pub(crate) previous: Signer,
    /// A key that is not in the set.
    pub(crate) stranger: Signer,
    /// The modulus of the key that signs now.
    pub(crate) modulus: Vec<u8>,
    /// What all clocks show, in Unix seconds.
    pub(crate) now_s: i64,
}

/// A real token, taken apart.
struct Parts {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Workshop {
    /// One of these.
    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.chance.usize(..choices.len())].clone()
    }

    /// A real token.
    fn token(&mut self) -> String {
        let index = self.chance.usize(..self.tokens.len());
        self.tokens[index].clone()
    }

    fn segments(&mut self) -> [String; 3] {
        let token = self.token();
        let mut segments = token.split('.').map(str::to_owned);
        [(); 3].map(|()| segments.next().unwrap())
    }

    fn parts(&mut self) -> Parts {
        let token = self.token();
        let object = |number| segment(&token, number).as_object().unwrap().clone();
        Parts {
            header: object(0),
            claims: object(1),
        }
    }

    fn sign(&self, parts: Parts) -> String {
        let Parts { header, claims } = parts;
        self.signer.sign(&header.into(), &claims.into())
    }

    /// A real token with a member of its header set.
    fn with_header(&mut self, name: &str, value: Value) -> String {
        let mut parts = self.parts();
        parts.header.insert(name.to_owned(), value);
        self.sign(parts)
    }

    /// A real token with a claim set.
    fn with_claim(&mut self, name: &str, value: Value) -> String {
        let mut parts = self.parts();
        parts.claims.insert(name.to_owned(), value);
        self.sign(parts)
    }

    /// A real token with a claim set to this text, which may be no JSON.
    fn with_claim_text(&mut self, name: &str, text: &str) -> String {
        let Parts { header, mut claims } = self.parts();
        claims.remove(name);
        let claims = Value::from(claims).to_string();
        let claims = format!(r#"{{"{name}":{text},{}"#, &claims[1..]);
        let header = Value::from(header).to_string();
        self.signer.sign_bytes(header.as_bytes(), claims.as_bytes())
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(segment: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(segment).unwrap()
}
