//! `FaultyStore`: a store around another one that fails, hangs, panics or loses its answers on
//! request, and counts its calls.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use session_core::{
    KeyId, NodeId, SessionHandle, async_trait,
    blacklist::RevocationFeed,
    finding::Finding,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};
use tokio::sync::watch;

/// A store around another one whose operations can be made to fail.
///
/// Clones are the same store.
///
/// # Examples
///
/// ```
/// use session_core::{MemoryStore, store::SessionStore};
/// use session_testkit::faulty_store::{Fault, FaultyStore, Operation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = FaultyStore::new(MemoryStore::default());
/// store.break_with(Operation::LoadKeys, Fault::Unavailable);
/// assert!(store.load_keys().await.is_err());
/// store.repair();
/// assert!(store.load_keys().await.is_ok());
/// assert_eq!(store.calls(Operation::LoadKeys), 2);
/// # }
/// ```
#[derive(Clone)]
pub struct FaultyStore(Arc<Inner>);

struct Inner {
    store: Arc<dyn SessionStore>,
    faults: watch::Sender<HashMap<Operation, Fault>>,
    calls: watch::Sender<HashMap<Operation, usize>>,
}

/// One of a store's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named after the methods of `SessionStore`")]
#[non_exhaustive]
pub enum Operation {
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
    PurgeExpired,
    Attend,
    Leave,
    Attending,
    Barrier,
    RaiseBarrier,
    ClockMs,
    Findings,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 20] = [
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
        Self::PurgeExpired,
        Self::Attend,
        Self::Leave,
        Self::Attending,
        Self::Barrier,
        Self::RaiseBarrier,
        Self::ClockMs,
        Self::Findings,
    ];
}

/// What is wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The database cannot be reached: nothing happens and the call fails.
    Unavailable,
    /// The database does what it is asked and its answer is lost.
    AnswerLost,
    /// Nothing happens until the store is repaired; then the call is made.
    Delayed,
    /// The call does not return until the store is repaired, and then fails.
    Hangs,
    /// The store panics.
    Panics,
}

impl FaultyStore {
    /// A store that does what `store` does until it is broken.
    pub fn new(store: impl SessionStore) -> Self {
        Self::over(Arc::new(store))
    }

    /// The same of a store that is shared already.
    pub fn over(store: Arc<dyn SessionStore>) -> Self {
        Self(Arc::new(Inner {
            store,
            faults: watch::Sender::default(),
            calls: watch::Sender::default(),
        }))
    }

    /// Breaks one operation.
    pub fn break_with(&self, operation: Operation, fault: Fault) {
        self.0.faults.send_modify(|faults| {
            faults.insert(operation, fault);
        });
    }

    /// Breaks all operations.
    pub fn break_all(&self, fault: Fault) {
        self.0.faults.send_modify(|faults| {
            faults.extend(Operation::ALL.map(|operation| (operation, fault)));
        });
    }

    /// Makes all operations work again.
    pub fn repair(&self) {
        self.0.faults.send_modify(HashMap::clear);
    }

    /// How often an operation was begun.
    pub fn calls(&self, operation: Operation) -> usize {
        self.0.calls.borrow().get(&operation).copied().unwrap_or(0)
    }

    /// Waits until an operation was begun this often.
    pub async fn begun(&self, operation: Operation, times: usize) {
        let mut calls = self.0.calls.subscribe();
        let begun = calls.wait_for(|calls| calls.get(&operation).is_some_and(|n| *n >= times));
        begun.await.expect("the sender is here");
    }

    /// How often the operations that look at sessions or change them were begun: all but those
    /// that the service's background task makes by itself.
    pub fn session_calls(&self) -> usize {
        [
            Operation::Create,
            Operation::Get,
            Operation::Rotate,
            Operation::UpdatePayload,
            Operation::UpdateData,
            Operation::Revoke,
            Operation::List,
        ]
        .into_iter()
        .map(|operation| self.calls(operation))
        .sum()
    }

    async fn repaired(&self, operation: Operation) {
        let mut faults = self.0.faults.subscribe();
        let repaired = faults.wait_for(|faults| !faults.contains_key(&operation));
        repaired.await.expect("the sender is here");
    }

    async fn pass<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0
            .calls
            .send_modify(|calls| *calls.entry(operation).or_default() += 1);
        let fault = self.0.faults.borrow().get(&operation).copied();
        match fault {
            None => return call.await,
            Some(Fault::Unavailable) => {}
            Some(Fault::AnswerLost) => drop(call.await?),
            Some(Fault::Delayed) => {
                self.repaired(operation).await;
                return call.await;
            }
            Some(Fault::Hangs) => self.repaired(operation).await,
            Some(Fault::Panics) => panic!("{operation:?} panics, as it was told to"),
        }
        Err(StoreError::Unavailable(Box::new(Broken(operation))))
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore")
            .field("faults", &*self.0.faults.borrow())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        self.pass(Operation::Create, self.0.store.create(session))
            .await
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        self.pass(Operation::Get, self.0.store.get(handle)).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        self.pass(Operation::Rotate, self.0.store.rotate(rotation))
            .await
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let call = (self.0.store).update_payload(handle, expected_version, payload);
        self.pass(Operation::UpdatePayload, call).await
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        self.pass(
            Operation::UpdateData,
            self.0.store.update_data(handle, data),
        )
        .await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        self.pass(Operation::Revoke, self.0.store.revoke(scope, retention))
            .await
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let call = self.0.store.list(scope, now_ms, after, limit);
        self.pass(Operation::List, call).await
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let call = self.0.store.revocations_since(cursor, now_ms, limit);
        self.pass(Operation::RevocationsSince, call).await
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.pass(Operation::LoadKeys, self.0.store.load_keys())
            .await
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let call = self.0.store.insert_key(key, unless_newer_than_ms);
        self.pass(Operation::InsertKey, call).await
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        self.pass(Operation::ResealKey, self.0.store.reseal_key(key))
            .await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.pass(Operation::RemoveKey, self.0.store.remove_key(id))
            .await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        let call = self.0.store.purge_expired(now_ms, limit);
        self.pass(Operation::PurgeExpired, call).await
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        self.pass(Operation::Attend, self.0.store.attend(node, lease))
            .await
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.pass(Operation::Leave, self.0.store.leave(node)).await
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.pass(Operation::Attending, self.0.store.attending())
            .await
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        self.pass(Operation::Barrier, self.0.store.barrier()).await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        self.pass(Operation::RaiseBarrier, self.0.store.raise_barrier())
            .await
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        self.pass(Operation::ClockMs, self.0.store.clock_ms()).await
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.pass(Operation::Findings, self.0.store.findings())
            .await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        self.0.store.revocation_visibility()
    }

    fn revocation_feed(&self) -> Option<Arc<dyn RevocationFeed>> {
        self.0.store.revocation_feed()
    }
}

/// The operation that was broken.
#[derive(Debug)]
struct Broken(Operation);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is broken, as it was told to be", self.0)
    }
}

impl std::error::Error for Broken {}
