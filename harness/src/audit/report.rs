//! What is known after an audit: counts, and by namespace and owning workload what violates what.
//!
//! A chunk of the input gives a report of its own; they are merged in the order of the input, so the
//! first pod that is named is the first of the dump, however many cores read it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use podgate_policy::labels::Mode;
use podgate_policy::{Level, NamespacePolicy, PolicyVersion};
use serde::Serialize;

use crate::outcome::By;

/// How many places of a kind are remembered: enough to go and look, whatever the size of the dump.
const REMEMBERED: usize = 20;

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Numbers about the whole.
    pub counts: Counts,
    /// What could not be read, the first `REMEMBERED` of them.
    pub unread: Vec<Unread>,
    /// Objects that nobody judges, by kind.
    pub not_judged: BTreeMap<String, usize>,
    /// Namespaces that were read behind some of their pods, with the number of those pods: they were
    /// judged without the labels of their namespace.
    pub late: Vec<(String, usize)>,
    /// The namespaces of the input and of judged objects, by name. By lines, only what
    /// [`NamespaceReport::implicit`] needs.
    pub namespaces: BTreeMap<String, NamespaceReport>,
    /// What a reader should know of how the input was read.
    pub notes: Vec<String>,
    /// Whether the server asked about has Pod Security, so that labels of namespaces mean something.
    pub has_levels: bool,
    /// Whether there is a configuration of today beside it.
    pub compares: bool,
}

/// Numbers about the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Pods that were judged.
    pub pods: usize,
    /// Those of them that violate what is enforced.
    pub violating: usize,
    /// Those of them that are rejected today as well.
    pub already: usize,
    /// Those of them that are known to violate it (`--known`).
    pub known: usize,
    /// Pods that today rejects, and that it admits.
    pub better: usize,
    /// Those that are exempt.
    pub exempt: usize,
    /// Templates of workloads that were judged by the whole chain.
    pub workloads: usize,
    /// Those whose pods would be rejected.
    pub breaking: usize,
    /// Those of them that are rejected today as well.
    pub breaking_already: usize,
    /// Those of them that are known to be.
    pub breaking_known: usize,
    /// Workloads whose pods are rejected today, and would be admitted.
    pub breaking_better: usize,
    /// Pods and workloads that the audit fails for: what is rejected, is not known, and, where today's
    /// configuration was asked for, is admitted today.
    pub failing: usize,
    /// Objects whose verdict cannot be known.
    pub undecided: usize,
    /// Namespace objects of the input.
    pub namespaces: usize,
    /// Objects, lines and files that could not be read.
    pub unread: usize,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Why.
    pub error: String,
    /// The file as the user named it.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
}

/// The pods of one namespace.
#[derive(Clone, Debug, Default)]
pub struct NamespaceReport {
    /// What it demands under the configuration asked for.
    pub policy: NamespacePolicy,
    /// Its pods.
    pub pods: usize,
    /// Those that violate what is enforced.
    pub violating: usize,
    /// Those of them that are rejected today as well.
    pub already: usize,
    /// Those that are rejected today, and admitted then.
    pub better: usize,
    /// Those that are exempt.
    pub exempt: usize,
    /// Whether the whole namespace is exempt.
    pub exempted: bool,
    /// Its own labels of Pod Security.
    pub own: BTreeMap<String, String>,
    /// Those that an update or creation would be warned about.
    pub warned: usize,
    /// Those that would be noted in the audit log.
    pub audited: usize,
    /// What baseline has against them, and against its templates, at the version that is enforced.
    pub baseline: Over,
    /// The same of restricted.
    pub restricted: Over,
    /// Its pods that were judged before an object of the namespace was read.
    pub implicit: usize,
    /// Its workloads whose templates were judged.
    pub workloads: usize,
    /// Those of them whose pods would be rejected, or may be.
    pub templates: BTreeMap<Owner, TemplateReport>,
    /// Its workloads whose pods are rejected today, and would be admitted.
    pub better_templates: BTreeSet<Owner>,
    /// By who owns them, the pods that violate what is enforced, or do so today only.
    pub owners: BTreeMap<Owner, OwnerReport>,
}

/// What a level has against the pods and templates of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Over {
    /// How many pods violate it.
    pub pods: usize,
    /// How many templates do.
    pub templates: usize,
    /// How many of both each check is violated by.
    pub checks: BTreeMap<&'static str, usize>,
}

