//! `scale`: what the store's operations and the set of revoked sessions cost as they grow.
//!
//! Writes two pages of the book. `cargo xtask scale` starts the servers and calls it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement that goes wrong has nothing to say"
)]

mod pages;
mod redis;
mod revoked;
mod sql;
mod workload;

use std::{env, fs, path::Path, process::Command};

use bench::machine;
use databases::Server;
use pages::Figures;
use tokio::runtime::Runtime;

/// How far to go.
#[derive(Debug, Clone, Copy)]
struct Extent {
    sizes: &'static [u32],
    samples: u32,
    revoked: u32,
}

const WHOLE: Extent = Extent {
    sizes: &[1_000, 10_000, 100_000, 1_000_000],
    samples: 500,
    revoked: 10_000_000,
};
const QUICK: Extent = Extent {
    sizes: &[1_000, 10_000],
    samples: 20,
    revoked: 100_000,
};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["revoked", count] => revoked::measure(count.parse().unwrap()),
        [folder] => started(measure(WHOLE, Path::new(folder))),
        [folder, "--quick"] => started(measure(QUICK, Path::new(folder))),
        _ => panic!("usage: scale <folder> [--quick]"),
    }
}

fn started(work: impl Future<Output = ()>) {
    Runtime::new().unwrap().block_on(work);
}

async fn measure(extent: Extent, folder: &Path) {
    let machine = machine::description();
    // In a process of its own, whose memory is the set's.
    let child = Command::new(env::current_exe().unwrap())
        .args(["revoked", &extent.revoked.to_string()])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    let revoked = String::from_utf8(child.stdout).unwrap();
    let mut figures = Figures {
        machine,
        revoked,
        stores: Vec::new(),
    };
    fs::create_dir_all(folder).unwrap();
    // After each, as the whole takes a while and may be cut short.
    let mut add = |store| {
        figures.stores.push(store);
        fs::write(folder.join("figures.md"), figures.page()).unwrap();
        fs::write(folder.join("statements.md"), figures.statements()).unwrap();
    };
    add(sql::on_a_file(extent).await);
    for server in Server::ALL {
        add(sql::on_a_server(server, extent).await);
    }
    add(redis::on_a_server(extent).await);
}
