//! Whether a history can be that of sessions that are kept as promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::events::{Check, Deed, Event, Outage, Records, Reply, SessionNumber};

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
    /// The blacklist let a session through for longer after its end than it may (INV-2).
    Stale,
    /// One token was exchanged for two different ones (INV-3).
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
    /// The session's row was gone, and the blacklist never heard of it (INV-11).
    Half,
    /// The server was at fault.
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
    check_outages(records, promise, &mut report);
    violations
}

/// The refreshes with each token.
type Exchanges<'a> = BTreeMap<&'a str, Vec<&'a Event>>;

/// One session, as far as it is known.
struct Life<'a> {
    events: &'a [&'a Event],
    exchanges: Exchanges<'a>,
    /// When its end was first asked for by somebody whose wish may have come true.
    end_asked: Option<Duration>,
    /// Who was first told that it had ended, by wish.
    ended: Option<&'a Event>,
    /// The server that certainly ended it itself, and so knows.
    ended_by: Option<usize>,
    /// When somebody was first told of a theft.
    stolen: Option<Duration>,
    /// When the database was first seen to know nothing of it.
    gone: Option<Duration>,
}

impl<'a> Life<'a> {
    fn of(events: &'a [&'a Event], of_users: &[&'a Event], promise: &Promise) -> Self {
        let user = events.iter().find_map(|event| match &event.deed {
            Deed::Begin(user) => Some((user, event.asked, event.answered)),
            _ => None,
        });
        let of_this_user = of_users.iter().copied().filter(move |event| {
            // What was done before this one began concerned others; what was given up may still be
            // done later.
            user.is_some_and(|(user, began, _)| {
                event.deed == Deed::EndAll(user.clone())
                    && (event.answered > began || is_unknown(event))
            })
        });
        let wishes = (events.iter().copied())
            .filter(|event| event.deed == Deed::End)
            .chain(of_this_user);
        // A refused wish ends nothing.
        let may_end =
            (wishes.clone()).filter(|event| !matches!(event.reply, Reply::Gone | Reply::Stale));
        let end_asked = may_end.clone().map(|event| event.asked);
        // All of a user's sessions are those that there were when it was asked.
        let is_of_this = move |event: &&Event| {
            event.deed == Deed::End || user.is_some_and(|(_, _, begun)| begun < event.asked)
        };
        let ended = wishes
            .filter(|event| event.reply == Reply::Done)
            .filter(is_of_this);
        let ended = ended.min_by_key(|event| event.answered);
        // Whoever ends all is told so whether or not there was one left to end.
        let by_another = |ended: &Event| {
            may_end
                .clone()
                .any(|event| event.node != ended.node && event.asked < ended.answered)
        };
        let ended_by = ended
            .filter(|ended| ended.deed == Deed::End || !by_another(ended))
            .map(|ended| ended.node);
        let told = |is_such: fn(&Event) -> bool| {
            let such = events.iter().filter(move |event| is_such(event));
            such.map(|event| event.answered).min()
        };
        let stolen = told(|event| event.reply == Reply::Theft);
        let mut exchanges = Exchanges::new();
        for event in events {
            if let Deed::Refresh(presented) = &event.deed {
                exchanges.entry(presented).or_default().push(event);
            }
        }
        // Or so it may have been found, by somebody who was not told.
        let thefts = (events.iter())
            .filter(|event| {
                event.reply == Reply::Theft
                    || is_unknown(event) && may_be_stolen(&exchanges, event, promise)
            })
            .map(|event| event.asked);
        let end_asked = end_asked.chain(thefts).min();
        Self {
            events,
            exchanges,
            end_asked,
            ended,
            ended_by,
            stolen,
            gone: told(|event| event.reply == Reply::Gone && asks_the_database(event)),
        }
    }

    fn check(&self, promise: &Promise, report: &mut impl FnMut(Rule, &Event)) {
        let mut successors = BTreeMap::<&str, &str>::new();
        for event in self.events {
            self.check_end(event, promise, report);
            match &event.reply {
                Reply::Theft if !may_be_stolen(&self.exchanges, event, promise) => {
                    report(Rule::FalseTheft, event);
                }
                Reply::Status(_) => report(Rule::Failed, event),
                Reply::Gone if self.end_asked.is_none_or(|asked| asked > event.answered) => {
                    report(Rule::SessionLost, event);
                }
                Reply::Row(rotations) => self.check_row(event, *rotations, report),
                _ => {}
            }
            if let (Deed::Refresh(presented), Reply::Successor(successor)) =
                (&event.deed, &event.reply)
            {
                if *successors.entry(presented).or_insert(successor) != successor {
                    report(Rule::Forked, event);
                }
                if self.is_past_grace(event, promise) {
                    report(Rule::UsedPastGrace, event);
                }
            }
        }
    }

