//! `Memory`: whether the server still is the one that held what we know of.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The epoch of the server's memory, as last seen.
///
/// A server that was flushed, or was replaced by an empty one, has forgotten revocations of which
/// this process may not have heard. Its list must not be taken for complete until no token of before
/// serves any more: the signing keys were in the same memory, and every node reads them regularly.
#[derive(Debug)]
pub(crate) struct Memory {
    seen: Mutex<Seen>,
    distrust: Duration,
}

#[derive(Debug)]
struct Seen {
    epoch: u64,
    distrusted_until: Option<Instant>,
}

impl Memory {
    pub(crate) fn new(epoch: u64, distrust: Duration) -> Self {
        let seen = Seen {
            epoch,
            distrusted_until: None,
        };
        Self {
            seen: Mutex::new(seen),
            distrust,
        }
    }

    /// Whether what the memory of this epoch holds may be taken for all there is.
    pub(crate) fn is_whole(&self, epoch: u64) -> bool {
        let now = tokio::time::Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.epoch != epoch {
            tracing::error!("the Redis server has lost its memory: all sessions are gone");
            seen.epoch = epoch;
            seen.distrusted_until = now.checked_add(self.distrust);
        }
        seen.distrusted_until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISTRUST: Duration = Duration::from_mins(1);

    /// I7: a memory that is not the one of before is not relied upon for a while.
    #[tokio::test(start_paused = true)]
    async fn another_memory_is_distrusted_for_a_while() {
        let memory = Memory::new(1, DISTRUST);
        assert!(memory.is_whole(1));
        assert!(!memory.is_whole(2));
        tokio::time::advance(DISTRUST.saturating_sub(Duration::from_millis(1))).await;
        assert!(!memory.is_whole(2));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(memory.is_whole(2));
    }

    /// I7: each loss begins a time of its own.
    #[tokio::test(start_paused = true)]
    async fn a_second_loss_is_distrusted_as_well() {
        let memory = Memory::new(1, DISTRUST);
        assert!(!memory.is_whole(2));
        tokio::time::advance(DISTRUST / 2).await;
        assert!(!memory.is_whole(3));
        tokio::time::advance(DISTRUST / 2).await;
        assert!(!memory.is_whole(3));
        tokio::time::advance(DISTRUST / 2).await;
        assert!(memory.is_whole(3));
    }
}
