//! The one document that `podgate audit -o json` prints. It grows with namespaces and owners, not with
//! pods; its keys are those of `podgate check` where they say the same.

use std::collections::BTreeMap;

use serde::Serialize;

use super::report::{
    CheckReport, Counts, FaultReport, NamespaceReport, Over, Owner, OwnerReport, Report,
    TemplateReport, Unread,
};
use crate::check::Target;
use crate::outcome::By;

/// An audit as one document. The names of its keys are part of the contract.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'r> {
    summary: Summary<'r>,
    namespaces: Vec<Namespace<'r>>,
    unread: UnreadObjects<'r>,
    late: Vec<Late<'r>>,
    not_judged: &'r BTreeMap<String, usize>,
    notes: &'r [String],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'r> {
    cluster: Option<&'r str>,
    kubernetes: String,
    /// What it is compared with, where that was asked for.
    from: Option<Server<'r>>,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize)]
struct Server<'r> {
    cluster: Option<&'r str>,
    kubernetes: String,
}

#[derive(Debug, Serialize)]
struct UnreadObjects<'r> {
    count: usize,
    first: &'r [Unread],
}

#[derive(Debug, Serialize)]
struct Late<'r> {
    namespace: &'r str,
    pods: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Namespace<'r> {
    #[serde(rename = "namespace")]
    name: &'r str,
    enforce: String,
    audit: String,
    warn: String,
    /// The strictest level that all its pods and templates meet; null where there are none, or where
    /// the server knows no levels.
    passes: Option<&'static str>,
    /// The labels to set.
    labels: BTreeMap<&'static str, String>,
    exempt: bool,
    pods: usize,
    violating: usize,
    already: usize,
    better: usize,
    exempt_pods: usize,
    audited: usize,
    warned: usize,
    workloads: usize,
    baseline: Level<'r>,
    restricted: Level<'r>,
    owners: Vec<OfOwner<'r>>,
    templates: Vec<Template<'r>>,
    better_templates: Vec<String>,
}

/// What a level has against the objects of a namespace.
#[derive(Debug, Serialize)]
struct Level<'r> {
    pods: usize,
    templates: usize,
    checks: &'r BTreeMap<&'static str, usize>,
}

#[derive(Debug, Serialize)]
struct OfOwner<'r> {
    owner: String,
    pods: usize,
    already: usize,
    better: usize,
    first: &'r str,
    checks: Vec<OfCheck<'r>>,
}

#[derive(Debug, Serialize)]
struct OfCheck<'r> {
    check: &'r str,
    pods: usize,
    message: &'r str,
    containers: Vec<&'r str>,
    fields: Vec<&'r str>,
}

#[derive(Debug, Serialize)]
struct Template<'r> {
    object: String,
    admitted: Option<bool>,
    by: Option<By>,
    code: Option<u16>,
    checks: &'r [String],
    message: &'r str,
    already: bool,
    fields: &'r [FaultReport],
}

impl<'r> Document<'r> {
    /// The document of a report on `to`, against `from` where that was asked for.
    #[must_use]
    pub fn of(report: &'r Report, to: &'r Target, from: Option<&'r Target>) -> Self {
        let to = Server::of(to);
        let namespaces = report.namespaces.iter();
        let late = report.late.iter().map(|(namespace, pods)| Late {
            namespace,
            pods: *pods,
        });
        Self {
            summary: Summary {
                cluster: to.cluster,
                kubernetes: to.kubernetes,
                from: from.map(Server::of),
                counts: report.counts,
            },
            namespaces: namespaces
                .map(|(name, found)| Namespace::of(name, found, report.has_levels))
                .collect(),
            unread: UnreadObjects {
                count: report.counts.unread,
                first: &report.unread,
            },
            late: late.collect(),
            not_judged: &report.not_judged,
            notes: &report.notes,
        }
    }
}

impl<'r> Server<'r> {
    fn of(target: &'r Target) -> Self {
        let cluster = target.cluster.as_ref();
        Self {
            cluster: cluster.map(|cluster| cluster.name.as_str()),
            kubernetes: target.minor.to_string(),
        }
    }
}

impl<'r> Namespace<'r> {
    fn of(name: &'r str, found: &'r NamespaceReport, has_levels: bool) -> Self {
        let labels = if has_levels {
            found.labels()
        } else {
            Vec::new()
        };
        let templates = found.templates.iter();
        let better = found.better_templates.iter();
        Self {
            name,
            enforce: found.policy.enforce.to_string(),
            audit: found.policy.audit.to_string(),
            warn: found.policy.warn.to_string(),
            passes: (has_levels && found.has_objects()).then(|| found.strictest().as_str()),
            labels: labels.into_iter().collect(),
            exempt: found.exempted,
            pods: found.pods,
            violating: found.violating,
            already: found.already,
            better: found.better,
            exempt_pods: found.exempt,
            audited: found.audited,
            warned: found.warned,
            workloads: found.workloads,
            baseline: Level::of(&found.baseline),
            restricted: Level::of(&found.restricted),
            owners: found.owners.iter().map(OfOwner::of).collect(),
            templates: templates.map(|it| Template::of(name, it)).collect(),
            better_templates: better.map(|owner| object(name, owner)).collect(),
        }
    }
}

impl<'r> Level<'r> {
    const fn of(over: &'r Over) -> Self {
        Self {
            pods: over.pods,
            templates: over.templates,
            checks: &over.checks,
        }
    }
}

impl<'r> OfOwner<'r> {
    fn of((owner, found): (&'r Owner, &'r OwnerReport)) -> Self {
        let checks = found.checks.iter();
        Self {
            owner: owner.to_string(),
            pods: found.pods,
            already: found.already,
            better: found.better,
            first: &found.first,
            checks: checks.map(|(id, check)| OfCheck::of(id, check)).collect(),
        }
    }
}

impl<'r> OfCheck<'r> {
    fn of(id: &'r str, check: &'r CheckReport) -> Self {
        Self {
            check: id,
            pods: check.pods,
            message: &check.detail,
            containers: check.containers.iter().map(String::as_str).collect(),
            fields: check.fields.iter().map(String::as_str).collect(),
        }
    }
}

impl<'r> Template<'r> {
    fn of(namespace: &str, (owner, template): (&Owner, &'r TemplateReport)) -> Self {
        Self {
            object: object(namespace, owner),
            admitted: template.by.map(|_| false),
            by: template.by,
            code: template.code,
            checks: &template.checks,
            message: &template.message,
            already: template.already,
            fields: &template.faults,
        }
    }
}

/// `Kind/NAMESPACE/NAME`, as lines call it.
fn object(namespace: &str, owner: &Owner) -> String {
    format!("{}/{namespace}/{}", owner.kind, owner.name)
}
