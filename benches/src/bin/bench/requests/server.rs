//! A program that serves, in a process of its own.

use std::{
    fs::{self, DirEntry},
    io::{self, BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use programs::process::line_of;

/// A running server, which ends with this value.
pub(crate) struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts a program that prints its address once it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().to_owned();
        assert!(address.starts_with("http://"), "{}", line_of(&command));
        Self { process, address }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The time that processors have spent on its threads so far.
    pub(crate) fn busy(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        // One may end while it is looked at.
        let of_thread = |thread: io::Result<DirEntry>| {
            let spent = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            let nanoseconds = spent.split(' ').next()?.parse().ok()?;
            Some(Duration::from_nanos(nanoseconds))
        };
        threads.filter_map(of_thread).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// The time that processors have spent on children of this process that have ended and were waited
/// for.
pub(crate) fn busy_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name in the second field may hold spaces; the sixteenth and the seventeenth are theirs.
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks = rest.split(' ').skip(13).take(2);
    ticks.map(|ticks| TICK * ticks.parse().unwrap()).sum()
}

/// What Linux counts in, whatever the frequency of its timer.
const TICK: Duration = Duration::from_millis(10);
