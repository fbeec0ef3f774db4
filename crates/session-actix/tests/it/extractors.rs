//! `Session<P>`, `OptionalSession<P>`, the functions and `verify_session`.

use std::time::Duration;

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{Next, from_fn},
    test::TestRequest,
    web,
};
use serde_json::{Map, json};
use session_actix::{
    CheckBlacklist, CheckDatabase, NewSession, OptionalSession, Session, SessionError,
    SessionRejection, Stateless, UserId, VerifyOptions, create_session, get_session,
    verify_session,
};
use session_core::ClientTokens;

use crate::client::{Browser, TestApp, log_in, login_as};

async fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

async fn hello(session: OptionalSession<Stateless>) -> String {
    match session.into_inner() {
        Some(session) => format!("hello, {}", session.user_id()),
        None => "hello, stranger".to_owned(),
    }
}

async fn end(session: Session) -> Result<String, SessionRejection> {
    Ok(session.revoke().await?.to_string())
}

/// Wire cases 44, 45: the extractor refuses, the optional one does not.
#[actix_web::test]
async fn an_extractor_says_whether_a_session_is_needed() {
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config
                .route("/whoami", web::get().to(whoami))
                .route("/hello", web::get().to(hello));
        })
        .await;
    let mut stranger = Browser::default();
    let reply = stranger.get(&app, "/whoami").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(stranger.get(&app, "/hello").await.body, "hello, stranger");

    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
    assert_eq!(ann.get(&app, "/hello").await.body, "hello, ann");

    // Wire case 47: expired is not optional.
    test.advance(Duration::from_hours(1));
    for path in ["/whoami", "/hello"] {
        let reply = ann.get(&app, path).await;
        reply.assert_refused(401, "try refresh token");
    }
}

/// Wire case 48: each policy looks as far as its name says.
#[actix_web::test]
async fn a_revoked_session_is_refused_where_the_policy_looks() {
    async fn checked<P: session_actix::Policy>(_: Session<P>) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config
                .route("/stateless", web::get().to(checked::<Stateless>))
                .route("/blacklist", web::get().to(checked::<CheckBlacklist>))
                .route("/database", web::get().to(checked::<CheckDatabase>))
                .route("/end", web::post().to(end));
        })
        .await;
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

/// Design §4: actix-web runs extractors at the same time; they share one session in either order.
#[actix_web::test]
async fn two_extractors_share_one_session() {
    async fn mark(
        one: &session_core::Session,
        two: &session_core::Session,
    ) -> Result<String, SessionRejection> {
        let update = Map::from_iter([("seen".to_owned(), json!(true))]);
        one.merge_payload(update).await?;
        Ok(two.payload().as_map().contains_key("seen").to_string())
    }
    async fn weaker_first(
        one: Session<Stateless>,
        two: Session<CheckDatabase>,
    ) -> Result<String, SessionRejection> {
        mark(&one, &two).await
    }
    async fn stronger_first(
        one: Session<CheckDatabase>,
        two: Session<Stateless>,
    ) -> Result<String, SessionRejection> {
        mark(&one, &two).await
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config
                .route("/weaker", web::get().to(weaker_first))
                .route("/stronger", web::get().to(stronger_first));
        })
        .await;
    for path in ["/weaker", "/stronger"] {
        let reply = test.log_in("ann").await.get(&app, path).await;
        assert_eq!(reply.body, "true", "{path}");
        assert_eq!(reply.times_set("sAccessToken"), 1, "{path}");
    }
}

