//! Creating and reading sessions.

use std::sync::Arc;

use session_core::store::{Created, RotationEntry, Rotations, SessionRecord};

use super::{
    TestDatabase, race,
    records::{HOUR_MS, NOW_MS, RETENTION, create, handle, key_id, named, session, tenant, user},
};

/// Every column is read back as it was written, also by another process.
pub async fn a_session_is_read_back_byte_for_byte(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let mut rotations = Rotations::default();
    for generation in 1..=8 {
        rotations.push(RotationEntry {
            generation,
            at_ms: NOW_MS + i64::try_from(generation).unwrap(),
            key: key_id("r-;,'\"-%\\"),
        });
    }
    let whole = SessionRecord {
        handle: handle("h\u{e4}ndle \u{1f511}'; --"),
        tenant: tenant("Tenant-1"),
        user: user("zo\u{eb}@example.com"),
        generation: 8,
        secret_hash: std::array::from_fn(|byte| u8::try_from(byte * 8).unwrap()),
        refresh_key: key_id("r-\"'%_\\"),
        rotations,
        payload: "{\"name\":\"Zo\u{eb}\"}".to_owned(),
        payload_version: 3,
        data: "{\"device\":\"\u{1f4f1} ann's\"}".to_owned(),
        created_at_ms: NOW_MS - 1,
        refreshed_at_ms: NOW_MS + 2,
        expires_at_ms: NOW_MS + 3 * HOUR_MS,
        absolute_expires_at_ms: Some(NOW_MS + 9 * HOUR_MS),
        access_expires_at_ms: NOW_MS + HOUR_MS + 7,
    };
    let bare = session("bare");
    for row in [&whole, &bare] {
        create(&*store, row).await;
        assert!(store.get(&row.handle).await.unwrap().as_ref() == Some(row));
        assert!(other.get(&row.handle).await.unwrap().as_ref() == Some(row));
    }
}

/// A handle that was never given out names nobody.
pub async fn an_unknown_handle_names_no_session(database: &dyn TestDatabase) {
    let store = database.open().await;
    create(&*store, &session("known")).await;
    assert!(store.get(&handle("unknown")).await.unwrap().is_none());
    assert!(store.get(&handle("know")).await.unwrap().is_none());
}

/// Whether a session has expired is judged by the service, so the row is read until it is purged.
pub async fn an_expired_session_is_still_read(database: &dyn TestDatabase) {
    let store = database.open().await;
    let expired = SessionRecord {
        expires_at_ms: 1,
        ..session("expired")
    };
    create(&*store, &expired).await;
    assert!(store.get(&expired.handle).await.unwrap() == Some(expired));
}

/// G15: a handle that is taken is refused, and the session that has it stays as it is.
pub async fn a_taken_handle_is_refused(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let first = session("taken");
    create(&*store, &first).await;
    let second = SessionRecord {
        user: user("mallory"),
        tenant: tenant("other"),
        ..session("taken")
    };
    for store in [&store, &other] {
        assert_eq!(store.create(&second).await.unwrap(), Created::HandleTaken);
    }
    assert!(store.get(&first.handle).await.unwrap() == Some(first));
}

/// G15: the handle of a revoked session stays taken while its revocation is recorded, or the new
/// session would be blacklisted from birth and the old one's tokens would name it.
pub async fn a_revoked_handle_stays_taken(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    create(&*store, &session("once")).await;
    assert_eq!(
        store
            .revoke(&named(&["once"]), RETENTION)
            .await
            .unwrap()
            .len(),
        1
    );
    for store in [&store, &other] {
        assert_eq!(
            store.create(&session("once")).await.unwrap(),
            Created::HandleTaken
        );
        assert!(store.get(&handle("once")).await.unwrap().is_none());
    }
}

