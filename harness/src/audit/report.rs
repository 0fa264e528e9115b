//! What is known after an audit: counts, and by namespace and owning workload what violates what.
//!
//! A chunk of the input gives a report of its own; they are merged in the order of the input, so the
//! first pod that is named is the first of the dump, however many cores read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use podgate_policy::{Level, NamespacePolicy};
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
    /// The namespaces with judged pods, by name. By lines, only what [`NamespaceReport::implicit`] needs.
    pub namespaces: BTreeMap<String, NamespaceReport>,
    /// What a reader should know of how the input was read.
    pub notes: Vec<String>,
}

/// Numbers about the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Pods that were judged.
    pub pods: usize,
    /// Those of them that violate what is enforced.
    pub violating: usize,
    /// Those that violate it and are known to (`--known`).
    pub known: usize,
    /// Those that are exempt.
    pub exempt: usize,
    /// Templates of workloads that were judged by the whole chain.
    pub workloads: usize,
    /// Those whose pods would be rejected.
    pub breaking: usize,
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
    /// Those that are exempt.
    pub exempt: usize,
    /// Those that an update or creation would be warned about.
    pub warned: usize,
    /// Those that would be noted in the audit log.
    pub audited: usize,
    /// Those that violate baseline, at the version that is enforced.
    pub over_baseline: usize,
    /// Those that violate restricted, at the version that is enforced.
    pub over_restricted: usize,
    /// Its pods that were judged before an object of the namespace was read.
    pub implicit: usize,
    /// Its workloads whose templates were judged, and pods that the whole chain judged.
    pub workloads: usize,
    /// Those of them whose pods would be rejected, or may be.
    pub templates: BTreeMap<Owner, TemplateReport>,
    /// By who owns them, the pods that violate what is enforced.
    pub owners: BTreeMap<Owner, OwnerReport>,
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
    /// The first of them.
    pub first: String,
    /// What they violate, by the id of the check.
    pub checks: BTreeMap<&'static str, CheckReport>,
}

/// Why the pods of a template would be rejected, by the whole chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateReport {
    /// By whom; `None` where it cannot be known.
    pub by: Option<By>,
    /// The checks that the message names.
    pub checks: Vec<String>,
    /// The message as the server writes it, or why it cannot be known.
    pub message: String,
    /// The fields of the workload at fault, where they were looked for.
    pub fields: Vec<String>,
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
            known,
            exempt,
            workloads,
            breaking,
            undecided,
            namespaces,
            unread,
        } = later;
        self.pods += pods;
        self.violating += violating;
        self.known += known;
        self.exempt += exempt;
        self.workloads += workloads;
        self.breaking += breaking;
        self.undecided += undecided;
        self.namespaces += namespaces;
        self.unread += unread;
    }
}

impl NamespaceReport {
    /// The strictest level that all its pods meet.
    #[must_use]
    pub const fn strictest(&self) -> Level {
        match (self.over_baseline, self.over_restricted) {
            (_, 0) => Level::Restricted,
            (0, _) => Level::Baseline,
            _ => Level::Privileged,
        }
    }

    fn merge(&mut self, later: Self) {
        // Labels may be read between two chunks.
        self.policy = later.policy;
        self.pods += later.pods;
        self.violating += later.violating;
        self.exempt += later.exempt;
        self.warned += later.warned;
        self.audited += later.audited;
        self.over_baseline += later.over_baseline;
        self.over_restricted += later.over_restricted;
        self.implicit += later.implicit;
        self.workloads += later.workloads;
        self.templates.extend(later.templates);
        for (owner, found) in later.owners {
            let known = self.owners.entry(owner).or_default();
            known.pods += found.pods;
            if known.first.is_empty() {
                known.first = found.first;
            }
            for (id, check) in found.checks {
                known.checks.entry(id).or_default().merge(check);
            }
        }
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
