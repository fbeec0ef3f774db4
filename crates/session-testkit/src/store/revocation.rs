//! Revoking sessions, one by one and all at once.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use session_core::{
    SessionHandle,
    store::{
        Created, Retention, RevocationCursor, RevokedSession, SessionRecord, SessionScope,
        SessionStore, StoreError,
    },
};

use super::{
    TestDatabase, race,
    records::{
        RETENTION, SKEW_MS, all_of, all_revocations, create, handle, named, names, rotation_of,
        session, session_of, tenant, user,
    },
};

/// A revoked session is gone for every process when the call returns, and was recorded.
pub async fn a_revoked_session_is_gone_and_recorded(database: &dyn TestDatabase) {
    let (store, other) = (database.open().await, database.open().await);
    let row = session("one");
    create(&*store, &row).await;
    create(&*store, &session("two")).await;

    let revoked = store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    let record = [RevokedSession {
        handle: row.handle.clone(),
        expires_at_ms: row.access_expires_at_ms + SKEW_MS,
    }];
    assert_eq!(revoked, record);
    for store in [&store, &other] {
        assert!(store.get(&row.handle).await.unwrap().is_none());
        assert!(store.get(&handle("two")).await.unwrap().is_some());
        let (recorded, _) = all_revocations(&**store, RevocationCursor::default(), 10).await;
        assert_eq!(recorded, record);
    }
}

/// G14: the record outlives every access token that the session ever got, and the clocks' skew.
pub async fn a_record_lasts_as_long_as_the_latest_access_token(database: &dyn TestDatabase) {
    let store = database.open().await;
    let row = session("one");
    create(&*store, &row).await;
    let longer = rotation_of(&row);
    let _verdict = store.rotate(&longer).await.unwrap();
    let shorter = session_core::store::Rotation {
        from_generation: 1,
        to_generation: 2,
        access_expires_at_ms: longer.access_expires_at_ms - 1000,
        ..longer.clone()
    };
    let _verdict = store.rotate(&shorter).await.unwrap();
    let revoked = store.revoke(&named(&["one"]), RETENTION).await.unwrap();
    assert_eq!(
        revoked[0].expires_at_ms,
        longer.access_expires_at_ms + SKEW_MS
    );
}

/// G14: a row that was restored from a backup does not know of the last access tokens, so a record
/// ends no earlier than the caller says, and a row that knows better is believed.
pub async fn a_record_outlives_tokens_of_lost_rotations(database: &dyn TestDatabase) {
    let store = database.open().await;
    let ends_ms = |name| session(name).access_expires_at_ms + SKEW_MS;
    for (name, earliest, end) in [
        ("later", ends_ms("later") + 1, ends_ms("later") + 1),
        ("same", ends_ms("same"), ends_ms("same")),
        ("earlier", ends_ms("earlier") - 1, ends_ms("earlier")),
        ("negative", -1, ends_ms("negative")),
        ("latest", i64::MAX, i64::MAX),
    ] {
        create(&*store, &session(name)).await;
        let retention = Retention {
            at_least_until_ms: earliest,
            ..RETENTION
        };
        let revoked = store.revoke(&named(&[name]), retention).await.unwrap();
        assert_eq!(revoked[0].expires_at_ms, end, "{name}");
        let (recorded, _) = all_revocations(&*store, RevocationCursor::default(), 10).await;
        assert!(recorded.contains(&revoked[0]), "{name}");
    }
    let restored = SessionRecord {
        access_expires_at_ms: -1,
        ..session("before 1970")
    };
    create(&*store, &restored).await;
    let retention = Retention {
        at_least_until_ms: i64::MIN,
        skew: Duration::ZERO,
    };
    let revoked = store.revoke(&all_of("ann"), retention).await.unwrap();
    assert_eq!(revoked[0].expires_at_ms, -1);
}

