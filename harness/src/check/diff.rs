//! What changes for manifests from one server to another: what `podgate diff` asks. Both judge an
//! object in turn, and what they say is compared.
//!
//! The case that matters most is the way from `PodSecurityPolicy` to Pod Security: a policy fills
//! fields in, Pod Security only judges. What a policy filled in is put into the manifest, and the
//! other server is asked again: so it is known, not guessed, which check each of these fields answers,
//! and what is missing besides.

mod filled;

use std::path::PathBuf;
use std::sync::Arc;

use podgate_manifest::Source;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub use filled::Filled;

use super::context::{Context, Policy, Target};
use super::finding::{AnswerLine, Finding};
use super::judge::judge;
use super::{Item, Place, each};
use crate::error::Error;
use crate::outcome::By;
use crate::suite::{Manifest, Requester};
use crate::template::Template;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files, folders, and `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Whether folders below a folder count.
    pub recursive: bool,
    /// What charts and kustomizations were rendered to; it comes behind the files.
    pub rendered: Vec<Source>,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub templates: Vec<Arc<Template>>,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// The labels that flags put on every namespace, on both servers.
    pub policy: Policy,
    /// Who applies; `None`: whom each cluster says.
    pub requester: Option<Requester>,
    /// Whether findings say where in the files the fields at fault stand.
    pub locate: bool,
    /// The server of today.
    pub from: Target,
    /// The server to come.
    pub to: Target,
}

/// An object that was judged on both servers.
#[derive(Clone, Debug)]
pub struct Compared {
    /// `Kind/NAMESPACE/NAME`, and where it stands.
    pub place: Place,
    /// What changes; `None` where nothing does.
    pub difference: Option<Box<Difference>>,
}

/// What changes for an object.
#[derive(Clone, Debug)]
pub struct Difference {
    /// In one word.
    pub change: Change,
    /// The verdict of today.
    pub from: Finding,
    /// The verdict to come.
    pub to: Finding,
    /// What a policy fills in today, and nobody will.
    pub filled_in: Vec<Filled>,
    /// What a policy will fill in, and nobody does today.
    pub fills_in: Vec<Filled>,
    /// What the server to come says once the manifest has the fields of `filled_in`, where that
    /// breaks and there are such fields.
    pub remaining: Option<Box<Finding>>,
}

/// What becomes of an object, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It and its pods are admitted today, and will not be.
    Breaks,
    /// It or its pods are rejected today, and will be admitted.
    Admitted,
    /// Of one of the two it cannot be known.
    Undecided,
    /// It is admitted by both, and a policy fills other fields in.
    Stored,
    /// It is admitted by both, with other warnings.
    Warnings,
    /// It is rejected by both, for another reason.
    Reason,
}

impl Change {
    /// Whether the verdict is another, or what runs: all but the words that are said with it.
    #[must_use]
    pub const fn is_verdict(self) -> bool {
        !matches!(self, Self::Warnings | Self::Reason)
    }
}

impl Difference {
    /// The answer that makes the difference: what is rejected, or, where neither is, what is warned
    /// about.
    #[must_use]
    pub fn decisive(&self) -> &AnswerLine {
        let side = if self.change == Change::Admitted {
            &self.from
        } else {
            &self.to
        };
        decisive(side)
    }

    /// The checks that make the difference: those that one of the two servers names and the other
    /// does not.
    #[must_use]
    pub fn checks(&self) -> Vec<&str> {
        let (without, with) = match self.change {
            Change::Admitted => (&self.to, &self.from),
            _ => (&self.from, &self.to),
        };
        let known = &decisive(without).checks;
        let named = decisive(with).checks.iter();
        named
            .filter(|id| !known.contains(id))
            .map(String::as_str)
            .collect()
    }
}

/// One line of `podgate diff -o jsonl`; the names and the order of its fields are part of the
/// contract.
impl Serialize for Difference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("object", &self.to.object)?;
        line.serialize_entry("file", &self.to.file)?;
        line.serialize_entry("line", &self.to.line)?;
        if let Some(source) = &self.to.source {
            line.serialize_entry("source", source)?;
        }
        line.serialize_entry("change", &self.change)?;
        line.serialize_entry("by", &self.decisive().by)?;
        line.serialize_entry("checks", &self.checks())?;
        line.serialize_entry("filledIn", &self.filled_in)?;
        line.serialize_entry("fillsIn", &self.fills_in)?;
        if let Some(remaining) = &self.remaining {
            line.serialize_entry("remaining", &Remaining::of(remaining))?;
        }
        line.serialize_entry("from", &self.from)?;
        line.serialize_entry("to", &self.to)?;
        line.end()
    }
}

/// What is missing once the filled in fields stand in the manifest.
#[derive(Serialize)]
struct Remaining<'a> {
    ok: bool,
    by: Option<By>,
    checks: &'a [String],
    message: Option<&'a str>,
}

impl<'a> Remaining<'a> {
    fn of(finding: &'a Finding) -> Self {
        let answer = decisive(finding);
        Self {
            ok: finding.ok,
            by: answer.by,
            checks: &answer.checks,
            message: answer.message.as_deref(),
        }
    }
}

/// Compares everything that `options` names, and returns what became of each document, in order.
pub fn diff(options: &Options) -> Result<Vec<Item<Compared>>, Error> {
    let both = super::Options {
        files: options.files.clone(),
        recursive: options.recursive,
        rendered: options.rendered.clone(),
        templates: options.templates.clone(),
        namespace: options.namespace.clone(),
        policy: options.policy,
        requester: options.requester.clone(),
        show_object: false,
        locate: options.locate,
        targets: vec![options.from.clone(), options.to.clone()],
    };
    each(&both, &|contexts, manifest| match contexts {
        [from, to] => compare(from, to, manifest, options),
        _ => unreachable!("there are two targets, and a context for each"),
    })
}

fn compare(
    from: &Context,
    to: &Context,
    manifest: &Manifest,
    options: &Options,
) -> (Compared, Option<Error>) {
    let ask = |context: &Context, manifest: &Manifest| {
        judge(context, manifest, &options.namespace, false)
    };
    let (before, after) = (ask(from, manifest), ask(to, manifest));
    let unreadable = after.unreadable.or(before.unreadable);
    let (before, mut after) = (before.finding, after.finding);
    let place = Place::of(&manifest.document, after.object.clone());
    let (mut filled_in, fills_in) = filled::between(&before, &after, manifest, to);
    let Some(change) = change(
        &before,
        &after,
        !filled_in.is_empty() || !fills_in.is_empty(),
    ) else {
        return (
            Compared {
                place,
                difference: None,
            },
            unreadable,
        );
    };
    let mut remaining = None;
    if change == Change::Breaks && !filled_in.is_empty() {
        let ask = |manifest: &Manifest| ask(to, manifest).finding;
        remaining = Some(Box::new(filled::answer(
            &mut filled_in,
            &after,
            manifest,
            &ask,
        )));
    }
    if options.locate {
        after.locate(manifest);
    }
    let difference = Difference {
        change,
        from: before,
        to: after,
        filled_in,
        fills_in,
        remaining,
    };
    let compared = Compared {
        place,
        difference: Some(Box::new(difference)),
    };
    (compared, unreadable)
}

fn change(from: &Finding, to: &Finding, filled: bool) -> Option<Change> {
    let undecided = |finding: &Finding| answers(finding).any(|answer| answer.admitted.is_none());
    if undecided(from) || undecided(to) {
        return Some(Change::Undecided);
    }
    match (from.ok, to.ok) {
        (true, false) => Some(Change::Breaks),
        (false, true) => Some(Change::Admitted),
        (false, false) => (reason(from) != reason(to)).then_some(Change::Reason),
        (true, true) if filled => Some(Change::Stored),
        (true, true) => {
            let warnings = |finding| answers(finding).map(|answer| &answer.warnings);
            (!warnings(from).eq(warnings(to))).then_some(Change::Warnings)
        }
    }
}

/// The answers to an object and to its pods.
fn answers(finding: &Finding) -> impl Iterator<Item = &AnswerLine> {
    let pods = finding.pods.iter().flatten().map(|pod| &pod.answer);
    std::iter::once(&finding.answer).chain(pods)
}

/// The first answer that is no admission; the last one where all are.
fn decisive(finding: &Finding) -> &AnswerLine {
    let rejected = answers(finding).find(|answer| answer.admitted != Some(true));
    rejected
        .or_else(|| answers(finding).last())
        .unwrap_or(&finding.answer)
}

/// Why it is rejected, as far as that can be compared: a message begins with the name of the pod,
/// which is made up.
fn reason(finding: &Finding) -> (Option<By>, &[String], Option<&str>) {
    let answer = decisive(finding);
    let said = answer
        .message
        .as_deref()
        .filter(|_| answer.checks.is_empty());
    let said = said.map(|message| {
        let tail = [" is forbidden: ", " is invalid: "]
            .iter()
            .find_map(|verb| message.split_once(verb));
        tail.map_or(message, |(_, tail)| tail)
    });
    (answer.by, &answer.checks, said)
}
