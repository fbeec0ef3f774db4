//! Identifiers: bytes to the database, whatever they look like.

use session_core::{
    InvalidId, KeyId, SessionHandle, TenantId, UserId,
    store::{KeyInserted, SessionRecord, SessionScope, Updated},
};

use super::{
    TestDatabase,
    records::{NOW_MS, RETENTION, all_of, create, handle, key, named, names, session, user},
};
use crate::naughty;

/// H1: every naughty string that is a handle names its own session, and is revoked alone.
pub async fn naughty_handles_name_their_own_session(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let mut distinct = naughty::strings();
    distinct.sort();
    distinct.dedup();
    let rows: Vec<SessionRecord> = distinct
        .into_iter()
        .filter_map(|text| SessionHandle::try_from(text).ok())
        .map(|handle| SessionRecord {
            handle,
            ..session("any")
        })
        .collect();
    assert!(rows.len() > 450, "{} strings are handles", rows.len());
    for row in &rows {
        create(&*store, row).await;
    }
    for row in &rows {
        assert!(other.get(&row.handle).await.unwrap().as_ref() == Some(row));
    }
    let (first, rest) = rows.split_at(rows.len() / 2);
    let scope = SessionScope::Handles(first.iter().map(|row| row.handle.clone()).collect());
    let revoked = store.revoke(&scope, RETENTION).await.unwrap();
    let mut expected: Vec<String> = first.iter().map(|row| row.handle.to_string()).collect();
    expected.sort();
    assert_eq!(names(&revoked), expected);
    for row in rest {
        assert!(other.get(&row.handle).await.unwrap().is_some());
    }
}

/// H1: every naughty string that is a user id finds its own sessions only, and as payload, data
/// and at-rest name it is text.
pub async fn naughty_users_find_their_own_sessions(database: &dyn TestDatabase) {
    let store = database.open().await;
    let mut distinct = naughty::strings();
    distinct.sort();
    distinct.dedup();
    let mut rows = Vec::new();
    for (number, text) in distinct.into_iter().enumerate() {
        let Ok(user) = UserId::try_from(&*text) else {
            assert!(text.is_empty() || text.len() > UserId::MAX_BYTES || text.contains('\0'));
            continue;
        };
        let quoted = serde_json::to_string(&text).unwrap();
        let row = SessionRecord {
            user,
            payload: format!("{{\"naughty\":{quoted}}}"),
            data: text,
            ..session(&format!("s-{number}"))
        };
        create(&*store, &row).await;
        rows.push(row);
    }
    assert!(rows.len() > 450, "{} strings are user ids", rows.len());
    for row in &rows {
        let scope = all_of(row.user.as_str());
        let listed = store.list(&scope, NOW_MS, None, 10).await.unwrap();
        assert!(listed.len() == 1 && listed[0] == *row);
    }
    for row in rows.iter().step_by(20) {
        let scope = all_of(row.user.as_str());
        let revoked = store.revoke(&scope, RETENTION).await.unwrap();
        assert_eq!(names(&revoked), [row.handle.as_str()]);
    }
}

/// D1, H1: every naughty string that is a key id names its own key and touches no other.
pub async fn naughty_key_ids_name_their_own_key(database: &dyn TestDatabase) {
    let store = database.open().await;
    let mut ids: Vec<KeyId> = naughty::strings()
        .into_iter()
        .filter_map(|text| KeyId::try_from(text).ok())
        .collect();
    ids.sort();
    ids.dedup();
    assert!(ids.len() > 100, "{} strings are key ids", ids.len());
    for id in &ids {
        let key = key(id.as_str(), NOW_MS);
        let inserted = store.insert_key(&key, NOW_MS).await.unwrap();
        assert_eq!(inserted, KeyInserted::Inserted);
    }
    let read: Vec<KeyId> = (store.load_keys().await.unwrap().into_iter())
        .map(|key| key.id)
        .collect();
    assert_eq!(read, ids);
    let (removed, kept) = ids.split_at(10);
    for id in removed {
        assert_eq!(store.remove_key(id).await.unwrap(), Updated::Updated);
    }
    assert_eq!(store.load_keys().await.unwrap().len(), kept.len());
}

