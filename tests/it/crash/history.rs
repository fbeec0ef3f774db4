//! What clients have asked and what they were told, in the order of one clock.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use super::checker;

/// Everything that happened to all sessions. Only records; [`checker`] judges.
#[derive(Debug, Default)]
pub(super) struct History {
    events: Mutex<Vec<Event>>,
    clock: AtomicUsize,
}

/// Something that was asked about a session, from the moment it was asked to the moment of the
/// answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) session: SessionNumber,
    pub(super) asked: usize,
    pub(super) answered: usize,
    pub(super) deed: Deed,
    pub(super) reply: Reply,
}

/// Sessions in the order of their logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionNumber(pub(super) usize);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    /// Logging in.
    Begin,
    /// A refresh with this token.
    Refresh(String),
    /// A request to a route that checks the database.
    Use,
    /// Ending the session, by itself or by another.
    End,
    /// A look into the database.
    Look,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// None: it may have happened or not.
    Nothing,
    Done,
    /// The refresh token to use from now on.
    Successor(String),
    /// How often the token of the row was exchanged.
    Row(u64),
    /// There is no such session.
    Gone,
    /// The access token has expired, so nothing was said about the session.
    Stale,
    Theft,
    /// Any other status.
    Status(u16),
}

impl History {
    /// The moment before something is asked.
    pub(super) fn now(&self) -> usize {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn record(&self, session: SessionNumber, asked: usize, deed: Deed, reply: Reply) {
        let answered = self.now();
        self.events.lock().unwrap().push(Event {
            session,
            asked,
            answered,
            deed,
            reply,
        });
    }

    /// A number for a session that is about to be made.
    pub(super) fn new_session(&self) -> SessionNumber {
        SessionNumber(self.now())
    }

    #[track_caller]
    pub(super) fn assert_consistent(&self, when: &str) {
        let violations = checker::check(&self.events.lock().unwrap());
        assert!(violations.is_empty(), "{when}: {violations:#?}");
    }

    /// Fails if so little happened that nothing is proved.
    #[track_caller]
    pub(super) fn assert_telling(&self, kills: usize) {
        let events = self.events.lock().unwrap();
        let count = |told: fn(&Event) -> bool| events.iter().filter(|event| told(event)).count();
        let refreshed = count(|event| matches!(event.reply, Reply::Successor(_)));
        let ended = count(|event| (&event.deed, &event.reply) == (&Deed::End, &Reply::Done));
        let unheard = count(|event| {
            event.reply == Reply::Nothing && matches!(event.deed, Deed::Refresh(_) | Deed::End)
        });
        let refused = count(|event| (&event.deed, &event.reply) == (&Deed::Use, &Reply::Gone));
        println!(
            "{kills} kills: {refreshed} refreshes and {ended} revocations acknowledged, {unheard} \
             unheard of, {refused} uses of ended sessions refused"
        );
        assert!(refreshed > 5 * kills, "{refreshed} refreshes");
        assert!(ended > kills / 4, "{ended} revocations");
        assert!(unheard > kills / 2, "{unheard} without an answer");
        assert!(refused > kills / 4, "{refused} refused");
    }
}
