//! From a document's text to the file's: a YAML document is read with `\n` at the end of each line,
//! whatever the file has there, and the file may end without one.

use super::Change;

/// The byte where a line begins, counted from one.
pub(super) fn line_start(text: &str, line: usize) -> usize {
    let mut feeds = memchr::memchr_iter(b'\n', text.as_bytes());
    match line.checked_sub(2) {
        None => 0,
        Some(before) => feeds.nth(before).map_or(text.len(), |feed| feed + 1),
    }
}

/// A change of `text`, the lines of `file` from byte `start` on, as a change of `file`.
pub(super) fn in_file(file: &str, start: usize, text: &str, change: &Change) -> Change {
    let range =
        offset(file, start, text, change.range.start)..offset(file, start, text, change.range.end);
    let before = &file[..range.start];
    let ending = line_ending(&file[..range.end]);
    let mut new = change.text.replace('\n', ending);
    let is_lines = new.ends_with(ending) && range.is_empty();
    if is_lines && range.start == file.len() && !before.is_empty() && !before.ends_with('\n') {
        // The last line has no break: the new ones go behind it, and have none at their end either.
        new = format!("{ending}{}", new.strip_suffix(ending).unwrap_or(&new));
    }
    Change { range, text: new }
}

/// The break of the last line before the end of `text` that has one.
fn line_ending(text: &str) -> &'static str {
    match text.rfind('\n') {
        Some(feed) if text[..feed].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn offset(file: &str, start: usize, text: &str, at: usize) -> usize {
    let before = &text[..at];
    let line = before.rfind('\n').map_or(0, |feed| feed + 1);
    let lines = memchr::memchr_iter(b'\n', &before.as_bytes()[..line]).count();
    let rest = &file[start..];
    let begin = match lines.checked_sub(1) {
        None => 0,
        Some(last) => memchr::memchr_iter(b'\n', rest.as_bytes())
            .nth(last)
            .map_or(rest.len(), |feed| feed + 1),
    };
    (start + begin + (at - line)).min(file.len())
}