impl Over {
    /// Whether it has nothing against any.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pods + self.templates == 0
    }

    fn merge(&mut self, later: Self) {
        self.pods += later.pods;
        self.templates += later.templates;
        for (id, count) in later.checks {
            *self.checks.entry(id).or_default() += count;
        }
    }
}

/// Who owns pods: the workload at the top as far as a pod tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind; `Pod` for the pods that nobody owns, which stand together.
    pub kind: String,
    /// Its name; empty for the pods that nobody owns.
    pub name: String,
}

impl fmt::Display for Owner {
    /// `Deployment/web`, and `Pod` for the pods that nobody owns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}/{}", self.kind, self.name)
        }
    }
}

/// Violating pods of one owner.
#[derive(Clone, Debug, Default)]
pub struct OwnerReport {
    /// How many.
    pub pods: usize,
    /// Those of them that are rejected today as well.
    pub already: usize,
    /// Pods of the owner that are rejected today, and admitted then.
    pub better: usize,
    /// The first that violates.
    pub first: String,
    /// What they violate, by the id of the check; who rejects them where that is not Pod Security.
    pub checks: BTreeMap<Cow<'static, str>, CheckReport>,
}

/// Why the pods of a template would be rejected, by the whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateReport {
    /// By whom; `None` where it cannot be known.
    pub by: Option<By>,
    /// The HTTP code.
    pub code: Option<u16>,
    /// The checks that the message names.
    pub checks: Vec<String>,
    /// The message as the server writes it, or why it cannot be known.
    pub message: String,
    /// Whether they are rejected today as well.
    pub already: bool,
    /// The fields of the workload at fault.
    pub faults: Vec<FaultReport>,
}

/// A field of a workload at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultReport {
    /// The id of the check; empty where Pod Security is not who rejects.
    pub check: String,
    /// The field.
    pub field: String,
    /// The container that it is in.
    pub container: Option<String>,
}

/// What one check has against the pods of one owner.
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    /// How many pods violate it.
    pub pods: usize,
    /// What the first of them is told: `reason (detail)`.
    pub detail: String,
    /// The fields at fault, the first `REMEMBERED` of them.
    pub fields: BTreeSet<String>,
    /// The containers that they stand in.
    pub containers: BTreeSet<String>,
}

impl Report {
    /// Adds what was found behind what is in this one.
    pub fn merge(&mut self, later: Self) {
        self.counts.merge(later.counts);
        for unread in later.unread {
            self.remember(unread);
        }
        for (kind, count) in later.not_judged {
            *self.not_judged.entry(kind).or_default() += count;
        }
        self.notes.extend(later.notes);
        for (name, namespace) in later.namespaces {
            match self.namespaces.entry(name) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(namespace);
                }
                std::collections::btree_map::Entry::Occupied(entry) => {
                    entry.into_mut().merge(namespace);
                }
            }
        }
    }

    /// What is known of a namespace.
    pub(super) fn namespace(&mut self, name: &str) -> &mut NamespaceReport {
        if !self.namespaces.contains_key(name) {
            let report = NamespaceReport::default();
            self.namespaces.insert(name.to_owned(), report);
        }
        match self.namespaces.get_mut(name) {
            Some(report) => report,
            None => unreachable!("it was put in"),
        }
    }

    /// Counts something that could not be read.
    pub fn unread(&mut self, unread: Unread) {
        self.counts.unread += 1;
        self.remember(unread);
    }

    fn remember(&mut self, unread: Unread) {
        if self.unread.len() < REMEMBERED {
            self.unread.push(unread);
        }
    }
}

impl Counts {
    fn merge(&mut self, later: Self) {
        let Self {
            pods,
            violating,
            already,
            known,
            better,
            exempt,
            workloads,
            breaking,
            breaking_already,
            breaking_known,
            breaking_better,
            failing,
            undecided,
            namespaces,
            unread,
        } = later;
        self.pods += pods;
        self.violating += violating;
        self.already += already;
        self.known += known;
        self.better += better;
        self.exempt += exempt;
        self.workloads += workloads;
        self.breaking += breaking;
        self.breaking_already += breaking_already;
        self.breaking_known += breaking_known;
        self.breaking_better += breaking_better;
        self.failing += failing;
        self.undecided += undecided;
        self.namespaces += namespaces;
        self.unread += unread;
    }
}

