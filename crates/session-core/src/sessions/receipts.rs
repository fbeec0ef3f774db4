//! Waiting until every node knows of a revocation.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::{
    error::{BackendError, SessionError},
    ids::{NodeId, NodeName},
    receipts::{Confirmation, Receipt, Registered},
    sessions::Sessions,
    store::{SessionScope, StoreError},
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
    /// application's own, call it after the commit. Raises the barrier and asks at least once, so
    /// it may take as much longer as two calls to the store.
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
            let confirmation = self.judge(&registered.id(), barrier).await;
            let confirmation =
                confirmation.unwrap_or_else(|error| Confirmation::Unknown(error.into()));
            if confirmation.is_complete() {
                return confirmation;
            }
            let left = deadline.saturating_sub(began.elapsed());
            if left.is_zero() {
                return confirmation;
            }
            sleep(pause.min(left)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// What the registry says of the barrier that was raised.
    async fn judge(&self, ourselves: &NodeId, barrier: u64) -> Result<Confirmation, StoreError> {
        let nodes = self
            .0
            .calls
            .call("attending", |store| async move { store.attending().await })
            .await?;
        // A registry that has lost this node, to a clock that jumped or to a server that forgets, may
        // have lost others, which still go by what they know.
        if !nodes.iter().any(|node| node.id == *ourselves) {
            return Ok(Confirmation::Unknown(SessionError::Unavailable(
                BackendError::Unregistered,
            )));
        }
        // Others may have raised it further meanwhile; beyond that, it is a value of before the
        // database went back in time, and says nothing of this one.
        let mut newest = barrier;
        if nodes.iter().any(|node| node.acknowledged > barrier) {
            let read = self
                .0
                .calls
                .call("barrier", |store| async move { store.barrier().await });
            newest = read.await?;
        }
        let has_heard = barrier..=newest;
        let missing: Vec<NodeName> = nodes
            .into_iter()
            .filter(|node| !has_heard.contains(&node.acknowledged))
            .map(|node| node.name)
            .collect();
        Ok(if missing.is_empty() {
            Confirmation::Everywhere
        } else {
            Confirmation::Missing(missing)
        })
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
