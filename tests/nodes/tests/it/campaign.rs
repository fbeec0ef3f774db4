//! Faults at random, for as long as one likes: `cargo xtask campaign --minutes N`.

use std::{env, sync::Arc, time::Duration};

use fastrand::Rng;
use history::{History, Promise, Reply};
use nodes::{Fleet, Habits, Load, Proxy, Way};
use servers::{Kind, OwnServer};
use tokio::time::{Instant, sleep};

use crate::ground::{Ground, quick};

/// L1, G1, G9, H12: three nodes on one SQLite file, killed and stopped at random.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_break_no_promise_on_sqlite() {
    Campaign::on(Ground::file(), None).await.run().await;
}

/// L1, G1, G9, H9, H10, H12, I1, I2: on PostgreSQL it and the lines to it have faults, too.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_break_no_promise_on_postgres() {
    let ground = Ground::server(Kind::Postgres);
    Campaign::on(ground, None).await.run().await;
}

/// L1, G1, G9, H9, H10, H12, I1, I2: so they have on MariaDB.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_break_no_promise_on_mariadb() {
    let ground = Ground::server(Kind::MariaDb);
    Campaign::on(ground, None).await.run().await;
}

/// L1, G1, I1, I2, I9, I13, I16: and on MariaDB with a Redis beside it, which has faults of its own.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_break_no_promise_with_redis_beside() {
    let feed = OwnServer::start(Kind::Redis).unwrap();
    let ground = Ground::server(Kind::MariaDb);
    Campaign::on(ground, Some(feed)).await.run().await;
}

/// L1, G1, G9, H9, H10, H12, I1, I2: and on Redis, where it is the store.
#[tokio::test(flavor = "multi_thread")]
async fn random_faults_break_no_promise_on_redis() {
    let ground = Ground::server(Kind::Redis);
    Campaign::on(ground, None).await.run().await;
}

struct Campaign {
    name: String,
    ground: Ground,
    feed: Option<OwnServer>,
    /// Of each node, to the store and to the feed.
    lines: Vec<Proxy>,
    feed_lines: Vec<Proxy>,
    fleet: Fleet,
    history: Arc<History>,
    dice: Rng,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    NodeKilled(usize),
    NodeStopped(usize),
    ServerKilled,
    ServerStopped,
    Line(usize, Way),
    FeedKilled,
    FeedStopped,
    FeedLine(usize, Way),
}

