//! What the set says, and when it says that it cannot say.

use super::*;
use crate::{
    clock::{ManualClock, from_unix_ms},
    memory::MemoryStore,
    store_calls::StoreCalls,
};

fn handle(text: &str) -> SessionHandle {
    SessionHandle::try_from(text).unwrap()
}

fn revoked(text: &str, expires_at_ms: i64) -> RevokedSession {
    RevokedSession {
        handle: handle(text),
        expires_at_ms,
    }
}

fn at(now_ms: i64, capacity: usize) -> (Arc<ManualClock>, Arc<Blacklist>) {
    let clock = Arc::new(ManualClock::new(from_unix_ms(now_ms)));
    let blacklist = Arc::new(Blacklist::new(capacity, clock.clone()));
    (clock, blacklist)
}

const STALENESS: Duration = Duration::from_secs(5);

fn no_calls() -> StoreCalls {
    StoreCalls::new(Arc::new(MemoryStore::new()), 1, STALENESS)
}

/// G14: an entry stays until the last access token has expired, and leaves then.
#[test]
fn an_entry_leaves_when_its_last_access_token_has_expired() {
    let (clock, blacklist) = at(1_000_000, 10);
    blacklist.set_fresh(Freshness::Always);
    blacklist.extend(&[revoked("a", 1_002_000), revoked("a", 1_001_000)]);
    clock.advance(Duration::from_millis(1_999));
    blacklist.sweep();
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Revoked);
    clock.advance(Duration::from_millis(1));
    blacklist.sweep();
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Absent);
    assert_eq!(blacklist.len(), 0);
}

/// REQ-43: a set that has not heard from its feed cannot say that a session is live.
#[test]
fn a_stale_set_says_revoked_but_never_live() {
    let (clock, blacklist) = at(1_000_000, 10);
    assert_eq!(
        blacklist.look_up(&handle("a"), STALENESS),
        Listed::Unknown(Unreliable::NeverComplete)
    );
    let receiver = FeedReceiver::new(Arc::clone(&blacklist), no_calls());
    let asked = receiver.moment();
    blacklist.extend(&[revoked("b", 9_000_000)]);
    receiver.complete_as_of(asked);
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Absent);
    clock.advance(STALENESS + Duration::from_millis(1));
    assert_eq!(
        blacklist.look_up(&handle("a"), STALENESS),
        Listed::Unknown(Unreliable::Old)
    );
    assert_eq!(blacklist.look_up(&handle("b"), STALENESS), Listed::Revoked);
}

/// A clock that is set forward and back again takes nothing out of the set.
#[test]
fn a_wall_clock_that_jumps_forward_makes_the_set_forget_nothing() {
    let (clock, blacklist) = at(1_000_000, 10);
    blacklist.set_fresh(Freshness::Always);
    blacklist.extend(&[revoked("a", 2_000_000)]);
    clock.set_wall_clock(from_unix_ms(9_000_000));
    blacklist.sweep();
    clock.set_wall_clock(from_unix_ms(1_000_000));
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Revoked);
}

/// Design §7: what hears sooner must not vouch that nothing was missed.
#[test]
fn an_added_feed_cannot_make_the_set_fresh() {
    let (_clock, blacklist) = at(1_000_000, 10);
    let added = FeedReceiver::beside_the_store(Arc::clone(&blacklist), no_calls());
    added.complete_as_of(added.moment());
    added.notifications(Notifications::Arriving);
    assert_eq!(
        blacklist.look_up(&handle("a"), STALENESS),
        Listed::Unknown(Unreliable::NeverComplete)
    );
    assert_eq!(blacklist.notifications(), Notifications::None);
    added.revoked(&[revoked("a", 2_000_000)]);
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Revoked);
}

/// I5, I14: nothing takes a place in the set for longer than a token could serve, whoever says so: a
/// database's own notifications can be forged by whoever may connect to it.
#[test]
fn a_record_that_never_ends_is_cut() {
    let month = Duration::from_hours(31 * 24);
    for is_the_stores in [false, true] {
        let (clock, blacklist) = at(1_000_000, 10);
        let receiver = if is_the_stores {
            FeedReceiver::new(Arc::clone(&blacklist), no_calls())
        } else {
            FeedReceiver::beside_the_store(Arc::clone(&blacklist), no_calls())
        };
        receiver.revoked(&[revoked("a", i64::MAX)]);
        blacklist.sweep();
        assert_eq!(blacklist.len(), 1);
        clock.advance(month);
        blacklist.sweep();
        assert_eq!(blacklist.len(), 0);
    }
}

