//! What a presented refresh token is to a session's row: the current one, an ancestor, or a thief's.
//!
//! Pure: given the token, the row, the keys and the time, the verdict follows. The swap that makes
//! it true is the store's.

use std::{sync::Arc, time::Duration};

use crate::{
    ids::KeyId,
    keys::{KeyRing, RefreshKey},
    observer::ReplayClass,
    store::{ROTATION_HISTORY, Rotation, RotationEntry, Rotations, SessionRecord},
    token::refresh::{RefreshSecret, RefreshTokenParts},
};

/// What a presented refresh token is to the row it names.
#[derive(Debug)]
#[must_use]
pub(crate) enum Verdict {
    /// It is the current one, or ahead of a row that lost acknowledged rotations: rotate.
    Current(Successor),
    /// It was superseded less than the grace window ago: answer with the row's current token.
    WithinGrace(Replay),
    /// Somebody uses a token that was superseded before.
    Theft {
        class: ReplayClass,
        /// What the answer would be if the window were open, where it can be derived.
        replay: Option<Replay>,
    },
    /// It is the current one, or was superseded less than the grace window ago, but a key on the way
    /// to the next or the current one has been removed: there is no answer, and no proof of a theft.
    KeyRemoved,
}

/// The next refresh token of a session.
#[derive(Debug)]
pub(crate) struct Successor {
    pub(crate) secret: RefreshSecret,
    pub(crate) generation: u64,
    pub(crate) key: KeyId,
    pub(crate) rotations: Rotations,
    /// By how many generations the row was behind the presented token.
    pub(crate) row_was_behind_by: u64,
}

/// The current refresh token of a session, found by walking forward from an ancestor.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) secret: RefreshSecret,
    pub(crate) steps_behind: u64,
    pub(crate) superseded_for: Duration,
}

/// Classifies a token whose MAC has been verified against the row of the same session.
pub(crate) fn classify(
    presented: &RefreshTokenParts,
    presented_key: &RefreshKey,
    row: &SessionRecord,
    keys: &KeyRing,
    minting_key: &KeyId,
    now_ms: i64,
    grace: Duration,
) -> Verdict {
    if presented.generation < row.generation {
        return classify_ancestor(presented, row, keys, now_ms, grace);
    }
    if presented.generation == row.generation && !presented.secret.matches(&row.secret_hash) {
        // One of two lines that parted when the database lost rotations and a key was rotated: at
        // most one of its holders is the user we know.
        return Verdict::Theft {
            class: ReplayClass::StaleGeneration,
            replay: None,
        };
    }
    // A current secret may have been handed out under two keys, once before the database went back
    // and once after. The key that the row names leads on, so that both holders stay on one line.
    let key = if presented.generation == row.generation {
        keys.refresh_key(&row.refresh_key).map(Arc::as_ref)
    } else {
        Some(presented_key)
    };
    let Some(key) = key else {
        return Verdict::KeyRemoved;
    };
    match advance(presented, key, row, minting_key, now_ms) {
        Some(successor) => Verdict::Current(successor),
        None => Verdict::Theft {
            class: ReplayClass::StaleGeneration,
            replay: None,
        },
    }
}

/// What follows a token that is the row's current one or ahead of it under this key; `None` after
/// the last generation that can be counted.
pub(crate) fn advance(
    presented: &RefreshTokenParts,
    key: &RefreshKey,
    row: &SessionRecord,
    minting_key: &KeyId,
    now_ms: i64,
) -> Option<Successor> {
    let generation = presented.generation.checked_add(1)?;
    let row_was_behind_by = presented.generation.saturating_sub(row.generation);
    let mut rotations = row.rotations.clone();
    if row_was_behind_by > 0 {
        rotations.push(RotationEntry {
            generation: presented.generation,
            at_ms: now_ms,
            key: presented.key.clone(),
        });
    }
    rotations.push(RotationEntry {
        generation,
        at_ms: now_ms,
        key: minting_key.clone(),
    });
    Some(Successor {
        secret: presented
            .secret
            .successor(key, &presented.handle, presented.generation),
        generation,
        key: minting_key.clone(),
        rotations,
        row_was_behind_by,
    })
}

