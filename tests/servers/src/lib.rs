//! Throw-away database servers for the tests, from the distribution's packages.
//!
//! Each has a random port on the loopback device, a random password and a folder of its own, and
//! ends with us however we end: the kernel tells it when this process dies (`setpriv --pdeathsig`),
//! and a shell that outlives us removes the folder.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error is a text for a person, which says what did not work"
)]

mod mariadb;
mod postgres;
pub mod process;
mod redis;

use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// The running servers; dropping it ends them.
#[derive(Debug)]
pub struct Servers {
    running: Vec<Server>,
    broom: Child,
}

impl Servers {
    /// Starts one server of each kind, installing what is missing.
    pub fn start() -> Result<Self, String> {
        Self::start_each(&[postgres::start, mariadb::start, redis::start])
    }

    /// Starts a PostgreSQL alone, installing it when it is missing.
    pub fn start_postgres() -> Result<Self, String> {
        Self::start_each(&[postgres::start])
    }

    fn start_each(kinds: &[Start]) -> Result<Self, String> {
        let folder = folder_of(std::process::id());
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut servers = Self {
            running: Vec::new(),
            broom: remove_when_we_end(&folder)?,
        };
        for start in kinds {
            servers.running.push(start(&folder)?);
        }
        Ok(servers)
    }

    /// What the tests find the servers by: names of environment variables, and addresses.
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.running
            .iter()
            .map(|server| (server.variable, &*server.url))
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for server in &mut self.running {
            server.stop();
        }
        drop(self.broom.stdin.take());
        if let Err(error) = self.broom.wait() {
            eprintln!("the servers' folder may be left: {error}");
        }
    }
}

/// Where the servers of a process keep their data: in memory where the system offers that. They keep
/// their durable settings, but no test here ends with the machine losing power.
fn folder_of(process: u32) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    parent.join(format!("session-servers-{process}"))
}

/// Starts a server, which keeps its folder in this one.
type Start = fn(&Path) -> Result<Server, String>;

/// A server of ours.
#[derive(Debug)]
struct Server {
    variable: &'static str,
    url: String,
    child: Child,
    /// The signal upon which it ends in order and at once.
    ends_on: &'static str,
}

