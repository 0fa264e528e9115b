//! `podgate init`: an example that passes as it is, and fails once it is changed.

use rstest::rstest;

use crate::folder::Folder;

#[test]
fn the_example_passes_until_it_is_edited() {
    let folder = Folder::new();
    folder.podgate(&["init"]).ends(0).tells(&[
        "wrote clusters/psa-restricted.yaml\n",
        "wrote scenarios/hello.yaml\n",
        "wrote snapshots\n",
        "podgate test runs the example",
    ]);
    folder.in_ci(&["test"]).ends(0);
    folder.edit(
        "scenarios/hello.yaml",
        "        runAsNonRoot: true\n",
        "        runAsNonRoot: false\n",
    );
    folder.podgate(&["test", "-q"]).ends(1).says(&[
        "Deployment/hello  ✓ warns                       ✗ pods\n",
        "changed hello on psa-restricted\n  Deployment/hello (its pods) on 1.23..: was admitted, is rejected\n",
        "not as expected scenarios/hello.yaml:10 on psa-restricted 1.23..\n  Deployment/hello: its pods should be admitted, but",
    ]);
}

#[test]
fn into_a_folder_that_it_makes() {
    let folder = Folder::new();
    folder
        .podgate(&["init", "team/suite"])
        .ends(0)
        .tells(&["wrote team/suite/clusters/psa-restricted.yaml\n"]);
    folder.podgate(&["-C", "team/suite", "test"]).ends(0);
}

/// What stands beside the three folders is for a new repository; nothing of a team's is overwritten.
#[test]
fn a_workflow_and_a_readme_where_there_are_none() {
    let folder = Folder::new();
    folder.podgate(&["init"]).ends(0);
    let workflow: serde_yaml::Value =
        serde_yaml::from_str(&folder.read(".github/workflows/podgate.yml")).unwrap();
    assert_eq!(workflow["jobs"]["test"]["steps"][1]["with"]["args"], "test");
    assert!(folder.read("README.md").contains("podgate review"));

    let folder = Folder::new();
    folder.write("README.md", "ours");
    folder.podgate(&["init"]).ends(0).tells(&["kept README.md"]);
    assert_eq!(folder.read("README.md"), "ours");
}

#[rstest]
#[case("clusters")]
#[case("scenarios")]
#[case("snapshots")]
fn refuses_a_folder_that_has_one_of_the_three(#[case] name: &str) {
    let folder = Folder::new();
    folder.write(&format!("{name}/keep"), "");
    folder.podgate(&["init"]).ends(2).tells(&[
        &format!("{name} is there already"),
        "hint: podgate init writes into a folder that has none of",
    ]);
    assert_eq!(folder.files("").len(), 1);
}
