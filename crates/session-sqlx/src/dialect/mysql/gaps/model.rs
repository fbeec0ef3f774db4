//! The cursor, explored exhaustively within small bounds: transactions that take their numbers and
//! commit, or are undone, in any order, also between the statements of a page, a server that takes
//! another one's place, and a backup that the same server restores (design §7).
//!
//! The place and what moves it are the store's own. Each rule has a mistake that breaks it, and the
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
    page: Option<HalfAPage>,
    /// What was on the list when the poll began.
    due: Option<BTreeSet<u64>>,
    read: BTreeSet<u64>,
    has_lost: bool,
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
            let found = answer(&values, &world.list);
            if self.is(Mistake::OneFindFillsAGap) {
                let is_in = |gap: &Gap, number: &u64| (gap.first..=gap.last).contains(number);
                (place.gaps).retain(|gap| !found.iter().any(|number| is_in(gap, number)));
            }
            let asked_after = place.resume;
            place.fill(&found);
            room -= u32::try_from(found.len()).unwrap();
            let asked_up_to = if room > 0 { u64::MAX } else { place.resume };
            place.forget(asked_after, asked_up_to, world.now_ms, longest_ms);
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
            let rows = world.rows(&answer_after(&after, &world.list));
            let known = match self.mistake {
                Some(Mistake::ARestoredListIsTrusted | Mistake::AnotherServerIsTrusted) => {
                    let is_known = |seen: &Seen| seen.number == place.last.number;
                    Some(usize::from(rows.first().is_some_and(is_known)))
                }
                _ => place.passes_over(rows.first().copied()),
            };
            let Some(known) = known else {
                world.cursor.clear();
                return;
            };
            for seen in &rows[known..] {
                place.reach(*seen, world.now_ms);
                world.read(&[seen.number]);
                room -= 1;
            }
        }
        if room > 0 {
            if !self.is(Mistake::PagesGoOnFromTheLastPoll) {
                place.resume = 0;
            }
            let due = world.due.take().unwrap_or_default();
            world.has_missed |= !due.is_subset(&world.read);
        }
        place.join_gaps(LONGEST_MS);
        if self.is(Mistake::GapsAreForgotten) {
            place.gaps.clear();
        }
        world.cursor = place.into_cursor().0;
    }
}

impl World {
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
        self.has_lost = true;
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
            page: None,
            due: None,
            read: [].into(),
            has_lost: false,
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
        if !world.has_lost && !world.list.is_empty() {
            steps.push(Step::FailOver);
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

/// What the server answers to `MISSING` with these parameters.
fn answer(values: &[Value<'static>], list: &BTreeMap<u64, u64>) -> Vec<u64> {
    let numbers = numbers(values);
    let (limit, ranges) = numbers.split_last().unwrap();
    let is_asked_for = |number: &u64| {
        let mut ranges = ranges.chunks_exact(2);
        ranges.any(|range| range.iter().is_sorted() && (range[0]..=range[1]).contains(number))
    };
    let limit = usize::try_from(*limit).unwrap();
    let asked_for = list.keys().copied().filter(is_asked_for);
    asked_for.take(limit).collect()
}

/// What the server answers to `AFTER` with these parameters.
fn answer_after(values: &[Value<'static>], list: &BTreeMap<u64, u64>) -> Vec<u64> {
    let numbers = numbers(values);
    let limit = usize::try_from(numbers[1]).unwrap();
    let asked_for = list.range(numbers[0]..).map(|(number, _)| *number);
    asked_for.take(limit).collect()
}

fn numbers(values: &[Value<'static>]) -> Vec<u64> {
    let number = |value: &Value<'static>| match value {
        Value::Number(Some(number)) => u64::try_from(*number).unwrap(),
        _ => panic!("a parameter is no number"),
    };
    values.iter().map(number).collect()
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

const NOTHING_MISSED: &str = "nothing is missed";

const NUMBERS: u64 = 4;
const PAGE: u32 = 2;
const TICK_MS: u64 = 1_000;
const LONGEST_MS: u64 = TICK_MS;
