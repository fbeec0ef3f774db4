//! `Session<P>`, `OptionalSession<P>` and the functions.

use std::time::Duration;

use poem::{EndpointExt as _, Request, Route, get, handler, http::Method, post};
use serde_json::{Map, json};
use session_poem::{
    CheckBlacklist, CheckDatabase, OptionalSession, Session, SessionError, SessionRejection,
    Stateless, UserId, VerifyOptions, get_session, session_core::ClientTokens, verify_session,
};

use crate::client::{Browser, TestApp, log_in, login_request, request};

#[handler]
pub(crate) fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

#[handler]
fn hello(session: OptionalSession<Stateless>) -> String {
    match session.into_inner() {
        Some(session) => format!("hello, {}", session.user_id()),
        None => "hello, stranger".to_owned(),
    }
}

#[handler]
fn stateless(_: Session<Stateless>) {}

#[handler]
fn blacklist(_: Session<CheckBlacklist>) {}

#[handler]
fn database(_: Session<CheckDatabase>) {}

#[handler]
async fn end(session: Session) -> Result<String, SessionRejection> {
    Ok(session.revoke().await?.to_string())
}

/// Wire cases 44, 45, 47: the extractor refuses, the optional one does not, and expired is not
/// optional.
#[tokio::test]
async fn an_extractor_says_whether_a_session_is_needed() {
    let test = TestApp::new().await;
    let app = Route::new()
        .at("/whoami", get(whoami))
        .at("/hello", get(hello))
        .with(test.layer());
    let mut stranger = Browser::default();
    let reply = stranger.get(&app, "/whoami").await;
    reply.assert_refused(401, "unauthorised");
    let reply = stranger.get(&app, "/hello").await;
    assert_eq!(reply.body, "hello, stranger");

    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
    assert_eq!(ann.get(&app, "/hello").await.body, "hello, ann");

    test.advance(Duration::from_hours(1));
    for path in ["/whoami", "/hello"] {
        let reply = ann.get(&app, path).await;
        reply.assert_refused(401, "try refresh token");
    }
}

/// Wire case 48: each policy looks as far as its name says.
#[tokio::test]
async fn a_revoked_session_is_refused_where_the_policy_looks() {
    let test = TestApp::new().await;
    let app = Route::new()
        .at("/stateless", get(stateless))
        .at("/blacklist", get(blacklist))
        .at("/database", get(database))
        .at("/end", post(end))
        .with(test.layer());
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    let reply = ann.post(&app, "/end").await;
    assert_eq!(reply.body, "true");
    assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));

    assert_eq!(other_tab.get(&app, "/stateless").await.status, 200);
    for path in ["/blacklist", "/database"] {
        let reply = other_tab.clone().get(&app, path).await;
        reply.assert_refused(401, "unauthorised");
        assert!(reply.clears("sAccessToken"), "{path}");
    }
}

/// Design §4: two extractors and a guard share one verification, and each asks for what is missing.
#[tokio::test]
async fn two_extractors_share_one_session() {
    #[handler]
    async fn both(one: Session<Stateless>, two: Session<CheckDatabase>) -> String {
        let update = Map::from_iter([("seen".to_owned(), json!(true))]);
        one.merge_payload(update).await.unwrap();
        two.payload().as_map().contains_key("seen").to_string()
    }
    let test = TestApp::new().await;
    let guard = verify_session(VerifyOptions::new().check_blacklist(true));
    let app = both.with(guard).with(test.layer());
    let reply = test.log_in("ann").await.get(&app, "/").await;
    assert_eq!(reply.body, "true");
    assert_eq!(reply.times_set("sAccessToken"), 1);
}

/// Design §4: an application that handles the refusal as a value has the last word.
#[tokio::test]
async fn a_handler_may_answer_a_refusal_by_itself() {
    #[handler]
    fn by_value(session: poem::Result<Session<CheckDatabase>>) -> String {
        match session {
            Ok(_) => "welcome".to_owned(),
            Err(error) => {
                let refused = error.downcast_ref::<SessionRejection>().unwrap();
                format!("not now: {}", refused.error())
            }
        }
    }
    let test = TestApp::new().await;
    let mut ann = test.log_in("ann").await;
    let user = UserId::try_from("ann").unwrap();
    let revoked = test.sessions().revoke_all_of_user(&user, None).await;
    assert!(revoked.is_ok());
    let caught = database
        .catch_error(async |refused: SessionRejection| format!("not now: {}", refused.error()))
        .boxed();
    for app in [by_value.boxed(), caught.map_to_response().boxed()] {
        let reply = ann.get(&app.with(test.layer()), "/").await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.as_str()),
            (200, "not now: there is no valid session")
        );
        assert_eq!(reply.times_set("sAccessToken"), 0);
        assert!(ann.cookie("sAccessToken").is_some());
    }
}

