//! Judges the pods of a chunk as a server's Pod Security would, from the view of the scan.
//!
//! Upstream: `ValidatePod` and `EvaluatePod` in `admission/admission.go` of pod-security-admission; the
//! same for requests is `podgate_admission::plugins::pod_security`, and a test demands equal answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;
use podgate_admission::config::Server;
use podgate_admission::decode::{decode, decode_untyped};
use podgate_admission::plugins::{Plugin, pod_security};
use podgate_admission::scan::{Scanned, Scanner, Spare};
use podgate_admission::schema::roots;
use podgate_admission::value::Value;
use podgate_admission::versions;
use podgate_policy::labels::{self, LabelError};
use podgate_policy::{Level, LevelVersion, NamespacePolicy, Violation, evaluate, text};

use super::chain::{self, Waiting};
use super::chunk::Chunk;
use super::known::Known;
use super::line::{self, Common, Line, Place};
use super::report::{NamespaceReport, Owner, Report, TemplateReport, Unread};
use crate::check::{self, Finding, Policy, Target};
use crate::error::Error;
use crate::shard::Shard;
use crate::suite::Requester;

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
    server: Server,
    policy: podgate_policy::Server,
    scanner: Scanner,
    /// How the whole chain judges, and whether it judges pods, too.
    chain: check::Options,
    by_chain: bool,
    /// Whether the plugin is on.
    judges: bool,
    /// Whether it was configured by a cluster's file.
    has_cluster: bool,
    /// What flags put on every namespace.
    flags: Policy,
    /// What the cluster's file puts on every namespace.
    labels: BTreeMap<String, String>,
    /// What a namespace demands of which nothing else is known.
    implicit: Demand,
    user: String,
    common: Common,
    detail: Detail,
    shard: Option<Shard>,
    known: Known,
}

/// What a namespace demands.
#[derive(Clone, Debug, Default, PartialEq)]
struct Demand {
    labels: BTreeMap<String, String>,
    policy: NamespacePolicy,
    errors: Vec<LabelError>,
    /// `policy.enforce` as annotations have it.
    enforced: String,
}

/// The namespaces of the input so far, with what they demand.
#[derive(Clone, Debug, Default)]
pub struct Namespaces(BTreeMap<String, Demand>);

impl Namespaces {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What came of a chunk.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The lines, where they were wanted.
    pub lines: Vec<u8>,
    /// What was found.
    pub report: Report,
}

impl Judge {
    /// The judge for the server of `target`, with the labels of `flags` on every namespace.
    pub fn new(
        target: &Target,
        flags: Policy,
        requester: Option<&Requester>,
        detail: Detail,
    ) -> Result<Self, Error> {
        let server = match &target.cluster {
            Some(cluster) => cluster.server(target.minor)?,
            None => Server::new(target.minor),
        };
        let cluster = target.cluster.as_ref();
        let requester = requester.or(cluster.and_then(|cluster| cluster.requester.as_ref()));
        let shown = requester.map_or("admin", |requester| requester.user.as_str());
        let mut judge = Self {
            chain: check::Options {
                files: Vec::new(),
                recursive: false,
                namespace: "default".to_owned(),
                policy: flags,
                requester: requester.cloned(),
                show_object: false,
                locate: false,
                targets: vec![target.clone()],
            },
            by_chain: server.has(Plugin::PodSecurityPolicy),
            policy: server.policy(),
            scanner: Scanner::new(target.minor),
            judges: server.has(Plugin::PodSecurity),
            has_cluster: cluster.is_some(),
            flags,
            labels: cluster
                .map(|cluster| cluster.namespace.labels.clone())
                .unwrap_or_default(),
            implicit: Demand::default(),
            user: requester.map_or_else(
                || podgate_apiserver::user::admin().name,
                |requester| requester.user.clone(),
            ),
            common: Common::new(
                cluster.map(|cluster| cluster.name.as_str()),
                target.minor,
                shown,
            ),
            detail,
            shard: None,
            known: Known::default(),
            server,
        };
        judge.implicit = judge.demand(&BTreeMap::new());
        Ok(judge)
    }

