//! A database of its own for each test, on the servers that `cargo xtask` starts.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, SystemTime},
};

use session_sqlx::{ConnectOptions, SqlxStore};
use sqlx::{
    AssertSqlSafe, Connection, MySqlConnection, PgConnection, mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
};
use tokio::{runtime, sync::Mutex};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres,
    MySql,
}

impl Server {
    pub(crate) const ALL: [Self; 2] = [Self::Postgres, Self::MySql];

    /// The address of the server's own database.
    pub(crate) fn address(self) -> String {
        let variable = match self {
            Self::Postgres => "SESSION_TEST_POSTGRES_URL",
            Self::MySql => "SESSION_TEST_MYSQL_URL",
        };
        env::var(variable).unwrap_or_else(|_| {
            panic!(
                "{variable} is not set: `cargo xtask test` starts the servers that the tests need, \
                 and `cargo xtask services` keeps them for as long as you like"
            )
        })
    }

    pub(crate) async fn run(self, address: &str, script: &str) {
        let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
        match self {
            Self::Postgres => {
                let mut connection = PgConnection::connect(address).await.unwrap();
                script.execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::MySql => {
                let mut connection = MySqlConnection::connect(address).await.unwrap();
                script.execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// One number that a query answers.
    pub(crate) async fn ask(self, address: &str, query: &str) -> i64 {
        let query = AssertSqlSafe(query.to_owned());
        match self {
            Self::Postgres => {
                let mut connection = PgConnection::connect(address).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
            Self::MySql => {
                let mut connection = MySqlConnection::connect(address).await.unwrap();
                sqlx::query_scalar(query)
                    .fetch_one(&mut connection)
                    .await
                    .unwrap()
            }
        }
    }
}

/// A database that is made when it is first asked for and removed at the end.
pub(crate) struct Database {
    pub(crate) server: Server,
    name: String,
    encoding: &'static str,
    made: Mutex<bool>,
}

impl Database {
    pub(crate) fn on(server: Server) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        Self {
            server,
            name: format!("test_{now}_{}_{number}", process::id()),
            encoding: "",
            made: Mutex::new(false),
        }
    }

    /// On PostgreSQL, for texts of any bytes.
    pub(crate) fn not_unicode() -> Self {
        let mut database = Self::on(Server::Postgres);
        database.encoding = "ENCODING SQL_ASCII TEMPLATE template0 LOCALE 'C'";
        database
    }

    /// The address of the database.
    pub(crate) async fn url(&self) -> String {
        let server = self.server.address();
        let mut made = self.made.lock().await;
        if !*made {
            let create = format!("CREATE DATABASE {} {}", self.name, self.encoding);
            self.server.run(&server, &create).await;
            *made = true;
        }
        let (before, _) = server.rsplit_once('/').unwrap();
        format!("{before}/{}", self.name)
    }

    pub(crate) async fn run(&self, script: &str) {
        self.server.run(&self.url().await, script).await;
    }

    pub(crate) async fn ask(&self, query: &str) -> i64 {
        self.server.ask(&self.url().await, query).await
    }

    pub(crate) async fn options(&self) -> ConnectOptions {
        ConnectOptions::new(self.url().await).timeout(PATIENCE)
    }

    pub(crate) async fn store(&self) -> SqlxStore {
        SqlxStore::connect_with(self.options().await).await.unwrap()
    }

    /// A pool as an application opens it, whose transactions are isolated as far as this.
    pub(crate) async fn shared(&self, isolation: &'static str) -> ConnectOptions {
        let url = self.url().await;
        match self.server {
            Server::Postgres => {
                let pool = PgPoolOptions::new()
                    .after_connect(move |connection, _| {
                        let set = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL ";
                        let set = AssertSqlSafe(format!("{set}{isolation}"));
                        Box::pin(
                            async move { sqlx::raw_sql(set).execute(connection).await.map(drop) },
                        )
                    })
                    .connect(&url);
                ConnectOptions::over(pool.await.unwrap())
            }
            Server::MySql => {
                let pool = MySqlPoolOptions::new()
                    .after_connect(move |connection, _| {
                        let set = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES'; \
                                   SET SESSION TRANSACTION ISOLATION LEVEL ";
                        let set = AssertSqlSafe(format!("{set}{isolation}"));
                        Box::pin(
                            async move { sqlx::raw_sql(set).execute(connection).await.map(drop) },
                        )
                    })
                    .connect(&url);
                ConnectOptions::over(pool.await.unwrap())
            }
        }
        .timeout(PATIENCE)
    }
}

impl Drop for Database {
    /// In a thread, as it may be a runtime's that drops it.
    fn drop(&mut self) {
        if !*self.made.get_mut() {
            return;
        }
        let server = self.server;
        let force = match server {
            Server::Postgres => " WITH (FORCE)",
            Server::MySql => "",
        };
        let script = format!("DROP DATABASE {}{force}", self.name);
        let removed = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .unwrap()
                .block_on(server.run(&server.address(), &script));
        });
        // A test that failed already is not to end the process.
        let is_removed = removed.join().is_ok() || thread::panicking();
        assert!(is_removed, "the database cannot be removed");
    }
}

/// A machine that is busy with other tests is not what the tests ask about.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
