//! Hearing of revocations by PostgreSQL's notifications. Nodes read the table once an hour here, so
//! what they hear sooner they were told, or had a reason to look.

use std::time::{Duration, SystemTime};

use session_core::{
    AppInfo, Sessions,
    blacklist::{Notifications, Unreliable},
    sessions::BlacklistHealth,
    store::{SessionRecord, SessionStore},
};
use session_sqlx::{ConnectOptions, PgPool, SqlxStore};
use session_testkit::store::records::{RETENTION, all_of, create, named, session};
use sqlx::AssertSqlSafe;
use tokio::time::{Instant, timeout};

use crate::{
    pooler::Pooler,
    servers::{Database, Opening, PATIENCE, Server},
};

/// Design §7: a node hears of what another one revoked without asking, alone or with the
/// application's own transaction, and a heartbeat makes its set fresh. However the two say which
/// schema the tables are in.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_of_revocations_at_once() {
    let database = Database::on(Server::Postgres);
    let options = database.options().await.schema("public");
    let other = SqlxStore::connect_with(options).await.unwrap();
    let node = node_on(database.options().await.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    for name in ["alone", "together", "kept"] {
        create(&other, &live(name)).await;
    }

    other.revoke(&named(&["alone"]), RETENTION).await.unwrap();
    until(&node, |set| set.entries == 1).await;

    let pool = PgPool::connect(&database.url().await).await.unwrap();
    let mut undone = pool.begin().await.unwrap();
    let revoked = other
        .revoke_in(&mut undone, &named(&["kept"]), RETENTION)
        .await;
    assert_eq!(revoked.unwrap().len(), 1);
    undone.rollback().await.unwrap();
    let mut done = pool.begin().await.unwrap();
    let revoked = other
        .revoke_in(&mut done, &named(&["together"]), RETENTION)
        .await;
    assert_eq!(revoked.unwrap().len(), 1);
    done.commit().await.unwrap();
    let committed = Instant::now();
    // Fresh as of a moment after the commit: everything committed has been heard.
    until(&node, |set| {
        set.age.is_some_and(|age| age < committed.elapsed())
    })
    .await;
    assert_eq!(health(&node).await.entries, 2);
    assert!(health(&node).await.is_fresh());
    node.shutdown().await;
}

/// Design §7: a lost connection may have lost notifications, so the table is read when there is
/// another one. A record that nobody told of shows that it was read.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_while_the_connection_was_lost_is_read() {
    let database = Database::on(Server::Postgres);
    let other = database.store().await;
    let node = node_on(database.options().await.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;

    for round in 1..=3 {
        let told = format!("told-{round}");
        record_without_telling(&database, &format!("missed-{round}")).await;
        create(&other, &live(&told)).await;
        other.revoke(&named(&[&told]), RETENTION).await.unwrap();
        until(&node, |set| set.entries >= 2 * round - 1).await;
        assert_eq!(health(&node).await.entries, 2 * round - 1);

        let lost = listening_backend(&database).await;
        let end = format!("SELECT pg_terminate_backend({lost}, 60000)");
        database.run(&end).await;
        until(&node, |set| set.entries == 2 * round).await;
        until(&node, |set| set.notifications == Notifications::Arriving).await;
        assert_ne!(listening_backend(&database).await, lost);
    }
    node.shutdown().await;
}

/// Design §7: subscribe first, then read: what is recorded after the table was read because the
/// connection was lost, and before there is another one, is not missed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_until_the_node_listens_again_is_read() {
    let database = Database::on(Server::Postgres);
    let url = database.url().await;
    let pooler = Pooler::before(&url).await;
    let options = ConnectOptions::new(pooler.url(&url)).timeout(PATIENCE);
    let node = node_on(options.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;

    pooler.let_in(false);
    record_without_telling(&database, "before").await;
    let lost = listening_backend(&database).await;
    let end = format!("SELECT pg_terminate_backend({lost}, 60000)");
    database.run(&end).await;
    until(&node, |set| set.entries == 1).await;
    assert_eq!(health(&node).await.notifications, Notifications::Missing);

    record_without_telling(&database, "meanwhile").await;
    pooler.let_in(true);
    until(&node, |set| set.entries == 2).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    node.shutdown().await;
}

/// Design §7: a pooler in transaction mode breaks `LISTEN`: the node says so and asks instead, and
/// listens again when it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_heartbeats_are_lost_asks_and_says_so() {
    let database = Database::on(Server::Postgres);
    let other = database.store().await;
    let url = database.url().await;
    let pooler = Pooler::before(&url).await;
    let options = ConnectOptions::new(pooler.url(&url))
        .timeout(Duration::from_secs(2))
        .poll_every(Duration::from_millis(20));
    let node = node_on(options).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;

    pooler.swallow_notifications(true);
    until(&node, |set| set.notifications == Notifications::Missing).await;
    create(&other, &live("asked-for")).await;
    other
        .revoke(&named(&["asked-for"]), RETENTION)
        .await
        .unwrap();
    let revoked = Instant::now();
    until(&node, |set| set.entries == 1).await;
    until(&node, |set| {
        set.age.is_some_and(|age| age < revoked.elapsed())
    })
    .await;
    assert_eq!(health(&node).await.notifications, Notifications::Missing);

    pooler.swallow_notifications(false);
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    node.shutdown().await;
}

