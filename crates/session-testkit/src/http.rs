//! The HTTP suite: what every adapter must do, a file per subject.
//!
//! An adapter's author builds the [application] in the framework at hand, serves it from an
//! [`Adapter`] and writes one line, [`http_suite!`](crate::http_suite). Each case is a function
//! over a [`TestApp`]: a server of its own on a real socket, driven by a plain HTTP client, with a
//! clock that the case turns and a store that it can break. [`coverage`] says which wire case is
//! covered where, and why some do not apply.
//!
//! Two adapters that pass may still differ in what no case asks. [`same_answers!`](crate::same_answers)
//! runs the cases against several and compares all that they answer; see [`transcript`]. So may one
//! adapter over two stores: [`Adapter::empty_store`] says where the sessions live.

use std::{fmt, net::TcpListener, sync::Arc, time::Duration};

use session_core::{
    MemoryStore, Sessions, async_trait, config::SessionConfigBuilder, store::SessionStore,
};
use tokio::{runtime, time};
use transcript::Transcript;

pub mod application;
pub mod client;
pub mod coverage;
pub mod signer;
pub mod transcript;

pub mod anti_csrf;
pub mod claims;
pub mod confusion;
pub mod cookies;
pub mod documents;
pub mod forgeries;
pub mod http2;
pub mod injection;
pub mod limits;
pub mod login;
pub mod outages;
pub mod payload;
pub mod refresh;
pub mod responses;
pub mod rotation;
pub mod routes;
pub mod sdk_calls;
pub mod settings;
pub mod sign_out;
pub mod streams;
pub mod token_texts;
pub mod tokens;
pub mod transfer;
pub mod verification;

mod forge;
mod suite;
mod test_app;

pub use test_app::TestApp;
pub use transcript::Contender;

/// A framework with its adapter: serves the suite's application.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// Serves the [application] with these sessions until the returned guard is dropped.
    ///
    /// The listener is bound to a port of its own and does not block. Called in a tokio runtime
    /// that has several threads and lives as long as the case.
    async fn serve(&self, sessions: Sessions, listener: TcpListener) -> ServerGuard;

    /// An empty store for the sessions of one server, or of several that a case starts beside one
    /// another.
    ///
    /// In memory, unless it is a store that is held to the suite.
    async fn empty_store(&self) -> Arc<dyn SessionStore> {
        Arc::new(MemoryStore::default())
    }

    /// Settings that no client may notice, such as what is remembered. None, unless they are held to
    /// the suite.
    fn unnoticed(&self, config: SessionConfigBuilder) -> SessionConfigBuilder {
        config
    }
}

/// Stops a server when it is dropped.
#[must_use = "the server stops when this is dropped"]
pub struct ServerGuard(Option<Box<dyn FnOnce() + Send + Sync>>);

impl ServerGuard {
    /// A server that `stop` stops.
    pub fn new(stop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(stop)))
    }
}

impl Drop for ServerGuard {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop();
        }
    }
}

impl fmt::Debug for ServerGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerGuard").finish_non_exhaustive()
    }
}

/// Runs one case against a fresh server, on several threads, and fails it when it hangs.
pub fn run(adapter: impl Adapter, case: &impl AsyncFn(&TestApp)) {
    let _transcript = record(Arc::new(adapter), case);
}

/// Runs one case and says what was answered.
fn record(adapter: Arc<dyn Adapter>, case: &impl AsyncFn(&TestApp)) -> Transcript {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let transcript = Transcript::default();
    let ended = runtime.block_on(async {
        time::timeout(CASE_TIMEOUT, async {
            case(&TestApp::recorded(adapter, transcript.clone()).await).await;
        })
        .await
    });
    // A connection that never ends would keep the runtime, and the failure, for ever.
    runtime.shutdown_background();
    ended.expect("the case did not end");
    transcript
}

/// Long enough for a slow machine, short enough to say which case hangs.
const CASE_TIMEOUT: Duration = Duration::from_mins(2);
