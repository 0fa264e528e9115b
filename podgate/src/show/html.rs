//! A run as one HTML page that needs nothing else: the matrix to filter and to click, with what the
//! server said in place. It is complete without scripts: cells open as `details`, and filters are
//! boxes that the style sheet reads. A script adds the search for a name.

use std::fmt::{self, Write};

use podgate_harness::outcome::Outcome;
use podgate_harness::record::{Cell, Record, folded};
use podgate_policy::Minor;

use super::matrix::{self, Sight};
use super::problems::{self, Problem};
use super::run;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// A text of a user or a server as it stands in HTML, also in an attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The page.
pub(crate) fn page(record: &Record, problems: &[Problem]) -> String {
    let mut page = String::new();
    let summary = run::ran(record);
    // Nothing of what users wrote can load or run anything here, even if it were not escaped.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>podgate</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n\
         <h1>podgate</h1>\n<p>{}</p>\n",
        columns(record),
        Escaped(&summary)
    );
    told(&mut page, problems);
    filters(&mut page, record);
    for cells in record.cells.chunk_by(|a, b| a.scenario == b.scenario) {
        scenario(&mut page, record, cells, problems);
    }
    let _ = writeln!(
        page,
        "<p class=\"legend\">{}</p>\n<script>\n{SCRIPT}</script>\n</body>\n</html>",
        Escaped(&matrix::legend(record))
    );
    page
}

/// The rule that hides the column of a cluster whose box is not ticked.
fn columns(record: &Record) -> String {
    let rules = (0..record.columns().len()).map(|at| {
        format!("body:has(#cluster-{at}:not(:checked)) .cluster-{at} {{ display: none }}\n")
    });
    rules.collect()
}

/// Everything that is wrong.
fn told(page: &mut String, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    page.push_str("<section class=\"problems\">\n<h2>What is wrong</h2>\n");
    for problem in problems {
        let _ = writeln!(
            page,
            "<details open><summary><b>{}</b> {}</summary>",
            Escaped(&problem.title),
            Escaped(&problem.subject())
        );
        difference(page, problem);
        page.push_str("</details>\n");
    }
    page.push_str("</section>\n");
}

/// What was and what is, and where it stands.
fn difference(page: &mut String, problem: &Problem) {
    page.push_str("<pre>");
    for line in problem.message.lines() {
        let tag = match line.split_once(": ") {
            Some(("recorded", _)) => "del",
            Some(("observed", _)) => "ins",
            _ => "span",
        };
        let _ = writeln!(page, "<{tag}>{}</{tag}>", Escaped(line));
    }
    page.push_str("</pre>\n");
    let place = problem.place.iter().filter(|_| problem.faults.is_empty());
    for (place, field) in place.map(|place| (place, "")).chain(
        problem
            .faults
            .iter()
            .map(|fault| (&fault.place, fault.field.as_str())),
    ) {
        let _ = writeln!(
            page,
            "<p class=\"place\">{}:{}:{} {}</p>",
            Escaped(&place.file),
            place.line,
            place.column,
            Escaped(field)
        );
    }
}

fn filters(page: &mut String, record: &Record) {
    page.push_str("<form>\n<fieldset><legend>Show</legend>\n");
    for (id, label, on) in [
        ("all", "everything", true),
        ("changed", "changed", false),
        ("rejected", "rejected", false),
        ("warned", "warned", false),
        ("undecided", "undecided", false),
    ] {
        let checked = if on { " checked" } else { "" };
        let _ = writeln!(
            page,
            "<label><input type=\"radio\" name=\"show\" id=\"show-{id}\"{checked}> {label}</label>"
        );
    }
    page.push_str("</fieldset>\n<fieldset><legend>Clusters</legend>\n");
    for (at, cluster) in record.columns().iter().enumerate() {
        let _ = writeln!(
            page,
            "<label><input type=\"checkbox\" id=\"cluster-{at}\" checked> {}</label>",
            Escaped(cluster)
        );
    }
    page.push_str("</fieldset>\n<label id=\"search\" hidden>Search <input type=\"search\"></label>\n</form>\n");
}

/// A row of the matrix: an object, and its cells by cluster.
struct Row<'a> {
    label: String,
    object: &'a str,
    cells: Vec<Vec<&'a Cell>>,
}

