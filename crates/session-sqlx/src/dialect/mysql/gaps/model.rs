//! The cursor, explored exhaustively within small bounds: transactions that take their numbers and
//! commit, or are undone, in any order, also between the statements of a page, and one accident: a
//! page that fails between its statements, a last record that is purged, a server that takes another
//! one's place, or a backup that the same server restores (design §7).
//!
//! The place and what moves it past each answer are the store's own. Each rule has a mistake that breaks it, and the
//! search has to find each.

use std::collections::{BTreeMap, BTreeSet};

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use super::*;

/// A list and one who follows it.
struct Following {
    mistake: Option<Mistake>,
}

/// What the store could do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    GapsAreForgotten,
    GapsAreGivenUpTooSoon,
    GapsAreGivenUpUnasked,
    OneFindFillsAGap,
    PagesGoOnFromTheLastPoll,
    /// By its name, and by what is in the place of the last record.
    AnotherServerIsTrusted,
    ARestoredListIsTrusted,
    APurgedLastRecordEndsThePoll,
    AReadingThatFailedKeepsItsPlace,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now_ms: u64,
    server: u64,
    next: u64,
    /// Transactions that have a number, and since when.
    open: BTreeMap<u64, u64>,
    /// By number; each record is known by how many there were before it.
    list: BTreeMap<u64, u64>,
    records: u64,
    cursor: Vec<u64>,
    /// Where the reading began, while it may fail.
    began: Vec<u64>,
    page: Option<HalfAPage>,
    /// What was on the list when the poll began.
    due: Option<BTreeSet<u64>>,
    read: BTreeSet<u64>,
    had_an_accident: bool,
    has_missed: bool,
    has_read_late: bool,
}

/// Between the two statements of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct HalfAPage {
    place: Vec<u64>,
    room: u32,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    TimePasses,
    Begin,
    Commit(u64),
    RollBack(u64),
    ReadGaps,
    ReadOn,
    FailBetween,
    Purge,
    FailOver,
    Restore,
}

impl Following {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn read_gaps(&self, world: &mut World) {
        let mut place = Place::of(&RevocationCursor(world.cursor.clone()));
        if !self.is(Mistake::AnotherServerIsTrusted) {
            place = place.on(world.server);
        }
        if world.due.is_none() {
            world.due = Some(world.list.values().copied().collect());
        }
        let longest_ms = if self.is(Mistake::GapsAreGivenUpTooSoon) {
            0
        } else {
            LONGEST_MS
        };
        let mut room = PAGE;
        if self.is(Mistake::GapsAreGivenUpUnasked) {
            place.forget(0, u64::MAX, world.now_ms, longest_ms);
        }
        if let Some(values) = place.what_is_missing(room) {
            let found = answers::missing(&values, world.list.keys().copied());
            if self.is(Mistake::OneFindFillsAGap) {
                let is_in = |gap: &Gap, number: &u64| (gap.first..=gap.last).contains(number);
                (place.gaps).retain(|gap| !found.iter().any(|number| is_in(gap, number)));
            }
            room -= u32::try_from(found.len()).unwrap();
            place.pass_missing(&found, room, world.now_ms, longest_ms);
            world.has_read_late |= !found.is_empty();
            world.read(&found);
        }
        let place = place.into_cursor().0;
        world.page = Some(HalfAPage { place, room });
    }

    fn read_on(&self, world: &mut World) {
        let Some(page) = world.page.take() else {
            return;
        };
        let mut place = Place::of(&RevocationCursor(page.place));
        let mut room = page.room;
        if room > 0 {
            let after = place.what_comes_after(room);
            let mut came = world.rows(&answers::after(&after, world.list.keys().copied()));
            if self.trusts_any_list() && place.last.number > 0 {
                came.retain(|seen| seen.number != place.last.number);
                came.insert(0, place.last);
            }
            let Some(known) = place.pass_after(&came, world.now_ms) else {
                world.cursor.clear();
                if self.is(Mistake::APurgedLastRecordEndsThePoll) {
                    world.end_poll();
                }
                return;
            };
            let new = came.get(known..).unwrap_or_default();
            world.read(&new.iter().map(|seen| seen.number).collect::<Vec<_>>());
            room -= u32::try_from(new.len()).unwrap();
        }
        let resume = place.resume;
        place.end_page(room == 0, LONGEST_MS);
        if self.is(Mistake::PagesGoOnFromTheLastPoll) {
            place.resume = resume;
        }
        if self.is(Mistake::GapsAreForgotten) {
            place.gaps.clear();
        }
        world.cursor = place.into_cursor().0;
        if room > 0 {
            world.end_poll();
        }
    }

    fn trusts_any_list(&self) -> bool {
        self.is(Mistake::ARestoredListIsTrusted) || self.is(Mistake::AnotherServerIsTrusted)
    }
}

impl World {
    /// All that was on the list when the poll began has been read.
    fn end_poll(&mut self) {
        let due = self.due.take().unwrap_or_default();
        self.has_missed |= !due.is_subset(&self.read);
        if !self.had_an_accident {
            self.began.clone_from(&self.cursor);
        }
    }

    fn has_an_accident(&mut self) -> Vec<u64> {
        self.had_an_accident = true;
        std::mem::take(&mut self.began)
    }

    fn rows(&self, numbers: &[u64]) -> Vec<Seen> {
        let seen = |number: &u64| Seen {
            number: *number,
            mark: self.list[number],
        };
        numbers.iter().map(seen).collect()
    }

    fn read(&mut self, numbers: &[u64]) {
        self.read
            .extend(numbers.iter().map(|number| self.list[number]));
    }

