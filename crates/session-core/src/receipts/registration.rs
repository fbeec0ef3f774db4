//! The task that keeps a node in the registry and acknowledges what it has heard of.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    blacklist::{Blacklist, LeaseTerms, Moment},
    ids::{NodeId, NodeName},
    random::{self, NoRandomness},
    store::NodeRecord,
    store_calls::StoreCalls,
};

/// A node in the registry, as the service sees it.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    id: Arc<Mutex<NodeId>>,
    barrier_raised: Arc<Notify>,
}

impl Registered {
    /// Which row is this node's.
    pub(crate) fn id(&self) -> NodeId {
        self.id
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Lets this node look at the barrier at once.
    pub(crate) fn barrier_was_raised(&self) {
        self.barrier_raised.notify_one();
    }
}

/// Keeps a node in the registry.
pub(crate) struct Registration {
    node: NodeRecord,
    calls: StoreCalls,
    blacklist: Arc<Blacklist>,
    lease: Duration,
    terms: LeaseTerms,
    /// A barrier that was read, and the moment after: acknowledged when the set is complete as of
    /// then.
    pending: Option<(u64, Moment)>,
    renewal_due: Instant,
    registered: Registered,
}

impl Registration {
    /// Puts the node into the registry, before any feed has made its set fresh: what was revoked
    /// until now it will have heard of then, so it acknowledges the present barrier.
    ///
    /// A store that does not answer keeps no node from starting. Until it is in the registry, its
    /// routes that check the blacklist ask the database.
    pub(crate) async fn begin(
        name: NodeName,
        calls: StoreCalls,
        blacklist: Arc<Blacklist>,
        max_staleness: Duration,
    ) -> Result<(Self, Registered), NoRandomness> {
        blacklist.require_lease();
        let id = unused_id()?;
        let lease = lease(max_staleness);
        let holds = lease.saturating_sub(LEASE_MARGIN.saturating_add(lease / SLEWED));
        let mut registration = Self {
            registered: Registered {
                id: Arc::new(Mutex::new(id.clone())),
                barrier_raised: Arc::default(),
            },
            node: NodeRecord {
                id,
                name,
                acknowledged: 0,
            },
            calls,
            blacklist,
            lease,
            terms: LeaseTerms {
                holds,
                covers: holds.saturating_sub(max_staleness),
            },
            pending: None,
            renewal_due: Instant::now(),
        };
        if let Some(barrier) = registration.read_barrier().await {
            registration.node.acknowledged = barrier;
            registration.renew().await;
        }
        let registered = registration.registered.clone();
        Ok((registration, registered))
    }

