//! Contenders and their figures in words.

use std::fs;

use programs::Node;
use serde_json::Value;

use super::{
    contender::{Asks, Check, Contender, Store},
    load::{self, Counted, Round},
};
use crate::built;

/// Who it was, and what is worth knowing beside the figure.
pub(crate) fn of(contender: Contender, rounds: &[Round], counted: Counted) -> String {
    let median = |figure: fn(&Round) -> f64| load::median(rounds, figure);
    let how = match counted {
        Counted::All => String::new(),
        Counted::Busy => format!(
            ", counted by that time: {:.0}/s while it was busy for {:.0} % and the client for {:.0} % \
             of the time",
            median(|round| round.per_second),
            100.0 * median(|round| round.busy),
            100.0 * median(|round| round.client),
        ),
    };
    format!(
        "{} ({:.1} µs of its processor a request{how}; 50 % within {:.1} ms, 99 % within {:.1} ms)",
        name(contender),
        1e6 / median(|round| round.per_busy_second),
        median(|round| round.half_within),
        median(|round| round.most_within),
    )
}

fn name(contender: Contender) -> String {
    match contender {
        Contender::Bare(framework) => format!("{framework} without a session"),
        Contender::Ours(framework, Check::New) => {
            format!("session-{framework}, each token verified anew")
        }
        Contender::Ours(framework, Check::Seen) => {
            format!("session-{framework}, each token remembered")
        }
        Contender::Ours(framework, Check::Database(store)) => {
            format!(
                "session-{framework} with `check_database` on {}",
                place(store)
            )
        }
        Contender::Jsonwebtoken(framework) => {
            format!(
                "{} on {framework}, the same tokens",
                crate_of("jsonwebtoken")
            )
        }
        Contender::TowerSessions(store) => {
            format!("{} on {}", crate_of("tower-sessions"), place(store))
        }
        Contender::ActixSession(store) => {
            format!("{} in {}", crate_of("actix-session"), place(store))
        }
        Contender::SuperTokens(framework, asks) => {
            let (sdk, framework) = (package("supertokens-node"), on_node(framework));
            match asks {
                Asks::Nobody => format!("{sdk} under {framework}, the same tokens"),
                Asks::TheCore => format!(
                    "{sdk} under {framework} with `checkDatabase`, the same tokens, flattered by a \
                     core that answers at once, without a database, on the client's processor"
                ),
            }
        }
        Contender::Jose(framework) => {
            let (jose, framework) = (package("jose"), on_node(framework));
            format!("{jose} under {framework} without a session, the same tokens")
        }
    }
}

fn place(store: Store) -> &'static str {
    match store {
        Store::Cookie => "the cookie",
        Store::Sqlite => "SQLite",
        Store::Redis => "Redis, which runs on the client's processor",
    }
}

fn on_node(framework: &str) -> String {
    let version = Node::newest().unwrap().version().unwrap();
    format!("{} on Node.js {version}", package(framework))
}

/// A package of Node.js and its version.
fn package(name: &str) -> String {
    let manifest = built::root().join("benches/peers/node/package.json");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let version = manifest.pointer(&format!("/dependencies/{name}"));
    format!("{name} {}", version.and_then(Value::as_str).unwrap())
}

/// A crate and its version.
fn crate_of(name: &str) -> String {
    let lock = built::root().join("benches/peers/others/Cargo.lock");
    let lock = fs::read_to_string(lock).unwrap();
    let (_, rest) = lock
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .unwrap();
    let (version, _) = rest.split_once('"').unwrap();
    format!("{name} {version}")
}
