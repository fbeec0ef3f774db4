//! Sessions to measure with.

use session_core::{
    KeyId, SessionHandle, TenantId, UserId,
    store::{Rotation, RotationEntry, Rotations, SessionRecord},
};

/// Numbers that look random and are the same in every run.
pub fn spread(number: u32) -> u64 {
    let mixed = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}

/// A number below `bound`.
pub fn below(number: u32, bound: u32) -> u32 {
    u32::try_from(spread(number) % u64::from(bound)).unwrap()
}

/// A handle as long as those of the service.
pub fn handle(kind: &str, number: u32) -> SessionHandle {
    let (one, other) = (spread(number), spread(!number));
    SessionHandle::try_from(format!("{one:016x}{other:016x}-{kind}")).unwrap()
}

/// A session of a user that was made at this time.
pub fn session(handle: SessionHandle, user: String, created_at_ms: i64) -> SessionRecord {
    let mut rotations = Rotations::default();
    for generation in 1..=8 {
        rotations.push(RotationEntry {
            generation,
            at_ms: created_at_ms,
            key: key(),
        });
    }
    SessionRecord {
        handle,
        tenant: TenantId::default(),
        user: UserId::try_from(user).unwrap(),
        generation: 8,
        secret_hash: [7; 32],
        refresh_key: key(),
        rotations,
        payload: r#"{"st-role":{"v":["member"],"t":1700000000000},"plan":"basic"}"#.to_owned(),
        payload_version: 3,
        data: r#"{"device":"a phone"}"#.to_owned(),
        created_at_ms,
        refreshed_at_ms: created_at_ms,
        expires_at_ms: created_at_ms + 100 * DAY_MS,
        absolute_expires_at_ms: None,
        access_expires_at_ms: created_at_ms + 3_600_000,
    }
}

/// The next rotation of a session.
pub fn rotation(session: &SessionRecord, at_ms: i64) -> Rotation {
    let mut rotations = session.rotations.clone();
    let to_generation = session.generation + 1;
    rotations.push(RotationEntry {
        generation: to_generation,
        at_ms,
        key: key(),
    });
    Rotation {
        handle: session.handle.clone(),
        from_generation: session.generation,
        to_generation,
        secret_hash: [8; 32],
        refresh_key: key(),
        rotations,
        at_ms,
        expires_at_ms: at_ms + 100 * DAY_MS,
        access_expires_at_ms: at_ms + 3_600_000,
    }
}

fn key() -> KeyId {
    KeyId::try_from("r-0f8fad5b").unwrap()
}

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