/// G14, H15: an end beyond the range of the column is the latest there is, not one in the past.
pub async fn a_record_never_ends_early_by_overflow(database: &dyn TestDatabase) {
    let store = database.open().await;
    for (name, end) in [("max", i64::MAX), ("near", i64::MAX - SKEW_MS + 1)] {
        let row = SessionRecord {
            access_expires_at_ms: end,
            ..session(name)
        };
        create(&*store, &row).await;
        let revoked = store.revoke(&named(&[name]), RETENTION).await.unwrap();
        assert_eq!(revoked[0].expires_at_ms, i64::MAX);
    }
    let (recorded, _) = all_revocations(&*store, RevocationCursor::default(), 10).await;
    assert!(recorded.iter().all(|one| one.expires_at_ms == i64::MAX));
    assert_eq!(recorded.len(), 2);
}

/// G8: revoking again, the unknown, nothing, and one twice in a call is no error, and each session
/// is returned by the call that ended it.
pub async fn revoking_is_idempotent_and_exact(database: &dyn TestDatabase) {
    let store = database.open().await;
    for name in ["one", "two", "three"] {
        create(&*store, &session(name)).await;
    }
    for (asked, ended) in [
        (&["one", "one", "unknown"][..], &["one"][..]),
        (&["one"], &[]),
        (&["unknown"], &[]),
        (&[], &[]),
        (&["three", "one", "two", "three"], &["three", "two"]),
    ] {
        let revoked = store.revoke(&named(asked), RETENTION).await.unwrap();
        assert_eq!(names(&revoked), ended);
    }
    let (recorded, _) = all_revocations(&*store, RevocationCursor::default(), 10).await;
    assert_eq!(names(&recorded), ["one", "three", "two"]);
}

/// G8: ten thousand handles are one call; one more is refused and ends nothing.
pub async fn ten_thousand_handles_are_one_call(database: &dyn TestDatabase) {
    let store = database.open().await;
    let mut handles: Vec<SessionHandle> = (0..SessionScope::MAX_HANDLES)
        .map(|number| handle(&format!("handle-{number}")))
        .collect();
    let alive: Vec<SessionHandle> = handles.iter().step_by(100).cloned().collect();
    for handle in &alive {
        create(&*store, &session(handle.as_str())).await;
    }

    handles.push(handle("handle-0"));
    let too_many = SessionScope::Handles(handles.clone());
    let refused = store.revoke(&too_many, RETENTION).await;
    assert!(matches!(refused, Err(StoreError::TooManyHandles)));
    assert!(store.get(&alive[0]).await.unwrap().is_some());

    handles.pop();
    let most = SessionScope::Handles(handles);
    let revoked = store.revoke(&most, RETENTION).await.unwrap();
    let revoked: HashSet<SessionHandle> = revoked.into_iter().map(|one| one.handle).collect();
    assert_eq!(revoked, alive.into_iter().collect());
}

/// G8, G1: of a hundred revocations of the same sessions, each session is returned by one and
/// recorded once.
pub async fn of_racing_revocations_one_returns_each_session(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let wanted: Vec<String> = (0..30).map(|number| format!("s-{number:02}")).collect();
    for name in &wanted {
        create(&*stores[0], &session(name)).await;
    }
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        let scope = match number % 4 {
            0 => all_of("ann"),
            1 => SessionScope::Tenant(tenant("public")),
            _ => named(&wanted.iter().map(String::as_str).collect::<Vec<_>>()[number % 30..]),
        };
        async move { store.revoke(&scope, RETENTION).await.unwrap() }
    })
    .await;
    assert_eq!(names(&outcomes.concat()), wanted);
    let (recorded, _) = all_revocations(&*stores[1], RevocationCursor::default(), 7).await;
    assert_eq!(names(&recorded), wanted);
}

