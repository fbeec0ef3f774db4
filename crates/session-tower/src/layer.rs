//! The layer around the application, and the layer that guards a service.

use std::{
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use session_core::{Sessions, VerifyOptions, http::Exchange};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Framework, Tower};

/// Gives every request below it its session, answers the session routes and writes cookies and
/// headers into the responses.
#[derive(Debug, Clone)]
#[must_use]
pub struct SessionLayer<F = Tower> {
    sessions: Sessions,
    framework: PhantomData<F>,
}

impl SessionLayer {
    /// The layer for these sessions.
    pub fn new(sessions: Sessions) -> Self {
        Self::for_framework(sessions)
    }
}

impl<F> SessionLayer<F> {
    /// The layer for these sessions, in an adapter for the framework `F`.
    pub fn for_framework(sessions: Sessions) -> Self {
        Self {
            sessions,
            framework: PhantomData,
        }
    }
}

impl<S, F: Clone> Layer<S> for SessionLayer<F> {
    type Service = SessionService<S, F>;

    fn layer(&self, inner: S) -> SessionService<S, F> {
        SessionService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`SessionLayer`] makes.
#[derive(Debug, Clone)]
pub struct SessionService<S, F = Tower> {
    inner: S,
    layer: SessionLayer<F>,
}

impl<S, F, A, B> Service<Request<A>> for SessionService<S, F>
where
    S: Service<Request<A>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    F: Framework<B>,
    A: Send + 'static,
{
    type Response = Response<F::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<F::Body, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let sessions = self.layer.sessions.clone();
        Box::pin(async move {
            let outer = request.extensions().get::<Exchange>();
            if outer.is_some_and(|outer| outer.is_about(&sessions)) {
                return Ok(inner.call(request).await?.map(F::theirs));
            }
            let (mut parts, body) = request.into_parts();
            let path = F::path(&parts);
            let exchange = Exchange::new(&sessions, &parts.method, path, &parts.headers);
            let mut response = if let Some(ours) = exchange.handle_route().await {
                ours.map(F::ours)
            } else {
                parts.extensions.insert(exchange.clone());
                let request = Request::from_parts(parts, body);
                inner.call(request).await?.map(F::theirs)
            };
            exchange.finish(&mut response);
            Ok(response)
        })
    }
}

/// Guards a service: a request whose session does not pass `options` is refused before it gets
/// there. One that passes carries its [`Session`](session_core::Session), if it has one, in its
/// extensions.
///
/// # Examples
///
/// ```
/// use session_tower::{VerifyOptions, verify_session};
/// use tower::ServiceBuilder;
///
/// let guard = ServiceBuilder::new()
///     .layer(verify_session(VerifyOptions::new().check_blacklist(true)));
/// # let _ = guard;
/// ```
pub fn verify_session(options: VerifyOptions) -> VerifySession {
    VerifySession::for_framework(options)
}

/// The layer that [`verify_session`] makes.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifySession<F = Tower> {
    options: Arc<VerifyOptions>,
    framework: PhantomData<F>,
}

impl<F> VerifySession<F> {
    /// The layer with these options, in an adapter for the framework `F`.
    pub fn for_framework(options: VerifyOptions) -> Self {
        Self {
            options: Arc::new(options),
            framework: PhantomData,
        }
    }
}

impl<S, F: Clone> Layer<S> for VerifySession<F> {
    type Service = VerifySessionService<S, F>;

    fn layer(&self, inner: S) -> VerifySessionService<S, F> {
        VerifySessionService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`VerifySession`] makes.
#[derive(Debug, Clone)]
pub struct VerifySessionService<S, F = Tower> {
    inner: S,
    layer: VerifySession<F>,
}

impl<S, F, A, B> Service<Request<A>> for VerifySessionService<S, F>
where
    S: Service<Request<A>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    F: Framework<B>,
    A: Send + 'static,
{
    type Response = Response<F::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<F::Body, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let options = Arc::clone(&self.layer.options);
        Box::pin(async move {
            let exchange = Exchange::of(request.extensions(), F::LINE);
            let passed = async { exchange?.guard(&options).await }.await;
            match passed {
                Ok(session) => {
                    if let Some(session) = session {
                        request.extensions_mut().insert(session);
                    }
                    Ok(inner.call(request).await?.map(F::theirs))
                }
                Err(refusal) => Ok(refusal.to_response().map(F::ours)),
            }
        })
    }
}

type ResponseFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>>;

/// Takes the service that was polled ready and leaves a clone, which is polled before its call.
fn take_ready<S: Clone>(service: &mut S) -> S {
    let clone = service.clone();
    std::mem::replace(service, clone)
}
