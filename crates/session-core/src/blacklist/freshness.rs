//! How fresh the set is: read by every request that checks it, changed some times a second.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::Moment;

/// How fresh the set is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Freshness {
    /// No feed has spoken yet, or not since a revocation of ours was in doubt.
    Never,
    /// Nobody else can revoke, so what is here is all there is.
    Always,
    /// Everything acknowledged before this moment is here.
    AsOf(Moment),
}

/// What is known of that at present. Whoever reads it locks nothing and writes nothing, so that
/// requests on many cores are not in each other's way.
pub(super) struct Known {
    freshness: ArcSwap<Freshness>,
    /// Held by whoever changes it.
    changing: Mutex<()>,
}

impl Known {
    pub(super) fn get(&self) -> Freshness {
        **self.freshness.load()
    }

    /// Changes it, or leaves it as it is. Changes take turns, so what `change` judges by holds until
    /// its outcome can be read.
    pub(super) fn change(&self, change: impl FnOnce(Freshness) -> Option<Freshness>) {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = change(self.get()) {
            self.freshness.store(Arc::new(changed));
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self {
            freshness: ArcSwap::from_pointee(Freshness::Never),
            changing: Mutex::default(),
        }
    }
}
