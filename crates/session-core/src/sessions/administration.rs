//! `Administration`: what an operator does to sessions and keys, with no service running.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    health::{MAX_CLOCK_OFFSET, WARN_CLOCK_OFFSET},
    maintenance::purge_some,
};
use crate::{
    backend::SessionBackend,
    clock::Clock,
    config::RsaKeySize,
    error::{BackendError, SessionError},
    finding::{Finding, Severity},
    ids::{KeyId, SessionHandle},
    information::SessionInformation,
    keys::{KeyRotation, KeyService, KeyState, StoredKey},
    store::{KeyPurpose, Purged, SessionScope, Updated},
    store_calls::StoreCalls,
};

/// The operations of a command-line tool or a job, on a store that services are running on or not.
///
/// Made by [`SessionsBuilder::administration`](super::SessionsBuilder::administration). It has no
/// background tasks, is no node that anybody waits for, follows no revocations and makes no keys
/// unless it is asked to. What it revokes, nodes hear of as they do of one another's revocations.
///
/// It goes by the settings that it is built with, which should be those of the services: what it
/// revokes is remembered for their `access_token_lifetime` and `revocation_skew`. Where these are not
/// known, only the longest that can be configured outlive every token.
///
/// A store that belongs to one process, such as a [`MemoryStore`](crate::MemoryStore) or SQLite in
/// memory, has no other nodes to tell
/// ([`ThisProcessOnly`](crate::store::RevocationVisibility::ThisProcessOnly)): a
/// [`Sessions`](super::Sessions) on the same one does not hear of what is revoked here, and routes of
/// it that check the blacklist go on accepting it. Use that `Sessions` itself there.
///
/// # Examples
///
/// ```
/// use session_core::{AppInfo, Sessions, TenantId, store::{SessionScope, SessionStore}};
///
/// /// Signs everybody in a tenant out, beside the services that run on the same database.
/// async fn close_account(
///     database: impl SessionStore,
///     tenant: TenantId,
/// ) -> Result<usize, Box<dyn std::error::Error>> {
///     let app = AppInfo::new("https://api.example.com", "https://example.com");
///     let administration = Sessions::builder(app).store(database).administration()?;
///     let ended = administration.revoke(SessionScope::Tenant(tenant)).await?;
///     administration.close().await;
///     Ok(ended.len())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let store = session_core::MemoryStore::new();
/// # assert_eq!(close_account(store, TenantId::try_from("customer-1")?).await?, 0);
/// # Ok(()) }
/// ```
pub struct Administration {
    pub(super) backend: Arc<dyn SessionBackend>,
    pub(super) keys: Arc<KeyService>,
    pub(super) calls: StoreCalls,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) purge_batch: u32,
}

