//! A refusal, and the routes that come after it.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, json};
use session_warp::{
    CheckDatabase, Configured, OptionalSession, Session, SessionError, SessionRejection, Stateless,
    VerifyOptions, optional_session, session, try_session, verify_session,
};
use warp::{
    Filter, Rejection, Reply,
    http::{Method, StatusCode},
    path,
    reply::Response,
};

use crate::client::{self, TestApp};

/// Counts how often it is reached, and lets everything pass.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn filter(&self) -> impl Filter<Extract = (), Error = Infallible> + Clone + use<> {
        let count = Arc::clone(&self.0);
        warp::any()
            .map(move || {
                count.fetch_add(1, Ordering::SeqCst);
            })
            .untuple_one()
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Style §6, smell 10: a refused request is not handed to the next route of an `or`: its handler does
/// not even run.
#[tokio::test]
async fn a_refusal_does_not_fall_through_to_a_less_protected_route() {
    let test = TestApp::new().await;
    let reached = Counter::default();
    let expired = test.log_in("ann").await;
    test.advance(Duration::from_hours(1));
    let revoked = test.log_in("bob").await;
    test.end("bob").await;

    let guard = verify_session(VerifyOptions::new().check_database(true));
    let strict = path!("session")
        .and(session::<CheckDatabase>())
        .map(|_| "strict")
        .or(path!("optional")
            .and(optional_session::<CheckDatabase>())
            .map(|_| "strict"))
        .unify()
        .or(path!("verify").and(guard).map(|| "strict"))
        .unify();
    let lax = session::<Stateless>()
        .map(|_| "lax")
        .or(path!(String).and(reached.filter()).map(|_| "open"))
        .unify();
    let app = test.app(
        strict
            .or(lax)
            .or(warp::any().and(reached.filter()).map(|| "last")),
    );
    for path in ["/session", "/optional", "/verify"] {
        let answer = app.get_as(&revoked, path).await;
        answer.assert_refused(401, "unauthorised");
        assert_eq!(answer.cookies().len(), 2, "{path}");
        let answer = app.get_as(&expired, path).await;
        answer.assert_refused(401, "try refresh token");
    }
    for path in ["/session", "/verify"] {
        app.get(path).await.assert_refused(401, "unauthorised");
    }
    assert_eq!(reached.count(), 0);
}

/// The same through boxes, on both sides of an `or`, and with whatever the application does with
/// rejections around it.
#[tokio::test]
async fn no_recovery_takes_a_refusal_away() {
    let test = TestApp::new().await;
    let reached = Counter::default();
    let answer_all = {
        let reached = reached.clone();
        move |_: Rejection| {
            reached.0.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>("recovered".to_owned()) }
        }
    };
    let count = reached.clone();
    let routes = path!("private")
        .and(session::<Configured>())
        .and(reached.filter())
        .map(|_| "private".to_owned())
        .boxed()
        .or(path!("private")
            .and(reached.filter())
            .map(|| "open".to_owned()))
        .unify()
        .or_else(move |rejection| {
            count.0.fetch_add(1, Ordering::SeqCst);
            async { Err(rejection) }
        })
        .recover(answer_all)
        .unify()
        .boxed();
    let app = test.app(path!("first").map(|| "first".to_owned()).or(routes));
    app.get("/private")
        .await
        .assert_refused(401, "unauthorised");
    assert_eq!(reached.count(), 0);
    app.get("/first").await.assert_text("first");
    app.get("/nothing").await.assert_text("recovered");
    assert_eq!(reached.count(), 2);
}

/// Nothing behind the session filter is looked at once it has refused.
#[tokio::test]
async fn filters_behind_a_refusal_do_not_run() {
    let test = TestApp::new().await;
    let reached = Counter::default();
    let route = path!("act")
        .and(session::<Configured>())
        .and(reached.filter())
        .and(warp::body::json())
        .map(|_, _: Map<String, serde_json::Value>| "acted");
    let app = test.app(route);
    let answer = app.send(client::request(Method::POST, "/act")).await;
    answer.assert_refused(401, "unauthorised");
    assert_eq!(reached.count(), 0);
}

