//! `SqlxStore`: every operation once, whatever the database.

use std::{fmt, time::Duration};

use serde_json::{Value, json};
use session_core::{
    KeyId, SessionHandle, async_trait,
    store::{
        Created, KeyInserted, KeyRecord, Purged, RevocationCursor, RevocationPage,
        RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord, SessionScope,
        SessionStore, StoreError, Updated,
    },
};
use sqlx::{Connection, Pool};

use crate::{
    connections::{Connections, DbQuery, Place},
    dialect::{ByScope, Db, Statements, sqlite},
    error::ConnectError,
    open::ConnectOptions,
    row,
};

/// Keeps sessions and keys in a SQL database.
///
/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct SqlxStore {
    connections: Connections,
    sql: &'static Statements,
}

impl SqlxStore {
    /// Opens the database at `url` with the defaults of [`ConnectOptions`]: `sqlite://` and a path,
    /// or `sqlite::memory:`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::new(url)).await
    }

    /// Opens a database.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect_with(options: ConnectOptions) -> Result<Self, ConnectError> {
        Ok(Self {
            connections: options.open().await?,
            sql: &sqlite::STATEMENTS,
        })
    }

    /// Shares a pool that the application has already, and adds the tables to its database.
    ///
    /// Its settings hold, so it must write with `synchronous = FULL`, and writers wait for one
    /// another as long as its busy timeout says. A write-ahead log is recommended.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn from_pool(pool: Pool<Db>) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::over(pool)).await
    }
}

impl fmt::Debug for SqlxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlxStore")
            .field("place", &self.connections.place)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for SqlxStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let query = sqlx::query(self.sql.create)
            .bind(session.handle.as_str())
            .bind(session.tenant.as_str())
            .bind(session.user.as_str())
            .bind(session.generation.cast_signed())
            .bind(session.secret_hash.as_slice())
            .bind(session.refresh_key.as_str())
            .bind(session.rotations.to_text())
            .bind(&*session.payload)
            .bind(session.payload_version.cast_signed())
            .bind(&*session.data)
            .bind(session.created_at_ms)
            .bind(session.refreshed_at_ms)
            .bind(session.expires_at_ms)
            .bind(session.absolute_expires_at_ms)
            .bind(session.access_expires_at_ms)
            .bind(session.handle.as_str());
        Ok(match self.connections.write(query).await? {
            0 => Created::HandleTaken,
            _ => Created::Created,
        })
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        let query = sqlx::query(self.sql.get).bind(handle.as_str());
        self.connections
            .read(query)
            .await?
            .first()
            .map(row::session)
            .transpose()
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        let query = sqlx::query(self.sql.rotate)
            .bind(rotation.to_generation.cast_signed())
            .bind(rotation.secret_hash.as_slice())
            .bind(rotation.refresh_key.as_str())
            .bind(rotation.rotations.to_text())
            .bind(rotation.at_ms)
            .bind(rotation.expires_at_ms)
            .bind(rotation.access_expires_at_ms)
            .bind(rotation.handle.as_str())
            .bind(rotation.from_generation.cast_signed())
            .bind(rotation.at_ms);
        Ok(match self.connections.write(query).await? {
            0 => Rotated::Lost,
            _ => Rotated::Rotated,
        })
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let query = sqlx::query(self.sql.update_payload)
            .bind(expected_version.wrapping_add(1).cast_signed())
            .bind(payload)
            .bind(handle.as_str())
            .bind(expected_version.cast_signed());
        if self.connections.write(query).await? > 0 {
            return Ok(Updated::Updated);
        }
        // Nothing was written; this only tells the caller whether reading again makes sense.
        let present = sqlx::query(self.sql.get).bind(handle.as_str());
        let gone = self.connections.read(present).await?.is_empty();
        Ok(if gone {
            Updated::Gone
        } else {
            Updated::Conflict
        })
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        let query = sqlx::query(self.sql.update_data)
            .bind(data)
            .bind(handle.as_str());
        self.connections.write(query).await.map(updated)
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        skew: Duration,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        scope.within_limits()?;
        let handles = handles_of(scope);
        self.connections
            .in_time(async {
                let mut connection = self.connections.for_writing().await?;
                let mut transaction = connection.begin_with(sqlite::BEGIN_WRITE).await?;
                let revoked: Vec<RevokedSession> = scoped(&self.sql.delete, scope, &handles)
                    .fetch_all(&mut *transaction)
                    .await?
                    .iter()
                    .map(|row| row::ended(row, skew))
                    .collect::<Result<_, StoreError>>()?;
                if !revoked.is_empty() {
                    sqlx::query(self.sql.record)
                        .bind(records(&revoked))
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
                Ok(revoked)
            })
            .await
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        scope.within_limits()?;
        let handles = handles_of(scope);
        // No handle is empty, so this is before the first.
        let (created_at_ms, handle) = after.map_or((i64::MIN, ""), |row| {
            (row.created_at_ms, row.handle.as_str())
        });
        let query = scoped(&self.sql.list, scope, &handles)
            .bind(now_ms)
            .bind(created_at_ms)
            .bind(handle)
            .bind(limit);
        self.connections
            .read(query)
            .await?
            .iter()
            .map(row::session)
            .collect()
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let query = sqlx::query(self.sql.revocations_since)
            .bind(i64::try_from(cursor.0).unwrap_or(i64::MAX))
            .bind(now_ms)
            .bind(limit);
        let rows = self.connections.read(query).await?;
        let mut next = cursor;
        let mut revoked = Vec::with_capacity(rows.len());
        for row in &rows {
            let (number, one) = row::revocation(row)?;
            next = RevocationCursor(number.cast_unsigned());
            revoked.push(one);
        }
        Ok(RevocationPage {
            more: u32::try_from(revoked.len()) == Ok(limit),
            revoked,
            next,
        })
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let query = sqlx::query(self.sql.load_keys);
        self.connections
            .read(query)
            .await?
            .iter()
            .map(row::key)
            .collect()
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let query = sqlx::query(self.sql.insert_key)
            .bind(key.id.as_str())
            .bind(key.purpose.as_str())
            .bind(&*key.algorithm)
            .bind(key.created_at_ms)
            .bind(key.material.as_slice())
            .bind(key.sealed_under.as_deref())
            .bind(key.purpose.as_str())
            .bind(unless_newer_than_ms);
        Ok(match self.connections.write(query).await? {
            0 => KeyInserted::FresherExists,
            _ => KeyInserted::Inserted,
        })
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        let query = sqlx::query(self.sql.reseal_key)
            .bind(key.material.as_slice())
            .bind(key.sealed_under.as_deref())
            .bind(key.id.as_str());
        self.connections.write(query).await.map(updated)
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        let query = sqlx::query(self.sql.remove_key).bind(id.as_str());
        self.connections.write(query).await.map(updated)
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        let purge = |text| sqlx::query(text).bind(now_ms).bind(limit).bind(now_ms);
        Ok(Purged {
            sessions: self
                .connections
                .write(purge(self.sql.purge_sessions))
                .await?,
            revocations: self
                .connections
                .write(purge(self.sql.purge_revocations))
                .await?,
        })
    }

    /// SQLite has no clock but this machine's.
    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        match self.connections.place {
            Place::Memory => RevocationVisibility::ThisProcessOnly,
            Place::File { poll_every } => RevocationVisibility::CommitOrder { poll_every },
        }
    }
}

