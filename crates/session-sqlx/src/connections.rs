//! The connections of an open database, and how statements are run on them.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    ops::{Deref, DerefMut},
    sync::Mutex,
    time::Duration,
};

use session_core::store::{RevocationVisibility, StoreError};
use sqlx::{Connection, SqlSafeStr, SqlStr, Transaction};
use tokio::time::{self, Instant};

use crate::{
    dialect::{Dialect, Prepared, Trouble, Value},
    held::{ConnectionSource, Taken},
    names::Names,
    replica::{must_be_primary, refuse_replica},
};

/// The connections of an open database.
pub(crate) struct Connections<D: Dialect> {
    pub(crate) writer: ConnectionSource<D>,
    pub(crate) readers: ConnectionSource<D>,
    /// Whether the pools are an application's, which may leave a transaction open by dropping its
    /// `BEGIN` (security F1).
    pub(crate) shared: bool,
    pub(crate) names: Names,
    pub(crate) timeout: Duration,
    pub(crate) visibility: RevocationVisibility,
    /// How long a revocation may stay uncommitted, where that has to be known.
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "MySQL alone asks"))]
    pub(crate) longest_transaction: Duration,
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "MySQL alone asks"))]
    pub(crate) opened: Instant,
    /// Keeps a database in memory alive while no other connection is open.
    #[expect(dead_code, reason = "nothing is done with it but to keep it open")]
    pub(crate) anchor: Option<Mutex<D::Connection>>,
}

impl<D: Dialect> Connections<D> {
    /// Runs one statement that changes nothing and asks what the server is, and takes no answer from
    /// a replica, wherever the connections have come to lead (security H6).
    pub(crate) async fn read_primary(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<D::Row>, StoreError> {
        let sql = self.names.fill(sql);
        self.patiently(|| async {
            let mut lease = self.lease_to_read().await?;
            let done = lease.ask(sql.clone(), values).await;
            lease.finished(done.and_then(|rows| {
                refuse_replica::<D>(rows.first()).map_err(Failure::Unasked)?;
                Ok(rows)
            }))
        })
        .await
    }

    /// As [`read_primary`](Self::read_primary), for a page of a list, which is to come in the order
    /// of an index: the server is asked first, as sorting what is joined would read a whole index.
    pub(crate) async fn list_primary(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<D::Row>, StoreError> {
        let sql = self.names.fill(sql);
        self.patiently(|| async {
            let mut lease = self.lease_to_read().await?;
            let done = async {
                let asked = must_be_primary::<D>(&mut lease).await;
                asked.map_err(Failure::Unasked)?;
                lease.answer(sql.clone(), values, D::LISTS).await
            }
            .await;
            lease.finished(done)
        })
        .await
    }

    /// Runs one statement that changes nothing, on whatever server there is.
    pub(crate) async fn read(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<D::Row>, StoreError> {
        let sql = self.names.fill(sql);
        self.answer(sql, values, Prepared::Kept).await
    }

    /// As [`read`](Self::read), with the tables' names in their places.
    pub(crate) async fn answer(
        &self,
        sql: SqlStr,
        values: &[Value<'_>],
        prepared: Prepared,
    ) -> Result<Vec<D::Row>, StoreError> {
        self.patiently(|| async {
            let mut lease = self.lease_to_read().await?;
            let done = lease.answer(sql.clone(), values, prepared).await;
            lease.finished(done)
        })
        .await
    }

    /// A connection for statements that change nothing.
    pub(crate) async fn lease_to_read(&self) -> Result<Lease<D>, Failure> {
        let mut lease = Lease::of(&self.readers).await?;
        if let (true, Some(clear)) = (self.shared, D::CLEAR) {
            D::run(&mut lease, self.names.fill(clear))
                .await
                .map_err(Failure::Unasked)?;
        }
        Ok(lease)
    }

    fn most_connections(&self) -> u32 {
        [&self.writer, &self.readers]
            .map(|source| source.pool().options().get_max_connections())
            .into_iter()
            .fold(0, u32::max)
    }

    /// Makes an attempt again while other transactions are in its way, from its beginning, so that it
    /// reads anew what it decides by (security F17), and on another connection when one turns out
    /// to be dead before anything was asked of it.
    pub(crate) async fn patiently<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let persist = async {
            let (mut attempts, mut replaced) = (0, 0);
            let most_replaced = self.most_connections().saturating_add(1);
            loop {
                let failure = match attempt().await {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => failure,
                };
                match &failure {
                    // All connections of a pool may have died with the server.
                    Failure::Unasked(error)
                        if D::judge(error).ends_connection() && replaced < most_replaced =>
                    {
                        replaced += 1;
                    }
                    Failure::Unasked(error) | Failure::Driver(error)
                        if D::judge(error) == Trouble::Contention && attempts < MOST_RETRIES =>
                    {
                        attempts += 1;
                        time::sleep(pause(attempts)).await;
                    }
                    _ => return Err(failure),
                }
            }
        };
        match time::timeout(self.timeout, persist).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failure)) => Err(failure.into_error::<D>()),
            Err(late) => Err(StoreError::Unavailable(Box::new(late))),
        }
    }
}

