//! The secret that keys are encrypted with is changed while clients are at work, one node after the
//! other.

use std::sync::Arc;

use databases::{Database, Server};
use fastrand::Rng;
use history::{Check, History, Reply};
use nodes::{Device, Fleet, Habits, Load, Node, Settings};
use session_core::store::SessionStore as _;

use crate::{
    ground::{NEVER_AWAY, dice, log_in, open, quick},
    keys::{PATIENTLY, rotate},
};

/// K10: in the three steps that the book gives, nobody is logged out and no request fails; keys that
/// are made on the way are read by all, and in the end every key is under the new secret. A node that
/// knows only the old one refuses to start.
#[tokio::test(flavor = "multi_thread")]
async fn the_secret_of_the_keys_changes_under_load() {
    let database = Database::on(Server::Postgres);
    let url = database.url().await;
    let base = quick(&url).with(PATIENTLY);
    let with = |primary: &str, older: Option<&str>| {
        let settings = base.clone().variable("SESSION_SECRET", primary);
        match older {
            Some(older) => settings.variable("SESSION_OLDER_SECRET", older),
            None => settings,
        }
    };
    let old_only = with(OLD, None);
    let mut fleet = Fleet::start([old_only.clone(), old_only.clone(), old_only.clone()]).await;
    fleet.until_well().await;
    let history = Arc::new(History::default());
    let mut dice = dice("secrets");
    let mut kept = vec![log_in(fleet.at(0), "kept", &history).await];
    rotate(fleet.at(0)).await;
    assert_eq!(secrets_in_use(&url).await, ["old"]);

    for (step, settings) in [with(OLD, Some(NEW)), with(NEW, Some(OLD)), with(NEW, None)]
        .into_iter()
        .enumerate()
    {
        let replaced = deploy(&mut fleet, &settings, &mut kept, &history, &mut dice).await;
        if step == 0 {
            // Before the last old node has gone.
            assert_eq!(secrets_in_use(&url).await, ["old"]);
        }
        for mut node in replaced {
            node.end().await;
        }
        rotate(fleet.at(step)).await;
        assert_goes_on(&fleet, &mut kept, &history).await;
        let expected = if step == 0 { "old" } else { "new" };
        assert_eq!(secrets_in_use(&url).await, [expected], "step {step}");
    }
    assert_eq!(history.failures(), 0, "requests failed");
    history.assert_consistent(&NEVER_AWAY, "the secret was changed");
    let refreshed = history.refreshes();
    println!("{} events, {refreshed} refreshes", history.count(|_| true));
    assert!(refreshed > 30, "{refreshed} refreshes");
    let refusal = Node::refusal(&old_only).await;
    assert!(refusal.contains("at-rest secret"), "{refusal}");
    fleet.assert_no_panic();
}

/// Replaces one node after the other while clients are at work; gives back the old ones, which go on.
async fn deploy(
    fleet: &mut Fleet,
    settings: &Settings,
    kept: &mut Vec<Device>,
    history: &Arc<History>,
    dice: &mut Rng,
) -> Vec<Node> {
    let load = Load::start(4, Habits::OneTab, fleet.places(), history, dice);
    let mut replaced = Vec::new();
    for node in 0..3 {
        replaced.push(fleet.replace(node, settings.clone()).await);
        assert_goes_on(fleet, kept, history).await;
        kept.push(log_in(fleet.at(node), "kept", history).await);
    }
    load.stop().await;
    replaced
}

/// Whoever was logged in before still is, and gets new tokens on any node.
async fn assert_goes_on(fleet: &Fleet, kept: &mut [Device], history: &History) {
    for (number, device) in kept.iter_mut().enumerate() {
        let at = fleet.at(number % fleet.nodes().len());
        for check in [Check::Stateless, Check::Blacklist, Check::Database] {
            assert_eq!(device.try_use(at, check, history).await, Reply::Done);
        }
        let told = device.refresh(at, history).await;
        assert!(matches!(told, Reply::Successor(_)), "{told:?}");
    }
}

/// The names of the secrets that keys in the database are encrypted with.
async fn secrets_in_use(url: &str) -> Vec<String> {
    let keys = open(url).await.load_keys().await.unwrap();
    let mut names: Vec<String> = (keys.into_iter())
        .map(|key| key.sealed_under.unwrap_or_else(|| "none".to_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

const OLD: &str = "old=an old secret of more than 32 bytes";
const NEW: &str = "new=a new secret of more than 32 bytes, too";
