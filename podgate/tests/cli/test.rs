//! `podgate test`: what runs, what it is compared with, and when it fails.

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

const SNAPSHOT: &str = "snapshots/psa-restricted/hello.snap";
const PROPOSED: &str = "snapshots/psa-restricted/hello.snap.new";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce: restricted";
const WARN: &str = "pod-security.kubernetes.io/warn: restricted";

#[test]
fn the_example_holds() {
    let suite = Folder::suite();
    let before = suite.files("");
    suite.podgate(&["test"]).ends(0).says(&[
        "  psa-baseline-warn-restricted  psa-restricted\nhello\n  Deployment/hello  ✓                             ✓\n  Pod/root          ✓ warns                       ✗\n",
        "✗ rejected",
        "  Pod/root  scenarios/hello.yaml:39\n    rejected 403 by PodSecurity  psa-restricted 1.23..\n",
        "      - runAsNonRoot != true (pod or container \"root\" must set\n",
        "        at scenarios/hello.yaml:47:7\n      - runAsUser=0 (container \"root\" must not set runAsUser=0)\n        at scenarios/hello.yaml:48:9\n",
        "Kubernetes 1.23 to 1.37, embedded server: 90 outcomes in 30 cells",
        "1.23..: 90 outcomes, embedded only\nall 2 snapshots agree\n",
    ]);
    assert_eq!(suite.files(""), before, "nothing is written");
    suite.podgate(&["test", "-q"]).ends(0).says(&[
        "Pod/root          ✓ warns                       ✗\n\n✓ admitted",
        "all 2 snapshots agree\n",
    ]);
}

#[rstest]
#[case::no_such(&["helo"], 2, "there is no scenario `helo`", "did you mean `hello`?")]
#[case::nothing_applies(&["--kubernetes", "1.22"], 4, "nothing to run", "not applicable psa-restricted: 1.22")]
#[case::named(&["--cluster", "psa-restricted", "--kubernetes", "1.22"], 2, "cluster `psa-restricted` is not for Kubernetes 1.22", "it is for 1.23..")]
#[case::half_named(&["--cluster", "psa-restricted", "--kubernetes", "1.22..1.25"], 2, "is not for Kubernetes 1.22\n", "it is for 1.23..")]
#[case::excluded(&["only", "--cluster", "psa-baseline-warn-restricted"], 4, "nothing to run", "not applicable only on psa-baseline-warn-restricted: 1.23..")]
#[case::scenario_of_others(&["only", "--kubernetes", "1.24..1.25"], 2, "scenario `only` is not for Kubernetes 1.24\n", "it is for 1.25..")]
fn a_selection_that_selects_nothing_fails(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let suite = Folder::suite();
    suite.write(
        "scenarios/only.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {clusters: [psa-restricted], kubernetes: \"1.25..\"}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n",
    );
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    suite.podgate(&arguments).ends(code).tells(&[message, hint]);
}

/// A folder of scenarios is chosen as a whole: one that is not for a version is listed.
#[test]
fn a_folder_may_have_scenarios_of_other_versions() {
    let suite = Folder::suite();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    suite.write("scenarios/pods/any.yaml", pod);
    let head =
        "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {kubernetes: \"1.25..\"}\n---\n";
    suite.write("scenarios/pods/late.yaml", &format!("{head}{pod}"));
    suite.podgate(&["test", "pods"]).ends(1);
    suite.podgate(&["review", "--accept"]).ends(0);
    for folder in ["pods", "pods/"] {
        suite
            .podgate(&["test", folder, "--kubernetes", "1.24"])
            .ends(0)
            .says(&["not applicable pods/late on psa-restricted: 1.24"]);
    }
    for scenario in ["late", "pods/late"] {
        suite
            .podgate(&["test", scenario, "--kubernetes", "1.24"])
            .ends(2)
            .tells(&["scenario `pods/late` is not for Kubernetes 1.24"]);
    }
}

#[test]
fn cells_out_of_a_range_are_listed_and_counted() {
    let suite = Folder::suite();
    suite
        .podgate(&["test", "--kubernetes", "1.21..1.23"])
        .ends(0)
        .says(&[
            "not applicable psa-baseline-warn-restricted: 1.21..1.22\n",
            "not applicable psa-restricted: 1.21..1.22\n",
            "Kubernetes 1.23, embedded server: 6 outcomes in 2 cells, 4 not applicable (1\n",
        ]);
}

