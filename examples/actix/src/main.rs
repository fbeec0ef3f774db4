//! Sessions on actix-web and SQLite: the whole server. `cargo run -p example-actix`, then open the
//! address that it prints. Each handler says in its signature how far its session is checked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{convert::Infallible, error::Error, io, net::TcpListener, sync::Arc};

use actix_cors::Cors;
use actix_web::error::{InternalError, JsonPayloadError};
use actix_web::http::{StatusCode, header::CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Html, Json, JsonConfig, Path, ServiceConfig};
use actix_web::web::{get, post, resource, to};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError as _};
use clap::Parser as _;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session_actix::session_core::claims::{BoxError, ClaimContext, ClaimValidator};
use session_actix::session_core::claims::{PrimitiveClaim as _, SessionClaim};
use session_actix::{
    AppInfo, CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, NewSession, OptionalSession,
    Policy, Session, SessionError, SessionHandle, SessionMiddleware, SessionRejection, Sessions,
    Stateless, UserId, VerifyOptions, create_session, session_core::async_trait, verify_session,
};
use session_sqlx::SqlxStore;
use tokio::time::interval;
use tokio_stream::wrappers::IntervalStream;
use tokio_util::sync::CancellationToken;

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

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let database = arguments.database.unwrap_or_else(|| {
        let file = std::env::temp_dir().join("session-example.sqlite");
        format!("sqlite://{}", file.display())
    });
    let listener = TcpListener::bind(&arguments.listen)?;
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

    let stop = CancellationToken::new();
    let (shared, stopped) = (Data::new(sessions.clone()), Data::new(stop.clone()));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(stopped.clone())
            .app_data(JsonConfig::default().error_handler(unreadable))
            .configure(routes)
            .wrap(SessionMiddleware::new(shared.get_ref().clone()))
            // Written as browsers write it, without the slash that one types.
            .wrap(cors(shared.config().app().website_domain()))
    });
    let interrupted = actix_web::rt::signal::ctrl_c().map(move |_| stop.cancel());
    let server = server.listen(listener)?.shutdown_signal(interrupted);
    server.run().await?;
    sessions.shutdown().await;
    Ok(())
}

fn routes(config: &mut ServiceConfig) {
    let not_ended = verify_session(VerifyOptions::new().check_blacklist(true));
    let page = async || Html::new(include_str!("../../shared/page.html"));
    let nothing = async || error(StatusCode::NOT_FOUND, "there is nothing here");
    config
        .route("/", get().to(page))
        .service(resource("/login").post(login))
        .service(resource("/like-comment").post(like_comment))
        .service(resource("/feed").wrap(not_ended).get(feed))
        .service(resource("/profile").get(profile))
        .service(resource("/hello").get(hello))
        .service(resource("/nickname").post(nickname))
        .service(resource("/admin").get(admin))
        .service(resource("/devices").get(devices))
        .route("/devices/{handle}/end", post().to(end_device))
        .route("/devices/end-others", post().to(end_other_devices))
        .service(resource("/events").get(events))
        .default_service(to(nothing));
}

/// The page's origin, and no other, may read the answers and send headers of its own. CORS keeps no
/// forged request out: that is up to the cookies' `SameSite` and to `anti_csrf`.
fn cors(site: &str) -> Cors {
    Cors::default()
        .allowed_origin(site)
        .supports_credentials()
        .allowed_methods(["GET", "POST"])
        .allowed_headers(CORS_REQUEST_HEADERS.map(|name| name.to_string()))
        .allowed_header(CONTENT_TYPE)
}

/// A real application asks for a password. Tokens travel with the answer, in cookies or headers.
async fn login(request: HttpRequest, Json(Login { user, device }): Json<Login>) -> Answer {
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let new = NewSession::new(user).data_value("device", json!(device));
    let session = create_session(&request, new).await?;
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

/// The middleware on the resource asks the set of ended sessions in memory.
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
async fn nickname(session: Session<CheckDatabase>, Json(body): Json<Nickname>) -> Answer {
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
async fn devices(session: Session<CheckDatabase>, sessions: Data<Sessions>) -> Answer {
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
    sessions: Data<Sessions>,
    handle: Path<String>,
) -> Result<HttpResponse, SessionRejection> {
    let found = match SessionHandle::try_from(handle.into_inner()) {
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
    Ok(HttpResponse::Ok().json(json!({ "ended": [device.handle()] })))
}

async fn end_other_devices(session: Session<CheckDatabase>) -> Answer {
    Ok(Json(json!({ "ended": session.revoke_others().await? })))
}

/// A tick each second. When the session ends, the client hears of it at once.
async fn events(session: Session<CheckBlacklist>, stop: Data<CancellationToken>) -> HttpResponse {
    let event = |name| Ok::<_, Infallible>(Bytes::from(format!("event: {name}\ndata: {name}\n\n")));
    let clock = IntervalStream::new(interval(Duration::from_secs(1)));
    let ticks = clock.map(move |_| event("tick"));
    let ended = stream::iter([event("ended")]);
    let events = ticks.take_until(session.revoked()).chain(ended);
    let events = events.take_until(stop.get_ref().clone().cancelled_owned());
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream").streaming(events)
}

/// A JSON body that cannot be read is refused in JSON, as everything here.
fn unreadable(unreadable: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    let status = match &unreadable {
        JsonPayloadError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        JsonPayloadError::Deserialize(why) if why.is_data() => StatusCode::UNPROCESSABLE_ENTITY,
        other => other.status_code(),
    };
    let response = error(status, &unreadable.to_string());
    InternalError::from_response(unreadable, response).into()
}

fn error(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "message": message }))
}

type Answer = Result<Json<Value>, SessionRejection>;
