//! The `Warning` headers of one response: no text twice, and an end to it.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/filters/warning.go` and `NewWarningHeader` in
//! `k8s.io/apimachinery/pkg/util/net/http.go`.

use std::collections::BTreeSet;

/// All texts together may have so many characters.
const TOTAL: usize = 4 * 1024;
/// Beyond that each text is cut to so many.
const ITEM: usize = 256;

/// The texts that have been added so far, as a client receives them.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    seen: BTreeSet<String>,
    ordered: Vec<String>,
    sent: Vec<String>,
    written: usize,
    truncating: bool,
}

impl Recorder {
    /// Adds a text.
    pub(crate) fn add(&mut self, text: &str) {
        let full = self.truncating && self.written >= TOTAL;
        if text.is_empty() || full || !self.seen.insert(text.to_owned()) {
            return;
        }
        self.ordered.push(text.to_owned());
        if text.chars().any(char::is_control) {
            return;
        }
        let length = text.chars().count();
        if self.truncating || self.written + length <= TOTAL {
            self.send(text);
            return;
        }
        self.truncating = true;
        self.written = 0;
        self.sent.clear();
        for text in std::mem::take(&mut self.ordered) {
            if !text.chars().any(char::is_control) {
                self.send(&text);
            }
            self.ordered.push(text);
        }
    }

    fn send(&mut self, text: &str) {
        let longest = if self.truncating { ITEM } else { usize::MAX };
        let text: String = text.chars().take(longest).collect();
        self.written += text.chars().count();
        self.sent.push(text);
    }

    /// The texts in the order in which they are sent.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(texts: &[&str]) -> Vec<String> {
        let mut recorder = Recorder::default();
        for text in texts {
            recorder.add(text);
        }
        recorder.into_texts()
    }

    #[test]
    fn no_text_twice_and_none_with_control_characters() {
        assert_eq!(sent(&["b", "a", "b", "", "x\ny"]), ["b", "a"]);
    }

    #[test]
    fn what_is_too_long_is_cut_from_the_first_text_on() {
        let long = "é".repeat(300);
        let longest = "x".repeat(TOTAL - 299);
        let texts = sent(&[&long, &longest, "short"]);
        assert_eq!(texts[0], "é".repeat(ITEM));
        assert_eq!(texts[1], "x".repeat(ITEM));
        assert_eq!(texts[2], "short");
        assert_eq!(sent(&[&"x".repeat(TOTAL)])[0].len(), TOTAL);
        assert_eq!(sent(&[&"x".repeat(TOTAL + 1)])[0].len(), ITEM);
    }

    #[test]
    fn cut_texts_end_somewhere_too() {
        let texts: Vec<_> = (0..100).map(|n| format!("{n:0300}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        assert_eq!(sent(&texts).len(), TOTAL / ITEM);
    }
}
