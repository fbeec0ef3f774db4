//! `PresentedToken`: a token as a request brought it.

use std::sync::Arc;

use crate::{
    token::{AccessToken, ParsedAccessToken, SecretText, VerifiedAccessToken},
    verify::{CandidateToken, VerifiedTokens},
};

/// A token as a request brought it, ours or not.
#[derive(Clone)]
pub(crate) enum PresentedToken {
    /// One that nobody has looked into.
    New(Arc<SecretText>),
    /// One with the bytes of an access token that this node has verified before.
    Verified(Arc<VerifiedAccessToken>),
}

impl PresentedToken {
    /// The access token with these bytes, if this node has verified it before.
    pub(crate) fn known(tokens: &VerifiedTokens, bytes: &[u8]) -> Option<Self> {
        tokens.get(bytes).map(Self::Verified)
    }

    /// As an access token; `None` when it has not the form of one.
    pub(crate) fn as_access_token(&self) -> Option<CandidateToken> {
        match self {
            Self::New(text) => ParsedAccessToken::read(AccessToken::of(Arc::clone(text)))
                .ok()
                .map(|parsed| CandidateToken::Parsed(Box::new(parsed))),
            Self::Verified(token) => Some(CandidateToken::Verified(Arc::clone(token))),
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::New(text) => text,
            Self::Verified(token) => token.token().expose(),
        }
    }
}

/// Whether every byte is of a kind. Looks at all of them, which many at a time is faster than to stop
/// at the first that is not.
pub(super) fn each_is(bytes: &[u8], kind: fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, &byte| all & kind(byte))
}

impl From<String> for PresentedToken {
    fn from(text: String) -> Self {
        Self::New(Arc::new(text.into()))
    }
}
