//! Verdicts on manifests, ad hoc: what `podgate check` asks. Made for bulk, so it calls the
//! admission chain directly; a test runs the same requests through the embedded server as well and
//! demands equal answers.

mod context;
pub mod diff;
mod finding;
mod judge;
mod trial;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

pub use context::{Policy, Target};
pub use finding::{AnswerLine, Finding, PodFinding};
use podgate_admission::resource;
use podgate_manifest::{Document, Input, Source, WalkOptions, read_documents};
use podgate_policy::Minor;
pub use trial::{PolicyError, Says, Trial, TriedPolicy, UsableBy};

use crate::error::Error;
use crate::suite::{Manifest, Requester};
use crate::template::{self, Template};
use context::Context;

/// What is to be checked, and against what.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files, folders, and `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Whether folders below a folder count.
    pub recursive: bool,
    /// What charts and kustomizations were rendered to; it comes behind the files.
    pub rendered: Vec<Source>,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub templates: Vec<Arc<Template>>,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The labels that flags put on every namespace.
    pub policy: Policy,
    /// Who applies; `None`: whom the cluster says.
    pub requester: Option<Requester>,
    /// Whether findings hold the stored object.
    pub show_object: bool,
    /// Whether findings say where in the files the fields at fault stand.
    pub locate: bool,
    /// The servers that judge.
    pub targets: Vec<Target>,
}

/// What became of one document of the input.
#[derive(Debug)]
pub enum Item<T = Vec<Finding>> {
    /// It was judged; of a check there is one finding for each target. Where a server could not read
    /// it, the error says where in the file.
    Judged(T, Option<Error>),
    /// It is context for others: a namespace, a service account, RBAC ...
    Context(Place),
    /// Its kind is not one that pod admission judges, or it is no object at all.
    NotJudged(Place),
    /// It cannot be read.
    Unreadable(Error, Place),
}

/// A place in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `Kind/name`; empty where it is no object.
    pub object: String,
    /// The file as the user named it.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// The file that it was rendered from, where that is known: the line is none of that file's.
    pub source: Option<String>,
    /// The pod template that an object seems to have that is not judged: GROUP/KIND=PATH.
    pub template: Option<String>,
}

impl Place {
    pub(crate) fn of(document: &Document, object: String) -> Self {
        Self {
            object,
            file: document.file().to_owned(),
            line: document.start().line,
            source: document.source_file(),
            template: None,
        }
    }
}

/// Checks everything that `options` names, and returns what became of each document, in order.
pub fn check(options: &Options) -> Result<Vec<Item>, Error> {
    each(options, &|contexts, manifest| {
        let mut unreadable = None;
        let mut findings = Vec::with_capacity(contexts.len());
        for context in contexts {
            let mut judged =
                judge::judge(context, manifest, &options.namespace, options.show_object);
            if options.locate {
                judged.finding.locate(manifest);
            }
            unreadable = unreadable.or(judged.unreadable);
            findings.push(judged.finding);
        }
        (findings, unreadable)
    })
}

/// What is asked of each object: of the prepared servers, in order of the targets. It says what came
/// of it, and what is wrong with its text where a server cannot read it.
type Ask<'a, T> = dyn Fn(&[Context], &Manifest) -> (T, Option<Error>) + Sync + 'a;

/// Asks about every object that `options` names, and returns what became of each document, in order.
fn each<T: Send>(options: &Options, ask: &Ask<'_, T>) -> Result<Vec<Item<T>>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    for input in podgate_manifest::walk(
        &options.files,
        WalkOptions {
            recursive: options.recursive,
            ..WalkOptions::default()
        },
    ) {
        match input {
            Ok(input) => read(&input, &options.templates, &mut entries),
            Err(error) => entries.push(unreadable(error)),
        }
    }
    for source in &options.rendered {
        let file = File {
            name: source.name(),
            named: true,
            templates: &options.templates,
        };
        take(file, read_documents(source), &mut entries);
    }
    let judged: Vec<&Manifest> = entries.iter().filter_map(Entry::judged).collect();
    let context: Vec<Manifest> = entries.iter().filter_map(Entry::context).cloned().collect();
    let contexts = contexts(options, &judged, &context)?;
    let mut answers = ask_all(&contexts, &judged, ask).into_iter();

    let mut items = Vec::with_capacity(entries.len());
    for entry in entries {
        items.push(match entry {
            Entry::NotJudged(place) => Item::NotJudged(place),
            Entry::Unreadable(error, place) => Item::Unreadable(error, place),
            Entry::Context(manifest) => {
                Item::Context(Place::of(&manifest.document, manifest.reference()))
            }
            Entry::Judged(_) => {
                let Some((answer, unreadable)) = answers.next() else {
                    break;
                };
                Item::Judged(answer, unreadable)
            }
        });
    }
    Ok(items)
}

