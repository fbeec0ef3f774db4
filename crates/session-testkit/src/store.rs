//! The store suite: what every [`SessionStore`] must do, a file per subject.
//!
//! Each case is a function over a [`TestDatabase`]; [`store_suite!`](crate::store_suite) lists
//! their names. A case that needs a second process opens the database a second time.

use std::{sync::Arc, time::Duration};

use session_core::{async_trait, store::SessionStore};
use tokio::{runtime, sync::Barrier, time};

pub mod dropped_futures;
pub mod feed;
pub mod ids;
pub mod keys;
pub mod list;
pub mod nodes;
pub mod purge;
pub mod records;
pub mod revocation;
pub mod rotation;
pub mod sessions;
pub mod updates;

mod suite;

/// A database of its own for one case, empty before it is first opened.
#[async_trait]
pub trait TestDatabase: Send + Sync + 'static {
    /// A store on this database, as a process opens it when it starts.
    ///
    /// Stores from several calls share what is in the database and nothing else, as far as the
    /// implementation allows several processes.
    async fn open(&self) -> Arc<dyn SessionStore>;
}

/// Runs one case on several threads and fails it when it hangs.
pub fn run(database: &dyn TestDatabase, case: &impl AsyncFn(&dyn TestDatabase)) {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(async { time::timeout(CASE_TIMEOUT, case(database)).await });
    // A task that never yields would keep the runtime, and the failure, for ever.
    runtime.shutdown_background();
    ended.expect("the case did not end");
}

/// Starts `work` this many times at once, each on its number, and returns the outcomes by number.
///
/// No task begins before all are there.
pub async fn race<W, F>(tasks: usize, work: W) -> Vec<F::Output>
where
    W: Fn(usize) -> F,
    F: Future<Output: Send> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(tasks));
    let mut racers = Vec::with_capacity(tasks);
    for number in 0..tasks {
        let (barrier, work) = (Arc::clone(&barrier), work(number));
        let racer = async move {
            barrier.wait().await;
            work.await
        };
        #[expect(clippy::disallowed_methods, reason = "awaited below")]
        racers.push(tokio::spawn(racer));
    }
    let mut outcomes = Vec::with_capacity(tasks);
    for racer in racers {
        outcomes.push(racer.await.unwrap());
    }
    outcomes
}

/// Long enough for a slow disk, short enough to say which case hangs.
const CASE_TIMEOUT: Duration = Duration::from_mins(2);
