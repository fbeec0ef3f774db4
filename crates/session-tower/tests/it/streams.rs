//! Bodies that are still being sent, and connections that become something else.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use session_tower::{CheckBlacklist, Refusal, UserId, session};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower::{ServiceBuilder, ServiceExt as _};

use crate::{
    application::{Body, boxed, serve},
    client::{TestApp, request},
};

/// A stream closes by itself, and at once, when its session is revoked.
#[tokio::test]
async fn a_stream_ends_with_its_session() {
    async fn events(request: Request<Full<Bytes>>) -> Result<Response<Body>, Infallible> {
        let session = session::<CheckBlacklist>(&request).await.unwrap();
        let first = stream::once(async { Ok::<_, Infallible>(Bytes::from("open")) });
        let rest = stream::pending().take_until(session.revoked());
        let frames = first.chain(rest).map(|bytes| bytes.map(Frame::data));
        Ok(boxed(Response::new(StreamBody::new(frames))))
    }
    let test = TestApp::new().await;
    let app = ServiceBuilder::new().layer(test.layer()).service_fn(events);
    let mut ann = test.log_in("ann").await;
    let opened = app
        .clone()
        .oneshot(ann.with_cookies(request(Method::GET, "/events")));
    let mut body = opened.await.unwrap().into_body();
    let open = body.frame().await.unwrap().unwrap();
    assert_eq!(open.into_data().unwrap(), "open");
    ann.send(app, request(Method::POST, "/auth/signout")).await;
    let ended = timeout(Duration::from_millis(100), body.frame())
        .await
        .unwrap();
    assert!(ended.is_none());
}

/// Switches to a protocol of its own, which says `open` and ends with the session.
async fn upgrade(mut request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
    let session = session::<CheckBlacklist>(&request).await?;
    let upgraded = hyper::upgrade::on(&mut request);
    #[expect(clippy::disallowed_methods, reason = "ends with the session")]
    tokio::spawn(async move {
        let mut connection = TokioIo::new(upgraded.await.unwrap());
        connection.write_all(b"open").await.unwrap();
        session.revoked().await;
        connection.shutdown().await.unwrap();
    });
    let mut response = Response::new(Full::<Bytes>::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let protocol = HeaderValue::from_static("ping");
    response.headers_mut().insert(header::UPGRADE, protocol);
    let upgrade = HeaderValue::from_static("upgrade");
    response.headers_mut().insert(header::CONNECTION, upgrade);
    Ok(boxed(response))
}

/// A connection is upgraded through the layer, with a session only, and ends with it.
#[tokio::test]
async fn an_upgraded_connection_ends_with_its_session() {
    let test = TestApp::new().await;
    let app = ServiceBuilder::new()
        .map_response(boxed)
        .layer(test.layer())
        .service_fn(async |request| {
            let answer = upgrade(request).await;
            Ok(answer.unwrap_or_else(|refusal| boxed(refusal.to_response().map(Full::new))))
        });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut servers = tokio::task::JoinSet::new();
    servers.spawn(serve(listener, app));

    let ask = "GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: ping\r\n";
    let mut stranger = TcpStream::connect(address).await.unwrap();
    stranger
        .write_all(format!("{ask}\r\n").as_bytes())
        .await
        .unwrap();
    let mut start = [0; 12];
    stranger.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");

    let ann = test.log_in("ann").await;
    let head = ann.with_cookies(request(Method::GET, "/ping"));
    let cookies = head.headers().get_all(header::COOKIE).iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
    let cookies = cookies.join("; ");
    let mut upgraded = TcpStream::connect(address).await.unwrap();
    let ask = format!("{ask}Cookie: {cookies}\r\n\r\n");
    upgraded.write_all(ask.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let mut buffer = [0; 1024];
    while !received.ends_with(b"open") {
        let count = upgraded.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&received));
        received.extend(buffer.iter().take(count));
    }
    assert!(received.starts_with(b"HTTP/1.1 101 "));

    let user = UserId::try_from("ann").unwrap();
    test.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let ended = timeout(Duration::from_millis(100), upgraded.read(&mut buffer));
    assert_eq!(ended.await.unwrap().unwrap(), 0);
}
