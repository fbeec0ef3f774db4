//! Whether a history can be that of sessions that are kept as promised.

mod life;

use std::{collections::BTreeMap, time::Duration};

use self::life::Life;
use crate::events::{Absence, Check, Deed, Event, Outage, Records, Reply, SessionNumber};

/// What the servers of a history promise.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Promise {
    /// How long after its end a session may pass a route that checks the blacklist on another node.
    pub max_staleness: Duration,
    /// How long a superseded token still gets its successor.
    pub grace: Duration,
    /// How long after an outage the database may still seem to be away.
    pub recovery: Duration,
    /// How long after it was given up something may still be done.
    pub lingers: Duration,
    /// How long an access token is good for, at least.
    pub access_lifetime: Duration,
}

/// Something that must not happen.
#[derive(Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Violation {
    /// What it breaks.
    pub rule: Rule,
    /// Where it shows.
    pub event: Event,
}

/// What must not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match each")]
pub enum Rule {
    /// A session lived on after its end was acknowledged (INV-1, INV-9).
    RevocationLost,
    /// The blacklist let a session through for longer after its end than it may, or anybody for
    /// longer than that after it could hear of an end (INV-2).
    Stale,
    /// One token was exchanged for two different ones (INV-3). A token of some steps ago may be, as
    /// it gets the current one while its window is open: tests present none such.
    Forked,
    /// A token was exchanged though it had been superseded for longer than it may (INV-3).
    UsedPastGrace,
    /// A session lived on after somebody was found to have stolen it (INV-4).
    TheftForgiven,
    /// An honest client was taken for a thief (INV-5).
    FalseTheft,
    /// A session was gone though nobody had asked for its end (INV-6, INV-9).
    SessionLost,
    /// The row is of fewer rotations than were acknowledged (INV-6).
    RefreshLost,
    /// The row is of more rotations than were asked for.
    RotatedByItself,
    /// Two sessions have one handle (INV-7).
    SameHandle,
    /// A session that was gone came back (INV-8).
    CameBack,
    /// The database was out of reach, and something was answered that it alone knows (INV-10).
    Invented,
    /// The database seemed to be away when it was there, or a check that needs none asked for it
    /// (INV-10).
    StayedDown,
    /// The session was known to be gone, and the blacklist never heard of it (INV-11).
    Half,
    /// The server was at fault: it said so, hung up though nobody had ended it, or refused an access
    /// token that was still good.
    Failed,
}

/// What is wrong with the events, of all sessions and in any order.
pub fn check(records: &Records, promise: &Promise) -> Vec<Violation> {
    let mut sessions = BTreeMap::<SessionNumber, Vec<&Event>>::new();
    let (of_users, of_sessions): (Vec<&Event>, Vec<&Event>) =
        (records.events.iter()).partition(|event| matches!(event.deed, Deed::EndAll(_)));
    for event in of_sessions {
        sessions.entry(event.session).or_default().push(event);
    }
    let mut violations: Vec<Violation> = Vec::new();
    let mut report = |rule, event: &Event| {
        let event = event.clone();
        violations.push(Violation { rule, event });
    };
    for events in sessions.values() {
        Life::of(events, &of_users, promise).check(promise, &mut report);
    }
    check_handles(&records.events, &mut report);
    for event in &records.events {
        check_server(event, records, promise, &mut report);
    }
    violations
}

fn check_handles(events: &[Event], report: &mut impl FnMut(Rule, &Event)) {
    let mut handles = BTreeMap::<&str, SessionNumber>::new();
    for event in events {
        if let Reply::Begun(handle) = &event.reply
            && *handles.entry(handle).or_insert(event.session) != event.session
        {
            report(Rule::SameHandle, event);
        }
    }
}

/// Whether a server answered as it can and must, when the database was there and when not.
fn check_server(
    event: &Event,
    records: &Records,
    promise: &Promise,
    report: &mut impl FnMut(Rule, &Event),
) {
    let mut outages = (records.outages.iter()).filter(|outage| outage.node == event.node);
    match event.reply {
        Reply::Status(_) => report(Rule::Failed, event),
        Reply::Stale if !matches!(event.deed, Deed::Use(_)) => report(Rule::Failed, event),
        Reply::Nothing if !records.absences.iter().any(|gone| gone.touches(event)) => {
            report(Rule::Failed, event);
        }
        Reply::Unavailable => {
            let may_be = event.deed != Deed::Use(Check::Stateless)
                && outages.any(|outage| outage.touches(event, promise));
            if !may_be {
                report(Rule::StayedDown, event);
            }
        }
        _ if event.is_known_to_the_database_alone()
            && outages.any(|outage| outage.covers(event, Duration::ZERO)) =>
        {
            report(Rule::Invented, event);
        }
        // Freshness is earned from the database alone.
        _ if event.passes_the_blacklist()
            && outages.any(|outage| outage.covers(event, promise.max_staleness)) =>
        {
            report(Rule::Stale, event);
        }
        _ => {}
    }
}

impl Outage {
    /// Whether it, or what it left behind, may have met an event.
    fn touches(&self, event: &Event, promise: &Promise) -> bool {
        self.began < event.answered && event.asked < self.back.saturating_add(promise.recovery)
    }

    /// Whether the whole of an event was in it, and when it had lasted for so long.
    fn covers(&self, event: &Event, lasted: Duration) -> bool {
        self.from.saturating_add(lasted) < event.asked && event.answered < self.until
    }
}

impl Absence {
    fn touches(&self, event: &Event) -> bool {
        self.node == event.node
            && self.from < event.answered
            && event.asked < self.until.saturating_add(ON_THE_WAY)
    }
}

/// Who has just found out where a node was may ask there a moment later.
const ON_THE_WAY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
