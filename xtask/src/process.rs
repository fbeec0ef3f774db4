//! Running other programs: shown to the developer, captured, or both.

use std::{
    io::{self, BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// The Cargo that runs us, in the workspace's folder.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a program whose output goes straight to the developer.
pub(crate) fn show(command: &mut Command) -> Result<(), String> {
    announce(command);
    let status = command
        .status()
        .map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{}: {status}", line_of(command)))
    }
}

/// Runs a program and gives back what it wrote to its standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(format!("{}: {}", line_of(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", line_of(command)))
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

fn announce(command: &Command) {
    println!("$ {}", line_of(command));
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("{} does not start: {error}", line_of(command))
}

fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
