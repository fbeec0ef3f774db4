//! What the measuring programs share: `bench`, which writes the book's page on performance, and
//! `scale`, which writes its figures of stores that fill up.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a measurement that goes wrong has nothing to say"
)]

pub mod extent;
pub mod rounds;
pub mod row;

pub mod clock;
pub mod filled;
pub mod machine;
pub mod memory;
pub mod records;
pub mod timings;
