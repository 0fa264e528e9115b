//! Why something is not admitted, in lines that read well.

use std::fmt::Write;

use podgate_harness::fault::{Fault, Place};
use podgate_harness::outcome::{Outcome, Stage, Verdict};
use podgate_harness::record::{Cell, ScenarioRecord};
use podgate_harness::versions::ranges;
use podgate_policy::{Minor, Server, text};
use textwrap::core::display_width;

use super::style::{FAINT, HINT, Painted, REJECTED, STRONG, UNDECIDED, WARNED};
use super::{matrix, place, policies};

/// The rejections of one object with the clusters and minors that agree on them.
struct Reason<'a> {
    stage: &'a Stage,
    /// The minor that the stage is of.
    newest: Minor,
    of_pods: bool,
    cells: Vec<(&'a str, Vec<Minor>)>,
}

/// One outcome with the place that it comes from.
pub(crate) struct Placed<'a> {
    /// The cluster's name.
    pub(crate) cluster: &'a str,
    /// The minor.
    pub(crate) minor: Minor,
    /// The outcome.
    pub(crate) outcome: &'a Outcome,
}

impl<'a> Placed<'a> {
    pub(crate) fn of(cell: &'a Cell) -> Self {
        Self {
            cluster: &cell.cluster,
            minor: cell.kubernetes,
            outcome: &cell.outcome,
        }
    }
}

/// The reasons of every rejection in `outcomes`, which all come from `scenario`. Cells that name the
/// same checks are told together, in the words of the newest minor among them.
pub(crate) fn reasons(scenario: &ScenarioRecord, outcomes: &[Placed<'_>], width: usize) -> String {
    let mut labels: Vec<String> = Vec::new();
    for placed in outcomes {
        let label = matrix::label(placed.outcome);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut text = String::new();
    for label in labels {
        let of_object: Vec<&Placed<'_>> = outcomes
            .iter()
            .filter(|p| matrix::label(p.outcome) == label)
            .collect();
        let reasons = grouped(&of_object);
        if reasons.is_empty() {
            continue;
        }
        let known = of_object
            .first()
            .and_then(|placed| scenario.manifest_of(placed.outcome));
        let _ = match known.map(|known| &known.place) {
            Some(Place { file, line, .. }) => {
                let place = format!("{file}:{line}");
                writeln!(
                    text,
                    "  {}  {}",
                    Painted(STRONG, &label),
                    Painted(FAINT, &place)
                )
            }
            None => writeln!(text, "  {}", Painted(STRONG, &label)),
        };
        let faults: Vec<&Fault> = known.into_iter().flat_map(|known| &known.faults).collect();
        for reason in reasons {
            let places: Vec<String> = reason
                .cells
                .iter()
                .map(|(cluster, minors)| {
                    let shown: Vec<String> =
                        ranges(minors).iter().map(ToString::to_string).collect();
                    format!("{cluster} {}", shown.join(", "))
                })
                .collect();
            let who = if reason.of_pods { "pods " } else { "" };
            let head = format!("{who}{}", head(reason.stage));
            text.push_str(&beside(&head, &places, width));
            text.push_str(&body(reason.stage, reason.newest, &faults, "      ", width));
            if let Some(hint) = policies::nobody_may_use(reason.stage, reason.of_pods) {
                let hint = format!("{} {hint}", Painted(HINT, "hint:"));
                text.push_str(&filled(&hint, "      ", "      ", width));
            }
        }
    }
    text
}

fn grouped<'a>(outcomes: &[&Placed<'a>]) -> Vec<Reason<'a>> {
    let mut reasons: Vec<Reason<'a>> = Vec::new();
    for placed in outcomes {
        let stages = [
            (false, Some(&placed.outcome.own)),
            (true, placed.outcome.pods.as_ref()),
        ];
        for (of_pods, stage) in stages {
            let Some(stage) = stage.filter(|stage| has_reason(stage)) else {
                continue;
            };
            let same = |r: &Reason<'_>| {
                r.of_pods == of_pods
                    && alike(&r.stage.verdict, &stage.verdict)
                    && r.stage.psp == stage.psp
            };
            let at = reasons.iter().position(same).unwrap_or_else(|| {
                let (newest, cells) = (placed.minor, Vec::new());
                reasons.push(Reason {
                    stage,
                    newest,
                    of_pods,
                    cells,
                });
                reasons.len() - 1
            });
            let reason = &mut reasons[at];
            // Outcomes come by cluster and then by minor, so the last one is the newest.
            (reason.stage, reason.newest) = (stage, placed.minor);
            match reason.cells.last_mut() {
                Some((cluster, minors)) if *cluster == placed.cluster => minors.push(placed.minor),
                _ => reason.cells.push((placed.cluster, vec![placed.minor])),
            }
        }
    }
    reasons
}

