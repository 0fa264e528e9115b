//! The pod templates of a live cluster, and what the whole chain says of their pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use podgate_admission::resource;
use podgate_manifest::{Source, read_documents};

use serde_json::Value;

use super::super::judge::{Detail, Judge};
use super::super::line;
use super::super::namespaces::Namespaces;
use super::super::report::{Report, Unread};
use super::super::run::Watch;
use super::super::tally::Judged;
use super::pages::{Lists, Page, document};
use super::{Live, Options, unread};
use crate::check::Prepared;
use crate::error::Error;
use crate::suite::Manifest;
use crate::template::{self, Template};

/// What pods may need besides their namespace: the kinds that a role can let be listed without a
/// secret among them.
const CONTEXT: [(&str, &str, &str); 3] = [
    ("/api/v1/serviceaccounts", "v1", "ServiceAccount"),
    (
        "/apis/node.k8s.io/v1/runtimeclasses",
        "node.k8s.io/v1",
        "RuntimeClass",
    ),
    (
        "/apis/scheduling.k8s.io/v1/priorityclasses",
        "scheduling.k8s.io/v1",
        "PriorityClass",
    ),
];

/// The workloads of Kubernetes, those that own others first.
const WORKLOADS: [(&str, &str); 7] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "CronJob"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("batch/v1", "Job"),
];

impl Live {
    /// Lists what pods may need. What may not be listed is missing for the chain, and told.
    pub(super) fn context(
        &self,
        lists: &mut Lists<'_>,
        context: &mut Vec<Manifest>,
        report: &mut Report,
    ) {
        for (path, api_version, kind) in CONTEXT {
            let listed = self.list(lists, path, |page| {
                let objects = page.objects();
                let manifests = objects.filter_map(|bytes| manifest(bytes, api_version, kind, 1));
                // The classes of the system every server has, and refuses to make.
                let own =
                    |it: &Manifest| kind != "PriorityClass" || !it.name.starts_with("system-");
                context.extend(manifests.filter(own));
                true
            });
            if let Err(broken) = listed
                && broken.code != 404
            {
                unread(report, path, &broken);
            }
        }
    }

    /// Judges the pods of every template.
    pub(super) fn templates(
        &self,
        lists: &mut Lists<'_>,
        ground: &Ground<'_>,
        options: &Options,
        report: &mut Report,
        watch: &dyn Watch,
    ) -> Result<(), Error> {
        let mut sink = Sink {
            ground,
            options,
            report,
            watch,
            error: None,
        };
        for (api_version, kind) in WORKLOADS {
            // Before 1.21 there was only the beta; what is stored is the same.
            let here = match kind {
                "CronJob" if resource::by_kind(api_version, kind, self.minor()).is_none() => {
                    "batch/v1beta1"
                }
                _ => api_version,
            };
            let Some(resource) = resource::by_kind(here, kind, self.minor()) else {
                continue;
            };
            let path = match resource.group {
                "" => format!("/api/v1/{}", resource.name),
                group => format!("/apis/{group}/{}/{}", resource.version, resource.name),
            };
            let listed = self.list(lists, &path, |page| {
                let objects = page.objects().zip(page.before + 1..);
                let manifests = objects.filter_map(|(bytes, number)| {
                    let object = serde_json::from_slice(bytes).ok()?;
                    if is_owned(&object, &options.templates) || is_finished(&object) {
                        return None;
                    }
                    let there = resource::by_kind(api_version, kind, options.to.minor);
                    let version = there.map_or(here, |_| api_version);
                    Some((manifest(bytes, version, kind, 1)?, number))
                });
                sink.judge(&path, &manifests.collect::<Vec<_>>())
            });
            if let Err(broken) = listed {
                unread(sink.report, &path, &broken);
            }
            if let Some(error) = sink.error.take() {
                return Err(error);
            }
        }
        for template in &options.templates {
            let (path, version) = match self.path(template) {
                Ok(found) => found,
                Err(why) => {
                    sink.report.unread(Unread {
                        error: why,
                        file: format!("{}/{}", template.group, template.kind),
                        line: 1,
                    });
                    continue;
                }
            };
            let listed = self.list(lists, &path, |page| {
                sink.custom(&path, &version, &page, template)
            });
            if let Err(broken) = listed {
                unread(sink.report, &path, &broken);
            }
            if let Some(error) = sink.error.take() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// The path of the list of a kind that is not Kubernetes' own, and the version, which is the one that
    /// the cluster prefers.
    fn path(&self, template: &Template) -> Result<(String, String), String> {
        let Template { group, kind, .. } = template;
        let client = &self.reader.client;
        let found = self.reader.runtime.block_on(async {
            let versions = document(client, &format!("/apis/{group}")).await?;
            let preferred = versions["preferredVersion"]["groupVersion"].as_str();
            let preferred = preferred.ok_or("it has no version")?.to_owned();
            let resources = document(client, &format!("/apis/{preferred}")).await?;
            let resources = resources["resources"].as_array().into_iter().flatten();
            let names = resources.filter(|resource| resource["kind"] == kind.as_str());
            let mut names = names.filter_map(|resource| resource["name"].as_str());
            let name = names.find(|name| !name.contains('/'));
            let name = name.ok_or("it has no such kind")?;
            Ok::<_, String>((format!("/apis/{preferred}/{name}"), preferred))
        });
        found.map_err(|why| format!("the cluster does not tell of {kind} in {group}: {why}"))
    }
}

/// What templates are judged on.
pub(super) struct Ground<'g> {
    /// Who counts what came of them.
    pub(super) judge: &'g Judge,
    /// What namespaces demand.
    pub(super) demands: &'g Namespaces,
    /// The server.
    pub(super) to: Prepared,
    /// The server of today.
    pub(super) today: Option<Prepared>,
    /// Its namespaces.
    pub(super) namespaces: BTreeSet<String>,
}

/// Where what came of templates goes.
struct Sink<'s> {
    ground: &'s Ground<'s>,
    options: &'s Options,
    report: &'s mut Report,
    watch: &'s dyn Watch,
    error: Option<Error>,
}