impl Campaign {
    async fn on(ground: Ground, feed: Option<OwnServer>) -> Self {
        let seed = seed();
        let beside = feed.as_ref().map_or("", |_| " with Redis beside it");
        let name = format!("{}{beside}", ground.name());
        println!("{name}: SESSION_TEST_CAMPAIGN_SEED={seed}");
        let (mut lines, mut feed_lines, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..NODES {
            let mut node = match &ground {
                Ground::File(_) => ground.settings(),
                Ground::Server(server) => {
                    let line = Proxy::before(server.url()).await;
                    let node = quick(&line.url(server.url()));
                    lines.push(line);
                    node
                }
            };
            if let Some(feed) = &feed {
                let line = Proxy::before(feed.url()).await;
                node = node.feed(&line.url(feed.url()));
                feed_lines.push(line);
            }
            // A store that answers on a busy machine is not one that is away.
            settings.push(node.with("--timeout-ms=5000"));
        }
        Self {
            name,
            ground,
            feed,
            lines,
            feed_lines,
            fleet: Fleet::start(settings).await,
            history: Arc::default(),
            dice: Rng::with_seed(seed),
        }
    }

    async fn run(mut self) {
        let end = Instant::now() + duration();
        let mut faults = 0;
        while Instant::now() < end {
            self.fleet.until_well().await;
            self.history = Arc::default();
            let places = self.fleet.places();
            let habits = Habits::TwoTabs;
            let load = Load::start(DEVICES, habits, places, &self.history, &mut self.dice);
            for _ in 0..FAULTS_AT_A_STRETCH {
                let fault = self.some_fault();
                println!("{}: {fault:?}", self.name);
                self.suffer(fault).await;
                faults += 1;
                sleep(self.some_time()).await;
            }
            self.fleet.until_well().await;
            let mut devices = load.stop().await;
            let at = self.fleet.at(self.dice.usize(..NODES));
            self.ground.find_out(&mut devices, at, &self.history).await;
            let when = format!("{} after {faults} faults", self.name);
            self.history.assert_consistent(&PROMISE, &when);
        }
        self.fleet.assert_no_panic();
        let refreshed = self
            .history
            .count(|event| matches!(event.reply, Reply::Successor(_)));
        println!("{}: {faults} faults", self.name);
        assert!(refreshed > 10, "{refreshed} refreshes in the last stretch");
    }

    fn some_fault(&mut self) -> Fault {
        let node = self.dice.usize(..NODES);
        let way = [
            Way::Cut,
            Way::BlackHole,
            Way::NoAnswers,
            Way::NoQuestions,
            Way::Delayed(Duration::from_millis(30)),
            Way::Slow(20_000),
        ];
        let way = *self.dice.choice(&way).unwrap();
        let mut faults = vec![Fault::NodeKilled(node), Fault::NodeStopped(node)];
        if !self.lines.is_empty() {
            faults.extend([Fault::ServerKilled, Fault::ServerStopped]);
            faults.extend([Fault::Line(node, way); 4]);
        }
        if self.feed.is_some() {
            faults.extend([Fault::FeedKilled, Fault::FeedStopped]);
            faults.extend([Fault::FeedLine(node, way); 4]);
        }
        *self.dice.choice(&faults).unwrap()
    }

    /// Has something go wrong for a while, and puts it right.
    async fn suffer(&mut self, fault: Fault) {
        let time = self.some_time();
        let from = self.history.now();
        match fault {
            Fault::NodeKilled(node) => {
                self.fleet.kill(node).await;
                sleep(time).await;
                self.fleet.start_again(node).await;
            }
            Fault::NodeStopped(node) => {
                self.fleet.node(node).signal("STOP").await;
                sleep(time).await;
                self.fleet.node(node).signal("CONT").await;
                // It may have held locks.
                self.record_trouble(0..NODES, from);
            }
            Fault::ServerKilled | Fault::ServerStopped => {
                let Ground::Server(server) = &mut self.ground else {
                    return;
                };
                let (from, until) = interrupt(server, fault, time, &self.history).await;
                for node in 0..NODES {
                    self.history.record_outage(node, from, until);
                }
            }
            Fault::Line(node, way) => {
                let line = &self.lines[node];
                line.set(way);
                let from = self.history.now();
                sleep(time).await;
                let until = self.history.now();
                line.set(Way::Open);
                if matches!(way, Way::Delayed(_) | Way::Slow(_)) {
                    // Others may wait for what it does so slowly.
                    self.record_trouble(0..NODES, from);
                } else {
                    self.history.record_outage(node, from, until);
                    self.record_trouble(0..NODES, from);
                }
            }
            Fault::FeedKilled | Fault::FeedStopped => {
                if let Some(feed) = &mut self.feed {
                    interrupt(feed, fault, time, &self.history).await;
                }
            }
            Fault::FeedLine(node, way) => {
                self.feed_lines[node].set(way);
                sleep(time).await;
                self.feed_lines[node].set(Way::Open);
            }
        }
    }

    /// Since `from`, some answers were to be had and others may not have been.
    fn record_trouble(&self, of: std::ops::Range<usize>, from: Duration) {
        for node in of {
            self.history.record_outage(node, from, from);
        }
    }

    fn some_time(&mut self) -> Duration {
        Duration::from_millis(self.dice.u64(50..2_500))
    }
}

/// Kills or stops a server for a while; when it certainly was away.
async fn interrupt(
    server: &mut OwnServer,
    fault: Fault,
    time: Duration,
    history: &History,
) -> (Duration, Duration) {
    let is_killed = matches!(fault, Fault::ServerKilled | Fault::FeedKilled);
    if is_killed {
        server.kill().unwrap();
    } else {
        server.pause().unwrap();
    }
    let from = history.now();
    sleep(time).await;
    let until = history.now();
    if is_killed {
        server.start_again().unwrap();
    } else {
        server.resume().unwrap();
    }
    (from, until)
}

/// `SESSION_TEST_CAMPAIGN_SEED`, to have the same faults again.
fn seed() -> u64 {
    let seed = env::var("SESSION_TEST_CAMPAIGN_SEED");
    seed.map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap())
}

/// `SESSION_TEST_CAMPAIGN_MINUTES`, or one stretch.
fn duration() -> Duration {
    let minutes = env::var("SESSION_TEST_CAMPAIGN_MINUTES");
    minutes.map_or(Duration::from_secs(1), |minutes| {
        Duration::from_mins(minutes.parse().unwrap())
    })
}

const NODES: usize = 3;
const DEVICES: usize = 6;
const FAULTS_AT_A_STRETCH: usize = 5;
/// INV-10: well within five seconds.
const PROMISE: Promise = Promise {
    max_staleness: Duration::from_secs(1),
    grace: Duration::from_secs(30),
    recovery: Duration::from_secs(5),
};
