//! What an audit tells people: how far it is, counts, what violates what, by namespace and owner, and
//! the labels to set.

mod labels;
mod short;

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use podgate_harness::audit::{
    CheckReport, NamespaceReport, Owner, OwnerReport, Report, TemplateReport, Watch,
};
use podgate_harness::error::Error;
use podgate_policy::Minor;

use super::style::{FAINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use super::{bytes, counted, note, verdicts, width};

/// How far an audit is: a line on a terminal, nothing in a pipe.
pub(crate) struct Reading {
    terminal: bool,
    line: OnceLock<ProgressBar>,
}

impl Reading {
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            line: OnceLock::new(),
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if let Some(line) = self.line.get() {
            line.finish_and_clear();
        }
    }

    fn line(&self, size: Option<u64>) -> Option<&ProgressBar> {
        if !self.terminal {
            return None;
        }
        Some(self.line.get_or_init(|| {
            let template = match size {
                Some(_) => "{bar:30} {bytes} of {total_bytes}  {msg}  {bytes_per_sec}  {eta} left",
                None => "{spinner} {bytes}  {msg}  {bytes_per_sec}",
            };
            let line = ProgressBar::new(size.unwrap_or_default());
            if let Ok(style) = ProgressStyle::with_template(template) {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            line
        }))
    }
}

impl Watch for Reading {
    fn lines(&self, lines: &[u8]) -> Result<bool, Error> {
        bytes(lines)
    }

    fn progress(&self, read: u64, pods: usize) {
        if let Some(line) = self.line(None) {
            line.set_position(read);
            line.set_message(counted(pods, "pod"));
        }
    }

    fn size(&self, bytes: u64) {
        self.line(Some(bytes));
    }
}

/// The counts in a line or two.
pub(crate) fn summary(report: &Report, minor: Minor) -> String {
    let counts = &report.counts;
    let mut text = format!(
        "Kubernetes {minor}: {}, {} violating{}",
        counted(counts.pods, "pod"),
        counts.violating,
        in_part(counts.already, counts.known)
    );
    if counts.exempt > 0 {
        let _ = write!(text, ", {} exempt", counts.exempt);
    }
    if counts.workloads > 0 {
        let templates = counted(counts.workloads, "pod template");
        let in_part = in_part(counts.breaking_already, counts.breaking_known);
        let _ = write!(text, "; {templates}, {} breaking{in_part}", counts.breaking);
    }
    for (count, what) in [(counts.undecided, "undecided"), (counts.unread, "not read")] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text.push('\n');
    if counts.better + counts.breaking_better > 0 {
        let pods = counted(counts.better, "pod");
        let templates = counted(counts.breaking_better, "pod template");
        let _ = writeln!(
            text,
            "rejected today and admitted then: {pods}, {templates}"
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "{} {note}", Painted(WARNED, "note:"));
    }
    if !report.not_judged.is_empty() {
        let kinds = report.not_judged.iter();
        let kinds: Vec<String> = kinds
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let _ = writeln!(text, "not judged: {}", kinds.join(", "));
    }
    text
}

/// ` (2 today already, 1 known)`
fn in_part(already: usize, known: usize) -> String {
    let parts = [(already, "today already"), (known, "known")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!(" ({})", parts.join(", "))
}

/// The whole report.
pub(crate) fn text(report: &Report, minor: Minor) -> String {
    let mut text = String::new();
    let short = short::is_for(report);
    for (name, namespace) in &report.namespaces {
        let improves = namespace.better + namespace.better_templates.len();
        if namespace.violating + improves > 0 || !namespace.templates.is_empty() {
            head(&mut text, name, namespace);
            if short {
                short::of_namespace(&mut text, namespace, width());
            } else {
                in_full(&mut text, namespace, minor);
            }
            better(&mut text, namespace);
        }
    }
    if short {
        text.push_str("told in short: -o json has the containers and fields of each workload\n");
    }
    if report.has_levels {
        let labels = labels::text(report, width());
        if !text.is_empty() && !labels.is_empty() {
            text.push('\n');
        }
        text.push_str(&labels);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(report, minor));
    text
}

/// A namespace, and how it stands to what it is to enforce.
fn head(text: &mut String, name: &str, namespace: &NamespaceReport) {
    let policy = &namespace.policy;
    let mut head = format!(
        "enforce {}: {} of {} violate it{}",
        policy.enforce,
        namespace.violating,
        counted(namespace.pods, "pod"),
        in_part(namespace.already, 0)
    );
    let modes = [
        ("warned about", policy.warn, namespace.warned),
        ("audited", policy.audit, namespace.audited),
    ];
    for (what, level, count) in modes {
        if count > 0 && level != policy.enforce {
            let _ = write!(head, "; {count} {what} by {level}");
        }
    }
    let _ = writeln!(text, "{}  {}", Painted(STRONG, name), Painted(FAINT, &head));
}

/// Every workload with its checks, containers and fields: what is new first.
fn in_full(text: &mut String, namespace: &NamespaceReport, minor: Minor) {
    for old in [false, true] {
        let owners = namespace.owners.iter().filter(|(_, found)| found.pods > 0);
        for (owner, found) in owners.filter(|(_, it)| (it.already == it.pods) == old) {
            of_owner(text, owner, found);
            if let Some(template) = namespace.templates.get(owner).filter(|it| same(found, it)) {
                let breaks = breaks(template);
                let _ = writeln!(text, "    the same of its template, which {breaks}");
            }
        }
        let templates = namespace.templates.iter();
        for (owner, template) in templates.filter(|(_, it)| it.already == old) {
            let found = namespace.owners.get(owner);
            if !found.is_some_and(|found| same(found, template)) {
                of_template(text, owner, template, minor);
            }
        }
    }
}

/// Whether a template is rejected by the same checks as the pods of its workload.
fn same(found: &OwnerReport, template: &TemplateReport) -> bool {
    let mut of_pods = found.checks.keys();
    template.checks.len() == found.checks.len()
        && of_pods.all(|id| template.checks.iter().any(|of_template| of_template == id))
}

fn breaks(template: &TemplateReport) -> String {
    let what = match template.by {
        Some(by) => Painted(REJECTED, &format!("breaks at the next restart, by {by}")).to_string(),
        None => Painted(UNDECIDED, "may break at the next restart").to_string(),
    };
    let already = if template.already {
        ", today already"
    } else {
        ""
    };
    format!("{what}{already}")
}

fn of_template(text: &mut String, owner: &Owner, template: &TemplateReport, minor: Minor) {
    let _ = writeln!(text, "  {owner}  {}", breaks(template));
    let body = verdicts::message(&template.message, minor, &[], "    ", width());
    text.push_str(&body);
    let fields = template.faults.iter().map(|fault| fault.field.as_str());
    some(text, fields.collect());
}

fn of_owner(text: &mut String, owner: &Owner, found: &OwnerReport) {
    let named = match (owner.name.as_str(), found.pods) {
        ("", 1) => format!("Pod/{}", found.first),
        ("", _) => "pods that nobody owns".to_owned(),
        (name, _) => format!("{}/{name}", owner.kind),
    };
    let first = match found.pods {
        1 => format!("1 pod: {}", found.first),
        pods => format!("{pods} pods, the first {}", found.first),
    };
    let already = match found.already {
        0 => String::new(),
        all if all == found.pods => "; rejected today already".to_owned(),
        some => format!("; {some} rejected today already"),
    };
    let told = format!("{first}{already}");
    let _ = writeln!(text, "  {named}  {}", Painted(FAINT, &told));
    for (id, check) in &found.checks {
        of_check(text, id, check, found.pods);
    }
}

fn of_check(text: &mut String, id: &str, check: &CheckReport, pods: usize) {
    let count = if check.pods == pods {
        String::new()
    } else {
        format!("  {} of them", check.pods)
    };
    let _ = writeln!(
        text,
        "    {}  {}{count}",
        Painted(REJECTED, id),
        check.detail
    );
    some(text, check.fields.iter().map(String::as_str).collect());
}

/// Fields, a line each: the first, and how many more there are.
fn some(text: &mut String, fields: Vec<&str>) {
    const SHOWN: usize = 4;
    let more = fields.len().saturating_sub(SHOWN);
    for field in fields.into_iter().take(SHOWN) {
        let _ = writeln!(text, "      {}", Painted(FAINT, field));
    }
    if more > 0 {
        let _ = writeln!(
            text,
            "      {}",
            Painted(FAINT, &format!("and {more} more"))
        );
    }
}

/// What is rejected today, and admitted then.
fn better(text: &mut String, namespace: &NamespaceReport) {
    let owners = namespace
        .owners
        .iter()
        .filter(|(_, found)| found.better > 0);
    let owners = owners.map(|(owner, found)| format!("{owner} ({})", counted(found.better, "pod")));
    let templates = namespace.better_templates.iter();
    let templates = templates.map(|owner| format!("{owner} (template)"));
    let all: Vec<String> = owners.chain(templates).collect();
    if all.is_empty() {
        return;
    }
    let line = format!("rejected today, admitted then: {}", all.join(", "));
    text.push_str(&verdicts::filled(&line, "  ", "  ", width()));
}

/// Says what could not be read, the first of it, and what was read too late.
pub(crate) fn unread(report: &Report) {
    for (namespace, pods) in &report.late {
        let pods = counted(*pods, "pod");
        super::error(
            &Error::input(format!("namespace {namespace} stands behind {pods} of its own, judged without its labels"))
                .hint("put namespaces first: kubectl get namespaces,pods -A -o json; or hand in a file, which is read twice"),
        );
    }
    for unread in &report.unread {
        super::error(&Error::input(format!(
            "{}:{}: {}",
            unread.file, unread.line, unread.error
        )));
    }
    let more = report.counts.unread - report.unread.len();
    if more > 0 {
        note(&format!("and {more} more that could not be read"));
    }
}
