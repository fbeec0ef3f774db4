//! Sessions on axum and SQLite: the whole server. `cargo run -p example-axum`, then open the
//! address that it prints. Each handler says in its signature how far its session is checked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{convert::Infallible, error::Error, io, sync::Arc};

use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use axum::response::{Html, IntoResponse as _, Response, Sse, sse::Event};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use clap::Parser as _;
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use session_axum::session_core::claims::{BoxError, ClaimContext, ClaimValidator};
use session_axum::session_core::claims::{PrimitiveClaim as _, SessionClaim};
use session_axum::{
    AppInfo, CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, NewSession, OptionalSession,
    Policy, Session, SessionError, SessionHandle, SessionLayer, SessionRejection, SessionRequest,
    Sessions, Stateless, UserId, VerifyOptions, session_core::async_trait, verify_session,
};
use session_sqlx::SqlxStore;
use tokio::{net::TcpListener, time::interval};
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

#[derive(clap::Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Where sessions are kept [default: a file in the temporary directory]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where the page is served from [default: this server]
    #[arg(long, value_name = "ORIGIN")]
    site: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let database = arguments.database.unwrap_or_else(|| {
        let file = std::env::temp_dir().join("session-example.sqlite");
        format!("sqlite://{}", file.display())
    });
    let listener = TcpListener::bind(&arguments.listen).await?;
    let address = format!("http://{}", listener.local_addr()?);

    let site = arguments.site.as_ref().unwrap_or(&address);
    // The first is where this server is, the second where its page is.
    let sessions = Sessions::builder(AppInfo::new(&address, site))
        .store(SqlxStore::connect(&database).await?)
        .claim(Role)
        // A minute instead of an hour, so that one can watch a token expire.
        .config(|config| config.access_token_lifetime(Duration::from_mins(1)))
        .build()
        .await?;
    println!("sessions are kept in {database}\nopen {address}");

    let stop = CancellationToken::new();
    let mut app = app(sessions.clone(), stop.clone());
    if arguments.site.is_some() {
        // Written as browsers write it, without the slash that one types.
        let site = sessions.config().app().website_domain();
        app = app.layer(cors(site.parse()?));
    }
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            tokio::signal::ctrl_c().await.ok();
            stop.cancel();
        })
        .await?;
    sessions.shutdown().await;
    Ok(())
}

fn app(sessions: Sessions, stop: CancellationToken) -> Router {
    let not_ended = verify_session(VerifyOptions::new().check_blacklist(true));
    Router::new()
        .route("/", get(Html(include_str!("../../shared/page.html"))))
        .route("/login", post(login))
        .route("/like-comment", post(like_comment))
        .route("/feed", get(feed).route_layer(not_ended))
        .route("/profile", get(profile))
        .route("/hello", get(hello))
        .route("/nickname", post(nickname))
        .route("/admin", get(admin))
        .route("/devices", get(devices))
        .route("/devices/{handle}/end", post(end_device))
        .route("/devices/end-others", post(end_other_devices))
        .route("/events", get(events))
        .fallback(async || error(StatusCode::NOT_FOUND, "there is nothing here"))
        .with_state(sessions.clone())
        .layer(Extension(stop))
        .layer(SessionLayer::new(sessions))
}

/// The page's origin, and no other, may read the answers and send headers of its own. CORS keeps no
/// forged request out: that is up to the cookies' `SameSite` and to `anti_csrf`.
fn cors(site: HeaderValue) -> CorsLayer {
    let headers = CORS_REQUEST_HEADERS.into_iter().chain([CONTENT_TYPE]);
    CorsLayer::new()
        .allow_origin(site)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
}