impl NamespaceReport {
    /// The strictest level that all its pods and templates meet.
    #[must_use]
    pub const fn strictest(&self) -> Level {
        match (self.baseline.is_empty(), self.restricted.is_empty()) {
            (_, true) => Level::Restricted,
            (true, _) => Level::Baseline,
            _ => Level::Privileged,
        }
    }

    /// The next level that its pods or templates do not meet, and what it has against them.
    #[must_use]
    pub const fn next(&self) -> Option<(Level, &Over)> {
        match self.strictest() {
            Level::Privileged => Some((Level::Baseline, &self.baseline)),
            Level::Baseline => Some((Level::Restricted, &self.restricted)),
            Level::Restricted => None,
        }
    }

    /// Whether there is a pod or a template of which its level is known.
    #[must_use]
    pub const fn has_objects(&self) -> bool {
        self.pods + self.workloads > 0
    }

    /// The labels to set so that it enforces the strictest level that nothing in it violates, and warns
    /// about and audits the next. Those that it has already, or stricter ones, are left out.
    #[must_use]
    pub fn labels(&self) -> Vec<(&'static str, String)> {
        if self.exempted || !self.has_objects() {
            return Vec::new();
        }
        let mut labels = Vec::new();
        self.label(Mode::Enforce, self.strictest(), &mut labels);
        let next = self.next().map(|(level, _)| level);
        if let Some(next) = next.filter(|next| self.own_level() < Some(*next)) {
            self.label(Mode::Warn, next, &mut labels);
            self.label(Mode::Audit, next, &mut labels);
        }
        labels
    }

    /// The level that its own label enforces.
    #[must_use]
    pub fn own_level(&self) -> Option<Level> {
        self.level_of(Mode::Enforce)
    }

    fn level_of(&self, mode: Mode) -> Option<Level> {
        self.own.get(mode.level_label())?.parse().ok()
    }

    fn label(&self, mode: Mode, level: Level, labels: &mut Vec<(&'static str, String)>) {
        if self.level_of(mode) >= Some(level) {
            return;
        }
        labels.push((mode.level_label(), level.to_string()));
        let version = self.policy.enforce.version;
        let own = self.own.get(mode.version_label());
        let own = own.and_then(|own| own.parse().ok());
        if own.unwrap_or(PolicyVersion::Latest) != version {
            labels.push((mode.version_label(), version.to_string()));
        }
    }

    fn merge(&mut self, later: Self) {
        self.pods += later.pods;
        self.violating += later.violating;
        self.already += later.already;
        self.better += later.better;
        self.exempt += later.exempt;
        self.warned += later.warned;
        self.audited += later.audited;
        self.baseline.merge(later.baseline);
        self.restricted.merge(later.restricted);
        self.implicit += later.implicit;
        self.workloads += later.workloads;
        self.templates.extend(later.templates);
        self.better_templates.extend(later.better_templates);
        for (owner, found) in later.owners {
            let known = self.owners.entry(owner).or_default();
            known.pods += found.pods;
            known.already += found.already;
            known.better += found.better;
            if known.first.is_empty() {
                known.first = found.first;
            }
            for (id, check) in found.checks {
                known.checks.entry(id).or_default().merge(check);
            }
        }
    }
}

impl TemplateReport {
    /// What its rejection is known by: the checks, or else who rejects it; nothing where it is undecided.
    pub(super) fn known_by(&self) -> impl Iterator<Item = String> {
        let by = self.by.filter(|_| self.checks.is_empty());
        let by = by.map(|by| by.to_string());
        self.checks.iter().cloned().chain(by)
    }
}

impl CheckReport {
    fn merge(&mut self, later: Self) {
        self.pods += later.pods;
        if self.detail.is_empty() {
            self.detail = later.detail;
        }
        for field in later.fields {
            self.field(field);
        }
        for container in later.containers {
            self.container(&container);
        }
    }

    /// Remembers a field at fault.
    pub(super) fn field(&mut self, field: String) {
        if self.fields.len() < REMEMBERED {
            self.fields.insert(field);
        }
    }

    /// Remembers a container.
    pub(super) fn container(&mut self, name: &str) {
        if self.containers.len() < REMEMBERED && !self.containers.contains(name) {
            self.containers.insert(name.to_owned());
        }
    }
}
