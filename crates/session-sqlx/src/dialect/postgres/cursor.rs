//! Following a list by the transactions that wrote it.
//!
//! Transactions are numbered when they first write and end in any order. Every one below the horizon
//! of a snapshot has ended, so all that it wrote is in what the snapshot shows: the next poll starts
//! at the horizon that the first page of this one had, however long a transaction stays open.

use session_core::store::RevocationCursor;

/// The meaning of a cursor: the server whose transactions are counted; the last record that was
/// read, as its transaction and number; and inside a poll the horizon at its start.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Place {
    server: Option<u64>,
    pub(super) transaction: u64,
    pub(super) number: u64,
    horizon: Option<u64>,
}

impl Place {
    pub(super) fn of(cursor: &RevocationCursor) -> Self {
        let at = |index| cursor.0.get(index).copied();
        Self {
            server: at(0),
            transaction: at(1).unwrap_or(0),
            number: at(2).unwrap_or(0),
            horizon: at(3),
        }
    }

    /// The same place if it is one on this server's list, in a poll that has begun. Transactions are
    /// counted anew where another server took this one's place, where the database was restored, and
    /// where a crash took those that were not on the disk: then the list is read from its beginning.
    pub(super) fn on(self, server: u64, horizon: u64) -> Option<Self> {
        let is_another = self.server.is_some_and(|known| known != server);
        if is_another || horizon < self.horizon.unwrap_or(self.transaction) {
            return None;
        }
        Some(Self {
            server: Some(server),
            horizon: self.horizon.or(Some(horizon)),
            ..self
        })
    }

    pub(super) fn into_cursor(self) -> RevocationCursor {
        let Some(server) = self.server else {
            return RevocationCursor::default();
        };
        let place = [server, self.transaction, self.number];
        RevocationCursor(place.into_iter().chain(self.horizon).collect())
    }

    /// A record was read, after those before.
    pub(super) fn reach(&mut self, transaction: u64, number: u64) {
        self.transaction = transaction;
        self.number = number;
    }

    /// The last page was read.
    pub(super) fn finish(&mut self) {
        if let Some(horizon) = self.horizon.take() {
            self.reach(horizon, 0);
        }
    }
}

#[cfg(test)]
mod model;
