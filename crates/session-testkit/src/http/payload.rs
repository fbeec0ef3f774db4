//! The application's own claims: put in at login, merged, sized (wire §1.2, §7).

use std::time::Duration;

use serde_json::{Map, Value, json};
use session_core::Payload;

use super::{
    TestApp,
    client::{Mode, claims},
};
use crate::faulty_store::{Fault, Operation};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Wire case 4: what a client asks for under a protected name is dropped, and the real value
/// stands.
pub async fn protected_names_from_a_client_are_dropped(app: &TestApp) {
    let mut wishes = Map::from_iter([("plan".to_owned(), json!("pro"))]);
    for name in Payload::PROTECTED_NAMES {
        wishes.insert(name.to_owned(), json!("mallory"));
    }
    let alice = app.log_in_with_payload("alice", json!(wishes)).await;
    let claims = claims(&alice.access_token());
    assert_eq!(claims["plan"], "pro");
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["rsub"], "alice");
    assert_eq!(claims["tId"], "public");
    assert_eq!(claims["iat"], app.now_s());
    assert_eq!(claims.get("stt"), None);
    assert!(!claims.to_string().contains("mallory"));
}

/// B10: a protected name that reaches the session is refused, at creation and at
/// every change, and nothing is written.
pub async fn a_protected_name_is_refused(app: &TestApp) {
    let alice = app.log_in_with_payload("alice", json!({ "a": 1 })).await;
    for name in Payload::PROTECTED_NAMES {
        for value in [json!("mallory"), json!(null), json!(1)] {
            let creates = app.store().calls(Operation::Create);
            let bob = app.browser(Mode::Cookie);
            let payload = json!({ "unfiltered_payload": { name: value }, "user": "bob" });
            let answer = bob.log_in(payload).await;
            answer.assert_status(400).assert_tokens_untouched();
            assert_eq!(app.store().calls(Operation::Create), creates);

            let answer = alice.act(json!([{ "merge": { name: value } }])).await;
            answer.assert_status(400).assert_tokens_untouched();
        }
    }
    let stored = app.sessions().information(&alice.handle()).await.unwrap();
    assert_eq!(*stored.unwrap().payload().as_map(), map(&json!({ "a": 1 })));
    alice.get("/database").await.assert_user("alice");
}

/// Wire case 63: a merge sets and removes, member by member; the new token says when it was made
/// and expires when the old one would have.
pub async fn a_merge_sets_and_removes(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.browser(mode);
        let payload = json!({ "b": 2, "c": { "x": 1 }, "d": 4 });
        let login = alice
            .log_in(json!({ "user": "alice", "payload": payload }))
            .await;
        login.assert_status(200);
        let (before, refresh) = (claims(&alice.access_token()), alice.refresh_token());
        app.advance(Duration::from_secs(10));

        let update = json!({ "a": 1, "b": null, "c": { "y": 2 } });
        let answer = alice.act(json!([{ "merge": update }])).await;
        answer.assert_user("alice");
        let expected = json!({ "a": 1, "c": { "y": 2 }, "d": 4 });
        assert_eq!(answer.json()["payload"], expected);
        assert_eq!(answer.refresh_token(), None);
        assert_eq!(alice.refresh_token(), refresh);

        let after = claims(&alice.access_token());
        assert_eq!(after["iat"], app.now_s());
        assert_eq!(after["exp"], before["exp"]);
        let own = Payload::without_protected_names(map(&after));
        assert_eq!(json!(own), expected);
        for name in Payload::PROTECTED_NAMES {
            if name != "iat" {
                assert_eq!(after.get(name), before.get(name), "{name}");
            }
        }
        let front_token = answer.front_token().unwrap();
        assert_eq!(json!(front_token.payload()), after);
        let answer = alice.get("/database").await;
        answer.assert_user("alice").assert_tokens_untouched();
    }
}

/// Wire case 64: a token that expires while its session is changed gets no successor; the change
/// is there with the next refresh.
pub async fn a_merge_after_the_token_has_expired_waits_for_the_refresh(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let (store, reads) = (app.store(), app.store().calls(Operation::Get));
    store.break_with(Operation::Get, Fault::Delayed);
    let merge = alice.act(json!([{ "merge": { "a": 1 } }]));
    let expire = async {
        store.begun(Operation::Get, reads + 1).await;
        app.advance(Duration::from_hours(1));
        store.repair();
    };
    let (answer, ()) = tokio::join!(merge, expire);
    answer.assert_user("alice").assert_tokens_untouched();
    assert_eq!(answer.json()["payload"], json!({ "a": 1 }));

    alice.refresh().await.assert_status(200);
    assert_eq!(claims(&alice.access_token())["a"], 1);
}

/// Wire case 25: a change behind the client's back reaches it with its next refresh, or with the
/// next answer of a route that asks the database.
pub async fn a_change_by_handle_reaches_the_client(app: &TestApp) {
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let change = async |value: i32| {
            let update = map(&json!({ "a": value }));
            let changed = app.sessions().merge_payload(&alice.handle(), update).await;
            assert!(changed.unwrap());
        };
        change(1).await;
        let answer = alice.get("/stateless").await;
        answer.assert_user("alice").assert_tokens_untouched();
        assert_eq!(answer.json()["payload"], json!({}));
        alice.refresh().await.assert_status(200);
        assert_eq!(claims(&alice.access_token())["a"], 1);

        change(2).await;
        let answer = alice.get("/database").await;
        answer.assert_user("alice");
        assert_eq!(answer.json()["payload"], json!({ "a": 2 }));
        assert_eq!(claims(answer.access_token().unwrap())["a"], 2);
        assert_eq!(answer.refresh_token(), None);
        let answer = alice.get("/database").await;
        answer.assert_user("alice").assert_tokens_untouched();
    }
}

