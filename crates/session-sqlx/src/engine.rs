//! Every operation once, whatever the database.

use std::time::Duration;

use session_core::{
    KeyId, NodeId, SessionHandle, async_trait,
    finding::Finding,
    store::{
        Created, KeyInserted, KeyRecord, NodeRecord, Purged, Retention, RevocationCursor,
        RevocationPage, RevocationVisibility, RevokedSession, Rotated, Rotation, SessionRecord,
        SessionScope, SessionStore, StoreError, Updated,
    },
};

use serde_json::Value as Json;

use crate::{
    connections::{Bound, Connections, Lease},
    dialect::{Dialect, Purge, Value},
    replica::refuse_replica,
    revoking::{bound, handles_of},
    row,
};

#[async_trait]
impl<D: Dialect> SessionStore for Connections<D> {
    async fn create(&self, session: &SessionRecord) -> Result<Created, StoreError> {
        let rotations = session.rotations.to_text();
        let values = row_of(session, &rotations);
        Ok(
            match self.write(&[(D::STATEMENTS.create, &values)]).await? {
                0 => Created::HandleTaken,
                _ => Created::Created,
            },
        )
    }

    async fn get(&self, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
        let values = [handle.as_str().into()];
        self.find(D::STATEMENTS.get, &values, "handle")
            .await?
            .first()
            .map(row::session::<D>)
            .transpose()
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<Rotated, StoreError> {
        let rotations = rotation.rotations.to_text();
        let values = step_of(rotation, &rotations);
        Ok(
            match self.write(&[(D::STATEMENTS.rotate, &values)]).await? {
                0 => Rotated::Lost,
                _ => Rotated::Rotated,
            },
        )
    }

    async fn update_payload(
        &self,
        handle: &SessionHandle,
        expected_version: u64,
        payload: &str,
    ) -> Result<Updated, StoreError> {
        let values = [
            expected_version.wrapping_add(1).into(),
            payload.into(),
            handle.as_str().into(),
            expected_version.into(),
        ];
        let statement = (D::STATEMENTS.update_payload, values.as_slice());
        if self.write(&[statement]).await? > 0 {
            return Ok(Updated::Updated);
        }
        // Nothing was written; this only tells the caller whether reading again makes sense.
        let present = self
            .find(D::STATEMENTS.get, &[handle.as_str().into()], "handle")
            .await?;
        Ok(if present.is_empty() {
            Updated::Gone
        } else {
            Updated::Conflict
        })
    }

    async fn update_data(&self, handle: &SessionHandle, data: &str) -> Result<Updated, StoreError> {
        let values = [data.into(), handle.as_str().into()];
        self.update(D::STATEMENTS.update_data, &values).await
    }

    async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        Connections::revoke(self, scope, retention).await
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
        let values = page_of(scope, &handles, now_ms, after, limit);
        self.list_primary(D::STATEMENTS.list.of(scope), &values)
            .await?
            .iter()
            .map(row::session::<D>)
            .collect()
    }

    async fn revocations_since(
        &self,
        cursor: RevocationCursor,
        now_ms: i64,
        limit: u32,
    ) -> Result<RevocationPage, StoreError> {
        D::revocations_since(self, cursor, now_ms, limit).await
    }

    async fn load_keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        self.find(D::STATEMENTS.load_keys, &[], "id")
            .await?
            .iter()
            .map(row::key::<D>)
            .collect()
    }

    async fn insert_key(
        &self,
        key: &KeyRecord,
        unless_newer_than_ms: i64,
    ) -> Result<KeyInserted, StoreError> {
        let values = [
            key.id.as_str().into(),
            key.purpose.as_str().into(),
            (&key.algorithm).into(),
            key.created_at_ms.into(),
            key.material.as_slice().into(),
            key.sealed_under.as_deref().into(),
            key.purpose.as_str().into(),
            unless_newer_than_ms.into(),
        ];
        let lock = D::STATEMENTS.lock_keys.map(|lock| (lock, [].as_slice()));
        let insert = (D::STATEMENTS.insert_key, values.as_slice());
        let statements: Vec<Bound<'_>> = lock.into_iter().chain([insert]).collect();
        Ok(match self.write(&statements).await? {
            0 => KeyInserted::FresherExists,
            _ => KeyInserted::Inserted,
        })
    }

    async fn reseal_key(&self, key: &KeyRecord) -> Result<Updated, StoreError> {
        let values = [
            key.material.as_slice().into(),
            key.sealed_under.as_deref().into(),
            key.id.as_str().into(),
        ];
        self.update(D::STATEMENTS.reseal_key, &values).await
    }

    async fn remove_key(&self, id: &KeyId) -> Result<Updated, StoreError> {
        self.update(D::STATEMENTS.remove_key, &[id.as_str().into()])
            .await
    }

    async fn purge_expired(&self, now_ms: i64, limit: u32) -> Result<Purged, StoreError> {
        self.write(&[(D::STATEMENTS.purge_nodes, &[])]).await?;
        let all = &D::STATEMENTS;
        Ok(Purged {
            sessions: self.purge(&all.purge_sessions, now_ms, limit).await?,
            revocations: self.purge(&all.purge_revocations, now_ms, limit).await?,
        })
    }

    async fn attend(&self, node: &NodeRecord, lease: Duration) -> Result<(), StoreError> {
        let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let values = [
            node.id.as_str().into(),
            node.name.as_str().into(),
            node.acknowledged.into(),
            lease_ms.into(),
        ];
        self.write(&[(D::STATEMENTS.attend, &values)]).await?;
        Ok(())
    }

    async fn leave(&self, node: &NodeId) -> Result<(), StoreError> {
        self.write(&[(D::STATEMENTS.leave, &[node.as_str().into()])])
            .await?;
        Ok(())
    }

    async fn attending(&self) -> Result<Vec<NodeRecord>, StoreError> {
        let rows = self.find(D::STATEMENTS.attending, &[], "id").await?;
        rows.iter().map(row::node::<D>).collect()
    }

    async fn barrier(&self) -> Result<u64, StoreError> {
        let rows = self.find(D::STATEMENTS.barrier, &[], "number").await?;
        rows.first()
            .map_or(Ok(0), |row| row::place::<D>(row, "number"))
    }

    async fn raise_barrier(&self) -> Result<u64, StoreError> {
        let rows = self
            .patiently(|| async {
                let mut lease = Lease::of(&self.writer).await?;
                let raised = async {
                    let mut transaction = self.begin(&mut lease).await?;
                    let raise = self.names.fill(D::STATEMENTS.raise_barrier);
                    D::execute(&mut transaction, raise, &[]).await?;
                    let barrier = self.names.fill(D::STATEMENTS.barrier);
                    let rows = D::fetch(&mut transaction, barrier, &[]).await?;
                    refuse_replica::<D>(rows.first())?;
                    self.commit(transaction).await?;
                    Ok(rows)
                }
                .await;
                lease.finished(raised)
            })
            .await?;
        let row = rows.first().ok_or(StoreError::Corrupt("barrier"))?;
        row::place::<D>(row, "number")
    }

    async fn clock_ms(&self) -> Result<Option<i64>, StoreError> {
        let Some(clock) = D::STATEMENTS.clock else {
            return Ok(None);
        };
        let rows = self.read(clock, &[]).await?;
        rows.first()
            .map(|row| row::number::<D>(row, "clock_ms"))
            .transpose()
    }

    async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        D::findings(self).await
    }

    fn revocation_visibility(&self) -> RevocationVisibility {
        self.visibility
    }
}