/// The servers that judge, with what the input says of their namespaces.
fn contexts(
    options: &Options,
    judged: &[&Manifest],
    context: &[Manifest],
) -> Result<Vec<Context>, Error> {
    if options.policy.is_empty()
        && options.targets.iter().all(|t| t.cluster.is_none())
        && !has_policy(context)
    {
        return Err(Error::input("there is no policy to judge by, so everything would be admitted").hint(
            "name a cluster (--cluster psa-restricted) or a level (--enforce restricted), or check a Namespace with \
             pod-security labels along",
        ));
    }
    let mut namespaces: BTreeSet<String> = BTreeSet::from([options.namespace.clone()]);
    namespaces.extend(
        judged
            .iter()
            .copied()
            .chain(context)
            .filter_map(|m| m.document.namespace())
            .map(str::to_owned),
    );
    namespaces.extend(
        context
            .iter()
            .filter(|m| m.kind() == "Namespace")
            .map(|m| m.name.clone()),
    );

    options
        .targets
        .iter()
        .map(|target| {
            let requester = options.requester.as_ref();
            Context::new(
                target,
                options.policy,
                requester,
                context,
                &namespaces,
                &options.namespace,
            )
        })
        .collect()
}

/// The servers of a check, for one object after the other.
pub(crate) struct Judges {
    contexts: Vec<Context>,
    namespace: String,
}

impl Judges {
    /// The servers that judge `judged`, where `context` stands beside it.
    pub(crate) fn new(
        options: &Options,
        judged: &[&Manifest],
        context: &[Manifest],
    ) -> Result<Self, Error> {
        Ok(Self {
            contexts: contexts(options, judged, context)?,
            namespace: options.namespace.clone(),
        })
    }

    /// The verdict of each server on an object, and what is wrong with its text where one cannot
    /// read it.
    pub(crate) fn judge(&self, manifest: &Manifest) -> (Vec<Finding>, Option<Error>) {
        let mut unreadable = None;
        let mut findings = Vec::with_capacity(self.contexts.len());
        for context in &self.contexts {
            let judged = judge::judge(context, manifest, &self.namespace, false);
            unreadable = unreadable.or(judged.unreadable);
            findings.push(judged.finding);
        }
        (findings, unreadable)
    }
}

/// Judges objects that are read already by the whole chain of the first target, on one core, each as
/// created by the requester next to it. `audit` asks it for the templates of a stretch of a dump.
pub(crate) fn judge_read<'j>(
    options: &Options,
    context: &[Manifest],
    judged: impl Iterator<Item = &'j (Manifest, Option<Requester>)> + Clone,
) -> Result<Vec<Finding>, Error> {
    let all = judged.clone().map(|(manifest, _)| manifest).chain(context);
    let mut namespaces: BTreeSet<String> = BTreeSet::from([options.namespace.clone()]);
    namespaces.extend(
        all.filter_map(|manifest| manifest.document.namespace())
            .map(str::to_owned),
    );
    let Some(target) = options.targets.first() else {
        return Ok(Vec::new());
    };
    let mut server = Context::new(
        target,
        options.policy,
        options.requester.as_ref(),
        context,
        &namespaces,
        &options.namespace,
    )?;
    let mut findings = Vec::new();
    for (manifest, requester) in judged {
        let usual = requester
            .as_ref()
            .map(|requester| server.asked_by(requester));
        let mut finding =
            judge::judge(&server, manifest, &options.namespace, options.show_object).finding;
        if let Some(usual) = usual {
            server.asks_again(usual);
        }
        if options.locate && !finding.ok {
            finding.locate(manifest);
        }
        findings.push(finding);
    }
    Ok(findings)
}

/// A document of the input before anything is judged.
pub(crate) enum Entry {
    Judged(Manifest),
    Context(Manifest),
    NotJudged(Place),
    Unreadable(Error, Place),
}

