//! poem's CORS middleware on either side of ours.

use poem::{
    Endpoint, EndpointExt as _, Route, handler,
    http::{Method, header},
    middleware::Cors,
    post,
};
use session_poem::{
    CORS_REQUEST_HEADERS, CORS_RESPONSE_HEADERS, Session, SessionError, SessionRejection,
    session_core::ClientTokens,
};

use crate::client::{Browser, Reply, TestApp, log_in, login_request, request};

const ORIGIN: &str = "https://example.com";

#[handler]
fn guarded(_: Session) {}

#[handler]
fn fail(_: Session) -> Result<(), SessionRejection> {
    Err(SessionError::Unauthorised(ClientTokens::Clear).into())
}

fn route() -> Route {
    Route::new()
        .at("/login", post(log_in))
        .at("/guarded", post(guarded))
        .at("/fail", post(fail))
}

fn cors() -> Cors {
    Cors::new()
        .allow_origin(ORIGIN)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(CORS_REQUEST_HEADERS)
        .allow_header(header::CONTENT_TYPE)
}

async fn from_origin(app: &impl Endpoint, browser: &mut Browser, path: &str) -> Reply {
    let mut request = match path {
        "/login" => login_request("ann"),
        path => request(Method::POST, path),
    };
    let origin = ORIGIN.parse().unwrap();
    request.headers_mut().insert(header::ORIGIN, origin);
    browser.send(app, request).await
}

fn exposed(reply: &Reply) -> Vec<String> {
    let lines = reply.headers.get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS);
    let names = lines
        .iter()
        .flat_map(|line| line.to_str().unwrap().split(','));
    names.map(|name| name.trim().to_owned()).collect()
}

/// Wire §4.4: with the CORS middleware inside, its list is merged with ours.
#[tokio::test]
async fn a_cors_middleware_inside_is_merged_with() {
    let test = TestApp::new().await;
    let app = route()
        .with(cors().expose_header("x-total"))
        .with(test.layer());
    let reply = from_origin(&app, &mut Browser::default(), "/login").await;
    assert_eq!(exposed(&reply), ["x-total", "front-token"]);
}

/// Wire §4.4: outside and without a list of its own, ours stands; with one, it has to have our
/// names, and none is there twice.
#[tokio::test]
async fn a_cors_middleware_outside_leaves_our_list_or_has_its_own() {
    let test = TestApp::new().await;
    let app = route().with(test.layer()).with(cors());
    let reply = from_origin(&app, &mut Browser::default(), "/login").await;
    assert_eq!(exposed(&reply), ["front-token"]);
    assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));

    let listing = cors().expose_headers(CORS_RESPONSE_HEADERS);
    let app = route().with(test.layer()).with(listing);
    let reply = from_origin(&app, &mut Browser::default(), "/login").await;
    let mut names = exposed(&reply);
    assert!(names.iter().any(|name| name == "front-token"));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// E17: refusals and our own routes carry the CORS headers of a middleware outside.
#[tokio::test]
async fn our_own_answers_carry_the_cors_headers() {
    let test = TestApp::new().await;
    let app = route().with(test.layer()).with(cors());
    for path in ["/auth/session/refresh", "/auth/signout", "/guarded"] {
        let reply = from_origin(&app, &mut Browser::default(), path).await;
        assert_eq!(reply.status, 401, "{path}");
        let allowed = reply.header("access-control-allow-origin");
        assert_eq!(allowed, Some(ORIGIN), "{path}");
        let credentials = reply.header("access-control-allow-credentials");
        assert_eq!(credentials, Some("true"), "{path}");
    }
}

/// E13: the CORS middleware makes responses of errors before ours sees them; an error of a handler
/// clears the tokens all the same, in either order.
#[tokio::test]
async fn an_error_clears_the_tokens_on_either_side_of_cors() {
    let test = TestApp::new().await;
    let inside = route().with(cors()).with(test.layer());
    let outside = route().with(test.layer()).with(cors());
    for app in [inside.boxed(), outside.boxed()] {
        let mut ann = test.log_in("ann").await;
        let reply = from_origin(&app, &mut ann, "/fail").await;
        reply.assert_refused(401, "unauthorised");
        assert_eq!(reply.header("access-control-allow-origin"), Some(ORIGIN));
        assert!(reply.clears("sAccessToken") && reply.clears("sRefreshToken"));
        assert_eq!(ann.cookie("sAccessToken"), None);
    }
}

/// E17, wire §4.5: a preflight allows what the SDK sends.
#[tokio::test]
async fn a_preflight_allows_the_headers_of_the_sdk() {
    let test = TestApp::new().await;
    let app = route().with(test.layer()).with(cors());
    let mut preflight = request(Method::OPTIONS, "/guarded");
    for (name, value) in [
        ("origin", ORIGIN),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "rid,fdi-version,anti-csrf,st-auth-mode",
        ),
    ] {
        preflight.headers_mut().insert(name, value.parse().unwrap());
    }
    let reply = Browser::default().send(&app, preflight).await;
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
            allowed.split(',').any(|other| other.trim() == name),
            "{name}"
        );
    }
}
