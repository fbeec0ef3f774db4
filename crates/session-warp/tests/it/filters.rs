//! The filters, alone and composed.

use std::time::Duration;

use serde_json::{Map, json};
use session_warp::{
    CheckBlacklist, CheckDatabase, Configured, NewSession, OptionalSession, Session, SessionError,
    SessionRejection, SessionRequest, Stateless, UserId, VerifyOptions, optional_session, request,
    session, verify_session,
};
use tower::Layer as _;
use warp::{Filter, Rejection, filters::BoxedFilter, http::Method, hyper::body::Bytes, path};

use crate::client::{self, App, TestApp};

fn whoami() -> impl Filter<Extract = (String,), Error = Rejection> + Copy {
    session::<Configured>().map(|session: Session| session.user_id().to_string())
}

fn hello() -> impl Filter<Extract = (String,), Error = Rejection> + Copy {
    optional_session::<Stateless>().map(|session: OptionalSession<Stateless>| {
        let user = session.as_ref().map(|session| session.user_id().as_str());
        format!("hello, {}", user.unwrap_or("stranger"))
    })
}

/// Wire cases 44, 45, 47: the filter refuses, the optional one does not; expired is not optional.
#[tokio::test]
async fn a_filter_says_whether_a_session_is_needed() {
    let test = TestApp::new().await;
    let app = test.app(
        path!("whoami")
            .and(whoami())
            .or(path!("hello").and(hello())),
    );
    app.get("/whoami").await.assert_refused(401, "unauthorised");
    app.get("/hello").await.assert_text("hello, stranger");

    let ann = test.log_in("ann").await;
    app.get_as(&ann, "/whoami").await.assert_text("ann");
    app.get_as(&ann, "/hello").await.assert_text("hello, ann");

    test.advance(Duration::from_hours(1));
    for path in ["/whoami", "/hello"] {
        let answer = app.get_as(&ann, path).await;
        answer.assert_refused(401, "try refresh token");
    }
}

/// Wire case 48: each policy looks as far as its name says, and a refusal clears the tokens, once.
#[tokio::test]
async fn a_revoked_session_is_refused_where_the_policy_looks() {
    let test = TestApp::new().await;
    let stateless = path!("stateless")
        .and(session::<Stateless>())
        .map(|_| "served");
    let blacklist = path!("blacklist")
        .and(session::<CheckBlacklist>())
        .map(|_| "served");
    let database = path!("database")
        .and(session::<CheckDatabase>())
        .map(|_| "served");
    let app = test.app(stateless.or(blacklist).or(database));
    let ann = test.log_in("ann").await;
    test.end("ann").await;

    app.get_as(&ann, "/stateless").await.assert_text("served");
    for path in ["/blacklist", "/database"] {
        let answer = app.get_as(&ann, path).await;
        answer.assert_refused(401, "unauthorised");
        let cleared = [("sAccessToken", ""), ("sRefreshToken", "")];
        assert_eq!(answer.cookies(), cleared, "{path}");
    }
}

