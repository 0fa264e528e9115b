//! An audit of a live cluster: every pod as it is stored, and every pod template through the whole
//! chain, because what a webhook or a `PodSecurityPolicy` filled into the pods that run is gone at
//! their next restart.
//!
//! It is read only, and nothing else than lists and gets leaves the process. Lists come in pages that
//! stream into the judge, so memory does not grow with the cluster. What could not be read is counted.

mod pages;
mod templates;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use podgate_admission::decode::decode_untyped;
use podgate_admission::value::Value;
use podgate_policy::Minor;

use super::chunk::{Chunk, Records};
use super::judge::{Detail, Judge};
use super::known::Known;
use super::namespaces::Namespaces;
use super::report::{Report, Unread};
use super::run::{Today, Watch, drive};
use crate::backend::context::Reader;
use crate::check::{Policy, Prepared, Target};
use crate::error::Error;
use crate::suite::{Manifest, Requester};
use crate::template::Template;
use pages::{Broken, Lists, Page};
use templates::Ground;

/// A cluster that answers.
pub struct Live {
    name: String,
    reader: Reader,
}

/// What is to be audited, and against what.
#[derive(Clone, Debug)]
pub struct Options {
    /// The labels that flags put on every namespace.
    pub policy: Policy,
    /// The server of today; `None`: what the labels of the namespaces say on the version that runs.
    pub from: Option<Target>,
    /// The server that judges.
    pub to: Target,
    /// Who creates what is asked about; `None`: whom the cluster says.
    pub requester: Option<Requester>,
    /// What is wanted of each object.
    pub detail: Detail,
    /// Violations that are known already.
    pub known: Known,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub templates: Vec<Arc<Template>>,
}

/// How many pages may wait for the judge.
const WAITING: usize = 2;

/// A namespace: its name, its labels, and the object itself.
type Labelled = (String, BTreeMap<String, String>, Manifest);

