//! `VerifiedTokens`: access tokens whose signature this node has verified before.
//!
//! What is kept spares a request the reading of its token and the RSA operation, and nothing else.
//! Times, issuer and kind of key are judged again each time, under the key as it is then; anti-CSRF,
//! look-ups and claims are not known here at all (security A21, G17).

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use aws_lc_rs::constant_time;
use foldhash::quality::RandomState;
use quick_cache::{
    Equivalent, UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

use crate::{
    keys::KeyFingerprint,
    token::{AccessToken, VerifiedAccessToken},
};

/// Tokens by all of their bytes, up to a number; off when that is zero.
///
/// Only what was verified comes in, so nobody fills it who cannot log in. What is asked for again
/// stays, and what is not goes first: somebody with very many tokens displaces few of the others'.
pub(crate) struct VerifiedTokens(Option<Tokens>);

type Tokens = Cache<Text, Arc<VerifiedToken>, UnitWeighter, RandomState>;

/// A token and what its verification gave.
pub(crate) struct VerifiedToken {
    pub(crate) text: AccessToken,
    pub(crate) claims: Arc<VerifiedAccessToken>,
    /// The key that made the signature.
    pub(crate) key: KeyFingerprint,
}

impl VerifiedTokens {
    pub(crate) fn new(capacity: usize) -> Self {
        Self((capacity > 0).then(|| {
            Cache::with(
                capacity,
                capacity as u64,
                UnitWeighter,
                RandomState::default(),
                DefaultLifecycle::default(),
            )
        }))
    }

    /// The token with exactly these bytes. Whether it is still good has to be judged.
    pub(crate) fn get(&self, text: &[u8]) -> Option<Arc<VerifiedToken>> {
        let tokens = self.0.as_ref()?;
        (text.len() <= AccessToken::MAX_BYTES).then(|| tokens.get(&Bytes(text)))?
    }

    /// Keeps what `verified` says, where tokens are kept at all.
    pub(crate) fn keep(&self, verified: impl FnOnce() -> VerifiedToken) {
        if let Some(tokens) = &self.0 {
            let token = verified();
            tokens.insert(Text(token.text.clone()), Arc::new(token));
        }
    }

    /// Forgets a token.
    pub(crate) fn forget(&self, token: &VerifiedToken) {
        if let Some(tokens) = &self.0 {
            tokens.remove(&Bytes(token.text.expose().as_bytes()));
        }
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens")
            .field("len", &self.0.as_ref().map_or(0, Cache::len))
            .finish_non_exhaustive()
    }
}

/// Equal when every byte is, and hashed with a key of this process.
struct Text(AccessToken);

impl Text {
    fn bytes(&self) -> Bytes<'_> {
        Bytes(self.0.expose().as_bytes())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().equivalent(other)
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

/// What may be such a token.
#[derive(Hash)]
struct Bytes<'a>(&'a [u8]);

impl Equivalent<Text> for Bytes<'_> {
    /// In constant time (security K3).
    fn equivalent(&self, token: &Text) -> bool {
        constant_time::verify_slices_are_equal(self.0, token.bytes().0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{claims_with, key, sign, verify};

    fn token(number: u32) -> VerifiedToken {
        let header = crate::fixtures::HEADER;
        let text = sign(header, claims_with("number", number.into()));
        let claims = verify(&text).unwrap();
        VerifiedToken {
            text: AccessToken::of(Arc::new(text.into())),
            key: key().public().fingerprint(),
            claims,
        }
    }

    /// A21: whoever has very many tokens takes no more memory than was said, and what others ask for
    /// again and again stays.
    #[test]
    fn there_are_never_more_than_were_asked_for() {
        const CAPACITY: usize = 64;
        let tokens = VerifiedTokens::new(CAPACITY);
        let often = token(0);
        let bytes = often.text.expose().to_owned();
        tokens.keep(|| often);
        for _ in 0..4 {
            assert!(tokens.get(bytes.as_bytes()).is_some());
        }
        for number in 1..=1_000 {
            tokens.keep(|| token(number));
            assert!(tokens.0.as_ref().unwrap().len() <= CAPACITY);
            assert!(tokens.get(bytes.as_bytes()).is_some(), "after {number}");
        }
    }

    #[test]
    fn nothing_is_kept_unless_it_is_asked_for() {
        let tokens = VerifiedTokens::new(0);
        tokens.keep(|| unreachable!("nobody asked for it"));
        assert!(tokens.get(b"").is_none());
    }

    /// K1: what is kept is in no log.
    #[test]
    fn tokens_do_not_show_when_debugged() {
        let tokens = VerifiedTokens::new(8);
        let one = token(1);
        let text = one.text.expose().to_owned();
        tokens.keep(|| one);
        let debugged = format!("{tokens:?}");
        assert!(
            debugged.contains("len: 1") && !debugged.contains(&text),
            "{debugged}"
        );
    }
}
