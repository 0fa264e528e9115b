//! A table whose cells have several lines, each in a style of its own. Columns are as wide as they
//! must be; headers are broken at hyphens, as the names of clusters are long and their verdicts
//! short.

use std::fmt::{self, Write};

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

    fn widths(&self) -> (usize, Vec<usize>) {
        let mut label = 0;
        let mut columns = vec![NARROWEST; self.header.len()];
        for row in &self.rows {
            let Row::Cells(text, cells) = row else {
                continue;
            };
            label = label.max(text.width());
            for (width, cell) in columns.iter_mut().zip(cells) {
                *width = cell
                    .iter()
                    .map(|(_, line)| line.width())
                    .fold(*width, usize::max);
            }
        }
        for (width, name) in columns.iter_mut().zip(&self.header) {
            let longest = name.split_inclusive('-').map(UnicodeWidthStr::width).max();
            *width = (*width).max(longest.unwrap_or(0));
        }
        (label, columns)
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

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, columns) = self.widths();
        let header: Vec<Vec<Line>> = self
            .header
            .iter()
            .zip(&columns)
            .map(|(name, width)| {
                broken(name, *width)
                    .into_iter()
                    .map(|l| (STRONG, l))
                    .collect()
            })
            .collect();
        lines(f, label, "", &columns, &header)?;
        for row in &self.rows {
            match row {
                Row::Heading(text) => writeln!(f, "{}", Painted(STRONG, text))?,
                Row::Cells(text, cells) => lines(f, label, text, &columns, cells)?,
            }
        }
        Ok(())
    }
}

fn lines(
    f: &mut fmt::Formatter<'_>,
    label: usize,
    text: &str,
    columns: &[usize],
    cells: &[Vec<Line>],
) -> fmt::Result {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for at in 0..height {
        let text = if at == 0 { text } else { "" };
        // Trailing blanks are held back: they matter in diffs and to people who copy.
        let mut pending = label - text.width();
        f.write_str(text)?;
        for (width, cell) in columns.iter().zip(cells) {
            pending += GAP.len();
            let Some((style, line)) = cell.get(at) else {
                pending += width;
                continue;
            };
            write!(f, "{:pending$}{}", "", Painted(*style, line))?;
            pending = width - line.width();
        }
        f.write_char('\n')?;
    }
    Ok(())
}

/// A faint line of a cell.
pub(crate) fn faint(text: &str) -> Vec<Line> {
    vec![(FAINT, text.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lays_out() {
        let mut table = Table::new(vec!["psa-baseline-warn-restricted".into(), "b".into()]);
        table.heading("root-pod");
        let plain = |text: &str| (Style::new(), text.to_owned());
        table.row(
            "  Pod/x",
            vec![vec![plain("..1.29 ✓"), plain("1.30.. ✗")], vec![plain("✗")]],
        );
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        let expected = "         psa-        b
         baseline-
         warn-
         restricted
root-pod
  Pod/x  ..1.29 ✓    ✗
         1.30.. ✗
";
        assert_eq!(text, expected);
    }
}