    /// The same for pods that name no namespace and are in `namespace`.
    #[must_use]
    pub fn default_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.chain.namespace);
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

    /// Whether the labels of namespaces can change who is admitted.
    #[must_use]
    pub fn reads_labels(&self) -> bool {
        self.judges && self.flags.enforce.is_none()
    }

    /// Whether pods of a namespace are to be remembered that were judged before its labels were read.
    fn remembers(&self) -> bool {
        self.detail == Detail::Groups || self.reads_labels()
    }

    /// The namespaces that were read behind some of their pods and demand something else than these were
    /// judged by, with the number of those pods.
    #[must_use]
    pub fn late(&self, report: &Report, namespaces: &Namespaces) -> Vec<(String, usize)> {
        let late = |name: &String| {
            let implicit = report.namespaces.get(name)?.implicit;
            (implicit > 0).then(|| (name.clone(), implicit))
        };
        let differs = |(_, demand): &(&String, &Demand)| demand.policy != self.implicit.policy;
        let names = namespaces.0.iter().filter(differs);
        names.filter_map(|(name, _)| late(name)).collect()
    }

    /// Whether something says what pods may do: a cluster, a flag, or the labels of a namespace.
    #[must_use]
    pub fn has_policy(&self, namespaces: &Namespaces) -> bool {
        let demands = |demand: &Demand| !demand.policy.fully_privileged();
        self.has_cluster
            || !self.flags.is_empty()
            || demands(&self.implicit)
            || namespaces.0.values().any(demands)
    }

    /// What a namespace with these labels demands.
    fn demand(&self, own: &BTreeMap<String, String>) -> Demand {
        let mut all = self.labels.clone();
        all.extend(own.clone());
        all.extend(
            self.flags
                .labels()
                .map(|(key, value)| (key.to_owned(), value)),
        );
        let (policy, errors) = labels::parse(
            |key| all.get(key).map(String::as_str),
            &self.server.pod_security.defaults,
            self.policy,
        );
        let enforced = policy.enforce.to_string();
        Demand {
            labels: own.clone(),
            policy,
            errors,
            enforced,
        }
    }

    /// Adds a namespace with its labels.
    pub fn namespace(
        &self,
        namespaces: &mut Namespaces,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) {
        namespaces.0.insert(name.to_owned(), self.demand(labels));
    }

    /// Adds the namespaces among the records of a chunk. They hold for its pods, too.
    pub fn namespaces(&self, chunk: &Chunk, namespaces: &mut Arc<Namespaces>) {
        // Almost every chunk has pods only.
        if memmem::find(&chunk.bytes, b"\"Namespace\"").is_none() {
            return;
        }
        chunk.each(|bytes, _, _| {
            if memmem::find(bytes, b"\"Namespace\"").is_none() {
                return;
            }
            let Ok(object) = decode_untyped(bytes) else {
                return;
            };
            if object.text_at(&["kind"]) == "Namespace" && object.text_at(&["apiVersion"]) == "v1" {
                let labels = object
                    .at(&["metadata", "labels"])
                    .and_then(Value::as_object);
                let labels = labels
                    .into_iter()
                    .flat_map(podgate_admission::value::Object::iter);
                let labels = labels
                    .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
                    .collect();
                let name = object.text_at(&["metadata", "name"]);
                self.namespace(Arc::make_mut(namespaces), name, &labels);
            }
        });
    }

    /// Judges the records of a chunk.
    #[must_use]
    pub fn judge(&self, chunk: &Chunk, namespaces: &Namespaces) -> Part {
        let mut part = Part::default();
        if self.detail == Detail::Lines {
            part.lines.reserve(chunk.bytes.len() / 4);
        }
        if let Some(unread) = &chunk.unread {
            self.unread(&mut part, unread.clone());
        }
        let (mut waiting, mut spare) = (Vec::new(), Spare::default());
        chunk.each(|bytes, line, number| {
            if self
                .shard
                .is_none_or(|shard| number % shard.of == shard.number - 1)
            {
                let scanned = self.scan(bytes, chunk.pods, &mut spare);
                let Some(scanned) = scanned else {
                    return self.record(bytes, chunk, line, namespaces, &mut part, &mut waiting);
                };
                self.pod(&scanned, &chunk.file, line, namespaces, &mut part);
                spare.take_back(scanned);
            }
        });
        if !waiting.is_empty() {
            self.whole_chain(waiting, &chunk.file, namespaces, &mut part);
        }
        part
    }

    /// The pod of a record; `None` where it is something else, or the scan leaves it to the decoder.
    fn scan<'c>(
        &self,
        bytes: &'c [u8],
        of_list: bool,
        spare: &mut Spare<'c>,
    ) -> Option<Scanned<'c>> {
        if self.by_chain {
            None
        } else if of_list {
            self.scanner.item(bytes, spare)
        } else {
            self.scanner.pod(bytes, spare)
        }
    }

    /// Judges a record that the scan does not read.
    fn record(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        line: usize,
        namespaces: &Namespaces,
        part: &mut Part,
        waiting: &mut Vec<Waiting>,
    ) {
        if let Err(error) = self.unclear(bytes, chunk, line, namespaces, part, waiting) {
            let file = chunk.file.to_string();
            self.unread(part, Unread { error, file, line });
        }
    }

    /// A record that the scan leaves to the decoder. An error says why it cannot be read.
    fn unclear(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        line: usize,
        namespaces: &Namespaces,
        part: &mut Part,
        waiting: &mut Vec<Waiting>,
    ) -> Result<(), String> {
        let object = decode_untyped(bytes).map_err(|error| error.to_string())?;
        if object.as_object().is_none() {
            return Err("this is no object".to_owned());
        }
        let (api_version, kind) = (object.text_at(&["apiVersion"]), object.text_at(&["kind"]));
        let bare = chunk.pods && api_version.is_empty() && kind.is_empty();
        if bare || (api_version, kind) == ("v1", "Pod") {
            // A pod that its server could not have stored is not read.
            let decoded = decode(bytes, &roots::POD, self.server.minor());
            let decoded = decoded.map_err(|error| error.to_string())?;
            if self.by_chain {
                let at = part.lines.len();
                waiting.push(Waiting::new(bytes, &chunk.file, line, at)?);
            } else {
                self.pod(
                    &Scanned::of(&decoded.object),
                    &chunk.file,
                    line,
                    namespaces,
                    part,
                );
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
        if (api_version, kind) == ("v1", "Namespace") {
            part.report.counts.namespaces += 1;
        } else if check::is_judged(api_version, kind) && !is_controlled(&object) {
            let at = part.lines.len();
            waiting.push(Waiting::new(bytes, &chunk.file, line, at)?);
        } else {
            *part.report.not_judged.entry(kind.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Judges what waits for the whole chain, and puts its lines where they belong.
    fn whole_chain(
        &self,
        waiting: Vec<Waiting>,
        file: &str,
        namespaces: &Namespaces,
        part: &mut Part,
    ) {
        let labels = |name: &str| namespaces.0.get(name).map(|demand| demand.labels.clone());
        let findings = match chain::judge(&self.chain, waiting, labels) {
            Ok(findings) => findings,
            Err(error) => {
                let error = format!("its templates cannot be judged: {error}");
                let (file, line) = (file.to_owned(), 1);
                return self.unread(part, Unread { error, file, line });
            }
        };
        let mut lines = Vec::new();
        let mut copied = 0;
        for (at, finding) in &findings {
            if self.detail == Detail::Lines {
                lines.extend_from_slice(&part.lines[copied..*at]);
                copied = *at;
                // A finding is made of texts and numbers, which can be written.
                lines.extend(serde_json::to_vec(finding).unwrap_or_default());
                lines.push(b'\n');
            }
            count_finding(finding, &mut part.report);
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

    fn pod(
        &self,
        scanned: &Scanned<'_>,
        file: &str,
        line: usize,
        namespaces: &Namespaces,
        part: &mut Part,
    ) {
        let namespace = match scanned.namespace {
            "" => self.chain.namespace.as_str(),
            namespace => namespace,
        };
        let own = namespaces.0.get(namespace);
        let demand = own.unwrap_or(&self.implicit);
        let place = Place {
            namespace,
            name: scanned.name,
            file,
            line,
        };
        let judgement = self.judgement(demand, namespace, scanned);
        let counts = &mut part.report.counts;
        counts.pods += 1;
        counts.exempt += usize::from(judgement.exempt.is_some());
        if !judgement.enforce.is_empty() {
            counts.violating += 1;
            if !self.known.is_empty() {
                let checks = judgement.enforce.iter().map(|violation| violation.check.id);
                let known = self.known.has(namespace, &owner(scanned), checks);
                counts.known += usize::from(known);
            }
        }
        if self.detail == Detail::Lines {
            self.line(&place, demand, &judgement, &mut part.lines);
        }
        if !self.remembers() {
            return;
        }
        if !part.report.namespaces.contains_key(namespace) {
            let report = NamespaceReport::default();
            part.report.namespaces.insert(namespace.to_owned(), report);
        }
        if let Some(report) = part.report.namespaces.get_mut(namespace) {
            report.implicit += usize::from(own.is_none());
            if self.detail == Detail::Groups {
                self.count(scanned, demand, &judgement, report);
            }
        }
    }

    /// What the server says of a pod.
    fn judgement(&self, demand: &Demand, namespace: &str, scanned: &Scanned<'_>) -> Judgement {
        let mut judgement = Judgement::default();
        if !self.judges {
            return judgement;
        }
        let configuration = &self.server.pod_security;
        let class = scanned.pod.runtime_class;
        let privileged = demand.errors.is_empty() && demand.policy.fully_privileged();
        judgement.exempt = if configuration.exempts_namespace(namespace) {
            Some("namespace")
        } else if configuration.exempts_user(&self.user) {
            Some("user")
        } else if !privileged
            && class.is_some_and(|class| configuration.exempts_runtime_class(class))
        {
            Some("runtimeClass")
        } else {
            None
        };
        if judgement.exempt.is_some() || privileged {
            return judgement;
        }
        let policy = &demand.policy;
        let judge = |of: LevelVersion| evaluate(self.policy, of, &scanned.pod);
        judgement.enforce = judge(policy.enforce);
        judgement.audit = if policy.audit == policy.enforce {
            judgement.enforce.clone()
        } else {
            judge(policy.audit)
        };
        // Who is rejected is not warned.
        if judgement.enforce.is_empty() && policy.warn != policy.enforce {
            judgement.warn = judge(policy.warn);
        }
        judgement
    }

    fn line(&self, place: &Place<'_>, demand: &Demand, judgement: &Judgement, out: &mut Vec<u8>) {
        let (server, policy) = (self.policy, &demand.policy);
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
        if !self.judges {
            return line.end();
        }
        let alpha = versions::POD_SECURITY_ALPHA.contain(self.server.minor());
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
            let why = pod_security::failed_to_parse(&self.server, &demand.errors);
            line = line.annotation("error", &why);
        }
        line.end();
    }

    fn count(
        &self,
        scanned: &Scanned<'_>,
        demand: &Demand,
        judgement: &Judgement,
        report: &mut NamespaceReport,
    ) {
        report.policy = demand.policy;
        report.pods += 1;
        report.exempt += usize::from(judgement.exempt.is_some());
        report.warned += usize::from(!judgement.warn.is_empty());
        report.audited += usize::from(!judgement.audit.is_empty());
        let version = demand.policy.enforce.version;
        for (level, count) in [
            (Level::Baseline, &mut report.over_baseline),
            (Level::Restricted, &mut report.over_restricted),
        ] {
            let of = LevelVersion::new(level, version);
            let over = if of == demand.policy.enforce && judgement.exempt.is_none() {
                !judgement.enforce.is_empty()
            } else {
                !evaluate(self.policy, of, &scanned.pod).is_empty()
            };
            *count += usize::from(over);
        }
        if judgement.enforce.is_empty() {
            return;
        }
        report.violating += 1;
        let owner = report.owners.entry(owner(scanned)).or_default();
        owner.pods += 1;
        if owner.first.is_empty() {
            scanned.name.clone_into(&mut owner.first);
        }
        for violation in &judgement.enforce {
            let check = owner.checks.entry(violation.check.id).or_default();
            check.pods += 1;
            if check.detail.is_empty() {
                check.detail = text::detail(std::slice::from_ref(violation));
            }
            for field in &violation.fields {
                if let Some(container) = scanned
                    .pod
                    .containers
                    .iter()
                    .find(|container| field.starts_with(&container.path("")))
                {
                    check.container(container.name);
                }
                check.field(field.clone());
            }
        }
    }
}

/// Whether another workload makes it, whose own template is judged: the replica set of a deployment.
fn is_controlled(object: &Value<'_>) -> bool {
    let owners = object.list_at(&["metadata", "ownerReferences"]).iter();
    let mut controls =
        owners.filter(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    controls.any(|owner| matches!(owner.text_at(&["kind"]), "Deployment" | "CronJob"))
}

fn count_finding(finding: &Finding, report: &mut Report) {
    let mut parts = finding.object.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (kind, namespace, name) = (next(), next(), next());
    let of_pods = finding.pods.iter().flatten().map(|pod| &pod.answer);
    let answers: Vec<_> = std::iter::once(&finding.answer).chain(of_pods).collect();
    let undecided = answers.iter().find(|answer| answer.admitted.is_none());
    let rejected = answers.iter().find(|answer| answer.admitted == Some(false));
    report.counts.workloads += 1;
    report.counts.undecided += usize::from(undecided.is_some());
    report.counts.breaking += usize::from(rejected.is_some());
    let of_namespace = report.namespaces.entry(namespace).or_default();
    of_namespace.workloads += 1;
    let Some(answer) = rejected.or(undecided) else {
        return;
    };
    let message = answer.message.as_ref().or(answer.undecided.as_ref());
    let template = TemplateReport {
        by: answer.by,
        checks: answer.checks.clone(),
        message: message.cloned().unwrap_or_default(),
        fields: Vec::new(),
    };
    of_namespace
        .templates
        .insert(Owner { kind, name }, template);
}

/// What a server says of a pod.
#[derive(Debug, Default)]
struct Judgement {
    /// Why it is exempt.
    exempt: Option<&'static str>,
    enforce: Vec<Violation>,
    audit: Vec<Violation>,
    warn: Vec<Violation>,
}

/// Who owns a pod. The replica sets of a deployment are named after it and the hash of its template,
/// which its controller alone puts on pods (`getNewReplicaSet` in
/// `pkg/controller/deployment/sync.go`).
fn owner(scanned: &Scanned<'_>) -> Owner {
    let of = |kind: &str, name: &str| Owner {
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let Some(controller) = scanned.controller else {
        return of("Pod", "");
    };
    let deployment = scanned
        .template_hash
        .filter(|_| controller.kind == "ReplicaSet")
        .and_then(|hash| controller.name.strip_suffix(hash)?.strip_suffix('-'));
    match deployment {
        Some(deployment) => of("Deployment", deployment),
        None => of(controller.kind, controller.name),
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
