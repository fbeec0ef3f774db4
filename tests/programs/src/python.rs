//! Python, and packages from PyPI at the versions and with the digests of a lock file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{alone::Alone, on_path, process, program, target};

/// A Python with packages of its own.
#[derive(Debug)]
pub struct Python(PathBuf);

impl Python {
    /// One that has what a file lists, as `pip install --require-hashes` reads it.
    pub fn with(requirements: &Path) -> Result<Self, String> {
        let problem = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let wanted =
            fs::read_to_string(requirements).map_err(|error| problem(requirements, error))?;
        let machines = program(|| on_path("python3"), "python3")?;
        // The distribution keeps this module in a package of its own.
        program(
            || has_pip(&machines).then(|| machines.clone()),
            "python3-venv",
        )?;
        let folder = target().join("python");
        let python = folder.join("bin/python3");
        let installed = folder.join("installed.txt");
        let _alone = Alone::wait()?;
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(Self(python));
        }
        process::show(
            Command::new(&machines)
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        process::show(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--require-hashes"])
                .args(["--disable-pip-version-check", "--requirement"])
                .arg(requirements),
        )?;
        fs::write(&installed, wanted).map_err(|error| problem(&installed, error))?;
        Ok(Self(python))
    }

    /// Python, as a command.
    pub fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

/// Whether environments can be made with a `pip` in them.
fn has_pip(python: &Path) -> bool {
    let mut ask = Command::new(python);
    let answer = ask.args(["-c", "import ensurepip, venv"]).output();
    answer.is_ok_and(|answer| answer.status.success())
}
