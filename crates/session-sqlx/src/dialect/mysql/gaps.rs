//! Following a list whose numbers are given out before the commit.
//!
//! A number that is missing below one that was seen belongs to a transaction that was undone, to a
//! record that was purged, or to a transaction that is still open. It is asked for again until it
//! appears or has been missing for longer than any transaction may take.

use std::time::Duration;

use session_core::store::{RevocationCursor, RevocationPage, RevokedSession, StoreError};
use sqlx::{MySql, mysql::MySqlRow};

use crate::{connections::Connections, dialect::Value, row};

pub(super) async fn revocations_since(
    connections: &Connections<MySql>,
    cursor: &RevocationCursor,
    now_ms: i64,
    limit: u32,
) -> Result<RevocationPage, StoreError> {
    let uptime_ms = millis(connections.opened.elapsed());
    let mut place = Place::of(cursor);
    place.forget(uptime_ms, millis(connections.longest_transaction));
    let mut page = Page {
        revoked: Vec::new(),
        room: limit,
    };
    for gap in std::mem::take(&mut place.gaps) {
        let values = [gap.first.into(), gap.last.into(), page.room.into()];
        let rows = page.read(connections, BETWEEN, &values).await?;
        place.gaps.extend(gap.without(&page.take(&rows, now_ms)?));
    }
    let values = [place.last.into(), page.room.into()];
    let rows = page.read(connections, AFTER, &values).await?;
    for number in page.take(&rows, now_ms)? {
        place.reach(number, uptime_ms);
    }
    place.join_gaps();
    Ok(RevocationPage {
        revoked: page.revoked,
        next: place.into_cursor(),
        more: page.room == 0,
    })
}

/// What has been read for the answer.
struct Page {
    revoked: Vec<RevokedSession>,
    room: u32,
}

impl Page {
    async fn read(
        &self,
        connections: &Connections<MySql>,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<MySqlRow>, StoreError> {
        if self.room == 0 {
            return Ok(Vec::new());
        }
        connections.read(sql, values).await
    }

    /// Keeps what has not expired, and returns the numbers of all: an expired record is not missing.
    fn take(&mut self, rows: &[MySqlRow], now_ms: i64) -> Result<Vec<u64>, StoreError> {
        self.room = self
            .room
            .saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let mut numbers = Vec::with_capacity(rows.len());
        for row in rows {
            numbers.push(row::place::<MySql>(row, "number")?);
            let revoked = row::revoked::<MySql>(row)?;
            if revoked.expires_at_ms > now_ms {
                self.revoked.push(revoked);
            }
        }
        Ok(numbers)
    }
}

/// The meaning of a cursor: the greatest number that was seen, and for each gap its first and last
/// number and when it was found.
#[derive(Debug, Default, PartialEq)]
struct Place {
    last: u64,
    gaps: Vec<Gap>,
}

impl Place {
    fn of(cursor: &RevocationCursor) -> Self {
        let (last, gaps) = cursor.0.split_first().unwrap_or((&0, &[]));
        let gaps = gaps.chunks_exact(3).filter_map(|gap| match *gap {
            [first, last, found_ms] => Some(Gap {
                first,
                last,
                found_ms,
            }),
            _ => None,
        });
        Self {
            last: *last,
            gaps: gaps.collect(),
        }
    }

    fn into_cursor(self) -> RevocationCursor {
        let gaps = self.gaps.into_iter();
        let gaps = gaps.flat_map(|gap| [gap.first, gap.last, gap.found_ms]);
        RevocationCursor([self.last].into_iter().chain(gaps).collect())
    }

    /// Gives up what has been missing for too long.
    fn forget(&mut self, uptime_ms: u64, longest_ms: u64) {
        self.gaps
            .retain(|gap| uptime_ms.saturating_sub(gap.found_ms) <= longest_ms);
    }

    /// A number was seen, greater than those before.
    fn reach(&mut self, number: u64, uptime_ms: u64) {
        let first = self.last.saturating_add(1);
        if first < number {
            self.gaps.push(Gap {
                first,
                last: number - 1,
                found_ms: uptime_ms,
            });
        }
        self.last = number;
    }

    /// Keeps their number within bounds by joining the oldest: what lies between is then read again,
    /// which does no harm.
    fn join_gaps(&mut self) {
        let surplus = self.gaps.len().saturating_sub(MOST_GAPS);
        if surplus == 0 {
            return;
        }
        let mut joined = self.gaps.drain(..=surplus).reduce(|one, other| Gap {
            first: one.first.min(other.first),
            last: one.last.max(other.last),
            found_ms: one.found_ms.max(other.found_ms),
        });
        if let Some(joined) = joined.take() {
            self.gaps.insert(0, joined);
        }
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

/// Each is one statement of a poll.
const MOST_GAPS: usize = 64;

const AFTER: &str = "SELECT number, handle, expires_at_ms FROM session_revocations \
                     WHERE number > ? ORDER BY number LIMIT ?";
const BETWEEN: &str = "SELECT number, handle, expires_at_ms FROM session_revocations \
                       WHERE number BETWEEN ? AND ? ORDER BY number LIMIT ?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_remembered_and_a_cursor_carries_it() {
        let mut place = Place::default();
        for number in [1, 2, 5, 6, 9] {
            place.reach(number, 100);
        }
        let gap = |first, last| Gap {
            first,
            last,
            found_ms: 100,
        };
        assert_eq!(
            (place.last, &*place.gaps),
            (9, [gap(3, 4), gap(7, 8)].as_slice())
        );
        let cursor = place.into_cursor();
        let place = Place::of(&cursor);
        assert_eq!(place.into_cursor(), cursor);
    }

    #[test]
    fn what_appears_is_not_asked_for_again() {
        let gap = |first, last| Gap {
            first,
            last,
            found_ms: 7,
        };
        assert_eq!(gap(3, 8).without(&[]), [gap(3, 8)]);
        assert_eq!(gap(3, 8).without(&[3, 5, 8]), [gap(4, 4), gap(6, 7)]);
        assert_eq!(gap(3, 4).without(&[3, 4]), []);
    }

    #[test]
    fn a_gap_is_given_up_when_no_transaction_can_be_that_old() {
        let mut place = Place::default();
        place.reach(3, 100);
        place.reach(6, 200);
        place.forget(1_150, 1_000);
        assert_eq!(
            place.gaps.iter().map(|gap| gap.first).collect::<Vec<_>>(),
            [4]
        );
    }

    /// A follower's memory is bounded, and no gap is lost for it.
    #[test]
    fn gaps_beyond_the_bound_are_joined_and_not_dropped() {
        let mut place = Place::default();
        for number in 1..=500 {
            place.reach(number * 2, number);
        }
        place.join_gaps();
        assert_eq!(place.gaps.len(), MOST_GAPS);
        for missing in (1..1000).step_by(2) {
            let covers = |gap: &Gap| gap.first <= missing && missing <= gap.last;
            assert!(place.gaps.iter().any(covers), "{missing}");
        }
    }
}
