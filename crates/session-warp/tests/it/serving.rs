//! The server, on real sockets.

use std::net::SocketAddr;

use session_warp::{Configured, Server, Session, session};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};
use tower_http::cors::CorsLayer;
use warp::{Filter, Rejection, path};

use crate::client::TestApp;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// What a server says to a request, until it closes the connection.
async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{head}\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn routes() -> impl Filter<Extract = (String,), Error = Rejection> + Copy {
    path!("whoami")
        .and(session::<Configured>())
        .map(|session: Session| session.user_id().to_string())
}

/// One line serves routes and our own; layers go around both.
#[tokio::test]
async fn a_server_has_our_routes_and_the_layers_around_them() {
    let test = TestApp::new().await;
    let (listener, address) = listen().await;
    let server = session_warp::serve(test.sessions().clone(), routes())
        .layer(CorsLayer::new().allow_origin(tower_http::cors::Any));
    let mut servers = JoinSet::new();
    servers.spawn(server.incoming(listener));

    let token = test.log_in("ann").await;
    let head = format!("GET /whoami HTTP/1.1\r\nCookie: sAccessToken={token}");
    let answer = ask(address, &head).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ann"),
        "{answer}"
    );
    for (head, status) in [
        ("GET /whoami HTTP/1.1", "401"),
        ("GET /auth/jwt/jwks.json HTTP/1.1", "200"),
        (
            "POST /auth/session/refresh HTTP/1.1\r\nContent-Length: 0",
            "401",
        ),
        ("GET /nothing HTTP/1.1", "404"),
    ] {
        let answer = ask(address, head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(
            answer.contains("access-control-allow-origin: *"),
            "{answer}"
        );
    }
}

/// An address where nobody can listen is an error, not a panic.
#[tokio::test]
async fn an_address_that_is_taken_is_an_error() {
    let test = TestApp::new().await;
    let (_listener, address) = listen().await;
    let server = session_warp::serve(test.sessions().clone(), routes());
    let error = server.run(address).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

/// The client's address is an extension, for warp keeps the type of its own to itself.
#[tokio::test]
async fn a_filter_finds_the_clients_address() {
    let client = warp::ext::get::<SocketAddr>().map(|client: SocketAddr| client.ip().to_string());
    let (listener, address) = listen().await;
    let mut servers = JoinSet::new();
    servers.spawn(Server::new(session_warp::service(client)).incoming(listener));
    let answer = ask(address, "GET / HTTP/1.1").await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
}

/// A server that is asked to stop takes no more connections and answers what it has begun.
#[tokio::test]
async fn a_server_stops_gracefully() {
    let (begun, has_begun) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let once = std::sync::Arc::new(std::sync::Mutex::new(Some((begun, may_go_on))));
    let slow = warp::any().then(move || {
        let once = once.lock().unwrap().take();
        async {
            let (begun, may_go_on) = once.unwrap();
            begun.send(()).unwrap();
            let () = may_go_on.await.unwrap();
            "answered"
        }
    });
    let (listener, address) = listen().await;
    let server = Server::new(session_warp::service(slow)).graceful(async {
        stopped.await.unwrap();
    });
    let mut servers = JoinSet::new();
    servers.spawn(server.incoming(listener));
    let mut clients = JoinSet::new();
    clients.spawn(async move { ask(address, "GET / HTTP/1.1").await });
    has_begun.await.unwrap();
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.send(()).unwrap();
    let answer = clients.join_next().await.unwrap().unwrap();
    assert!(answer.ends_with("answered"), "{answer}");
    servers.join_next().await.unwrap().unwrap();
}

/// J8: a handler that panics ends its connection and nothing else.
#[tokio::test]
async fn a_panic_ends_one_connection() {
    let routes = path!("panic").map(|| -> String { panic!("the test asks for it") });
    let routes = routes.or(path!("fine").map(|| "fine"));
    let (listener, address) = listen().await;
    let mut servers = JoinSet::new();
    servers.spawn(Server::new(session_warp::service(routes)).incoming(listener));
    for _ in 0..3 {
        assert_eq!(ask(address, "GET /panic HTTP/1.1").await, "");
        assert!(ask(address, "GET /fine HTTP/1.1").await.ends_with("fine"));
    }
}