/// Whether there is more to say of a verdict than that the object is admitted.
fn has_reason(stage: &Stage) -> bool {
    let policy = stage.psp.as_ref();
    !stage.verdict.is_admitted()
        || policy.is_some_and(|psp| psp.only_by_masters || !psp.changes.is_empty())
}

fn alike(a: &Verdict, b: &Verdict) -> bool {
    match (a, b) {
        (Verdict::Rejected(a), Verdict::Rejected(b)) => {
            a.by == b.by && a.checks == b.checks && (!a.checks.is_empty() || a.message == b.message)
        }
        (a, b) => a == b,
    }
}

/// `rejected 403 by PodSecurity`
pub(crate) fn head(stage: &Stage) -> String {
    match &stage.verdict {
        Verdict::Admitted => match &stage.psp {
            Some(applied) => policies::admitted(applied),
            None => "admitted".to_owned(),
        },
        Verdict::Rejected(rejection) => Painted(
            REJECTED,
            &format!("rejected {} by {}", rejection.code, rejection.by),
        )
        .to_string(),
        Verdict::Undecided { .. } => Painted(UNDECIDED, "undecided").to_string(),
    }
}

/// The reason behind a verdict: one violation a line where Pod Security says why, the message
/// otherwise; of what is admitted, what its policy changed. `faults` are those that are known.
pub(crate) fn body(
    stage: &Stage,
    minor: Minor,
    faults: &[&Fault],
    indent: &str,
    width: usize,
) -> String {
    match &stage.verdict {
        Verdict::Admitted => {
            let mut text = String::new();
            if let Some(applied) = &stage.psp {
                text.push_str(&policies::changes(applied, indent, width));
                if applied.only_by_masters {
                    let requester = &stage.requester;
                    text.push_str(&policies::only_by_masters(requester, indent, width));
                }
            }
            text
        }
        Verdict::Undecided { reason } => wrapped(reason, indent, "", width),
        Verdict::Rejected(rejection) => message(&rejection.message, minor, faults, indent, width),
    }
}

/// A message of a server, with one violation a line where it is Pod Security's, and where in the
/// user's files it has its reasons.
pub(crate) fn message(
    message: &str,
    minor: Minor,
    faults: &[&Fault],
    indent: &str,
    width: usize,
) -> String {
    if let Some((_, pieces)) = text::pieces(Server::new(minor), message) {
        return violations(&pieces, faults, indent, width);
    }
    let places = places(faults, |fault| message.contains(&fault.text));
    wrapped(message, indent, "", width) + &at(&places, indent, width)
}

/// A warning, as the server sent it.
pub(crate) fn warning(
    text: &str,
    minor: Minor,
    faults: &[&Fault],
    indent: &str,
    width: usize,
) -> String {
    let head = Painted(WARNED, "warning:");
    let inner = format!("{indent}  ");
    let Some((before, pieces)) = text::pieces(Server::new(minor), text) else {
        let places = places(faults, |fault| text.contains(&fault.text));
        return filled(&format!("{head} {text}"), indent, "  ", width)
            + &at(&places, &inner, width);
    };
    let before = before.trim_end_matches([':', ' ']);
    let violations = violations(&pieces, faults, &inner, width);
    format!("{indent}{head} {before}\n{violations}")
}