/// G15: of a hundred creations with one handle, one wins and the row is the winner's.
pub async fn of_racing_creations_with_one_handle_one_wins(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        async move {
            let row = SessionRecord {
                user: user(&format!("user-{number}")),
                ..session("wanted")
            };
            (store.create(&row).await.unwrap(), row)
        }
    })
    .await;
    let winners: Vec<_> = outcomes
        .into_iter()
        .filter(|(created, _)| *created == Created::Created)
        .collect();
    assert_eq!(winners.len(), 1);
    let row = stores[0].get(&handle("wanted")).await.unwrap();
    assert!(row.as_ref() == Some(&winners[0].1));
}

/// H5: JSON is text: numbers, duplicate names, the order of members and white space stay.
pub async fn json_is_kept_to_the_byte(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let texts = [
        r#"{"n":9007199254740993}"#,
        r#"{"n":1e400,"m":-0,"o":-0.0,"p":1.0,"q":1E+2,"r":0.1}"#,
        r#"{"n":123456789012345678901234567890}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"b":1,"a":2,"":3}"#,
        "{ \"spaced\" :\t[ 1 ,2 ]\r\n}",
        r#"{"escaped":"\u00e9\u0000\/\ud83d\ude00"}"#,
        "{\"raw\":\"\u{e9}\u{1f600}\u{2028}\u{feff}\u{fffd}\"}",
        r#"{"text":"NaN","null":null,"bool":true,"nested":{"deep":[[[{}]]]}}"#,
    ];
    for (number, text) in texts.into_iter().enumerate() {
        let row = SessionRecord {
            payload: text.to_owned(),
            data: text.to_owned(),
            ..session(&format!("json-{number}"))
        };
        create(&*store, &row).await;
        let read = other.get(&row.handle).await.unwrap().unwrap();
        assert_eq!((&*read.payload, &*read.data), (text, text));
    }
}

/// H4: texts of 16 KiB, the most that the service lets through, are neither cut nor refused.
pub async fn the_largest_texts_are_kept(database: &dyn TestDatabase) {
    let store = database.open().await;
    let largest = |letter: &str| {
        let filling = (16 * 1024 - r#"{"x":""}"#.len()) / letter.len();
        format!(r#"{{"x":"{}"}}"#, letter.repeat(filling))
    };
    for letter in ["a", "\u{e9}", "\u{20ac}", "\u{1f600}"] {
        let row = SessionRecord {
            payload: largest(letter),
            data: largest(letter),
            ..session(letter)
        };
        create(&*store, &row).await;
        assert!(store.get(&row.handle).await.unwrap() == Some(row));
    }
}

/// H15: times before 1970, after 2038 and at either end of the range are times like others.
pub async fn times_of_any_size_are_kept(database: &dyn TestDatabase) {
    let store = database.open().await;
    let times = [
        i64::MIN,
        -1,
        0,
        i64::from(i32::MAX) * 1000,
        i64::from(i32::MAX) * 1000 + 1000,
        i64::from(u32::MAX) * 1000 + 1000,
        253_402_300_800_000,
        i64::MAX,
    ];
    for (number, time) in times.into_iter().enumerate() {
        let row = SessionRecord {
            created_at_ms: time,
            refreshed_at_ms: time,
            expires_at_ms: time,
            absolute_expires_at_ms: Some(time),
            access_expires_at_ms: time,
            ..session(&format!("time-{number}"))
        };
        create(&*store, &row).await;
        assert!(store.get(&row.handle).await.unwrap() == Some(row));
    }
}

/// Generations and versions are 64 bits wide.
pub async fn counters_of_any_size_are_kept(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (number, counter) in [u64::from(u32::MAX) + 1, 1 << 53, u64::MAX >> 1, u64::MAX]
        .into_iter()
        .enumerate()
    {
        let row = SessionRecord {
            generation: counter,
            payload_version: counter,
            ..session(&format!("counter-{number}"))
        };
        create(&*store, &row).await;
        assert!(store.get(&row.handle).await.unwrap() == Some(row));
    }
}
