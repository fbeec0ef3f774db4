//! `RedisStore`: each operation once, as one script; the look at a session without one.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    asking::Asking,
    connection::Connection,
    error::{ConnectError, MemoryLost},
    findings,
    memory::Memory,
    options::ConnectOptions,
    place::{Answer, Place},
    row::{
        FIELDS, Row, handle_of, key_of, node_of, session_of, session_to_fields, session_with,
        time_of, time_to_text,
    },
    scripts::Scripts,
};
use async_trait::async_trait;
use redis::{FromRedisValue, Script, ToRedisArgs};
use session_core::{
    KeyId, NodeId, SessionHandle,
    finding::Finding,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};

/// Keeps sessions and keys in a Redis or Valkey server.
///
/// A clone is another handle on the same connection.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    asking: Asking,
    poll_every: Duration,
    scripts: Scripts,
    memory: Memory,
}

impl RedisStore {
    /// Opens the store on the server at `url`, with the settings' defaults.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, ConnectError> {
        Self::connect_with(ConnectOptions::new(url)).await
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect_with(options: ConnectOptions) -> Result<Self, ConnectError> {
        let (prefix, poll_every) = (options.key_prefix()?, options.poll_every);
        let (limit, distrust) = (options.timeout, options.distrust);
        let connection = Connection::open(options).await?;
        let scripts = Scripts::new();
        let asking = Asking {
            connection,
            prefix,
            timeout: limit,
        };
        let answer: Answer = asking
            .ask(&scripts.revocations_since, Place::default().as_arguments(1))
            .await
            .map_err(|error| ConnectError::Server(Box::new(error)))?;
        Ok(Self(Arc::new(Inner {
            asking,
            poll_every,
            scripts,
            memory: Memory::new(answer.epoch, distrust),
        })))
    }

    /// The answer of a script.
    async fn ask<T: FromRedisValue>(
        &self,
        script: &Script,
        arguments: impl ToRedisArgs,
    ) -> Result<T, StoreError> {
        self.0.asking.ask(script, arguments).await
    }

    /// The outcome of a script that changes a row.
    async fn update(
        &self,
        script: &Script,
        arguments: impl ToRedisArgs,
    ) -> Result<Updated, StoreError> {
        let said: String = self.ask(script, arguments).await?;
        match &*said {
            "updated" => Ok(Updated::Updated),
            "conflict" => Ok(Updated::Conflict),
            "gone" => Ok(Updated::Gone),
            _ => Err(StoreError::Corrupt("answer")),
        }
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.0.asking.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let fields = session_to_fields(session);
        let arguments = (session.handle.as_str(), &fields[..]);
        let is_new: bool = self.ask(&self.0.scripts.create, arguments).await?;
        Ok(if is_new {
            Created::Created
        } else {
            Created::HandleTaken
        })
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        let key = format!("{}s:{handle}", self.0.asking.prefix);
        let fields = self.0.asking.fields(&key, &FIELDS).await?;
        session_with(handle, fields)
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        let arguments = (
            rotation.handle.as_str(),
            rotation.from_generation,
            time_to_text(rotation.at_ms),
            rotation.to_generation,
            &rotation.secret_hash[..],
            rotation.refresh_key.as_str(),
            rotation.rotations.to_text(),
            time_to_text(rotation.expires_at_ms),
            time_to_text(rotation.access_expires_at_ms),
        );
        let moved: bool = self.ask(&self.0.scripts.rotate, arguments).await?;
        Ok(if moved {
            Rotated::Rotated
        } else {
            Rotated::Lost
        })
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let next_version = expected_version.wrapping_add(1);
        let arguments = (handle.as_str(), expected_version, next_version, payload);
        self.update(&self.0.scripts.update_payload, arguments).await
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        let arguments = (handle.as_str(), data);
        self.update(&self.0.scripts.update_data, arguments).await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        scope.within_limits()?;
        let skew_ms = i64::try_from(retention.skew.as_millis()).unwrap_or(i64::MAX);
        let arguments = (
            format!("{skew_ms:020}"),
            time_to_text(retention.at_least_until_ms),
            scope_to_arguments(scope),
        );
        let ended: Vec<(Vec<u8>, Vec<u8>)> = self.ask(&self.0.scripts.revoke, arguments).await?;
        ended
            .into_iter()
            .map(|(handle, ends)| {
                Ok(RevokedSession {
                    handle: handle_of(handle)?,
                    expires_at_ms: time_of(&ends)?,
                })
            })
            .collect()
    }

