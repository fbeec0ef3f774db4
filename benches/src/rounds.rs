//! Rounds that alternate: what the machine does meanwhile then happens to both sides.

use std::time::Duration;

use session_core::clock::{Clock, SystemClock};

use crate::extent::Extent;

/// The figures of two things that were measured in turn, round by round.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Pairs {
    /// Of the measured.
    pub ours: Vec<f64>,
    /// Of what it was measured against.
    pub theirs: Vec<f64>,
}

impl Pairs {
    /// Ours to theirs, of each pair.
    pub fn ratios(&self) -> Vec<f64> {
        let pairs = self.ours.iter().zip(&self.theirs);
        pairs.map(|(ours, theirs)| ours / theirs).collect()
    }

    /// Adds a pair.
    pub fn push(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    /// Adds all pairs of another measurement.
    pub fn append(&mut self, others: Self) {
        self.ours.extend(others.ours);
        self.theirs.extend(others.theirs);
    }
}

/// Measures two operations in turn: nanoseconds of each. An operation is given the number of the
/// call, which counts up over all of its rounds.
pub fn in_turn(
    extent: Extent,
    mut ours: impl FnMut(usize),
    mut theirs: impl FnMut(usize),
) -> Pairs {
    let (mut ours, mut theirs) = (Repeated::new(&mut ours), Repeated::new(&mut theirs));
    ours.settle(extent.round());
    theirs.settle(extent.round());
    let mut pairs = Pairs::default();
    for _ in 0..extent.rounds() {
        pairs.push(ours.round(), theirs.round());
    }
    pairs
}

/// Measures one operation in as many rounds: nanoseconds.
pub fn alone(extent: Extent, mut operation: impl FnMut(usize)) -> Vec<f64> {
    let mut repeated = Repeated::new(&mut operation);
    repeated.settle(extent.round());
    (0..extent.rounds()).map(|_| repeated.round()).collect()
}

/// Measures two operations that wait, in turn: nanoseconds of each.
pub async fn in_turn_waiting(
    extent: Extent,
    mut ours: impl AsyncFnMut(usize),
    mut theirs: impl AsyncFnMut(usize),
) -> Pairs {
    let (mut ours, mut theirs) = (Waiting::new(&mut ours), Waiting::new(&mut theirs));
    ours.settle(extent.round()).await;
    theirs.settle(extent.round()).await;
    let mut pairs = Pairs::default();
    for _ in 0..extent.rounds() {
        let one = ours.round().await;
        pairs.push(one, theirs.round().await);
    }
    pairs
}

/// Measures one operation that waits, in as many rounds: nanoseconds.
pub async fn alone_waiting(extent: Extent, mut operation: impl AsyncFnMut(usize)) -> Vec<f64> {
    let mut waiting = Waiting::new(&mut operation);
    waiting.settle(extent.round()).await;
    let mut figures = Vec::new();
    for _ in 0..extent.rounds() {
        figures.push(waiting.round().await);
    }
    figures
}

/// What a call is about that has this number: one of these after the other, and again.
pub fn at<T>(all: &[T], call: usize) -> &T {
    all.get(call % all.len()).unwrap()
}

/// How long something takes.
pub fn time_of<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = SystemClock.monotonic();
    let outcome = work();
    (since(started), outcome)
}

/// An operation, and how often it is repeated in a round.
struct Repeated<'a> {
    operation: &'a mut dyn FnMut(usize),
    calls: usize,
    calls_in_a_round: usize,
}

impl<'a> Repeated<'a> {
    fn new(operation: &'a mut dyn FnMut(usize)) -> Self {
        Self {
            operation,
            calls: 0,
            calls_in_a_round: 1,
        }
    }

    /// Finds out how many calls fill a round, which warms everything up.
    fn settle(&mut self, round: Duration) {
        loop {
            let took = self.round() * as_float(self.calls_in_a_round);
            match enough(self.calls_in_a_round, took, round) {
                None => return,
                Some(more) => self.calls_in_a_round = more,
            }
        }
    }

    fn round(&mut self) -> f64 {
        let started = SystemClock.monotonic();
        for _ in 0..self.calls_in_a_round {
            (self.operation)(self.calls);
            self.calls += 1;
        }
        nanoseconds(since(started)) / as_float(self.calls_in_a_round)
    }
}

/// The same of an operation that waits.
struct Waiting<'a, F> {
    operation: &'a mut F,
    calls: usize,
    calls_in_a_round: usize,
}

impl<'a, F: AsyncFnMut(usize)> Waiting<'a, F> {
    fn new(operation: &'a mut F) -> Self {
        Self {
            operation,
            calls: 0,
            calls_in_a_round: 1,
        }
    }

    async fn settle(&mut self, round: Duration) {
        loop {
            let took = self.round().await * as_float(self.calls_in_a_round);
            match enough(self.calls_in_a_round, took, round) {
                None => return,
                Some(more) => self.calls_in_a_round = more,
            }
        }
    }

    async fn round(&mut self) -> f64 {
        let started = SystemClock.monotonic();
        for _ in 0..self.calls_in_a_round {
            (self.operation)(self.calls).await;
            self.calls += 1;
        }
        nanoseconds(since(started)) / as_float(self.calls_in_a_round)
    }
}

/// How many calls to try next, unless these fill the round.
fn enough(calls: usize, took_ns: f64, round: Duration) -> Option<usize> {
    (took_ns < nanoseconds(round)).then_some(calls * 2)
}

fn since(started: Duration) -> Duration {
    SystemClock.monotonic().saturating_sub(started)
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a number of calls is far below 2^53"
)]
fn as_float(calls: usize) -> f64 {
    calls as f64
}
