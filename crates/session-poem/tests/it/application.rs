//! The application of the HTTP suite on poem.
#![expect(
    clippy::needless_pass_by_value,
    reason = "a handler takes its extractors by value"
)]

use std::{collections::BTreeMap, io, net::TcpListener};

use futures_util::TryStreamExt as _;
use poem::{
    Body, Endpoint, EndpointExt as _, Request, Response, Route, RouteMethod, Server, get, handler,
    listener::TcpAcceptor, middleware::CatchPanic, post,
};
use session_poem::{
    CheckBlacklist, CheckDatabase, OptionalSession, Policy, Session, SessionLayer,
    SessionRejection, Sessions, Stateless, create_session, get_session, session_core,
    session_core::async_trait, verify_session,
};
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Login},
};

/// Serves the application of the HTTP suite.
pub(crate) struct Poem;

#[async_trait]
impl Adapter for Poem {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let acceptor = TcpAcceptor::from_std(listener).unwrap();
        let server = Server::new_with_acceptor(acceptor).run(app(sessions));
        #[expect(clippy::disallowed_methods, reason = "stopped by the guard")]
        let server = tokio::spawn(server);
        ServerGuard::new(move || server.abort())
    }
}

fn app(sessions: Sessions) -> impl Endpoint {
    let nested = Route::new()
        .at("/stateless", get(required::<Stateless>::default()))
        .at("/database", get(required::<CheckDatabase>::default()))
        .at("/act", post(act))
        .with(SessionLayer::new(sessions.clone()))
        .with(verify_session(application::nested_guard()));
    let route = Route::new()
        .at("/login", post(login))
        .at("/act", post(act))
        .at("/session", get(configured).post(configured))
        .at("/stateless", checked::<Stateless>())
        .at("/blacklist", checked::<CheckBlacklist>())
        .at("/database", checked::<CheckDatabase>())
        .at("/optional", get(optional).post(optional))
        .at("/admin", get(required::<Admin>::default()))
        .at("/twice", get(twice))
        .at("/value", get(value))
        .at("/stream", get(stream))
        .nest("/nested", nested);
    guarded_routes()
        .into_iter()
        .fold(route, |route, (path, methods)| route.at(path, methods))
        .with(CatchPanic::new())
        .with(SessionLayer::new(sessions))
}

fn guarded_routes() -> BTreeMap<&'static str, RouteMethod> {
    let mut routes = BTreeMap::<_, RouteMethod>::new();
    for guard in application::guards() {
        let mut route = routes.remove(guard.path).unwrap_or_default();
        for method in guard.methods {
            let checked = verify_session(guard.options.clone());
            route = route.method(method.clone(), guarded.with(checked));
        }
        routes.insert(guard.path, route);
    }
    routes
}

#[handler]
async fn login(request: &Request, body: Vec<u8>) -> Result<Response, SessionRejection> {
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(create_session(request, new).await?);
    }
    let session = last.unwrap();
    Ok(respond(application::act(&session, &body).await?))
}

#[handler]
async fn act(session: Session<Stateless>, body: Vec<u8>) -> Result<Response, SessionRejection> {
    Ok(respond(application::act(&session, &body).await?))
}

fn checked<P: Policy + Send + Sync>() -> RouteMethod {
    get(required::<P>::default()).post(required::<P>::default())
}

#[handler]
fn required<P: Policy + Send + Sync>(session: Session<P>) -> Response {
    describe(Some(&session))
}

#[handler]
fn configured(session: Session) -> Response {
    describe(Some(&session))
}

#[handler]
fn optional(session: OptionalSession<Stateless>) -> Response {
    describe(session.as_ref())
}

#[handler]
fn twice(_: Session<Stateless>, session: Session<CheckDatabase>) -> Response {
    describe(Some(&session))
}

#[handler]
fn value(session: poem::Result<Session<CheckDatabase>>) -> Response {
    match session {
        Ok(session) => describe(Some(&session)),
        Err(error) => {
            let refused = error.downcast_ref::<SessionRejection>().unwrap();
            respond(application::describe_refused(refused.error()))
        }
    }
}

#[handler]
fn stream(session: Session<CheckBlacklist>) -> Response {
    let events = application::events(session.into_inner());
    let events = events.map_err(|never| -> io::Error { match never {} });
    Response::from(Body::from_bytes_stream(events))
}

#[handler]
async fn guarded(request: &Request) -> Result<Response, SessionRejection> {
    let session = get_session(request, &application::ask_nothing()).await?;
    Ok(describe(session.as_ref()))
}

fn describe(session: Option<&session_core::Session>) -> Response {
    respond(application::describe(session))
}

fn respond(response: http::Response<bytes::Bytes>) -> Response {
    let (head, body) = response.into_parts();
    let mut response = Response::from((head.status, Body::from(body)));
    *response.headers_mut() = head.headers;
    response
}
