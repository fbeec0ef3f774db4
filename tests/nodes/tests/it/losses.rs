//! A Redis that forgets, throws out or tells what nobody said: beside a database, and as the store.

use std::time::Duration;

use databases::{Database, Server, redis_address, unused_name};
use history::{Check, History, Reply};
use nodes::{Device, Fleet, PATIENCE, Place, until};
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue};
use servers::{Kind, OwnServer};

use crate::ground::{NEVER_AWAY, PROMISE, log_in, quick};

/// I7, I8, I9: a feed that is flushed, full, evicts and dies loses no revocation: the database is the
/// record.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgetful_feed_loses_no_revocation() {
    let database = Database::on(Server::MySql);
    let mut feed = OwnServer::start(Kind::Redis).unwrap();
    let settings = quick(&database.url().await)
        .with(PATIENTLY)
        .feed(feed.url());
    let fleet = Fleet::start([settings.clone(), settings]).await;
    let history = History::default();
    for trouble in [
        &["FLUSHALL"][..],
        &[
            "CONFIG SET maxmemory 1",
            "CONFIG SET maxmemory-policy noeviction",
        ],
        &["CONFIG SET maxmemory-policy allkeys-lru"],
        &["CLIENT KILL TYPE pubsub"],
    ] {
        fleet.until_well().await;
        for command in trouble {
            drop(run::<redis::Value>(feed.url(), command).await);
        }
        assert_ended_everywhere(&fleet, &history).await;
    }
    feed.kill().unwrap();
    assert_ended_everywhere(&fleet, &history).await;
    feed.start_again().unwrap();
    assert_ended_everywhere(&fleet, &history).await;
    history.assert_consistent(&NEVER_AWAY, "in the end");
    fleet.assert_no_panic();
}

/// I4, I5, I12: whatever is said on the channel, in any order and as often as one likes, ends no
/// session that it does not name, brings none back and stops no node.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_said_on_the_channel_brings_a_session_back() {
    let database = Database::on(Server::MySql);
    let prefix = unused_name();
    let settings = quick(&database.url().await)
        .with(PATIENTLY)
        .feed(&redis_address())
        .with(format!("--prefix={prefix}"));
    let fleet = Fleet::start([settings.clone(), settings]).await;
    let history = History::default();
    let kept = log_in(fleet.at(0), "kept", &history).await;
    let ended = [
        log_in(fleet.at(0), "ann", &history).await,
        log_in(fleet.at(1), "bob", &history).await,
    ];
    let channel = format!("{{{prefix}}}:revoked");
    until("both nodes listen", async || {
        let (_, listening): (String, u32) =
            run(&redis_address(), &format!("PUBSUB NUMSUB {channel}")).await;
        listening == 2
    })
    .await;
    for device in &ended {
        device.peer().end(fleet.at(0), &history).await;
    }
    let said =
        |device: &Device, until_ms: i64| format!("[[\"{}\",{until_ms}]]", device.peer().handle());
    let [ann, bob] = &ended;
    let mut messages = vec![
        said(bob, i64::MAX),
        said(ann, i64::MAX),
        said(ann, i64::MAX),
        said(bob, 0),
        said(ann, -1),
        "[]".to_owned(),
        "[[]]".to_owned(),
        "nonsense".to_owned(),
        format!("[[\"{}\",true]]", kept.peer().handle()),
        format!("{{\"revoked\":[\"{}\"]}}", kept.peer().handle()),
        "[".repeat(100_000),
        "x".repeat(20_000_000),
    ];
    messages.extend(messages.clone().into_iter().rev().skip(1));
    // Only the channel says so, and last of all: who refuses it has read all else.
    let elsewhere = History::default();
    let last = log_in(fleet.at(0), "last", &elsewhere).await;
    messages.push(said(&last, i64::MAX));
    for message in &messages {
        let heard: u32 = run(&redis_address(), &format!("PUBLISH {channel} {message}")).await;
        assert_eq!(heard, 2);
    }
    for node in 0..2 {
        until("the node has read all", async || {
            let told = last.try_use(fleet.at(node), Check::Blacklist, &elsewhere);
            told.await == Reply::Gone
        })
        .await;
    }
    for node in 0..2 {
        for device in &ended {
            let told = device
                .try_use(fleet.at(node), Check::Blacklist, &history)
                .await;
            assert_eq!(told, Reply::Gone);
        }
        let told = kept
            .try_use(fleet.at(node), Check::Blacklist, &history)
            .await;
        assert_eq!(told, Reply::Done);
    }
    assert_ended_everywhere(&fleet, &history).await;
    history.assert_consistent(&NEVER_AWAY, "in the end");
    fleet.assert_no_panic();
}

