//! The workspace's `rust-version` is what its published crates' dependencies really need.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::workspace::{Workspace, array, text_of};

/// Fails when a dependency of a published crate asks for a newer compiler than the crate promises.
///
/// Dependencies of tests do not count: they are not built by the crate's users.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let packages: BTreeMap<&str, &Value> = workspace
        .packages()
        .map(|package| (text_of(package, "id"), package))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = workspace
        .nodes()
        .map(|node| (text_of(node, "id"), shipped_dependencies(node)))
        .collect();
    let mut problems = Vec::new();
    for member in workspace.published() {
        let Some(promised) = packages
            .get(member.id.as_str())
            .and_then(|own| minimum_of(own))
        else {
            problems.push(format!("{} states no rust-version", member.name));
            continue;
        };
        let needed = reachable(&member.id, &edges)
            .into_iter()
            .filter(|id| *id != member.id)
            .filter_map(|id| packages.get(id))
            .filter_map(|package| Some((minimum_of(package)?, text_of(package, "name"))))
            .max();
        if let Some((needed, by)) = needed {
            println!(
                "{} promises {}, {by} needs {}",
                member.name,
                show(promised),
                show(needed)
            );
            if needed > promised {
                problems.push(format!("{}: {by} needs Rust {}", member.name, show(needed)));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

fn shipped_dependencies(node: &Value) -> Vec<&str> {
    array(node, "deps")
        .filter(|dependency| {
            array(dependency, "dep_kinds").any(|kind| text_of(kind, "kind") != "dev")
        })
        .map(|dependency| text_of(dependency, "pkg"))
        .collect()
}

fn reachable<'a>(from: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(id) = waiting.pop() {
        if seen.insert(id) {
            waiting.extend(edges.get(id).into_iter().flatten());
        }
    }
    seen
}

type Minimum = (u64, u64, u64);

fn minimum_of(package: &Value) -> Option<Minimum> {
    parse(package.get("rust_version")?.as_str()?)
}

fn parse(version: &str) -> Option<Minimum> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    let major = numbers.next()??;
    Some((
        major,
        numbers.next().flatten().unwrap_or(0),
        numbers.next().flatten().unwrap_or(0),
    ))
}

fn show((major, minor, patch): Minimum) -> String {
    if patch == 0 {
        format!("{major}.{minor}")
    } else {
        format!("{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_not_by_text() {
        assert!(parse("1.94") > parse("1.9.9"));
        assert_eq!(parse("1.85"), parse("1.85.0"));
        assert_eq!(parse("nightly"), None);
    }

    #[test]
    fn dependencies_of_tests_are_not_followed() {
        let node = serde_json::json!({"deps": [
            {"pkg": "shipped", "dep_kinds": [{"kind": null}]},
            {"pkg": "both", "dep_kinds": [{"kind": "dev"}, {"kind": "build"}]},
            {"pkg": "tests only", "dep_kinds": [{"kind": "dev"}]},
        ]});
        assert_eq!(shipped_dependencies(&node), ["shipped", "both"]);
    }
}
