//! Opens SQLite: its file, its journal, its connections.

use std::{fs, io, path::Path, str::FromStr, sync::Mutex, time::Duration};

use session_core::store::RevocationVisibility;
use sqlx::{
    ConnectOptions as _, Connection, Sqlite, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::time;

use super::{Settings, pool};
use crate::{
    connections::{Connections, Lease},
    dialect::sqlite,
    error::ConnectError,
    held::ConnectionSource,
    migrate::{Migrations, prepare},
};

impl Settings {
    pub(super) async fn open_sqlite(self, url: &str) -> Result<Connections<Sqlite>, ConnectError> {
        self.has_no_schema()?;
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
    async fn open_memory(
        self,
        options: SqliteConnectOptions,
    ) -> Result<Connections<Sqlite>, ConnectError> {
        let anchor = options.connect().await?;
        let pool = self.sqlite_pool(1).connect_with(options).await?;
        prepare::<Sqlite>(&mut *pool.acquire().await?, &self.names, self.migrations).await?;
        Ok(Connections {
            anchor: Some(Mutex::new(anchor)),
            ..self.over(
                ConnectionSource::own(pool),
                RevocationVisibility::ThisProcessOnly,
            )
        })
    }

    /// SQLite lets one connection write at a time. One of our own for all writers makes them queue
    /// here, in the order in which they came, instead of polling the file's lock.
    async fn open_file(
        self,
        options: SqliteConnectOptions,
    ) -> Result<Connections<Sqlite>, ConnectError> {
        match self.migrations {
            Migrations::Apply => make_private(options.get_filename())?,
            Migrations::Require => must_be_there(options.get_filename())?,
        }
        let mut first = options
            .clone()
            .busy_timeout(OPENING_PATIENCE)
            .connect()
            .await?;
        write_ahead(&mut first).await?;
        prepare::<Sqlite>(&mut first, &self.names, self.migrations).await?;
        let writer = self.sqlite_pool(1).connect_with(options.clone()).await?;
        let readers = self.sqlite_pool(self.connections).connect_with(options);
        let connections = Connections {
            readers: ConnectionSource::own(readers.await?),
            ..self.over_file(ConnectionSource::own(writer))
        };
        first.close().await?;
        Ok(connections)
    }

    /// Shares an application's own pool, with its connections as they are.
    pub(super) async fn adopt_sqlite(
        self,
        pool: SqlitePool,
    ) -> Result<Connections<Sqlite>, ConnectError> {
        self.has_no_schema()?;
        let source = ConnectionSource::Shared(pool);
        let mut connection = Lease::of(&source).await?;
        let path: String = sqlx::query_scalar(sqlite::ASK_PATH)
            .fetch_one(&mut *connection)
            .await?;
        if !path.is_empty() {
            let synchronous: i64 = sqlx::query_scalar(sqlite::ASK_SYNCHRONOUS)
                .fetch_one(&mut *connection)
                .await?;
            if synchronous < sqlite::FULL {
                return Err(ConnectError::NotDurable);
            }
        }
        prepare::<Sqlite>(&mut connection, &self.names, self.migrations).await?;
        connection.give_back();
        Ok(self.over_file(source))
    }

    fn over_file(self, source: ConnectionSource<Sqlite>) -> Connections<Sqlite> {
        let poll_every = self.poll_every;
        self.over(source, RevocationVisibility::CommitOrder { poll_every })
    }

    fn has_no_schema(&self) -> Result<(), ConnectError> {
        match self.names.schema() {
            Some(_) => Err(ConnectError::ForeignSetting("schema")),
            None => Ok(()),
        }
    }

    fn sqlite_pool(&self, connections: u32) -> SqlitePoolOptions {
        pool(connections, self.timeout)
            .idle_timeout(None)
            .max_lifetime(None)
    }
}

fn is_in_memory(url: &str) -> bool {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    path.ends_with(":memory:") || query.split('&').any(|setting| setting == "mode=memory")
}

/// Makes the file before SQLite does, which would make it readable for everybody; the files beside
/// it get the same permissions from SQLite (security H18). Whoever gave wider ones to a file that is
/// there may have had a reason, so they are [found](crate::SqlxStore::findings) and not taken away.
fn make_private(path: &Path) -> Result<(), ConnectError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(ConnectError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A file that is made here would have no schema, and a wrong path would be found out later.
fn must_be_there(path: &Path) -> Result<(), ConnectError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(ConnectError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

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
