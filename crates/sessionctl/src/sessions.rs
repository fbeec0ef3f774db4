//! Listing, showing, ending and purging sessions.

use serde_json::{Value, json};
use session_core::{
    Administration, BackendError, SessionError, SessionHandle, SessionInformation,
    store::SessionScope,
};

use crate::{
    arguments::{ListArguments, RevokeArguments, ShowArguments},
    failure::Failure,
    output::{Output, confirm, for_terminal, moment, table},
};

pub(crate) async fn list(
    administration: &Administration,
    which: ListArguments,
    output: &Output,
) -> Result<(), Failure> {
    let scope = match (which.user, which.tenant) {
        (Some(user), tenant) => SessionScope::User {
            user,
            tenant,
            except: None,
        },
        (None, Some(tenant)) => SessionScope::Tenant(tenant),
        // The command line asks for one of them.
        (None, None) => SessionScope::Handles(Vec::new()),
    };
    let mut sessions: Vec<SessionInformation> = Vec::new();
    let mut is_cut = false;
    loop {
        let left = which.limit.saturating_sub(length(&sessions));
        // One more than is shown tells whether there are more.
        let page_length = left.saturating_add(1).min(PAGE);
        let page = administration
            .list(scope.clone(), sessions.last(), page_length)
            .await?;
        let is_last = length(&page) < page_length;
        sessions.extend(page);
        if length(&sessions) > which.limit {
            sessions.pop();
            is_cut = true;
            break;
        }
        if is_last {
            break;
        }
    }
    let values: Vec<Value> = sessions.iter().map(described).collect();
    output.result(&json!(values), || {
        let rows: Vec<[String; 6]> = sessions
            .iter()
            .map(|session| {
                [
                    session.handle().to_string(),
                    session.user_id().to_string(),
                    session.tenant_id().to_string(),
                    moment(session.created_at()),
                    moment(session.last_refreshed_at()),
                    moment(session.expires_at()),
                ]
            })
            .collect();
        let headline = [
            "HANDLE",
            "USER",
            "TENANT",
            "CREATED",
            "REFRESHED",
            "EXPIRES",
        ];
        table(headline, &rows)
    })?;
    if is_cut {
        output.remark("there are more; --limit shows them");
    }
    Ok(())
}

pub(crate) async fn show(
    administration: &Administration,
    which: &ShowArguments,
    output: &Output,
) -> Result<(), Failure> {
    let session = administration
        .session(&which.handle)
        .await?
        .ok_or(Failure::NoSession)?;
    let mut value = described(&session);
    if which.payload
        && let Some(members) = value.as_object_mut()
    {
        let payload = session.payload().as_map().clone();
        members.insert("payload".to_owned(), Value::Object(payload));
        members.insert("data".to_owned(), Value::Object(session.data().clone()));
    }
    output.result(&value, || {
        let lines = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(text) => for_terminal(text),
                    other => for_terminal(&other.to_string()),
                };
                format!("{name:<17} {value}\n")
            });
        lines.collect()
    })
}

pub(crate) async fn revoke(
    administration: &Administration,
    which: RevokeArguments,
    output: &Output,
) -> Result<(), Failure> {
    let scope = match (which.user, which.tenant) {
        (Some(user), tenant) => SessionScope::User {
            user,
            tenant,
            except: None,
        },
        (None, Some(tenant)) => {
            let question = format!("Everybody in the tenant {tenant} will be signed out.");
            confirm(which.yes, &question)?;
            SessionScope::Tenant(tenant)
        }
        (None, None) => SessionScope::Handles(which.handles),
    };
    let (ended, outcome) = match administration.revoke(scope).await {
        // Nobody else is told of what was ended, and a repetition does not find it.
        Err(SessionError::Unavailable(BackendError::RevokedInPart { ended, cause })) => {
            (ended, Err(SessionError::Unavailable(*cause)))
        }
        outcome => (outcome?, Ok(())),
    };
    let handles: Vec<&str> = ended.iter().map(SessionHandle::as_str).collect();
    output.result(&json!({ "revoked": handles }), || {
        let lines = handles.iter().map(|handle| for_terminal(handle) + "\n");
        lines.collect()
    })?;
    output.remark(&match ended.len() {
        0 => "no session was there to end".to_owned(),
        1 => "1 session ended".to_owned(),
        many => format!("{many} sessions ended"),
    });
    Ok(outcome?)
}

pub(crate) async fn purge(administration: &Administration, output: &Output) -> Result<(), Failure> {
    let purged = administration.purge().await?;
    let value = json!({ "sessions": purged.sessions, "revocations": purged.revocations });
    output.result(&value, || {
        format!(
            "{} expired sessions and {} revocations deleted",
            purged.sessions, purged.revocations
        )
    })
}

fn described(session: &SessionInformation) -> Value {
    json!({
        "handle": session.handle(),
        "user": session.user_id(),
        "tenant": session.tenant_id(),
        "created_at": moment(session.created_at()),
        "last_refreshed_at": moment(session.last_refreshed_at()),
        "expires_at": moment(session.expires_at()),
        "absolute_expiry": session.absolute_expiry().map(moment),
    })
}

fn length(sessions: &[SessionInformation]) -> u32 {
    u32::try_from(sessions.len()).unwrap_or(u32::MAX)
}

/// How many sessions are asked for at a time.
const PAGE: u32 = 500;
