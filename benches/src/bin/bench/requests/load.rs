//! What a server does under load.

use std::{path::Path, process::Command};

use bench::row::Spread;
use programs::process;
use serde::Deserialize;

use super::server::{Server, busy_children};
use crate::built;

/// A round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Requests that were answered in a second.
    pub(crate) per_second: f64,
    /// How many a processor would answer in a second that has nothing else to do.
    pub(crate) per_busy_second: f64,
    /// Milliseconds that half of the requests took at most.
    pub(crate) half_within: f64,
    /// Milliseconds that 99 % of the requests took at most.
    pub(crate) most_within: f64,
    /// For which share of the round the server was on its processor.
    pub(crate) busy: f64,
    /// For which share of the round the client was on its own.
    pub(crate) client: f64,
}

impl Round {
    /// Asks a server for some seconds with the header lines of a file, in turn, over a number of
    /// connections, as fast as it answers.
    pub(crate) fn of(server: &Server, lines: &Path, seconds: u32) -> Self {
        let mut wrk = Command::new(programs::wrk().unwrap());
        wrk.args(["--threads", "1", "--connections", CONNECTIONS]);
        wrk.args(["--duration", &format!("{seconds}s"), "--latency"]);
        // An answer that others on the machine have kept waiting is an answer all the same.
        wrk.args(["--timeout", "30s"]);
        wrk.arg("--script");
        wrk.arg(built::root().join("benches/peers/load/lines.lua"));
        wrk.arg(server.address()).arg("--").arg(lines);
        let (busy, client) = (server.busy(), busy_children());
        let output = process::capture(&mut wrk).unwrap();
        let busy = server.busy().saturating_sub(busy).as_secs_f64();
        let client = busy_children().saturating_sub(client).as_secs_f64();
        let printed: Printed = serde_json::from_str(output.lines().last().unwrap()).unwrap();
        assert_eq!(
            (printed.refused, printed.failed),
            (0, 0),
            "{}: {output}",
            server.address()
        );
        let took = printed.took / 1e6;
        Self {
            per_second: printed.requests / took,
            per_busy_second: printed.requests / busy,
            half_within: printed.p50 / 1e3,
            most_within: printed.p99 / 1e3,
            busy: busy / took,
            client: client / took,
        }
    }
}

/// Which seconds the requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// All seconds.
    All,
    /// Those in which the server was on its processor.
    Busy,
}

impl Counted {
    /// How to count the rounds of some servers that are compared.
    pub(crate) fn of(servers: [&[Round]; 2]) -> Self {
        let is_busy = |rounds: &[Round]| median(rounds, |round| round.busy) > WHOLLY_BUSY;
        if servers.into_iter().all(is_busy) {
            Self::All
        } else {
            Self::Busy
        }
    }

    /// The requests of a second.
    pub(crate) fn requests(self, round: &Round) -> f64 {
        match self {
            Self::All => round.per_second,
            Self::Busy => round.per_busy_second,
        }
    }
}

/// The median of a figure of some rounds.
pub(crate) fn median(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    Spread::of(rounds.iter().map(figure).collect()).median
}

/// What the script of the client prints.
#[derive(Debug, Deserialize)]
struct Printed {
    requests: f64,
    /// Microseconds, as all times here.
    took: f64,
    refused: u64,
    failed: u64,
    p50: f64,
    p99: f64,
}

const CONNECTIONS: &str = "32";

/// What is left of a round is the client's start.
const WHOLLY_BUSY: f64 = 0.95;
