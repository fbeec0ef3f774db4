//! Replacing a session's payload and the application's data.

use std::sync::Arc;

use session_core::store::{SessionRecord, Updated};
use tokio::task;

use super::{
    TestDatabase, race,
    records::{RETENTION, create, handle, named, rotation_of, session},
};

/// A payload is replaced when nobody was faster, and the change is counted.
pub async fn a_payload_is_replaced_from_the_version_that_was_read(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let row = session("one");
    create(&*store, &row).await;
    let bystander = session("two");
    create(&*store, &bystander).await;

    let updated = store.update_payload(&row.handle, 0, r#"{"a":1}"#).await;
    assert_eq!(updated.unwrap(), Updated::Updated);
    let expected = SessionRecord {
        payload: r#"{"a":1}"#.to_owned(),
        payload_version: 1,
        ..row
    };
    assert!(other.get(&handle("one")).await.unwrap().as_ref() == Some(&expected));

    for stale in [0, 2, u64::MAX] {
        let updated = other.update_payload(&handle("one"), stale, "{}").await;
        assert_eq!(updated.unwrap(), Updated::Conflict);
    }
    assert!(store.get(&handle("one")).await.unwrap() == Some(expected));
    assert!(store.get(&handle("two")).await.unwrap() == Some(bystander));
}

/// Of a hundred updates from one version, one wins.
pub async fn of_racing_payload_updates_one_wins(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    create(&*stores[0], &session("one")).await;
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        async move {
            let payload = format!(r#"{{"winner":{number}}}"#);
            let updated = store.update_payload(&handle("one"), 0, &payload).await;
            (updated.unwrap(), payload)
        }
    })
    .await;
    let winners: Vec<&String> = outcomes
        .iter()
        .filter(|(updated, _)| *updated == Updated::Updated)
        .map(|(_, payload)| payload)
        .collect();
    let row = stores[0].get(&handle("one")).await.unwrap().unwrap();
    assert_eq!(winners, [&row.payload]);
    assert_eq!(row.payload_version, 1);
}

/// F14: tasks that read, change and write back as often as it takes lose no update.
pub async fn racing_payload_updates_lose_nothing(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let row = SessionRecord {
        payload: "0".to_owned(),
        ..session("counter")
    };
    create(&*stores[0], &row).await;
    race(20, |number| {
        let store = Arc::clone(&stores[number % 2]);
        async move {
            loop {
                let row = store.get(&handle("counter")).await.unwrap().unwrap();
                task::yield_now().await;
                let more = (row.payload.parse::<u32>().unwrap() + 1).to_string();
                match store
                    .update_payload(&row.handle, row.payload_version, &more)
                    .await
                    .unwrap()
                {
                    Updated::Updated => return,
                    Updated::Conflict => {}
                    Updated::Gone => panic!("the session is gone"),
                }
            }
        }
    })
    .await;
    let row = stores[0].get(&handle("counter")).await.unwrap().unwrap();
    assert_eq!((&*row.payload, row.payload_version), ("20", 20));
}

/// F14: a payload update and a rotation at the same time both happen.
pub async fn a_payload_update_beside_a_rotation_loses_neither(database: &dyn TestDatabase) {
    let store = database.open().await;
    for round in 0..20 {
        let row = session(&format!("round-{round}"));
        create(&*store, &row).await;
        race(2, |number| {
            let (store, row) = (Arc::clone(&store), row.clone());
            async move {
                if number == 0 {
                    let _verdict = store.rotate(&rotation_of(&row)).await.unwrap();
                } else {
                    let payload = r#"{"new":true}"#;
                    let _verdict = store.update_payload(&row.handle, 0, payload).await.unwrap();
                }
            }
        })
        .await;
        let row = store.get(&row.handle).await.unwrap().unwrap();
        assert_eq!((row.generation, row.payload_version), (1, 1));
        assert_eq!(row.payload, r#"{"new":true}"#);
    }
}

/// The application's data is replaced whatever it was, and the payload's version stays.
pub async fn data_is_replaced_without_conflict(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let row = session("one");
    create(&*store, &row).await;
    for (store, data) in [(&store, r#"{"b":2}"#), (&other, r#"{"b":3}"#)] {
        let updated = store.update_data(&row.handle, data).await.unwrap();
        assert_eq!(updated, Updated::Updated);
        let expected = SessionRecord {
            data: data.to_owned(),
            ..row.clone()
        };
        assert!(store.get(&row.handle).await.unwrap() == Some(expected));
    }
}

/// F10: no update brings a session back that was revoked, nor makes one that never was.
pub async fn an_update_makes_no_session(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    create(&*store, &session("revoked")).await;
    store.revoke(&named(&["revoked"]), RETENTION).await.unwrap();
    for name in ["revoked", "unknown"] {
        for store in [&store, &other] {
            let payload = store.update_payload(&handle(name), 0, "{}").await;
            assert_eq!(payload.unwrap(), Updated::Gone);
            let data = store.update_data(&handle(name), "{}").await;
            assert_eq!(data.unwrap(), Updated::Gone);
            assert!(store.get(&handle(name)).await.unwrap().is_none());
        }
    }
}
