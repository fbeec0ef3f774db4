//! A server for the routes and the layers around them.

use std::{error::Error, fmt, future, io, net::SocketAddr, pin::Pin, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use session_core::Sessions;
use session_tower::{SessionLayer, SessionService};
use tokio::{net::TcpListener, task::JoinSet, time};
use tower_layer::Layer;
use tower_service::Service;
use warp::{Filter, Rejection, Reply};

use crate::{Routes, service};

/// Serves routes with these sessions, in the place of `warp::serve`: gives every request its session,
/// answers the session routes and writes cookies and headers into the responses.
///
/// # Examples
///
/// ```no_run
/// use session_warp::{Session, Sessions, Stateless, session};
/// use warp::Filter as _;
///
/// # async fn run(sessions: Sessions) -> std::io::Result<()> {
/// let hello = warp::path!("hello")
///     .and(session::<Stateless>())
///     .map(|session: Session<Stateless>| format!("hello, {}", session.user_id()));
/// session_warp::serve(sessions, hello).run(([127, 0, 0, 1], 3000)).await
/// # }
/// ```
pub fn serve<F, R>(sessions: Sessions, routes: F) -> Server<SessionService<Routes>>
where
    F: Filter<Extract = (R,), Error: Into<Rejection>> + Send + Sync + 'static,
    R: Reply + 'static,
{
    Server::new(SessionLayer::new(sessions).layer(service(routes)))
}

/// A server over HTTP/1.1 and HTTP/2, which [`serve`] makes. It runs as long as one waits for it.
#[must_use = "a server does nothing until it is run"]
pub struct Server<S> {
    service: S,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S> Server<S> {
    /// A server of any service.
    pub fn new(service: S) -> Self {
        Self {
            service,
            stop: Box::pin(future::pending()),
        }
    }

    /// Puts a layer around everything that there is.
    pub fn layer<L: Layer<S>>(self, layer: L) -> Server<L::Service> {
        Server {
            service: layer.layer(self.service),
            stop: self.stop,
        }
    }

    /// Takes no more connections once `signal` completes, and ends when those that are open have
    /// been served.
    pub fn graceful(self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            stop: Box::pin(signal),
            ..self
        }
    }
}

impl<S, B> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    /// Serves at an address.
    ///
    /// # Errors
    ///
    /// When nobody can listen there.
    pub async fn run(self, address: impl Into<SocketAddr>) -> io::Result<()> {
        let listener = TcpListener::bind(address.into()).await?;
        self.incoming(listener).await;
        Ok(())
    }

    /// Serves the connections of a listener.
    pub async fn incoming(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let graceful = GracefulShutdown::new();
        let mut protocol = auto::Builder::new(TokioExecutor::new());
        // Without a timer, a client may take for ever to send the head of its request.
        protocol.http1().timer(TokioTimer::new());
        protocol.http2().timer(TokioTimer::new());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
                () = &mut self.stop => break,
            };
            match accepted {
                Ok((stream, client)) => {
                    let service = TowerToHyperService::new(self.service.clone());
                    let service = service_fn(move |mut request: Request<Incoming>| {
                        request.extensions_mut().insert(client);
                        service.call(request)
                    });
                    let connection =
                        protocol.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    connections.spawn(graceful.watch(connection.into_owned()));
                }
                Err(error) => {
                    tracing::debug!(%error, "no connection was accepted");
                    // Out of file descriptors, if it goes on: trying at once would help nobody.
                    time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(listener);
        graceful.shutdown().await;
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}
