//! A node whose clock jumps by an hour, forward and back, while clients are at work.

use std::{fs, ops::Deref, path::Path, process::Command, sync::Arc, thread, time::Duration};

use databases::{Database, Server};
use history::{Check, History, Promise, Reply};
use nodes::{Fleet, Habits, Load, Node, PATIENCE, Settings};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::ground::{NEVER_AWAY, dice, log_in, quick};

/// B5, B6, B7, I17: nobody is let through who was revoked, nobody is taken for a thief, no session is
/// lost, and what one node calls expired lives on at the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_breaks_no_promise() {
    let database = Database::on(Server::Postgres);
    let settings = quick(&database.url().await).with(PATIENTLY);
    let clock = FalseClock::new();
    let fleet = InOrder(Fleet::start([settings.clone(), clock.shown_to(settings)]).await);
    fleet.until_well().await;
    let history = Arc::new(History::default());
    let mut dice = dice("clocks");
    let kept = log_in(fleet.at(0), "kept", &history).await;
    for by in ["+3600", "+0", "-3600", "+0"] {
        let load = Load::start(6, Habits::OneTab, fleet.places(), &history, &mut dice);
        sleep(SOME_TIME).await;
        clock.show(by);
        let is_seen = |health: &serde_json::Value| {
            let offset = health["clock_offset_ms"].as_u64().unwrap();
            (by == "+0") == (offset < 2_000)
        };
        fleet.until(1, "the jump is seen", is_seen).await;
        let is_ready = fleet.node(1).health().await["is_ready"] == true;
        assert_eq!(is_ready, by == "+0", "{by}");
        sleep(SOME_TIME).await;
        let devices = load.stop().await;
        for device in &devices {
            for check in [Check::Blacklist, Check::Database] {
                device.try_use(fleet.at(1), check, &history).await;
            }
        }
        history.assert_consistent(&PROMISE, by);
    }
    fleet.until_well().await;
    for check in [Check::Stateless, Check::Blacklist, Check::Database] {
        for node in 0..2 {
            let told = kept.try_use(fleet.at(node), check, &history).await;
            assert_eq!(told, Reply::Done);
        }
    }
    let ended = history.count(|event| event.reply == Reply::Gone);
    assert!(ended > 10, "{ended} refused");
    fleet.assert_no_panic();
}

/// B7: a node that starts while its clock is wrong is not ready, and when the clock has been set right
/// it knows of everybody who was revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_with_a_wrong_clock_forgets_nobody() {
    let database = Database::on(Server::Postgres);
    let settings = quick(&database.url().await).with(PATIENTLY);
    let clock = FalseClock::new();
    let fleet = Fleet::start([settings.clone()]).await;
    let history = History::default();
    let device = log_in(fleet.at(0), "ann", &history).await;
    assert_eq!(device.peer().end(fleet.at(0), &history).await, Reply::Done);
    clock.show("+3600");
    let wrong = InOrder(Fleet::start([clock.shown_to(settings)]).await);
    let has_heard = |health: &serde_json::Value| health["is_fresh"] == true;
    wrong
        .until(0, "the node has heard of all revocations", has_heard)
        .await;
    assert_eq!(wrong.node(0).health().await["is_ready"], false);
    clock.show("+0");
    wrong.until_well().await;
    for check in [Check::Blacklist, Check::Database] {
        let told = device.try_use(wrong.at(0), check, &history).await;
        assert_eq!(told, Reply::Gone, "{check:?}");
    }
    wrong.assert_no_panic();
}

/// Nodes that end in order, however the test does: the library of the false clock leaves what it
/// shares with others to the machine otherwise.
struct InOrder(Fleet);

impl Deref for InOrder {
    type Target = Fleet;

    fn deref(&self) -> &Fleet {
        &self.0
    }
}

impl Drop for InOrder {
    fn drop(&mut self) {
        let ids: Vec<String> = self
            .nodes()
            .iter()
            .map(Node::id)
            .map(|id| id.to_string())
            .collect();
        drop(
            Command::new("kill")
                .args(["-s", "TERM"])
                .args(&ids)
                .status(),
        );
        let shared = |id: &String| Path::new("/dev/shm").join(format!("faketime_shm_{id}"));
        let until = Instant::now() + PATIENCE;
        while ids.iter().any(|id| shared(id).exists()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What a node takes for the time.
struct FalseClock {
    folder: TempDir,
    library: String,
}

impl FalseClock {
    fn new() -> Self {
        let library = programs::faketime().unwrap();
        let clock = Self {
            folder: TempDir::new().unwrap(),
            library: library.to_str().unwrap().to_owned(),
        };
        clock.show("+0");
        clock
    }

    /// Settings of a node that looks at it. Its monotonic clock stays the machine's, as it does when
    /// somebody sets the time.
    fn shown_to(&self, settings: Settings) -> Settings {
        settings
            .variable("LD_PRELOAD", &*self.library)
            .variable("FAKETIME_TIMESTAMP_FILE", self.file().to_str().unwrap())
            .variable("FAKETIME_NO_CACHE", "1")
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// So many seconds away from the machine's.
    fn show(&self, by: &str) {
        // Moved into its place, so that nobody reads a half of it.
        let new = self.folder.path().join("new");
        fs::write(&new, by).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn file(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("time")
    }
}

const SOME_TIME: Duration = Duration::from_millis(1_500);
/// The database is there: only a busy machine makes anybody wait.
const PATIENTLY: &str = "--timeout-ms=20000";
/// A used token may work for as long as a clock is behind, and an access token for no time where it
/// is ahead.
const PROMISE: Promise = Promise {
    grace: Duration::from_mins(70),
    access_lifetime: Duration::ZERO,
    ..NEVER_AWAY
};
