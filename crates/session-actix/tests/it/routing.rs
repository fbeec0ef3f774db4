//! Scopes, the built-in routes among the application's own, and workers.

use std::{
    cell::Cell,
    collections::BTreeSet,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use actix_web::{App, HttpResponse, HttpServer, rt::System, test, test::TestRequest, web};
use session_actix::{
    CheckBlacklist, Session, SessionRejection, VerifyOptions, configure, verify_session,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::client::{Browser, TestApp};

async fn whoami(session: Session) -> String {
    session.user_id().to_string()
}

async fn end(session: Session) -> Result<String, SessionRejection> {
    Ok(session.revoke().await?.to_string())
}

/// Wire case 74: the routes are there beside the application's own, and what is not ours reaches
/// the application.
#[actix_web::test]
async fn the_session_routes_are_answered_by_the_middleware() {
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            config.default_service(web::to(|| async { "the application" }));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    let before = ann.clone();
    let reply = ann.post(&app, "/auth/session/refresh").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    assert_ne!(ann.cookie("sRefreshToken"), before.cookie("sRefreshToken"));

    for (request, path) in [
        (TestRequest::get(), "/auth/session/refresh"),
        (TestRequest::post(), "/Auth/session/refresh"),
        (TestRequest::post(), "/auth/jwt/jwks.json"),
    ] {
        let reply = ann.send(&app, request.uri(path)).await;
        assert_eq!(reply.body, "the application", "{path}");
    }
    let reply = ann.get(&app, "/auth/jwt/jwks.json?x=y").await;
    assert!(reply.body.starts_with("{\"keys\":["));

    let reply = ann.post(&app, "/auth/signout").await;
    assert_eq!(reply.body, "{\"status\":\"OK\"}");
    assert_eq!(ann.cookie("sAccessToken"), None);
}

/// A middleware around a scope sees the scope alone; `configure` adds the session routes, and takes
/// no other request away from the application.
#[actix_web::test]
async fn the_session_routes_can_be_configured() {
    let test = TestApp::new().await;
    let api = web::scope("/api").wrap(test.middleware());
    let app = App::new()
        .configure(configure(test.sessions().clone()))
        .service(api.route("/whoami", web::get().to(whoami)))
        .route(
            "/auth/login",
            web::post().to(|| async { "the application" }),
        )
        .route("/", web::get().to(|| async { "home" }));
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    let before = ann.clone();
    let reply = ann.post(&app, "/auth/session/refresh").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    assert_ne!(ann.cookie("sRefreshToken"), before.cookie("sRefreshToken"));
    assert_eq!(ann.get(&app, "/api/whoami").await.body, "ann");
    assert_eq!(ann.post(&app, "/auth/login").await.body, "the application");
    assert_eq!(ann.get(&app, "/").await.body, "home");
    for path in ["/auth/session/refresh", "/auth/signout", "/nowhere"] {
        assert_eq!(ann.get(&app, path).await.status, 404, "{path}");
    }
    let reply = ann.post(&app, "/auth/signout").await;
    assert_eq!(reply.body, "{\"status\":\"OK\"}");
    assert_eq!(ann.cookie("sAccessToken"), None);
}

/// The path that counts is the client's, not what a scope leaves of it.
#[actix_web::test]
async fn the_middleware_works_around_a_scope() {
    let test = TestApp::new().await;
    let auth = web::scope("/auth").wrap(test.middleware());
    let api = web::scope("/api").wrap(test.middleware());
    let app = App::new()
        .service(auth.default_service(web::to(|| async { "nested" })))
        .service(api.route("/whoami", web::get().to(whoami)));
    let app = test::init_service(app).await;
    let mut ann = test.log_in("ann").await;
    assert_eq!(ann.get(&app, "/api/whoami").await.body, "ann");
    let reply = ann.post(&app, "/auth/session/refresh").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    // Below the prefix the same path is another one.
    let reply = ann.post(&app, "/api/auth/session/refresh").await;
    assert_eq!(reply.status, 404);
}

/// The middleware around everything serves scopes in scopes, resources and the default service.
#[actix_web::test]
async fn the_middleware_reaches_every_kind_of_route() {
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            let inner = web::scope("/b").wrap(verify_session(VerifyOptions::new()));
            let inner = inner.route("/whoami", web::get().to(whoami));
            config
                .service(web::scope("/a").service(inner))
                .service(web::resource("/resource").get(whoami))
                .default_service(web::to(whoami));
        })
        .await;
    let mut ann = test.log_in("ann").await;
    for path in ["/a/b/whoami", "/resource", "/nowhere"] {
        assert_eq!(ann.get(&app, path).await.body, "ann", "{path}");
        let reply = Browser::default().get(&app, path).await;
        reply.assert_refused(401, "unauthorised");
    }
}

