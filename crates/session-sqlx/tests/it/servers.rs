//! Stores on a database of a test's own.

pub(crate) use databases::{Database, PATIENCE, Server};
use session_sqlx::{ConnectOptions, SqlxStore};
use sqlx::{AssertSqlSafe, mysql::MySqlPoolOptions, postgres::PgPoolOptions};

/// The ways in which a test opens a store.
pub(crate) trait Opening {
    async fn options(&self) -> ConnectOptions;

    async fn store(&self) -> SqlxStore;

    /// A pool as an application opens it, whose transactions are isolated as far as this.
    async fn shared(&self, isolation: &'static str) -> ConnectOptions;
}

impl Opening for Database {
    async fn options(&self) -> ConnectOptions {
        ConnectOptions::new(self.url().await).timeout(PATIENCE)
    }

    async fn store(&self) -> SqlxStore {
        SqlxStore::connect_with(self.options().await).await.unwrap()
    }

    async fn shared(&self, isolation: &'static str) -> ConnectOptions {
        let url = self.url().await;
        match self.server() {
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
