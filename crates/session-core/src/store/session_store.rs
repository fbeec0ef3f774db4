//! `SessionStore`: the trait that a database implements.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    Created, KeyInserted, KeyRecord, NodeRecord, Retention, RevocationCursor, RevocationPage,
    RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord, SessionScope,
    StoreError, Updated,
};
use crate::{
    blacklist::RevocationFeed,
    finding::Finding,
    ids::{KeyId, NodeId, SessionHandle},
};

/// Where sessions and keys live.
///
/// Held to account by `session-testkit`'s store suite: an implementation that passes it may be
/// relied upon.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Adds a session.
    ///
    /// When two calls race with one handle, one gets [`Created::HandleTaken`]. A handle that was
    /// revoked and whose revocation is still recorded counts as taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the row may then be there or not.
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError>;

    /// The session with this handle, expired or not.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError>;

    /// Moves a row to another generation if it still has `from_generation` and has not expired at
    /// `at_ms`. Of any number of racing calls with one `from_generation`, exactly one is
    /// [`Rotated::Rotated`]. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the row may then have moved or not.
    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError>;

    /// Replaces the payload if nobody has since `expected_version` was read, and counts the version
    /// up by one. A revoked session stays gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the payload may then have been replaced or not.
    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError>;

    /// Replaces the application's own data. The last of several racing calls wins; never
    /// [`Updated::Conflict`].
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the data may then have been replaced or not.
    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError>;

    /// Deletes the sessions in `scope` and records each for the blacklist, in one transaction, and
    /// returns exactly the sessions that this call deleted. Every session whose creation was
    /// acknowledged before the call is seen; of racing calls, one returns each session. Durable
    /// when it returns.
    ///
    /// The end of each record is what `retention` makes of the row's `access_expires_at_ms`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; all of it may then have happened or none.
    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError>;

    /// The sessions in `scope` that have not expired at `now_ms`, by creation time and then handle,
    /// at most `limit`, after the session `after` of an earlier page.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError>;

    /// Revocations recorded after `cursor` that have not expired at `now_ms`, at most `limit` of
    /// them. The default cursor is before the first.
    ///
    /// Pages are read in sequences: while there are [more](RevocationPage::more), the next page is
    /// one of the same sequence. A revocation that was committed before the first page of a
    /// sequence was asked for is on one of its pages, unless it was on a page of an earlier
    /// sequence. One that is committed while a sequence is read may be left to the next, even when
    /// it is committed before the page that its place would be on: so what a sequence is complete
    /// as of is the moment before its first page, and a reader that gave up in the middle begins
    /// again where the sequence began. A store may limit how long a transaction that revokes may
    /// stay open; it says so.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError>;

    /// All keys, newest first; those of one age in the order of their ids, so that all nodes see
    /// the same order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError>;

    /// Adds a key unless one of the same purpose was made after `unless_newer_than_ms` or its id is
    /// taken. However many processes call it at once, one key appears.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the key may then be there or not.
    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError>;

    /// Replaces a key's material and `sealed_under`, for a change of the at-rest secret.
    /// [`Updated::Gone`] when there is no such key.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the material may then have been replaced or not.
    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError>;

    /// Removes a key, and says whether this call did.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the key may then be gone or not.
    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError>;

    /// Deletes sessions and revocations that had expired at `now_ms`, at most `limit` of each, and
    /// nodes whose lease is over. The condition is part of the deleting statement, so a session that
    /// is refreshed meanwhile stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError>;

    /// Puts a node into the registry or renews its lease, which ends when `lease` has passed from
    /// now, on the store's clock. Of several calls for one node the greatest acknowledgement stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the node may then be in the registry or not.
    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError>;

    /// Takes a node out of the registry. One that is not in it is no error.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the node may then be in the registry or not.
    async fn leave(&self, node: &NodeId) -> Result<(), StoreError>;

    /// The nodes whose lease is not over, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError>;

    /// The barrier's last value, 0 before it was first raised. Whoever reads a value finds every
    /// revocation that was acknowledged before it was raised.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn barrier(&self) -> Result<u64, StoreError>;

    /// Raises the barrier and returns its new value, which no other call gets. It is greater than
    /// the one before and no less than the Unix milliseconds on the store's clock, so that a
    /// database that lost its last values gives none of them out again. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the barrier may then have been raised or not.
    async fn raise_barrier(&self) -> Result<u64, StoreError>;

    /// The store's own wall clock in Unix milliseconds, for measuring how far ours is off; `None`
    /// when it has none but ours.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn clock_ms(&self) -> Result<Option<i64>, StoreError>;

    /// What is wrong with the database for keeping sessions, as it is now: settings by which a
    /// commit that was acknowledged can be lost, what may be deleted or read by others, replicas
    /// that nobody waits for. What the database does not tell is found, too. A store that passes
    /// calls on to another one passes this on.
    ///
    /// Logged once when a service starts; of no consequence otherwise.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn findings(&self) -> Result<Vec<Finding>, StoreError>;

    /// How revocations made by other processes become known.
    fn revocation_visibility(&self) -> RevocationVisibility;

    /// The store's own feed, of a store that can tell of revocations sooner than it is asked. It
    /// takes the place of asking, so it has to [catch up] by itself, and it
    /// alone is believed when it says what it has told completely.
    ///
    /// None by default: the store is asked as often as
    /// [`revocation_visibility`](Self::revocation_visibility) says.
    ///
    /// [catch up]: crate::blacklist::FeedReceiver::catch_up
    fn revocation_feed(&self) -> Option<Arc<dyn RevocationFeed>> {
        None
    }
}

/// How many rows [`SessionStore::purge_expired`] deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the answer of two statements")]
pub struct Purged {
    /// Sessions that had expired.
    pub sessions: u64,
    /// Revocations whose access tokens had all expired.
    pub revocations: u64,
}
