//! The two tables of the book that lead from a case to its tests.
//!
//! A row is `| id | what happens | tests |`. The last cell is written by `cargo xtask tables` from
//! the tests' own doc lines, or says by hand why the case does not apply here.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    cases::{self, Case},
    citations::{self, Citations},
    tests_run::TestsRun,
    workspace::Workspace,
};

const TABLES: &[Table] = &[
    Table {
        page: "docs/src/attacks.md",
        id: cases::attack,
        required: cases::required_attacks,
    },
    Table {
        page: "docs/src/conformance.md",
        id: |text| Some(Case::Wire(text.parse().ok()?)),
        required: cases::required_wire_cases,
    },
];

/// How a cell begins that explains why a case has no test.
const EXCUSE: &str = "does not apply: ";

struct Table {
    page: &'static str,
    id: fn(&str) -> Option<Case>,
    required: fn() -> Vec<Case>,
}

/// Writes the test column of both tables.
pub(crate) fn rewrite(workspace: &Workspace) -> Result<(), String> {
    let citations = citations::collect(workspace.root())?;
    for table in TABLES {
        let path = workspace.root().join(table.page);
        let text = table.read(workspace.root())?;
        let rewritten = table.rewritten(&text, &citations);
        fs::write(&path, rewritten).map_err(|error| format!("{}: {error}", table.page))?;
    }
    Ok(())
}

/// Fails for a case without a row, a row without tests or reason, a column that is out of date, and
/// a named test that did not run.
pub(crate) fn check(workspace: &Workspace, tests: &TestsRun) -> Result<(), String> {
    let citations = citations::collect(workspace.root())?;
    let mut problems = Vec::new();
    let mut without_row: BTreeSet<&Case> = citations.keys().collect();
    for table in TABLES {
        let text = table.read(workspace.root())?;
        problems.extend(table.problems(&text, &citations));
        for row in text.lines().filter_map(|line| table.row(line)) {
            without_row.remove(&row.case);
        }
    }
    problems.extend(without_row.into_iter().map(|case| {
        format!(
            "{case} is cited by {:?} and is in no table",
            citations.get(case)
        )
    }));
    if tests.is_complete() {
        let named: BTreeSet<&String> = citations.values().flatten().collect();
        let idle = named.into_iter().filter(|test| !tests.ran(test));
        problems.extend(idle.map(|test| format!("`{test}` cites a case and did not run")));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

impl Table {
    fn read(&self, root: &Path) -> Result<String, String> {
        fs::read_to_string(root.join(self.page)).map_err(|error| format!("{}: {error}", self.page))
    }

    fn row<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let mut cells = line
            .strip_prefix('|')?
            .strip_suffix('|')?
            .splitn(3, '|')
            .map(str::trim);
        let case = (self.id)(cells.next()?)?;
        Some(Row {
            case,
            statement: cells.next()?,
            held_by: cells.next()?,
        })
    }

    fn rewritten(&self, text: &str, citations: &Citations) -> String {
        let mut rewritten = String::with_capacity(text.len());
        for line in text.lines() {
            match self.row(line) {
                Some(row) => rewritten.push_str(&row.with_tests(citations)),
                None => rewritten.push_str(line),
            }
            rewritten.push('\n');
        }
        rewritten
    }

    fn problems(&self, text: &str, citations: &Citations) -> Vec<String> {
        let rows: Vec<Row<'_>> = text.lines().filter_map(|line| self.row(line)).collect();
        let mut seen = BTreeSet::new();
        let mut problems: Vec<String> = Vec::new();
        for row in &rows {
            let problem = if seen.insert(row.case) {
                row.problem(citations)
            } else {
                Some("is there twice")
            };
            problems.extend(problem.map(|what| format!("{}: {} {what}", self.page, row.case)));
        }
        let missing = (self.required)()
            .into_iter()
            .filter(|case| !seen.contains(case));
        problems.extend(missing.map(|case| format!("{}: {case} has no row", self.page)));
        problems
    }
}

struct Row<'a> {
    case: Case,
    statement: &'a str,
    held_by: &'a str,
}

impl Row<'_> {
    fn with_tests(&self, citations: &Citations) -> String {
        let excuse = if self.held_by.starts_with(EXCUSE) {
            self.held_by
        } else {
            ""
        };
        let held_by = names(self.case, citations).unwrap_or_else(|| excuse.to_owned());
        format!("| {} | {} | {held_by} |", self.case, self.statement)
    }

    fn problem(&self, citations: &Citations) -> Option<&'static str> {
        let excused = self
            .held_by
            .strip_prefix(EXCUSE)
            .is_some_and(|reason| !reason.is_empty());
        match names(self.case, citations) {
            None if excused => None,
            None if self.held_by.is_empty() => Some("has neither a test nor a reason"),
            None => Some("names tests, but no test cites it"),
            Some(_) if excused => Some("is said not to apply, but a test cites it"),
            Some(tests) if tests != self.held_by => {
                Some("is out of date: run `cargo xtask tables`")
            }
            Some(_) => None,
        }
    }
}

fn names(case: Case, citations: &Citations) -> Option<String> {
    let tests = citations.get(&case)?;
    Some(
        tests
            .iter()
            .map(|test| format!("`{test}`"))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Table = Table {
        page: "page",
        id: cases::attack,
        required: || vec![Case::Attack('A', 1), Case::Attack('A', 2)],
    };

    fn cited(case: Case, test: &str) -> Citations {
        Citations::from([(case, BTreeSet::from([test.to_owned()]))])
    }

    #[test]
    fn a_rewritten_table_has_no_problems() {
        let citations = cited(Case::Attack('A', 1), "it_holds");
        let text = "prose | here\n| A1 | bad | `gone` |\n| A2 | worse | does not apply: why |\n";
        assert_eq!(
            TABLE.problems(text, &citations),
            ["page: A1 is out of date: run `cargo xtask tables`"]
        );
        let rewritten = TABLE.rewritten(text, &citations);
        assert_eq!(rewritten, text.replace("gone", "it_holds"));
        assert!(TABLE.problems(&rewritten, &citations).is_empty());
    }

    #[test]
    fn every_case_needs_a_row_and_every_row_a_test_or_a_reason() {
        let found = TABLE.problems("| A1 | bad | |\n| A1 | bad | |\n", &Citations::new());
        assert_eq!(
            found,
            [
                "page: A1 has neither a test nor a reason",
                "page: A1 is there twice",
                "page: A2 has no row",
            ]
        );
    }

    #[test]
    fn a_reason_beside_a_test_is_a_contradiction() {
        let text = "| A1 | bad | does not apply: why |\n| A2 | bad | does not apply: |\n";
        let found = TABLE.problems(text, &cited(Case::Attack('A', 1), "it_holds"));
        assert_eq!(
            found,
            [
                "page: A1 is said not to apply, but a test cites it",
                "page: A2 names tests, but no test cites it",
            ]
        );
    }
}