#[rstest]
#[case(&["hello"])]
#[case(&["scenarios/hello.yaml"])]
#[case(&["--cluster", "psa-restricted"])]
#[case(&["--cluster", "clusters/psa-restricted.yaml"])]
#[case(&["--cluster", "psa-restricted", "--cluster", "psa-restricted"])]
#[case(&["--kubernetes", "v1.36.2"])]
#[case(&["--backend", "embedded"])]
fn selections(#[case] arguments: &[&str]) {
    let arguments: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    Folder::suite()
        .podgate(&arguments)
        .ends(0)
        .says(&["snapshot"]);
}

#[test]
fn a_missing_snapshot_fails_and_in_ci_nothing_is_written() {
    let suite = Folder::suite();
    suite.remove("snapshots");
    suite
        .in_ci(&["test", "-q"])
        .ends(1)
        .says(&[
            "missing hello: no snapshot on psa-baseline-warn-restricted, psa-restricted\n",
            "snapshots: 2 missing\n",
        ])
        .tells(&["nothing is written in CI"]);
    assert!(suite.files("snapshots").is_empty());
    suite.podgate(&["test", "-q"]).ends(1).says(&[
        "snapshots: 2 missing\n",
        "podgate review shows what is pending",
    ]);
    assert_eq!(suite.files("snapshots").len(), 2);
    assert!(suite.read(PROPOSED).contains("Pod/root   applied by admin"));
}

#[test]
fn what_was_rejected_and_is_admitted_comes_first() {
    let suite = Folder::suite();
    // The cluster that comes first in the alphabet changes its warnings only.
    suite
        .edit(
            "clusters/psa-baseline-warn-restricted.yaml",
            WARN,
            "pod-security.kubernetes.io/warn: baseline",
        )
        .edit(
            "clusters/psa-restricted.yaml",
            ENFORCE,
            "pod-security.kubernetes.io/enforce: baseline",
        );
    suite.podgate(&["test", "-q"]).ends(1).says(&[
        "changed hello on psa-restricted\n  Pod/root on 1.23..: was rejected, is admitted\n    - rejected 403 by PodSecurity\n",
        "    -   - runAsNonRoot != true",
        "    + admitted\n  written to snapshots/psa-restricted/hello.snap.new\n",
        "changed hello on psa-baseline-warn-restricted\n  Pod/root on 1.23..: the warnings differ\n",
        "not as expected scenarios/hello.yaml:12 on psa-restricted 1.23..\n",
        "  Pod/root: the object should be rejected by PodSecurity, but is admitted\n",
        "snapshots: 2 changed\n1 expectation does not hold\npodgate review shows what is pending",
    ]);
    assert!(
        suite
            .read(PROPOSED)
            .contains("Pod/root   applied by admin\n  1.23..      admitted\n")
    );
    // The run that agrees again withdraws what it proposed.
    suite
        .edit(
            "clusters/psa-baseline-warn-restricted.yaml",
            "warn: baseline",
            "warn: restricted",
        )
        .edit(
            "clusters/psa-restricted.yaml",
            "enforce: baseline",
            "enforce: restricted",
        );
    suite.podgate(&["test", "-q"]).ends(0);
    assert_eq!(suite.files("snapshots").len(), 2);
}

#[test]
fn a_failed_expectation_is_not_reviewed_away() {
    let suite = Folder::suite();
    suite.edit(
        "clusters/psa-restricted.yaml",
        ENFORCE,
        "pod-security.kubernetes.io/enforce: baseline",
    );
    suite.podgate(&["test", "-q"]).ends(1);
    suite
        .podgate(&["review", "--accept", "psa-restricted/hello"])
        .ends(0);
    suite.podgate(&["test", "-q"]).ends(1).says(&[
        "not as expected scenarios/hello.yaml:12",
        "all 2 snapshots agree\n1 expectation does not hold\n",
    ]);
}

#[test]
fn a_run_over_fewer_versions_rewrites_its_slice() {
    let suite = Folder::suite();
    suite.edit(
        "clusters/psa-restricted.yaml",
        ENFORCE,
        "pod-security.kubernetes.io/enforce: baseline",
    );
    suite
        .podgate(&["test", "-q", "--kubernetes", "1.30..1.31"])
        .ends(1)
        .says(&["Pod/root on 1.30..1.31: was rejected, is admitted"]);
    let proposed = suite.read(PROPOSED);
    for range in [
        "  1.23..1.29  rejected 403",
        "  1.30..1.31  admitted",
        "  1.32..      rejected 403",
    ] {
        assert!(proposed.contains(range), "{range} is not in\n{proposed}");
    }
}

