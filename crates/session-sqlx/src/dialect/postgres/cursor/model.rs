//! The cursor, explored exhaustively within small bounds: transactions that begin, write, stay open
//! and end in any order, also between pages, and a crash after which their numbers are given out
//! again (design §7).
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
    ThePollGoesOnFromTheLastTransaction,
    TheHorizonIsThatOfTheLastPage,
    TheHorizonIsTheNextTransaction,
    NumbersAreFollowed,
    PagesGoOnFromTheNextTransaction,
    ACrashIsTrusted,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    server: u64,
    next_transaction: u64,
    next_number: u64,
    /// Transactions that have not ended, and what they wrote.
    open: BTreeMap<u64, BTreeSet<u64>>,
    /// By transaction and number; each record is known by how many there were before it.
    list: BTreeMap<(u64, u64), u8>,
    records: u8,
    cursor: Vec<u64>,
    /// What was on the list when the poll began.
    due: Option<BTreeSet<u8>>,
    read: BTreeSet<u8>,
    has_missed: bool,
    has_read_late: bool,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Write(u64),
    Commit(u64),
    RollBack(u64),
    ReadPage,
    Crash,
}

impl Following {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn read_page(&self, world: &mut World) {
        if world.due.is_none() {
            world.due = Some(world.list.values().copied().collect());
        }
        let mut place = Place::of(&RevocationCursor(world.cursor.clone()));
        let after = (place.transaction, place.number);
        if self.is(Mistake::TheHorizonIsThatOfTheLastPage) {
            place.horizon = None;
        }
        if self.is(Mistake::ACrashIsTrusted) {
            place.server = None;
        }
        let horizon = self.horizon(world);
        let Some(mut place) = place.on(world.server, horizon) else {
            world.cursor.clear();
            return;
        };
        let follows = |(transaction, number): (u64, u64)| {
            if self.is(Mistake::NumbersAreFollowed) {
                number > after.1
            } else {
                (transaction, number) > after
            }
        };
        let mut rows: Vec<_> = (world.list.iter().map(|(at, record)| (*at, *record)))
            .filter(|(at, _)| follows(*at))
            .collect();
        if self.is(Mistake::NumbersAreFollowed) {
            rows.sort_by_key(|((_, number), _)| *number);
        }
        rows.truncate(PAGE);
        for ((transaction, number), record) in &rows {
            place.reach(*transaction, *number);
            world.has_read_late |= (world.list.iter())
                .any(|((later, _), known)| later > transaction && world.read.contains(known));
            world.read.insert(*record);
        }
        let more = rows.len() == PAGE;
        if more && self.is(Mistake::PagesGoOnFromTheNextTransaction) {
            place.number = u64::MAX;
        }
        if !more {
            match self.mistake {
                Some(
                    Mistake::ThePollGoesOnFromTheLastTransaction | Mistake::NumbersAreFollowed,
                ) => {
                    place.horizon = None;
                }
                _ => place.finish(),
            }
            let due = world.due.take().unwrap_or_default();
            world.has_missed |= !due.is_subset(&world.read);
        }
        world.cursor = place.into_cursor().0;
    }

    /// The oldest transaction that has not ended.
    fn horizon(&self, world: &World) -> u64 {
        let oldest = world.open.keys().next().copied();
        match oldest {
            Some(oldest) if !self.is(Mistake::TheHorizonIsTheNextTransaction) => oldest,
            _ => world.next_transaction,
        }
    }
}

impl Model for Following {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            server: 7,
            next_transaction: 1,
            next_number: 1,
            open: [].into(),
            list: [].into(),
            records: 0,
            cursor: Vec::new(),
            due: None,
            read: [].into(),
            has_missed: false,
            has_read_late: false,
        }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        if world.next_transaction <= TRANSACTIONS {
            steps.push(Step::Begin);
        }
        for transaction in world.open.keys() {
            if world.next_number <= NUMBERS {
                steps.push(Step::Write(*transaction));
            }
            steps.extend([Step::Commit(*transaction), Step::RollBack(*transaction)]);
        }
        steps.push(Step::ReadPage);
        if world.server == 7 {
            steps.push(Step::Crash);
        }
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut world = last.clone();
        match step {
            Step::Begin => {
                world.open.insert(world.next_transaction, [].into());
                world.next_transaction += 1;
            }
            Step::Write(transaction) => {
                world
                    .open
                    .entry(transaction)
                    .or_default()
                    .insert(world.next_number);
                world.next_number += 1;
            }
            Step::Commit(transaction) => {
                for number in world.open.remove(&transaction).unwrap_or_default() {
                    world.list.insert((transaction, number), world.records);
                    world.records += 1;
                }
            }
            Step::RollBack(transaction) => {
                world.open.remove(&transaction);
            }
            Step::ReadPage => self.read_page(&mut world),
            // Transactions that left nothing on the disk were never counted.
            Step::Crash => {
                world.server = 8;
                world.open.clear();
                let last = world.list.last_key_value();
                world.next_transaction = last.map_or(1, |((transaction, _), _)| transaction + 1);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_MISSED, |_, world: &World| !world.has_missed),
            Property::sometimes("an older transaction is read late", |_, world: &World| {
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

/// Design §7: a poll that is over has read all that was on the list when its first page was.
#[test]
fn a_poll_misses_nothing_however_long_a_transaction_stays_open() {
    let following = Following { mistake: None };
    let checker = following.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Design §7: a transaction that began earlier may be committed later.
#[test]
fn a_poll_that_goes_on_from_the_last_transaction_is_found() {
    breaks(Mistake::ThePollGoesOnFromTheLastTransaction);
}

/// Design §7: what is committed between two pages may lie before the second.
#[test]
fn a_horizon_of_the_last_page_is_found() {
    breaks(Mistake::TheHorizonIsThatOfTheLastPage);
}

/// Design §7: below the transaction to come there are open ones.
#[test]
fn a_horizon_that_is_the_next_transaction_is_found() {
    breaks(Mistake::TheHorizonIsTheNextTransaction);
}

/// Design §7: numbers are given out before the commit.
#[test]
fn numbers_that_are_followed_are_found() {
    breaks(Mistake::NumbersAreFollowed);
}

/// Design §7: a page may end inside what one transaction wrote.
#[test]
fn pages_that_go_on_from_the_next_transaction_are_found() {
    breaks(Mistake::PagesGoOnFromTheNextTransaction);
}

/// H17: after a crash the numbers of transactions that were not on the disk are given out again.
#[test]
fn a_crash_that_is_trusted_is_found() {
    breaks(Mistake::ACrashIsTrusted);
}

const NOTHING_MISSED: &str = "nothing is missed";

const TRANSACTIONS: u64 = 3;
const NUMBERS: u64 = 4;
const PAGE: usize = 2;
