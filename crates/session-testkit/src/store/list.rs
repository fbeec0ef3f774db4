//! Listing sessions in pages.

use session_core::{
    SessionHandle,
    store::{SessionRecord, SessionScope, SessionStore, StoreError},
};

use super::{
    TestDatabase,
    records::{NOW_MS, all_of, create, handle, named, session, session_of, tenant, user},
};

/// Sessions come by age and then by handle, in the order of its bytes, and pages join without gap
/// or repetition.
pub async fn pages_join_in_the_order_of_age(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let mut rows = Vec::new();
    for (created_at_ms, name) in [
        (NOW_MS + 2, "a"),
        (NOW_MS, "\u{e4}"),
        (NOW_MS, "a b"),
        (NOW_MS, "B"),
        (NOW_MS, "b"),
        (NOW_MS, "\u{1f600}"),
        (NOW_MS, "\u{ffee}"),
        (-1, "old"),
        (NOW_MS + 1, "c"),
    ] {
        let row = SessionRecord {
            created_at_ms,
            ..session(name)
        };
        create(&*store, &row).await;
        rows.push(row);
    }
    rows.sort_by(|one, other| {
        (one.created_at_ms, one.handle.as_str().as_bytes())
            .cmp(&(other.created_at_ms, other.handle.as_str().as_bytes()))
    });
    for limit in [1, 2, 3, 8, 9, 100] {
        assert!(in_pages(&*other, &all_of("ann"), limit).await == rows);
    }
}

/// The limit is honoured, also where it is nothing.
pub async fn a_page_is_no_longer_than_asked_for(database: &dyn TestDatabase) {
    let store = database.open().await;
    for number in 0..5 {
        create(&*store, &session(&format!("s-{number}"))).await;
    }
    for (limit, length) in [(0, 0), (1, 1), (4, 4), (5, 5), (u32::MAX, 5)] {
        let page = store.list(&all_of("ann"), NOW_MS, None, limit).await;
        assert_eq!(page.unwrap().len(), length);
    }
}

/// A session that has expired, in this very millisecond too, is not listed.
pub async fn an_expired_session_is_not_listed(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (name, expires_at_ms) in [("past", -5), ("now", NOW_MS), ("next", NOW_MS + 1)] {
        let row = SessionRecord {
            expires_at_ms,
            ..session(name)
        };
        create(&*store, &row).await;
    }
    for scope in [
        all_of("ann"),
        named(&["past", "now", "next"]),
        SessionScope::Tenant(tenant("public")),
    ] {
        assert_eq!(handles(&*store, &scope).await, [handle("next")]);
    }
}

/// C4: a list about one user and tenant shows nothing of another's, and the row's every column.
pub async fn a_scope_shows_nothing_outside_it(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (owner, place, name) in [
        ("ann", "public", "1"),
        ("ann", "blue", "2"),
        ("ann", "blue", "3"),
        ("bob", "blue", "4"),
        ("Ann", "Blue", "5"),
    ] {
        let row = SessionRecord {
            tenant: tenant(place),
            payload: format!("{{\"name\":{name}}}"),
            ..session_of(owner, name)
        };
        create(&*store, &row).await;
    }
    let of_ann = |place: Option<&str>, except: Option<&str>| SessionScope::User {
        user: user("ann"),
        tenant: place.map(tenant),
        except: except.map(handle),
    };
    for (scope, shown) in [
        (of_ann(None, None), &["1", "2", "3"][..]),
        (of_ann(Some("blue"), None), &["2", "3"]),
        (of_ann(Some("blue"), Some("3")), &["2"]),
        (of_ann(None, Some("1")), &["2", "3"]),
        (of_ann(None, Some("4")), &["1", "2", "3"]),
        (of_ann(Some("red"), None), &[]),
        (SessionScope::Tenant(tenant("blue")), &["2", "3", "4"]),
        (SessionScope::Tenant(tenant("BLUE")), &[]),
        (named(&["5", "1", "5", "unknown"]), &["1", "5"]),
        (named(&[]), &[]),
    ] {
        let shown: Vec<SessionHandle> = shown.iter().map(|name| handle(name)).collect();
        assert_eq!(handles(&*store, &scope).await, shown);
        for row in in_pages(&*store, &scope, 1).await {
            assert!(store.get(&row.handle).await.unwrap() == Some(row));
        }
    }
}

/// G8: a list is bounded like a revocation.
pub async fn too_many_handles_are_not_looked_up(database: &dyn TestDatabase) {
    let store = database.open().await;
    let mut handles = vec![handle("x"); SessionScope::MAX_HANDLES];
    let most = SessionScope::Handles(handles.clone());
    assert!(
        store
            .list(&most, NOW_MS, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    handles.push(handle("y"));
    let too_many = SessionScope::Handles(handles);
    let refused = store.list(&too_many, NOW_MS, None, 10).await;
    assert!(matches!(refused, Err(StoreError::TooManyHandles)));
}

async fn in_pages(
    store: &dyn SessionStore,
    scope: &SessionScope,
    limit: u32,
) -> Vec<SessionRecord> {
    let mut all: Vec<SessionRecord> = Vec::new();
    loop {
        let page = store.list(scope, NOW_MS, all.last(), limit).await.unwrap();
        assert!(page.len() <= usize::try_from(limit).unwrap());
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn handles(store: &dyn SessionStore, scope: &SessionScope) -> Vec<SessionHandle> {
    let rows = in_pages(store, scope, 2).await;
    rows.into_iter().map(|row| row.handle).collect()
}
