//! `Session<P>`, `OptionalSession<P>`, `SessionRequest`, the functions and `verify_session`.

use std::time::Duration;

use rocket::{
    Request, get, head,
    http::{ContentType, Header, Method},
    options,
    outcome::Outcome,
    post,
    request::{self, FromRequest},
    routes,
};
use serde_json::{Map, json};
use session_core::{config::AntiCsrf, testing::TestSessions};
use session_rocket::{
    CheckBlacklist, CheckDatabase, NewSession, OptionalSession, Session, SessionRejection,
    SessionRequest, Stateless, UserId, VerifyOptions, create_session, get_session, verify_session,
};

use crate::client::TestApp;

#[get("/whoami")]
fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

#[get("/hello")]
fn hello(session: OptionalSession<Stateless>) -> String {
    match session.into_inner() {
        Some(session) => format!("hello, {}", session.user_id()),
        None => "hello, stranger".to_owned(),
    }
}

#[get("/option")]
fn option(session: Option<Session>) -> String {
    session.is_some().to_string()
}

#[get("/result")]
fn result(session: Result<Session, SessionRejection>) -> String {
    session.map_or_else(
        |rejection| rejection.error().to_string(),
        |session| session.user_id().to_string(),
    )
}

/// Wire cases 44, 45, 47: a guard refuses, the optional one only what is no stranger. `Option` is
/// Rocket's own and cannot tell an expired session from none; `Result` hands over the refusal.
#[rocket::async_test]
async fn a_guard_says_whether_a_session_is_needed() {
    let app = TestApp::new(routes![whoami, hello, option, result]).await;
    app.get("/whoami").await.assert_refused(401, "unauthorised");
    assert_eq!(app.get("/hello").await.body, "hello, stranger");
    assert_eq!(app.get("/option").await.body, "false");
    assert_eq!(app.get("/result").await.body, "there is no valid session");

    app.log_in("ann").await;
    assert_eq!(app.get("/whoami").await.body, "ann");
    assert_eq!(app.get("/hello").await.body, "hello, ann");
    assert_eq!(app.get("/option").await.body, "true");
    assert_eq!(app.get("/result").await.body, "ann");

    app.advance(Duration::from_hours(1));
    for path in ["/whoami", "/hello"] {
        app.get(path).await.assert_refused(401, "try refresh token");
    }
    assert_eq!(app.get("/option").await.body, "false");
    let value = app.get("/result").await;
    assert_eq!(
        (value.status, value.body.as_str()),
        (200, "the access token must be refreshed")
    );
}

/// E13: a handler that takes the refusal as a value has the last word, so the tokens stay.
#[rocket::async_test]
async fn a_refusal_taken_as_a_value_clears_nothing() {
    #[get("/value")]
    fn value(session: Result<Session<CheckDatabase>, SessionRejection>) -> &'static str {
        assert!(session.is_err());
        "my own answer"
    }
    #[get("/refused")]
    fn refused(
        session: Result<Session<CheckDatabase>, SessionRejection>,
    ) -> Result<&'static str, SessionRejection> {
        session.map(|_| "not refused")
    }
    let app = TestApp::new(routes![value, refused]).await;
    app.log_in("ann").await;
    let user = UserId::try_from("ann").unwrap();
    app.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let reply = app.get("/value").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "my own answer"));
    assert!(app.cookie("sAccessToken").is_some());
    let reply = app.get("/refused").await;
    reply.assert_refused(401, "unauthorised");
    assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));
}

/// Wire case 48: each policy looks as far as its name says.
#[rocket::async_test]
async fn a_revoked_session_is_refused_where_the_policy_looks() {
    #[get("/stateless")]
    fn stateless(_session: Session<Stateless>) {}
    #[get("/blacklist")]
    fn blacklist(_session: Session<CheckBlacklist>) {}
    #[get("/database")]
    fn database(_session: Session<CheckDatabase>) {}
    for path in ["/stateless", "/blacklist", "/database"] {
        let app = TestApp::new(routes![stateless, blacklist, database]).await;
        app.log_in("ann").await;
        let user = UserId::try_from("ann").unwrap();
        app.sessions()
            .revoke_all_of_user(&user, None)
            .await
            .unwrap();
        let reply = app.get(path).await;
        if path == "/stateless" {
            assert_eq!(reply.status, 200);
        } else {
            reply.assert_refused(401, "unauthorised");
            assert!(reply.clears("sAccessToken"), "{path}");
        }
    }
}

