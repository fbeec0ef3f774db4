//! What clients have asked and what they were told, in the order of one clock.

use std::{
    ops::Range,
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
    /// When nodes were not there.
    pub absences: Vec<Absence>,
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
    /// Ending the session, which is acknowledged to the one who did.
    End,
    /// Signing out, which is acknowledged whether or not the session was there.
    SignOut,
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
    /// Until this moment it certainly could.
    pub began: Duration,
    /// From this moment on it certainly could not.
    pub from: Duration,
    /// Until this moment it certainly could not.
    pub until: Duration,
    /// From this moment on it certainly could.
    pub back: Duration,
}

/// A time in which a node had ended, or was about to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "tests write their own")]
pub struct Absence {
    /// Which node.
    pub node: usize,
    /// Until this moment it was certainly there.
    pub from: Duration,
    /// From this moment on it was there again, and everybody could know where.
    pub until: Duration,
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
    pub(crate) fn user(&self) -> Option<&String> {
        match &self.deed {
            Deed::Begin(user) => Some(user),
            _ => None,
        }
    }

    /// The token that was to be exchanged.
    pub(crate) fn presented(&self) -> Option<&str> {
        match &self.deed {
            Deed::Refresh(presented) => Some(presented),
            _ => None,
        }
    }

    /// What it was exchanged for.
    pub(crate) fn successor(&self) -> Option<&str> {
        match &self.reply {
            Reply::Successor(successor) => Some(successor),
            _ => None,
        }
    }

    /// Whether it may have happened or not, or still will.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.reply, Reply::Nothing | Reply::Unavailable)
    }

    /// Whether the session had a row when this was done. Only one can end it, and so can only one
    /// be told of a theft.
    pub(crate) fn shows_life(&self) -> bool {
        match self.reply {
            Reply::Successor(_) | Reply::Row(_) | Reply::Theft => true,
            Reply::Done => matches!(self.deed, Deed::Use(Check::Database) | Deed::End),
            _ => false,
        }
    }

    /// Whether something was asked that a token alone does not tell.
    pub(crate) fn asks_for_the_session(&self) -> bool {
        self.deed != Deed::Use(Check::Stateless)
    }

    /// Whether the answer cannot be had without the database.
    pub(crate) fn is_known_to_the_database_alone(&self) -> bool {
        self.shows_life()
            || matches!(self.reply, Reply::Begun(_))
            || self.reply == Reply::Done && matches!(self.deed, Deed::SignOut | Deed::EndAll(_))
    }

    /// Whether the blacklist let the session through.
    pub(crate) fn passes_the_blacklist(&self) -> bool {
        (&self.deed, &self.reply) == (&Deed::Use(Check::Blacklist), &Reply::Done)
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

    /// Records that a node could reach the database until something `began`, could not for a time,
    /// and now can.
    pub fn record_outage(&self, node: usize, began: Duration, certain: Range<Duration>) {
        let back = self.now();
        self.lock().outages.push(Outage {
            node,
            began,
            from: certain.start,
            until: certain.end,
            back,
        });
    }

    /// Records that since something `began` a node may or may not have reached the database, and now
    /// can.
    pub fn record_trouble(&self, node: usize, began: Duration) {
        self.record_outage(node, began, began..began);
    }

    /// Records that a node was there until `from`, had ended, and now is there again.
    pub fn record_absence(&self, node: usize, from: Duration) {
        let until = self.now();
        self.lock().absences.push(Absence { node, from, until });
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

    /// How many tokens were exchanged.
    pub fn refreshes(&self) -> usize {
        self.count(|event| event.successor().is_some())
    }

    /// How many sessions were ended, one by one or all of a user's, and that acknowledged.
    pub fn endings(&self) -> usize {
        self.count(|event| {
            event.reply == Reply::Done
                && matches!(event.deed, Deed::End | Deed::SignOut | Deed::EndAll(_))
        })
    }

    /// How many requests no node should have failed to serve.
    pub fn failures(&self) -> usize {
        self.count(|event| {
            event.is_unknown() || matches!(event.reply, Reply::Stale | Reply::Status(_))
        })
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
