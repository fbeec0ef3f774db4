//! `Announcing`: a store whose revocations are told after they were committed.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use session_core::{
    KeyId, NodeId, SessionHandle,
    blacklist::RevocationFeed,
    finding::Finding,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};

use crate::feed::RedisFeed;

/// A store that tells other nodes of every revocation, made by [`RedisFeed::announcing`].
#[derive(Debug, Clone)]
pub struct Announcing<S> {
    store: S,
    feed: RedisFeed,
}

impl<S> Announcing<S> {
    pub(crate) fn new(store: S, feed: RedisFeed) -> Self {
        Self { store, feed }
    }
}

#[async_trait]
impl<S: SessionStore> SessionStore for Announcing<S> {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        self.store.create(session).await
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        self.store.get(handle).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        self.store.rotate(rotation).await
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        (self.store)
            .update_payload(handle, expected_version, payload)
            .await
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        self.store.update_data(handle, data).await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        let revoked = self.store.revoke(scope, retention).await?;
        // Told by somebody else: a revocation does not wait for Redis.
        self.feed.announce(&revoked);
        Ok(revoked)
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.list(scope, now_ms, after, limit).await
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
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
        self.store.insert_key(key, unless_newer_than_ms).await
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        self.store.reseal_key(key).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.store.remove_key(id).await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        self.store.purge_expired(now_ms, limit).await
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        self.store.attend(node, lease).await
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.store.leave(node).await
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.store.attending().await
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        self.store.barrier().await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
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

    fn revocation_feed(&self) -> Option<Arc<dyn RevocationFeed>> {
        self.store.revocation_feed()
    }
}
