//! The layer around the application, and the layer that guards a route.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use session_core::{Sessions, VerifyOptions, http::Exchange};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    SessionRejection,
    extract::{LINE, view},
};

/// Gives every request below it its session, answers the session routes and writes cookies and
/// headers into the responses.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    /// The layer for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService {
            inner,
            sessions: self.sessions.clone(),
        }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Debug, Clone)]
pub struct SessionService<S> {
    inner: S,
    sessions: Sessions,
}

impl<S> Service<Request> for SessionService<S>
where
    S: Service<Request, Response: IntoResponse, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let sessions = self.sessions.clone();
        Box::pin(async move {
            let outer = request.extensions().get::<Exchange>();
            if outer.is_some_and(|outer| outer.is_about(&sessions)) {
                return inner.call(request).await.map(IntoResponse::into_response);
            }
            let (mut parts, body) = request.into_parts();
            let exchange = Exchange::new(&sessions, &view(&parts));
            let ours = exchange.handle_route(&view(&parts)).await;
            let mut response = if let Some(ours) = ours {
                ours.map(Body::from)
            } else {
                parts.extensions.insert(exchange.clone());
                let request = Request::from_parts(parts, body);
                inner.call(request).await?.into_response()
            };
            exchange.finish(&mut response);
            Ok(response)
        })
    }
}

/// Guards a route: a request whose session does not pass `options` is refused before the handler
/// runs. Use with [`route_layer`](axum::Router::route_layer).
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use session_axum::{Session, VerifyOptions, verify_session};
///
/// # let _: Router =
/// Router::new()
///     .route("/feed", get(async |session: Session| session.user_id().to_string()))
///     .route_layer(verify_session(VerifyOptions::new().check_blacklist(true)))
/// # ;
/// ```
pub fn verify_session(options: VerifyOptions) -> VerifySession {
    VerifySession {
        options: Arc::new(options),
    }
}

/// The layer that [`verify_session`] makes.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifySession {
    options: Arc<VerifyOptions>,
}

impl<S> Layer<S> for VerifySession {
    type Service = VerifySessionService<S>;

    fn layer(&self, inner: S) -> VerifySessionService<S> {
        VerifySessionService {
            inner,
            options: Arc::clone(&self.options),
        }
    }
}

/// The service that [`VerifySession`] makes.
#[derive(Debug, Clone)]
pub struct VerifySessionService<S> {
    inner: S,
    options: Arc<VerifyOptions>,
}

impl<S> Service<Request> for VerifySessionService<S>
where
    S: Service<Request, Response: IntoResponse, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let options = Arc::clone(&self.options);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let passed = match Exchange::of(&parts.extensions, LINE) {
                Ok(exchange) => exchange.guard(&view(&parts), &options).await.map(drop),
                Err(refusal) => Err(refusal),
            };
            match passed {
                Ok(()) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(response.into_response())
                }
                Err(refusal) => Ok(SessionRejection::from(refusal).into_response()),
            }
        })
    }
}

type ResponseFuture<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

/// Takes the service that was polled ready and leaves a clone, which is polled before its call.
fn take_ready<S: Clone>(service: &mut S) -> S {
    let clone = service.clone();
    mem::replace(service, clone)
}
