//! WebSockets: upgraded with a session only, and closed with it.

use std::{net::Ipv4Addr, time::Duration};

use futures_util::SinkExt as _;
use rocket::{Build, Rocket, fairing::AdHoc, get, http::Method, routes};
use rocket_ws::{Channel, Message, WebSocket};
use serde_json::{Map, json};
use session_rocket::{CheckBlacklist, Session, SessionError, SessionFairing, UserId};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};

use crate::client::{TestApp, bare};

#[get("/ws")]
fn socket(session: Session<CheckBlacklist>, upgrade: WebSocket) -> Channel<'static> {
    upgrade.channel(move |mut socket| {
        Box::pin(async move {
            let update = Map::from_iter([("late".to_owned(), json!(true))]);
            let changed = session.merge_payload(update).await;
            let too_late = matches!(changed, Err(SessionError::ResponseStarted));
            let text = format!("{} {too_late}.", session.user_id());
            socket.send(Message::Text(text)).await?;
            session.revoked().await;
            socket.close(None).await
        })
    })
}

/// Serves on a port of the system's choice until the tasks are dropped.
async fn launch(rocket: Rocket<Build>) -> (u16, JoinSet<()>) {
    let (tell, port) = oneshot::channel();
    let rocket = rocket.attach(AdHoc::on_liftoff("port", |rocket| {
        Box::pin(async move { tell.send(rocket.config().port).unwrap() })
    }));
    let mut servers = JoinSet::new();
    servers.spawn(async { drop(rocket.launch().await) });
    (port.await.unwrap(), servers)
}

/// The handshake of a WebSocket over a real connection, as far as the first message.
async fn handshake(port: u16, access_cookie: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Cookie: sAccessToken={access_cookie}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"e.") && !received.ends_with(b"}") {
        let count = timeout(PATIENCE, stream.read_buf(&mut received)).await;
        let text = String::from_utf8_lossy(&received);
        assert!(matches!(count, Ok(Ok(1..))), "{text}");
    }
    (stream, String::from_utf8_lossy(&received).into_owned())
}

/// G12: a WebSocket is upgraded with a session only, cannot change it any more, and closes within
/// 100 ms of its end.
#[rocket::async_test]
async fn a_websocket_lives_as_long_as_its_session() {
    let app = TestApp::new(routes![]).await;
    let fairing = SessionFairing::new(app.sessions().clone());
    let (port, _servers) = launch(bare().mount("/", routes![socket]).attach(fairing)).await;

    let (_, answer) = handshake(port, "").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(
        answer.ends_with(r#"{"message":"unauthorised"}"#),
        "{answer}"
    );

    app.log_in("ann").await;
    let (mut stream, answer) = handshake(port, &app.cookie("sAccessToken").unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.ends_with("ann true."), "{answer}");
    let ann = UserId::try_from("ann").unwrap();
    app.sessions().revoke_all_of_user(&ann, None).await.unwrap();
    let mut frame = [0; 2];
    let closed = timeout(Duration::from_millis(100), stream.read_exact(&mut frame)).await;
    closed.unwrap().unwrap();
    // RFC 6455 §5.2: the last frame of a message, of the kind that closes.
    assert_eq!(frame[0], 0x88);
}

/// A route that is no WebSocket's for a client that asks for none: Rocket's answer, not ours.
#[rocket::async_test]
async fn a_request_without_an_upgrade_is_rockets_affair() {
    let app = TestApp::new(routes![socket]).await;
    app.log_in("ann").await;
    let reply = app.send(app.request(Method::Get, "/ws")).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("<!DOCTYPE html>"), "{}", reply.body);
}

/// For what comes at once, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(10);