/// G4: a session whose creation was acknowledged before "revoke all" began is dead when it
/// returns; none is lost: each is either revoked or alive.
pub async fn revoking_all_ends_every_session_acknowledged_before(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let revoking = Arc::new(AtomicBool::new(false));
    let outcomes = race(100, |number| {
        let store = Arc::clone(&stores[number % 2]);
        let revoking = Arc::clone(&revoking);
        async move {
            if number == 50 {
                for attempt in 0..3 {
                    create(&*store, &session(&format!("before-{attempt}"))).await;
                }
                revoking.store(true, Ordering::SeqCst);
                return Outcome::Revoked(store.revoke(&all_of("ann"), RETENTION).await.unwrap());
            }
            let row = session(&format!("session-{number:02}"));
            let created = store.create(&row).await.unwrap();
            assert_eq!(created, Created::Created);
            let before = !revoking.load(Ordering::SeqCst);
            Outcome::Acknowledged(row.handle, before)
        }
    })
    .await;

    let mut revoked = HashSet::new();
    for outcome in &outcomes {
        if let Outcome::Revoked(sessions) = outcome {
            revoked = sessions.iter().map(|one| one.handle.clone()).collect();
        }
    }
    assert!((0..3).all(|attempt| revoked.contains(&handle(&format!("before-{attempt}")))));
    for outcome in &outcomes {
        if let Outcome::Acknowledged(handle, before) = outcome {
            let ended = revoked.contains(handle);
            assert!(ended || !before, "acknowledged before and alive after");
            let there = stores[0].get(handle).await.unwrap().is_some();
            assert_ne!(ended, there, "neither revoked nor alive, or both");
        }
    }
}

enum Outcome {
    Revoked(Vec<RevokedSession>),
    /// A session, and whether it was acknowledged before the revocation began.
    Acknowledged(SessionHandle, bool),
}

/// G5: "revoke all" beside rotations leaves no session of the user.
pub async fn revoking_all_beside_rotations_spares_none(database: &dyn TestDatabase) {
    let stores = [database.open().await, database.open().await];
    let rows: Vec<SessionRecord> = (0..50)
        .map(|number| session(&format!("s-{number}")))
        .collect();
    for row in &rows {
        create(&*stores[0], row).await;
    }
    let revoked: usize = race(51, |number| {
        let store: Arc<dyn SessionStore> = Arc::clone(&stores[number % 2]);
        let row = rows.get(number).cloned();
        async move {
            let Some(row) = row else {
                return store.revoke(&all_of("ann"), RETENTION).await.unwrap().len();
            };
            let _verdict = store.rotate(&rotation_of(&row)).await.unwrap();
            0
        }
    })
    .await
    .into_iter()
    .sum();
    assert_eq!(revoked, rows.len());
    for row in &rows {
        assert!(stores[1].get(&row.handle).await.unwrap().is_none());
    }
}

/// C4: what is asked about one user and tenant ends nothing of another's.
pub async fn a_scope_ends_nothing_outside_it(database: &dyn TestDatabase) {
    let store = database.open().await;
    for owner in ["ann", "bob"] {
        for place in ["public", "blue", "Blue"] {
            for number in 0..2 {
                let name = format!("{owner}-{place}-{number}");
                let row = SessionRecord {
                    tenant: tenant(place),
                    ..session_of(owner, &name)
                };
                create(&*store, &row).await;
            }
        }
    }
    let of_ann = |place: Option<&str>, except: Option<&str>| SessionScope::User {
        user: user("ann"),
        tenant: place.map(tenant),
        except: except.map(handle),
    };
    for (scope, ended) in [
        (of_ann(Some("red"), None), &[][..]),
        (of_ann(Some("blue"), Some("ann-blue-1")), &["ann-blue-0"]),
        (of_ann(Some("blue"), Some("ann-Blue-1")), &["ann-blue-1"]),
        (
            SessionScope::Tenant(tenant("Blue")),
            &["ann-Blue-0", "ann-Blue-1", "bob-Blue-0", "bob-Blue-1"],
        ),
        (SessionScope::Tenant(tenant("BLUE")), &[]),
        (of_ann(None, Some("ann-public-1")), &["ann-public-0"]),
        (of_ann(None, Some("bob-public-1")), &["ann-public-1"]),
        (
            all_of("bob"),
            &["bob-blue-0", "bob-blue-1", "bob-public-0", "bob-public-1"],
        ),
    ] {
        let revoked = store.revoke(&scope, RETENTION).await.unwrap();
        assert_eq!(names(&revoked), ended);
    }
}
