//! The fairing: launch, the built-in routes among the application's, other fairings, panics.

use std::io::Cursor;

use rocket::{
    error::ErrorKind,
    fairing::AdHoc,
    get,
    http::{Header, Method, Status},
    post, routes,
};
use serde_json::{Map, json};
use session_core::{AppInfo, MemoryStore, Sessions, testing::TestSessions};
use session_rocket::{
    CheckDatabase, OptionalSession, Session, SessionFairing, SessionRejection, SessionRequest,
    VerifyOptions, get_session, verify_session,
};

use crate::client::{Reply, TestApp, bare};

#[post("/revoke-and-panic")]
#[expect(clippy::panic, reason = "what the test is about")]
async fn revoke_and_panic(session: Session) -> String {
    session.revoke().await.unwrap();
    panic!("on purpose");
}

#[post("/merge")]
async fn merge(session: Session) -> Result<&'static str, SessionRejection> {
    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
    session.merge_payload(update).await?;
    Ok("merged")
}

/// Smell 11: without the fairing, an application with one of our guards does not launch.
#[rocket::async_test]
async fn a_missing_fairing_is_noticed_at_launch() {
    #[get("/1")]
    fn session(_session: Session<CheckDatabase>) {}
    #[get("/2")]
    fn optional(_session: OptionalSession) {}
    #[get("/3")]
    fn request(_request: SessionRequest) {}
    #[get("/4")]
    fn result(_session: Result<Session, SessionRejection>) {}
    #[get("/5")]
    fn option(_session: Option<Session>) {}
    for routes in [
        routes![session],
        routes![optional],
        routes![request],
        routes![result],
        routes![option],
        verify_session(VerifyOptions::new()).guard(routes![session]),
    ] {
        let error = bare()
            .mount("/", routes.clone())
            .ignite()
            .await
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::SentinelAborts(_)));
        let sessions = TestSessions::new().await.unwrap();
        let fairing = SessionFairing::new(sessions.sessions().clone());
        let rocket = bare().mount("/", routes).attach(fairing);
        assert!(rocket.ignite().await.is_ok());
    }
}

/// Where no guard of ours is in a signature, the first request names the missing line.
#[rocket::async_test]
async fn a_missing_fairing_is_named_by_a_guarded_route() {
    #[get("/")]
    fn unguarded() {}
    let routes = verify_session(VerifyOptions::new()).guard(routes![unguarded]);
    let client = rocket::local::asynchronous::Client::tracked(bare().mount("/", routes));
    let client = client.await.unwrap();
    let reply = Reply::to(client.get("/")).await;
    assert_eq!(reply.status, 500);
    let line = ".attach(session_rocket::SessionFairing::new(sessions))";
    assert!(reply.body.contains(line), "{}", reply.body);
}

