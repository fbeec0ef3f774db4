//! Feeds, explored exhaustively within small bounds: every order of revocations, polls, messages that
//! are lost, repeated, reordered or forged, restarts, answers that do not arrive, to a revocation or
//! in the middle of a poll, and clocks that are set or stand still (design §7).
//!
//! The set, what a feed may do to it and how it reads are the service's own: each step restores the set, acts on
//! it and takes it down again. Each rule has a mistake that breaks it, and the search has to find
//! each.

mod list;
mod polling;
mod steps;
mod world;

use stateright::{Checker as _, HasDiscoveries, Model as _};
use steps::{BOUNDED, FRESH, NEVER_FORGETS, OneNode};

/// What there is of everything.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    feed: Feed,
    sessions: usize,
    capacity: usize,
    ticks: u8,
    /// Whether the node also hears what is published beside, and what is forged.
    hears: bool,
    restarts: bool,
    clocks: Clocks,
}

/// How the node earns its freshness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    /// It alone revokes.
    InProcess,
    /// Others revoke too: it polls, and hears what is published beside.
    Polling,
}

/// What the node's clocks do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clocks {
    Run,
    /// The wall clock is set an hour ahead, and back again.
    AreSet,
    /// The machine is suspended, which the wall clock alone notices.
    StandStill,
}

/// What the service could do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    MomentIsOfTheAnswer,
    FirstPageIsEnough,
    MessagesVouch,
    RoomIsMadeBySilence,
    LastMessageCounts,
    EndlessRecordsStay,
    EndlessRecordsKeepTheSetFull,
    OwnRevocationsWaitForThePoll,
    DoubtIsForgotten,
    DoubtIsSettledTooSoon,
    CursorOutlivesTheSet,
    CursorMovesThoughTheReadingFails,
    SuspensionGoesUnnoticed,
    EntriesExpireByTheWallClock,
    SetBackGoesUnnoticed,
    SetBackIsNotReadAgain,
    SetBackIsSettledTooSoon,
}

const POLLING: Bounds = Bounds {
    feed: Feed::Polling,
    sessions: 2,
    capacity: 4,
    ticks: 2,
    hears: false,
    restarts: false,
    clocks: Clocks::Run,
};

const LITTLE_ROOM: Bounds = Bounds {
    capacity: 1,
    ..POLLING
};

const IN_PROCESS: Bounds = Bounds {
    feed: Feed::InProcess,
    ..POLLING
};

const HEARING: Bounds = Bounds {
    sessions: 1,
    hears: true,
    ..POLLING
};

const HEARING_WITH_LITTLE_ROOM: Bounds = Bounds {
    capacity: 1,
    ..HEARING
};

const RESTARTING: Bounds = Bounds {
    sessions: 1,
    restarts: true,
    ..POLLING
};

const CLOCKS_ARE_SET: Bounds = Bounds {
    sessions: 1,
    restarts: true,
    clocks: Clocks::AreSet,
    ..POLLING
};

const CLOCKS_ARE_SET_ALONE: Bounds = Bounds {
    feed: Feed::InProcess,
    ..CLOCKS_ARE_SET
};

const CLOCKS_STAND_STILL: Bounds = Bounds {
    clocks: Clocks::StandStill,
    restarts: false,
    ..CLOCKS_ARE_SET
};

fn explore(bounds: Bounds) {
    let checker = OneNode::new(bounds, None)
        .checker()
        .threads(2)
        .spawn_bfs()
        .join();
    println!("{} states of {bounds:?}", checker.unique_state_count());
    checker.assert_properties();
}

fn breaks(mistake: Mistake, bounds: Bounds, rule: &'static str) {
    let checker = OneNode::new(bounds, Some(mistake))
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([rule].into()))
        .spawn_bfs()
        .join();
    let found = checker.discovery(rule).map(stateright::Path::into_actions);
    let states = checker.unique_state_count();
    println!("{mistake:?} after {states} states: {found:?}");
    assert!(found.is_some(), "{mistake:?} goes unnoticed");
}

/// INV-2: a node that polls is as fresh as it says.
#[test]
fn a_node_that_polls_leaves_every_rule_standing() {
    explore(POLLING);
}

/// I1, I3, I4, I5: whatever is lost, repeated, late or forged of what it hears beside.
#[test]
fn a_node_that_hears_leaves_every_rule_standing() {
    explore(HEARING);
}

/// Design §7: a process that begins anew knows nothing and says so.
#[test]
fn a_node_that_restarts_leaves_every_rule_standing() {
    explore(RESTARTING);
}

/// G10: a process that is alone with its store is always fresh, but for its own doubts.
#[test]
fn a_node_that_is_alone_leaves_every_rule_standing() {
    explore(IN_PROCESS);
}

/// I14: a set that is full asks the database.
#[test]
fn a_set_without_room_leaves_every_rule_standing() {
    explore(LITTLE_ROOM);
}

