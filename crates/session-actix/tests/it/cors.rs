//! `actix-cors` on either side of ours.

use actix_cors::Cors;
use actix_web::{
    App, HttpResponse,
    http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_TYPE, VARY},
    test::{self, TestRequest},
    web::{self, ServiceConfig},
};
use session_actix::{
    CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS, Session, VerifyOptions, verify_session,
};

use crate::client::{Browser, Reply, TestApp, log_in};

const ORIGIN: &str = "https://example.com";

fn cors() -> Cors {
    Cors::default()
        .allowed_origin(ORIGIN)
        .supports_credentials()
        .allowed_methods(["GET", "POST"])
        .allowed_headers(CORS_REQUEST_HEADERS.iter().map(http::HeaderName::as_str))
        .allowed_header(CONTENT_TYPE)
}

fn routes(config: &mut ServiceConfig) {
    async fn guarded(_: Session) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    let optional = || verify_session(VerifyOptions::new().session_required(false));
    config
        .service(web::resource("/login").wrap(optional()).post(log_in))
        .service(web::resource("/guarded").wrap(optional()).post(guarded));
}

fn from_origin(path: &str) -> TestRequest {
    let request = TestRequest::post().uri(path);
    let request = request.insert_header(("origin", ORIGIN));
    let request = request.insert_header(("st-auth-mode", "cookie"));
    request.set_payload("ann")
}

fn exposed(reply: &Reply) -> Vec<String> {
    let lines = reply.headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS);
    let names = lines.flat_map(|line| line.to_str().unwrap().split(','));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Wire §4.4: with the CORS middleware inside, its list is merged with ours.
#[actix_web::test]
async fn a_cors_middleware_inside_is_merged_with() {
    let test = TestApp::new().await;
    let inside = cors().expose_headers(["x-total"]);
    let app = App::new()
        .configure(routes)
        .wrap(inside)
        .wrap(test.middleware());
    let app = test::init_service(app).await;
    let reply = Browser::default().send(&app, from_origin("/login")).await;
    assert_eq!(exposed(&reply), ["x-total", "front-token"]);
}

/// Wire §4.4: with the CORS middleware outside and no list of its own, ours stands.
#[actix_web::test]
async fn a_cors_middleware_outside_leaves_our_list() {
    let test = TestApp::new().await;
    let app = App::new()
        .configure(routes)
        .wrap(test.middleware())
        .wrap(cors());
    let app = test::init_service(app).await;
    let reply = Browser::default().send(&app, from_origin("/login")).await;
    assert_eq!(exposed(&reply), ["front-token"]);
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));
}

/// Wire §4.4: a CORS middleware outside that writes a list replaces ours, so its list has to have
/// our names; no name is there twice.
#[actix_web::test]
async fn a_cors_middleware_outside_can_list_our_names() {
    let test = TestApp::new().await;
    let names = CORS_RESPONSE_HEADERS.map(|name| name.to_string());
    let outside = cors().expose_headers(names.iter().map(String::as_str).chain(["x-total"]));
    let app = App::new()
        .configure(routes)
        .wrap(test.middleware())
        .wrap(outside);
    let app = test::init_service(app).await;
    let reply = Browser::default().send(&app, from_origin("/login")).await;
    let mut names = exposed(&reply);
    assert!(names.iter().any(|name| name == "front-token"));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// E17: refusals and our own routes carry the CORS headers of a middleware outside, never `*` with
/// credentials, and vary by origin.
#[actix_web::test]
async fn our_own_answers_carry_the_cors_headers() {
    let test = TestApp::new().await;
    let app = App::new()
        .configure(routes)
        .wrap(test.middleware())
        .wrap(cors());
    let app = test::init_service(app).await;
    for path in ["/auth/session/refresh", "/auth/signout", "/guarded"] {
        let reply = Browser::default().send(&app, from_origin(path)).await;
        assert_eq!(reply.status, 401, "{path}");
        let allowed = reply.header("access-control-allow-origin");
        assert_eq!(allowed, Some(ORIGIN), "{path}");
        let credentials = reply.header("access-control-allow-credentials");
        assert_eq!(credentials, Some("true"), "{path}");
        let mut varies = reply.headers.get_all(VARY);
        let by_origin = |line: &str| line.to_lowercase().contains("origin");
        assert!(
            varies.any(|line| by_origin(line.to_str().unwrap())),
            "{path}"
        );
    }
}

/// E17, wire §4.5: a preflight allows what the SDK sends.
#[actix_web::test]
async fn a_preflight_allows_the_headers_of_the_sdk() {
    let test = TestApp::new().await;
    let app = App::new()
        .configure(routes)
        .wrap(test.middleware())
        .wrap(cors());
    let app = test::init_service(app).await;
    let names = [
        "rid",
        "fdi-version",
        "anti-csrf",
        "authorization",
        "st-auth-mode",
    ];
    let request = TestRequest::default()
        .method("OPTIONS".parse().unwrap())
        .uri("/guarded")
        .insert_header(("origin", ORIGIN))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", names.join(",")));
    let reply = Browser::default().send(&app, request).await;
    assert_eq!(reply.status, 200);
    let allowed = reply.header("access-control-allow-headers").unwrap();
    for name in names {
        let mut allowed = allowed.split(',').map(str::trim);
        assert!(allowed.any(|allowed| allowed == name), "{name}");
    }
}
