//! What an audit tells people: how far it is, counts, and what violates what, by namespace and owner.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use podgate_harness::audit::{CheckReport, NamespaceReport, Owner, OwnerReport, Report, Watch};
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
        "Kubernetes {minor}: {}, {} violating",
        counted(counts.pods, "pod"),
        counts.violating
    );
    for (count, what) in [(counts.known, "known"), (counts.exempt, "exempt")] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    if counts.workloads > 0 {
        let templates = counted(counts.workloads, "pod template");
        let _ = write!(text, "; {templates}, {} breaking", counts.breaking);
    }
    for (count, what) in [(counts.undecided, "undecided"), (counts.unread, "not read")] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text.push('\n');
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

/// The whole report.
pub(crate) fn text(report: &Report, minor: Minor) -> String {
    let mut text = String::new();
    for (name, namespace) in &report.namespaces {
        if namespace.violating > 0 || !namespace.templates.is_empty() {
            of_namespace(&mut text, name, namespace, minor);
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(report, minor));
    text
}

fn of_namespace(text: &mut String, name: &str, namespace: &NamespaceReport, minor: Minor) {
    let _ = writeln!(
        text,
        "{}  {}",
        Painted(STRONG, name),
        Painted(
            FAINT,
            &format!(
                "enforce {}: {} of {} violate it; all pass {}",
                namespace.policy.enforce,
                namespace.violating,
                counted(namespace.pods, "pod"),
                namespace.strictest()
            )
        )
    );
    for (owner, found) in &namespace.owners {
        of_owner(text, owner, found);
    }
    for (owner, template) in &namespace.templates {
        let what = match template.by {
            Some(by) => {
                Painted(REJECTED, &format!("breaks at the next restart, by {by}")).to_string()
            }
            None => Painted(UNDECIDED, "may break at the next restart").to_string(),
        };
        let _ = writeln!(text, "  {owner}  {what}");
        text.push_str(&verdicts::message(
            &template.message,
            minor,
            &[],
            "    ",
            width(),
        ));
        for field in &template.fields {
            let _ = writeln!(text, "      {}", Painted(FAINT, field));
        }
    }
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
    let _ = writeln!(text, "  {named}  {}", Painted(FAINT, &first));
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
    for field in &check.fields {
        let _ = writeln!(text, "      {}", Painted(FAINT, field));
    }
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