/// Wire case 51: the guard lets a preflight pass, an extractor has no session to give.
#[actix_web::test]
async fn a_preflight_passes_the_guard() {
    let test = TestApp::new().await;
    let guard = || verify_session(VerifyOptions::new());
    let app = test
        .app(|config| {
            config
                .service(
                    web::resource("/guarded")
                        .wrap(guard())
                        .to(|| async { "reached" }),
                )
                .service(web::resource("/extracted").wrap(guard()).to(whoami));
        })
        .await;
    let mut stranger = Browser::default();
    let preflight = |path| {
        TestRequest::default()
            .method("OPTIONS".parse().unwrap())
            .uri(path)
    };
    let reply = stranger.send(&app, preflight("/guarded")).await;
    assert_eq!(reply.body, "reached");
    let reply = stranger.get(&app, "/guarded").await;
    reply.assert_refused(401, "unauthorised");
    let reply = stranger.send(&app, preflight("/extracted")).await;
    reply.assert_refused(401, "unauthorised");
}

/// Wire case 45: the guard with an optional session.
#[actix_web::test]
async fn the_guard_lets_strangers_pass_when_told_to() {
    let test = TestApp::new().await;
    let guard = verify_session(VerifyOptions::new().session_required(false));
    let app = test
        .app(|config| {
            config.service(web::resource("/").wrap(guard).get(hello));
        })
        .await;
    assert_eq!(
        Browser::default().get(&app, "/").await.body,
        "hello, stranger"
    );
}

/// Design §4: an application that handles the refusal as a value has the last word.
#[actix_web::test]
async fn a_handler_may_answer_a_refusal_by_itself() {
    async fn welcome(session: Result<Session<CheckDatabase>, SessionRejection>) -> String {
        match session {
            Ok(_) => "welcome".to_owned(),
            Err(refused) => format!("not now: {}", refused.error()),
        }
    }
    let test = TestApp::new().await;
    let mut ann = test.log_in("ann").await;
    let app = test
        .app(|config| {
            config.route("/", web::get().to(welcome));
        })
        .await;
    let user = UserId::try_from("ann").unwrap();
    let revoked = test.sessions().revoke_all_of_user(&user, None).await;
    assert_eq!(revoked.unwrap().len(), 1);
    let reply = ann.get(&app, "/").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (200, "not now: there is no valid session")
    );
    assert_eq!(reply.times_set("sAccessToken"), 0);
    assert!(ann.cookie("sAccessToken").is_some());
}

fn ended() -> SessionRejection {
    SessionError::Unauthorised(ClientTokens::Clear).into()
}

/// An error of the application, with ours inside.
#[derive(Debug)]
struct Wrapped(SessionRejection);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Wrapped {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}

