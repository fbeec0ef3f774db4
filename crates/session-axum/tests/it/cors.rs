//! tower-http's CORS layer on either side of ours.

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Method, Request, header},
    routing::post,
};
use session_axum::{
    CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS, Session, VerifyOptions, verify_session,
};
use tower_http::cors::CorsLayer;

use crate::client::{Browser, Reply, TestApp, log_in};

const ORIGIN: &str = "https://example.com";

fn cors() -> CorsLayer {
    let mut allowed = vec![header::CONTENT_TYPE];
    allowed.extend(CORS_REQUEST_HEADERS);
    CorsLayer::new()
        .allow_origin([ORIGIN.parse().unwrap()])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed)
}

fn exposing(names: impl IntoIterator<Item = HeaderName>) -> CorsLayer {
    let total = HeaderName::from_static("x-total");
    cors().expose_headers(std::iter::once(total).chain(names).collect::<Vec<_>>())
}

fn route() -> Router {
    Router::new()
        .route("/login", post(log_in))
        .route("/guarded", post(async |_: Session| ()))
        .route_layer(verify_session(VerifyOptions::new().session_required(false)))
}

async fn from_origin(app: Router, path: &str) -> Reply {
    let request = Request::post(path)
        .header("origin", ORIGIN)
        .header("st-auth-mode", "cookie");
    Browser::default()
        .send(app, request.body(Body::from("ann")).unwrap())
        .await
}

fn exposed(reply: &Reply) -> Vec<String> {
    let lines = reply.headers.get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    let names = lines
        .iter()
        .flat_map(|line| line.to_str().unwrap().split(','));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Wire §4.4: with the CORS layer inside, its list is merged with ours.
#[tokio::test]
async fn a_cors_layer_inside_is_merged_with() {
    let test = TestApp::new().await;
    let app = route().layer(exposing([])).layer(test.layer());
    let reply = from_origin(app, "/login").await;
    assert_eq!(exposed(&reply), ["x-total", "front-token"]);
}

/// Wire §4.4: with the CORS layer outside and no list of its own, ours stands.
#[tokio::test]
async fn a_cors_layer_outside_leaves_our_list() {
    let test = TestApp::new().await;
    let app = route().layer(test.layer()).layer(cors());
    let reply = from_origin(app, "/login").await;
    assert_eq!(exposed(&reply), ["front-token"]);
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));
}

/// Wire §4.4: a CORS layer outside that writes a list replaces ours, so its list has to have our
/// names; no name is there twice.
#[tokio::test]
async fn a_cors_layer_outside_can_list_our_names() {
    let test = TestApp::new().await;
    let app = route()
        .layer(test.layer())
        .layer(exposing(CORS_RESPONSE_HEADERS));
    let reply = from_origin(app, "/login").await;
    let mut names = exposed(&reply);
    assert!(names.iter().any(|name| name == "front-token"));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// E17: refusals and our own routes carry the CORS headers of a layer outside, never `*` with
/// credentials, and vary by origin.
#[tokio::test]
async fn our_own_answers_carry_the_cors_headers() {
    let test = TestApp::new().await;
    let app = route().layer(test.layer()).layer(cors());
    for path in ["/auth/session/refresh", "/auth/signout", "/guarded"] {
        let reply = from_origin(app.clone(), path).await;
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(
            reply.header("access-control-allow-origin"),
            Some(ORIGIN),
            "{path}"
        );
        assert_eq!(
            reply.header("access-control-allow-credentials"),
            Some("true"),
            "{path}"
        );
        let varies = reply.headers.get_all(header::VARY).iter();
        assert!(
            varies
                .map(|line| line.to_str().unwrap())
                .any(|line| line.contains("origin"))
        );
    }
}

/// E17, wire §4.5: a preflight allows what the SDK sends.
#[tokio::test]
async fn a_preflight_allows_the_headers_of_the_sdk() {
    let test = TestApp::new().await;
    let app = route().layer(test.layer()).layer(cors());
    let request = Request::options("/guarded")
        .header("origin", ORIGIN)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "rid,fdi-version,anti-csrf,st-auth-mode",
        );
    let reply = Browser::default()
        .send(app, request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(reply.status, 200);
    let allowed = reply.header("access-control-allow-headers").unwrap();
    for name in [
        "rid",
        "fdi-version",
        "anti-csrf",
        "authorization",
        "st-auth-mode",
    ] {
        assert!(
            allowed.split(',').any(|allowed| allowed.trim() == name),
            "{name}"
        );
    }
}
