//! The programs that tests need, from the distribution's packages.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, process::Command};

use crate::{alone::Alone, process};

/// The library that shows a program another time (`libfaketime`), for programs of several threads.
pub fn faketime() -> Result<PathBuf, String> {
    let find = || {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        folders
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.is_file())
    };
    program(find, "libfaketime")
}

/// The browser.
pub fn chromium() -> Result<PathBuf, String> {
    program(|| on_path("chromium"), "chromium")
}

/// The client that documentation shows requests with.
pub fn curl() -> Result<PathBuf, String> {
    program(|| on_path("curl"), "curl")
}

/// The client that measures servers under load.
pub fn wrk() -> Result<PathBuf, String> {
    program(|| on_path("wrk"), "wrk")
}

/// What lets a program run on certain processors alone.
pub fn taskset() -> Result<PathBuf, String> {
    program(|| on_path("taskset"), "util-linux")
}

/// A program of a package, which is installed when the program is nowhere.
pub fn program(find: impl Fn() -> Option<PathBuf>, package: &str) -> Result<PathBuf, String> {
    if let Some(program) = find() {
        return Ok(program);
    }
    let _alone = Alone::wait()?;
    if let Some(program) = find() {
        return Ok(program);
    }
    install(package)
        .map_err(|problem| format!("{problem}\ninstall the package `{package}` and try again"))?;
    find().ok_or_else(|| format!("the package `{package}` did not bring it"))
}

fn install(package: &str) -> Result<(), String> {
    let _quiet = Quiet::while_installing()?;
    let attempt = || {
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::show(&mut install)
    };
    // A machine's lists of packages may be old, or none.
    attempt().or_else(|_| {
        process::show(Command::new("apt-get").arg("update"))?;
        attempt()
    })
}

/// While packages are installed: their services are not started, as the machine may need their ports
/// for something else, and no database is made that nobody asked for.
struct Quiet(Vec<PathBuf>);

impl Quiet {
    fn while_installing() -> Result<Self, String> {
        let mut quiet = Self(Vec::new());
        quiet.put("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)?;
        quiet.put(
            "/etc/postgresql-common/createcluster.d/session-throw-away.conf",
            "create_main_cluster = false\n",
            0o644,
        )?;
        Ok(quiet)
    }

    /// Writes a file unless there is one, which says what its owner wants.
    fn put(&mut self, path: &str, text: &str, mode: u32) -> Result<(), String> {
        let path = PathBuf::from(path);
        let problem = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(problem)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).map_err(problem)?;
                self.0.push(path);
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(problem(error)),
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        for file in &self.0 {
            if let Err(error) = fs::remove_file(file) {
                eprintln!("{}: {error}", file.display());
            }
        }
    }
}

/// A program in one of the folders of the search path and of the system.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}
