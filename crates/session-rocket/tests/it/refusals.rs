//! Who answers a refused request: core, a catcher of the application's, Rocket; and never another
//! route.

use std::time::Duration;

use rocket::{
    Catcher, Request, catch, catcher, catchers, get,
    http::{Accept, Method, Status},
    request::{FromRequest, Outcome},
    response::Responder as _,
    routes,
};
use session_core::{error::ClientTokens, testing::TestSessions};
use session_rocket::{
    Session, SessionError, SessionRejection, VerifyOptions, get_session, verify_session,
};

use crate::client::TestApp;

#[get("/guarded")]
fn guarded(_session: Session) {}

#[get("/fail")]
fn fail() -> Status {
    Status::Unauthorized
}

/// Design §4: what Rocket's default catcher would answer is core's refusal, to every `Accept`.
#[rocket::async_test]
async fn the_default_catcher_does_not_answer_a_refusal() {
    let guard = verify_session(VerifyOptions::new());
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/", routes![guarded])
            .mount("/mounted", guard.guard(routes![guarded]))
            .attach(fairing)
    })
    .await;
    for path in ["/guarded", "/mounted/guarded"] {
        for accept in [Accept::HTML, Accept::JSON, Accept::Any] {
            let reply = app
                .send(app.request(Method::Get, path).header(accept))
                .await;
            assert_eq!(reply.body, r#"{"message":"unauthorised"}"#);
            assert_eq!(reply.status, 401);
            assert!(reply.lines("content-type")[0].starts_with("application/json"));
        }
    }
}

/// What is no refusal of ours is answered as Rocket does it.
#[rocket::async_test]
async fn other_errors_keep_rockets_answer() {
    let app = TestApp::new(routes![guarded, fail]).await;
    let nothing = app.get("/nothing").await;
    assert_eq!(nothing.status, 404);
    assert!(nothing.body.contains("<!DOCTYPE html>"), "{}", nothing.body);
    let json = app
        .send(app.request(Method::Get, "/fail").header(Accept::JSON))
        .await;
    assert_eq!(json.status, 401);
    assert!(
        json.body.contains(r#""reason": "Unauthorized""#),
        "{}",
        json.body
    );
}

/// A catcher of the application's own has the last word, keeps the tokens, and can hand the word
/// back.
#[rocket::async_test]
async fn a_catcher_of_the_application_has_the_last_word() {
    #[catch(401)]
    fn own() -> &'static str {
        "log in, please"
    }
    #[catch(default)]
    fn handing_back(status: Status, request: &Request<'_>) -> Result<String, SessionRejection> {
        match SessionRejection::of(status, request) {
            Some(rejection) => Err(rejection),
            None => Ok(format!("error {}", status.code)),
        }
    }
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/", routes![guarded])
            .mount("/api", routes![guarded])
            .register("/", catchers![own])
            .register("/api", catchers![handing_back])
            .attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    app.advance(Duration::from_hours(1));
    let reply = app.get("/guarded").await;
    assert_eq!((reply.status, reply.body.as_str()), (401, "log in, please"));
    assert!(reply.lines("set-cookie").is_empty());
    app.get("/api/guarded")
        .await
        .assert_refused(401, "try refresh token");
    assert_eq!(app.get("/api/nothing").await.body, "error 404");
}

/// An application with a default catcher at `/` launches, and its catcher answers.
#[rocket::async_test]
async fn a_default_catcher_of_the_application_takes_our_place() {
    #[catch(default)]
    fn own(status: Status, _request: &Request<'_>) -> String {
        format!("error {}", status.code)
    }
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/", routes![guarded])
            .attach(fairing)
            .register("/", catchers![own])
    })
    .await;
    let reply = app.get("/guarded").await;
    assert_eq!((reply.status, reply.body.as_str()), (401, "error 401"));
}

