//! The formats of other tools, of `test` and `check`: what they say, where, and that nothing that a
//! user writes is markup.

use rstest::rstest;
use serde_json::Value;

use crate::folder::{Folder, Run};

const MANIFESTS: &str = "# two documents, the first a list
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    selector: {matchLabels: {a: b}}
    template:
      metadata: {labels: {a: b}}
      spec:
        containers:
        - {name: plain, image: i}
        - name: root
          image: i
          securityContext:
            privileged: true
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  hostNetwork: true
  containers: [{name: c, image: i}]
";

fn check(format: &str) -> Run {
    let folder = Folder::new();
    folder.write("k8s/all.yaml", MANIFESTS);
    let flags = [
        "check",
        "k8s/all.yaml",
        "--enforce",
        "baseline",
        "--kubernetes",
        "1.35..1.36",
    ];
    folder
        .podgate(&[&flags[..], &["-o", format]].concat())
        .ends(1)
}

#[test]
fn sarif_has_the_line_and_column_of_the_field() {
    let log: Value = serde_json::from_str(&check("sarif").stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let at = results.iter().map(|result| {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "k8s/all.yaml");
        let region = &place["region"];
        let position = (region["startLine"].as_u64(), region["startColumn"].as_u64());
        (
            result["ruleId"].as_str().unwrap(),
            position.0.unwrap(),
            position.1.unwrap(),
        )
    });
    // Both minors say the same, so it is told once: the warning to who creates the deployment, and
    // the rejections of its pods and of the pod.
    let expected = [
        ("privileged", 18, 13),
        ("privileged", 18, 13),
        ("hostNamespaces", 24, 3),
    ];
    assert_eq!(at.collect::<Vec<_>>(), expected);
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let ids: Vec<&str> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["privileged", "hostNamespaces"]);
}

/// Violations that have their reason at the same place are followed by it once.
#[test]
fn text_has_the_line_and_column_of_the_field() {
    check("text").says(&[
        "✗ Deployment/default/web  k8s/all.yaml:5\n",
        "        securityContext.privileged=true)\n        at k8s/all.yaml:18:13\n  pods",
        "    - privileged (container \"root\" must not set securityContext.privileged=true)\n      at k8s/all.yaml:18:13\n",
        "✗ Pod/default/p  k8s/all.yaml:20\n",
        "    - host namespaces (hostNetwork=true)\n      at k8s/all.yaml:24:3\n",
    ]);
}

/// A scenario's manifests have lines, too: in lists and later documents, and not for what a patch
/// brought.
#[test]
fn a_run_has_the_line_and_column_of_the_field() {
    let folder = Folder::suite();
    let head = "apiVersion: podgate.dev/v1alpha1
kind: Scenario
metadata: {name: places}
spec:
  steps:
    - apply: [Deployment/web, Pod/p]
    - patch: {object: Deployment/web, type: merge, body: {spec: {template: {spec: {hostPID: true}}}}}
---
";
    folder.write("scenarios/places.yaml", &format!("{head}{MANIFESTS}"));
    let run = folder
        .podgate(&["test", "places", "--cluster", "psa-restricted"])
        .says(&[
            "  1. applied Deployment/web  scenarios/places.yaml:13\n",
            "      - privileged (container \"root\" must not set\n        securityContext.privileged=true)\n        at scenarios/places.yaml:26:13\n",
            "  1. applied Pod/p  scenarios/places.yaml:28\n",
            "      - host namespaces (hostNetwork=true)\n        at scenarios/places.yaml:32:3\n",
            "  2. patched Deployment/web\n",
        ]);
    let (_, patched) = run.stdout.rsplit_once("  2. patched").unwrap();
    assert!(!patched.contains(" at scenarios/"), "{patched}");
}

#[test]
fn annotations_stand_at_the_field() {
    let lines = check("github").stdout;
    let lines: Vec<&str> = lines.lines().collect();
    let expected = [
        (
            "warning",
            "line=18,col=13,title=Deployment/default/web 1.35..1.36%3A warning",
        ),
        (
            "error",
            "line=18,col=13,title=Deployment/default/web (its pods) 1.35..1.36%3A rejected 403",
        ),
        (
            "error",
            "line=24,col=3,title=Pod/default/p 1.35..1.36%3A rejected 403",
        ),
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, (level, place)) in lines.iter().zip(expected) {
        let start = format!("::{level} file=k8s/all.yaml,{place}");
        assert!(line.starts_with(&start), "{start} does not begin\n{line}");
    }
    let text = r#"::privileged (container "root" must not set securityContext.privileged=true)"#;
    assert!(lines[1].ends_with(text), "{}", lines[1]);
}

#[test]
fn junit_counts_what_is_not_admitted() {
    let text = check("junit").stdout;
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let suites: Vec<(&str, usize, usize)> = report
        .test_suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.tests, suite.failures))
        .collect();
    assert_eq!(
        suites,
        [("Kubernetes 1.35", 2, 2), ("Kubernetes 1.36", 2, 2)]
    );
    assert!(text.contains(
        "at k8s/all.yaml:18:13 spec.template.spec.containers[1].securityContext.privileged"
    ));
}

