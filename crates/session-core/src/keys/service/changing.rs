//! Changes to the keys that somebody asks for: a new one, one less, another at-rest secret.

use std::sync::Arc;

use super::KeyService;
use crate::{
    clock::unix_ms,
    config::RsaKeySize,
    ids::KeyId,
    keys::{KeyError, KeyRotation, KeyState, StoredKey},
    store::{KeyPurpose, SessionStore, Updated},
};

impl KeyService {
    /// Makes a new dynamic signing key, which signs once every node has had the time to load it. When
    /// several nodes do so at once, one key appears.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; the key may then be there or not.
    pub(crate) async fn rotate_signing_key(&self) -> Result<(), KeyError> {
        self.rotate(KeyPurpose::AccessDynamic).await
    }

    /// Makes a new refresh key, which new refresh tokens are made under once every node has had the
    /// time to load it. Older ones stay readable for a refresh token's lifetime.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; the key may then be there or not.
    pub(crate) async fn rotate_refresh_key(&self) -> Result<(), KeyError> {
        self.rotate(KeyPurpose::Refresh).await
    }

    async fn rotate(&self, purpose: KeyPurpose) -> Result<(), KeyError> {
        let newest_ms = self.ring().newest_stored_ms(purpose).unwrap_or(i64::MIN);
        let mut last = self.changes.lock().await;
        let size = self.policy.rsa_key_size;
        self.make(purpose, size, newest_ms, &mut last)
            .await
            .map(drop)
    }

    /// Makes a new key as `rotate_signing_key` and `rotate_refresh_key` do, unless one is on its way
    /// into use already: of any number of processes that are told to rotate, however little they
    /// overlap, one makes a key (security D7). A signing key is of the given size, or else as large as
    /// the newest one or as the settings say, whichever is more: the settings of whoever rotates may
    /// not be those of the services.
    ///
    /// # Errors
    ///
    /// * [`KeyError::Sealed`] when a key is encrypted under a secret that is not configured here: the
    ///   new one would be stored in the clear, or under a secret that the nodes do not have.
    /// * [`KeyError::SizeUnknown`] when no size is given and none is found.
    pub(crate) async fn rotate_once(
        &self,
        purpose: KeyPurpose,
        size: Option<RsaKeySize>,
    ) -> Result<KeyRotation, KeyError> {
        let mut last = self.changes.lock().await;
        self.load_readable(&mut last).await?;
        let now_ms = unix_ms(self.clock.now());
        let on_its_way_ms = self.policy.unused_after_ms(now_ms);
        let newest_ms = self.ring().newest_stored_ms(purpose);
        if newest_ms.is_none_or(|newest_ms| newest_ms <= on_its_way_ms) {
            let size = match (size, purpose) {
                (Some(size), _) => size,
                (None, KeyPurpose::Refresh) => self.policy.rsa_key_size,
                (None, _) => self.size_of_next()?,
            };
            let made = self.make(purpose, size, on_its_way_ms, &mut last).await?;
            if let Some(id) = made {
                return Ok(KeyRotation::Made(id));
            }
        }
        let newest = self.ring().newest(purpose).cloned();
        newest
            .map(KeyRotation::MadeAlready)
            .ok_or(KeyError::NoUsableKey)
    }

    fn size_of_next(&self) -> Result<RsaKeySize, KeyError> {
        let ring = self.ring();
        let newest = ring.newest_dynamic().map(|key| key.public().bits());
        let like_newest = newest.and_then(RsaKeySize::of_at_least);
        let size = like_newest.ok_or(KeyError::SizeUnknown)?;
        Ok(size.max(self.policy.rsa_key_size))
    }

    /// Removes a key: its tokens are refused here when this returns, and on other nodes at their
    /// next reload. Makes those that are then due. Says whether this call removed it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Store`]; the key may then be gone or not, and is refused here in any case.
    pub(crate) async fn remove_key(&self, id: &KeyId) -> Result<Updated, KeyError> {
        let removed = self.take_key(id).await?;
        self.ensure_current().await?;
        Ok(removed)
    }

    /// Removes a key, and leaves it to whoever needs a new one to make it.
    ///
    /// # Errors
    ///
    /// As [`remove_key`](Self::remove_key).
    pub(crate) async fn take_key(&self, id: &KeyId) -> Result<Updated, KeyError> {
        let mut last = self.changes.lock().await;
        self.publish(self.ring().without(id));
        let removed = {
            let id = id.clone();
            self.store
                .call(
                    "remove_key",
                    |store| async move { store.remove_key(&id).await },
                )
                .await?
        };
        if removed == Updated::Updated {
            tracing::info!(key = %id, "removed a key");
        }
        self.load(&mut last).await?;
        Ok(removed)
    }

    /// Removes the keys that no living token was made under, and says how many.
    ///
    /// # Errors
    ///
    /// [`KeyError::Store`]; some may then be gone.
    pub(crate) async fn purge_retired(&self) -> Result<usize, KeyError> {
        let mut last = self.changes.lock().await;
        let retired = self.ring().retired(self.clock.now());
        if retired.is_empty() {
            return Ok(0);
        }
        let mut removed = 0;
        for id in retired {
            let call = |store: Arc<dyn SessionStore>| async move { store.remove_key(&id).await };
            if self.store.call("remove_key", call).await? == Updated::Updated {
                removed += 1;
            }
        }
        self.load(&mut last).await?;
        Ok(removed)
    }

    /// Encrypts every key under the primary at-rest secret that is not yet, and says how many.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; some may then be encrypted anew.
    pub(crate) async fn reseal(&self) -> Result<usize, KeyError> {
        let Some(primary) = self.secrets.primary_name() else {
            return Ok(0);
        };
        let _last = self.changes.lock().await;
        let mut resealed = 0;
        for record in self.records().await? {
            if record.sealed_under.as_deref() == Some(primary) {
                continue;
            }
            let record = self.secrets.seal(self.secrets.open(record)?)?;
            let call =
                |store: Arc<dyn SessionStore>| async move { store.reseal_key(&record).await };
            if self.store.call("reseal_key", call).await? == Updated::Updated {
                resealed += 1;
            }
        }
        Ok(resealed)
    }

    /// Encrypts every key under the primary at-rest secret, for somebody who relies on it.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoAtRestSecret`], and as [`reseal`](Self::reseal).
    pub(crate) async fn encrypt_anew(&self) -> Result<usize, KeyError> {
        match self.secrets.primary_name() {
            None => Err(KeyError::NoAtRestSecret),
            Some(_) => self.reseal().await,
        }
    }

    /// All keys and what each is doing, newest first.
    ///
    /// # Errors
    ///
    /// [`KeyError::Store`].
    pub(crate) async fn stored_keys(&self) -> Result<Vec<StoredKey>, KeyError> {
        let records = self.records().await?;
        let described: Vec<StoredKey> = records
            .iter()
            .map(|record| StoredKey {
                id: record.id.clone(),
                purpose: record.purpose,
                algorithm: record.algorithm.clone(),
                created_at_ms: record.created_at_ms,
                sealed_under: record.sealed_under.clone(),
                state: KeyState::Unreadable,
                bits: None,
            })
            .collect();
        let (ring, _) = super::KeyRing::from_records(records, &self.secrets, self.policy);
        let now = self.clock.now();
        Ok(described
            .into_iter()
            .map(|key| StoredKey {
                state: ring.state(&key.id, now),
                bits: ring.bits(&key.id),
                ..key
            })
            .collect())
    }
}