impl Entry {
    pub(crate) fn judged(&self) -> Option<&Manifest> {
        match self {
            Self::Judged(manifest) => Some(manifest),
            _ => None,
        }
    }

    pub(crate) fn context(&self) -> Option<&Manifest> {
        match self {
            Self::Context(manifest) => Some(manifest),
            _ => None,
        }
    }
}

fn read(input: &Input, templates: &[Arc<Template>], entries: &mut Vec<Entry>) {
    let name = match input {
        Input::Stdin => Source::STDIN.to_owned(),
        Input::Named(path) | Input::Found(path) => path.display().to_string(),
    };
    let file = File {
        name: &name,
        named: input.is_named(),
        templates,
    };
    match input.documents() {
        Ok(documents) => take(file, documents, entries),
        Err(error) => entries.push(unreadable(error)),
    }
}

/// A file whose documents are taken for what they are.
#[derive(Clone, Copy)]
pub(crate) struct File<'f> {
    /// Its name.
    pub(crate) name: &'f str,
    /// Whether it was named itself: then it must hold objects.
    pub(crate) named: bool,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub(crate) templates: &'f [Arc<Template>],
}

/// Takes the documents of a file for what they are.
pub(crate) fn take(
    file: File<'_>,
    documents: impl Iterator<Item = Result<Document, podgate_manifest::Error>>,
    entries: &mut Vec<Entry>,
) {
    let before = entries.len();
    for document in documents {
        match document {
            Ok(document) => split(document, file, entries),
            Err(error) => entries.push(unreadable(error)),
        }
    }
    if entries.len() == before {
        entries.push(if file.named {
            let hint = "the file is empty, or holds only comments".to_owned();
            unreadable(podgate_manifest::Error::of_file(
                file.name,
                "there is no object in it",
                Some(hint),
            ))
        } else {
            let object = String::new();
            Entry::NotJudged(Place {
                object,
                file: file.name.to_owned(),
                line: 1,
                source: None,
                template: None,
            })
        });
    }
}

fn split(document: Document, file: File<'_>, entries: &mut Vec<Entry>) {
    let named = file.named;
    if document.kind().is_none() && document.api_version().is_none() && !document.is_list() {
        let place = Place::of(&document, String::new());
        return entries.push(if named {
            let error = document.error_at(
                &[],
                true,
                "this is no Kubernetes object: it has neither apiVersion nor kind",
                Some(
                    "in a folder such a file is skipped with a notice; named, it is an error"
                        .to_owned(),
                ),
            );
            Entry::Unreadable(error.into(), place)
        } else {
            Entry::NotJudged(place)
        });
    }
    for document in document.flatten() {
        let document = document.and_then(|document| match document.kind() {
            // kubectl refuses to send it. In a folder it is a notice (a `Chart.yaml` has an apiVersion
            // and no kind).
            None if named => document.check_object().map(|()| document),
            _ => Ok(document),
        });
        match document {
            Err(error) => entries.push(unreadable(error)),
            Ok(document) => {
                let manifest = Manifest::new(document);
                let (version, kind) = (manifest.api_version(), manifest.kind());
                if let Some(template) = template::find(file.templates, version, kind) {
                    let judged = manifest.with_template(template);
                    entries.push(judged.map_or_else(unreadable, Entry::Judged));
                    continue;
                }
                entries.push(match role(&manifest) {
                    Role::Judged => Entry::Judged(manifest),
                    Role::Context => Entry::Context(manifest),
                    Role::Other => {
                        let object = match manifest.kind() {
                            "" => String::new(),
                            _ => manifest.reference(),
                        };
                        let place = Place::of(&manifest.document, object);
                        let template = template::likely(version, kind, &manifest.body);
                        Entry::NotJudged(Place { template, ..place })
                    }
                });
            }
        }
    }
}

pub(crate) fn unreadable(error: podgate_manifest::Error) -> Entry {
    let line = error.position().map_or(1, |position| position.line);
    let place = Place {
        object: String::new(),
        file: error.file().to_owned(),
        line,
        source: None,
        template: None,
    };
    Entry::Unreadable(error.into(), place)
}

enum Role {
    Judged,
    Context,
    Other,
}

/// Kinds that decide about judged objects.
const CONTEXT: [&str; 10] = [
    "Namespace",
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "RuntimeClass",
    "PriorityClass",
    "PodSecurityPolicy",
    "Secret",
];

