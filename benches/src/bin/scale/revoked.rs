//! The set of revoked sessions in memory: how much an entry takes, and what a look-up costs while
//! others write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use bench::{
    clock::{ForwardClock, now_ms},
    memory,
    records::{below, handle},
    timings::Timings,
};
use session_core::{SessionHandle, blacklist::measuring::RevokedSessions, store::RevokedSession};
use tokio::runtime;

/// Prints a part of the page.
pub(crate) fn measure(count: u32) {
    let clock = Arc::new(ForwardClock::default());
    let set = RevokedSessions::new(usize::try_from(count).unwrap() * 2, clock.clone());
    let probes = handles("r", count);
    let strangers = handles("x", count);
    let base = memory::of_this_process();
    let mut worst = (0.0_f64, 0);
    for first in (0..count).step_by(BATCH) {
        set.extend(&batch("r", first, first < count / 2));
        let filled = first + u32::try_from(BATCH).unwrap();
        if filled >= FEWEST && filled % SOME == 0 {
            let each = bytes_each(base, filled);
            if each > worst.0 {
                worst = (each, filled);
            }
        }
    }
    let full = bytes_each(base, count);
    let [hit, miss] = [(&probes, true), (&strangers, false)].map(|(handles, revoked)| {
        let mut timings = Timings::default();
        for some in handles.chunks(BATCH) {
            timings.of_now(|| {
                for one in some {
                    assert_eq!(set.look_up(one), Some(revoked));
                }
            });
        }
        // In nanoseconds each: in the median batch, as others use the processor, too.
        timings.within(500).as_secs_f64() * 1e6
    });
    let alone = look_ups(&set, &strangers, || thread::sleep(A_WHILE));
    let growing = look_ups(&set, &strangers, || {
        for first in (0..ADDED).step_by(BATCH) {
            set.extend(&batch("more", first, false));
        }
    });
    let before_sweep = megabytes(base);
    clock.set_forward(HOUR);
    let sweeping = look_ups(&set, &strangers, || sweep(&set));
    let half = megabytes(base);
    clock.set_forward(2 * HOUR);
    sweep(&set);
    let empty = megabytes(base);

    println!("| entries | {count} |\n|---|---:|");
    println!("| memory of an entry | {full:.1} bytes |");
    println!(
        "| at most, from {FEWEST} entries on | {:.1} bytes, at {} |",
        worst.0, worst.1
    );
    println!("| look-up of a revoked session | {hit:.0} ns |");
    println!("| look-up of another | {miss:.0} ns |");
    println!(
        "| memory, {ADDED} entries more | {before_sweep:.0} MB |\n\
         | once half has expired | {half:.0} MB |\n| once all has | {empty:.0} MB |"
    );
    println!("\n| look-ups | median | 99.9 % within | longest |\n|---|---:|---:|---:|");
    for (name, [median, most, longest]) in [
        ("alone", alone),
        ("while 100 000 are added", growing),
        ("while half is swept out", sweeping),
    ] {
        println!("| {name} | {median:.2} µs | {most:.2} µs | {longest:.0} µs |");
    }
}

/// Looks up, one after the other, for as long as the work in another thread takes: the median, what
/// 99.9 % stay within, and the longest, in microseconds.
fn look_ups(
    set: &RevokedSessions,
    handles: &[SessionHandle],
    work: impl FnOnce() + Send,
) -> [f64; 3] {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            work();
            is_done.store(true, Ordering::Relaxed);
        });
        let mut timings = Timings::default();
        for one in handles.iter().cycle() {
            if is_done.load(Ordering::Relaxed) {
                break;
            }
            timings.of_now(|| set.look_up(one));
        }
        [500, 999, 1_000].map(|share| timings.within(share).as_secs_f64() * 1e6)
    })
}

fn sweep(set: &RevokedSessions) {
    let runtime = runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(set.sweep());
}

fn batch(kind: &str, first: u32, is_short: bool) -> Vec<RevokedSession> {
    let hours = if is_short { 1 } else { 2 };
    let expires_at_ms = now_ms() + hours * 3_600_000 - 60_000;
    (first..)
        .take(BATCH)
        .map(|number| RevokedSession {
            handle: handle(kind, number),
            expires_at_ms,
        })
        .collect()
}

fn handles(kind: &str, count: u32) -> Vec<SessionHandle> {
    (0..PROBES)
        .map(|number| handle(kind, below(number, count)))
        .collect()
}

fn bytes_each(base: u64, entries: u32) -> f64 {
    let kilobytes = u32::try_from(memory::of_this_process().saturating_sub(base)).unwrap();
    f64::from(kilobytes) * 1024.0 / f64::from(entries)
}

fn megabytes(base: u64) -> f64 {
    f64::from(u32::try_from(memory::of_this_process().saturating_sub(base)).unwrap()) / 1024.0
}

const BATCH: usize = 1_000;
const FEWEST: u32 = 100_000;
const SOME: u32 = 20_000;
const ADDED: u32 = 100_000;
const PROBES: u32 = 200_000;
const HOUR: u64 = 3_600;
const A_WHILE: Duration = Duration::from_millis(200);