impl<D: Dialect> fmt::Debug for Connections<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("database", &D::NAME)
            .field("visibility", &self.visibility)
            .finish_non_exhaustive()
    }
}

/// A statement and its parameters.
pub(crate) type Bound<'a> = (&'static str, &'a [Value<'a>]);

/// A connection for one piece of work.
///
/// When the work is dropped half-way, the connection is closed instead of being used by the next
/// one: a cancelled `BEGIN` leaves a transaction open that the driver does not know of, and the next
/// acknowledged write would never be committed (security F1, G11).
pub(crate) struct Lease<D: Dialect> {
    /// Until it is dropped.
    taken: Option<Taken<D>>,
    is_finished: bool,
    is_spoilt: bool,
}

impl<D: Dialect> Lease<D> {
    pub(crate) async fn of(source: &ConnectionSource<D>) -> Result<Self, sqlx::Error> {
        loop {
            let taken = source.take().await?;
            // A transaction that the database ended by itself (no room, no memory, an I/O error)
            // stays open in the driver's books, which then refuse the connection's next one for ever.
            if !taken.connection().is_in_transaction() {
                return Ok(Self {
                    taken: Some(taken),
                    is_finished: false,
                    is_spoilt: false,
                });
            }
            taken.close();
        }
    }

    /// Whether a statement that writes may be a transaction by itself on this connection. An
    /// application's may have a transaction open that nobody knows of, and its defaults; and what has
    /// been idle may be dead, which is to be found out before a write is on its way.
    pub(crate) fn commits_by_itself(&self) -> bool {
        self.taken.as_ref().is_some_and(Taken::is_known_to_live)
    }

    pub(crate) async fn begin(&mut self) -> Result<Transaction<'_, D>, Failure> {
        let begun = (**self).begin_with(D::BEGIN.into_sql_str()).await;
        begun.map_err(Failure::Unasked)
    }

    /// Runs a statement that changes nothing, and remembers it.
    pub(crate) async fn ask(
        &mut self,
        sql: SqlStr,
        values: &[Value<'_>],
    ) -> Result<Vec<D::Row>, Failure> {
        self.answer(sql, values, Prepared::Kept).await
    }

    /// Runs a statement that changes nothing.
    async fn answer(
        &mut self,
        sql: SqlStr,
        values: &[Value<'_>],
        prepared: Prepared,
    ) -> Result<Vec<D::Row>, Failure> {
        let answer = match prepared {
            Prepared::Kept => D::fetch(self, sql, values).await,
            Prepared::Once => D::fetch_once(self, sql, values).await,
        };
        answer.map_err(Failure::Unasked)
    }

    /// From now on the connection is not for the next one to use, whatever becomes of the work.
    pub(crate) fn spoil(&mut self) {
        self.is_spoilt = true;
    }

    /// Gives the connection back after work that went well.
    pub(crate) fn give_back(mut self) {
        self.is_finished = true;
    }

    /// Gives the connection back, unless it is of no more use.
    pub(crate) fn finished<T>(mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        self.is_finished = match &outcome {
            Ok(_) | Err(Failure::Store(_)) => true,
            Err(Failure::Driver(error) | Failure::Unasked(error)) => {
                error.as_database_error().is_some() && !D::judge(error).ends_connection()
            }
        };
        outcome
    }
}

impl<D: Dialect> Drop for Lease<D> {
    fn drop(&mut self) {
        match self.taken.take() {
            Some(taken) if self.is_finished && !self.is_spoilt => taken.give_back(),
            Some(taken) => taken.close(),
            None => {}
        }
    }
}

impl<D: Dialect> Deref for Lease<D> {
    type Target = D::Connection;

    #[expect(
        clippy::expect_used,
        reason = "taken away when it is dropped, and not before"
    )]
    fn deref(&self) -> &Self::Target {
        self.taken.as_ref().expect("a connection").connection()
    }
}

impl<D: Dialect> DerefMut for Lease<D> {
    #[expect(
        clippy::expect_used,
        reason = "taken away when it is dropped, and not before"
    )]
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.taken.as_mut().expect("a connection").connection_mut()
    }
}

/// What can go wrong inside a piece of work; either way a transaction is rolled back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Before anything was asked that could have changed something.
    Unasked(sqlx::Error),
    Driver(sqlx::Error),
    Store(StoreError),
}

impl Failure {
    pub(crate) fn into_error<D: Dialect>(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Driver(error) | Self::Unasked(error) => match D::judge(&error) {
                Trouble::Corrupt => StoreError::Corrupt("database"),
                _ => StoreError::Unavailable(Box::new(error)),
            },
        }
    }
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

/// Longer after each attempt, and of random length, so that those who were in each other's way do
/// not meet again.
fn pause(attempts: u32) -> Duration {
    let most = 5_u64 << attempts.min(6);
    let random = RandomState::new().hash_one(attempts);
    Duration::from_millis(random % most)
}

const MOST_RETRIES: u32 = 20;
