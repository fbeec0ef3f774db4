//! `KeyService`: makes keys when they are due and loads those of other nodes.

mod changing;

use std::{sync::Arc, time::Duration};

use arc_swap::{ArcSwap, Guard};
use tokio::{sync::Mutex, task::spawn_blocking};
use zeroize::Zeroizing;

use super::{
    AtRestSecrets, KeyError, KeyPolicy, KeyRing, RefreshKey, SigningKey, refresh, signing,
};
use crate::{
    clock::{Clock, unix_ms},
    config::RsaKeySize,
    ids::KeyId,
    store::{KeyInserted, KeyPurpose, KeyRecord, SessionStore, StoreError},
    store_calls::StoreCalls,
    telemetry,
};

/// The keys of this node, kept in step with the store.
///
/// Cancelling any of its futures leaves the outcome in the store unknown and this node's keys as
/// they were; the next reload tells.
#[derive(Debug)]
pub(crate) struct KeyService {
    store: StoreCalls,
    policy: KeyPolicy,
    secrets: AtRestSecrets,
    clock: Arc<dyn Clock>,
    /// Read by every request and hardly ever written, so nobody waits to read it.
    ring: ArcSwap<KeyRing>,
    /// Held while keys are loaded, made or removed, so that one task does it for all.
    changes: Mutex<LastReload>,
}

#[derive(Debug)]
struct LastReload {
    /// When it was last seen going on, on the monotonic clock.
    at: Duration,
    succeeded: bool,
}

/// The store was asked for its keys and did not answer: whether a key is unknown is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the keys could not be reloaded")]
pub struct ReloadFailed;

impl KeyService {
    /// Loads the keys and makes those that are missing.
    ///
    /// # Errors
    ///
    /// [`KeyError::Sealed`] when a key is encrypted under a secret that is not configured: going on
    /// without it would end the sessions that need it.
    pub(crate) async fn start(
        store: StoreCalls,
        policy: KeyPolicy,
        secrets: AtRestSecrets,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, KeyError> {
        if secrets.primary_name().is_none() {
            tracing::warn!("keys are stored unencrypted: no at-rest secret is configured");
        }
        let service = Self::without_keys(store, policy, secrets, clock);
        let mut attempt = 1;
        loop {
            match service.load_or_make().await {
                // Where many nodes start at once on a new store, they all make keys, and not every
                // call is answered in time. Whoever tries again finds that a key has been made.
                Err(KeyError::Store(StoreError::Unavailable(_))) if attempt < START_ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(service),
            }
        }
    }

    /// A service that has loaded no keys and made none.
    pub(crate) fn without_keys(
        store: StoreCalls,
        policy: KeyPolicy,
        secrets: AtRestSecrets,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            ring: ArcSwap::from_pointee(KeyRing::from_records(Vec::new(), &secrets, policy).0),
            changes: Mutex::new(LastReload {
                at: clock.monotonic(),
                succeeded: false,
            }),
            store,
            policy,
            secrets,
            clock,
        }
    }

    async fn load_or_make(&self) -> Result<(), KeyError> {
        self.load_readable(&mut *self.changes.lock().await).await?;
        self.reseal().await?;
        self.ensure_current().await
    }

    /// The keys as this node knows them. Does no I/O and waits for none.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// As [`ring`](Self::ring), for a moment: not even a counter is changed that requests share.
    pub(crate) fn ring_at_present(&self) -> Guard<Arc<KeyRing>> {
        self.ring.load()
    }

    /// Makes the keys that are due: the signing key of the configured kind and the first refresh key.
    /// Of any number of nodes and tasks, one makes each (security D7). Costs nothing while none is
    /// due.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; the keys that are there stay in use.
    pub(crate) async fn ensure_current(&self) -> Result<(), KeyError> {
        for purpose in [self.policy.signing, KeyPurpose::Refresh] {
            self.ensure(purpose).await?;
        }
        Ok(())
    }

