//! What clients have asked and what they were told, in the order of one clock.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use session_core::clock::{Clock, SystemClock};

use crate::checker::{Promise, check};

/// Everything that happened to all sessions. Only records; [`check`] judges.
#[derive(Debug, Default)]
pub struct History {
    records: Mutex<Records>,
    sessions: AtomicUsize,
}

/// What was recorded.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Records {
    /// What clients asked and were told, in no order.
    pub events: Vec<Event>,
    /// When the database was known to be out of reach.
    pub outages: Vec<Outage>,
}

/// Something that was asked, from the moment it was asked to the moment of the answer.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Event {
    /// About which session; for [`Deed::EndAll`] any.
    pub session: SessionNumber,
    /// Which server was asked.
    pub node: usize,
    /// When it was asked.
    pub asked: Duration,
    /// When the answer was there, or it was clear that none would come.
    pub answered: Duration,
    /// What was asked.
    pub deed: Deed,
    /// What was answered.
    pub reply: Reply,
}

/// Sessions in the order of their logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct SessionNumber(pub usize);

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "tests match each")]
pub enum Deed {
    /// Logging in as a user.
    Begin(String),
    /// A refresh with this token.
    Refresh(String),
    /// A request to a route that checks the session.
    Use(Check),
    /// Ending the session, by itself or by another.
    End,
    /// Ending every session of a user.
    EndAll(String),
    /// A look into the database.
    Look,
}

/// How far a route looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match each")]
pub enum Check {
    /// At the token alone.
    Stateless,
    /// Into the set of revoked sessions.
    Blacklist,
    /// Into the database.
    Database,
}

/// What can be answered.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "tests match each")]
pub enum Reply {
    /// None: it may have happened or not.
    Nothing,
    /// It was done.
    Done,
    /// There is a session now, with this handle.
    Begun(String),
    /// The refresh token to use from now on.
    Successor(String),
    /// How often the token of the row was exchanged.
    Row(u64),
    /// There is no such session.
    Gone,
    /// The access token has expired, so nothing was said about the session.
    Stale,
    /// A superseded token was used.
    Theft,
    /// The database did not answer: it may have happened or not.
    Unavailable,
    /// Any other status.
    Status(u16),
}

/// A time in which a node could not reach the database.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Outage {
    /// Which node.
    pub node: usize,
    /// From this moment on it certainly could not.
    pub from: Duration,
    /// Until this moment it certainly could not.
    pub until: Duration,
    /// From this moment on it certainly could.
    pub back: Duration,
}

impl Records {
    /// What was asked about a session or about all of its user's, line by line, in the order of the
    /// answers.
    fn life_of(&self, session: SessionNumber) -> Vec<String> {
        let of_session = |event: &&Event| event.session == session;
        let user = self.events.iter().filter(of_session).find_map(Event::user);
        let concerns = |event: &&Event| {
            of_session(event) || matches!(&event.deed, Deed::EndAll(whose) if Some(whose) == user)
        };
        let mut events: Vec<&Event> = self.events.iter().filter(concerns).collect();
        events.sort_by_key(|event| event.answered);
        let line = |event: &Event| {
            let (asked, answered) = (event.asked, event.answered);
            let (node, deed, reply) = (event.node, &event.deed, &event.reply);
            format!("{asked:?} to {answered:?} at {node}: {deed:?}: {reply:?}")
        };
        events.into_iter().map(line).collect()
    }
}

impl Event {
    /// Who logged in.
    fn user(&self) -> Option<&String> {
        match &self.deed {
            Deed::Begin(user) => Some(user),
            _ => None,
        }
    }
}

impl History {
    /// The moment before something is asked.
    pub fn now(&self) -> Duration {
        SystemClock.monotonic()
    }

    /// Records what one server was asked at `asked` and has answered now.
    pub fn record(
        &self,
        session: SessionNumber,
        node: usize,
        asked: Duration,
        deed: Deed,
        reply: Reply,
    ) {
        let answered = self.now();
        self.lock().events.push(Event {
            session,
            node,
            asked,
            answered,
            deed,
            reply,
        });
    }

    /// Records that a node could not reach the database from `from` until `until`, and now can.
    pub fn record_outage(&self, node: usize, from: Duration, until: Duration) {
        let back = self.now();
        self.lock().outages.push(Outage {
            node,
            from,
            until,
            back,
        });
    }

    /// A number for a session that is about to be made.
    pub fn new_session(&self) -> SessionNumber {
        SessionNumber(self.sessions.fetch_add(1, Ordering::Relaxed))
    }

    /// How many events are such.
    pub fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        self.lock()
            .events
            .iter()
            .filter(|event| is_such(event))
            .count()
    }

    /// Fails when what was recorded cannot be the history of sessions that are kept as promised.
    ///
    /// # Panics
    ///
    /// With every violation, and what else is known of the session that it is about.
    #[track_caller]
    pub fn assert_consistent(&self, promise: &Promise, when: &str) {
        let records = self.lock();
        let violations = check(&records, promise);
        let lives = violations
            .iter()
            .map(|violation| (violation, records.life_of(violation.event.session)));
        let lives: Vec<_> = lives.collect();
        assert!(lives.is_empty(), "{when}: {lives:#?}");
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