#[test]
fn what_cannot_be_read_is_in_the_report() {
    let folder = Folder::new();
    folder.write("bad.yaml", "kind: Pod\n a: b\n");
    let flags = ["check", "bad.yaml", "--enforce", "baseline", "-o"];
    let of = |format: &str| {
        folder
            .podgate(&[&flags[..], &[format]].concat())
            .ends(2)
            .stdout
    };
    assert!(
        of("github").starts_with("::error file=bad.yaml,line=2,"),
        "{}",
        of("github")
    );
    assert!(of("junit").contains("errors=\"1\""), "{}", of("junit"));
    let log: Value = serde_json::from_str(&of("sarif")).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "unreadable");
}

#[test]
fn several_reports_of_one_run() {
    let folder = Folder::suite();
    folder.edit(
        "scenarios/hello.yaml",
        "runAsNonRoot: true",
        "runAsNonRoot: false",
    );
    let formats = ["json", "junit", "sarif", "github", "markdown", "html"];
    let reports: Vec<String> = formats
        .iter()
        .map(|it| format!("--report={it}=out.{it}"))
        .collect();
    let mut arguments = vec!["test", "--quiet"];
    arguments.extend(reports.iter().map(String::as_str));
    let run = folder.in_ci(&arguments).ends(1);
    assert!(run.stdout.contains("✓ admitted"), "{}", run.stdout);
    for format in formats {
        let text = folder.read(&format!("out.{format}"));
        assert!(text.contains("runAsNonRoot"), "{format}:\n{text}");
        // The same run printed in that format, and the same again from its record.
        assert_eq!(
            folder.in_ci(&["test", "-o", format]).ends(1).stdout,
            text,
            "{format}"
        );
        assert_eq!(
            folder
                .in_ci(&["merge", "out.json", "-o", format])
                .ends(1)
                .stdout,
            text,
            "{format}"
        );
    }
    let sarif: Value = serde_json::from_str(&folder.read("out.sarif")).unwrap();
    let rejected = sarif["runs"][0]["results"].as_array().unwrap().iter();
    let rejected = rejected.filter(|result| result["ruleId"] == "now-rejected");
    let lines: Vec<&Value> = rejected
        .map(|result| &result["locations"][0]["physicalLocation"]["region"]["startLine"])
        .collect();
    let text = folder.read("scenarios/hello.yaml");
    let line = 1 + text
        .lines()
        .position(|line| line.contains("runAsNonRoot: false"))
        .unwrap();
    assert_eq!(lines, [&Value::from(line)]);
}

#[test]
fn a_report_that_cannot_be_written_is_said() {
    let folder = Folder::suite();
    folder
        .podgate(&["test", "--report", "junit=no/such/folder.xml"])
        .ends(2)
        .tells(&["cannot write no/such/folder.xml"]);
    for wrong in ["junit", "junit=", "xml=a.xml"] {
        folder.podgate(&["test", "--report", wrong]).ends(2);
    }
    folder.write("a.yaml", MANIFESTS);
    folder
        .podgate(&["check", "a.yaml", "--enforce", "baseline", "-o", "html"])
        .ends(2)
        .tells(&["the HTML page is of a run of scenarios"]);
}

const HOSTILE: &str = "</pre><script>alert(1)</script>|`@team`]]>&\"'::error::";

#[rstest]
#[case("html", &["<script>alert", "</pre><script"])]
#[case("markdown", &["<script>", "`@team`", " @team"])]
#[case("junit", &["<script>"])]
#[case("github", &["\n::error::"])]
fn nothing_that_a_user_writes_is_markup(#[case] format: &str, #[case] never: &[&str]) {
    let folder = Folder::suite();
    let quoted = HOSTILE.replace('\'', "''");
    folder.write(
        "scenarios/hostile.yaml",
        &format!(
            "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nmetadata: {{name: h}}\nspec:\n  description: '{quoted}'\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: '{quoted}'}}\nspec:\n  hostPID: true\n  containers: [{{name: c, image: i}}]\n"
        ),
    );
    let text = folder.in_ci(&["test", "-o", format]).ends(1).stdout;
    for markup in never {
        // The page has a script of its own.
        assert!(!text.contains(markup), "{markup} is in\n{text}");
    }
    if format == "junit" {
        quick_junit::Report::deserialize_from_str(&text).unwrap();
    }
}

/// The page is complete without scripts: what the server said stands in it, and filters are boxes
/// that the style sheet reads.
#[test]
fn the_page_needs_nothing_else() {
    let folder = Folder::suite();
    let page = folder.podgate(&["test", "-o", "html"]).ends(0).stdout;
    for outside in [
        "http://", "https://", "<link", "<img", "src=", "@import", "url(",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    for inside in [
        "name=\"viewport\"",
        "default-src 'none'",
        "id=\"show-rejected\"",
        "body:has(#show-rejected:checked)",
        "id=\"cluster-0\"",
        "<i class=\"rejected\">✗</i>",
        "violates PodSecurity &quot;restricted:latest&quot;: ",
        "<small>at scenarios/hello.yaml:47:7</small>",
    ] {
        assert!(page.contains(inside), "{inside} is not in\n{page}");
    }
}
