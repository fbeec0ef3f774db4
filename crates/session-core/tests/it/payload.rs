//! Payloads: merged by a session and by handle, carried by the next token.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value, json};
use session_core::{
    InvalidPayload, NewSession, Payload, Session, SessionError, VerifyOptions, http::Exchange,
    verify::PresentedAntiCsrf,
};

use crate::{
    claims_flow::Roles,
    faulty_store::Op,
    node::{Node, all_at_once, check_database, refresh_token, stateless, user_id},
};

pub(crate) fn update(members: Value) -> Map<String, Value> {
    match members {
        Value::Object(members) => members,
        members => panic!("{members}"),
    }
}

async fn log_in_with(node: &Node, payload: Value) -> Session {
    let new = NewSession::new(user_id("ann")).payload(update(payload));
    node.sessions.create(new).await.unwrap().session().clone()
}

pub(crate) fn front_token(session: &Session) -> Value {
    let tokens = session.unsent_tokens().unwrap();
    let text = BASE64_STANDARD.decode(tokens.front_token()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Wire case 63: members are set, `null` removes, the rest stays; the token is fresh and expires
/// when the old one did.
#[tokio::test]
async fn a_merge_sets_removes_and_keeps_the_expiry() {
    let node = Node::new().await;
    let session = log_in_with(&node, json!({"b": 2, "c": {"deep": [1]}})).await;
    let before = session.access_token_payload();
    node.advance(Duration::from_secs(10));
    session
        .merge_payload(update(json!({"a": 1, "b": null})))
        .await
        .unwrap();

    let expected = update(json!({"a": 1, "c": {"deep": [1]}}));
    assert_eq!(*session.payload().as_map(), expected);
    let after = session.access_token_payload();
    assert_eq!(
        after["iat"].as_i64(),
        before["iat"].as_i64().map(|iat| iat + 10)
    );
    for kept in ["exp", "sub", "sessionHandle", "refreshTokenHash1", "tId"] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    let front = front_token(&session);
    assert_eq!(front["up"]["a"], 1);
    assert!(front["up"].get("b").is_none());
    let seen = node
        .verify_text(session.access_token().expose(), &check_database())
        .await
        .unwrap();
    assert_eq!(seen.payload(), session.payload());
    assert!(seen.unsent_tokens().is_none(), "token and database agree");
}

/// B10: no protected claim is set, neither at creation nor by an update, and nothing
/// is changed by the attempt.
#[tokio::test]
async fn a_protected_claim_is_never_set() {
    let node = Node::new().await;
    let session = log_in_with(&node, json!({"a": 1})).await;
    let row = node.row(session.handle()).await;
    for name in Payload::PROTECTED_NAMES {
        let forbidden = update(json!({ name: "x" }));
        let refused = |outcome: Result<(), SessionError>| {
            assert!(
                matches!(
                    outcome,
                    Err(SessionError::InvalidPayload(InvalidPayload::ProtectedName(
                        _
                    )))
                ),
                "{name} {outcome:?}"
            );
        };
        let new = NewSession::new(user_id("ann")).payload(forbidden.clone());
        refused(node.sessions.create(new).await.map(drop));
        refused(session.merge_payload(forbidden.clone()).await);
        let by_handle = node
            .sessions
            .merge_payload(session.handle(), forbidden)
            .await;
        refused(by_handle.map(drop));
        let removal = update(json!({ name: null }));
        refused(session.merge_payload(removal).await);
    }
    assert_eq!(node.row(session.handle()).await, row);
}

/// Wire case 64: when the token expires in the middle of a request, the change is kept, nothing
/// is sent, and the next refresh brings it.
#[tokio::test]
async fn a_merge_after_the_token_has_expired_is_kept_for_the_next_refresh() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let session = issued.session();
    node.advance(Duration::from_hours(1));
    session
        .merge_payload(update(json!({"a": 1})))
        .await
        .unwrap();
    assert!(session.unsent_tokens().is_none());
    assert_eq!(session.payload().to_text(), r#"{"a":1}"#);
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(refreshed.session().payload().to_text(), r#"{"a":1}"#);
}

/// E12: a payload that no token could carry is refused when it is set, also when no token is made
/// at once, or the session could not be refreshed any more.
#[tokio::test]
async fn a_payload_that_no_token_could_carry_is_refused_when_it_is_set() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let session = issued.session();
    let large = update(json!({"a": "x".repeat(8_000)}));
    let refused = |outcome: Result<(), SessionError>| {
        assert!(
            matches!(outcome, Err(SessionError::InvalidPayload(_))),
            "{outcome:?}"
        );
    };
    for expired in [false, true] {
        if expired {
            node.advance(Duration::from_hours(2));
        }
        refused(session.merge_payload(large.clone()).await);
        let by_handle = node
            .sessions
            .merge_payload(session.handle(), large.clone())
            .await;
        refused(by_handle.map(drop));
        let new = NewSession::new(user_id("ann")).payload(large.clone());
        refused(node.sessions.create(new).await.map(drop));
    }
    assert!(node.refresh(&refresh_token(&issued)).await.is_ok());
}

/// Wire case 25: where the database is asked, a payload that was changed by handle comes with a
/// new token, which expires when the old one did.
#[tokio::test]
async fn a_check_of_the_database_brings_the_payload_that_it_has() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let handle = issued.session().handle();
    node.sessions
        .merge_payload(handle, update(json!({"a": 1})))
        .await
        .unwrap();
    let stale = node.verify(&issued, &stateless()).await.unwrap();
    assert_eq!(stale.payload(), Payload::default());
    let fresh = node.verify(&issued, &check_database()).await.unwrap();
    assert_eq!(fresh.payload().to_text(), r#"{"a":1}"#);
    assert_eq!(front_token(&fresh)["up"]["a"], 1);
    assert_eq!(
        fresh.access_token_expires_at(),
        stale.access_token_expires_at()
    );
    let again = fresh.access_token();
    let settled = node
        .verify_text(again.expose(), &check_database())
        .await
        .unwrap();
    assert!(settled.unsent_tokens().is_none());
}

/// F14: a hundred who merge different members at once, by session and by handle, on two nodes: all
/// of it is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_merges_at_once_are_all_kept() {
    all_merges_are_kept().await;
}

/// F14: the same in lockstep, which is the worst order: all read before any writes.
#[tokio::test]
async fn a_hundred_merges_in_lockstep_are_all_kept() {
    all_merges_are_kept().await;
}

async fn all_merges_are_kept() {
    let node = Node::new().await;
    let other = node.beside(|config| config).await;
    let issued = node.log_in("ann").await;
    let session = issued.session();
    let outcomes = all_at_once((0..100).map(|number| {
        let sessions = [&node, &other][number % 2].sessions.clone();
        let (session, handle) = (session.clone(), session.handle().clone());
        let member = update(json!({ format!("m{number}"): number }));
        async move {
            if number % 4 == 0 {
                session.merge_payload(member).await
            } else {
                sessions.merge_payload(&handle, member).await.map(drop)
            }
        }
    }))
    .await;
    for outcome in outcomes {
        outcome.unwrap();
    }
    let stored = node
        .sessions
        .information(session.handle())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.payload().as_map().len(), 100);
}

