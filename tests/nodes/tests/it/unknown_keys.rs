//! Keys that a node has not heard of, and keys that nobody has.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use databases::{Database, Server};
use futures_util::future::join_all;
use history::{Check, History, Reply};
use hyper::Method;
use nodes::{Device, Fleet, Node, Proxy, Resources, Way, until};
use session_core::clock::{Clock as _, SystemClock};
use tokio::time::Instant;

use crate::{
    ground::{log_in, quick},
    keys::{KEY_AGES, PATIENTLY, SPEED, assert_passes, fast, get, key_of, part_of, rotate},
};

/// D8: the keys are replaced while a node cannot reach the database. What it signs is accepted by the
/// others; tokens of keys that it has not heard of are to be refreshed, which is a failure of no
/// route; and it is in step as soon as it can read.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_misses_new_keys_is_understood_and_comes_back() {
    let database = Database::on(Server::Postgres);
    let url = database.url().await;
    let proxy = Proxy::before(&url).await;
    let since = SystemClock.now();
    let behind = fast(&proxy.url(&url), since, SPEED).with("--timeout-ms=1500");
    let fleet = Fleet::start([fast(&url, since, SPEED).with(PATIENTLY), behind]).await;
    let (near, far) = (fleet.at(0), fleet.at(1));
    let history = History::default();
    let mut of_far = log_in(far, "ann", &history).await;
    let known = key_of(of_far.access());

    proxy.set(Way::BlackHole);
    rotate(near).await;
    let mut of_near = log_in(near, "bob", &history).await;
    until("the others sign with a new key", async || {
        of_near = log_in(near, "bob", &history).await;
        key_of(of_near.access()) != known
    })
    .await;

    for check in [Check::Stateless, Check::Database] {
        let told = of_far.try_use(near, check, &history).await;
        assert_eq!(told, Reply::Done, "{check:?}");
    }
    let signed = get(far, Method::GET, "/for-others", None).await.json();
    let by = key_of(signed["token"].as_str().unwrap());
    let published = get(near, Method::GET, "/auth/jwt/jwks.json", None).await;
    let published = published.json();
    let mut published = published["keys"].as_array().unwrap().iter();
    assert!(published.any(|key| key["kid"] == by.as_str()), "{by}");

    let told = of_far.try_use(far, Check::Stateless, &history).await;
    assert_eq!(told, Reply::Done);
    for _ in 0..20 {
        let told = of_near.try_use(far, Check::Stateless, &history).await;
        assert_eq!(told, Reply::Stale);
    }
    for device in [&mut of_far, &mut of_near] {
        let told = device.refresh(far, &history).await;
        assert_eq!(told, Reply::Unavailable);
    }

    proxy.set(Way::Open);
    until("the new key is known", async || {
        of_near.try_use(far, Check::Stateless, &history).await == Reply::Done
    })
    .await;
    until("it signs with the new key", async || {
        let device = Device::log_in(far, "cat", &history).await;
        device.is_some_and(|device| key_of(device.access()) == key_of(of_near.access()))
    })
    .await;
    for device in [&mut of_far, &mut of_near] {
        let told = device.refresh(far, &history).await;
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
        assert_passes(device, &fleet, &history).await;
    }
    fleet.assert_no_panic();
}

/// D8: a node that hears of no new key for too long stops signing, while the others still verify all
/// that it has signed, and signs again when it can read.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_misses_keys_for_too_long_stops_signing() {
    let database = Database::on(Server::Postgres);
    let url = database.url().await;
    let proxy = Proxy::before(&url).await;
    let behind = fast(&proxy.url(&url), SystemClock.now(), KEY_AGES)
        .with("--key-hours=1")
        .with("--timeout-ms=1500");
    let node = Node::start(0, &behind).await;
    let sign = async || get(node.place(), Method::GET, "/for-others", None).await;
    until("it signs", async || sign().await.status() == 200).await;

    proxy.set(Way::BlackHole);
    let mut expiries = Vec::new();
    until("it stops signing", async || {
        let answer = sign().await;
        if answer.status() == 200 {
            expiries.push(expiry_by_age(answer.json()["token"].as_str().unwrap()));
        }
        answer.status() == 503
    })
    .await;
    // A key verifies for its hour and for two lives of an access token.
    let verifies = Duration::from_hours(3);
    assert!(
        expiries.iter().all(|age| *age < verifies + IN_THE_MEANTIME),
        "{expiries:?}"
    );
    assert!(!expiries.is_empty(), "it went on with the key that it had");

    proxy.set(Way::Open);
    until("it signs again", async || sign().await.status() == 200).await;
    node.assert_no_panic();
}