/// Design §4: two guards and one around the route share one session, and each asks for what is
/// missing.
#[rocket::async_test]
async fn two_guards_share_one_session() {
    #[get("/")]
    async fn both(one: Session<Stateless>, two: Session<CheckDatabase>) -> String {
        let update = Map::from_iter([("seen".to_owned(), json!(true))]);
        one.merge_payload(update).await.unwrap();
        two.payload().as_map().contains_key("seen").to_string()
    }
    let fresh = verify_session(VerifyOptions::new().check_blacklist(true));
    let app = TestApp::new(fresh.guard(fresh.guard(routes![both]))).await;
    app.log_in("ann").await;
    let reply = app.get("/").await;
    assert_eq!(reply.body, "true");
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert_eq!(reply.lines("cache-control"), ["no-store"]);
}

/// Wire case 51: a guarded route lets a preflight pass; a guard in its signature has no session to
/// give.
#[rocket::async_test]
async fn a_preflight_passes_a_guarded_route() {
    #[options("/")]
    fn preflight() -> &'static str {
        "passed"
    }
    #[options("/session")]
    fn with_session(_session: Session) {}
    let routes = verify_session(VerifyOptions::new()).guard(routes![preflight, with_session]);
    let app = TestApp::new(routes).await;
    assert_eq!(
        app.send(app.request(Method::Options, "/")).await.body,
        "passed"
    );
    let refused = app.send(app.request(Method::Options, "/session")).await;
    refused.assert_refused(401, "unauthorised");
}

/// `verify_session` guards all that is mounted with it, before the route's own guards and body.
#[rocket::async_test]
async fn a_mount_is_guarded_as_a_whole() {
    struct Late;
    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for Late {
        type Error = std::convert::Infallible;

        async fn from_request(
            request: &'r Request<'_>,
        ) -> request::Outcome<Self, std::convert::Infallible> {
            let options = VerifyOptions::new();
            assert!(
                get_session(request, &options)
                    .await
                    .is_ok_and(|found| found.is_some())
            );
            Outcome::Success(Self)
        }
    }
    #[get("/late")]
    fn late(_late: Late) -> &'static str {
        "late"
    }
    #[get("/item/<number>")]
    fn item(number: u8) -> String {
        number.to_string()
    }
    let guard = verify_session(VerifyOptions::new().check_database(true));
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/inside", guard.guard(routes![late, item]))
            .mount("/outside", routes![item])
            .attach(fairing)
    })
    .await;
    for path in ["/inside/late", "/inside/item/1", "/inside/item/none"] {
        app.get(path).await.assert_refused(401, "unauthorised");
    }
    assert_eq!(app.get("/outside/item/1").await.body, "1");
    app.log_in("ann").await;
    assert_eq!(app.get("/inside/late").await.body, "late");
    assert_eq!(app.get("/inside/item/1").await.body, "1");
    assert_eq!(app.get("/inside/item/none").await.status, 422);
}

/// A guard of the application's own asks with the function, and refuses with core's answer.
#[rocket::async_test]
async fn a_guard_of_ones_own_refuses_as_ours_do() {
    struct Visitor(Option<session_core::Session>);
    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for Visitor {
        type Error = SessionRejection;

        async fn from_request(
            request: &'r Request<'_>,
        ) -> request::Outcome<Self, SessionRejection> {
            let options = VerifyOptions::new().session_required(false);
            match get_session(request, &options).await {
                Ok(session) => Outcome::Success(Self(session)),
                Err(rejection) => rejection.into_outcome(request),
            }
        }
    }
    #[get("/")]
    fn visit(visitor: Visitor) -> String {
        visitor.0.is_some().to_string()
    }
    let app = TestApp::new(routes![visit]).await;
    assert_eq!(app.get("/").await.body, "false");
    app.log_in("ann").await;
    assert_eq!(app.get("/").await.body, "true");
    app.advance(Duration::from_hours(1));
    app.get("/").await.assert_refused(401, "try refresh token");
}

