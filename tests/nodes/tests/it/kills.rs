//! Nodes and databases that are killed while clients are at work.

use std::{env, sync::Arc, time::Duration};

use fastrand::Rng;
use history::{Check, Deed, Event, History, Promise, Reply};
use nodes::{Fleet, Habits, Load, until};
use servers::Kind;
use tokio::time::sleep;

use crate::ground::{Ground, PROMISE, dice};

/// L1, H12: two nodes on one file, killed at any moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_on_sqlite_loses_nothing_acknowledged() {
    kill(Ground::file(), &HONESTLY).await;
}

/// L1, H12, G10: so it is on PostgreSQL, which is killed as often.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_postgres_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::Postgres), &HONESTLY).await;
}

/// L1, H12, G10: so it is on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_mariadb_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::MariaDb), &HONESTLY).await;
}

/// L1, H12, G10: so it is on a Redis that writes before it answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_redis_loses_nothing_acknowledged() {
    kill(Ground::server(Kind::Redis), &HONESTLY).await;
}

/// L1, INV-4: and a thief is found out by SQLite, however often nodes are killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_on_sqlite_forgives_no_theft() {
    kill(Ground::file(), &WITH_THIEVES).await;
}

/// L1, INV-4: so it is on PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_postgres_forgives_no_theft() {
    kill(Ground::server(Kind::Postgres), &WITH_THIEVES).await;
}

/// L1, INV-4: so it is on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_mariadb_forgives_no_theft() {
    kill(Ground::server(Kind::MariaDb), &WITH_THIEVES).await;
}

/// L1, INV-4: and so it is on Redis.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_redis_forgives_no_theft() {
    kill(Ground::server(Kind::Redis), &WITH_THIEVES).await;
}

/// Who the clients are.
struct Crowd {
    name: &'static str,
    habits: Habits,
    promise: Promise,
}

/// No acknowledged login, refresh or revocation is missing, what was not acknowledged has happened or
/// has not, nobody is taken for a thief, and all that is left can go on.
async fn kill(mut ground: Ground, crowd: &Crowd) {
    let rounds = rounds();
    let history = Arc::new(History::default());
    let name = format!("{} {}", ground.name(), crowd.name);
    let mut dice = dice(&name);
    // Lines of a dead server break at once: only a busy machine makes anybody wait.
    let settings = ground
        .settings()
        .with("--timeout-ms=20000")
        .with(format!("--grace-ms={}", crowd.promise.grace.as_millis()));
    let mut fleet = Fleet::start([settings.clone(), settings]).await;
    for round in 1..=rounds {
        let load = Load::start(DEVICES, crowd.habits, fleet.places(), &history, &mut dice);
        sleep(some_time(&mut dice)).await;
        let before = history.refreshes();
        let began = history.now();
        match &mut ground {
            Ground::Server(server) if round % 2 == 0 => {
                server.kill().unwrap();
                let from = history.now();
                sleep(some_time(&mut dice)).await;
                let until = history.now();
                server.start_again().unwrap();
                for node in 0..2 {
                    history.record_outage(node, began, from..until);
                }
            }
            _ => {
                let node = dice.usize(..2);
                fleet.kill(node).await;
                fleet.start_again(node).await;
                history.record_absence(node, began);
            }
        }
        fleet.until_well().await;
        let go_on = async || history.refreshes() > before + 5;
        until("clients go on", go_on).await;
        let mut devices = load.stop().await;
        let everywhere = fleet.everywhere();
        ground.find_out(&mut devices, &everywhere, &history).await;
        if round % 10 == 0 || round == rounds {
            let when = format!("{name} after {round} kills");
            history.assert_consistent(&crowd.promise, &when);
        }
    }
    fleet.assert_no_panic();
    assert_telling(&name, &history, rounds);
    let thefts = history.count(|event| event.reply == Reply::Theft);
    println!("{name}: {thefts} thefts found");
    assert_eq!(
        thefts > 0,
        matches!(crowd.habits, Habits::Theft(_)),
        "{name}: {thefts} thefts"
    );
}

/// Fails if so little happened that nothing is proved.
#[track_caller]
fn assert_telling(name: &str, history: &History, rounds: usize) {
    let (refreshed, ended) = (history.refreshes(), history.endings());
    let unheard = history.count(|event| {
        let is_unknown = matches!(event.reply, Reply::Nothing | Reply::Unavailable);
        is_unknown && writes(event)
    });
    let refused_by = |check| {
        history.count(|event| (&event.deed, &event.reply) == (&Deed::Use(check), &Reply::Gone))
    };
    let (refused, blacklisted) = (refused_by(Check::Database), refused_by(Check::Blacklist));
    println!(
        "{name}: {rounds} kills, {} events: {refreshed} refreshes and {ended} revocations \
         acknowledged, {unheard} unheard of, {refused} uses of ended sessions refused by the \
         database and {blacklisted} by the blacklist",
        history.count(|_| true)
    );
    assert!(ended > rounds / 2, "{ended} revocations");
    assert!(unheard > rounds / 2, "{unheard} without an answer");
    assert!(refused > rounds / 2, "{refused} refused");
    assert!(
        blacklisted > rounds,
        "{blacklisted} refused by the blacklist"
    );
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

const HONESTLY: Crowd = Crowd {
    name: "among the honest",
    habits: Habits::TwoTabs,
    promise: PROMISE,
};
/// So short that copied tokens are older than that between two kills. An honest client that tries
/// again later may be taken for a thief.
const GRACE: Duration = Duration::from_millis(50);
const WITH_THIEVES: Crowd = Crowd {
    name: "among thieves",
    habits: Habits::Theft(GRACE),
    promise: Promise {
        grace: GRACE,
        ..PROMISE
    },
};
const DEVICES: usize = 6;