impl<D: Dialect> Connections<D> {
    /// What there is on a primary, told by a column that is NULL in no table.
    async fn find(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        column: &'static str,
    ) -> Result<Vec<D::Row>, StoreError> {
        let mut rows = self.read_primary(sql, values).await?;
        if let Some(first) = rows.first()
            && row::is_absent::<D>(first, column)?
        {
            rows.clear();
        }
        Ok(rows)
    }

    /// Deletes a batch of what has expired from a table.
    async fn purge(&self, purge: &Purge, now_ms: i64, limit: u32) -> Result<u64, StoreError> {
        let values = [now_ms.into(), limit.into()];
        let Some(look) = purge.look else {
            return self.write(&[(purge.delete, &values)]).await;
        };
        let rows = self.read(look, &values).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let names = rows.iter().map(row::name::<D>);
        let names = names.collect::<Result<Json, _>>()?.to_string();
        let values = [Value::Json(&names), now_ms.into()];
        self.write(&[(purge.delete, &values)]).await
    }

    /// Changes one row, whatever it held.
    async fn update(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Updated, StoreError> {
        Ok(match self.write(&[(sql, values)]).await? {
            0 => Updated::Gone,
            _ => Updated::Updated,
        })
    }
}

/// What is bound to create a session.
pub(crate) fn row_of<'a>(session: &'a SessionRecord, rotations: &'a String) -> [Value<'a>; 16] {
    [
        session.handle.as_str().into(),
        session.tenant.as_str().into(),
        session.user.as_str().into(),
        session.generation.into(),
        session.secret_hash.as_slice().into(),
        session.refresh_key.as_str().into(),
        rotations.into(),
        (&session.payload).into(),
        session.payload_version.into(),
        (&session.data).into(),
        session.created_at_ms.into(),
        session.refreshed_at_ms.into(),
        session.expires_at_ms.into(),
        session.absolute_expires_at_ms.into(),
        session.access_expires_at_ms.into(),
        session.handle.as_str().into(),
    ]
}

/// What is bound to rotate a session.
pub(crate) fn step_of<'a>(rotation: &'a Rotation, rotations: &'a String) -> [Value<'a>; 10] {
    [
        rotation.to_generation.into(),
        rotation.secret_hash.as_slice().into(),
        rotation.refresh_key.as_str().into(),
        rotations.into(),
        rotation.at_ms.into(),
        rotation.expires_at_ms.into(),
        rotation.access_expires_at_ms.into(),
        rotation.handle.as_str().into(),
        rotation.from_generation.into(),
        rotation.at_ms.into(),
    ]
}

/// What is bound to list a page; `handles` is [`handles_of`] the scope.
pub(crate) fn page_of<'a>(
    scope: &'a SessionScope,
    handles: &'a str,
    now_ms: i64,
    after: Option<&'a SessionRecord>,
    limit: u32,
) -> Vec<Value<'a>> {
    // No handle is empty, so this is before the first.
    let (created_at_ms, handle) = after.map_or((i64::MIN, ""), |row| {
        (row.created_at_ms, row.handle.as_str())
    });
    let mut values = bound(scope, handles);
    values.extend::<[Value<'_>; 5]>([
        now_ms.into(),
        created_at_ms.into(),
        created_at_ms.into(),
        handle.into(),
        limit.into(),
    ]);
    values
}
