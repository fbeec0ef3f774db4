//! The routes that every example has, driven as a page would; those of devices and the event stream
//! are in files of their own.

use hyper::StatusCode;
use serde_json::json;

use crate::{
    client::{Client, Transport},
    example::{Example, on_every_example},
    server::Application,
};

on_every_example! {
    the_page_needs_nothing_from_elsewhere,
    a_browser_gets_its_tokens_in_cookies,
    an_app_gets_its_tokens_in_headers,
    what_cannot_be_read_is_refused_in_json,
    a_stranger_is_greeted_and_otherwise_refused,
    a_session_is_let_in_everywhere_but_where_a_role_is_asked_for,
    only_an_admin_reaches_the_admin_route,
    a_nickname_is_in_the_token_at_once_and_after_a_refresh,
    signing_out_ends_the_session,
}

async fn the_page_needs_nothing_from_elsewhere(example: Example) {
    let app = Application::start(example).await;
    let page = app.browser().get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for elsewhere in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!page.text().contains(elsewhere), "{elsewhere}");
    }
}

/// Wire case 30: cookies for a client that asks for them.
async fn a_browser_gets_its_tokens_in_cookies(example: Example) {
    let app = Application::start(example).await;
    let mut ann = app.browser();
    let answer = ann.try_log_in("ann", "laptop").await.unwrap();
    let body = answer.json();
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(body, json!({ "user": "ann", "handle": body["handle"] }));
    let cookies: Vec<String> = answer.cookies().into_keys().collect();
    assert_eq!(cookies, ["sAccessToken", "sRefreshToken"]);
    assert!(answer.header("front-token").is_some());
    assert!(answer.header("st-access-token").is_none());
}

/// Wire cases 31 and 32: headers for the rest.
async fn an_app_gets_its_tokens_in_headers(example: Example) {
    let app = Application::start(example).await;
    let mut ann = Client::new(app.server().address(), Transport::Headers);
    let answer = ann.try_log_in("ann", "phone").await.unwrap();
    assert!(answer.cookies().is_empty());
    for header in ["front-token", "st-access-token", "st-refresh-token"] {
        assert!(answer.header(header).is_some(), "{header}");
    }
    let liked = ann.post("/like-comment").await;
    liked.assert(200, &json!({ "user": "ann", "liked": true }));
}

async fn what_cannot_be_read_is_refused_in_json(example: Example) {
    let app = Application::start(example).await;
    let mut client = app.browser();
    let without_type = client.post("/login").await;
    let without_device = client.post_json("/login", json!({ "user": "ann" })).await;
    let refused = [without_type, without_device];
    assert!(refused.iter().all(|answer| !answer.message().is_empty()));
    assert_eq!(
        refused.map(|answer| answer.status.as_u16()),
        example.statuses_of_unreadable_bodies()
    );
    let nobody = json!({ "user": "", "device": "laptop" });
    let nobody = client.post_json("/login", nobody).await;
    nobody.assert_refused(400, "an identifier must not be empty");
    let elsewhere = client.get("/elsewhere").await;
    elsewhere.assert_refused(404, "there is nothing here");
}

/// Wire cases 44 and 45.
async fn a_stranger_is_greeted_and_otherwise_refused(example: Example) {
    let app = Application::start(example).await;
    let mut stranger = app.browser();
    let hello = stranger.get("/hello").await;
    assert_eq!(
        hello.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(hello.text(), "hello, stranger");
    for path in ["/feed", "/profile", "/admin", "/devices", "/events"] {
        stranger.get(path).await.assert_refused(401, "unauthorised");
    }
    for path in [
        "/like-comment",
        "/nickname",
        "/devices/some-handle/end",
        "/devices/end-others",
    ] {
        let refused = stranger.post(path).await;
        refused.assert_refused(401, "unauthorised");
        assert!(refused.cookies().is_empty(), "{path}");
    }
}

async fn a_session_is_let_in_everywhere_but_where_a_role_is_asked_for(example: Example) {
    let app = Application::start(example).await;
    let mut ann = app.browser();
    let handle = ann.log_in("ann", "laptop").await;

    let liked = ann.post("/like-comment").await;
    liked.assert(200, &json!({ "user": "ann", "liked": true }));

    let feed = ann.get("/feed").await.json();
    assert_eq!(feed["user"], "ann");
    assert!(!feed["posts"].as_array().unwrap().is_empty());

    let profile = ann.get("/profile").await.json();
    let role = profile["payload"]["role"].clone();
    let seconds_left = profile["seconds_left"].as_u64().unwrap();
    assert!((30..=60).contains(&seconds_left), "{seconds_left}");
    let expected = json!({
        "user": "ann",
        "handle": handle,
        "payload": { "role": { "v": "member", "t": role["t"] } },
        "seconds_left": seconds_left,
    });
    assert_eq!(profile, expected);

    assert_eq!(ann.get("/hello").await.text(), "hello, ann");
}

/// Wire case 53: the body names what was asked for.
async fn only_an_admin_reaches_the_admin_route(example: Example) {
    let app = Application::start(example).await;
    let mut admin = app.browser();
    admin.log_in("admin", "laptop").await;
    let let_in = admin.get("/admin").await;
    let_in.assert(200, &json!({ "user": "admin", "role": "admin" }));

    let mut ann = app.browser();
    ann.log_in("ann", "laptop").await;
    let reason = json!({
        "message": "wrong value",
        "expectedValue": "admin",
        "actualValue": "member",
    });
    let refused = ann.get("/admin").await;
    refused.assert(
        403,
        &json!({
            "message": "invalid claim",
            "claimValidationErrors": [{ "id": "role", "reason": reason }],
        }),
    );
}

/// Wire case 63: the new token travels with the answer that changed it.
async fn a_nickname_is_in_the_token_at_once_and_after_a_refresh(example: Example) {
    let app = Application::start(example).await;
    let mut ann = app.browser();
    ann.log_in("ann", "laptop").await;
    let changed = ann
        .post_json("/nickname", json!({ "nickname": "Zoë" }))
        .await;
    changed.assert(200, &json!({ "user": "ann", "nickname": "Zoë" }));
    assert!(changed.cookies().contains_key("sAccessToken"));
    assert_eq!(
        ann.get("/profile").await.json()["payload"]["nickname"],
        "Zoë"
    );

    let refreshed = ann.refresh().await;
    refreshed.assert(200, &json!({}));
    let payload = &ann.get("/profile").await.json()["payload"];
    assert_eq!(payload["nickname"], "Zoë");
    assert_eq!(payload["role"]["v"], "member");

    // E12: what a browser would drop silently is refused, and nothing is changed.
    let too_long = json!({ "nickname": "x".repeat(4_000) });
    let too_long = ann.post_json("/nickname", too_long).await;
    assert_eq!(too_long.status, StatusCode::BAD_REQUEST);
    assert!(!too_long.message().is_empty());
    assert_eq!(
        ann.get("/profile").await.json()["payload"]["nickname"],
        "Zoë"
    );
}

/// Wire case 60: the recipe's own route does the same.
async fn signing_out_ends_the_session(example: Example) {
    let app = Application::start(example).await;
    let mut ann = app.browser();
    ann.log_in("ann", "laptop").await;
    let signed_out = ann.post("/auth/signout").await;
    signed_out.assert(200, &json!({ "status": "OK" }));
    ann.post("/like-comment")
        .await
        .assert_refused(401, "unauthorised");
}
