//! `podgate explain`: every check has a page that says what to do.

use serde_json::Value;

use crate::folder::Folder;

fn checks() -> Vec<Value> {
    let run = Folder::new().podgate(&["explain", "-o", "json"]).ends(0);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn every_check_has_a_page() {
    let checks = checks();
    assert_eq!(checks.len(), 19, "{checks:?}");
    let folder = Folder::new();
    let overview = folder
        .podgate(&["explain"])
        .ends(0)
        .says(&["baseline\n", "restricted\n"])
        .stdout;
    for check in checks {
        let id = check["id"].as_str().unwrap();
        assert!(overview.contains(&format!("  {id} ")), "{id}");
        let page = folder.podgate(&["explain", id]).ends(0).says(&[
            &format!("{id}: "),
            "\nLevel\n",
            "\nSince\n",
            "\nFields\n",
            "\nAllowed\n",
            "\nWhat to do\n",
        ]);
        for line in page.stdout.lines() {
            assert!(
                line.chars().count() <= 80 || !line.trim_start().contains(' '),
                "{line}"
            );
        }
        let whole: Value = serde_json::from_str(
            &folder
                .podgate(&["explain", id, "-o", "json"])
                .ends(0)
                .stdout,
        )
        .unwrap();
        for field in [
            "id", "level", "title", "rule", "versions", "fields", "allowed", "fix", "example",
        ] {
            assert!(!whole[field].is_null(), "{id} has no {field}");
        }
    }
}

/// What a check gives as the way out passes the check.
#[test]
fn examples_are_admitted() {
    let folder = Folder::new();
    for check in checks() {
        let id = check["id"].as_str().unwrap();
        let whole: Value =
            serde_json::from_str(&folder.podgate(&["explain", id, "-o", "json"]).stdout).unwrap();
        let example = whole["example"].as_str().unwrap();
        let object: Value =
            serde_yaml::from_str(example).unwrap_or_else(|e| panic!("{id}: {e}\n{example}"));
        assert!(object.is_object(), "{id}: {example}");
    }
}

#[test]
fn an_unknown_check() {
    let folder = Folder::new();
    folder
        .podgate(&["explain", "capabilties_restricted"])
        .ends(2)
        .tells(&[
            "there is no check `capabilties_restricted`",
            "hint: did you mean `capabilities_restricted`?",
        ]);
    folder
        .podgate(&["explain", "xyz"])
        .ends(2)
        .tells(&["hint: the checks are: "]);
}
