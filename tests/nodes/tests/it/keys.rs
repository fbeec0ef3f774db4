//! Keys that are made, replaced and removed while nodes use them.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use databases::{Database, Server};
use futures_util::future::join_all;
use history::{Check, History, Promise, Reply};
use hyper::Method;
use nodes::{Answer, Device, Fleet, Habits, Load, Node, Place, Settings, ask, until};
use serde_json::Value;
use session_core::{
    clock::{Clock as _, SystemClock},
    store::{KeyPurpose, SessionStore as _},
};
use tokio::time::{Instant, interval};

use crate::ground::{NEVER_AWAY, dice, log_in, open, quick};

/// D4, D6: two nodes replace the keys each second, and a third hears of it from the tokens that its
/// clients bring. No token is refused and nobody is logged out; the tokens of a key that is removed are
/// refused everywhere within half a minute, and a refresh gives another.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_replaced_each_second_refuse_nobody() {
    let database = Database::on(Server::Postgres);
    let url = database.url().await;
    let settings = fast(&url, SystemClock.now(), SPEED).with(PATIENTLY);
    let fleet = Fleet::start([settings.clone(), settings.clone(), settings]).await;
    let history = Arc::new(History::default());
    let mut dice = dice("keys");
    let load = Load::start(6, Habits::OneTab, fleet.places(), &history, &mut dice);
    let mut devices = Vec::new();
    let mut second = interval(Duration::from_secs(1));
    for round in 0..ROTATIONS {
        second.tick().await;
        join_all((0..2).map(|node| rotate(fleet.at(node)))).await;
        let user = format!("round-{round}");
        devices.push(log_in(fleet.at(round % 3), &user, &history).await);
    }
    load.stop().await;
    for device in &devices {
        assert_passes(device, &fleet, &history).await;
    }
    history.assert_consistent(&PROMISE, "keys were replaced");
    let refused = history.count(|event| event.reply == Reply::Stale);
    assert_eq!(refused, 0, "valid tokens were refused");
    let signing: BTreeSet<String> = devices
        .iter()
        .map(|device| key_of(device.access()))
        .collect();
    let refreshed = history.refreshes();
    println!(
        "{} events, {refreshed} refreshes, {} keys signed for new sessions",
        history.count(|_| true),
        signing.len()
    );
    assert!(signing.len() > ROTATIONS / 3, "{signing:?}");
    assert!(refreshed > 10 * ROTATIONS, "{refreshed} refreshes");
    assert_removal_is_heard_of(&fleet, devices, &history).await;
    fleet.assert_no_panic();
}

/// Removes the key that the device in the middle had its token from.
async fn assert_removal_is_heard_of(fleet: &Fleet, mut devices: Vec<Device>, history: &History) {
    let mut device = devices.swap_remove(ROTATIONS / 2);
    let key = key_of(device.access());
    devices.retain(|device| key_of(device.access()) != key);
    let removed = get(fleet.at(0), Method::DELETE, &format!("/keys/{key}"), None).await;
    assert_eq!(removed.json()["removed"], true);
    let since = Instant::now();
    let refused = async |node| {
        let told = device.try_use(fleet.at(node), Check::Stateless, history);
        told.await == Reply::Stale
    };
    assert!(refused(0).await, "refused at once where it was removed");
    for node in 1..3 {
        until("the others have heard of it", async || refused(node).await).await;
    }
    let took = since.elapsed();
    println!("a removed key is refused by all after {took:?}");
    assert!(took < READ_EVERY + IN_TIME, "{took:?}");
    for other in &devices {
        assert_passes(other, fleet, history).await;
    }
    let told = device.refresh(fleet.at(1), history).await;
    assert!(matches!(told, Reply::Successor(_)), "{told:?}");
    assert_passes(&device, fleet, history).await;
}

/// D7: nodes that start together on an empty PostgreSQL make one key of each purpose and sign with it,
/// and those that find it too old at the same moment make one more.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_postgres_make_one_key_when_one_is_due() {
    make_one_key(Server::Postgres).await;
}

/// D7: so they do on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_mariadb_make_one_key_when_one_is_due() {
    make_one_key(Server::MySql).await;
}

