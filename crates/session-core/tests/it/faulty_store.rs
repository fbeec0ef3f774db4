//! `FaultyStore`: a `MemoryStore` whose every operation can fail, hang, panic or wait, and is
//! counted.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, pending},
    sync::{Arc, Mutex},
    time::Duration,
};

use session_core::{
    KeyId, MemoryStore, NodeId, SessionHandle, async_trait,
    blacklist::RevocationFeed,
    finding::Finding,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};
use tokio::sync::Semaphore;

/// An operation of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Create,
    Get,
    Rotate,
    UpdatePayload,
    UpdateData,
    Revoke,
    List,
    RevocationsSince,
    LoadKeys,
    InsertKey,
    ResealKey,
    RemoveKey,
    Purge,
    Attend,
    Leave,
    Attending,
    Barrier,
    RaiseBarrier,
    Clock,
    Findings,
}

impl Op {
    pub(crate) const ALL: [Self; 20] = [
        Self::Create,
        Self::Get,
        Self::Rotate,
        Self::UpdatePayload,
        Self::UpdateData,
        Self::Revoke,
        Self::List,
        Self::RevocationsSince,
        Self::LoadKeys,
        Self::InsertKey,
        Self::ResealKey,
        Self::RemoveKey,
        Self::Purge,
        Self::Attend,
        Self::Leave,
        Self::Attending,
        Self::Barrier,
        Self::RaiseBarrier,
        Self::Clock,
        Self::Findings,
    ];
}

/// What happens to every call of an operation until it is healed.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An error, and nothing is done.
    Fail,
    /// It is done, and then an error: the answer was lost.
    LoseAnswer,
    /// No answer, ever.
    Hang,
    /// A panic in the driver.
    Panic,
    /// It waits at a gate before anything is done.
    WaitBefore(Gate),
    /// It is done, and waits at a gate before the answer.
    WaitAfter(Gate),
}

/// Where calls wait until they are let through.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            arrived: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    /// Completes when `calls` more calls have arrived.
    pub(crate) async fn arrivals(&self, calls: u32) {
        self.arrived.acquire_many(calls).await.unwrap().forget();
    }

    /// Lets every call through, those to come as well.
    pub(crate) fn open(&self) {
        self.open.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
}

/// A `MemoryStore` with faults. Clones are the same store.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    state: Arc<Mutex<State>>,
    poll_every: Option<Duration>,
    feed: Option<Arc<dyn RevocationFeed>>,
}

#[derive(Default)]
struct State {
    faults: HashMap<Op, Fault>,
    calls: HashMap<Op, usize>,
    clock_ms: Option<i64>,
    barrier: Option<u64>,
    findings: Vec<Finding>,
    handles_taken: usize,
}

