//! The one place where texts are redacted: what differs from run to run, and says nothing about
//! the server.
//!
//! Redacted are
//! - names that the server or a controller made up: the whole name, `<pod>` (known from the
//!   exchange, so no guess is needed);
//! - the namespace that a run made up for a scenario: `<namespace>` (known as well), and one that was
//!   there before, but that only where a server names a namespace: it may be called like a pod;
//! - the random suffix of the service account token's volume: `kube-api-access-<suffix>`;
//! - addresses in Go's struct prints (`(*bool)(0xc0039938bd)`): `(*bool)(<address>)`;
//! - uids, times, and resource versions: `<uid>`, `<time>`, `<resourceVersion>`;
//! - the hash of a pod template or controller revision where a label holds it: `<hash>`;
//! - the order of the errors of several `PodSecurityPolicy` objects, which is that of a Go map and so
//!   random: they are sorted;
//! - the order of the warnings about a namespace's existing pods, which is that of their names: where
//!   one of them names a pod with a made-up name, they are sorted again without it.
//!
//! Only messages, warnings and reasons are touched, and only after a verdict was read off them, so
//! that redaction never changes a verdict, who rejected, or the checks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::outcome::{Outcome, Stage, Verdict};

/// What is known about one exchange that is to be redacted.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// The made-up names with what stands for them, the longest first.
    names: Vec<(String, &'static str)>,
    /// Texts with what stands for them.
    phrases: Vec<(String, String)>,
}

/// What stands around the name of a namespace where a server writes one: in a denial by RBAC, in what
/// the plugins for namespaces, service accounts and Pod Security say, and in the name of a service
/// account.
const AROUND_NAMESPACE: [(&str, &str); 5] = [
    ("namespace \"", "\""),
    ("namespaces \"", "\""),
    ("in namespace ", " because"),
    ("service account ", "/"),
    ("system:serviceaccount:", ":"),
];

impl Redaction {
    /// Nothing is known about the exchange.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The run made up this name for the scenario's namespace.
    #[must_use]
    pub fn namespace(self, name: impl Into<String>) -> Self {
        self.name(name.into(), "<namespace>")
    }

    /// The scenario runs in this namespace, which was there before.
    #[must_use]
    pub fn existing_namespace(mut self, name: &str) -> Self {
        let phrases = AROUND_NAMESPACE.map(|(before, after)| {
            let with = |name: &str| format!("{before}{name}{after}");
            (with(name), with("<namespace>"))
        });
        self.phrases.extend(phrases);
        self
    }

    /// The server or a controller made up this name, or is about to: the prefix of
    /// `generateName`, which the mutating plugins print.
    #[must_use]
    pub fn pod(self, name: impl Into<String>) -> Self {
        self.name(name.into(), "<pod>")
    }

    /// Somebody made up this name; it is written as `placeholder`, in angle brackets.
    #[must_use]
    pub fn name(mut self, name: String, placeholder: &'static str) -> Self {
        if !name.is_empty() {
            self.names.push((name, placeholder));
            self.names
                .sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        }
        self
    }

    /// Redacts both stages of an outcome, and its name.
    pub fn outcome(&self, outcome: &mut Outcome) {
        outcome.object = self.text(&outcome.object);
        self.stage(&mut outcome.own);
        if let Some(pods) = &mut outcome.pods {
            self.stage(pods);
        }
    }

    /// Redacts one stage.
    pub fn stage(&self, stage: &mut Stage) {
        match &mut stage.verdict {
            Verdict::Admitted => {}
            Verdict::Undecided { reason } => *reason = self.text(reason),
            Verdict::Rejected(rejection) => rejection.message = self.text(&rejection.message),
        }
        for warning in &mut stage.warnings {
            *warning = self.text(warning);
        }
        sort_existing_pods(&mut stage.warnings);
        for value in stage
            .audit_annotations
            .iter_mut()
            .flat_map(BTreeMap::values_mut)
        {
            *value = self.text(value);
        }
    }

    /// Redacts a text. To redact twice is to redact once.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        // What is redacted may have hidden where the next one starts: until nothing is left. Each
        // round takes something away that no placeholder brings back.
        while let Some(redacted) = self.once(&text) {
            text = Cow::Owned(redacted);
        }
        text.into_owned()
    }

    fn once(&self, text: &str) -> Option<String> {
        let mut redacted = Cow::Borrowed(text);
        for (phrase, without) in &self.phrases {
            if redacted.contains(phrase) {
                redacted = Cow::Owned(redacted.replace(phrase, without));
            }
        }
        for (name, placeholder) in &self.names {
            if let Some(without) = replace_name(&redacted, name, placeholder) {
                redacted = Cow::Owned(without);
            }
        }
        for at in ANY_VARIABLE.matches(&redacted) {
            let without = EACH_VARIABLE[at]
                .replace_all(&redacted, VARIABLE[at].1)
                .into_owned();
            redacted = Cow::Owned(without);
        }
        if let Some(sorted) = sorted_policy_errors(&redacted) {
            redacted = Cow::Owned(sorted);
        }
        (redacted != text).then(|| redacted.into_owned())
    }
}

