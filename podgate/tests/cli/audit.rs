//! `podgate audit`: what it reads, what it prints, how it ends.

use rstest::rstest;
use serde_json::Value;

use crate::folder::Folder;

const GOOD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"good","namespace":"shop"},"spec":{"containers":[{"name":"a","image":"a"}]}}"#;
const HOST: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"host","namespace":"shop"},"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"a"}]}}"#;
const SHOP: &str = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#;

#[rstest]
#[case::admitted(GOOD, &["--enforce", "baseline"], 0)]
#[case::violating(HOST, &["--enforce", "baseline"], 1)]
#[case::not_json("x", &["--enforce", "baseline"], 2)]
#[case::no_policy(GOOD, &[], 2)]
#[case::empty("", &["--enforce", "baseline"], 4)]
#[case::nothing_judged(SHOP, &["--enforce", "baseline"], 4)]
fn ends_with(#[case] text: &str, #[case] args: &[&str], #[case] code: i32) {
    let folder = Folder::new();
    folder.write("dump.jsonl", text);
    let args = [&["audit", "dump.jsonl"], args].concat();
    let run = folder.podgate(&args);
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
}

/// Every form of the same dump says the same, but for the lines.
#[test]
fn reads_every_form() {
    let folder = Folder::new();
    let indented = |objects: &[&str]| {
        let items: Vec<Value> = objects
            .iter()
            .map(|object| serde_json::from_str(object).unwrap())
            .collect();
        serde_json::to_string_pretty(
            &serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"}),
        )
        .unwrap()
    };
    folder
        .write("lines.jsonl", &format!("{SHOP}\n{GOOD}\n\n{HOST}\n"))
        .write(
            "crlf.jsonl",
            &format!("\u{feff}{SHOP}\r\n{GOOD}\r\n{HOST}\r\n"),
        )
        .write("last.jsonl", &format!("{GOOD}\n{HOST}\n{SHOP}"))
        .write("list.json", &indented(&[SHOP, GOOD, HOST]))
        .write("objects.json", &format!("{SHOP} {GOOD}\n{HOST}"))
        .write(
            "dump.yaml",
            &format!("---\n{SHOP}\n---\n{GOOD}\n---\n{HOST}\n"),
        );
    for file in [
        "lines.jsonl",
        "crlf.jsonl",
        "last.jsonl",
        "list.json",
        "objects.json",
        "dump.yaml",
    ] {
        let run = folder.podgate(&["audit", file, "-o", "jsonl"]);
        assert_eq!(run.code, 1, "{file}: {}", run.stderr);
        let said: Vec<String> = run
            .stdout
            .lines()
            .map(|line| {
                let line: Value = serde_json::from_str(line).unwrap();
                format!(
                    "{} {} {}",
                    line["object"].as_str().unwrap(),
                    line["ok"],
                    line["checks"]
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                "Pod/shop/good true []",
                "Pod/shop/host false [\"hostNamespaces\"]"
            ],
            "{file}"
        );
    }
}

/// What was violated before does not fail; what is new does.
#[test]
fn known_violations_do_not_fail() {
    let folder = Folder::new();
    folder
        .write("a.jsonl", HOST)
        .write("b.jsonl", &HOST.replace("\"shop\"", "\"other\""));
    let enforce = ["--enforce", "baseline"];
    let write = [
        &["audit", "a.jsonl", "--write-known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&write).code, 1);
    let again = [
        &["audit", "a.jsonl", "--known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&again).code, 0);
    let both = [
        &["audit", "a.jsonl", "b.jsonl", "--known", "known.jsonl"],
        &enforce[..],
    ]
    .concat();
    assert_eq!(folder.podgate(&both).code, 1);
}

/// However many cores read it, lines come in the order of the input.
#[test]
fn lines_come_in_order() {
    let folder = Folder::new();
    let pod = |at: usize| GOOD.replace("\"good\"", &format!("\"p{at}\""));
    let text: String = (0..30_000).map(|at| pod(at) + "\n").collect();
    folder.write("dump.jsonl", &text);
    let run = folder.podgate(&[
        "audit",
        "dump.jsonl",
        "--enforce",
        "baseline",
        "-o",
        "jsonl",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 30_000);
    for (at, line) in run.stdout.lines().enumerate() {
        let expected = format!(
            "{{\"object\":\"Pod/shop/p{at}\",\"file\":\"dump.jsonl\",\"line\":{},",
            at + 1
        );
        assert!(line.starts_with(&expected), "{line}");
    }
}
