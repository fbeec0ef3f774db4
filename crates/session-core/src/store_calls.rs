//! `StoreCalls`: every call of a store runs to its end, in a task of its own.
//!
//! Frameworks drop a handler's future when its client goes away. A statement that is dropped half-way
//! can leave a pooled connection in a state in which somebody else's acknowledged write is never
//! committed (security G11), so a caller only ever drops its interest in the answer.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::task::TaskTracker;

use crate::{
    store::{SessionStore, StoreError},
    telemetry,
};

/// Calls a store: a bounded number at a time, each given up after a while.
#[derive(Clone, Debug)]
pub(crate) struct StoreCalls {
    store: Arc<dyn SessionStore>,
    permits: Arc<Semaphore>,
    tasks: TaskTracker,
    timeout: Duration,
}

impl StoreCalls {
    /// Runs at most `max_concurrent` calls at once and waits for each at most `timeout`, including
    /// the time until it starts.
    pub(crate) fn new(
        store: Arc<dyn SessionStore>,
        max_concurrent: usize,
        timeout: Duration,
    ) -> Self {
        let permits = Semaphore::new(max_concurrent.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            store,
            permits: Arc::new(permits),
            tasks: TaskTracker::new(),
            timeout,
        }
    }

    /// The same store and time, with so many places of its own: what a node has to do in time is not
    /// to wait behind requests.
    pub(crate) fn with_own_places(&self, max_concurrent: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(max_concurrent)),
            ..self.clone()
        }
    }

    /// The answer of the call that `f` makes. A call that is not answered in time goes on and keeps
    /// its place, so that a store that hangs is not buried under more calls.
    ///
    /// # Errors
    ///
    /// The store's, or [`StoreError::Unavailable`] when there was no answer in time or the store
    /// panicked: the outcome is then unknown.
    pub(crate) async fn call<T, F, Fut>(
        &self,
        operation: &'static str,
        f: F,
    ) -> Result<T, StoreError>
    where
        F: FnOnce(Arc<dyn SessionStore>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
        T: Send + 'static,
    {
        let began = Instant::now();
        let answer = async {
            let permit = Arc::clone(&self.permits)
                .acquire_owned()
                .await
                .map_err(|_| NoAnswer::Closed)?;
            let store = Arc::clone(&self.store);
            let task = self.tasks.spawn(async move {
                let answer = f(store).await;
                drop(permit);
                answer
            });
            task.await.map_err(|_| NoAnswer::Panicked)
        };
        let answer = timeout(self.timeout, answer).await;
        let outcome = if matches!(answer, Ok(Ok(Ok(_)))) {
            "ok"
        } else {
            "error"
        };
        telemetry::store_call(operation, outcome, began.elapsed());
        let no_answer = match answer {
            Ok(Ok(answer)) => return answer,
            Ok(Err(no_answer)) => no_answer,
            Err(_) => NoAnswer::TimedOut,
        };
        tracing::warn!(operation, reason = %no_answer, "no answer from the session store");
        Err(StoreError::Unavailable(Box::new(no_answer)))
    }

    /// Takes no more calls, and returns when the last one has ended, or when it has not been
    /// answered in time.
    pub(crate) async fn close(&self) {
        self.permits.close();
        self.tasks.close();
        if timeout(self.timeout, self.tasks.wait()).await.is_err() {
            let unanswered = self.tasks.len();
            tracing::error!(unanswered, "the session store does not answer: given up");
        }
    }
}

/// Why there is no answer. What a panic said stays unsaid: it might name a secret.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("timed out")]
    TimedOut,
    #[error("the store panicked")]
    Panicked,
    #[error("the service is shutting down")]
    Closed,
}

#[cfg(test)]
mod tests;
