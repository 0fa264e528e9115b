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
use podgate_admission::scan::{Scanned, Scanner};
use podgate_admission::schema::roots;
use podgate_admission::value::Value;
use podgate_admission::versions;
use podgate_policy::labels::{self, LabelError};
use podgate_policy::{Level, LevelVersion, NamespacePolicy, Violation, evaluate, text};

use super::chunk::Chunk;
use super::line::{self, Common, Line, Place};
use super::report::{NamespaceReport, Owner, Report, Unread};
use crate::check::{Policy, Target};
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
    /// Whether the plugin is on.
    judges: bool,
    /// What flags put on every namespace.
    flags: Policy,
    /// What the cluster's file puts on every namespace.
    labels: BTreeMap<String, String>,
    /// What a namespace demands of which nothing else is known.
    implicit: Demand,
    default_namespace: String,
    user: String,
    common: Common,
    detail: Detail,
    shard: Option<Shard>,
}

/// What a namespace demands.
#[derive(Clone, Debug, Default, PartialEq)]
struct Demand {
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
            policy: server.policy(),
            scanner: Scanner::new(target.minor),
            judges: server.has(Plugin::PodSecurity),
            flags,
            labels: cluster
                .map(|cluster| cluster.namespace.labels.clone())
                .unwrap_or_default(),
            implicit: Demand::default(),
            default_namespace: "default".to_owned(),
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
            server,
        };
        judge.implicit = judge.demand(&BTreeMap::new());
        Ok(judge)
    }

    /// The same for pods that name no namespace and are in `namespace`.
    #[must_use]
    pub fn default_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.default_namespace);
        self
    }

    /// The same for one part of the records of each file only.
    #[must_use]
    pub fn shard(mut self, shard: Option<Shard>) -> Self {
        self.shard = shard;
        self
    }

    /// Whether anything is demanded of pods in a namespace of which nothing is known.
    #[must_use]
    pub fn has_policy(&self) -> bool {
        !self.implicit.policy.fully_privileged() || !self.flags.is_empty()
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
                let labels = labels.into_iter().flat_map(|labels| labels.iter());
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
        chunk.each(|bytes, line, number| {
            if self
                .shard
                .is_none_or(|shard| number % shard.of == shard.number - 1)
            {
                self.record(bytes, chunk, line, namespaces, &mut part);
            }
        });
        part
    }

    fn record(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        line: usize,
        namespaces: &Namespaces,
        part: &mut Part,
    ) {
        let scanned = if chunk.pods {
            self.scanner.item(bytes)
        } else {
            self.scanner.pod(bytes)
        };
        match scanned {
            Some(scanned) => self.pod(&scanned, &chunk.file, line, namespaces, part),
            None => self.unclear(bytes, chunk, line, namespaces, part),
        }
    }

    /// A record that the scan leaves to the decoder.
    fn unclear(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        line: usize,
        namespaces: &Namespaces,
        part: &mut Part,
    ) {
        let fail = |part: &mut Part, error: String| {
            let file = chunk.file.to_string();
            self.unread(part, Unread { error, file, line });
        };
        let object = match decode_untyped(bytes) {
            Ok(object) if object.as_object().is_some() => object,
            Ok(_) => return fail(part, "this is no object".to_owned()),
            Err(error) => return fail(part, error.to_string()),
        };
        let (api_version, kind) = (object.text_at(&["apiVersion"]), object.text_at(&["kind"]));
        match (api_version, kind) {
            ("v1", "Pod") | ("", "") if kind == "Pod" || chunk.pods => {
                match decode(bytes, &roots::POD, self.server.minor()) {
                    Ok(decoded) => {
                        self.pod(
                            &Scanned::of(&decoded.object),
                            &chunk.file,
                            line,
                            namespaces,
                            part,
                        );
                    }
                    Err(error) => fail(part, error.to_string()),
                }
            }
            ("", "") => fail(
                part,
                "this is no Kubernetes object: it has neither apiVersion nor kind".to_owned(),
            ),
            ("v1", "Namespace") => part.report.counts.namespaces += 1,
            (_, kind) => *part.report.not_judged.entry(kind.to_owned()).or_default() += 1,
        }
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
            "" => self.default_namespace.as_str(),
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
        counts.violating += usize::from(!judgement.enforce.is_empty());
        counts.exempt += usize::from(judgement.exempt.is_some());
        match self.detail {
            Detail::Lines => self.line(&place, demand, &judgement, &mut part.lines),
            Detail::Groups => {
                if !part.report.namespaces.contains_key(namespace) {
                    part.report
                        .namespaces
                        .insert(namespace.to_owned(), NamespaceReport::default());
                }
                if let Some(report) = part.report.namespaces.get_mut(namespace) {
                    report.implicit += usize::from(own.is_none());
                    self.count(scanned, demand, &judgement, report);
                }
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
