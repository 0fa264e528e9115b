//! `--help` and `completions`.

use rstest::rstest;

use crate::folder::Folder;

#[rstest]
#[case(&[], &["test", "check", "explain", "review", "init", "versions", "completions", "-C", "--color", "Exit codes", "  4  nothing to run"])]
#[case(
    &["test"],
    &["[NAME]...", "--cluster <CLUSTER>", "--kubernetes <VERSION>", "1.23..1.36", "all", "--backend", "--shard <K/N>", "--output", "--report <FORMAT=FILE>", "junit", "sarif", "--quiet", "CI=true"]
)]
#[case(
    &["check"],
    &["[FILE]...", "standard input", "--filename", "--cluster", "--enforce", "--warn", "--audit", "--kubernetes", "--namespace",
      "--helm <DIR>", "--helm-values", "--kustomize <DIR>", "--as <USER>", "--as-group", "--show-object", "--recursive", "--output", "jsonl"]
)]
#[case(
    &["diff"],
    &["[FILE]...", "standard input", "--filename", "--from <CLUSTER[@VERSION]>", "--to <CLUSTER[@VERSION]>", "--enforce", "--all",
      "--namespace", "--as <USER>", "--as-group", "--recursive", "--output", "--report"]
)]
#[case(
    &["audit"],
    &["[FILE]...", "standard input", "--filename", "--recursive", "--namespace", "--context", "--template", "--to", "--enforce", "--known", "jsonl"]
)]
#[case(
    &["fix"],
    &["[FILE]...", "standard input", "--filename", "--recursive", "--namespace", "--cluster", "--enforce", "--write"]
)]
#[case(&["man"], &["<DIR>"])]
#[case(&["matrix"], &["[NAME]...", "--cluster", "--kubernetes", "--shard <K/N>", "--github", "--shards <N>", "markdown"])]
#[case(&["merge"], &["<FILE>...", "--output", "--quiet", "--shard 1/3"])]
#[case(&["coverage"], &["[NAME]...", "--cluster", "--kubernetes", "--output", "Tripped", "Passed"])]
#[case(&["explain"], &["[CHECK]", "--output"])]
#[case(&["review"], &["[SNAPSHOT]...", "--accept", "--reject", "--list", "--remove-unreferenced"])]
#[case(&["init"], &["[DIR]"])]
#[case(&["versions"], &["--output"])]
#[case(&["completions"], &["bash", "zsh", "fish"])]
fn help_names_everything(#[case] command: &[&str], #[case] words: &[&str]) {
    let arguments: Vec<&str> = command.iter().chain(&["--help"]).copied().collect();
    let run = Folder::new().podgate(&arguments).ends(0);
    for word in words {
        assert!(
            run.stdout.contains(word),
            "{word} is not in\n{}",
            run.stdout
        );
    }
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert_eq!(run.stderr, "");
}

#[test]
fn manual_pages() {
    let folder = Folder::new();
    folder.podgate(&["man", "pages"]).ends(0);
    assert!(folder.read("pages/podgate.1").contains(".TH podgate 1"));
    assert!(folder.read("pages/podgate-test.1").contains("cluster"));
}

#[rstest]
#[case("bash", "complete -F _podgate")]
#[case("zsh", "#compdef podgate")]
#[case("fish", "complete -c podgate")]
#[case("elvish", "set edit:completion:arg-completer[podgate]")]
#[case(
    "powershell",
    "Register-ArgumentCompleter -Native -CommandName 'podgate'"
)]
fn completions(#[case] shell: &str, #[case] text: &str) {
    Folder::new()
        .podgate(&["completions", shell])
        .ends(0)
        .says(&[text]);
}

#[rstest]
#[case(&[])]
#[case(&["tets"])]
#[case(&["test", "--quite"])]
#[case(&["test", "--backend", "minikube"])]
#[case(&["check", "a.yaml", "-o", "xml"])]
#[case(&["completions", "tcsh"])]
fn wrong_usage_ends_with_2(#[case] arguments: &[&str]) {
    let run = Folder::new().podgate(arguments).ends(2);
    assert!(
        run.stderr.contains("Usage:") || run.stderr.contains("--help"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn the_version_of_podgate() {
    let version = format!("podgate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        Folder::new().podgate(&["--version"]).ends(0).stdout,
        version
    );
}

/// Under that name it is a plugin of kubectl, which finds it on the path and calls it as any process.
#[cfg(unix)]
#[test]
fn a_plugin_of_kubectl() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("kubectl-podgate");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_podgate"), &plugin).expect("a link");
    let help = |command: &mut std::process::Command| {
        let output = command.args(["check", "--help"]).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let usage = "Usage: kubectl podgate check [OPTIONS]";
    let by_itself = help(&mut std::process::Command::new(&plugin));
    assert!(by_itself.contains(usage), "{by_itself}");
    let mut kubectl = std::process::Command::new("kubectl");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.path().to_owned()).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).expect("a path");
    kubectl.env("PATH", path).arg("podgate");
    if std::process::Command::new("kubectl")
        .arg("version")
        .arg("--client")
        .output()
        .is_err()
    {
        eprintln!("LEFT OUT: no kubectl on the path");
        return;
    }
    let by_kubectl = help(&mut kubectl);
    assert!(by_kubectl.contains(usage), "{by_kubectl}");
}
