//! `Node`: the service under test, on a store that can fail and a clock that the test turns.

use std::{
    fmt::Debug,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use session_core::{
    AppInfo, BuildError, ClientTokens, IssuedSession, KeyId, MemoryStore, NewSession, RefreshToken,
    Session, SessionError, SessionHandle, Sessions, SessionsBuilder, UserId, VerifyOptions,
    async_trait,
    clock::{Clock as _, ManualClock, unix_ms},
    config::SessionConfigBuilder,
    observer::{ReplayEvent, SessionObserver, TheftEvent},
    store::{KeyPurpose, KeyRecord, SessionRecord, SessionStore as _},
    token::TokenRejection,
    verify::PresentedAntiCsrf,
};
use tokio::sync::mpsc;

use crate::{faulty_store::FaultyStore, logs::keep_logs};

/// The service under test.
pub(crate) struct Node {
    pub(crate) sessions: Sessions,
    pub(crate) store: FaultyStore,
    pub(crate) clock: Arc<ManualClock>,
}

impl Node {
    /// A node alone with its store, without expiry jitter.
    pub(crate) async fn new() -> Self {
        Self::configured(|config| config).await
    }

    pub(crate) async fn configured(
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        Self::with(FaultyStore::new(), |builder| builder.config(change)).await
    }

    /// A node on `store`, which gets keys if it has none: the same for every test, because making
    /// one takes longer than most tests.
    pub(crate) async fn with(
        store: FaultyStore,
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Self {
        for key in ready_keys() {
            let _known_already = store.inner().insert_key(key, i64::MIN).await.unwrap();
        }
        Self::bare(store, Arc::new(ManualClock::default()), change)
            .await
            .unwrap()
    }

    /// A node on a store as it is.
    pub(crate) async fn bare(
        store: FaultyStore,
        clock: Arc<ManualClock>,
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Result<Self, BuildError> {
        keep_logs();
        let app = AppInfo::new("https://api.example.com", "https://example.com");
        let builder = Sessions::builder(app)
            .config(|config| config.expiry_jitter(0.0))
            .store(store.clone())
            .shared_clock(clock.clone());
        let sessions = change(builder).build().await?;
        // The background tasks have their first look at the store.
        tokio::time::sleep(Duration::from_millis(2)).await;
        settle().await;
        Ok(Self {
            sessions,
            store,
            clock,
        })
    }

    /// Another node on the same store and the same clock.
    pub(crate) async fn beside(
        &self,
        change: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> Self {
        Self::bare(self.store.clone(), self.clock.clone(), |builder| {
            builder.config(change)
        })
        .await
        .unwrap()
    }

    pub(crate) async fn log_in(&self, user: &str) -> IssuedSession {
        self.sessions
            .create(NewSession::new(user_id(user)))
            .await
            .unwrap()
    }

    pub(crate) async fn refresh(
        &self,
        token: &RefreshToken,
    ) -> Result<IssuedSession, SessionError> {
        self.sessions
            .refresh(token, PresentedAntiCsrf::NotChecked)
            .await
    }

    pub(crate) async fn verify(
        &self,
        issued: &IssuedSession,
        options: &VerifyOptions,
    ) -> Result<Session, SessionError> {
        self.verify_text(issued.tokens().access_token().expose(), options)
            .await
    }

    pub(crate) async fn verify_text(
        &self,
        access_token: &str,
        options: &VerifyOptions,
    ) -> Result<Session, SessionError> {
        self.sessions
            .verify(access_token, PresentedAntiCsrf::NotChecked, options)
            .await
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Lets time pass on all clocks; the runtime's must be paused.
    pub(crate) async fn pass(&self, time: Duration) {
        const STEP: Duration = Duration::from_millis(100);
        let mut passed = Duration::ZERO;
        while passed < time {
            self.advance(STEP);
            tokio::time::sleep(STEP).await;
            passed += STEP;
        }
        settle().await;
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        unix_ms(self.clock.now())
    }

    /// The row as the database has it, past every fault.
    pub(crate) async fn row(&self, handle: &SessionHandle) -> Option<SessionRecord> {
        self.store.inner().get(handle).await.unwrap()
    }
}

/// What the application is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Theft(TheftEvent),
    Replay(ReplayEvent),
}

/// Passes on what it is told.
#[derive(Debug)]
pub(crate) struct Listener(mpsc::UnboundedSender<Told>);

impl Listener {
    pub(crate) fn new() -> (Self, Heard) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Heard(receiver))
    }
}

#[async_trait]
impl SessionObserver for Listener {
    async fn theft_detected(&self, event: &TheftEvent) {
        let _nobody_listens = self.0.send(Told::Theft(event.clone()));
    }

    async fn replayed_within_grace(&self, event: &ReplayEvent) {
        let _nobody_listens = self.0.send(Told::Replay(event.clone()));
    }
}

/// What a [`Listener`] was told.
pub(crate) struct Heard(mpsc::UnboundedReceiver<Told>);

impl Heard {
    pub(crate) async fn next(&mut self) -> Told {
        tokio::time::timeout(Duration::from_mins(1), self.0.recv())
            .await
            .expect("nobody was told")
            .unwrap()
    }

    pub(crate) async fn theft(&mut self) -> TheftEvent {
        match self.next().await {
            Told::Theft(event) => event,
            told @ Told::Replay(_) => panic!("told of {told:?}"),
        }
    }

    /// What is left, after whoever is about to speak has had the chance to.
    pub(crate) async fn rest(&mut self) -> Vec<Told> {
        for _ in 0..32 {
            tokio::task::yield_now().await;
        }
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

pub(crate) fn user_id(text: &str) -> UserId {
    UserId::try_from(text).unwrap()
}

pub(crate) fn refresh_token(issued: &IssuedSession) -> RefreshToken {
    issued.tokens().refresh_token().unwrap().clone()
}

/// The stored keys of one kind, newest first.
pub(crate) async fn keys(node: &Node, purpose: KeyPurpose) -> Vec<KeyRecord> {
    let mut keys = node.store.inner().load_keys().await.unwrap();
    keys.retain(|key| key.purpose == purpose);
    keys
}

/// The key that an access token was signed with.
pub(crate) fn signing_key(issued: &IssuedSession) -> KeyId {
    let access_token = issued.tokens().access_token();
    let (header, _) = access_token.expose().split_once('.').unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    KeyId::try_from(header["kid"].as_str().unwrap()).unwrap()
}

/// The access token as it is but for the key that it names.
pub(crate) fn naming_another_key(issued: &IssuedSession, kid: &str) -> String {
    let access_token = issued.tokens().access_token();
    let (_, rest) = access_token.expose().split_once('.').unwrap();
    let header = format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{kid}","version":"5"}}"#);
    format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header))
}

/// The generation that a refresh token says it is of.
pub(crate) fn generation(token: &RefreshToken) -> u64 {
    let bytes = refresh_token_bytes(token);
    let numbers = &bytes[bytes.len() - 72..bytes.len() - 64];
    u64::from_be_bytes(numbers.try_into().unwrap())
}

/// What the database keeps of a refresh token.
pub(crate) fn secret_hash(token: &RefreshToken) -> [u8; 32] {
    let bytes = refresh_token_bytes(token);
    let secret = &bytes[bytes.len() - 64..bytes.len() - 32];
    digest(&SHA256, secret).as_ref().try_into().unwrap()
}

pub(crate) fn refresh_token_bytes(token: &RefreshToken) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(token.expose()).unwrap()
}

pub(crate) fn check_database() -> VerifyOptions {
    VerifyOptions::new().check_database(true)
}

pub(crate) fn check_blacklist() -> VerifyOptions {
    VerifyOptions::new().check_blacklist(true)
}

pub(crate) fn stateless() -> VerifyOptions {
    VerifyOptions::new()
        .check_blacklist(false)
        .check_database(false)
}

#[track_caller]
pub(crate) fn assert_unauthorised<T: Debug>(outcome: Result<T, SessionError>) {
    assert!(
        matches!(
            outcome,
            Err(SessionError::Unauthorised(ClientTokens::Clear))
        ),
        "{outcome:?}"
    );
}

#[track_caller]
pub(crate) fn assert_unavailable<T: Debug>(outcome: Result<T, SessionError>) {
    assert!(
        matches!(outcome, Err(SessionError::Unavailable(_))),
        "{outcome:?}"
    );
}

#[track_caller]
pub(crate) fn assert_theft<T: Debug>(outcome: Result<T, SessionError>) {
    assert!(
        matches!(outcome, Err(SessionError::TokenTheftDetected { .. })),
        "{outcome:?}"
    );
}

#[track_caller]
pub(crate) fn assert_rejected<T: Debug>(
    outcome: Result<T, SessionError>,
    rejection: TokenRejection,
) {
    assert!(
        matches!(&outcome, Err(SessionError::TryRefreshToken(why)) if *why == rejection),
        "{outcome:?}"
    );
}

/// Runs futures at once, each as a task, and gives their answers in the order in which they came.
pub(crate) async fn all_at_once<T: Send + 'static>(
    futures: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut tasks = tokio::task::JoinSet::new();
    for future in futures {
        tasks.spawn(future);
    }
    tasks.join_all().await
}

/// Lets everything that can go on do so.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

fn ready_keys() -> &'static [KeyRecord] {
    static KEYS: OnceLock<Vec<KeyRecord>> = OnceLock::new();
    KEYS.get_or_init(|| std::thread::spawn(make_keys).join().unwrap())
}

/// Keys as a node makes them on an empty store. In a thread of its own, because the caller is
/// inside a runtime already.
fn make_keys() -> Vec<KeyRecord> {
    keep_logs();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async {
            let store = MemoryStore::new();
            let app = AppInfo::new("https://api.example.com", "https://example.com");
            let sessions = Sessions::builder(app)
                .store(store.clone())
                .clock(ManualClock::default())
                .build()
                .await
                .unwrap();
            sessions.shutdown().await;
            store.load_keys().await.unwrap()
        })
}
