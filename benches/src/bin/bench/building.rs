//! What the library costs an application that builds it: how many packages, and how much of a
//! processor's time from nothing.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use bench::{
    extent::{Extent, Only},
    rounds::Pairs,
    row::{Row, Target, Unit},
};

/// Two applications that do nothing: one with sessions of ours, one with what people put together
/// instead. Not in a quick run.
pub(crate) fn rows(root: &Path, extent: Extent, only: &Only) -> Vec<Row> {
    let manifests = root.join("benches/build");
    let [ours, theirs] = ["ours", "theirs"].map(|name| manifests.join(name));
    let mut rows = Vec::new();
    if only.wants("build-dependencies") {
        let mut pairs = Pairs::default();
        pairs.push(packages_of(&ours), packages_of(&theirs));
        rows.push(row(
            "build-dependencies",
            "packages that are built",
            Unit::Count,
            pairs,
        ));
    }
    if only.wants("build-time") && extent == Extent::Whole {
        let mut pairs = Pairs::default();
        let fresh = root.join("target/bench/build");
        // Once: processor time varies little, and a build takes minutes.
        pairs.push(time_of(&ours, &fresh), time_of(&theirs, &fresh));
        let what = "processor time of `cargo build --release` from nothing";
        rows.push(row("build-time", what, Unit::Seconds, pairs));
    }
    rows
}

fn row(name: &str, what: &str, unit: Unit, pairs: Pairs) -> Row {
    let what = format!("{what} for `session-axum` and `session-sqlx` with SQLite");
    let against = "`tower-sessions` with its store on sqlx, `jsonwebtoken`, axum and the same features \
                   of sqlx";
    Row::compared(
        name,
        [&what, against],
        unit,
        pairs,
        Target::RatioAtMost(1.3),
    )
}

/// How many packages Cargo builds for a manifest, that package included.
fn packages_of(folder: &Path) -> f64 {
    let mut tree = cargo(folder, "tree");
    tree.args([
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: BTreeSet<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim())
        .filter(|line| !line.is_empty())
        .collect();
    f64::from(u32::try_from(lines.len()).unwrap())
}

/// Builds a manifest into a folder that is empty: the processors' seconds, which others on the machine
/// do not take part in.
fn time_of(folder: &Path, fresh: &Path) -> f64 {
    run(&mut cargo(folder, "fetch"));
    if fresh.exists() {
        fs::remove_dir_all(fresh).unwrap();
    }
    let before = seconds_of_children();
    let mut build = cargo(folder, "build");
    run(build.arg("--release").env("CARGO_TARGET_DIR", fresh));
    let seconds = seconds_of_children() - before;
    fs::remove_dir_all(fresh).unwrap();
    seconds
}

fn cargo(folder: &Path, command: &str) -> Command {
    let program: PathBuf = env::var_os("CARGO")
        .unwrap_or_else(|| "cargo".into())
        .into();
    let mut cargo = Command::new(program);
    cargo.arg(command).current_dir(folder);
    cargo
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// What the processes that this one has waited for took of the processors, theirs included.
fn seconds_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // `123 (a name) S 45 …`: the 16th and 17th fields, in hundredths of a second.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| -> u32 { fields.get(index).unwrap().parse().unwrap() };
    f64::from(ticks(13) + ticks(14)) / TICKS_IN_A_SECOND
}

/// Of `USER_HZ`, which is 100 on every architecture that Rust builds on.
const TICKS_IN_A_SECOND: f64 = 100.0;
