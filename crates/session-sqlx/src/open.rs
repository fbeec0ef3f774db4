//! `ConnectOptions`: which database, and how it is used.

use std::{fmt, sync::Arc, time::Duration};

use session_core::store::RevocationVisibility;
use sqlx::{Database, pool::PoolOptions};
use tokio::time::{self, Instant};

use crate::{
    connections::Connections,
    dialect::Dialect,
    error::ConnectError,
    held::ConnectionSource,
    migrate::{self, Migrations},
    names::{DEFAULT_PREFIX, Names},
    store::Engine,
};

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// How to open a [`SqlxStore`](crate::SqlxStore).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_sqlx::{ConnectOptions, SqlxStore};
///
/// # #[cfg(feature = "sqlite")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_sqlx::ConnectError> {
/// let options = ConnectOptions::new("sqlite::memory:").timeout(Duration::from_secs(1));
/// let store = SqlxStore::connect_with(options).await?;
/// # Ok(()) }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ConnectOptions {
    source: Source,
    timeout: Duration,
    connections: u32,
    poll_every: Duration,
    longest_transaction: Duration,
    schema: Option<String>,
    table_prefix: String,
    migrations: Migrations,
}

impl ConnectOptions {
    /// Opens the database at `url`: `sqlite://` and a path, `sqlite::memory:`,
    /// `postgres://user:password@host/database` or `mysql://user:password@host/database`. A file
    /// that is not there is made; its folder is not, and neither is a server's database.
    pub fn new(url: impl Into<String>) -> Self {
        Self::from_source(Source::Url(url.into()))
    }

    /// Shares a pool that the application has already, with its settings; see
    /// [`SqlxStore::from_pool`](crate::SqlxStore::from_pool). The number of connections says
    /// nothing then.
    pub fn over(pool: impl Into<SharedPool>) -> Self {
        Self::from_source(Source::Pool(pool.into()))
    }

    fn from_source(source: Source) -> Self {
        Self {
            source,
            timeout: Duration::from_secs(2),
            connections: 4,
            poll_every: Duration::from_secs(1),
            longest_transaction: Duration::from_mins(10),
            schema: None,
            table_prefix: DEFAULT_PREFIX.to_owned(),
            migrations: Migrations::Apply,
        }
    }

    /// How long an operation may take: waiting for a connection, for other writers, for the server
    /// and for the disk. Past it the operation fails with
    /// [`Unavailable`](session_core::store::StoreError::Unavailable). Opening may take 40 s longer,
    /// as another process may be bringing the schema up to date. Default: 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many connections are used at the same time; on SQLite, how many read, beside the one
    /// that writes. Default: 4.
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// How often to look for revocations made by other processes. Default: 1 s.
    pub fn poll_every(mut self, poll_every: Duration) -> Self {
        self.poll_every = poll_every;
        self
    }

    /// How long a transaction that revokes may stay open, on MySQL and MariaDB: a revocation that is
    /// committed later than this after another one that began after it is not heard of. The other
    /// databases have no such limit. Default: 10 minutes.
    pub fn longest_transaction(mut self, longest_transaction: Duration) -> Self {
        self.longest_transaction = longest_transaction;
        self
    }

    /// The schema (MySQL: the database) that the tables are in, which must exist. Default: the one
    /// that the connections are in by themselves. SQLite has none.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// What the tables' names begin with. Default: `session_`.
    pub fn table_prefix(mut self, table_prefix: impl Into<String>) -> Self {
        self.table_prefix = table_prefix.into();
        self
    }

    /// Who brings the schema up to date. Default: [`Migrations::Apply`].
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = migrations;
        self
    }

    /// The SQL that brings the schema from version `after` up to date, 0 being a database without
    /// one, under the schema and the prefix that are set here. It writes down which version the
    /// schema has then. No database is asked.
    ///
    /// On SQLite and PostgreSQL it is one transaction; on MySQL and MariaDB, where every change of a
    /// table commits by itself, run it while nobody else does.
    ///
    /// # Examples
    ///
    /// ```
    /// use session_sqlx::ConnectOptions;
    ///
    /// # #[cfg(feature = "postgres")]
    /// # fn main() -> Result<(), session_sqlx::ConnectError> {
    /// let options = ConnectOptions::new("postgres://localhost/app").table_prefix("auth_");
    /// assert!(options.migration_script(0)?.contains("CREATE TABLE auth_sessions ("));
    /// # Ok(()) }
    /// # #[cfg(not(feature = "postgres"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConnectError`], when the address or a name cannot be used, or when there is no such version.
    pub fn migration_script(&self, after: u32) -> Result<String, ConnectError> {
        let names = Names::new(self.schema.clone(), self.table_prefix.clone())?;
        match self.source.kind()? {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite if names.schema().is_some() => Err(ConnectError::ForeignSetting("schema")),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => migrate::script::<sqlx::Sqlite>(&names, after),
            #[cfg(feature = "postgres")]
            Kind::Postgres => migrate::script::<sqlx::Postgres>(&names, after),
            #[cfg(feature = "mysql")]
            Kind::MySql => migrate::script::<sqlx::MySql>(&names, after),
        }
    }

    pub(crate) async fn open(self) -> Result<Engine, ConnectError> {
        for (setting, is_zero) in [
            ("timeout", self.timeout.is_zero()),
            ("connections", self.connections == 0),
            ("poll_every", self.poll_every.is_zero()),
            ("longest_transaction", self.longest_transaction.is_zero()),
        ] {
            if is_zero {
                return Err(ConnectError::ZeroSetting(setting));
            }
        }
        let settings = Settings {
            timeout: self.timeout,
            connections: self.connections,
            poll_every: self.poll_every,
            longest_transaction: self.longest_transaction,
            names: Names::new(self.schema, self.table_prefix)?,
            migrations: self.migrations,
        };
        let limit = self.timeout.saturating_add(OPENING_PATIENCE);
        let open = async {
            match self.source {
                Source::Url(url) => settings.open(&url).await,
                Source::Pool(pool) => settings.adopt(pool).await,
            }
        };
        time::timeout(limit, open)
            .await
            .unwrap_or_else(|late| Err(ConnectError::Database(Box::new(late))))
    }
}

