//! `SessionStore`: the one trait a database implements, with its records and its errors.
//!
//! A store is small and atomic. Every method is one statement or one short transaction, and the
//! number of rows that its conditional statement touched is the verdict of every race: a store
//! never reads, decides and then writes. Ids are bytes to it: equal means byte-equal, whatever the
//! database's collation.
//!
//! The service calls a store only from tasks of its own that always run to their end, so an
//! implementation need not defend itself against dropped futures; each call is given up by its
//! caller after a timeout, which means "outcome unknown", never "not done".

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::{
    blacklist::RevocationFeed,
    clock::duration_ms,
    ids::{KeyId, SessionHandle, TenantId, UserId},
};

/// The most rotations that a row remembers (design §5).
pub const ROTATION_HISTORY: usize = 8;

/// A session's row.
///
/// All times are Unix milliseconds. `payload` and `data` are JSON objects as text, to be kept byte
/// for byte.
#[derive(Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the row; a new column is a breaking change for every store"
)]
pub struct SessionRecord {
    /// The session's name; unique for ever.
    pub handle: SessionHandle,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Whose session it is.
    pub user: UserId,
    /// How many rotations led to the current refresh token; the first has generation 0.
    pub generation: u64,
    /// SHA-256 of the current refresh token's secret.
    pub secret_hash: [u8; 32],
    /// The key that the current refresh token was made under.
    pub refresh_key: KeyId,
    /// The last rotations, oldest first, at most [`ROTATION_HISTORY`] of them.
    pub rotations: Rotations,
    /// The application's claims: a JSON object.
    pub payload: String,
    /// Counts the changes of `payload`, starting at 0.
    pub payload_version: u64,
    /// The application's own data about the session: a JSON object.
    pub data: String,
    /// When the session was made.
    pub created_at_ms: i64,
    /// When its tokens were last rotated; the time of creation before the first rotation.
    pub refreshed_at_ms: i64,
    /// When the refresh token expires, and the session with it.
    pub expires_at_ms: i64,
    /// When the session ends however often it is refreshed.
    pub absolute_expires_at_ms: Option<i64>,
    /// The latest expiry of all access tokens ever issued for the session.
    pub access_expires_at_ms: i64,
}

impl fmt::Debug for SessionRecord {
    /// Names the session and nothing that belongs to its user or secures it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("generation", &self.generation)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

/// One rotation of a session's refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "part of the row")]
pub struct RotationEntry {
    /// The generation that the rotation produced.
    pub generation: u64,
    /// When the rotation happened, in Unix milliseconds.
    pub at_ms: i64,
    /// The key that the produced refresh token was made under.
    pub key: KeyId,
}

/// The last rotations of a session, oldest first.
///
/// # Examples
///
/// ```
/// use session_core::{KeyId, store::{RotationEntry, Rotations}};
///
/// let mut rotations = Rotations::default();
/// for generation in 1..=9 {
///     rotations.push(RotationEntry { generation, at_ms: 1_700_000_000_000, key: KeyId::try_from("r-1")? });
/// }
/// assert_eq!(rotations.iter().count(), 8);
/// assert_eq!(Rotations::parse(&rotations.to_text())?, rotations);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotations(Vec<RotationEntry>);

impl Rotations {
    /// Reads the text form that [`to_text`](Self::to_text) writes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the text was not written by `to_text`.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("rotations");
        let mut entries = Vec::with_capacity(ROTATION_HISTORY);
        for entry in text.split(' ').filter(|entry| !entry.is_empty()) {
            let mut parts = entry.splitn(3, ',');
            let mut next = || parts.next().ok_or_else(corrupt);
            entries.push(RotationEntry {
                generation: next()?.parse().map_err(|_| corrupt())?,
                at_ms: next()?.parse().map_err(|_| corrupt())?,
                key: KeyId::try_from(next()?).map_err(|_| corrupt())?,
            });
        }
        if entries.len() > ROTATION_HISTORY {
            return Err(corrupt());
        }
        Ok(Self(entries))
    }

