//! One object: what is changed in it, or why nothing is.

use podgate_admission::decode::decode;
use podgate_admission::resource::{self, Resource};
use podgate_admission::view;
use podgate_manifest::edit::{Change, Edit, Leaf};
use podgate_manifest::{FieldPath, Segment, Source};
use podgate_policy::remedy::{FieldEdit, Operation, Remedy, Setting, remedy};
use podgate_policy::{LevelVersion, Minor, Server, labels, text};

use crate::check::{Finding, Judges, Options};
use crate::error::Error;
use crate::fault::{self, About, Fault, Place};
use crate::outcome::By;
use crate::suite::Manifest;

/// What becomes of an object.
#[derive(Debug)]
pub enum Outcome {
    /// It is admitted, and its pods are: there is nothing to do.
    Admitted,
    /// It is changed in these fields, and is admitted then.
    Fixed(Vec<FixedField>),
    /// It stays as it is, and rejected, for these reasons.
    Left(Vec<Fault>),
    /// Whether it is admitted cannot be known, for this reason.
    Undecided(String),
    /// A server cannot read it.
    Unreadable(Error),
}

/// A field that is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedField {
    /// The id of the check that demands it.
    pub check: &'static str,
    /// The field of the object.
    pub field: String,
    /// What becomes of it: `true`, or `+ALL` for an item that is added.
    pub value: String,
    /// Where it stands, or what is next to it, before the change.
    pub place: Place,
    /// What may keep an admitted container from running after it.
    pub caution: &'static str,
}

/// What becomes of an object, and the changes of the file's text.
pub(super) fn plan(
    manifest: &Manifest,
    source: &Source,
    judges: &Judges,
    options: &Options,
) -> (Outcome, Vec<Change>) {
    let (findings, unreadable) = judges.judge(manifest);
    if let Some(error) = unreadable {
        return (Outcome::Unreadable(error), Vec::new());
    }
    let mut wanted = Remedy::default();
    let mut left = Vec::new();
    for finding in &findings {
        match rejected(finding) {
            Rejected::No => {}
            Rejected::Undecided(reason) => {
                return (Outcome::Undecided(reason.to_owned()), Vec::new());
            }
            Rejected::Otherwise(message, about) => {
                left.extend(fault::faults(manifest, finding.minor, message, about));
            }
            Rejected::ByPodSecurity(message) => {
                let policy = policy(message, finding, options);
                match policy.and_then(|policy| remedies(manifest, finding.minor, policy)) {
                    Some(remedy) => join(&mut wanted, remedy),
                    // What the server filled in is in no file.
                    None => {
                        left.extend(fault::faults(manifest, finding.minor, message, About::Pods));
                    }
                }
            }
        }
    }
    if findings
        .iter()
        .all(|finding| matches!(rejected(finding), Rejected::No))
    {
        return (Outcome::Admitted, Vec::new());
    }
    let template = template(manifest);
    left.extend(wanted.left.iter().map(|left| {
        let path = absolute(template, &left.field);
        fault_at(manifest, left.check.id, left.reason.to_owned(), path)
    }));
    if left.is_empty() && is_template(manifest) {
        let why = "it is a template ({{ }}): what it makes is not known. Render it first, or change it by hand";
        left.push(fault_at(manifest, "", why.to_owned(), Vec::new()));
    }
    if !left.is_empty() {
        return (Outcome::Left(left), Vec::new());
    }
    let mut edit = Edit::none();
    for one in &wanted.edits {
        if !edit.add(&absolute(template, &one.field), of(one.operation)) {
            let why = "two versions demand different values".to_owned();
            let path = absolute(template, &one.field);
            return (
                Outcome::Left(vec![fault_at(manifest, one.check.id, why, path)]),
                Vec::new(),
            );
        }
    }
    match manifest.document.edit(source, &edit) {
        Ok(changes) => {
            let fields = wanted
                .edits
                .iter()
                .map(|one| fixed(manifest, template, one));
            (Outcome::Fixed(fields.collect()), changes)
        }
        Err(error) => {
            let position = error.position();
            let place = position.map_or_else(
                || Place::of(manifest),
                |position| Place::at(manifest, position),
            );
            let fault = Fault {
                check: String::new(),
                text: error.message().to_owned(),
                field: String::new(),
                place,
            };
            (Outcome::Left(vec![fault]), Vec::new())
        }
    }
}

/// Why an object does not pass after its change; `None` where it does.
pub(super) fn still_rejected(
    before: &Manifest,
    after: &Manifest,
    judges: &Judges,
) -> Option<Outcome> {
    let (findings, _) = judges.judge(after);
    findings.iter().find_map(|finding| {
        let (message, about) = match rejected(finding) {
            Rejected::No => return None,
            Rejected::ByPodSecurity(message) => (message, About::Pods),
            Rejected::Otherwise(message, about) => (message, about),
            Rejected::Undecided(reason) => return Some(Outcome::Undecided(reason.to_owned())),
        };
        // It is told where it stands in the file as it is.
        let faults = fault::faults(before, finding.minor, message, about);
        let told = faults.into_iter().map(|fault| Fault {
            text: format!("with what Pod Security demands set: {}", fault.text),
            ..fault
        });
        Some(Outcome::Left(told.collect()))
    })
}

/// The outcome of an object that is not read again as it was meant.
pub(super) fn unproved(manifest: &Manifest) -> Outcome {
    let why = "the file is written in a way that cannot be changed without changing something else";
    Outcome::Left(vec![fault_at(manifest, "", why.to_owned(), Vec::new())])
}

