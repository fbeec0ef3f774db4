//! Waiting until every node knows of a revocation.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::{
    error::SessionError,
    ids::NodeName,
    receipts::{Confirmation, Receipt, Registered},
    sessions::Sessions,
    store::{NodeRecord, SessionScope, StoreError},
    telemetry,
};

impl Sessions {
    /// Ends the sessions in `scope` and waits, for as long as `deadline`, until every node refuses
    /// them where the blacklist is checked. Says which nodes have not confirmed that.
    ///
    /// `scope` is a handle, several, a user or a tenant, by reference, or a [`SessionScope`]. The
    /// sessions are ended, durably, whatever the confirmation says.
    ///
    /// Takes tens of milliseconds where the store tells nodes of revocations, and about as long as
    /// the interval at which nodes ask elsewhere. Costs one small write beside the revocation and one
    /// for each node. Routes that do not check anything accept a revoked access token until it
    /// expires, on every node, as ever.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](SessionError::Unavailable): the revocation is not confirmed; try again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use session_core::{AppInfo, MemoryStore, NewSession, Sessions, UserId};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let app = AppInfo::new("https://api.example.com", "https://example.com");
    /// # let sessions = Sessions::builder(app).store(MemoryStore::new()).build().await?;
    /// use std::time::Duration;
    /// use session_core::receipts::Confirmation;
    ///
    /// let ann = UserId::try_from("ann")?;
    /// sessions.create(NewSession::new(ann.clone())).await?;
    ///
    /// let receipt = sessions.revoke_and_wait(&ann, Duration::from_secs(2)).await?;
    /// assert_eq!(receipt.ended().len(), 1);
    /// match receipt.confirmation() {
    ///     Confirmation::Everywhere => {}
    ///     Confirmation::Missing(nodes) => eprintln!("not confirmed by {nodes:?}"),
    ///     Confirmation::Unknown(error) => eprintln!("nobody knows: {error}"),
    /// }
    /// # sessions.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn revoke_and_wait(
        &self,
        scope: impl Into<SessionScope>,
        deadline: Duration,
    ) -> Result<Receipt, SessionError> {
        let ended = self.revoke_scope(scope.into()).await?;
        Ok(Receipt::new(ended, self.confirm_everywhere(deadline).await))
    }

    /// Waits, for as long as `deadline`, until every node knows of every revocation that was
    /// acknowledged before, by whichever call of whichever node; for one in a transaction of the
    /// application's own, call it after the commit. Asks at least once, so it may take as much longer
    /// as one call to the store.
    pub async fn confirm_everywhere(&self, deadline: Duration) -> Confirmation {
        let Some(registered) = &self.0.registered else {
            // Nobody else uses the store, and what was revoked is in this node's set already.
            return Confirmation::Everywhere;
        };
        let began = Instant::now();
        let span = tracing::debug_span!("confirm_everywhere");
        let confirmation = self
            .wait_for_nodes(registered, began, deadline)
            .instrument(span)
            .await;
        telemetry::confirmed(&confirmation, began.elapsed());
        confirmation
    }

    async fn wait_for_nodes(
        &self,
        registered: &Registered,
        began: Instant,
        deadline: Duration,
    ) -> Confirmation {
        let raised = self.0.calls.call("raise_barrier", |store| async move {
            store.raise_barrier().await
        });
        let barrier = match raised.await {
            Ok(barrier) => barrier,
            Err(error) => return Confirmation::Unknown(error.into()),
        };
        registered.barrier_was_raised();
        let mut pause = FIRST_PAUSE;
        loop {
            let confirmation = match self.nodes_before(barrier).await {
                Ok(missing) if missing.is_empty() => return Confirmation::Everywhere,
                Ok(missing) => Confirmation::Missing(missing),
                Err(error) => Confirmation::Unknown(error.into()),
            };
            let left = deadline.saturating_sub(began.elapsed());
            if left.is_zero() {
                return confirmation;
            }
            sleep(pause.min(left)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// The nodes that have not acknowledged the barrier.
    async fn nodes_before(&self, barrier: u64) -> Result<Vec<NodeName>, StoreError> {
        let attending = self
            .0
            .calls
            .call("attending", |store| async move { store.attending().await })
            .await?;
        let is_behind = |node: &NodeRecord| node.acknowledged < barrier;
        Ok(attending
            .into_iter()
            .filter(is_behind)
            .map(|node| node.name)
            .collect())
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
