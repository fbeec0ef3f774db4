//! Event streams and WebSocket upgrades: the head of the response goes first.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ws::{Message, WebSocketUpgrade},
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{any, get},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::{Map, json};
use session_axum::{CheckBlacklist, Session, SessionError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tower::ServiceExt as _;

use crate::client::{Browser, TestApp, request};

/// Design §4: in a stream a change is an error that says so; what was changed before is in the head.
#[tokio::test]
async fn a_change_in_a_stream_is_an_error_that_says_so() {
    async fn events(session: Session) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
        let update = |name: &str| Map::from_iter([(name.to_owned(), json!(true))]);
        session.merge_payload(update("before")).await.unwrap();
        let late = stream::once(async move {
            let data = match session.merge_payload(update("after")).await {
                Err(SessionError::ResponseStarted) => "too late",
                Ok(()) => "changed",
                Err(_) => "another error",
            };
            Ok(Event::default().data(data))
        });
        Sse::new(late).keep_alive(KeepAlive::default())
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/events", get(events))
        .layer(test.layer());
    let reply = test.log_in("ann").await.get(app, "/events").await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert_eq!(reply.body, "data: too late\n\n");
}

/// Issue, example `/events`: a stream closes by itself when its session is revoked.
#[tokio::test]
async fn a_stream_ends_with_its_session() {
    async fn events(
        session: Session<CheckBlacklist>,
    ) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
        let ended = session.revoked();
        let first = stream::once(async { Ok(Event::default().data("hello")) });
        let last = stream::once(async move {
            ended.await;
            Ok(Event::default().data("ended"))
        });
        Sse::new(first.chain(last))
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/events", get(events))
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let request = ann.with_cookies(request(axum::http::Method::GET, "/events"));
    let response = app.clone().oneshot(request).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "data: hello\n\n");

    ann.post(app, "/auth/signout").await;
    let ended = tokio::time::timeout(Duration::from_secs(10), body.next())
        .await
        .unwrap();
    assert_eq!(ended.unwrap().unwrap(), "data: ended\n\n");
    assert!(body.next().await.is_none());
}

/// A client that goes away in the middle of a handler leaves the session as it was.
#[tokio::test]
async fn a_dropped_request_leaves_the_session_usable() {
    let test = TestApp::new().await;
    let reached = Arc::new(Notify::new());
    let announce = Arc::clone(&reached);
    let app = Router::new()
        .route(
            "/slow",
            get(async move |_: Session| {
                announce.notify_one();
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/whoami",
            get(async |session: Session| session.user_id().to_string()),
        )
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let slow = app
        .clone()
        .oneshot(ann.with_cookies(request(axum::http::Method::GET, "/slow")));
    tokio::select! {
        _ = slow => unreachable!("the handler never answers"),
        () = reached.notified() => {}
    }
    assert_eq!(ann.get(app, "/whoami").await.body, "ann");
}

async fn echo(session: Session, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let name = session.user_id().to_string();
        if socket.send(Message::Text(name.into())).await.is_err() {
            return;
        }
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// The handshake of a WebSocket over a real connection, as far as the first message.
async fn handshake(app: Router, browser: &Browser) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(async move { axum::serve(listener, app).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let cookie = browser.cookie("sAccessToken").unwrap_or_default();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
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
    String::from_utf8_lossy(&received).into_owned()
}

/// A WebSocket is upgraded through the layer, and only with a session.
#[tokio::test]
async fn a_websocket_is_upgraded_with_a_session_only() {
    let test = TestApp::new().await;
    let app = Router::new().route("/ws", any(echo)).layer(test.layer());
    let answer = handshake(app.clone(), &test.log_in("ann").await).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let answer = handshake(app, &Browser::default()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        answer.ends_with("{\"message\":\"unauthorised\"}"),
        "{answer}"
    );
}

/// E19: an unfinished body is no reason to leave out what a response with tokens needs.
#[tokio::test]
async fn a_stream_with_tokens_is_not_stored() {
    async fn download(session: Session) -> Body {
        session
            .merge_payload(Map::from_iter([("a".to_owned(), json!(1))]))
            .await
            .unwrap();
        let chunk = Ok::<_, Infallible>("chunk ");
        Body::from_stream(stream::repeat_with(move || chunk).take(3))
    }
    let test = TestApp::new().await;
    let app = Router::new().route("/", get(download)).layer(test.layer());
    let reply = test.log_in("ann").await.get(app, "/").await;
    assert_eq!(reply.body, "chunk chunk chunk ");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