impl Server {
    fn stop(&mut self) {
        // Once it has been waited for, its pid may be somebody else's.
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let signalled = Command::new("kill")
            .args(["-s", self.ends_on, &self.child.id().to_string()])
            .status();
        let in_order = signalled.is_ok_and(|status| status.success())
            && wait_until(|| Ok(matches!(self.child.try_wait(), Ok(Some(_))))).is_ok();
        if !in_order {
            eprintln!("{} does not end in order: killed", self.variable);
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// Whom a server runs as: it refuses to be root.
#[derive(Clone, Copy)]
struct Account(Option<&'static str>);

impl Account {
    /// The package's own account where we are root, and ourselves where we are not.
    fn of(package_account: &'static str) -> Result<Self, String> {
        let id = process::capture(Command::new("id").arg("-u"))?;
        Ok(Self((id.trim() == "0").then_some(package_account)))
    }

    /// A folder that belongs to it alone.
    fn folder(self, parent: &Path, name: &str) -> Result<PathBuf, String> {
        let folder = parent.join(name);
        let mut install = Command::new("install");
        install.args(["-d", "-m", "700"]);
        if let Some(account) = self.0 {
            install.args(["-o", account]);
        }
        process::capture(install.arg(&folder))?;
        Ok(folder)
    }

    /// A file that this account alone can read.
    fn secret(self, folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
        let file = folder.join(name);
        let problem = |error: std::io::Error| format!("{}: {error}", file.display());
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut opened = options.open(&file).map_err(problem)?;
        opened.write_all(text.as_bytes()).map_err(problem)?;
        if let Some(account) = self.0 {
            process::capture(Command::new("chown").arg(account).arg(&file))?;
        }
        Ok(file)
    }

    /// A program under this account.
    fn command(self, program: &Path) -> Command {
        let mut command = self.setpriv();
        command.arg(program).stdin(Stdio::null());
        command
    }

    /// A program under this account that gets `signal` when we die.
    fn server(self, program: &Path, signal: &str, log: &Path) -> Result<Command, String> {
        let problem = |error: std::io::Error| format!("{}: {error}", log.display());
        let log = fs::File::create(log).map_err(problem)?;
        let mut command = self.setpriv();
        command
            .arg(format!("--pdeathsig={signal}"))
            .arg(program)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|error| error.to_string())?)
            .stderr(log);
        Ok(command)
    }

    fn setpriv(self) -> Command {
        let mut command = Command::new("setpriv");
        if let Some(account) = self.0 {
            command.arg(format!("--reuid={account}"));
            command.arg(format!("--regid={account}"));
            command.arg("--init-groups");
        }
        command
    }
}

/// Starts a server and waits until it answers.
fn launch(
    command: &mut Command,
    mut server: impl FnMut(Child) -> Server,
    log: &Path,
    mut answers: impl FnMut() -> bool,
) -> Result<Server, String> {
    let child = command.spawn().map_err(|error| error.to_string())?;
    let mut server = server(child);
    let up = wait_until(|| match server.child.try_wait() {
        Ok(None) => Ok(answers()),
        _ => Err("it ended".to_owned()),
    });
    if let Err(problem) = up {
        let said = fs::read_to_string(log).unwrap_or_default();
        server.stop();
        return Err(format!(
            "{} does not start: {problem}\n{said}",
            server.variable
        ));
    }
    Ok(server)
}

fn wait_until(mut done: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    for _ in 0..MOST_LOOKS {
        if done()? {
            return Ok(());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    Err("no answer in time".to_owned())
}

/// A program of a package, which is installed when the program is nowhere.
fn program(find: impl Fn() -> Option<PathBuf>, package: &str) -> Result<PathBuf, String> {
    if let Some(program) = find() {
        return Ok(program);
    }
    let _quiet = Quiet::while_installing()?;
    let install = || {
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive");
        process::show(&mut install)
    };
    // A machine's lists of packages may be old, or none.
    install()
        .or_else(|_| {
            process::show(Command::new("apt-get").arg("update"))?;
            install()
        })
        .map_err(|problem| format!("{problem}\ninstall the package `{package}` and try again"))?;
    find().ok_or_else(|| format!("the package `{package}` brought no server"))
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
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// A port that nobody listened on a moment ago.
fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

fn password() -> Result<String, String> {
    fs::read_to_string("/proc/sys/kernel/random/uuid")
        .map(|text| text.trim().to_owned())
        .map_err(|error| error.to_string())
}

/// A shell in a session of its own, which no ctrl-c reaches; it waits for the end of its input,
/// and that ends when we do.
fn remove_when_we_end(folder: &Path) -> Result<Child, String> {
    const SCRIPT: &str = "cat >/dev/null; tries=0; while [ -e \"$0\" ] && [ $tries -lt 100 ]; do \
                          rm -rf \"$0\" 2>/dev/null; sleep 0.1; tries=$((tries + 1)); done";
    Command::new("setsid")
        .args(["sh", "-c", SCRIPT])
        .arg(folder)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("setsid does not start: {error}"))
}

/// A minute in which a server may start or end, on a machine that is busy.
const MOST_LOOKS: u32 = 1200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// All servers answer, and when they are dropped neither they nor their folder are left. One may be
    /// started alone.
    #[test]
    fn nothing_is_left_of_the_servers() {
        let servers = Servers::start().unwrap();
        let addresses: Vec<_> = servers.environment().map(|(name, _)| name).collect();
        assert_eq!(
            addresses,
            [postgres::VARIABLE, mariadb::VARIABLE, redis::VARIABLE]
        );
        let running: Vec<PathBuf> = servers
            .running
            .iter()
            .map(|server| Path::new("/proc").join(server.child.id().to_string()))
            .collect();
        assert!(running.iter().all(|process| process.exists()));
        drop(servers);
        assert!(!running.iter().any(|process| process.exists()));
        assert!(!folder_of(std::process::id()).exists());

        let servers = Servers::start_postgres().unwrap();
        let addresses: Vec<_> = servers.environment().map(|(name, _)| name).collect();
        assert_eq!(addresses, [postgres::VARIABLE]);
    }

    /// What is written down of a password is for one account.
    #[test]
    fn a_secret_is_readable_by_its_account_alone() {
        let folder = std::env::temp_dir().join(format!("session-secret-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let secret = Account(None).secret(&folder, "password", "canary").unwrap();
        let mode = fs::metadata(&secret).unwrap().permissions().mode();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "canary");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(mode & 0o777, 0o600);
    }
}
