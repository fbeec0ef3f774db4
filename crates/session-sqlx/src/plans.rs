//! How the database carries out the statements of a store, as it says itself.

use serde_json::Value as Json;
use session_core::store::{RevokedSession, Rotation, SessionRecord, SessionScope, StoreError};

use crate::{
    connections::Connections,
    dialect::{Dialect, Prepared, Value},
    engine::{page_of, row_of, step_of},
    revoking::{bound, handles_of, records},
};

/// A statement of the store, and how the database would carry it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    operation: &'static str,
    statement: String,
    steps: Vec<String>,
}

impl Plan {
    /// What the statement is for.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The statement's text.
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// The lines of the database's answer to `EXPLAIN`: on MySQL and MariaDB the table, how it is
    /// read, by which index, and remarks; elsewhere all of it, without costs.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }
}

impl<D: Dialect> Connections<D> {
    /// The plans of all statements that touch sessions, revocations or keys, for an operation on
    /// this session at its time of refresh.
    pub(crate) async fn plans(&self, session: &SessionRecord) -> Result<Vec<Plan>, StoreError> {
        let mut plans = Vec::new();
        let mut explain = async |operation, statement, values: &[Value<'_>]| {
            let question = self.names.fill_question(D::EXPLAIN, statement);
            let rows = self.answer(question, values, Prepared::Once).await?;
            let steps = rows.iter().map(D::step).collect::<Result<_, _>>();
            plans.push(Plan {
                operation,
                statement: self.names.fill(statement).as_str().to_owned(),
                steps: steps.map_err(|error| StoreError::Unavailable(Box::new(error)))?,
            });
            Ok::<(), StoreError>(())
        };
        let all = &D::STATEMENTS;
        let now_ms = session.refreshed_at_ms;
        let handle = session.handle.as_str();
        let rotations = session.rotations.to_text();
        explain("create", all.create, &row_of(session, &rotations)).await?;
        explain("get", all.get, &[handle.into()]).await?;
        let rotation = next_of(session);
        explain("rotate", all.rotate, &step_of(&rotation, &rotations)).await?;
        let values = [1_u64.into(), "{}".into(), handle.into(), 0_u64.into()];
        explain("update payload", all.update_payload, &values).await?;
        let values = ["{}".into(), handle.into()];
        explain("update data", all.update_data, &values).await?;

        for (scope, [ending, listing, going_on]) in scopes_of(session) {
            let handles = handles_of(&scope);
            let mut values: Vec<Value<'_>> = vec![0_i64.into(), now_ms.into()];
            values.extend(bound(&scope, &handles));
            explain(ending, all.revoke.of(&scope), &values).await?;
            for (operation, after) in [(listing, None), (going_on, Some(session))] {
                let values = page_of(&scope, &handles, now_ms, after, A_PAGE);
                explain(operation, all.list.of(&scope), &values).await?;
            }
        }
        let records = records(&[RevokedSession {
            handle: session.handle.clone(),
            expires_at_ms: now_ms,
        }]);
        for rest in all.revoke_rest.iter().chain(&all.revoke_anew) {
            explain("revoke, then", rest, &[Value::Json(&records)]).await?;
        }
        for (statement, values) in D::following(now_ms, A_PAGE) {
            explain("revocations since", statement, &values).await?;
        }
        let values = [now_ms.into(), A_PAGE.into()];
        for (operation, purge, name) in [
            ("purge sessions", &all.purge_sessions, Json::from(handle)),
            ("purge revocations", &all.purge_revocations, Json::from("1")),
        ] {
            let Some(look) = purge.look else {
                explain(operation, purge.delete, &values).await?;
                continue;
            };
            explain(operation, look, &values).await?;
            let names = Json::from(vec![name]).to_string();
            let values = [Value::Json(&names), now_ms.into()];
            explain(operation, purge.delete, &values).await?;
        }

        let key = session.refresh_key.as_str();
        explain("load keys", all.load_keys, &[]).await?;
        let material: &[u8] = &[0];
        let none = None::<&str>.into();
        let values = [
            key.into(),
            "refresh".into(),
            "HS256".into(),
            now_ms.into(),
            material.into(),
            none,
            "refresh".into(),
            now_ms.into(),
        ];
        explain("insert key", all.insert_key, &values).await?;
        let values = [material.into(), none, key.into()];
        explain("reseal key", all.reseal_key, &values).await?;
        explain("remove key", all.remove_key, &[key.into()]).await?;
        Ok(plans)
    }
}

/// Each kind of scope that the session is in, with what is said of ending and of listing it.
fn scopes_of(session: &SessionRecord) -> [(SessionScope, [&'static str; 3]); 3] {
    let user = SessionScope::User {
        user: session.user.clone(),
        tenant: None,
        except: None,
    };
    [
        (
            SessionScope::Handles(vec![session.handle.clone()]),
            [
                "revoke by handles",
                "list by handles",
                "list by handles, further on",
            ],
        ),
        (
            user,
            ["revoke by user", "list by user", "list by user, further on"],
        ),
        (
            SessionScope::Tenant(session.tenant.clone()),
            [
                "revoke by tenant",
                "list by tenant",
                "list by tenant, further on",
            ],
        ),
    ]
}

/// A rotation of the session.
fn next_of(session: &SessionRecord) -> Rotation {
    Rotation {
        handle: session.handle.clone(),
        from_generation: session.generation,
        to_generation: session.generation.saturating_add(1),
        secret_hash: session.secret_hash,
        refresh_key: session.refresh_key.clone(),
        rotations: session.rotations.clone(),
        at_ms: session.refreshed_at_ms,
        expires_at_ms: session.expires_at_ms,
        access_expires_at_ms: session.access_expires_at_ms,
    }
}

const A_PAGE: u32 = 20;