/// A resource or a route is guarded by itself, a scope with everything below it, known or not.
#[actix_web::test]
async fn a_scope_a_resource_or_a_route_can_be_guarded() {
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            let open = || async { "open" };
            let guarded = web::get()
                .to(open)
                .wrap(verify_session(VerifyOptions::new()));
            config
                .service(
                    web::scope("/scope")
                        .wrap(verify_session(VerifyOptions::new()))
                        .route("/", web::get().to(open)),
                )
                .service(
                    web::resource("/resource")
                        .wrap(verify_session(VerifyOptions::new()))
                        .get(open),
                )
                .service(web::resource("/route").route(guarded).post(open));
        })
        .await;
    let mut stranger = Browser::default();
    for path in ["/scope/", "/scope/unknown", "/resource", "/route"] {
        let reply = stranger.get(&app, path).await;
        reply.assert_refused(401, "unauthorised");
    }
    assert_eq!(stranger.get(&app, "/unknown").await.status, 404);
    assert_eq!(stranger.post(&app, "/route").await.body, "open");
    let mut ann = test.log_in("ann").await;
    for path in ["/scope/", "/resource", "/route"] {
        assert_eq!(ann.get(&app, path).await.body, "open", "{path}");
    }
}

/// A handler behind a guard does not run when the guard refuses.
#[actix_web::test]
async fn a_refused_request_never_reaches_the_handler() {
    let test = TestApp::new().await;
    let runs = Rc::new(Cell::new(0));
    let counted = Rc::clone(&runs);
    let handler = move || {
        counted.set(counted.get() + 1);
        async { HttpResponse::Ok().finish() }
    };
    let guard = verify_session(VerifyOptions::new());
    let app = test
        .app(|config| {
            config.service(web::resource("/").wrap(guard).post(handler));
        })
        .await;
    let reply = Browser::default().post(&app, "/").await;
    reply.assert_refused(401, "unauthorised");
    assert_eq!(runs.get(), 0);
    assert_eq!(test.log_in("ann").await.post(&app, "/").await.status, 200);
    assert_eq!(runs.get(), 1);
}

/// E13: applied twice, the outer middleware's exchange is the only one.
#[actix_web::test]
async fn a_middleware_applied_twice_counts_once() {
    let test = TestApp::new().await;
    let app = test
        .app(|config| {
            let api = web::scope("/api").wrap(test.middleware());
            config.service(api.route("/end", web::post().to(end)));
        })
        .await;
    let reply = test.log_in("ann").await.post(&app, "/api/end").await;
    assert_eq!(reply.body, "true");
    let times = (
        reply.times_set("sAccessToken"),
        reply.times_set("sRefreshToken"),
    );
    assert_eq!(times, (1, 1));
    assert!(reply.clears("sAccessToken"));
    let exposed = reply.header("access-control-expose-headers");
    assert_eq!(exposed, Some("front-token"));
}

/// A middleware for other sessions counts below itself: their users are not mixed up.
#[actix_web::test]
async fn a_middleware_for_other_sessions_counts_below_itself() {
    let (staff, customers) = (TestApp::new().await, TestApp::new().await);
    let app = customers
        .app(|config| {
            let inner = web::scope("/staff").wrap(staff.middleware());
            config
                .service(inner.route("/whoami", web::get().to(whoami)))
                .route("/whoami", web::get().to(whoami));
        })
        .await;
    let (mut admin, mut ann) = (staff.log_in("admin").await, customers.log_in("ann").await);
    assert_eq!(admin.get(&app, "/staff/whoami").await.body, "admin");
    assert_eq!(ann.get(&app, "/whoami").await.body, "ann");
    let reply = ann.get(&app, "/staff/whoami").await;
    reply.assert_refused(401, "try refresh token");
    let reply = admin.get(&app, "/whoami").await;
    reply.assert_refused(401, "try refresh token");
}

/// Several workers share the sessions: what one has revoked, the others' memory knows at once.
#[actix_web::test]
async fn workers_share_their_sessions() {
    async fn checked(session: Session<CheckBlacklist>, worker: web::Data<usize>) -> String {
        format!("{} {}", worker.get_ref(), session.user_id())
    }
    let test = TestApp::new().await;
    let sessions = test.sessions().clone();
    let count = AtomicUsize::new(0);
    let count: &'static AtomicUsize = Box::leak(Box::new(count));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(count.fetch_add(1, Ordering::SeqCst)))
            .route("/", web::get().to(checked))
            .wrap(session_actix::SessionMiddleware::new(sessions.clone()))
    });
    let server = server.workers(3).disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    let server = thread::spawn(|| System::new().block_on(server));

    let ann = test.log_in("ann").await;
    let cookie = ann.cookie("sAccessToken").unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: sAccessToken={cookie}\r\n\r\n"
    );
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    // Connections go to the workers in turn.
    let mut workers = BTreeSet::new();
    for _ in 0..6 {
        let answer = ask().await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(" ann"),
            "{answer}"
        );
        workers.insert(answer.lines().last().unwrap().to_owned());
    }
    assert_eq!(workers.len(), 3, "{workers:?}");
    let user = session_actix::UserId::try_from("ann").unwrap();
    let revoked = test.sessions().revoke_all_of_user(&user, None).await;
    assert_eq!(revoked.unwrap().len(), 1);
    for _ in 0..6 {
        let answer = ask().await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    handle.stop(false).await;
    server.join().unwrap().unwrap();
}
