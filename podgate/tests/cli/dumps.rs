//! What `podgate audit` makes of dumps that are too long, cut off, or large: nothing is left out in silence.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::{Folder, Run};

fn pod(name: usize) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{name}","namespace":"shop"}},"spec":{{"containers":[{{"name":"a","image":"a"}}]}}}}"#
    )
}

fn audit(folder: &Folder, file: &str) -> Run {
    folder.podgate(&["audit", file, "--enforce", "baseline", "-o", "jsonl"])
}

/// The objects that were judged, and the lines of those that were not read.
fn told(run: &Run) -> (Vec<String>, Vec<u64>) {
    let (mut judged, mut unread) = (Vec::new(), Vec::new());
    for line in run.json_lines() {
        match line["object"].as_str() {
            Some(object) => judged.push(object.to_owned()),
            None => unread.push(line["line"].as_u64().unwrap()),
        }
    }
    (judged, unread)
}

/// A `List` as `kubectl get -o json` prints it.
fn list(pods: usize) -> String {
    let items: Vec<Value> = (0..pods)
        .map(|name| serde_json::from_str(&pod(name)).unwrap())
        .collect();
    let list = json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}});
    serde_json::to_string_pretty(&list).unwrap() + "\n"
}

#[test]
fn a_line_that_is_too_long_is_counted() {
    let folder = Folder::new();
    folder.write("dump.jsonl", &format!("{}\n", pod(0)));
    let mut file = OpenOptions::new()
        .write(true)
        .open(folder.path().join("dump.jsonl"))
        .unwrap();
    // Zeros that take no room on the disk.
    file.seek(SeekFrom::Start(300 << 20)).unwrap();
    file.write_all(format!("\n{}\n", pod(2)).as_bytes())
        .unwrap();
    drop(file);
    let run = audit(&folder, "dump.jsonl").ends(2);
    let judged = ["Pod/shop/p0", "Pod/shop/p2"].map(str::to_owned);
    assert_eq!(told(&run), (judged.to_vec(), vec![2]));
    run.tells(&["2 pods", "1 not read", "longer than 64 MiB"]);
}

#[rstest]
#[case::lines("jsonl", (0..100).map(|name| pod(name) + "\n").collect())]
#[case::list("json", list(100))]
fn what_was_cut_off_is_told(#[case] form: &str, #[case] dump: String) {
    let folder = Folder::new();
    let file = format!("dump.{form}");
    let whole = dump.find("\"p61\"").unwrap();
    folder.write(&file, &dump[..whole]);
    let run = audit(&folder, &file).ends(2);
    let (judged, unread) = told(&run);
    assert_eq!(judged.len(), 61);
    let lines = dump[..whole].lines().count() as u64;
    assert_eq!(unread, [lines]);
    run.tells(&["61 pods", "1 not read", "unexpected end of JSON input"]);
}

/// Several chunks of a list, each item with its own line.
#[test]
fn a_list_is_read_to_its_end() {
    const PODS: usize = 10_000;
    let folder = Folder::new();
    let dump = list(PODS);
    assert!(dump.len() > 2 << 20);
    folder.write("dump.json", &dump);
    let run = audit(&folder, "dump.json").ends(0);
    let lines = run.json_lines();
    assert_eq!(lines.len(), PODS);
    let dump: Vec<&str> = dump.lines().collect();
    for (name, line) in lines.iter().enumerate() {
        assert_eq!(line["object"], format!("Pod/shop/p{name}"));
        let at = usize::try_from(line["line"].as_u64().unwrap()).unwrap();
        assert_eq!(dump[at - 1], "    {");
        assert!(
            dump[at..at + 20]
                .iter()
                .any(|line| line.contains(&format!("\"p{name}\"")))
        );
    }
}
