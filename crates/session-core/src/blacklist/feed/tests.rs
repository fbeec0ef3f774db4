//! How a reading of the list goes, and what a feed makes of a clock that was ahead.

use std::time::SystemTime;

use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::*;
use crate::{
    blacklist::{Listed, Unreliable},
    clock::{ManualClock, SystemClock, from_unix_ms},
    fixtures::{
        faulty_store::{Fault, FaultyStore},
        session_record,
    },
    ids::SessionHandle,
    store::{Created, Retention, SessionScope, SessionStore as _},
};

/// Design §7: a list that never ends is not read for ever, and makes the set no fresher.
#[tokio::test(start_paused = true)]
async fn a_store_that_stands_still_is_not_asked_for_ever() {
    let store = FaultyStore::default();
    let calls = StoreCalls::new(Arc::new(store.clone()), 1, Duration::from_secs(2));
    let blacklist = Arc::new(Blacklist::new(10, Arc::new(SystemClock)));
    let receiver = FeedReceiver::new(blacklist, calls);
    let mut cursor = RevocationCursor::default();
    store.set(Fault::StandsStill);
    assert!(!receiver.catch_up(&mut cursor).await);
    assert_eq!(store.answered(), 1);
    store.set(Fault::None);
    assert!(receiver.catch_up(&mut cursor).await);
}

/// Design §7: a revocation that was committed between the pages of a reading that failed has a
/// place among those that were read, where the store is not in commit order.
#[tokio::test(start_paused = true)]
async fn a_reading_that_failed_begins_again_where_it_began() {
    let store = FaultyStore::default();
    let retention = Retention {
        skew: Duration::ZERO,
        at_least_until_ms: i64::MAX,
    };
    for number in 0..=PAGE {
        let row = session_record(&format!("s-{number}"));
        let handles = SessionScope::Handles(vec![row.handle.clone()]);
        assert_eq!(store.create(&row).await.unwrap(), Created::Created);
        assert_eq!(store.revoke(&handles, retention).await.unwrap().len(), 1);
    }
    let calls = StoreCalls::new(Arc::new(store.clone()), 1, Duration::from_secs(2));
    let blacklist = Arc::new(Blacklist::new(2_000, Arc::new(SystemClock)));
    let receiver = FeedReceiver::new(Arc::clone(&blacklist), calls);
    let mut cursor = RevocationCursor::default();
    store.set(Fault::Wait(Arc::new(Semaphore::new(1))));
    assert!(!receiver.catch_up(&mut cursor).await);
    assert_eq!((blacklist.len(), &cursor.0[..]), (1_000, &[][..]));
}

/// A set that a clock an hour ahead began after the session was revoked, when the clock is right.
async fn begun_ahead() -> (FaultyStore, SessionHandle, Arc<ManualClock>, SystemTime) {
    let store = FaultyStore::default();
    let row = session_record("revoked");
    let handles = SessionScope::Handles(vec![row.handle.clone()]);
    let retention = Retention {
        skew: Duration::from_secs(1),
        at_least_until_ms: 0,
    };
    assert_eq!(store.create(&row).await.unwrap(), Created::Created);
    assert_eq!(store.revoke(&handles, retention).await.unwrap().len(), 1);
    let right = from_unix_ms(row.access_expires_at_ms - 1);
    let clock = ManualClock::new(right + Duration::from_hours(1));
    (store, row.handle, Arc::new(clock), right)
}

fn receiver_of(store: &FaultyStore, clock: &Arc<ManualClock>) -> FeedReceiver {
    let calls = StoreCalls::new(Arc::new(store.clone()), 1, Duration::from_secs(2));
    let blacklist = Arc::new(Blacklist::new(10, Arc::clone(clock) as _));
    FeedReceiver::new(blacklist, calls)
}

/// B7: a set that was begun by a clock an hour ahead left out who seemed to have expired, and says
/// so from the moment at which the clock is set right until everything has been read again.
#[tokio::test]
async fn a_clock_that_was_ahead_at_first_makes_the_set_begin_anew() {
    let (store, handle, clock, right) = begun_ahead().await;
    let feed = receiver_of(&store, &clock);
    let blacklist = Arc::clone(&feed.blacklist);
    let mut cursor = RevocationCursor::default();
    let look_up = || blacklist.look_up(&handle, Duration::from_secs(5));
    assert!(feed.catch_up(&mut cursor).await);
    feed.complete_as_of(feed.moment());
    assert_eq!(look_up(), Listed::Absent);

    clock.set_wall_clock(right);
    assert_eq!(look_up(), Listed::Unknown(Unreliable::NeverComplete));
    // What is heard meanwhile is not all there is.
    feed.complete_as_of(feed.moment());
    assert_eq!(look_up(), Listed::Unknown(Unreliable::NeverComplete));
    store.set(Fault::Unavailable);
    assert!(!feed.catch_up(&mut cursor).await);
    assert_eq!(look_up(), Listed::Unknown(Unreliable::NeverComplete));
    store.set(Fault::None);
    assert!(feed.catch_up(&mut cursor).await);
    assert_eq!(look_up(), Listed::Revoked);
    assert!(blacklist.age().is_some());
}

/// B7: the same of a process that is alone with its store, whose feed has nothing else to wait for.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_ahead_at_first_is_noticed_by_who_is_alone() {
    let (store, handle, clock, right) = begun_ahead().await;
    let feed = receiver_of(&store, &clock);
    let blacklist = Arc::clone(&feed.blacklist);
    let look_up = || blacklist.look_up(&handle, Duration::from_secs(5));
    let becomes = async |expected: Listed| {
        while look_up() != expected {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let checks = async {
        becomes(Listed::Absent).await;
        clock.set_wall_clock(right);
        assert_eq!(look_up(), Listed::Unknown(Unreliable::NeverComplete));
        becomes(Listed::Revoked).await;
        assert_eq!(blacklist.age(), Some(Duration::ZERO));
    };
    tokio::select! {
        () = InProcessFeed.run(feed, CancellationToken::new()) => panic!("nobody stopped it"),
        told = timeout(Duration::from_secs(10), checks) => told.unwrap(),
    }
}