    /// Makes the keys that are due as [`ensure_current`](Self::ensure_current) does, but for a
    /// request: while keys serve, one that cannot be made, or that somebody else is making, is
    /// nothing to wait or to fail for (security D8).
    ///
    /// # Errors
    ///
    /// [`KeyError`], when there is no usable key and none could be made.
    pub(crate) async fn ensure_usable(&self) -> Result<(), KeyError> {
        let now = self.clock.now();
        let ring = self.ring();
        let usable = ring.signing_key(self.policy.signing, now).is_some()
            && ring.refresh_key_for_minting(now).is_some();
        if !usable {
            return self.ensure_current().await;
        }
        for purpose in [self.policy.signing, KeyPurpose::Refresh] {
            let Some(newer_than_ms) = self.due(purpose) else {
                continue;
            };
            let Ok(mut last) = self.changes.try_lock() else {
                continue;
            };
            if self.clock.monotonic().saturating_sub(last.at) < RELOAD_COOLDOWN {
                continue;
            }
            last.at = self.clock.monotonic();
            let size = self.policy.rsa_key_size;
            if let Err(error) = self.make(purpose, size, newer_than_ms, &mut last).await {
                tracing::error!(%error, "the next key could not be made");
            }
        }
        Ok(())
    }

    /// The signing key of one kind, made if there is none.
    ///
    /// # Errors
    ///
    /// [`KeyError`], when there is no usable key and none could be made.
    pub(crate) async fn signing_key(
        &self,
        purpose: KeyPurpose,
    ) -> Result<Arc<SigningKey>, KeyError> {
        let made = self.ensure(purpose).await;
        match self.ring().signing_key(purpose, self.clock.now()) {
            Some(key) => {
                if let Err(error) = made {
                    tracing::error!(%error, "the next signing key could not be made");
                }
                Ok(Arc::clone(key))
            }
            None => Err(made.err().unwrap_or(KeyError::NoUsableKey)),
        }
    }

    /// Loads the keys that the store has now, instead of those known until now.
    ///
    /// # Errors
    ///
    /// [`KeyError::Store`]; the keys known until now stay in use.
    pub(crate) async fn reload(&self) -> Result<(), KeyError> {
        let mut last = self.changes.lock().await;
        self.load(&mut last).await.map(drop)
    }

    /// Loads the keys unless an attempt began or ended less than a second ago: what a
    /// token that names an unknown key is worth (security D2, wire cases 9, 10 and 75).
    ///
    /// # Errors
    ///
    /// [`ReloadFailed`] when the latest attempt failed.
    pub(crate) async fn reload_if_cooled_down(&self) -> Result<(), ReloadFailed> {
        let mut last = self.changes.lock().await;
        let since = self.clock.monotonic().saturating_sub(last.at);
        if since >= RELOAD_COOLDOWN {
            self.load(&mut last).await.map(drop).map_err(|error| {
                tracing::warn!(%error, "keys could not be reloaded");
                ReloadFailed
            })
        } else if last.succeeded {
            Ok(())
        } else {
            Err(ReloadFailed)
        }
    }

    /// Whether a key must be made, and the creation time of an existing key that would make it
    /// unnecessary.
    fn due(&self, purpose: KeyPurpose) -> Option<i64> {
        let fresh_after_ms = match purpose {
            KeyPurpose::AccessDynamic => self.policy.fresh_after_ms(unix_ms(self.clock.now())),
            KeyPurpose::AccessStatic | KeyPurpose::Refresh => i64::MIN,
        };
        let ring = self.ring();
        match ring.newest_ms(purpose) {
            Some(newest_ms) if newest_ms > fresh_after_ms => None,
            // A newer one that nobody can read must not keep its successor out.
            _ => Some(fresh_after_ms.max(ring.newest_stored_ms(purpose).unwrap_or(i64::MIN))),
        }
    }

    async fn ensure(&self, purpose: KeyPurpose) -> Result<(), KeyError> {
        if self.due(purpose).is_none() {
            return Ok(());
        }
        let mut last = self.changes.lock().await;
        // Another task may have made the key while this one waited.
        match self.due(purpose) {
            None => Ok(()),
            Some(fresh_after_ms) => self
                .make(purpose, self.policy.rsa_key_size, fresh_after_ms, &mut last)
                .await
                .map(drop),
        }
    }