    /// Renews the lease and acknowledges barriers until it is told to stop, and then leaves.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut next_turn = Instant::now() + TURN;
        // Looks that are still to come after something was heard, the last one first.
        let mut looks: Vec<Instant> = Vec::new();
        let mut next_looks = Instant::now();
        loop {
            let next_look = looks.last().copied();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.blacklist.freshened() => {}
                () = self.blacklist.uncovered() => self.renew().await,
                () = self.registered.barrier_raised.notified() => self.look().await,
                () = self.blacklist.heard(), if looks.is_empty() && next_looks <= Instant::now() => {
                    let now = Instant::now();
                    // Where many revoke and nobody waits, looking is to cost no more than a turn.
                    next_looks = now + TURN;
                    looks.extend(LOOKS_AFTER_HEARING.iter().rev().map(|pause| now + *pause));
                }
                () = sleep_until(next_look.unwrap_or(next_turn)), if next_look.is_some() => {
                    looks.pop();
                    self.look().await;
                }
                () = sleep_until(next_turn) => {
                    next_turn = Instant::now() + TURN;
                    if self.renewal_due <= Instant::now() {
                        self.renew().await;
                    } else {
                        self.look().await;
                    }
                }
            }
            self.acknowledge().await;
        }
        self.leave().await;
    }

    /// Reads the barrier, and notes what has to be heard before a new value is acknowledged.
    async fn look(&mut self) {
        if self.pending.is_some() {
            return;
        }
        let Some(barrier) = self.read_barrier().await else {
            return;
        };
        if barrier < self.node.acknowledged {
            self.begin_anew().await;
        }
        if barrier > self.node.acknowledged {
            self.pending = Some((barrier, self.blacklist.moment()));
            self.blacklist.want_fresh();
        }
    }

    /// Acknowledges what has been heard, and looks whether that was the last value.
    async fn acknowledge(&mut self) {
        while let Some((barrier, moment)) = self.pending
            && self.blacklist.is_fresh_since(moment)
        {
            self.pending = None;
            self.node.acknowledged = barrier;
            self.renew().await;
            self.look().await;
        }
    }

    /// The database went back in time, so what was acknowledged says nothing of what is revoked from
    /// now on. A row takes back nothing, as a late renewal must not, so the node takes another one.
    async fn begin_anew(&mut self) {
        let Ok(id) = unused_id() else {
            tracing::error!("the system gives no random numbers");
            return;
        };
        tracing::warn!("the database went back: this node enters the registry anew");
        let former = std::mem::replace(&mut self.node.id, id.clone());
        *self
            .registered
            .id
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = id;
        self.node.acknowledged = 0;
        self.renew().await;
        self.leave_as(former).await;
    }

    /// Writes the node's row, and with it the acknowledgement.
    async fn renew(&mut self) {
        let asked = self.blacklist.moment();
        let (node, lease) = (self.node.clone(), self.lease);
        let renewed = self.calls.call("attend", move |store| async move {
            store.attend(&node, lease).await
        });
        match renewed.await {
            Ok(()) => {
                self.blacklist.renew_lease(asked, self.terms);
                self.renewal_due = Instant::now() + RENEW_EVERY;
            }
            Err(error) => {
                tracing::warn!(%error, "this node's place among the nodes could not be renewed");
                self.renewal_due = Instant::now();
            }
        }
    }

    async fn read_barrier(&self) -> Option<u64> {
        let barrier = self
            .calls
            .call("barrier", |store| async move { store.barrier().await });
        barrier
            .await
            .inspect_err(|error| tracing::warn!(%error, "the barrier could not be read"))
            .ok()
    }

    /// Stops relying on the set first: nobody waits for a node that has left.
    async fn leave(self) {
        self.blacklist.give_up_lease();
        self.leave_as(self.node.id.clone()).await;
    }

    async fn leave_as(&self, node: NodeId) {
        let left = self.calls.call(
            "leave",
            move |store| async move { store.leave(&node).await },
        );
        if let Err(error) = left.await {
            tracing::warn!(%error, "a row of this node's is in the registry until its lease is over");
        }
    }
}

fn unused_id() -> Result<NodeId, NoRandomness> {
    let id = format!("{:032x}", u128::from_be_bytes(random::bytes()?));
    #[expect(clippy::expect_used, reason = "32 hexadecimal digits")]
    let id = NodeId::try_from(id).expect("a node's id");
    Ok(id)
}

/// For how long a row counts by the store's clock: for as long as a set can be fresh, for renewals
/// that fail, and for clocks that do not run alike.
fn lease(max_staleness: Duration) -> Duration {
    max_staleness
        .saturating_add(max_staleness / 5)
        .saturating_add(LEASE)
}

/// How much longer than `max_staleness` a lease lasts, apart from a fifth of it.
const LEASE: Duration = Duration::from_secs(10);
/// How much sooner the node takes it for over,
const LEASE_MARGIN: Duration = Duration::from_secs(2);
/// and which part of it besides: a clock that is being adjusted may run so much faster.
const SLEWED: u32 = 10;
/// Half of the time within which a renewal has to succeed.
const RENEW_EVERY: Duration = Duration::from_secs(4);
/// One statement each time: the lease is renewed, or the barrier is read.
const TURN: Duration = Duration::from_secs(1);
/// After a revocation was heard of: whoever waits for it raises the barrier as soon as it is
/// committed.
const LOOKS_AFTER_HEARING: [Duration; 3] = [
    Duration::from_millis(5),
    Duration::from_millis(30),
    Duration::from_millis(150),
];
