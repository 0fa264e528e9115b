//! Every object of the suite at both levels on old and new servers, and the ways of the files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use podgate_policy::{Minor, Server, text};
use rstest::rstest;

use super::*;
use crate::check::{Finding, Item, Policy, Target};

fn options(files: Vec<PathBuf>, level: &str, minor: u8) -> Options {
    let enforce = Some(level.parse().expect("a level"));
    Options {
        files,
        recursive: true,
        rendered: Vec::new(),
        templates: Vec::new(),
        namespace: "default".to_owned(),
        policy: Policy {
            enforce,
            warn: enforce,
            audit: None,
        },
        requester: None,
        show_object: false,
        locate: false,
        targets: vec![Target {
            cluster: None,
            minor: Minor::known(minor),
        }],
    }
}

fn fixed(files: Vec<PathBuf>, level: &str, minor: u8) -> Vec<File> {
    fix(&options(files, level, minor)).unwrap_or_else(|error| panic!("{error}"))
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let walk = podgate_manifest::walk(
        [folder],
        WalkOptions {
            recursive: true,
            ..WalkOptions::default()
        },
    );
    let files = walk.into_iter().map(|input| match input {
        Ok(Input::Found(path)) => path,
        other => panic!("{other:?}"),
    });
    files.collect()
}

/// What the server itself has against an object or its pods.
fn message(finding: &Finding) -> Option<(crate::outcome::By, &str)> {
    let pods = finding.pods.iter().flatten().map(|pod| &pod.answer);
    let mut answers = std::iter::once(&finding.answer).chain(pods);
    let by = answers.find_map(|answer| Some((answer.by?, answer.message.as_deref()?)));
    let mut warnings = finding.answer.warnings.iter();
    let is_template = finding.object.starts_with("PodTemplate/");
    let warning =
        warnings.find(|warning| is_template && warning.contains("would violate PodSecurity"));
    by.or(warning.map(|warning| (crate::outcome::By::PodSecurity, warning.as_str())))
}

/// Whether security contexts alone can help, by the server's own message.
fn can_be_fixed(minor: u8, by: crate::outcome::By, message: &str) -> bool {
    let server = Server::new(Minor::known(minor));
    let Some((_, pieces)) = text::pieces(server, message) else {
        return false;
    };
    by == crate::outcome::By::PodSecurity
        && pieces.iter().all(|(check, text)| match *check {
            "allowPrivilegeEscalation"
            | "runAsNonRoot"
            | "seccompProfile_baseline"
            | "seccompProfile_restricted" => true,
            "capabilities_restricted" => !text.contains("must not include"),
            _ => false,
        })
}

