//! The list of revocations, as a store keeps it that knows which of them were still open.
//!
//! Places are given out before the commit: of two revocations the one with the first place may be
//! committed last. A page goes on after a place, and the last one of a reading leaves off where
//! everything was committed when the first was read.

use std::collections::BTreeSet;

pub(super) type Session = &'static str;

/// Which sessions are revoked. Each has its place from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct List(BTreeSet<Session>);

/// What the store answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Page {
    pub(super) revoked: Vec<Session>,
    pub(super) next: Vec<u64>,
    pub(super) more: bool,
}

impl List {
    pub(super) fn commit(&mut self, session: Session) {
        self.0.insert(session);
    }

    pub(super) fn contains(&self, session: Session) -> bool {
        self.0.contains(session)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Session> {
        self.0.iter().copied()
    }

    /// The page that begins at `cursor`: the place it comes after and, unless it is the first, up to
    /// where everything was committed when that was read. What ends by `now_ms` is left out of it,
    /// and is passed all the same.
    pub(super) fn page(&self, cursor: &[u64], now_ms: i64, ends_ms: i64) -> Page {
        let after = cursor.first().copied().unwrap_or(0);
        let committed = cursor.get(1).copied();
        let committed = committed.unwrap_or_else(|| self.committed_up_to());
        let rows = (1..).zip(SESSIONS);
        let mut rows = rows.filter(|(place, session)| *place > after && self.contains(session));
        let row: Option<(u64, Session)> = rows.next();
        Page {
            revoked: row
                .filter(|_| ends_ms > now_ms)
                .map(|(_, session)| session)
                .into_iter()
                .collect(),
            next: row.map_or(vec![committed], |(place, _)| vec![place, committed]),
            more: row.is_some(),
        }
    }

    /// The last place of those before the first that is still open.
    fn committed_up_to(&self) -> u64 {
        let committed = SESSIONS.iter().take_while(|session| self.contains(session));
        committed.map(|_| 1).sum()
    }
}

/// In the order of their places.
pub(super) const SESSIONS: [Session; 2] = ["one", "other"];
