//! The suite's application: the routes that an adapter's author builds in the framework at hand, and
//! the parts of their handlers that no framework matters to.
//!
//! Everything below sits inside the adapter's layer. A handler's answer is what the named function
//! returns; a [`SessionError`] that a function returns, and a session that an extractor refuses, are
//! answered the way the adapter answers them by itself. Bodies are JSON text whatever the
//! `Content-Type`.
//!
//! | route | session | answer |
//! |---|---|---|
//! | `POST /login` | created from each of [`Login::sessions`] of the body in turn | [`act`] on the last one |
//! | `POST /act` | `Session<Stateless>` | [`act`] with the body |
//! | `GET`, `POST /session` | `Session` without a parameter | [`describe`] |
//! | `GET`, `POST /stateless` | `Session<Stateless>` | [`describe`] |
//! | `GET`, `POST /blacklist` | `Session<CheckBlacklist>` | [`describe`] |
//! | `GET`, `POST /database` | `Session<CheckDatabase>` | [`describe`] |
//! | `GET`, `POST /optional` | `OptionalSession<Stateless>` | [`describe`] |
//! | `GET /admin` | `Session<`[`Admin`]`>` | [`describe`] |
//! | `GET /twice` | `Session<Stateless>`, then `Session<CheckDatabase>` | [`describe`] the second |
//! | `GET /value` | `Result<Session<CheckDatabase>, _>`, or whatever the framework has for it | [`describe`] the session or [`describe_refused`] |
//! | `GET /stream` | `Session<CheckBlacklist>` | 200 with the body [`events`], sent as it comes |
//! | each of [`guards`] | guarded by the adapter's `verify_session` | [`describe`] what the function form `get_session` finds with [`ask_nothing`] |
//! | `GET /nested/stateless` | `Session<Stateless>` | [`describe`] |
//! | `GET /nested/database` | `Session<CheckDatabase>` | [`describe`] |
//! | `POST /nested/act` | `Session<Stateless>` | [`act`] with the body |
//! | anything else | | the framework's own 404 or 405 |
//!
//! What is below `/nested` is a router, scope or mount of its own: [`nested_guard`] is around it, and
//! inside that the adapter's layer is applied a second time.
//!
//! A handler that panics is caught as the framework's documentation advises, if at all: the next
//! request must be answered.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session_core::{
    InvalidPayload, NewSession, Payload, Policy, Session, SessionError, TenantId, UserId,
    VerifyOptions, async_trait,
    claims::{ArrayClaim, BooleanClaim, BoxError, ClaimContext, ClaimValidator, SessionClaim},
};

/// A route that is guarded by the adapter's `verify_session`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Guard {
    /// Where it is.
    pub path: &'static str,
    /// The methods that the handler is registered for.
    pub methods: &'static [Method],
    /// What it is guarded by.
    pub options: VerifyOptions,
}