/// What holds for any database.
struct Settings {
    timeout: Duration,
    connections: u32,
    poll_every: Duration,
    longest_transaction: Duration,
    names: Names,
    migrations: Migrations,
}

impl Settings {
    async fn open(self, url: &str) -> Result<Engine, ConnectError> {
        match Kind::of(url)? {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => Ok(Engine::Sqlite(Arc::new(self.open_sqlite(url).await?))),
            #[cfg(feature = "postgres")]
            Kind::Postgres => Ok(Engine::Postgres(Arc::new(self.open_postgres(url).await?))),
            #[cfg(feature = "mysql")]
            Kind::MySql => Ok(Engine::MySql(Arc::new(self.open_mysql(url).await?))),
        }
    }

    async fn adopt(self, pool: SharedPool) -> Result<Engine, ConnectError> {
        match pool {
            #[cfg(feature = "sqlite")]
            SharedPool::Sqlite(pool) => {
                Ok(Engine::Sqlite(Arc::new(self.adopt_sqlite(pool).await?)))
            }
            #[cfg(feature = "postgres")]
            SharedPool::Postgres(pool) => {
                Ok(Engine::Postgres(Arc::new(self.adopt_postgres(pool).await?)))
            }
            #[cfg(feature = "mysql")]
            SharedPool::MySql(pool) => Ok(Engine::MySql(Arc::new(self.adopt_mysql(pool).await?))),
        }
    }
}

impl Settings {
    /// One pool for everything.
    fn over<D: Dialect>(
        self,
        source: ConnectionSource<D>,
        visibility: RevocationVisibility,
    ) -> Connections<D> {
        Connections {
            shared: matches!(source, ConnectionSource::Shared(_)),
            writer: source.clone(),
            readers: source,
            names: self.names,
            timeout: self.timeout,
            visibility,
            longest_transaction: self.longest_transaction,
            opened: Instant::now(),
            anchor: None,
        }
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
impl Settings {
    /// How long a server may work on a statement: a little less than we wait for it, as the error that
    /// it answers then says that nothing was done, which nobody knows after an answer that is missing.
    fn servers_patience(&self) -> Duration {
        self.timeout.saturating_sub(self.timeout / 10)
    }
}

/// What to say when a server is not the one that others repeat, or does not answer.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn not_primary(error: sqlx::Error) -> ConnectError {
    match error {
        sqlx::Error::Io(_) => ConnectError::Replica(Box::new(error)),
        error => error.into(),
    }
}

fn pool<D: Database>(connections: u32, timeout: Duration) -> PoolOptions<D> {
    // A dead connection is noticed when it is used, and another is taken: asking first would cost
    // every operation a round trip.
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(timeout)
        .test_before_acquire(false)
}

/// How long opening may take beyond an operation's time: of processes that start together one
/// brings the schema up to date and the others wait for it as long as this.
const OPENING_PATIENCE: Duration = Duration::from_secs(40);

#[derive(Clone)]
enum Source {
    Url(String),
    Pool(SharedPool),
}

impl Source {
    fn kind(&self) -> Result<Kind, ConnectError> {
        match self {
            Self::Url(url) => Kind::of(url),
            #[cfg(feature = "sqlite")]
            Self::Pool(SharedPool::Sqlite(_)) => Ok(Kind::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Pool(SharedPool::Postgres(_)) => Ok(Kind::Postgres),
            #[cfg(feature = "mysql")]
            Self::Pool(SharedPool::MySql(_)) => Ok(Kind::MySql),
        }
    }
}

/// The databases that are compiled in.
#[derive(Clone, Copy)]
enum Kind {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "mysql")]
    MySql,
}

impl Kind {
    fn of(url: &str) -> Result<Self, ConnectError> {
        match url.split_once(':').map_or("", |(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Self::Sqlite),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Self::Postgres),
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => Ok(Self::MySql),
            _ => Err(ConnectError::UnknownAddress),
        }
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.debug_tuple("Url").finish_non_exhaustive(),
            Self::Pool(pool) => f.debug_tuple("Pool").field(pool).finish(),
        }
    }
}

/// A pool that an application has already.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SharedPool {
    /// Of SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
    /// Of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    /// Of MySQL or MariaDB.
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

#[cfg(feature = "sqlite")]
impl From<sqlx::SqlitePool> for SharedPool {
    fn from(pool: sqlx::SqlitePool) -> Self {
        Self::Sqlite(pool)
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::PgPool> for SharedPool {
    fn from(pool: sqlx::PgPool) -> Self {
        Self::Postgres(pool)
    }
}

#[cfg(feature = "mysql")]
impl From<sqlx::MySqlPool> for SharedPool {
    fn from(pool: sqlx::MySqlPool) -> Self {
        Self::MySql(pool)
    }
}