/// H5: what is put into a payload comes back as it was: large numbers, key order, every character.
#[tokio::test]
async fn a_payload_comes_back_as_it_was() {
    let node = Node::new().await;
    let text = r#"{"z":9007199254740993,"a":18446744073709551615,"m":-9223372036854775808,"f":0.1,"s":"\u0000\n\"é𝄞"}"#;
    let payload: Map<String, Value> = serde_json::from_str(text).unwrap();
    let new = NewSession::new(user_id("ann")).payload(payload.clone());
    let issued = node.sessions.create(new).await.unwrap();
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    let seen = node.verify(&refreshed, &check_database()).await.unwrap();
    for (name, value) in &payload {
        assert_eq!(seen.payload().as_map()[name], *value, "{name}");
    }
    assert!(seen.unsent_tokens().is_none());
}

/// Data that stays in the database: replaced as a whole, bounded, gone with the session.
#[tokio::test]
async fn data_is_replaced_as_a_whole_and_bounded() {
    let node = Node::new().await;
    let new = NewSession::new(user_id("ann")).data_value("device", json!("laptop"));
    let issued = node.sessions.create(new).await.unwrap();
    let session = issued.session();
    assert_eq!(
        session.information().await.unwrap().data()["device"],
        "laptop"
    );
    session
        .update_data(&update(json!({"address": "::1"})))
        .await
        .unwrap();
    assert_eq!(
        Value::Object(session.information().await.unwrap().data().clone()),
        json!({"address": "::1"})
    );
    let too_long = update(json!({"a": "x".repeat(Payload::MAX_BYTES)}));
    assert!(matches!(
        session.update_data(&too_long).await,
        Err(SessionError::DataTooLong { .. })
    ));
    assert!(session.access_token_payload().get("device").is_none());
}

