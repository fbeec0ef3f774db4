//! What an application keeps when its settings change.

use session_core::MemoryStore;
use tokio::task::JoinSet;

use crate::{
    keys::{self, Keys, Rotation},
    settings::BoxError,
};

/// An application's sessions and keys.
pub(crate) struct Stored {
    store: MemoryStore,
    rotation: Option<Rotation>,
    /// Ends with this value.
    _rotation_task: JoinSet<()>,
}

impl Stored {
    pub(crate) async fn new(keys: &Keys, rotation: Option<Rotation>) -> Result<Self, BoxError> {
        let store = keys.new_store(rotation).await?;
        let mut rotation_task = JoinSet::new();
        if let Some(rotation) = rotation {
            rotation_task.spawn(rotation.run(keys::maker(store.clone()).await?));
        }
        Ok(Self {
            store,
            rotation,
            _rotation_task: rotation_task,
        })
    }

    /// The store, for settings that ask for the rotation that it has. Another would need other keys
    /// than those that it began with.
    pub(crate) fn store(&self, rotation: Option<Rotation>) -> Result<MemoryStore, BoxError> {
        if rotation == self.rotation {
            Ok(self.store.clone())
        } else {
            Err("an application keeps the rotation of its keys".into())
        }
    }
}