/// A real application asks for a password. Tokens travel with the answer, in cookies or headers.
async fn login(request: SessionRequest, Body(Login { user, device }): Body<Login>) -> Answer {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let new = NewSession::new(user).data_value("device", json!(device));
    let session = request.create_session(new).await?;
    let answer = json!({ "user": session.user_id(), "handle": session.handle() });
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct Login {
    user: String,
    device: String,
}

/// Asks the database: a session that was ended is refused at once, on every node.
async fn like_comment(session: Session<CheckDatabase>) -> Json<Value> {
    Json(json!({ "user": session.user_id(), "liked": true }))
}

/// The layer on the route asks the set of ended sessions in memory.
async fn feed(session: Session) -> Json<Value> {
    Json(json!({ "user": session.user_id(), "posts": ["a post", "another post"] }))
}

/// Looks no further than the token: a session that was ended is served until its token expires.
async fn profile(session: Session<Stateless>) -> Json<Value> {
    Json(json!({
        "user": session.user_id(),
        "handle": session.handle(),
        "payload": session.payload().as_map(),
        "seconds_left": session.access_token_remaining().as_secs(),
    }))
}

/// Also for strangers. A session that has expired is refused all the same: the client refreshes it.
async fn hello(session: OptionalSession) -> String {
    let user = session.as_ref().map(|session| session.user_id().as_str());
    format!("hello, {}", user.unwrap_or("stranger"))
}

/// Changes what the token says; the new one travels with this answer.
async fn nickname(session: Session<CheckDatabase>, Body(body): Body<Nickname>) -> Answer {
    let update = Map::from_iter([("nickname".to_owned(), json!(body.nickname))]);
    session.merge_payload(update).await?;
    let answer = json!({ "user": session.user_id(), "nickname": body.nickname });
    Ok(Json(answer))
}

#[derive(Deserialize)]
struct Nickname {
    nickname: String,
}

/// Cannot be reached without the role: the policy stands in the signature.
async fn admin(session: Session<AdminsOnly>) -> Json<Value> {
    Json(json!({ "user": session.user_id(), "role": session.claim::<Role>() }))
}

enum AdminsOnly {}

impl Policy for AdminsOnly {
    fn options() -> VerifyOptions {
        let is_admin: Arc<dyn ClaimValidator> = Arc::new(Role::has_value("admin"));
        let options = VerifyOptions::new().check_blacklist(true);
        options.and_claim_validators([is_admin])
    }
}

/// What a user may do; fetched for each new session and kept in its token.
struct Role;

#[async_trait]
impl SessionClaim for Role {
    type Value = String;
    const KEY: &'static str = "role";

    async fn fetch(&self, context: &ClaimContext<'_>) -> Result<Option<String>, BoxError> {
        let is_admin = context.user().as_str() == "admin";
        Ok(Some(if is_admin { "admin" } else { "member" }.to_owned()))
    }
}

/// The user's sessions, oldest first. Times are whole seconds since 1970, as in the tokens.
async fn devices(session: Session<CheckDatabase>, State(sessions): State<Sessions>) -> Answer {
    let user = session.user_id();
    let mine = sessions.sessions_of_user(user, None, None, 100).await?;
    let unix = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let devices = mine.iter().map(|device| {
        json!({
            "handle": device.handle(),
            "device": device.data().get("device"),
            "created": unix(device.created_at()).as_secs(),
            "last_refreshed": unix(device.last_refreshed_at()).as_secs(),
            "expires": unix(device.expires_at()).as_secs(),
            "current": device.handle() == session.handle(),
        })
    });
    Ok(Json(json!({ "devices": devices.collect::<Vec<_>>() })))
}

/// Nobody can end, or ask after, somebody else's session.
async fn end_device(
    session: Session<CheckDatabase>,
    State(sessions): State<Sessions>,
    Path(handle): Path<String>,
) -> Result<Response, SessionRejection> {
    let found = match SessionHandle::try_from(handle) {
        Ok(handle) => sessions.information(&handle).await?,
        Err(_) => None,
    };
    let Some(device) = found.filter(|device| device.user_id() == session.user_id()) else {
        return Ok(error(StatusCode::NOT_FOUND, "you have no such session"));
    };
    if device.handle() == session.handle() {
        session.revoke().await?; // clears this client's tokens, too
    } else {
        sessions.revoke(device.handle()).await?;
    }
    Ok(Json(json!({ "ended": [device.handle()] })).into_response())
}

async fn end_other_devices(session: Session<CheckDatabase>) -> Answer {
    Ok(Json(json!({ "ended": session.revoke_others().await? })))
}

/// A tick each second. When the session ends, the client hears of it at once.
async fn events(
    session: Session<CheckBlacklist>,
    Extension(stop): Extension<CancellationToken>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let event = |name| Event::default().event(name).data(name);
    let clock = IntervalStream::new(interval(Duration::from_secs(1)));
    let ticks = clock.map(move |_| event("tick"));
    let ended = stream::iter([event("ended")]);
    let events = ticks.take_until(session.revoked()).chain(ended);
    Sse::new(events.take_until(stop.cancelled_owned()).map(Ok))
}

/// A JSON body. One that cannot be read is refused in JSON, as everything here.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(error(rejection.status(), &rejection.body_text())),
        }
    }
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

type Answer = Result<Json<Value>, SessionRejection>;
