//! Stores that are wrong in one way each, and the case that says so.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use session_core::{
    KeyId, NodeId, SessionHandle, UserId, async_trait,
    finding::Finding,
    memory::MemoryStore,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};
use session_testkit::store::{self, TestDatabase};
use tokio::{sync::Barrier, task};

macro_rules! caught {
    ($($(#[$doc:meta])* $name:ident: $fault:ident by $subject:ident::$case:ident;)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            let wrong = Wrong::with(Fault::$fault);
            let run = || store::run(&wrong, &store::$subject::$case);
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "the case passed");
        }
    )*};
}

caught! {
    /// F18: the row count is the verdict.
    a_rotation_that_ignores_the_row_count_is_caught:
        RotationsAlwaysWin by rotation::of_racing_rotations_one_wins;
    /// F9.
    a_rotation_of_an_expired_row_is_caught:
        ExpiryIgnored by rotation::an_expired_session_is_not_rotated;
    /// F14.
    a_payload_that_the_last_writer_wins_is_caught:
        VersionIgnored by updates::of_racing_payload_updates_one_wins;
    /// F14.
    an_update_that_is_lost_is_caught:
        VersionIgnored by updates::racing_payload_updates_lose_nothing;
    /// H5.
    json_that_is_parsed_and_written_is_caught:
        JsonRewritten by sessions::json_is_kept_to_the_byte;
    /// F7, H2.
    a_collation_that_folds_case_is_caught:
        CaseFolded by ids::lookalikes_are_not_equal;
    /// C4.
    a_list_without_the_tenant_is_caught:
        TenantIgnored by list::a_scope_shows_nothing_outside_it;
    /// C4.
    a_revocation_without_the_tenant_is_caught:
        TenantIgnored by revocation::a_scope_ends_nothing_outside_it;
    /// G8.
    a_revocation_that_returns_what_was_asked_is_caught:
        AskedReturned by revocation::revoking_is_idempotent_and_exact;
    /// G8.
    a_session_that_two_calls_end_is_caught:
        AskedReturned by revocation::of_racing_revocations_one_returns_each_session;
    /// G14.
    a_record_without_the_skew_is_caught:
        SkewIgnored by revocation::a_record_lasts_as_long_as_the_latest_access_token;
    /// G14.
    a_record_that_ends_when_the_row_says_is_caught:
        RowBelieved by revocation::a_record_outlives_tokens_of_lost_rotations;
    a_feed_that_goes_by_age_is_caught:
        CursorIgnored by feed::a_cursor_yields_what_came_since;
    /// D7.
    a_key_that_is_looked_for_before_it_is_made_is_caught:
        KeyLookedForFirst by keys::a_hundred_first_starts_make_one_key;
    /// Design §7.
    a_node_that_never_leaves_is_caught:
        LeavingIgnored by nodes::a_node_attends_until_it_leaves;
    /// Design §7.
    an_acknowledgement_that_is_overwritten_is_caught:
        AcknowledgementReplaced by nodes::an_acknowledgement_is_not_taken_back;
    /// Design §7.
    a_barrier_that_is_read_and_then_raised_is_caught:
        BarrierReadFirst by nodes::of_racing_raisers_each_gets_a_barrier_of_its_own;
    /// Design §7.
    a_barrier_that_counts_from_one_is_caught:
        BarrierCounted by nodes::a_barrier_is_later_than_those_that_were_lost;
    /// H16.
    a_purge_of_everything_at_once_is_caught:
        LimitIgnored by purge::a_purge_goes_in_batches;
    /// H16.
    a_purge_that_decides_before_it_deletes_is_caught:
        PurgeDecidesFirst by purge::a_purge_takes_no_session_that_is_being_refreshed;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    RotationsAlwaysWin,
    ExpiryIgnored,
    VersionIgnored,
    JsonRewritten,
    CaseFolded,
    TenantIgnored,
    AskedReturned,
    SkewIgnored,
    RowBelieved,
    CursorIgnored,
    KeyLookedForFirst,
    LeavingIgnored,
    AcknowledgementReplaced,
    BarrierReadFirst,
    BarrierCounted,
    LimitIgnored,
    PurgeDecidesFirst,
}

#[derive(Debug, Clone)]
struct Wrong {
    store: MemoryStore,
    fault: Fault,
    /// Where calls meet that look before they act, so that a busy machine cannot keep them apart.
    looked: Arc<Barrier>,
}

