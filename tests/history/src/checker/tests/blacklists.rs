//! How long a session may pass after its end, and where.

use super::*;

/// INV-2: within the bound another server may not have heard of it.
#[test]
fn a_blacklist_that_is_too_old_is_found() {
    let mut records = history([
        begin(),
        (Deed::End, Reply::Done),
        (USE_BLACKLIST, Reply::Done),
    ]);
    records.events[2].node = 1;
    assert_eq!(found(&records), []);
    records.events[2].asked = ms(66);
    records.events[2].answered = ms(67);
    assert_only(Rule::Stale, &records);
}

/// INV-2: the server that ended a session knows at once.
#[test]
fn a_blacklist_that_forgets_its_own_is_found() {
    assert_only(
        Rule::Stale,
        &history([
            begin(),
            (Deed::End, Reply::Done),
            (USE_BLACKLIST, Reply::Done),
        ]),
    );
}

/// INV-2: a server that was asked to end all, and had nothing left to end, may hear of it later.
#[test]
fn who_ends_all_knows_what_it_ended_itself() {
    let by_it = [
        begin(),
        (end_all(), Reply::Done),
        (USE_BLACKLIST, Reply::Done),
    ];
    assert_only(Rule::Stale, &history(by_it));
    for answer in [Reply::Done, Reply::Nothing] {
        let mut records = history([
            begin(),
            (end_all(), answer),
            (end_all(), Reply::Done),
            (USE_BLACKLIST, Reply::Done),
        ]);
        records.events[1].node = 1;
        records.absences.iter_mut().for_each(|gone| gone.node = 1);
        records.events[1].answered = records.events[2].answered;
        assert_eq!(found(&records), []);
    }
}

/// INV-2: so it is when another has found a theft, told or not.
#[test]
fn who_ends_all_may_find_what_a_theft_has_ended() {
    for told in [Reply::Theft, Reply::Nothing] {
        let mut records = theft(end_all(), Reply::Done);
        records
            .events
            .extend(history([(USE_BLACKLIST, Reply::Done)]).events);
        records.events[4].asked = ms(1_040);
        records.events[4].answered = ms(1_045);
        records.events[2].reply = told;
        records.events[2].node = 1;
        records.absences = vec![Absence {
            node: 1,
            from: ms(1_000),
            until: ms(1_030),
        }];
        assert_eq!(found(&records), []);
        records.events[2].node = 0;
        records.absences[0].node = 0;
        assert_only(Rule::Stale, &records);
    }
}
