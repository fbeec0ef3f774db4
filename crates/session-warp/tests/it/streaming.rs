//! Event streams and WebSockets: the head of the response goes first, and the session's end ends them.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _, stream};
use serde_json::{Map, json};
use session_warp::{CheckBlacklist, Session, SessionError, session};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use warp::{
    Filter, Reply, path,
    sse::Event,
    ws::{Message, WebSocket, Ws},
};

use crate::client::TestApp;

/// Issue: a stream or a socket ends this soon after its session, in process.
const SOON: Duration = Duration::from_millis(100);

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr, token: &str, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: sAccessToken={token}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let received = Vec::new();
        Self { stream, received }
    }

    /// Reads up to and including `end`.
    async fn read_until(&mut self, end: &[u8]) -> String {
        let mut buffer = [0; 4096];
        loop {
            let mut windows = self.received.windows(end.len());
            if let Some(start) = windows.position(|window| window == end) {
                let read: Vec<u8> = self.received.drain(..start + end.len()).collect();
                return String::from_utf8_lossy(&read).into_owned();
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&self.received));
            self.received.extend_from_slice(&buffer[..count]);
        }
    }
}

async fn serve<F, R>(test: &TestApp, routes: F) -> (SocketAddr, JoinSet<()>)
where
    F: Filter<Extract = (R,), Error = warp::Rejection> + Send + Sync + 'static,
    R: Reply + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut servers = JoinSet::new();
    servers.spawn(session_warp::serve(test.sessions().clone(), routes).incoming(listener));
    (address, servers)
}

/// Design §4: in a stream a change is an error that says so; what was changed before is in the head.
/// The stream ends with its session.
#[tokio::test]
async fn an_event_stream_ends_with_its_session() {
    async fn events(session: Session<CheckBlacklist>) -> impl Reply {
        let update = |name: &str| Map::from_iter([(name.to_owned(), json!(true))]);
        session.merge_payload(update("before")).await.unwrap();
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let late = match session.merge_payload(update("after")).await {
                Err(SessionError::ResponseStarted) => "too late",
                Ok(()) => "changed",
                Err(_) => "another error",
            };
            sender.send(late).await.unwrap();
            session.revoked().await;
            sender.send("ended").await.unwrap();
        });
        let events = stream::unfold((receiver, tasks), async |(mut receiver, tasks)| {
            let data = receiver.recv().await?;
            Some((
                Ok::<_, Infallible>(Event::default().data(data)),
                (receiver, tasks),
            ))
        });
        warp::sse::reply(assert_sync(events))
    }
    let test = TestApp::new().await;
    let route = path!("events").and(session()).then(events);
    let (address, _servers) = serve(&test, route).await;
    let ann = test.log_in("ann").await;
    let mut connection = Connection::open(address, &ann, "/events", "").await;
    let head = connection.read_until(b"data:too late\n\n").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(
        head.matches("set-cookie: sAccessToken=").count(),
        1,
        "{head}"
    );

    test.end("ann").await;
    let ended = timeout(SOON, connection.read_until(b"data:ended\n\n")).await;
    ended.expect("the stream goes on");
    timeout(SOON, connection.read_until(b"0\r\n\r\n"))
        .await
        .unwrap();
}

/// warp asks for it.
fn assert_sync<S: Stream + Sync>(stream: S) -> S {
    stream
}

fn socket() -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Copy {
    path!("socket").and(session()).and(warp::ws()).map(
        |session: Session<CheckBlacklist>, upgrade: Ws| {
            upgrade.on_upgrade(async move |socket: WebSocket| {
                let (mut sender, mut receiver) = socket.split();
                let greeting = Message::text(session.user_id().as_str());
                sender.send(greeting).await.unwrap();
                tokio::select! {
                    () = session.revoked() => {}
                    () = echo(&mut sender, &mut receiver) => {}
                }
                sender.send(Message::close()).await.unwrap();
            })
        },
    )
}

async fn echo(
    sender: &mut (impl Sink<Message, Error = warp::Error> + Unpin),
    receiver: &mut (impl Stream<Item = Result<Message, warp::Error>> + Unpin),
) {
    while let Some(Ok(message)) = receiver.next().await {
        if message.is_text() && sender.send(message).await.is_err() {
            return;
        }
    }
}

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A WebSocket is upgraded with a session only, and closed with it.
#[tokio::test]
async fn a_websocket_ends_with_its_session() {
    let test = TestApp::new().await;
    let (address, _servers) = serve(&test, socket()).await;
    let ann = test.log_in("ann").await;
    let mut connection = Connection::open(address, &ann, "/socket", HANDSHAKE).await;
    // A text frame of three bytes.
    let head = connection.read_until(b"\x81\x03ann").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let masked_hi = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    connection.stream.write_all(&masked_hi).await.unwrap();
    connection.read_until(b"\x81\x02hi").await;

    test.end("ann").await;
    let closed = timeout(SOON, connection.read_until(b"\x88\x00")).await;
    closed.expect("the socket stays open");

    let mut connection = Connection::open(address, &ann, "/socket", HANDSHAKE).await;
    let refused = connection
        .read_until(b"{\"message\":\"unauthorised\"}")
        .await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
}

/// A request that is no upgrade is refused for its session first, and then for what it is.
#[tokio::test]
async fn a_plain_request_to_a_websocket_is_answered() {
    let test = TestApp::new().await;
    let app = test.app(socket());
    app.get("/socket").await.assert_refused(401, "unauthorised");
    let answer = app.get_as(&test.log_in("ann").await, "/socket").await;
    assert_eq!(answer.status, 400);
}
