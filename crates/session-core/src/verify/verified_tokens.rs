//! `VerifiedTokens`: access tokens whose signature this node has verified before.
//!
//! What is kept spares a request the reading of its token and the RSA operation, and nothing else.
//! Times and kind of key are judged again each time, under the key as it is then; anti-CSRF, look-ups
//! and claims are not known here at all (security A21, G17).

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

use crate::token::{AccessToken, VerifiedAccessToken};

/// Tokens by all of their bytes, up to a number; off when that is zero.
///
/// Only what was verified comes in, so nobody fills it who cannot log in. What is asked for again
/// stays, and what is not goes first: somebody with very many tokens displaces few of the others'.
pub(crate) struct VerifiedTokens(Option<Tokens>);

type Tokens = Cache<Text, Arc<VerifiedAccessToken>, UnitWeighter, RandomState>;

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
    pub(crate) fn get(&self, text: &[u8]) -> Option<Arc<VerifiedAccessToken>> {
        let tokens = self.0.as_ref()?;
        (text.len() <= AccessToken::MAX_BYTES).then(|| tokens.get(&Bytes(text)))?
    }

    /// Keeps a token, where tokens are kept at all.
    pub(crate) fn keep(&self, token: &Arc<VerifiedAccessToken>) {
        if let Some(tokens) = &self.0 {
            tokens.insert(Text(token.token().clone()), Arc::clone(token));
        }
    }

    /// Forgets a token.
    pub(crate) fn forget(&self, token: &VerifiedAccessToken) {
        if let Some(tokens) = &self.0 {
            tokens.remove(&Bytes(token.token().expose().as_bytes()));
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
    use crate::fixtures::{claims_with, sign, verify};

    fn token(number: u32) -> Arc<VerifiedAccessToken> {
        let header = crate::fixtures::HEADER;
        verify(&sign(header, claims_with("number", number.into()))).unwrap()
    }

    /// A21: whoever has very many tokens takes no more memory than was said, and what others ask for
    /// again and again stays.
    #[test]
    fn there_are_never_more_than_were_asked_for() {
        const CAPACITY: usize = 64;
        let tokens = VerifiedTokens::new(CAPACITY);
        let often = token(0);
        let bytes = often.token().expose().to_owned();
        tokens.keep(&often);
        for _ in 0..4 {
            assert!(tokens.get(bytes.as_bytes()).is_some());
        }
        for number in 1..=1_000 {
            tokens.keep(&token(number));
            assert!(tokens.0.as_ref().unwrap().len() <= CAPACITY);
            assert!(tokens.get(bytes.as_bytes()).is_some(), "after {number}");
        }
    }

    #[test]
    fn nothing_is_kept_unless_it_is_asked_for() {
        let tokens = VerifiedTokens::new(0);
        let one = token(1);
        tokens.keep(&one);
        assert!(tokens.get(one.token().expose().as_bytes()).is_none());
    }

    /// K1: what is kept is in no log.
    #[test]
    fn tokens_do_not_show_when_debugged() {
        let tokens = VerifiedTokens::new(8);
        let one = token(1);
        let text = one.token().expose();
        tokens.keep(&one);
        let debugged = format!("{tokens:?}");
        assert!(
            debugged.contains("len: 1") && !debugged.contains(text),
            "{debugged}"
        );
    }
}
