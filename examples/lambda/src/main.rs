//! Sessions on AWS Lambda: the whole function, behind a REST API, an HTTP API, a function URL or a
//! load balancer. `cargo lambda build -p example-lambda` makes the binary; it is told where it is in
//! its environment, see [`Settings`].

use std::{convert::Infallible, env, io};

use lambda_http::http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use lambda_http::{Body, Error, Request, RequestExt as _, Response, Service};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session_sqlx::SqlxStore;
use session_tower::{
    AppInfo, CheckDatabase, Configured, NewSession, Refusal, SessionError, SessionLayer, Sessions,
    Stateless, UserId, VerifyOptions, create_session, get_session, optional_session, session,
};
use tower::ServiceBuilder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let settings = Settings::from_environment();
    let app_info = AppInfo::new(settings.api_domain, settings.website_domain)
        .api_gateway_path(settings.gateway_path);
    let sessions = Sessions::builder(app_info)
        .store(SqlxStore::connect(&settings.database).await?)
        .build()
        .await?;
    lambda_http::run(app(sessions)).await
}

/// What the function is told in its environment.
struct Settings {
    /// `API_DOMAIN`: where clients find the function.
    api_domain: String,
    /// `WEBSITE_DOMAIN`: where the website is that they come from.
    website_domain: String,
    /// `GATEWAY_PATH`: what API Gateway puts before each path, `/prod` for a stage of that name.
    gateway_path: String,
    /// `DATABASE_URL`: one that all instances of the function share.
    database: String,
}

impl Settings {
    fn from_environment() -> Self {
        let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        Self {
            api_domain: setting("API_DOMAIN", "https://api.example.com"),
            website_domain: setting("WEBSITE_DOMAIN", "https://example.com"),
            gateway_path: setting("GATEWAY_PATH", ""),
            database: setting("DATABASE_URL", "sqlite:///mnt/shared/sessions.sqlite"),
        }
    }
}

/// The layer answers the session routes, and writes cookies and headers into the other answers.
fn app(
    sessions: Sessions,
) -> impl Service<Request, Response: lambda_http::IntoResponse, Error = Infallible, Future: Send> {
    ServiceBuilder::new()
        .layer(SessionLayer::new(sessions))
        .service_fn(async |request: Request| {
            let answer = route(&request).await;
            // A refusal is answered as the browser and mobile SDKs expect.
            Ok(answer
                .unwrap_or_else(|refusal| refusal.to_response().map(|text| text.to_vec().into())))
        })
}

/// The path is the one below the stage.
async fn route(request: &Request) -> Answer {
    match (request.method(), request.raw_http_path()) {
        (&Method::POST, "/login") => login(request).await,
        (&Method::POST, "/like-comment") => like_comment(request).await,
        (&Method::POST, "/nickname") => nickname(request).await,
        (&Method::GET, "/feed") => feed(request).await,
        (&Method::GET, "/profile") => profile(request).await,
        (&Method::GET, "/hello") => hello(request).await,
        (&Method::POST, "/devices/end-others") => end_other_devices(request).await,
        _ => Ok(error(StatusCode::NOT_FOUND, "there is nothing here")),
    }
}

/// A real application asks for a password. Tokens travel with the answer, in cookies or headers.
async fn login(request: &Request) -> Answer {
    let Ok(Login { user, device }) = serde_json::from_slice(request.body()) else {
        return Ok(unreadable());
    };
    let user = UserId::try_from(user).map_err(SessionError::from)?;
    let new = NewSession::new(user).data_value("device", json!(device));
    let session = create_session(request, new).await?;
    Ok(answer(
        &json!({ "user": session.user_id(), "handle": session.handle() }),
    ))
}

#[derive(Deserialize)]
struct Login {
    user: String,
    device: String,
}

/// Asks the database: a session that was ended is refused at once, on every instance.
async fn like_comment(request: &Request) -> Answer {
    let session = session::<CheckDatabase>(request).await?;
    Ok(answer(&json!({ "user": session.user_id(), "liked": true })))
}

/// Changes what the token says; the new one travels with this answer.
async fn nickname(request: &Request) -> Answer {
    let session = session::<CheckDatabase>(request).await?;
    let Ok(Nickname { nickname }) = serde_json::from_slice(request.body()) else {
        return Ok(unreadable());
    };
    let update = Map::from_iter([("nickname".to_owned(), json!(nickname))]);
    session.merge_payload(update).await?;
    Ok(answer(
        &json!({ "user": session.user_id(), "nickname": nickname }),
    ))
}

#[derive(Deserialize)]
struct Nickname {
    nickname: String,
}

/// Decides at run time how far it looks: the first page of the news is worth no question to the
/// database.
async fn feed(request: &Request) -> Answer {
    let query = request.query_string_parameters();
    let older = query.first("page").is_some_and(|page| page != "1");
    let options = VerifyOptions::new()
        .check_database(older)
        .session_required(false);
    Ok(match get_session(request, &options).await? {
        Some(session) => answer(&json!({ "user": session.user_id(), "posts": ["a post"] })),
        None => answer(&json!({ "posts": [] })),
    })
}

/// Looks no further than the token: a session that was ended is served until its token expires.
async fn profile(request: &Request) -> Answer {
    let session = session::<Stateless>(request).await?;
    Ok(answer(&json!({
        "user": session.user_id(),
        "payload": session.payload().as_map(),
        "seconds_left": session.access_token_remaining().as_secs(),
    })))
}

/// Also for strangers. A session that has expired is refused all the same: the client refreshes it.
async fn hello(request: &Request) -> Answer {
    let session = optional_session::<Configured>(request).await?;
    let user = session.as_ref().map(|session| session.user_id().as_str());
    Ok(answer(&json!({ "hello": user.unwrap_or("stranger") })))
}

/// Ends the user's sessions on other devices.
async fn end_other_devices(request: &Request) -> Answer {
    let session = session::<CheckDatabase>(request).await?;
    Ok(answer(&json!({ "ended": session.revoke_others().await? })))
}

fn answer(body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn unreadable() -> Response<Body> {
    error(
        StatusCode::BAD_REQUEST,
        "the body is not what this route expects",
    )
}

fn error(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = answer(&json!({ "message": message }));
    *response.status_mut() = status;
    response
}

type Answer = Result<Response<Body>, Refusal>;
