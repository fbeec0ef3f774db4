//! `Names`: what the tables are called, and the only place where a statement's text is made.
//!
//! A statement is a literal in this crate, written with the names that the tables have by default.
//! Other names come from the application's settings, are judged by [`Names::new`], and take the
//! place of `session_` where it begins a name. Nothing else ever becomes part of a statement.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::error::ConnectError;

/// What every table's name begins with unless the application says otherwise.
pub(crate) const DEFAULT_PREFIX: &str = "session_";

/// The names of the tables.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    schema: Option<String>,
    prefix: String,
}

impl Names {
    /// Judges the names: lower-case letters, digits and underscores, so that no database has to
    /// quote one or folds its case.
    pub(crate) fn new(schema: Option<String>, prefix: String) -> Result<Self, ConnectError> {
        if !schema.iter().chain([&prefix]).all(|name| is_plain(name)) {
            return Err(ConnectError::UnusableName);
        }
        Ok(Self { schema, prefix })
    }

    /// The schema that the tables are in, where it is not the connection's own.
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name of the table of the schema's version.
    pub(crate) fn version_table(&self) -> String {
        self.fill_inside("session_schema").as_str().to_owned()
    }

    /// A statement on these tables.
    pub(crate) fn fill(&self, statement: &'static str) -> SqlStr {
        self.replaced(&[statement], self.schema.as_deref())
    }

    /// The question how the database would carry out a statement on these tables.
    pub(crate) fn fill_question(&self, question: &'static str, statement: &'static str) -> SqlStr {
        self.replaced(&[question, statement], self.schema.as_deref())
    }

    /// A statement on these tables between two others.
    pub(crate) fn fill_between(
        &self,
        [before, after]: [&'static str; 2],
        statement: &'static str,
    ) -> SqlStr {
        self.replaced(&[before, statement, after], self.schema.as_deref())
    }

    /// A script that runs inside the schema.
    pub(crate) fn fill_inside(&self, script: &'static str) -> SqlStr {
        self.replaced(&[script], None)
    }

    fn replaced(&self, texts: &[&'static str], schema: Option<&str>) -> SqlStr {
        if let ([text], None, DEFAULT_PREFIX) = (texts, schema, &*self.prefix) {
            return text.into_sql_str();
        }
        let mut filled = String::new();
        for text in texts {
            self.append(text, schema, &mut filled);
        }
        AssertSqlSafe(filled).into_sql_str()
    }

    fn append(&self, text: &'static str, schema: Option<&str>, filled: &mut String) {
        let mut inside_a_name = false;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if !inside_a_name && let Some(after) = rest.strip_prefix(DEFAULT_PREFIX) {
                filled.extend(schema.iter().flat_map(|schema| [*schema, "."]));
                filled.extend([&*self.prefix]);
                rest = after;
                inside_a_name = true;
            } else {
                inside_a_name = is_part_of_a_name(character);
                filled.extend([character]);
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            }
        }
    }
}

/// Short enough for the longest index name to stay within PostgreSQL's 63 bytes.
fn is_plain(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|one| is_part_of_a_name(one) && !one.is_ascii_uppercase())
}

fn is_part_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H1: what is not a plain name never becomes part of a statement.
    #[test]
    fn only_plain_names_are_taken() {
        for name in [
            "",
            "a b",
            "a;b",
            "a\"b",
            "a`b",
            "a.b",
            "a-b",
            "Ab",
            "1a",
            "é",
            &"a".repeat(33),
        ] {
            let prefix = Names::new(None, name.to_owned());
            assert!(matches!(prefix, Err(ConnectError::UnusableName)), "{name}");
            let schema = Names::new(Some(name.to_owned()), "session_".to_owned());
            assert!(matches!(schema, Err(ConnectError::UnusableName)), "{name}");
        }
    }

    #[test]
    fn names_are_put_where_a_name_begins_and_nowhere_else() {
        let text = "SELECT a_session_b FROM session_keys, (session_schema)";
        let plain = Names::new(None, "session_".to_owned()).unwrap();
        assert_eq!(plain.fill(text).as_str(), text);
        let names = Names::new(Some("auth".to_owned()), "my_".to_owned()).unwrap();
        assert_eq!(
            names.fill(text).as_str(),
            "SELECT a_session_b FROM auth.my_keys, (auth.my_schema)"
        );
        assert_eq!(
            names.fill_inside(text).as_str(),
            "SELECT a_session_b FROM my_keys, (my_schema)"
        );
        assert_eq!(
            names.fill_question("EXPLAIN ", text).as_str(),
            "EXPLAIN SELECT a_session_b FROM auth.my_keys, (auth.my_schema)"
        );
    }
}