/// The routes that are guarded by the adapter's `verify_session`.
pub fn guards() -> Vec<Guard> {
    const ANY: &[Method] = &[
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let guard = |path, methods, options| Guard {
        path,
        methods,
        options,
    };
    let options = VerifyOptions::new;
    vec![
        guard("/guard/default", ANY, options()),
        guard("/guard/optional", ANY, options().session_required(false)),
        guard("/guard/anti-csrf", ANY, options().anti_csrf_check(true)),
        guard("/guard/no-anti-csrf", ANY, options().anti_csrf_check(false)),
        guard(
            "/guard/stateless",
            ANY,
            options().check_blacklist(false).check_database(false),
        ),
        guard("/guard/blacklist", ANY, options().check_blacklist(true)),
        guard("/guard/database", ANY, options().check_database(true)),
        guard(
            "/guard/by-method",
            &[Method::GET],
            options().check_blacklist(false).check_database(false),
        ),
        guard(
            "/guard/by-method",
            &[Method::POST],
            options().check_database(true),
        ),
        guard(
            "/guard/lasting",
            ANY,
            options().min_remaining(Duration::from_mins(10)),
        ),
        guard("/guard/admin", ANY, Admin::options()),
        guard("/guard/verified", ANY, verified()),
        guard("/guard/no-claims", ANY, options().claim_validators([])),
    ]
}

/// What guards everything below `/nested`.
pub fn nested_guard() -> VerifyOptions {
    VerifyOptions::new().check_database(true)
}

/// What a guarded route's handler asks for: the session that the guard has verified, if any.
pub fn ask_nothing() -> VerifyOptions {
    VerifyOptions::new()
        .session_required(false)
        .anti_csrf_check(false)
        .check_blacklist(false)
        .check_database(false)
        .claim_validators([])
}

/// Asks for the role `admin`, known for five minutes at most.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a marker, never a value")]
pub enum Admin {}

impl Policy for Admin {
    fn options() -> VerifyOptions {
        let admin = Role::includes("admin").max_age(Duration::from_mins(5));
        VerifyOptions::new().and_claim_validators([Arc::new(admin) as Arc<dyn ClaimValidator>])
    }
}

fn verified() -> VerifyOptions {
    VerifyOptions::new()
        .and_claim_validators([Arc::new(Verified::is_true()) as Arc<dyn ClaimValidator>])
}

/// The roles of every user, as a case says they are.
#[derive(Debug, Clone, Default)]
pub struct Role(Arc<Mutex<Roles>>);

#[derive(Debug, Clone, Default)]
enum Roles {
    #[default]
    Unset,
    Unknown,
    Known(Vec<String>),
}

impl Role {
    /// From now on, everybody has these roles; there is no value before the first call.
    pub fn set(&self, roles: &[&str]) {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        *self.0.lock().unwrap() = Roles::Known(roles);
    }

    /// From now on, nobody can say who has which role.
    pub fn fail(&self) {
        *self.0.lock().unwrap() = Roles::Unknown;
    }
}

#[async_trait]
impl SessionClaim for Role {
    type Value = Vec<String>;
    const KEY: &'static str = "st-role";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<Vec<String>>, BoxError> {
        match self.0.lock().unwrap().clone() {
            Roles::Unset => Ok(None),
            Roles::Unknown => Err("the directory is away".into()),
            Roles::Known(roles) => Ok(Some(roles)),
        }
    }
}

/// Whether the user's address is verified; nobody ever knows.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified;

#[async_trait]
impl SessionClaim for Verified {
    type Value = bool;
    const KEY: &'static str = "st-ev";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<bool>, BoxError> {
        Ok(None)
    }
}

/// The answer of a route that has a session, or may have one.
pub fn describe(session: Option<&Session>) -> Response<Bytes> {
    json_response(StatusCode::OK, &description(session))
}

/// The answer of a handler that was told of a refusal and answers by itself.
pub fn describe_refused(_: &SessionError) -> Response<Bytes> {
    json_response(StatusCode::OK, &json!({ "user": null, "refused": true }))
}

fn description(session: Option<&Session>) -> Value {
    session.map_or_else(
        || json!({ "user": null }),
        |session| {
            json!({
                "user": session.user_id(),
                "tenant": session.tenant_id(),
                "handle": session.handle(),
                "payload": session.payload().as_map(),
            })
        },
    )
}

/// The body of `POST /login`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Login {
    /// The sessions to create, in this order.
    pub sessions: Vec<NewSession>,
}

