//! What servers answer in outages, and that they answer at all.

use super::*;

/// During the whole of it, the database is away.
fn outage(deed: Deed, reply: Reply) -> Records {
    let mut records = history([begin(), (deed, reply)]);
    records.outages = vec![Outage {
        node: 0,
        began: ms(5),
        from: ms(6),
        until: ms(30),
        back: ms(35),
    }];
    records
}

/// INV-10.
#[test]
fn an_answer_that_only_the_database_knows_is_found() {
    for (deed, reply) in [
        (USE, Reply::Done),
        (refresh("a"), successor("b")),
        (Deed::End, Reply::Done),
        (end_all(), Reply::Done),
        (Deed::Look, Reply::Row(0)),
    ] {
        let mut records = outage(deed, reply);
        assert_only(Rule::Invented, &records);
        records.outages[0].node = 1;
        assert_eq!(found(&records), []);
    }
    assert_eq!(found(&outage(USE, Reply::Unavailable)), []);
    assert_eq!(found(&outage(USE_STATELESS, Reply::Done)), []);
}

/// INV-10.
#[test]
fn a_server_that_stays_down_is_found() {
    assert_only(Rule::StayedDown, &outage(USE_STATELESS, Reply::Unavailable));
    let mut records = outage(USE, Reply::Unavailable);
    records.events[1].asked = ms(56);
    records.events[1].answered = ms(57);
    assert_only(Rule::StayedDown, &records);
    let never_away = history([begin(), (USE, Reply::Unavailable)]);
    assert_only(Rule::StayedDown, &never_away);
}

/// INV-10: what came before an outage is not its fault.
#[test]
fn a_server_that_is_down_too_early_is_found() {
    let mut records = outage(USE, Reply::Unavailable);
    records.outages[0].began = ms(15);
    assert_only(Rule::StayedDown, &records);
    records.outages[0].began = ms(14);
    assert_eq!(found(&records), []);
}

/// INV-2: what is heard of nobody is let through for longer than the blacklist may lag.
#[test]
fn a_blacklist_that_stays_open_in_an_outage_is_found() {
    let mut records = outage(USE_BLACKLIST, Reply::Done);
    records.outages[0].until = ms(100);
    assert_eq!(found(&records), []);
    records.events[1].asked = ms(57);
    records.events[1].answered = ms(58);
    assert_only(Rule::Stale, &records);
    // It may have been over before the answer.
    records.outages[0].until = ms(58);
    assert_eq!(found(&records), []);
    records.outages[0].until = ms(100);
    records.outages[0].node = 1;
    assert_eq!(found(&records), []);
}

#[test]
fn a_fault_of_the_server_is_found() {
    assert_only(Rule::Failed, &with(2, USE, Reply::Status(500)));
}

/// A node that nobody has ended answers.
#[test]
fn a_server_that_hangs_up_is_found() {
    let mut records = history([begin(), (USE, Reply::Nothing)]);
    assert_eq!(found(&records), []);
    records.absences[0].node = 1;
    assert_only(Rule::Failed, &records);
    records.absences.clear();
    assert_only(Rule::Failed, &records);
    let times = |from, until| Absence {
        node: 0,
        from,
        until,
    };
    records.absences = vec![times(ms(15), ms(20))];
    assert_only(Rule::Failed, &records);
    records.events[1].asked = ms(1_020);
    records.events[1].answered = ms(1_021);
    assert_only(Rule::Failed, &records);
    // It may have been looked for where it was before.
    records.events[1].asked = ms(1_019);
    assert_eq!(found(&records), []);
}

/// An access token is good for its time, and expires for nobody who shows none.
#[test]
fn an_access_token_that_expires_too_early_is_found() {
    let mut records = history([begin(), (USE, Reply::Stale)]);
    assert_eq!(found(&records), []);
    records.events[1].asked = ms(8);
    records.events[1].answered = ms(9);
    assert_only(Rule::Failed, &records);
    for deed in [refresh("a"), Deed::End, end_all(), Deed::Look] {
        assert_only(Rule::Failed, &history([begin(), (deed, Reply::Stale)]));
    }
    // The last one counts.
    let records = history([
        begin(),
        (refresh("a"), successor("b")),
        (USE_STATELESS, Reply::Stale),
    ]);
    assert_eq!(found(&records), []);
    let mut hasty = records;
    hasty.events[2].asked = ms(17);
    hasty.events[2].answered = ms(18);
    assert_only(Rule::Failed, &hasty);
}
