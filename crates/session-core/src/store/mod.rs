//! `SessionStore`: the one trait a database implements, with its records and its errors.
//!
//! A store is small and atomic. Every method is one statement or one short transaction, and the
//! number of rows that its conditional statement touched is the verdict of every race: a store
//! never reads, decides and then writes. Ids are bytes to it: equal means byte-equal, whatever the
//! database's collation.
//!
//! The service calls a store only from tasks of its own that always run to their end, so an
//! implementation need not defend itself against dropped futures; each call is given up by its
//! caller after a timeout, which means "outcome unknown", never "not done".

mod error;
mod keys;
mod nodes;
mod record;
mod revocations;
mod rotations;
mod scope;
mod session_store;

pub use error::StoreError;
pub use keys::{KeyInserted, KeyPurpose, KeyRecord};
pub use nodes::NodeRecord;
pub use record::{Created, SessionRecord, Updated};
pub use revocations::{
    Retention, RevocationCursor, RevocationPage, RevocationVisibility, RevokedSession,
};
pub use rotations::{ROTATION_HISTORY, Rotated, Rotation, RotationEntry, Rotations};
pub use scope::SessionScope;
pub use session_store::{Purged, SessionStore};
