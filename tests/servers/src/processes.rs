//! Processes that are not ours to wait for: the children of a server.

use std::{fs, process::Command};

/// Sends a signal; an error when one of them is not there, though the others have got it.
pub(crate) fn send(signal: &str, processes: &[u32]) -> Result<(), String> {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal]);
    let sent = kill.args(processes.iter().map(u32::to_string)).output();
    let sent = sent.map_err(|error| format!("kill does not start: {error}"))?;
    if sent.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&sent.stderr).into_owned())
    }
}

/// The processes that a process started, in no order.
pub(crate) fn children_of(parent: u32) -> Result<Vec<u32>, String> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let id = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        // `123 (a name) S 45 …`: the fourth field is the parent's id.
        if let (Some(id), Ok(stat)) = (id, fs::read_to_string(path.join("stat")))
            && let Some((_, fields)) = stat.rsplit_once(')')
            && fields.split_whitespace().nth(1) == Some(&parent.to_string())
        {
            children.push(id);
        }
    }
    Ok(children)
}

/// Whether a process is there and has not ended.
pub(crate) fn is_running(id: u32) -> bool {
    state_of(id).is_some_and(|state| state != 'Z')
}

/// Whether a process runs no more for now, or has ended.
pub(crate) fn stands_still(id: u32) -> bool {
    state_of(id).is_none_or(|state| matches!(state, 'T' | 'Z'))
}

fn state_of(id: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}
