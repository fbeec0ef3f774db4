//! `Place`: how far a list of revocations has been read, and of which server.

use redis::{FromRedisValue, ParsingError, Value, from_redis_value};
use session_core::store::{RevocationCursor, RevokedSession, StoreError};

use crate::row::{handle_of, time_of};

/// A place in the stream of one memory and of one run of the server.
///
/// The epoch tells a server that was flushed or replaced by an empty one. The run tells one that was
/// restarted or failed over: it may have lost the last entries and given out their places again, so
/// its list is read from the start.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    epoch: u64,
    run: u64,
    /// The two numbers of the last entry that was read.
    last: (u64, u64),
}

impl Place {
    pub(crate) fn of(cursor: &RevocationCursor) -> Self {
        match *cursor.0 {
            [epoch, run, millis, number] => Self {
                epoch,
                run,
                last: (millis, number),
            },
            _ => Self::default(),
        }
    }

    pub(crate) fn into_cursor(self) -> RevocationCursor {
        RevocationCursor(vec![self.epoch, self.run, self.last.0, self.last.1])
    }

    /// The arguments of the script that reads on from here.
    pub(crate) fn as_arguments(&self, limit: u32) -> (u32, u64, String, String) {
        let (millis, number) = self.last;
        let (millis, number) = match number.checked_add(1) {
            Some(next) => (millis, next),
            None => (millis.saturating_add(1), 0),
        };
        let from = format!("{millis}-{number}");
        (limit, self.epoch, format!("{:016x}", self.run), from)
    }

    /// Moves to the last entry of an answer.
    pub(crate) fn is_now_at(&mut self, answer: &Answer) {
        if (self.epoch, self.run) != (answer.epoch, answer.run) {
            self.last = (0, 0);
        }
        (self.epoch, self.run) = (answer.epoch, answer.run);
        if let Some(entry) = answer.entries.last() {
            self.last = entry.place;
        }
    }
}

/// What the server says comes next.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) epoch: u64,
    run: u64,
    pub(crate) entries: Vec<Entry>,
}

/// A revocation and its place.
#[derive(Debug)]
pub(crate) struct Entry {
    place: (u64, u64),
    handle: Vec<u8>,
    ends: Vec<u8>,
}

impl Answer {
    /// The revocations that concern anybody at `now_ms`.
    pub(crate) fn living_at(self, now_ms: i64) -> Result<Vec<RevokedSession>, StoreError> {
        let mut living = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let expires_at_ms = time_of(&entry.ends)?;
            if expires_at_ms > now_ms {
                living.push(RevokedSession {
                    handle: handle_of(entry.handle)?,
                    expires_at_ms,
                });
            }
        }
        Ok(living)
    }
}

impl FromRedisValue for Answer {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        type Entries = Vec<(String, Vec<u8>, Vec<u8>)>;
        let (epoch, run, entries): (u64, String, Entries) = from_redis_value(value)?;
        let run = u64::from_str_radix(&run, 16)
            .map_err(|_| ParsingError::from("the server's run is no number"))?;
        let entries: Result<Vec<Entry>, ParsingError> = entries
            .into_iter()
            .map(|(place, handle, ends)| {
                let place = place
                    .split_once('-')
                    .and_then(|(millis, number)| Some((millis.parse().ok()?, number.parse().ok()?)))
                    .ok_or_else(|| ParsingError::from("a place is no two numbers"))?;
                Ok(Entry {
                    place,
                    handle,
                    ends,
                })
            })
            .collect();
        Ok(Self {
            epoch,
            run,
            entries: entries?,
        })
    }
}

#[cfg(test)]
mod model;
