//! One installation at a time, whoever else installs.

use std::fs::{self, File};

use crate::target;

/// Held while something is installed: tests run side by side, in one process and in several, and
/// neither a package manager nor a folder is for two at a time.
#[derive(Debug)]
pub(crate) struct Alone(#[expect(dead_code, reason = "closing the file gives up the lock")] File);

impl Alone {
    /// Waits for its turn.
    pub(crate) fn wait() -> Result<Self, String> {
        let folder = target();
        let path = folder.join("installing.lock");
        let taken = || {
            fs::create_dir_all(&folder)?;
            let file = File::create(&path)?;
            file.lock()?;
            Ok(Self(file))
        };
        taken().map_err(|error: std::io::Error| format!("{}: {error}", path.display()))
    }
}
