//! `KeyRing`: the keys as they were at one moment, and the rules that say which serves when (wire
//! §1.4).

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    AtRestSecrets, Jwks, Key, KeyError, KeyFingerprint, KeyState, RefreshKey, SigningKey,
    VerificationKey,
};
use crate::{
    clock::{duration_ms, unix_ms},
    config::RsaKeySize,
    ids::KeyId,
    store::{KeyPurpose, KeyRecord},
};

/// How long keys serve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyPolicy {
    /// The kind of key that signs access tokens.
    pub(crate) signing: KeyPurpose,
    /// How long a dynamic key signs.
    pub(crate) interval: Duration,
    /// How long a key is known before it is used, so that every node has heard of it.
    pub(crate) overlap: Duration,
    /// The lifetime of access tokens.
    pub(crate) access_lifetime: Duration,
    /// The lifetime of refresh tokens.
    pub(crate) refresh_lifetime: Duration,
    /// The size of new signing keys.
    pub(crate) rsa_key_size: RsaKeySize,
}

impl KeyPolicy {
    /// A dynamic key made after this moment, in Unix milliseconds, makes another one unnecessary.
    pub(crate) fn fresh_after_ms(&self, now_ms: i64) -> i64 {
        now_ms
            .saturating_sub(self.signs_for_ms())
            .saturating_add(self.overlap_ms())
    }

    /// A key made after this moment is not in use by every node yet.
    pub(crate) fn unused_after_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.overlap_ms())
    }

    fn overlap_ms(&self) -> i64 {
        duration_ms(self.overlap)
    }

    fn signs_for_ms(&self) -> i64 {
        duration_ms(self.interval)
    }

    /// How long after its making a dynamic key still verifies.
    fn verifies_for_ms(&self) -> i64 {
        self.signs_for_ms()
            .saturating_add(duration_ms(self.access_lifetime).saturating_mul(2))
    }
}

/// A key and when it was made.
#[derive(Debug)]
struct Dated<K> {
    created_at_ms: i64,
    key: Arc<K>,
}

impl<K> Clone for Dated<K> {
    fn clone(&self) -> Self {
        Self {
            created_at_ms: self.created_at_ms,
            key: Arc::clone(&self.key),
        }
    }
}

/// An unchanging set of keys. A reload makes another one: what is not in it is not trusted, whoever
/// trusted it before (security D4).
#[derive(Debug, Clone)]
pub(crate) struct KeyRing {
    policy: KeyPolicy,
    /// Newest first, as all three.
    dynamic: Vec<Dated<SigningKey>>,
    fixed: Vec<Dated<SigningKey>>,
    refresh: Vec<Dated<RefreshKey>>,
    unread: Vec<Unread>,
}

/// A key that is stored but cannot be used by this node.
#[derive(Debug, Clone)]
struct Unread {
    id: KeyId,
    purpose: KeyPurpose,
    created_at_ms: i64,
}

impl KeyRing {
    /// The readable keys among `records`, and what is wrong with the others.
    pub(crate) fn from_records(
        records: Vec<KeyRecord>,
        secrets: &AtRestSecrets,
        policy: KeyPolicy,
    ) -> (Self, Vec<KeyError>) {
        let mut ring = Self {
            policy,
            dynamic: Vec::new(),
            fixed: Vec::new(),
            refresh: Vec::new(),
            unread: Vec::new(),
        };
        let mut refused = Vec::new();
        let mut seen = HashSet::new();
        for record in records {
            if !seen.insert(record.id.clone()) {
                refused.push(KeyError::Unreadable(record.id));
                continue;
            }
            let created_at_ms = record.created_at_ms;
            let unread = Unread {
                id: record.id.clone(),
                purpose: record.purpose,
                created_at_ms,
            };
            match secrets
                .open(record)
                .and_then(|record| Key::from_record(&record))
            {
                Ok(Key::Signing(key)) => {
                    let keys = match key.purpose() {
                        KeyPurpose::AccessStatic => &mut ring.fixed,
                        _ => &mut ring.dynamic,
                    };
                    keys.push(Dated { created_at_ms, key });
                }
                Ok(Key::Refresh(key)) => {
                    ring.refresh.push(Dated { created_at_ms, key });
                }
                Err(error) => {
                    ring.unread.push(unread);
                    refused.push(error);
                }
            }
        }
        ring.sort();
        (ring, refused)
    }

    /// This ring with the keys of `earlier` that are still stored but can no longer be read: one of
    /// the nodes has encrypted them under a secret that this one does not have yet. What was known
    /// of them is still true, and nobody is logged out while a secret is rolled out.
    pub(crate) fn keeping_from(mut self, earlier: &Self) -> Self {
        let unread = std::mem::take(&mut self.unread);
        for key in unread {
            let known = |id: &KeyId| *id == key.id;
            let signing = earlier.dynamic.iter().find(|dated| known(dated.key.id()));
            let fixed = earlier.fixed.iter().find(|dated| known(dated.key.id()));
            let refresh = earlier.refresh.iter().find(|dated| known(dated.key.id()));
            self.dynamic.extend(signing.cloned());
            self.fixed.extend(fixed.cloned());
            self.refresh.extend(refresh.cloned());
            if signing.is_none() && fixed.is_none() && refresh.is_none() {
                self.unread.push(key);
            }
        }
        self.sort();
        self
    }

