//! Sessions on Rocket and SQLite: the whole server. `cargo run -p example-rocket`, then open the
//! address that it prints. Each handler says in its signature how far its session is checked.
#![expect(clippy::needless_pass_by_value, reason = "Rocket's way")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{error::Error, io, net::SocketAddr, net::TcpListener, sync::Arc};

use clap::Parser as _;
use rocket::response::{content::RawHtml, stream::Event, stream::EventStream};
use rocket::{Build, Config, Request, Rocket, Shutdown, State, fairing::AdHoc};
use rocket::{catch, catchers, get, options, post, routes};
use rocket::{http::Status, serde::json::Json, tokio::time::interval};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session_rocket::session_core::claims::{BoxError, ClaimContext, ClaimValidator};
use session_rocket::session_core::claims::{PrimitiveClaim as _, SessionClaim};
use session_rocket::{
    AppInfo, CORS_REQUEST_HEADERS, CheckBlacklist, CheckDatabase, NewSession, OptionalSession,
    Policy, Session, SessionError, SessionFairing, SessionHandle, SessionRejection, SessionRequest,
    Sessions, Stateless, UserId, VerifyOptions, session_core::async_trait, verify_session,
};
use session_sqlx::SqlxStore;

#[derive(clap::Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where sessions are kept [default: a file in the temporary directory]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Where the page is served from [default: this server]
    #[arg(long, value_name = "ORIGIN")]
    site: Option<String>,
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let database = arguments.database.unwrap_or_else(|| {
        let file = std::env::temp_dir().join("session-example.sqlite");
        format!("sqlite://{}", file.display())
    });
    // Rocket binds the port itself. For port 0, this is one that is free now.
    let listen = TcpListener::bind(arguments.listen)?.local_addr()?;
    let address = format!("http://{listen}");

    let site = arguments.site.unwrap_or_else(|| address.clone());
    // The first is where this server is, the second where its page is.
    let sessions = Sessions::builder(AppInfo::new(&address, &site))
        .store(SqlxStore::connect(&database).await?)
        .claim(Role)
        // A minute instead of an hour, so that one can watch a token expire.
        .config(|config| config.access_token_lifetime(Duration::from_mins(1)))
        .build()
        .await?;
    let open = async move { println!("sessions are kept in {database}\nopen {address}") };
    let open = AdHoc::on_liftoff("open", |_| Box::pin(open));
    // Written as browsers write it, without the slash that one types.
    let site = sessions.config().app().website_domain().to_owned();
    let app = app(sessions.clone(), listen)
        // Before the sessions, which add to the names that it exposes.
        .attach(cors(site))
        .attach(SessionFairing::new(sessions.clone()))
        .attach(open);
    let _ended = app.launch().await?;
    sessions.shutdown().await;
    Ok(())
}

fn app(sessions: Sessions, listen: SocketAddr) -> Rocket<Build> {
    let config = Config::figment()
        .merge(("address", listen.ip()))
        .merge(("port", listen.port()))
        .merge(("log_level", "off")); // on standard output; tracing has the other
    let not_ended = verify_session(VerifyOptions::new().check_blacklist(true));
    rocket::custom(config)
        .mount(
            "/",
            routes![page, preflight, login, like_comment, profile, hello],
        )
        .mount("/", routes![nickname, admin, events])
        .mount("/", not_ended.guard(routes![feed]))
        .mount("/devices", routes![devices, end_device, end_other_devices])
        .register("/", catchers![failed])
        .manage(sessions)
}

/// The page's origin, and no other, may read the answers and send headers of its own. CORS keeps no
/// forged request out: that is up to the cookies' `SameSite` and to `anti_csrf`.
fn cors(site: String) -> AdHoc {
    let ours = CORS_REQUEST_HEADERS.map(|name| name.to_string()).join(", ");
    AdHoc::on_response("CORS", move |_, response| {
        response.set_raw_header("Access-Control-Allow-Origin", site.clone());
        response.set_raw_header("Access-Control-Allow-Credentials", "true");
        response.set_raw_header("Access-Control-Allow-Methods", "GET, POST");
        let headers = format!("content-type, {ours}");
        response.set_raw_header("Access-Control-Allow-Headers", headers);
        Box::pin(async {})
    })
}

