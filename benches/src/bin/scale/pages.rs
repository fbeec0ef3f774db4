//! The pages that the figures are written to.

use session_sqlx::Plan;

use crate::workload::{Column, OPERATIONS};

/// Everything that was measured.
pub(crate) struct Figures {
    pub(crate) machine: String,
    pub(crate) revoked: String,
    pub(crate) stores: Vec<Store>,
}

/// What was measured on one database.
pub(crate) struct Store {
    name: &'static str,
    /// Which version it is, and what is particular to it: whole sentences.
    pub(crate) about: String,
    columns: Vec<Column>,
    pub(crate) plans: Vec<Plan>,
}

impl Store {
    pub(crate) fn named(name: &'static str) -> Self {
        eprintln!("{name}");
        Self {
            name,
            about: String::new(),
            columns: Vec::new(),
            plans: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, column: Column) {
        self.columns.push(column);
    }

    fn table(&self) -> String {
        let heads = self.columns.iter().map(|column| grouped(column.sessions));
        let heads: Vec<String> = heads.collect();
        let mut lines = vec![
            format!("| sessions | {} |", heads.join(" | ")),
            format!("|---|{}", "---:|".repeat(heads.len())),
        ];
        for (index, operation) in OPERATIONS.iter().enumerate() {
            let cells = self
                .columns
                .iter()
                .filter_map(|column| column.cells.get(index));
            let cells: Vec<&str> = cells.map(String::as_str).collect();
            lines.push(format!("| {operation} | {} |", cells.join(" | ")));
        }
        lines.join("\n")
    }
}

impl Figures {
    /// The page of the tables.
    pub(crate) fn page(&self) -> String {
        let about = format!(
            "What the operations of a store cost while it fills up, and what the set of revoked \
             sessions takes. `cargo xtask scale` measures it all and writes this page; figures of \
             different runs do not compare. This one: {}.",
            self.machine
        );
        let how = "Each operation runs by itself, on one connection, on sessions drawn from all of the \
             table: median / 99th percentile in milliseconds. A tenth as many revocations as there \
             are sessions are recorded. Every user has twenty sessions. \
             The servers run on the same machine with their durable settings, those of SQL with \
             memory for all of the largest table, which they do not have unless told so; their data lies in memory (`/dev/shm`) where the machine offers that, so that what \
             waits for a disk is not in the figures of the servers. SQLite's file is in the \
             machine's folder for temporary files.";
        let (about, how) = (broken(&about), broken(how));
        let mut page = vec![format!("# Figures\n\n{about}\n\n{how}\n")];
        for store in &self.stores {
            page.push(format!(
                "\n## {}\n\n{}\n\n{}\n",
                store.name,
                broken(&store.about),
                store.table()
            ));
        }
        page.push(format!(
            "\n## The set of revoked sessions\n\n\
             In a process of its own. An entry's memory is what the process has grown by. A look-up\n\
             includes the digest of the handle.\n\n{}",
            self.revoked
        ));
        page.concat()
    }

    /// The page of the statements.
    pub(crate) fn statements(&self) -> String {
        let about = "Every statement of the SQL stores, and how each database carries it out on tables of \
            the largest size of [the figures](figures.md), for a session whose tenant has twenty. \
            `SqlxStore::plans` answers the same for a database at hand. On MariaDB: the table, how \
            it is read, the index, remarks. Written by `cargo xtask scale`.";
        let mut page = vec![format!("# Statements\n\n{}\n", broken(about))];
        for store in self.stores.iter().filter(|store| !store.plans.is_empty()) {
            page.push(format!("\n## {}\n", store.name));
            for plan in &store.plans {
                page.push(format!(
                    "\n### {}: {}\n\n```sql\n{}\n```\n\n```text\n{}\n```\n",
                    store.name,
                    plan.operation(),
                    broken(plan.statement()),
                    plan.steps().join("\n")
                ));
            }
        }
        page.concat()
    }
}

/// A text in lines that fit on a page.
fn broken(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length + word.len() > 90 {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
        }
        lines.push_str(word);
        length += word.len() + 1;
    }
    lines
}

/// With a space between thousands.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups = vec![digits.get(..first).unwrap_or_default()];
    for start in (first..digits.len()).step_by(3) {
        groups.extend(digits.get(start..start + 3));
    }
    groups.join(" ").trim().to_owned()
}
