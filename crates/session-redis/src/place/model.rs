//! The place, explored exhaustively within small bounds: entries that are added, lists that end or
//! begin anew, and polls of several pages, in any order (design §7).
//!
//! The place and what moves it are the store's own; the script that answers is written down again.
//! Each rule has a mistake that breaks it, and the search has to find each.

use std::collections::BTreeSet;

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use super::*;

/// A list and one who follows it.
struct Following {
    mistake: Option<Mistake>,
}

/// What the store could do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    AnotherMemoryIsTrusted,
    AnotherRunIsTrusted,
    OldPlaceIsKept,
    PollEndsWithItsFirstPage,
    NextMillisecondIsNext,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    epoch: u64,
    run: u64,
    /// Places and what was revoked there.
    list: Vec<((u64, u64), u8)>,
    revoked: u8,
    cursor: Vec<u64>,
    /// What was on the list when the poll began.
    due: Option<BTreeSet<u8>>,
    read: BTreeSet<u8>,
    has_missed: bool,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    AddInTheSameMillisecond,
    AddInTheNextMillisecond,
    ReadPage,
    /// The memory is gone, and a new one begins with the first revocation.
    Flush,
    /// The server is another one, or began anew, without the last entry.
    FailOver,
}

impl Following {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn read_page(&self, world: &mut World) {
        let mut place = Place::of(&RevocationCursor(world.cursor.clone()));
        let began_at = place.last;
        let (limit, epoch, run, from) = place.as_arguments(PAGE);
        let from = self.read_on_from(world, epoch, &run, &from);
        let limit = usize::try_from(limit).unwrap();
        let on_the_page = world.list.iter().filter(|(at, _)| *at >= from);
        let page: Vec<_> = on_the_page.copied().take(limit).collect();
        world
            .due
            .get_or_insert_with(|| world.list.iter().map(|(_, revoked)| *revoked).collect());
        place.is_now_at(&Answer {
            epoch: world.epoch,
            run: world.run,
            entries: page.iter().map(|(at, _)| entry(*at)).collect(),
        });
        if self.is(Mistake::OldPlaceIsKept) && page.is_empty() {
            place.last = began_at;
        }
        world.cursor = place.into_cursor().0;
        world.read.extend(page.iter().map(|(_, revoked)| revoked));
        if page.len() < limit || self.is(Mistake::PollEndsWithItsFirstPage) {
            let due = world.due.take().unwrap_or_default();
            world.has_missed |= !due.is_subset(&world.read);
        }
    }

    /// As `revocations_since.lua` has it.
    fn read_on_from(&self, world: &World, epoch: u64, run: &str, from: &str) -> (u64, u64) {
        let is_of_this_memory = epoch == world.epoch || self.is(Mistake::AnotherMemoryIsTrusted);
        let is_of_this_run =
            run == format!("{:016x}", world.run) || self.is(Mistake::AnotherRunIsTrusted);
        if !is_of_this_memory || !is_of_this_run {
            return (0, 0);
        }
        let (millis, number) = from.split_once('-').unwrap();
        let (millis, number) = (millis.parse().unwrap(), number.parse().unwrap());
        if self.is(Mistake::NextMillisecondIsNext) && number > 0 {
            return (millis + 1, 0);
        }
        (millis, number)
    }
}

impl Model for Following {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            epoch: 1,
            run: 1,
            list: Vec::new(),
            revoked: 0,
            cursor: Vec::new(),
            due: None,
            read: [].into(),
            has_missed: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.revoked < 5 {
            steps.push(Step::AddInTheNextMillisecond);
            if !world.list.is_empty() {
                steps.push(Step::AddInTheSameMillisecond);
            }
        }
        steps.push(Step::ReadPage);
        if world.epoch == 1 {
            steps.push(Step::Flush);
        }
        if world.run == 1 && !world.list.is_empty() {
            steps.push(Step::FailOver);
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        let newest = world.list.last().map_or((1, 0), |(at, _)| *at);
        match step {
            Step::AddInTheSameMillisecond => {
                let at = (newest.0, newest.1 + 1);
                world.list.push((at, world.revoked));
                world.revoked += 1;
            }
            Step::AddInTheNextMillisecond => {
                world.list.push(((newest.0 + 1, 0), world.revoked));
                world.revoked += 1;
            }
            Step::ReadPage => self.read_page(&mut world),
            Step::Flush => {
                world.epoch += 1;
                world.list.clear();
                world.due = None;
            }
            Step::FailOver => {
                world.run += 1;
                world.list.pop();
                world.due = None;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_MISSED, |_, world: &World| !world.has_missed),
            Property::sometimes("everything is read after a loss", |_, world: &World| {
                world.epoch > 1 && world.run > 1 && world.read.len() > 3
            }),
        ]
    }
}

fn entry(place: (u64, u64)) -> Entry {
    Entry {
        place,
        handle: Vec::new(),
        ends: Vec::new(),
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

/// I7: a poll that is over has read all that was on the list when it began, whatever became of
/// the server.
#[test]
fn a_poll_misses_nothing_whatever_becomes_of_the_server() {
    let following = Following { mistake: None };
    let checker = following.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// I7: a memory that was flushed gives places out again.
#[test]
fn another_memory_that_is_trusted_is_found() {
    breaks(Mistake::AnotherMemoryIsTrusted);
}

/// I7: so does a server that lost its last entries.
#[test]
fn another_run_that_is_trusted_is_found() {
    breaks(Mistake::AnotherRunIsTrusted);
}

/// I7: a list that was empty when it was read from the start goes on from its start.
#[test]
fn an_old_place_that_is_kept_is_found() {
    breaks(Mistake::OldPlaceIsKept);
}

/// Design §7: the stream is read to its end.
#[test]
fn a_poll_that_ends_with_its_first_page_is_found() {
    breaks(Mistake::PollEndsWithItsFirstPage);
}

/// Design §7: many are revoked in one millisecond.
#[test]
fn a_place_that_goes_on_in_the_next_millisecond_is_found() {
    breaks(Mistake::NextMillisecondIsNext);
}

const NOTHING_MISSED: &str = "nothing is missed";

const PAGE: u32 = 2;