/// Concurrent merges of different members are all kept.
pub async fn concurrent_merges_are_all_kept(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let names = ["a", "b", "c", "d", "e", "f"];
    let merges = names.map(|name| {
        let alice = alice.copy();
        async move {
            let steps = json!([{ "merge": { name: true } }]);
            alice.act(steps).await.assert_status(200);
        }
    });
    futures_util::future::join_all(merges).await;
    let stored = app.sessions().information(&alice.handle()).await.unwrap();
    let payload = stored.unwrap().payload().as_map().clone();
    assert_eq!(payload.len(), names.len(), "{:?}", payload.keys());
}

/// H5 (wire §1.2): numbers come back as they went in, and never in scientific notation.
pub async fn numbers_keep_their_value(app: &TestApp) {
    let payload = json!({
        "safe": 9_007_199_254_740_991_i64,
        "beyond": 9_007_199_254_740_993_i64,
        "largest": u64::MAX,
        "least": i64::MIN,
        "fraction": 0.1,
        "tiny": 1e-7,
        "large": 1e21,
    });
    let alice = app.log_in_with_payload("alice", payload.clone()).await;
    app.advance(Duration::from_secs(1));
    alice.refresh().await.assert_status(200);
    let answer = alice.get("/database").await;
    assert_eq!(answer.json()["payload"], payload);
    let token = alice.access_token();
    let segment = token.split('.').nth(1).unwrap();
    let text = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, segment).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#""tiny":0.0000001"#), "{text}");
    assert!(text.contains(r#""large":1000000000000000000000"#), "{text}");
}

/// E12: what would not fit into a cookie is refused at login and at every change, and nothing is
/// written; a client that holds its tokens itself has room for more.
pub async fn a_payload_too_large_for_its_transport_is_refused(app: &TestApp) {
    let large = json!({ "x": "x".repeat(3_500) });
    let creates = app.store().calls(Operation::Create);
    let login = json!({ "user": "alice", "payload": large });
    let answer = app.browser(Mode::Cookie).log_in(login.clone()).await;
    answer.assert_status(400).assert_tokens_untouched();
    assert_eq!(app.store().calls(Operation::Create), creates);
    let by_header = app.browser(Mode::Header);
    by_header.log_in(login).await.assert_user("alice");
    by_header.get("/stateless").await.assert_user("alice");

    let alice = app.log_in("alice").await;
    let answer = alice.act(json!([{ "merge": large }])).await;
    answer.assert_status(400).assert_tokens_untouched();
    let stored = app.sessions().information(&alice.handle()).await.unwrap();
    assert!(stored.unwrap().payload().as_map().is_empty());
    alice.refresh().await.assert_status(200);
    alice.get("/database").await.assert_user("alice");
}

/// E12, H4, J4: 16 KiB of payload or data is the end for every transport, and so are very many or
/// very deep members.
pub async fn a_payload_without_measure_is_refused(app: &TestApp) {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let many: Map<String, Value> = (0..100_000)
        .map(|number| (format!("claim-{number}"), json!(number)))
        .collect();
    let long = json!({ "x": "x".repeat(17_000) });
    for login in [
        json!({ "user": "alice", "payload": long }),
        json!({ "user": "alice", "payload": many }),
        json!({ "user": "alice", "payload": { "x": deep } }),
        json!({ "user": "alice", "data": long }),
    ] {
        let answer = app.browser(Mode::Header).log_in(login).await;
        assert!(matches!(answer.status(), 400 | 413), "{}", answer.status());
        answer.assert_tokens_untouched();
    }
    let alice = app.log_in_by(Mode::Header, "alice").await;
    for steps in [
        json!([{ "merge": long }]),
        json!([{ "merge": { "x": deep } }]),
        json!([{ "data": long }]),
    ] {
        let answer = alice.act(steps).await;
        answer.assert_status(400).assert_tokens_untouched();
    }
    alice.get("/database").await.assert_user("alice");
}

/// Wire §7: the application's own data stays on the server.
pub async fn session_data_stays_on_the_server(app: &TestApp) {
    let alice = app.browser(Mode::Cookie);
    let login = json!({ "user": "alice", "data": { "device": "laptop" } });
    alice.log_in(login).await.assert_status(200);
    assert!(!claims(&alice.access_token()).to_string().contains("laptop"));
    let answer = alice.act(json!([{ "information": null }])).await;
    let data = |answer: &super::client::Answer| answer.json()["results"][0]["data"].clone();
    assert_eq!(data(&answer), json!({ "device": "laptop" }));
    let answer = alice.act(json!([{ "data": { "device": "phone" } }])).await;
    answer.assert_user("alice").assert_tokens_untouched();
    let answer = alice.act(json!([{ "information": null }])).await;
    assert_eq!(data(&answer), json!({ "device": "phone" }));
}
