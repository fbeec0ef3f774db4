//! Following a list whose numbers are given out before the commit.
//!
//! A number that is missing below one that was seen belongs to a transaction that was undone, to a
//! record that was purged, or to a transaction that is still open. It is asked for again until it
//! appears or has been missing for longer than any transaction may take.

use std::time::Duration;

use session_core::store::{RevocationCursor, RevocationPage, RevokedSession, StoreError};
use sqlx::{MySql, mysql::MySqlRow};

use crate::{
    connections::{Connections, Failure, Lease},
    dialect::Value,
    replica::refuse_replica,
    row,
};

pub(super) async fn revocations_since(
    connections: &Connections<MySql>,
    cursor: &RevocationCursor,
    now_ms: i64,
    limit: u32,
) -> Result<RevocationPage, StoreError> {
    connections
        .patiently(|| async {
            let mut lease = connections.lease_to_read().await?;
            let page = next_page(connections, &mut lease, cursor, now_ms, limit).await;
            lease.finished(page)
        })
        .await
}

/// What is asked for a page, as it is when there is one gap.
pub(super) fn statements(limit: u32) -> Vec<(&'static str, Vec<Value<'static>>)> {
    let mut place = Place::default();
    place.reach(Seen { number: 2, mark: 0 }, 0);
    place.resume = 0;
    let missing = place.what_is_missing(limit).unwrap_or_default();
    vec![
        (SERVER, Vec::new()),
        (MISSING, missing),
        (AFTER, place.what_comes_after(limit)),
    ]
}

/// On one connection, so that what is said about the server holds for all of the page.
async fn next_page(
    connections: &Connections<MySql>,
    lease: &mut Lease<MySql>,
    cursor: &RevocationCursor,
    now_ms: i64,
    limit: u32,
) -> Result<RevocationPage, Failure> {
    let server = lease.ask(connections.names.fill(SERVER), &[]).await?;
    refuse_replica::<MySql>(server.first()).map_err(Failure::Unasked)?;
    let uptime_ms = millis(connections.opened.elapsed());
    let longest_ms = millis(connections.longest_transaction);
    let identity = match server.first() {
        Some(server) => row::place::<MySql>(server, "server")?,
        None => return Err(StoreError::Corrupt("server").into()),
    };
    let mut place = Place::of(cursor).on(identity);
    let mut page = Page {
        revoked: Vec::new(),
        room: limit,
    };
    if let Some(values) = place.what_is_missing(page.room) {
        let rows = lease.ask(connections.names.fill(MISSING), &values).await?;
        let found = records(&rows)?;
        let numbers: Vec<u64> = found.iter().map(|(seen, _)| seen.number).collect();
        page.take(found, now_ms);
        place.pass_missing(&numbers, page.room, uptime_ms, longest_ms);
    }
    if page.room > 0 {
        let values = place.what_comes_after(page.room);
        let rows = lease.ask(connections.names.fill(AFTER), &values).await?;
        let mut came = records(&rows)?;
        let seen: Vec<Seen> = came.iter().map(|(seen, _)| *seen).collect();
        let Some(known) = place.pass_after(&seen, uptime_ms) else {
            return Ok(RevocationPage {
                revoked: page.revoked,
                next: RevocationCursor::default(),
                more: true,
            });
        };
        page.take(came.drain(known..), now_ms);
    }
    let more = page.room == 0;
    place.end_page(more, longest_ms);
    Ok(RevocationPage {
        revoked: page.revoked,
        next: place.into_cursor(),
        more,
    })
}

/// What has been read for the answer.
struct Page {
    revoked: Vec<RevokedSession>,
    room: u32,
}

impl Page {
    /// Keeps what has not expired.
    fn take(&mut self, records: impl IntoIterator<Item = (Seen, RevokedSession)>, now_ms: i64) {
        for (_, revoked) in records {
            self.room = self.room.saturating_sub(1);
            if revoked.expires_at_ms > now_ms {
                self.revoked.push(revoked);
            }
        }
    }
}

/// What was answered. An expired record is not missing.
fn records(rows: &[MySqlRow]) -> Result<Vec<(Seen, RevokedSession)>, StoreError> {
    let record = |row| {
        let revoked = row::revoked::<MySql>(row)?;
        let number = row::place::<MySql>(row, "number")?;
        let mark = row::mark(&revoked);
        Ok((Seen { number, mark }, revoked))
    };
    rows.iter().map(record).collect()
}

/// What a cursor remembers of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    number: u64,
    mark: u64,
}

