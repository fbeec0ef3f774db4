//! `TestApp`: a server on a real socket, with its sessions, its clock and its store.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};
use session_core::{
    AppInfo, BuildError, MemoryStore, SessionHandle, Sessions, SessionsBuilder,
    clock::{Clock, ManualClock},
    store::{KeyRecord, SessionStore as _},
};
use tokio::sync::OnceCell;

use super::{
    Adapter, ServerGuard,
    client::{Browser, Mode, Request},
    signer::Signer,
    transcript::Transcript,
};
use crate::faulty_store::FaultyStore;

/// A running server with the suite's application, and what a case needs around it.
///
/// The sessions are the real service on the store that the adapter brings, which is one in memory
/// unless it says otherwise, with the default settings, no expiry jitter, and a clock that stands
/// still.
pub struct TestApp {
    adapter: Arc<dyn Adapter>,
    sessions: Sessions,
    clock: Arc<ManualClock>,
    store: FaultyStore,
    transcript: Transcript,
    address: SocketAddr,
    _server: ServerGuard,
}

impl TestApp {
    /// Serves the application with the default settings.
    pub async fn start(adapter: impl Adapter) -> Self {
        Self::recorded(Arc::new(adapter), Transcript::default()).await
    }

    /// The same; what it and the servers that a case starts after it answer is written down in
    /// `transcript`.
    pub(crate) async fn recorded(adapter: Arc<dyn Adapter>, transcript: Transcript) -> Self {
        let place = Place::new(&*adapter, transcript).await;
        Self::serve(adapter, local(), place, |builder| builder)
            .await
            .unwrap()
    }

    /// Another server of the same adapter, with settings of the case's own, alone with its store.
    pub async fn with(&self, change: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Self {
        self.of(local(), change).await.unwrap()
    }

    /// Another server of the same adapter for another application, alone with its store.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when the settings are refused.
    pub async fn of(
        &self,
        app: AppInfo,
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Result<Self, BuildError> {
        let place = Place::new(&*self.adapter, self.transcript.clone()).await;
        Self::serve(Arc::clone(&self.adapter), app, place, change).await
    }

    /// Another server of the same adapter on the same store and clock, with settings of the
    /// case's own.
    pub async fn beside(&self, change: impl FnOnce(SessionsBuilder) -> SessionsBuilder) -> Self {
        let place = Place {
            clock: Arc::clone(&self.clock),
            store: self.store.clone(),
            transcript: self.transcript.clone(),
        };
        Self::serve(Arc::clone(&self.adapter), local(), place, change)
            .await
            .unwrap()
    }

    async fn serve(
        adapter: Arc<dyn Adapter>,
        app: AppInfo,
        place: Place,
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Result<Self, BuildError> {
        let Place {
            clock,
            store,
            transcript,
        } = place;
        let builder = Sessions::builder(app)
            .config(|config| adapter.unnoticed(config.expiry_jitter(0.0)))
            .store(store.clone())
            .shared_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let sessions = change(builder).build().await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = adapter.serve(sessions.clone(), listener).await;
        Ok(Self {
            adapter,
            sessions,
            clock,
            store,
            transcript,
            address,
            _server: server,
        })
    }

    /// The sessions that the server serves.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The store that the sessions are in.
    pub fn store(&self) -> &FaultyStore {
        &self.store
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The path of the refresh route.
    pub fn refresh_path(&self) -> &str {
        self.sessions.config().app().refresh_path()
    }

    /// Turns the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The clock's time as Unix seconds.
    pub fn now_s(&self) -> i64 {
        session_core::clock::unix_ms(self.clock.now()).div_euclid(1_000)
    }

    /// Revokes a session behind the back of its client.
    pub async fn revoke(&self, handle: &SessionHandle) {
        assert!(self.sessions.revoke(handle).await.unwrap());
    }

    /// A request of no browser: it carries what the case says and nothing else.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request::new(self, method, path)
    }

    /// A `GET` of no browser.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A `POST` of no browser.
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// A client that holds no session yet.
    pub fn browser(&self, mode: Mode) -> Browser<'_> {
        Browser::new(self, mode)
    }

    /// A browser whose user has just logged in, with tokens in cookies.
    pub async fn log_in(&self, user: &str) -> Browser<'_> {
        self.log_in_by(Mode::Cookie, user).await
    }

    /// A client whose user has just logged in.
    pub async fn log_in_by(&self, mode: Mode, user: &str) -> Browser<'_> {
        let browser = self.browser(mode);
        browser
            .log_in(json!({ "user": user }))
            .await
            .assert_status(200);
        browser
    }

    /// A browser whose user has just logged in with a payload.
    pub async fn log_in_with_payload(&self, user: &str, payload: Value) -> Browser<'_> {
        let browser = self.browser(Mode::Cookie);
        browser
            .log_in(json!({ "user": user, "payload": payload }))
            .await
            .assert_status(200);
        browser
    }

    /// Signs with the server's own key.
    pub async fn signer(&self) -> Signer {
        Signer::of(&self.store).await
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The body of a login of one user.
pub(crate) fn login_body(login: &Value) -> Value {
    json!({ "logins": [login] })
}

/// What servers may share: a store, a clock by which its rows are written, and the transcript of
/// their case.
struct Place {
    clock: Arc<ManualClock>,
    store: FaultyStore,
    transcript: Transcript,
}

impl Place {
    /// An empty store but for keys, which are made once for all cases of a process: an RSA key is
    /// most of what a server's start costs.
    async fn new(adapter: &dyn Adapter, transcript: Transcript) -> Self {
        let store = adapter.empty_store().await;
        for key in KEYS.get_or_init(make_keys).await {
            let _inserted = store.insert_key(key, i64::MIN).await.unwrap();
        }
        Self {
            clock: Arc::default(),
            store: FaultyStore::over(store),
            transcript,
        }
    }
}

async fn make_keys() -> Vec<KeyRecord> {
    let (store, clock) = (MemoryStore::default(), ManualClock::default());
    let builder = Sessions::builder(local()).store(store.clone()).clock(clock);
    let sessions = builder.build().await.unwrap();
    sessions.shutdown().await;
    store.load_keys().await.unwrap()
}

/// Website and API on one host, as in development.
fn local() -> AppInfo {
    AppInfo::new("http://localhost:3000", "http://localhost:3000")
}

static KEYS: OnceCell<Vec<KeyRecord>> = OnceCell::const_new();
