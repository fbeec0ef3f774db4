//! What a handler has changed travels with the answer, whatever becomes of the request.

use serde_json::{Map, json};
use session_warp::{
    Configured, Session, SessionRejection, VerifyOptions, service, session, verify_session,
};
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use warp::{
    Filter, Rejection,
    http::{Method, StatusCode},
    path,
    reject::Reject,
};

use crate::client::{self, Answer, App, TestApp};

async fn change(session: &Session) {
    let update = Map::from_iter([("a".to_owned(), json!(1))]);
    session.merge_payload(update).await.unwrap();
}

#[derive(Debug)]
struct OutOfPaper;

impl Reject for OutOfPaper {}

#[track_caller]
fn assert_changed(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status);
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 1, "{answer:?}");
    let (name, token) = cookies[0];
    assert_eq!((name, token.is_empty()), ("sAccessToken", false));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("front-token")
    );
}

/// E13: a handler that rejects has changed its session all the same, whoever answers: nobody, a
/// `recover`, or the next route.
#[tokio::test]
async fn a_rejection_takes_the_tokens_along() {
    async fn print(session: Session) -> Result<String, Rejection> {
        change(&session).await;
        Err(warp::reject::custom(OutOfPaper))
    }
    let route = || session::<Configured>().and_then(print);
    let recover = async |rejection: Rejection| {
        let found = rejection.find::<OutOfPaper>().is_some();
        let answer = warp::reply::with_status("mine", StatusCode::CONFLICT);
        found.then_some(answer).ok_or(rejection)
    };
    let test = TestApp::new().await;
    let app = test.app(
        path!("nobody")
            .and(route())
            .or(path!("recovered").and(route()).recover(recover))
            .or(path!("next").and(route()))
            .or(path!("next").map(|| "another route")),
    );
    for (path, status) in [("/nobody", 500), ("/recovered", 409), ("/next", 200)] {
        let answer = app.post_as(&test.log_in("ann").await, path).await;
        assert_changed(&answer, status);
    }
}

/// J8, E13: caught inside our layer, a panic leaves what was changed before it; caught outside, the
/// answer is the catcher's, and the routes go on.
#[tokio::test]
async fn a_panic_leaves_the_tokens_where_it_is_caught() {
    async fn fail(session: Session) -> String {
        change(&session).await;
        panic!("the test asks for it")
    }
    let test = TestApp::new().await;
    let routes = path!("panic").and(session()).then(fail);
    let routes = service(routes.or(path!("fine").map(|| "fine")));
    let inside = CatchPanicLayer::new().layer(routes.clone());
    let inside = App::new(test.layer().layer(inside));
    let outside = App::new(CatchPanicLayer::new().layer(test.layer().layer(routes)));

    let answer = inside.post_as(&test.log_in("ann").await, "/panic").await;
    assert_changed(&answer, 500);
    let answer = outside.post_as(&test.log_in("ann").await, "/panic").await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (500, 0));
    for app in [inside, outside] {
        app.get("/fine").await.assert_text("fine");
    }
}

/// E13: a filter that refuses after the session was changed: its answer is of the refusal alone.
#[tokio::test]
async fn a_refusal_behind_a_change_counts() {
    let test = TestApp::new().await;
    let sessions = test.sessions().clone();
    let change_and_end = move |session: Session| {
        let sessions = sessions.clone();
        async move {
            change(&session).await;
            assert!(sessions.revoke(session.handle()).await.unwrap());
        }
    };
    let route = session()
        .then(change_and_end)
        .untuple_one()
        .and(verify_session(VerifyOptions::new().check_database(true)))
        .map(|| "reached");
    let answer = test
        .app(route)
        .post_as(&test.log_in("ann").await, "/")
        .await;
    answer.assert_refused(401, "unauthorised");
    let cleared = [("sAccessToken", ""), ("sRefreshToken", "")];
    assert_eq!(answer.cookies(), cleared);
}

/// E13, wire §4.4: an error of a handler is completed behind warp's own wrappers.
#[tokio::test]
async fn wrappers_leave_an_error_of_a_handler_to_the_layer() {
    async fn change_late(session: Session) -> Result<String, SessionRejection> {
        session.merge_payload(Map::new()).await?;
        Ok("changed".to_owned())
    }
    let test = TestApp::new().await;
    let route = session()
        .then(change_late)
        .with(warp::compression::gzip())
        .with(warp::cors().allow_any_origin())
        .with(warp::reply::with::header("x-seen", "yes"));
    let app = test.app(route);
    let ann = test.log_in("ann").await;
    test.end("ann").await;
    let mut request = client::with_session(client::request(Method::POST, "/"), &ann);
    let headers = request.headers_mut();
    headers.insert("origin", "https://example.com".parse().unwrap());
    let answer = app.send(request).await;
    assert_eq!(answer.status, 401);
    let theirs = ["content-encoding", "x-seen"].map(|name| answer.header(name));
    assert_eq!(theirs, [Some("gzip"), Some("yes")]);
    let cleared = [("sAccessToken", ""), ("sRefreshToken", "")];
    assert_eq!(answer.cookies(), cleared);
}
