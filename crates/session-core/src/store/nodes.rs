//! The registry of nodes: who serves sessions of this store, and what each has heard of.

use crate::ids::{NodeId, NodeName};

/// A node's row in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct NodeRecord {
    /// One run of the node; unique.
    pub id: NodeId,
    /// What its operator calls it; need not be unique.
    pub name: NodeName,
    /// The greatest value of the [barrier](super::SessionStore::barrier) before whose raising
    /// everything that was revoked is known to the node.
    pub acknowledged: u64,
}
