//! What a node does all day, timed one after the other on a store that is full already.

use std::time::Duration;

use bench::{
    filled::of_user,
    records::{self, below, handle, rotation, session},
    timings::Timings,
};
use databases::Filling;
use session_core::{
    TenantId,
    store::{
        Created, Retention, RevocationCursor, Rotated, SessionRecord, SessionScope, SessionStore,
    },
};

/// The measured operations, in the order of [`OPERATIONS`].
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) sessions: u32,
    pub(crate) cells: Vec<String>,
}

pub(crate) const OPERATIONS: [&str; 10] = [
    "create",
    "get",
    "refresh (rotate)",
    "list 20 of a user",
    "list 20 of a tenant, half-way",
    "revoke one",
    "revoke all of a user's, about 20",
    "purge 100 + 100",
    "snapshot, each 1 000",
    "snapshot, all (s)",
];

/// How many expired sessions and revocations the purges of a run delete.
pub(crate) fn expired(samples: u32) -> u32 {
    purges(samples) * PURGED
}

/// Measures every operation on a store that holds a filling.
pub(crate) async fn run(store: &dyn SessionStore, filling: Filling, samples: u32) -> Column {
    let now_ms = filling.now_ms;
    let mut timings: [Timings; 9] = Default::default();
    let [
        create,
        get,
        rotate,
        list,
        list_tenant,
        revoke,
        revoke_user,
        purge,
        snapshot,
    ] = &mut timings;

    let mut known: Vec<SessionRecord> = Vec::new();
    for number in 0..samples {
        let scope = of_user(below(number, filling.users()));
        let page = list.of(store.list(&scope, now_ms, None, 20)).await.unwrap();
        known.extend(page.into_iter().nth(usize::try_from(number % 10).unwrap()));
    }
    // A user may have been drawn twice.
    known.sort_by(|one, other| one.handle.as_str().cmp(other.handle.as_str()));
    known.dedup_by(|one, other| one.handle == other.handle);
    let public = SessionScope::Tenant(TenantId::default());
    for number in 0..samples {
        let from = handle("s", number);
        let from = session(from, Filling::user(0), now_ms - 45 * records::DAY_MS);
        let page = store.list(&public, now_ms, Some(&from), 20);
        assert_eq!(list_tenant.of(page).await.unwrap().len(), 20);
    }
    for one in &known {
        let found = get.of(store.get(&one.handle)).await.unwrap();
        assert!(found.is_some());
    }
    for number in 0..samples {
        let user = Filling::user(below(number, filling.users()));
        let new = session(handle("new", number), user, now_ms);
        let created = create.of(store.create(&new)).await.unwrap();
        assert_eq!(created, Created::Created);
    }
    for one in &known {
        let next = rotation(one, now_ms);
        let rotated = rotate.of(store.rotate(&next)).await.unwrap();
        assert_eq!(rotated, Rotated::Rotated);
    }
    let mut cursor = RevocationCursor::default();
    let mut heard = 0;
    let all = loop {
        let page = snapshot.of(store.revocations_since(cursor, now_ms, 1_000));
        let page = page.await.unwrap();
        heard += page.revoked.len();
        cursor = page.next;
        if !page.more {
            break snapshot.sum();
        }
    };
    assert_eq!(heard, usize::try_from(filling.revocations).unwrap());
    for one in &known {
        let scope = SessionScope::Handles(vec![one.handle.clone()]);
        let revoked = revoke.of(store.revoke(&scope, RETENTION)).await.unwrap();
        assert_eq!(revoked.len(), 1);
    }
    for _ in 0..purges(samples) {
        let purged = purge.of(store.purge_expired(now_ms, PURGED)).await.unwrap();
        let deleted = (purged.sessions, purged.revocations);
        assert_eq!(deleted, (u64::from(PURGED), u64::from(PURGED)));
    }
    for number in 0..(samples / 10).min(filling.users() / 2) {
        let scope = of_user(number);
        let revoked = revoke_user
            .of(store.revoke(&scope, RETENTION))
            .await
            .unwrap();
        assert!(revoked.len() > 10);
    }

    let mut cells: Vec<String> = timings.iter().map(Timings::in_milliseconds).collect();
    cells.push(format!("{:.2}", all.as_secs_f64()));
    Column {
        sessions: filling.sessions,
        cells,
    }
}

fn purges(samples: u32) -> u32 {
    (samples / 10).max(5)
}

const PURGED: u32 = 100;
const RETENTION: Retention = Retention {
    skew: Duration::from_secs(30),
    at_least_until_ms: i64::MIN,
};
