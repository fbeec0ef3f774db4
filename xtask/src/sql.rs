//! SQL is fixed text: a value reaches a statement only as a bound parameter (attack H1).
//!
//! sqlx takes `&'static str` and nothing else unless the caller asserts that a text is safe, so
//! the ways around that are few and can be searched for.
//!
//! One thing in a statement is no literal: the names of the tables, which an application may
//! choose. They are judged and put into literals in one file, which asserts that once; its own
//! tests hold it to what it lets through, and nothing else in the crate may do the like.

use std::path::Path;

use crate::sources;

/// Searches the stores that speak SQL.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let mut offences = Vec::new();
    let mut assertions = 0;
    for source in sources::under(root, "crates/session-sqlx/src")? {
        let builds_queries = source.text.contains("QueryBuilder");
        let names_tables = source.path.ends_with(TABLE_NAMES);
        offences.extend(source.offences(|line| {
            if names_tables && line == ASSERTION {
                return None;
            }
            offence(line, builds_queries)
        }));
        if names_tables {
            let lines = source.shipped_lines();
            assertions += lines.filter(|(_, line)| *line == ASSERTION).count();
        }
    }
    if assertions > 1 {
        offences.push(format!(
            "{TABLE_NAMES}: asserts {assertions} times, and may once"
        ));
    }
    if offences.is_empty() {
        Ok(())
    } else {
        Err(offences.join("\n"))
    }
}

/// The file that puts the tables' names into statements, and the line with which it does.
const TABLE_NAMES: &str = "session-sqlx/src/names.rs";
const ASSERTION: &str = "AssertSqlSafe(filled).into_sql_str()";

fn offence(line: &str, builds_queries: bool) -> Option<String> {
    for around in [
        "AssertSqlSafe(",
        "format!(",
        "format_args!(",
        "push_str(",
        "concat(",
    ] {
        if line.contains(around) {
            return Some(format!("`{around}` near SQL; bind the value instead"));
        }
    }
    let pushed = line.split_once(".push(").map(|(_, argument)| argument);
    if builds_queries && pushed.is_some_and(|argument| !argument.starts_with('"')) {
        return Some("`push` of something that is no literal; use `push_bind`".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: each way to put a value into the text of a statement is found.
    #[test]
    fn a_statement_put_together_from_text_is_found() {
        assert!(offence("sqlx::query(AssertSqlSafe(text))", false).is_some());
        assert!(offence("let sql = format!(\"select {id}\");", false).is_some());
        assert!(offence("builder.push(id);", true).is_some());
        assert!(offence("sql.push_str(id);", false).is_some());
    }

    /// H1: fixed text and bound values pass.
    #[test]
    fn a_bound_value_passes() {
        assert!(offence("sqlx::query(\"select 1 where a = ?\").bind(id)", true).is_none());
        assert!(offence("builder.push(\" or a = \").push_bind(id);", true).is_none());
        assert!(offence("rows.push(row);", false).is_none());
    }
}
