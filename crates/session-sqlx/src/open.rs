//! Opens a database: its file, its journal, its connections.

use std::{
    fs, io,
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::time;

use crate::{
    connections::{Connections, Place},
    dialect::sqlite,
    error::ConnectError,
    migrate::migrate,
};

/// How to open a [`SqlxStore`](crate::SqlxStore).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_sqlx::{ConnectOptions, SqlxStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_sqlx::ConnectError> {
/// let options = ConnectOptions::new("sqlite::memory:").timeout(Duration::from_secs(1));
/// let store = SqlxStore::connect_with(options).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct ConnectOptions {
    source: Source,
    timeout: Duration,
    readers: u32,
    poll_every: Duration,
}

impl ConnectOptions {
    /// Opens the database at `url`: `sqlite://` and a path, or `sqlite::memory:`. A file that is
    /// not there is made; its folder is not.
    pub fn new(url: impl Into<String>) -> Self {
        Self::from_source(Source::Url(url.into()))
    }

    /// Shares a pool that the application has already, with its settings; see
    /// [`SqlxStore::from_pool`](crate::SqlxStore::from_pool). `readers` says nothing then.
    pub fn over(pool: SqlitePool) -> Self {
        Self::from_source(Source::Pool(pool))
    }

    fn from_source(source: Source) -> Self {
        Self {
            source,
            timeout: Duration::from_secs(2),
            readers: 4,
            poll_every: Duration::from_secs(1),
        }
    }

    /// How long an operation may take: waiting for a connection, for other writers and for the
    /// disk. Past it the operation fails with
    /// [`Unavailable`](session_core::store::StoreError::Unavailable). Default: 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many connections read at the same time; one more writes. Default: 4.
    pub fn readers(mut self, readers: u32) -> Self {
        self.readers = readers;
        self
    }

    /// How often to look for revocations made by other processes. Default: 1 s.
    pub fn poll_every(mut self, poll_every: Duration) -> Self {
        self.poll_every = poll_every;
        self
    }

    pub(crate) async fn open(self) -> Result<Connections, ConnectError> {
        for (setting, is_zero) in [
            ("timeout", self.timeout.is_zero()),
            ("readers", self.readers == 0),
            ("poll_every", self.poll_every.is_zero()),
        ] {
            if is_zero {
                return Err(ConnectError::ZeroSetting(setting));
            }
        }
        match self.source.clone() {
            Source::Url(url) => self.open_url(&url).await,
            Source::Pool(pool) => self.adopt(pool).await,
        }
    }

    async fn open_url(self, url: &str) -> Result<Connections, ConnectError> {
        if !url.starts_with("sqlite:") {
            return Err(ConnectError::UnknownAddress);
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|_| ConnectError::UnknownAddress)?
            .disable_statement_logging();
        let options = sqlite::settings(options).busy_timeout(self.timeout);
        if is_in_memory(url) {
            self.open_memory(options).await
        } else {
            self.open_file(options).await
        }
    }

    /// One connection for everything, as several would lock tables against one another, and one
    /// that nothing is done with: the database ends with its last connection.
    async fn open_memory(self, options: SqliteConnectOptions) -> Result<Connections, ConnectError> {
        let anchor = options.connect().await?;
        let pool = self.pool(1).connect_with(options).await?;
        migrate(&mut *pool.acquire().await?).await?;
        Ok(Connections {
            writer: pool.clone(),
            readers: pool,
            timeout: self.timeout,
            place: Place::Memory,
            anchor: Some(Arc::new(Mutex::new(anchor))),
        })
    }

