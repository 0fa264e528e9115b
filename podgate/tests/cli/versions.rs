//! `podgate versions`.

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn every_minor_and_what_it_was_compared_with() {
    let folder = Folder::new();
    let run = folder.podgate(&["versions", "-o", "json"]).ends(0);
    let versions: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let minors: Vec<&str> = versions
        .iter()
        .map(|v| v["kubernetes"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (20..=37).map(|minor| format!("1.{minor}")).collect();
    assert_eq!(minors, expected);
    let unrecorded: Vec<&str> = versions
        .iter()
        .filter(|v| v["compared"] == "from source only")
        .map(|v| v["kubernetes"].as_str().unwrap())
        .collect();
    assert_eq!(unrecorded, ["1.20", "1.22", "1.24", "1.37"]);
    for version in &versions {
        let image = version["kind"]["image"].as_str().unwrap();
        let minor = version["kubernetes"].as_str().unwrap();
        let tag = format!("kindest/node:v{minor}.");
        assert!(image.starts_with(&tag), "{image}");
        assert_eq!(version["kind"]["pinned"], image.contains("@sha256:"));
        assert!(version["kind"]["source"].as_str().unwrap().ends_with(".0"));
    }
    let text = folder.podgate(&["versions"]).ends(0).stdout;
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert!(text.contains("1.37"), "{text}");
}
