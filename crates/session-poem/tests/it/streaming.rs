//! Event streams and WebSockets: the head of the response goes first.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _, stream};
use poem::{
    Endpoint, EndpointExt as _, IntoResponse, Route, Server, get, handler,
    http::Method,
    listener::TcpAcceptor,
    web::{
        Data,
        sse::{Event, SSE},
        websocket::{Message, WebSocket},
    },
};
use serde_json::{Map, json};
use session_poem::{CheckBlacklist, Session, SessionError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    task::JoinSet,
    time,
};

use crate::{
    client::{Browser, TestApp, request},
    extractors::whoami,
};

/// Design §4: in a stream a change is an error that says so; what was changed before is in the head.
#[tokio::test]
async fn a_change_in_a_stream_is_an_error_that_says_so() {
    #[handler]
    async fn events(session: Session) -> SSE {
        let update = |name: &str| Map::from_iter([(name.to_owned(), json!(true))]);
        session.merge_payload(update("before")).await.unwrap();
        SSE::new(stream::once(async move {
            Event::message(match session.merge_payload(update("after")).await {
                Err(SessionError::ResponseStarted) => "too late",
                Ok(()) => "changed",
                Err(_) => "another error",
            })
        }))
    }
    let test = TestApp::new().await;
    let reply = test
        .log_in("ann")
        .await
        .get(&events.with(test.layer()), "/")
        .await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert_eq!(reply.body, "data: too late\n\n");
}

/// Issue: a stream closes by itself within 100 ms of its session's end.
#[tokio::test]
async fn a_stream_ends_with_its_session() {
    #[handler]
    fn events(session: Session<CheckBlacklist>) -> SSE {
        let ended = session.revoked();
        let first = stream::once(async { Event::message("hello") });
        let last = stream::once(async move {
            ended.await;
            Event::message("ended")
        });
        SSE::new(first.chain(last))
    }
    let test = TestApp::new().await;
    let app = Route::new().at("/events", get(events)).with(test.layer());
    let mut ann = test.log_in("ann").await;
    let request = ann.with_cookies(request(Method::GET, "/events"));
    let response = app.get_response(request).await;
    let mut body = Box::pin(response.into_body().into_bytes_stream());
    assert_eq!(body.next().await.unwrap().unwrap(), "data: hello\n\n");

    ann.post(&app, "/auth/signout").await;
    let ended = time::timeout(Duration::from_millis(100), body.next()).await;
    assert_eq!(ended.unwrap().unwrap().unwrap(), "data: ended\n\n");
    assert!(body.next().await.is_none());
}

/// A client that goes away in the middle of a handler leaves the session as it was.
#[tokio::test]
async fn a_dropped_request_leaves_the_session_usable() {
    #[handler]
    async fn slow(_: Session, reached: Data<&Arc<Notify>>) {
        reached.notify_one();
        std::future::pending::<()>().await;
    }
    let test = TestApp::new().await;
    let reached = Arc::new(Notify::new());
    let app = Route::new()
        .at("/slow", get(slow.data(Arc::clone(&reached))))
        .at("/whoami", get(whoami))
        .with(test.layer());
    let mut ann = test.log_in("ann").await;
    let answer = app.get_response(ann.with_cookies(request(Method::GET, "/slow")));
    tokio::select! {
        _ = answer => unreachable!("the handler never answers"),
        () = reached.notified() => {}
    }
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
}

#[handler]
fn socket(session: Session<CheckBlacklist>, upgrade: WebSocket) -> impl IntoResponse {
    upgrade.on_upgrade(async move |mut socket| {
        let name = session.user_id().to_string();
        let _sent = socket.send(Message::text(name)).await;
        session.revoked().await;
        let _closed = socket.send(Message::close()).await;
    })
}

/// The handshake of a WebSocket over a real connection, as far as the first message.
async fn handshake(port: u16, browser: &Browser) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let cookie = browser.cookie("sAccessToken").unwrap_or_default();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Cookie: sAccessToken={cookie}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while !received.ends_with(b"ann") && !received.ends_with(b"}") {
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&buffer[..count]);
    }
    (stream, String::from_utf8_lossy(&received).into_owned())
}

/// A WebSocket is upgraded through the layer, with a session only, and closes within 100 ms of the
/// session's end.
#[tokio::test]
async fn a_websocket_lives_as_long_as_its_session() {
    let test = TestApp::new().await;
    let app = Route::new().at("/ws", get(socket)).with(test.layer());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut servers = JoinSet::new();
    let acceptor = TcpAcceptor::from_std(listener).unwrap();
    servers.spawn(Server::new_with_acceptor(acceptor).run(app));

    let (_, answer) = handshake(port, &Browser::default()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        answer.ends_with("{\"message\":\"unauthorised\"}"),
        "{answer}"
    );

    let ann = test.log_in("ann").await;
    let (mut stream, answer) = handshake(port, &ann).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let user = session_poem::UserId::try_from("ann").unwrap();
    test.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let mut frame = [0; 2];
    let closed = time::timeout(Duration::from_millis(100), stream.read_exact(&mut frame)).await;
    closed.unwrap().unwrap();
    // RFC 6455 §5.2: the last frame of a message, of the kind that closes.
    assert_eq!(frame[0], 0x88);
}
