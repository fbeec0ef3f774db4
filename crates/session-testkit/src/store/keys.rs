//! Keys: one per period however many processes start, and material kept as it is.

use std::sync::Arc;

use session_core::store::{KeyInserted, KeyPurpose, KeyRecord, SessionStore, Updated};
use zeroize::Zeroizing;

use super::{
    TestDatabase, race,
    records::{NOW_MS, key, key_id},
};

/// Every column of a key is read back as it was written, whatever bytes the material has.
pub async fn a_key_is_read_back_byte_for_byte(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let keys = [
        key("d-1700000000000", NOW_MS),
        KeyRecord {
            purpose: KeyPurpose::AccessStatic,
            sealed_under: None,
            ..key("s-00000000-0000-4000-8000-000000000000", NOW_MS - 1)
        },
        KeyRecord {
            purpose: KeyPurpose::Refresh,
            algorithm: "HS256".to_owned(),
            material: Zeroizing::new(vec![0; 64]),
            sealed_under: Some("n\u{e4}me; --".to_owned()),
            ..key("r-1", -1)
        },
        KeyRecord {
            material: Zeroizing::new(vec![0xff; 5000]),
            ..key("d-large", i64::MIN)
        },
    ];
    for key in &keys {
        insert(&*store, key, i64::MAX).await;
    }
    for store in [&store, &other] {
        let read = store.load_keys().await.unwrap();
        assert_eq!(read.len(), keys.len());
        for (read, written) in read.iter().zip(&keys) {
            assert_same(read, written);
        }
    }
}

/// Keys come newest first, and those of one age in the order of their ids, for every process.
pub async fn keys_come_newest_first(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    for (id, created_at_ms) in [("d-2", 5), ("d-B", 7), ("d-a", 7), ("d-1", -3), ("d-b", 7)] {
        insert(&*store, &key(id, created_at_ms), i64::MAX).await;
    }
    for store in [&store, &other] {
        assert_eq!(ids(&**store).await, ["d-B", "d-a", "d-b", "d-2", "d-1"]);
    }
}

/// D7: a hundred first starts on an empty database make one key of each purpose, and all see it.
pub async fn a_hundred_first_starts_make_one_key(database: &dyn TestDatabase) {
    let stores = [
        database.open().await,
        database.open().await,
        database.open().await,
    ];
    let purposes = [KeyPurpose::AccessDynamic, KeyPurpose::Refresh];
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 3]);
        let key = KeyRecord {
            purpose: purposes[number % 2],
            ..key(&format!("key-{number}"), NOW_MS)
        };
        async move {
            let inserted = store.insert_key(&key, NOW_MS - 1000).await.unwrap();
            let present = store.load_keys().await.unwrap();
            let mut of_purpose = present.iter().filter(|one| one.purpose == key.purpose);
            (inserted, of_purpose.next().unwrap().id.clone())
        }
    })
    .await;
    let winners = outcomes
        .iter()
        .filter(|(inserted, _)| *inserted == KeyInserted::Inserted);
    assert_eq!(winners.count(), 2);
    let keys = stores[0].load_keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    for (number, (_, seen)) in outcomes.iter().enumerate() {
        let of_purpose = keys.iter().find(|key| key.purpose == purposes[number % 2]);
        assert_eq!(*seen, of_purpose.unwrap().id);
    }
}

/// D7: a key is due when none of its purpose is newer than asked; another purpose's do not count.
pub async fn a_fresher_key_of_the_purpose_keeps_another_out(database: &dyn TestDatabase) {
    let store = database.open().await;
    insert(&*store, &key("d-1", NOW_MS), NOW_MS - 1).await;
    for (unless_newer_than_ms, verdict) in [
        (NOW_MS - 1, KeyInserted::FresherExists),
        (i64::MIN, KeyInserted::FresherExists),
        (NOW_MS, KeyInserted::Inserted),
    ] {
        let second = key("d-2", NOW_MS + 5);
        let inserted = store.insert_key(&second, unless_newer_than_ms).await;
        assert_eq!(inserted.unwrap(), verdict);
    }
    let of_another_purpose = KeyRecord {
        purpose: KeyPurpose::AccessStatic,
        ..key("s-1", NOW_MS)
    };
    insert(&*store, &of_another_purpose, i64::MIN).await;
    assert_eq!(ids(&*store).await, ["d-2", "d-1", "s-1"]);
}

