//! What `podgate fix` tells people: the diff on stdout; on stderr what cannot be fixed and why, and
//! what an admitted pod may still lack to run.

use std::fmt::Write;
use std::path::Path;

use podgate_harness::fault::Fault;
use podgate_harness::fix::{self, File, FixedField, Origin, Outcome};

use super::style::{ADMITTED, FAINT, HINT, Painted, REJECTED, STRONG, UNDECIDED};
use super::{counted, findings, note, place, verdicts, width};

/// The diff of a file, in colour where that shows.
pub(crate) fn diff(path: &Path, file: &File) -> String {
    let plain = fix::unified(path, &file.before, &file.after);
    let mut text = String::with_capacity(plain.len());
    for line in plain.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let style = match content.as_bytes().first() {
            _ if content.starts_with("--- ") || content.starts_with("+++ ") => STRONG,
            Some(b'+') => ADMITTED,
            Some(b'-') => REJECTED,
            Some(b'@') => HINT,
            _ => {
                text.push_str(line);
                continue;
            }
        };
        let _ = write!(text, "{}", Painted(style, content));
        text.push_str(&line[content.len()..]);
    }
    text
}

/// Tells what became of the objects; nothing where there was nothing to do.
pub(crate) fn tell(files: &[File], written: bool) {
    let mut count = [0_usize; 4];
    let mut text = String::new();
    let mut cautions: Vec<&str> = Vec::new();
    for object in files.iter().flat_map(|file| &file.objects) {
        let place = findings::shown(&object.place);
        match &object.outcome {
            Outcome::Admitted => count[0] += 1,
            Outcome::Fixed(fields) => {
                count[1] += 1;
                let verb = if written { "fixed" } else { "can be fixed" };
                let _ = writeln!(text, "{} {place}", Painted(ADMITTED, verb));
                for field in fields {
                    text.push_str(&fixed(field));
                    if !cautions.contains(&field.caution) {
                        cautions.push(field.caution);
                    }
                }
            }
            Outcome::Left(faults) => {
                count[2] += 1;
                let _ = writeln!(text, "{} {place}", Painted(REJECTED, "left as it is"));
                for fault in faults {
                    text.push_str(&left(fault));
                }
            }
            Outcome::Undecided(reason) => {
                count[3] += 1;
                let _ = writeln!(
                    text,
                    "{} {place}: {reason}",
                    Painted(UNDECIDED, "undecided")
                );
            }
            Outcome::Unreadable(error) => {
                count[3] += 1;
                super::error(error);
            }
        }
    }
    let mut unreadable = 0;
    for error in files.iter().flat_map(|file| &file.unreadable) {
        unreadable += 1;
        super::error(error);
    }
    let total: usize = count.iter().sum();
    if total == 0 && unreadable == 0 {
        note("there is nothing to fix: no pod and no workload");
        return;
    }
    if count[0] == total {
        return;
    }
    if !cautions.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            Painted(HINT, "admitted is not the same as running:")
        );
        for caution in cautions {
            text.push_str(&verdicts::filled(caution, "  ", "  ", width()));
        }
    }
    let mut parts = Vec::new();
    let verb = if written { "fixed" } else { "can be fixed" };
    for (count, what) in [
        (count[1], verb),
        (count[0], "ok already"),
        (count[2], "left"),
        (count[3], "undecided"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let mut objects = files.iter().flat_map(|file| &file.objects);
    if objects.any(|object| object.place.source.is_some()) {
        let _ = writeln!(text, "{}", Painted(FAINT, place::RENDERED));
    }
    let is_rendered =
        |file: &File| matches!(file.origin, Origin::Rendered(_)) && file.before != file.after;
    if files.iter().any(is_rendered) {
        let hint = "hint: nothing is written: the diff is of what was rendered, so change the templates or the values until they \
            render it; or let helm do so itself, with podgate fix - --write as its post-renderer";
        text.push_str(&verdicts::filled(hint, "", "  ", width()));
    }
    let _ = write!(text, "{}: {}", counted(total, "object"), parts.join(", "));
    note(&text);
}

fn fixed(field: &FixedField) -> String {
    let FixedField {
        check,
        field,
        value,
        place,
        ..
    } = field;
    let place = place::of(place);
    format!("  {place}: {check}: {field}: {value}\n")
}

fn left(fault: &Fault) -> String {
    let Fault {
        check,
        text,
        field,
        place,
    } = fault;
    // A server's own message begins with the field.
    let named = text.starts_with(field.as_str());
    let field = if named { "" } else { field.as_str() };
    let parts = [check.as_str(), field, text.as_str()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts.collect();
    let line = format!("{place}: {}", parts.join(": "));
    verdicts::filled(&line, "  ", "  ", width())
}
