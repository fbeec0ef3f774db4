//! Where a server keeps its data, and what else is its own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is removed when we end, however we end.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    broom: Child,
}

impl Folder {
    /// In memory where the system offers that. Servers keep their durable settings, but no test here
    /// ends with the machine losing power.
    pub(crate) fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let (us, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(format!("session-server-{us}-{number}"));
        fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let broom = remove_when_we_end(&path)?;
        Ok(Self { path, broom })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the server writes of what it does.
    pub(crate) fn log(&self) -> PathBuf {
        log_in(&self.path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.broom.stdin.take());
        if let Err(error) = self.broom.wait() {
            eprintln!("{} may be left: {error}", self.path.display());
        }
    }
}

/// Where the server of a folder writes of what it does.
pub(crate) fn log_in(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// A port that nobody listened on a moment ago.
pub fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

/// A password that nobody can guess.
pub(crate) fn password() -> Result<String, String> {
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