/// The meaning of a cursor: the server whose list it is a place in; the record with the greatest
/// number that was seen; the number that the pages read so far went up to, while there are more, so
/// that each page goes on and none is read twice; and for each gap its first and last number and
/// when it was found, in ascending order.
#[derive(Debug, Default, PartialEq)]
struct Place {
    server: u64,
    last: Seen,
    resume: u64,
    gaps: Vec<Gap>,
}

impl Place {
    fn of(cursor: &RevocationCursor) -> Self {
        let [server, number, mark, resume, gaps @ ..] = cursor.0.as_slice() else {
            return Self::default();
        };
        let gaps = gaps.chunks_exact(3).filter_map(|gap| match *gap {
            [first, last, found_ms] => Some(Gap {
                first,
                last,
                found_ms,
            }),
            _ => None,
        });
        Self {
            server: *server,
            last: Seen {
                number: *number,
                mark: *mark,
            },
            resume: *resume,
            gaps: gaps.collect(),
        }
    }

    /// The same place if it is one on this server's list. A server that took another one's place
    /// may have lost its last records and give their numbers out again; then the list is read from
    /// its beginning.
    fn on(self, server: u64) -> Self {
        if self.server == server {
            return self;
        }
        Self {
            server,
            ..Self::default()
        }
    }

    fn into_cursor(self) -> RevocationCursor {
        let gaps = self.gaps.into_iter();
        let gaps = gaps.flat_map(|gap| [gap.first, gap.last, gap.found_ms]);
        let place = [self.server, self.last.number, self.last.mark, self.resume];
        RevocationCursor(place.into_iter().chain(gaps).collect())
    }

    /// The parameters of `MISSING`, unless the pages before this one have been through all gaps.
    fn what_is_missing(&self, room: u32) -> Option<Vec<Value<'static>>> {
        let mut ranges: Vec<(u64, u64)> = self
            .gaps
            .iter()
            .filter(|gap| gap.last > self.resume)
            .map(|gap| (gap.first.max(self.resume.saturating_add(1)), gap.last))
            .collect();
        if ranges.is_empty() {
            return None;
        }
        ranges.resize(MOST_GAPS, NOTHING);
        let mut values: Vec<Value<'static>> = ranges
            .into_iter()
            .flat_map(|(first, last)| [first.into(), last.into()])
            .collect();
        values.push(room.into());
        Some(values)
    }

    /// The parameters of `AFTER`, whose answer begins with the last record that was seen, if there
    /// was one.
    fn what_comes_after(&self, room: u32) -> Vec<Value<'static>> {
        let known = u32::from(self.last.number > 0);
        vec![self.last.number.into(), room.saturating_add(known).into()]
    }

    /// Goes past the answer to `MISSING`: the numbers that were found, and the room that is left.
    fn pass_missing(&mut self, found: &[u64], room: u32, uptime_ms: u64, longest_ms: u64) {
        let asked_after = self.resume;
        self.fill(found);
        let asked_up_to = if room > 0 { u64::MAX } else { self.resume };
        self.forget(asked_after, asked_up_to, uptime_ms, longest_ms);
    }

    /// Goes past the answer to `AFTER` and says how many of its records were known; none when the
    /// last one that was seen is not in its place. Then a backup may have been restored by the same
    /// server, whose numbers, given out again, may be beyond it by now; or it was purged, and with it
    /// most of what there is to read again.
    fn pass_after(&mut self, came: &[Seen], uptime_ms: u64) -> Option<usize> {
        let known = match self.last.number {
            0 => 0,
            _ if came.first() == Some(&self.last) => 1,
            _ => return None,
        };
        for seen in came.iter().skip(known) {
            self.reach(*seen, uptime_ms);
        }
        Some(known)
    }

    /// The page is over; when there are no more, so is the poll.
    fn end_page(&mut self, more: bool, longest_ms: u64) {
        if !more {
            self.resume = 0;
        }
        self.join_gaps(longest_ms);
    }

    /// Numbers were found, in ascending order, in gaps.
    fn fill(&mut self, found: &[u64]) {
        self.gaps = std::mem::take(&mut self.gaps)
            .into_iter()
            .flat_map(|gap| {
                let before = found.partition_point(|number| *number < gap.first);
                let up_to = found.partition_point(|number| *number <= gap.last);
                gap.without(found.get(before..up_to).unwrap_or_default())
            })
            .collect();
        if let Some(last) = found.last() {
            self.resume = *last;
        }
    }

    /// Gives up what had been missing for too long when it was asked for, in vain, between these
    /// numbers. What has not been asked for since is kept however old it is: its transaction may have
    /// been committed while nobody could ask.
    fn forget(&mut self, asked_after: u64, asked_up_to: u64, uptime_ms: u64, longest_ms: u64) {
        self.gaps.retain(|gap| {
            let was_asked_for = gap.first > asked_after && gap.last <= asked_up_to;
            !was_asked_for || uptime_ms.saturating_sub(gap.found_ms) <= longest_ms
        });
    }

    /// A record was seen, with a greater number than those before.
    fn reach(&mut self, seen: Seen, uptime_ms: u64) {
        let first = self.last.number.saturating_add(1);
        if first < seen.number {
            self.gaps.push(Gap {
                first,
                last: seen.number - 1,
                found_ms: uptime_ms,
            });
        }
        self.last = seen;
        self.resume = seen.number;
    }

    /// Keeps their number within bounds by joining neighbours: what lies between is then read again
    /// in every poll, which does no harm as long as it is little. So the neighbours with the least
    /// between them are joined, and only such as were found at about the same time: otherwise one
    /// gap would take up new ones for ever and never be old enough to be given up.
    fn join_gaps(&mut self, longest_ms: u64) {
        let surplus = self.gaps.len().saturating_sub(MOST_GAPS);
        if surplus == 0 {
            return;
        }
        let period_ms = (longest_ms / PERIODS).saturating_add(1);
        let mut neighbours: Vec<_> = (self.gaps.iter().zip(self.gaps.iter().skip(1)).enumerate())
            .map(|(index, (one, other))| {
                let is_later = one.found_ms / period_ms != other.found_ms / period_ms;
                (is_later, other.first.saturating_sub(one.last), index)
            })
            .collect();
        neighbours.sort_unstable();
        let mut joined: Vec<usize> = neighbours
            .into_iter()
            .take(surplus)
            .map(|(_, _, index)| index)
            .collect();
        joined.sort_unstable();
        let mut gaps: Vec<Gap> = Vec::with_capacity(MOST_GAPS);
        for (index, gap) in std::mem::take(&mut self.gaps).into_iter().enumerate() {
            let with_the_one_before = index
                .checked_sub(1)
                .is_some_and(|before| joined.binary_search(&before).is_ok());
            match gaps.last_mut() {
                Some(before) if with_the_one_before => {
                    before.last = gap.last;
                    before.found_ms = before.found_ms.max(gap.found_ms);
                }
                _ => gaps.push(gap),
            }
        }
        self.gaps = gaps;
    }
}

