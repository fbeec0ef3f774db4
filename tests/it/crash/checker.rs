//! Whether a history can be that of sessions that are kept as promised (INV-1, 3 to 6, 8 and 11 of
//! the fault plan).

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Deed, Event, Reply, SessionNumber};

/// Something that must not happen.
#[derive(Debug, PartialEq)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    pub(super) event: Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A session lived on after its end was acknowledged.
    RevocationLost,
    /// A session was gone though nobody had asked for its end.
    SessionLost,
    /// A session that was gone came back.
    CameBack,
    /// The row is of fewer rotations than were acknowledged.
    RefreshLost,
    /// The row is of more rotations than were asked for.
    RotatedByItself,
    /// One token was exchanged for two different ones.
    Forked,
    /// An honest client was taken for a thief.
    FalseTheft,
    /// The server was at fault.
    Failed,
}

/// What is wrong with the events, of all sessions and in any order.
pub(super) fn check(events: &[Event]) -> Vec<Violation> {
    let mut sessions = BTreeMap::<SessionNumber, Vec<&Event>>::new();
    for event in events {
        sessions.entry(event.session).or_default().push(event);
    }
    sessions
        .values()
        .flat_map(|events| check_one(events))
        .collect()
}

/// The events of one session.
fn check_one(events: &[&Event]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut report = |rule, event: &Event| {
        let event = event.clone();
        violations.push(Violation { rule, event });
    };
    let of = |wanted: fn(&Event) -> bool| events.iter().copied().filter(move |event| wanted(event));
    let end_asked = of(may_end).map(|event| event.asked).min();
    let end_acknowledged = of(|event| event.deed == Deed::End && event.reply == Reply::Done);
    let end_acknowledged = end_acknowledged.map(|event| event.answered).min();
    let gone = of(|event| event.reply == Reply::Gone);
    let first_gone = gone.map(|event| event.answered).min();
    let after = |event: &Event, moment: Option<usize>| moment.is_some_and(|at| at < event.asked);

    let mut successors = BTreeMap::<&str, &str>::new();
    for event in events {
        match &event.reply {
            Reply::Theft => report(Rule::FalseTheft, event),
            Reply::Status(_) => report(Rule::Failed, event),
            Reply::Gone if end_asked.is_none_or(|asked| asked > event.answered) => {
                report(Rule::SessionLost, event);
            }
            _ => {}
        }
        if shows_life(event) && after(event, end_acknowledged) {
            report(Rule::RevocationLost, event);
        } else if shows_life(event) && after(event, first_gone) {
            report(Rule::CameBack, event);
        }
        if let (Deed::Refresh(presented), Reply::Successor(successor)) = (&event.deed, &event.reply)
            && *successors.entry(presented).or_insert(successor) != successor
        {
            report(Rule::Forked, event);
        }
        if let Reply::Row(rotations) = event.reply {
            let acknowledged: BTreeSet<&str> = events
                .iter()
                .filter(|earlier| earlier.answered < event.asked)
                .filter_map(|earlier| successor(earlier))
                .collect();
            let presented: BTreeSet<&str> = events
                .iter()
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
    violations
}

/// Whether the session may have ended by this. A refused wish ends nothing.
fn may_end(event: &Event) -> bool {
    event.deed == Deed::End && !matches!(event.reply, Reply::Gone | Reply::Stale)
}

fn shows_life(event: &Event) -> bool {
    match event.reply {
        Reply::Successor(_) | Reply::Row(_) => true,
        Reply::Done => event.deed == Deed::Use,
        _ => false,
    }
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

mod tests {
    //! A good history, and for every rule one that differs from it in what the rule forbids.

    use super::*;

    /// One after the other, all of one session.
    fn history(deeds: impl IntoIterator<Item = (Deed, Reply)>) -> Vec<Event> {
        let events = deeds
            .into_iter()
            .enumerate()
            .map(|(index, (deed, reply))| Event {
                session: SessionNumber(0),
                asked: 10 * index,
                answered: 10 * index + 5,
                deed,
                reply,
            });
        events.collect()
    }

    fn refresh(token: &str) -> Deed {
        Deed::Refresh(token.to_owned())
    }

    fn successor(token: &str) -> Reply {
        Reply::Successor(token.to_owned())
    }

    /// Two kills: one in a refresh, one in a revocation that did happen.
    fn good() -> Vec<(Deed, Reply)> {
        vec![
            (Deed::Begin, Reply::Done),
            (refresh("a"), successor("b")),
            (Deed::Use, Reply::Done),
            (refresh("b"), Reply::Nothing),
            (Deed::Look, Reply::Row(2)),
            (refresh("b"), successor("c")),
            (Deed::Use, Reply::Stale),
            (Deed::End, Reply::Nothing),
            (Deed::Look, Reply::Gone),
            (refresh("c"), Reply::Gone),
            (Deed::End, Reply::Done),
            (Deed::Use, Reply::Gone),
        ]
    }

    #[track_caller]
    fn assert_only(rule: Rule, deeds: Vec<(Deed, Reply)>) {
        let rules: Vec<Rule> = check(&history(deeds))
            .iter()
            .map(|found| found.rule)
            .collect();
        assert!(
            !rules.is_empty() && rules.iter().all(|found| *found == rule),
            "{rules:?}"
        );
    }

    /// The good history with something else at one place.
    fn with(index: usize, deed: Deed, reply: Reply) -> Vec<(Deed, Reply)> {
        let mut deeds = good();
        deeds[index] = (deed, reply);
        deeds
    }

    #[test]
    fn a_good_history_is_accepted() {
        assert_eq!(check(&history(good())), []);
    }

    /// What was not acknowledged may not have happened.
    #[test]
    fn a_refresh_that_was_not_heard_of_may_have_been_lost() {
        assert_eq!(check(&history(with(4, Deed::Look, Reply::Row(1)))), []);
    }

    #[test]
    fn a_revocation_that_is_lost_is_found() {
        assert_only(Rule::RevocationLost, with(11, Deed::Use, Reply::Done));
        assert_only(Rule::RevocationLost, with(11, refresh("c"), successor("d")));
        assert_only(Rule::RevocationLost, with(11, Deed::Look, Reply::Row(2)));
    }

    #[test]
    fn a_session_that_is_lost_is_found() {
        let mut deeds = good();
        deeds.truncate(7);
        for (deed, at) in [
            (Deed::Look, 4),
            (refresh("b"), 5),
            (Deed::Use, 6),
            (Deed::End, 6),
        ] {
            let mut deeds = deeds.clone();
            deeds[at] = (deed, Reply::Gone);
            deeds.truncate(at + 1);
            assert_only(Rule::SessionLost, deeds);
        }
    }

    #[test]
    fn a_session_that_comes_back_is_found() {
        assert_only(Rule::CameBack, with(9, refresh("c"), successor("d")));
    }

    #[test]
    fn a_refresh_that_is_lost_is_found() {
        assert_only(Rule::RefreshLost, with(4, Deed::Look, Reply::Row(0)));
    }

    #[test]
    fn a_rotation_that_nobody_asked_for_is_found() {
        assert_only(Rule::RotatedByItself, with(4, Deed::Look, Reply::Row(3)));
    }

    #[test]
    fn a_fork_is_found() {
        assert_only(Rule::Forked, with(6, refresh("b"), successor("d")));
    }

    #[test]
    fn a_false_theft_is_found() {
        assert_only(Rule::FalseTheft, with(5, refresh("b"), Reply::Theft));
    }

    #[test]
    fn a_fault_of_the_server_is_found() {
        assert_only(Rule::Failed, with(2, Deed::Use, Reply::Status(503)));
    }

    /// Sessions are judged each by itself.
    #[test]
    fn the_end_of_one_session_is_not_that_of_another() {
        let mut events = history(good());
        let mut others = history(vec![(Deed::Use, Reply::Gone)]);
        others[0].session = SessionNumber(1);
        others[0].asked = 1_000;
        others[0].answered = 1_001;
        events.extend(others.clone());
        let found = check(&events);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule, Rule::SessionLost);
        assert_eq!(found[0].event, others[0]);
    }

    /// Overlapping deeds may have happened in either order.
    #[test]
    fn a_refresh_that_began_before_the_end_was_acknowledged_may_succeed() {
        let mut events = history(vec![
            (Deed::End, Reply::Done),
            (refresh("a"), successor("b")),
        ]);
        events[1].asked = 3;
        assert_eq!(check(&events), []);
        events[1].asked = 6;
        assert_eq!(check(&events)[0].rule, Rule::RevocationLost);
    }
}
