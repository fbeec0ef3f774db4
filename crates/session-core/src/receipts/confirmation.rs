//! What a wait for all nodes has come to.

use crate::{
    error::SessionError,
    ids::{NodeName, SessionHandle},
};

/// Whether every node knows of a revocation.
#[derive(Debug)]
#[must_use = "nodes may still accept what was revoked: see which"]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Confirmation {
    /// Every node does: routes that check the blacklist refuse what was revoked, everywhere.
    Everywhere,
    /// These nodes had not said so by the deadline; all others have.
    ///
    /// Their routes that check the blacklist may accept what was revoked until
    /// [`max_staleness`](crate::SessionConfig::max_staleness) after the revocation; a node that has
    /// not heard of it by then asks the database. So either wait for as long, or take these nodes
    /// out of service.
    Missing(Vec<NodeName>),
    /// The store did not say which nodes there are, or has lost this one, so any of them may be
    /// missing. What was revoked stays revoked; ask again, or wait as for missing nodes.
    Unknown(SessionError),
}

impl Confirmation {
    /// Whether every node knows.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Everywhere)
    }

    /// The nodes that are known to be missing.
    pub fn missing(&self) -> &[NodeName] {
        match self {
            Self::Missing(nodes) => nodes,
            Self::Everywhere | Self::Unknown(_) => &[],
        }
    }

    /// A name for metrics.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Missing(_) => "missing",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What [`revoke_and_wait`](crate::Sessions::revoke_and_wait) has ended, and who knows of it.
#[derive(Debug)]
#[must_use = "nodes may still accept what was revoked: see which"]
pub struct Receipt {
    ended: Vec<SessionHandle>,
    confirmation: Confirmation,
}

impl Receipt {
    pub(crate) fn new(ended: Vec<SessionHandle>, confirmation: Confirmation) -> Self {
        Self {
            ended,
            confirmation,
        }
    }

    /// The sessions that this call ended.
    pub fn ended(&self) -> &[SessionHandle] {
        &self.ended
    }

    /// Which nodes know of it, and of every revocation that was acknowledged before.
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }
}
