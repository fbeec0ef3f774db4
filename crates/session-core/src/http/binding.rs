//! `Binding`: the response that a session's changes go to.

use std::fmt;

use super::{
    Exchange, TransferMethod,
    effects::{ClearTokens, Login},
};
use crate::{error::SessionError, issued::Tokens};

/// The response that a session's changes go to, and how its tokens travel with it.
#[derive(Clone)]
pub(crate) struct Binding {
    exchange: Exchange,
    login: Login,
    method: TransferMethod,
}

impl Binding {
    pub(super) fn new(exchange: &Exchange, login: Login, method: TransferMethod) -> Self {
        Self {
            exchange: exchange.clone(),
            login,
            method,
        }
    }

    /// Whether the client's tokens can still change.
    pub(crate) fn ensure_open(&self) -> Result<(), SessionError> {
        self.exchange.effects().ensure_open()
    }

    /// Gives the client these tokens.
    pub(crate) fn attach(&self, tokens: &Tokens) -> Result<(), SessionError> {
        self.exchange.attach(self.login, tokens, self.method)
    }

    /// Takes the session's tokens away from the client.
    pub(crate) fn clear(&self) -> Result<(), SessionError> {
        let which = ClearTokens::from(self.method);
        self.exchange.effects().clear(self.login, which)
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}
