//! Runs the Go program in `upstream/schema` once for each minor and reads what it prints.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::Root;

/// The types of one minor.
#[derive(Debug, Deserialize)]
pub(super) struct Types {
    /// From group, version and kind to the ID of the struct.
    pub roots: BTreeMap<String, String>,
    pub structs: Vec<Struct>,
}

/// See `Struct` in `upstream/schema/main.go`.
#[derive(Debug, Deserialize)]
pub(super) struct Struct {
    pub id: String,
    pub go: String,
    pub markers: Markers,
    pub fields: Vec<Field>,
}

/// See `Field` in `upstream/schema/main.go`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Field {
    pub name: String,
    pub go: String,
    #[serde(rename = "type")]
    pub ty: Type,
    pub pointer: bool,
    pub omit_empty: bool,
    pub numbers: Vec<u32>,
    pub patch_strategy: Option<Vec<String>>,
    pub patch_merge_key: String,
    pub markers: Markers,
}

/// See `Markers` in `upstream/schema/markers.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Markers {
    pub list_type: String,
    pub list_map_keys: Vec<String>,
    pub map_type: String,
    pub struct_type: String,
}

/// See `Type` in `upstream/schema/main.go`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Type {
    pub kind: Kind,
    pub go: String,
    #[serde(rename = "struct")]
    pub id: Option<String>,
    pub elem: Option<Box<Type>>,
}

/// The variants of the tables' `Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    Bool,
    Int32,
    Int64,
    Float64,
    String,
    Bytes,
    Struct,
    List,
    Map,
    IntOrString,
    Quantity,
    Time,
    MicroTime,
    Raw,
}

/// The types of each minor (as the number behind the dot), oldest first.
pub(super) fn read_types(root: &Path, roots: &[Root]) -> Result<Vec<(u8, Types)>> {
    versions(&root.join(super::VERSIONS))?
        .into_iter()
        .map(|(minor, version)| {
            eprintln!("codegen: k8s.io/api {version}");
            let types = run(root, &version, minor, roots).with_context(|| version.clone())?;
            Ok((minor, types))
        })
        .collect()
}

/// The versions of `k8s.io/api`: one for each minor, oldest first, without a gap.
pub(super) fn versions(path: &Path) -> Result<Vec<(u8, String)>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let mut versions: Vec<(u8, String)> = Vec::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let minor = line
            .strip_prefix("v0.")
            .and_then(|rest| rest.split_once('.'))
            .and_then(|(minor, _)| minor.parse().ok())
            .with_context(|| format!("{line:?} is no version of k8s.io/api"))?;
        if versions.last().is_some_and(|(last, _)| last + 1 != minor) {
            bail!("{line} does not follow the minor before it");
        }
        versions.push((minor, line.to_owned()));
    }
    Ok(versions)
}

/// Runs the program against `version` in a module of its own.
fn run(root: &Path, version: &str, minor: u8, roots: &[Root]) -> Result<Types> {
    let dir = root.join("target/codegen").join(version);
    fs::create_dir_all(&dir)?;
    for file in ["main.go", "markers.go"] {
        fs::copy(root.join("upstream/schema").join(file), dir.join(file))?;
    }
    // Only the direct requirements are written: `-mod=mod` lets Go take the rest from them.
    fs::write(
        dir.join("go.mod"),
        format!(
            "module podgate.dev/upstream/schema\n\ngo 1.22\n\nrequire (\n\tk8s.io/api {version}\n\t\
             k8s.io/apimachinery {version}\n)\n"
        ),
    )?;
    let output = Command::new("go")
        .args(["run", "-mod=mod", "."])
        .args(roots.iter().filter(|r| minor <= r.until).map(|r| r.gvk))
        .current_dir(&dir)
        .output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("THE TABLES WERE NOT LOOKED AT: codegen needs Go, and there is no `go` in PATH")
        }
        output => output.context("run go")?,
    };
    if !output.status.success() {
        bail!(
            "go run in {}: {}\n{}",
            dir.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("read what the Go program printed")
}