/// What makes no sense in a notification is a reason to read the table, and what does make sense
/// takes nothing back. The connection stays.
#[tokio::test(flavor = "multi_thread")]
async fn notifications_that_are_made_up_make_a_node_read_and_forget_nothing() {
    let database = Database::on(Server::Postgres);
    let other = database.store().await;
    let node = node_on(database.options().await.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    let listening = listening_backend(&database).await;

    let garbled = [
        "''",
        "'x'",
        "'[[\"a\"'",
        "'[[\"\", 1]]'",
        "'null'",
        "repeat('[', 7999)",
        "'[[\"cut\", 1], [\"' || chr(128169)",
    ];
    for (count, payload) in garbled.iter().enumerate() {
        record_without_telling(&database, &format!("untold-{count}")).await;
        tell(&database, payload).await;
        until(&node, |set| set.entries == count + 1).await;
    }
    let known = garbled.len();

    create(&other, &live("revoked")).await;
    other.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
    until(&node, |set| set.entries == known + 1).await;
    for payload in ["'[]'", "'[[\"revoked\", 0]]'", "'[[\"revoked\", -5]]'"] {
        tell(&database, payload).await;
    }
    create(&other, &live("after")).await;
    other.revoke(&named(&["after"]), RETENTION).await.unwrap();
    until(&node, |set| set.entries == known + 2).await;
    assert_eq!(listening_backend(&database).await, listening);
    node.shutdown().await;
}

/// G8: ten thousand revocations at once are more than a notification holds, and are heard of all
/// the same; so is every number around what just fits.
#[tokio::test(flavor = "multi_thread")]
async fn revocations_that_no_notification_can_hold_are_heard_of_at_once() {
    let database = Database::on(Server::Postgres);
    let other = database.store().await;
    let node = node_on(database.options().await.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    create(&other, &live("template")).await;

    let mut revoked = 0;
    for count in (275..=290).chain([10_000]) {
        database
            .run(&format!(
                "INSERT INTO session_sessions SELECT (jsonb_populate_record(template, \
                 jsonb_build_object('handle', 'n' || to_char({revoked} + number, 'FM000000'), \
                 'user_id', 'many'))).* FROM session_sessions AS template, \
                 generate_series(1, {count}) AS number WHERE handle = 'template'"
            ))
            .await;
        let ended = other.revoke(&all_of("many"), RETENTION).await.unwrap();
        assert_eq!(ended.len(), count);
        revoked += count;
        until(&node, |set| set.entries == revoked).await;
    }
    assert_ne!(health(&node).await.unreliable, Some(Unreliable::Full));
    node.shutdown().await;
}

/// A table that was put in place of the other, as by a restore, has a channel of its own: the node
/// notices although nothing is wrong with its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_made_anew_is_listened_to() {
    let database = Database::on(Server::Postgres);
    let other = database.store().await;
    let node = node_on(database.options().await.poll_every(HOUR)).await;
    until(&node, |set| set.notifications == Notifications::Arriving).await;
    database
        .run(
            "BEGIN; ALTER TABLE session_revocations RENAME TO before; \
             CREATE TABLE session_revocations (LIKE before INCLUDING ALL); COMMIT",
        )
        .await;
    create(&other, &live("one")).await;
    other.revoke(&named(&["one"]), RETENTION).await.unwrap();
    until(&node, |set| set.entries == 1).await;
    node.shutdown().await;
}

async fn node_on(options: ConnectOptions) -> Sessions {
    let store = SqlxStore::connect_with(options).await.unwrap();
    let app = AppInfo::new("https://api.example.com", "https://example.com");
    Sessions::builder(app).store(store).build().await.unwrap()
}

async fn health(node: &Sessions) -> BlacklistHealth {
    node.health().await.blacklist
}

/// Asks, which takes a query each time, until it is so.
async fn until(node: &Sessions, is_so: impl Fn(&BlacklistHealth) -> bool) {
    let asking = async { while !is_so(&health(node).await) {} };
    let in_time = timeout(PATIENCE, asking).await.is_ok();
    assert!(in_time, "not so yet: {:?}", health(node).await);
}

/// A session whose access token has not expired.
fn live(name: &str) -> SessionRecord {
    SessionRecord {
        access_expires_at_ms: in_an_hour_ms(),
        ..session(name)
    }
}

fn in_an_hour_ms() -> i64 {
    let then = SystemTime::UNIX_EPOCH.elapsed().unwrap() + HOUR;
    i64::try_from(then.as_millis()).unwrap()
}

/// A record as an operator's hand makes it.
async fn record_without_telling(database: &Database, handle: &str) {
    let until_ms = in_an_hour_ms();
    database
        .run(&format!(
            "INSERT INTO session_revocations (handle, expires_at_ms) VALUES ('{handle}', {until_ms})"
        ))
        .await;
}

/// Sends a notification that no node of ours sends.
async fn tell(database: &Database, payload: &str) {
    let pool = PgPool::connect(&database.url().await).await.unwrap();
    let tell = AssertSqlSafe(format!(
        "SELECT pg_notify('revoked_sessions_' || 'session_revocations'::regclass::oid, {payload})"
    ));
    sqlx::query(tell).execute(&pool).await.unwrap();
    pool.close().await;
}

/// The process that serves the node's listening connection.
async fn listening_backend(database: &Database) -> i64 {
    database
        .ask(
            "SELECT pid::bigint FROM pg_stat_activity \
             WHERE datname = current_database() AND query LIKE 'LISTEN%'",
        )
        .await
}

const HOUR: Duration = Duration::from_hours(1);
