//! Opens MySQL and MariaDB.

use std::str::FromStr;

use session_core::store::RevocationVisibility;
use sqlx::{
    ConnectOptions as _, Connection, MySql, MySqlConnection, MySqlPool, mysql::MySqlConnectOptions,
};

use super::{Settings, not_primary, pool};
use crate::{
    connections::{Connections, Lease},
    dialect::mysql,
    error::ConnectError,
    held::ConnectionSource,
    migrate::prepare,
    replica::must_be_primary,
};

impl Settings {
    pub(super) async fn open_mysql(self, url: &str) -> Result<Connections<MySql>, ConnectError> {
        let options = MySqlConnectOptions::from_str(url)
            .map_err(|_| ConnectError::UnknownAddress)?
            .disable_statement_logging();
        // Without the timeouts of the others, as whoever starts first keeps the rest waiting.
        let mut first = options.connect().await?;
        let version: String = sqlx::query_scalar(mysql::ASK_VERSION)
            .fetch_one(&mut first)
            .await?;
        for set in [mysql::SET_STRICT, mysql::SET_TRANSACTIONS] {
            sqlx::raw_sql(set).execute(&mut first).await?;
        }
        self.prepare_mysql(&mut first).await?;
        first.close().await?;
        let is_mariadb = version.contains("MariaDB");
        let timeout = self.servers_patience();
        let pool = pool(self.connections, self.timeout)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    must_be_primary::<MySql>(connection).await?;
                    for set in [mysql::SET_STRICT, mysql::SET_TRANSACTIONS] {
                        sqlx::raw_sql(set).execute(&mut *connection).await?;
                    }
                    // Whole seconds, and not less than one.
                    let seconds = timeout.as_millis().div_ceil(1000).min(1_000_000);
                    sqlx::query(mysql::SET_LOCK_TIMEOUT)
                        .bind(i64::try_from(seconds).unwrap_or(i64::MAX))
                        .execute(&mut *connection)
                        .await?;
                    let (set, amount) = if is_mariadb {
                        (mysql::SET_MARIADB_TIMEOUT, timeout.as_micros())
                    } else {
                        (mysql::SET_MYSQL_TIMEOUT, timeout.as_millis())
                    };
                    sqlx::query(set)
                        .bind(i64::try_from(amount).unwrap_or(i64::MAX))
                        .execute(connection)
                        .await
                        .map(drop)
                })
            })
            .connect_lazy_with(options);
        Ok(self.over_mysql(ConnectionSource::own(pool)))
    }

    pub(super) async fn adopt_mysql(
        self,
        pool: MySqlPool,
    ) -> Result<Connections<MySql>, ConnectError> {
        let source = ConnectionSource::Shared(pool);
        let mut connection = Lease::of(&source).await?;
        self.prepare_mysql(&mut connection).await?;
        connection.give_back();
        Ok(self.over_mysql(source))
    }

    async fn prepare_mysql(&self, connection: &mut MySqlConnection) -> Result<(), ConnectError> {
        must_be_primary::<MySql>(connection)
            .await
            .map_err(not_primary)?;
        let is_strict: i64 = sqlx::query_scalar(mysql::ASK_STRICT)
            .fetch_one(&mut *connection)
            .await?;
        if is_strict != 1 {
            return Err(ConnectError::NotStrict);
        }
        let logs_statements: i64 = sqlx::query_scalar(mysql::ASK_LOGS_STATEMENTS)
            .fetch_one(&mut *connection)
            .await?;
        if logs_statements != 0 {
            return Err(ConnectError::LogsStatements);
        }
        prepare::<MySql>(connection, &self.names, self.migrations).await
    }

    fn over_mysql(self, source: ConnectionSource<MySql>) -> Connections<MySql> {
        let poll_every = self.poll_every;
        self.over(source, RevocationVisibility::AnyOrder { poll_every })
    }
}