/// An object that is judged, and its place in the list.
type Asked = (Manifest, usize);

impl Sink<'_> {
    /// Judges objects of a kind that is not Kubernetes' own: a pod of the template of each.
    fn custom(&mut self, path: &str, version: &str, page: &Page, template: &Arc<Template>) -> bool {
        let mut asked = Vec::new();
        for (bytes, number) in page.objects().zip(page.before + 1..) {
            let Some(object) = manifest(bytes, version, &template.kind, number) else {
                continue;
            };
            let name = object.reference();
            match object.with_template(template) {
                Ok(object) => asked.push((object, number)),
                Err(error) => self.report.unread(Unread {
                    error: format!("{name}: {}", error.message()),
                    file: path.to_owned(),
                    line: number,
                }),
            }
        }
        self.judge(path, &asked)
    }

    /// Judges objects, and takes down what came of it; whether anybody wants more.
    fn judge(&mut self, path: &str, asked: &[Asked]) -> bool {
        let place = |manifest: &Manifest| match manifest.document.namespace() {
            Some(namespace) => namespace.to_owned(),
            None => "default".to_owned(),
        };
        let (asked, late): (Vec<&Asked>, Vec<&Asked>) = asked
            .iter()
            .partition(|(manifest, ..)| self.ground.namespaces.contains(&place(manifest)));
        for (manifest, number) in late {
            self.report.unread(Unread {
                error: format!("namespace {} came while the audit ran", place(manifest)),
                file: path.to_owned(),
                line: *number,
            });
        }
        let manifests: Vec<Manifest> = asked.iter().map(|(it, ..)| it.clone()).collect();
        let Ground { judge, to, .. } = self.ground;
        let today = self.ground.today.as_ref();
        let today = today.map(|today| today.judge(&manifests));
        let mut lines = Vec::new();
        for (at, (mut finding, (manifest, number))) in
            to.judge(&manifests).into_iter().zip(asked).enumerate()
        {
            path.clone_into(&mut finding.file);
            finding.line = *number;
            let today = today.as_ref().and_then(|today| today[at].is_rejected());
            if self.options.detail == Detail::Lines {
                // A line that cannot be written in memory there is not.
                let _ = serde_json::to_writer(&mut lines, &finding);
                line::changed(&mut lines, judge.change(today, finding.is_rejected()));
                lines.push(b'\n');
            }
            let judged = Judged {
                finding: &finding,
                manifest,
                today,
            };
            judge.count_template(&judged, self.ground.demands, self.report);
        }
        if lines.is_empty() {
            return true;
        }
        match self.watch.lines(&lines) {
            Ok(more) => more,
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }
}

/// Whether the template of an object is that of its owner, which is judged itself.
fn is_owned(object: &Value, templates: &[Arc<Template>]) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        let kind = owner["kind"].as_str().unwrap_or_default();
        let version = owner["apiVersion"].as_str().unwrap_or_default();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = matches!((group, kind), ("apps", "Deployment") | ("batch", "CronJob"));
        let custom = template::find(templates, version, kind).is_some();
        owner["controller"] == true && (known || custom)
    })
}

/// Whether a job has ended: it makes no more pods.
fn is_finished(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        let kind = condition["type"].as_str().unwrap_or_default();
        matches!(kind, "Complete" | "Failed") && condition["status"] == "True"
    })
}

/// An object of a list, which says neither its version nor its kind, as a manifest.
pub(super) fn manifest(
    bytes: &[u8],
    api_version: &str,
    kind: &str,
    line: usize,
) -> Option<Manifest> {
    let mut object: Value = serde_json::from_slice(bytes).ok()?;
    let fields = object.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.insert("kind".to_owned(), kind.into());
    let source = Source::new(format!("{kind} {line}"), object.to_string());
    let document = read_documents(&source).next()?.ok()?;
    Some(Manifest::new(document))
}
