//! The routes of the suite's application, the same on each framework.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName},
};
use serde_json::{Map, Value, json};
use session_core::{
    ClientTokens, NewSession, Session, SessionError, UserId, VerifyOptions,
    claims::{ClaimFailure, ClaimValidator},
};
use url::form_urlencoded;

use crate::{application::Application, version_two};

/// What the routes ask an adapter for.
pub(crate) trait SessionRequest {
    type Rejection: From<SessionError>;

    async fn create_session(&self, new: NewSession) -> Result<Session, Self::Rejection>;

    async fn get_session(
        &self,
        options: &VerifyOptions,
    ) -> Result<Option<Session>, Self::Rejection>;
}

/// Answers a request that is for none of the adapter's own routes.
pub(crate) async fn answer<R: SessionRequest>(
    application: &Application,
    request: &R,
    asked: &Request<Bytes>,
) -> Result<Response<Bytes>, R::Rejection> {
    match (asked.method().as_str(), asked.uri().path()) {
        ("GET", "/") => Ok(text(OK, verified(request).await?.user_id().as_str())),
        ("POST", "/login") => log_in(application, request, asked).await,
        ("POST", "/login-2.18") => log_in_as_of_old(application, asked).await,
        ("POST", "/logout") => {
            verified(request).await?.revoke().await?;
            Ok(text(OK, "success"))
        }
        ("GET", "/update-jwt") => Ok(payload(&verified(request).await?)),
        ("POST", "/update-jwt") => update_payload(request, asked).await,
        ("POST", "/update-jwt-with-handle") => {
            update_stored_payload(application, request, asked).await
        }
        ("POST", "/session-claims-error") => {
            let options = VerifyOptions::new().and_claim_validators([failing()]);
            request.get_session(&options).await?;
            Ok(text(OK, "a claim was expected to fail"))
        }
        ("GET", "/check-rid") => {
            verified(request).await?;
            Ok(check_rid(asked))
        }
        _ => Ok(answer_without_session(asked)),
    }
}

