//! Nodes and databases that are killed while clients are at work.

use std::{env, sync::Arc, time::Duration};

use fastrand::Rng;
use history::{Check, Deed, Event, History, Promise, Reply};
use nodes::{Fleet, Habits, Load};
use servers::Kind;
use tokio::time::sleep;

use crate::ground::Ground;

/// L1, H12: two nodes on one file, killed at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_on_sqlite_loses_nothing_acknowledged() {
    kill(Ground::file()).await;
}

/// L1, H12, G10: so it is on PostgreSQL, which is killed as often.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_postgres_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::Postgres)).await;
}

/// L1, H12, G10: so it is on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_mariadb_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::MariaDb)).await;
}

/// L1, H12, G10: so it is on a Redis that writes before it answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_redis_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::Redis)).await;
}

/// No acknowledged login, refresh or revocation is missing, what was not acknowledged has happened or
/// has not, nobody is taken for a thief, and all that is left can go on.
async fn kill(mut ground: Ground) {
    let rounds = rounds();
    let history = Arc::new(History::default());
    let mut dice = Rng::new();
    // Lines of a dead server break at once: only a busy machine makes anybody wait.
    let settings = ground.settings().with("--timeout-ms=20000");
    let mut fleet = Fleet::start([settings.clone(), settings]).await;
    for round in 1..=rounds {
        let load = Load::start(
            DEVICES,
            Habits::TwoTabs,
            fleet.places(),
            &history,
            &mut dice,
        );
        sleep(some_time(&mut dice)).await;
        match &mut ground {
            Ground::Server(server) if round % 2 == 0 => {
                server.kill().unwrap();
                let from = history.now();
                sleep(some_time(&mut dice)).await;
                let until = history.now();
                server.start_again().unwrap();
                for node in 0..2 {
                    history.record_outage(node, from, until);
                }
            }
            _ => {
                let node = dice.usize(..2);
                fleet.kill(node).await;
                fleet.start_again(node).await;
            }
        }
        fleet.until_well().await;
        sleep(some_time(&mut dice)).await;
        let mut devices = load.stop().await;
        let at = fleet.at(dice.usize(..2));
        ground.find_out(&mut devices, at, &history).await;
        if round % 10 == 0 || round == rounds {
            history.assert_consistent(&PROMISE, &format!("after {round} kills"));
        }
    }
    fleet.assert_no_panic();
    assert_telling(&ground, &history, rounds);
}

/// Fails if so little happened that nothing is proved.
#[track_caller]
fn assert_telling(ground: &Ground, history: &History, rounds: usize) {
    let refreshed = history.count(|event| matches!(event.reply, Reply::Successor(_)));
    let ended = history.count(|event| {
        event.reply == Reply::Done && matches!(event.deed, Deed::End | Deed::EndAll(_))
    });
    let unheard = history.count(|event| {
        let is_unknown = matches!(event.reply, Reply::Nothing | Reply::Unavailable);
        is_unknown && writes(event)
    });
    let refused = history.count(|event| {
        event.reply == Reply::Gone
            && matches!(event.deed, Deed::Use(Check::Database | Check::Blacklist))
    });
    let name = ground.name();
    println!(
        "{name}: {rounds} kills, {} events: {refreshed} refreshes and {ended} revocations \
         acknowledged, {unheard} unheard of, {refused} uses of ended sessions refused",
        history.count(|_| true)
    );
    assert!(refreshed > 5 * rounds, "{refreshed} refreshes");
    assert!(ended > rounds / 2, "{ended} revocations");
    assert!(unheard > rounds / 2, "{unheard} without an answer");
    assert!(refused > rounds / 2, "{refused} refused");
}

fn writes(event: &Event) -> bool {
    !matches!(event.deed, Deed::Use(_) | Deed::Look)
}

fn some_time(dice: &mut Rng) -> Duration {
    Duration::from_millis(dice.u64(20..150))
}

/// How often something is killed: `SESSION_TEST_KILL_ROUNDS`, or a few times.
fn rounds() -> usize {
    env::var("SESSION_TEST_KILL_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap())
}

/// Nobody uses a token again on purpose.
const PROMISE: Promise = Promise {
    max_staleness: Duration::from_secs(1),
    grace: Duration::from_secs(30),
    recovery: Duration::from_secs(5),
};
const DEVICES: usize = 6;
