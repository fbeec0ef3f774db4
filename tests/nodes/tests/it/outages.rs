//! A database that a node cannot reach, that hangs, dies or has no room: what needs it is refused,
//! what does not goes on, and all is well again afterwards without a restart.

use std::time::Duration;

use databases::Server;
use futures_util::future::join_all;
use history::{Check, History, Reply};
use nodes::{Device, Fleet, Place, Proxy, Resources, Settings, Way, until};
use servers::{Kind, OwnServer};

use crate::ground::{PROMISE, assert_recovers, log_in, quick};

/// I1, I2, I3, H10: a node whose line to PostgreSQL is cut, stopped up in one direction or both, or
/// slow beyond use.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_postgres_falls_closed_and_comes_back() {
    cut_off(&OwnServer::start(Kind::Postgres).unwrap()).await;
}

/// I1, I2, I3, H10: so it is on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_mariadb_falls_closed_and_comes_back() {
    cut_off(&OwnServer::start(Kind::MariaDb).unwrap()).await;
}

/// I1, I2, I3, I13: and so it is on Redis, where it is the store.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_redis_falls_closed_and_comes_back() {
    cut_off(&OwnServer::start(Kind::Redis).unwrap()).await;
}

/// H9, G9, H12: PostgreSQL hangs, and dies.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_outlive_a_postgres_that_hangs_or_dies() {
    hang_and_die(OwnServer::start(Kind::Postgres).unwrap()).await;
}

/// H9, G9, H12: so does MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_outlive_a_mariadb_that_hangs_or_dies() {
    hang_and_die(OwnServer::start(Kind::MariaDb).unwrap()).await;
}

/// H9, G9, I9: and so does Redis.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_outlive_a_redis_that_hangs_or_dies() {
    hang_and_die(OwnServer::start(Kind::Redis).unwrap()).await;
}

/// H11: a PostgreSQL that has no connection left for a node.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_connection_falls_closed_and_comes_back() {
    let server = OwnServer::start(Kind::Postgres).unwrap();
    let admit = async |connections: i32| {
        let limit = format!("ALTER ROLE node CONNECTION LIMIT {connections}");
        Server::Postgres.run(server.url(), &limit).await;
    };
    let account = "CREATE ROLE node LOGIN PASSWORD 'node'; GRANT CREATE ON SCHEMA public TO node";
    Server::Postgres.run(server.url(), account).await;
    let (_, place) = server.url().rsplit_once('@').unwrap();
    let settings = impatient(&format!("postgres://node:node@{place}"));
    let fleet = Fleet::start([settings.clone(), settings]).await;
    fleet.until_well().await;
    let history = History::default();
    let (ended, kept) = (
        log_in(fleet.at(0), "ann", &history).await,
        log_in(fleet.at(0), "bob", &history).await,
    );
    assert_eq!(ended.peer().end(fleet.at(0), &history).await, Reply::Done);
    let began = history.now();
    admit(0).await;
    let disconnect =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'node'";
    Server::Postgres.run(server.url(), disconnect).await;
    let from = history.now();
    assert_closed(&kept, &ended, fleet.at(1), &history).await;
    let away = history.now();
    admit(-1).await;
    for node in 0..2 {
        history.record_outage(node, began, from..away);
    }
    assert_recovers(&fleet).await;
    assert_open(kept, fleet.at(1), &history).await;
    history.assert_consistent(&PROMISE, "in the end");
    fleet.assert_no_panic();
}

/// One of two nodes is behind a proxy; what the other one ends is never let through by it for longer
/// than it may.
async fn cut_off(server: &OwnServer) {
    let proxy = Proxy::before(server.url()).await;
    let behind = impatient(&proxy.url(server.url()));
    let fleet = Fleet::start([impatient(server.url()), behind]).await;
    let mut warm = None;
    for way in [
        Way::Cut,
        Way::BlackHole,
        Way::NoAnswers,
        Way::NoQuestions,
        Way::Slow(1),
    ] {
        fleet.until_well().await;
        let history = History::default();
        let (near, far) = (fleet.at(0), fleet.at(1));
        let (ended, kept) = (
            log_in(near, "ann", &history).await,
            log_in(near, "bob", &history).await,
        );
        for device in [&ended, &kept] {
            let told = device.try_use(far, Check::Blacklist, &history).await;
            assert_eq!(told, Reply::Done, "{way:?}");
        }
        // All at once, so that its pool is as large as it gets.
        let at_once = [&kept; 16].map(|device| device.try_use(far, Check::Database, &history));
        join_all(at_once).await;
        let now = Resources::of(fleet.node(1)).await;
        let before = *warm.get_or_insert(now);
        let began = history.now();
        proxy.set(way);
        let from = history.now();
        assert_eq!(ended.peer().end(near, &history).await, Reply::Done);
        assert_closed(&kept, &ended, far, &history).await;
        let away = history.now();
        proxy.set(Way::Open);
        history.record_outage(1, began, from..away);
        assert_recovers(&fleet).await;
        assert_eq!(
            ended.try_use(far, Check::Blacklist, &history).await,
            Reply::Gone,
            "{way:?}"
        );
        assert_open(kept, far, &history).await;
        history.assert_consistent(&PROMISE, &format!("{way:?}"));
        let given_back = format!("what {way:?} took of {before:?} is given back");
        until(&given_back, async || {
            let now = Resources::of(fleet.node(1)).await;
            now.kept_since(&before).is_empty()
        })
        .await;
    }
    fleet.assert_no_panic();
}