fn answer_without_session(asked: &Request<Bytes>) -> Response<Bytes> {
    match (asked.method().as_str(), asked.uri().path()) {
        (_, "/testing") => {
            let mut response = text(OK, "success");
            let name = HeaderName::from_static("testing");
            if let Some(sent) = asked.headers().get(&name) {
                response.headers_mut().insert(name, sent.clone());
            }
            response
        }
        ("GET", "/check-rid-no-session") => check_rid(asked),
        ("GET", "/testError") => {
            let query = asked.uri().query().unwrap_or_default();
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let code = pairs.find(|(name, _)| name == "code");
            let status = code.and_then(|(_, code)| code.parse().ok());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            text(status, "test error message")
        }
        ("POST", "/403-without-body") => text(StatusCode::FORBIDDEN, "Forbidden"),
        ("POST", "/multipleInterceptors") => {
            let has = |name| asked.headers().contains_key(name);
            let both = has("interceptorheader1") && has("interceptorheader2");
            text(OK, if both { "success" } else { "failure" })
        }
        ("POST", "/testUserConfig" | "/reinitialiseBackendConfig") => text(OK, ""),
        _ => text(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

async fn log_in<R: SessionRequest>(
    application: &Application,
    request: &R,
    asked: &Request<Bytes>,
) -> Result<Response<Bytes>, R::Rejection> {
    let Some((user, _)) = login(asked) else {
        return Ok(unreadable());
    };
    let mut new = NewSession::new(user.clone());
    if application.jwt {
        new = new.claim_value("customClaim", json!("customValue"));
    }
    request.create_session(new).await?;
    Ok(text(OK, user.as_str()))
}

/// As a server of years ago did, whose access tokens were of version 2.
async fn log_in_as_of_old<E: From<SessionError>>(
    application: &Application,
    asked: &Request<Bytes>,
) -> Result<Response<Bytes>, E> {
    let Some((user, payload)) = login(asked) else {
        return Ok(unreadable());
    };
    let mut response = text(OK, "");
    let headers = version_two::log_in(application, user, payload).await?;
    response.headers_mut().extend(headers);
    Ok(response)
}

async fn update_payload<R: SessionRequest>(
    request: &R,
    asked: &Request<Bytes>,
) -> Result<Response<Bytes>, R::Rejection> {
    let session = verified(request).await?;
    let Some(claims) = members(asked) else {
        return Ok(unreadable());
    };
    session
        .merge_payload(replacing(&session, claims).await?)
        .await?;
    Ok(payload(&session))
}

/// Past the session that the request holds, so its answer has no new token.
async fn update_stored_payload<R: SessionRequest>(
    application: &Application,
    request: &R,
    asked: &Request<Bytes>,
) -> Result<Response<Bytes>, R::Rejection> {
    let session = verified(request).await?;
    let Some(claims) = members(asked) else {
        return Ok(unreadable());
    };
    let update = replacing(&session, claims).await?;
    application
        .sessions
        .merge_payload(session.handle(), update)
        .await?;
    Ok(payload(&session))
}

/// The update after which `claims` are all that there are.
async fn replacing(
    session: &Session,
    claims: Map<String, Value>,
) -> Result<Map<String, Value>, SessionError> {
    let stored = session.information().await?;
    let old = stored.payload().as_map().keys();
    let mut update: Map<String, Value> = old.map(|name| (name.clone(), Value::Null)).collect();
    update.extend(claims);
    Ok(update)
}

async fn verified<R: SessionRequest>(request: &R) -> Result<Session, R::Rejection> {
    let session = request.get_session(&VerifyOptions::new()).await?;
    Ok(session.ok_or(SessionError::Unauthorised(ClientTokens::Keep))?)
}

/// All claims, the session's own among them.
fn payload(session: &Session) -> Response<Bytes> {
    let body = Value::Object((*session.access_token_payload()).clone());
    response(OK, "application/json; charset=utf-8", body.to_string())
}

fn check_rid(asked: &Request<Bytes>) -> Response<Bytes> {
    let rid = asked.headers().get("rid").map(HeaderValue::as_bytes);
    let is_ours = rid.is_some_and(|rid| rid.starts_with(b"anti-csrf"));
    text(OK, if is_ours { "success" } else { "fail" })
}

/// Who logs in, and with what claims.
fn login(asked: &Request<Bytes>) -> Option<(UserId, Map<String, Value>)> {
    let mut members = members(asked)?;
    let user = UserId::try_from(members.get("userId")?.as_str()?).ok()?;
    let payload = match members.remove("payload") {
        Some(Value::Object(payload)) => payload,
        Some(_) => return None,
        None => Map::new(),
    };
    Some((user, payload))
}

/// The members of a body that is an object in JSON or a form.
fn members(asked: &Request<Bytes>) -> Option<Map<String, Value>> {
    let content_type = asked.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let fields = form_urlencoded::parse(asked.body()).into_owned();
        return Some(fields.map(|(name, value)| (name, value.into())).collect());
    }
    serde_json::from_slice(asked.body()).ok()
}

fn unreadable() -> Response<Bytes> {
    text(StatusCode::BAD_REQUEST, "the body is not what is expected")
}

fn text(status: StatusCode, body: &str) -> Response<Bytes> {
    response(status, "text/plain; charset=utf-8", body.to_owned())
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Fails whatever the session is.
#[derive(Debug)]
struct Failing;

fn failing() -> Arc<dyn ClaimValidator> {
    Arc::new(Failing)
}

impl ClaimValidator for Failing {
    fn id(&self) -> &'static str {
        "test-claim-failing"
    }

    fn validate(&self, _: &Map<String, Value>, _: SystemTime) -> Result<(), ClaimFailure> {
        Err(ClaimFailure::because(json!({ "message": "testReason" })))
    }
}

const OK: StatusCode = StatusCode::OK;