#[options("/<_..>")]
fn preflight() {}

#[get("/")]
fn page() -> RawHtml<&'static str> {
    RawHtml(include_str!("../../shared/page.html"))
}

/// A real application asks for a password. Tokens travel with the answer, in cookies or headers.
#[post("/login", data = "<body>")]
async fn login(request: SessionRequest, body: Json<Login>) -> Answer {
    let user = UserId::try_from(&*body.user).map_err(SessionError::from)?;
    let new = NewSession::new(user).data_value("device", json!(body.device));
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
#[post("/like-comment")]
fn like_comment(session: Session<CheckDatabase>) -> Json<Value> {
    Json(json!({ "user": session.user_id(), "liked": true }))
}

/// The guard around the route asks the set of ended sessions in memory.
#[get("/feed")]
fn feed(session: Session) -> Json<Value> {
    Json(json!({ "user": session.user_id(), "posts": ["a post", "another post"] }))
}

/// Looks no further than the token: a session that was ended is served until its token expires.
#[get("/profile")]
fn profile(session: Session<Stateless>) -> Json<Value> {
    Json(json!({
        "user": session.user_id(),
        "handle": session.handle(),
        "payload": session.payload().as_map(),
        "seconds_left": session.access_token_remaining().as_secs(),
    }))
}

/// Also for strangers. A session that has expired is refused all the same: the client refreshes it.
#[get("/hello")]
fn hello(session: OptionalSession) -> String {
    let user = session.as_ref().map(|session| session.user_id().as_str());
    format!("hello, {}", user.unwrap_or("stranger"))
}

/// Changes what the token says; the new one travels with this answer.
#[post("/nickname", data = "<body>")]
async fn nickname(session: Session<CheckDatabase>, body: Json<Nickname>) -> Answer {
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
#[get("/admin")]
fn admin(session: Session<AdminsOnly>) -> Json<Value> {
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
#[get("/")]
async fn devices(session: Session<CheckDatabase>, sessions: &State<Sessions>) -> Answer {
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
#[post("/<handle>/end")]
async fn end_device(
    session: Session<CheckDatabase>,
    sessions: &State<Sessions>,
    handle: String,
) -> Result<Reply, SessionRejection> {
    let found = match SessionHandle::try_from(handle) {
        Ok(handle) => sessions.information(&handle).await?,
        Err(_) => None,
    };
    let Some(device) = found.filter(|device| device.user_id() == session.user_id()) else {
        return Ok(failure(Status::NotFound, "you have no such session"));
    };
    if device.handle() == session.handle() {
        session.revoke().await?; // clears this client's tokens, too
    } else {
        sessions.revoke(device.handle()).await?;
    }
    Ok((Status::Ok, Json(json!({ "ended": [device.handle()] }))))
}

#[post("/end-others")]
async fn end_other_devices(session: Session<CheckDatabase>) -> Answer {
    Ok(Json(json!({ "ended": session.revoke_others().await? })))
}

/// A tick each second. When the session ends, the client hears of it at once.
#[get("/events")]
fn events(session: Session<CheckBlacklist>, mut stop: Shutdown) -> EventStream![] {
    let event = |name| Event::data(name).event(name);
    EventStream! {
        let mut clock = interval(Duration::from_secs(1));
        loop {
            rocket::tokio::select! {
                _ = clock.tick() => yield event("tick"),
                () = session.revoked() => break,
                () = &mut stop => return,
            }
        }
        yield event("ended");
    }
}

/// What fails, or is refused by Rocket, is answered in JSON, as everything here.
#[catch(default)]
fn failed(status: Status, request: &Request<'_>) -> Result<Reply, SessionRejection> {
    match SessionRejection::of(status, request) {
        Some(rejection) => Err(rejection),
        None if status == Status::NotFound => Ok(failure(status, "there is nothing here")),
        None => Ok(failure(status, status.reason_lossy())),
    }
}

fn failure(status: Status, message: &str) -> Reply {
    (status, Json(json!({ "message": message })))
}

type Reply = (Status, Json<Value>);
type Answer = Result<Json<Value>, SessionRejection>;
