//! Sessions on warp and SQLite: the whole server. `cargo run -p example-warp`, then open the
//! address that it prints. Each route says how far its session is checked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{convert::Infallible, error::Error, io, sync::Arc};

use clap::Parser as _;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, json};
use session_sqlx::SqlxStore;
use session_warp::session_core::claims::{BoxError, ClaimContext, PrimitiveClaim, SessionClaim};
use session_warp::{
    AppInfo, CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, NewSession, OptionalSession,
    Policy, Session, SessionError, SessionHandle, SessionRejection, SessionRequest, Sessions,
    Stateless, UserId, VerifyOptions, optional_session, request, session,
    session_core::async_trait, verify_session,
};
use tokio::{net::TcpListener, sync::Mutex, time::interval};
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;
use warp::http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use warp::{Filter, Rejection, Reply, path, reject::Reject, reply, sse::Event};

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

    let site = arguments.site.unwrap_or_else(|| address.clone());
    // The first is where this server is, the second where its page is.
    let sessions = Sessions::builder(AppInfo::new(&address, &site))
        .store(SqlxStore::connect(&database).await?)
        .claim(Role)
        // A minute instead of an hour, so that one can watch a token expire.
        .config(|config| config.access_token_lifetime(Duration::from_mins(1)))
        .build()
        .await?;
    println!("sessions are kept in {database}\nopen {address}");

    // Written as browsers write it, without the slash that one types.
    let site = sessions.config().app().website_domain();
    let stop = CancellationToken::new();
    session_warp::serve(sessions.clone(), routes(stop.clone()))
        .layer(cors(site.parse()?))
        .graceful(async move {
            tokio::signal::ctrl_c().await.ok();
            stop.cancel();
        })
        .incoming(listener)
        .await;
    sessions.shutdown().await;
    Ok(())
}

/// Path, method, session: what a session filter refuses is answered, and no other route is tried.
#[rustfmt::skip] // A line for each route.
fn routes(stop: CancellationToken) -> impl Filter<Extract = (impl Reply,), Error = Rejection> {
    let (get, post) = (warp::get(), warp::post());
    let not_ended = verify_session(VerifyOptions::new().check_blacklist(true));
    path!().and(get).map(|| reply::html(include_str!("../../shared/page.html")))
        .or(path!("login").and(post).and(request()).and(body()).then(login))
        .or(path!("like-comment").and(post).and(session()).then(like_comment))
        .or(path!("feed").and(get).and(not_ended).and(session()).then(feed))
        .or(path!("profile").and(get).and(session()).then(profile))
        .or(path!("hello").and(get).and(optional_session()).then(hello))
        .or(path!("nickname").and(post).and(session()).and(body()).then(nickname))
        .or(path!("admin").and(get).and(session()).then(admin))
        .or(path!("devices").and(get).and(session()).and(request()).then(devices))
        .or(path!("devices" / String / "end").and(post).and(session()).and(request()).then(end_device))
        .or(path!("devices" / "end-others").and(post).and(session()).then(end_other_devices))
        .or(path!("events").and(get).and(session()).and(warp::any().map(move || stop.clone())).then(events))
        .recover(recover)
}

/// The page's origin, and no other, may read the answers and send headers of its own. CORS keeps no
/// forged request out: that is up to the cookies' `SameSite` and to `anti_csrf`. `warp::cors` would not do: it
/// sees the routes, but not refresh and sign-out.
fn cors(site: HeaderValue) -> CorsLayer {
    let headers = CORS_REQUEST_HEADERS.into_iter().chain([CONTENT_TYPE]);
    CorsLayer::new()
        .allow_origin(site)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
}

/// A real application asks for a password. Tokens travel with the answer, in cookies or headers.
async fn login(request: SessionRequest, Login { user, device }: Login) -> Answer {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let new = NewSession::new(user).data_value("device", json!(device));
    let session = request.create_session(new).await?;
    let answer = json!({ "user": session.user_id(), "handle": session.handle() });
    Ok(reply::json(&answer))
}

#[derive(Deserialize)]
struct Login {
    user: String,
    device: String,
}

/// Asks the database: a session that was ended is refused at once, on every node.
async fn like_comment(session: Session<CheckDatabase>) -> impl Reply {
    reply::json(&json!({ "user": session.user_id(), "liked": true }))
}

