//! `SqlxStore`: one type, whichever database is behind it.

use std::{fmt, sync::Arc, time::Duration};

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
use sqlx::Transaction;

#[cfg(feature = "postgres")]
use crate::listening::ListeningFeed;
use crate::{
    connections::Connections,
    error::{AnotherDatabase, ConnectError},
    open::{ConnectOptions, SharedPool},
    plans::Plan,
};

/// Keeps sessions and keys in a SQL database.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct SqlxStore {
    engine: Engine,
}

impl SqlxStore {
    /// Opens the database at `url` with the defaults of [`ConnectOptions`]: `sqlite://` and a path,
    /// `sqlite::memory:`, `postgres://…` or `mysql://…`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::new(url)).await
    }

    /// Opens a database.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect_with(options: ConnectOptions) -> Result<Self, ConnectError> {
        Ok(Self {
            engine: options.open().await?,
        })
    }

    /// Shares a pool that the application has already, and adds the tables to its database.
    ///
    /// Its settings hold. On SQLite it must write with `synchronous = FULL`, writers wait for one
    /// another as long as its busy timeout says, and a write-ahead log is recommended. On MySQL its
    /// `sql_mode` must be strict. A server's own limits on the time of a statement are a good idea:
    /// past [`ConnectOptions::timeout`], a connection whose statement goes on is closed.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn from_pool(pool: impl Into<SharedPool>) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::over(pool)).await
    }

    /// Ends sessions inside a transaction of the application's, and returns those that it ends:
    /// change the password and end the sessions, or neither.
    ///
    /// When the transaction is committed the sessions are gone, and every node hears of it as of
    /// any other revocation, this process too: on PostgreSQL at once, elsewhere at the next look
    /// ([`ConnectOptions::poll_every`]). When it is rolled back, nothing happened. Until then the
    /// rows are locked, so keep it short. How long it is remembered,
    /// [`Sessions::retention`](session_core::Sessions::retention) says.
    ///
    /// PostgreSQL does not prepare a transaction that tells of something for a two-phase commit.
    ///
    /// On PostgreSQL the transaction must have the isolation level READ COMMITTED, which is the
    /// default: a stricter one does not see sessions that were made after its first statement, and
    /// is refused.
    ///
    /// The transaction must be on the database that this store is on. A store that was opened on
    /// `sqlite::memory:` has that database for itself; open it over a pool to use this.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{AppInfo, Sessions, UserId, store::SessionScope};
    /// use session_sqlx::{SqlitePool, SqlxStore};
    ///
    /// let pool = SqlitePool::connect("sqlite::memory:").await?;
    /// let store = SqlxStore::from_pool(pool.clone()).await?;
    /// let app = AppInfo::new("https://api.example.com", "https://example.com");
    /// let sessions = Sessions::builder(app).store(store.clone()).build().await?;
    ///
    /// let everywhere = SessionScope::User {
    ///     user: UserId::try_from("ann")?,
    ///     tenant: None,
    ///     except: None,
    /// };
    /// let mut transaction = pool.begin().await?;
    /// // … the new password …
    /// store.revoke_in(&mut transaction, &everywhere, sessions.retention()).await?;
    /// transaction.commit().await?;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`]; roll back then.
    pub async fn revoke_in<'t>(
        &self,
        transaction: impl Into<OpenTransaction<'t>>,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        match (&self.engine, transaction.into()) {
            #[cfg(feature = "sqlite")]
            (Engine::Sqlite(engine), OpenTransaction::Sqlite(transaction)) => {
                engine.revoke_in(transaction, scope, retention).await
            }
            #[cfg(feature = "postgres")]
            (Engine::Postgres(engine), OpenTransaction::Postgres(transaction)) => {
                engine.revoke_in(transaction, scope, retention).await
            }
            #[cfg(feature = "mysql")]
            (Engine::MySql(engine), OpenTransaction::MySql(transaction)) => {
                engine.revoke_in(transaction, scope, retention).await
            }
            #[allow(unreachable_patterns, reason = "where one database is compiled in")]
            _ => Err(StoreError::Unavailable(Box::new(AnotherDatabase))),
        }
    }

    /// How the database would carry out each statement of the store for operations on a session
    /// like this one: what `EXPLAIN` says. Nothing is changed.
    ///
    /// For an operator who wants to see that every statement goes by an index, whatever the
    /// database's version and statistics. On a small table, reading all of it may be the better way.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn plans(&self, session: &SessionRecord) -> Result<Vec<Plan>, StoreError> {
        match &self.engine {
            #[cfg(feature = "sqlite")]
            Engine::Sqlite(engine) => engine.plans(session).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(engine) => engine.plans(session).await,
            #[cfg(feature = "mysql")]
            Engine::MySql(engine) => engine.plans(session).await,
        }
    }

    fn engine(&self) -> &dyn SessionStore {
        match &self.engine {
            #[cfg(feature = "sqlite")]
            Engine::Sqlite(engine) => &**engine,
            #[cfg(feature = "postgres")]
            Engine::Postgres(engine) => &**engine,
            #[cfg(feature = "mysql")]
            Engine::MySql(engine) => &**engine,
        }
    }
}

