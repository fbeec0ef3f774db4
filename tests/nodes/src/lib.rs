//! What surrounds the nodes of a test: their processes, the network between them and their
//! servers, and clients that keep a record of what they are told.
//!
//! The program `node` is one node. A test starts several on one database, mostly behind a
//! [`Proxy`], breaks something, and has the clients' [`history`] judged afterwards.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test without its nodes is to fail"
)]

mod client;
mod device;
mod fleet;
mod load;
mod node;
mod proxy;
mod resources;

use std::{path::PathBuf, time::Duration};

pub use client::{Answer, NoAnswer, Opened, ask};
pub use device::{Device, Peer};
pub use fleet::Fleet;
pub use load::{Habits, Load};
pub use node::{Node, Place, Settings};
pub use proxy::{Proxy, Way};
pub use resources::Resources;

/// How long a test waits for what is sure to come: far longer than it takes, on a machine that is
/// busy with something else.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Looks again until it is so.
///
/// # Panics
///
/// When it is not so in the end.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let seen = async {
        while !is_so().await {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, seen).await;
    assert!(seen.is_ok(), "not in time: {what}");
}

/// The program `node`, beside a program of this package.
pub fn node_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folders = own.ancestors().skip(1).take(2);
    let mut programs = folders.map(|folder| folder.join("node"));
    programs
        .find(|program| program.is_file())
        .expect("`cargo build -p nodes` makes the program")
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
