//! The workspace's Rust and TypeScript files, and the part of a file that ships.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of the workspace's.
pub(crate) struct Source {
    /// Its path from the workspace's root.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) text: String,
}

/// Every Rust file under a folder of the workspace; none when there is no such folder.
pub(crate) fn under(root: &Path, folder: &str) -> Result<Vec<Source>, String> {
    with_extension(root, folder, "rs")
}

/// Every file with this extension under a folder of the workspace; none when there is no such folder.
pub(crate) fn with_extension(
    root: &Path,
    folder: &str,
    extension: &str,
) -> Result<Vec<Source>, String> {
    let mut sources = Vec::new();
    let start = root.join(folder);
    if start.is_dir() {
        collect(root, &start, extension, &mut sources)?;
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(sources)
}

fn collect(
    root: &Path,
    folder: &Path,
    extension: &str,
    sources: &mut Vec<Source>,
) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            let is_ours = |name| name != "target" && name != "node_modules";
            if path.file_name().is_none_or(is_ours) {
                collect(root, &path, extension, sources)?;
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_owned();
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

impl Source {
    /// The numbered lines that end up in the program: without comments and without the tests,
    /// which come last in every file.
    pub(crate) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"))
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.starts_with("//"))
    }

    /// Every shipped line that breaks a rule, as `path:line: why`.
    pub(crate) fn offences(&self, why: impl Fn(&str) -> Option<String>) -> Vec<String> {
        self.shipped_lines()
            .filter_map(|(number, line)| {
                Some(format!("{}:{number}: {}", self.path.display(), why(line)?))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_tests_do_not_ship() {
        let text = "//! docs\nuse a;\n// why\nlet b;\n#[cfg(test)]\nmod tests {}\n".to_owned();
        let source = Source {
            path: "a.rs".into(),
            text,
        };
        assert_eq!(
            source.shipped_lines().collect::<Vec<_>>(),
            [(2, "use a;"), (4, "let b;")]
        );
    }
}
