//! What a node holds: files and connections, tasks, memory (INV-12 of the fault plan).

use std::fs;

use serde_json::Value;

use crate::node::Node;

/// What a node holds at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "complete by nature")]
pub struct Resources {
    /// Open files, sockets among them.
    pub files: u64,
    /// Tasks of the runtime that have not ended.
    pub tasks: u64,
    /// Memory in KiB.
    pub memory_kib: u64,
}

impl Resources {
    /// What a node holds now.
    ///
    /// # Panics
    ///
    /// When the node is not there.
    pub async fn of(node: &Node) -> Self {
        let health = node.health().await;
        let tasks = health.get("tasks").and_then(Value::as_u64).unwrap();
        let process = format!("/proc/{}", node.id());
        let files = fs::read_dir(format!("{process}/fd")).unwrap().count();
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory_kib = resident.unwrap().trim().trim_end_matches(" kB").parse();
        Self {
            files: files as u64,
            tasks,
            memory_kib: memory_kib.unwrap(),
        }
    }

    /// What a node holds more of than it did before, beyond the twentieth part.
    pub fn kept_since(&self, before: &Self) -> Vec<&'static str> {
        let all = [
            ("files", before.files, self.files, CONNECTIONS),
            ("tasks", before.tasks, self.tasks, 2),
            ("memory", before.memory_kib, self.memory_kib, ALLOCATOR_KIB),
        ];
        let kept = all.into_iter().filter(|(_, before, now, margin)| {
            now.saturating_sub(*before) > (before / 20).max(*margin)
        });
        kept.map(|(name, ..)| name).collect()
    }
}

/// What a pool may have opened meanwhile, and keeps.
const CONNECTIONS: u64 = 4;
/// What the allocator keeps for the next burst, whatever is given back to it.
const ALLOCATOR_KIB: u64 = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Resources = Resources {
        files: 40,
        tasks: 20,
        memory_kib: 100_000,
    };

    /// INV-12.
    #[test]
    fn what_is_not_given_back_is_found() {
        assert_eq!(BEFORE.kept_since(&BEFORE), [""; 0]);
        let more = |change: fn(&mut Resources)| {
            let mut after = BEFORE;
            change(&mut after);
            after.kept_since(&BEFORE)
        };
        assert_eq!(more(|after| after.files += 5), ["files"]);
        assert_eq!(more(|after| after.tasks += 3), ["tasks"]);
        assert_eq!(more(|after| after.memory_kib += 20_000), ["memory"]);
        assert_eq!(more(|after| after.files -= 30), [""; 0]);
    }
}