/// A taken key id is not taken over.
pub async fn a_taken_key_id_is_not_overwritten(database: &dyn TestDatabase) {
    let store = database.open().await;
    let first = key("d-1", NOW_MS);
    insert(&*store, &first, i64::MAX).await;
    for purpose in [KeyPurpose::AccessDynamic, KeyPurpose::Refresh] {
        let second = KeyRecord {
            purpose,
            material: Zeroizing::new(b"other".to_vec()),
            ..key("d-1", NOW_MS + 1)
        };
        let inserted = store.insert_key(&second, i64::MAX).await.unwrap();
        assert_eq!(inserted, KeyInserted::FresherExists);
    }
    let keys = store.load_keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    assert_same(&keys[0], &first);
}

/// A key whose material was sealed again keeps everything else.
pub async fn a_resealed_key_keeps_everything_else(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let bystander = key("d-2", NOW_MS - 1);
    let mut first = key("d-1", NOW_MS);
    insert(&*store, &first, i64::MAX).await;
    insert(&*store, &bystander, i64::MAX).await;
    for sealed_under in [Some("second".to_owned()), None] {
        first.material = Zeroizing::new(b"sealed again".to_vec());
        first.sealed_under = sealed_under;
        let changed_elsewhere = KeyRecord {
            purpose: KeyPurpose::Refresh,
            algorithm: "none".to_owned(),
            created_at_ms: 0,
            ..first.clone()
        };
        let updated = store.reseal_key(&changed_elsewhere).await.unwrap();
        assert_eq!(updated, Updated::Updated);
        let keys = other.load_keys().await.unwrap();
        assert_same(&keys[0], &first);
        assert_same(&keys[1], &bystander);
    }
    let unknown = store.reseal_key(&key("d-3", NOW_MS)).await.unwrap();
    assert_eq!(unknown, Updated::Gone);
    assert_eq!(ids(&*store).await, ["d-1", "d-2"]);
}

/// D4: a removed key is gone for every process, by one of the calls that remove it.
pub async fn a_removed_key_is_gone(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    insert(&*store, &key("d-1", NOW_MS), i64::MAX).await;
    insert(&*store, &key("d-2", NOW_MS - 1), i64::MAX).await;
    assert_eq!(remove(&*store, "D-1").await, Updated::Gone);
    assert_eq!(remove(&*store, "d-1").await, Updated::Updated);
    assert_eq!(remove(&*other, "d-1").await, Updated::Gone);
    for store in [&store, &other] {
        assert_eq!(ids(&**store).await, ["d-2"]);
    }
}

async fn insert(store: &dyn SessionStore, key: &KeyRecord, unless_newer_than_ms: i64) {
    let inserted = store.insert_key(key, unless_newer_than_ms).await.unwrap();
    assert_eq!(inserted, KeyInserted::Inserted);
}

async fn remove(store: &dyn SessionStore, id: &str) -> Updated {
    store.remove_key(&key_id(id)).await.unwrap()
}

async fn ids(store: &dyn SessionStore) -> Vec<String> {
    let keys = store.load_keys().await.unwrap();
    keys.iter().map(|key| key.id.to_string()).collect()
}

fn assert_same(read: &KeyRecord, written: &KeyRecord) {
    assert_eq!(read.id, written.id);
    assert_eq!(read.purpose, written.purpose);
    assert_eq!(read.algorithm, written.algorithm);
    assert_eq!(read.created_at_ms, written.created_at_ms);
    assert_eq!(read.sealed_under, written.sealed_under);
    assert!(read.material == written.material, "the material changed");
}