impl Live {
    /// Reaches the cluster of the context `name`, and asks for its version. No other context is looked
    /// at, the current one neither.
    pub fn open(name: &str, kubeconfig: Option<&Path>) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            reader: Reader::open(kubeconfig, name)?,
        })
    }

    /// The minor that runs there.
    #[must_use]
    pub const fn minor(&self) -> Minor {
        self.reader.minor
    }

    /// What the server calls its version: `v1.36.2`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.reader.version
    }

    /// Audits the cluster.
    pub fn audit(&self, options: &Options, watch: &dyn Watch) -> Result<Report, Error> {
        let requester = options.requester.as_ref();
        let mut judge = Judge::new(&options.to, options.policy, requester, options.detail)?
            .known(options.known.clone());
        let today = Today {
            from: options.from.as_ref(),
            here: self.minor(),
        };
        let today = today.target(&options.to, options.policy, options.detail);
        if let Some(today) = &today {
            judge = judge.today(today, requester, options.from.is_some())?;
        }
        let mut lists = Lists::new(&self.reader.client);
        let namespaces = self.namespaces(&mut lists)?;
        let mut demands = Namespaces::default();
        for (name, labels, _) in &namespaces {
            judge.namespace(&mut demands, name, labels);
        }
        let (mut report, demands) = self.pods(&mut lists, &judge, demands, watch)?;
        report.counts.namespaces = namespaces.len();

        let manifests = namespaces.into_iter().map(|(_, _, manifest)| manifest);
        let mut context: Vec<Manifest> = manifests.collect();
        self.context(&mut lists, &mut context, &mut report);
        let to = Prepared::new(&options.to, options.policy, requester, &context)?;
        let today =
            today.map(|today| Prepared::new(&today, Policy::default(), requester, &context));
        let namespaces = context.iter().map(|object| match object.kind() {
            "Namespace" => object.name.clone(),
            _ => object.document.namespace().unwrap_or_default().to_owned(),
        });
        let ground = Ground {
            judge: &judge,
            demands: &demands,
            to,
            today: today.transpose()?,
            namespaces: namespaces.collect(),
        };
        self.templates(&mut lists, &ground, options, &mut report, watch)?;
        judge.finish(&mut report, &demands);
        report.notes.append(&mut lists.notes);
        Ok(report)
    }

    /// Every namespace with its labels. Without them nobody knows what is enforced, so that is an
    /// error.
    fn namespaces(&self, lists: &mut Lists<'_>) -> Result<Vec<Labelled>, Error> {
        let mut all = Vec::new();
        self.list(lists, "/api/v1/namespaces", |page| {
            for bytes in page.objects() {
                let Ok(object) = decode_untyped(bytes) else {
                    continue;
                };
                let labels = object.at(&["metadata", "labels"]);
                let labels = labels.and_then(Value::as_object).into_iter();
                let labels = labels
                    .flat_map(podgate_admission::value::Object::iter)
                    .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())));
                let labels = labels.collect();
                let name = object.text_at(&["metadata", "name"]).to_owned();
                if let Some(manifest) = templates::manifest(bytes, "v1", "Namespace", 1) {
                    all.push((name, labels, manifest));
                }
            }
            true
        })
        .map_err(|broken| self.unknown("/api/v1/namespaces", &broken))?;
        Ok(all)
    }

    /// Streams the pods into the judge.
    fn pods(
        &self,
        lists: &mut Lists<'_>,
        judge: &Judge,
        namespaces: Namespaces,
        watch: &dyn Watch,
    ) -> Result<(Report, Arc<Namespaces>), Error> {
        const PODS: &str = "/api/v1/pods";
        let (sender, receiver) = mpsc::sync_channel::<Chunk>(WAITING);
        let read = AtomicU64::new(0);
        let (report, listed) = thread::scope(|scope| {
            let count = &read;
            let worker = scope.spawn(move || {
                self.list(lists, PODS, |page| {
                    let length = u64::try_from(page.bytes.len()).unwrap_or_default();
                    count.fetch_add(length, Ordering::Relaxed);
                    // Nobody takes it where the output has ended.
                    sender.send(chunk(PODS, page)).is_ok()
                })
            });
            let source = Box::new(move |_| receiver.recv().ok());
            let report = drive(judge, Arc::new(namespaces), source, &read, watch);
            let listed = match worker.join() {
                Ok(ended) => ended,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            (report, listed)
        });
        let (mut report, namespaces) = report?;
        match listed {
            Ok(()) => {}
            Err(broken) if matches!(broken.code, 401 | 403) => {
                return Err(self.unknown(PODS, &broken));
            }
            Err(broken) => unread(&mut report, PODS, &broken),
        }
        Ok((report, namespaces))
    }

    fn list(
        &self,
        lists: &mut Lists<'_>,
        path: &str,
        take: impl FnMut(Page) -> bool,
    ) -> Result<(), Broken> {
        self.reader.runtime.block_on(lists.each(path, take))
    }

    /// The error for what has to be known before anything is judged.
    fn unknown(&self, path: &str, broken: &Broken) -> Error {
        let name = &self.name;
        let error = Error::environment(format!(
            "the cluster of context `{name}` does not list {path}: {}",
            broken.why
        ));
        match broken.code {
            401 | 403 => error.hint(
                "an audit needs a ClusterRole that may get and list namespaces, pods, service accounts, workloads, \
                 runtime classes and priority classes, and nothing else",
            ),
            _ => error,
        }
    }
}

/// Counts a list that was not read to its end.
fn unread(report: &mut Report, path: &str, broken: &Broken) {
    report.unread(Unread {
        error: broken.why.clone(),
        file: path.to_owned(),
        line: 1,
    });
    report.counts.unread += broken.missing.saturating_sub(1);
}

/// A page of pods as the judge takes them. An object's line is its place in the list.
fn chunk(path: &str, page: Page) -> Chunk {
    let first = page.before + 1;
    let records = page.items.into_iter().enumerate();
    Chunk {
        file: path.into(),
        bytes: page.bytes,
        records: Records::At(records.map(|(at, range)| (range, first + at)).collect()),
        line: first,
        before: page.before,
        pods: true,
        unread: None,
    }
}
