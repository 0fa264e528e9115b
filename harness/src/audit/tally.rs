//! What is counted, and remembered by namespace and owner: pods as stored, pods that the whole chain
//! judged, and templates.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use podgate_admission::decode::decode;
use podgate_admission::scan::Scanned;
use podgate_admission::schema::roots;
use podgate_policy::view::Pod;
use podgate_policy::{Level, LevelVersion, Violation, evaluate, text};
use serde_json::{Value, json};

use super::chain::template_of;
use super::configuration::{Demand, Judgement};
use super::judge::{Detail, Judge};
use super::namespaces::Namespaces;
use super::report::{
    Counts, FaultReport, NamespaceReport, Owner, OwnerReport, Report, TemplateReport,
};
use crate::check::{AnswerLine, Finding};
use crate::suite::Manifest;

/// How a verdict stands to what is known and to today.
// Each is counted by itself: they are no states.
#[expect(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    rejected: bool,
    /// It is rejected today as well.
    already: bool,
    /// It is rejected today only.
    better: bool,
    known: bool,
    /// It cannot be known; or, where that decides, what today says of it.
    undecided: bool,
    /// It is what the audit is to tell of: neither known nor, where that decides, rejected today.
    fails: bool,
}

/// What the whole chain says of an object, and whether it is rejected today.
pub(super) struct Judged<'j> {
    pub(super) finding: &'j Finding,
    pub(super) manifest: &'j Manifest,
    pub(super) today: Option<bool>,
}

impl Judged<'_> {
    /// The answer that decides about the object and its pods: a rejection, or else what cannot be known;
    /// nothing where all is admitted.
    fn decisive(&self) -> Option<&AnswerLine> {
        let of_pods = self.finding.pods.iter().flatten().map(|pod| &pod.answer);
        let mut answers = std::iter::once(&self.finding.answer).chain(of_pods);
        let first = answers.clone().find(|it| it.admitted == Some(false));
        first.or_else(|| answers.find(|it| it.admitted.is_none()))
    }
}

impl Standing {
    /// Counts a pod.
    pub(super) fn count(self, counts: &mut Counts) {
        counts.pods += 1;
        counts.violating += usize::from(self.rejected);
        counts.already += usize::from(self.already);
        counts.better += usize::from(self.better);
        counts.known += usize::from(self.known);
        counts.undecided += usize::from(self.undecided);
        counts.failing += usize::from(self.fails);
    }

    fn count_template(self, counts: &mut Counts) {
        counts.breaking += usize::from(self.rejected);
        counts.breaking_already += usize::from(self.already);
        counts.breaking_better += usize::from(self.better);
        counts.breaking_known += usize::from(self.known);
        counts.undecided += usize::from(self.undecided);
        counts.failing += usize::from(self.fails);
    }
}

impl Judge {
    /// How it stands that an object is admitted.
    pub(super) fn admitted(&self, today: Option<bool>) -> Standing {
        Standing {
            better: today == Some(true),
            undecided: self.decides() && today.is_none(),
            ..Standing::default()
        }
    }

