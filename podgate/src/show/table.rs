//! A table whose cells have several lines, each in a style of its own. Where the names of columns fit
//! beside each other, they stand on one line; else they are broken at hyphens, as the names of
//! clusters are long and their verdicts short; and columns that do not fit even so follow in a
//! table of their own below.

use std::fmt::Write;
use std::ops::Range;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::style::{FAINT, Painted, STRONG};

/// A line of a cell.
pub(crate) type Line = (Style, String);

/// A table.
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Row>,
}

enum Row {
    /// A heading over the whole width.
    Heading(String),
    /// A label, and a cell for each column.
    Cells(String, Vec<Vec<Line>>),
}

/// Narrower columns would break every header into crumbs.
const NARROWEST: usize = 10;
const GAP: &str = "  ";

impl Table {
    /// A table with these columns beside the labels.
    pub(crate) fn new(header: Vec<String>) -> Self {
        Self {
            header,
            rows: Vec::new(),
        }
    }

    pub(crate) fn heading(&mut self, text: impl Into<String>) {
        self.rows.push(Row::Heading(text.into()));
    }

    pub(crate) fn row(&mut self, label: impl Into<String>, cells: Vec<Vec<Line>>) {
        self.rows.push(Row::Cells(label.into(), cells));
    }

    /// The table in lines of at most `width` columns, as far as its widest label and cell allow.
    pub(crate) fn render(&self, width: usize) -> String {
        let label = self
            .cells()
            .map(|(label, _)| label.width())
            .max()
            .unwrap_or(0);
        let whole = self.widths(UnicodeWidthStr::width);
        let fits = |columns: &[usize]| {
            label + columns.iter().map(|c| GAP.len() + c).sum::<usize>() <= width
        };
        let columns = if fits(&whole) {
            whole
        } else {
            self.widths(|name| {
                let parts = name.split_inclusive('-').map(UnicodeWidthStr::width);
                parts.max().unwrap_or(0)
            })
        };
        let mut text = String::new();
        let mut from = 0;
        while from < columns.len() {
            let mut to = from + 1;
            while to < columns.len() && fits(&columns[from..=to]) {
                to += 1;
            }
            if from > 0 {
                text.push('\n');
            }
            self.block(&mut text, label, &columns, from..to);
            from = to;
        }
        text
    }

    fn cells(&self) -> impl Iterator<Item = (&str, &[Vec<Line>])> {
        self.rows.iter().filter_map(|row| match row {
            Row::Heading(_) => None,
            Row::Cells(label, cells) => Some((label.as_str(), cells.as_slice())),
        })
    }

    /// How wide each column has to be where its name takes so much.
    fn widths(&self, of_name: impl Fn(&str) -> usize) -> Vec<usize> {
        let mut columns: Vec<usize> = self
            .header
            .iter()
            .map(|name| of_name(name).max(NARROWEST))
            .collect();
        for (_, cells) in self.cells() {
            for (width, cell) in columns.iter_mut().zip(cells) {
                let lines = cell.iter().map(|(_, line)| line.width());
                *width = lines.fold(*width, usize::max);
            }
        }
        columns
    }

    /// The table with some of its columns.
    fn block(&self, text: &mut String, label: usize, columns: &[usize], part: Range<usize>) {
        let columns = &columns[part.clone()];
        let header: Vec<Vec<Line>> = self.header[part.clone()]
            .iter()
            .zip(columns)
            .map(|(name, width)| {
                let lines = broken(name, *width).into_iter();
                lines.map(|line| (STRONG, line)).collect()
            })
            .collect();
        lines(text, label, "", columns, &header);
        // A part of the columns shows only the rows that have something there.
        let mut pending = None;
        for row in &self.rows {
            match row {
                Row::Heading(heading) => pending = Some(heading),
                Row::Cells(name, cells) => {
                    let cells = &cells[part.clone()];
                    if cells.iter().all(|cell| *cell == nothing()) {
                        continue;
                    }
                    if let Some(heading) = pending.take() {
                        let _ = writeln!(text, "{}", Painted(STRONG, heading));
                    }
                    lines(text, label, name, columns, cells);
                }
            }
        }
    }
}

/// The parts of a name, as many on a line as fit.
fn broken(name: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in name.split_inclusive('-') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.width() + part.width() <= width => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines
}

fn lines(text: &mut String, label: usize, name: &str, columns: &[usize], cells: &[Vec<Line>]) {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for at in 0..height {
        let name = if at == 0 { name } else { "" };
        // Trailing blanks are held back: they matter in diffs and to people who copy.
        let mut pending = label - name.width();
        text.push_str(name);
        for (width, cell) in columns.iter().zip(cells) {
            pending += GAP.len();
            let Some((style, line)) = cell.get(at) else {
                pending += width;
                continue;
            };
            let _ = write!(text, "{:pending$}{}", "", Painted(*style, line));
            pending = width - line.width();
        }
        text.push('\n');
    }
}

/// A cell in which there is nothing.
pub(crate) fn nothing() -> Vec<Line> {
    vec![(FAINT, "·".to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(width: usize) -> String {
        let mut table = Table::new(vec!["psa-baseline-warn-restricted".into(), "b".into()]);
        table.heading("root-pod");
        let plain = |text: &str| (Style::new(), text.to_owned());
        table.row(
            "  Pod/x",
            vec![vec![plain("..1.29 ✓"), plain("1.30.. ✗")], vec![plain("✗")]],
        );
        anstream::adapter::strip_str(&table.render(width)).to_string()
    }

    #[test]
    fn names_stand_whole_where_they_fit() {
        let expected = "         psa-baseline-warn-restricted  b
root-pod
  Pod/x  ..1.29 ✓                      ✗
         1.30.. ✗
";
        assert_eq!(rendered(49), expected);
    }

    #[test]
    fn else_they_are_broken_at_hyphens() {
        let expected = "         psa-        b
         baseline-
         warn-
         restricted
root-pod
  Pod/x  ..1.29 ✓    ✗
         1.30.. ✗
";
        assert_eq!(rendered(48), expected);
    }

    #[test]
    fn rows_with_nothing_in_a_part_are_left_out_of_it() {
        let mut table = Table::new(vec!["first-cluster".into(), "second-cluster".into()]);
        let sign = || vec![(Style::new(), "✓".to_owned())];
        table.heading("one");
        table.row("  Pod/a", vec![sign(), nothing()]);
        table.heading("two");
        table.row("  Pod/b", vec![nothing(), sign()]);
        let rendered = anstream::adapter::strip_str(&table.render(20)).to_string();
        let expected = "         first-
         cluster
one
  Pod/a  ✓

         second-
         cluster
two
  Pod/b  ✓
";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn what_does_not_fit_follows_below() {
        let expected = "         psa-
         baseline-
         warn-
         restricted
root-pod
  Pod/x  ..1.29 ✓
         1.30.. ✗

         b
root-pod
  Pod/x  ✗
";
        assert_eq!(rendered(24), expected);
    }
}
