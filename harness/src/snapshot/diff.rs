//! The difference between two texts as a reviewer reads it. Colour is left to the caller.

use similar::{ChangeTag, TextDiff};

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffLine {
    /// Whether it was there before, is new, or stands around a change.
    pub tag: LineTag,
    /// The line, without its newline.
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTag {
    /// It stands unchanged near a change.
    Context,
    /// It is recorded, and was not observed.
    Removed,
    /// It was observed, and is not recorded.
    Added,
    /// Lines are left out here; the text is empty.
    Gap,
}

impl LineTag {
    /// The sign in front of the line.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Context => ' ',
            Self::Removed => '-',
            Self::Added => '+',
            Self::Gap => '…',
        }
    }
}

/// The lines in which two texts differ, each with up to `context` unchanged lines around it.
#[must_use]
pub fn diff(before: &str, after: &str, context: usize) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    let mut next = 0;
    for group in diff.grouped_ops(context) {
        if group.first().is_some_and(|op| op.old_range().start > next) {
            lines.push(DiffLine {
                tag: LineTag::Gap,
                text: String::new(),
            });
        }
        next = group.last().map_or(next, |op| op.old_range().end);
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let tag = match change.tag() {
                ChangeTag::Equal => LineTag::Context,
                ChangeTag::Delete => LineTag::Removed,
                ChangeTag::Insert => LineTag::Added,
            };
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(DiffLine { tag, text });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_differs() {
        let before = "a\nb\nc\nd\ne\nf\n";
        let after = "a\nb\nc\nd\nE\nf\n";
        let shown: Vec<String> = diff(before, after, 1)
            .iter()
            .map(|line| format!("{}{}", line.tag.sign(), line.text))
            .collect();
        assert_eq!(shown, ["…", " d", "-e", "+E", " f"]);
        assert!(diff(before, before, 1).is_empty());
    }
}
