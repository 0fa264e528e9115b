//! Upstream's own examples of every kind, with every field set: what `testdata/HEAD` of each `k8s.io/api`
//! has as JSON and as protobuf. `cargo xtask protobuf` runs this.

use std::fs;
use std::path::{Path, PathBuf};

use podgate_admission::decode::decode;
use podgate_admission::encode::encode;
use podgate_admission::resource::RESOURCES;
use podgate_policy::Minor;

use super::super::{of_json, schema_of, to_json};

/// The folder of the modules of Go that were downloaded, if somebody says so.
fn modules() -> Option<PathBuf> {
    let modules = std::env::var_os("PODGATE_GO_MODULES").map(PathBuf::from);
    if modules.is_none() {
        eprintln!("LEFT OUT: upstream's examples of protobuf; `cargo xtask protobuf` has them");
    }
    modules
}

/// `apiVersion` and kind of all that is read and written on a server of `minor`.
fn kinds(minor: Minor) -> Vec<(String, &'static str)> {
    let served = RESOURCES.iter().filter(|r| r.exists_in(minor));
    let mut kinds: Vec<_> = served.map(|r| (r.api_version(), r.kind)).collect();
    kinds.extend([
        ("v1".to_owned(), "Binding"),
        ("v1".to_owned(), "DeleteOptions"),
        ("v1".to_owned(), "Status"),
        ("autoscaling/v1".to_owned(), "Scale"),
        ("policy/v1beta1".to_owned(), "Eviction"),
    ]);
    kinds
}

#[test]
fn upstreams_examples() {
    let Some(modules) = modules() else { return };
    let versions = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../upstream/schema/versions.txt"
    );
    let versions = fs::read_to_string(versions).expect("the versions");
    let versions = versions.lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    let mut count = 0;
    for (minor, version) in Minor::all().zip(versions) {
        let folder = modules.join(format!("k8s.io/api@{version}/testdata/HEAD"));
        for (api_version, kind) in kinds(minor) {
            let name = format!("1.{} {api_version} {kind}", minor.number());
            match compare(&folder, &api_version, kind, minor) {
                Ok(()) => count += 1,
                Err(why) => wrong.push(format!("{name}: {why}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 500, "only {count} were compared");
}

fn compare(folder: &Path, api_version: &str, kind: &str, minor: Minor) -> Result<(), String> {
    let schema = schema_of(api_version, kind, minor).ok_or("no schema")?;
    let group_version = if api_version == "v1" {
        "core.v1".to_owned()
    } else {
        api_version.replace('/', ".")
    };
    let read = |end: &str| {
        let path = folder.join(format!("{group_version}.{kind}.{end}"));
        fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))
    };
    let (json, protobuf) = (read("json")?, read("pb")?);
    let object = |json: &[u8]| {
        let decoded = decode(json, schema, minor).map_err(|error| error.message)?;
        Ok::<_, String>(encode(&decoded.object, schema, minor))
    };
    let expected = object(&json)?;
    let found = to_json(&protobuf, (api_version, kind), minor).map_err(|status| status.message)?;
    let found = object(&found)?;
    if expected != found {
        return Err(format!("read\n  expected {expected}\n  found    {found}"));
    }
    let written = of_json(&json, minor).ok_or("not written")?;
    if written != protobuf {
        let same = written.iter().zip(&protobuf).take_while(|(a, b)| a == b);
        let at = same.count();
        let around = |bytes: &[u8]| {
            let around = &bytes[at.saturating_sub(20)..bytes.len().min(at + 20)];
            around.escape_ascii().to_string()
        };
        return Err(format!(
            "written otherwise at {at}\n  expected {}\n  found    {}",
            around(&protobuf),
            around(&written)
        ));
    }
    Ok(())
}
