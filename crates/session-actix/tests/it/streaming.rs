//! Streams and WebSockets (`actix-ws`): the head of the response goes first.

use std::{convert::Infallible, rc::Rc, thread, time::Duration};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    body::MessageBody,
    dev::Service as _,
    rt::{self, System},
    test::TestRequest,
    web::{self, Bytes},
};
use actix_ws::Message;
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};
use session_actix::{CheckBlacklist, Session, SessionError, SessionRejection, UserId};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    time::timeout,
};

use crate::client::{Browser, TestApp};

fn update(name: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), json!(true))])
}

/// Design §4: in a stream a change is an error that says so; what was changed before is in the head.
#[actix_web::test]
async fn a_change_in_a_stream_is_an_error_that_says_so() {
    async fn events(session: Session) -> Result<HttpResponse, SessionRejection> {
        session.merge_payload(update("before")).await?;
        let late = stream::once(async move {
            let line = match session.merge_payload(update("after")).await {
                Err(SessionError::ResponseStarted) => "too late",
                Ok(()) => "changed",
                Err(_) => "another error",
            };
            Ok::<_, Infallible>(Bytes::from_static(line.as_bytes()))
        });
        Ok(HttpResponse::Ok().streaming(Box::pin(late)))
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config.route("/events", web::get().to(events));
        })
        .await;
    let reply = test.log_in("ann").await.get(&app, "/events").await;
    assert_eq!(reply.times_set("sAccessToken"), 1);
    // E19: an unfinished body is no reason to leave out what a response with tokens needs.
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.body, "too late");
}

/// Issue, example `/events`: a stream closes by itself when its session is revoked.
#[actix_web::test]
async fn a_stream_ends_with_its_session() {
    async fn events(session: Session<CheckBlacklist>) -> HttpResponse {
        let ended = session.revoked();
        let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"hello")) });
        let last = stream::once(async move {
            ended.await;
            Ok(Bytes::from_static(b"ended"))
        });
        HttpResponse::Ok().streaming(Box::pin(first.chain(last)))
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config.route("/events", web::get().to(events));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    let request = ann.with_cookies(TestRequest::get().uri("/events"));
    let response = app.call(request.to_request()).await.unwrap();
    let mut body = Box::pin(response.into_body());
    let mut next = async || {
        let chunk = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await;
        chunk.map(|chunk| chunk.ok().unwrap())
    };
    assert_eq!(next().await.unwrap(), "hello");
    ann.post(&app, "/auth/signout").await;
    let ended = timeout(Duration::from_millis(100), next()).await.unwrap();
    assert_eq!(ended.unwrap(), "ended");
    assert!(next().await.is_none());
}

/// A client that goes away in the middle of a handler leaves the session as it was.
#[actix_web::test]
async fn a_dropped_request_leaves_the_session_usable() {
    let test = TestApp::new().await;
    let reached = Rc::new(Notify::new());
    let announce = Rc::clone(&reached);
    let slow = move |_: Session| {
        announce.notify_one();
        std::future::pending::<HttpResponse>()
    };
    let app = test
        .app(|config| {
            config.route("/slow", web::get().to(slow)).route(
                "/whoami",
                web::get().to(|session: Session| async move { session.user_id().to_string() }),
            );
        })
        .await;
    let mut ann = test.log_in("ann").await;
    let request = ann.with_cookies(TestRequest::get().uri("/slow"));
    tokio::select! {
        _ = app.call(request.to_request()) => unreachable!("the handler never answers"),
        () = reached.notified() => {}
    }
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
}

/// Says who is there, echoes, and closes when the session ends.
async fn socket(
    session: Session<CheckBlacklist>,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, mut socket, mut messages) = actix_ws::handle(&request, body)?;
    rt::spawn(async move {
        let name = session.user_id().to_string();
        let revoked = session.revoked();
        let closing = socket.clone();
        let echo = async {
            if socket.text(name).await.is_err() {
                return;
            }
            while let Some(Ok(Message::Text(text))) = messages.recv().await {
                if socket.text(text).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = revoked => {}
            () = echo => {}
        }
        let _closed = closing.close(None).await;
    });
    Ok(response)
}

/// A WebSocket is upgraded through the middleware, only with a session, and closed within 100 ms of
/// the session's end.
#[actix_web::test]
async fn a_websocket_lives_as_long_as_its_session() {
    let test = TestApp::new().await;
    let sessions = test.sessions().clone();
    let server = HttpServer::new(move || {
        App::new()
            .route("/ws", web::get().to(socket))
            .wrap(session_actix::SessionMiddleware::new(sessions.clone()))
    });
    let server = server.workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let server = thread::spawn(|| System::new().block_on(server));

    let open = async |browser: &Browser| {
        let cookie = browser.cookie("sAccessToken").unwrap_or_default();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Cookie: sAccessToken={cookie}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    };
    let refused = read_until(&mut open(&Browser::default()).await, b"}").await;
    assert!(refused.starts_with(b"HTTP/1.1 401 "));
    assert!(refused.ends_with(b"{\"message\":\"unauthorised\"}"));

    let ann = test.log_in("ann").await;
    let mut stream = open(&ann).await;
    let opened = read_until(&mut stream, b"\x81\x03ann").await;
    assert!(opened.starts_with(b"HTTP/1.1 101 "));
    // A masked frame of text, under a mask of zeros.
    stream.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    read_until(&mut stream, b"\x81\x02hi").await;

    let user = UserId::try_from("ann").unwrap();
    test.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let closing = read_until(&mut stream, b"\x88\x00");
    timeout(Duration::from_millis(100), closing).await.unwrap();
    handle.stop(false).await;
    server.join().unwrap().unwrap();
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    while !received.ends_with(end) {
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&received));
        received.extend_from_slice(&buffer[..count]);
    }
    received
}