impl Wrong {
    fn with(fault: Fault) -> Self {
        let together = match fault {
            // Once there is a key, who looks is kept out: all have to look before.
            Fault::KeyLookedForFirst => 100,
            _ => 2,
        };
        Self {
            store: MemoryStore::new(),
            fault,
            looked: Arc::new(Barrier::new(together)),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn misread(&self, scope: &SessionScope) -> SessionScope {
        match scope.clone() {
            SessionScope::User { user, except, .. } if self.has(Fault::TenantIgnored) => {
                SessionScope::User {
                    user,
                    tenant: None,
                    except,
                }
            }
            SessionScope::User {
                user,
                tenant,
                except,
            } if self.has(Fault::CaseFolded) => SessionScope::User {
                user: folded(&user),
                tenant,
                except,
            },
            scope => scope,
        }
    }
}

fn folded(user: &UserId) -> UserId {
    UserId::try_from(user.as_str().to_lowercase()).unwrap()
}

#[async_trait]
impl TestDatabase for Wrong {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl SessionStore for Wrong {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let mut session = session.clone();
        if self.has(Fault::CaseFolded) {
            session.user = folded(&session.user);
        }
        if self.has(Fault::JsonRewritten) {
            let value: serde_json::Value = serde_json::from_str(&session.payload).unwrap();
            session.payload = value.to_string();
        }
        self.store.create(&session).await
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        self.store.get(handle).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        if self.has(Fault::ExpiryIgnored) {
            let unaware = Rotation {
                at_ms: i64::MIN,
                ..rotation.clone()
            };
            return self.store.rotate(&unaware).await;
        }
        let verdict = self.store.rotate(rotation).await?;
        let wins = self.has(Fault::RotationsAlwaysWin);
        Ok(if wins { Rotated::Rotated } else { verdict })
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        mut version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        loop {
            let verdict = self.store.update_payload(handle, version, payload).await?;
            if verdict != Updated::Conflict || !self.has(Fault::VersionIgnored) {
                return Ok(verdict);
            }
            version = self.store.get(handle).await?.unwrap().payload_version;
        }
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        self.store.update_data(handle, data).await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        let retention = Retention {
            skew: match self.fault {
                Fault::SkewIgnored => Duration::ZERO,
                _ => retention.skew,
            },
            at_least_until_ms: match self.fault {
                Fault::RowBelieved => i64::MIN,
                _ => retention.at_least_until_ms,
            },
        };
        let revoked = self.store.revoke(&self.misread(scope), retention).await?;
        match scope {
            SessionScope::Handles(handles) if self.has(Fault::AskedReturned) => Ok(handles
                .iter()
                .map(|handle| RevokedSession::new(handle.clone(), i64::MAX, retention))
                .collect()),
            _ => Ok(revoked),
        }
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let scope = self.misread(scope);
        self.store.list(&scope, now_ms, after, limit).await
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        if self.has(Fault::CursorIgnored) {
            let first = RevocationCursor::default();
            return self.store.revocations_since(first, now_ms, 1000).await;
        }
        self.store.revocations_since(cursor, now_ms, limit).await
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.store.load_keys().await
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        if !self.has(Fault::KeyLookedForFirst) {
            return self.store.insert_key(key, unless_newer_than_ms).await;
        }
        let present = self.store.load_keys().await?;
        self.looked.wait().await;
        if present
            .iter()
            .any(|one| one.purpose == key.purpose && one.created_at_ms > unless_newer_than_ms)
        {
            return Ok(KeyInserted::FresherExists);
        }
        self.store.insert_key(key, i64::MAX).await
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        self.store.reseal_key(key).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.store.remove_key(id).await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        if self.has(Fault::LimitIgnored) {
            return self.store.purge_expired(now_ms, u32::MAX).await;
        }
        if self.has(Fault::PurgeDecidesFirst) {
            // What was expired when it looked goes, whatever happened since.
            task::yield_now().await;
            return self.store.purge_expired(i64::MAX, limit).await;
        }
        self.store.purge_expired(now_ms, limit).await
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        if self.has(Fault::AcknowledgementReplaced) {
            self.store.leave(&node.id).await?;
        }
        self.store.attend(node, lease).await
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        if self.has(Fault::LeavingIgnored) {
            return Ok(());
        }
        self.store.leave(node).await
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.store.attending().await
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        self.store.barrier().await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        if self.has(Fault::BarrierReadFirst) {
            let last = self.store.barrier().await?;
            self.looked.wait().await;
            return self.store.raise_barrier().await.map(|_| last + 1);
        }
        if self.has(Fault::BarrierCounted) {
            return Ok(1);
        }
        self.store.raise_barrier().await
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        self.store.clock_ms().await
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.store.findings().await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        self.store.revocation_visibility()
    }
}
