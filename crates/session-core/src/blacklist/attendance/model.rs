//! Waiting for a node, explored exhaustively within small bounds: a revocation, the barrier and who
//! waits; a node whose renewals are late or lost, which hears its feed, acknowledges and leaves; each
//! step of each between any two of the others (design §7).
//!
//! The set and its lease are the service's own; the registry and the node's turns are written down
//! again. Each rule has a mistake that breaks it, and the search has to find each. Clocks that stand
//! still or are set are left out.

mod steps;

use stateright::{Checker as _, HasDiscoveries, Model as _};
use steps::{OneWait, SAFE};

/// What the node could do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    NoLeaseIsNeeded,
    LeaseCountsFromTheAnswer,
    FreshForAsLongAsTheLease,
    BreaksAreForgotten,
    BarriersAreAcknowledgedUnheard,
    MomentIsOfBeforeTheBarrier,
    LeavesTheRegistryFirst,
}

/// INV-1: whatever was confirmed, the node refuses it or asks the database.
#[test]
fn a_wait_that_is_over_leaves_no_node_behind() {
    let checker = OneWait { mistake: None }
        .checker()
        .threads(2)
        .spawn_bfs()
        .join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

fn breaks(mistake: Mistake) {
    let mistaken = OneWait {
        mistake: Some(mistake),
    };
    let checker = mistaken
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyOf([SAFE].into()))
        .spawn_bfs()
        .join();
    let found = checker.discovery(SAFE).map(stateright::Path::into_actions);
    let states = checker.unique_state_count();
    println!("{mistake:?} after {states} states: {found:?}");
    assert!(found.is_some(), "{mistake:?} goes unnoticed");
}

/// Design §7: nobody waits for who is not in the registry.
#[test]
fn a_node_that_needs_no_lease_is_found() {
    breaks(Mistake::NoLeaseIsNeeded);
}

/// Design §7: a lease is as old as the call that asked for it.
#[test]
fn a_lease_that_counts_from_the_answer_is_found() {
    breaks(Mistake::LeaseCountsFromTheAnswer);
}

/// Design §7: what makes the set fresh for a while needs a lease for as long.
#[test]
fn a_set_that_is_fresh_beyond_its_lease_is_found() {
    breaks(Mistake::FreshForAsLongAsTheLease);
}

/// Design §7: nothing that the feed began while the lease was over counts.
#[test]
fn a_break_that_is_forgotten_is_found() {
    breaks(Mistake::BreaksAreForgotten);
}

/// Design §7: a barrier is acknowledged once the set is complete as of when it was read.
#[test]
fn a_barrier_that_is_acknowledged_unheard_is_found() {
    breaks(Mistake::BarriersAreAcknowledgedUnheard);
}

/// Design §7: that moment comes after the reading.
#[test]
fn a_moment_of_before_the_barrier_is_found() {
    breaks(Mistake::MomentIsOfBeforeTheBarrier);
}

/// Design §7: a node stops going by its set before it leaves.
#[test]
fn a_node_that_leaves_the_registry_first_is_found() {
    breaks(Mistake::LeavesTheRegistryFirst);
}