fn classify_ancestor(
    presented: &RefreshTokenParts,
    row: &SessionRecord,
    keys: &KeyRing,
    now_ms: i64,
    grace: Duration,
) -> Verdict {
    let steps_behind = row.generation - presented.generation;
    let superseded_at_ms = row
        .rotations
        .iter()
        .find(|rotation| rotation.generation > presented.generation)
        .map_or(row.refreshed_at_ms, |rotation| rotation.at_ms);
    let superseded_for =
        Duration::from_millis(u64::try_from(now_ms.saturating_sub(superseded_at_ms)).unwrap_or(0));
    let replay = Walk {
        row,
        keys,
        budget: WALK_BUDGET,
    }
    .current_from(&presented.secret, presented, presented.generation)
    .map(|secret| Replay {
        secret,
        steps_behind,
        superseded_for,
    });
    let too_far = steps_behind > ROTATION_HISTORY as u64;
    let in_window = !too_far && superseded_for < grace;
    match replay {
        Some(replay) if in_window => Verdict::WithinGrace(replay),
        None if in_window && !has_keys_onward(presented, row, keys) => Verdict::KeyRemoved,
        Some(replay) if !too_far => Verdict::Theft {
            class: ReplayClass::AfterGrace,
            replay: Some(replay),
        },
        replay => Verdict::Theft {
            class: ReplayClass::StaleGeneration,
            replay,
        },
    }
}

/// Whether all keys are here that lead on from a token that the row is not behind.
pub(crate) fn has_keys_onward(
    presented: &RefreshTokenParts,
    row: &SessionRecord,
    keys: &KeyRing,
) -> bool {
    row.rotations
        .iter()
        .filter(|rotation| rotation.generation >= presented.generation)
        .map(|rotation| &rotation.key)
        .chain([&row.refresh_key])
        .all(|key| keys.refresh_key(key).is_some())
}

/// Derives forward from an ancestor to the row's current secret.
struct Walk<'a> {
    row: &'a SessionRecord,
    keys: &'a KeyRing,
    budget: u32,
}

impl Walk<'_> {
    fn current_from(
        &mut self,
        secret: &RefreshSecret,
        presented: &RefreshTokenParts,
        generation: u64,
    ) -> Option<RefreshSecret> {
        if generation == self.row.generation {
            return secret
                .matches(&self.row.secret_hash)
                .then(|| secret.clone());
        }
        let named = self
            .row
            .rotations
            .iter()
            .find(|rotation| rotation.generation == generation)
            .map(|rotation| &rotation.key)
            .or((generation == presented.generation).then_some(&presented.key));
        // The key that the row names leads on, or else the one that the token names. Only where the
        // database has lost rotations it may have been another.
        let mut candidates: Vec<&Arc<RefreshKey>> = self.keys.refresh_keys().collect();
        candidates.sort_by_key(|key| Some(key.id()) != named);
        for key in candidates {
            self.budget = self.budget.checked_sub(1)?;
            let next = secret.successor(key, &presented.handle, generation);
            if let Some(current) = self.current_from(&next, presented, generation + 1) {
                return Some(current);
            }
        }
        None
    }
}

/// The statement that makes a successor the session's current token.
pub(crate) fn rotation(
    row: &SessionRecord,
    successor: &Successor,
    now_ms: i64,
    expires_at_ms: i64,
    access_expires_at_ms: i64,
) -> Rotation {
    Rotation {
        handle: row.handle.clone(),
        from_generation: row.generation,
        to_generation: successor.generation,
        secret_hash: successor.secret.hash(),
        refresh_key: successor.key.clone(),
        rotations: successor.rotations.clone(),
        at_ms: now_ms,
        expires_at_ms,
        access_expires_at_ms,
    }
}

/// How many derivations one request may cost. Eight steps under the keys that the row names cost
/// eight; more are tried only for rows that lost rotations, for thieves and in shadow mode.
const WALK_BUDGET: u32 = 512;

#[cfg(test)]
mod model;