impl Administration {
    /// A session as the database knows it; `None` when it has ended.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn session(
        &self,
        handle: &SessionHandle,
    ) -> Result<Option<SessionInformation>, SessionError> {
        self.backend.information(handle).await
    }

    /// The live sessions in `scope`, oldest first: at most `limit` of them, after the last one of an
    /// earlier page.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn list(
        &self,
        scope: SessionScope,
        after: Option<&SessionInformation>,
        limit: u32,
    ) -> Result<Vec<SessionInformation>, SessionError> {
        self.backend.list(scope, after, limit).await
    }

    /// Ends the sessions in `scope`, and returns those that this call ended: durable when it
    /// returns. Ending one that does not exist is no error. All of a tenant's are ended a thousand
    /// at a time, and handles [`MAX_HANDLES`](SessionScope::MAX_HANDLES) at a time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): not confirmed for all of them; try again. Those
    /// that were ended before are in [`RevokedInPart`](BackendError::RevokedInPart), as another call
    /// does not return them.
    pub async fn revoke(&self, scope: SessionScope) -> Result<Vec<SessionHandle>, SessionError> {
        self.backend.revoke(scope).await
    }

    /// All keys, newest first, and what each is doing under these settings.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn keys(&self) -> Result<Vec<StoredKey>, SessionError> {
        Ok(self.keys.stored_keys().await?)
    }

    /// Makes a new dynamic signing key, which signs once every node has had the time to read it;
    /// tokens of the old one stay valid until they expire. Whoever asks again within that time, and
    /// whoever asked at the same time, learns of the key that is there.
    ///
    /// The key is as large as the newest one that is stored, or as `rsa_key_size` says if that is
    /// more.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable), also when there are keys that are encrypted under
    /// a secret that is not configured here, when there is no key whose size could be taken, or it
    /// cannot be read, or when this machine's clock is wrong.
    pub async fn rotate_signing_key(&self) -> Result<KeyRotation, SessionError> {
        self.rotate(KeyPurpose::AccessDynamic, None).await
    }

    /// Makes a new dynamic signing key of this size, be it smaller than the one before. Whoever
    /// learns of a key that is there must expect that it has another size.
    ///
    /// # Errors
    ///
    /// As [`rotate_signing_key`](Self::rotate_signing_key), but other keys need not be there.
    pub async fn rotate_signing_key_to(
        &self,
        size: RsaKeySize,
    ) -> Result<KeyRotation, SessionError> {
        self.rotate(KeyPurpose::AccessDynamic, Some(size)).await
    }

    /// Makes a new key for refresh tokens, by the same rules. Nobody is logged out.
    ///
    /// # Errors
    ///
    /// As [`rotate_signing_key`](Self::rotate_signing_key).
    pub async fn rotate_refresh_key(&self) -> Result<KeyRotation, SessionError> {
        self.rotate(KeyPurpose::Refresh, None).await
    }

    /// Removes a key, for one that may have leaked: nodes refuse its tokens when they read the keys
    /// again, within half a minute, and make a new one when they need it. `false` when there is no
    /// such key.
    ///
    /// No session whose current refresh token was made under a removed
    /// refresh key can be refreshed any more: it ends with its access token.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): the key may be gone or not; try again.
    pub async fn remove_key(&self, id: &KeyId) -> Result<bool, SessionError> {
        Ok(self.keys.take_key(id).await? == Updated::Updated)
    }

    /// Encrypts every key under the configured secret that is not yet, and says how many were not.
    /// Nodes that do not have the secret go on with the keys that they have read, and must get it
    /// before they are started again.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable), also when no secret is configured, or not the one
    /// that a key is encrypted under now. Some keys may then be encrypted anew.
    pub async fn encrypt_keys_anew(&self) -> Result<usize, SessionError> {
        Ok(self.keys.encrypt_anew().await?)
    }

    /// Deletes all sessions and revocations that have expired, some at a time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable), also when this machine's clock is wrong: it might
    /// delete what has not expired.
    pub async fn purge(&self) -> Result<Purged, SessionError> {
        self.clocks_must_agree().await?;
        let mut purged = Purged::default();
        loop {
            let (some, may_be_more) =
                purge_some(&self.calls, &*self.clock, self.purge_batch).await?;
            purged.sessions = purged.sessions.saturating_add(some.sessions);
            purged.revocations = purged.revocations.saturating_add(some.revocations);
            if !may_be_more {
                return Ok(purged);
            }
        }
    }

    /// What is wrong with the database, this machine's clock and the keys, the worst first.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn findings(&self) -> Result<Vec<Finding>, SessionError> {
        let call = self
            .calls
            .call("findings", |store| async move { store.findings().await });
        let mut findings = call.await?;
        findings.extend(self.clock_offset().await?.and_then(about_the_clock));
        findings.extend(about_the_keys(&self.keys().await?));
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        Ok(findings)
    }

    /// How far the database's clock is from this machine's; `None` when the database has none of its
    /// own.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable).
    pub async fn clock_offset(&self) -> Result<Option<Duration>, SessionError> {
        self.backend.ping().await
    }

    /// Waits until every store call that was begun has ended, or has not been answered in time.
    pub async fn close(&self) {
        self.calls.close().await;
    }

    async fn rotate(
        &self,
        purpose: KeyPurpose,
        size: Option<RsaKeySize>,
    ) -> Result<KeyRotation, SessionError> {
        self.clocks_must_agree().await?;
        Ok(self.keys.rotate_once(purpose, size).await?)
    }

    /// What is written or judged by a wrong clock would outlive every mistake but this one.
    async fn clocks_must_agree(&self) -> Result<(), SessionError> {
        match self.clock_offset().await? {
            Some(offset) if offset > MAX_CLOCK_OFFSET => {
                Err(SessionError::Unavailable(BackendError::ClocksDiffer {
                    offset,
                }))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Administration")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

fn about_the_clock(offset: Duration) -> Option<Finding> {
    let severity = match offset {
        offset if offset > MAX_CLOCK_OFFSET => Severity::Danger,
        offset if offset > WARN_CLOCK_OFFSET => Severity::Warning,
        _ => return None,
    };
    Some(
        Finding::new(
            severity,
            "clock offset",
            "this machine's clock and the database's differ; a node on this machine judges by its \
             own what has expired, and is not ready when they differ by more than 30 seconds",
        )
        .with_value(format!("{} ms", offset.as_millis()))
        .with_remedy("set both clocks by the network's time"),
    )
}

fn about_the_keys(keys: &[StoredKey]) -> Vec<Finding> {
    let count = |is_so: fn(&StoredKey) -> bool| {
        let number = keys.iter().filter(|key| is_so(key)).count();
        (number > 0).then(|| format!("{number} of {}", keys.len()))
    };
    let in_the_clear = count(|key| key.sealed_under().is_none()).map(|number| {
        Finding::new(
            Severity::Warning,
            "keys in the clear",
            "whoever reads the database or a backup of it can sign tokens",
        )
        .with_value(number)
        .with_remedy("configure an at-rest secret and encrypt the keys with it")
    });
    let unreadable = count(|key| key.state() == KeyState::Unreadable).map(|number| {
        Finding::new(
            Severity::Notice,
            "unreadable keys",
            "a node that has no other at-rest secrets than were given here would not start",
        )
        .with_value(number)
        .with_remedy("give the at-rest secrets that they are encrypted under")
    });
    in_the_clear.into_iter().chain(unreadable).collect()
}