    /// Whether the session shows life that it cannot have any more.
    fn check_end(&self, event: &Event, promise: &Promise, report: &mut impl FnMut(Rule, &Event)) {
        let is_after = |moment: Option<Duration>| moment.is_some_and(|at| at < event.asked);
        let long_after =
            |moment: Option<Duration>| is_after(moment.map(|at| at + promise.max_staleness));
        let ended = self.ended.map(|ended| ended.answered);
        if event.reply == Reply::Done && event.deed == Deed::Use(Check::Blacklist) {
            let ended_here = self.ended_by == Some(event.node);
            if long_after(ended) || ended_here && is_after(ended) {
                report(Rule::Stale, event);
            } else if long_after(self.stolen) {
                report(Rule::TheftForgiven, event);
            } else if long_after(self.gone) {
                report(Rule::Half, event);
            }
        } else if shows_life(event) {
            if is_after(ended) {
                report(Rule::RevocationLost, event);
            } else if is_after(self.stolen) {
                report(Rule::TheftForgiven, event);
            } else if is_after(self.gone) {
                report(Rule::CameBack, event);
            }
        }
    }

    /// Whether somebody had certainly used the token too long ago.
    fn is_past_grace(&self, event: &Event, promise: &Promise) -> bool {
        others(&self.exchanges, event)
            .filter(|other| matches!(other.reply, Reply::Successor(_)))
            .any(|other| other.answered.saturating_add(promise.grace) < event.asked)
    }

    fn check_row(&self, event: &Event, rotations: u64, report: &mut impl FnMut(Rule, &Event)) {
        let acknowledged: BTreeSet<&str> = (self.events.iter())
            .filter(|earlier| earlier.answered < event.asked)
            .filter_map(|earlier| successor(earlier))
            .collect();
        let presented: BTreeSet<&str> = (self.events.iter())
            .filter(|earlier| earlier.asked < event.answered)
            .filter_map(|earlier| presented(earlier))
            .collect();
        if rotations < acknowledged.len() as u64 {
            report(Rule::RefreshLost, event);
        }
        if rotations > presented.len() as u64 {
            report(Rule::RotatedByItself, event);
        }
    }
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

fn check_outages(records: &Records, promise: &Promise, report: &mut impl FnMut(Rule, &Event)) {
    for event in &records.events {
        let mut outages = (records.outages.iter()).filter(|outage| outage.node == event.node);
        if event.reply == Reply::Unavailable {
            let may_be = event.deed != Deed::Use(Check::Stateless)
                && outages.any(|outage| touches(outage, event, promise));
            if !may_be {
                report(Rule::StayedDown, event);
            }
        } else if is_known_to_the_database_alone(event)
            && outages.any(|outage| outage.from < event.asked && event.answered < outage.until)
        {
            report(Rule::Invented, event);
        }
    }
}

/// Whether an outage, or what it left behind, may have met an event.
fn touches(outage: &Outage, event: &Event, promise: &Promise) -> bool {
    // It was certain a moment after it had begun.
    outage.from.saturating_sub(promise.recovery) < event.answered
        && event.asked < outage.back.saturating_add(promise.recovery)
}

/// Whether somebody may have used the token so long ago that using it again is theft.
fn may_be_stolen(exchanges: &Exchanges<'_>, event: &Event, promise: &Promise) -> bool {
    others(exchanges, event)
        .any(|other| other.asked.saturating_add(promise.grace) <= event.answered)
}

/// The other refreshes with the token of this one.
fn others<'a>(exchanges: &Exchanges<'a>, event: &Event) -> impl Iterator<Item = &'a Event> {
    let same = presented(event).and_then(|token| exchanges.get(token));
    let same = same.into_iter().flatten().copied();
    same.filter(move |other| *other != event)
}

/// Whether it may have happened or not, or still will.
fn is_unknown(event: &Event) -> bool {
    matches!(event.reply, Reply::Nothing | Reply::Unavailable)
}

fn shows_life(event: &Event) -> bool {
    match event.reply {
        Reply::Successor(_) | Reply::Row(_) => true,
        Reply::Done => event.deed == Deed::Use(Check::Database),
        _ => false,
    }
}

/// The database was asked, whatever else.
fn asks_the_database(event: &Event) -> bool {
    !matches!(event.deed, Deed::Use(Check::Stateless | Check::Blacklist))
}

fn is_known_to_the_database_alone(event: &Event) -> bool {
    shows_life(event)
        || matches!(event.reply, Reply::Begun(_))
        || event.reply == Reply::Done && matches!(event.deed, Deed::End | Deed::EndAll(_))
}

fn presented(event: &Event) -> Option<&str> {
    match &event.deed {
        Deed::Refresh(presented) => Some(presented),
        _ => None,
    }
}

fn successor(event: &Event) -> Option<&str> {
    match &event.reply {
        Reply::Successor(successor) => Some(successor),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