    /// Adds the newest rotation and forgets the oldest when there are too many.
    pub fn push(&mut self, entry: RotationEntry) {
        self.0.push(entry);
        let surplus = self.0.len().saturating_sub(ROTATION_HISTORY);
        self.0.drain(..surplus);
    }

    /// The rotations, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &RotationEntry> {
        self.0.iter()
    }

    /// One text for one column: `generation,at_ms,key` joined by a space, which no key id has.
    pub fn to_text(&self) -> String {
        let entries: Vec<String> = self
            .0
            .iter()
            .map(|entry| format!("{},{},{}", entry.generation, entry.at_ms, entry.key))
            .collect();
        entries.join(" ")
    }
}

/// What a rotation writes into the row, all or nothing.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "the arguments of one statement")]
pub struct Rotation {
    /// Whose row.
    pub handle: SessionHandle,
    /// The generation that the row must still have for the rotation to happen.
    pub from_generation: u64,
    /// The generation it gets; greater than `from_generation`.
    pub to_generation: u64,
    /// SHA-256 of the new refresh token's secret.
    pub secret_hash: [u8; 32],
    /// The key that the new refresh token is made under.
    pub refresh_key: KeyId,
    /// The new history.
    pub rotations: Rotations,
    /// The time of the rotation; a row that expired by then is not rotated.
    pub at_ms: i64,
    /// The new expiry.
    pub expires_at_ms: i64,
    /// The expiry of the access token that goes with it; the row keeps the greater one.
    pub access_expires_at_ms: i64,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("from_generation", &self.from_generation)
            .field("to_generation", &self.to_generation)
            .finish_non_exhaustive()
    }
}

/// What became of [`SessionStore::create`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Created {
    /// The row is there.
    Created,
    /// A session, live or revoked, already has this handle (security G15); nothing was written.
    HandleTaken,
}

/// What became of [`SessionStore::rotate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Rotated {
    /// This call moved the row.
    Rotated,
    /// The row has another generation, has expired or is gone; nothing was written.
    Lost,
}

/// What became of a conditional update of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Updated {
    /// The row now holds the new value.
    Updated,
    /// Somebody else changed the value since it was read; nothing was written.
    Conflict,
    /// There is no such session.
    Gone,
}

/// The sessions that a bulk operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store must refuse to compile rather than misread a new kind of scope"
)]
pub enum SessionScope {
    /// The sessions with these handles; at most [`SessionScope::MAX_HANDLES`].
    Handles(Vec<SessionHandle>),
    /// All sessions of a user, in one tenant or in all, perhaps sparing one.
    User {
        /// Whose sessions.
        user: UserId,
        /// Only those of this tenant; of every tenant when `None`.
        tenant: Option<TenantId>,
        /// A session to leave alone.
        except: Option<SessionHandle>,
    },
    /// All sessions of a tenant.
    Tenant(TenantId),
}

impl SessionScope {
    /// The most handles that one call takes; a caller with more asks several times.
    pub const MAX_HANDLES: usize = 10_000;

