//! A line of `podgate audit -o jsonl`: that of `podgate check` with the same keys in the same order,
//! written by hand because a million of them are.

use podgate_admission::plugins::pod_security::AUDIT_PREFIX;

/// What stands in every line of a run behind the place: `,"cluster":null,"kubernetes":"1.36","as":"admin"`.
#[derive(Clone, Debug, Default)]
pub(super) struct Common(String);

impl Common {
    pub(super) fn new(
        cluster: Option<&str>,
        minor: podgate_policy::Minor,
        requester: &str,
    ) -> Self {
        let mut text = Vec::from(*b",\"cluster\":");
        match cluster {
            Some(cluster) => string(&mut text, cluster),
            None => text.extend_from_slice(b"null"),
        }
        text.extend_from_slice(b",\"kubernetes\":");
        string(&mut text, &minor.to_string());
        text.extend_from_slice(b",\"as\":");
        string(&mut text, requester);
        // It was put together from texts.
        Self(String::from_utf8_lossy(&text).into_owned())
    }
}

/// Where an object stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) file: &'a str,
    pub(super) line: usize,
}

/// The line of one pod, written piece by piece in the order of its keys.
pub(super) struct Line<'o> {
    out: &'o mut Vec<u8>,
    annotated: bool,
}

impl<'o> Line<'o> {
    /// Begins the line of a pod.
    pub(super) fn pod(out: &'o mut Vec<u8>, place: &Place<'_>, common: &Common) -> Self {
        out.extend_from_slice(b"{\"object\":\"Pod/");
        escaped(out, place.namespace);
        out.push(b'/');
        escaped(out, place.name);
        out.extend_from_slice(b"\",\"file\":");
        string(out, place.file);
        out.extend_from_slice(b",\"line\":");
        number(out, place.line);
        out.extend_from_slice(common.0.as_bytes());
        let annotated = false;
        Self { out, annotated }
    }

    /// The pod is admitted.
    pub(super) fn admitted(self) -> Self {
        self.out.extend_from_slice(
            b",\"admitted\":true,\"ok\":true,\"by\":null,\"code\":201,\"checks\":[],\"message\":null",
        );
        self
    }

    /// The pod is rejected by Pod Security.
    pub(super) fn rejected<'c>(
        self,
        name: &str,
        checks: impl Iterator<Item = &'c str>,
        why: &str,
    ) -> Self {
        self.out.extend_from_slice(
            b",\"admitted\":false,\"ok\":false,\"by\":\"PodSecurity\",\"code\":403,\"checks\":[",
        );
        for (at, check) in checks.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            string(self.out, check);
        }
        // `NewForbidden` in k8s.io/apimachinery `pkg/api/errors`, which quotes the name.
        self.out.extend_from_slice(b"],\"message\":\"pods ");
        escaped(self.out, &podgate_admission::quote::quote(name));
        self.out.extend_from_slice(b" is forbidden: ");
        escaped(self.out, why);
        self.out.push(b'"');
        self
    }

    /// What the requester is warned of, if anything.
    pub(super) fn warning(self, warning: Option<&str>) -> Self {
        self.out.extend_from_slice(b",\"warnings\":[");
        if let Some(warning) = warning {
            string(self.out, warning);
        }
        self.out.extend_from_slice(b"],\"auditAnnotations\":{");
        self
    }

    /// An audit annotation of the plugin; they come in the order of their keys.
    pub(super) fn annotation(mut self, key: &str, value: &str) -> Self {
        if self.annotated {
            self.out.push(b',');
        }
        self.annotated = true;
        self.out.push(b'"');
        self.out.extend_from_slice(AUDIT_PREFIX.as_bytes());
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        string(self.out, value);
        self
    }

    /// Ends the line.
    pub(super) fn end(self) {
        self.out.extend_from_slice(b"}}\n");
    }
}

/// Puts a last key into a line whose end is not written yet; an empty text is none.
pub(super) fn changed(line: &mut Vec<u8>, change: &str) {
    if change.is_empty() {
        return;
    }
    line.pop();
    line.extend_from_slice(change.as_bytes());
    line.push(b'}');
}

/// The line for something that could not be read.
pub(super) fn unread(out: &mut Vec<u8>, error: &str, file: &str, line: usize) {
    out.extend_from_slice(b"{\"error\":");
    string(out, error);
    out.extend_from_slice(b",\"file\":");
    string(out, file);
    out.extend_from_slice(b",\"line\":");
    number(out, line);
    out.extend_from_slice(b"}\n");
}

fn number(out: &mut Vec<u8>, number: usize) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        // A digit fits into a byte.
        digits[at] = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes a text as the inside of a JSON string, with the escapes that `serde_json` writes.
fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = to_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        let byte = rest[at];
        rest = &rest[at + 1..];
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
    }
    out.extend_from_slice(rest);
}

/// Where the first byte stands that has to be escaped.
fn to_escape(bytes: &[u8]) -> Option<usize> {
    let escapes = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    // Sixteen are looked at in one step, where the compiler sees that no order is asked for.
    let clean = |step: &&[u8; 16]| !step.iter().fold(false, |any, byte| any | escapes(byte));
    let (steps, _) = bytes.as_chunks();
    let skipped = 16 * steps.iter().take_while(clean).count();
    let found = bytes[skipped..].iter().position(escapes)?;
    Some(skipped + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_serde_json_writes_them() {
        let every: String = (0..=0x0024_u32)
            .chain([0x5c, 0x7f, 0xe4, 0x2028, 0x1_f600])
            .filter_map(char::from_u32)
            .collect();
        for text in ["", "plain", &every] {
            let mut out = Vec::new();
            string(&mut out, text);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                serde_json::to_string(text).unwrap()
            );
        }
        for value in [0, 7, 10, 1_234_567, usize::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
