//! `podgate.yaml`: a team's defaults.

use rstest::rstest;

use crate::folder::Folder;

fn project(spec: &str) -> Folder {
    let suite = Folder::suite();
    suite.write(
        "podgate.yaml",
        &format!("apiVersion: podgate.dev/v1alpha1\nkind: Project\nspec: {spec}\n"),
    );
    suite
}

#[test]
fn folders() {
    let suite = project("{clusters: infra/clusters, scenarios: cases, snapshots: records}");
    std::fs::create_dir(suite.path().join("infra")).unwrap();
    suite
        .rename("clusters", "infra/clusters")
        .rename("scenarios", "cases")
        .rename("snapshots", "records");
    suite
        .in_ci(&["test"])
        .ends(0)
        .says(&["all 2 snapshots agree"]);
    suite.write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n");
    suite
        .podgate(&["check", "pod.yaml", "--cluster", "psa-restricted"])
        .ends(1);
    suite.podgate(&["review", "--list"]).ends(0);
}

#[test]
fn versions() {
    let suite = project("{kubernetes: \"1.21..1.25\"}");
    suite.write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n");
    suite.podgate(&["test", "-q"]).ends(0).says(&[
        "not applicable psa-restricted: 1.21..1.22\n",
        "Kubernetes 1.23 to 1.25, embedded server",
    ]);
    // Nobody typed the range, so a cluster that is named only has to have some of it.
    suite
        .podgate(&["test", "-q", "--cluster", "psa-restricted"])
        .ends(0)
        .says(&["Kubernetes 1.23 to 1.25"]);
    suite
        .podgate(&["check", "pod.yaml", "--enforce", "baseline"])
        .ends(0)
        .says(&["judged as Kubernetes 1.21..1.25;"]);
    suite
        .podgate(&["check", "pod.yaml", "--cluster", "psa-restricted"])
        .ends(1)
        .says(&["judged as cluster psa-restricted, Kubernetes 1.23..1.25\n"]);
    // What is typed wins.
    suite
        .podgate(&["test", "-q", "--kubernetes", "1.36"])
        .ends(0)
        .says(&["Kubernetes 1.36, embedded server"]);
    suite
        .podgate(&[
            "check",
            "pod.yaml",
            "--enforce",
            "baseline",
            "--kubernetes",
            "1.36",
        ])
        .ends(0)
        .says(&["judged as Kubernetes 1.36;"]);
}

#[rstest]
#[case(
    "{kubernets: \"1.36\"}",
    "podgate.yaml:3:8",
    "unknown field `kubernets`",
    "did you mean `kubernetes`?"
)]
#[case(
    "{kubernetes: \"1.19\"}",
    "podgate.yaml:3:20",
    "Kubernetes 1.19 is not one",
    "write it like \"1.25\""
)]
fn mistakes(#[case] spec: &str, #[case] place: &str, #[case] message: &str, #[case] hint: &str) {
    let suite = project(spec);
    for arguments in [
        &["test"][..],
        &["check", "scenarios/hello.yaml", "--enforce", "baseline"],
    ] {
        suite
            .podgate(arguments)
            .ends(2)
            .tells(&[message, &format!(" --> {place}\n"), "^\n", hint]);
    }
}

#[test]
fn another_kind() {
    let suite = Folder::suite();
    suite.write("podgate.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    suite.podgate(&["test"]).ends(2).tells(&[
        "this is no `kind: Project`",
        " --> podgate.yaml:2:",
        "hint: ",
    ]);
}
