//! The routes as a service, which ends a request as soon as its session is refused.

use std::{
    convert::Infallible,
    error::Error,
    future::{pending, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper::{Request, body::Body};
use session_core::http::Exchange;
use tower_service::Service;
use warp::{Filter, Rejection, Reply, filters::BoxedFilter, http::Extensions, reply::Response};

use crate::{SessionRejection, recover};

/// Makes a service of routes that use sessions, in the place of [`warp::service`]. It goes inside a
/// [`SessionLayer`](crate::SessionLayer); [`serve`](crate::serve) does both.
///
/// # Examples
///
/// With a layer in between, which is not possible with `serve`:
///
/// ```
/// use session_warp::{Server, SessionLayer, Sessions};
/// use tower::ServiceBuilder;
/// use tower_http::catch_panic::CatchPanicLayer;
/// use warp::Filter as _;
///
/// async fn run(sessions: Sessions) -> std::io::Result<()> {
///     let routes = warp::path!("hello").map(|| "hello");
///     let app = ServiceBuilder::new()
///         .layer(SessionLayer::new(sessions))
///         .layer(CatchPanicLayer::new())
///         .service(session_warp::service(routes));
///     Server::new(app).run(([127, 0, 0, 1], 3000)).await
/// }
/// # let _ = run;
/// ```
pub fn service<F, R>(routes: F) -> Routes
where
    F: Filter<Extract = (R,), Error: Into<Rejection>> + Send + Sync + 'static,
    R: Reply + 'static,
{
    let routes = routes.map(|reply: R| reply.into_response()).boxed();
    Routes(routes.recover(recover).unify().boxed())
}

/// The service that [`service`] makes.
#[derive(Debug, Clone)]
pub struct Routes(BoxedFilter<(Response,)>);

impl<B> Service<Request<B>> for Routes
where
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + Send + Sync + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let running = Running::of(request.extensions());
        if let Some(running) = &running {
            request.extensions_mut().insert(running.clone());
        }
        let mut answer = Box::pin(warp::service(self.0.clone()).call(request));
        Box::pin(poll_fn(move |context| {
            let answer = answer.as_mut().poll(context);
            match running.as_ref().and_then(Running::take_refusal) {
                Some(refused) => Poll::Ready(Ok(refused.into_response())),
                None => answer,
            }
        }))
    }
}

/// A request that is running through the filters: its exchange, and the refusal that ends it. A
/// filter that leaves one is polled within the service, so the service looks here right after it.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    exchange: Exchange,
    refusal: Arc<Mutex<Option<SessionRejection>>>,
}

impl Running {
    fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().map(|exchange: &Exchange| Self {
            exchange: exchange.clone(),
            refusal: Arc::default(),
        })
    }

    pub(crate) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Goes on with what was found, or ends the request: never completes, for a filter that did
    /// would hand the request to the next, and one that rejects to the next route.
    pub(crate) async fn settle<T>(
        self,
        found: Result<T, impl Into<SessionRejection>>,
    ) -> Result<T, Rejection> {
        match found {
            Ok(found) => Ok(found),
            Err(refused) => {
                *self.lock() = Some(refused.into());
                pending().await
            }
        }
    }

    fn take_refusal(&self) -> Option<SessionRejection> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<SessionRejection>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
