//! Rotation: one lineage for everybody who holds a session's tokens honestly, and the end of the
//! session for everybody else (security F).

use std::time::Duration;

use serde_json::json;
use session_core::{
    SessionsBuilder, UserId, async_trait,
    config::TheftDetection,
    observer::{ReplayClass, ReplayEvent, SessionObserver, TheftEvent},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::{
    TestApp,
    client::{Answer, Browser, Mode},
};
use crate::faulty_store::{Fault, Operation};

/// Passes on what it hears.
#[derive(Debug)]
struct Listener {
    thefts: UnboundedSender<TheftEvent>,
    replays: UnboundedSender<ReplayEvent>,
}

#[async_trait]
impl SessionObserver for Listener {
    async fn theft_detected(&self, event: &TheftEvent) {
        self.thefts.send(event.clone()).unwrap();
    }

    async fn replayed_within_grace(&self, event: &ReplayEvent) {
        self.replays.send(event.clone()).unwrap();
    }
}

struct Heard {
    thefts: UnboundedReceiver<TheftEvent>,
    replays: UnboundedReceiver<ReplayEvent>,
}

/// An application whose thefts and replays can be heard of.
async fn listened_to(
    app: &TestApp,
    change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
) -> (TestApp, Heard) {
    let (theft_sender, thefts) = unbounded_channel();
    let (replay_sender, replays) = unbounded_channel();
    let listener = Listener {
        thefts: theft_sender,
        replays: replay_sender,
    };
    let app = app.with(|builder| change(builder.observer(listener))).await;
    (app, Heard { thefts, replays })
}

/// Wire case 26, F2: inside the window a superseded token gets the very same successor,
/// writes nothing and moves no window.
pub async fn a_replay_inside_the_grace_window_gets_the_same_token(app: &TestApp) {
    let (app, mut heard) = listened_to(app, |builder| builder).await;
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let slow = alice.copy();
        let refreshed = alice.refresh().await;
        refreshed.assert_status(200);
        let writes = app.store().calls(Operation::Rotate);
        for seconds in [0, 10, 19] {
            app.advance(Duration::from_secs(seconds));
            let replay = slow.copy();
            let answer = replay.refresh().await;
            answer.assert_status(200);
            assert_eq!(replay.refresh_token(), alice.refresh_token());
            replay.get("/database").await.assert_user("alice");
            let event = heard.replays.recv().await.unwrap();
            assert_eq!(event.handle, alice.handle());
            assert_eq!(event.steps_behind, 1);
        }
        assert_eq!(app.store().calls(Operation::Rotate), writes);
        alice.get("/database").await.assert_user("alice");
        app.advance(Duration::from_secs(1));
        slow.refresh().await.assert_status(401);
    }
    drop(heard.thefts.recv().await.unwrap());
}

/// F1, wire case 21: outside the window a superseded token is theft: the session is over for
/// both parties, and those who listen hear of it once.
pub async fn a_replay_after_the_window_is_theft(app: &TestApp) {
    let (app, mut heard) = listened_to(app, |builder| builder).await;
    for mode in [Mode::Cookie, Mode::Header] {
        let alice = app.log_in_by(mode, "alice").await;
        let thief = alice.copy();
        alice.refresh().await.assert_status(200);
        app.advance(Duration::from_secs(30));

        let answer = thief.copy().refresh().await;
        answer
            .assert_status(401)
            .assert_message("token theft detected");
        answer.assert_tokens_cleared();
        let theft = heard.thefts.recv().await.unwrap();
        assert_eq!(theft.user, UserId::try_from("alice").unwrap());
        assert_eq!(theft.handle, alice.handle());
        assert_eq!(theft.class, ReplayClass::AfterGrace);
        assert!(theft.revoked);

        thief.copy().refresh().await.assert_session_over();
        alice.copy().get("/database").await.assert_session_over();
        alice.copy().get("/blacklist").await.assert_session_over();
        alice.copy().refresh().await.assert_session_over();
        assert!(heard.thefts.try_recv().is_err(), "one theft, one event");
    }
}

/// F3 (as the design has it): a slow tab among fast ones is no thief, however many steps behind, as
/// long as it was superseded inside the window and the row remembers.
pub async fn a_slow_tab_gets_the_current_token(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let mut ancestors = Vec::new();
    for _ in 0..8 {
        ancestors.push(alice.copy());
        app.advance(Duration::from_secs(1));
        alice.refresh().await.assert_status(200);
    }
    for ancestor in ancestors {
        ancestor.refresh().await.assert_status(200);
        assert_eq!(ancestor.refresh_token(), alice.refresh_token());
    }
    alice.get("/database").await.assert_user("alice");
}

