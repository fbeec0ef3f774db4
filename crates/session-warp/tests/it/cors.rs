//! CORS and compression on either side of ours.

use serde_json::{Map, json};
use session_warp::{
    CORS_REQUEST_HEADERS, Configured, Session, SessionRejection, VerifyOptions, service, session,
    verify_session,
};
use tower::Layer as _;
use tower_http::{compression::CompressionLayer, cors::CorsLayer};
use warp::{
    Filter, Rejection,
    http::{Method, header},
    path,
};

use crate::client::{self, Answer, App, TestApp};

const ORIGIN: &str = "https://example.com";

/// Changes its session, so that tokens travel.
async fn change(session: Session) -> Result<String, SessionRejection> {
    let update = Map::from_iter([("a".to_owned(), json!(1))]);
    session.merge_payload(update).await?;
    Ok("changed ".repeat(100))
}

fn routes() -> impl Filter<Extract = (impl warp::Reply,), Error = Rejection> + Clone {
    let guard = verify_session(VerifyOptions::new());
    path!("change")
        .and(session::<Configured>())
        .then(change)
        .or(path!("guarded").and(guard).map(|| "reached"))
}

fn layer() -> CorsLayer {
    let allowed = CORS_REQUEST_HEADERS
        .into_iter()
        .chain([header::CONTENT_TYPE]);
    CorsLayer::new()
        .allow_origin([ORIGIN.parse().unwrap()])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed.collect::<Vec<_>>())
}

async fn from_origin(app: &App, method: Method, path: &str, token: Option<&str>) -> Answer {
    let mut request = client::request(method, path);
    if let Some(token) = token {
        request = client::with_session(request, token);
    }
    let headers = request.headers_mut();
    headers.insert(header::ORIGIN, ORIGIN.parse().unwrap());
    headers.insert(header::ACCEPT_ENCODING, "gzip".parse().unwrap());
    app.send(request).await
}

/// E17, wire §4.4: a layer outside gives its headers to handlers, refusals and our own routes, and
/// leaves our list of exposed headers.
#[tokio::test]
async fn a_cors_layer_outside_reaches_every_answer() {
    let test = TestApp::new().await;
    let app = App::new(layer().layer(test.layer().layer(service(routes()))));
    let ann = test.log_in("ann").await;
    let answer = from_origin(&app, Method::POST, "/change", Some(&ann)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("front-token")
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    for path in [
        "/guarded",
        "/change",
        "/auth/session/refresh",
        "/auth/signout",
    ] {
        let answer = from_origin(&app, Method::POST, path, None).await;
        answer.assert_refused(401, "unauthorised");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(ORIGIN),
            "{path}"
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
    }
}

/// E17, wire §4.5: a preflight allows what the SDK sends, for our own routes as well.
#[tokio::test]
async fn a_preflight_allows_the_headers_of_the_sdk() {
    let test = TestApp::new().await;
    let app = App::new(layer().layer(test.layer().layer(service(routes()))));
    for path in ["/guarded", "/auth/session/refresh"] {
        let mut request = client::request(Method::OPTIONS, path);
        let headers = request.headers_mut();
        headers.insert(header::ORIGIN, ORIGIN.parse().unwrap());
        headers.insert(
            header::ACCESS_CONTROL_REQUEST_METHOD,
            "POST".parse().unwrap(),
        );
        let answer = app.send(request).await;
        assert_eq!(answer.status, 200);
        let allowed = answer.header("access-control-allow-headers").unwrap();
        for name in CORS_REQUEST_HEADERS {
            assert!(
                allowed.split(',').any(|allowed| allowed == name.as_str()),
                "{name}"
            );
        }
    }
}

/// Wire §4.4: warp's own CORS wrapper is always inside, and a layer may be; their lists are merged
/// with ours.
#[tokio::test]
async fn a_list_from_inside_is_merged_with() {
    let test = TestApp::new().await;
    let names = ["x-total", "front-token"];
    let wrapper = warp::cors()
        .allow_origin(ORIGIN)
        .allow_credentials(true)
        .expose_headers(names);
    let inside = test.app(routes().with(wrapper));
    let layer = layer().expose_headers(names.map(|name| name.parse().unwrap()));
    let below = App::new(test.layer().layer(layer.layer(service(routes()))));
    for app in [inside, below] {
        let ann = test.log_in("ann").await;
        let answer = from_origin(&app, Method::POST, "/change", Some(&ann)).await;
        assert_eq!(answer.status, 200);
        let lines = answer
            .headers
            .get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        let lines = lines.iter().map(|line| line.to_str().unwrap());
        let mut exposed: Vec<_> = lines
            .flat_map(|line| line.split(',').map(str::trim))
            .collect();
        exposed.sort_unstable();
        assert_eq!(exposed, ["front-token", "x-total"]);
    }
}

/// E19: tokens travel in the head, so compression on either side does not touch them.
#[tokio::test]
async fn compression_on_either_side_leaves_the_tokens() {
    let test = TestApp::new().await;
    let inside = test.app(routes().with(warp::compression::gzip()));
    let outside = test.layer().layer(service(routes()));
    let outside = App::new(CompressionLayer::new().layer(outside));
    for app in [inside, outside] {
        let ann = test.log_in("ann").await;
        let answer = from_origin(&app, Method::POST, "/change", Some(&ann)).await;
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        assert!(answer.body.len() < 100, "{}", answer.body.len());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let [(name, token)] = answer.cookies()[..] else {
            panic!("{answer:?}");
        };
        assert_eq!(name, "sAccessToken");
        assert_ne!(token, ann);
    }
}
