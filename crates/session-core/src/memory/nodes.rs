//! The registry of nodes in memory.

use std::{collections::HashMap, time::Duration};

use crate::{
    clock::{Clock, unix_ms},
    ids::NodeId,
    store::NodeRecord,
};

/// Nodes with the ends of their leases on the monotonic clock, and the barrier.
#[derive(Default)]
pub(super) struct Nodes {
    rows: HashMap<NodeId, (NodeRecord, Duration)>,
    barrier: u64,
}

impl Nodes {
    pub(super) fn attend(&mut self, node: &NodeRecord, lease: Duration, clock: &dyn Clock) {
        let ends = clock.monotonic().saturating_add(lease);
        let row = self.rows.entry(node.id.clone());
        let (known, until) = row.or_insert_with(|| (node.clone(), ends));
        known.name = node.name.clone();
        known.acknowledged = known.acknowledged.max(node.acknowledged);
        *until = ends;
    }

    pub(super) fn leave(&mut self, node: &NodeId) {
        self.rows.remove(node);
    }

    pub(super) fn attending(&self, clock: &dyn Clock) -> Vec<NodeRecord> {
        let now = clock.monotonic();
        let attending = self.rows.values().filter(|(_, ends)| *ends > now);
        attending.map(|(node, _)| node.clone()).collect()
    }

    pub(super) fn barrier(&self) -> u64 {
        self.barrier
    }

    pub(super) fn raise_barrier(&mut self, clock: &dyn Clock) -> u64 {
        let now_ms = u64::try_from(unix_ms(clock.now())).unwrap_or(0);
        self.barrier = self.barrier.saturating_add(1).max(now_ms);
        self.barrier
    }

    pub(super) fn purge(&mut self, clock: &dyn Clock) {
        let now = clock.monotonic();
        self.rows.retain(|_, (_, ends)| *ends > now);
    }
}
