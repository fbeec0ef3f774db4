//! What the model is made of: the row, the tokens people hold, their requests, and the true history.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use crate::{store::SessionRecord, token::refresh::RefreshTokenParts};

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) ticks: u8,
    pub(super) row: Option<Row>,
    /// What a failover would bring back.
    pub(super) standby: Option<Row>,
    /// The end of the record that the revocation left.
    pub(super) record_until_ms: Option<i64>,
    pub(super) has_failed_over: bool,
    /// Whether the node that began without the newest key has read the keys since.
    pub(super) has_read_keys: bool,
    /// What the tabs share.
    pub(super) jar: Held,
    pub(super) loot: Option<Held>,
    pub(super) requests: [Request; 3],
    pub(super) sends_left: [u8; 2],
    pub(super) history: History,
    pub(super) seen: Seen,
}

/// Who presents tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    OneTab,
    OtherTab,
    Thief,
}

impl Who {
    pub(super) const ALL: [Self; 3] = [Self::OneTab, Self::OtherTab, Self::Thief];

    pub(super) fn is_honest(self) -> bool {
        self != Self::Thief
    }
}

impl World {
    pub(super) fn request(&self, who: Who) -> &Request {
        let [one, other, thief] = &self.requests;
        match who {
            Who::OneTab => one,
            Who::OtherTab => other,
            Who::Thief => thief,
        }
    }

    pub(super) fn request_mut(&mut self, who: Who) -> &mut Request {
        let [one, other, thief] = &mut self.requests;
        match who {
            Who::OneTab => one,
            Who::OtherTab => other,
            Who::Thief => thief,
        }
    }

    pub(super) fn sends_left(&self, who: Who) -> u8 {
        let [honest, thief] = self.sends_left;
        if who.is_honest() { honest } else { thief }
    }

    pub(super) fn sends_left_mut(&mut self, who: Who) -> &mut u8 {
        let [honest, thief] = &mut self.sends_left;
        if who.is_honest() { honest } else { thief }
    }

    /// The tokens that the user may still present: in the jar, or about to overwrite it.
    pub(super) fn honest_tokens(&self) -> impl Iterator<Item = &Held> {
        let [one, other, _] = &self.requests;
        [one, other]
            .into_iter()
            .filter_map(Request::token)
            .chain([&self.jar])
    }
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Request {
    None,
    /// On its way to a node, or to be judged anew after a lost swap.
    Sent(Held),
    /// Judged by the row as it was then; the statement is under way.
    Judged(Held, Statement),
    /// On its way back.
    Answered(Held),
}

impl Request {
    fn token(&self) -> Option<&Held> {
        match self {
            Self::None => None,
            Self::Sent(held) | Self::Judged(held, _) | Self::Answered(held) => Some(held),
        }
    }
}

/// What a node asks of the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Statement {
    /// Swap the row of this generation for another one.
    Rotate { from: u64, to: Row, next: Held },
    /// End the session for a theft. What the row said when that was decided.
    End(Row),
}

/// A row of the service's own type.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Row(pub(super) Arc<SessionRecord>);

impl Row {
    pub(super) fn with(&self, change: impl FnOnce(&mut SessionRecord)) -> Self {
        let mut row = SessionRecord::clone(&self.0);
        change(&mut row);
        Self(Arc::new(row))
    }
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let row = &self.0;
        (row.generation, row.secret_hash, row.refresh_key.as_str()).hash(state);
        (
            row.refreshed_at_ms,
            row.expires_at_ms,
            row.access_expires_at_ms,
        )
            .hash(state);
        row.rotations.to_text().hash(state);
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.0, self.0.rotations.to_text())
    }
}

/// A refresh token, as it is once its MAC has been verified.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) parts: Arc<RefreshTokenParts>,
    pub(super) hash: [u8; 32],
}

impl Held {
    pub(super) fn new(parts: RefreshTokenParts) -> Self {
        let hash = parts.secret.hash();
        Self {
            parts: Arc::new(parts),
            hash,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.parts.generation
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        (self.generation(), &self.parts.key, self.hash)
            == (other.generation(), &other.parts.key, other.hash)
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.generation(), self.parts.key.as_str(), self.hash).hash(state);
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.hash;
        let (generation, key) = (self.generation(), &self.parts.key);
        write!(f, "{generation} under {key} ({a:02x}{b:02x})")
    }
}

/// What has really happened, which nobody in the model can see.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct History {
    /// The secret of each generation, as it was handed out first.
    pub(super) handed_out: BTreeMap<u64, [u8; 32]>,
    /// When the database first moved past each generation.
    pub(super) superseded_at_ms: BTreeMap<u64, i64>,
    /// The latest expiry of all access tokens.
    pub(super) access_until_ms: i64,
    pub(super) thief_has_acted: bool,
}

/// What must never be seen, and what has to be seen for the search to be worth anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own"
)]
pub(super) struct Seen {
    pub(super) two_lines: bool,
    pub(super) went_back: bool,
    pub(super) accused_the_user: bool,
    pub(super) logged_out: bool,
    pub(super) served_too_late: bool,
    pub(super) let_a_thief_go: bool,
    pub(super) came_back: bool,
    pub(super) theft: bool,
    pub(super) lost_swap: bool,
    pub(super) replay: bool,
    pub(super) ahead_of_store: bool,
}