    /// The last record is not on the list any more, and its number is given out again.
    fn lose_the_last(&mut self) {
        self.has_an_accident();
        self.open.clear();
        if let (Some((_, lost)), Some(due)) = (self.list.pop_last(), self.due.as_mut()) {
            due.remove(&lost);
        }
        self.next = self
            .list
            .last_key_value()
            .map_or(1, |(number, _)| number + 1);
        self.page = None;
    }
}

impl Model for Following {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now_ms: 0,
            server: 7,
            next: 1,
            open: [].into(),
            list: [].into(),
            records: 0,
            cursor: Vec::new(),
            began: Vec::new(),
            page: None,
            due: None,
            read: [].into(),
            had_an_accident: false,
            has_missed: false,
            has_read_late: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let may_stay_open = |since: &u64| world.now_ms + TICK_MS - since <= LONGEST_MS;
        if world.now_ms < 2 * TICK_MS && world.open.values().all(may_stay_open) {
            steps.push(Step::TimePasses);
        }
        if world.next <= NUMBERS {
            steps.push(Step::Begin);
        }
        for number in world.open.keys() {
            steps.extend([Step::Commit(*number), Step::RollBack(*number)]);
        }
        steps.push(match world.page {
            None => Step::ReadGaps,
            Some(_) => Step::ReadOn,
        });
        if !world.had_an_accident && world.page.is_some() {
            steps.push(Step::FailBetween);
        }
        if !world.had_an_accident && !world.list.is_empty() {
            steps.extend([Step::FailOver, Step::Purge]);
            if !self.is(Mistake::AnotherServerIsTrusted) {
                steps.push(Step::Restore);
            }
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::TimePasses => world.now_ms += TICK_MS,
            Step::Begin => {
                world.open.insert(world.next, world.now_ms);
                world.next += 1;
            }
            Step::Commit(number) => {
                world.open.remove(&number);
                world.list.insert(number, world.records);
                world.records += 1;
            }
            Step::RollBack(number) => {
                world.open.remove(&number);
            }
            Step::ReadGaps => self.read_gaps(&mut world),
            Step::ReadOn => self.read_on(&mut world),
            // Whoever reads begins again where the reading began.
            Step::FailBetween => {
                let began = world.has_an_accident();
                if !self.is(Mistake::AReadingThatFailedKeepsItsPlace) {
                    world.cursor = began;
                }
                (world.page, world.due) = (None, None);
            }
            // It has expired, so nobody needs it.
            Step::Purge => {
                world.has_an_accident();
                if let (Some((_, gone)), Some(due)) = (world.list.pop_last(), world.due.as_mut()) {
                    due.remove(&gone);
                }
            }
            Step::FailOver => {
                world.server = 8;
                world.lose_the_last();
            }
            Step::Restore => world.lose_the_last(),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_MISSED, |_, world: &World| !world.has_missed),
            Property::sometimes("what was missing appears", |_, world: &World| {
                world.has_read_late
            }),
        ]
    }
}

fn breaks(mistake: Mistake) {
    let following = Following {
        mistake: Some(mistake),
    };
    let checker = following
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([NOTHING_MISSED].into()))
        .spawn_bfs()
        .join();
    let found = checker.discovery(NOTHING_MISSED);
    let found = found.map(stateright::Path::into_actions);
    let states = checker.unique_state_count();
    println!("{mistake:?} after {states} states: {found:?}");
    assert!(found.is_some(), "{mistake:?} goes unnoticed");
}

/// Design §7: a poll that is over has read all that was on the list when it began.
#[test]
fn a_poll_misses_nothing_whatever_the_order_of_commits() {
    let following = Following { mistake: None };
    let checker = following.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Design §7: numbers are given out before the commit.
#[test]
fn gaps_that_are_forgotten_are_found() {
    breaks(Mistake::GapsAreForgotten);
}

/// Design §7: a transaction may take as long as the setting says.
#[test]
fn gaps_that_are_given_up_too_soon_are_found() {
    breaks(Mistake::GapsAreGivenUpTooSoon);
}

/// Design §7: a node that could not ask for long asks once more.
#[test]
fn gaps_that_are_given_up_unasked_are_found() {
    breaks(Mistake::GapsAreGivenUpUnasked);
}

/// Design §7: two transactions may have left one gap.
#[test]
fn a_gap_that_one_find_fills_is_found() {
    breaks(Mistake::OneFindFillsAGap);
}

/// Design §7: each poll goes through all gaps again.
#[test]
fn pages_that_go_on_from_the_last_poll_are_found() {
    breaks(Mistake::PagesGoOnFromTheLastPoll);
}

/// Design §7: a server that took another one's place gives numbers out again. Its name and the last
/// record both tell, so the mistake is to heed neither.
#[test]
fn another_server_that_is_trusted_is_found() {
    breaks(Mistake::AnotherServerIsTrusted);
}

/// H17: so does a server that restored a backup, and it is still the same one.
#[test]
fn a_restored_list_that_is_trusted_is_found() {
    breaks(Mistake::ARestoredListIsTrusted);
}

/// Design §7: where the last record was purged, the list is read again to its end.
#[test]
fn a_purged_last_record_that_ends_the_poll_is_found() {
    breaks(Mistake::APurgedLastRecordEndsThePoll);
}

/// Design §7: what is committed while a page fails may lie before where it failed.
#[test]
fn a_reading_that_failed_and_keeps_its_place_is_found() {
    breaks(Mistake::AReadingThatFailedKeepsItsPlace);
}

const NOTHING_MISSED: &str = "nothing is missed";

const NUMBERS: u64 = 4;
const PAGE: u32 = 2;
const TICK_MS: u64 = 1_000;
const LONGEST_MS: u64 = TICK_MS;