/// Each rejected object of the suite either passes when it is fixed, or stays as it is because the
/// server's message names what no security context gives.
#[rstest]
#[case("baseline:latest", 36)]
#[case("restricted:latest", 36)]
#[case("restricted:latest", 23)]
#[case("baseline:v1.18", 29)]
fn every_object_of_the_suite(#[case] level: &str, #[case] minor: u8) {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for path in scenarios() {
        let options = options(vec![path.clone()], level, minor);
        let findings = match check::check(&options) {
            Ok(items) => items,
            // Its own namespace is refused, whatever is in it.
            Err(error) if error.to_string().contains("refuses it") => continue,
            Err(error) => panic!("{error}"),
        };
        let findings: Vec<Finding> = findings
            .into_iter()
            .filter_map(|item| match item {
                Item::Judged(mut findings, _) => findings.pop(),
                _ => None,
            })
            .collect();
        let files = fix(&options).unwrap_or_else(|error| panic!("{error}"));
        let [file] = &files[..] else {
            panic!("{files:?}");
        };
        assert_eq!(file.objects.len(), findings.len(), "{}", path.display());
        for (object, finding) in file.objects.iter().zip(&findings) {
            let place = &object.place;
            let what = match (&object.outcome, message(finding)) {
                (Outcome::Admitted, None) => "admitted",
                // What it refers to stands in no file: it is taken as given.
                (
                    _,
                    Some((
                        crate::outcome::By::ServiceAccount
                        | crate::outcome::By::Priority
                        | crate::outcome::By::RuntimeClass,
                        _,
                    )),
                ) => "given",
                (Outcome::Fixed(_), Some((by, message))) if can_be_fixed(minor, by, message) => {
                    "fixed"
                }
                (Outcome::Left(faults), Some((by, message)))
                    if !can_be_fixed(minor, by, message) =>
                {
                    assert!(
                        faults.iter().all(|fault| !fault.text.is_empty()),
                        "{place:?}"
                    );
                    "left"
                }
                (Outcome::Unreadable(_), Some((crate::outcome::By::Decode, _))) => "unreadable",
                // 1.23 drops `os`, and so would take what every later version refuses on Windows.
                (Outcome::Left(faults), _)
                    if minor == 23
                        && faults.iter().all(|it| it.text.contains("os.name windows")) =>
                {
                    "left"
                }
                // Root by number contradicts what policies before v1.23 demand; they do not look.
                (Outcome::Left(faults), _)
                    if faults.iter().all(|it| it.field.ends_with("runAsUser")) =>
                {
                    "left"
                }
                other => panic!("{place:?} at {level} on 1.{minor}: {other:?}"),
            };
            *count.entry(what).or_default() += 1;
        }
        // What was fixed passes, and is not fixed again.
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("fixed.yaml");
        std::fs::write(&copy, &file.after).expect("written");
        let again = fixed(vec![copy], level, minor).remove(0);
        assert_eq!(again.after, file.after, "{}", path.display());
        for (first, second) in file.objects.iter().zip(&again.objects) {
            if let Outcome::Fixed(_) = first.outcome {
                assert!(matches!(second.outcome, Outcome::Admitted), "{second:?}");
            }
        }
    }
    eprintln!("{level} on 1.{minor}: {count:?}");
    assert!(count["fixed"] >= 2 && count["left"] >= 20, "{count:?}");
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  containers:
  - name: a
    image: a
";

fn of_text(text: &str, level: &str, minor: u8) -> File {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.yaml");
    std::fs::write(&path, text).expect("written");
    fixed(vec![path], level, minor).remove(0)
}

/// Every kind with a template is fixed where its template lies.
#[rstest]
#[case("v1", "PodTemplate", "template")]
#[case("v1", "ReplicationController", "spec.template")]
#[case("apps/v1", "Deployment", "spec.template")]
#[case("apps/v1", "ReplicaSet", "spec.template")]
#[case("apps/v1", "StatefulSet", "spec.template")]
#[case("apps/v1", "DaemonSet", "spec.template")]
#[case("batch/v1", "Job", "spec.template")]
#[case("batch/v1", "CronJob", "spec.jobTemplate.spec.template")]
fn every_kind(#[case] version: &str, #[case] kind: &str, #[case] at: &str) {
    let restart = if version == "batch/v1" {
        "OnFailure"
    } else {
        "Always"
    };
    let mut object = serde_json::json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"restartPolicy": restart, "containers": [{"name": "a", "image": "a"}]},
    });
    for key in at.split('.').rev() {
        object = match (key, kind) {
            ("template", "PodTemplate" | "Job" | "CronJob") => serde_json::json!({key: object}),
            ("template", "ReplicationController") => {
                serde_json::json!({key: object, "selector": {"a": "b"}})
            }
            ("template", _) => {
                serde_json::json!({key: object, "selector": {"matchLabels": {"a": "b"}}})
            }
            ("spec", "CronJob")
                if at.matches("spec").count() == 2 && object.get("jobTemplate").is_some() =>
            {
                object["schedule"] = "* * * * *".into();
                serde_json::json!({key: object})
            }
            _ => serde_json::json!({key: object}),
        };
    }
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    object["metadata"] = serde_json::json!({"name": "a"});
    let text = podgate_manifest::to_yaml(&object);
    let file = of_text(&text, "restricted:latest", 36);
    let Outcome::Fixed(fields) = &file.objects[0].outcome else {
        panic!("{:?}\n{text}", file.objects);
    };
    assert!(
        fields
            .iter()
            .all(|field| field.field.starts_with(&format!("{at}.spec."))),
        "{fields:?}"
    );
    let again = of_text(&file.after, "restricted:latest", 36);
    assert!(
        matches!(again.objects[0].outcome, Outcome::Admitted),
        "{again:?}"
    );
}

