//! The two programs that the checks need besides the toolchain, installed when they are missing.
//!
//! They are built without optimisation, which halves the wait and costs them a second of running
//! time, and share one target folder, for they have many dependencies in common.

use std::path::{Path, PathBuf};

use crate::process;

/// A program from crates.io at the version that the checks were written against.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
}

/// Builds the book. Without its web server and its file watcher, which the checks have no use for.
pub(crate) const MDBOOK: Tool = Tool {
    name: "mdbook",
    version: "0.5.4",
    features: &["--no-default-features", "--features=search"],
};

/// Judges licences, banned crates and sources.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    features: &[],
};

impl Tool {
    /// Where the program is, after installing it if need be.
    pub(crate) fn ready(&self, root: &Path) -> Result<PathBuf, String> {
        let folder = root.join("target/tools");
        let binary =
            folder
                .join("bin")
                .join(format!("{}{}", self.name, std::env::consts::EXE_SUFFIX));
        if !self.is_installed(&binary) {
            let mut install = process::cargo(root);
            install
                .args([
                    "install",
                    self.name,
                    "--version",
                    self.version,
                    "--locked",
                    "--force",
                ])
                .args(self.features)
                .arg("--root")
                .arg(&folder)
                .env("CARGO_TARGET_DIR", root.join("target/tools-build"))
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
                .env("CARGO_PROFILE_RELEASE_STRIP", "true");
            process::show(&mut install)?;
        }
        Ok(binary)
    }

    fn is_installed(&self, binary: &Path) -> bool {
        std::process::Command::new(binary)
            .arg("--version")
            .output()
            .is_ok_and(|output| {
                let answer = String::from_utf8_lossy(&output.stdout);
                answer
                    .split_whitespace()
                    .any(|word| word.trim_start_matches('v') == self.version)
            })
    }
}

/// Whether `cargo deny fetch db` was run on this machine.
pub(crate) fn advisory_database_is_here() -> bool {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let Some(databases) = home.map(|home| home.join("advisory-dbs")) else {
        return false;
    };
    std::fs::read_dir(databases).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().join("crates").is_dir())
    })
}
