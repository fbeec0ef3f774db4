//! Event streams: the head of the response goes first.

use std::time::Duration;

use rocket::{
    State, get,
    http::Method,
    response::stream::{Event, EventStream, TextStream},
    routes,
};
use serde_json::{Map, json};
use session_rocket::{CheckBlacklist, Session, SessionError, SessionHandle};
use tokio::{io::AsyncReadExt as _, sync::Notify, time::timeout};

use crate::client::TestApp;

/// Design §4: in a stream a change is an error that says so; what was changed before is in the head.
#[rocket::async_test]
async fn a_change_in_a_stream_is_an_error_that_says_so() {
    #[get("/events")]
    async fn events(session: Session) -> EventStream![] {
        let update = |name: &str| Map::from_iter([(name.to_owned(), json!(true))]);
        session.merge_payload(update("before")).await.unwrap();
        EventStream! {
            yield match session.merge_payload(update("after")).await {
                Err(SessionError::ResponseStarted) => Event::data("too late"),
                Ok(()) => Event::data("changed"),
                Err(_) => Event::data("another error"),
            };
        }
        .heartbeat(None)
    }
    let app = TestApp::new(routes![events]).await;
    app.log_in("ann").await;
    let reply = app.get("/events").await;
    assert_eq!(reply.lines("content-type"), ["text/event-stream"]);
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert_eq!(reply.lines("cache-control"), ["no-store"]);
    assert_eq!(reply.body, "data:too late\n\n");
}

/// E19: an unfinished body is no reason to leave out what a response with tokens needs.
#[rocket::async_test]
async fn a_stream_with_tokens_is_not_stored() {
    #[get("/download")]
    async fn download(session: Session) -> TextStream![&'static str] {
        session.regenerate().await.unwrap();
        TextStream! {
            for _ in 0..3 {
                yield "chunk ";
            }
        }
    }
    let app = TestApp::new(routes![download]).await;
    app.log_in("ann").await;
    let reply = app.get("/download").await;
    assert_eq!(reply.body, "chunk chunk chunk ");
    assert_eq!(reply.lines("cache-control"), ["no-store"]);
    assert_eq!(reply.times_set("sAccessToken"), 1);
}

/// A client that goes away in the middle of a handler leaves the session as it was.
#[rocket::async_test]
async fn a_dropped_request_leaves_the_session_usable() {
    #[get("/slow")]
    async fn slow(_session: Session, reached: &State<Notify>) {
        reached.notify_one();
        std::future::pending::<()>().await;
    }
    #[get("/whoami")]
    fn whoami(session: Session) -> String {
        session.user_id().to_string()
    }
    let app = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![slow, whoami]);
        rocket.manage(Notify::new()).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    tokio::select! {
        _ = app.get("/slow") => unreachable!("the handler never answers"),
        () = app.managed::<Notify>().notified() => {}
    }
    assert_eq!(app.get("/whoami").await.body, "ann");
}

/// G12: a stream ends within 100 ms of its session.
#[rocket::async_test]
async fn a_stream_ends_with_its_session() {
    #[get("/events")]
    fn events(session: Session<CheckBlacklist>) -> EventStream![] {
        EventStream! {
            yield Event::data(session.handle().to_string());
            session.revoked().await;
            yield Event::data("ended");
        }
        .heartbeat(None)
    }
    let app = TestApp::new(routes![events]).await;
    app.log_in("ann").await;
    let mut response = app.request(Method::Get, "/events").dispatch().await;
    let mut read = Vec::new();
    while !read.ends_with(b"\n\n") {
        assert_ne!(response.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
    }
    let text = String::from_utf8(read).unwrap();
    let handle = text.trim().strip_prefix("data:").unwrap();
    let handle = SessionHandle::try_from(handle.to_owned()).unwrap();
    assert!(app.sessions().revoke(&handle).await.unwrap());
    let mut rest = String::new();
    let ended = timeout(
        Duration::from_millis(100),
        response.read_to_string(&mut rest),
    );
    ended.await.unwrap().unwrap();
    assert_eq!(rest, "data:ended\n\n");
}
