//! The connections of an open database, and how statements are run on them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use session_core::store::StoreError;
use sqlx::{Connection, Database, Pool, pool::PoolConnection, query::Query};
use tokio::time;

use crate::dialect::{Db, sqlite};

pub(crate) type DbRow = <Db as Database>::Row;
pub(crate) type DbQuery<'q> = Query<'q, Db, <Db as Database>::Arguments>;

/// The connections of an open database.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) writer: Pool<Db>,
    pub(crate) readers: Pool<Db>,
    pub(crate) timeout: Duration,
    pub(crate) place: Place,
    /// Keeps a database in memory alive while no other connection is open.
    #[expect(dead_code, reason = "nothing is done with it but to keep it open")]
    pub(crate) anchor: Option<Arc<Mutex<<Db as Database>::Connection>>>,
}

impl Connections {
    /// Runs one statement as a transaction of its own and returns how many rows it touched, which
    /// is the verdict of every race.
    pub(crate) async fn write(&self, query: DbQuery<'_>) -> Result<u64, StoreError> {
        self.in_time(async {
            let mut connection = self.for_writing().await?;
            let mut transaction = connection.begin_with(sqlite::BEGIN_WRITE).await?;
            let done = query.execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(done.rows_affected())
        })
        .await
    }

    pub(crate) async fn read(&self, query: DbQuery<'_>) -> Result<Vec<DbRow>, StoreError> {
        self.in_time(async { Ok(query.fetch_all(&self.readers).await?) })
            .await
    }

    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        match time::timeout(self.timeout, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failure::Store(error))) => Err(error),
            Ok(Err(Failure::Driver(error))) if sqlite::is_corrupt(&error) => {
                Err(StoreError::Corrupt("database"))
            }
            Ok(Err(Failure::Driver(error))) => Err(StoreError::Unavailable(Box::new(error))),
            Err(late) => Err(StoreError::Unavailable(Box::new(late))),
        }
    }

    /// A connection for one transaction.
    ///
    /// A transaction that the database ended by itself (no room, no memory, an I/O error) stays
    /// open in the driver's books, which then refuse the connection's next one for ever.
    pub(crate) async fn for_writing(&self) -> Result<PoolConnection<Db>, sqlx::Error> {
        let connection = self.writer.acquire().await?;
        if connection.is_in_transaction() {
            connection.close().await?;
            return self.writer.acquire().await;
        }
        Ok(connection)
    }
}

/// Where the database is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Memory,
    File { poll_every: Duration },
}

/// What can go wrong inside a transaction; either way it is rolled back.
pub(crate) enum Failure {
    Driver(sqlx::Error),
    Store(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
