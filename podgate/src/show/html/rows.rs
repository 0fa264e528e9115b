//! The rows of the page's matrix: an object, what is to be seen of it on each cluster, and below it,
//! once it is opened, what was asked for and what was answered.

use std::fmt::Write;

use podgate_harness::fault::Fault;
use podgate_harness::outcome::{Outcome, Stage, Verdict};
use podgate_harness::record::{Cell, Record, ScenarioRecord, folded};
use podgate_policy::{Minor, Server, text};

use super::super::matrix::{self, Sight};
use super::super::policies;
use super::super::problems::Problem;
use super::super::verdicts;
use super::Escaped;

/// A row of the page.
pub(super) struct Row<'a> {
    /// Its place among all rows.
    pub(super) number: usize,
    pub(super) object: matrix::Object<'a>,
    /// What the filters look for.
    pub(super) classes: Vec<&'static str>,
    /// What is wrong with it.
    pub(super) problems: Vec<&'a Problem>,
}

/// The rows of a run, scenario by scenario.
pub(super) fn of<'a>(record: &'a Record, problems: &'a [Problem]) -> Vec<Row<'a>> {
    let row = |(number, object): (usize, matrix::Object<'a>)| {
        let cells = || object.cells.iter().flatten();
        let about = |problem: &&Problem| {
            problem.scenario == object.scenario
                && cells().any(|cell| is_about(problem, &cell.outcome))
        };
        let problems: Vec<&Problem> = problems.iter().filter(about).collect();
        let mut classes: Vec<&str> = cells().map(|cell| class(&cell.outcome)).collect();
        classes.extend((!problems.is_empty()).then_some("changed"));
        classes.sort_unstable();
        classes.dedup();
        Row {
            number,
            object,
            classes,
            problems,
        }
    };
    let objects = matrix::objects(record).into_iter();
    objects.enumerate().map(row).collect()
}

/// Whether a problem is about the object and the step of an outcome.
fn is_about(problem: &Problem, outcome: &Outcome) -> bool {
    let object = problem.object.as_str();
    let object = object.strip_suffix(" (its pods)").unwrap_or(object);
    let numbered = |step: &podgate_harness::outcome::Step| {
        object == format!("{}. {}", step.number, outcome.object)
    };
    object == outcome.object
        || object == matrix::label(outcome)
        || outcome.step.as_ref().is_some_and(numbered)
}

impl Row<'_> {
    /// Writes it with the cells of those clusters that its scenario runs on. What is more than a
    /// plain admission can be opened.
    pub(super) fn write(
        &self,
        page: &mut String,
        scenario: Option<&ScenarioRecord>,
        clusters: &[(usize, String)],
    ) {
        let plain = |cell: &&Cell| Sight::of(&cell.outcome) == Sight::Admitted;
        let opens = !self.problems.is_empty() || !self.object.cells.iter().flatten().all(plain);
        let (element, line) = if opens {
            ("details", "summary")
        } else {
            ("div", "div")
        };
        let open = if self.problems.is_empty() {
            ""
        } else {
            " open"
        };
        let _ = write!(
            page,
            "<{element} class=\"row {}\" id=\"row-{}\"{open}><{line} class=\"line\"><span class=\"object\">{}",
            self.classes.join(" "),
            self.number,
            Escaped(&self.object.label)
        );
        let outcome = self
            .object
            .cells
            .iter()
            .flatten()
            .next()
            .map(|cell| &cell.outcome);
        let known = scenario.and_then(|known| known.object(&outcome?.object));
        if let (Some(known), Some(scenario)) = (known, scenario) {
            let (place, line) = (&known.place, known.place.line);
            let file = scenario.file.display().to_string();
            let file = if place.file == file { "" } else { &place.file };
            let _ = write!(page, " <small>{}:{line}</small>", Escaped(file));
        }
        page.push_str("</span>");
        for (at, name) in clusters {
            cell(page, *at, name, &self.object.cells[*at]);
        }
        let _ = writeln!(page, "</{line}>");
        if opens {
            page.push_str("<div class=\"said\">\n");
            for problem in &self.problems {
                let _ = writeln!(
                    page,
                    "<div class=\"change\"><p><b>{}</b> {}</p>",
                    Escaped(&problem.title),
                    Escaped(&problem.subject())
                );
                difference(page, problem);
                page.push_str("</div>\n");
            }
            for (at, name) in clusters {
                answers(page, scenario, *at, name, &self.object.cells[*at]);
            }
            page.push_str("</div>\n");
        }
        let _ = writeln!(page, "</{element}>");
    }
}

/// What is to be seen of an object on a cluster.
fn cell(page: &mut String, at: usize, name: &str, cells: &[&Cell]) {
    let empty = if cells.is_empty() { " none" } else { "" };
    let _ = write!(
        page,
        "<span class=\"cell cluster-{at}{empty}\" data-cluster=\"{at}\"><b>{}</b> ",
        Escaped(name)
    );
    if cells.is_empty() {
        page.push('·');
    }
    for (range, sight) in matrix::fold(&matrix::sights(cells)) {
        let range = range.map(|range| format!("{range} ")).unwrap_or_default();
        let _ = write!(
            page,
            "<i class=\"{}\">{range}{}</i> ",
            of_sight(sight),
            sight.sign()
        );
    }
    page.push_str("</span>");
}