async fn make_one_key(server: Server) {
    let database = Database::on(server);
    let url = database.url().await;
    let first = quick(&url).with(PATIENTLY);
    let nodes = join_all((0..FIRST_STARTS).map(|node| Node::start(node, &first))).await;
    let (signing, refresh) = (
        keys(&url, KeyPurpose::AccessDynamic).await,
        keys(&url, KeyPurpose::Refresh).await,
    );
    assert_eq!((signing.len(), refresh.len()), (1, 1), "{signing:?}");
    assert_all_sign_with(&signing, &nodes).await;
    nodes.iter().for_each(Node::assert_no_panic);
    drop(nodes);

    let hasty = fast(&url, SystemClock.now(), KEY_AGES)
        .with("--key-hours=1")
        .with(PATIENTLY);
    let nodes = join_all((0..3).map(|node| Node::start(node, &hasty))).await;
    let history = History::default();
    let mut used = BTreeSet::new();
    until("two more keys are made", async || {
        let logging_in = nodes
            .iter()
            .map(|node| log_in(node.place(), "ann", &history));
        let devices = join_all(logging_in).await;
        used.extend(devices.iter().map(|device| key_of(device.access())));
        keys(&url, KeyPurpose::AccessDynamic).await.len() >= 3
    })
    .await;
    let signing = keys(&url, KeyPurpose::AccessDynamic).await;
    for (older, newer) in signing.iter().zip(signing.iter().skip(1)) {
        let between = newer.1 - older.1;
        assert!(between >= 59 * 60 * 1000, "{between} ms: {signing:?}");
    }
    assert!(
        used.iter()
            .all(|key| signing.iter().any(|(id, _)| id == key)),
        "{used:?} are not all of {signing:?}"
    );
    assert_eq!(keys(&url, KeyPurpose::Refresh).await, refresh);
    nodes.iter().for_each(Node::assert_no_panic);
}

/// Each node signs with the one key that there is, and the others accept what it makes.
async fn assert_all_sign_with(keys: &[(String, i64)], nodes: &[Node]) {
    let history = History::default();
    for (node, neighbour) in nodes.iter().zip(nodes.iter().cycle().skip(1)) {
        let (at, neighbour) = (node.place(), neighbour.place());
        let mut device = log_in(at, "ann", &history).await;
        assert_eq!(key_of(device.access()), keys[0].0);
        for check in [Check::Stateless, Check::Database] {
            let told = device.try_use(neighbour, check, &history).await;
            assert_eq!(told, Reply::Done);
        }
        let told = device.refresh(neighbour, &history).await;
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
        let told = device.try_use(at, Check::Stateless, &history).await;
        assert_eq!(told, Reply::Done);
        assert_eq!(key_of(device.access()), keys[0].0);
    }
}

/// Settings of a node whose clock runs ahead from a moment on, so many times as fast.
pub(crate) fn fast(url: &str, since: SystemTime, speed: u64) -> Settings {
    let since = since.duration_since(UNIX_EPOCH).unwrap();
    Settings::new(url)
        .with("--poll-ms=100")
        .with("--max-staleness-ms=60000")
        .with("--grace-ms=600000")
        .with(format!("--clock-speed={speed}"))
        .with(format!("--clock-since-ms={}", since.as_millis()))
}

/// Replaces the keys of both kinds.
pub(crate) async fn rotate(at: Place) {
    let answer = get(at, Method::POST, "/keys", None).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.json());
}

pub(crate) async fn get(at: Place, method: Method, path: &str, token: Option<&str>) -> Answer {
    ask(at.address, method, path, token).await.unwrap()
}

/// The names of keys in the database, and when each was made, the oldest first.
async fn keys(url: &str, purpose: KeyPurpose) -> Vec<(String, i64)> {
    let keys = open(url).await.load_keys().await.unwrap();
    let of_purpose = keys.into_iter().filter(|key| key.purpose == purpose);
    let mut keys: Vec<_> = of_purpose
        .map(|key| (key.id.to_string(), key.created_at_ms))
        .collect();
    keys.sort_by_key(|(_, made_at_ms)| *made_at_ms);
    keys
}

/// The session is good on every node, however far it looks.
pub(crate) async fn assert_passes(device: &Device, fleet: &Fleet, history: &History) {
    for node in 0..fleet.nodes().len() {
        for check in [Check::Stateless, Check::Blacklist, Check::Database] {
            let told = device.try_use(fleet.at(node), check, history).await;
            assert_eq!(told, Reply::Done, "{check:?} on {node}");
        }
    }
}

/// The key that a token names.
pub(crate) fn key_of(token: &str) -> String {
    part_of(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// The header of a token, or its payload.
pub(crate) fn part_of(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

const ROTATIONS: usize = 15;
const FIRST_STARTS: usize = 8;
/// A new key signs after a minute, which is two seconds then.
pub(crate) const SPEED: u64 = 30;
/// An hour is two and a half seconds then.
pub(crate) const KEY_AGES: u64 = 1440;
/// The database is there: only a busy machine makes anybody wait.
pub(crate) const PATIENTLY: &str = "--timeout-ms=20000";
/// How often nodes read the keys.
const READ_EVERY: Duration = Duration::from_secs(30);
/// What a busy machine adds.
const IN_TIME: Duration = Duration::from_secs(5);
/// What the clocks of the nodes make of a minute, of ten, and of three quarters of an hour: an
/// access token's hour, less the ten minutes in which it is handed out again and the part that is
/// left to chance.
const PROMISE: Promise = Promise {
    max_staleness: Duration::from_secs(60 / SPEED),
    grace: Duration::from_secs(600 / SPEED),
    access_lifetime: Duration::from_secs(45 * 60 / SPEED),
    ..NEVER_AWAY
};