/// H2: case, accents, normal forms, width and white space tell identifiers apart.
pub async fn lookalikes_are_not_equal(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    for text in naughty::LOOKALIKES {
        let row = SessionRecord {
            user: user(text),
            ..session(text)
        };
        create(&*store, &row).await;
    }
    for text in naughty::LOOKALIKES {
        let row = other.get(&handle(text)).await.unwrap().unwrap();
        assert_eq!((row.handle.as_str(), row.user.as_str()), (text, text));
        let listed = store.list(&all_of(text), NOW_MS, None, 99).await.unwrap();
        assert_eq!(listed.len(), 1);
    }
    let (by_user, by_handle) = naughty::LOOKALIKES.split_at(10);
    for text in by_user {
        let revoked = store.revoke(&all_of(text), RETENTION).await.unwrap();
        assert_eq!(names(&revoked), [*text]);
    }
    for text in by_handle {
        let revoked = store.revoke(&named(&[text]), RETENTION).await.unwrap();
        assert_eq!(names(&revoked), [*text]);
    }
}

/// H4: identifiers of full length are kept whole, and differ in their last byte.
pub async fn the_longest_identifiers_are_kept_whole(database: &dyn TestDatabase) {
    let store = database.open().await;
    // Text without repetition: some databases limit an index entry after compression.
    let varied: String = (0..300u32)
        .filter_map(|number| char::from_u32(0x4e00 + (number * 7919) % 20_000))
        .collect();
    let longest = |limit: usize, last: &str| {
        let mut text = String::new();
        for letter in varied.chars() {
            if text.len() + letter.len_utf8() + last.len() > limit {
                break;
            }
            text.push(letter);
        }
        let filling = limit - text.len() - last.len();
        text.push_str(&"x".repeat(filling));
        text + last
    };
    for last in ["a", "b"] {
        let row = SessionRecord {
            user: user(&longest(UserId::MAX_BYTES, last)),
            tenant: TenantId::try_from("t".repeat(TenantId::MAX_BYTES)).unwrap(),
            refresh_key: KeyId::try_from("k".repeat(KeyId::MAX_BYTES)).unwrap(),
            ..session(&longest(SessionHandle::MAX_BYTES, last))
        };
        create(&*store, &row).await;
        assert!(store.get(&row.handle).await.unwrap().as_ref() == Some(&row));
        let scope = all_of(row.user.as_str());
        let listed = store.list(&scope, NOW_MS, None, 10).await.unwrap();
        assert!(listed == [row]);
    }
}

/// H3, H4: a NUL byte and a byte too many are refused before any store sees them, so that the
/// verdict is the same whatever the database makes of them.
pub async fn what_databases_disagree_about_never_reaches_one(database: &dyn TestDatabase) {
    let store = database.open().await;
    for text in ["\0", "a\0", "\0a", "a\0b"] {
        assert_eq!(UserId::try_from(text), Err(InvalidId::Nul));
        assert_eq!(SessionHandle::try_from(text), Err(InvalidId::Nul));
        assert_eq!(TenantId::try_from(text), Err(InvalidId::Nul));
        assert_eq!(KeyId::try_from(text), Err(InvalidId::Nul));
    }
    let user = UserId::try_from("x".repeat(UserId::MAX_BYTES + 1));
    assert!(matches!(user, Err(InvalidId::TooLong { .. })));
    let handle = SessionHandle::try_from("x".repeat(SessionHandle::MAX_BYTES + 1));
    assert!(matches!(handle, Err(InvalidId::TooLong { .. })));
    let listed = store.list(&all_of("a"), NOW_MS, None, 10).await.unwrap();
    assert!(listed.is_empty());
}