/// F3: more steps behind than the row remembers is theft, even inside the window.
pub async fn a_token_beyond_memory_is_theft(app: &TestApp) {
    let (app, mut heard) = listened_to(app, |builder| builder).await;
    let alice = app.log_in("alice").await;
    let first = alice.copy();
    for _ in 0..9 {
        alice.refresh().await.assert_status(200);
    }
    let answer = first.refresh().await;
    answer
        .assert_status(401)
        .assert_message("token theft detected");
    let theft = heard.thefts.recv().await.unwrap();
    assert_eq!(theft.class, ReplayClass::StaleGeneration);
    alice.refresh().await.assert_session_over();
}

/// F6: a hundred refreshes of one token at once are one rotation: all succeed with the same
/// successor.
pub async fn a_hundred_refreshes_at_once_are_one_lineage(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let tabs: Vec<_> = (0..100).map(|_| alice.copy()).collect();
    let answers = futures_util::future::join_all(tabs.iter().map(Browser::refresh)).await;
    for answer in &answers {
        answer.assert_status(200);
        assert_eq!(answer.refresh_token(), answers[0].refresh_token());
    }
    for tab in &tabs {
        tab.get("/database").await.assert_user("alice");
    }
    app.advance(Duration::from_mins(5));
    tabs[57].refresh().await.assert_status(200);
    alice.refresh().await.assert_message("token theft detected");
}

/// F7: without a window, of many refreshes at once one succeeds, the others are theft, and the
/// session is over.
pub async fn without_a_window_one_of_many_succeeds(app: &TestApp) {
    let app = app
        .with(|builder| builder.config(|config| config.rotation_grace(Duration::ZERO)))
        .await;
    let alice = app.log_in("alice").await;
    let tabs: Vec<_> = (0..20).map(|_| alice.copy()).collect();
    let answers = futures_util::future::join_all(tabs.iter().map(Browser::refresh)).await;
    let succeeded = answers.iter().filter(|answer| answer.status() == 200);
    assert_eq!(succeeded.count(), 1);
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        answer.assert_status(401).assert_tokens_cleared();
    }
    alice.copy().get("/database").await.assert_session_over();
}

/// F8, J10: a client that goes away in the middle of its refresh leaves nothing half-done and can
/// try again; after the window the old token is theft, as documented.
pub async fn a_client_that_goes_away_can_try_again(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let store = app.store();
    for _ in 0..3 {
        let rotations = store.calls(Operation::Rotate);
        store.break_with(Operation::Rotate, Fault::Delayed);
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nCookie: sRefreshToken={}\r\n\r\n",
            app.refresh_path(),
            alice.refresh_token(),
        );
        let mut client = TcpStream::connect(app.address()).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        store.begun(Operation::Rotate, rotations + 1).await;
        drop(client);
        store.repair();
        alice.refresh().await.assert_status(200);
        alice.get("/database").await.assert_user("alice");
    }
    app.advance(Duration::from_mins(5));
    alice.refresh().await.assert_status(200);
}

/// F15: those who listen may be slow or panic; the session is over before they hear of it.
pub async fn a_listener_delays_nothing(app: &TestApp) {
    #[derive(Debug)]
    struct Troubled(bool);

    #[async_trait]
    impl SessionObserver for Troubled {
        async fn theft_detected(&self, _: &TheftEvent) {
            assert!(self.0, "the listener panics");
            std::future::pending::<()>().await;
        }
    }

    for waits in [true, false] {
        let app = app.with(|builder| builder.observer(Troubled(waits))).await;
        let alice = app.log_in("alice").await;
        let thief = alice.copy();
        alice.refresh().await.assert_status(200);
        app.advance(Duration::from_mins(1));
        let answer = thief.refresh().await;
        answer.assert_message("token theft detected");
        alice.get("/database").await.assert_session_over();
    }
}