/// The function form creates a session as well, and the request knows it from then on.
#[rocket::async_test]
async fn a_session_created_by_the_function_is_the_requests() {
    struct Guest;
    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for Guest {
        type Error = SessionRejection;

        async fn from_request(
            request: &'r Request<'_>,
        ) -> request::Outcome<Self, SessionRejection> {
            let new = NewSession::new(UserId::try_from("guest").unwrap());
            match create_session(request, new).await {
                Ok(_) => Outcome::Success(Self),
                Err(rejection) => rejection.into_outcome(request),
            }
        }
    }
    #[get("/guest")]
    fn guest(_guest: Guest, session: Session) -> String {
        session.user_id().to_string()
    }
    let app = TestApp::new(routes![guest, whoami]).await;
    let mode = Header::new("st-auth-mode", "cookie");
    let reply = app
        .send(app.request(Method::Get, "/guest").header(mode))
        .await;
    assert_eq!(reply.body, "guest");
    assert_eq!(app.get("/whoami").await.body, "guest");
}

/// Where it depends on the request whether a session is needed.
#[rocket::async_test]
async fn a_handler_decides_what_to_ask() {
    #[get("/?<strict>")]
    async fn decide(request: SessionRequest, strict: bool) -> Result<String, SessionRejection> {
        let options = VerifyOptions::new().session_required(strict);
        let session = request.get_session(&options).await?;
        Ok(session.is_some().to_string())
    }
    let app = TestApp::new(routes![decide]).await;
    assert_eq!(app.get("/?strict=false").await.body, "false");
    app.get("/?strict=true")
        .await
        .assert_refused(401, "unauthorised");
    app.log_in("ann").await;
    assert_eq!(app.get("/?strict=true").await.body, "true");
}

/// Wire §6: HEAD is checked as HEAD, also where Rocket serves it by a GET route.
#[rocket::async_test]
async fn a_head_request_is_no_get() {
    #[head("/own")]
    fn own(_session: Session) {}
    let test = TestSessions::with(|builder| {
        builder.config(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader))
    });
    let app = TestApp::of(test.await.unwrap(), |rocket, fairing| {
        rocket.mount("/", routes![whoami, own]).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    assert_eq!(app.get("/whoami").await.status, 200);
    for path in ["/whoami", "/own"] {
        assert_eq!(
            app.send(app.request(Method::Head, path)).await.status,
            401,
            "{path}"
        );
        let rid = Header::new("rid", "anti-csrf");
        let checked = app.request(Method::Head, path).header(rid);
        assert_eq!(app.send(checked).await.status, 200, "{path}");
    }
}

/// E14: the method that a form names is the one that is served and checked; a form gets to no
/// changing route without the anti-CSRF header, and no override header counts.
#[rocket::async_test]
async fn a_form_cannot_choose_its_check() {
    #[post("/change")]
    fn change(_session: Session) {}
    #[rocket::delete("/change")]
    fn delete(_session: Session) {}
    let test = TestSessions::with(|builder| {
        builder.config(|config| config.anti_csrf(AntiCsrf::ViaCustomHeader))
    });
    let app = TestApp::of(test.await.unwrap(), |rocket, fairing| {
        rocket.mount("/", routes![change, delete]).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    for (body, status) in [("a=b", 401), ("_method=delete", 401), ("_method=get", 404)] {
        let form = app
            .request(Method::Post, "/change")
            .header(ContentType::Form);
        let form = form.header(Header::new("x-http-method-override", "GET"));
        assert_eq!(app.send(form.body(body)).await.status, status, "{body}");
    }
}
