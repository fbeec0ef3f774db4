//! Other middleware around and below ours.

use std::thread;

use actix_web::{
    App, Error, HttpResponse, HttpServer,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorBadGateway,
    http::header::{ACCEPT_ENCODING, CACHE_CONTROL, ETAG, HeaderValue},
    middleware::{Compress, ErrorHandlerResponse, ErrorHandlers, Next, from_fn},
    rt::System,
    test::{self, TestRequest},
    web,
};
use serde_json::{Map, json};
use session_actix::{
    Session, SessionMiddleware, SessionRejection, VerifyOptions, get_session, verify_session,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{application::catch_panic, client::TestApp};

async fn long_answer(session: Session) -> Result<String, SessionRejection> {
    let update = Map::from_iter([("seen".to_owned(), json!(true))]);
    session.merge_payload(update).await?;
    Ok("long ".repeat(1_000))
}

async fn nothing(_: Session) -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Compression on either side changes the body and leaves cookies and headers alone.
#[actix_web::test]
async fn compression_may_stand_on_either_side() {
    let test = TestApp::new().await;
    let app = || App::new().route("/", web::post().to(long_answer));
    let inside = app().wrap(Compress::default()).wrap(test.middleware());
    let outside = app().wrap(test.middleware()).wrap(Compress::default());
    let (inside, outside) = (
        test::init_service(inside).await,
        test::init_service(outside).await,
    );
    let post = |path| {
        let request = TestRequest::post().uri(path);
        request.insert_header((ACCEPT_ENCODING, "gzip"))
    };
    let (mut ann, mut bob) = (test.log_in("ann").await, test.log_in("bob").await);
    for reply in [
        ann.send(&inside, post("/")).await,
        bob.send(&outside, post("/")).await,
    ] {
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.times_set("sAccessToken"), 1);
        assert!(reply.header("front-token").is_some());
    }
    for reply in [
        ann.send(&inside, post("/auth/session/refresh")).await,
        bob.send(&outside, post("/auth/session/refresh")).await,
    ] {
        assert_eq!((reply.status, reply.times_set("sRefreshToken")), (200, 1));
    }
}

/// E19: a middleware below that says how long to store a response does not get its way with tokens.
#[actix_web::test]
async fn a_caching_middleware_below_does_not_get_tokens_stored() {
    async fn cache(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let mut response = next.call(request).await?;
        let headers = response.headers_mut();
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=600"),
        );
        headers.insert(ETAG, HeaderValue::from_static("\"1\""));
        Ok(response)
    }
    let test = TestApp::new().await;
    let app = App::new()
        .route("/changed", web::post().to(long_answer))
        .route("/unchanged", web::post().to(nothing))
        .wrap(from_fn(cache))
        .wrap(test.middleware());
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(&app, "/changed").await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.headers.get_all(CACHE_CONTROL).count(), 1);
    let reply = ann.post(&app, "/unchanged").await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=600"));
}

