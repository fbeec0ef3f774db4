//! What Cargo knows about this workspace: where it is, its packages, its dependency graph.
//!
//! Nothing here names a crate, so that a new one is checked from the day it is added.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process;

/// The workspace and the answer of `cargo metadata` about it.
pub(crate) struct Workspace {
    root: PathBuf,
    metadata: Value,
    members: Vec<Member>,
}

/// A package of the workspace.
pub(crate) struct Member {
    /// The package's name.
    pub(crate) name: String,
    /// Cargo's own name for it, as used in the dependency graph.
    pub(crate) id: String,
    /// Where its manifest lies.
    pub(crate) folder: PathBuf,
    /// Whether it may be published.
    pub(crate) published: bool,
    /// Its test binaries besides the library's own.
    pub(crate) test_binaries: Vec<String>,
    /// The features it declares, without `default`.
    pub(crate) features: Vec<String>,
}

impl Workspace {
    /// Asks Cargo about the workspace that this program was built from.
    pub(crate) fn load() -> Result<Self, String> {
        let root = root();
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
        ];
        let text = process::capture(process::cargo(&root).args(arguments))?;
        let metadata: Value = serde_json::from_str(&text)
            .map_err(|error| format!("cargo metadata answered no JSON: {error}"))?;
        let ids: Vec<&str> = array(&metadata, "workspace_members")
            .filter_map(Value::as_str)
            .collect();
        let members = array(&metadata, "packages")
            .filter(|package| ids.contains(&text_of(package, "id")))
            .map(Member::from_metadata)
            .collect();
        Ok(Self {
            root,
            metadata,
            members,
        })
    }

    /// The folder of the workspace's manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where Cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        text_of(&self.metadata, "target_directory").into()
    }

    /// All packages of the workspace.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The packages that may be published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.published)
    }

    /// The package with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Every package in the graph, ours and others'.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Value> {
        array(&self.metadata, "packages")
    }

    /// The nodes of the resolved dependency graph.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Value> {
        self.metadata
            .get("resolve")
            .into_iter()
            .flat_map(|resolve| array(resolve, "nodes"))
    }
}

impl Member {
    fn from_metadata(package: &Value) -> Self {
        let manifest = Path::new(text_of(package, "manifest_path"));
        Self {
            name: text_of(package, "name").to_owned(),
            id: text_of(package, "id").to_owned(),
            folder: manifest.parent().unwrap_or(manifest).to_owned(),
            // Cargo writes `publish = false` as an empty list of registries.
            published: package.get("publish").is_none_or(Value::is_null),
            test_binaries: array(package, "targets")
                .filter(|target| array(target, "kind").any(|kind| kind == "test"))
                .map(|target| text_of(target, "name").to_owned())
                .collect(),
            features: package
                .get("features")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|features| features.keys().cloned())
                .filter(|feature| feature != "default")
                .collect(),
        }
    }
}

/// The folder of the workspace's manifest.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The members of an array inside a JSON object; none when there is no such array.
pub(crate) fn array<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// A text inside a JSON object; empty when there is no such text.
pub(crate) fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
