//! Which processors measurements run on.
//!
//! A call that one thread makes and another one answers costs as much as it takes to wake a thread,
//! several times: little on the same processor, much on one that was idle, and where the system puts
//! a thread is chance. What has one caller is measured on one processor, with all who answer it.

use std::{fs, process::Command, thread};

use databases::{Server, redis_address};
use programs::process;

use crate::{held::Kind, verify::waiting};

/// Runs something in a thread that has one processor, as have all threads that it starts and all
/// connections that it opens to a database's server.
pub(crate) fn on_one<T: Send>(kind: Kind, work: impl FnOnce() -> T + Send) -> T {
    let allowed = allowed();
    let processor = numbers(&allowed).last().unwrap().to_string();
    let _confined = waiting(process_of_server(kind)).map(|server| Confined::to(server, &processor));
    thread::scope(|scope| {
        let measured = scope.spawn(|| {
            confine_this_thread(&processor);
            work()
        });
        measured.join().unwrap()
    })
}

/// What [`on_one`] is to a caller, in words.
pub(crate) const ONE_CALLER: &str = "one caller, on one processor with all who answer it";

/// Leaves this thread, and what it starts from now on, one processor.
pub(crate) fn confine_this_thread(processor: &str) {
    let thread = fs::read_link("/proc/thread-self").unwrap();
    confine(
        &["--pid"],
        processor,
        thread.file_name().unwrap().to_str().unwrap(),
    );
}

/// The first two processors that this process may run on.
pub(crate) fn first_two() -> [String; 2] {
    let allowed = allowed();
    let mut numbers = numbers(&allowed);
    [(); 2].map(|()| match numbers.next() {
        Some(number) => number.to_string(),
        None => panic!("contenders need a processor, and clients another"),
    })
}

/// A server whose threads have one processor until this value ends. Those of the connections that it
/// accepts meanwhile keep it.
struct Confined {
    process: String,
    before: String,
}

impl Confined {
    fn to(process: String, processor: &str) -> Self {
        let confined = Self {
            process,
            before: allowed(),
        };
        confine(&["--all-tasks", "--pid"], processor, &confined.process);
        confined
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        confine(&["--all-tasks", "--pid"], &self.before, &self.process);
    }
}

fn confine(options: &[&str], processors: &str, process: &str) {
    let mut taskset = Command::new(programs::taskset().unwrap());
    taskset
        .arg("--cpu-list")
        .args(options)
        .args([processors, process]);
    process::capture(&mut taskset).unwrap();
}

/// As which process a database's server runs that has one: in PostgreSQL the one that starts another
/// for each connection.
async fn process_of_server(kind: Kind) -> Option<String> {
    let ask = async |server: Server, query| server.ask_text(&server.address(), query).await;
    match kind {
        Kind::Sqlite => None,
        Kind::Postgres => {
            let file = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
            Some(ask(Server::Postgres, file).await)
        }
        Kind::MariaDb => {
            let file = ask(Server::MySql, "SELECT @@pid_file").await;
            Some(fs::read_to_string(file).unwrap().trim().to_owned())
        }
        Kind::Redis => {
            let client = redis::Client::open(redis_address()).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let mut ask = redis::cmd("INFO");
            let asked = ask.arg("server").query_async(&mut connection);
            let information: String = asked.await.unwrap();
            let mut lines = information.lines();
            let process = lines.find_map(|line| line.strip_prefix("process_id:"));
            Some(process.unwrap().to_owned())
        }
    }
}

/// The processors that this process may run on, as the system and `taskset` write them: `0-3,8`.
fn allowed() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let allowed = lines.find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    allowed.unwrap().trim().to_owned()
}

fn numbers(ranges: &str) -> impl Iterator<Item = u32> {
    ranges.split(',').flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last]: [u32; 2] = [first, last].map(|number| number.parse().unwrap());
        first..=last
    })
}