    /// The check that every store begins a bulk operation with (security G8).
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyHandles`] when more than [`MAX_HANDLES`](Self::MAX_HANDLES) are named,
    /// counting repeated ones.
    pub fn within_limits(&self) -> Result<(), StoreError> {
        match self {
            Self::Handles(handles) if handles.len() > Self::MAX_HANDLES => {
                Err(StoreError::TooManyHandles)
            }
            Self::Handles(_) | Self::User { .. } | Self::Tenant(_) => Ok(()),
        }
    }
}

/// A revoked session, as the blacklist must remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row")]
pub struct RevokedSession {
    /// The session that was revoked.
    pub handle: SessionHandle,
    /// When the last access token of the session has expired, in Unix milliseconds.
    pub expires_at_ms: i64,
}

impl RevokedSession {
    /// The record of a session whose row had `access_expires_at_ms`, kept for `skew` longer because
    /// clocks differ (security G14). An end that does not fit is the latest there is.
    pub fn new(handle: SessionHandle, access_expires_at_ms: i64, skew: Duration) -> Self {
        Self {
            handle,
            expires_at_ms: access_expires_at_ms.saturating_add(duration_ms(skew)),
        }
    }
}

/// A place in a store's list of revocations, in numbers that mean something to the store alone: one
/// where the list is in commit order, several where the place is "up to here, except for what was
/// still open". The default, no number, is before the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "the store's own numbers")]
pub struct RevocationCursor(pub Vec<u64>);

/// Some revocations and where to go on; in which order, [`RevocationVisibility`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the answer of one statement")]
pub struct RevocationPage {
    /// The revoked sessions.
    pub revoked: Vec<RevokedSession>,
    /// Where the next page begins.
    pub next: RevocationCursor,
    /// Whether there may be more at once.
    pub more: bool,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyPurpose {
    /// Signs access tokens and is replaced regularly (`d-…`).
    AccessDynamic,
    /// Signs access tokens and tokens for other services, and stays (`s-…`).
    AccessStatic,
    /// Authenticates refresh tokens and derives their successors (`r-…`).
    Refresh,
}

impl KeyPurpose {
    /// The text form for a column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDynamic => "access-dynamic",
            Self::AccessStatic => "access-static",
            Self::Refresh => "refresh",
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when the text names no purpose.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::AccessDynamic, Self::AccessStatic, Self::Refresh]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or(StoreError::Corrupt("key purpose"))
    }
}

/// A key's row.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the row; a new column is a breaking change for every store"
)]
pub struct KeyRecord {
    /// The key's name; unique.
    pub id: KeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// The algorithm that the material belongs to, and the only one it is ever used with: `RS256`
    /// or `HS256`.
    pub algorithm: String,
    /// When the key was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// The key material, encrypted when `sealed_under` says so.
    pub material: Zeroizing<Vec<u8>>,
    /// The name of the at-rest secret that the material is encrypted under, if any.
    pub sealed_under: Option<String>,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("created_at_ms", &self.created_at_ms)
            .finish_non_exhaustive()
    }
}

/// What became of [`SessionStore::insert_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum KeyInserted {
    /// The key is there.
    Inserted,
    /// A key of this purpose that is fresh enough, or one with this id, was there already; nothing
    /// was written.
    FresherExists,
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

/// How a node hears of revocations that other nodes make in the same store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevocationVisibility {
    /// No other process can write to this store, and one [`Sessions`](crate::Sessions) is built on
    /// it: what that one revokes is all there is.
    ThisProcessOnly,
    /// Cursors are in commit order, so asking for "what came since" at this interval misses
    /// nothing.
    CommitOrder {
        /// How often to ask.
        poll_every: Duration,
    },
    /// Pages come in no order and may repeat what an earlier one held, because a cursor stays at
    /// what was not committed yet; asking for "what came since" at this interval misses nothing.
    AnyOrder {
        /// How often to ask.
        poll_every: Duration,
    },
}

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
    /// The recorded expiry is the row's `access_expires_at_ms` plus `skew`.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; all of it may then have happened or none.
    async fn revoke(
        &self,
        scope: &SessionScope,
        skew: Duration,
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
    /// them. The default cursor is before the first. One that was committed before the call and is
    /// not on an earlier page is on this one or, while there are [more](RevocationPage::more), on
    /// a later one; a revocation that is committed while a page is read may wait for the next call.
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

    /// Deletes sessions and revocations that had expired at `now_ms`, at most `limit` of each. The
    /// condition is part of the deleting statement, so a session that is refreshed meanwhile
    /// stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError>;

    /// The store's own wall clock in Unix milliseconds, for measuring how far ours is off; `None`
    /// when it has none but ours.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn clock_ms(&self) -> Result<Option<i64>, StoreError>;

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

/// Why a store gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did not answer, or not in time; what was asked may have happened.
    #[error("the session store did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A row cannot be read back.
    #[error("the session store holds an unreadable {0}")]
    Corrupt(&'static str),

    /// More handles than [`SessionScope::MAX_HANDLES`] were named in one call.
    #[error("too many session handles in one call")]
    TooManyHandles,
}
