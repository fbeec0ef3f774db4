//! What the applications have in common, whichever framework serves them.
//!
//! | route | session | answer |
//! |---|---|---|
//! | `POST /login` | created as [`Login`] says | [`described`] |
//! | `GET`, `POST /stateless` | `Session<Stateless>` | [`described`] |
//! | `GET /blacklist` | `Session<CheckBlacklist>` | [`described`] |
//! | `GET /database` | `Session<CheckDatabase>` | [`described`] |
//! | `GET /admin` | `Session<`[`AdminsOnly`]`>` | [`described`] |
//! | `POST /payload` | `Session<Stateless>`; the body is merged into its payload | [`described`] |
//! | `POST /role` | `Session<Stateless>`; its [`Role`] is fetched | [`described`] |
//! | `GET /always-401` | none | 401 and nothing else |
//! | `GET /events` | `Session<CheckBlacklist>` | an event stream: `open`, and `ended` with the session |
//! | `GET /socket` | `Session<CheckBlacklist>` | a WebSocket: `open`, and closed with the session |

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use http::{HeaderValue, Method, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session_core::{
    NewSession, Payload, Policy, Session, SessionError, Sessions, UserId, VerifyOptions,
    async_trait,
    claims::{BoxError, ClaimContext, ClaimValidator, PrimitiveClaim as _, SessionClaim},
    http::CORS_REQUEST_HEADERS,
};
use tower_http::cors::CorsLayer;

/// What an application is built from.
#[derive(Clone)]
pub(crate) struct Application {
    /// Its sessions.
    pub(crate) sessions: Sessions,
    /// The origin of the pages that may call it.
    pub(crate) website: String,
}

/// The body of `POST /login`.
#[derive(Deserialize)]
pub(crate) struct Login {
    user: String,
    #[serde(default)]
    payload: Map<String, Value>,
}

impl TryFrom<Login> for NewSession {
    type Error = SessionError;

    fn try_from(login: Login) -> Result<Self, SessionError> {
        let payload = Payload::without_protected_names(login.payload);
        Ok(Self::new(UserId::try_from(login.user)?).payload(payload))
    }
}

/// What a framework of tower services is told of CORS.
pub(crate) fn cors(website: &str) -> io::Result<CorsLayer> {
    let headers = CORS_REQUEST_HEADERS.into_iter().chain([CONTENT_TYPE]);
    let website = HeaderValue::try_from(website).map_err(io::Error::other)?;
    Ok(CorsLayer::new()
        .allow_origin(website)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
        .allow_credentials(true))
}

/// What a handler tells of its session.
pub(crate) fn described(session: &Session) -> Value {
    json!({ "user": session.user_id(), "payload": session.payload().as_map() })
}

/// What an event stream says: that it is open, and that its session has ended.
pub(crate) fn events(session: Session) -> impl Stream<Item = &'static str> + Send {
    let ended = async move {
        session.revoked().await;
        "ended"
    };
    stream::iter(["open"]).chain(stream::once(ended))
}

/// Lets those in who have been administrators within the last five minutes.
pub(crate) enum AdminsOnly {}

impl Policy for AdminsOnly {
    fn options() -> VerifyOptions {
        let admin = Role::has_value("admin").max_age(Duration::from_mins(5));
        VerifyOptions::new().and_claim_validators([Arc::new(admin) as Arc<dyn ClaimValidator>])
    }
}

/// The role of every user: a member's, until a test gives another.
#[derive(Clone)]
pub(crate) struct Role(Arc<Mutex<String>>);

impl Role {
    /// From now on, this is everybody's role.
    pub(crate) fn set(&self, role: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = role;
    }
}

impl Default for Role {
    fn default() -> Self {
        Self(Arc::new(Mutex::new("member".to_owned())))
    }
}

#[async_trait]
impl SessionClaim for Role {
    type Value = String;
    const KEY: &'static str = "role";

    async fn fetch(&self, _: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        Ok(Some(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        ))
    }
}
