//! The SQL servers, and a database on them for each test.

use std::thread;

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};
use tokio::{runtime, sync::Mutex};

use crate::{address, unused_name};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests cover each")]
pub enum Server {
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    MySql,
}

impl Server {
    /// Every server.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::MySql];

    /// The address of the server's own database.
    pub fn address(self) -> String {
        address(match self {
            Self::Postgres => "SESSION_TEST_POSTGRES_URL",
            Self::MySql => "SESSION_TEST_MYSQL_URL",
        })
    }

    /// Runs statements in the database at an address.
    pub async fn run(self, address: &str, script: &str) {
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

    /// One text that a query answers in the database at an address.
    pub async fn ask_text(self, address: &str, query: &str) -> String {
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

    /// One number that a query answers in the database at an address.
    pub async fn ask(self, address: &str, query: &str) -> i64 {
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
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
    encoding: &'static str,
    made: Mutex<bool>,
}

impl Database {
    /// A new database.
    pub fn on(server: Server) -> Self {
        Self {
            server,
            name: unused_name(),
            encoding: "",
            made: Mutex::new(false),
        }
    }

    /// On PostgreSQL, for texts of any bytes.
    pub fn not_unicode() -> Self {
        let mut database = Self::on(Server::Postgres);
        database.encoding = "ENCODING SQL_ASCII TEMPLATE template0 LOCALE 'C'";
        database
    }

    /// Which server it is on.
    pub fn server(&self) -> Server {
        self.server
    }

    /// The address of the database.
    pub async fn url(&self) -> String {
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

    /// Runs statements in it.
    pub async fn run(&self, script: &str) {
        self.server.run(&self.url().await, script).await;
    }

    /// One number that a query answers in it.
    pub async fn ask(&self, query: &str) -> i64 {
        self.server.ask(&self.url().await, query).await
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