#[rstest]
// Others in the file are fixed all the same, and an object is changed whole or not at all.
#[case::by_need(&format!("{POD}  hostNetwork: true\n---\n{POD}"), &["left hostNamespaces", "fixed 4"])]
#[case::a_list(&format!("apiVersion: v1\nkind: List\nitems:\n- {}", POD.trim_end().replace('\n', "\n  ")), &["fixed 4"])]
#[case::json(r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"a"}]}}"#, &["fixed 4"])]
#[case::windows(&format!("{POD}  os: {{name: windows}}\n"), &["fixed 1"])]
// What it refers to is elsewhere; what no file could mend is said.
#[case::given(&format!("{POD}  serviceAccountName: robot\n  priorityClassName: high\n  runtimeClassName: kata\n"), &["fixed 4"])]
#[case::system_priority(&format!("{POD}  priorityClassName: system-node-critical\n"), &["fixed 4"])]
#[case::invalid(&POD.replace("    image: a\n", ""), &["left "])]
#[case::ephemeral(&format!("{POD}  ephemeralContainers:\n  - name: b\n    image: b\n"), &["left "])]
#[case::a_template(&POD.replace("image: a", "image: \"{{ .Values.image }}\""), &["left "])]
#[case::braces_of_a_program(&format!("{POD}    args: [\"{{{{ .ID }}}}\"]\n"), &["fixed 4"])]
#[case::shared(&POD.replace("  containers:", "  securityContext: &c {}\n  containers:").replace("    image: a\n", "    image: a\n    securityContext: *c\n"), &["left "])]
// A profile in an annotation is copied into the field by servers before 1.27, and must agree with it.
#[case::nothing(&POD.replace("spec:", "spec:\n  hostUsers: true\n  securityContext: {runAsNonRoot: true, seccompProfile: {type: Localhost, localhostProfile: p}}")
    .replace("image: a", "image: a\n    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"), &["admitted"])]
fn becomes(#[case] before: &str, #[case] expected: &[&str]) {
    let file = of_text(before, "restricted:latest", 36);
    let outcomes = file.objects.iter().map(|object| match &object.outcome {
        Outcome::Admitted => "admitted".to_owned(),
        Outcome::Fixed(fields) => format!("fixed {}", fields.len()),
        Outcome::Left(faults) => format!("left {}", faults[0].check),
        other => format!("{other:?}"),
    });
    assert_eq!(outcomes.collect::<Vec<_>>(), expected, "{file:?}");
    assert_eq!(
        file.before != file.after,
        expected.iter().any(|it| it.starts_with("fixed"))
    );
}

#[test]
fn a_mark_stays_and_other_encodings_are_left_alone() {
    let marked = format!("\u{FEFF}{POD}");
    let file = of_text(&marked, "restricted:latest", 36);
    assert!(file.after.starts_with(&marked), "{file:?}");

    let folder = tempfile::tempdir().expect("a folder");
    let wide: Vec<u8> = format!("\u{FEFF}{POD}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (wide_path, lines) = (folder.path().join("w.yaml"), folder.path().join("l.jsonl"));
    std::fs::write(&wide_path, wide).expect("written");
    std::fs::write(&lines, "{}\n").expect("written");
    for file in fixed(vec![wide_path, lines], "restricted:latest", 36) {
        assert!(file.unreadable.len() == 1, "{file:?}");
        assert_eq!((file.before, file.after), (String::new(), String::new()));
    }
}

#[test]
fn several_versions_are_met_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.yaml");
    std::fs::write(&path, format!("{POD}  os: {{name: windows}}\n")).expect("written");
    let mut options = options(vec![path], "restricted:latest", 36);
    let target = |minor| Target {
        cluster: None,
        minor: Minor::known(minor),
    };
    options.targets = vec![target(25), target(36)];
    let files = fix(&options).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        matches!(files[0].objects[0].outcome, Outcome::Fixed(_)),
        "{files:?}"
    );
    // Up to 1.24 the policy demands what validation forbids.
    options.targets = vec![target(24), target(36)];
    let files = fix(&options).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        matches!(files[0].objects[0].outcome, Outcome::Left(_)),
        "{files:?}"
    );
}
