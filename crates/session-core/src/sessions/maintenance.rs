//! The background tasks: one reads the keys again, makes the next one in time, sweeps the set of
//! revoked sessions and measures the clocks; one deletes what has expired; one says once what is
//! wrong with the database.

use std::{sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::health::Measured;
use crate::{
    backend::SessionBackend,
    blacklist::Blacklist,
    clock::{Clock, unix_ms},
    keys::{KeyError, KeyService},
    store::{Purged, StoreError},
    store_calls::StoreCalls,
    telemetry,
};

/// What the first task works on. Holds no [`Sessions`](crate::Sessions), so that dropping the
/// last of them ends the task.
pub(super) struct Maintenance {
    pub(super) keys: Arc<KeyService>,
    pub(super) backend: Arc<dyn SessionBackend>,
    pub(super) blacklist: Arc<Blacklist>,
    pub(super) health: Arc<Measured>,
}

impl Maintenance {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut keys = every(KEYS_EVERY);
        let mut sweep = every(SWEEP_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = keys.tick() => self.refresh_keys().await,
                _ = sweep.tick() => {
                    self.blacklist.sweep_in_turns().await;
                    telemetry::blacklist(self.blacklist.len(), self.blacklist.age());
                }
            }
        }
    }

    async fn refresh_keys(&self) {
        let clocks_agree = self.health.clocks_agree(&*self.backend).await;
        let outcome = async {
            self.keys.reload().await?;
            self.keys.ensure_current().await?;
            if clocks_agree {
                self.keys.purge_retired().await?;
            }
            Ok::<(), KeyError>(())
        };
        if let Err(error) = outcome.await {
            tracing::warn!(%error, "the keys could not be brought up to date");
        }
    }
}

/// Deletes what has expired. A task of its own, so that a long backlog keeps nothing else waiting.
pub(super) struct Purge {
    pub(super) calls: StoreCalls,
    pub(super) backend: Arc<dyn SessionBackend>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) health: Arc<Measured>,
    pub(super) interval: Duration,
    pub(super) batch: u32,
}

impl Purge {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut due = every(self.interval);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = due.tick() => {}
            }
            // In small batches, so that no lock is held for long. A node whose clock is wrong must
            // not delete what has not expired.
            while !stop.is_cancelled()
                && self.health.clocks_agree(&*self.backend).await
                && self.delete_some().await
            {}
        }
    }

    /// Deletes one batch; whether there may be more.
    async fn delete_some(&self) -> bool {
        match purge_some(&self.calls, &*self.clock, self.batch).await {
            Ok((_, may_be_more)) => may_be_more,
            Err(error) => {
                tracing::warn!(%error, "expired sessions could not be deleted");
                false
            }
        }
    }
}

/// Deletes one batch of what has expired, and says whether there may be more.
pub(super) async fn purge_some(
    calls: &StoreCalls,
    clock: &dyn Clock,
    batch: u32,
) -> Result<(Purged, bool), StoreError> {
    let now_ms = unix_ms(clock.now());
    let purged = calls
        .call("purge", move |store| async move {
            store.purge_expired(now_ms, batch).await
        })
        .await?;
    let may_be_more = purged.sessions.max(purged.revocations) >= u64::from(batch);
    Ok((purged, may_be_more))
}

/// Tells the operator, once and without keeping the start waiting.
pub(super) async fn report_findings(calls: StoreCalls, stop: CancellationToken) {
    let findings = calls.call("findings", |store| async move { store.findings().await });
    let findings = tokio::select! {
        () = stop.cancelled() => return,
        findings = findings => findings,
    };
    match findings {
        Ok(findings) => findings.iter().for_each(telemetry::finding),
        Err(error) => tracing::warn!(%error, "the database's settings could not be read"),
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Half of the time for which a new key is published before it signs, so that every node has read
/// it twice by then.
const KEYS_EVERY: Duration = Duration::from_secs(30);
const SWEEP_EVERY: Duration = Duration::from_secs(10);