/// A guard inside a guard asks for the rest, and a middleware in between sees the refusal pass.
#[actix_web::test]
async fn guards_may_be_nested() {
    async fn mark(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let mut response = next.call(request).await?;
        let marked = HeaderValue::from_static("yes");
        let name = "x-passed".parse().unwrap();
        response.headers_mut().insert(name, marked);
        Ok(response)
    }
    let test = TestApp::new().await;
    let database = |asked| VerifyOptions::new().check_database(asked);
    let resource = web::resource("/")
        .wrap(verify_session(database(true)))
        .wrap(from_fn(mark))
        .wrap(verify_session(database(false)));
    let app = test
        .app(|config| {
            config.service(resource.post(nothing));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    assert_eq!(ann.post(&app, "/").await.status, 200);
    ann.post(&app, "/auth/signout").await;
    let reply = other_tab.post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(reply.header("x-passed"), Some("yes"));
    assert!(reply.clears("sAccessToken"));
}

/// E13: a middleware that fails with an error, ours or another, leaves cookies and headers in the
/// answer that actix-web makes of it at the very end.
#[actix_web::test]
async fn an_error_of_a_middleware_carries_what_the_session_changed() {
    async fn ask_the_database(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let options = VerifyOptions::new().check_database(true);
        get_session(request.request(), &options).await?;
        next.call(request).await
    }
    async fn fail_late(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        next.call(request).await?;
        Err::<ServiceResponse, _>(ErrorBadGateway("the other side is away"))
    }
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            let early = web::resource("/early").wrap(from_fn(ask_the_database));
            let late = web::resource("/late").wrap(from_fn(fail_late));
            config
                .service(early.post(nothing))
                .service(late.post(long_answer));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    let mut other_tab = ann.clone();
    let reply = ann.post(&app, "/late").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (502, "the other side is away")
    );
    assert_eq!(reply.times_set("sAccessToken"), 1);
    assert!(!reply.clears("sAccessToken"));

    ann.post(&app, "/auth/signout").await;
    let reply = other_tab.post(&app, "/early").await;
    reply.assert_refused(401, "unauthorised");
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
}

/// E13: whoever renders the error of an inner middleware to look at it changes nothing: it is rendered
/// again with the same cookies. Whoever asks for its status alone, to log or to count it, hears the
/// one that the client will.
#[actix_web::test]
async fn an_error_that_is_rendered_twice_says_the_same_twice() {
    async fn fail(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        let options = VerifyOptions::new().check_database(true);
        get_session(request.request(), &options).await?;
        next.call(request).await
    }
    async fn look(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        next.call(request).await.inspect_err(|error| {
            assert_eq!(error.error_response().status(), 401);
            assert_eq!(error.as_response_error().status_code(), 401);
        })
    }
    let test = TestApp::new().await;
    let app = App::new()
        .service(web::resource("/").wrap(from_fn(fail)).post(nothing))
        .wrap(test.middleware())
        .wrap(from_fn(look));
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    let user = session_actix::UserId::try_from("ann").unwrap();
    test.sessions()
        .revoke_all_of_user(&user, None)
        .await
        .unwrap();
    let reply = ann.post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert!(reply.clears("sAccessToken") && reply.times_set("sAccessToken") == 1);
}

/// actix-web's error pages may change the body of a refusal; the client's tokens are cleared all
/// the same.
#[actix_web::test]
async fn an_error_page_keeps_the_cookies_of_a_refusal() {
    let test = TestApp::new().await;
    let pages = ErrorHandlers::new().default_handler_client(|response: ServiceResponse| {
        let (request, response) = response.into_parts();
        let response = response.set_body(BoxBody::new("a page of the application"));
        let response = ServiceResponse::new(request, response).map_into_right_body();
        Ok(ErrorHandlerResponse::Response(response))
    });
    let resource =
        web::resource("/").wrap(verify_session(VerifyOptions::new().check_database(true)));
    let app = App::new()
        .service(resource.get(nothing))
        .wrap(pages)
        .wrap(test.middleware());
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    let user = session_actix::UserId::try_from("ann").unwrap();
    let revoked = test.sessions().revoke_all_of_user(&user, None).await;
    assert_eq!(revoked.unwrap().len(), 1);
    let reply = ann.get(&app, "/").await;
    assert_eq!(
        (reply.status, reply.body.as_str()),
        (401, "a page of the application")
    );
    assert!(reply.clears("sAccessToken"));
}

#[expect(clippy::panic, reason = "what the test is about")]
async fn revoke_and_panic(session: Session) -> HttpResponse {
    session.revoke().await.unwrap();
    panic!("on purpose");
}

/// A handler that panics after it revoked: caught inside our middleware, the tokens are still
/// cleared.
#[actix_web::test]
async fn a_panic_caught_inside_still_clears_the_tokens() {
    let test = TestApp::new().await;
    let app = App::new()
        .route("/", web::post().to(revoke_and_panic))
        .wrap(from_fn(catch_panic))
        .wrap(test.middleware());
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    let reply = ann.post(&app, "/").await;
    assert_eq!((reply.status, reply.times_set("sAccessToken")), (500, 1));
    assert_eq!(ann.cookie("sAccessToken"), None);
}

/// J8: actix-web catches no panic: one ends its connection, and nothing else of the worker.
#[actix_web::test]
async fn a_panic_that_nobody_catches_ends_one_connection() {
    let test = TestApp::new().await;
    let sessions = test.sessions().clone();
    let server = HttpServer::new(move || {
        App::new()
            .route("/panic", web::get().to(revoke_and_panic))
            .route("/fine", web::get().to(async || "fine"))
            .wrap(SessionMiddleware::new(sessions.clone()))
    });
    let server = server.workers(1).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let server = thread::spawn(|| System::new().block_on(server));
    let ask = async |path: &str, token: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Cookie: sAccessToken={token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    let ann = test.log_in("ann").await;
    let token = ann.cookie("sAccessToken").unwrap();
    for _ in 0..2 {
        let panicked = ask("/panic", token).await;
        assert_eq!(panicked.unwrap_or_default(), "");
        assert!(ask("/fine", token).await.unwrap().ends_with("fine"));
    }
    handle.stop(false).await;
    server.join().unwrap().unwrap();
}