fn scenario(page: &mut String, record: &Record, cells: &[Cell], problems: &[Problem]) {
    let Some(first) = cells.first() else { return };
    let clusters = record.columns();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for cell in cells {
        let label = matrix::label(&cell.outcome);
        let at = rows.iter().position(|row| row.label == label);
        let at = at.unwrap_or_else(|| {
            rows.push(Row {
                label,
                object: &cell.object,
                cells: vec![Vec::new(); clusters.len()],
            });
            rows.len() - 1
        });
        if let Some(cluster) = clusters.iter().position(|c| *c == cell.cluster) {
            rows[at].cells[cluster].push(cell);
        }
    }
    let _ = writeln!(
        page,
        "<section class=\"scenario\">\n<h2>{}</h2>",
        Escaped(&first.scenario)
    );
    let known = record
        .scenarios
        .iter()
        .find(|known| known.id == first.scenario);
    if let Some(description) = known.and_then(|known| known.description.as_deref()) {
        let _ = writeln!(page, "<p>{}</p>", Escaped(description));
    }
    page.push_str("<table>\n<thead><tr><th></th>");
    for (at, cluster) in record.columns().iter().enumerate() {
        let _ = write!(page, "<th class=\"cluster-{at}\">{}</th>", Escaped(cluster));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let of_scenario = problems.iter().filter(|p| p.scenario == first.scenario);
        let changed = of_scenario
            .clone()
            .any(|p| p.object.is_empty() || p.object.contains(row.object));
        let mut classes: Vec<&str> = row
            .cells
            .iter()
            .flatten()
            .map(|cell| class(&cell.outcome))
            .collect();
        classes.extend(changed.then_some("changed"));
        classes.sort_unstable();
        classes.dedup();
        let _ = write!(
            page,
            "<tr class=\"{}\"><th>{}",
            classes.join(" "),
            Escaped(&row.label)
        );
        if let Some(place) = record.place(&first.scenario, row.object) {
            let _ = write!(
                page,
                "<small>{}:{}</small>",
                Escaped(&place.file),
                place.line
            );
        }
        page.push_str("</th>");
        for (at, cells) in row.cells.iter().enumerate() {
            let name = Escaped(&clusters[at]);
            let _ = write!(page, "<td class=\"cluster-{at}\" data-cluster=\"{name}\">");
            if cells.is_empty() {
                page.push('·');
            }
            for (outcome, minors) in grouped(cells) {
                verdict(page, outcome, &minors, cells.len());
            }
            page.push_str("</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</section>\n");
}

/// The cells of an object on a cluster, those that say the same together.
fn grouped<'a>(cells: &[&'a Cell]) -> Vec<(&'a Outcome, Vec<Minor>)> {
    let mut groups: Vec<(String, &Outcome, Vec<Minor>)> = Vec::new();
    for cell in cells {
        let said = said(&cell.outcome);
        match groups.iter_mut().find(|(known, ..)| *known == said) {
            Some((.., minors)) => minors.push(cell.kubernetes),
            None => groups.push((said, &cell.outcome, vec![cell.kubernetes])),
        }
    }
    groups
        .into_iter()
        .map(|(_, outcome, minors)| (outcome, minors))
        .collect()
}

/// What the server answered, in its words.
fn said(outcome: &Outcome) -> String {
    let mut text = problems::told(&outcome.own);
    if let Some(pods) = &outcome.pods {
        let _ = write!(
            text,
            "\npods (created by {}): {}",
            pods.requester,
            problems::told(pods)
        );
    }
    text
}

fn verdict(page: &mut String, outcome: &Outcome, minors: &[Minor], all: usize) {
    let sight = Sight::of(outcome);
    let class = class(outcome);
    let range = if minors.len() == all {
        String::new()
    } else {
        format!("{} ", folded(minors))
    };
    let sign = sight.sign();
    if sight == Sight::Admitted {
        let _ = write!(page, "<span class=\"{class}\">{range}{sign}</span>");
        return;
    }
    let _ = write!(
        page,
        "<details><summary class=\"{class}\">{range}{sign}</summary><pre>{}</pre><p class=\"place\">Kubernetes {}</p></details>",
        Escaped(&said(outcome)),
        Escaped(&folded(minors))
    );
}

fn class(outcome: &Outcome) -> &'static str {
    match Sight::of(outcome) {
        Sight::Admitted | Sight::Changed => "admitted",
        Sight::Warned | Sight::ByMasters => "warned",
        Sight::PodsRejected | Sight::Rejected => "rejected",
        Sight::Undecided => "undecided",
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "\"><script>alert('x')</script>&";
        let expected = "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;";
        assert_eq!(Escaped(hostile).to_string(), expected);
    }
}
