//! Where in the user's file stands what a server refuses: a message names containers and fields, a
//! reader wants a line.
//!
//! Pod Security's messages name containers and rules. The fields behind them are found by asking the
//! same checks again, of the pod as the file has it. Validation and `PodSecurityPolicy` name the
//! fields themselves (`field.Error` in `k8s.io/apimachinery/pkg/util/validation/field`).

use std::fmt;
use std::sync::LazyLock;

use podgate_admission::decode::decode;
use podgate_admission::resource::Resource;
use podgate_admission::view;
use podgate_manifest::{FieldPath, Position, Segment};
use podgate_policy::{Minor, Server, evaluate, text};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::suite::{Manifest, Scenario};

/// One thing that a server refuses or warns about, where the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The id of the check of Pod Security; empty where somebody else refuses.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check: String,
    /// What is wrong, in the server's words.
    pub text: String,
    /// The field of the object; empty where the message names none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: Place,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
    /// The file that this was rendered from, where that is known: line and column are none of that
    /// file's, but of what helm or kustomize print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, .. } = self;
        match &self.source {
            Some(source) => write!(f, "{source}, rendered {line}:{column}"),
            None => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Which object a message is about: the one in the file, or a pod made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// The object in the file.
    Object,
    /// A pod of its template.
    Pods,
}

impl Place {
    /// Where an object begins.
    #[must_use]
    pub fn of(manifest: &Manifest) -> Self {
        Self::at(manifest, manifest.document.start())
    }

    /// A position in the text of an object.
    #[must_use]
    pub fn at(manifest: &Manifest, position: Position) -> Self {
        Self {
            file: manifest.document.file().to_owned(),
            line: position.line,
            column: position.column,
            source: manifest.document.source_file(),
        }
    }
}

/// The manifest of an object that an outcome names, where the scenario has one.
#[must_use]
pub fn manifest_in<'a>(scenario: &'a Scenario, object: &str) -> Option<&'a Manifest> {
    let mut manifests = scenario.manifests.iter();
    manifests.find(|manifest| manifest.reference() == object)
}

/// What `message`, the answer of a server of `minor`, has against `manifest`: at least one fault,
/// at the object itself where it names no field of it.
#[must_use]
pub fn faults(manifest: &Manifest, minor: Minor, message: &str, about: About) -> Vec<Fault> {
    let resource = manifest.resource(minor);
    let found = resource.map(|resource| {
        let of_checks = of_checks(manifest, resource, minor, message);
        if of_checks.is_empty() {
            of_fields(manifest, resource, message, about)
        } else {
            of_checks
        }
    });
    found
        .filter(|faults| !faults.is_empty())
        .unwrap_or_else(|| {
            vec![Fault {
                check: String::new(),
                text: message.to_owned(),
                field: String::new(),
                place: Place::of(manifest),
            }]
        })
}

/// The faults in a message of Pod Security, one for each field; none for any other text.
fn of_checks(
    manifest: &Manifest,
    resource: &'static Resource,
    minor: Minor,
    message: &str,
) -> Vec<Fault> {
    let server = Server::new(minor);
    let (Some(policy), Some((_, pieces))) = (
        text::policy_in_message(message),
        text::pieces(server, message),
    ) else {
        return Vec::new();
    };
    let template = resource.template.unwrap_or_default();
    let body = manifest.asked();
    let body = decode(body.as_bytes(), resource.schema, minor);
    let pod = body
        .as_ref()
        .ok()
        .and_then(|decoded| decoded.object.at(template));
    let violations = pod.map(|pod| evaluate(server, policy, &view::of(pod)));
    let mut faults = Vec::new();
    for (id, piece) in pieces {
        let violations = violations.iter().flatten();
        let fields = violations
            .filter(|violation| violation.check.id == id)
            .flat_map(|violation| violation.fields.iter().map(String::as_str));
        let mut fields: Vec<&str> = fields.collect();
        if fields.is_empty() {
            // What the server filled in is in no file.
            fields.push("spec");
        }
        faults.extend(
            fields
                .into_iter()
                .map(|field| fault(manifest, id, piece, absolute(manifest, template, field))),
        );
    }
    faults
}