/// Design §4: an application that takes the refusal as a value has the last word, and only then are
/// other routes tried; a refusal that it does not answer clears nothing.
#[tokio::test]
async fn an_application_may_take_the_refusal_as_a_value() {
    type Tried = Result<Session<CheckDatabase>, SessionRejection>;
    let test = TestApp::new().await;
    let value = path!("value")
        .and(try_session())
        .map(|tried: Tried| match tried {
            Ok(session) => session.user_id().to_string(),
            Err(refused) => format!("no: {}", refused.error()),
        });
    let another = path!("another")
        .and(try_session())
        .and_then(async |tried: Tried| tried.map_err(|_| warp::reject::not_found()))
        .map(|session: Session<CheckDatabase>| session.user_id().to_string())
        .or(path!("another").map(|| "somebody else".to_owned()));
    let reply = path!("reply")
        .and(try_session())
        .map(|tried: Tried| tried.map(|session| session.user_id().to_string()));
    let app = test.app(value.or(another).or(reply));
    let ann = test.log_in("ann").await;
    for path in ["/value", "/another", "/reply"] {
        app.get_as(&ann, path).await.assert_text("ann");
    }
    test.end("ann").await;
    let answer = app.get_as(&ann, "/value").await;
    answer.assert_text("no: there is no valid session");
    assert!(answer.cookies().is_empty());
    app.get_as(&ann, "/another")
        .await
        .assert_text("somebody else");
    let answer = app.get_as(&ann, "/reply").await;
    answer.assert_refused(401, "unauthorised");
    assert_eq!(answer.cookies().len(), 2);
}

async fn rename(session: Session<Stateless>) -> Result<&'static str, SessionRejection> {
    let update = |name: &str| Map::from_iter([(name.to_owned(), json!("ann"))]);
    session.merge_payload(update("nickname")).await?;
    session.merge_payload(update("sub")).await?;
    Ok("renamed")
}

/// E13: an error that a handler returns is answered by core, as a reply and as a rejection, and what
/// was changed before travels with it.
#[tokio::test]
async fn an_error_of_a_handler_is_answered() {
    let test = TestApp::new().await;
    let reply = path!("then").and(session()).then(rename);
    let rejection = path!("and-then")
        .and(session())
        .and_then(async |session| rename(session).await.map_err(Rejection::from));
    let recovered = path!("recovered")
        .and(session())
        .and_then(async |session| rename(session).await.map_err(Rejection::from))
        .recover(session_warp::recover);
    let app = test.app(
        reply
            .or(rejection)
            .or(recovered)
            .or(path!("other").map(|| "other")),
    );
    let mut answers = Vec::new();
    for path in ["/then", "/and-then", "/recovered"] {
        let answer = app.post_as(&test.log_in("ann").await, path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.cookies().len(), 1, "{path}");
        answers.push((answer.body.clone(), answer.headers.len()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The session has ended: the tokens are cleared though the handler's error knows no request.
    let ann = test.log_in("ann").await;
    test.end("ann").await;
    for path in ["/then", "/and-then", "/recovered"] {
        let answer = app.post_as(&ann, path).await;
        answer.assert_refused(401, "unauthorised");
        assert_eq!(answer.cookies().len(), 2, "{path}");
    }
}

/// An application's own `recover` finds out which rejections are ours, and leaves or answers them.
#[tokio::test]
async fn an_applications_recovery_can_tell_our_rejections() {
    async fn recover(rejection: Rejection) -> Result<Response, Rejection> {
        match rejection.find::<SessionRejection>() {
            Some(refused) if matches!(refused.error(), SessionError::InvalidPayload(_)) => {
                Ok(warp::reply::with_status("mine", StatusCode::CONFLICT).into_response())
            }
            Some(refused) => Ok(refused.clone().into_response()),
            None if rejection.is_not_found() => Ok("nothing here".into_response()),
            None => Err(rejection),
        }
    }
    let test = TestApp::new().await;
    let route = path!("and-then")
        .and(warp::post())
        .and(session())
        .and_then(async |session| rename(session).await.map_err(Rejection::from));
    let app = test.app(route.recover(recover));
    let ann = test.log_in("ann").await;
    let answer = app.post_as(&ann, "/and-then").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (409, "mine"));
    test.end("ann").await;
    let answer = app.post_as(&ann, "/and-then").await;
    answer.assert_refused(401, "unauthorised");
    app.get("/").await.assert_text("nothing here");
    assert_eq!(app.get("/and-then").await.status, 405);
    let other = session_warp::recover(warp::reject::not_found()).await;
    assert!(other.is_err_and(|rejection| rejection.is_not_found()));
}

/// Wire case 47: whoever has no session is let through where it is optional, and an `or` goes on as
/// ever when another filter rejects.
#[tokio::test]
async fn other_rejections_fall_through_as_ever() {
    let test = TestApp::new().await;
    let typed = path!("item" / u32)
        .and(optional_session::<Stateless>())
        .and(warp::header::exact("x-kind", "number"))
        .map(|number: u32, _: OptionalSession<Stateless>| number.to_string());
    let named = path!("item" / String).map(|name: String| name);
    let app = test.app(typed.or(named));
    let ann = test.log_in("ann").await;
    app.get_as(&ann, "/item/07").await.assert_text("07");
    let mut request = client::request(Method::GET, "/item/07");
    request
        .headers_mut()
        .insert("x-kind", "number".parse().unwrap());
    app.send(request).await.assert_text("7");
    app.get("/item/one").await.assert_text("one");
}