/// E13: a handler's error after a change: one line per cookie, and it clears. The answer is the
/// same where a middleware in between makes a response of the error.
#[tokio::test]
async fn an_error_of_an_operation_becomes_a_refusal() {
    #[handler]
    async fn rename(session: Session) -> Result<(), SessionRejection> {
        let update = Map::from_iter([("a".to_owned(), json!(1))]);
        session.merge_payload(update).await?;
        Err(SessionError::Unauthorised(ClientTokens::Clear).into())
    }
    let test = TestApp::new().await;
    for app in [rename.boxed(), rename.to_response().boxed()] {
        let reply = test
            .log_in("ann")
            .await
            .post(&app.with(test.layer()), "/")
            .await;
        reply.assert_refused(401, "unauthorised");
        assert_eq!(reply.times_set("sAccessToken"), 1);
        assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));
        assert_eq!(reply.header("front-token"), Some("remove"));
    }
}

/// E13: an error of the application's own after a change: its answer carries the new token.
#[tokio::test]
async fn an_error_of_the_applications_own_carries_the_tokens() {
    #[handler]
    async fn fail(session: Session) -> poem::Result<()> {
        let update = Map::from_iter([("a".to_owned(), json!(1))]);
        session
            .merge_payload(update)
            .await
            .map_err(SessionRejection::from)?;
        Err(poem::error::NotFoundError.into())
    }
    let test = TestApp::new().await;
    let reply = test
        .log_in("ann")
        .await
        .post(&fail.with(test.layer()), "/")
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (404, 1)
    );
    assert!(!reply.clears("sAccessToken"));
}

/// E18: a login beside an older session.
#[tokio::test]
async fn a_login_replaces_the_browsers_session() {
    let test = TestApp::new().await;
    let mut browser = test.log_in("mallory").await;
    let mut mallory = browser.clone();
    let app = Route::new()
        .at("/login", post(log_in))
        .at("/database", get(database))
        .at("/whoami", get(whoami))
        .with(test.layer());
    let reply = browser.send(&app, login_request("ann")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (200, 1)
    );
    assert_eq!(browser.get(&app, "/whoami").await.body, "ann");
    let reply = mallory.get(&app, "/database").await;
    reply.assert_refused(401, "unauthorised");
}

/// The function does what the extractors do, for middleware and handlers that hold the request.
#[tokio::test]
async fn the_function_does_the_same() {
    #[handler]
    async fn ask(request: &Request) -> Result<String, SessionRejection> {
        let session = get_session(request, &VerifyOptions::new()).await?;
        Ok(session.map_or_else(String::new, |session| session.user_id().to_string()))
    }
    #[handler]
    async fn wonder(request: &Request) -> Result<String, SessionRejection> {
        let options = VerifyOptions::new().session_required(false);
        let session = get_session(request, &options).await?;
        Ok(session.map_or_else(String::new, |session| session.user_id().to_string()))
    }
    let test = TestApp::new().await;
    let app = Route::new()
        .at("/ask", get(ask))
        .at("/wonder", get(wonder))
        .with(test.layer());
    let (mut ann, mut stranger) = (test.log_in("ann").await, Browser::default());
    assert_eq!(ann.get(&app, "/ask").await.body, "ann");
    assert_eq!(ann.get(&app, "/wonder").await.body, "ann");
    assert_eq!(stranger.get(&app, "/wonder").await.body, "");
    let reply = stranger.get(&app, "/ask").await;
    reply.assert_refused(401, "unauthorised");
}

/// Smell 11: whatever asks for a session without the layer gets the line to add.
#[tokio::test]
async fn a_missing_layer_is_named() {
    let app = Route::new()
        .at("/extracted", get(whoami))
        .at("/optional", get(hello))
        .at("/login", post(log_in))
        .at(
            "/guarded",
            get(whoami.with(verify_session(VerifyOptions::new()))),
        );
    for path in ["/extracted", "/optional", "/login", "/guarded"] {
        let request = match path {
            "/login" => login_request("ann"),
            path => request(Method::GET, path),
        };
        let reply = Browser::default().send(&app, request).await;
        assert_eq!(reply.status, 500, "{path}");
        let line = ".with(session_poem::SessionLayer::new(sessions))";
        assert!(reply.message().contains(line), "{}", reply.message());
    }
}
