//! Responses that go on after their head has been sent.

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::{
    TestApp,
    client::{Answer, Browser, Mode},
};

async fn open(browser: &Browser<'_>) -> (Answer, Incoming) {
    let (answer, body) = browser.request(Method::GET, "/stream").open().await;
    answer.assert_status(200).assert_tokens_untouched();
    (answer, body)
}

async fn read_until(body: &mut Incoming, end: &str) -> String {
    let mut read = String::new();
    while !read.ends_with(end) {
        let frame = body.frame().await.expect("the stream has ended");
        let data: Bytes = frame.unwrap().into_data().unwrap_or_default();
        read.push_str(std::str::from_utf8(&data).unwrap());
    }
    read
}

/// Design §4: an event stream is told that it is too late to change the session, whose change is
/// not written; and it hears of the session's end.
pub async fn a_stream_ends_with_its_session(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let bob = app.log_in_by(mode, "bob").await;
        let (_, mut of_alice) = open(&alice).await;
        let (_, mut of_bob) = open(&bob).await;
        let begin = read_until(&mut of_alice, "too late\n").await;
        assert_eq!(begin, "open\ntoo late\n");
        read_until(&mut of_bob, "too late\n").await;
        let stored = app.sessions().information(&alice.handle()).await.unwrap();
        assert!(stored.unwrap().payload().as_map().is_empty());

        // A refresh does not end a session.
        alice.refresh().await.assert_status(200);
        app.revoke(&alice.handle()).await;
        assert_eq!(read_until(&mut of_alice, "ended\n").await, "ended\n");
        assert!(of_alice.frame().await.is_none());
        bob.sign_out().await.assert_status(200);
        assert_eq!(read_until(&mut of_bob, "ended\n").await, "ended\n");
    }
}

/// J10: clients that leave their streams leave nothing behind that keeps others waiting.
pub async fn streams_may_be_left(app: &TestApp) {
    let alice = app.log_in("alice").await;
    for _ in 0..100 {
        let (_, mut body) = open(&alice).await;
        read_until(&mut body, "too late\n").await;
    }
    alice.get("/database").await.assert_user("alice");
    let (_, mut body) = open(&alice).await;
    app.revoke(&alice.handle()).await;
    read_until(&mut body, "ended\n").await;
}
