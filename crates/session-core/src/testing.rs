//! Sessions for an application's own tests: in memory, with a clock that the test turns.
//!
//! **Must not ship.** Enable the feature `testing` under `[dev-dependencies]` only. Everything here
//! is the real service on a [`MemoryStore`]; what makes it unfit for production is that its keys
//! and sessions are gone when the process ends, and that anybody who holds a [`TestSessions`] can
//! log in as any user.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    BuildError, IssuedSession, MemoryStore, NewSession, SessionError, Sessions, SessionsBuilder,
    UserId,
    clock::{Clock, ManualClock},
    config::AppInfo,
};

/// The real service in memory, with a clock that stands still until it is turned.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use session_core::{VerifyOptions, testing::TestSessions, verify::PresentedAntiCsrf};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let test = TestSessions::new().await?;
/// let ann = test.log_in("ann").await?;
/// let token = ann.tokens().access_token().expose();
/// let options = VerifyOptions::new();
/// let verify = || test.sessions().verify(token, PresentedAntiCsrf::NotChecked, &options);
/// assert!(verify().await.is_ok());
///
/// test.advance(Duration::from_secs(3600));
/// assert!(verify().await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestSessions {
    sessions: Sessions,
    clock: Arc<ManualClock>,
}

impl TestSessions {
    /// A service with the default settings and no expiry jitter.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub async fn new() -> Result<Self, BuildError> {
        Self::with(|builder| builder.config(|config| config.expiry_jitter(0.0))).await
    }

    /// A service with settings, claims and observers of the test's own. The store and the clock
    /// are given already.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub async fn with(
        change: impl FnOnce(SessionsBuilder) -> SessionsBuilder,
    ) -> Result<Self, BuildError> {
        let clock = Arc::new(ManualClock::default());
        let app = AppInfo::new("http://localhost:3000", "http://localhost:3000");
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let builder = Sessions::builder(app)
            .store(MemoryStore::default())
            .shared_clock(shared);
        Ok(Self {
            sessions: change(builder).build().await?,
            clock,
        })
    }

    /// The service, to be handed to the application under test.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// A new session of `user`.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidId`] when `user` cannot be a user id.
    pub async fn log_in(&self, user: &str) -> Result<IssuedSession, SessionError> {
        self.sessions
            .create(NewSession::new(UserId::try_from(user)?))
            .await
    }

    /// Turns the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl fmt::Debug for TestSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSessions").finish_non_exhaustive()
    }
}