/// Nobody reaches the server: it is stopped and goes on, and it is killed and started again.
async fn hang_and_die(mut server: OwnServer) {
    let settings = impatient(server.url());
    let fleet = Fleet::start([settings.clone(), settings]).await;
    for dies in [false, true] {
        fleet.until_well().await;
        let history = History::default();
        let at = fleet.at(1);
        let (ended, kept) = (
            log_in(at, "ann", &history).await,
            log_in(at, "bob", &history).await,
        );
        assert_eq!(ended.peer().end(fleet.at(0), &history).await, Reply::Done);
        let calm = pace(&kept, at, &history).await;
        let began = history.now();
        if dies {
            server.kill().unwrap();
        } else {
            server.pause().unwrap();
        }
        let from = history.now();
        assert_closed(&kept, &ended, at, &history).await;
        assert_eq!(kept.peer().end(at, &history).await, Reply::Unavailable);
        let outage = pace(&kept, at, &history).await;
        println!(
            "{:?}: stateless {calm:?} in calm, {outage:?} in an outage",
            server.kind()
        );
        assert!(outage < calm * 2 + NOISE, "{calm:?}, {outage:?}");
        let away = history.now();
        if dies {
            server.start_again().unwrap();
        } else {
            server.resume().unwrap();
        }
        for node in 0..2 {
            history.record_outage(node, began, from..away);
        }
        assert_recovers(&fleet).await;
        assert_eq!(
            ended.try_use(at, Check::Database, &history).await,
            Reply::Gone
        );
        // What was given up may have been done.
        let fresh = log_in(at, "cat", &history).await;
        assert_open(fresh, at, &history).await;
        history.assert_consistent(&PROMISE, &format!("dies: {dies}"));
    }
    fleet.assert_no_panic();
}

/// What needs the database is refused in time, the blacklist closes when it is too old, whether a
/// session has ended or not, and what needs nothing is served.
async fn assert_closed(device: &Device, ended: &Device, at: Place, history: &History) {
    let asked = history.now();
    let told = device.try_use(at, Check::Database, history).await;
    assert_eq!(told, Reply::Unavailable);
    assert!(history.now().saturating_sub(asked) < TIMEOUT + IN_TIME);
    // The history will tell whether it did so in time.
    until("the blacklist closes, and stays closed", async || {
        ended.try_use(at, Check::Blacklist, history).await;
        let told = device.try_use(at, Check::Blacklist, history).await;
        let is_late = history.now() > asked + 2 * PROMISE.max_staleness;
        told == Reply::Unavailable && is_late
    })
    .await;
    assert_eq!(
        device.try_use(at, Check::Stateless, history).await,
        Reply::Done
    );
    assert_eq!(
        device.clone().refresh(at, history).await,
        Reply::Unavailable
    );
}

/// Everything works again.
async fn assert_open(mut device: Device, at: Place, history: &History) {
    for check in [Check::Stateless, Check::Blacklist, Check::Database] {
        assert_eq!(
            device.try_use(at, check, history).await,
            Reply::Done,
            "{check:?}"
        );
    }
    assert!(matches!(
        device.refresh(at, history).await,
        Reply::Successor(_)
    ));
    assert_eq!(device.peer().end(at, history).await, Reply::Done);
    assert_eq!(
        device.try_use(at, Check::Blacklist, history).await,
        Reply::Gone
    );
}

/// The time of a check that needs nothing. Of the fastest ones, as a machine may be busy, and what
/// waits for a database that is away is slow each time.
async fn pace(device: &Device, at: Place, history: &History) -> Duration {
    let mut times = Vec::new();
    for _ in 0..101 {
        let asked = history.now();
        assert_eq!(
            device.try_use(at, Check::Stateless, history).await,
            Reply::Done
        );
        times.push(history.now().saturating_sub(asked));
    }
    times.sort_unstable();
    times[times.len() / 10]
}

fn impatient(url: &str) -> Settings {
    quick(url).with(format!("--timeout-ms={}", TIMEOUT.as_millis()))
}

/// Long enough for a busy machine in calm.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// What an answer may take beyond that, on a machine that is busy.
const IN_TIME: Duration = Duration::from_secs(2);
/// What a busy machine adds to a request of half a millisecond.
const NOISE: Duration = Duration::from_millis(10);
