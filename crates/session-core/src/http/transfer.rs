//! How tokens travel (wire §4.6).

use crate::config::TokenTransfer;

/// How a client holds its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum TransferMethod {
    /// The browser keeps them in cookies that no script can read.
    Cookie,
    /// The client keeps them itself and sends them in the `Authorization` header.
    Header,
}

impl TransferMethod {
    /// The methods that a configuration allows.
    pub(crate) fn allowed_by(transfer: TokenTransfer) -> &'static [Self] {
        match transfer {
            TokenTransfer::Any => &[Self::Cookie, Self::Header],
            TokenTransfer::Cookie => &[Self::Cookie],
            TokenTransfer::Header => &[Self::Header],
        }
    }

    /// How the tokens of a new session travel: as configured, else as the client asks, else in
    /// headers (wire case 32).
    pub(crate) fn of_new_session(transfer: TokenTransfer, asked: Option<Self>) -> Self {
        match transfer {
            TokenTransfer::Any => asked.unwrap_or(Self::Header),
            TokenTransfer::Cookie => Self::Cookie,
            TokenTransfer::Header => Self::Header,
        }
    }
}
