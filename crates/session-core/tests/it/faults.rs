//! A store that fails, hangs, panics or loses its answer: the client is told 503 and nothing else,
//! and whoever waits for nothing gets nothing.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use session_core::{
    BackendError, NewSession, SessionError, Sessions, store::SessionStore as _,
    verify::PresentedAntiCsrf,
};

use crate::{
    faulty_store::{Fault, FaultyStore, Op},
    node::{
        Listener, Node, all_at_once, assert_theft, assert_unauthorised, assert_unavailable,
        check_blacklist, check_database, refresh_token, settle, stateless, user_id,
    },
};

const GRACE: Duration = Duration::from_secs(30);

fn update() -> serde_json::Map<String, serde_json::Value> {
    serde_json::Map::from_iter([("plan".to_owned(), "pro".into())])
}

/// Everything that needs the store, and what it says.
async fn ask_everything(
    node: &Node,
    issued: &session_core::IssuedSession,
) -> Vec<(&'static str, Result<(), SessionError>)> {
    let (sessions, handle) = (&node.sessions, issued.session().handle());
    let user = user_id("ann");
    vec![
        (
            "create",
            sessions
                .create(NewSession::new(user.clone()))
                .await
                .map(drop),
        ),
        (
            "refresh",
            node.refresh(&refresh_token(issued)).await.map(drop),
        ),
        (
            "verify",
            node.verify(issued, &check_database()).await.map(drop),
        ),
        ("revoke", sessions.revoke(handle).await.map(drop)),
        (
            "revoke_many",
            sessions
                .revoke_many(std::slice::from_ref(handle))
                .await
                .map(drop),
        ),
        (
            "revoke_all_of_user",
            sessions.revoke_all_of_user(&user, None).await.map(drop),
        ),
        (
            "revoke_all_of_tenant",
            sessions
                .revoke_all_of_tenant(issued.session().tenant_id())
                .await
                .map(drop),
        ),
        ("information", sessions.information(handle).await.map(drop)),
        (
            "sessions_of_user",
            sessions
                .sessions_of_user(&user, None, None, 9)
                .await
                .map(drop),
        ),
        (
            "merge_payload",
            sessions.merge_payload(handle, update()).await.map(drop),
        ),
        (
            "update_data",
            sessions.update_data(handle, &update()).await.map(drop),
        ),
        (
            "session.merge",
            issued.session().merge_payload(update()).await,
        ),
        ("session.regenerate", issued.session().regenerate().await),
        ("session.revoke", issued.session().revoke().await.map(drop)),
        (
            "session.revoke_others",
            issued.session().revoke_others().await.map(drop),
        ),
        ("rotate_refresh_key", sessions.rotate_refresh_key().await),
    ]
}

/// F16, G9, H9, H12: whatever goes wrong in the store is 503, never "unauthorised" and never theft;
/// afterwards the session is as it was.
#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_in_the_store_is_unavailable_and_nothing_else() {
    for fault in [Fault::Fail, Fault::Hang, Fault::Panic] {
        let (listener, mut heard) = Listener::new();
        let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
        settle().await;
        let issued = node.log_in("ann").await;
        let row = node.row(issued.session().handle()).await;
        node.store.put_everywhere(&fault);
        for (what, outcome) in ask_everything(&node, &issued).await {
            assert!(
                matches!(outcome, Err(SessionError::Unavailable(_))),
                "{what} {fault:?} {outcome:?}"
            );
        }
        assert!(node.verify(&issued, &stateless()).await.is_ok(), "no I/O");
        assert!(!node.sessions.health().await.is_ready());
        assert_eq!(node.row(issued.session().handle()).await, row);
        assert_eq!(heard.rest().await, []);
        if matches!(fault, Fault::Hang) {
            continue;
        }
        node.store.heal();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(node.sessions.health().await.is_ready());
        assert!(node.refresh(&refresh_token(&issued)).await.is_ok());
    }
}

/// H9: a store that hangs is given up after the timeout, however many ask at once.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_given_up_after_the_timeout() {
    let node = Node::configured(|config| {
        config
            .store_timeout(Duration::from_secs(2))
            .max_concurrent_store_calls(4)
    })
    .await;
    settle().await;
    let issued = node.log_in("ann").await;
    node.store.put(Op::Get, Fault::Hang);
    let began = tokio::time::Instant::now();
    let answers = all_at_once((0..100).map(|_| {
        let (sessions, token) = (node.sessions.clone(), refresh_token(&issued));
        async move {
            sessions
                .refresh(&token, PresentedAntiCsrf::NotChecked)
                .await
        }
    }))
    .await;
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    for answer in answers {
        assert_unavailable(answer);
    }
    assert!(
        node.store.calls(Op::Get) <= 4,
        "hanging calls are not buried under more"
    );
}