/// Smell 10: a refused request does not fall through to a less protected route, be it refused by a
/// guard or around the route.
#[rocket::async_test]
async fn a_refusal_forwards_to_no_other_route() {
    #[get("/guarded", rank = 2)]
    fn less_protected() -> &'static str {
        "reached"
    }
    #[get("/<_..>", rank = 3)]
    fn everything() -> &'static str {
        "reached"
    }
    let guard = verify_session(VerifyOptions::new());
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/", routes![guarded, less_protected, everything])
            .mount("/mounted", guard.guard(routes![guarded]))
            .mount("/mounted", routes![less_protected])
            .attach(fairing)
    })
    .await;
    for path in ["/guarded", "/mounted/guarded"] {
        app.get(path).await.assert_refused(401, "unauthorised");
    }
    assert_eq!(app.get("/other").await.body, "reached");
}

/// A route that goes on without a session and then fails for a reason of its own is answered with
/// that, also by a catcher that hands refusals back.
#[rocket::async_test]
async fn a_failure_is_not_answered_with_an_earlier_refusal() {
    #[get("/busy")]
    fn busy(session: Option<Session>) -> Status {
        assert!(session.is_none());
        Status::ServiceUnavailable
    }
    #[catch(default)]
    fn own(status: Status, request: &Request<'_>) -> Result<String, SessionRejection> {
        SessionRejection::of(status, request).map_or_else(|| Ok("busy".to_owned()), Err)
    }
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/", routes![busy])
            .mount("/own", routes![busy])
            .register("/own", catchers![own])
            .attach(fairing)
    })
    .await;
    let rockets = app.get("/busy").await;
    assert_eq!(rockets.status, 503);
    assert!(!rockets.body.contains("unauthorised"), "{}", rockets.body);
    let own = app.get("/own/busy").await;
    assert_eq!((own.status, own.body.as_str()), (503, "busy"));
}

/// Wire §0: a refusal has the configured status, which picks the catcher, also where the error came
/// out of an operation on the session.
#[rocket::async_test]
async fn a_configured_status_picks_the_catcher() {
    struct Ended;
    #[rocket::async_trait]
    impl<'r> FromRequest<'r> for Ended {
        type Error = SessionRejection;

        async fn from_request(request: &'r Request<'_>) -> Outcome<Self, SessionRejection> {
            let ended = SessionError::Unauthorised(ClientTokens::Keep);
            SessionRejection::from(ended).into_outcome(request)
        }
    }
    #[get("/ended")]
    fn ended(_ended: Ended) {}
    #[get("/answer")]
    fn answer() -> SessionRejection {
        SessionError::Unauthorised(ClientTokens::Clear).into()
    }
    #[catch(440)]
    fn own() -> &'static str {
        "log in, please"
    }
    let status = 440.try_into().unwrap();
    let test = TestSessions::with(|builder| {
        builder.config(|config| config.session_expired_status(status))
    });
    let test = test.await.unwrap();
    let app = TestApp::of(test, |rocket, fairing| {
        rocket
            .mount("/", routes![guarded, ended, answer])
            .mount("/own", routes![guarded, ended])
            .register("/own", catchers![own])
            .attach(fairing)
    })
    .await;
    for path in ["/guarded", "/ended"] {
        app.get(path).await.assert_refused(440, "unauthorised");
    }
    let answer = app.get("/answer").await;
    answer.assert_refused(440, "unauthorised");
    assert!(answer.clears("sAccessToken"));
    for path in ["/own/guarded", "/own/ended"] {
        let reply = app.get(path).await;
        assert_eq!((reply.status, reply.body.as_str()), (440, "log in, please"));
    }
}

/// Rocket shows a request that it cannot read to catchers alone: one that asks for the session is not
/// told to attach the fairing.
#[rocket::async_test]
async fn a_catcher_of_an_unreadable_request_may_ask() {
    #[derive(Clone)]
    struct Asking;
    #[rocket::async_trait]
    impl catcher::Handler for Asking {
        async fn handle<'r>(&self, _: Status, request: &'r Request<'_>) -> catcher::Result<'r> {
            let asked = get_session(request, &VerifyOptions::new()).await;
            asked.unwrap_err().respond_to(request)
        }
    }
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .register("/", [Catcher::new(None, Asking)])
            .attach(fairing)
    })
    .await;
    app.get("no path").await.assert_refused(401, "unauthorised");
}
