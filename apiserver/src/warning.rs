//! Which warnings a client receives, and how they are written into headers.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/filters/warning.go` (which) and
//! `k8s.io/apimachinery/pkg/util/net/http.go`, `NewWarningHeader` (how).

use std::borrow::Cow;

use http::HeaderValue;

/// The characters that the texts of one response may have together before each is cut short.
const TOTAL: usize = 4096;
/// The characters that are left of each text then.
const ITEM: usize = 256;

/// The values of the `Warning` headers for these texts, in order: repeated texts once, texts that no
/// header can carry not at all, and all of them cut to 256 characters when together they have more
/// than 4096.
pub(crate) fn headers(texts: &[String]) -> Vec<HeaderValue> {
    let mut headers = Vec::new();
    let mut written = 0;
    let mut cutting = false;
    for (at, text) in texts.iter().enumerate() {
        if cutting && written >= TOTAL {
            break;
        }
        if text.is_empty() || texts[..at].contains(text) {
            continue;
        }
        let (text, length) = if cutting {
            cut(text)
        } else {
            (text.as_str(), text.chars().count())
        };
        let Some(value) = header(text) else { continue };
        if cutting || written + length <= TOTAL {
            written += length;
            headers.push(value);
            continue;
        }
        // From here on every text is cut, those that were written already too.
        cutting = true;
        let distinct =
            (0..=at).filter(|&i| !texts[i].is_empty() && !texts[..i].contains(&texts[i]));
        let again = distinct.map(|i| cut(&texts[i]));
        (headers, written) = again.fold(
            (Vec::new(), 0),
            |(mut headers, written), (text, length)| match header(text) {
                Some(value) => {
                    headers.push(value);
                    (headers, written + length)
                }
                None => (headers, written),
            },
        );
    }
    headers
}

/// The first [`ITEM`] characters of a text, and how many those are.
fn cut(text: &str) -> (&str, usize) {
    match text.char_indices().nth(ITEM) {
        Some((end, _)) => (&text[..end], ITEM),
        None => (text, text.chars().count()),
    }
}

/// `299 - "TEXT"`, unless the text has control characters, which Go refuses to send.
fn header(text: &str) -> Option<HeaderValue> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let text = if text.contains(['\\', '"']) {
        Cow::Owned(text.replace('\\', r"\\").replace('"', r#"\""#))
    } else {
        Cow::Borrowed(text)
    };
    HeaderValue::try_from(format!("299 - \"{text}\"").into_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn sent(texts: &[&str]) -> Vec<String> {
        let texts: Vec<String> = texts.iter().map(|&t| t.to_owned()).collect();
        headers(&texts)
            .iter()
            .map(|value| String::from_utf8(value.as_bytes().to_vec()).expect("text"))
            .collect()
    }

    #[rstest]
    #[case::plain(&["a b"], &[r#"299 - "a b""#])]
    #[case::quoted(&[r#"say "x\y""#], &[r#"299 - "say \"x\\y\"""#])]
    #[case::repeated(&["a", "b", "a"], &[r#"299 - "a""#, r#"299 - "b""#])]
    #[case::empty(&["", "b"], &[r#"299 - "b""#])]
    #[case::control_characters(&["a\nb", "c"], &[r#"299 - "c""#])]
    #[case::beyond_ascii(&["ä"], &[r#"299 - "ä""#])]
    fn one_header_a_text(#[case] texts: &[&str], #[case] expected: &[&str]) {
        assert_eq!(sent(texts), expected);
    }

    #[test]
    fn all_are_cut_when_together_they_are_too_long() {
        let (long, longer) = ("x".repeat(4000), "ü".repeat(97));
        assert_eq!(sent(&[&long, &longer[..192]])[0].len(), 4000 + 8);
        let cut = sent(&[&long, &longer, "short"]);
        assert_eq!(cut[0].len(), 256 + 8);
        assert_eq!(
            cut[1..],
            [format!("299 - \"{longer}\""), "299 - \"short\"".to_owned()]
        );
    }

    #[test]
    fn nothing_is_added_beyond_the_limit_even_when_cut() {
        let texts: Vec<String> = (0..40).map(|i| format!("{i}{}", "y".repeat(300))).collect();
        assert_eq!(headers(&texts).len(), 16);
    }
}