    /// Makes a key unless there is one that is newer than this, and returns its id. The size is that
    /// of a signing key.
    async fn make(
        &self,
        purpose: KeyPurpose,
        size: RsaKeySize,
        unless_newer_than_ms: i64,
        last: &mut LastReload,
    ) -> Result<Option<KeyId>, KeyError> {
        let record = self.secrets.seal(self.generate(purpose, size).await?)?;
        let id = record.id.clone();
        let made = self
            .store
            .call("insert_key", move |store| async move {
                store.insert_key(&record, unless_newer_than_ms).await
            })
            .await?;
        if made == KeyInserted::Inserted {
            tracing::info!(key = %id, "made a key");
            telemetry::key_made(purpose.as_str());
        }
        self.load(last).await?;
        Ok((made == KeyInserted::Inserted).then_some(id))
    }

    async fn generate(&self, purpose: KeyPurpose, size: RsaKeySize) -> Result<KeyRecord, KeyError> {
        let (algorithm, material) = match purpose {
            KeyPurpose::Refresh => (refresh::ALGORITHM, RefreshKey::generate()?),
            KeyPurpose::AccessDynamic | KeyPurpose::AccessStatic => {
                let made = spawn_blocking(move || SigningKey::generate(size)).await;
                (signing::ALGORITHM, made.map_err(|_| KeyError::Generation)??)
            }
        };
        // Later than the newest, whatever the clock says, so that the order of keys is the order in
        // which they were made.
        let newest_ms = self.ring().newest_stored_ms(purpose).unwrap_or(i64::MIN);
        let created_at_ms = unix_ms(self.clock.now()).max(newest_ms.saturating_add(1));
        Ok(KeyRecord {
            id: new_id(purpose, created_at_ms)?,
            purpose,
            algorithm: algorithm.to_owned(),
            created_at_ms,
            material,
            sealed_under: None,
        })
    }

    /// Loads the keys, and fails when the secret of one is not configured.
    async fn load_readable(&self, last: &mut LastReload) -> Result<(), KeyError> {
        let refused = self.load(last).await?;
        let is_sealed = |error: &KeyError| matches!(error, KeyError::Sealed { .. });
        refused.into_iter().find(is_sealed).map_or(Ok(()), Err)
    }

    /// Returns why stored keys are not used.
    async fn load(&self, last: &mut LastReload) -> Result<Vec<KeyError>, KeyError> {
        *last = LastReload {
            at: self.clock.monotonic(),
            succeeded: false,
        };
        let records = self.records().await;
        // Whoever has queued up meanwhile shares the outcome, however long it took.
        last.at = self.clock.monotonic();
        let records = records?;
        let (ring, refused) = KeyRing::from_records(records, &self.secrets, self.policy);
        report(&refused);
        self.publish(ring.keeping_from(&self.ring()));
        last.succeeded = true;
        Ok(refused)
    }

    async fn records(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let load = |store: Arc<dyn SessionStore>| async move { store.load_keys().await };
        Ok(self.store.call("load_keys", load).await?)
    }

    fn publish(&self, ring: KeyRing) {
        self.ring.store(Arc::new(ring));
    }
}

/// A name in the form that wire §1.1 gives for signing keys.
fn new_id(purpose: KeyPurpose, created_at_ms: i64) -> Result<KeyId, KeyError> {
    let random = || -> Result<String, KeyError> {
        let mut bytes = Zeroizing::new([0; 16]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| KeyError::Generation)?;
        Ok(format!("{:032x}", u128::from_be_bytes(*bytes)))
    };
    let id = match purpose {
        KeyPurpose::AccessDynamic => format!("d-{created_at_ms}"),
        KeyPurpose::AccessStatic => format!("s-{}", random()?),
        KeyPurpose::Refresh => format!("r-{}", random()?),
    };
    KeyId::try_from(id).map_err(|_| KeyError::Generation)
}

fn report(refused: &[KeyError]) {
    for error in refused {
        tracing::error!(%error, "a stored key is not used");
    }
}

/// The shortest time between two reloads that requests can cause.
const RELOAD_COOLDOWN: Duration = Duration::from_secs(1);

/// How often a start asks a store that does not answer; each time waits for the store's timeout.
const START_ATTEMPTS: u32 = 10;

#[cfg(test)]
mod tests;