/// D2: tokens that name keys nobody has make a node read the keys once a second at most, fill no
/// memory, and keep nobody else waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unknown_keys_reaches_the_database_once_a_second() {
    let database = Database::on(Server::Postgres);
    let settings = quick(&database.url().await).with(PATIENTLY);
    Node::start(0, &settings).await.kill().await;
    let before = readings(&database).await;
    Node::start(0, &settings).await.kill().await;
    let of_a_start = readings(&database).await - before;

    let mut node = Node::start(0, &settings).await;
    let (at, history) = (node.place(), History::default());
    let device = log_in(at, "ann", &history).await;
    let held = Resources::of(&node).await;
    let began = Instant::now();
    let flood = join_all((0..FLOODING).map(async |task| {
        for number in 0..TOKENS / FLOODING {
            let forged = forge(device.access(), &format!("d-{task}-{number}"));
            let answer = get(at, Method::GET, "/stateless", Some(&forged)).await;
            assert_eq!(answer.reply(), Reply::Stale);
        }
    }));
    let good = async {
        let mut times = Vec::new();
        for _ in 0..GOOD {
            for check in [Check::Stateless, Check::Blacklist, Check::Database] {
                let asked = Instant::now();
                let told = device.try_use(at, check, &history).await;
                assert_eq!(told, Reply::Done, "{check:?}");
                times.push(asked.elapsed());
            }
        }
        times.sort_unstable();
        times
    };
    let (_, times) = tokio::join!(flood, good);
    let took = began.elapsed();
    until("what the flood took is given back", async || {
        Resources::of(&node).await.kept_since(&held).is_empty()
    })
    .await;
    node.kill().await;
    let readings = readings(&database).await - before - 2 * of_a_start;
    println!(
        "{TOKENS} tokens in {took:?}: {readings} readings; good requests: median {:?}, slowest {:?}",
        times[times.len() / 2],
        times[times.len() - 1],
    );
    // One at the first token, and one that a task of the node may have been due for.
    let most = began.elapsed().as_secs() + 2;
    assert!(
        (1..=most).contains(&u64::try_from(readings).unwrap()),
        "{readings} readings"
    );
}

/// How often the keys have been looked for in the database, by all whose connections have ended.
async fn readings(database: &Database) -> i64 {
    until("the node's connections have ended", async || {
        let others = "SELECT count(*) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.ask(others).await == 0
    })
    .await;
    let readings = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables \
                    WHERE relname = 'session_keys'";
    database.ask(readings).await
}

/// The token, as if another key had signed it.
fn forge(token: &str, key: &str) -> String {
    let mut header = part_of(token, 0);
    header["kid"] = key.into();
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

/// How old its key will be when a token expires.
fn expiry_by_age(token: &str) -> Duration {
    let key = key_of(token);
    let made_at_ms = key.strip_prefix("d-").unwrap().parse().unwrap();
    let expires_at_s = part_of(token, 1)["exp"].as_u64().unwrap();
    Duration::from_secs(expires_at_s).saturating_sub(Duration::from_millis(made_at_ms))
}

const FLOODING: usize = 8;
const TOKENS: usize = 4_000;
const GOOD: usize = 100;
/// What passes on a clock that fast between choosing a key and naming the moment.
const IN_THE_MEANTIME: Duration = Duration::from_mins(10);
