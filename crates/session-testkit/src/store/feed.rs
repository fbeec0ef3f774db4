//! The list of revocations, as a blacklist follows it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use session_core::store::{
    RevocationCursor, RevocationVisibility, RevokedSession, SessionRecord, SessionScope,
    SessionStore,
};
use tokio::{task, time};

use super::{
    TestDatabase, race,
    records::{
        HOUR_MS, NOW_MS, RETENTION, SKEW_MS, all_revocations, create, named, names, session, tenant,
    },
};

/// Pages of any size hold every revocation, and a store that promises the order in which they were
/// made keeps to it and never repeats one.
pub async fn pages_hold_each_revocation(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let mut expected = Vec::new();
    for number in 0..12 {
        let name = format!("s-{:02}", (number * 7) % 12);
        create(&*store, &session(&name)).await;
        let by = if number % 2 == 0 { &store } else { &other };
        expected.extend(by.revoke(&named(&[&name]), RETENTION).await.unwrap());
    }
    for page in [1, 2, 5, 12, 13, 1000] {
        let (all, cursor) = all_revocations(&*other, RevocationCursor::default(), page).await;
        if in_commit_order(&*store) {
            assert_eq!(all, expected);
        }
        assert_eq!(distinct(&all), distinct(&expected));
        let (rest, end) = all_revocations(&*store, cursor.clone(), page).await;
        if in_commit_order(&*store) {
            assert!(rest.is_empty());
            assert_eq!(end, cursor);
        }
        assert!(distinct(&rest).is_subset(&distinct(&expected)));
    }
}

/// A cursor yields what came after it, whichever process made it.
pub async fn a_cursor_yields_what_came_since(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let mut cursor = RevocationCursor::default();
    for round in 0..3 {
        let of_round = [format!("{round}-a"), format!("{round}-b")];
        for (name, by) in of_round.iter().zip([&store, &other]) {
            create(&**by, &session(name)).await;
            by.revoke(&named(&[name]), RETENTION).await.unwrap();
        }
        let (since, next) = all_revocations(&*other, cursor, 1).await;
        assert!(of_round.iter().all(|name| names(&since).contains(name)));
        assert!(since.len() == 2 || !in_commit_order(&*other));
        cursor = next;
    }
}

