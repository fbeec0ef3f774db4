//! A connection that is held, and the store's own statements prepared on it: what a read or a write
//! costs without a pool, without a store and without a service.

use std::{path::PathBuf, str::FromStr};

use databases::{Database, Server, redis_address, unused_name};
use redis::aio::MultiplexedConnection;
use session_core::{SessionHandle, store::SessionRecord};
use session_redis::RedisStore;
use session_sqlx::{Plan, SqlxStore};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, MySqlConnection, PgConnection, SqlSafeStr, SqlStr,
    SqliteConnection,
    mysql::MySqlConnectOptions,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
    Redis,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::MariaDb, Self::Redis];

    /// As the names of rows have it.
    pub(crate) fn in_names(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb",
            Self::Redis => "redis",
        }
    }

    /// As it calls itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Redis => "Redis",
        }
    }
}

/// Where a database is that ends with this value.
pub(crate) enum Place {
    File(TempDir),
    Server(Database),
    Redis { prefix: String },
}

impl Place {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::File(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Server(Database::on(Server::Postgres)),
            Kind::MariaDb => Self::Server(Database::on(Server::MySql)),
            Kind::Redis => Self::Redis {
                prefix: unused_name(),
            },
        }
    }

    /// Opens a store of SQL there.
    pub(crate) async fn sql_store(&self) -> SqlxStore {
        SqlxStore::connect(self.url().await).await.unwrap()
    }

    /// Opens a store of Redis there.
    pub(crate) async fn redis_store(&self) -> RedisStore {
        let options = session_redis::ConnectOptions::new(self.url().await);
        let options = match self {
            Self::Redis { prefix } => options.prefix(prefix),
            Self::File(_) | Self::Server(_) => options,
        };
        RedisStore::connect_with(options).await.unwrap()
    }

    /// How long the file is.
    pub(crate) fn bytes(&self) -> i64 {
        match self {
            Self::File(folder) => i64::try_from(file_in(folder).metadata().unwrap().len()).unwrap(),
            Self::Server(_) | Self::Redis { .. } => panic!("not a file"),
        }
    }

    /// Where a store finds it.
    pub(crate) async fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite://{}", file_in(folder).display()),
            Self::Server(database) => database.url().await,
            Self::Redis { .. } => redis_address(),
        }
    }
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("sessions.db")
}

/// A connection that is held.
pub(crate) enum Held {
    Sqlite(SqliteConnection, Statements),
    Postgres(PgConnection, Statements),
    MySql(MySqlConnection, Statements),
    /// With what the names of sessions' keys begin with.
    Redis(MultiplexedConnection, String),
}

/// The statements of a store of SQL, word for word.
#[derive(Clone)]
pub(crate) struct Statements {
    get: SqlStr,
    rotate: SqlStr,
}

/// The values of an update that moves a session on by a generation.
pub(crate) struct Step {
    pub(crate) handle: SessionHandle,
    pub(crate) generation: i64,
    pub(crate) rotations: String,
    pub(crate) now_ms: i64,
}

impl Statements {
    /// As the store says itself that it asks.
    pub(crate) async fn of(store: &SqlxStore, session: &SessionRecord) -> Self {
        let plans = store.plans(session).await.unwrap();
        let text_of = |operation| {
            let asked = |plan: &&Plan| plan.operation() == operation;
            let plan = plans.iter().find(asked).unwrap();
            AssertSqlSafe(plan.statement().to_owned()).into_sql_str()
        };
        Self {
            get: text_of("get"),
            rotate: text_of("rotate"),
        }
    }
}

impl Held {
    /// A connection to a database of SQL, with the durability that the store has.
    pub(crate) async fn on(kind: Kind, place: &Place, statements: &Statements) -> Self {
        let (url, statements) = (place.url().await, statements.clone());
        match kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::from_str(&url).unwrap();
                let options = options.synchronous(SqliteSynchronous::Full);
                let connection = options.disable_statement_logging().connect().await;
                Self::Sqlite(connection.unwrap(), statements)
            }
            Kind::Postgres => {
                let options = PgConnectOptions::from_str(&url).unwrap();
                let connection = options.disable_statement_logging().connect().await;
                Self::Postgres(connection.unwrap(), statements)
            }
            Kind::MariaDb => {
                let options = MySqlConnectOptions::from_str(&url).unwrap();
                let connection = options.disable_statement_logging().connect().await;
                Self::MySql(connection.unwrap(), statements)
            }
            Kind::Redis => panic!("Redis has no statements"),
        }
    }

    /// A connection to Redis, for sessions with keys like that of `handle`.
    pub(crate) async fn on_redis(place: &Place, handle: &SessionHandle) -> Self {
        let client = redis::Client::open(place.url().await).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let Place::Redis { prefix } = place else {
            panic!("not on Redis");
        };
        let mut search = redis::cmd("KEYS");
        search.arg(format!("*{prefix}*s:{handle}"));
        let keys: Vec<String> = search.query_async(&mut connection).await.unwrap();
        let key = keys.first().unwrap();
        let beginning = key.strip_suffix(handle.as_str()).unwrap();
        Self::Redis(connection, beginning.to_owned())
    }

    /// Another one like this on the same connection, where many may use one at once.
    pub(crate) fn shared(&self) -> Option<Self> {
        match self {
            Self::Redis(connection, beginning) => {
                Some(Self::Redis(connection.clone(), beginning.clone()))
            }
            _ => None,
        }
    }

    /// Reads the row of a session and looks at nothing in it.
    pub(crate) async fn read(&mut self, handle: &SessionHandle) {
        match self {
            Self::Sqlite(connection, statements) => {
                let query = sqlx::query(statements.get.clone()).bind(handle.as_str());
                drop(query.fetch_one(connection).await.unwrap());
            }
            Self::Postgres(connection, statements) => {
                let query = sqlx::query(statements.get.clone()).bind(handle.as_str());
                drop(query.fetch_one(connection).await.unwrap());
            }
            Self::MySql(connection, statements) => {
                let handle = handle.as_str().as_bytes();
                let query = sqlx::query(statements.get.clone()).bind(handle);
                drop(query.fetch_one(connection).await.unwrap());
            }
            Self::Redis(connection, beginning) => {
                let mut ask = redis::cmd("HVALS");
                ask.arg(format!("{beginning}{handle}"));
                let row: Vec<Vec<u8>> = ask.query_async(connection).await.unwrap();
                assert!(!row.is_empty());
            }
        }
    }

    /// Moves the row of a session on by a generation, committed when it returns.
    pub(crate) async fn rotate(&mut self, step: &Step) {
        // The values of the statement, in its order, which is that of all databases.
        macro_rules! moved {
            ($connection:expr, $statements:expr) => {
                sqlx::query($statements.rotate.clone())
                    .bind(step.generation + 1)
                    .bind(&[8_u8; 32][..])
                    .bind("r-0f8fad5b")
                    .bind(&*step.rotations)
                    .bind(step.now_ms)
                    .bind(step.now_ms + LATER_MS)
                    .bind(step.now_ms + LATER_MS)
                    .bind(step.handle.as_str())
                    .bind(step.generation)
                    .bind(step.now_ms)
                    .execute($connection)
                    .await
                    .unwrap()
                    .rows_affected()
            };
        }
        let moved = match self {
            Self::Sqlite(connection, statements) => moved!(connection, statements),
            Self::Postgres(connection, statements) => moved!(connection, statements),
            Self::MySql(..) | Self::Redis(..) => panic!("not measured there"),
        };
        assert_eq!(moved, 1);
    }
}

const LATER_MS: i64 = 3_600_000;