/// F19: a restart forgets no rotation.
pub async fn a_restart_forgets_no_rotation(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let thief = alice.copy();
    alice.refresh().await.assert_status(200);
    app.advance(Duration::from_secs(10));
    let restarted = app.beside(|builder| builder).await;
    thief
        .copy()
        .at(&restarted)
        .refresh()
        .await
        .assert_status(200);
    app.advance(Duration::from_secs(20));
    let restarted = app.beside(|builder| builder).await;
    let answer = thief.at(&restarted).refresh().await;
    answer.assert_message("token theft detected");
}

/// F6: two nodes on one store make the same successor, whoever is asked first.
pub async fn nodes_agree_on_the_successor(app: &TestApp) {
    let other = app.beside(|builder| builder).await;
    let alice = app.log_in("alice").await;
    let tabs: Vec<_> = (0..20).map(|_| alice.copy()).collect();
    let refreshes = tabs.iter().enumerate().map(|(number, tab)| {
        let tab = if number % 2 == 0 {
            tab.copy()
        } else {
            tab.at(&other)
        };
        async move { tab.refresh().await }
    });
    let answers: Vec<Answer> = futures_util::future::join_all(refreshes).await;
    for answer in &answers {
        answer.assert_status(200);
        assert_eq!(answer.refresh_token(), answers[0].refresh_token());
    }
}

/// Design §5: a rotated refresh key logs nobody out, and does not fork a lineage that is under way.
pub async fn a_rotated_key_logs_nobody_out(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let slow = alice.copy();
    alice.refresh().await.assert_status(200);
    app.advance(Duration::from_secs(1));
    app.sessions().rotate_refresh_key().await.unwrap();
    slow.refresh().await.assert_status(200);
    assert_eq!(slow.refresh_token(), alice.refresh_token());
    for _ in 0..3 {
        app.advance(Duration::from_mins(2));
        alice.refresh().await.assert_status(200);
        alice.get("/database").await.assert_user("alice");
    }
}

/// G2: a session that is revoked while it is refreshed is over: the refresh gives nothing that
/// works.
pub async fn a_revocation_beats_a_refresh_under_way(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let store = app.store();
    let handle = alice.handle();
    let rotations = store.calls(Operation::Rotate);
    store.break_with(Operation::Rotate, Fault::Delayed);
    let revoke = async {
        store.begun(Operation::Rotate, rotations + 1).await;
        app.revoke(&handle).await;
        store.repair();
    };
    let copy = alice.copy();
    let (answer, ()) = tokio::join!(copy.refresh(), revoke);
    answer.assert_session_over();
    alice.copy().get("/database").await.assert_session_over();
    alice.refresh().await.assert_session_over();
}

/// Design §5: in shadow mode what would be theft is told and lets the session live.
pub async fn shadow_mode_tells_and_lets_live(app: &TestApp) {
    let (app, mut heard) = listened_to(app, |builder| {
        builder.config(|config| config.theft_detection(TheftDetection::Shadow))
    })
    .await;
    let alice = app.log_in("alice").await;
    let old = alice.copy();
    alice.refresh().await.assert_status(200);
    for minutes in [1, 60, 600] {
        app.advance(Duration::from_mins(minutes));
        let copy = old.copy();
        copy.refresh().await.assert_status(200);
        copy.get("/database").await.assert_user("alice");
        let theft = heard.thefts.recv().await.unwrap();
        assert!(!theft.revoked);
        assert_eq!(theft.handle, alice.handle());
    }
    alice.refresh().await.assert_status(200);
    alice.get("/database").await.assert_user("alice");
}

/// F14: a payload that changes during a refresh is in the database afterwards, and in the next
/// token at the latest.
pub async fn a_change_during_a_refresh_is_not_lost(app: &TestApp) {
    let alice = app.log_in("alice").await;
    let store = app.store();
    let rotations = store.calls(Operation::Rotate);
    store.break_with(Operation::Rotate, Fault::Delayed);
    let handle = alice.handle();
    let change = async {
        store.begun(Operation::Rotate, rotations + 1).await;
        let update = serde_json::Map::from_iter([("a".to_owned(), json!(1))]);
        let changed = app.sessions().merge_payload(&handle, update).await;
        assert!(changed.unwrap());
        store.repair();
    };
    let (answer, ()) = tokio::join!(alice.refresh(), change);
    answer.assert_status(200);
    let answer = alice.get("/database").await;
    assert_eq!(answer.json()["payload"], json!({ "a": 1 }));
    let claims = super::client::claims(&alice.access_token());
    assert_eq!(claims["a"], 1);
}