/// The request of a client that keeps its tokens in headers.
fn headers(access_token: &str) -> HeaderMap {
    let mut bearer = HeaderValue::from_str(&format!("Bearer {access_token}")).unwrap();
    bearer.set_sensitive(true);
    HeaderMap::from_iter([(http::header::AUTHORIZATION, bearer)])
}

/// Design §4: once the head of the response is sent, a change is an error that says so, and nothing
/// is changed.
#[tokio::test]
async fn after_the_head_of_the_response_nothing_is_changed() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let headers = headers(issued.tokens().access_token().expose());
    let exchange = Exchange::new(&node.sessions, &Method::GET, "/events", &headers);
    let session = exchange.verify(&VerifyOptions::new()).await.unwrap();
    session
        .merge_payload(update(json!({"a": 1})))
        .await
        .unwrap();
    let mut sent = HeaderMap::new();
    exchange.write_effects(&mut sent);
    assert!(sent.contains_key("st-access-token"));

    let row = node.row(session.handle()).await;
    assert!(row.is_some());
    for outcome in [
        session.merge_payload(update(json!({"a": 2}))).await,
        session.regenerate().await,
        session.revoke().await.map(drop),
        session.remove_claim::<Roles>().await,
    ] {
        assert!(
            matches!(outcome, Err(SessionError::ResponseStarted)),
            "{outcome:?}"
        );
    }
    assert_eq!(node.row(session.handle()).await, row);
    assert!(
        node.sessions.revoke(session.handle()).await.unwrap(),
        "by handle it can be ended"
    );
}

/// F14: a refresh while the payload changes loses no update, and its token has the one or the
/// other.
#[tokio::test]
async fn a_refresh_while_the_payload_changes_loses_no_update() {
    let node = Node::new().await;
    let issued = node
        .sessions
        .create(NewSession::new(user_id("ann")).claim_value("plan", "old".into()))
        .await
        .unwrap();
    let handle = issued.session().handle().clone();
    let gate = node.store.hold_before(Op::Rotate);
    let (sessions, token) = (node.sessions.clone(), refresh_token(&issued));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        sessions
            .refresh(&token, PresentedAntiCsrf::NotChecked)
            .await
    });
    gate.arrivals(1).await;
    let update = serde_json::Map::from_iter([("plan".to_owned(), "new".into())]);
    assert!(node.sessions.merge_payload(&handle, update).await.unwrap());
    gate.open();
    let refreshed = tasks.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(refreshed.session().payload().to_text(), r#"{"plan":"old"}"#);
    let stored = node.sessions.information(&handle).await.unwrap().unwrap();
    assert_eq!(stored.payload().to_text(), r#"{"plan":"new"}"#);
    let next = node.refresh(&refresh_token(&refreshed)).await.unwrap();
    assert_eq!(next.session().payload().to_text(), r#"{"plan":"new"}"#);
}

/// Wire case 25: a payload that was changed by handle is in the next refresh's token.
#[tokio::test]
async fn a_payload_changed_by_handle_is_in_the_next_token() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let update = serde_json::Map::from_iter([("plan".to_owned(), "pro".into())]);
    let handle = issued.session().handle();
    assert!(node.sessions.merge_payload(handle, update).await.unwrap());
    let refreshed = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(refreshed.session().payload().to_text(), r#"{"plan":"pro"}"#);
}
