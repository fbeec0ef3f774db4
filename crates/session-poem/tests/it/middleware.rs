//! Guards, and other middleware around and below ours.

use poem::{
    Endpoint, EndpointExt as _, IntoResponse as _, Route, handler,
    http::{Method, header},
    middleware::{CatchPanic, Compression, SetHeader},
    post,
};
use serde_json::{Map, json};
use session_poem::{
    OptionalSession, Session, SessionError, SessionRejection, VerifyOptions,
    session_core::ClientTokens, verify_session,
};
use tokio::task::JoinSet;

use crate::{
    client::{Browser, TestApp, request},
    extractors::whoami,
};

#[handler]
#[expect(clippy::panic, reason = "what the test is about")]
async fn revoke_and_panic(session: Session) {
    session.revoke().await.unwrap();
    panic!("on purpose");
}

#[handler]
async fn long_answer(session: Session) -> String {
    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
    session.merge_payload(update).await.unwrap();
    "long ".repeat(1_000)
}

#[handler]
fn plain_answer(_: Session) {}

/// Wire case 51: a guard lets a preflight pass, an extractor has no session to give.
#[tokio::test]
async fn a_preflight_passes_the_guard() {
    #[handler]
    fn reached() -> &'static str {
        "reached"
    }
    let test = TestApp::new().await;
    let guard = || verify_session(VerifyOptions::new());
    let app = Route::new()
        .at("/guarded", reached.with(guard()))
        .at("/extracted", whoami.with(guard()))
        .with(test.layer());
    let mut stranger = Browser::default();
    let preflight = request(Method::OPTIONS, "/guarded");
    assert_eq!(stranger.send(&app, preflight).await.body, "reached");
    let reply = stranger.get(&app, "/guarded").await;
    reply.assert_refused(401, "unauthorised");
    let preflight = request(Method::OPTIONS, "/extracted");
    let reply = stranger.send(&app, preflight).await;
    reply.assert_refused(401, "unauthorised");
}

/// Wire case 45: the guard with an optional session.
#[tokio::test]
async fn the_guard_lets_strangers_pass_when_told_to() {
    #[handler]
    fn known(session: OptionalSession) -> String {
        session.is_some().to_string()
    }
    let test = TestApp::new().await;
    let guard = verify_session(VerifyOptions::new().session_required(false));
    let app = known.with(guard).with(test.layer());
    assert_eq!(Browser::default().get(&app, "/").await.body, "false");
    assert_eq!(test.log_in("ann").await.get(&app, "/").await.body, "true");
}

/// A handler that panics after it revoked: caught inside our layer, the tokens are still cleared.
#[tokio::test]
async fn a_panic_caught_inside_still_clears_the_tokens() {
    let test = TestApp::new().await;
    let app = revoke_and_panic.with(CatchPanic::new()).with(test.layer());
    let reply = test.log_in("ann").await.post(&app, "/").await;
    assert_eq!(reply.status, 500);
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
}

/// The same caught outside: the response is the catcher's alone, and the next request is served.
#[tokio::test]
async fn a_panic_caught_outside_leaves_the_layer_usable() {
    let test = TestApp::new().await;
    let app = Route::new()
        .at("/panic", post(revoke_and_panic))
        .at("/", post(long_answer))
        .with(test.layer())
        .with(CatchPanic::new());
    let reply = test.log_in("ann").await.post(&app, "/panic").await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (500, 0)
    );
    assert_eq!(test.log_in("bob").await.post(&app, "/").await.status, 200);
}

/// Compression on either side changes the body and leaves cookies and headers alone.
#[tokio::test]
async fn compression_may_stand_on_either_side() {
    let test = TestApp::new().await;
    let route = || Route::new().at("/", post(long_answer));
    let inside = route().with(Compression::new()).with(test.layer());
    let outside = route().with(test.layer()).with(Compression::new());
    for app in [inside.boxed(), outside.map_to_response().boxed()] {
        let mut ann = test.log_in("ann").await;
        let mut compressed = request(Method::POST, "/");
        let gzip = || "gzip".parse().unwrap();
        compressed
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, gzip());
        let reply = ann.send(&app, compressed).await;
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.times_set("sAccessToken"), 1);
        assert!(reply.header("front-token").is_some());

        let mut refresh = request(Method::POST, "/auth/session/refresh");
        refresh
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, gzip());
        let reply = ann.send(&app, refresh).await;
        assert_eq!(
            (reply.status.as_u16(), reply.times_set("sRefreshToken")),
            (200, 1)
        );
    }
}

/// E19: a middleware below that says how long to store a response does not get its way with tokens.
#[tokio::test]
async fn a_caching_middleware_below_does_not_get_tokens_stored() {
    let test = TestApp::new().await;
    let cache = SetHeader::new().overriding(header::CACHE_CONTROL, "public, max-age=600");
    let app = Route::new()
        .at("/changed", post(long_answer))
        .at("/unchanged", post(plain_answer))
        .with(cache)
        .with(test.layer());
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(&app, "/changed").await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let reply = ann.post(&app, "/unchanged").await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=600"));
}

/// A guard inside a guard asks for the rest, and what is in between sees the refusal pass.
#[tokio::test]
async fn guards_may_be_nested() {
    let test = TestApp::new().await;
    let inner = plain_answer.with(verify_session(VerifyOptions::new().check_database(true)));
    let app = inner
        .around(async |endpoint, request| {
            let response = endpoint.get_response(request).await;
            Ok(response.with_header("x-passed", "yes").into_response())
        })
        .with(verify_session(VerifyOptions::new().check_database(false)))
        .with(test.layer())
        .boxed();
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    assert_eq!(ann.post(&app, "/").await.status, 200);
    ann.post(&app, "/auth/signout").await;
    let reply = other_tab.post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(reply.header("x-passed"), Some("yes"));
    assert!(reply.clears("sAccessToken"));
}

/// E13: an error that was made in a task of its own, which knows of no request, clears the tokens all
/// the same.
#[tokio::test]
async fn an_error_from_another_task_clears_the_tokens() {
    #[handler]
    async fn fail(session: Session) -> Result<(), SessionRejection> {
        session.revoke().await.unwrap();
        let mut elsewhere = JoinSet::new();
        elsewhere.spawn(async {
            SessionRejection::from(SessionError::Unauthorised(ClientTokens::Clear))
        });
        Err(elsewhere.join_next().await.unwrap().unwrap())
    }
    let test = TestApp::new().await;
    let app = Route::new().at("/", post(fail)).with(test.layer());
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
}