impl FaultyStore {
    /// A store that belongs to one process.
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            state: Arc::default(),
            poll_every: None,
            feed: None,
        }
    }

    /// A store that several processes share: each asks for revocations at this interval.
    pub(crate) fn shared(poll_every: Duration) -> Self {
        Self {
            poll_every: Some(poll_every),
            ..Self::new()
        }
    }

    /// The same over this store.
    pub(crate) fn shared_over(inner: MemoryStore, poll_every: Duration) -> Self {
        Self {
            inner,
            ..Self::shared(poll_every)
        }
    }

    /// The same store for a node with another feed.
    pub(crate) fn with_feed(self, feed: impl RevocationFeed) -> Self {
        Self {
            feed: Some(Arc::new(feed)),
            ..self
        }
    }

    /// A store that several processes share and that tells of revocations by itself.
    pub(crate) fn telling(feed: impl RevocationFeed) -> Self {
        Self {
            feed: Some(Arc::new(feed)),
            ..Self::shared(Duration::from_millis(1))
        }
    }

    /// The store without its faults, for what a test writes or reads behind the service's back.
    pub(crate) fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    pub(crate) fn put(&self, op: Op, fault: Fault) {
        self.state.lock().unwrap().faults.insert(op, fault);
    }

    pub(crate) fn put_everywhere(&self, fault: &Fault) {
        for op in Op::ALL {
            self.put(op, fault.clone());
        }
    }

    /// Holds every later call of an operation before anything is done.
    pub(crate) fn hold_before(&self, op: Op) -> Gate {
        let gate = Gate::new();
        self.put(op, Fault::WaitBefore(gate.clone()));
        gate
    }

    /// Holds the answer of every later call of an operation.
    pub(crate) fn hold_after(&self, op: Op) -> Gate {
        let gate = Gate::new();
        self.put(op, Fault::WaitAfter(gate.clone()));
        gate
    }

    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    /// How often an operation was begun.
    pub(crate) fn calls(&self, op: Op) -> usize {
        let state = self.state.lock().unwrap();
        state.calls.get(&op).copied().unwrap_or(0)
    }

    /// The database's own clock shows this from now on.
    pub(crate) fn set_clock(&self, clock_ms: i64) {
        self.state.lock().unwrap().clock_ms = Some(clock_ms);
    }

    /// What the barrier is read as, as in a database that went back in time.
    pub(crate) fn set_barrier(&self, barrier: u64) {
        self.state.lock().unwrap().barrier = Some(barrier);
    }

    /// The database has this wrong with it from now on.
    pub(crate) fn set_findings(&self, findings: impl IntoIterator<Item = Finding>) {
        self.state.lock().unwrap().findings = findings.into_iter().collect();
    }

    /// Answers the next `times` calls of `create` as if the handle were taken.
    pub(crate) fn take_handles(&self, times: usize) {
        self.state.lock().unwrap().handles_taken = times;
    }

    /// Sets a row back to what it was: a restored backup, or a failover that lost rotations.
    pub(crate) async fn restore(&self, row: &SessionRecord) {
        let now = self.inner.get(&row.handle).await.unwrap().unwrap();
        let back = Rotation {
            handle: row.handle.clone(),
            from_generation: now.generation,
            to_generation: row.generation,
            secret_hash: row.secret_hash,
            refresh_key: row.refresh_key.clone(),
            rotations: row.rotations.clone(),
            at_ms: row.refreshed_at_ms,
            expires_at_ms: row.expires_at_ms,
            access_expires_at_ms: row.access_expires_at_ms,
        };
        assert_eq!(self.inner.rotate(&back).await.unwrap(), Rotated::Rotated);
    }

    fn begin(&self, op: Op) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        *state.calls.entry(op).or_default() += 1;
        state.faults.get(&op).cloned()
    }

    async fn run<T: Send>(
        &self,
        op: Op,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match self.begin(op) {
            None => call.await,
            Some(Fault::Fail) => Err(broken(op)),
            Some(Fault::LoseAnswer) => {
                call.await?;
                Err(broken(op))
            }
            Some(Fault::Hang) => pending().await,
            // Without the hook, which would print each of them.
            Some(Fault::Panic) => std::panic::resume_unwind(Box::new("the driver panicked")),
            Some(Fault::WaitBefore(gate)) => {
                gate.pass().await;
                call.await
            }
            Some(Fault::WaitAfter(gate)) => {
                let answer = call.await;
                gate.pass().await;
                answer
            }
        }
    }
}

fn broken(op: Op) -> StoreError {
    StoreError::Unavailable(format!("{op:?} was made to fail").into())
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let is_taken = {
            let mut state = self.state.lock().unwrap();
            let left = state.handles_taken;
            state.handles_taken = left.saturating_sub(1);
            left > 0
        };
        if is_taken {
            return self
                .run(Op::Create, async { Ok(Created::HandleTaken) })
                .await;
        }
        self.run(Op::Create, self.inner.create(session)).await
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        self.run(Op::Get, self.inner.get(handle)).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        self.run(Op::Rotate, self.inner.rotate(rotation)).await
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let call = self.inner.update_payload(handle, expected_version, payload);
        self.run(Op::UpdatePayload, call).await
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        self.run(Op::UpdateData, self.inner.update_data(handle, data))
            .await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        self.run(Op::Revoke, self.inner.revoke(scope, retention))
            .await
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let call = self.inner.list(scope, now_ms, after, limit);
        self.run(Op::List, call).await
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let call = self.inner.revocations_since(cursor, now_ms, limit);
        self.run(Op::RevocationsSince, call).await
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.run(Op::LoadKeys, self.inner.load_keys()).await
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let call = self.inner.insert_key(key, unless_newer_than_ms);
        self.run(Op::InsertKey, call).await
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        self.run(Op::ResealKey, self.inner.reseal_key(key)).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.run(Op::RemoveKey, self.inner.remove_key(id)).await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        self.run(Op::Purge, self.inner.purge_expired(now_ms, limit))
            .await
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        self.run(Op::Attend, self.inner.attend(node, lease)).await
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.run(Op::Leave, self.inner.leave(node)).await
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.run(Op::Attending, self.inner.attending()).await
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        let told = self.state.lock().unwrap().barrier;
        let read = async {
            let barrier = self.inner.barrier().await?;
            Ok(told.unwrap_or(barrier))
        };
        self.run(Op::Barrier, read).await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        self.run(Op::RaiseBarrier, self.inner.raise_barrier()).await
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        let clock_ms = self.state.lock().unwrap().clock_ms;
        self.run(Op::Clock, async move { Ok(clock_ms) }).await
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let findings = self.state.lock().unwrap().findings.clone();
        self.run(Op::Findings, async move { Ok(findings) }).await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        match self.poll_every {
            None => RevocationVisibility::ThisProcessOnly,
            Some(poll_every) => RevocationVisibility::CommitOrder { poll_every },
        }
    }

    fn revocation_feed(&self) -> Option<Arc<dyn RevocationFeed>> {
        self.feed.clone()
    }
}
