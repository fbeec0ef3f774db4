//! What every answer has, whoever gives it.

use http::Method;
use serde_json::json;

use crate::{
    answer::Answer,
    framework::{Framework, on_every_framework},
    server::{Server, request},
};

on_every_framework! {
    every_answer_can_be_read_by_the_page,
    every_answer_has_a_date_and_a_length,
    every_preflight_is_granted,
}

/// Answers of both servers in one, of files and of errors.
async fn answers(server: &Server) -> Vec<Answer> {
    let mut browser = server.browser();
    vec![
        browser.log_in("ann").await,
        browser.get("/").await,
        browser.refresh().await,
        browser.post("/logout").await,
        server.get("/").await,
        server.get("/nothing").await,
        server.get("/testError").await,
        server.get("/featureFlags").await,
        server.get("/refreshCalledTime").await,
        server.get("/index.html").await,
        server.get("/angular/main.js").await,
        server.post("/test/setup/st", json!({})).await,
        server.post("/beforeeach", json!({})).await,
    ]
}

/// Contract §1, global: CORS on every answer, also of the same origin and of errors.
async fn every_answer_can_be_read_by_the_page(framework: Framework) {
    let server = Server::shared(framework);
    for answer in answers(server).await {
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, Some("http://localhost:8080"), "{answer:?}");
        let credentials = answer.header("access-control-allow-credentials");
        assert_eq!(credentials, Some("true"), "{answer:?}");
    }
}

/// Contract §1, global: Date and Content-Length, and never in chunks.
async fn every_answer_has_a_date_and_a_length(framework: Framework) {
    let server = Server::shared(framework);
    for answer in answers(server).await {
        let length = answer.header("content-length").map(str::to_owned);
        assert_eq!(length, Some(answer.text().len().to_string()), "{answer:?}");
        let date = answer.header("date").expect("a date");
        assert!(httpdate::parse_http_date(date).is_ok(), "{answer:?}");
        assert!(!answer.has("transfer-encoding"), "{answer:?}");
    }
}

/// Contract §1, global: preflight.
async fn every_preflight_is_granted(framework: Framework) {
    let server = Server::shared(framework);
    for path in [
        "/",
        "/login",
        "/auth/session/refresh",
        "/test/setup/st",
        "/nothing",
    ] {
        let mut preflight = request(Method::OPTIONS, path);
        let headers = preflight.headers_mut();
        headers.insert("origin", "http://localhost:8080".parse().unwrap());
        headers.insert("access-control-request-method", "POST".parse().unwrap());
        let answer = server.send(preflight).await;
        answer.assert_text(204, "");
        for (name, value) in [
            ("access-control-allow-origin", "http://localhost:8080"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "GET,PUT,POST,DELETE"),
            (
                "access-control-allow-headers",
                "content-type,rid,fdi-version,anti-csrf,authorization,st-auth-mode",
            ),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {answer:?}");
        }
    }
}
