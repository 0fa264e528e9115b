//! SARIF and `JUnit` by their schemas: everything that podgate may write validates, and what is
//! spoiled does not.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use boon::{Compiler, SchemaIndex, Schemas};
use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

fn schema(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/schemas")
        .join(name)
}

const LIST: &str = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: p}
  spec:
    hostPID: true
    containers: [{name: c, image: i}]
";
const WEBHOOK: &str = "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: w}
webhooks:
- name: w.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {url: 'https://w.example.com'}
  rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
";

/// A pod that is rejected, and warned about.
fn rejection(format: &str) -> String {
    let folder = Folder::new();
    let flags = [
        "--enforce",
        "baseline",
        "--warn",
        "restricted",
        "-o",
        format,
    ];
    folder.write("k8s/ü b#.yaml", LIST);
    let run = folder.podgate(&[&["check", "k8s"], &flags[..]].concat());
    run.ends(1).stdout
}

/// Everything that ends up in a report: rejections, warnings, what is undecided, what cannot be read,
/// and texts that are markup elsewhere.
fn reports(format: &str) -> Vec<String> {
    let folder = Folder::suite();
    let report = |arguments: &[&str], code: i32| {
        let arguments = [arguments, &["-o", format]].concat();
        folder.in_ci(&arguments).ends(code).stdout
    };
    let mut reports = vec![rejection(format), report(&["test"], 0)];
    folder
        .write("list.yaml", LIST)
        .write("webhook.yaml", WEBHOOK)
        .write("bad.yaml", "kind: Pod\n a: b\n");
    let check = ["check", "--warn", "restricted"];
    reports.push(report(&[&check[..], &["list.yaml"]].concat(), 0));
    reports.push(report(&[&check[..], &["bad.yaml"]].concat(), 2));
    reports.push(report(
        &[&check[..], &["list.yaml", "webhook.yaml"]].concat(),
        2,
    ));
    let hostile = "</a><script>|`@team`]]>&\"::error::";
    folder
        .edit("scenarios/hello.yaml", "runAsNonRoot: true", "runAsNonRoot: false")
        .write("snapshots/psa-restricted/old.snap", &folder.read("snapshots/psa-restricted/hello.snap"))
        .write(
            "scenarios/hostile.yaml",
            &format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: '{hostile}'}}\nspec:\n  containers: [{{name: c, image: i}}]\n"),
        );
    reports.push(report(&["test"], 1));
    reports
}

struct Sarif(Schemas, SchemaIndex);

impl Sarif {
    fn read() -> Self {
        let text = std::fs::read_to_string(schema("sarif-2.1.0.json")).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        let name = "sarif-2.1.0.json";
        compiler
            .add_resource(name, serde_json::from_str(&text).unwrap())
            .unwrap();
        let index = compiler.compile(name, &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn refuses(&self, document: &Value) -> Option<String> {
        let error = self.0.validate(document, self.1).err()?;
        Some(error.to_string())
    }
}

#[test]
fn sarif_is_valid() {
    let sarif = Sarif::read();
    let mut results = 0;
    for report in reports("sarif") {
        let document = serde_json::from_str(&report).unwrap();
        assert_eq!(sarif.refuses(&document), None, "{report}");
        results += document["runs"][0]["results"].as_array().unwrap().len();
    }
    assert!(results > 10, "{results}");
}

#[rstest]
#[case::no_message("/results/0/message", Value::Null)]
#[case::level("/results/0/level", json!("fatal"))]
#[case::line("/results/0/locations/0/physicalLocation/region/startLine", json!(0))]
#[case::column("/results/0/locations/0/physicalLocation/region/startColumn", json!("1"))]
#[case::uri("/results/0/locations/0/physicalLocation/artifactLocation/uri", json!("a b.yaml"))]
#[case::no_name("/tool/driver/name", Value::Null)]
#[case::unknown("/columnKind", json!("bytes"))]
fn a_spoiled_sarif_is_refused(#[case] pointer: &str, #[case] value: Value) {
    let sarif = Sarif::read();
    let mut document: Value = serde_json::from_str(&rejection("sarif")).unwrap();
    assert_eq!(sarif.refuses(&document), None);
    let place = document["runs"][0].pointer_mut(pointer).unwrap();
    assert_ne!(*place, value);
    *place = value;
    assert!(sarif.refuses(&document).is_some(), "{document:#}");
}

/// What xmllint says of a document, if anything; `None`, said loudly, where there is no xmllint.
fn xmllint(document: &str) -> Option<Result<(), String>> {
    let child = Command::new("xmllint")
        .arg("--noout")
        .arg("--schema")
        .arg(schema("junit-10.xsd"))
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        // Not through a macro of the standard library: tests hide what those print.
        let _ = writeln!(
            std::io::stderr(),
            "LEFT OUT: JUnit against its schema (xmllint is not installed)"
        );
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    input.write_all(document.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() {
        Ok(())
    } else {
        Err(said)
    })
}

#[test]
fn junit_is_valid() {
    for report in reports("junit") {
        let Some(said) = xmllint(&report) else { return };
        assert_eq!(said, Ok(()), "{report}");
    }
}

#[rstest]
#[case::attribute(" classname=", " class=")]
#[case::no_count(" tests=", " count=")]
#[case::element("failure", "fault")]
fn a_spoiled_junit_is_refused(#[case] from: &str, #[case] to: &str) {
    let report = rejection("junit");
    let spoiled = report.replace(from, to);
    assert_ne!(report, spoiled);
    let Some(said) = xmllint(&spoiled) else {
        return;
    };
    assert!(said.is_err(), "{spoiled}");
}
