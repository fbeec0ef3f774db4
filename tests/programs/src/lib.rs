//! Programs that the tests and the commands of this workspace need, installed when they are missing:
//! from the distribution's packages, from npm and from PyPI.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error is a text for a person, which says what did not work"
)]

mod alone;
mod node;
mod packages;
pub mod process;
mod python;

use std::path::PathBuf;

pub use node::Node;
pub use packages::{chromium, curl, faketime, on_path, program, taskset, wrk};
pub use python::Python;

/// Where this workspace keeps what is built and installed.
fn target() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"))
}
