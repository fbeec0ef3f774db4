//! Links: those inside the repository lead to a file and an anchor, the others are well formed.
//!
//! Nothing is fetched, so that the check gives the same answer everywhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

/// Pages of mdBook's own making, whose links are written for another place than they stand in.
const GENERATED: &[&str] = &["print.html", "404.html", "toc.html"];

/// Broken links in the built book.
pub(crate) fn in_book(book: &Path) -> Result<Vec<String>, String> {
    let mut pages = BTreeMap::new();
    collect(book, book, &mut pages)?;
    let mut problems = Vec::new();
    for (path, page) in &pages {
        if GENERATED.iter().any(|name| path == Path::new(name)) {
            continue;
        }
        let links = attributes(page, "href").chain(attributes(page, "src"));
        for link in links.collect::<BTreeSet<_>>() {
            if let Some(problem) = problem_in_book(book, path, link, &pages) {
                problems.push(format!("book/{}: `{link}` {problem}", path.display()));
            }
        }
    }
    Ok(problems)
}

fn collect(
    book: &Path,
    folder: &Path,
    pages: &mut BTreeMap<PathBuf, String>,
) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.is_dir() {
            collect(book, &path, pages)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let text = fs::read_to_string(&path).map_err(problem)?;
            pages.insert(path.strip_prefix(book).unwrap_or(&path).to_owned(), text);
        }
    }
    Ok(())
}

fn problem_in_book(
    book: &Path,
    from: &Path,
    link: &str,
    pages: &BTreeMap<PathBuf, String>,
) -> Option<&'static str> {
    if is_external(link) {
        return malformed(link);
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = target.split('?').next().unwrap_or_default();
    let path = if target.is_empty() {
        from.to_owned()
    } else {
        resolve(from, &decoded(target))?
    };
    if !anchor.is_empty() {
        let Some(page) = pages.get(&path) else {
            return Some("leads to no page of the book");
        };
        let anchor = decoded(anchor);
        let found = attributes(page, "id")
            .chain(attributes(page, "name"))
            .any(|id| id == anchor);
        return (!found).then_some("leads to no such anchor");
    }
    (!book.join(&path).exists()).then_some("leads to no file")
}

/// Broken links in the pages at the root and in the crates' own pages, as a code host shows them.
pub(crate) fn in_root_pages(root: &Path) -> Result<Vec<String>, String> {
    let mut folders = vec![root.to_owned()];
    if let Ok(crates) = fs::read_dir(root.join("crates")) {
        folders.extend(crates.flatten().map(|entry| entry.path()));
    }
    let mut problems = Vec::new();
    for folder in folders {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .display()
                .to_string();
            problems.extend(
                targets_in_markdown(&text)
                    .filter_map(|link| Some((link, problem_in_root_page(&folder, &text, link)?)))
                    .map(|(link, problem)| format!("{name}: `{link}` {problem}")),
            );
        }
    }
    Ok(problems)
}

fn problem_in_root_page(folder: &Path, text: &str, link: &str) -> Option<&'static str> {
    if is_external(link) {
        return malformed(link);
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    if !target.is_empty() && !folder.join(decoded(target)).exists() {
        return Some("leads to no file");
    }
    if anchor.is_empty() {
        return None;
    }
    let there = if target.is_empty() {
        text.to_owned()
    } else {
        fs::read_to_string(folder.join(decoded(target))).unwrap_or_default()
    };
    (!headings(&there).any(|heading| heading == anchor)).then_some("leads to no such heading")
}

/// The targets of all inline links of a Markdown text, outside code blocks.
pub(crate) fn targets_in_markdown(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| {
        line.split("](").skip(1).filter_map(|rest| {
            let target = rest.split_once(')')?.0;
            Some(target.split_whitespace().next().unwrap_or_default())
        })
    })
}

fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
}

fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

fn attributes<'a>(page: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    page.split('<').filter_map(move |tag| {
        let (_, value) = tag.split('>').next()?.split_once(&format!(" {name}=\""))?;
        Some(value.split_once('"')?.0)
    })
}

fn is_external(link: &str) -> bool {
    ["http:", "https:", "mailto:", "data:", "//"]
        .iter()
        .any(|scheme| link.starts_with(scheme))
}

fn malformed(link: &str) -> Option<&'static str> {
    if link.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Some("holds white space");
    }
    if let Some(address) = link.strip_prefix("mailto:") {
        return (!address.contains('@')).then_some("is no address");
    }
    if link.starts_with("http:") || link.starts_with("//") {
        return Some("is not https");
    }
    let rest = link.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (!host.contains('.') || host.starts_with('.')).then_some("names no host")
}

/// A relative path seen from a page, without leaving the book.
fn resolve(from: &Path, target: &str) -> Option<PathBuf> {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let escaped = if byte == b'%' {
            digit(ahead.next()).zip(digit(ahead.next()))
        } else {
            None
        };
        match escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_without_its_anchor_is_found() {
        let page = "<h1 id=\"here\">a</h1><a class=\"x\" href=\"#here\">b</a>".to_owned();
        let pages = BTreeMap::from([(PathBuf::from("guide/a.html"), page)]);
        let problem = |from: &str, link: &str| {
            problem_in_book(Path::new("no-such-book"), Path::new(from), link, &pages)
        };
        assert_eq!(problem("guide/a.html", "#here"), None);
        assert_eq!(problem("b.html", "guide/a.html#here"), None);
        assert_eq!(problem("guide/b.html", "../guide/a.html#here"), None);
        assert_eq!(
            problem("guide/a.html", "#there"),
            Some("leads to no such anchor")
        );
        assert_eq!(
            problem("b.html", "a.html#here"),
            Some("leads to no page of the book")
        );
        assert_eq!(problem("b.html", "c.html"), Some("leads to no file"));
    }

    #[test]
    fn links_in_code_blocks_are_not_links() {
        let text = "[a](one.md) and [b](two.md \"title\")\n```text\n[c](three.md)\n```\n[d](#four)";
        let found: Vec<&str> = targets_in_markdown(text).collect();
        assert_eq!(found, ["one.md", "two.md", "#four"]);
    }

    #[test]
    fn a_heading_has_the_anchor_that_code_hosts_give_it() {
        let found: Vec<String> =
            headings("# How to add: a store\n```text\n# no\n```\n## `a_b`").collect();
        assert_eq!(found, ["how-to-add-a-store", "a_b"]);
    }

    #[test]
    fn an_external_link_is_judged_by_its_form_alone() {
        assert_eq!(malformed("https://example.com/a?b#c"), None);
        assert_eq!(malformed("mailto:a@example.com"), None);
        assert!(malformed("http://example.com").is_some());
        assert!(malformed("https:///a").is_some());
        assert!(malformed("mailto:nobody").is_some());
    }

    #[test]
    fn attributes_are_read_from_tags_only() {
        let page = "<a href=\"one\">href=\"two\"</a><img src=\"three\" href=\"four\">";
        assert_eq!(
            attributes(page, "href").collect::<Vec<_>>(),
            ["one", "four"]
        );
    }

    #[test]
    fn percent_escapes_are_undone() {
        assert_eq!(decoded("a%20b%C3%A9%zz&amp;"), "a bé%zz&");
    }
}
