//! `Session<P>`, `OptionalSession<P>`, `SessionRequest`, the functions and `verify_session`.

use std::time::Duration;

use axum::{
    Router,
    extract::{FromRef, Request, State},
    http::{Method, request::Parts},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use serde_json::{Map, json};
use session_axum::{
    CheckBlacklist, CheckDatabase, NewSession, OptionalSession, Session, SessionError,
    SessionRejection, SessionRequest, Stateless, UserId, VerifyOptions, create_session,
    get_session, verify_session,
};

use crate::client::{Browser, TestApp, log_in, request};

async fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

async fn hello(session: OptionalSession<Stateless>) -> String {
    match session.into_inner() {
        Some(session) => format!("hello, {}", session.user_id()),
        None => "hello, stranger".to_owned(),
    }
}

/// Wire cases 44, 45: the extractor refuses, the optional one does not.
#[tokio::test]
async fn an_extractor_says_whether_a_session_is_needed() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/whoami", get(whoami))
        .route("/hello", get(hello))
        .route(
            "/option",
            get(async |session: Option<Session>| session.is_some().to_string()),
        )
        .layer(test.layer());
    let mut stranger = Browser::default();
    stranger
        .get(app.clone(), "/whoami")
        .await
        .assert_refused(401, "unauthorised");
    assert_eq!(
        stranger.get(app.clone(), "/hello").await.body,
        "hello, stranger"
    );
    assert_eq!(stranger.get(app.clone(), "/option").await.body, "false");

    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(app.clone(), "/whoami").await.body, "ann");
    assert_eq!(ann.get(app.clone(), "/hello").await.body, "hello, ann");
    assert_eq!(ann.get(app.clone(), "/option").await.body, "true");

    // Wire case 47: expired is not optional.
    test.advance(Duration::from_hours(1));
    for path in ["/whoami", "/hello", "/option"] {
        ann.get(app.clone(), path)
            .await
            .assert_refused(401, "try refresh token");
    }
}

/// Wire case 48: each policy looks as far as its name says.
#[tokio::test]
async fn a_revoked_session_is_refused_where_the_policy_looks() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/stateless", get(async |_: Session<Stateless>| ()))
        .route("/blacklist", get(async |_: Session<CheckBlacklist>| ()))
        .route("/database", get(async |_: Session<CheckDatabase>| ()))
        .route(
            "/end",
            post(async |session: Session| session.revoke().await.unwrap().to_string()),
        )
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    let reply = ann.post(app.clone(), "/end").await;
    assert_eq!(reply.body, "true");
    assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));

    assert_eq!(other_tab.get(app.clone(), "/stateless").await.status, 200);
    for path in ["/blacklist", "/database"] {
        let reply = other_tab.clone().get(app.clone(), path).await;
        reply.assert_refused(401, "unauthorised");
        assert!(reply.clears("sAccessToken"), "{path}");
    }
}

/// Design §4: two extractors and a layer share one verification, and each asks for what is missing.
#[tokio::test]
async fn two_extractors_share_one_session() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route(
            "/",
            get(
                async |one: Session<Stateless>, two: Session<CheckDatabase>| {
                    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
                    one.merge_payload(update).await.unwrap();
                    two.payload().as_map().contains_key("seen").to_string()
                },
            ),
        )
        .route_layer(verify_session(VerifyOptions::new().check_blacklist(true)))
        .layer(test.layer());
    let reply = test.log_in("ann").await.get(app, "/").await;
    assert_eq!(reply.body, "true");
    assert_eq!(reply.times_set("sAccessToken"), 1);
}

/// Wire case 51: the layer lets a preflight pass, an extractor has no session to give.
#[tokio::test]
async fn a_preflight_passes_the_layer() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/guarded", any(async || "reached"))
        .route("/extracted", any(whoami))
        .route_layer(verify_session(VerifyOptions::new()))
        .layer(test.layer());
    let mut stranger = Browser::default();
    let reply = stranger
        .send(app.clone(), request(Method::OPTIONS, "/guarded"))
        .await;
    assert_eq!(reply.body, "reached");
    stranger
        .get(app.clone(), "/guarded")
        .await
        .assert_refused(401, "unauthorised");
    let reply = stranger
        .send(app, request(Method::OPTIONS, "/extracted"))
        .await;
    reply.assert_refused(401, "unauthorised");
}

/// Wire case 45: the layer with an optional session.
#[tokio::test]
async fn the_layer_lets_strangers_pass_when_told_to() {
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/", get(hello))
        .route_layer(verify_session(VerifyOptions::new().session_required(false)))
        .layer(test.layer());
    assert_eq!(
        Browser::default().get(app, "/").await.body,
        "hello, stranger"
    );
}

/// Design §4: an application that handles the refusal as a value has the last word.
#[tokio::test]
async fn a_handler_may_answer_a_refusal_by_itself() {
    let test = TestApp::new().await;
    let mut ann = test.log_in("ann").await;
    let app = Router::new()
        .route(
            "/",
            get(
                async |session: Result<Session<CheckDatabase>, SessionRejection>| match session {
                    Ok(_) => "welcome".to_owned(),
                    Err(refused) => format!("not now: {}", refused.error()),
                },
            ),
        )
        .layer(test.layer());
    let user = UserId::try_from("ann").unwrap();
    test.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let reply = ann.get(app, "/").await;
    assert_eq!(
        (reply.status.as_u16(), reply.body.as_str()),
        (200, "not now: there is no valid session")
    );
    assert_eq!(reply.times_set("sAccessToken"), 0);
    assert!(ann.cookie("sAccessToken").is_some());
}

