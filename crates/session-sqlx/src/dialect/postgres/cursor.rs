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

/// At least one row, for the horizon and for which server it is: the cluster and its timeline, which
/// each promotion and each backup restored to a moment begins anew; when it was started, which a copy
/// of its files put back in their place cannot be without; and since when it has statistics, which it
/// throws away when it recovers from a crash, as it does the numbers of transactions that were not on
/// the disk. The rest of it NULL when there is nothing.
pub(super) const REVOCATIONS_SINCE: &str = concat!(
    "SELECT now.horizon, now.is_replica, now.server, page.* FROM \
    (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon, ",
    is_replica!(),
    ", \
    hashtextextended(concat_ws('/', (SELECT system_identifier FROM pg_control_system()), \
    CASE WHEN NOT pg_is_in_recovery() \
    THEN substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END, \
    extract(epoch FROM pg_postmaster_start_time()), \
    (SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter)), 0) AS server) AS now \
    LEFT JOIN (SELECT written_by::text::bigint AS transaction, number, handle, expires_at_ms \
    FROM session_revocations WHERE (written_by, number) > ($1::bigint::text::xid8, $2) \
    AND expires_at_ms > $3 ORDER BY written_by, number LIMIT $4) AS page ON true \
    ORDER BY page.transaction, page.number"
);

#[cfg(test)]
mod model;