/// F16, G10: when the answer of the swap is lost the client is told 503; asked again, it gets the
/// successor that was committed.
#[tokio::test]
async fn a_swap_whose_answer_was_lost_can_be_asked_for_again() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.store.put(Op::Rotate, Fault::LoseAnswer);
    assert_unavailable(node.refresh(&refresh_token(&issued)).await);
    node.store.heal();
    let row = node.row(issued.session().handle()).await.unwrap();
    assert_eq!(row.generation, 1);
    let again = node.refresh(&refresh_token(&issued)).await.unwrap();
    assert_eq!(
        node.row(issued.session().handle()).await.as_ref(),
        Some(&row),
        "the retry is a replay and writes nothing"
    );
    assert!(node.refresh(&refresh_token(&again)).await.is_ok());
}

/// F16: a theft whose revocation fails is 503; asked again, it is a theft.
#[tokio::test]
async fn a_theft_that_cannot_be_recorded_is_not_told_yet() {
    let (listener, mut heard) = Listener::new();
    let node = Node::with(FaultyStore::new(), |builder| builder.observer(listener)).await;
    let issued = node.log_in("ann").await;
    let _second = node.refresh(&refresh_token(&issued)).await.unwrap();
    node.advance(GRACE);
    node.store.put(Op::Revoke, Fault::Fail);
    assert_unavailable(node.refresh(&refresh_token(&issued)).await);
    assert_eq!(heard.rest().await, []);
    node.store.heal();
    assert_theft(node.refresh(&refresh_token(&issued)).await);
    assert!(heard.theft().await.revoked);
}

/// G10: a revocation whose answer was lost is 503; asked again it is done, and by then every check
/// refuses the session.
#[tokio::test(start_paused = true)]
async fn a_revocation_whose_answer_was_lost_is_heard_of_all_the_same() {
    for fault in [Fault::LoseAnswer, Fault::Hang] {
        let node = Node::new().await;
        settle().await;
        let issued = node.log_in("ann").await;
        assert!(node.verify(&issued, &check_blacklist()).await.is_ok());
        if matches!(fault, Fault::Hang) {
            let gate = node.store.hold_after(Op::Revoke);
            assert_unavailable(node.sessions.revoke(issued.session().handle()).await);
            gate.open();
        } else {
            node.store.put(Op::Revoke, fault);
            assert_unavailable(node.sessions.revoke(issued.session().handle()).await);
        }
        node.store.heal();
        settle().await;
        let again = node.sessions.revoke(issued.session().handle()).await;
        assert!(matches!(again, Ok(false)), "it was done the first time");
        assert_unauthorised(node.verify(&issued, &check_database()).await);
        assert_unauthorised(node.verify(&issued, &check_blacklist()).await);
        assert_unauthorised(node.refresh(&refresh_token(&issued)).await);
    }
}

/// G10: while nobody knows what became of a revocation, the blacklist cannot say that a session is
/// live: the database is asked, and when it is away the answer is 503.
#[tokio::test(start_paused = true)]
async fn while_a_revocation_is_in_doubt_the_blacklist_says_nothing() {
    let node = Node::new().await;
    let (ann, bob) = (node.log_in("ann").await, node.log_in("bob").await);
    node.store.put(Op::Revoke, Fault::LoseAnswer);
    node.store.put(Op::RevocationsSince, Fault::Fail);
    assert_unavailable(node.sessions.revoke(ann.session().handle()).await);
    settle().await;
    assert_unauthorised(node.verify(&ann, &check_blacklist()).await);
    assert!(node.verify(&bob, &check_blacklist()).await.is_ok());
    node.store.put(Op::Get, Fault::Fail);
    for issued in [&ann, &bob] {
        let outcome = node.verify(issued, &check_blacklist()).await;
        assert!(
            matches!(
                outcome,
                Err(SessionError::Unavailable(
                    BackendError::BlacklistStale { .. }
                ))
            ),
            "{outcome:?}"
        );
    }
    assert!(!node.sessions.health().await.blacklist.is_fresh());
    node.store.heal();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let reads = node.store.calls(Op::Get);
    assert_unauthorised(node.verify(&ann, &check_blacklist()).await);
    assert!(node.verify(&bob, &check_blacklist()).await.is_ok());
    assert_eq!(node.store.calls(Op::Get), reads, "fresh again");
}