/// E13: a handler's error after a change: one line per cookie, and it clears.
#[tokio::test]
async fn an_error_of_an_operation_becomes_a_refusal() {
    async fn rename(session: Session) -> Result<(), SessionRejection> {
        session
            .merge_payload(Map::from_iter([("a".to_owned(), json!(1))]))
            .await?;
        Err(SessionError::Unauthorised(session_core::ClientTokens::Clear).into())
    }
    let test = TestApp::new().await;
    let app = Router::new().route("/", post(rename)).layer(test.layer());
    let reply = test.log_in("ann").await.post(app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));
    assert_eq!(reply.header("front-token"), Some("remove"));
}

/// E18: a login beside an older session, in one handler.
#[tokio::test]
async fn a_login_replaces_the_browsers_session() {
    let test = TestApp::new().await;
    let mut browser = test.log_in("mallory").await;
    let mallory = browser.clone();
    let app = Router::new()
        .route("/login", post(log_in))
        .route(
            "/whoami",
            get(async |session: Session<CheckDatabase>| session.user_id().to_string()),
        )
        .layer(test.layer());
    let login = axum::http::Request::post("/login").header("st-auth-mode", "cookie");
    let reply = browser
        .send(app.clone(), login.body("ann".into()).unwrap())
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.times_set("sAccessToken")),
        (200, 1)
    );
    assert_eq!(browser.get(app.clone(), "/whoami").await.body, "ann");
    mallory
        .clone()
        .get(app, "/whoami")
        .await
        .assert_refused(401, "unauthorised");
}

/// The functions do what the extractors do, for middleware and handlers that hold the head.
#[tokio::test]
async fn functions_do_the_same() {
    async fn tag(request: Request, next: Next) -> Result<Response, SessionRejection> {
        let (mut parts, body) = request.into_parts();
        let options = VerifyOptions::new().session_required(false);
        if let Some(session) = get_session(&parts, &options).await? {
            parts.extensions.insert(session.user_id().clone());
        }
        Ok(next.run(Request::from_parts(parts, body)).await)
    }
    async fn tagged(parts: Parts) -> String {
        parts
            .extensions
            .get::<UserId>()
            .map_or_else(String::new, ToString::to_string)
    }
    async fn join(parts: Parts) -> Result<String, SessionRejection> {
        let new = NewSession::new(UserId::try_from("bob").map_err(SessionError::from)?);
        Ok(create_session(&parts, new).await?.user_id().to_string())
    }
    async fn ask(request: SessionRequest) -> Result<String, SessionRejection> {
        let session = request.get_session(&VerifyOptions::new()).await?;
        Ok(session.map_or_else(String::new, |session| session.user_id().to_string()))
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/tagged", get(tagged))
        .route("/join", post(join))
        .route("/ask", get(ask))
        .layer(from_fn(tag))
        .layer(test.layer());
    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(app.clone(), "/tagged").await.body, "ann");
    assert_eq!(ann.get(app.clone(), "/ask").await.body, "ann");
    let mut stranger = Browser::default();
    assert_eq!(stranger.get(app.clone(), "/tagged").await.body, "");
    stranger
        .get(app.clone(), "/ask")
        .await
        .assert_refused(401, "unauthorised");
    let reply = stranger.post(app, "/join").await;
    assert_eq!(reply.body, "bob");
    assert!(reply.header("st-access-token").is_some());
}

/// Smell 11: whatever asks for a session without the layer gets the line to add.
#[tokio::test]
async fn a_missing_layer_is_named() {
    let app = Router::new()
        .route("/extracted", get(whoami))
        .route("/optional", get(hello))
        .route("/login", post(log_in))
        .route(
            "/guarded",
            get(async || ()).route_layer(verify_session(VerifyOptions::new())),
        );
    for (method, path) in [
        (Method::GET, "/extracted"),
        (Method::GET, "/optional"),
        (Method::POST, "/login"),
        (Method::GET, "/guarded"),
    ] {
        let reply = Browser::default()
            .send(app.clone(), request(method, path))
            .await;
        assert_eq!(reply.status, 500, "{path}");
        let line = ".layer(session_axum::SessionLayer::new(sessions))";
        assert!(reply.message().contains(line), "{}", reply.message());
    }
}

/// `State` and the extractor go together, whatever the state is.
#[tokio::test]
async fn any_state_will_do() {
    #[derive(Clone)]
    struct AppState {
        greeting: &'static str,
    }
    #[derive(Clone)]
    struct Greeting(&'static str);
    impl FromRef<AppState> for Greeting {
        fn from_ref(state: &AppState) -> Self {
            Self(state.greeting)
        }
    }
    async fn greet(State(greeting): State<Greeting>, session: Session) -> Response {
        format!("{}, {}", greeting.0, session.user_id()).into_response()
    }
    let test = TestApp::new().await;
    let app = Router::new()
        .route("/", get(greet))
        .layer(test.layer())
        .with_state(AppState {
            greeting: "good morning",
        });
    assert_eq!(
        test.log_in("ann").await.get(app, "/").await.body,
        "good morning, ann"
    );
}
