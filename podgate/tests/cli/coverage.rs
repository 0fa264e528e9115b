//! `podgate coverage`.

use serde_json::Value;

use crate::folder::Folder;

#[test]
fn holes_end_with_1_and_are_named() {
    let folder = Folder::suite();
    let run = folder.podgate(&["coverage"]).ends(1);
    run.says(&[
        "check",
        "tripped",
        "passed",
        "hostNamespaces",
        "none",
        "holes",
        "hostNamespaces v1.0: no scenario trips it",
    ]);
    let json = folder.podgate(&["coverage", "-o", "json"]).ends(1).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let checks = json["checks"].as_array().unwrap();
    let of = |id: &str, version: &str| {
        let mut checks = checks.iter();
        checks
            .find(|c| c["id"] == id && c["version"] == version)
            .unwrap()
    };
    // The hello of the example lacks what restricted asks for.
    for version in ["v1.0", "v1.35"] {
        let tripped = &of("runAsNonRoot", version)["tripped"];
        assert_eq!(*tripped, serde_json::json!(["hello"]));
    }
    assert_eq!(of("hostPorts", "v1.0")["tripped"], serde_json::json!([]));
    assert_eq!(of("sysctls", "v1.37")["passed"], serde_json::json!([]));
    assert_eq!(json["policyFields"], serde_json::json!([]));
    let lines = folder
        .podgate(&["coverage", "-o", "jsonl"])
        .ends(1)
        .json_lines();
    assert_eq!(lines, *checks);
}

#[test]
fn nothing_to_run_is_no_coverage() {
    let folder = Folder::suite();
    folder
        .podgate(&["coverage", "--kubernetes", "1.20"])
        .ends(4);
    folder
        .podgate(&["coverage", "nope"])
        .ends(2)
        .tells(&["there is no scenario `nope`"]);
}