#[test]
fn a_snapshot_that_was_formatted_by_hand() {
    let suite = Folder::suite();
    let text = suite.read(SNAPSHOT);
    suite.write(
        SNAPSHOT,
        &text.replacen(
            "  1.23..      admitted\n",
            "  1.23..1.25  admitted\n  1.26..      admitted\n",
            1,
        ),
    );
    suite
        .in_ci(&["test", "-q"])
        .ends(1)
        .says(&["reformatted hello on psa-restricted: the snapshot says the same in another form"]);
    suite.podgate(&["test", "-q"]).ends(1);
    suite.podgate(&["review", "--accept"]).ends(0);
    assert_eq!(suite.read(SNAPSHOT), text);
    suite.podgate(&["test", "-q"]).ends(0);
}

#[test]
fn unreferenced_snapshots_fail_a_whole_run() {
    let suite = Folder::suite();
    let old = "snapshots/psa-restricted/old.snap";
    suite.write(old, &suite.read(SNAPSHOT));
    suite.podgate(&["test", "-q"]).ends(1).says(&[
        "unreferenced snapshots/psa-restricted/old.snap: no scenario on any cluster has\n  this snapshot\n",
        "snapshots: 1 unreferenced\npodgate review --remove-unreferenced removes them\n",
    ]);
    // A run of a part cannot know.
    suite.podgate(&["test", "-q", "hello"]).ends(0);
    suite
        .podgate(&["test", "-q", "--cluster", "psa-restricted"])
        .ends(0)
        .says(&["the snapshot agrees"]);
    suite
        .podgate(&["review", "--remove-unreferenced"])
        .ends(0)
        .tells(&["removed snapshots/psa-restricted/old.snap"]);
    suite.podgate(&["test", "-q"]).ends(0);
}

#[test]
fn undecided_is_no_pass() {
    let suite = Folder::suite();
    let cluster = suite.read("clusters/psa-restricted.yaml");
    suite.write(
        "clusters/psa-restricted.yaml",
        &format!("{cluster}---\napiVersion: v1\nkind: LimitRange\nmetadata: {{name: limits}}\nspec: {{limits: []}}\n"),
    );
    suite
        .podgate(&["test", "-q"])
        .ends(2)
        .says(&["?", "outcomes undecided\n"]);
}

#[test]
fn an_object_that_the_server_cannot_read_may_be_expected() {
    let suite = Folder::suite();
    suite.write(
        "scenarios/wrong.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {expect: [{object: Pod/a, rejected: Decode}]}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPID: 'yes', containers: [{name: a, image: a}]}\n",
    );
    suite
        .podgate(&["test", "wrong", "--kubernetes", "1.36"])
        .ends(1)
        .says(&["rejected 400 by Decode", "snapshots: 2 missing"]);
}

#[test]
fn objects_that_are_not_judged_are_listed() {
    let suite = Folder::suite();
    let scenario = suite.read("scenarios/hello.yaml");
    suite.write(
        "scenarios/hello.yaml",
        &format!("{scenario}---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: web}}\n"),
    );
    suite
        .podgate(&["test"])
        .ends(0)
        .says(&["  not judged: Certificate/web\n"]);
}

#[test]
fn formats() {
    let suite = Folder::suite();
    let with = |format: &str| {
        suite
            .podgate(&["test", "--kubernetes", "1.36", "-o", format])
            .ends(0)
    };
    let lines = with("jsonl").json_lines();
    assert_eq!(lines.len(), 4);
    let of_root = lines
        .iter()
        .find(|l| l["object"] == "Pod/root" && l["cluster"] == "psa-restricted")
        .unwrap();
    assert_eq!(
        (&of_root["scenario"], &of_root["kubernetes"]),
        (&json!("hello"), &json!("1.36"))
    );
    assert_eq!(
        of_root["outcome"]["verdict"]["rejected"]["by"],
        "PodSecurity"
    );
    let json: Value = serde_json::from_str(&with("json").stdout).unwrap();
    assert_eq!(json["cells"], Value::Array(lines));
    assert_eq!(json["snapshots"][0]["agrees"], true);
    assert_eq!(
        (&json["unreferenced"], &json["notApplicable"]),
        (&json!([]), &json!([]))
    );
    let yaml: Value = serde_yaml::from_str(&with("yaml").stdout).unwrap();
    assert_eq!(yaml, json);
}