/// The faults in a message that lists field errors.
fn of_fields(
    manifest: &Manifest,
    resource: &'static Resource,
    message: &str,
    about: About,
) -> Vec<Fault> {
    static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let kinds = "Invalid value|Required value|Forbidden|Unsupported value|Duplicate value|Not found|Too long|Too many";
        Regex::new(&format!(
            r"(?:pod\.)?((?:spec|metadata)[^\s:\[]*(?:\[[^\]\s]*\][^\s:\[]*)*): (?:{kinds})"
        ))
        .ok()
    });
    let matches: Vec<(usize, &str)> = FIELD
        .iter()
        .flat_map(|regex| regex.captures_iter(message))
        .filter_map(|found| Some((found.get(0)?.start(), found.get(1)?.as_str())))
        .collect();
    let ends = matches.iter().skip(1).map(|(start, _)| *start);
    let ends: Vec<usize> = ends.chain([message.len()]).collect();
    let template = match about {
        About::Object => &[][..],
        About::Pods => resource.template.unwrap_or_default(),
    };
    let faults = matches.iter().zip(ends).map(|(&(start, field), end)| {
        let text = message[start..end].trim_end_matches([' ', ',']);
        // The bracket that closes the list of errors belongs to none of them.
        let closes = text.matches(']').count() > text.matches('[').count();
        let text = if closes {
            text.strip_suffix(']').unwrap_or(text)
        } else {
            text
        };
        // `PodSecurityPolicy` says of these fields that they were in the security context.
        let field = match field {
            "spec.securityContext.hostNetwork" => "spec.hostNetwork",
            "spec.securityContext.hostPID" => "spec.hostPID",
            "spec.securityContext.hostIPC" => "spec.hostIPC",
            field => field,
        };
        fault(manifest, "", text, absolute(manifest, template, field))
    });
    faults.collect()
}

/// The path in the object of a field of the pod at `template` of what is asked about.
fn absolute(manifest: &Manifest, template: &[&str], field: &str) -> Vec<Segment> {
    let mut path = manifest.prefix();
    path.extend(template.iter().map(|key| Segment::from(*key)));
    path.extend(FieldPath::parse(field).0);
    path
}

/// A fault at the deepest part of a path that the file has.
fn fault(manifest: &Manifest, check: &str, text: &str, path: Vec<Segment>) -> Fault {
    let (_, location) = manifest.document.nearest(&path);
    Fault {
        check: check.to_owned(),
        text: text.to_owned(),
        field: FieldPath(path).to_string(),
        place: Place::at(manifest, location.position()),
    }
}

#[cfg(test)]
mod tests {
    use podgate_manifest::{Source, read_documents};
    use rstest::rstest;

    use super::*;

    const LIST: &str = "# a list, and behind it another document
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
        - name: plain
          image: i
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
  containers:
  - name: c
    image: i
    ports:
    - hostPort: 80
      containerPort: 80
";

    fn manifests() -> Vec<Manifest> {
        let source = Source::new("k8s/all.yaml", LIST);
        read_documents(&source)
            .flat_map(|document| Manifest::from_document(document.unwrap()).unwrap())
            .collect()
    }

    #[rstest]
    #[case(0, About::Pods, r#"pods "web-x" is forbidden: violates PodSecurity "baseline:latest": privileged (container "root" must not set securityContext.privileged=true)"#,
        &[("privileged", 19, 13)])]
    #[case(1, About::Object, r#"pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPort (container "c" uses hostPort 80)"#,
        &[("hostNamespaces", 25, 3), ("hostPorts", 30, 7)])]
    // What is missing is missing in the container.
    #[case(0, About::Pods, r#"would violate PodSecurity "restricted:v1.20": privileged (container "root" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (containers "plain", "root" must set securityContext.allowPrivilegeEscalation=false)"#,
        &[("privileged", 19, 13), ("allowPrivilegeEscalation", 14, 11), ("allowPrivilegeEscalation", 18, 11)])]
    #[case(1, About::Object, r#"pods "p" is forbidden: PodSecurityPolicy: unable to validate pod: [spec.securityContext.hostNetwork: Invalid value: true: Host network is not allowed to be used spec.containers[0].hostPort: Invalid value: 80: Host port 80 is not allowed to be used. Allowed ports: []]"#,
        &[("", 25, 3), ("", 27, 5)])]
    #[case(0, About::Object, r#"Deployment.apps "web" is invalid: spec.template.spec.containers[1].image: Required value"#,
        &[("", 17, 11)])]
    #[case(0, About::Object, "exceeded quota: q", &[("", 5, 3)])]
    fn stands_at(
        #[case] manifest: usize,
        #[case] about: About,
        #[case] message: &str,
        #[case] expected: &[(&str, usize, usize)],
    ) {
        let manifests = manifests();
        let faults = faults(&manifests[manifest], Minor::known(36), message, about);
        let found = faults.iter().map(|fault| {
            assert_eq!(fault.place.file, "k8s/all.yaml");
            (fault.check.as_str(), fault.place.line, fault.place.column)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected, "{faults:?}");
    }

    #[test]
    fn the_text_is_the_servers() {
        let manifests = manifests();
        let message = r#"Deployment.apps "web" is invalid: [spec.selector: Invalid value: 1: no, spec.template.spec.containers[0].name: Duplicate value: "a"]"#;
        let faults = faults(&manifests[0], Minor::NEWEST, message, About::Object);
        let texts: Vec<&str> = faults.iter().map(|fault| fault.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "spec.selector: Invalid value: 1: no",
                r#"spec.template.spec.containers[0].name: Duplicate value: "a""#
            ]
        );
        let message = r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: [spec.containers[0].hostPort: Invalid value: 80: Host port 80 is not allowed to be used. Allowed ports: []]"#;
        let faults = super::faults(&manifests[1], Minor::known(24), message, About::Object);
        assert!(faults[0].text.ends_with("Allowed ports: []"), "{faults:?}");
    }
}
