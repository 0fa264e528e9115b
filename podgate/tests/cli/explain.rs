//! `podgate explain`: every check has a page that says what to do.

use serde_json::{Value, json};

use crate::folder::Folder;

fn all() -> Vec<Value> {
    let run = Folder::new().podgate(&["explain", "-o", "json"]).ends(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Those of `PodSecurity`, or those of `PodSecurityPolicy`.
fn those_of(plugin: &str) -> Vec<Value> {
    let mut those = all();
    those.retain(|one| one["of"] == plugin);
    those
}

fn checks() -> Vec<Value> {
    those_of("PodSecurity")
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

#[test]
fn every_field_of_a_policy_has_a_page() {
    let folder = Folder::new();
    let fields = those_of("PodSecurityPolicy");
    assert!(fields.len() > 20, "{fields:?}");
    let overview = folder.podgate(&["explain"]).ends(0).stdout;
    for field in fields {
        let id = field["id"].as_str().unwrap();
        let (_, fields) = overview.split_once("PodSecurityPolicy").unwrap();
        assert!(fields.contains(&format!("  {id} ")), "{id}");
        folder.podgate(&["explain", id]).ends(0).says(&[
            "(PodSecurityPolicy)",
            "\nFills in\n",
            "\nIn Pod Security\n",
        ]);
    }
    // Of these the policy fills one in, and Pod Security has nothing in the place of the other.
    folder.podgate(&["explain", "fsGroup"]).ends(0).says(&[
        "\nFills in\n  securityContext.fsGroup",
        "None: Pod Security never looks at groups.",
    ]);
}

#[test]
fn a_name_of_both_has_both_pages() {
    let folder = Folder::new();
    folder.podgate(&["explain", "hostPorts"]).ends(0).says(&[
        "\nLevel\n",
        "spec.hostPorts",
        "there are no ranges",
    ]);
    let json = folder
        .podgate(&["explain", "hostPorts", "-o", "json"])
        .ends(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["of"], "PodSecurity");
    assert_eq!(
        json["podSecurityPolicy"]["fields"],
        json!(["spec.hostPorts"])
    );
}

/// What a check gives as the way out is valid, and passes the check.
#[test]
fn examples_pass_their_check() {
    let folder = Folder::new();
    for check in checks() {
        let id = check["id"].as_str().unwrap();
        let level = check["level"].as_str().unwrap();
        let page = folder.podgate(&["explain", id, "-o", "json"]).ends(0);
        let page: Value = serde_json::from_str(&page.stdout).unwrap();
        let mut pod: Value = serde_yaml::from_str(page["example"].as_str().unwrap()).unwrap();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"] = json!({"name": "example"});
        let containers = &mut pod["spec"]["containers"];
        if containers.is_null() {
            *containers = json!([{"name": "app"}]);
        }
        containers[0]["image"] = json!("app:1");
        let arguments = ["check", "-", "--enforce", level, "-o", "jsonl"];
        let run = folder.with_stdin(&arguments, &pod.to_string());
        let line = run.json_lines().remove(0);
        let by = line["by"].as_str().unwrap_or("PodSecurity");
        assert_eq!(by, "PodSecurity", "{id}: {line}");
        let checks = line["checks"].as_array().unwrap();
        assert!(!checks.contains(&json!(id)), "{id}: {line}");
        // What restricted asks for in other checks is not shown.
        assert!(level != "baseline" || line["ok"] == true, "{id}: {line}");
    }
}

#[test]
fn an_unknown_check() {
    let folder = Folder::new();
    folder
        .podgate(&["explain", "capabilties_restricted"])
        .ends(2)
        .tells(&[
            "there is no check and no field of a PodSecurityPolicy `capabilties_restricted`",
            "hint: did you mean `capabilities_restricted`?",
        ]);
    folder
        .podgate(&["explain", "xyz"])
        .ends(2)
        .tells(&["hint: there are: "]);
}
