//! `test --shard`, `merge` and `matrix`: a run that is shared out is the same run.

use std::path::Path;

use serde_json::Value;

use crate::folder::{Folder, run};

/// The example of `podgate init` with more scenarios, so that there is something to share out.
fn suite() -> Folder {
    let folder = Folder::suite();
    for (name, field) in [
        ("pid", "hostPID"),
        ("ipc", "hostIPC"),
        ("net", "hostNetwork"),
    ] {
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  {field}: true\n  containers: [{{name: c, image: i}}]\n"
        );
        folder.write(&format!("scenarios/{name}.yaml"), &pod);
    }
    folder
}

fn shards(folder: &Folder, of: usize) -> Vec<String> {
    let file = |number| {
        let shard = format!("{number}/{of}");
        let run = folder.in_ci(&["test", "--shard", &shard, "-o", "json"]);
        assert!([0, 1].contains(&run.code), "{run:?}");
        let file = format!("{number}.json");
        folder.write(&file, &run.stdout);
        file
    };
    (1..=of).map(file).collect()
}

fn merge(folder: &Folder, files: &[&str], flags: &[&str]) -> crate::folder::Run {
    folder.in_ci(&[&["merge"], files, flags].concat())
}

#[test]
fn three_shards_are_one_run_byte_for_byte() {
    let folder = suite();
    let whole = folder.in_ci(&["test", "-o", "json"]).ends(1);
    let files = shards(&folder, 3);
    let [one, two, three] = [&files[0], &files[1], &files[2]].map(String::as_str);
    for order in [[one, two, three], [three, one, two]] {
        let merged = merge(&folder, &order, &["-o", "json"]).ends(1);
        assert_eq!(merged.stdout, whole.stdout);
    }
    // A shard that ran twice changes nothing.
    let merged = merge(&folder, &[two, one, two, three, one], &["-o", "json"]).ends(1);
    assert_eq!(merged.stdout, whole.stdout);
    // What a person reads is the same, too, but for the time that it took.
    let whole = folder.in_ci(&["test"]).ends(1).stdout;
    let merged = merge(&folder, &[one, two, three], &[]).ends(1).stdout;
    let without_time = |text: &str| {
        let (before, after) = text.rsplit_once(" s\n").unwrap();
        let (before, _) = before.rsplit_once(", ").unwrap();
        format!("{before}\n{after}")
    };
    assert_eq!(merged, without_time(&whole));
}

#[test]
fn what_passes_in_shards_passes_merged() {
    let folder = suite();
    folder.podgate(&["test"]);
    folder.podgate(&["review", "--accept"]).ends(0);
    let files = shards(&folder, 2);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    merge(&folder, &files, &[])
        .ends(0)
        .says(&["snapshots agree"]);
}

#[test]
fn a_missing_shard_is_no_pass() {
    let folder = suite();
    shards(&folder, 3);
    merge(&folder, &["1.json", "3.json"], &[])
        .ends(2)
        .tells(&["shards are missing: 2/3"]);
    merge(&folder, &["1.json", "3.json", "2.yaml"], &[])
        .ends(2)
        .tells(&["cannot read 2.yaml"]);
}

#[test]
fn shards_of_other_runs_are_refused() {
    let folder = suite();
    shards(&folder, 3);
    let other = folder.in_ci(&[
        "test",
        "--shard",
        "2/3",
        "--kubernetes",
        "1.36",
        "-o",
        "json",
    ]);
    folder.write("2.json", &other.stdout);
    merge(&folder, &["1.json", "2.json", "3.json"], &[])
        .ends(2)
        .tells(&["2.json is a shard of another run than 1.json"]);
    let whole = folder.in_ci(&["test", "-o", "json"]);
    folder.write("whole.json", &whole.stdout);
    merge(&folder, &["1.json", "whole.json"], &[])
        .ends(2)
        .tells(&["whole.json is the record of a whole run, no shard"]);
    folder.write("none.json", "{}");
    merge(&folder, &["none.json"], &[])
        .ends(2)
        .tells(&["none.json is no record of a run"]);
}

#[test]
fn the_same_shard_with_other_results_is_refused() {
    let folder = suite();
    shards(&folder, 3);
    let edited = folder.read("2.json").replace("\"applied\"", "\"patched\"");
    folder.write("edited.json", &edited);
    merge(&folder, &["1.json", "2.json", "3.json", "edited.json"], &[])
        .ends(2)
        .tells(&["are both shard 2/3, and differ"]);
}

