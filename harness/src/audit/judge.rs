//! Judges the records of a chunk: pods as stored by a server's Pod Security, from the view of the scan;
//! templates, and pods where the plugin `PodSecurityPolicy` decides, by the whole chain.
//!
//! Where there is a configuration of today, each is judged by that as well, so that it is known what is
//! new.

use std::collections::BTreeMap;
use std::sync::Arc;

use podgate_admission::decode::{decode, decode_untyped};
use podgate_admission::plugins::pod_security;
use podgate_admission::scan::{Scanned, Scanner, Spare};
use podgate_admission::schema::roots;
use podgate_admission::value::Value;
use podgate_admission::versions;
use podgate_policy::text;

use super::chain::{self, Waiting};
use super::chunk::Chunk;
use super::configuration::{Configuration, Demand, Judgement};
use super::known::Known;
use super::line::{self, Common, Line, Place};
use super::namespaces::Namespaces;
use super::report::{Report, Unread};
use super::tally::{Judged, owner};
use super::today::Today;
use crate::check::{self, Finding, Policy, Target};
use crate::error::Error;
use crate::shard::Shard;
use crate::suite::Requester;
use crate::template::{self, Template};

/// What is wanted of each pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A line for each, as `podgate check -o jsonl` has it.
    Lines,
    /// A report by namespace and owner.
    Groups,
}

/// A server whose Pod Security judges pods.
#[derive(Debug)]
pub struct Judge {
    pub(super) to: Configuration,
    pub(super) today: Option<Today>,
    scanner: Scanner,
    common: Common,
    pub(super) detail: Detail,
    shard: Option<Shard>,
    pub(super) known: Known,
    templates: Vec<Arc<Template>>,
}

/// What came of a chunk.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The lines, where they were wanted.
    pub lines: Vec<u8>,
    /// What was found.
    pub report: Report,
}

/// A chunk while it is judged.
pub(super) struct Work<'c> {
    pub(super) chunk: &'c Chunk,
    pub(super) namespaces: &'c Namespaces,
    /// What the whole chain says today of pods, by their number, where it is asked.
    pub(super) today: BTreeMap<usize, Option<bool>>,
    part: Part,
    waiting: Vec<Waiting>,
}

/// A record of a chunk.
#[derive(Clone, Copy)]
pub(super) struct Record<'c> {
    pub(super) bytes: &'c [u8],
    pub(super) line: usize,
    pub(super) number: usize,
}

impl Judge {
    /// The judge for the server of `target`, with the labels of `flags` on every namespace.
    pub fn new(
        target: &Target,
        flags: Policy,
        requester: Option<&Requester>,
        detail: Detail,
    ) -> Result<Self, Error> {
        let to = Configuration::new(target, flags, requester, detail == Detail::Groups)?;
        let cluster = target.cluster.as_ref();
        let cluster = cluster.map(|cluster| cluster.name.as_str());
        Ok(Self {
            scanner: Scanner::new(target.minor),
            common: Common::new(cluster, target.minor, to.requester()),
            to,
            today: None,
            detail,
            shard: None,
            known: Known::default(),
            templates: Vec::new(),
        })
    }