/// Groups whose kinds are Kubernetes' own: one of theirs in a version that no server has is refused
/// there, and must not be passed over here. (`extensions` held workloads before 1.16.)
const OWN_GROUPS: [&str; 4] = ["", "apps", "batch", "extensions"];

fn role(manifest: &Manifest) -> Role {
    let (version, kind) = (manifest.api_version(), manifest.kind());
    let known = Minor::all()
        .rev()
        .find_map(|minor| resource::by_kind(version, kind, minor));
    match known {
        Some(resource) if resource.template.is_some() => Role::Judged,
        Some(resource) if CONTEXT.contains(&resource.kind) => Role::Context,
        _ if crate::foreign::decides(kind) => Role::Context,
        None if is_workload(version, kind) => Role::Judged,
        _ => Role::Other,
    }
}

/// Whether objects of that kind are judged: pods, and workloads that make some.
pub(crate) fn is_judged(api_version: &str, kind: &str) -> bool {
    let known = |minor| resource::by_kind(api_version, kind, minor);
    let known = Minor::all().rev().find_map(known);
    known.map_or_else(
        || is_workload(api_version, kind),
        |resource| resource.template.is_some(),
    )
}

/// Whether that is meant to be a workload, though no server knows it under that version or in that
/// spelling.
fn is_workload(api_version: &str, kind: &str) -> bool {
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    OWN_GROUPS.contains(&group)
        && resource::RESOURCES
            .iter()
            .any(|r| r.template.is_some() && r.kind.eq_ignore_ascii_case(kind))
}

/// Whether the input itself says what pods may do.
fn has_policy(context: &[Manifest]) -> bool {
    context.iter().any(|manifest| match manifest.kind() {
        "Namespace" => manifest.body.contains("\"pod-security.kubernetes.io/"),
        kind => kind == "PodSecurityPolicy",
    })
}

/// A server that is asked about objects as they come.
#[derive(Debug)]
pub(crate) struct Prepared(Context);

impl Prepared {
    /// A server for `target` with the objects of `context`, and the namespaces that they are in.
    pub(crate) fn new(
        target: &Target,
        policy: Policy,
        requester: Option<&Requester>,
        context: &[Manifest],
    ) -> Result<Self, Error> {
        let made = context.iter().filter(|m| m.kind() == "Namespace");
        let made = made.map(|manifest| manifest.name.clone());
        // One that came after the namespaces were listed is there all the same.
        let named = context.iter().filter_map(|m| m.document.namespace());
        let namespaces = made.chain(named.map(str::to_owned)).collect();
        let default = "default";
        Context::new(target, policy, requester, context, &namespaces, default).map(Self)
    }

    /// What it says of each object, and for which fields it refuses one.
    pub(crate) fn judge(&self, manifests: &[Manifest]) -> Vec<Finding> {
        let all: Vec<&Manifest> = manifests.iter().collect();
        let answers = ask_all(
            std::slice::from_ref(&self.0),
            &all,
            &|contexts, manifest| {
                let [context] = contexts else {
                    unreachable!("there is one target")
                };
                let mut finding = judge::judge(context, manifest, "default", false).finding;
                if !finding.ok {
                    finding.locate(manifest);
                }
                (finding, None)
            },
        );
        answers.into_iter().map(|(finding, _)| finding).collect()
    }
}

/// Asks about every object, on all cores, in order of the objects.
fn ask_all<T: Send>(
    contexts: &[Context],
    judged: &[&Manifest],
    ask: &Ask<'_, T>,
) -> Vec<(T, Option<Error>)> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if cores == 1 || judged.len() * contexts.len() < 64 {
        return judged
            .iter()
            .map(|manifest| ask(contexts, manifest))
            .collect();
    }
    thread::scope(|scope| {
        let share = judged.len().div_ceil(cores).max(1);
        let workers: Vec<_> = judged
            .chunks(share)
            .map(|part| {
                // A server of its own for each core: the shared one would be asked one at a time.
                let contexts: Vec<Context> = contexts.iter().map(Context::fork).collect();
                scope.spawn(move || part.iter().map(|m| ask(&contexts, m)).collect::<Vec<_>>())
            })
            .collect();
        let joined = workers.into_iter().map(|worker| match worker.join() {
            Ok(answers) => answers,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    })
}