    /// How the rejection of an object stands.
    pub(super) fn rejected<'c>(
        &self,
        namespace: &str,
        owner: impl FnOnce() -> Owner,
        checks: impl Iterator<Item = &'c str>,
        today: Option<bool>,
    ) -> Standing {
        let known = !self.known.is_empty() && self.known.has(namespace, &owner(), checks);
        let already = today == Some(true);
        Standing {
            rejected: true,
            already,
            better: false,
            known,
            undecided: self.decides() && today.is_none(),
            fails: !(known || self.decides() && already),
        }
    }

    /// Takes down a pod as it is stored.
    pub(super) fn count_stored(
        &self,
        scanned: &Scanned<'_>,
        demand: &Demand,
        judgement: &Judgement,
        standing: Standing,
        report: &mut NamespaceReport,
    ) {
        report.exempt += usize::from(judgement.exempt.is_some());
        report.warned += usize::from(!judgement.warn.is_empty());
        report.audited += usize::from(!judgement.audit.is_empty());
        let judged = (judgement.exempt.is_none()).then_some(judgement.enforce.as_slice());
        self.levels(&scanned.pod, demand, judged, report, false);
        let Some(found) = remembered(scanned, standing, report) else {
            return;
        };
        for violation in &judgement.enforce {
            let check = found.checks.entry(Cow::Borrowed(violation.check.id));
            let check = check.or_default();
            check.pods += 1;
            if check.detail.is_empty() {
                check.detail = text::detail(std::slice::from_ref(violation));
            }
            for field in &violation.fields {
                let mut containers = scanned.pod.containers.iter();
                let container = containers.find(|it| field.starts_with(&it.path("")));
                if let Some(container) = container {
                    check.container(container.name);
                }
                check.field(field.clone());
            }
        }
    }

    /// Takes down what each level has against a pod. `enforced` is what is known already of the level
    /// that is enforced.
    fn levels(
        &self,
        pod: &Pod<'_>,
        demand: &Demand,
        enforced: Option<&[Violation]>,
        report: &mut NamespaceReport,
        of_template: bool,
    ) {
        let class = pod.runtime_class;
        let configuration = &self.to.server.pod_security;
        if class.is_some_and(|class| configuration.exempts_runtime_class(class)) {
            return;
        }
        let version = demand.policy.enforce.version;
        for (level, over) in [
            (Level::Baseline, &mut report.baseline),
            (Level::Restricted, &mut report.restricted),
        ] {
            let of = LevelVersion::new(level, version);
            let violations = match enforced {
                Some(known) if of == demand.policy.enforce => Cow::Borrowed(known),
                _ => Cow::Owned(evaluate(self.to.policy, of, pod)),
            };
            if violations.is_empty() {
                continue;
            }
            if of_template {
                over.templates += 1;
            } else {
                over.pods += 1;
            }
            for violation in violations.iter() {
                *over.checks.entry(violation.check.id).or_default() += 1;
            }
        }
    }

    /// How what the whole chain says stands.
    fn standing(&self, judged: &Judged<'_>, namespace: &str, owner: &Owner) -> Standing {
        match judged.decisive() {
            None => self.admitted(judged.today),
            Some(answer) if answer.admitted == Some(false) => {
                let checks = named(answer);
                let checks = checks.iter().map(AsRef::as_ref);
                self.rejected(namespace, || owner.clone(), checks, judged.today)
            }
            Some(_) => Standing {
                undecided: true,
                ..Standing::default()
            },
        }
    }

    /// Takes down a pod that the whole chain judged as if it were created again.
    pub(super) fn count_created(
        &self,
        judged: &Judged<'_>,
        namespaces: &Namespaces,
        report: &mut Report,
    ) {
        let minor = self.to.server.minor();
        let Ok(decoded) = decode(judged.manifest.body.as_bytes(), &roots::POD, minor) else {
            return;
        };
        let scanned = Scanned::of(&decoded.object);
        let namespace = self.namespace_of(&scanned);
        let standing = self.standing(judged, namespace, &owner(&scanned));
        standing.count(&mut report.counts);
        let answer = judged.decisive();
        if self.detail == Detail::Lines {
            return;
        }
        let report = report.namespace(namespace);
        report.implicit += usize::from(!namespaces.has(namespace));
        let demand = self.demand(namespaces, namespace);
        self.levels(&scanned.pod, demand, None, report, false);
        let (Some(found), Some(answer)) = (remembered(&scanned, standing, report), answer) else {
            return;
        };
        for id in named(answer) {
            let check = found.checks.entry(Cow::Owned(id.into_owned())).or_default();
            check.pods += 1;
            if check.detail.is_empty() {
                check.detail = answer.message.clone().unwrap_or_default();
            }
        }
    }

    /// Takes down what became of a workload and of the pod of its template.
    pub(super) fn count_template(
        &self,
        judged: &Judged<'_>,
        namespaces: &Namespaces,
        report: &mut Report,
    ) {
        let mut parts = judged.finding.object.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let (kind, namespace, name) = (next(), next(), next());
        let owner = Owner { kind, name };
        let standing = self.standing(judged, &namespace, &owner);
        report.counts.workloads += 1;
        standing.count_template(&mut report.counts);
        let answer = judged.decisive();
        if self.detail == Detail::Lines {
            return;
        }
        let report = report.namespace(&namespace);
        report.workloads += 1;
        let object: Value = serde_json::from_str(&judged.manifest.body).unwrap_or_default();
        let demand = self.demand(namespaces, &namespace);
        if judged.manifest.template.is_some() {
            let pod = serde_json::from_str(&judged.manifest.asked()).unwrap_or_default();
            self.template_levels(&pod, demand, report);
        } else {
            self.template_levels(&object, demand, report);
        }
        if standing.better {
            report.better_templates.insert(owner.clone());
        }
        let Some(answer) = answer else {
            return;
        };
        let said = answer.message.as_ref().or(answer.undecided.as_ref());
        let faults = answer.faults.iter().filter(|fault| !fault.field.is_empty());
        let faults = faults.map(|fault| FaultReport {
            check: fault.check.clone(),
            field: fault.field.clone(),
            container: container(&object, &fault.field).map(str::to_owned),
        });
        let template = TemplateReport {
            by: answer.by,
            code: answer.code,
            checks: answer.checks.clone(),
            message: said.cloned().unwrap_or_default(),
            already: standing.already,
            faults: faults.collect(),
        };
        report.templates.insert(owner, template);
    }

    /// Takes down what each level has against the template of a workload, as it is written: what a
    /// plugin would fill in counts where the plugin is.
    fn template_levels(&self, object: &Value, demand: &Demand, report: &mut NamespaceReport) {
        let Some(template) = template_of(object) else {
            return;
        };
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"],
        });
        let pod = pod.to_string();
        // One that cannot be read is rejected, and told so.
        let Ok(decoded) = decode(pod.as_bytes(), &roots::POD, self.to.server.minor()) else {
            return;
        };
        let pod = Scanned::of(&decoded.object).pod;
        self.levels(&pod, demand, None, report, true);
    }
}

