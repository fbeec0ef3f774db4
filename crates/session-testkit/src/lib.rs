//! The behaviour that session stores and framework adapters are held to, each written once.
//!
//! A store that passes [`store_suite!`] may be relied upon by `session-core`: its verdicts hold
//! under races, what it acknowledged is there for every other process, and identifiers and texts
//! are kept byte for byte. The suite asks for a fresh database for each case and never cleans one
//! up.
//!
//! ```
//! use std::sync::Arc;
//!
//! use session_core::{async_trait, memory::MemoryStore, store::SessionStore};
//! use session_testkit::store::TestDatabase;
//!
//! #[derive(Default)]
//! struct Memory(MemoryStore);
//!
//! #[async_trait]
//! impl TestDatabase for Memory {
//!     async fn open(&self) -> Arc<dyn SessionStore> {
//!         Arc::new(self.0.clone())
//!     }
//! }
//!
//! session_testkit::store_suite!(Memory::default());
//! # fn main() {}
//! ```
//!
//! An adapter that passes [`http_suite!`] does what browsers and their SDKs rely on, and withstands
//! what they would never send. Its author serves the suite's small
//! [application](http::application) and writes one line; [`http`] says how.
//!
//! # Modules
//!
//! * [`store`]: the store suite, a file per subject.
//! * [`http`]: the HTTP suite, a file per subject, with its client and its table of
//!   [wire cases](http::coverage).
//! * [`faulty_store`]: a store that fails, hangs, panics or loses its answers on request.
//! * [`naughty`]: strings that have broken other programs.
//!
//! A new case is a minor release with a line in the changelog: it may turn others' tests red.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::string_slice,
    reason = "a case fails by panicking"
)]

pub mod faulty_store;
pub mod http;
pub mod naughty;
pub mod store;