/// The statement for this kind of scope with the scope bound; `handles` is [`handles_of`] it.
fn scoped<'q>(statements: &ByScope, scope: &'q SessionScope, handles: &'q str) -> DbQuery<'q> {
    match scope {
        SessionScope::User {
            user,
            tenant,
            except,
        } => sqlx::query(statements.user)
            .bind(user.as_str())
            .bind(tenant.as_ref().map(AsRef::as_ref))
            .bind(except.as_ref().map(AsRef::as_ref)),
        SessionScope::Tenant(tenant) => sqlx::query(statements.tenant).bind(tenant.as_str()),
        SessionScope::Handles(_) => sqlx::query(statements.handles).bind(handles),
    }
}

fn updated(rows: u64) -> Updated {
    match rows {
        0 => Updated::Gone,
        _ => Updated::Updated,
    }
}

/// The handles of a scope as a JSON list: one parameter, however many there are.
fn handles_of(scope: &SessionScope) -> String {
    match scope {
        SessionScope::Handles(handles) => {
            let handles = handles.iter().map(AsRef::<str>::as_ref);
            handles.collect::<Value>().to_string()
        }
        SessionScope::User { .. } | SessionScope::Tenant(_) => String::new(),
    }
}

/// Revocations as a JSON list.
fn records(revoked: &[RevokedSession]) -> String {
    let records = revoked
        .iter()
        .map(|one| json!([one.handle.as_str(), one.expires_at_ms]));
    records.collect::<Value>().to_string()
}