impl Login {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`SessionError`]: 400 for what is no user or no payload.
    pub fn parse(body: &[u8]) -> Result<Self, SessionError> {
        let body: LoginBody = parse(body)?;
        let sessions = body.logins.into_iter().map(LoginRequest::judge);
        Ok(Self {
            sessions: sessions.collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
struct LoginBody {
    logins: Vec<LoginRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    user: String,
    tenant: Option<String>,
    /// What a client sends; the application takes what it may decide.
    #[serde(default)]
    payload: Map<String, Value>,
    /// What a careless application takes as it comes.
    #[serde(default)]
    unfiltered_payload: Map<String, Value>,
    #[serde(default)]
    data: Map<String, Value>,
}

impl LoginRequest {
    fn judge(self) -> Result<NewSession, SessionError> {
        let mut payload = Payload::without_protected_names(self.payload);
        payload.extend(self.unfiltered_payload);
        let new = NewSession::new(UserId::try_from(self.user)?)
            .payload(payload)
            .data(self.data);
        Ok(match self.tenant {
            Some(tenant) => new.tenant(TenantId::try_from(tenant)?),
            None => new,
        })
    }
}

/// What a handler does with its session before it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    Merge(Map<String, Value>),
    Regenerate(()),
    Data(Map<String, Value>),
    Information(()),
    SetRole(Vec<String>),
    RemoveRole(()),
    FetchRole(()),
    Revoke(()),
    RevokeOthers(()),
    Panic(()),
}

#[derive(Deserialize)]
struct Script {
    #[serde(default)]
    steps: Vec<Step>,
    status: Option<u16>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

/// Does with the session what the body asks for, step by step, and answers as it says.
///
/// # Errors
///
/// The first [`SessionError`] that a step returns.
///
/// # Panics
///
/// Where the body says so.
pub async fn act(session: &Session, body: &[u8]) -> Result<Response<Bytes>, SessionError> {
    let script: Script = parse(body)?;
    let mut results = Vec::with_capacity(script.steps.len());
    for step in script.steps {
        results.push(take(session, step).await?);
    }
    let mut answer = description(Some(session));
    answer["results"] = results.into();
    let status = script.status.unwrap_or(200);
    let mut response = json_response(StatusCode::from_u16(status).unwrap(), &answer);
    for (name, value) in script.headers {
        response.headers_mut().append(
            HeaderName::try_from(name).unwrap(),
            HeaderValue::try_from(value).unwrap(),
        );
    }
    Ok(response)
}

async fn take(session: &Session, step: Step) -> Result<Value, SessionError> {
    Ok(match step {
        Step::Merge(update) => session.merge_payload(update).await.map(|()| json!(true))?,
        Step::Regenerate(()) => session.regenerate().await.map(|()| json!(true))?,
        Step::Data(data) => session.update_data(&data).await.map(|()| json!(true))?,
        Step::Information(()) => {
            let information = session.information().await?;
            json!({ "payload": information.payload().as_map(), "data": information.data() })
        }
        Step::SetRole(roles) => {
            session.set_claim::<Role>(&roles).await?;
            json!(session.claim::<Role>())
        }
        Step::RemoveRole(()) => {
            session.remove_claim::<Role>().await?;
            json!(session.claim::<Role>())
        }
        Step::FetchRole(()) => {
            session.fetch_and_set_claim::<Role>().await?;
            json!(session.claim::<Role>())
        }
        Step::Revoke(()) => json!(session.revoke().await?),
        Step::RevokeOthers(()) => json!(session.revoke_others().await?),
        Step::Panic(()) => panic!("the case asked for it"),
    })
}

/// The body of an event stream: `open`, what became of a change that comes too late, and `ended`
/// when the session is; a line each.
pub fn events(session: Session) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    stream::unfold(Some((session, 0)), |state| async {
        let (session, number) = state?;
        let (line, next) = match number {
            0 => ("open\n", Some((session, 1))),
            1 => {
                let late = Map::from_iter([("late".to_owned(), json!(true))]);
                let line = match session.merge_payload(late).await {
                    Err(SessionError::ResponseStarted) => "too late\n",
                    Err(_) => "failed\n",
                    Ok(()) => "changed\n",
                };
                (line, Some((session, 2)))
            }
            _ => {
                session.revoked().await;
                ("ended\n", None)
            }
        };
        Some((Ok(Bytes::from_static(line.as_bytes())), next))
    })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, SessionError> {
    serde_json::from_slice(body).map_err(|_| InvalidPayload::NotAnObject.into())
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