/// Sorts the warnings that follow the one that `EvaluatePodsInNamespace` of
/// k8s.io/pod-security-admission heads them with, if one of them names a made-up pod.
fn sort_existing_pods(warnings: &mut [String]) {
    let heading = |text: &String| {
        text.starts_with("existing pods in namespace ")
            && text.contains(" violate the new PodSecurity enforce level ")
    };
    let Some(at) = warnings.iter().position(heading) else {
        return;
    };
    let about_pods = &mut warnings[at + 1..];
    if about_pods.iter().any(|text| text.starts_with("<pod>")) {
        about_pods.sort();
    }
}

/// What needs no context to be known as random, and what is written in its place.
const VARIABLE: [(&str, &str); 7] = [
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "<uid>",
    ),
    // RFC 3339, and the print of a Go time with its monotonic clock.
    (
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d)(?: [A-Z]{3,4})?(?: m=[+-]\d+\.\d+)?",
        "<time>",
    ),
    (r"\)\(0x[0-9a-f]+\)", ")(<address>)"),
    (
        r"\b(resource version: )\d+(, current: )\d+\b",
        "${1}<resourceVersion>${2}<resourceVersion>",
    ),
    (
        r#"\b([Rr]esourceVersion"?: ?"?)\d+\b"#,
        "${1}<resourceVersion>",
    ),
    // The alphabet is that of k8s.io/apimachinery/pkg/util/rand.
    (
        r"\bkube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}\b",
        "kube-api-access-<suffix>",
    ),
    (
        r#"\b((?:pod-template|controller-revision)-hash(?:=|"?: ?"?))[0-9a-z][0-9a-z-]*\b"#,
        "${1}<hash>",
    ),
];

/// Tells in one pass whether anything of [`VARIABLE`] is in a text; most often nothing is.
static ANY_VARIABLE: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(VARIABLE.map(|(pattern, _)| pattern)).expect("fixed patterns"));

static EACH_VARIABLE: LazyLock<[Regex; VARIABLE.len()]> =
    LazyLock::new(|| VARIABLE.map(|(pattern, _)| Regex::new(pattern).expect("fixed patterns")));

/// Replaces a name where it stands as a whole: not inside of a longer name, nor in a placeholder.
fn replace_name(text: &str, name: &str, placeholder: &str) -> Option<String> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut redacted: Option<String> = None;
    let mut copied = 0;
    for (at, _) in text.match_indices(name) {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        // A name that touches a placeholder is part of a longer one that was redacted.
        let inside = before.is_some_and(|c| in_name(c) || c == '>')
            || after.is_some_and(|c| in_name(c) || c == '<');
        if inside || (before == Some('<') && after == Some('>')) {
            continue;
        }
        let out = redacted.get_or_insert_default();
        out.push_str(&text[copied..at]);
        out.push_str(placeholder);
        copied = at + name.len();
    }
    redacted.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

/// The start of an error in the list that a denial of `PodSecurityPolicy` prints, with the space in
/// front of it: a path and what is wrong with it (`Error` in
/// k8s.io/apimachinery/pkg/util/validation/field).
static POLICY_ERROR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r" (?:pod\.)?(?:spec|metadata)[.:\[][^ ]* (?:Invalid value|Forbidden|Required value)",
    )
    .expect("the pattern is fixed")
});

/// The message with its errors sorted, if it is a denial by `PodSecurityPolicy` with several.
pub(crate) fn sorted_policy_errors(text: &str) -> Option<String> {
    let denial = text.find(" is forbidden: PodSecurityPolicy: unable to ")?;
    let list = denial + text[denial..].find("pod: [")? + "pod: [".len();
    let errors = format!(" {}", text[list..].strip_suffix(']')?);
    let starts: Vec<usize> = POLICY_ERROR
        .find_iter(&errors)
        .map(|found| found.start())
        .collect();
    if starts.first() != Some(&0) {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([errors.len()]);
    let mut sorted: Vec<&str> = starts
        .iter()
        .zip(ends)
        .map(|(from, to)| &errors[*from..to])
        .collect();
    sorted.sort_unstable();
    Some(format!(
        "{}{}]",
        &text[..list],
        sorted.concat().trim_start()
    ))
}

#[cfg(test)]
mod tests;