impl fmt::Debug for SqlxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqlxStore").field(&self.engine()).finish()
    }
}

/// The connections, to one kind of database or another.
#[derive(Clone)]
pub(crate) enum Engine {
    #[cfg(feature = "sqlite")]
    Sqlite(Arc<Connections<sqlx::Sqlite>>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<Connections<sqlx::Postgres>>),
    #[cfg(feature = "mysql")]
    MySql(Arc<Connections<sqlx::MySql>>),
}

/// A transaction that the application has begun, and will commit or not.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenTransaction<'t> {
    /// On SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'t mut sqlx::SqliteConnection),
    /// On PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'t mut sqlx::PgConnection),
    /// On MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(&'t mut sqlx::MySqlConnection),
}

#[cfg(feature = "sqlite")]
impl<'t> From<&'t mut Transaction<'_, sqlx::Sqlite>> for OpenTransaction<'t> {
    fn from(transaction: &'t mut Transaction<'_, sqlx::Sqlite>) -> Self {
        Self::Sqlite(transaction)
    }
}

#[cfg(feature = "postgres")]
impl<'t> From<&'t mut Transaction<'_, sqlx::Postgres>> for OpenTransaction<'t> {
    fn from(transaction: &'t mut Transaction<'_, sqlx::Postgres>) -> Self {
        Self::Postgres(transaction)
    }
}

#[cfg(feature = "mysql")]
impl<'t> From<&'t mut Transaction<'_, sqlx::MySql>> for OpenTransaction<'t> {
    fn from(transaction: &'t mut Transaction<'_, sqlx::MySql>) -> Self {
        Self::MySql(transaction)
    }
}

#[async_trait]
impl SessionStore for SqlxStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        self.engine().create(session).await
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        self.engine().get(handle).await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        self.engine().rotate(rotation).await
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let engine = self.engine();
        engine
            .update_payload(handle, expected_version, payload)
            .await
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        self.engine().update_data(handle, data).await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        self.engine().revoke(scope, retention).await
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.engine().list(scope, now_ms, after, limit).await
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        self.engine().revocations_since(cursor, now_ms, limit).await
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.engine().load_keys().await
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        self.engine().insert_key(key, unless_newer_than_ms).await
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        self.engine().reseal_key(key).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.engine().remove_key(id).await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        self.engine().purge_expired(now_ms, limit).await
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        self.engine().attend(node, lease).await
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.engine().leave(node).await
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        self.engine().attending().await
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        self.engine().barrier().await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        self.engine().raise_barrier().await
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        self.engine().clock_ms().await
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.engine().findings().await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        self.engine().revocation_visibility()
    }

    fn revocation_feed(&self) -> Option<Arc<dyn RevocationFeed>> {
        match (&self.engine, self.revocation_visibility()) {
            #[cfg(feature = "postgres")]
            (Engine::Postgres(engine), RevocationVisibility::AnyOrder { poll_every }) => {
                Some(Arc::new(ListeningFeed::new(Arc::clone(engine), poll_every)))
            }
            _ => None,
        }
    }
}