/// Numbers that are missing, and when that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gap {
    first: u64,
    last: u64,
    found_ms: u64,
}

impl Gap {
    /// What is missing still after these numbers, in ascending order, were found in it.
    fn without(self, found: &[u64]) -> Vec<Self> {
        let mut left = Vec::new();
        let mut first = self.first;
        for number in found {
            if first < *number {
                left.push(Self {
                    first,
                    last: number - 1,
                    ..self
                });
            }
            first = number.saturating_add(1);
        }
        if first <= self.last {
            left.push(Self { first, ..self });
        }
        left
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Each is a condition of a statement.
const MOST_GAPS: usize = 64;
/// How finely the age of a gap is told apart when gaps are joined; fewer than there may be gaps, so
/// that there are always neighbours of one age.
const PERIODS: u64 = 16;
/// A range that no number is in.
const NOTHING: (u64, u64) = (1, 0);

/// What has to be known of the server: that it is no replica, and which one it is. MariaDB, which
/// passes over the comment, has no identity but its address.
const SERVER: &str = concat!(
    "SELECT ",
    is_replica!(),
    ", CAST(CONV(LEFT(SHA2(CONCAT_WS('/', @@hostname, @@port, @@server_id \
     /*!80000 , @@server_uuid */), 256), 15), 16, 10) AS SIGNED) AS server"
);
const AFTER: &str = "SELECT number, handle, expires_at_ms FROM session_revocations \
                     WHERE number >= ? ORDER BY number LIMIT ?";

macro_rules! eight_times {
    ($text:expr) => {
        concat!($text, $text, $text, $text, $text, $text, $text, $text)
    };
}

/// All gaps at once, as conditions that the optimiser takes for as many ranges of the key: it would
/// sort the whole of a join.
const MISSING: &str = concat!(
    "SELECT number, handle, expires_at_ms FROM session_revocations WHERE FALSE",
    eight_times!(eight_times!(" OR number BETWEEN ? AND ?")),
    " ORDER BY number LIMIT ?"
);

#[cfg(test)]
mod answers;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
