//! `MemoryStore`: sessions and keys in this process's memory, the reference for every other store.

mod nodes;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    clock::{Clock, SystemClock},
    finding::Finding,
    ids::{KeyId, NodeId, SessionHandle},
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};
use nodes::Nodes;

/// Keeps sessions and keys in memory, for tests and trials.
///
/// Everything is lost when the process ends, and nothing limits how much is kept but
/// [`purge_expired`](SessionStore::purge_expired). Operations on a user or a tenant look at every
/// session. A clone is another handle on the same sessions.
///
/// # Examples
///
/// ```
/// use session_core::{SessionHandle, memory::MemoryStore, store::SessionStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// assert_eq!(store.get(&SessionHandle::try_from("nobody")?).await?, None);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    clock: Arc<dyn Clock>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store whose nodes' leases run by this clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            tables: Arc::default(),
            clock,
        }
    }

    /// The tables stay consistent even if a thread panicked while holding the lock: every change is
    /// made by calls that cannot fail half-way.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let mut tables = self.tables();
        if tables.sessions.contains_key(&session.handle)
            || tables.revoked_handles.contains(&session.handle)
        {
            return Ok(Created::HandleTaken);
        }
        tables
            .sessions
            .insert(session.handle.clone(), session.clone());
        Ok(Created::Created)
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self.tables().sessions.get(handle).cloned())
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.sessions.get_mut(&rotation.handle).filter(|row| {
            row.generation == rotation.from_generation && row.expires_at_ms > rotation.at_ms
        }) else {
            return Ok(Rotated::Lost);
        };
        row.generation = rotation.to_generation;
        row.secret_hash = rotation.secret_hash;
        row.refresh_key = rotation.refresh_key.clone();
        row.rotations = rotation.rotations.clone();
        row.refreshed_at_ms = rotation.at_ms;
        row.expires_at_ms = rotation.expires_at_ms;
        row.access_expires_at_ms = row.access_expires_at_ms.max(rotation.access_expires_at_ms);
        Ok(Rotated::Rotated)
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.sessions.get_mut(handle) else {
            return Ok(Updated::Gone);
        };
        if row.payload_version != expected_version {
            return Ok(Updated::Conflict);
        }
        payload.clone_into(&mut row.payload);
        row.payload_version = expected_version.wrapping_add(1);
        Ok(Updated::Updated)
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.sessions.get_mut(handle) else {
            return Ok(Updated::Gone);
        };
        data.clone_into(&mut row.data);
        Ok(Updated::Updated)
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        scope.within_limits()?;
        let mut tables = self.tables();
        let handles = tables.handles_in(scope);
        Ok(handles
            .iter()
            .filter_map(|handle| tables.revoke(handle, retention))
            .collect())
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        scope.within_limits()?;
        let tables = self.tables();
        let after = after.map(position);
        let mut rows: Vec<&SessionRecord> = tables
            .handles_in(scope)
            .iter()
            .filter_map(|handle| tables.sessions.get(handle))
            .filter(|row| row.expires_at_ms > now_ms)
            .filter(|row| after.is_none_or(|after| position(row) > after))
            .collect();
        rows.sort_by(|one, other| position(one).cmp(&position(other)));
        Ok(rows.into_iter().take(at_most(limit)).cloned().collect())
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let tables = self.tables();
        let from = cursor.0.first().map_or(0, |last| last.saturating_add(1));
        let mut next = cursor;
        let revoked: Vec<RevokedSession> = tables
            .revocations
            .range(from..)
            .filter(|(_, revoked)| revoked.expires_at_ms > now_ms)
            .take(at_most(limit))
            .map(|(number, revoked)| {
                next = RevocationCursor(vec![*number]);
                revoked.clone()
            })
            .collect();
        Ok(RevocationPage {
            more: revoked.len() == at_most(limit),
            revoked,
            next,
        })
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let mut keys: Vec<KeyRecord> = self.tables().keys.values().cloned().collect();
        keys.sort_by(|one, other| {
            (other.created_at_ms, &one.id).cmp(&(one.created_at_ms, &other.id))
        });
        Ok(keys)
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let mut tables = self.tables();
        let fresher_exists = tables.keys.values().any(|present| {
            present.id == key.id
                || (present.purpose == key.purpose && present.created_at_ms > unless_newer_than_ms)
        });
        if fresher_exists {
            return Ok(KeyInserted::FresherExists);
        }
        tables.keys.insert(key.id.clone(), key.clone());
        Ok(KeyInserted::Inserted)
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        let mut tables = self.tables();
        let Some(present) = tables.keys.get_mut(&key.id) else {
            return Ok(Updated::Gone);
        };
        present.material.clone_from(&key.material);
        present.sealed_under.clone_from(&key.sealed_under);
        Ok(Updated::Updated)
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        Ok(match self.tables().keys.remove(id) {
            Some(_) => Updated::Updated,
            None => Updated::Gone,
        })
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        let mut tables = self.tables();
        tables.nodes.purge(&*self.clock);
        Ok(Purged {
            sessions: tables.purge_sessions(now_ms, at_most(limit)),
            revocations: tables.purge_revocations(now_ms, at_most(limit)),
        })
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        self.tables().nodes.attend(node, lease, &*self.clock);
        Ok(())
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.tables().nodes.leave(node);
        Ok(())
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        Ok(self.tables().nodes.attending(&*self.clock))
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        Ok(self.tables().nodes.barrier())
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        Ok(self.tables().nodes.raise_barrier(&*self.clock))
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    /// None: what a memory is worth is known to whoever chose it.
    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        RevocationVisibility::ThisProcessOnly
    }
}

