//! Rows for the cases to start from, to be varied with struct update syntax.

use std::time::Duration;

use session_core::{
    KeyId, NodeId, NodeName, SessionHandle, TenantId, UserId,
    store::{
        KeyPurpose, KeyRecord, NodeRecord, Retention, RevocationCursor, RevokedSession, Rotation,
        RotationEntry, Rotations, SessionRecord, SessionScope, SessionStore,
    },
};

/// The time at which the cases play, in Unix milliseconds.
pub const NOW_MS: i64 = 1_700_000_000_000;

/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// How much longer than a session's last access token the cases remember a revocation.
pub const SKEW_MS: i64 = 30_000;

/// [`SKEW_MS`], and nothing that the row does not say.
pub const RETENTION: Retention = Retention {
    skew: Duration::from_millis(SKEW_MS.unsigned_abs()),
    at_least_until_ms: i64::MIN,
};

/// A handle with this text.
pub fn handle(text: &str) -> SessionHandle {
    SessionHandle::try_from(text).unwrap()
}

/// A user with this text.
pub fn user(text: &str) -> UserId {
    UserId::try_from(text).unwrap()
}

/// A tenant with this text.
pub fn tenant(text: &str) -> TenantId {
    TenantId::try_from(text).unwrap()
}

/// A key id with this text.
pub fn key_id(text: &str) -> KeyId {
    KeyId::try_from(text).unwrap()
}

/// A live session of the user `ann` in the default tenant.
pub fn session(name: &str) -> SessionRecord {
    SessionRecord {
        handle: handle(name),
        tenant: TenantId::default(),
        user: user("ann"),
        generation: 0,
        secret_hash: [7; 32],
        refresh_key: key_id("r-1"),
        rotations: Rotations::default(),
        payload: "{}".to_owned(),
        payload_version: 0,
        data: "{}".to_owned(),
        created_at_ms: NOW_MS,
        refreshed_at_ms: NOW_MS,
        expires_at_ms: NOW_MS + 24 * HOUR_MS,
        absolute_expires_at_ms: None,
        access_expires_at_ms: NOW_MS + HOUR_MS,
    }
}

/// The session with this name, of this user.
pub fn session_of(owner: &str, name: &str) -> SessionRecord {
    SessionRecord {
        user: user(owner),
        ..session(name)
    }
}

/// The rotation that follows when `row` is refreshed a minute after it last was.
pub fn rotation_of(row: &SessionRecord) -> Rotation {
    let at_ms = row.refreshed_at_ms + 60_000;
    let to_generation = row.generation + 1;
    let mut rotations = row.rotations.clone();
    rotations.push(RotationEntry {
        generation: to_generation,
        at_ms,
        key: row.refresh_key.clone(),
    });
    Rotation {
        handle: row.handle.clone(),
        from_generation: row.generation,
        to_generation,
        secret_hash: [8; 32],
        refresh_key: row.refresh_key.clone(),
        rotations,
        at_ms,
        expires_at_ms: at_ms + 24 * HOUR_MS,
        access_expires_at_ms: at_ms + HOUR_MS,
    }
}

/// `row` as it is after `rotation`.
pub fn rotated(row: &SessionRecord, rotation: &Rotation) -> SessionRecord {
    SessionRecord {
        generation: rotation.to_generation,
        secret_hash: rotation.secret_hash,
        refresh_key: rotation.refresh_key.clone(),
        rotations: rotation.rotations.clone(),
        refreshed_at_ms: rotation.at_ms,
        expires_at_ms: rotation.expires_at_ms,
        access_expires_at_ms: row.access_expires_at_ms.max(rotation.access_expires_at_ms),
        ..row.clone()
    }
}

/// A key that signs access tokens, made at this time.
pub fn key(id: &str, created_at_ms: i64) -> KeyRecord {
    KeyRecord {
        id: key_id(id),
        purpose: KeyPurpose::AccessDynamic,
        algorithm: "RS256".to_owned(),
        created_at_ms,
        material: (0..=255).collect::<Vec<u8>>().into(),
        sealed_under: Some("primary".to_owned()),
    }
}

/// A node that has acknowledged nothing.
pub fn node(name: &str) -> NodeRecord {
    NodeRecord {
        id: NodeId::try_from(name.replace(' ', "-")).unwrap(),
        name: NodeName::try_from(name).unwrap(),
        acknowledged: 0,
    }
}

/// The scope of these sessions.
pub fn named(names: &[&str]) -> SessionScope {
    SessionScope::Handles(names.iter().map(|name| handle(name)).collect())
}

/// The scope of all sessions of a user.
pub fn all_of(owner: &str) -> SessionScope {
    SessionScope::User {
        user: user(owner),
        tenant: None,
        except: None,
    }
}

/// The names of revoked sessions, sorted.
pub fn names(revoked: &[RevokedSession]) -> Vec<String> {
    let mut names: Vec<String> = revoked
        .iter()
        .map(|revoked| revoked.handle.to_string())
        .collect();
    names.sort();
    names
}

/// Adds a session that is not there yet.
pub async fn create(store: &dyn SessionStore, row: &SessionRecord) {
    let created = store.create(row).await.unwrap();
    assert_eq!(created, session_core::store::Created::Created);
}

/// Reads the whole list of revocations from `cursor` on in pages, as a blacklist does when it
/// starts.
pub async fn all_revocations(
    store: &dyn SessionStore,
    mut cursor: RevocationCursor,
    page: u32,
) -> (Vec<RevokedSession>, RevocationCursor) {
    let mut all = Vec::new();
    loop {
        let from = cursor.clone();
        let answer = store.revocations_since(cursor, NOW_MS, page).await.unwrap();
        assert!(answer.revoked.len() <= usize::try_from(page).unwrap());
        assert!(
            !answer.more || answer.next != from,
            "the cursor stands still"
        );
        all.extend(answer.revoked);
        cursor = answer.next;
        if !answer.more {
            return (all, cursor);
        }
    }
}