/// G15: a handle that is taken is drawn anew, and not for ever.
#[tokio::test]
async fn a_handle_that_is_taken_is_drawn_anew() {
    let node = Node::new().await;
    node.store.take_handles(2);
    let issued = node.log_in("ann").await;
    assert_eq!(node.store.calls(Op::Create), 3);
    assert!(node.verify(&issued, &check_database()).await.is_ok());
    node.store.take_handles(100);
    assert_unavailable(node.sessions.create(NewSession::new(user_id("ann"))).await);
    assert_eq!(node.store.calls(Op::Create), 6);
}

/// G15: the handle of a session that was revoked is not free again.
#[tokio::test]
async fn the_handle_of_a_revoked_session_is_not_given_out_again() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let row = node.row(issued.session().handle()).await.unwrap();
    node.sessions
        .revoke(issued.session().handle())
        .await
        .unwrap();
    let created = node.store.inner().create(&row).await.unwrap();
    assert_eq!(created, session_core::store::Created::HandleTaken);
}

/// J10: a thousand clients that go away in the middle of a refresh leave no task and no place
/// taken, and each can ask again.
#[tokio::test]
async fn clients_that_go_away_leave_nothing_behind() {
    let node = Node::configured(|config| config.max_concurrent_store_calls(4)).await;
    let mut token = refresh_token(&node.log_in("ann").await);
    for round in 0..1_000_usize {
        let (sessions, presented) = (node.sessions.clone(), token.clone());
        let mut refresh = Box::pin(async move {
            sessions
                .refresh(&presented, PresentedAntiCsrf::NotChecked)
                .await
        });
        // Every place where a refresh can be dropped is met, from "not begun" to "answered".
        let mut answer = None;
        for _ in 0..round % 9 {
            if let Poll::Ready(answered) = poll(refresh.as_mut()) {
                answer = Some(answered);
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(refresh);
        if let Some(Ok(issued)) = answer {
            token = refresh_token(&issued);
        }
    }
    let refreshed = node.refresh(&token).await.unwrap();
    assert!(node.verify(&refreshed, &check_database()).await.is_ok());
    assert_eq!(tasks_alive(&node.sessions).await, 0);
}

/// J10: `shutdown` returns when what was begun has ended, and begins nothing new.
#[tokio::test]
async fn shutdown_waits_for_what_was_begun_and_begins_nothing() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    let gate = node.store.hold_before(Op::Rotate);
    let token = refresh_token(&issued);
    let mut refresh = Box::pin(node.refresh(&token));
    for _ in 0..8 {
        assert!(poll(refresh.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    gate.arrivals(1).await;
    drop(refresh);
    let mut shutdown = Box::pin(node.sessions.shutdown());
    for _ in 0..64 {
        assert!(
            poll(shutdown.as_mut()).is_pending(),
            "the swap is under way"
        );
        tokio::task::yield_now().await;
    }
    gate.open();
    shutdown.await;
    assert_eq!(
        node.row(issued.session().handle())
            .await
            .unwrap()
            .generation,
        1
    );
    assert_unavailable(node.refresh(&refresh_token(&issued)).await);
}

/// H9: a store that never answers does not keep the service from shutting down.
#[tokio::test(start_paused = true)]
async fn shutdown_gives_up_a_store_that_hangs() {
    let node = Node::new().await;
    let issued = node.log_in("ann").await;
    node.store.put_everywhere(&Fault::Hang);
    assert_unavailable(node.refresh(&refresh_token(&issued)).await);
    let began = tokio::time::Instant::now();
    node.sessions.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// J10: dropping the last clone ends the background tasks, and with them the last use of the store.
#[tokio::test]
async fn dropping_the_last_clone_ends_the_background_tasks() {
    let store = FaultyStore::shared(Duration::from_millis(100));
    let runtime = tokio::runtime::Handle::current().metrics();
    let before = runtime.num_alive_tasks();
    let node = Node::with(store, |builder| builder).await;
    let clone = node.sessions.clone();
    settle().await;
    assert!(runtime.num_alive_tasks() > before);
    drop(node);
    settle().await;
    assert!(runtime.num_alive_tasks() > before, "a clone is left");
    drop(clone);
    settle().await;
    assert_eq!(runtime.num_alive_tasks(), before);
}

/// Tasks that are left when a service has been shut down.
async fn tasks_alive(sessions: &Sessions) -> usize {
    sessions.shutdown().await;
    settle().await;
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
