//! The book: it builds, every page is reachable and is tested, every link leads somewhere.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{links, process, tools, workspace::Workspace};

/// Builds the book and checks it. Its examples are compiled with the tests: the package `book`
/// turns each page into documentation tests.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let docs = workspace.root().join("docs");
    let mut problems = pages(&docs)?;
    let mdbook = tools::MDBOOK.ready(workspace.root())?;
    process::show(Command::new(mdbook).current_dir(&docs).arg("build"))?;
    problems.extend(links::in_book(&docs.join("book"))?);
    problems.extend(links::in_root_pages(workspace.root())?);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

/// Pages that are missing in the summary or in the tests, files that a page includes and that are not
/// there, for which mdBook builds the page all the same, and code blocks without a language: rustdoc
/// takes those for Rust.
fn pages(docs: &Path) -> Result<Vec<String>, String> {
    let source = docs.join("src");
    let summary = read(&source.join("SUMMARY.md"))?;
    let tested = read(&docs.join("doctests.rs"))?;
    let listed: BTreeSet<&str> = links::targets_in_markdown(&summary).collect();
    let mut problems = Vec::new();
    for page in markdown_in(&source)? {
        let name = page
            .strip_prefix(&source)
            .unwrap_or(&page)
            .to_string_lossy()
            .replace('\\', "/");
        if name == "SUMMARY.md" {
            continue;
        }
        if !listed
            .iter()
            .any(|target| target.trim_start_matches("./") == name)
        {
            problems.push(format!("docs/src/{name} is not in SUMMARY.md"));
        }
        if !tested.contains(&format!("include_str!(\"src/{name}\")")) {
            problems.push(format!("docs/src/{name} is not in docs/doctests.rs"));
        }
        let text = read(&page)?;
        problems.extend(
            included_by(&text)
                .filter(|included| !page.with_file_name(included).is_file())
                .map(|included| format!("docs/src/{name} includes {included}, which is missing")),
        );
        problems.extend(
            unlabelled_fences(&text)
                .into_iter()
                .map(|line| format!("docs/src/{name}:{line}: a code block without a language")),
        );
    }
    Ok(problems)
}

/// The paths of `{{#include path:part}}`, from the page's folder.
fn included_by(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{#include ")
        .skip(1)
        .filter_map(|rest| rest.split([':', '}']).next())
}

fn unlabelled_fences(text: &str) -> Vec<usize> {
    let mut inside = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(label) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        if !inside && label.trim().is_empty() {
            found.push(index + 1);
        }
        inside = !inside;
    }
    found
}

fn markdown_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            pages.extend(markdown_in(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(pages)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_include_of_a_page_is_found() {
        let text = "a\n{{#include ../a/table.md}}\n\n`{{x}}` {{#include b.mjs:verify}}\n";
        assert_eq!(
            included_by(text).collect::<Vec<_>>(),
            ["../a/table.md", "b.mjs"]
        );
    }

    #[test]
    fn a_code_block_without_a_language_is_found() {
        let text = "a\n```rust\nlet a;\n```\n\n```\nplain\n```\n  ```http\n  ```\n";
        assert_eq!(unlabelled_fences(text), [6]);
    }
}
