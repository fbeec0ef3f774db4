//! The suite's calls between its tests.

use std::pin::pin;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    the_answer_to_the_first_call_is_text,
    a_call_that_cannot_be_followed_changes_nothing,
    whoever_asks_during_a_call_gets_the_new_application,
    a_call_that_stops_halfway_stops_nobody_for_long,
    an_application_keeps_its_sessions_when_its_settings_change,
    before_each_test_the_counters_are_zero_and_nothing_else_is,
    after_all_tests_nothing_is_done,
}

/// Contract §1 POST /test/setup/app: axios must not read it as JSON.
async fn the_answer_to_the_first_call_is_text(framework: Framework) {
    let server = Server::start(framework);
    let app = json!({ "appId": "1", "coreConfig": { "access_token_validity": 3 } });
    let answer = server.post("/test/setup/app", app).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text().is_empty());
    assert!(serde_json::from_str::<serde_json::Value>(answer.text()).is_err());
}

/// Contract §1 POST /test/setup/st: what is no text of ours, and a lifetime that cannot be.
async fn a_call_that_cannot_be_followed_changes_nothing(framework: Framework) {
    let server = Server::start(framework);
    let mut browser = server.browser();
    browser.log_in("ann").await;
    let app = json!({ "appId": "1", "coreConfig": { "access_token_validity": 0 } });
    let text = server.post("/test/setup/app", app).await;
    for core_url in ["http://localhost:3567", text.text()] {
        let answer = server
            .post("/test/setup/st", json!({ "coreUrl": core_url }))
            .await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    browser.get("/").await.assert_text(200, "ann");
}

/// Contract §1 POST /test/setup/st: the suite does not wait for the answer.
async fn whoever_asks_during_a_call_gets_the_new_application(framework: Framework) {
    let server = Server::start(framework);
    let app = server
        .post("/test/setup/app", json!({ "appId": "1" }))
        .await;
    let body = json!({ "coreUrl": app.text(), "enableJWT": true }).to_string();
    let mut call = begun_call(&server, body.len()).await;
    let mut browser = server.browser();
    let mut login = pin!(browser.log_in("ann"));
    let counted = async {
        // Nobody waits for the call here, so these are answered when the login has long arrived.
        for _ in 0..10 {
            server.count("/refreshCalledTime").await;
        }
    };
    tokio::select! {
        answer = &mut login => panic!("the call has not ended yet: {answer:?}"),
        () = counted => {}
    }
    call.write_all(body.as_bytes()).await.unwrap();
    let login = login.await;
    assert_eq!(login.claims()["customClaim"], "customValue");
}

/// Contract §1 POST /test/setup/st: whose body does not come.
async fn a_call_that_stops_halfway_stops_nobody_for_long(framework: Framework) {
    let server = Server::start(framework);
    let mut call = begun_call(&server, 1).await;
    server.browser().log_in("ann").await;
    let mut answer = [0; 13];
    call.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400 ");
}

/// A call to `/test/setup/st` that is under way, and whose body is still to be sent.
async fn begun_call(server: &Server, length: usize) -> TcpStream {
    let mut call = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    let head = format!(
        "POST /test/setup/st HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    );
    call.write_all(head.as_bytes()).await.unwrap();
    // The server says so when it begins to read the body.
    let mut go_on = [0; 25];
    call.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    call
}

/// Contract §1 POST /test/setup/st: another setting is no other application.
async fn an_application_keeps_its_sessions_when_its_settings_change(framework: Framework) {
    let server = Server::start(framework);
    let app = json!({ "appId": "1" });
    let text = server.post("/test/setup/app", app).await;
    server.apply(text.text(), json!({})).await;
    let mut browser = server.browser();
    browser.log_in("ann").await;
    server
        .apply(text.text(), json!({ "enableAntiCsrf": false }))
        .await;
    browser.get("/").await.assert_text(200, "ann");
    browser.refresh().await.assert_text(200, "refresh success");
    assert_eq!(
        browser.clone().log_in("ann").await.exposed(),
        ["front-token"]
    );

    // Another application knows nobody.
    server.set_up(json!({}), json!({})).await;
    browser
        .refresh()
        .await
        .assert_refused_and_cleared(&json!({}));
}

/// Contract §1 POST /beforeeach: not the sessions, not the settings.
async fn before_each_test_the_counters_are_zero_and_nothing_else_is(framework: Framework) {
    let server = Server::with(framework, json!({}), json!({ "enableJWT": true })).await;
    let mut browser = server.browser();
    browser.log_in("ann").await;
    browser.refresh().await;
    browser.get("/").await;
    for counter in COUNTERS {
        server.get(counter).await.assert_text(200, "1");
    }
    server
        .post("/beforeeach", json!({}))
        .await
        .assert_text(200, "");
    for counter in COUNTERS {
        server.get(counter).await.assert_text(200, "0");
    }
    browser.get("/").await.assert_text(200, "ann");
    assert_eq!(server.get("/featureFlags").await.json()["sessionJwt"], true);
}

/// Contract §1 POST /after.
async fn after_all_tests_nothing_is_done(framework: Framework) {
    let server = Server::start(framework);
    server.post("/after", json!({})).await.assert_text(200, "");
}

const COUNTERS: [&str; 3] = [
    "/refreshCalledTime",
    "/refreshAttemptedTime",
    "/getSessionCalledTime",
];
