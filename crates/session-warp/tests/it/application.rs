//! The application of the HTTP suite on warp.

use std::{
    convert::Infallible,
    net::TcpListener,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use futures_util::Stream;
use hyper::body::Bytes;
use session_testkit::http::{
    Adapter, ServerGuard,
    application::{self, Admin, Guard, Login},
};
use session_warp::{
    CheckBlacklist, CheckDatabase, Configured, OptionalSession, Policy, Server, Session,
    SessionLayer, SessionRejection, SessionRequest, Sessions, Stateless, optional_session, request,
    session, session_core, session_core::async_trait, try_session, verify_session,
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use warp::{Filter, Rejection, Reply, filters::BoxedFilter, http::Method, path, reply::Response};

/// Serves the application of the HTTP suite.
pub(crate) struct Warp;

#[async_trait]
impl Adapter for Warp {
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        // No layer can go around the filters below `/nested` alone, so it is twice around all.
        let app = ServiceBuilder::new()
            .layer(SessionLayer::new(sessions.clone()))
            .layer(SessionLayer::new(sessions))
            .layer(CatchPanicLayer::new())
            .service(session_warp::service(routes()));
        #[expect(clippy::disallowed_methods, reason = "stopped by the guard")]
        let server = tokio::spawn(Server::new(app).incoming(listener));
        ServerGuard::new(move || server.abort())
    }
}

fn routes() -> Route {
    let nested = [
        path!("stateless").and(checked::<Stateless>()).boxed(),
        path!("database").and(checked::<CheckDatabase>()).boxed(),
        path!("act").and(act()).boxed(),
    ];
    let nested = path("nested")
        .and(verify_session(application::nested_guard()))
        .and(any_of(nested));
    let login = warp::post()
        .and(request())
        .and(warp::body::bytes())
        .then(login)
        .map(Reply::into_response);
    let optional = read_or_change()
        .and(optional_session::<Stateless>())
        .map(|session: OptionalSession<Stateless>| describe(session.as_ref()));
    let twice = warp::get()
        .and(session::<Stateless>())
        .and(session::<CheckDatabase>())
        .map(|_, session: Session<CheckDatabase>| describe(Some(&session)));
    let value = warp::get().and(try_session::<CheckDatabase>()).map(value);
    let stream = warp::get().and(session::<CheckBlacklist>()).map(stream);
    let routes = [
        path!("login").and(login).boxed(),
        path!("act").and(act()).boxed(),
        path!("session").and(checked::<Configured>()).boxed(),
        path!("stateless").and(checked::<Stateless>()).boxed(),
        path!("blacklist").and(checked::<CheckBlacklist>()).boxed(),
        path!("database").and(checked::<CheckDatabase>()).boxed(),
        path!("optional").and(optional).boxed(),
        path!("admin")
            .and(warp::get())
            .and(checked::<Admin>())
            .boxed(),
        path!("twice").and(twice).boxed(),
        path!("value").and(value).boxed(),
        path!("stream").and(stream).boxed(),
        nested.boxed(),
    ];
    let guards = application::guards().into_iter().map(guarded);
    any_of(routes.into_iter().chain(guards))
}

/// A route, and the answer of its handler.
type Route = BoxedFilter<(Response,)>;

fn any_of(routes: impl IntoIterator<Item = Route>) -> Route {
    let either = |one: Route, other: Route| one.or(other).unify().boxed();
    routes.into_iter().reduce(either).unwrap()
}

fn read_or_change() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    warp::get().or(warp::post()).unify()
}

fn checked<P: Policy>() -> impl Filter<Extract = (Response,), Error = Rejection> + Copy {
    read_or_change()
        .and(session::<P>())
        .map(|session: Session<P>| describe(Some(&session)))
}

fn act() -> impl Filter<Extract = (Response,), Error = Rejection> + Copy {
    let body = warp::body::bytes();
    warp::post().and(session::<Stateless>()).and(body).then(
        async |session: Session<Stateless>, body: Bytes| {
            let answer = application::act(&session, &body).await;
            answer.map_err(SessionRejection::from).into_response()
        },
    )
}

async fn login(request: SessionRequest, body: Bytes) -> Result<Response, SessionRejection> {
    let mut last = None;
    for new in Login::parse(&body)?.sessions {
        last = Some(request.create_session(new).await?);
    }
    let session = last.unwrap();
    Ok(application::act(&session, &body).await?.into_response())
}

fn value(session: Result<Session<CheckDatabase>, SessionRejection>) -> Response {
    match session {
        Ok(session) => describe(Some(&session)),
        Err(refused) => application::describe_refused(refused.error()).into_response(),
    }
}

fn stream(session: Session<CheckBlacklist>) -> Response {
    let events = Box::pin(application::events(session.into_inner()));
    warp::reply::stream(SyncStream(Mutex::new(events))).into_response()
}

fn guarded(guard: Guard) -> Route {
    let segments = guard.path.split('/').skip(1).map(path);
    let path = segments.fold(warp::any().boxed(), |path, segment| {
        path.and(segment).boxed()
    });
    let of_the_guard = async move |method: Method| {
        // The other frameworks answer HEAD where they answer GET.
        let method = if method == Method::HEAD {
            Method::GET
        } else {
            method
        };
        let found = guard.methods.contains(&method);
        found.then_some(()).ok_or_else(warp::reject::not_found)
    };
    path.and(warp::path::end())
        .and(warp::method().and_then(of_the_guard).untuple_one())
        .and(verify_session(guard.options))
        .and(request())
        .then(async |request: SessionRequest| {
            let session = request.get_session(&application::ask_nothing()).await?;
            Ok::<_, SessionRejection>(describe(session.as_ref()))
        })
        .map(Reply::into_response)
        .boxed()
}

fn describe(session: Option<&session_core::Session>) -> Response {
    application::describe(session).into_response()
}

/// warp wants streams that are `Sync`, though it never shares one.
struct SyncStream<S>(Mutex<Pin<Box<S>>>);

impl<S: Stream<Item = Result<Bytes, Infallible>>> Stream for SyncStream<S> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        stream.as_mut().poll_next(cx)
    }
}
