//! Building the service.

use std::{fmt, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Administration, Inner, Sessions,
    health::Measured,
    maintenance::{Maintenance, Purge, report_findings},
};
use crate::{
    backend::{LocalBackend, SessionBackend},
    blacklist::{Blacklist, FeedReceiver, InProcessFeed, RevocationFeed, StorePollingFeed},
    claims::{ClaimValidator, RegisteredClaims, RegisteredClaimsBuilder, SessionClaim},
    clock::{Clock, SystemClock},
    config::{
        AntiCsrf, AppInfo, EncryptionSecret, SameSite, SessionConfig, SessionConfigBuilder,
        defaults,
    },
    error::BuildError,
    ids::NodeName,
    keys::{AtRestSecret, AtRestSecrets, InvalidAtRestSecret, KeyPolicy, KeyService},
    observer::SessionObserver,
    receipts::Registration,
    store::{RevocationVisibility, SessionStore},
    store_calls::StoreCalls,
    telemetry::Observers,
    token::access::AccessPolicy,
    verify::VerifiedTokens,
};

/// Builds [`Sessions`].
#[must_use]
pub struct SessionsBuilder {
    config: SessionConfigBuilder,
    store: Option<Arc<dyn SessionStore>>,
    clock: Arc<dyn Clock>,
    claims: RegisteredClaimsBuilder,
    validators: Vec<Arc<dyn ClaimValidator>>,
    observers: Vec<Arc<dyn SessionObserver>>,
    feeds: Vec<Arc<dyn RevocationFeed>>,
}

impl Sessions {
    /// Starts building the service of the application that `app` describes, with the settings of
    /// the `supertokens` preset.
    pub fn builder(app: AppInfo) -> SessionsBuilder {
        SessionsBuilder {
            config: SessionConfig::builder(app),
            store: None,
            clock: Arc::new(SystemClock),
            claims: RegisteredClaims::builder(),
            validators: Vec::new(),
            observers: Vec::new(),
            feeds: Vec::new(),
        }
    }
}

impl SessionsBuilder {
    /// Where sessions and keys live.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Changes the settings. Without this, they are those of the `supertokens` preset.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use session_core::{AppInfo, Sessions};
    ///
    /// let builder = Sessions::builder(AppInfo::new("https://api.example.com", "https://example.com"))
    ///     .config(|config| config.balanced().rotation_grace(Duration::from_secs(10)));
    /// # let _ = builder;
    /// ```
    pub fn config(
        mut self,
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        self.config = change(self.config);
        self
    }

    /// The clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A clock that somebody else turns.
    pub fn shared_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Registers a claim: it is fetched for every new session, and again when a validator asks.
    pub fn claim<C: SessionClaim>(mut self, claim: C) -> Self {
        self.claims = self.claims.claim(claim);
        self
    }

    /// Adds a global claim validator: it runs wherever a session is verified, unless the route
    /// says otherwise.
    pub fn claim_validator(mut self, validator: Arc<dyn ClaimValidator>) -> Self {
        self.validators.push(validator);
        self
    }

    /// Adds somebody who hears of thefts and replays.
    pub fn observer(mut self, observer: impl SessionObserver) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Adds a way to hear of revocations sooner than the store's own.
    pub fn feed(mut self, feed: impl RevocationFeed) -> Self {
        self.feeds.push(Arc::new(feed));
        self
    }

    /// Judges the settings, and makes of them what an operator's tool works with: no background
    /// tasks, and nothing is read or written before it is asked for. Claims, validators, observers
    /// and feeds have no part in it.
    ///
    /// # Errors
    ///
    /// [`BuildError`], which names the setting at fault.
    pub fn administration(self) -> Result<Administration, BuildError> {
        let config = Arc::new(self.config.build()?);
        let store = self.store.ok_or(BuildError::NoStore)?;
        let calls = store_calls(store, &config);
        let keys = Arc::new(KeyService::without_keys(
            calls.clone(),
            key_policy(&config),
            at_rest_secrets(&config)?,
            Arc::clone(&self.clock),
        ));
        let purge_batch = config.purge_batch();
        let capacity = config.blacklist_capacity();
        let backend = LocalBackend {
            config,
            calls: calls.clone(),
            keys: Arc::clone(&keys),
            blacklist: Arc::new(Blacklist::new(capacity, Arc::clone(&self.clock))),
            clock: Arc::clone(&self.clock),
            observers: Observers::none(),
        };
        Ok(Administration {
            backend: Arc::new(backend),
            keys,
            calls,
            clock: self.clock,
            purge_batch,
        })
    }