    /// Whether a key is stored that this node cannot read, so that nothing is known about what was
    /// made under it.
    pub(crate) fn is_unread(&self, id: &KeyId) -> bool {
        self.unread.iter().any(|key| key.id == *id)
    }

    fn sort(&mut self) {
        self.dynamic
            .sort_by_key(|dated| std::cmp::Reverse(dated.created_at_ms));
        self.fixed
            .sort_by_key(|dated| std::cmp::Reverse(dated.created_at_ms));
        self.refresh
            .sort_by_key(|dated| std::cmp::Reverse(dated.created_at_ms));
    }

    /// These keys without one.
    pub(crate) fn without(&self, id: &KeyId) -> Self {
        let mut ring = self.clone();
        ring.dynamic.retain(|dated| dated.key.id() != id);
        ring.fixed.retain(|dated| dated.key.id() != id);
        ring.refresh.retain(|dated| dated.key.id() != id);
        ring
    }

    /// The key that signs at `now`: the newest that every node has had the time to hear of. `None`
    /// when its tokens would outlive the time for which it verifies: a node that is cut off from new
    /// keys then stops (security D8).
    pub(crate) fn signing_key(
        &self,
        purpose: KeyPurpose,
        now: SystemTime,
    ) -> Option<&Arc<SigningKey>> {
        if purpose == KeyPurpose::AccessStatic {
            return self.fixed.last().map(|dated| &dated.key);
        }
        let now_ms = unix_ms(now);
        let age_ms = |dated: &Dated<_>| now_ms.saturating_sub(dated.created_at_ms);
        let in_their_interval = || {
            self.dynamic
                .iter()
                .filter(|dated| age_ms(dated) < self.policy.signs_for_ms())
        };
        let last_resort_ms = self
            .policy
            .signs_for_ms()
            .saturating_add(duration_ms(self.policy.access_lifetime));
        in_their_interval()
            .find(|dated| age_ms(dated) >= self.policy.overlap_ms())
            .or_else(|| in_their_interval().next_back())
            .or_else(|| {
                self.dynamic
                    .first()
                    .filter(|newest| age_ms(newest) < last_resort_ms)
            })
            .map(|dated| &dated.key)
    }

    /// The key named `id`, while it verifies.
    pub(crate) fn verification_key(&self, id: &KeyId, now: SystemTime) -> Option<&VerificationKey> {
        self.verifying(unix_ms(now)).find(|key| key.id() == id)
    }

    /// The very key with this fingerprint, while it verifies.
    pub(crate) fn same_key(
        &self,
        fingerprint: KeyFingerprint,
        now: SystemTime,
    ) -> Option<&VerificationKey> {
        self.verifying(unix_ms(now))
            .find(|key| key.fingerprint() == fingerprint)
    }

    /// The key that new refresh tokens are made under: the newest that every node has had the time
    /// to hear of.
    pub(crate) fn refresh_key_for_minting(&self, now: SystemTime) -> Option<&Arc<RefreshKey>> {
        let known_since_ms = unix_ms(now).saturating_sub(self.policy.overlap_ms());
        self.refresh
            .iter()
            .find(|dated| dated.created_at_ms <= known_since_ms)
            .or(self.refresh.last())
            .map(|dated| &dated.key)
    }

    /// The key named `id`.
    pub(crate) fn refresh_key(&self, id: &KeyId) -> Option<&Arc<RefreshKey>> {
        self.refresh
            .iter()
            .map(|dated| &dated.key)
            .find(|key| key.id() == id)
    }

    /// All refresh keys, newest first.
    pub(crate) fn refresh_keys(&self) -> impl Iterator<Item = &Arc<RefreshKey>> {
        self.refresh.iter().map(|dated| &dated.key)
    }

    /// The keys that verify at `now`, for others: dynamic ones newest first, then static ones.
    pub(crate) fn jwks(&self, now: SystemTime) -> Jwks {
        let now_ms = unix_ms(now);
        let max_age_ms = match self.dynamic.first() {
            Some(newest) => newest
                .created_at_ms
                .saturating_sub(self.policy.fresh_after_ms(now_ms)),
            // Static keys stay, but the first dynamic key can come at any time.
            None => self.policy.overlap_ms(),
        };
        Jwks::new(
            self.verifying(now_ms),
            u64::try_from(max_age_ms / 1000).unwrap_or(0).max(1),
        )
    }

    /// When the newest key of this purpose was made, those that cannot be read included.
    pub(crate) fn newest_stored_ms(&self, purpose: KeyPurpose) -> Option<i64> {
        let unread = self.unread.iter().filter(|key| key.purpose == purpose);
        unread
            .map(|key| key.created_at_ms)
            .chain(self.newest_ms(purpose))
            .max()
    }