/// Design §4: filters of one request share one verification, each asks for what is missing, and
/// what they change is written once.
#[tokio::test]
async fn filters_share_one_session() {
    let test = TestApp::new().await;
    let route = verify_session(VerifyOptions::new().check_blacklist(true))
        .and(session::<Stateless>())
        .and(session::<CheckDatabase>())
        .then(
            async |one: Session<Stateless>, two: Session<CheckDatabase>| {
                let update = Map::from_iter([("seen".to_owned(), json!(true))]);
                one.merge_payload(update).await.unwrap();
                two.payload().as_map().contains_key("seen").to_string()
            },
        );
    let answer = test.app(route).get_as(&test.log_in("ann").await, "/").await;
    answer.assert_text("true");
    assert_eq!(answer.cookies().len(), 1);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Routes are put together as any others are: `and` before and behind, `or`, `boxed`, `unify`.
#[tokio::test]
async fn session_filters_compose() {
    let test = TestApp::new().await;
    let guard: BoxedFilter<()> = verify_session(VerifyOptions::new()).boxed();
    let user: BoxedFilter<(Session,)> = session().boxed();
    let greeting = path!("greet" / String)
        .and(user.clone())
        .and(warp::query::raw())
        .map(|word: String, session: Session, query: String| {
            format!("{word}, {} ({query})", session.user_id())
        });
    let inner =
        path!("deep" / "whoami").and(user.map(|session: Session| session.user_id().to_string()));
    let routes = greeting
        .or(path("guarded").and(guard).and(inner))
        .unify()
        .or(path!("public").map(|| "public"));
    let app = test.app(routes.boxed());
    let ann = test.log_in("ann").await;
    app.get_as(&ann, "/greet/hi?a=b")
        .await
        .assert_text("hi, ann (a=b)");
    app.get_as(&ann, "/guarded/deep/whoami")
        .await
        .assert_text("ann");
    app.get("/greet/hi?a=b")
        .await
        .assert_refused(401, "unauthorised");
    app.get("/guarded/deep/whoami")
        .await
        .assert_refused(401, "unauthorised");
    app.get("/public").await.assert_text("public");
    assert_eq!(app.get("/nothing").await.status, 404);
    assert_eq!(app.get_as(&ann, "/guarded/nothing").await.status, 404);
}

/// Wire case 51: a preflight passes the guard, and has no session to extract.
#[tokio::test]
async fn a_preflight_passes_the_guard() {
    let test = TestApp::new().await;
    let guard = verify_session(VerifyOptions::new());
    let reached = path!("guarded")
        .and(guard.clone())
        .map(|| "reached".to_owned());
    let app = test.app(reached.or(path!("extracted").and(guard).and(whoami())));
    let preflight = |path| client::request(Method::OPTIONS, path);
    app.send(preflight("/guarded")).await.assert_text("reached");
    let answer = app.send(preflight("/extracted")).await;
    answer.assert_refused(401, "unauthorised");
}

/// Design §4: a handler creates a session, or asks for one as it sees fit; what it returns with `?` is
/// a reply.
#[tokio::test]
async fn a_handler_has_the_request() {
    async fn login(request: SessionRequest, user: Bytes) -> Result<String, SessionRejection> {
        let user = String::from_utf8_lossy(&user).into_owned();
        let user = UserId::try_from(user).map_err(SessionError::from)?;
        let session = request.create_session(NewSession::new(user)).await?;
        let known = request.sessions().information(session.handle()).await?;
        Ok(known.unwrap().user_id().to_string())
    }
    async fn find(request: SessionRequest) -> Result<String, SessionRejection> {
        let options = VerifyOptions::new()
            .check_database(true)
            .session_required(false);
        let session = request.get_session(&options).await?;
        Ok(session.map_or("nobody".to_owned(), |session| session.user_id().to_string()))
    }
    let test = TestApp::new().await;
    let login = path!("login")
        .and(request())
        .and(warp::body::bytes())
        .then(login);
    let app = test.app(login.or(path!("find").and(request()).then(find)));

    let ask_for = |user: &'static str| {
        client::request(Method::POST, "/login").map(|_| Bytes::from(user).into())
    };
    let answer = app.send(ask_for("ann")).await;
    answer.assert_text("ann");
    let [(access, token), (refresh, _)] = answer.cookies()[..] else {
        panic!("{answer:?}");
    };
    assert_eq!((access, refresh), ("sAccessToken", "sRefreshToken"));
    app.get_as(token, "/find").await.assert_text("ann");
    app.get("/find").await.assert_text("nobody");
    test.end("ann").await;
    app.get_as(token, "/find")
        .await
        .assert_refused(401, "unauthorised");
    let answer = app.send(ask_for("")).await;
    assert_eq!((answer.status.as_u16(), answer.cookies().len()), (400, 0));
}

/// E13: applied twice, the outer layer's exchange is the only one; a layer for other sessions counts
/// below itself.
#[tokio::test]
async fn layers_may_be_nested() {
    let (staff, customers) = (TestApp::new().await, TestApp::new().await);
    let end = path!("end")
        .and(session::<Configured>())
        .then(async |session: Session| session.revoke().await.unwrap().to_string());
    let routes = session_warp::service(end.or(path!("whoami").and(whoami())));
    let twice = App::new(staff.layer().layer(staff.layer().layer(routes.clone())));
    let answer = twice.post_as(&staff.log_in("ann").await, "/end").await;
    answer.assert_text("true");
    assert_eq!(
        answer.cookies(),
        [("sAccessToken", ""), ("sRefreshToken", "")]
    );
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("front-token")
    );

    let inner = App::new(customers.layer().layer(staff.layer().layer(routes)));
    let (admin, ann) = (staff.log_in("admin").await, customers.log_in("ann").await);
    inner.get_as(&admin, "/whoami").await.assert_text("admin");
    let answer = inner.get_as(&ann, "/whoami").await;
    answer.assert_refused(401, "try refresh token");
}

/// Issue: a missing layer is an error that names what to write.
#[tokio::test]
async fn without_the_server_every_session_filter_says_what_is_missing() {
    let test = TestApp::new().await;
    let ann = test.log_in("ann").await;
    let routes = path!("session")
        .and(whoami())
        .or(path!("optional").and(hello()))
        .or(path!("verify")
            .and(verify_session(VerifyOptions::new()))
            .map(|| "passed"))
        .or(path!("request").and(request()).map(|_| "found"));
    let bare = App::new(warp::service(routes.clone()));
    let without_service = App::new(test.layer().layer(warp::service(routes.clone())));
    let without_layer = App::new(session_warp::service(routes));
    for app in [bare, without_service, without_layer] {
        for path in ["/session", "/optional", "/verify", "/request"] {
            let answer = app.get_as(&ann, path).await;
            assert_eq!(answer.status, 500, "{path}");
            let names_the_line = answer
                .text()
                .contains("session_warp::serve(sessions, routes)");
            assert!(names_the_line, "{path}: {}", answer.text());
        }
    }
}
