//! Faults at random, for as long as one likes: `cargo xtask campaign --minutes N`.

use std::{env, ops::Range, sync::Arc, time::Duration};

use fastrand::Rng;
use history::History;
use nodes::{Fleet, Habits, Load, Proxy, Way};
use servers::{Kind, OwnServer};
use tokio::time::{Instant, sleep};

use crate::ground::{Ground, PROMISE, dice, quick};

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
        let beside = feed.as_ref().map_or("", |_| " with Redis beside it");
        let name = format!("{}{beside}", ground.name());
        let dice = dice(&name);
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
            dice,
        }
    }

    async fn run(mut self) {
        let end = Instant::now() + duration();
        let (mut faults, mut events) = (0, 0);
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
            let everywhere = self.fleet.everywhere();
            self.ground
                .find_out(&mut devices, &everywhere, &self.history)
                .await;
            let when = format!("{} after {faults} faults", self.name);
            self.history.assert_consistent(&PROMISE, &when);
            let (refreshed, ended) = (self.history.refreshes(), self.history.endings());
            assert!(refreshed > 10, "{when}: {refreshed} refreshes at a stretch");
            assert!(ended > 2, "{when}: {ended} revocations at a stretch");
            events += self.history.count(|_| true);
        }
        self.fleet.assert_no_panic();
        println!("{}: {faults} faults, {events} events", self.name);
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
        let began = self.history.now();
        match fault {
            Fault::NodeKilled(node) => {
                self.fleet.kill(node).await;
                sleep(time).await;
                self.fleet.start_again(node).await;
                self.history.record_absence(node, began);
            }
            Fault::NodeStopped(node) => {
                self.fleet.node(node).signal("STOP").await;
                sleep(time).await;
                self.fleet.node(node).signal("CONT").await;
                // It may have held locks.
                self.record_trouble(began);
            }
            Fault::ServerKilled | Fault::ServerStopped => {
                let Ground::Server(server) = &mut self.ground else {
                    return;
                };
                let away = interrupt(server, fault, time, &self.history).await;
                for node in 0..NODES {
                    self.history.record_outage(node, began, away.clone());
                }
            }
            Fault::Line(node, way) => {
                let line = &self.lines[node];
                line.set(way);
                let from = self.history.now();
                sleep(time).await;
                let until = self.history.now();
                line.set(Way::Open);
                if !matches!(way, Way::Delayed(_) | Way::Slow(_)) {
                    self.history.record_outage(node, began, from..until);
                }
                // Others may wait for what it does so slowly, or holds.
                self.record_trouble(began);
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

    /// Any node may have been kept waiting.
    fn record_trouble(&self, began: Duration) {
        for node in 0..NODES {
            self.history.record_trouble(node, began);
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
) -> Range<Duration> {
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
    from..until
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