    /// The same for pods that name no namespace and are in `namespace`.
    #[must_use]
    pub fn default_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.to.chain.namespace);
        self
    }

    /// The same for one part of the records of each file only.
    #[must_use]
    pub fn shard(mut self, shard: Option<Shard>) -> Self {
        self.shard = shard;
        self
    }

    /// The same with violations that are known already.
    #[must_use]
    pub fn known(mut self, known: Known) -> Self {
        self.known = known;
        self
    }

    /// The same with pod templates of other kinds than Kubernetes' own.
    #[must_use]
    pub fn templates(mut self, templates: Vec<Arc<Template>>) -> Self {
        self.templates = templates;
        self
    }

    /// Whether the labels of namespaces can change what is told.
    #[must_use]
    pub fn reads_labels(&self) -> bool {
        let today = self.today.as_ref();
        self.to.reads_labels() || today.is_some_and(|today| today.configuration.reads_labels())
    }

    /// Whether pods of a namespace are to be remembered that were judged before its labels were read.
    fn remembers(&self) -> bool {
        self.detail == Detail::Groups || self.reads_labels()
    }

    /// Judges the records of a chunk.
    #[must_use]
    pub fn judge(&self, chunk: &Chunk, namespaces: &Namespaces) -> Part {
        let mut work = Work {
            chunk,
            namespaces,
            today: self.pods_today(chunk, namespaces),
            part: Part::default(),
            waiting: Vec::new(),
        };
        if self.detail == Detail::Lines {
            work.part.lines.reserve(chunk.bytes.len() / 4);
        }
        if let Some(unread) = &chunk.unread {
            self.unread(&mut work.part, unread.clone());
        }
        let mut spare = Spare::default();
        self.each(chunk, |record| {
            let Some(scanned) = self.scan(record.bytes, chunk.pods, &mut spare) else {
                return self.record(record, &mut work);
            };
            self.pod(&scanned, record, &mut work);
            spare.take_back(scanned);
        });
        if !work.waiting.is_empty() {
            self.whole_chain(&mut work);
        }
        work.part
    }

    /// Hands out the records of this shard.
    pub(super) fn each<'c>(&self, chunk: &'c Chunk, mut take: impl FnMut(Record<'c>)) {
        chunk.each(|bytes, line, number| {
            let mine = |shard: Shard| number % shard.of == shard.number - 1;
            if self.shard.is_none_or(mine) {
                take(Record {
                    bytes,
                    line,
                    number,
                });
            }
        });
    }

    /// The pod of a record; `None` where it is something else, or the scan leaves it to the decoder.
    fn scan<'c>(
        &self,
        bytes: &'c [u8],
        of_list: bool,
        spare: &mut Spare<'c>,
    ) -> Option<Scanned<'c>> {
        if self.to.by_chain {
            None
        } else if of_list {
            self.scanner.item(bytes, spare)
        } else {
            self.scanner.pod(bytes, spare)
        }
    }

    /// Judges a record that the scan does not read.
    fn record(&self, record: Record<'_>, work: &mut Work<'_>) {
        if let Err(error) = self.unclear(record, work) {
            let (file, line) = (work.chunk.file.to_string(), record.line);
            self.unread(&mut work.part, Unread { error, file, line });
        }
    }

    /// A record that the scan leaves to the decoder. An error says why it cannot be read.
    fn unclear(&self, record: Record<'_>, work: &mut Work<'_>) -> Result<(), String> {
        let Record { bytes, line, .. } = record;
        let object = decode_untyped(bytes).map_err(|error| error.to_string())?;
        if object.as_object().is_none() {
            return Err("this is no object".to_owned());
        }
        let (api_version, kind) = (object.text_at(&["apiVersion"]), object.text_at(&["kind"]));
        let bare = work.chunk.pods && api_version.is_empty() && kind.is_empty();
        if bare || (api_version, kind) == ("v1", "Pod") {
            // A pod that its server could not have stored is not read.
            let decoded = decode(bytes, &roots::POD, self.to.server.minor());
            let decoded = decoded.map_err(|error| error.to_string())?;
            let scanned = Scanned::of(&decoded.object);
            if self.to.by_chain {
                let at = work.part.lines.len();
                let mut pod = Waiting::pod(bytes, &work.chunk.file, line, at)?;
                pod.today = self.rejected_today(&scanned, record, work);
                work.waiting.push(pod);
            } else {
                self.pod(&scanned, record, work);
            }
            return Ok(());
        }
        if api_version.is_empty() && kind.is_empty() {
            return Err(
                "this is no Kubernetes object: it has neither apiVersion nor kind".to_owned(),
            );
        }
        if let Some(items) = object.get("items").and_then(Value::as_list)
            && kind.ends_with("List")
        {
            return Err(format!(
                "a {kind} of {} objects on one line of several is not read",
                items.len()
            ));
        }
        let report = &mut work.part.report;
        if (api_version, kind) == ("v1", "Namespace") {
            report.counts.namespaces += 1;
            return Ok(());
        }
        let template = template::find(&self.templates, api_version, kind);
        let is_judged = template.is_some() || check::is_judged(api_version, kind);
        if is_judged && !is_controlled(&object, &self.templates) {
            let at = work.part.lines.len();
            let workload = Waiting::workload(bytes, template, &work.chunk.file, (line, at))?;
            work.waiting.push(workload);
        } else {
            *report.not_judged.entry(kind.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Judges what waits for the whole chain, and puts its lines where they belong.
    fn whole_chain(&self, work: &mut Work<'_>) {
        let waiting = std::mem::take(&mut work.waiting);
        let labels = |name: &str| work.namespaces.labels(name);
        let asked =
            |configuration: &Configuration| chain::judge(&configuration.chain, &waiting, labels);
        let today = self.today.as_ref();
        let today = today.map(|today| asked(&today.configuration)).transpose();
        let (findings, today) = match asked(&self.to).and_then(|to| Ok((to, today?))) {
            Ok(findings) => findings,
            Err(error) => {
                let error = format!("its templates cannot be judged: {error}");
                let (file, line) = (work.chunk.file.to_string(), 1);
                return self.unread(&mut work.part, Unread { error, file, line });
            }
        };
        let part = &mut work.part;
        let mut lines = Vec::new();
        let mut copied = 0;
        for (at, (one, finding)) in waiting.iter().zip(&findings).enumerate() {
            let today = today.as_ref().map(|today| &today[at]);
            let rejected_today = match &self.today {
                Some(today) if one.is_pod && !today.configuration.by_chain => one.today,
                _ => today.and_then(Finding::is_rejected),
            };
            if self.detail == Detail::Lines {
                lines.extend_from_slice(&part.lines[copied..one.at]);
                copied = one.at;
                // A finding is made of texts and numbers, which can be written.
                lines.extend(serde_json::to_vec(finding).unwrap_or_default());
                line::changed(
                    &mut lines,
                    self.change(rejected_today, finding.is_rejected()),
                );
                lines.push(b'\n');
            }
            let manifest = one.manifest();
            let judged = Judged {
                finding,
                manifest,
                today: rejected_today,
            };
            if one.is_pod {
                self.count_created(&judged, work.namespaces, &mut part.report);
            } else {
                self.count_template(&judged, work.namespaces, &mut part.report);
            }
        }
        lines.extend_from_slice(&part.lines[copied..]);
        part.lines = lines;
    }

    fn unread(&self, part: &mut Part, unread: Unread) {
        if self.detail == Detail::Lines {
            line::unread(&mut part.lines, &unread.error, &unread.file, unread.line);
        }
        part.report.unread(unread);
    }

    fn pod(&self, scanned: &Scanned<'_>, record: Record<'_>, work: &mut Work<'_>) {
        let namespace = self.namespace_of(scanned);
        let demand = self.demand(work.namespaces, namespace);
        let judgement = self.to.judgement(demand, namespace, &scanned.pod);
        let today = self.rejected_today(scanned, record, work);
        let part = &mut work.part;
        let standing = if judgement.enforce.is_empty() {
            self.admitted(today)
        } else {
            let checks = judgement.enforce.iter().map(|violation| violation.check.id);
            self.rejected(namespace, || owner(scanned), checks, today)
        };
        standing.count(&mut part.report.counts);
        part.report.counts.exempt += usize::from(judgement.exempt.is_some());
        if self.detail == Detail::Lines {
            let place = Place {
                namespace,
                name: scanned.name,
                file: &work.chunk.file,
                line: record.line,
            };
            self.line(&place, demand, &judgement, &mut part.lines);
            if self.decides() {
                let change = self.change(today, Some(!judgement.enforce.is_empty()));
                part.lines.pop();
                line::changed(&mut part.lines, change);
                part.lines.push(b'\n');
            }
        }
        if !self.remembers() {
            return;
        }
        let report = part.report.namespace(namespace);
        report.implicit += usize::from(!work.namespaces.has(namespace));
        if self.detail == Detail::Groups {
            self.count_stored(scanned, demand, &judgement, standing, report);
        }
    }

    /// Where a pod is.
    pub(super) fn namespace_of<'p>(&'p self, scanned: &Scanned<'p>) -> &'p str {
        match scanned.namespace {
            "" => self.to.chain.namespace.as_str(),
            namespace => namespace,
        }
    }

    fn line(&self, place: &Place<'_>, demand: &Demand, judgement: &Judgement, out: &mut Vec<u8>) {
        let (server, policy) = (self.to.policy, &demand.policy);
        let line = Line::pod(out, place, &self.common);
        let line = if judgement.enforce.is_empty() {
            line.admitted()
        } else {
            let why = text::deny(server, policy.enforce, &judgement.enforce);
            let checks = judgement.enforce.iter().map(|violation| violation.check.id);
            let name = if place.name.is_empty() {
                "Unknown"
            } else {
                place.name
            };
            line.rejected(name, checks, &why)
        };
        let warning =
            (!judgement.warn.is_empty()).then(|| text::warn(server, policy.warn, &judgement.warn));
        let mut line = line.warning(warning.as_deref());
        if !self.to.judges {
            return line.end();
        }
        let alpha = versions::POD_SECURITY_ALPHA.contain(self.to.server.minor());
        if let Some(why) = judgement.exempt {
            if !alpha {
                line = line.annotation("exempt", why);
            }
            return line.end();
        }
        if !judgement.audit.is_empty() {
            let key = if alpha { "audit" } else { "audit-violations" };
            line = line.annotation(key, &text::audit(server, policy.audit, &judgement.audit));
        }
        if !alpha {
            line = line.annotation("enforce-policy", &demand.enforced);
        }
        if !demand.errors.is_empty() {
            let why = pod_security::failed_to_parse(&self.to.server, &demand.errors);
            line = line.annotation("error", &why);
        }
        line.end();
    }
}

/// Whether another workload makes it, whose own template is judged: the replica set of a deployment.
fn is_controlled(object: &Value<'_>, templates: &[Arc<Template>]) -> bool {
    let owners = object.list_at(&["metadata", "ownerReferences"]).iter();
    let mut controls =
        owners.filter(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    controls.any(|owner| {
        let (api_version, kind) = (owner.text_at(&["apiVersion"]), owner.text_at(&["kind"]));
        matches!(kind, "Deployment" | "CronJob")
            || template::find(templates, api_version, kind).is_some()
    })
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
