//! The application of the HTTP suite on hyper without any framework.

use std::{convert::Infallible, net::TcpListener, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Login},
};
use session_tower::{
    CheckBlacklist, CheckDatabase, Configured, Policy, Refusal, Session, SessionLayer, Sessions,
    Stateless, create_session, get_session, optional_session, session, session_core::async_trait,
    verify_session,
};
use tokio::task::JoinSet;
use tower::{
    BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn,
    util::BoxCloneSyncService,
};
use tower_http::catch_panic::CatchPanicLayer;

/// Serves the application of the HTTP suite.
pub(crate) struct Hyper;

#[async_trait]
impl Adapter for Hyper {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        #[expect(clippy::disallowed_methods, reason = "stopped by the guard")]
        let server = tokio::spawn(serve(listener, app(&sessions)));
        ServerGuard::new(move || server.abort())
    }
}

pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

pub(crate) fn boxed<B>(response: Response<B>) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// Serves HTTP/1.1 and HTTP/2 until the future is dropped, and the connections with it.
pub(crate) async fn serve<S>(listener: tokio::net::TcpListener, app: S)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let app = TowerToHyperService::new(app.clone());
        connections.spawn(async {
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that breaks the protocol or goes away is no concern of the others.
            let _ended = server
                .serve_connection_with_upgrades(TokioIo::new(stream), app)
                .await;
        });
    }
}

fn app(
    sessions: &Sessions,
) -> impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ use<> {
    ServiceBuilder::new()
        .map_response(boxed)
        .layer(SessionLayer::new(sessions.clone()))
        .layer(CatchPanicLayer::new())
        .service(Router::new(sessions))
}

/// A service for each method and path.
#[derive(Clone)]
struct Router(Arc<Vec<(Method, &'static str, Route)>>);

type Route = BoxCloneSyncService<Request<Incoming>, Response<Body>, Infallible>;
type Answer = Result<Response<Body>, Refusal>;

impl Router {
    fn new(sessions: &Sessions) -> Self {
        let mut routes = vec![
            (Method::POST, "/login", route(login)),
            (Method::POST, "/act", route(act)),
            (Method::GET, "/admin", route(required::<Admin>)),
            (Method::GET, "/twice", route(twice)),
            (Method::GET, "/value", route(value)),
            (Method::GET, "/stream", route(stream)),
        ];
        for method in [Method::GET, Method::POST] {
            routes.extend([
                (method.clone(), "/session", route(required::<Configured>)),
                (method.clone(), "/stateless", route(required::<Stateless>)),
                (
                    method.clone(),
                    "/blacklist",
                    route(required::<CheckBlacklist>),
                ),
                (
                    method.clone(),
                    "/database",
                    route(required::<CheckDatabase>),
                ),
                (method, "/optional", route(optional)),
            ]);
        }
        for guard in application::guards() {
            let guarded = guarded_by(guard.options, route(guarded));
            for method in guard.methods {
                routes.push((method.clone(), guard.path, guarded.clone()));
            }
        }
        for (method, path, handler) in [
            (
                Method::GET,
                "/nested/stateless",
                route(required::<Stateless>),
            ),
            (
                Method::GET,
                "/nested/database",
                route(required::<CheckDatabase>),
            ),
            (Method::POST, "/nested/act", route(act)),
        ] {
            let again = SessionLayer::new(sessions.clone()).layer(handler);
            let again = BoxCloneSyncService::new(again.map_response(boxed));
            routes.push((method, path, guarded_by(application::nested_guard(), again)));
        }
        Self(Arc::new(routes))
    }

    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        // HTTP asks that HEAD is answered wherever GET is.
        let asked = match *request.method() {
            Method::HEAD => &Method::GET,
            _ => request.method(),
        };
        let path = request.uri().path();
        let mut routes = self.0.iter();
        let found = routes.find(|route| route.0 == asked && route.1 == path);
        match found {
            Some((_, _, route)) => route.clone().oneshot(request).await.unwrap(),
            None => not_found(),
        }
    }
}

impl Service<Request<Incoming>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = futures_util::future::BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let router = self.clone();
        Box::pin(async { Ok(router.answer(request).await) })
    }
}

fn not_found() -> Response<Body> {
    let mut response = respond(Response::default());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn guarded_by(options: session_tower::VerifyOptions, route: Route) -> Route {
    let guarded = verify_session(options).layer(route);
    BoxCloneSyncService::new(guarded.map_response(boxed))
}

fn route<H, F>(handler: H) -> Route
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    BoxCloneSyncService::new(service_fn(move |request| {
        let answer = handler(request);
        async {
            Ok(answer
                .await
                .unwrap_or_else(|refusal| respond(refusal.to_response())))
        }
    }))
}

async fn login(request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let body = read(body).await;
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(create_session(&head, new).await?);
    }
    let session = last.unwrap();
    Ok(respond(application::act(&session, &body).await?))
}

async fn act(request: Request<Incoming>) -> Answer {
    let session = session::<Stateless>(&request).await?;
    let body = read(request.into_body()).await;
    Ok(respond(application::act(&session, &body).await?))
}

async fn required<P: Policy>(request: Request<Incoming>) -> Answer {
    let session = session::<P>(&request).await?;
    Ok(describe(Some(&session)))
}

async fn optional(request: Request<Incoming>) -> Answer {
    let session = optional_session::<Stateless>(&request).await?;
    Ok(describe(session.as_ref()))
}

async fn twice(request: Request<Incoming>) -> Answer {
    session::<Stateless>(&request).await?;
    required::<CheckDatabase>(request).await
}

async fn value(request: Request<Incoming>) -> Answer {
    Ok(match session::<CheckDatabase>(&request).await {
        Ok(session) => describe(Some(&session)),
        Err(refused) => respond(application::describe_refused(refused.error())),
    })
}

async fn stream(request: Request<Incoming>) -> Answer {
    use futures_util::TryStreamExt as _;

    let session = session::<CheckBlacklist>(&request).await?;
    let events = application::events(session).map_ok(Frame::data);
    Ok(boxed(Response::new(StreamBody::new(events))))
}

async fn guarded(request: Request<Incoming>) -> Answer {
    let session = get_session(&request, &application::ask_nothing()).await?;
    Ok(describe(session.as_ref()))
}

fn describe(session: Option<&Session>) -> Response<Body> {
    respond(application::describe(session))
}

async fn read(body: Incoming) -> Bytes {
    body.collect()
        .await
        .map(Collected::to_bytes)
        .unwrap_or_default()
}

fn respond(response: Response<Bytes>) -> Response<Body> {
    boxed(response.map(Full::new))
}
