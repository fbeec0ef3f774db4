//! Programs that are measured in processes of their own, built as they are released.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use bench::extent::Only;
use programs::process;

/// Builds what these rows need: what does not build is known at once, and nothing is built while
/// something is measured.
pub(crate) fn whatever_is_needed(only: &Only) {
    let requests = only.wants_any("requests");
    if requests || only.wants_any("adds") {
        peers("peer");
    }
    if requests {
        others();
    }
}

/// A program of the package `peers`.
pub(crate) fn peers(program: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let target = root().join("target");
        let mut build = cargo_build(&target);
        run(build.args(["--package", "peers"]));
        target.join("release")
    });
    folder.join(program)
}

/// The program of the package in `peers/others`, which has a lock file and a target of its own.
pub(crate) fn others() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let target = root().join("target/others");
        let manifest = root().join("benches/peers/others/Cargo.toml");
        let mut build = cargo_build(&target);
        run(build.arg("--manifest-path").arg(manifest));
        target.join("release/others")
    });
    program.clone()
}

fn run(build: &mut Command) {
    if let Err(problem) = process::show(build) {
        panic!("what is to be measured cannot be built: {problem}");
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn cargo_build(target: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo.args(["build", "--release", "--locked", "--target-dir"]);
    cargo.arg(target);
    cargo
}
