//! The store suite on Redis.

use std::sync::Arc;

use session_core::{async_trait, store::SessionStore};
use session_redis::RedisStore;
use session_testkit::store::TestDatabase;

use crate::shared_server::{options, unused_prefix};

mod on_redis {
    use super::Keys;

    session_testkit::store_suite!(Keys::default());
}

/// Keys of its own on the shared server.
struct Keys(String);

impl Default for Keys {
    fn default() -> Self {
        Self(unused_prefix())
    }
}

#[async_trait]
impl TestDatabase for Keys {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(RedisStore::connect_with(options(&self.0)).await.unwrap())
    }
}
