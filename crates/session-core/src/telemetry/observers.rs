//! Telling the application's observers, one event after the other, in a task of the service's.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};

use crate::{
    observer::{ReplayEvent, SessionObserver, TheftEvent},
    telemetry::HandleTag,
};

/// Where events for the application's observers go. Bounded: an observer that cannot keep up loses
/// events, not the service its memory; what happened is in the log and the metrics all the same.
#[derive(Debug, Clone)]
pub(crate) struct Observers(mpsc::Sender<Event>);

#[derive(Debug)]
enum Event {
    Theft(TheftEvent),
    Replay(ReplayEvent),
}

impl Observers {
    /// Starts the task that tells `observers`, until `stop` and a little longer for what was sent
    /// before.
    pub(crate) fn start(
        observers: Vec<Arc<dyn SessionObserver>>,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (sender, events) = mpsc::channel(QUEUE);
        let telling = tell(observers, events, tasks.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = telling => {}
                () = async { stop.cancelled().await; sleep(PATIENCE).await } => {
                    tracing::warn!("the observers were too slow to be told everything");
                }
            }
        });
        Self(sender)
    }

    /// Nobody, and no task that tells them.
    pub(crate) fn none() -> Self {
        Self(mpsc::channel(1).0)
    }

    pub(crate) fn theft_detected(&self, event: TheftEvent) {
        tracing::warn!(
            session = %HandleTag::of(&event.handle),
            class = event.class.as_str(),
            revoked = event.revoked,
            "a refresh token was used after its time"
        );
        self.send(Event::Theft(event));
    }

    pub(crate) fn replayed_within_grace(&self, event: ReplayEvent) {
        tracing::info!(
            session = %HandleTag::of(&event.handle),
            steps_behind = event.steps_behind,
            superseded_for_ms = event.superseded_for.as_millis(),
            "a superseded refresh token was used inside the grace window"
        );
        self.send(Event::Replay(event));
    }

    fn send(&self, event: Event) {
        if self.0.try_send(event).is_err() {
            tracing::warn!("an observer is too slow: it misses an event");
        }
    }
}

async fn tell(
    observers: Vec<Arc<dyn SessionObserver>>,
    mut events: mpsc::Receiver<Event>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            biased;
            event = events.recv() => event,
            () = stop.cancelled() => None,
        };
        let Some(event) = event else { return };
        let event = Arc::new(event);
        for observer in &observers {
            let (observer, event) = (Arc::clone(observer), Arc::clone(&event));
            // In a task of its own, so that one that panics ends only itself.
            let told = AbortOnDropHandle::new(tasks.spawn(async move {
                match &*event {
                    Event::Theft(event) => observer.theft_detected(event).await,
                    Event::Replay(event) => observer.replayed_within_grace(event).await,
                }
            }));
            match timeout(PATIENCE, told).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => tracing::error!("an observer panicked"),
                Err(_) => tracing::warn!("an observer took too long and was stopped"),
            }
        }
    }
}

/// How many events wait for slow observers.
const QUEUE: usize = 1_024;
/// How long one observer may take over one event.
const PATIENCE: Duration = Duration::from_secs(10);