/// The filter before it asks the set of ended sessions in memory.
async fn feed(session: Session) -> impl Reply {
    reply::json(&json!({ "user": session.user_id(), "posts": ["a post", "another post"] }))
}

/// Looks no further than the token: a session that was ended is served until its token expires.
async fn profile(session: Session<Stateless>) -> impl Reply {
    reply::json(&json!({
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
async fn nickname(session: Session<CheckDatabase>, body: Nickname) -> Answer {
    let update = Map::from_iter([("nickname".to_owned(), json!(body.nickname))]);
    session.merge_payload(update).await?;
    let answer = json!({ "user": session.user_id(), "nickname": body.nickname });
    Ok(reply::json(&answer))
}

#[derive(Deserialize)]
struct Nickname {
    nickname: String,
}

/// Cannot be reached without the role: the policy stands in the signature.
async fn admin(session: Session<AdminsOnly>) -> impl Reply {
    reply::json(&json!({ "user": session.user_id(), "role": session.claim::<Role>() }))
}

enum AdminsOnly {}

impl Policy for AdminsOnly {
    fn options() -> VerifyOptions {
        let options = VerifyOptions::new().check_blacklist(true);
        options.and_claim_validators([Arc::new(Role::has_value("admin")) as _])
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
async fn devices(session: Session<CheckDatabase>, request: SessionRequest) -> Answer {
    let (user, sessions) = (session.user_id(), request.sessions());
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
    let devices = devices.collect::<Vec<_>>();
    Ok(reply::json(&json!({ "devices": devices })))
}

/// Nobody can end, or ask after, somebody else's session.
async fn end_device(
    handle: String,
    session: Session<CheckDatabase>,
    request: SessionRequest,
) -> Result<reply::Response, SessionRejection> {
    let found = match SessionHandle::try_from(handle) {
        Ok(handle) => request.sessions().information(&handle).await?,
        Err(_) => None,
    };
    let Some(device) = found.filter(|device| device.user_id() == session.user_id()) else {
        return Ok(error(StatusCode::NOT_FOUND, "you have no such session"));
    };
    if device.handle() == session.handle() {
        session.revoke().await?; // clears this client's tokens, too
    } else {
        request.sessions().revoke(device.handle()).await?;
    }
    Ok(reply::json(&json!({ "ended": [device.handle()] })).into_response())
}

async fn end_other_devices(session: Session<CheckDatabase>) -> Answer {
    let answer = json!({ "ended": session.revoke_others().await? });
    Ok(reply::json(&answer))
}

/// A tick each second. When the session ends, the client hears of it at once.
async fn events(session: Session<CheckBlacklist>, stop: CancellationToken) -> impl Reply {
    let event = |name: &str| Ok::<_, Infallible>(Event::default().event(name).data(name));
    let clock = IntervalStream::new(interval(Duration::from_secs(1)));
    let ticks = clock.map(move |_| event("tick"));
    let ticks = ticks.take_until(session.revoked());
    let events = ticks.chain(stream::iter([event("ended")]));
    // warp wants streams that threads could share, though none do.
    let mut events = Mutex::new(Box::pin(events.take_until(stop.cancelled_owned())));
    let events = stream::poll_fn(move |context| events.get_mut().poll_next_unpin(context));
    warp::sse::reply(events)
}

/// A JSON body, and not a large one.
fn body<T: DeserializeOwned + Send>() -> impl Filter<Extract = (T,), Error = Rejection> + Copy {
    let body = warp::body::content_length_limit(16 * 1024).and(warp::body::json());
    body.or_else(async |_| Err(warp::reject::custom(UnreadableBody)))
}

#[derive(Debug)]
struct UnreadableBody;
impl Reject for UnreadableBody {}

/// What no route takes is refused in JSON, as everything here.
async fn recover(rejection: Rejection) -> Result<reply::Response, Rejection> {
    match rejection.find::<UnreadableBody>() {
        Some(_) => Ok(error(StatusCode::BAD_REQUEST, "the body cannot be read")),
        None if !rejection.is_not_found() => Err(rejection),
        None => Ok(error(StatusCode::NOT_FOUND, "there is nothing here")),
    }
}

fn error(status: StatusCode, message: &str) -> reply::Response {
    reply::with_status(reply::json(&json!({ "message": message })), status).into_response()
}

type Answer = Result<reply::Json, SessionRejection>;