/// Takes down who owns a pod, where there is something to tell of it; hands it out where the pod is
/// rejected.
fn remembered<'r>(
    scanned: &Scanned<'_>,
    standing: Standing,
    report: &'r mut NamespaceReport,
) -> Option<&'r mut OwnerReport> {
    report.pods += 1;
    report.violating += usize::from(standing.rejected);
    report.already += usize::from(standing.already);
    report.better += usize::from(standing.better);
    if !standing.rejected && !standing.better {
        return None;
    }
    let found = report.owners.entry(owner(scanned)).or_default();
    found.better += usize::from(standing.better);
    if !standing.rejected {
        return None;
    }
    found.pods += 1;
    found.already += usize::from(standing.already);
    if found.first.is_empty() {
        scanned.name.clone_into(&mut found.first);
    }
    Some(found)
}

/// What a rejection is known by: the checks that it names, or else who rejects.
fn named(answer: &AnswerLine) -> Vec<Cow<'_, str>> {
    if answer.checks.is_empty() {
        let by = answer.by.map(|by| Cow::Owned(by.to_string()));
        return by.into_iter().collect();
    }
    let checks = answer.checks.iter();
    checks.map(|id| Cow::Borrowed(id.as_str())).collect()
}

/// The name of the container that a field of an object is in.
fn container<'o>(object: &'o Value, field: &str) -> Option<&'o str> {
    let list = field.find("ontainers[")?;
    let end = list + field[list..].find(']')?;
    let mut at = object;
    for key in field[..end].split(['.', '[']) {
        at = match key.parse::<usize>() {
            Ok(number) => at.get(number)?,
            Err(_) => at.get(key)?,
        };
    }
    at["name"].as_str()
}

/// Who owns a pod. The replica sets of a deployment are named after it and the hash of its template,
/// which its controller alone puts on pods (`getNewReplicaSet` in
/// `pkg/controller/deployment/sync.go`). The jobs of a cron job are named after it and the minute that
/// they are of (`getJobName` in `pkg/controller/cronjob/utils.go`); their pods say no more.
pub(super) fn owner(scanned: &Scanned<'_>) -> Owner {
    let of = |kind: &str, name: &str| Owner {
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let Some(controller) = scanned.controller else {
        return of("Pod", "");
    };
    match controller.kind {
        "ReplicaSet" => {
            let hash = scanned.template_hash;
            let name = hash.and_then(|hash| controller.name.strip_suffix(hash)?.strip_suffix('-'));
            name.map(|name| of("Deployment", name))
        }
        "Job" => {
            let named = controller.name.rsplit_once('-');
            let named = named.filter(|(_, at)| at.parse().is_ok_and(|at| MINUTES.contains(&at)));
            named.map(|(name, _)| of("CronJob", name))
        }
        _ => None,
    }
    .unwrap_or_else(|| of(controller.kind, controller.name))
}

/// The minutes since 1970 that jobs may be of: from 2017 to 2083. Dates in eight digits begin with less.
const MINUTES: RangeInclusive<u32> = 25_000_000..=59_999_999;
