//! Receipts: knowing that a revocation has reached every node.
//!
//! Every [`Sessions`](crate::Sessions) on a store that others use keeps a row in the store's
//! registry. Whoever waits raises the store's *barrier* after the revocation was committed. A node
//! that reads the new value notes the moment, and acknowledges the value once its set of revoked
//! sessions is complete as of then: it has heard of everything that was committed before the barrier
//! was raised. The wait is over when every node in the registry has acknowledged it.
//!
//! # Nodes that are not waited for
//!
//! A node whose lease in the registry is over is not waited for, so it must not go by its set. A
//! lease lasts for `max_staleness`, a fifth of that and ten seconds more, on the database's clock. A node
//! counts its own from before it asked for it, less a tenth and two seconds, as clocks may be slewed,
//! and its set becomes fresh only by what a feed
//! said when the lease had `max_staleness` left at least. So a set that is fresh belongs to a node
//! whose lease is not over, and a node that has lost its lease has asked the database ever since. When
//! it is in the registry again, nothing that its feed began before counts.
//!
//! Nodes of an older version are in no registry. Neither is, for as long as it takes to renew a lease,
//! a node of a database that went back in time or whose clock jumped. These have heard of a revocation
//! within `max_staleness`, as ever.

mod confirmation;
mod registration;

pub use confirmation::{Confirmation, Receipt};
pub(crate) use registration::{Registered, Registration};