/// I14: whatever else it hears.
#[test]
fn a_set_without_room_that_hears_leaves_every_rule_standing() {
    explore(HEARING_WITH_LITTLE_ROOM);
}

/// B6, B7: a wall clock that is set ahead and back again, also under a process that began meanwhile.
#[test]
fn clocks_that_are_set_leave_every_rule_standing() {
    explore(CLOCKS_ARE_SET);
}

/// B7, G10: the same where nobody else can revoke.
#[test]
fn clocks_that_are_set_leave_every_rule_standing_for_a_node_that_is_alone() {
    explore(CLOCKS_ARE_SET_ALONE);
}

/// Design §7: a machine that was suspended.
#[test]
fn clocks_that_stand_still_leave_every_rule_standing() {
    explore(CLOCKS_STAND_STILL);
}

/// Design §7: an answer is as old as its question.
#[test]
fn a_moment_that_is_taken_of_the_answer_is_found() {
    breaks(Mistake::MomentIsOfTheAnswer, POLLING, FRESH);
}

/// Design §7: a poll ends with its last page.
#[test]
fn a_poll_that_ends_with_its_first_page_is_found() {
    breaks(Mistake::FirstPageIsEnough, POLLING, FRESH);
}

/// I1: what is published beside the store can be lost.
#[test]
fn messages_that_vouch_are_found() {
    breaks(Mistake::MessagesVouch, HEARING, FRESH);
}

/// I14: what finds no room is not passed over in silence.
#[test]
fn a_set_that_drops_what_finds_no_room_is_found() {
    breaks(Mistake::RoomIsMadeBySilence, LITTLE_ROOM, FRESH);
}

/// I5: nothing on a feed can make a session live again.
#[test]
fn a_set_in_which_the_last_message_counts_is_found() {
    breaks(Mistake::LastMessageCounts, HEARING, NEVER_FORGETS);
}

/// I5, I14: a forged record does not stay for ever.
#[test]
fn forged_records_that_stay_for_ever_are_found() {
    breaks(Mistake::EndlessRecordsStay, HEARING, BOUNDED);
}

/// I5, I14: a forged record that finds no room does not make the set useless for ever.
#[test]
fn forged_records_that_keep_the_set_full_are_found() {
    let mistake = Mistake::EndlessRecordsKeepTheSetFull;
    breaks(mistake, HEARING_WITH_LITTLE_ROOM, BOUNDED);
}

/// INV-1: a process knows at once what it has revoked itself.
#[test]
fn own_revocations_that_wait_for_the_poll_are_found() {
    let mistake = Mistake::OwnRevocationsWaitForThePoll;
    breaks(mistake, POLLING, FRESH);
}

/// G10: a revocation may have been committed although its answer is lost.
#[test]
fn a_doubt_that_is_forgotten_is_found() {
    breaks(Mistake::DoubtIsForgotten, IN_PROCESS, FRESH);
}

/// G10: a reading that began before the doubt does not settle it.
#[test]
fn a_doubt_that_is_settled_too_soon_is_found() {
    breaks(Mistake::DoubtIsSettledTooSoon, IN_PROCESS, FRESH);
}

/// Design §7: a new process reads from the start.
#[test]
fn a_cursor_that_outlives_the_set_is_found() {
    breaks(Mistake::CursorOutlivesTheSet, RESTARTING, FRESH);
}

/// Design §7: what was committed while a reading failed may lie before where it failed.
#[test]
fn a_cursor_that_moves_though_the_reading_fails_is_found() {
    let mistake = Mistake::CursorMovesThoughTheReadingFails;
    breaks(mistake, POLLING, FRESH);
}

/// Design §7: age is measured on both clocks.
#[test]
fn a_suspension_that_goes_unnoticed_is_found() {
    breaks(Mistake::SuspensionGoesUnnoticed, CLOCKS_STAND_STILL, FRESH);
}

/// B7: entries expire by no clock that can be set.
#[test]
fn entries_that_expire_by_the_wall_clock_are_found() {
    let mistake = Mistake::EntriesExpireByTheWallClock;
    breaks(mistake, CLOCKS_ARE_SET, NEVER_FORGETS);
}

/// B7: a set that was begun by a clock that was ahead says so when that is set back.
#[test]
fn a_clock_that_is_set_back_unnoticed_is_found() {
    breaks(Mistake::SetBackGoesUnnoticed, CLOCKS_ARE_SET, FRESH);
}

/// B7: what was left out lies before the cursor.
#[test]
fn a_list_that_is_not_read_again_is_found() {
    breaks(Mistake::SetBackIsNotReadAgain, CLOCKS_ARE_SET, FRESH);
}

/// B7: a reading that began before the clock was set back has left out as much.
#[test]
fn a_reading_of_before_that_settles_a_clock_is_found() {
    breaks(Mistake::SetBackIsSettledTooSoon, CLOCKS_ARE_SET, FRESH);
}
