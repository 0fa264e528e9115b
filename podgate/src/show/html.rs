//! A run as one HTML page that needs nothing else: the matrix to filter and to click, with what the
//! server said and what changed in place. It is complete without scripts: rows open as `details`, and
//! filters are boxes that the style sheet reads. A script adds the search, and points at the cluster
//! whose cell was clicked.

mod rows;

use std::fmt::{self, Write};

use podgate_harness::record::Record;

use super::problems::Problem;
use super::{counted, matrix, run};
use rows::Row;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The filters of rows: a class, and what its button says.
const FILTERS: [(&str, &str); 4] = [
    ("changed", "to look at"),
    ("rejected", "rejected"),
    ("warned", "warned"),
    ("undecided", "undecided"),
];

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
    let rows = rows::of(record, problems);
    let mut page = String::new();
    // Nothing of what users wrote can load or run anything here, even if it were not escaped.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>podgate</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n\
         <header>\n<h1>podgate</h1>\n<p>{}</p>\n",
        columns(record),
        Escaped(&run::ran(record))
    );
    told(&mut page, problems, &rows);
    page.push_str("</header>\n");
    filters(&mut page, record, &rows);
    page.push_str("<main>\n");
    for rows in rows.chunk_by(|a, b| a.object.scenario == b.object.scenario) {
        scenario(&mut page, record, rows);
    }
    let _ = writeln!(
        page,
        "</main>\n<p class=\"faint\">{}</p>\n<script>\n{SCRIPT}</script>\n</body>\n</html>",
        Escaped(&matrix::legend(record))
    );
    page
}

/// The rules that hide what is of a cluster whose box is not ticked, and what a filter leaves out.
fn columns(record: &Record) -> String {
    let mut rules = String::new();
    for at in 0..record.columns().len() {
        let _ = writeln!(
            rules,
            "body:has(#cluster-{at}:not(:checked)) .cluster-{at} {{ display: none }}"
        );
    }
    for (class, label) in FILTERS {
        let chosen = format!("body:has(#show-{class}:checked)");
        let _ = writeln!(
            rules,
            "{chosen} .row:not(.{class}), {chosen} .scenario:not(:has(.row.{class})) {{ display: none }}\n\
             {chosen} main:not(:has(.row.{class}))::after {{ content: \"There is nothing {label}.\" }}"
        );
    }
    rules
}

/// Everything that is wrong, each with a link to the row where it is shown.
fn told(page: &mut String, problems: &[Problem], rows: &[Row<'_>]) {
    if problems.is_empty() {
        page.push_str("<p class=\"good\">All is as recorded and as expected.</p>\n");
        return;
    }
    let count = counted(problems.len(), "thing");
    let _ = writeln!(
        page,
        "<section class=\"problems\">\n<h2>{count} to look at</h2>\n<ul>"
    );
    for problem in problems {
        let row = rows.iter().find(|row| {
            row.problems
                .iter()
                .any(|known| std::ptr::eq(*known, problem))
        });
        let title = format!("<b>{}</b>", Escaped(&problem.title));
        let subject = problem.subject();
        let subject = Escaped(&subject);
        if let Some(row) = row {
            let number = row.number;
            let _ = writeln!(
                page,
                "<li><a href=\"#row-{number}\">{title} {subject}</a></li>"
            );
        } else {
            let _ = writeln!(page, "<li>{title} {subject}");
            rows::difference(page, problem);
            page.push_str("</li>\n");
        }
    }
    page.push_str("</ul>\n</section>\n");
}

fn filters(page: &mut String, record: &Record, rows: &[Row<'_>]) {
    page.push_str("<form>\n<fieldset><legend>Show</legend>\n");
    let all = ("all", "everything", rows.len());
    let filters = FILTERS.map(|(class, label)| {
        let count = rows.iter().filter(|row| row.classes.contains(&class));
        (class, label, count.count())
    });
    for (class, label, count) in std::iter::once(all).chain(filters) {
        let checked = if class == "all" { " checked" } else { "" };
        let _ = writeln!(
            page,
            "<label><input type=\"radio\" name=\"show\" id=\"show-{class}\"{checked}> {label} <small>{count}</small></label>"
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
    page.push_str(
        "</fieldset>\n<input type=\"search\" id=\"search\" aria-label=\"Search\" \
         placeholder=\"a name, or a word of a message\" hidden>\n</form>\n",
    );
}

/// A scenario with the clusters that it runs on.
fn scenario(page: &mut String, record: &Record, rows: &[Row<'_>]) {
    let Some(first) = rows.first() else { return };
    let ran: Vec<(usize, String)> = record
        .columns()
        .into_iter()
        .enumerate()
        .filter(|(at, _)| rows.iter().any(|row| !row.object.cells[*at].is_empty()))
        .collect();
    let _ = writeln!(
        page,
        "<section class=\"scenario\" style=\"--clusters: {}\">\n<h2>{}</h2>",
        ran.len(),
        Escaped(first.object.scenario)
    );
    let known = record
        .scenarios
        .iter()
        .find(|known| known.id == first.object.scenario);
    if let Some(known) = known {
        let file = known.file.display().to_string();
        let _ = writeln!(page, "<p class=\"faint\">{}</p>", Escaped(&file));
        if let Some(description) = &known.description {
            let _ = writeln!(page, "<p>{}</p>", Escaped(description));
        }
    }
    page.push_str(
        "<div class=\"matrix\">\n<div class=\"line head\" aria-hidden=\"true\"><span></span>",
    );
    for (at, cluster) in &ran {
        let _ = write!(
            page,
            "<span class=\"cluster-{at}\">{}</span>",
            Escaped(cluster)
        );
    }
    page.push_str("</div>\n");
    for row in rows {
        row.write(page, known, &ran);
    }
    page.push_str("</div>\n</section>\n");
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