/// Violations, a line each. Those that have their reasons at the same places are followed by them.
pub(crate) fn violations(
    pieces: &[(&str, &str)],
    faults: &[&Fault],
    indent: &str,
    width: usize,
) -> String {
    let with_places = pieces
        .iter()
        .map(|(_, piece)| (*piece, places(faults, |fault| fault.text == *piece)));
    let with_places: Vec<(&str, Vec<&Place>)> = with_places.collect();
    let mut text = String::new();
    for alike in with_places.chunk_by(|(_, a), (_, b)| a == b) {
        for (piece, _) in alike {
            text.push_str(&wrapped(piece, indent, "- ", width));
        }
        if let [(_, places), ..] = alike {
            text.push_str(&at(places, &format!("{indent}  "), width));
        }
    }
    text
}

/// The places of those faults that a message is about, in the order of the file.
pub(crate) fn places<'a>(
    faults: &[&'a Fault],
    is_about: impl Fn(&Fault) -> bool,
) -> Vec<&'a Place> {
    let named = faults.iter().filter(|fault| !fault.field.is_empty());
    let mut places: Vec<&Place> = named
        .filter(|fault| is_about(fault))
        .map(|fault| &fault.place)
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// `at k8s/web.yaml:18:13, 24:3`; nothing where no place is known.
pub(crate) fn listed(places: &[&Place]) -> String {
    let mut line = String::new();
    let mut before: Option<&Place> = None;
    for place in places {
        line.push_str(if before.is_some() { ", " } else { "at " });
        if before.is_none_or(|before| place::file(before) != place::file(place)) {
            let _ = match &place.source {
                Some(source) => write!(line, "{source}, rendered "),
                None => write!(line, "{}:", place.file),
            };
        }
        let _ = write!(line, "{}:{}", place.line, place.column);
        before = Some(place);
    }
    line
}

/// The same as a line of a text.
pub(crate) fn at(places: &[&Place], indent: &str, width: usize) -> String {
    let line = listed(places);
    if line.is_empty() {
        return line;
    }
    let lines = filled(&line, indent, "   ", width);
    format!("{}\n", Painted(FAINT, lines.trim_end()))
}

fn wrapped(text: &str, indent: &str, bullet: &str, width: usize) -> String {
    let first = format!("{indent}{bullet}");
    let rest = format!("{indent}{:1$}", "", bullet.len());
    let mut text = textwrap::fill(text, wrapping(width, &first, &rest));
    text.push('\n');
    text
}

/// A head and where it holds: beside it where that fits, else on lines of their own below it.
fn beside(head: &str, places: &[String], width: usize) -> String {
    let all = places.join("; ");
    let (head_width, all_width) = (display_width(head), display_width(&all));
    if 4 + head_width + 2 + all_width <= width {
        return format!("    {head}  {}\n", Painted(FAINT, &all));
    }
    let mut lines = vec![String::new()];
    for (at, place) in places.iter().enumerate() {
        let end = if at + 1 < places.len() { ";" } else { "" };
        match lines.last_mut() {
            // A place is never broken: a cluster and its versions stand together.
            Some(line) if line.is_empty() => *line = format!("{place}{end}"),
            Some(line) if 6 + display_width(line) + 1 + display_width(place) < width => {
                let _ = write!(line, " {place}{end}");
            }
            _ => lines.push(format!("{place}{end}")),
        }
    }
    let mut text = format!("    {head}\n");
    for line in lines {
        let _ = writeln!(text, "      {}", Painted(FAINT, &line));
    }
    text
}

/// A text in lines: the first starts with `indent`, the others with `hanging` behind it.
pub(crate) fn filled(text: &str, indent: &str, hanging: &str, width: usize) -> String {
    let rest = format!("{indent}{hanging}");
    let mut text = textwrap::fill(text, wrapping(width, indent, &rest));
    text.push('\n');
    text
}

/// Words stay whole: a name that is broken at a hyphen cannot be copied, nor searched for.
fn wrapping<'a>(width: usize, first: &'a str, rest: &'a str) -> textwrap::Options<'a> {
    textwrap::Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false)
}
