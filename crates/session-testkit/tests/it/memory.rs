//! `MemoryStore` passes the suite.

use std::sync::Arc;

use session_core::{async_trait, memory::MemoryStore, store::SessionStore};
use session_testkit::store::TestDatabase;

#[derive(Default)]
struct Memory(MemoryStore);

#[async_trait]
impl TestDatabase for Memory {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.0.clone())
    }
}

session_testkit::store_suite!(Memory::default());
