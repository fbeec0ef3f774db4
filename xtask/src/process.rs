//! Running other programs: shown to the developer, captured, or both.

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
    process::Command,
};

use programs::process::line_of;
pub(crate) use programs::process::{announce, cannot_start, capture, show};

/// The Cargo that runs us, in the workspace's folder.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a program, shows every line that it writes, and hands it to `each` as well.
pub(crate) fn watch(mut command: Command, mut each: impl FnMut(&str)) -> Result<(), String> {
    announce(&command);
    let line_of_command = line_of(&command);
    let failed = |error: io::Error| format!("{line_of_command}: {error}");
    // One pipe for both outputs, so that their lines come in the order in which they were written.
    let (output, input) = io::pipe().map_err(failed)?;
    command.stdout(input.try_clone().map_err(failed)?);
    command.stderr(input);
    let mut child = command
        .spawn()
        .map_err(|error| cannot_start(&command, &error))?;
    // Holds the writing ends, and as long as one is open there is more to read.
    drop(command);
    // Bytes, not text: a test may print anything, and that must not end the run.
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{line_of_command}: {status}"))
    }
}