/// What a database would keep.
#[derive(Default)]
struct Tables {
    sessions: HashMap<SessionHandle, SessionRecord>,
    /// By the order in which they were made.
    revocations: BTreeMap<u64, RevokedSession>,
    /// The handles in `revocations`.
    revoked_handles: HashSet<SessionHandle>,
    /// Numbers are never used twice, also after a purge, or a cursor would skip a revocation.
    last_revocation: u64,
    keys: HashMap<KeyId, KeyRecord>,
    nodes: Nodes,
}

impl Tables {
    fn revoke(&mut self, handle: &SessionHandle, retention: Retention) -> Option<RevokedSession> {
        let row = self.sessions.remove(handle)?;
        let revoked = RevokedSession::new(row.handle, row.access_expires_at_ms, retention);
        self.last_revocation = self.last_revocation.saturating_add(1);
        self.revocations
            .insert(self.last_revocation, revoked.clone());
        self.revoked_handles.insert(revoked.handle.clone());
        Some(revoked)
    }

    fn purge_sessions(&mut self, now_ms: i64, limit: usize) -> u64 {
        let expired: Vec<SessionHandle> = self
            .sessions
            .values()
            .filter(|row| row.expires_at_ms <= now_ms)
            .take(limit)
            .map(|row| row.handle.clone())
            .collect();
        count(
            expired
                .iter()
                .filter_map(|handle| self.sessions.remove(handle)),
        )
    }

    fn purge_revocations(&mut self, now_ms: i64, limit: usize) -> u64 {
        let expired: Vec<u64> = self
            .revocations
            .iter()
            .filter(|(_, revoked)| revoked.expires_at_ms <= now_ms)
            .take(limit)
            .map(|(number, _)| *number)
            .collect();
        count(expired.iter().filter_map(|number| {
            let revoked = self.revocations.remove(number)?;
            self.revoked_handles.remove(&revoked.handle);
            Some(revoked)
        }))
    }

    /// The handles of the sessions in `scope`, each once.
    fn handles_in(&self, scope: &SessionScope) -> Vec<SessionHandle> {
        let of_rows = |contains: &dyn Fn(&SessionRecord) -> bool| {
            self.sessions
                .values()
                .filter(|row| contains(row))
                .map(|row| row.handle.clone())
                .collect()
        };
        match scope {
            SessionScope::Handles(handles) => {
                let distinct: HashSet<&SessionHandle> = handles.iter().collect();
                distinct.into_iter().cloned().collect()
            }
            SessionScope::User {
                user,
                tenant,
                except,
            } => of_rows(&|row| {
                row.user == *user
                    && tenant.as_ref().is_none_or(|tenant| row.tenant == *tenant)
                    && except.as_ref() != Some(&row.handle)
            }),
            SessionScope::Tenant(tenant) => of_rows(&|row| row.tenant == *tenant),
        }
    }
}

/// Where a session stands in a list.
fn position(row: &SessionRecord) -> (i64, &SessionHandle) {
    (row.created_at_ms, &row.handle)
}

fn at_most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn count<T>(rows: impl Iterator<Item = T>) -> u64 {
    u64::try_from(rows.count()).unwrap_or(u64::MAX)
}
