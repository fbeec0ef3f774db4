//! Nodes that are asked to end while clients are at work.

use std::sync::Arc;

use databases::{Database, Server};
use futures_util::future::join_all;
use history::{Check, History, Reply};
use nodes::{Fleet, Habits, Load, until};
use servers::Kind;
use tokio::net::TcpStream;

use crate::ground::{Ground, NEVER_AWAY, PROMISE, dice, log_in, quick};

/// L3: refreshes that wait for the database when a node is asked to end are answered, each with a
/// token that goes on elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn refreshes_that_have_begun_are_finished() {
    let database = Database::on(Server::Postgres);
    let settings = quick(&database.url().await)
        .with("--timeout-ms=60000")
        .with("--connections=8");
    let mut fleet = Fleet::start([settings.clone(), settings]).await;
    fleet.until_well().await;
    let history = History::default();
    let (stays, ends) = (fleet.at(0), fleet.at(1));
    let users = (0..IN_FLIGHT).map(|number| format!("user-{number}"));
    let logging_in = users.map(async |user| log_in(ends, &user, &history).await);
    let mut devices = join_all(logging_in).await;

    database.run("CREATE TABLE held AS SELECT 1").await;
    let holding = database.run(HOLD_SESSIONS);
    let refreshing = async {
        until("the sessions are held", async || {
            database.ask(HOLDING).await == 1
        })
        .await;
        let refreshing = devices
            .iter_mut()
            .map(|device| device.refresh(ends, &history));
        join_all(refreshing).await
    };
    let ending = async {
        until("the refreshes wait", async || {
            database.ask(WAITING).await >= IN_FLIGHT
        })
        .await;
        let releasing = async {
            until("the node takes no more requests", async || {
                TcpStream::connect(ends.address).await.is_err()
            })
            .await;
            assert!(database.ask(WAITING).await >= IN_FLIGHT);
            database.run("DELETE FROM held").await;
        };
        tokio::join!(fleet.end_one(1), releasing)
    };
    let ((), told, _) = tokio::join!(holding, refreshing, ending);
    for told in &told {
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
    }
    for device in &mut devices {
        let told = device.try_use(stays, Check::Database, &history).await;
        assert_eq!(told, Reply::Done);
        let told = device.refresh(stays, &history).await;
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
    }
    history.assert_consistent(&NEVER_AWAY, "a node has ended");
    fleet.assert_no_panic();
}

/// L3: nodes that end and start again in turn, while clients use them all: what was answered holds,
/// and what was not can be asked again.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_come_and_go_lose_nothing() {
    let ground = Ground::server(Kind::Postgres);
    let settings = ground.settings().with("--timeout-ms=20000");
    let history = Arc::new(History::default());
    let mut dice = dice("farewells");
    let mut fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    fleet.until_well().await;
    let load = Load::start(6, Habits::TwoTabs, fleet.places(), &history, &mut dice);
    for node in (0..3).cycle().take(ROUNDS) {
        let before = history.refreshes();
        let is_so = async || history.refreshes() > before + 10;
        until("clients are at work", is_so).await;
        let began = history.now();
        fleet.end_one(node).await;
        fleet.start_again(node).await;
        history.record_absence(node, began);
    }
    let mut devices = load.stop().await;
    fleet.until_well().await;
    let everywhere = fleet.everywhere();
    ground.find_out(&mut devices, &everywhere, &history).await;
    history.assert_consistent(&PROMISE, "nodes have come and gone");
    let unheard = history.count(|event| event.reply == Reply::Nothing);
    let unavailable = history.count(|event| event.reply == Reply::Unavailable);
    println!(
        "{} events, {unheard} without an answer",
        history.count(|_| true)
    );
    assert_eq!(unavailable, 0, "the database was there");
    assert!(unheard > 0, "no node was missed");
    fleet.assert_no_panic();
}

/// A purge may come to wait beside them.
const IN_FLIGHT: i64 = 4;
/// Nobody reads or writes sessions until what is held is let go.
const HOLD_SESSIONS: &str = "DO $$ BEGIN \
     LOCK TABLE session_sessions; \
     WHILE EXISTS (SELECT FROM held) LOOP PERFORM pg_sleep(0.01); END LOOP; \
     END $$";
const HOLDING: &str = "SELECT count(*) FROM pg_locks WHERE granted \
     AND relation = 'session_sessions'::regclass AND mode = 'AccessExclusiveLock'";
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted \
     AND relation = 'session_sessions'::regclass";
const ROUNDS: usize = 6;