    /// SQLite lets one connection write at a time. One of our own for all writers makes them queue
    /// here, in the order in which they came, instead of polling the file's lock.
    async fn open_file(self, options: SqliteConnectOptions) -> Result<Connections, ConnectError> {
        make_private(options.get_filename())?;
        let mut first = options
            .clone()
            .busy_timeout(OPENING_PATIENCE)
            .connect()
            .await?;
        write_ahead(&mut first).await?;
        migrate(&mut first).await?;
        let connections = Connections {
            writer: self.pool(1).connect_with(options.clone()).await?,
            readers: self.pool(self.readers).connect_with(options).await?,
            timeout: self.timeout,
            place: Place::File {
                poll_every: self.poll_every,
            },
            anchor: None,
        };
        first.close().await?;
        Ok(connections)
    }

    /// Shares an application's own pool, with its connections as they are.
    async fn adopt(self, pool: SqlitePool) -> Result<Connections, ConnectError> {
        let mut connection = pool.acquire().await?;
        let path: String = sqlx::query_scalar(sqlite::ASK_PATH)
            .fetch_one(&mut *connection)
            .await?;
        let place = if path.is_empty() {
            Place::Memory
        } else {
            let synchronous: i64 = sqlx::query_scalar(sqlite::ASK_SYNCHRONOUS)
                .fetch_one(&mut *connection)
                .await?;
            if synchronous < sqlite::FULL {
                return Err(ConnectError::NotDurable);
            }
            Place::File {
                poll_every: self.poll_every,
            }
        };
        migrate(&mut connection).await?;
        drop(connection);
        Ok(Connections {
            writer: pool.clone(),
            readers: pool,
            timeout: self.timeout,
            place,
            anchor: None,
        })
    }

    fn pool(&self, connections: u32) -> SqlitePoolOptions {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.timeout)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    }
}

#[derive(Debug, Clone)]
enum Source {
    Url(String),
    Pool(SqlitePool),
}

fn is_in_memory(url: &str) -> bool {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    path.ends_with(":memory:") || query.split('&').any(|setting| setting == "mode=memory")
}

/// Makes the file before SQLite does, which would make it readable for everybody; the files beside
/// it get the same permissions from SQLite (security H18).
fn make_private(path: &Path) -> Result<(), ConnectError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            warn_if_open_to_others(path);
            Ok(())
        }
        Err(source) => Err(ConnectError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Whoever chose wider permissions may have had a reason, so they are not taken away.
#[cfg(unix)]
fn warn_if_open_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let others = fs::metadata(path).map_or(0, |file| file.permissions().mode() & 0o077);
    if others != 0 {
        tracing::warn!(
            path = %path.display(),
            "the session database can be opened by other users of this machine"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_others(_: &Path) {}

/// Switches the file to a write-ahead log.
///
/// The switch needs the file for itself and does not wait for it, whatever the busy timeout says,
/// so of processes that start together all but one try again and find it done.
async fn write_ahead(connection: &mut SqliteConnection) -> Result<(), ConnectError> {
    let switch = async {
        loop {
            match switch_to_log(connection).await {
                Err(error) if sqlite::is_busy(&error) => time::sleep(OPENING_PAUSE).await,
                outcome => return outcome,
            }
        }
    };
    let mode = time::timeout(OPENING_PATIENCE, switch)
        .await
        .map_err(|late| ConnectError::Database(Box::new(late)))??;
    if mode == sqlite::WRITE_AHEAD_LOG {
        Ok(())
    } else {
        Err(ConnectError::NoWriteAheadLog(mode))
    }
}

async fn switch_to_log(connection: &mut SqliteConnection) -> Result<String, sqlx::Error> {
    let mode: String = sqlx::query_scalar(sqlite::ASK_JOURNAL_MODE)
        .fetch_one(&mut *connection)
        .await?;
    if mode == sqlite::WRITE_AHEAD_LOG {
        return Ok(mode);
    }
    sqlx::query_scalar(sqlite::SET_JOURNAL_MODE)
        .fetch_one(connection)
        .await
}

/// How long a process that starts waits for others that start with it.
const OPENING_PATIENCE: Duration = Duration::from_secs(30);
const OPENING_PAUSE: Duration = Duration::from_millis(10);
