//! `RedisFeed`: revocations told over a channel, to be heard sooner than by asking the database.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::{Value, aio::ConnectionManager};
use session_core::{
    blacklist::{FeedReceiver, RevocationFeed},
    store::{RevokedSession, SessionStore},
};
use tokio::{
    sync::{Mutex, mpsc},
    time::{error::Elapsed, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    announcing::Announcing,
    error::{ConnectError, TimedOut},
    message::{self, SESSIONS_PER_MESSAGE},
    options::ConnectOptions,
};

/// Tells other nodes what this one revokes, and hears what they do, over a Redis or Valkey server
/// beside an SQL database.
///
/// The database stays the record, and asking it regularly is what makes a node's knowledge
/// complete: a message is lost when the server is away, and may be forged by whoever can write to
/// it, so a message only ever says "revoked", and what is missed is heard of a second later. A server
/// that is down costs that second and nothing else.
///
/// # Examples
///
/// ```no_run
/// use session_core::{AppInfo, MemoryStore, Sessions};
/// use session_redis::{ConnectOptions, RedisFeed};
///
/// # async fn build(store: MemoryStore) -> Result<(), Box<dyn std::error::Error>> {
/// let feed = RedisFeed::new(ConnectOptions::new("redis://localhost:6379/0"))?;
/// let sessions = Sessions::builder(AppInfo::new("https://api.example.com", "https://example.com"))
///     .store(feed.announcing(store))
///     .feed(feed)
///     .build()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisFeed(Arc<Inner>);

struct Inner {
    options: ConnectOptions,
    channel: String,
    announce: mpsc::Sender<Vec<RevokedSession>>,
    /// What is still to be told; whoever runs the feed first tells it.
    announced: Mutex<mpsc::Receiver<Vec<RevokedSession>>>,
}

impl RedisFeed {
    /// A feed over this server. Nothing is sent before the feed runs, and a server that is away keeps
    /// no node from starting.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], when a setting makes no sense.
    pub fn new(options: ConnectOptions) -> Result<Self, ConnectError> {
        options.client(0)?;
        let (announce, announced) = mpsc::channel(MOST_WAITING);
        Ok(Self(Arc::new(Inner {
            channel: format!("{}revoked", options.key_prefix()?),
            options,
            announce,
            announced: Mutex::new(announced),
        })))
    }

    /// `store`, with every revocation told to the other nodes after it was committed.
    pub fn announcing<S: SessionStore>(&self, store: S) -> Announcing<S> {
        Announcing::new(store, self.clone())
    }

    /// Tells other nodes of sessions that were revoked past the store that
    /// [`announcing`](Self::announcing) made, as in a transaction of the application's own. Call it
    /// after the commit. Does not wait: it is told by the service that runs the feed, and dropped when
    /// too much is waiting.
    pub fn announce(&self, revoked: &[RevokedSession]) {
        if !revoked.is_empty() && self.0.announce.try_send(revoked.to_vec()).is_err() {
            tracing::warn!("too many revocations wait to be told: other nodes will ask for these");
        }
    }
}

impl fmt::Debug for RedisFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisFeed")
            .field("channel", &self.0.channel)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RevocationFeed for RedisFeed {
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.0.listen(&receiver) => {}
            () = self.0.tell() => {}
        }
    }
}

impl Inner {
    /// Hears what is told, for ever.
    async fn listen(&self, receiver: &FeedReceiver) {
        for attempt in 0_usize.. {
            let Err(error) = self.listen_until_it_breaks(receiver, attempt).await;
            tracing::warn!(%error, "revocations are not heard of over Redis at present");
            sleep(RETRY).await;
        }
    }

    async fn listen_until_it_breaks(
        &self,
        receiver: &FeedReceiver,
        attempt: usize,
    ) -> Result<std::convert::Infallible, Silence> {
        let client = self.options.client(attempt)?;
        let patience = self.options.timeout;
        let subscription = timeout(patience, client.get_async_pubsub()).await??;
        let (mut requests, mut messages) = subscription.split();
        timeout(patience, requests.subscribe(&self.channel)).await??;
        loop {
            match timeout(HEARTBEAT, messages.next()).await {
                Ok(Some(message)) => {
                    receiver.revoked(&message::read(message.get_payload_bytes()));
                }
                Ok(None) => return Err(Silence::Closed),
                // Nobody said anything: is there anybody? A connection may be dead without a sign.
                Err(_) => drop(timeout(patience, requests.ping::<Value>()).await??),
            }
        }
    }

    /// Tells what is announced, for ever.
    async fn tell(&self) {
        let mut announced = self.announced.lock().await;
        let (mut connection, mut attempt) = (None, 0_usize);
        while let Some(revoked) = announced.recv().await {
            for some in revoked.chunks(SESSIONS_PER_MESSAGE) {
                let told = timeout(
                    self.options.timeout,
                    self.publish(&mut connection, attempt, some),
                );
                let problem = match told.await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => error,
                    Err(elapsed) => elapsed.into(),
                };
                connection = None;
                attempt = attempt.wrapping_add(1);
                tracing::warn!(error = %problem, "revocations could not be told over Redis");
                break;
            }
        }
    }

    async fn publish(
        &self,
        connection: &mut Option<ConnectionManager>,
        attempt: usize,
        revoked: &[RevokedSession],
    ) -> Result<(), Silence> {
        let connection = if let Some(connection) = connection {
            connection
        } else {
            let client = self.options.client(attempt)?;
            connection.insert(self.options.connect(client).await?)
        };
        redis::cmd("PUBLISH")
            .arg(&self.channel)
            .arg(message::write(revoked))
            .exec_async(connection)
            .await?;
        Ok(())
    }
}

/// Why nothing is heard or told.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("the connection was closed")]
    Closed,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Refused(#[from] redis::RedisError),
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
}

impl From<Elapsed> for Silence {
    fn from(_: Elapsed) -> Self {
        Self::TimedOut(TimedOut)
    }
}

/// So many revocations may wait to be told while the server is away.
const MOST_WAITING: usize = 1_024;
const HEARTBEAT: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_secs(1);