/// What one cluster answered, minors that say the same together.
fn answers(
    page: &mut String,
    scenario: Option<&ScenarioRecord>,
    at: usize,
    name: &str,
    cells: &[&Cell],
) {
    let mut groups: Vec<(&Outcome, Vec<Minor>)> = Vec::new();
    for cell in cells {
        let outcome = &cell.outcome;
        match groups
            .iter_mut()
            .find(|(known, _)| says_the_same(known, outcome))
        {
            Some((_, minors)) => minors.push(cell.kubernetes),
            None => groups.push((outcome, vec![cell.kubernetes])),
        }
    }
    groups.retain(|(outcome, _)| Sight::of(outcome) != Sight::Admitted);
    if groups.is_empty() {
        return;
    }
    let _ = writeln!(
        page,
        "<section class=\"cluster-{at}\"><h3>{}</h3>",
        Escaped(name)
    );
    for (outcome, minors) in groups {
        let minor = minors.last().copied().unwrap_or(Minor::NEWEST);
        let known = scenario.and_then(|known| known.manifest_of(outcome));
        let faults: Vec<&Fault> = known.into_iter().flat_map(|known| &known.faults).collect();
        let minors = folded(&minors);
        let stages = [("", Some(&outcome.own)), ("pods ", outcome.pods.as_ref())];
        for (whose, stage) in stages {
            if let Some(stage) = stage {
                let minors = Escaped(&minors);
                answer(
                    page,
                    &format!("<b>{minors}</b> {whose}"),
                    stage,
                    minor,
                    &faults,
                );
            }
        }
    }
    page.push_str("</section>\n");
}

/// Whether two minors are told together.
fn says_the_same(a: &Outcome, b: &Outcome) -> bool {
    let same =
        |a: &Stage, b: &Stage| a.verdict == b.verdict && a.psp == b.psp && a.warnings == b.warnings;
    let pods = match (&a.pods, &b.pods) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    };
    pods && same(&a.own, &b.own)
}

/// What the server answered to one request.
fn answer(page: &mut String, whose: &str, stage: &Stage, minor: Minor, faults: &[&Fault]) {
    let (class, head, message) = match &stage.verdict {
        Verdict::Admitted => ("admitted", "admitted".to_owned(), None),
        Verdict::Rejected(it) => {
            let head = format!("rejected {} by {}", it.code, it.by);
            ("rejected", head, Some(&it.message))
        }
        Verdict::Undecided { reason } => ("undecided", "undecided".to_owned(), Some(reason)),
    };
    let head = stage.psp.as_ref().map_or(head, policies::admitted);
    let _ = writeln!(
        page,
        "<p>{whose}<span class=\"{class}\">{}</span></p>",
        Escaped(&head)
    );
    if let Some(text) = message {
        said(page, text, minor, faults);
    }
    if let Some(applied) = stage.psp.as_ref().filter(|it| !it.changes.is_empty()) {
        page.push_str("<ul>");
        for change in &applied.changes {
            let _ = write!(page, "<li>{}</li>", Escaped(&change.to_string()));
        }
        page.push_str("</ul>\n");
    }
    if stage
        .psp
        .as_ref()
        .is_some_and(|applied| applied.only_by_masters)
    {
        let requester = Escaped(&stage.requester);
        let _ = writeln!(
            page,
            "<p class=\"warned\">only because {requester} is in system:masters</p>"
        );
    }
    for warning in &stage.warnings {
        page.push_str("<p class=\"warned\">warning</p>");
        said(page, warning, minor, faults);
    }
}

/// A message of a server in its words: a violation a line where it is Pod Security's, and where in
/// the manifest it has its reason.
fn said(page: &mut String, message: &str, minor: Minor, faults: &[&Fault]) {
    let at = |page: &mut String, is_about: &dyn Fn(&Fault) -> bool| {
        let places = verdicts::listed(&verdicts::places(faults, is_about));
        if !places.is_empty() {
            let _ = write!(page, " <small>{}</small>", Escaped(&places));
        }
    };
    page.push_str("<div class=\"message\">");
    if let Some((before, pieces)) = text::pieces(Server::new(minor), message) {
        let _ = write!(page, "{}<ul>", Escaped(before));
        for (_, piece) in pieces {
            let _ = write!(page, "<li>{}", Escaped(piece));
            at(page, &|fault| fault.text == piece);
            page.push_str("</li>");
        }
        page.push_str("</ul>");
    } else {
        let _ = write!(page, "{}", Escaped(message));
        at(page, &|fault| message.contains(&fault.text));
    }
    page.push_str("</div>\n");
}

/// What was and what is, and where it stands.
pub(super) fn difference(page: &mut String, problem: &Problem) {
    page.push_str("<pre>");
    let mut tag = "span";
    for line in problem.message.lines() {
        // What is indented belongs to what stands above.
        tag = match line.split_once(": ") {
            Some(("recorded", _)) => "del",
            Some(("observed", _)) => "ins",
            _ if line.starts_with(' ') => tag,
            _ => "span",
        };
        let _ = write!(page, "<{tag}>{}</{tag}>", Escaped(line));
    }
    page.push_str("</pre>\n");
    let place = problem.place.iter().filter(|_| problem.faults.is_empty());
    let of_faults = problem.faults.iter();
    let places = place.map(|place| (place, ""));
    for (place, field) in places.chain(of_faults.map(|fault| (&fault.place, fault.field.as_str())))
    {
        let at = format!("at {place} {field}");
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", Escaped(&at));
    }
}

fn class(outcome: &Outcome) -> &'static str {
    of_sight(Sight::of(outcome))
}

const fn of_sight(sight: Sight) -> &'static str {
    match sight {
        Sight::Admitted | Sight::Changed => "admitted",
        Sight::Warned | Sight::ByMasters => "warned",
        Sight::PodsRejected | Sight::Rejected => "rejected",
        Sight::Undecided => "undecided",
    }
}
