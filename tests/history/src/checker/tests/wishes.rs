//! Which sessions end when all of a user's are to, and what was given up is not done for ever.

use super::*;

/// INV-9: of the sessions of a user, those that were acknowledged before are over.
#[test]
fn a_session_that_is_spared_is_found() {
    let ended = |reply| history([begin(), (end_all(), Reply::Done), (USE, reply)]);
    assert_eq!(found(&ended(Reply::Gone)), []);
    assert_only(Rule::RevocationLost, &ended(Reply::Done));
}

/// INV-9: and those that began after it live.
#[test]
fn a_session_that_is_ended_by_an_older_wish_is_found() {
    let history = |reply| history([(end_all(), reply), begin(), (USE, Reply::Gone)]);
    assert_only(Rule::SessionLost, &history(Reply::Done));
    // What was given up may be done later.
    assert_eq!(found(&history(Reply::Nothing)), []);
}

/// INV-9: what was given up is done soon or never.
#[test]
fn a_session_that_is_ended_by_a_forgotten_wish_is_found() {
    let mut records = history([(end_all(), Reply::Nothing), begin(), (USE, Reply::Gone)]);
    for event in &mut records.events[1..] {
        event.asked += ms(200);
        event.answered += ms(200);
    }
    assert_only(Rule::SessionLost, &records);
    // It was there already, and may have been ended before anybody looked.
    records.events[1].asked = ms(5);
    assert_eq!(found(&records), []);
}

/// INV-6: nor did a wish end what was alive when it could not come true any more.
#[test]
fn a_session_that_outlived_every_wish_and_is_lost_is_found() {
    let mut records = history([
        begin(),
        (Deed::End, Reply::Nothing),
        (USE, Reply::Done),
        (USE, Reply::Gone),
    ]);
    assert_eq!(found(&records), []);
    for event in &mut records.events[2..] {
        event.asked += ms(200);
        event.answered += ms(200);
    }
    assert_only(Rule::SessionLost, &records);
}

/// INV-9: others' sessions are not their user's.
#[test]
fn the_end_of_another_users_sessions_is_no_reason() {
    let other = Deed::EndAll("bob".to_owned());
    assert_only(
        Rule::SessionLost,
        &history([begin(), (other, Reply::Done), (USE, Reply::Gone)]),
    );
}

/// INV-1: whoever signs out of what is gone is told that it is, which is no sign of life.
#[test]
fn signing_out_of_what_had_ended_is_accepted() {
    let signing_out = |then, reply| {
        history([
            begin(),
            (Deed::End, Reply::Done),
            (Deed::SignOut, Reply::Done),
            (then, reply),
        ])
    };
    assert_eq!(found(&signing_out(USE, Reply::Gone)), []);
    assert_only(Rule::RevocationLost, &signing_out(USE, Reply::Done));
    let signed_out = |reply| history([begin(), (Deed::SignOut, Reply::Done), (USE, reply)]);
    assert_eq!(found(&signed_out(Reply::Gone)), []);
    assert_only(Rule::RevocationLost, &signed_out(Reply::Done));
}
