//! A PostgreSQL with a standby, which lags behind and takes over.

use std::{sync::Arc, time::Duration};

use databases::Server;
use history::{Check, History, Reply};
use nodes::{Fleet, Habits, Load, Proxy, Way, until};
use servers::{Kind, OwnServer};
use tokio::time::{Instant, sleep};

use crate::ground::{Ground, PROMISE, assert_recovers, dice, log_in, quick};

/// H6: a node that was led to a standby, where an ended session still is, asks nothing there.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_lags_is_not_asked() {
    let primary = OwnServer::start(Kind::Postgres).unwrap();
    let line = Proxy::before(primary.url()).await;
    let behind = quick(&line.url(primary.url()));
    let fleet = Fleet::start([quick(primary.url()), behind]).await;
    fleet.until_well().await;
    let standby = OwnServer::standby_of(&primary).unwrap();
    let history = History::default();
    let (near, far) = (fleet.at(0), fleet.at(1));
    let (ended, kept) = (
        log_in(near, "ann", &history).await,
        log_in(near, "bob", &history).await,
    );
    let sessions = "SELECT count(*) FROM session_sessions";
    until("the standby has both", async || {
        standby_says(&standby, sessions, 2).await
    })
    .await;
    Server::Postgres
        .run(standby.url(), "SELECT pg_wal_replay_pause()")
        .await;
    assert_eq!(ended.peer().end(near, &history).await, Reply::Done);
    let began = history.now();
    line.set(Way::Cut);
    line.lead_to(standby.url());
    let from = history.now();
    line.set(Way::Open);
    let end = Instant::now() + 2 * PROMISE.max_staleness;
    while Instant::now() < end {
        for device in [&ended, &kept] {
            for check in [Check::Database, Check::Blacklist] {
                device.try_use(far, check, &history).await;
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(standby_says(&standby, sessions, 2).await);
    assert_eq!(fleet.node(1).health().await["is_ready"], false);
    let away = history.now();
    line.lead_to(primary.url());
    line.set(Way::Cut);
    line.set(Way::Open);
    history.record_outage(1, began, from..away);
    assert_recovers(&fleet).await;
    assert_eq!(
        ended.try_use(far, Check::Database, &history).await,
        Reply::Gone
    );
    assert_eq!(
        kept.try_use(far, Check::Database, &history).await,
        Reply::Done
    );
    history.assert_consistent(&PROMISE, "in the end");
    fleet.assert_no_panic();
}

/// H7: a primary that dies under load loses nothing to a synchronous standby that takes its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_standby_takes_over_without_loss() {
    let mut primary = OwnServer::start(Kind::Postgres).unwrap();
    let standby = OwnServer::standby_of(&primary).unwrap();
    Server::Postgres
        .run(
            primary.url(),
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
        )
        .await;
    Server::Postgres
        .run(primary.url(), "SELECT pg_reload_conf()")
        .await;
    until("the standby is synchronous", async || {
        let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        Server::Postgres.ask(primary.url(), synchronous).await == 1
    })
    .await;
    let line = Proxy::before(primary.url()).await;
    let settings = quick(&line.url(primary.url()));
    let fleet = Fleet::start([settings.clone(), settings]).await;
    fleet.until_well().await;
    let history = Arc::new(History::default());
    let mut dice = dice("failover");
    let load = Load::start(6, Habits::TwoTabs, fleet.places(), &history, &mut dice);
    until("clients are at work", async || history.refreshes() > 20).await;

    let began = history.now();
    primary.kill().unwrap();
    let from = history.now();
    Server::Postgres
        .run(standby.url(), "SELECT pg_promote()")
        .await;
    let away = history.now();
    line.lead_to(standby.url());
    for node in 0..2 {
        history.record_outage(node, began, from..away);
    }
    assert_recovers(&fleet).await;
    let before = history.refreshes();
    let go_on = async || history.refreshes() > before + 10;
    until("clients go on", go_on).await;
    let mut devices = load.stop().await;
    let ground = Ground::Server(Box::new(standby));
    let everywhere = fleet.everywhere();
    ground.find_out(&mut devices, &everywhere, &history).await;
    history.assert_consistent(&PROMISE, "after the failover");
    let ended = history.count(|event| event.reply == Reply::Gone);
    let refreshed = history.refreshes();
    println!("{refreshed} refreshes, {ended} uses of ended sessions refused");
    assert!(ended > 5, "{ended} refused");
    fleet.assert_no_panic();
}

async fn standby_says(standby: &OwnServer, query: &str, number: i64) -> bool {
    Server::Postgres.ask(standby.url(), query).await == number
}