/// Whether a server rejects an object or its pods.
enum Rejected<'f> {
    No,
    ByPodSecurity(&'f str),
    Otherwise(&'f str, About),
    Undecided(&'f str),
}

fn rejected(finding: &Finding) -> Rejected<'_> {
    let pods = finding.pods.iter().flatten();
    let answers = std::iter::once((&finding.answer, About::Object))
        .chain(pods.map(|pod| (&pod.answer, About::Pods)));
    for (answer, about) in answers {
        let message = answer.message.as_deref().unwrap_or_default();
        match (answer.admitted, answer.by) {
            (Some(true), _) => {}
            (None, _) => {
                return Rejected::Undecided(answer.undecided.as_deref().unwrap_or_default());
            }
            (Some(false), Some(By::PodSecurity)) => return Rejected::ByPodSecurity(message),
            (Some(false), _) => return Rejected::Otherwise(message, about),
        }
    }
    // Nothing makes pods of a template that stands by itself: the server only warns.
    let mut warnings = finding.answer.warnings.iter();
    let is_template = finding.object.starts_with("PodTemplate/");
    match warnings.find(|warning| is_template && text::policy_in_message(warning).is_some()) {
        Some(warning) => Rejected::ByPodSecurity(warning),
        None => Rejected::No,
    }
}

/// The policy that a message is about. Rejections of 1.22 do not say: there it is the one asked for,
/// or the cluster's.
fn policy(message: &str, finding: &Finding, options: &Options) -> Option<LevelVersion> {
    let labelled = || {
        let name = finding.cluster.as_deref()?;
        let clusters = options
            .targets
            .iter()
            .filter_map(|target| target.cluster.as_ref());
        let cluster = clusters.into_iter().find(|cluster| cluster.name == name)?;
        let label = |key| cluster.namespace.labels.get(key).map(String::as_str);
        let version = label(labels::ENFORCE_VERSION).unwrap_or("latest");
        format!("{}:{version}", label(labels::ENFORCE)?)
            .parse()
            .ok()
    };
    let named = text::policy_in_message(message);
    named.or(options.policy.enforce).or_else(labelled)
}

/// What makes the pod in the file meet a policy.
fn remedies(manifest: &Manifest, minor: Minor, policy: LevelVersion) -> Option<Remedy> {
    let resource = resource(manifest, minor)?;
    let body = decode(manifest.body.as_bytes(), resource.schema, minor).ok()?;
    let pod = body.object.at(resource.template?)?;
    let remedy = remedy(Server::new(minor), policy, &view::of(pod));
    let is_empty = remedy.edits.is_empty() && remedy.left.is_empty();
    (!is_empty).then_some(remedy)
}

fn resource(manifest: &Manifest, minor: Minor) -> Option<&'static Resource> {
    resource::by_kind(manifest.api_version(), manifest.kind(), minor)
}

/// Where the pod lies in an object.
fn template(manifest: &Manifest) -> &'static [&'static str] {
    let mut minors = Minor::all().rev();
    minors
        .find_map(|minor| resource(manifest, minor)?.template)
        .unwrap_or_default()
}

/// Adds what one more server demands.
fn join(wanted: &mut Remedy, more: Remedy) {
    for edit in more.edits {
        if !wanted.edits.contains(&edit) {
            wanted.edits.push(edit);
        }
    }
    for left in more.left {
        if wanted.left.iter().all(|known| known.field != left.field) {
            wanted.left.push(left);
        }
    }
}

/// Whether an object is to be made from a template: what names it or its images is none yet. In
/// arguments and the like `{{` may be the program's own.
fn is_template(manifest: &Manifest) -> bool {
    let Ok(object) = serde_json::from_str::<serde_json::Value>(&manifest.body) else {
        return false;
    };
    let pod = template(manifest)
        .iter()
        .fold(&object, |value, key| &value[*key]);
    let metadata = [&object["metadata"], &pod["metadata"]];
    let metadata = metadata
        .iter()
        .flat_map(|it| [&it["name"], &it["namespace"], &it["labels"]]);
    let lists = ["initContainers", "containers"].map(|list| &pod["spec"][list]);
    let containers = lists.iter().filter_map(|list| list.as_array()).flatten();
    let containers = containers.flat_map(|it| [&it["name"], &it["image"]]);
    metadata
        .chain(containers)
        .any(|value| value.to_string().contains("{{"))
}

fn fixed(manifest: &Manifest, template: &[&str], edit: &FieldEdit) -> FixedField {
    let path = absolute(template, &edit.field);
    let place = fault_at(manifest, "", String::new(), path.clone()).place;
    FixedField {
        check: edit.check.id,
        field: FieldPath(path).to_string(),
        value: match edit.operation {
            Operation::Set(Setting::Bool(value)) => value.to_string(),
            Operation::Set(Setting::Text(value)) => value.to_owned(),
            Operation::Append(item) => format!("+{item}"),
        },
        place,
        caution: edit.caution,
    }
}

fn of(operation: Operation) -> Edit {
    match operation {
        Operation::Set(Setting::Bool(value)) => Edit::Set(Leaf::Bool(value)),
        Operation::Set(Setting::Text(value)) => Edit::Set(Leaf::Text(value.to_owned())),
        Operation::Append(item) => Edit::Append(vec![Leaf::Text(item.to_owned())]),
    }
}

fn absolute(template: &[&str], field: &str) -> Vec<Segment> {
    let mut path: Vec<Segment> = template.iter().map(|key| Segment::from(*key)).collect();
    path.extend(FieldPath::parse(field).0);
    path
}

/// A fault at the deepest part of a path that the file has.
fn fault_at(manifest: &Manifest, check: &str, text: String, path: Vec<Segment>) -> Fault {
    let (_, location) = manifest.document.nearest(&path);
    Fault {
        check: check.to_owned(),
        text,
        field: FieldPath(path).to_string(),
        place: Place::at(manifest, location.position()),
    }
}