/// The session routes come before a route of the application's that takes everything, and what is
/// not theirs is forwarded to it, body and all.
#[rocket::async_test]
async fn the_session_routes_come_first_and_forward() {
    #[post("/<_..>", data = "<body>")]
    fn everything(body: String) -> String {
        body
    }
    #[post("/auth/forgot")]
    fn forgot() -> &'static str {
        "mail sent"
    }
    let mut first = routes![everything];
    first[0].rank = -100;
    let app = TestApp::with(|rocket, fairing| {
        rocket
            .mount("/auth", first)
            .mount("/", routes![forgot])
            .attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    let other = app
        .request(Method::Post, "/auth/session/other")
        .body("the body");
    assert_eq!(app.send(other).await.body, "the body");
    let refreshed = app.post("/auth/session/refresh").await;
    assert_eq!((refreshed.status, refreshed.body.as_str()), (200, "{}"));
    assert_eq!(refreshed.times_set("sAccessToken"), 1);
    let signed_out = app.post("/auth/signout/").await;
    assert_eq!(signed_out.body, r#"{"status":"OK"}"#);
    assert!(signed_out.clears("sAccessToken"));
}

/// Wire §5: the routes are found with the path that a gateway puts in front, and without.
#[rocket::async_test]
async fn the_session_routes_are_found_behind_a_gateway() {
    for (info, paths) in [
        (
            local().api_gateway_path("/gateway"),
            ["/auth/signout", "/gateway/auth/signout"],
        ),
        (local().api_base_path("/"), ["/signout", "/tenant1/signout"]),
        (
            local().api_base_path("/a/b"),
            ["/a/b/signout/", "/a/b/tenant1/signout"],
        ),
        // One below the other: Rocket would not launch with two routes alike.
        (
            local().api_gateway_path("/gateway").api_base_path("/"),
            ["/signout", "/gateway/signout"],
        ),
        (
            local().api_gateway_path("/auth"),
            ["/auth/signout", "/auth/auth/signout"],
        ),
    ] {
        let builder = Sessions::builder(info).store(MemoryStore::default());
        let fairing = SessionFairing::new(builder.build().await.unwrap());
        let client = rocket::local::asynchronous::Client::tracked(bare().attach(fairing));
        let client = client.await.unwrap();
        for path in paths {
            let reply = Reply::to(client.post(path)).await;
            reply.assert_refused(401, "unauthorised");
        }
        assert_eq!(Reply::to(client.post("/other/signout/x")).await.status, 404);
    }
}

fn local() -> AppInfo {
    AppInfo::new("http://localhost:3000", "http://localhost:3000")
}

/// E13, J8: Rocket catches a panic, and what the handler did before still reaches the client.
#[rocket::async_test]
async fn a_panic_still_clears_the_tokens() {
    let app = TestApp::new(routes![revoke_and_panic]).await;
    app.log_in("ann").await;
    let reply = app.post("/revoke-and-panic").await;
    assert_eq!(reply.status, 500);
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
    assert!(app.cookie("sAccessToken").is_none());
    app.log_in("ann").await;
}

/// Applied twice, the fairing writes once.
#[rocket::async_test]
async fn a_fairing_attached_twice_writes_once() {
    let app = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![merge]);
        rocket.attach(fairing.clone()).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    let reply = app.post("/merge").await;
    assert_eq!((reply.status, reply.times_set("sAccessToken")), (200, 1));
}

/// E13: an error of the handler's own carries what the handler did before, as a value and by way of a
/// catcher.
#[rocket::async_test]
async fn an_error_of_the_handlers_own_carries_the_tokens() {
    #[post("/value")]
    async fn value(session: Session) -> Result<(), (Status, &'static str)> {
        session.regenerate().await.unwrap();
        Err((Status::PaymentRequired, "pay first"))
    }
    #[post("/catcher")]
    async fn catcher(session: Session) -> Result<(), Status> {
        session.regenerate().await.unwrap();
        Err(Status::PaymentRequired)
    }
    let app = TestApp::new(routes![value, catcher]).await;
    for path in ["/value", "/catcher"] {
        app.log_in("ann").await;
        let reply = app.post(path).await;
        assert_eq!((reply.status, reply.times_set("sAccessToken")), (402, 1));
        assert_eq!(reply.lines("cache-control"), ["no-store"]);
        assert!(reply.body.contains("pay first") || path == "/catcher");
    }
}

/// Rocket has no compression of its own; a fairing that writes another body, as those of third
/// parties do, leaves cookies and headers alone on either side of ours.
#[rocket::async_test]
async fn a_fairing_that_rewrites_bodies_may_stand_on_either_side() {
    let rewriting = || {
        AdHoc::on_response("body", |_, response| {
            Box::pin(async move {
                let body = response.body_mut().take().to_bytes().await.unwrap();
                let body = body.into_iter().rev().collect::<Vec<_>>();
                response.set_header(Header::new("Content-Encoding", "reversed"));
                response.set_sized_body(body.len(), Cursor::new(body));
            })
        })
    };
    let before = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![merge]);
        rocket.attach(rewriting()).attach(fairing)
    });
    let after = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![merge]);
        rocket.attach(fairing).attach(rewriting())
    });
    for app in [before.await, after.await] {
        app.log_in("ann").await;
        for (path, cookie, body) in [
            ("/merge", "sAccessToken", "degrem"),
            ("/auth/session/refresh", "sRefreshToken", "}{"),
        ] {
            let reply = app.post(path).await;
            assert_eq!((reply.status, reply.body.as_str()), (200, body));
            assert_eq!(reply.lines("content-encoding"), ["reversed"]);
            assert_eq!(reply.lines("cache-control"), ["no-store"]);
            assert_eq!(reply.times_set(cookie), 1);
            assert_eq!(reply.lines("front-token").len(), 1);
        }
    }
}