    /// The newest dynamic signing key, unless a newer one cannot be read.
    pub(crate) fn newest_dynamic(&self) -> Option<&SigningKey> {
        let newest_ms = self.newest_stored_ms(KeyPurpose::AccessDynamic);
        self.dynamic
            .first()
            .filter(|dated| Some(dated.created_at_ms) == newest_ms)
            .map(|dated| &*dated.key)
    }

    /// The newest usable key of this purpose.
    pub(crate) fn newest(&self, purpose: KeyPurpose) -> Option<&KeyId> {
        match purpose {
            KeyPurpose::AccessDynamic => self.dynamic.first().map(|dated| dated.key.id()),
            KeyPurpose::AccessStatic => self.fixed.first().map(|dated| dated.key.id()),
            KeyPurpose::Refresh => self.refresh.first().map(|dated| dated.key.id()),
        }
    }

    /// What a key is doing at `now`.
    pub(crate) fn state(&self, id: &KeyId, now: SystemTime) -> KeyState {
        let signing = [KeyPurpose::AccessDynamic, KeyPurpose::AccessStatic]
            .map(|purpose| self.signing_key(purpose, now));
        let minting = self.refresh_key_for_minting(now);
        let dynamic = self.dynamic.iter().map(|dated| dated.key.id());
        let refresh = self.refresh.iter().map(|dated| dated.key.id());
        let mut fixed = self.fixed.iter().map(|dated| dated.key.id());
        let [in_use, in_use_fixed] = signing.map(|key| key.map(|key| key.id()));
        if fixed.any(|fixed| fixed == id) {
            return if in_use_fixed == Some(id) {
                KeyState::InUse
            } else {
                KeyState::Previous
            };
        }
        let retired = self.retired(now);
        state_among(dynamic, in_use, id, &retired)
            .or_else(|| state_among(refresh, minting.map(|key| key.id()), id, &retired))
            .unwrap_or(KeyState::Unreadable)
    }

    /// How large a signing key is.
    pub(crate) fn bits(&self, id: &KeyId) -> Option<usize> {
        let mut keys = self.dynamic.iter().chain(&self.fixed);
        keys.find(|dated| dated.key.id() == id)
            .map(|dated| dated.key.public().bits())
    }

    /// When the newest usable key of this purpose was made.
    pub(crate) fn newest_ms(&self, purpose: KeyPurpose) -> Option<i64> {
        match purpose {
            KeyPurpose::AccessDynamic => self.dynamic.first().map(|dated| dated.created_at_ms),
            KeyPurpose::AccessStatic => self.fixed.first().map(|dated| dated.created_at_ms),
            KeyPurpose::Refresh => self.refresh.first().map(|dated| dated.created_at_ms),
        }
    }

    /// The keys that no living token was made under: dynamic ones that verify nothing any more, and
    /// refresh keys that were replaced a refresh token's lifetime ago.
    pub(crate) fn retired(&self, now: SystemTime) -> Vec<KeyId> {
        let now_ms = unix_ms(now);
        let dynamic = self
            .dynamic
            .iter()
            .filter(|dated| !self.verifies(dated, now_ms))
            .map(|dated| dated.key.id());
        // Twice the overlap: other nodes may start a little later to use the successor.
        let lifetime_ms = duration_ms(self.policy.refresh_lifetime)
            .saturating_add(self.policy.overlap_ms().saturating_mul(2));
        let refresh = self
            .refresh
            .iter()
            .zip(self.refresh.iter().skip(1))
            .filter(|(successor, _)| now_ms.saturating_sub(successor.created_at_ms) > lifetime_ms)
            .map(|(_, replaced)| replaced.key.id());
        dynamic.chain(refresh).cloned().collect()
    }

    fn verifying(&self, now_ms: i64) -> impl Iterator<Item = &VerificationKey> {
        self.dynamic
            .iter()
            .filter(move |dated| self.verifies(dated, now_ms))
            .chain(&self.fixed)
            .map(|dated| dated.key.public())
    }

    fn verifies(&self, dated: &Dated<SigningKey>, now_ms: i64) -> bool {
        now_ms.saturating_sub(dated.created_at_ms) < self.policy.verifies_for_ms()
    }
}

/// What a key is doing, if it is among these, which are the newest first.
fn state_among<'k>(
    keys: impl Iterator<Item = &'k KeyId>,
    in_use: Option<&KeyId>,
    id: &KeyId,
    retired: &[KeyId],
) -> Option<KeyState> {
    let mut is_newer = in_use.is_some();
    for key in keys {
        let is_in_use = in_use == Some(key);
        is_newer &= !is_in_use;
        if key == id {
            return Some(match is_in_use {
                true => KeyState::InUse,
                false if is_newer => KeyState::Upcoming,
                false if retired.contains(id) => KeyState::Retired,
                false => KeyState::Previous,
            });
        }
    }
    None
}

#[cfg(test)]
mod tests;
