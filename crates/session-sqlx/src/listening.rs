//! `ListeningFeed`: hears of revocations by PostgreSQL's notifications, and knows when it does not.
//!
//! Notifications arrive in commit order, whichever channel they are for. So when a heartbeat that a
//! node sent to itself comes back, everything that was committed before it was sent has been heard.
//! Subscribe first, then read the table, then go by what was heard: whatever may have been missed
//! (a new connection, a notification without a list, one that makes no sense) means that heartbeats
//! count for nothing until the table was read from the beginning of that doubt on.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use session_core::{
    SessionHandle, async_trait,
    blacklist::{FeedReceiver, Notifications, RevocationFeed},
    store::{RevocationCursor, RevokedSession, StoreError},
};
use sqlx::{
    Postgres,
    postgres::{PgListener, PgPoolOptions},
};
use tokio::{
    sync::Notify,
    time::{error::Elapsed, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    connections::Connections,
    dialect::{
        Dialect,
        postgres::{ASK_CHANNEL, SEND_HEARTBEAT},
    },
};

/// Listens on a connection of its own and reads the table where listening is not enough.
#[derive(Debug)]
pub(crate) struct ListeningFeed {
    connections: Arc<Connections<Postgres>>,
    poll_every: Duration,
}

#[async_trait]
impl RevocationFeed for ListeningFeed {
    async fn run(&self, receiver: FeedReceiver, stop: CancellationToken) {
        receiver.notifications(Notifications::Missing);
        let hearing = Hearing::default();
        tokio::select! {
            () = stop.cancelled() => {}
            never = self.keep_reading(&receiver, &hearing) => match never {},
            never = self.keep_listening(&receiver, &hearing) => match never {},
        }
    }
}

impl ListeningFeed {
    pub(crate) fn new(connections: Arc<Connections<Postgres>>, poll_every: Duration) -> Self {
        Self {
            connections,
            poll_every,
        }
    }

    /// Reads the table: regularly while nothing else can be relied upon, at once when something may
    /// have been missed, and now and then all the same, for what was written without being told.
    async fn keep_reading(&self, receiver: &FeedReceiver, hearing: &Hearing) -> Infallible {
        let mut cursor = RevocationCursor::default();
        loop {
            let doubts = hearing.state().doubts;
            let asked = receiver.moment();
            if receiver.catch_up(&mut cursor).await {
                receiver.complete_as_of(asked);
                hearing.state().read = Some(doubts);
            } else {
                sleep(self.poll_every).await;
                continue;
            }
            // So that notifications without end do not make it read without end.
            sleep(BREATH.min(self.poll_every)).await;
            let next_look = if hearing.state().is_relied_on {
                self.poll_every.max(LOOK_ANYWAY)
            } else {
                self.poll_every
            };
            let is_relied_on = hearing.state().is_relied_on;
            tokio::select! {
                () = hearing.doubted.notified() => {}
                // Otherwise a heartbeat is what is wanted.
                () = receiver.wanted(), if !is_relied_on => {}
                () = sleep(next_look) => {}
            }
        }
    }

    async fn keep_listening(&self, receiver: &FeedReceiver, hearing: &Hearing) -> Infallible {
        let mut failures = 0;
        loop {
            let gap = match self.listen(receiver, hearing).await {
                Ok(never) => match never {},
                Err(gap) => gap,
            };
            receiver.notifications(Notifications::Missing);
            failures = if hearing.give_up() { 0 } else { failures + 1 };
            tracing::warn!(%gap, "notifications of revocations do not arrive: the table is read");
            sleep(pause(&gap, failures, getrandom::u32().unwrap_or(0))).await;
        }
    }

    /// Hears and sends heartbeats until something may have been missed.
    async fn listen(&self, receiver: &FeedReceiver, hearing: &Hearing) -> Result<Infallible, Gap> {
        let own = unguessable("session_heartbeat_")?;
        let (mut listener, channel) =
            timeout(self.connections.timeout, self.subscribe(&own)).await??;
        hearing.doubt();
        let heartbeat = Heartbeat::default();
        tokio::select! {
            gap = hear(&mut listener, &channel, receiver, hearing, &heartbeat) => gap,
            gap = self.keep_beating(&own, &channel, receiver, hearing, &heartbeat) => gap,
        }
    }

    /// A connection of its own, beside the pool's, and the channel that revocations are told in.
    async fn subscribe(&self, own: &str) -> Result<(PgListener, String), Gap> {
        let channel = self.channel(ASK_CHANNEL, &[]).await?;
        let options = self.connections.writer.pool().connect_options();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options.as_ref().clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        // It would lose what is told meanwhile; another one is made, and the table read after it.
        listener.eager_reconnect(false);
        listener.listen_all([channel.as_str(), own]).await?;
        Ok((listener, channel))
    }

    /// Sends a heartbeat again and again. On a connection of the pool: one that the listening
    /// connection sent could come back by way of a pooler that passes on nothing else.
    async fn keep_beating(
        &self,
        own: &str,
        channel: &str,
        receiver: &FeedReceiver,
        hearing: &Hearing,
        heartbeat: &Heartbeat,
    ) -> Result<Infallible, Gap> {
        loop {
            let nonce = unguessable("")?;
            heartbeat.expect(&nonce);
            let sent = receiver.moment();
            let there_and_back = async {
                let values = [own.into(), (&nonce).into()];
                let told_in = self.channel(SEND_HEARTBEAT, &values).await?;
                heartbeat.returned.notified().await;
                Ok::<_, Gap>(told_in)
            };
            let told_in = timeout(self.connections.timeout, there_and_back)
                .await
                .map_err(|_| Gap::Silence)??;
            if told_in != channel {
                return Err(Gap::AnotherTable);
            }
            if hearing.rely() {
                receiver.complete_as_of(sent);
                receiver.notifications(Notifications::Arriving);
            }
            tokio::select! {
                () = receiver.wanted() => {}
                () = sleep(BEAT_EVERY) => {}
            }
        }
    }

    async fn channel(
        &self,
        sql: &'static str,
        values: &[crate::dialect::Value<'_>],
    ) -> Result<String, Gap> {
        let rows = self.connections.read(sql, values).await?;
        let row = rows.first().ok_or(Gap::AnotherTable)?;
        Postgres::text(row, "channel")?.ok_or(Gap::AnotherTable)
    }
}

/// Passes on what is told, until the connection is lost.
async fn hear(
    listener: &mut PgListener,
    channel: &str,
    receiver: &FeedReceiver,
    hearing: &Hearing,
    heartbeat: &Heartbeat,
) -> Result<Infallible, Gap> {
    while let Some(notification) = listener.try_recv().await? {
        if notification.channel() != channel {
            heartbeat.came_back(notification.payload());
        } else if let Some(revoked) = told(notification.payload()) {
            receiver.revoked(&revoked);
        } else {
            hearing.doubt();
        }
    }
    Err(Gap::Disconnected)
}

/// The revocations in a notification; `None` when it has to be read what they are.
fn told(payload: &str) -> Option<Vec<RevokedSession>> {
    let list: Vec<(String, i64)> = serde_json::from_str(payload).ok()?;
    list.into_iter()
        .map(|(handle, expires_at_ms)| {
            let handle = SessionHandle::try_from(handle).ok()?;
            Some(RevokedSession {
                handle,
                expires_at_ms,
            })
        })
        .collect()
}

/// What is known about whether everything was heard.
#[derive(Debug, Default)]
struct Hearing {
    state: Mutex<State>,
    doubted: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How often something may have been missed.
    doubts: u64,
    /// How many of the doubts the last reading of the table began after.
    read: Option<u64>,
    /// Whether a heartbeat of the connection at hand has come back without a doubt.
    is_relied_on: bool,
}

impl Hearing {
    /// Something may have been missed: the table is to be read.
    fn doubt(&self) {
        self.state().doubts += 1;
        self.doubted.notify_one();
    }

    /// A heartbeat has come back: whether everything before it was heard or read.
    fn rely(&self) -> bool {
        let mut state = self.state();
        let is_complete = state.read == Some(state.doubts);
        state.is_relied_on |= is_complete;
        is_complete
    }

    /// The connection is of no use; says whether it ever was.
    fn give_up(&self) -> bool {
        let was_relied_on = std::mem::take(&mut self.state().is_relied_on);
        self.doubt();
        was_relied_on
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The heartbeat that is under way.
#[derive(Debug, Default)]
struct Heartbeat {
    nonce: Mutex<Option<String>>,
    returned: Notify,
}

impl Heartbeat {
    fn expect(&self, nonce: &str) {
        *self.nonce() = Some(nonce.to_owned());
    }

    fn came_back(&self, nonce: &str) {
        if self.nonce().take_if(|expected| expected == nonce).is_some() {
            self.returned.notify_one();
        }
    }

    fn nonce(&self) -> MutexGuard<'_, Option<String>> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why something may have been missed.
#[derive(Debug, thiserror::Error)]
enum Gap {
    #[error("the connection was lost")]
    Disconnected,
    #[error("a heartbeat did not come back; a pooler in transaction mode passes none on")]
    Silence,
    #[error("the listening connection could not be made in time")]
    Late(#[from] Elapsed),
    #[error("the table of revocations is another one")]
    AnotherTable,
    #[error(transparent)]
    Driver(#[from] sqlx::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the operating system gave no random bytes")]
    NoRandomness(#[from] getrandom::Error),
}

/// How long to wait before listening again. A server that is back is listened to within moments; a
/// pooler, which answers and passes nothing on, is not asked as often. By chance up to half as long,
/// so that nodes that lost one server do not all come back at once.
fn pause(gap: &Gap, failures: u32, random: u32) -> Duration {
    let longest = match gap {
        Gap::Silence => LONGEST_PAUSE_AFTER_SILENCE,
        _ => LONGEST_PAUSE,
    };
    let pause = (FIRST_PAUSE * 2_u32.pow(failures.min(8))).min(longest);
    pause.mul_f64(1.0 - f64::from(random) / f64::from(u32::MAX) / 2.0)
}

/// A name that nobody else can speak to or answer for.
fn unguessable(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let mut name = prefix.to_owned();
    name += &u128::from_be_bytes(bytes).to_string();
    Ok(name)
}

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// For records that nobody told of: an operator's, or a restored backup's.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);
const BREATH: Duration = Duration::from_millis(50);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1_500);
const LONGEST_PAUSE_AFTER_SILENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    /// Design §7: what a notification says is taken whole or not at all.
    #[test]
    fn what_makes_no_sense_is_read_in_the_table() {
        let told_of = |payload: &str| told(payload).map(|revoked| revoked.len());
        assert_eq!(told_of(r#"[["a", 5], ["b", -6]]"#), Some(2));
        let deep = "[".repeat(7_999);
        for payload in [
            "",
            "x",
            "{}",
            "[[\"a\"]]",
            r#"[["a", 5], ["", 6]]"#,
            r#"[["a", 5], [6, "b"]]"#,
            r#"[["a", 99999999999999999999]]"#,
            r#"[["a", 5]] x"#,
            "[[\"a\u{0}\", 5]]",
            &deep,
        ] {
            assert_eq!(told_of(payload), None, "{payload}");
        }
    }

    /// Design §7: a heartbeat that comes back says nothing while a doubt has not been read away,
    /// not even when a reading that began before the doubt has ended.
    #[test]
    fn a_heartbeat_counts_when_the_table_was_read_since_the_last_doubt() {
        let hearing = Hearing::default();
        assert!(!hearing.rely());
        hearing.doubt();
        let began_with = hearing.state().doubts;
        hearing.doubt();
        hearing.state().read = Some(began_with);
        assert!(!hearing.rely());
        hearing.state().read = Some(began_with + 1);
        assert!(hearing.rely());
        assert!(hearing.give_up());
        assert!(!hearing.rely());
        assert!(!hearing.give_up());
    }

    /// Design §7: a server that was down for long is listened to again soon after it is back, and not by
    /// all nodes at once.
    #[test]
    fn a_server_that_is_back_is_not_left_waiting() {
        for failures in 0..40 {
            for random in [0, u32::MAX / 2, u32::MAX] {
                let waited = pause(&Gap::Disconnected, failures, random);
                assert!(waited <= Duration::from_millis(1_500), "{failures}");
                assert!(waited >= FIRST_PAUSE / 2, "{failures}");
            }
        }
        let of_a_pooler = pause(&Gap::Silence, 40, 0);
        assert_eq!(of_a_pooler, Duration::from_secs(20));
        assert_eq!(pause(&Gap::Disconnected, 40, u32::MAX), LONGEST_PAUSE / 2);
    }

    /// A nonce that was not sent, or has come back already, is no heartbeat.
    #[test]
    fn a_heartbeat_that_is_made_up_does_not_count() {
        let heartbeat = Heartbeat::default();
        heartbeat.came_back("1");
        heartbeat.expect("1");
        heartbeat.came_back("2");
        assert_eq!(heartbeat.nonce().as_deref(), Some("1"));
        heartbeat.came_back("1");
        assert_eq!(*heartbeat.nonce(), None);
    }
}
