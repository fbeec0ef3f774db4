//! Keys that every application of this process begins with.

use std::time::Duration;

use session_core::{
    AppInfo, KeyId, MemoryStore, Sessions,
    clock::{Clock as _, SystemClock, unix_ms},
    config::defaults::KEY_PREPUBLICATION,
    store::{KeyInserted, KeyPurpose, KeyRecord, SessionStore as _},
};

use crate::settings::BoxError;

/// Keys, made once: the suite has a new application for each test, and its next request does not
/// wait for one.
pub(crate) struct Keys {
    store: MemoryStore,
    maker: Sessions,
}

impl Keys {
    pub(crate) async fn make() -> Result<Self, BoxError> {
        let store = MemoryStore::new();
        let maker = maker(store.clone()).await?;
        Ok(Self { store, maker })
    }

    /// A store that has keys and nothing else.
    ///
    /// With a rotation, it is as if the signing key had been replaced so often for as long as a new
    /// key waits until it signs: one of them signs now, and each of the others in its turn.
    pub(crate) async fn new_store(
        &self,
        rotation: Option<Rotation>,
    ) -> Result<MemoryStore, BoxError> {
        let count = rotation.map_or(1, Rotation::keys_on_their_way);
        let (mut signing, mut keys) = self.split().await?;
        for _ in signing.len()..count {
            self.maker.rotate_signing_key().await?;
        }
        if signing.len() < count {
            (signing, keys) = self.split().await?;
        }
        signing.truncate(count);
        if let Some(Rotation { every }) = rotation {
            let mut created = SystemClock.now() - KEY_PREPUBLICATION;
            for key in &mut signing {
                key.created_at_ms = unix_ms(created);
                key.id = KeyId::try_from(format!("d-{}", key.created_at_ms))?;
                created += every;
            }
        }
        keys.append(&mut signing);
        let store = MemoryStore::new();
        for key in &keys {
            // Whatever else is there: each of them belongs in the store.
            let inserted = store.insert_key(key, i64::MAX).await?;
            if inserted == KeyInserted::FresherExists {
                return Err("two keys have one name".into());
            }
        }
        Ok(store)
    }

    /// The signing keys and all others.
    async fn split(&self) -> Result<(Vec<KeyRecord>, Vec<KeyRecord>), BoxError> {
        let keys = self.store.load_keys().await?.into_iter();
        Ok(keys.partition(|key| key.purpose == KeyPurpose::AccessDynamic))
    }
}

/// What makes keys in a store, and nothing else.
pub(crate) async fn maker(store: MemoryStore) -> Result<Sessions, BoxError> {
    let app = AppInfo::new("http://localhost", "http://localhost");
    Ok(Sessions::builder(app).store(store).build().await?)
}

/// How often a signing key is replaced, when that is to happen within a test.
///
/// The library's own shortest interval is an hour, so it is told each time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rotation {
    pub(crate) every: Duration,
}

impl Rotation {
    /// How many keys there are at any time that are not older than a key is before it signs.
    fn keys_on_their_way(self) -> usize {
        let keys = KEY_PREPUBLICATION.as_millis() / self.every.as_millis();
        usize::try_from(keys)
            .unwrap_or(usize::MAX)
            .saturating_add(1)
    }

    /// When the key that follows those of a new store is due.
    fn first_due_in(self) -> Duration {
        let keys = u32::try_from(self.keys_on_their_way()).unwrap_or(u32::MAX);
        self.every
            .saturating_mul(keys)
            .saturating_sub(KEY_PREPUBLICATION)
    }

    /// Replaces the signing key of a new store again and again. Others who use the store read its keys
    /// more often than once in the time for which a key waits until it signs.
    pub(crate) async fn run(self, sessions: Sessions) {
        let first = tokio::time::Instant::now() + self.first_due_in();
        let mut due = tokio::time::interval_at(first, self.every);
        loop {
            due.tick().await;
            if let Err(error) = sessions.rotate_signing_key().await {
                tracing::error!(%error, "the signing key was not replaced");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_THE_SUITE: Rotation = Rotation {
        every: Duration::from_millis(7_200),
    };

    /// Contract §2, signing key rotation: one takes over from another at every interval, also when
    /// those that the store began with have been used up.
    #[tokio::test]
    async fn a_key_is_due_at_every_interval() {
        let keys = Keys::make().await.unwrap();
        let store = keys.new_store(Some(OF_THE_SUITE)).await.unwrap();
        let now_ms = unix_ms(SystemClock.now());
        let mut created: Vec<i64> = store
            .load_keys()
            .await
            .unwrap()
            .iter()
            .filter(|key| key.purpose == KeyPurpose::AccessDynamic)
            .map(|key| key.created_at_ms)
            .collect();
        let first_due_in = i64::try_from(OF_THE_SUITE.first_due_in().as_millis()).unwrap();
        assert!((1..=7_200).contains(&first_due_in), "{first_due_in}");
        created.sort_unstable();
        // The oldest signs since just now.
        let waited_ms = now_ms - 60_000 - created[0];
        assert!((0..10_000).contains(&waited_ms), "{waited_ms}");
        created.push(created[0] + 60_000 + first_due_in);
        assert_eq!(created.len(), 10);
        assert!(
            created.windows(2).all(|two| two[1] - two[0] == 7_200),
            "{created:?}"
        );
    }

    /// Contract §2: an application that says nothing about it has one key, whatever others have.
    #[tokio::test]
    async fn without_a_rotation_there_is_one_key() {
        let keys = Keys::make().await.unwrap();
        keys.new_store(Some(OF_THE_SUITE)).await.unwrap();
        let store = keys.new_store(None).await.unwrap();
        let stored = store.load_keys().await.unwrap();
        let mut purposes: Vec<KeyPurpose> = stored.iter().map(|key| key.purpose).collect();
        purposes.sort_unstable_by_key(|purpose| *purpose == KeyPurpose::Refresh);
        assert_eq!(purposes, [KeyPurpose::AccessDynamic, KeyPurpose::Refresh]);
    }
}