/// As many processes as an Indexed Job of Kubernetes starts pods, each told its index as a pod is.
#[test]
fn an_indexed_job_runs_the_shards() {
    let folder = suite();
    let whole = folder.in_ci(&["test", "-o", "json"]).ends(1);
    let children: Vec<_> = (0..3)
        .map(|index| {
            let mut command = folder.command(&["test", "--shard", "job/3", "-o", "json"]);
            let command = command
                .env("CI", "true")
                .env("JOB_COMPLETION_INDEX", index.to_string());
            command
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut files = Vec::new();
    for (index, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        let file = format!("{index}.json");
        folder.write(&file, &String::from_utf8(output.stdout).unwrap());
        files.push(file);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let merged = merge(&folder, &files, &["-o", "json"]).ends(1);
    assert_eq!(merged.stdout, whole.stdout);

    let mut command = folder.command(&["test", "--shard", "job/3"]);
    run(&mut command, "")
        .ends(2)
        .tells(&["JOB_COMPLETION_INDEX is not set"]);
    let mut command = folder.command(&["test", "--shard", "job/3"]);
    run(command.env("JOB_COMPLETION_INDEX", "3"), "")
        .ends(2)
        .tells(&["`4/3` is no shard"]);
}

#[test]
fn a_shard_that_would_run_nothing_is_refused() {
    let folder = Folder::suite();
    folder
        .podgate(&["test", "--shard", "1/50"])
        .ends(2)
        .tells(&["--shard 1/50: there are 2 parts to share out"]);
    for wrong in ["0/2", "3/2", "2", "a/b"] {
        folder
            .podgate(&["test", "--shard", wrong])
            .ends(2)
            .tells(&["is no shard"]);
    }
}

#[test]
fn the_matrix_has_a_cell_for_each_object_cluster_and_minor() {
    let folder = Folder::suite();
    let json = folder.podgate(&["matrix", "-o", "json"]).ends(0).stdout;
    let matrix: Value = serde_json::from_str(&json).unwrap();
    let cells = matrix["cells"].as_array().unwrap();
    let test = folder.podgate(&["test", "-o", "json"]).ends(0).stdout;
    let test: Value = serde_json::from_str(&test).unwrap();
    assert_eq!(&test["cells"], &matrix["cells"]);
    let keys = ["cluster", "scenario", "object", "kubernetes", "outcome"];
    for cell in cells {
        let mut found: Vec<&String> = cell.as_object().unwrap().keys().collect();
        found.sort();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(found, keys);
    }
    // The shards of the matrix are its parts.
    let of_shard = |shard: &str| {
        let json = folder
            .podgate(&["matrix", "--shard", shard, "-o", "json"])
            .ends(0)
            .stdout;
        let matrix: Value = serde_json::from_str(&json).unwrap();
        matrix["cells"].as_array().unwrap().len()
    };
    assert_eq!(of_shard("1/2") + of_shard("2/2"), cells.len());

    folder
        .podgate(&["matrix", "-o", "markdown"])
        .ends(0)
        .says(&[
            "### hello",
            "| | psa\\-baseline\\-warn\\-restricted | psa\\-restricted |",
            "| --- |",
        ]);
    folder
        .podgate(&["matrix"])
        .ends(0)
        .says(&["hello", "✓ admitted"]);
}

#[test]
fn a_workflow_fans_out_over_the_matrix() {
    let folder = Folder::suite();
    let jobs = |flags: &[&str]| {
        let run = folder
            .podgate(&[&["matrix", "--github"], flags].concat())
            .ends(0);
        // A step writes it into $GITHUB_OUTPUT as one line.
        assert_eq!(run.stdout.lines().count(), 1);
        let matrix: Value = serde_json::from_str(&run.stdout).unwrap();
        matrix["include"].as_array().unwrap().clone()
    };
    let include = jobs(&["--kubernetes", "1.35..1.36"]);
    assert_eq!(include.len(), 4);
    for job in include {
        let of = |key: &str| job[key].as_str().unwrap();
        let flags = [
            "test",
            "--cluster",
            of("cluster"),
            "--kubernetes",
            of("kubernetes"),
        ];
        folder.podgate(&flags).ends(0);
    }
    let shards = jobs(&["--shards", "2"]);
    assert_eq!(
        shards,
        [
            serde_json::json!({"shard": "1/2"}),
            serde_json::json!({"shard": "2/2"})
        ]
    );
    folder
        .podgate(&["matrix", "--github", "--shards", "99"])
        .ends(2);
}

#[test]
fn the_manifest_of_the_indexed_job_says_what_the_test_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("examples/indexed-job.yaml")).unwrap();
    let job = text
        .split("\n---\n")
        .map(|part| serde_yaml::from_str::<Value>(part).unwrap());
    let job = job
        .into_iter()
        .find(|object| object["kind"] == "Job")
        .unwrap();
    let spec = &job["spec"];
    let shard = format!("--shard=job/{}", spec["completions"]);
    assert_eq!(spec["completionMode"], "Indexed");
    let containers = spec["template"]["spec"]["containers"].to_string();
    assert!(containers.contains(&shard), "{containers}");
}
