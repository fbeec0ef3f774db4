//! Opens PostgreSQL.

use std::str::FromStr;

use session_core::store::RevocationVisibility;
use sqlx::{
    ConnectOptions as _, Connection, PgConnection, PgPool, Postgres, postgres::PgConnectOptions,
};

use super::{Settings, not_primary, pool};
use crate::{
    connections::{Connections, Lease},
    dialect::postgres,
    error::ConnectError,
    held::ConnectionSource,
    migrate::prepare,
    replica::must_be_primary,
};

impl Settings {
    pub(super) async fn open_postgres(
        self,
        url: &str,
    ) -> Result<Connections<Postgres>, ConnectError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| ConnectError::UnknownAddress)?
            .disable_statement_logging();
        // Without the timeouts of the others, as whoever starts first keeps the rest waiting.
        let mut first = options.connect().await?;
        self.prepare_postgres(&mut first).await?;
        first.close().await?;
        let milliseconds = self.servers_patience().as_millis().to_string();
        let pool = pool(self.connections, self.timeout)
            .after_connect(move |connection, _| {
                let milliseconds = milliseconds.clone();
                Box::pin(async move {
                    must_be_primary::<Postgres>(connection).await?;
                    let set = sqlx::query(postgres::SET_TIMEOUTS).bind(milliseconds);
                    set.execute(connection).await.map(drop)
                })
            })
            .connect_lazy_with(options);
        Ok(self.over_postgres(ConnectionSource::own(pool)))
    }

    pub(super) async fn adopt_postgres(
        self,
        pool: PgPool,
    ) -> Result<Connections<Postgres>, ConnectError> {
        let source = ConnectionSource::Shared(pool);
        let mut connection = Lease::of(&source).await?;
        self.prepare_postgres(&mut connection).await?;
        connection.give_back();
        Ok(self.over_postgres(source))
    }

    async fn prepare_postgres(&self, connection: &mut PgConnection) -> Result<(), ConnectError> {
        must_be_primary::<Postgres>(connection)
            .await
            .map_err(not_primary)?;
        let encoding: String = sqlx::query_scalar(postgres::ASK_ENCODING)
            .fetch_one(&mut *connection)
            .await?;
        if encoding != "UTF8" {
            return Err(ConnectError::NotUnicode(encoding));
        }
        prepare::<Postgres>(connection, &self.names, self.migrations).await
    }

    fn over_postgres(self, source: ConnectionSource<Postgres>) -> Connections<Postgres> {
        let poll_every = self.poll_every;
        self.over(source, RevocationVisibility::AnyOrder { poll_every })
    }
}
