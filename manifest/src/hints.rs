//! What a user can do about YAML that does not parse.

/// For an alias without an anchor.
pub(crate) const UNKNOWN_ANCHOR: &str =
    "an alias reaches only the anchors above it in its own document";

/// The hint for a line that has not been rendered.
pub(crate) fn of_template(text: &str, at: usize) -> Option<String> {
    let line = crate::source::line_at(text, at);
    line.contains("{{")
        .then(|| "this looks like a template: render it first".to_owned())
}

/// The hint for a syntax error at byte `at`, by the message and by what stands there.
pub(crate) fn of_syntax(text: &str, at: usize, message: &str) -> Option<String> {
    let at = crate::source::floor(text, at);
    let line = crate::source::line_at(text, at);
    if let Some(hint) = of_template(text, at) {
        return Some(hint);
    }
    let indentation = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    if indentation.contains('\t')
        || text[at..].starts_with('\t')
        || message.contains("tab character")
    {
        return Some("YAML is indented with spaces: replace the tab".to_owned());
    }
    let hint = match message {
        "found character that cannot start any token" => {
            let found = text[at..].chars().next().unwrap_or(' ');
            return Some(format!("a value that begins with '{found}' needs quotes"));
        }
        "mapping values are not allowed in this context" => {
            "either the indentation is off, or a value with `: ` in it needs quotes"
        }
        "could not find expected ':'" => {
            "a key needs a colon and a blank after it, and text over several lines needs `|`"
        }
        "did not find expected key" => {
            "the line belongs to no mapping or list above it: check its indentation and the quotes before it"
        }
        "did not find expected '-' indicator" => {
            "a list goes on with `- ` in the column of its first item"
        }
        "block sequence entries are not allowed in this context" => {
            "put the list on lines of its own below its key"
        }
        "found unexpected end of stream" | "found unexpected document indicator" => {
            "the quote that opens here is never closed"
        }
        "did not find expected ',' or ']'"
        | "did not find expected ',' or '}'"
        | "did not find expected node content" => {
            "a bracket that opens here or before is never closed, or a comma is missing"
        }
        "did not find expected alphabetic or numeric character" => {
            "a value that begins with '&' or '*' needs quotes, unless it is an anchor or an alias"
        }
        "did not find expected <document start>" => "a directive (`%`) needs a line `---` after it",
        "found unknown escape character" | "did not find expected hexdecimal number" => {
            "in double quotes a backslash is written twice; single quotes take it as it is"
        }
        "control characters are not allowed" => {
            "write the character as an escape in double quotes, for example \"\\x07\""
        }
        _ => return None,
    };
    Some(hint.to_owned())
}
