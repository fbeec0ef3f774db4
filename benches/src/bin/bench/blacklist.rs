//! The set of revoked sessions, beside a bare hash map: in a process of its own, whose memory is the
//! set's.

use std::{sync::Arc, time::Duration};

use bench::{
    clock::now_ms,
    extent::{Extent, Only},
    memory,
    records::{below, handle},
    rounds::{self, at},
    row::{Row, Spread, Target, Unit},
};
use hashbrown::HashMap;
use session_core::{
    SessionHandle, blacklist::measuring::RevokedSessions, clock::SystemClock, store::RevokedSession,
};

use crate::child;

/// How much an entry takes, and what a look-up costs.
pub(crate) fn rows(extent: Extent, only: &Only) -> Vec<Row> {
    if !only.wants_any("blacklist") {
        return Vec::new();
    }
    let mut rows = child::rows(&child::this_program(), "blacklist", extent);
    rows.retain(|row| only.wants(&row.name));
    rows
}

/// What the process of its own does.
pub(crate) fn measure(extent: Extent) -> Vec<Row> {
    let count = extent.either(10_000_000, 1_000_000);
    let set = RevokedSessions::new(usize::try_from(count).unwrap() * 2, Arc::new(SystemClock));
    let before = memory::of_this_process();
    for first in (0..count).step_by(BATCH) {
        set.extend(&batch(first));
    }
    let kilobytes = u32::try_from(memory::of_this_process() - before).unwrap();
    let bytes = f64::from(kilobytes) * 1_024.0 / f64::from(count);
    let bare: HashMap<SessionHandle, i64> = (0..count)
        .map(|number| (handle("r", number), i64::from(number)))
        .collect();

    let mut rows = vec![Row {
        ours: Spread::exactly(bytes),
        ..Row::alone(
            "blacklist-memory",
            format!("memory of each of {count} revoked sessions in the set"),
            Unit::BytesPerEntry,
            vec![bytes],
            Target::AtMost(64.0),
        )
    }];
    for (kind, name, whom) in [
        ("r", "blacklist-hit", "a revoked session"),
        ("x", "blacklist-miss", "a session that is not revoked"),
    ] {
        let probes: Vec<SessionHandle> = (0..PROBES)
            .map(|number| handle(kind, below(number, count)))
            .collect();
        let is_revoked = kind == "r";
        let pairs = rounds::in_turn(
            extent,
            |call| assert_eq!(set.look_up(at(&probes, call)), Some(is_revoked)),
            |call| assert_eq!(bare.get(at(&probes, call)).is_some(), is_revoked),
        );
        let what = format!("looking up {whom} among {count} revoked ones");
        let against =
            "`hashbrown::HashMap<SessionHandle, i64>` with its default hasher and the same keys";
        rows.push(Row::compared(
            name,
            [&what, against],
            Unit::Nanoseconds,
            pairs,
            Target::DifferenceAtMost(150.0),
        ));
    }
    rows
}

fn batch(first: u32) -> Vec<RevokedSession> {
    let expires_at_ms = now_ms() + i64::try_from(HOUR.as_millis()).unwrap();
    (first..)
        .take(BATCH)
        .map(|number| RevokedSession {
            handle: handle("r", number),
            expires_at_ms,
        })
        .collect()
}

const BATCH: usize = 1_000;
const PROBES: u32 = 200_000;
const HOUR: Duration = Duration::from_hours(1);
