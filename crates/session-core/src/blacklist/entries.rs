//! The entries of the set: many small tables instead of a large one.
//!
//! A table doubles when it is full, and while it does nobody reads it; so does the memory that it
//! takes. Each of these holds a small part of the entries, so that a reader hardly ever waits, and
//! growing takes hardly any memory beyond what is kept.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use foldhash::quality::RandomState;

/// What is known of each session: when its last access token expires.
pub(super) struct Entries {
    tables: Box<[RwLock<Table>]>,
    len: AtomicUsize,
}

/// Bytes for a key, as a number of 128 bits is aligned so that eight more would be wasted on each.
type Table = HashMap<[u8; 16], i64, RandomState>;

impl Entries {
    /// For about this many entries at most.
    pub(super) fn new(capacity: usize) -> Self {
        let tables = (capacity / ENTRIES_OF_A_TABLE).clamp(FEWEST_TABLES, MOST_TABLES);
        let tables = tables.min(capacity.max(1));
        Self {
            tables: (0..tables).map(|_| RwLock::default()).collect(),
            len: AtomicUsize::new(0),
        }
    }

    /// Adds an entry, or keeps the later of two expiries.
    pub(super) fn insert(&self, key: u128, expires_at_ms: i64) {
        let mut table = self
            .table(key)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = table.len();
        let known = table.entry(key.to_be_bytes()).or_insert(expires_at_ms);
        *known = expires_at_ms.max(*known);
        self.len.fetch_add(table.len() - before, Ordering::Relaxed);
    }

    pub(super) fn contains(&self, key: u128) -> bool {
        self.table(key)
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&key.to_be_bytes())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Removes what has expired from one table after the other, and yields how many entries each
    /// had. No table is locked between two.
    pub(super) fn sweep(&self, now_ms: i64) -> impl Iterator<Item = usize> {
        self.tables.iter().map(move |table| {
            let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
            let before = table.len();
            table.retain(|_, expires_at_ms| *expires_at_ms > now_ms);
            if table.len() * 20 < table.capacity() * 9 {
                // To half, with room to grow again, so that it is not done in vain.
                let room = table.len() + table.len() / 10;
                table.shrink_to(room);
            }
            self.len.fetch_sub(before - table.len(), Ordering::Relaxed);
            before
        })
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(u128, i64)> {
        let tables = self.tables.iter().map(|table| table.read().unwrap());
        tables
            .flat_map(|table| {
                let entries = table.iter();
                let entries = entries.map(|(key, ends_ms)| (u128::from_be_bytes(*key), *ends_ms));
                entries.collect::<Vec<_>>()
            })
            .collect()
    }

    /// The last bits of a key are as good as random, as they are a keyed hash's.
    fn table(&self, key: u128) -> &RwLock<Table> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of the bits are enough"
        )]
        let bits = key as u64;
        let index = usize::try_from(bits % self.tables.len() as u64).unwrap_or(0);
        #[expect(
            clippy::indexing_slicing,
            reason = "a remainder of their number is below it"
        )]
        &self.tables[index]
    }
}

const ENTRIES_OF_A_TABLE: usize = 1_000;
/// So many that readers on many cores seldom meet a writer.
const FEWEST_TABLES: usize = 64;
/// At ten million entries each has ten thousand, which it moves in well under a millisecond.
const MOST_TABLES: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    /// I14: an entry takes at most 64 bytes, however many there are, while tables grow and after
    /// most have left.
    #[test]
    fn an_entry_takes_64_bytes_at_most() {
        const MOST: u32 = 400_000;
        const FEWEST: u32 = 20_000;
        let entries = Entries::new(1_000_000);
        for number in 1..=MOST {
            entries.insert(spread(number), i64::from(number));
            if number >= FEWEST && number % 5_000 == 0 {
                assert_small(&entries);
            }
        }
        for now_ms in (0..=MOST - FEWEST).step_by(5_000) {
            entries.sweep(i64::from(now_ms)).for_each(drop);
            assert_eq!(entries.len(), usize::try_from(MOST - now_ms).unwrap());
            assert_small(&entries);
        }
        entries.sweep(i64::MAX).for_each(drop);
        assert_eq!((entries.len(), bytes(&entries)), (0, 0));
    }

    fn assert_small(entries: &Entries) {
        // The table that is being moved takes its new memory before it gives back the old.
        let largest = entries
            .tables
            .iter()
            .map(|table| bytes_of(&table.read().unwrap()));
        let largest = largest.max().unwrap();
        let each = (bytes(entries) + largest) / entries.len();
        assert!(each <= 64, "{each} bytes at {}", entries.len());
    }

    fn bytes(entries: &Entries) -> usize {
        let tables = entries.tables.iter();
        tables.map(|table| bytes_of(&table.read().unwrap())).sum()
    }

    /// Of a table at most seven places in eight are filled, and each has a byte beside it.
    fn bytes_of(table: &Table) -> usize {
        let places = (table.capacity() * 8).div_ceil(7);
        places * (size_of::<([u8; 16], i64)>() + 1)
    }

    /// As a hash would be.
    fn spread(number: u32) -> u128 {
        u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}
