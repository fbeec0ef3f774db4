//! A user's sessions: listed, ended, and what each check makes of one that was ended.

use std::time::UNIX_EPOCH;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use session_core::clock::{Clock as _, SystemClock};

use crate::{
    example::{Example, on_every_example},
    server::Application,
};

on_every_example! {
    the_devices_are_those_of_the_user,
    an_ended_session_is_refused_at_once_where_it_is_looked_for,
    nobody_ends_a_session_of_somebody_else,
    a_device_can_end_itself_and_all_others,
}

async fn the_devices_are_those_of_the_user(example: Example) {
    let app = Application::start(example).await;
    let (mut laptop, mut phone, mut other) = (app.browser(), app.browser(), app.browser());
    let before = unix_seconds();
    let laptop_handle = laptop.log_in("ann", "laptop").await;
    let phone_handle = phone.log_in("ann", "phone").await;
    other.log_in("bob", "laptop").await;
    phone.refresh().await;

    let devices = phone.get("/devices").await.json();
    let devices = devices["devices"].as_array().unwrap().clone();
    let seen: Vec<_> = devices
        .iter()
        .map(|device| (&device["handle"], &device["device"], &device["current"]))
        .collect();
    let expected = [
        (&json!(laptop_handle), &json!("laptop"), &json!(false)),
        (&json!(phone_handle), &json!("phone"), &json!(true)),
    ];
    assert_eq!(seen, expected);
    for device in &devices {
        let fields: Vec<&str> = device
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            fields,
            [
                "created",
                "current",
                "device",
                "expires",
                "handle",
                "last_refreshed"
            ]
        );
        let seconds = |name: &str| device[name].as_u64().unwrap();
        assert!((before..=unix_seconds()).contains(&seconds("created")));
        assert!((seconds("created")..=unix_seconds()).contains(&seconds("last_refreshed")));
        let hundred_days = 100 * 24 * 60 * 60;
        assert_eq!(seconds("expires"), seconds("last_refreshed") + hundred_days);
    }
}

/// Wire case 48, G12, G13: what each check makes of a session that was just ended elsewhere.
async fn an_ended_session_is_refused_at_once_where_it_is_looked_for(example: Example) {
    let app = Application::start(example).await;
    let (mut laptop, mut phone) = (app.browser(), app.browser());
    let handle = laptop.log_in("ann", "laptop").await;
    phone.log_in("ann", "phone").await;
    let ended = phone.post(&format!("/devices/{handle}/end")).await;
    ended.assert(200, &json!({ "ended": [handle] }));

    let as_it_was = laptop.clone();
    assert_eq!(laptop.get("/profile").await.status, StatusCode::OK);
    assert_eq!(laptop.get("/hello").await.text(), "hello, ann");
    for (method, path) in [
        (Method::GET, "/feed"),
        (Method::GET, "/admin"),
        (Method::GET, "/events"),
        (Method::POST, "/like-comment"),
        (Method::GET, "/devices"),
        (Method::POST, "/devices/end-others"),
    ] {
        let mut laptop = as_it_was.clone();
        let refused = laptop.try_send(method, path, None).await.unwrap();
        refused.assert_refused(401, "unauthorised");
        assert_eq!(refused.header("front-token"), Some("remove"), "{path}");
        assert_eq!(refused.cookies()["sAccessToken"], "", "{path}");
    }
    laptop.refresh().await.assert_refused(401, "unauthorised");
    assert_eq!(phone.post("/like-comment").await.status, StatusCode::OK);
}

async fn nobody_ends_a_session_of_somebody_else(example: Example) {
    let app = Application::start(example).await;
    let (mut ann, mut bob) = (app.browser(), app.browser());
    let handle = ann.log_in("ann", "laptop").await;
    bob.log_in("bob", "laptop").await;
    let long = "x".repeat(200);
    for handle in [&*handle, "no-such-handle", "%00", "%FF", &long] {
        let refused = bob.post(&format!("/devices/{handle}/end")).await;
        let expected = match handle {
            "%FF" => example.status_of_a_path_that_is_no_text(),
            _ => 404,
        };
        assert_eq!(refused.status.as_u16(), expected, "{handle}");
    }
    bob.post("/devices/end-others")
        .await
        .assert(200, &json!({ "ended": [] }));
    assert_eq!(ann.post("/like-comment").await.status, StatusCode::OK);
}

async fn a_device_can_end_itself_and_all_others(example: Example) {
    let app = Application::start(example).await;
    let mut devices = [app.browser(), app.browser(), app.browser()];
    let mut handles = Vec::new();
    for device in &mut devices {
        handles.push(device.log_in("ann", "one of three").await);
    }
    let [first, second, third] = &mut devices;

    let mut ended = first.post("/devices/end-others").await.json();
    let ended = ended["ended"].as_array_mut().unwrap();
    ended.sort_by_key(Value::to_string);
    let mut expected = handles[1..].to_vec();
    expected.sort();
    assert_eq!(*ended, expected);
    for other in [second, third] {
        other
            .post("/like-comment")
            .await
            .assert_refused(401, "unauthorised");
    }

    let itself = first.post(&format!("/devices/{}/end", handles[0])).await;
    itself.assert(200, &json!({ "ended": [handles[0]] }));
    assert_eq!(itself.header("front-token"), Some("remove"));
    assert!(first.refresh_token().is_none());
    first
        .post("/like-comment")
        .await
        .assert_refused(401, "unauthorised");
}

fn unix_seconds() -> u64 {
    let since = SystemClock.now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}