/// E13: a handler's error after a change: one line per cookie, and it clears. So does one that the
/// application has put into an error of its own.
#[actix_web::test]
async fn an_error_of_an_operation_becomes_a_refusal() {
    async fn rename(session: &session_core::Session) -> Result<(), SessionRejection> {
        let update = Map::from_iter([("a".to_owned(), json!(1))]);
        Ok(session.merge_payload(update).await?)
    }
    async fn plain(session: Session) -> Result<String, SessionRejection> {
        rename(&session).await?;
        Err(ended())
    }
    async fn wrapped(session: Session) -> Result<String, Wrapped> {
        rename(&session).await.map_err(Wrapped)?;
        Err(Wrapped(ended()))
    }
    async fn boxed(session: Session) -> Result<String, Error> {
        rename(&session).await?;
        Err(ended().into())
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config
                .route("/plain", web::post().to(plain))
                .route("/wrapped", web::post().to(wrapped))
                .route("/boxed", web::post().to(boxed));
        })
        .await;
    for path in ["/plain", "/wrapped", "/boxed"] {
        let reply = test.log_in("ann").await.post(&app, path).await;
        reply.assert_refused(401, "unauthorised");
        assert_eq!(reply.times_set("sAccessToken"), 1, "{path}");
        assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));
        assert_eq!(reply.header("front-token"), Some("remove"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

/// What a rejection says to the framework's logs is what it answers.
#[actix_web::test]
async fn a_rejection_knows_its_status() {
    let unavailable = SessionRejection::from(SessionError::ResponseStarted);
    assert_eq!(unavailable.status_code(), 500);
    assert_eq!(unavailable.error_response().status(), 500);
    assert_eq!(ended().status_code(), 401);
    assert!(matches!(ended().error(), SessionError::Unauthorised(_)));
}

/// E18: a login beside an older session, in one handler.
#[actix_web::test]
async fn a_login_replaces_the_browsers_session() {
    async fn fresh(session: Session<CheckDatabase>) -> String {
        session.user_id().to_string()
    }
    let test = TestApp::new().await;
    let mut browser = test.log_in("mallory").await;
    let mut mallory = browser.clone();
    let app = test
        .app(|config| {
            config
                .route("/login", web::post().to(log_in))
                .route("/whoami", web::get().to(fresh));
        })
        .await;
    let reply = browser.send(&app, login_as("ann")).await;
    assert_eq!((reply.status, reply.times_set("sAccessToken")), (200, 1));
    assert_eq!(browser.get(&app, "/whoami").await.body, "ann");
    let reply = mallory.get(&app, "/whoami").await;
    reply.assert_refused(401, "unauthorised");
}

/// The functions do what the extractors do, for middleware and handlers that hold the request.
#[actix_web::test]
async fn functions_do_the_same() {
    async fn tag(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let options = VerifyOptions::new().session_required(false);
        if let Some(session) = get_session(request.request(), &options).await? {
            request.extensions_mut().insert(session.user_id().clone());
        }
        next.call(request).await
    }
    async fn tagged(request: HttpRequest) -> String {
        let extensions = request.extensions();
        let user = extensions.get::<UserId>();
        user.map_or_else(String::new, ToString::to_string)
    }
    async fn join(request: HttpRequest) -> Result<String, SessionRejection> {
        let new = NewSession::new(UserId::try_from("bob").map_err(SessionError::from)?);
        Ok(create_session(&request, new).await?.user_id().to_string())
    }
    async fn ask(request: HttpRequest) -> Result<String, SessionRejection> {
        let session = get_session(&request, &VerifyOptions::new()).await?;
        Ok(session.map_or_else(String::new, |session| session.user_id().to_string()))
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            let scope = web::scope("").wrap(from_fn(tag));
            let scope = scope.route("/tagged", web::get().to(tagged));
            let scope = scope.route("/join", web::post().to(join));
            config.service(scope.route("/ask", web::get().to(ask)));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(&app, "/tagged").await.body, "ann");
    assert_eq!(ann.get(&app, "/ask").await.body, "ann");
    let mut stranger = Browser::default();
    assert_eq!(stranger.get(&app, "/tagged").await.body, "");
    let reply = stranger.get(&app, "/ask").await;
    reply.assert_refused(401, "unauthorised");
    let reply = stranger.post(&app, "/join").await;
    assert_eq!(reply.body, "bob");
    assert!(reply.header("st-access-token").is_some());
}

/// Smell 11: whatever asks for a session without the middleware gets the line to add.
#[actix_web::test]
async fn a_missing_middleware_is_named() {
    let guard = verify_session(VerifyOptions::new());
    let app = actix_web::App::new()
        .route("/extracted", web::get().to(whoami))
        .route("/optional", web::get().to(hello))
        .route("/login", web::post().to(log_in))
        .service(web::resource("/guarded").wrap(guard).to(|| async { "" }));
    let app = actix_web::test::init_service(app).await;
    for (path, request) in [
        ("/extracted", TestRequest::get()),
        ("/optional", TestRequest::get()),
        ("/login", login_as("ann")),
        ("/guarded", TestRequest::get()),
    ] {
        let reply = Browser::default().send(&app, request.uri(path)).await;
        assert_eq!(reply.status, 500, "{path}");
        let line = ".wrap(session_actix::SessionMiddleware::new(sessions))";
        assert!(reply.message().contains(line), "{}", reply.message());
    }
}
