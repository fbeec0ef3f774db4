//! A good history, and for every rule one that differs from it in what the rule forbids.

mod blacklists;
mod servers;
mod wishes;

use super::*;

const PROMISE: Promise = Promise {
    max_staleness: ms(50),
    grace: ms(1_000),
    recovery: ms(20),
    lingers: ms(200),
    access_lifetime: ms(10),
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What one server, which ended whenever it did not answer, was asked about one session, one after
/// the other.
fn history(deeds: impl IntoIterator<Item = (Deed, Reply)>) -> Records {
    let events = (0..).zip(deeds).map(|(index, (deed, reply))| Event {
        session: SessionNumber(0),
        node: 0,
        asked: ms(10 * index),
        answered: ms(10 * index + 5),
        deed,
        reply,
    });
    let events: Vec<Event> = events.collect();
    let unheard = (events.iter()).filter(|event| event.reply == Reply::Nothing);
    let absences = unheard.map(|event| Absence {
        node: 0,
        from: event.asked,
        until: event.answered,
    });
    Records {
        absences: absences.collect(),
        outages: Vec::new(),
        events,
    }
}

fn begin() -> (Deed, Reply) {
    (
        Deed::Begin("ann".to_owned()),
        Reply::Begun("handle".to_owned()),
    )
}

fn refresh(token: &str) -> Deed {
    Deed::Refresh(token.to_owned())
}

fn successor(token: &str) -> Reply {
    Reply::Successor(token.to_owned())
}

fn end_all() -> Deed {
    Deed::EndAll("ann".to_owned())
}

const USE: Deed = Deed::Use(Check::Database);
const USE_BLACKLIST: Deed = Deed::Use(Check::Blacklist);
const USE_STATELESS: Deed = Deed::Use(Check::Stateless);

/// Two kills: one in a refresh, one in a revocation that did happen.
fn good() -> Vec<(Deed, Reply)> {
    vec![
        begin(),
        (refresh("a"), successor("b")),
        (USE, Reply::Done),
        (refresh("b"), Reply::Nothing),
        (Deed::Look, Reply::Row(2)),
        (refresh("b"), successor("c")),
        (USE, Reply::Stale),
        (Deed::End, Reply::Nothing),
        (Deed::Look, Reply::Gone),
        (refresh("c"), Reply::Gone),
        (end_all(), Reply::Done),
        (USE, Reply::Gone),
        (USE_STATELESS, Reply::Done),
    ]
}

fn found(records: &Records) -> Vec<Rule> {
    let violations = check(records, &PROMISE);
    violations.iter().map(|found| found.rule).collect()
}

#[track_caller]
fn assert_only(rule: Rule, records: &Records) {
    let rules = found(records);
    assert!(
        !rules.is_empty() && rules.iter().all(|found| *found == rule),
        "{rules:?}"
    );
}

/// The good history with something else at one place.
fn with(index: usize, deed: Deed, reply: Reply) -> Records {
    let mut deeds = good();
    deeds[index] = (deed, reply);
    history(deeds)
}

#[test]
fn a_good_history_is_accepted() {
    assert_eq!(check(&history(good()), &PROMISE), []);
}

/// What was not acknowledged may not have happened.
#[test]
fn a_refresh_that_was_not_heard_of_may_have_been_lost() {
    assert_eq!(found(&with(4, Deed::Look, Reply::Row(1))), []);
}

/// INV-1.
#[test]
fn a_revocation_that_is_lost_is_found() {
    assert_only(Rule::RevocationLost, &with(11, USE, Reply::Done));
    assert_only(
        Rule::RevocationLost,
        &with(11, refresh("c"), successor("d")),
    );
    assert_only(Rule::RevocationLost, &with(11, Deed::Look, Reply::Row(2)));
    // Only what is there can be ended.
    assert_only(Rule::RevocationLost, &with(11, Deed::End, Reply::Done));
}

/// INV-3.
#[test]
fn a_fork_is_found() {
    assert_only(Rule::Forked, &with(6, refresh("b"), successor("d")));
}

/// INV-3.
#[test]
fn a_token_that_works_for_ever_is_found() {
    let mut records = with(6, refresh("b"), successor("c"));
    assert_eq!(found(&records), []);
    records.events.truncate(7);
    records.events[6].asked = ms(1_057);
    records.events[6].answered = ms(1_058);
    assert_only(Rule::UsedPastGrace, &records);
}

/// A history in which a token is used again after its time, and what came of it.
fn theft(then: Deed, reply: Reply) -> Records {
    let mut records = history([
        begin(),
        (refresh("a"), successor("b")),
        (refresh("a"), Reply::Theft),
        (then, reply),
    ]);
    for event in &mut records.events[2..] {
        event.asked += ms(1_000);
        event.answered += ms(1_000);
    }
    records
}

/// INV-4.
#[test]
fn a_theft_that_is_forgiven_is_found() {
    assert_eq!(found(&theft(refresh("b"), Reply::Gone)), []);
    assert_only(Rule::TheftForgiven, &theft(refresh("b"), successor("c")));
    assert_only(Rule::TheftForgiven, &theft(USE, Reply::Done));
    let mut heard_of = theft(USE_BLACKLIST, Reply::Done);
    assert_eq!(found(&heard_of), []);
    heard_of.events[3].asked = ms(1_076);
    heard_of.events[3].answered = ms(1_077);
    assert_only(Rule::TheftForgiven, &heard_of);
}

/// INV-1: theft is only found of what is there.
#[test]
fn a_theft_of_what_had_ended_is_found() {
    let mut records = theft(USE, Reply::Gone);
    let end = history([(Deed::End, Reply::Done)]).events.remove(0);
    records.events.push(Event {
        asked: ms(20),
        answered: ms(25),
        ..end
    });
    assert_only(Rule::RevocationLost, &records);
    records.events.pop();
    assert_eq!(found(&records), []);
}

/// INV-4: nor twice.
#[test]
fn a_second_theft_is_found() {
    assert_only(Rule::TheftForgiven, &theft(refresh("a"), Reply::Theft));
}

/// INV-5: it supersedes nothing when a token is refused.
#[test]
fn a_theft_of_what_was_never_exchanged_is_found() {
    for told in [Reply::Gone, Reply::Stale, Reply::Status(500)] {
        let mut records = theft(USE, Reply::Gone);
        records.events[1].reply = told;
        assert!(found(&records).contains(&Rule::FalseTheft));
    }
    let mut records = theft(USE, Reply::Gone);
    records.events[1].reply = Reply::Nothing;
    records.absences = history([begin(), (USE, Reply::Nothing)]).absences;
    assert_eq!(found(&records), []);
}

/// INV-5.
#[test]
fn a_false_theft_is_found() {
    let mut records = theft(refresh("b"), Reply::Gone);
    records.events[2].deed = refresh("b");
    records.events.truncate(3);
    assert_only(Rule::FalseTheft, &records);
}

/// INV-5: nor is it theft to try again in time.
#[test]
fn a_theft_within_the_window_is_found() {
    let mut records = with(5, refresh("b"), Reply::Theft);
    records.events.truncate(6);
    assert_only(Rule::FalseTheft, &records);
}

/// INV-6.
#[test]
fn a_session_that_is_lost_is_found() {
    for (deed, at) in [
        (Deed::Look, 4),
        (refresh("b"), 5),
        (USE, 6),
        (USE_BLACKLIST, 6),
        (Deed::End, 6),
    ] {
        let mut records = with(at, deed, Reply::Gone);
        records.events.truncate(at + 1);
        assert_only(Rule::SessionLost, &records);
    }
}

/// INV-6.
#[test]
fn a_refresh_that_is_lost_is_found() {
    assert_only(Rule::RefreshLost, &with(4, Deed::Look, Reply::Row(0)));
}

#[test]
fn a_rotation_that_nobody_asked_for_is_found() {
    assert_only(Rule::RotatedByItself, &with(4, Deed::Look, Reply::Row(3)));
}

/// INV-7.
#[test]
fn a_handle_of_two_sessions_is_found() {
    let mut records = history([begin(), begin()]);
    assert_eq!(found(&records), []);
    records.events[1].session = SessionNumber(1);
    assert_only(Rule::SameHandle, &records);
}

/// INV-8.
#[test]
fn a_session_that_comes_back_is_found() {
    assert_only(Rule::CameBack, &with(9, refresh("c"), successor("d")));
    assert_only(Rule::CameBack, &with(9, Deed::End, Reply::Done));
}

/// INV-8: whoever has said that it is gone.
#[test]
fn a_session_that_comes_back_from_the_blacklist_is_found() {
    let then = |deed, reply| {
        history([
            begin(),
            (Deed::End, Reply::Nothing),
            (USE_BLACKLIST, Reply::Gone),
            (deed, reply),
        ])
    };
    assert_only(Rule::CameBack, &then(Deed::Look, Reply::Row(0)));
    let mut records = then(USE_BLACKLIST, Reply::Done);
    // One server may have asked the database and the other has not heard yet.
    assert_eq!(found(&records), []);
    records.events[3].asked = ms(76);
    records.events[3].answered = ms(77);
    assert_only(Rule::Half, &records);
}

/// INV-11: what was given up has happened or has not, and nothing in between.
#[test]
fn a_revocation_by_halves_is_found() {
    let mut records = history([
        begin(),
        (Deed::End, Reply::Nothing),
        (Deed::Look, Reply::Gone),
        (USE_BLACKLIST, Reply::Done),
    ]);
    assert_eq!(found(&records), []);
    records.events[3].asked = ms(76);
    records.events[3].answered = ms(77);
    assert_only(Rule::Half, &records);
}

/// Sessions are judged each by itself.
#[test]
fn the_end_of_one_session_is_not_that_of_another() {
    let mut records = history(good());
    let mut other = history([(USE, Reply::Gone)]).events.remove(0);
    other.session = SessionNumber(1);
    other.asked = ms(1_000);
    other.answered = ms(1_001);
    records.events.push(other.clone());
    let violations = check(&records, &PROMISE);
    let (rule, event) = (Rule::SessionLost, other);
    assert_eq!(violations, [Violation { rule, event }]);
}

/// Overlapping deeds may have happened in either order.
#[test]
fn a_refresh_that_began_before_the_end_was_acknowledged_may_succeed() {
    let mut records = history([(Deed::End, Reply::Done), (refresh("a"), successor("b"))]);
    records.events[1].asked = ms(3);
    assert_eq!(found(&records), []);
    records.events[1].asked = ms(6);
    assert_eq!(found(&records), [Rule::RevocationLost]);
}
