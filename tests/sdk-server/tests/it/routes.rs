//! Routes that want no session, and paths that are none.

use http::{HeaderValue, Method};
use serde_json::json;

use crate::{
    framework::{Framework, on_every_framework},
    server::{Server, request},
};

on_every_framework! {
    the_rid_is_looked_at_with_and_without_a_session,
    testing_answers_every_method_and_sends_its_header_back,
    an_error_has_the_status_that_is_asked_for,
    what_has_no_body_of_json_is_refused_in_text,
    two_interceptors_have_to_have_seen_a_request,
    what_configures_nothing_here_is_accepted,
    anything_else_is_not_found,
}

/// Contract §1 GET /check-rid and /check-rid-no-session.
async fn the_rid_is_looked_at_with_and_without_a_session(framework: Framework) {
    let server = Server::shared(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    for (rid, text) in [
        (Some("anti-csrf"), "success"),
        (Some("anti-csrf, session"), "success"),
        (Some("session"), "fail"),
        (None, "fail"),
    ] {
        for path in ["/check-rid", "/check-rid-no-session"] {
            let mut request = browser.request(Method::GET, path);
            request.headers_mut().remove("rid");
            if let Some(rid) = rid {
                let rid = HeaderValue::from_static(rid);
                request.headers_mut().insert("rid", rid);
            }
            browser.send(request).await.assert_text(200, text);
        }
    }
    let stranger = server.get("/check-rid-no-session").await;
    stranger.assert_text(200, "fail");
}

/// Contract §1 ANY /testing.
async fn testing_answers_every_method_and_sends_its_header_back(framework: Framework) {
    let server = Server::shared(framework);
    for method in [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
    ] {
        let mut with = request(method.clone(), "/testing");
        let sent = HeaderValue::from_static("some text");
        with.headers_mut().insert("testing", sent);
        let answer = server.send(with).await;
        answer.assert_text(200, "success");
        assert_eq!(answer.header("testing"), Some("some text"), "{method}");
        let answer = server.send(request(method.clone(), "/testing")).await;
        answer.assert_text(200, "success");
        assert!(!answer.has("testing"), "{method}");
    }

    let mut head = request(Method::HEAD, "/testing");
    let sent = HeaderValue::from_static("some text");
    head.headers_mut().insert("testing", sent);
    let answer = server.send(head).await;
    answer.assert_text(200, "");
    assert_eq!(answer.header("testing"), Some("some text"), "{answer:?}");
    // A preflight, whatever else it lacks.
    let options = server.send(request(Method::OPTIONS, "/testing")).await;
    options.assert_text(204, "");
}

/// Contract §1 GET /testError?code=N.
async fn an_error_has_the_status_that_is_asked_for(framework: Framework) {
    let server = Server::shared(framework);
    for (path, status) in [
        ("/testError", 500),
        ("/testError?code=401", 401),
        ("/testError?code=405", 405),
        ("/testError?a=b&code=503", 503),
        ("/testError?code=no", 500),
    ] {
        let answer = server.get(path).await;
        answer.assert_text(status, "test error message");
    }
}

/// Contract §1 POST /403-without-body.
async fn what_has_no_body_of_json_is_refused_in_text(framework: Framework) {
    let server = Server::shared(framework);
    let answer = server.post("/403-without-body", json!({})).await;
    answer.assert_text(403, "Forbidden");
}

/// Contract §1 POST /multipleInterceptors.
async fn two_interceptors_have_to_have_seen_a_request(framework: Framework) {
    let server = Server::shared(framework);
    let names = ["interceptorheader1", "interceptorheader2"];
    for (sent, text) in [
        (&names[..], "success"),
        (&names[..1], "failure"),
        (&names[1..], "failure"),
        (&[], "failure"),
    ] {
        let mut request = request(Method::POST, "/multipleInterceptors");
        for name in sent {
            let seen = HeaderValue::from_static("value");
            request.headers_mut().insert(*name, seen);
        }
        server.send(request).await.assert_text(200, text);
    }
}

/// Contract §1 POST /testUserConfig and /reinitialiseBackendConfig.
async fn what_configures_nothing_here_is_accepted(framework: Framework) {
    let server = Server::shared(framework);
    for path in ["/testUserConfig", "/reinitialiseBackendConfig"] {
        server.post(path, json!({})).await.assert_text(200, "");
    }
}

/// Contract §1, anything else.
async fn anything_else_is_not_found(framework: Framework) {
    let server = Server::shared(framework);
    for path in [
        "/fail", "/test", "/test2", "/test3", "/index", "/auth", "/login/", "/logout",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    for path in [
        "/fail",
        "/featureFlags",
        "/getSessionCalledTime",
        "/auth/jwt/jwks.json",
    ] {
        let answer = server.post(path, json!({})).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    assert_eq!(server.get("/beforeeach").await.status, 404);
}