/// I5, I14: nor does it make the set useless for longer where it finds no room.
#[test]
fn a_record_that_never_ends_and_finds_no_room_is_cut() {
    let (clock, blacklist) = at(1_000_000, 1);
    blacklist.extend(&[revoked("a", 2_000_000), revoked("b", i64::MAX)]);
    assert!(blacklist.is_incomplete());
    clock.advance(Duration::from_hours(31 * 24));
    assert!(!blacklist.is_incomplete());
}

/// A suspended machine stops the monotonic clock; the wall clock tells.
#[test]
fn a_machine_that_slept_knows_that_its_set_is_old() {
    let (clock, blacklist) = at(1_000_000, 10);
    let receiver = FeedReceiver::new(Arc::clone(&blacklist), no_calls());
    receiver.complete_as_of(receiver.moment());
    clock.set_wall_clock(from_unix_ms(1_000_000 + 3_600_000));
    assert_eq!(
        blacklist.look_up(&handle("a"), STALENESS),
        Listed::Unknown(Unreliable::Old)
    );
}

#[test]
fn a_full_set_asks_the_database_instead_of_forgetting() {
    let (clock, blacklist) = at(1_000_000, 2);
    blacklist.set_fresh(Freshness::Always);
    for (name, expires_at_ms) in [("a", 2_000_000), ("b", 3_000_000), ("c", 4_000_000)] {
        blacklist.extend(&[revoked(name, expires_at_ms)]);
    }
    assert_eq!(blacklist.len(), 2);
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Revoked);
    assert_eq!(
        blacklist.look_up(&handle("c"), STALENESS),
        Listed::Unknown(Unreliable::Full)
    );
    clock.advance(Duration::from_mins(50));
    assert_eq!(blacklist.look_up(&handle("c"), STALENESS), Listed::Absent);
}

/// I15: what is heard twice takes no place, so a set that is just full has lost nothing by it.
#[test]
fn a_full_set_may_hear_again_what_it_knows() {
    let (_clock, blacklist) = at(1_000_000, 2);
    blacklist.set_fresh(Freshness::Always);
    let both = [revoked("a", 2_000_000), revoked("b", 2_000_000)];
    blacklist.extend(&both);
    blacklist.extend(&[revoked("b", 3_000_000)]);
    assert!(!blacklist.is_incomplete());
    assert_eq!(blacklist.look_up(&handle("c"), STALENESS), Listed::Absent);
}

/// I15: a set that stays full is not searched for room by each of the revocations that find none.
#[test]
fn a_full_set_is_swept_once_in_a_while() {
    let (clock, blacklist) = at(1_000_000, 1);
    blacklist.extend(&[revoked("a", 1_000_500), revoked("b", 2_000_000)]);
    clock.advance(Duration::from_millis(999));
    blacklist.extend(&[revoked("c", 3_000_000)]);
    assert_eq!(blacklist.look_up(&handle("a"), STALENESS), Listed::Revoked);
    clock.advance(Duration::from_millis(1));
    blacklist.extend(&[revoked("d", 4_000_000)]);
    assert_eq!(blacklist.look_up(&handle("d"), STALENESS), Listed::Revoked);
    assert_eq!(blacklist.len(), 1);
    assert!(blacklist.is_incomplete());
}

#[tokio::test]
async fn a_waiter_is_woken_by_its_own_session_only() {
    let (_clock, blacklist) = at(1_000_000, 10);
    let waiting = blacklist.wait_for(&handle("a"));
    let mut revocation = std::pin::pin!(waiting.revoked());
    assert!(futures_pending(revocation.as_mut()).await);
    blacklist.extend(&[revoked("b", 2_000_000)]);
    assert!(futures_pending(revocation.as_mut()).await);
    blacklist.extend(&[revoked("a", 2_000_000)]);
    revocation.await;
    blacklist.wait_for(&handle("a")).revoked().await;
}

async fn futures_pending(mut future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}
