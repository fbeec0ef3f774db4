//! Ending sessions: in a transaction of the store's own, and in one of the application's.

use serde_json::{Value as Json, json};
use session_core::store::{Retention, RevokedSession, SessionScope, StoreError};

use crate::{
    connections::{Connections, Failure, Lease},
    dialect::{ByScope, Dialect, Trouble, Value},
    error::TooIsolated,
    names::Names,
    row,
};

impl<D: Dialect> Connections<D> {
    /// Ends the sessions in a transaction of its own.
    pub(crate) async fn revoke(
        &self,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        scope.within_limits()?;
        let handles = handles_of(scope);
        self.patiently(|| async {
            let mut lease = Lease::of(&self.writer).await?;
            let done = async {
                let mut transaction = self.begin(&mut lease).await?;
                let revoked =
                    end::<D>(&mut transaction, &self.names, scope, &handles, retention).await?;
                self.commit(transaction).await?;
                Ok(revoked)
            }
            .await;
            lease.finished(done)
        })
        .await
    }

    /// Ends the sessions in a transaction of somebody else's, who commits it or does not.
    pub(crate) async fn revoke_in(
        &self,
        transaction: &mut D::Connection,
        scope: &SessionScope,
        retention: Retention,
    ) -> Result<Vec<RevokedSession>, StoreError> {
        scope.within_limits()?;
        let handles = handles_of(scope);
        let ended = async {
            if let Some(ask) = D::ASK_SNAPSHOT {
                let answer = D::fetch(transaction, self.names.fill(ask), &[]).await?;
                let is_fixed = answer.first().map(|row| D::number(row, "is_fixed"));
                if is_fixed.transpose()?.flatten() != Some(0) {
                    return Err(StoreError::Unavailable(Box::new(TooIsolated)).into());
                }
            }
            if let Some(durable) = D::COMMIT_DURABLY {
                D::run(transaction, self.names.fill(durable)).await?;
            }
            end::<D>(transaction, &self.names, scope, &handles, retention).await
        };
        ended.await.map_err(Failure::into_error::<D>)
    }
}

async fn end<D: Dialect>(
    transaction: &mut D::Connection,
    names: &Names,
    scope: &SessionScope,
    handles: &str,
    retention: Retention,
) -> Result<Vec<RevokedSession>, Failure> {
    let sql = names.fill(D::STATEMENTS.revoke.of(scope));
    let skew_ms = i64::try_from(retention.skew.as_millis()).unwrap_or(i64::MAX);
    let mut values = vec![skew_ms.into(), retention.at_least_until_ms.into()];
    values.extend(bound(scope, handles));
    let revoked: Vec<RevokedSession> = D::fetch(transaction, sql, &values)
        .await?
        .iter()
        .map(row::revoked::<D>)
        .collect::<Result<_, StoreError>>()?;
    if !revoked.is_empty() {
        let records = records(&revoked);
        for rest in D::STATEMENTS.revoke_rest {
            let values = [Value::Json(&records)];
            match (
                D::execute(transaction, names.fill(rest), &values).await,
                D::STATEMENTS.revoke_anew,
            ) {
                (Err(error), Some(anew)) if D::judge(&error) == Trouble::Taken => {
                    D::execute(transaction, names.fill(anew), &values).await?;
                }
                (done, _) => drop(done?),
            }
        }
    }
    Ok(revoked)
}

impl ByScope {
    /// The statement for this kind of scope.
    pub(crate) fn of(&self, scope: &SessionScope) -> &'static str {
        match scope {
            SessionScope::Handles(_) => self.handles,
            SessionScope::User { .. } => self.user,
            SessionScope::Tenant(_) => self.tenant,
        }
    }
}

/// What is bound for a scope; `handles` is [`handles_of`] it.
pub(crate) fn bound<'a>(scope: &'a SessionScope, handles: &'a str) -> Vec<Value<'a>> {
    match scope {
        SessionScope::Handles(_) => vec![Value::Json(handles)],
        SessionScope::User {
            user,
            tenant,
            except,
        } => vec![
            user.as_str().into(),
            tenant.as_ref().map(AsRef::as_ref).into(),
            except.as_ref().map(AsRef::as_ref).into(),
        ],
        SessionScope::Tenant(tenant) => vec![tenant.as_str().into()],
    }
}

/// The handles of a scope as a JSON list: one parameter, however many there are. Each once and in
/// one order for everybody, so that two who lock the same rows do not wait for one another.
pub(crate) fn handles_of(scope: &SessionScope) -> String {
    match scope {
        SessionScope::Handles(handles) => {
            let mut handles: Vec<&str> = handles.iter().map(AsRef::as_ref).collect();
            handles.sort_unstable();
            handles.dedup();
            Json::from(handles).to_string()
        }
        SessionScope::User { .. } | SessionScope::Tenant(_) => String::new(),
    }
}

/// Revocations as a JSON list.
pub(crate) fn records(revoked: &[RevokedSession]) -> String {
    let records = revoked
        .iter()
        .map(|one| json!([one.handle.as_str(), one.expires_at_ms]));
    records.collect::<Json>().to_string()
}
