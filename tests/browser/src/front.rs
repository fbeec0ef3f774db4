//! What stands in front of a server, as a load balancer does: it ends TLS, writes down what is
//! asked and answered, and damages an answer when a test wants that.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderName, Method, Request, Response, StatusCode, header::UPGRADE};
use hyper::{
    body::Incoming,
    client,
    server::conn::http1,
    service::service_fn,
    upgrade::{self, OnUpgrade},
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// Passes on what comes to a listener, until it is dropped.
pub(crate) struct Front(#[expect(dead_code, reason = "stops when it is dropped")] JoinSet<()>);

/// What is asked and answered, and what is done to answers. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Traffic {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    damage: watch::Sender<Option<Damage>>,
}

/// A request and the status of its answer, as the server gave it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exchange {
    node: usize,
    method: String,
    path: String,
    status: u16,
}

/// What is done to every answer to requests for a path, but not to the permissions that a browser asks
/// for beforehand: whether it remembers an earlier one is a matter of seconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Damage {
    path: String,
    what: What,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
enum What {
    /// The server has answered, and nobody hears of it.
    Lose,
    /// It waits until answers are damaged no more.
    Hold,
    /// A header is taken off.
    Strip(String),
    /// It gets another status.
    Status(u16),
}

impl Front {
    /// In front of the server at `server`, which is a site's node of this number.
    pub(crate) fn start(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        server: SocketAddr,
        node: usize,
        traffic: Traffic,
    ) -> Self {
        let passage = Passage {
            server,
            node,
            traffic,
        };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, passage));
        Self(accepting)
    }
}

impl Traffic {
    /// All that was asked so far.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.written().clone()
    }

    /// From now on, this is done to answers, and nothing else.
    pub(crate) fn damage(&self, damage: Option<Damage>) {
        self.damage.send_replace(damage);
    }

    /// Writes down an exchange that has just ended; what is to be done to its answer.
    fn write_down(&self, exchange: Exchange) -> Option<What> {
        let damage = self.damage.borrow().clone();
        let damage = damage
            .filter(|damage| damage.path == exchange.path && Method::OPTIONS != *exchange.method);
        self.written().push(exchange);
        damage.map(|damage| damage.what)
    }

    /// Completes when nothing is damaged any more.
    async fn undamaged(&self) {
        let mut damage = self.damage.subscribe();
        // An error is a site that ends.
        let _ended = damage.wait_for(Option::is_none).await;
    }

    fn written(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a request gets to its server.
#[derive(Clone)]
struct Passage {
    server: SocketAddr,
    node: usize,
    traffic: Traffic,
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, passage: Passage) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (tls, passage) = (tls.clone(), passage.clone());
                connections.spawn(async move {
                    match tls {
                        None => talk(stream, passage).await,
                        Some(tls) => if let Ok(stream) = tls.accept(stream).await {
                            talk(stream, passage).await;
                        },
                    }
                });
            },
        }
    }
}

/// Passes on the requests of one connection. A browser may hang up at any time, which is no error.
async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, passage: Passage) {
    let tasks = Arc::new(Mutex::new(JoinSet::new()));
    let service = service_fn(|request| pass_on(request, &passage, &tasks));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ended = connection.with_upgrades().await;
    // What became a WebSocket goes on.
    let mut tasks = std::mem::take(&mut *tasks.lock().unwrap_or_else(PoisonError::into_inner));
    while tasks.join_next().await.is_some() {}
}

async fn pass_on(
    mut request: Request<Incoming>,
    passage: &Passage,
    tasks: &Mutex<JoinSet<()>>,
) -> Result<Response<Incoming>, Box<dyn Error + Send + Sync>> {
    let spawn = |task| {
        let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(task);
    };
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    let browser = request
        .headers()
        .contains_key(UPGRADE)
        .then(|| upgrade::on(&mut request));
    let server = TcpStream::connect(passage.server).await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(server)).await?;
    spawn(Box::pin(async { drop(connection.with_upgrades().await) }) as Task);
    let mut response = sender.send_request(request).await?;
    let damage = passage.traffic.write_down(Exchange {
        node: passage.node,
        method,
        path,
        status: response.status().as_u16(),
    });
    match damage {
        None => {}
        Some(What::Hold) => passage.traffic.undamaged().await,
        Some(What::Lose) => return Err("lost, as a test wanted".into()),
        Some(What::Strip(name)) => {
            response.headers_mut().remove(HeaderName::try_from(name)?);
        }
        Some(What::Status(status)) => *response.status_mut() = StatusCode::from_u16(status)?,
    }
    if let Some(browser) = browser
        && response.status() == StatusCode::SWITCHING_PROTOCOLS
    {
        spawn(Box::pin(connect(browser, upgrade::on(&mut response))));
    }
    Ok(response)
}

async fn connect(browser: OnUpgrade, server: OnUpgrade) {
    if let (Ok(browser), Ok(server)) = tokio::join!(browser, server) {
        let (mut browser, mut server) = (TokioIo::new(browser), TokioIo::new(server));
        let _ended = copy_bidirectional(&mut browser, &mut server).await;
    }
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