/// E19: a fairing in front that says how long to store a response does not get its way with tokens.
#[rocket::async_test]
async fn a_caching_fairing_does_not_get_tokens_stored() {
    #[post("/unchanged")]
    fn unchanged(_session: Session) {}
    let cache = AdHoc::on_response("cache", |_, response| {
        Box::pin(async move {
            response.set_header(Header::new("Cache-Control", "public, max-age=600"));
            response.set_header(Header::new("ETag", "\"1\""));
        })
    });
    let app = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![merge, unchanged]);
        rocket.attach(cache).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    let changed = app.post("/merge").await;
    assert_eq!(changed.lines("cache-control"), ["no-store"]);
    let unchanged = app.post("/unchanged").await;
    assert_eq!(unchanged.lines("cache-control"), ["public, max-age=600"]);
}

/// A fairing in front of ours already has the request's session, and what it does to it counts.
#[rocket::async_test]
async fn a_fairing_in_front_knows_the_session() {
    #[post("/rank")]
    fn rank(session: Session) -> String {
        session.payload().as_map()["rank"].to_string()
    }
    let promote = AdHoc::on_request("promote", |request, _| {
        Box::pin(async move {
            let optional = VerifyOptions::new().session_required(false);
            if let Ok(Some(session)) = get_session(request, &optional).await {
                let update = Map::from_iter([("rank".to_owned(), json!(1))]);
                session.merge_payload(update).await.unwrap();
            }
        })
    });
    let app = TestApp::with(|rocket, fairing| {
        let rocket = rocket.mount("/", routes![rank]);
        rocket.attach(promote).attach(fairing)
    })
    .await;
    app.log_in("ann").await;
    let reply = app.post("/rank").await;
    assert_eq!(
        (reply.body.as_str(), reply.times_set("sAccessToken")),
        ("1", 1)
    );
}

/// A request of `rocket::local` that is copied and sent twice is two requests.
#[rocket::async_test]
async fn a_copied_request_is_a_request_of_its_own() {
    let app = TestApp::new(routes![merge]).await;
    app.log_in("ann").await;
    let request = app.request(Method::Post, "/merge");
    for request in [request.clone(), request] {
        let reply = Reply::to(request).await;
        assert_eq!((reply.status, reply.times_set("sAccessToken")), (200, 1));
    }
}

/// E13: the application's own cookies stay, and one of ours that it wrote itself is replaced.
#[rocket::async_test]
async fn cookies_of_the_application_stay() {
    #[post("/cookies")]
    async fn cookies(jar: &rocket::http::CookieJar<'_>, session: Session) {
        jar.add(("theme", "dark"));
        jar.add(("sAccessToken", "own"));
        session.regenerate().await.unwrap();
    }
    let app = TestApp::new(routes![cookies]).await;
    app.log_in("ann").await;
    let reply = app.post("/cookies").await;
    assert_eq!(reply.times_set("theme"), 1);
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert!(app.cookie("sAccessToken").unwrap().len() > 100);
}
