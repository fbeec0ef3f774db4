//! Deleting what has expired.

use std::sync::Arc;

use session_core::store::{Purged, RevocationCursor, Rotated, Rotation, SessionRecord};

use super::{
    TestDatabase, race,
    records::{
        HOUR_MS, NOW_MS, RETENTION, SKEW_MS, all_revocations, create, handle, named, rotation_of,
        session,
    },
};

/// What has expired goes, in this very millisecond too, and all else stays.
pub async fn what_has_expired_is_deleted_and_nothing_else(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let ends = [
        ("past", i64::MIN, true),
        ("before", NOW_MS - 1, true),
        ("now", NOW_MS, true),
        ("next", NOW_MS + 1, false),
        ("future", i64::MAX, false),
    ];
    for (name, expires_at_ms, _) in ends {
        let live = SessionRecord {
            expires_at_ms,
            ..session(name)
        };
        create(&*store, &live).await;
        let revoked = SessionRecord {
            access_expires_at_ms: expires_at_ms.saturating_sub(SKEW_MS),
            ..session(&format!("{name}-revoked"))
        };
        create(&*store, &revoked).await;
        let scope = named(&[revoked.handle.as_str()]);
        store.revoke(&scope, RETENTION).await.unwrap();
    }
    let purged = store.purge_expired(NOW_MS, 100).await.unwrap();
    let expected = Purged {
        sessions: 3,
        revocations: 3,
    };
    assert_eq!(purged, expected);
    for (name, _, gone) in ends {
        let found = other.get(&handle(name)).await.unwrap();
        assert_eq!(found.is_none(), gone, "{name}");
    }
    let (left, _) = all_revocations(&*store, RevocationCursor::default(), 10).await;
    assert_eq!(left.len(), 2);
    let again = store.purge_expired(NOW_MS, 100).await.unwrap();
    assert_eq!(again, Purged::default());
}

/// H16: a purge takes no more than it is told to, so that no lock is held for long, and the rest
/// is there for the next.
pub async fn a_purge_goes_in_batches(database: &dyn TestDatabase) {
    let store = database.open().await;
    for number in 0..7 {
        let name = format!("s-{number}");
        let expired = SessionRecord {
            expires_at_ms: NOW_MS - 1,
            ..session(&name)
        };
        create(&*store, &expired).await;
        let revoked = SessionRecord {
            access_expires_at_ms: NOW_MS - HOUR_MS,
            ..session(&format!("r-{number}"))
        };
        create(&*store, &revoked).await;
        let scope = named(&[revoked.handle.as_str()]);
        store.revoke(&scope, RETENTION).await.unwrap();
    }
    for expected in [0, 3, 3, 1, 0] {
        let limit = if expected == 0 { 0 } else { 3 };
        let purged = store.purge_expired(NOW_MS, limit).await.unwrap();
        assert_eq!((purged.sessions, purged.revocations), (expected, expected));
    }
}

/// H16: a session that is refreshed at the instant of the purge is either refreshed and there, or
/// purged and not refreshed.
pub async fn a_purge_takes_no_session_that_is_being_refreshed(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let ends = NOW_MS + HOUR_MS;
    let rows: Vec<SessionRecord> = (0..60)
        .map(|number| SessionRecord {
            expires_at_ms: ends,
            ..session(&format!("s-{number}"))
        })
        .collect();
    for row in &rows {
        create(&*stores[0], row).await;
    }
    let verdicts = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        let row = rows.get(number).cloned();
        async move {
            let Some(row) = row else {
                store.purge_expired(ends, 5).await.unwrap();
                return None;
            };
            let in_time = Rotation {
                at_ms: ends - 1,
                expires_at_ms: ends + HOUR_MS,
                ..rotation_of(&row)
            };
            Some(store.rotate(&in_time).await.unwrap())
        }
    })
    .await;
    for (row, verdict) in rows.iter().zip(verdicts) {
        let there = stores[0].get(&row.handle).await.unwrap().is_some();
        assert!(
            there || verdict == Some(Rotated::Lost),
            "refreshed and gone"
        );
    }
}