/// I7: a store that was flushed, or that came back without its memory, knows nobody, and nobody is
/// let through for longer than the blacklist may lag.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_lost_its_memory_lets_nobody_through() {
    let mut server = OwnServer::start(Kind::Redis).unwrap();
    let settings = quick(server.url());
    for dies in [false, true] {
        let fleet = Fleet::start([settings.clone(), settings.clone()]).await;
        fleet.until_well().await;
        let history = History::default();
        let devices = [
            log_in(fleet.at(0), "ann", &history).await,
            log_in(fleet.at(1), "bob", &history).await,
        ];
        let [ended, _] = &devices;
        assert_eq!(ended.peer().end(fleet.at(0), &history).await, Reply::Done);
        () = run(server.url(), "FLUSHALL").await;
        if dies {
            server.kill().unwrap();
            server.start_again().unwrap();
        }
        let lost = history.now();
        for node in 0..2 {
            for device in &devices {
                assert_not_let_through(device, fleet.at(node), lost, &history).await;
            }
        }
        fleet.assert_no_panic();
    }
}

/// I8: a store that throws out what it needs room for brings nobody back.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_evicts_brings_nobody_back() {
    let server = OwnServer::start(Kind::Redis).unwrap();
    let settings = quick(server.url());
    let fleet = Fleet::start([settings.clone(), settings]).await;
    fleet.until_well().await;
    let history = History::default();
    let ended = log_in(fleet.at(0), "ann", &history).await;
    assert_eq!(ended.peer().end(fleet.at(0), &history).await, Reply::Done);
    () = run(server.url(), "CONFIG SET maxmemory-policy allkeys-lru").await;
    () = run(server.url(), "CONFIG SET maxmemory 3mb").await;
    let everything_else = "x".repeat(50_000);
    for number in 0..200 {
        let set = format!("SET filling-{number} {everything_else}");
        () = run(server.url(), &set).await;
    }
    let lost = history.now();
    let thrown_out: String = run(server.url(), "INFO stats").await;
    assert!(!thrown_out.contains("evicted_keys:0\r\n"));
    for node in [0, 1, 0, 1] {
        assert_not_let_through(&ended, fleet.at(node), lost, &history).await;
    }
    fleet.assert_no_panic();
}

/// A session that is ended on one node is refused by the other in time.
async fn assert_ended_everywhere(fleet: &Fleet, history: &History) {
    let device = log_in(fleet.at(0), "ann", history).await;
    let told = device.try_use(fleet.at(1), Check::Blacklist, history).await;
    assert_eq!(told, Reply::Done);
    assert_eq!(device.peer().end(fleet.at(0), history).await, Reply::Done);
    until("the other node knows", async || {
        device.try_use(fleet.at(1), Check::Blacklist, history).await == Reply::Gone
    })
    .await;
}

/// Within the bound the blacklist closes, and what asks the database is refused already.
async fn assert_not_let_through(device: &Device, at: Place, since: Duration, history: &History) {
    until("nobody is let through", async || {
        let is_late = history.now() > since + PROMISE.max_staleness;
        let told = device.try_use(at, Check::Blacklist, history).await;
        assert!(told != Reply::Done || !is_late, "{at:?}");
        told != Reply::Done
    })
    .await;
    let told = device.try_use(at, Check::Database, history).await;
    assert_ne!(told, Reply::Done, "{at:?}");
}

/// The answer of a command, given as its words.
async fn run<T: FromRedisValue>(url: &str, words: &str) -> T {
    let client = Client::open(url).unwrap();
    let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
    let connection = client.get_multiplexed_async_connection_with_config(&patient);
    let mut connection = connection.await.unwrap();
    let mut command = Cmd::new();
    for word in words.split(' ') {
        command.arg(word);
    }
    command.query_async(&mut connection).await.unwrap()
}

/// The database is there: only a busy machine makes anybody wait.
const PATIENTLY: &str = "--timeout-ms=20000";
