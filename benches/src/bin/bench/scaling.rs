//! What more cores bring: how close so many threads come to so many times the work of one.

use std::{num::NonZero, sync::Barrier, thread, time::Duration};

use bench::{
    extent::{Extent, Only},
    rounds::{Pairs, at},
    row::{Row, Target, Unit},
};
use session_core::{
    VerifyOptions,
    clock::{Clock, SystemClock},
};
use tokio::runtime;

use crate::{
    service::{Apart, Service},
    verify::accept,
};

/// Tokens never seen before, on one thread and on one for each core.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    let mut rows = Vec::new();
    if only.wants("scaling-new") {
        rows.push(of_new_tokens(extent));
    }
    rows
}

fn of_new_tokens(extent: Extent) -> Row {
    let background = background();
    let (service, tokens) = background.block_on(async {
        let service = Service::in_memory().await;
        let tokens = service.tokens(0..TOKENS).await;
        (service, tokens)
    });
    let apart = Apart::all(&tokens);
    let options = VerifyOptions::new();
    let ours = async |call| accept(&service.sessions, at(&tokens, call), &options).await;
    let pairs = scaling_of(extent, &ours, &async |call| {
        service.key.verify(at(&apart, call));
    });
    row(
        "scaling-new",
        "verifying tokens never seen",
        "bare verifications of signatures",
        pairs,
    )
}

pub(crate) fn row(name: &str, what: &str, against: &str, pairs: Pairs) -> Row {
    let threads = threads();
    let what = format!("{what}: the work of {threads} threads to {threads} times that of one");
    let against =
        format!("the same of {against}, which share nothing: what the machine itself allows");
    Row::compared(
        name,
        [&what, &against],
        Unit::Ratio,
        pairs,
        Target::AtLeast(0.8),
    )
}

/// How close all cores come to so many times the work of one, of two kinds of work in turn.
pub(crate) fn scaling_of(
    extent: Extent,
    ours: &(impl AsyncFn(usize) + Sync),
    theirs: &(impl AsyncFn(usize) + Sync),
) -> Pairs {
    let round = extent.either(Duration::from_millis(100), Duration::from_millis(40));
    let mut pairs = Pairs::default();
    for _ in 0..extent.either(31, 11) {
        pairs.push(scaling_in(round, ours), scaling_in(round, theirs));
    }
    pairs
}

/// A runtime for what a service does by itself.
pub(crate) fn background() -> runtime::Runtime {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn scaling_in(round: Duration, work: &(impl AsyncFn(usize) + Sync)) -> f64 {
    let count = threads();
    let alone = operations_per_second(1, round, work);
    let together = operations_per_second(count, round, work);
    together / alone / f64::from(u32::try_from(count).unwrap())
}

fn operations_per_second(
    count: usize,
    round: Duration,
    work: &(impl AsyncFn(usize) + Sync),
) -> f64 {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let runtime = runtime::Builder::new_current_thread().build().unwrap();
                    barrier.wait();
                    runtime.block_on(speed_of(round, number * APART, work))
                })
            })
            .collect();
        let speeds = threads.into_iter().map(|thread| thread.join().unwrap());
        speeds.sum()
    })
}

async fn speed_of(round: Duration, first: usize, work: &impl AsyncFn(usize)) -> f64 {
    let started = SystemClock.monotonic();
    let mut done = 0_u32;
    loop {
        for _ in 0..BETWEEN_LOOKS {
            work(first + usize::try_from(done).unwrap()).await;
            done += 1;
        }
        let taken = SystemClock.monotonic().saturating_sub(started);
        if taken >= round {
            return f64::from(done) / taken.as_secs_f64();
        }
    }
}

pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

const TOKENS: usize = 512;
/// By how many calls the threads are apart, so that they do not all do the same at once.
const APART: usize = 131;
/// How many operations come between two looks at the clock.
const BETWEEN_LOOKS: u32 = 64;