    async fn list(
        &self,
        scope: &SessionScope,
        now_ms: i64,
        after: Option<&SessionRecord>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        scope.within_limits()?;
        let after = after.map(|row| format!("{}{}", time_to_text(row.created_at_ms), row.handle));
        let arguments = (
            time_to_text(now_ms),
            limit,
            after.unwrap_or_default(),
            scope_to_arguments(scope),
        );
        let rows: Vec<Row> = self.ask(&self.0.scripts.list, arguments).await?;
        rows.into_iter().map(session_of).collect()
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        let limit = limit.min(MOST_IN_A_PAGE);
        let mut place = Place::of(&cursor);
        let arguments = place.as_arguments(limit);
        let answer: Answer = self
            .ask(&self.0.scripts.revocations_since, arguments)
            .await?;
        if !self.0.memory.is_whole(answer.epoch) {
            return Err(StoreError::Unavailable(Box::new(MemoryLost)));
        }
        place.is_now_at(&answer);
        let more = u32::try_from(answer.entries.len()).is_ok_and(|entries| entries == limit);
        Ok(RevocationPage {
            revoked: answer.living_at(now_ms)?,
            next: place.into_cursor(),
            more,
        })
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let rows: Vec<Row> = self.ask(&self.0.scripts.load_keys, NOTHING).await?;
        let keys: Result<Vec<KeyRecord>, StoreError> = rows.into_iter().map(key_of).collect();
        let mut keys = keys?;
        keys.sort_by(|one, other| {
            (other.created_at_ms, &one.id).cmp(&(one.created_at_ms, &other.id))
        });
        Ok(keys)
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let arguments = (
            key.id.as_str(),
            key.purpose.as_str(),
            &*key.algorithm,
            time_to_text(key.created_at_ms),
            &key.material[..],
            u8::from(key.sealed_under.is_some()),
            key.sealed_under.as_deref().unwrap_or_default(),
            time_to_text(unless_newer_than_ms),
        );
        let inserted: bool = self.ask(&self.0.scripts.insert_key, arguments).await?;
        Ok(if inserted {
            KeyInserted::Inserted
        } else {
            KeyInserted::FresherExists
        })
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        let arguments = (
            key.id.as_str(),
            &key.material[..],
            u8::from(key.sealed_under.is_some()),
            key.sealed_under.as_deref().unwrap_or_default(),
        );
        self.update(&self.0.scripts.reseal_key, arguments).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.update(&self.0.scripts.remove_key, id.as_str()).await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        let arguments = (time_to_text(now_ms), limit);
        let (sessions, revocations) = self.ask(&self.0.scripts.purge_expired, arguments).await?;
        Ok(Purged {
            sessions,
            revocations,
        })
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let arguments = (
            node.id.as_str(),
            node.name.as_str(),
            format!("{:020}", node.acknowledged),
            lease_ms,
        );
        self.ask::<String>(&self.0.scripts.attend, arguments)
            .await?;
        Ok(())
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.ask::<String>(&self.0.scripts.leave, node.as_str())
            .await?;
        Ok(())
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        let rows: Vec<Row> = self.ask(&self.0.scripts.attending, NOTHING).await?;
        rows.into_iter().map(node_of).collect()
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        self.ask(&self.0.scripts.barrier, NOTHING).await
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        self.ask(&self.0.scripts.raise_barrier, NOTHING).await
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        let (seconds, micros): (i64, i64) = self.ask(&self.0.scripts.clock, NOTHING).await?;
        Ok(Some(
            seconds.saturating_mul(1000).saturating_add(micros / 1000),
        ))
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        // Of the node that the next operation is asked of, which in a cluster another may have become.
        self.clock_ms().await?;
        let ask = |mut manager| async move { findings::of_server(&mut manager).await };
        self.0.asking.answered(ask).await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        // One script after the other: places are given out in the order of the commits.
        RevocationVisibility::CommitOrder {
            poll_every: self.0.poll_every,
        }
    }
}

/// A scope in the words of the scripts.
fn scope_to_arguments(scope: &SessionScope) -> Vec<&str> {
    match scope {
        SessionScope::Handles(handles) => std::iter::once("handles")
            .chain(handles.iter().map(SessionHandle::as_str))
            .collect(),
        SessionScope::User {
            user,
            tenant,
            except,
        } => vec![
            "user",
            user.as_str(),
            tenant.as_ref().map_or("", |tenant| tenant.as_str()),
            except.as_ref().map_or("", SessionHandle::as_str),
        ],
        SessionScope::Tenant(tenant) => vec!["tenant", tenant.as_str()],
    }
}

/// The arguments of a script that takes none.
const NOTHING: &[&str] = &[];

/// So many that a page does not hold the server up.
const MOST_IN_A_PAGE: u32 = 10_000;
