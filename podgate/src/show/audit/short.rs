//! A namespace in a few lines, where there are too many workloads to tell everything of each: the checks,
//! and who violates them.

use std::collections::BTreeMap;

use podgate_harness::audit::{NamespaceReport, Owner, Report};

use super::super::counted;
use super::super::style::{Painted, REJECTED};
use super::labels::listed;

/// How many workloads are told of one by one, with containers and fields.
const IN_FULL: usize = 40;

/// Whether a report has so much to tell that it is told in short.
pub(super) fn is_for(report: &Report) -> bool {
    let told = report.namespaces.values();
    let told = told.map(|namespace| namespace.owners.len() + namespace.templates.len());
    told.sum::<usize>() > IN_FULL
}

/// What a workload has: pods that violate something, and a template that does.
#[derive(Default)]
struct Told {
    pods: usize,
    template: bool,
}

/// Who violates what in a namespace, a line for those of the same checks: what is new first.
pub(super) fn of_namespace(text: &mut String, namespace: &NamespaceReport, width: usize) {
    let mut by_checks: BTreeMap<(bool, String), BTreeMap<&Owner, Told>> = BTreeMap::new();
    for (owner, found) in namespace.owners.iter().filter(|(_, found)| found.pods > 0) {
        let checks: Vec<&str> = found.checks.keys().map(AsRef::as_ref).collect();
        let key = (found.already == found.pods, checks.join(", "));
        by_checks
            .entry(key)
            .or_default()
            .entry(owner)
            .or_default()
            .pods = found.pods;
    }
    for (owner, template) in &namespace.templates {
        let mut checks: Vec<&str> = template.checks.iter().map(String::as_str).collect();
        checks.sort_unstable();
        let checks = match template.by {
            None => "undecided".to_owned(),
            Some(by) if checks.is_empty() => by.to_string(),
            Some(_) => checks.join(", "),
        };
        let key = (template.already, checks);
        by_checks
            .entry(key)
            .or_default()
            .entry(owner)
            .or_default()
            .template = true;
    }
    for ((already, checks), owners) in by_checks {
        let names: Vec<String> = owners
            .iter()
            .map(|(owner, told)| named(owner, told))
            .collect();
        let today = if already { " (today already)" } else { "" };
        let checks = format!("{}{today}", Painted(REJECTED, &checks));
        listed(text, &checks, &names, "  ", width);
    }
}

/// `Deployment/web (3 pods, template)`
fn named(owner: &Owner, told: &Told) -> String {
    let pods = (told.pods > 0).then(|| counted(told.pods, "pod"));
    let template = told.template.then(|| "template".to_owned());
    let parts: Vec<String> = pods.into_iter().chain(template).collect();
    format!("{owner} ({})", parts.join(", "))
}
