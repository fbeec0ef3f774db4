//! The application of the HTTP suite on axum.

use std::net::TcpListener;

use axum::{
    Router,
    body::{Body, Bytes},
    http::request::Parts,
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, get, on, post},
};
use session_axum::{
    CheckBlacklist, CheckDatabase, OptionalSession, Policy, Session, SessionLayer,
    SessionRejection, SessionRequest, Sessions, Stateless, get_session, session_core,
    session_core::async_trait, verify_session,
};
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Login},
};
use tower_http::catch_panic::CatchPanicLayer;

/// Serves the application of the HTTP suite.
pub(crate) struct Axum;

#[async_trait]
impl Adapter for Axum {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        #[expect(clippy::disallowed_methods, reason = "stopped by the guard")]
        let server = tokio::spawn(async { axum::serve(listener, app(sessions)).await });
        ServerGuard::new(move || server.abort())
    }
}

fn app(sessions: Sessions) -> Router {
    let nested = Router::new()
        .route("/stateless", get(required::<Stateless>))
        .route("/database", get(required::<CheckDatabase>))
        .route("/act", post(act))
        .layer(SessionLayer::new(sessions.clone()))
        .layer(verify_session(application::nested_guard()));
    let router = Router::new()
        .route("/login", post(login))
        .route("/act", post(act))
        .route("/session", get(configured).post(configured))
        .route("/stateless", checked::<Stateless>())
        .route("/blacklist", checked::<CheckBlacklist>())
        .route("/database", checked::<CheckDatabase>())
        .route("/optional", get(optional).post(optional))
        .route("/admin", get(required::<Admin>))
        .route("/twice", get(twice))
        .route("/value", get(value))
        .route("/stream", get(stream))
        .nest("/nested", nested);
    let router = application::guards()
        .into_iter()
        .fold(router, |router, guard| {
            let methods = guard.methods.iter().cloned();
            let methods = methods.map(|method| MethodFilter::try_from(method).unwrap());
            let route = on(methods.reduce(MethodFilter::or).unwrap(), guarded);
            router.route(guard.path, route.route_layer(verify_session(guard.options)))
        });
    router
        .layer(CatchPanicLayer::new())
        .layer(SessionLayer::new(sessions))
}

async fn login(request: SessionRequest, body: Bytes) -> Result<Response, SessionRejection> {
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(request.create_session(new).await?);
    }
    let session = last.unwrap();
    Ok(respond(application::act(&session, &body).await?))
}

async fn act(session: Session<Stateless>, body: Bytes) -> Result<Response, SessionRejection> {
    Ok(respond(application::act(&session, &body).await?))
}

fn checked<P: Policy>() -> MethodRouter {
    get(required::<P>).post(required::<P>)
}

async fn required<P: Policy>(session: Session<P>) -> Response {
    describe(Some(&session))
}

async fn configured(session: Session) -> Response {
    describe(Some(&session))
}

async fn optional(session: OptionalSession<Stateless>) -> Response {
    describe(session.as_ref())
}

async fn twice(_: Session<Stateless>, session: Session<CheckDatabase>) -> Response {
    describe(Some(&session))
}

async fn value(session: Result<Session<CheckDatabase>, SessionRejection>) -> Response {
    match session {
        Ok(session) => describe(Some(&session)),
        Err(refused) => respond(application::describe_refused(refused.error())),
    }
}

async fn stream(session: Session<CheckBlacklist>) -> Response {
    Body::from_stream(application::events(session.into_inner())).into_response()
}

async fn guarded(parts: Parts) -> Result<Response, SessionRejection> {
    let session = get_session(&parts, &application::ask_nothing()).await?;
    Ok(describe(session.as_ref()))
}

fn describe(session: Option<&session_core::Session>) -> Response {
    respond(application::describe(session))
}

fn respond(response: axum::http::Response<Bytes>) -> Response {
    response.map(Body::from)
}
