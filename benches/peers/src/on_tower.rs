//! The route as a tower service, without any framework.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use session_tower::{ResponseBody, SessionLayer, Sessions, Stateless, session};
use tower::{Layer as _, Service, service_fn};

use crate::answer::Answer;

/// A body that is there already.
pub type Body = Full<Bytes>;

/// Without sessions.
pub fn bare() -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone
{
    service_fn(async |request: Request<Body>| {
        Ok(match route(&request) {
            Route::Session => json(&Answer::without_session()),
            Route::Unknown => not_found(),
        })
    })
}

/// With a session whose token alone is looked at.
pub fn with_sessions(
    sessions: Sessions,
) -> impl Service<Request<Body>, Response = Response<ResponseBody<Body>>, Error = Infallible> + Clone
{
    let routes = service_fn(async |request: Request<Body>| {
        Ok::<_, Infallible>(match route(&request) {
            Route::Session => match session::<Stateless>(&request).await {
                Ok(session) => json(&Answer::to(session.user_id().as_str())),
                Err(refusal) => refusal.to_response().map(Full::new),
            },
            Route::Unknown => not_found(),
        })
    });
    SessionLayer::new(sessions).layer(routes)
}

enum Route {
    Session,
    Unknown,
}

fn route(request: &Request<Body>) -> Route {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/session") => Route::Session,
        _ => Route::Unknown,
    }
}

fn json(answer: &Answer<'_>) -> Response<Body> {
    let Ok(body) = serde_json::to_vec(answer) else {
        let mut failed = Response::default();
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return failed;
    };
    let mut response = Response::new(Full::from(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn not_found() -> Response<Body> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