/// A revocation whose access tokens have all expired concerns nobody.
pub async fn an_expired_revocation_is_left_out(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (name, ends_after_now) in [("a", 1), ("b", -1), ("c", 0), ("d", HOUR_MS)] {
        let row = SessionRecord {
            access_expires_at_ms: NOW_MS + ends_after_now - SKEW_MS,
            ..session(name)
        };
        create(&*store, &row).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    for page in [1, 2, 10] {
        let (all, _) = all_revocations(&*store, RevocationCursor::default(), page).await;
        assert_eq!(names(&all), ["a", "d"]);
    }
}

/// After a purge of everything, a cursor from before still yields the next revocation: places are
/// never given out twice.
pub async fn a_purge_moves_no_place(database: &dyn TestDatabase) {
    let store = database.open().await;
    for name in ["a", "b"] {
        create(&*store, &session(name)).await;
        store.revoke(&named(&[name]), RETENTION).await.unwrap();
    }
    let (_, cursor) = all_revocations(&*store, RevocationCursor::default(), 10).await;
    let purged = store.purge_expired(i64::MAX, 10).await.unwrap();
    assert_eq!(purged.revocations, 2);
    create(&*store, &session("c")).await;
    store.revoke(&named(&["c"]), RETENTION).await.unwrap();
    let (since, _) = all_revocations(&*store, cursor, 10).await;
    assert_eq!(names(&since), ["c"]);
}

/// When every second record has been purged, the pages still come to an end, hold each of the
/// others, and yield the next revocation.
pub async fn a_list_full_of_gaps_comes_to_an_end(database: &dyn TestDatabase) {
    let store = database.open().await;
    let name_of = |number: usize| format!("s-{number:03}");
    race(4, |quarter| {
        let store = Arc::clone(&store);
        async move {
            for number in (quarter..400).step_by(4) {
                let ends_after_now = if number % 2 == 0 { HOUR_MS } else { 0 };
                let row = SessionRecord {
                    access_expires_at_ms: NOW_MS + ends_after_now - SKEW_MS,
                    ..session(&name_of(number))
                };
                create(&*store, &row).await;
            }
        }
    })
    .await;
    let everything = SessionScope::Tenant(tenant("public"));
    assert_eq!(
        store.revoke(&everything, RETENTION).await.unwrap().len(),
        400
    );
    let purged = store.purge_expired(NOW_MS, 1_000).await.unwrap();
    assert_eq!(purged.revocations, 200);
    let expected: Vec<_> = (0..400).step_by(2).map(name_of).collect();
    for page in [30, 1_000] {
        let (all, mut cursor) = all_revocations(&*store, RevocationCursor::default(), page).await;
        let of_old = names(&all).into_iter().filter(|name| name.starts_with('s'));
        assert_eq!(of_old.collect::<Vec<_>>(), expected);
        for next in ["t-1", "t-2"] {
            let name = format!("{next}-{page}");
            create(&*store, &session(&name)).await;
            let one = store.revoke(&named(&[&name]), RETENTION).await.unwrap();
            let (heard, after) = all_revocations(&*store, cursor, page).await;
            assert!(heard.contains(&one[0]));
            cursor = after;
        }
    }
}

/// Somebody who follows the list while a hundred tasks revoke hears of every revocation, and of one
/// that was acknowledged in the next round already.
pub async fn a_follower_beside_racing_revocations_misses_nothing(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let follower = database.open().await;
    for number in 0..100 {
        create(&*stores[0], &session(&format!("s-{number:02}"))).await;
    }
    let done = Arc::new(AtomicUsize::new(0));
    let outcomes = race(101, |number| {
        let store = Arc::clone(&stores[number % 2]);
        let (follower, done) = (Arc::clone(&follower), Arc::clone(&done));
        async move {
            if number < 100 {
                let scope = named(&[&format!("s-{number:02}")]);
                assert_eq!(store.revoke(&scope, RETENTION).await.unwrap().len(), 1);
                done.fetch_add(1, Ordering::SeqCst);
                return Vec::new();
            }
            let (mut heard, mut cursor) =
                (Vec::<RevokedSession>::new(), RevocationCursor::default());
            loop {
                let acknowledged = done.load(Ordering::SeqCst);
                let (news, next) = all_revocations(&*follower, cursor, 9).await;
                heard.extend(news);
                cursor = next;
                let known = distinct(&heard).len();
                assert!(known >= acknowledged, "acknowledged and not heard of");
                if acknowledged == 100 {
                    return heard;
                }
                time::sleep(Duration::from_millis(1)).await;
            }
        }
    })
    .await;
    let heard = outcomes.concat();
    assert_eq!(distinct(&heard).len(), 100);
    assert!(heard.len() == 100 || !in_commit_order(&*stores[0]));
}

/// A revocation of many sessions is one step: a follower sees all of it or nothing.
pub async fn a_bulk_revocation_appears_at_once(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    for number in 0..50 {
        create(&*stores[0], &session(&format!("s-{number}"))).await;
    }
    let seen = race(2, |number| {
        let store = Arc::clone(&stores[number]);
        async move {
            if number == 0 {
                let everything = SessionScope::Tenant(tenant("public"));
                let revoked = store.revoke(&everything, RETENTION).await.unwrap();
                return vec![revoked.len()];
            }
            let mut seen = Vec::new();
            while seen.last() != Some(&50) {
                let (all, _) = all_revocations(&*store, RevocationCursor::default(), 1000).await;
                seen.push(all.len());
                task::yield_now().await;
            }
            seen
        }
    })
    .await;
    assert!(seen.concat().iter().all(|count| [0, 50].contains(count)));
}

/// The store says how others' revocations become known, and an interval that is none would be a
/// busy loop.
pub async fn the_way_of_hearing_is_usable(database: &dyn TestDatabase) {
    let store = database.open().await;
    match store.revocation_visibility() {
        RevocationVisibility::CommitOrder { poll_every }
        | RevocationVisibility::AnyOrder { poll_every } => assert!(!poll_every.is_zero()),
        visibility => assert_eq!(visibility, RevocationVisibility::ThisProcessOnly),
    }
    let offset = match store.clock_ms().await.unwrap() {
        Some(clock_ms) => clock_ms - NOW_MS,
        None => 0,
    };
    assert!(offset >= 0, "the store's clock shows a time before 2023");
}

/// Whether the store promises each revocation once, in the order of the commits.
fn in_commit_order(store: &dyn SessionStore) -> bool {
    !matches!(
        store.revocation_visibility(),
        RevocationVisibility::AnyOrder { .. }
    )
}

fn distinct(revoked: &[RevokedSession]) -> HashSet<(&str, i64)> {
    revoked
        .iter()
        .map(|one| (one.handle.as_str(), one.expires_at_ms))
        .collect()
}
