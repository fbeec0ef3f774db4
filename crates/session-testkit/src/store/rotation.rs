//! Rotation: one conditional write whose row count is the verdict.

use std::sync::Arc;

use session_core::store::{Rotated, Rotation, SessionRecord};

use super::{
    TestDatabase, race,
    records::{
        HOUR_MS, NOW_MS, RETENTION, create, handle, key_id, named, rotated, rotation_of, session,
    },
};

/// A rotation writes what it brings, all of it, into its own row only.
pub async fn a_rotation_writes_what_it_brings_and_nothing_else(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let bystander = session("two");
    create(&*store, &bystander).await;
    let mut row = SessionRecord {
        payload: r#"{"a":1}"#.to_owned(),
        data: r#"{"b":2}"#.to_owned(),
        absolute_expires_at_ms: Some(NOW_MS + 99 * HOUR_MS),
        ..session("one")
    };
    create(&*store, &row).await;
    for step in 1..=10 {
        let rotation = Rotation {
            secret_hash: [step; 32],
            refresh_key: key_id(&format!("r-{step}")),
            ..rotation_of(&row)
        };
        assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Rotated);
        row = rotated(&row, &rotation);
        assert!(other.get(&row.handle).await.unwrap().as_ref() == Some(&row));
    }
    assert_eq!(row.rotations.iter().count(), 8);
    assert!(store.get(&bystander.handle).await.unwrap() == Some(bystander));
}

/// F6, F7, F18: of a hundred rotations from one generation, in two processes, one happens and the
/// row is the winner's.
pub async fn of_racing_rotations_one_wins(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let row = session("one");
    create(&*stores[0], &row).await;
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        let rotation = Rotation {
            secret_hash: [u8::try_from(number).unwrap(); 32],
            ..rotation_of(&row)
        };
        async move { (store.rotate(&rotation).await.unwrap(), rotation) }
    })
    .await;
    let winners: Vec<&Rotation> = outcomes
        .iter()
        .filter(|(verdict, _)| *verdict == Rotated::Rotated)
        .map(|(_, rotation)| rotation)
        .collect();
    assert_eq!(winners.len(), 1);
    let after = stores[0].get(&row.handle).await.unwrap();
    assert!(after == Some(rotated(&row, winners[0])));
}

/// A rotation from a generation that the row does not have is lost and writes nothing, whichever
/// way it differs.
pub async fn a_rotation_from_another_generation_is_lost(database: &dyn TestDatabase) {
    let store = database.open().await;
    let row = SessionRecord {
        generation: 5,
        ..session("one")
    };
    create(&*store, &row).await;
    for from_generation in [0, 4, 6, u64::MAX] {
        let rotation = Rotation {
            from_generation,
            ..rotation_of(&row)
        };
        assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Lost);
    }
    assert!(store.get(&row.handle).await.unwrap() == Some(row));
}

/// A row that fell behind what was acknowledged (a restored backup) is moved forward by more than
/// one generation (design: `ahead_of_store`).
pub async fn a_rotation_may_skip_generations(database: &dyn TestDatabase) {
    let store = database.open().await;
    let row = session("one");
    create(&*store, &row).await;
    let rotation = Rotation {
        to_generation: u64::MAX,
        ..rotation_of(&row)
    };
    assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Rotated);
    assert!(store.get(&row.handle).await.unwrap() == Some(rotated(&row, &rotation)));
}

/// F9: a session is over in the millisecond in which it expires, and no rotation brings it back.
pub async fn an_expired_session_is_not_rotated(database: &dyn TestDatabase) {
    let store = database.open().await;
    let row = session("one");
    create(&*store, &row).await;
    for late_by in [0, 1, HOUR_MS] {
        let rotation = Rotation {
            at_ms: row.expires_at_ms + late_by,
            ..rotation_of(&row)
        };
        assert_eq!(store.rotate(&rotation).await.unwrap(), Rotated::Lost);
        assert!(store.get(&row.handle).await.unwrap().as_ref() == Some(&row));
    }
    let in_time = Rotation {
        at_ms: row.expires_at_ms - 1,
        ..rotation_of(&row)
    };
    assert_eq!(store.rotate(&in_time).await.unwrap(), Rotated::Rotated);
}

/// F10: a rotation brings no session back that was revoked, nor makes one that never was.
pub async fn a_rotation_makes_no_session(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let row = session("revoked");
    create(&*store, &row).await;
    store.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
    for row in [row, session("unknown")] {
        for store in [&store, &other] {
            let verdict = store.rotate(&rotation_of(&row)).await.unwrap();
            assert_eq!(verdict, Rotated::Lost);
            assert!(store.get(&row.handle).await.unwrap().is_none());
        }
    }
}

/// G14: a later access token with an earlier end does not shorten what the row remembers, or a
/// revocation would be forgotten while a token still serves.
pub async fn the_latest_access_expiry_is_kept(database: &dyn TestDatabase) {
    let store = database.open().await;
    let row = session("one");
    create(&*store, &row).await;
    let shorter = Rotation {
        access_expires_at_ms: row.access_expires_at_ms - 1,
        ..rotation_of(&row)
    };
    assert_eq!(store.rotate(&shorter).await.unwrap(), Rotated::Rotated);
    let after = store.get(&row.handle).await.unwrap().unwrap();
    assert_eq!(after.access_expires_at_ms, row.access_expires_at_ms);
}

/// G2: whichever of a rotation and a revocation comes first, the session is dead after both and
/// was revoked once.
pub async fn a_session_revoked_beside_a_rotation_is_dead(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    for round in 0..20 {
        let name = format!("round-{round}");
        let row = session(&name);
        create(&*stores[0], &row).await;
        let revoked: usize = race(10, |number| {
            let (store, row) = (Arc::clone(&stores[number % 2]), row.clone());
            async move {
                if number < 8 {
                    let _verdict = store.rotate(&rotation_of(&row)).await.unwrap();
                    return 0;
                }
                let scope = named(&[row.handle.as_str()]);
                store.revoke(&scope, RETENTION).await.unwrap().len()
            }
        })
        .await
        .into_iter()
        .sum();
        assert_eq!(revoked, 1);
        for store in &stores {
            assert!(store.get(&handle(&name)).await.unwrap().is_none());
        }
    }
}
