//! Chance.

/// A number from zero to `limit`, without `limit`.
pub(crate) fn below(limit: u64) -> u64 {
    getrandom::u64().unwrap() % limit
}