    /// Judges the settings, reads or makes the keys, and starts the background task.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`], which names the setting at fault.
    pub async fn build(self) -> Result<Sessions, BuildError> {
        let config = Arc::new(self.config.build()?);
        let claims = self.claims.build()?;
        let store = self.store.ok_or(BuildError::NoStore)?;
        let visibility = store.revocation_visibility();
        let own_feed = store.revocation_feed();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let calls = store_calls(store, &config);
        let keys = Arc::new(
            KeyService::start(
                calls.clone(),
                key_policy(&config),
                at_rest_secrets(&config)?,
                Arc::clone(&self.clock),
            )
            .await?,
        );
        if config.anti_csrf() == AntiCsrf::None && config.cookies().same_site() == SameSite::None {
            tracing::warn!(
                "cookies go along with requests from every site, and no anti-CSRF check is \
                 configured: any page can act as the user (RFC 6750 §5.3)"
            );
        }
        let blacklist = Arc::new(Blacklist::new(
            config.blacklist_capacity(),
            Arc::clone(&self.clock),
        ));
        let backend: Arc<dyn SessionBackend> = Arc::new(LocalBackend {
            config: Arc::clone(&config),
            calls: calls.clone(),
            keys: Arc::clone(&keys),
            blacklist: Arc::clone(&blacklist),
            clock: Arc::clone(&self.clock),
            observers: Observers::start(self.observers, &tasks, stop.clone()),
        });
        let health = Arc::new(Measured::default());
        let maintenance = Maintenance {
            keys,
            backend: Arc::clone(&backend),
            blacklist: Arc::clone(&blacklist),
            health: Arc::clone(&health),
        };
        let purge = Purge {
            calls: calls.clone(),
            backend: Arc::clone(&backend),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&health),
            interval: config.purge_interval(),
            batch: config.purge_batch(),
        };
        let own_calls = calls.with_own_places(PLACES_OF_A_NODE);
        let registered = match visibility {
            RevocationVisibility::ThisProcessOnly => None,
            RevocationVisibility::CommitOrder { .. } | RevocationVisibility::AnyOrder { .. } => {
                let (registration, registered) = Registration::begin(
                    config.node_name().unwrap_or_else(name_of_this_process),
                    own_calls.clone(),
                    Arc::clone(&blacklist),
                    config.max_staleness(),
                )
                .await?;
                tasks.spawn(registration.run(stop.clone()));
                Some(registered)
            }
        };
        tasks.spawn(report_findings(calls.clone(), stop.clone()));
        tasks.spawn(maintenance.run(stop.clone()));
        tasks.spawn(purge.run(stop.clone()));
        let store_feed = own_feed.unwrap_or_else(|| feed_by_asking(visibility));
        let receiver = FeedReceiver::new(Arc::clone(&blacklist), own_calls.clone());
        let mut feeds = vec![(store_feed, receiver)];
        feeds.extend(self.feeds.into_iter().map(|feed| {
            let receiver =
                FeedReceiver::beside_the_store(Arc::clone(&blacklist), own_calls.clone());
            (feed, receiver)
        }));
        for (feed, receiver) in feeds {
            let stop = stop.clone();
            tasks.spawn(async move { feed.run(receiver, stop).await });
        }
        Ok(Sessions(Arc::new(Inner {
            access_policy: access_policy(&config),
            verified_tokens: VerifiedTokens::new(config.verified_tokens()),
            config,
            backend,
            blacklist,
            calls,
            clock: self.clock,
            claims,
            validators: self.validators.into(),
            health,
            registered,
            tasks,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })))
    }
}

fn store_calls(store: Arc<dyn SessionStore>, config: &SessionConfig) -> StoreCalls {
    StoreCalls::new(
        store,
        config.max_concurrent_store_calls(),
        config.store_timeout(),
    )
}

/// The machine and the process.
fn name_of_this_process() -> NodeName {
    let host = gethostname::gethostname();
    let host: String = host
        .to_string_lossy()
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_HOST_NAME)
        .collect();
    let process = std::process::id();
    #[expect(
        clippy::expect_used,
        reason = "short, not empty, and without control characters"
    )]
    let name = NodeName::try_from(format!("{host}/{process}")).expect("a node's name");
    name
}

/// How many store calls a node's feeds and its place in the registry make at once.
const PLACES_OF_A_NODE: usize = 4;

/// How to hear of revocations from a store that does not tell by itself.
fn feed_by_asking(visibility: RevocationVisibility) -> Arc<dyn RevocationFeed> {
    match visibility {
        RevocationVisibility::ThisProcessOnly => Arc::new(InProcessFeed),
        RevocationVisibility::CommitOrder { poll_every }
        | RevocationVisibility::AnyOrder { poll_every } => {
            Arc::new(StorePollingFeed { every: poll_every })
        }
    }
}

fn key_policy(config: &SessionConfig) -> KeyPolicy {
    KeyPolicy {
        signing: config.signing_key_kind().purpose(),
        interval: config.signing_key_rotation(),
        overlap: defaults::KEY_PREPUBLICATION,
        access_lifetime: config.access_token_lifetime(),
        // The longest there can be: tokens made under another configuration may still be out.
        refresh_lifetime: *defaults::REFRESH_TOKEN_LIFETIME_RANGE.end(),
        rsa_key_size: config.rsa_key_size(),
    }
}

/// The secrets that keys are encrypted with, ready for use.
fn at_rest_secrets(config: &SessionConfig) -> Result<AtRestSecrets, InvalidAtRestSecret> {
    let ready = |secret: &EncryptionSecret| AtRestSecret::new(secret.name(), secret.expose());
    let Some(primary) = config.encryption_secret() else {
        return Ok(AtRestSecrets::default());
    };
    config
        .older_encryption_secrets()
        .iter()
        .try_fold(AtRestSecrets::new(ready(primary)?), |secrets, older| {
            Ok(secrets.with_older(ready(older)?))
        })
}

fn access_policy(config: &SessionConfig) -> AccessPolicy {
    let whole_seconds =
        |duration: std::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    AccessPolicy {
        issuer: config.app().issuer().to_owned(),
        key_purpose: config.signing_key_kind().purpose(),
        max_lifetime_s: whole_seconds(config.access_token_lifetime()),
        leeway_s: whole_seconds(config.clock_leeway()),
    }
}

impl fmt::Debug for SessionsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// In characters of up to four bytes each, so that the name of a node has room for it.
const LONGEST_HOST_NAME: usize = 25;
