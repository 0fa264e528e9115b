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
