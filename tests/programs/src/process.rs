//! Running other programs: shown to the developer, or captured.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Runs a program whose output goes straight to the developer.
pub fn show(command: &mut Command) -> Result<(), String> {
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
pub fn capture(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(format!("{}: {}", line_of(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", line_of(command)))
}

/// Shows a command as it is about to run.
pub fn announce(command: &Command) {
    println!("$ {}", line_of(command));
}

/// Says that a program does not start.
pub fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("{} does not start: {error}", line_of(command))
}

/// A command as one would type it.
pub fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
