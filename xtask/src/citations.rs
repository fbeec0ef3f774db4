//! Which test cites which case: read from the doc lines above the tests, which are Rust functions or
//! Playwright's tests.
//!
//! A citation opens a doc line and ends with a colon (`/// A6, A11: …`, `/// Wire cases 23 and 24:
//! …`, `/// Wire case 14, attack B2: …`) or stands alone in brackets (`… (wire case 14)`). Prose that
//! happens to hold such a word is no citation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    cases::{self, Case},
    sources,
};

/// The tests that cite each case.
pub(crate) type Citations = BTreeMap<Case, BTreeSet<String>>;

/// The folders that hold tests.
const FOLDERS: &[&str] = &[
    "crates", "examples", "tests", "benches", "fuzz", "docs", "xtask",
];

/// The folders that hold Playwright's tests.
const FLOWS: &[&str] = &["examples/web/tests", "tests/browser/flows"];

/// Reads every test in the tree.
pub(crate) fn collect(root: &Path) -> Result<Citations, String> {
    let mut citations = Citations::new();
    for folder in FOLDERS {
        for source in sources::under(root, folder)? {
            // The cases of the suites are plain functions; a macro makes them tests.
            let is_suite = source.path.starts_with("crates/session-testkit/src");
            read(&source.text, is_suite, &mut citations);
        }
    }
    for folder in FLOWS {
        for source in sources::with_extension(root, folder, "ts")? {
            read_flows(&source.text, &mut citations);
        }
    }
    Ok(citations)
}

fn read(text: &str, is_suite: bool, citations: &mut Citations) {
    let mut item = Item::default();
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            item.cited.extend(cited(doc));
        } else if item.open_attribute || line.starts_with("#[") {
            item.attribute(line);
        } else if line.starts_with("//") {
        } else {
            if let Some(name) = function_name(line)
                && (item.is_test || is_suite && line.starts_with("pub "))
            {
                for case in &item.cited {
                    citations.entry(*case).or_default().insert(name.to_owned());
                }
            }
            item = Item::default();
        }
    }
}

/// Reads Playwright's tests, which have their doc comment directly above them.
fn read_flows(text: &str, citations: &mut Citations) {
    let mut cites = BTreeSet::new();
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        in_comment |= line.starts_with("/**");
        if in_comment {
            let doc = line.trim_start_matches("/**").trim_start_matches("* ");
            cites.extend(cited(doc));
            in_comment = !line.ends_with("*/");
        } else {
            let found = std::mem::take(&mut cites);
            if let Some(title) = title(line) {
                for case in found {
                    citations.entry(case).or_default().insert(title.clone());
                }
            }
        }
    }
}

/// The title of a test that begins on this line, with `…` for what a loop puts into it.
fn title(line: &str) -> Option<String> {
    let rest = line.strip_prefix("test(")?;
    let quote = rest.chars().next().filter(|quote| "\"`".contains(*quote))?;
    let (title, _) = rest.strip_prefix(quote)?.split_once(quote)?;
    let mut parts = title.split("${");
    let mut title = parts.next()?.to_owned();
    for part in parts {
        let (_, rest) = part.split_once('}')?;
        title.push('…');
        title.push_str(rest);
    }
    Some(title)
}

/// What has been read of an item before its first line of code.
#[derive(Default)]
struct Item {
    cited: BTreeSet<Case>,
    is_test: bool,
    open_attribute: bool,
}

