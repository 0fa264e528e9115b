//! Tests of walking folders, in folders of their own.

use std::path::PathBuf;

use rstest::{fixture, rstest};

use super::*;

/// A folder that is removed at the end of the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of what a walk finds, errors as their message and hint.
    fn walk(&self, names: &[&str], recursive: bool) -> Vec<String> {
        let paths = names.iter().map(|name| match *name {
            "-" => PathBuf::from("-"),
            name => self.path(name),
        });
        let root = self.0.path().display().to_string();
        let shown = |text: &str| text.replace(&root, "").replace('\\', "/");
        walk(
            paths,
            WalkOptions {
                recursive,
                ..WalkOptions::default()
            },
        )
        .into_iter()
        .map(|input| match input {
            Ok(Input::Stdin) => "-".to_owned(),
            Ok(Input::Named(path)) => format!("{} named", shown(&path.display().to_string())),
            Ok(Input::Found(path)) => shown(&path.display().to_string()),
            Err(error) => shown(&format!(
                "{}; {}",
                error.message(),
                error.hint().unwrap_or("-")
            )),
        })
        .collect()
    }
}

#[fixture]
fn folder() -> Folder {
    let folder = Folder(tempfile::tempdir().unwrap());
    for name in [
        "k8s/b.yaml",
        "k8s/a.yml",
        "k8s/c.json",
        "k8s/d.txt",
        "k8s/b2/x.yaml",
        "k8s/e.jsonl",
        "charts/web/Chart.yaml",
        "charts/web/templates/web.yaml",
        "charts/not-one/Chart.yaml",
    ] {
        let path = folder.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "kind: Pod\n").unwrap();
    }
    fs::create_dir_all(folder.path("empty/deep")).unwrap();
    folder
}

const CHART: &str = "it is a Helm chart: its templates are no manifests until they are rendered; \
    render it: podgate check, diff and fix do with --helm /charts/web; elsewhere helm template /charts/web";

#[rstest]
#[case::folder(&["k8s"], false, &["/k8s/a.yml", "/k8s/b.yaml", "/k8s/c.json"])]
#[case::recursive(&["k8s"], true, &["/k8s/a.yml", "/k8s/b.yaml", "/k8s/b2/x.yaml", "/k8s/c.json"])]
#[case::named(&["k8s/d.txt", "-", "k8s/b.yaml"], false, &["/k8s/d.txt named", "-", "/k8s/b.yaml named"])]
#[case::missing(&["k8s/b.yml", "k8s/a.yml"], false, &["the path \"/k8s/b.yml\" does not exist; did you mean `/k8s/b.yaml`?", "/k8s/a.yml named"])]
#[case::missing_folder(&["k9s/b.yml"], false, &["the path \"/k9s/b.yml\" does not exist; the folder `/k9s` does not exist"])]
#[case::nothing_near(&["zzzzzzzz"], false, &["the path \"/zzzzzzzz\" does not exist; -"])]
#[case::chart(&["charts/web"], false, &[CHART])]
#[case::chart_below(&["charts"], true, &["/charts/not-one/Chart.yaml", CHART])]
#[case::empty(&["empty"], false, &["no manifests: recognized file extensions are [.json .yaml .yml]; folders in it are read with --recursive"])]
#[case::empty_recursive(&["empty"], true, &["no manifests: recognized file extensions are [.json .yaml .yml]; a file with another name counts where it is named itself"])]
fn walks(
    folder: Folder,
    #[case] names: &[&str],
    #[case] recursive: bool,
    #[case] expected: &[&str],
) {
    assert_eq!(folder.walk(names, recursive), expected);
}

#[rstest]
fn reads(folder: Folder) {
    let source = Input::Named(folder.path("k8s/b.yaml")).read().unwrap();
    assert_eq!(source.text(), "kind: Pod\n");
    let error = Input::Named(folder.path("k8s/b2")).read().unwrap_err();
    assert_eq!(error.message(), "cannot be read: it is a folder");
    assert!(Input::Found(folder.path("k8s/e.jsonl")).is_json_lines());
}