impl Item {
    fn attribute(&mut self, line: &str) {
        let path = line
            .trim_start_matches("#[")
            .split(['(', ']', ' '])
            .next()
            .unwrap_or_default();
        let last = path.rsplit("::").next().unwrap_or_default();
        if line.starts_with("#[") && (last == "test" || last == "test_case") {
            self.is_test = true;
        }
        self.open_attribute = !line.ends_with(']');
    }
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line;
    for word in ["pub(crate) ", "pub ", "const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?.split(['(', '<']).next()?;
    name.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
        .then_some(name)
}

fn cited(doc: &str) -> Vec<Case> {
    let opening = doc
        .split_once(':')
        .map(|(before, _)| without_remark(before));
    let bracketed = doc
        .split('(')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    opening
        .into_iter()
        .chain(bracketed)
        .filter_map(|text| citation(&text))
        .flatten()
        .collect()
}

/// A remark in brackets says which part of a case is meant: `Wire case 69 (the last part)`.
fn without_remark(text: &str) -> String {
    let (before, rest) = text.split_once('(').unwrap_or((text, ""));
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// The cases of a text that is a citation and nothing else.
fn citation(text: &str) -> Option<Vec<Case>> {
    let mut found = Vec::new();
    let mut in_wire_cases = false;
    for word in text.split([' ', ',', ';']).filter(|word| !word.is_empty()) {
        match word {
            "Wire" | "wire" => in_wire_cases = true,
            "Attack" | "attack" | "Attacks" | "attacks" => in_wire_cases = false,
            "case" | "cases" | "and" | "security" => {}
            // Requirements are cited for the reader; they have no table.
            _ if word.starts_with("REQ-") => {}
            _ if in_wire_cases && word.starts_with(|letter: char| letter.is_ascii_digit()) => {
                found.extend(wire_range(word)?);
            }
            _ => found.extend(cases::range(word)?),
        }
    }
    (!found.is_empty()).then_some(found)
}

fn wire_range(word: &str) -> Option<Vec<Case>> {
    let (first, last) = word.split_once(['-', '–']).unwrap_or((word, word));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    Some((first..=last).map(Case::Wire).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests_of(text: &str, is_suite: bool) -> Vec<(String, String)> {
        let mut citations = Citations::new();
        read(text, is_suite, &mut citations);
        citations
            .into_iter()
            .flat_map(|(case, tests)| tests.into_iter().map(move |test| (case.to_string(), test)))
            .collect()
    }

    #[test]
    fn citations_are_told_from_prose() {
        for (doc, expected) in [
            (" A6: `crit` is refused.", "A6"),
            (" A6, A11 and B2: refused.", "A6 A11 B2"),
            (" Wire cases 23 and 24: gone.", "23 24"),
            (" Wire case 14, attack B2: expired.", "14 B2"),
            (" Wire cases 16-18, E13: one header each.", "16 17 18 E13"),
            (" Expired tokens are refused (wire case 14, B2).", "14 B2"),
            (" Attacks G1–G3: at once.", "G1 G2 G3"),
            (" L5, wire case 69 (last part): derived.", "L5 69"),
            (" E11, REQ-30: a token.", "E11"),
            (" REQ-36: each prefix.", ""),
            (" Rotates R1: A1 is only mentioned.", ""),
            (" Case 5 of the list: nothing.", ""),
            (" A6 without a colon.", ""),
        ] {
            let found: Vec<String> = cited(doc).iter().map(Case::to_string).collect();
            assert_eq!(found.join(" "), expected, "{doc}");
        }
    }

    #[test]
    fn a_citation_counts_above_a_test_only() {
        let text = "/// A1: no test.\nfn helper() {}\n\n/// A2: a test.\n#[tokio::test(\n    \
                    flavor = \"multi_thread\"\n)]\nasync fn it_holds() {}\n";
        assert_eq!(
            tests_of(text, false),
            [("A2".to_owned(), "it_holds".to_owned())]
        );
    }

    #[test]
    fn a_case_of_a_suite_is_a_public_function() {
        let text = "/// G1: at once.\npub async fn it_is_refused(app: &TestApp) {\n/// G2: no.\nfn own() {}";
        assert_eq!(
            tests_of(text, true),
            [("G1".to_owned(), "it_is_refused".to_owned())]
        );
        assert!(tests_of(text, false).is_empty());
    }

    #[test]
    fn a_comment_above_a_test_of_playwrights_counts() {
        let text = "/** Wire case 1: once. */\nconst other = 1;\n\n/**\n * Wire case 2 (a part):\n * \
                    several lines.\n */\ntest(\"it holds\", async () => {\n  /** Wire case 3: no. */\n  \
                    call();\n});\nfor (const mode of MODES) {\n  /** Wire case 4: twice. */\n  \
                    test(`it holds in ${mode} mode, ${times} times`, async () => {});\n}\n";
        let mut citations = Citations::new();
        read_flows(text, &mut citations);
        let expected = [(2, "it holds"), (4, "it holds in … mode, … times")];
        let expected = expected
            .map(|(number, title)| (Case::Wire(number), BTreeSet::from([title.to_owned()])));
        assert_eq!(citations, Citations::from(expected));
    }
}
