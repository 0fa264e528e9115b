//! What a name may look like: DNS labels and subdomains, label keys and values, ports, variables.
//!
//! Upstream: `apimachinery/pkg/util/validation/validation.go`, since 1.35 in part
//! `apimachinery/pkg/api/validate/content`. Each function returns what is wrong, in upstream's
//! words and with upstream's regular expressions; matching itself is done by hand.

use super::versions;

const LABEL_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const UNDERSCORE_SUBDOMAIN_FORMAT: &str =
    "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const LABEL_KEY_FORMAT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE_FORMAT: &str = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?";
const HTTP_PATH_FORMAT: &str = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/// `MaxLenError`
fn max_len(max: usize) -> String {
    format!("must be no more than {max} characters")
}

/// `content.MaxLenError`
fn max_len_bytes(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

/// `RegexError`
fn regex_error(message: &str, format: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{format}')");
    }
    let mut text = format!("{message} (e.g. ");
    for (i, example) in examples.iter().enumerate() {
        if i > 0 {
            text.push_str(" or ");
        }
        text.push('\'');
        text.push_str(example);
        text.push_str("', ");
    }
    text.push_str("regex used for validation is '");
    text.push_str(format);
    text.push_str("')");
    text
}

/// `InclusiveRangeError`
pub(crate) fn range_error(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

fn is_lower_alphanumeric(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

/// Whether `text` begins and ends with `edge`, and consists of `edge` and `inner`.
fn framed(text: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [] => false,
        [first, .., last] => {
            edge(*first) && edge(*last) && bytes.iter().all(|b| edge(*b) || inner(*b))
        }
        [only] => edge(*only),
    }
}

fn matches_label(text: &str) -> bool {
    framed(text, is_lower_alphanumeric, |b| b == b'-')
}

fn matches_subdomain(text: &str) -> bool {
    text.split('.').all(matches_label)
}

/// `IsDNS1123Label`
pub(crate) fn dns_label(name: &str, minor: u8) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 63 {
        errors.push(max_len(63));
    }
    if !matches_label(name) {
        if minor >= versions::LABEL_WITHOUT_DOTS && matches_subdomain(name) {
            errors.push("must not contain dots".to_owned());
        } else {
            errors.push(regex_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or \
                 '-', and must start and end with an alphanumeric character",
                LABEL_FORMAT,
                &["my-name", "123-abc"],
            ));
        }
    }
    errors
}

/// `IsDNS1123Subdomain`
pub(crate) fn dns_subdomain(name: &str) -> Vec<String> {
    dns_subdomain_with(name, max_len)
}

/// `content.IsDNS1123Subdomain`: the length is counted in bytes.
pub(crate) fn dns_subdomain_in_bytes(name: &str) -> Vec<String> {
    dns_subdomain_with(name, max_len_bytes)
}

fn dns_subdomain_with(name: &str, max_len: fn(usize) -> String) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 253 {
        errors.push(max_len(253));
    }
    if !matches_subdomain(name) {
        errors.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN_FORMAT,
            &["example.com"],
        ));
    }
    errors
}

/// `IsDNS1123SubdomainWithUnderscore`
pub(crate) fn dns_subdomain_with_underscore(name: &str, minor: u8) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 253 {
        errors.push(max_len(253));
    }
    let label = |label: &str| {
        framed(
            label.strip_prefix('_').unwrap_or(label),
            is_lower_alphanumeric,
            |b| b == b'-' || b == b'_',
        )
    };
    if !name.split('.').all(label) {
        let format = if minor >= versions::DNS_UNDERSCORE_REGEX {
            UNDERSCORE_SUBDOMAIN_FORMAT
        } else {
            SUBDOMAIN_FORMAT
        };
        errors.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '_', '-' or '.', and must start and end with an alphanumeric character",
            format,
            &["example.com"],
        ));
    }
    errors
}

/// `IsDNS1035Label`
pub(crate) fn dns1035_label(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 63 {
        errors.push(max_len(63));
    }
    if !(matches_label(name) && name.as_bytes()[0].is_ascii_lowercase()) {
        errors.push(regex_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

/// A name rule of `apimachinery/pkg/api/validation/generic.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// `NameIsDNSSubdomain`
    Subdomain,
    /// `NameIsDNSLabel`
    Label,
    /// `path.ValidatePathSegmentName`, which all of the above obey.
    PathSegment,
}

impl NameRule {
    /// What is wrong with `name`. A `prefix` may end in a dash.
    pub(crate) fn check(self, name: &str, prefix: bool, minor: u8) -> Vec<String> {
        let masked;
        let name = if prefix && name.len() > 1 && name.ends_with('-') {
            // Upstream takes two bytes off, not one, and puts a letter in their place.
            masked = format!(
                "{}a",
                name.get(..name.len().saturating_sub(2)).unwrap_or_default()
            );
            &masked
        } else {
            name
        };
        match self {
            Self::Subdomain => dns_subdomain(name),
            Self::Label => dns_label(name, minor),
            Self::PathSegment => path_segment(name, prefix),
        }
    }
}

fn path_segment(name: &str, prefix: bool) -> Vec<String> {
    if !prefix && matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|illegal| name.contains(illegal))
        .map(|illegal| format!("may not contain '{illegal}'"))
        .collect()
}

fn is_label_edge(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn is_label_inner(b: u8) -> bool {
    matches!(b, b'-' | b'_' | b'.')
}

/// `IsQualifiedName`, since 1.35 `IsLabelKey`
pub(crate) fn qualified_name(name: &str, minor: u8) -> Vec<String> {
    const MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must \
                           start and end with an alphanumeric character";
    const EXAMPLES: &[&str] = &["MyName", "my.name", "123-abc"];
    let label_key = minor >= versions::LABEL_KEYS;
    let mut errors = Vec::new();
    let mut parts = name.split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() {
        let what = if label_key {
            "a valid label key"
        } else {
            "a qualified name"
        };
        return vec![format!(
            "{what} {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
            regex_error(MESSAGE, LABEL_KEY_FORMAT, EXAMPLES)
        )];
    }
    let name = if let Some(name) = second {
        if first.is_empty() {
            errors.push("prefix part must be non-empty".to_owned());
        } else {
            let wrong = if label_key {
                dns_subdomain_in_bytes(first)
            } else {
                dns_subdomain(first)
            };
            errors.extend(wrong.into_iter().map(|m| format!("prefix part {m}")));
        }
        name
    } else {
        first
    };
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        let message = if label_key {
            max_len_bytes(63)
        } else {
            max_len(63)
        };
        errors.push(format!("name part {message}"));
    }
    if !framed(name, is_label_edge, is_label_inner) {
        errors.push(format!(
            "name part {}",
            regex_error(MESSAGE, LABEL_KEY_FORMAT, EXAMPLES)
        ));
    }
    errors
}

/// `IsValidLabelValue`
pub(crate) fn label_value(value: &str, minor: u8) -> Vec<String> {
    let mut errors = Vec::new();
    if value.len() > 63 {
        errors.push(if minor >= versions::LABEL_KEYS {
            max_len_bytes(63)
        } else {
            max_len(63)
        });
    }
    if !value.is_empty() && !framed(value, is_label_edge, is_label_inner) {
        errors.push(regex_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', \
             '_' or '.', and must start and end with an alphanumeric character",
            LABEL_VALUE_FORMAT,
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// `IsValidPortNum`
pub(crate) fn port_number(port: i64) -> Option<String> {
    (!(1..=65535).contains(&port)).then(|| range_error(1, 65535))
}

/// `IsValidUserID` and `IsValidGroupID`
pub(crate) fn id(id: i64) -> Option<String> {
    const MAX: i64 = i32::MAX as i64;
    (!(0..=MAX).contains(&id)).then(|| range_error(0, MAX))
}

/// `IsValidPortName`
pub(crate) fn port_name(name: &str, minor: u8) -> Vec<String> {
    let mut errors = Vec::new();
    if name.len() > 15 {
        errors.push(max_len(15));
    }
    let bytes = name.as_bytes();
    if bytes.is_empty()
        || !bytes
            .iter()
            .all(|b| is_lower_alphanumeric(*b) || *b == b'-')
    {
        errors.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !bytes.iter().any(u8::is_ascii_lowercase) {
        errors.push(
            if minor >= versions::PORT_NAME_LETTER {
                "must contain at least one letter (a-z)"
            } else {
                "must contain at least one letter or number (a-z, 0-9)"
            }
            .to_owned(),
        );
    }
    if name.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// `IsEnvVarName`
pub(crate) fn env_name(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let edge = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'-' | b'.' | b'_');
    let matches = match name.as_bytes() {
        [first, rest @ ..] => edge(*first) && rest.iter().all(|b| edge(*b) || b.is_ascii_digit()),
        [] => false,
    };
    if !matches {
        errors.push(regex_error(
            "a valid environment variable name must consist of alphabetic characters, digits, \
             '_', '-', or '.', and must not start with a digit",
            "[-._a-zA-Z][-._a-zA-Z0-9]*",
            &["my.env-name", "MY_ENV.NAME", "MyEnvName1"],
        ));
    }
    errors.extend(parent_folder(name));
    errors
}

/// `IsRelaxedEnvVarName`
pub(crate) fn relaxed_env_name(name: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push("environment variable name must be non-empty".to_owned());
    }
    if !name
        .bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'=')
    {
        errors.push(
            "a valid environment variable name must consist only of printable ASCII characters \
             other than '='"
                .to_owned(),
        );
    }
    errors
}

/// `IsConfigMapKey`
pub(crate) fn config_map_key(key: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if key.len() > 253 {
        errors.push(max_len(253));
    }
    if key.is_empty() || !key.bytes().all(|b| is_label_edge(b) || is_label_inner(b)) {
        errors.push(regex_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    errors.extend(parent_folder(key));
    errors
}

/// `hasChDirPrefix`
fn parent_folder(value: &str) -> Option<String> {
    match value {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        value if value.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// `IsHTTPHeaderName`
pub(crate) fn http_header_name(name: &str) -> Vec<String> {
    let ok = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if ok {
        return Vec::new();
    }
    vec![regex_error(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// `IsValidPercent`
pub(crate) fn percent(value: &str) -> Vec<String> {
    let ok = value
        .strip_suffix('%')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if ok {
        return Vec::new();
    }
    vec![regex_error(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// The path of `IsDomainPrefixedPath`.
pub(crate) fn http_path(path: &str) -> Option<String> {
    let ok = path
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b));
    (!ok).then(|| regex_error("Invalid path", HTTP_PATH_FORMAT, &[]))
}

/// `IsValidSysctlName`, and its text where the name is not valid.
pub(crate) fn sysctl(name: &str, minor: u8) -> Option<String> {
    const SEGMENT: &str = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let slashes = minor >= versions::SYSCTL_SLASHES;
    let segment = |s: &str| framed(s, is_lower_alphanumeric, |b| b == b'-' || b == b'_');
    let ok = name.len() <= 253
        && name
            .split(|c| c == '.' || (slashes && c == '/'))
            .all(segment);
    if ok {
        return None;
    }
    let format = if slashes {
        format!("({SEGMENT}[\\./])*{SEGMENT}")
    } else {
        format!("({SEGMENT}\\.)*{SEGMENT}")
    };
    let format = if minor >= versions::SYSCTL_ANCHORED {
        format!("^{format}$")
    } else {
        format
    };
    Some(format!(
        "must have at most 253 characters and match regex {format}"
    ))
}

/// `IsValidSysctlPattern` of `pkg/apis/policy/validation`, without slashes: a name that may end in
/// `*`.
pub(crate) fn sysctl_pattern(name: &str) -> Option<String> {
    const FORMAT: &str = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]";
    let inner = |b| b == b'-' || b == b'_';
    let segment = |s: &str| framed(s, is_lower_alphanumeric, inner);
    let (before, last) = match name.rsplit_once('.') {
        Some((before, last)) => (Some(before), last),
        None => (None, name),
    };
    let last_is_good = match last.as_bytes() {
        [first @ .., end] => {
            (is_lower_alphanumeric(*end) || *end == b'*')
                && first.first().is_none_or(|b| is_lower_alphanumeric(*b))
                && first.iter().all(|b| is_lower_alphanumeric(*b) || inner(*b))
        }
        [] => false,
    };
    let ok = name.len() <= 253
        && before.is_none_or(|before| before.split('.').all(segment))
        && last_is_good;
    (!ok).then(|| format!("must have at most 253 characters and match regex {FORMAT}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("my-name", true)]
    #[case("a", true)]
    #[case("0", true)]
    #[case("", false)]
    #[case("-a", false)]
    #[case("a-", false)]
    #[case("A", false)]
    #[case("a_b", false)]
    #[case("a.b", false)]
    #[case("ä", false)]
    fn knows_labels(#[case] name: &str, #[case] valid: bool) {
        assert_eq!(dns_label(name, 36).is_empty(), valid);
    }

    #[rstest]
    #[case("example.com", true)]
    #[case("a..b", false)]
    #[case(".a", false)]
    #[case("a.", false)]
    #[case("a.B", false)]
    fn knows_subdomains(#[case] name: &str, #[case] valid: bool) {
        assert_eq!(dns_subdomain(name).is_empty(), valid);
    }

    #[test]
    fn says_what_is_wrong_by_minor() {
        let old = dns_label("a.b", 26);
        assert!(old[0].starts_with("a lowercase RFC 1123 label must consist"));
        assert!(
            old[0].ends_with(
                "(e.g. 'my-name',  or '123-abc', regex used for validation is \
                 '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ),
            "{}",
            old[0]
        );
        assert_eq!(dns_label("a.b", 27), ["must not contain dots"]);
    }

    #[rstest]
    #[case("app", 0)]
    #[case("example.com/App_1.x", 0)]
    #[case("/a", 1)]
    #[case("Example.com/a", 1)]
    #[case("example.com/", 2)]
    #[case("a/b/c", 1)]
    #[case("-a", 1)]
    fn knows_qualified_names(#[case] name: &str, #[case] errors: usize) {
        assert_eq!(qualified_name(name, 36).len(), errors);
    }

    #[rstest]
    #[case("web-", "wea")]
    #[case("a-", "a")]
    #[case("-", "-")]
    fn masks_the_dash_of_a_prefix(#[case] prefix: &str, #[case] checked: &str) {
        assert_eq!(
            NameRule::Label.check(prefix, true, 36),
            NameRule::Label.check(checked, false, 36)
        );
    }

    #[rstest]
    #[case("http", 0)]
    #[case("80", 1)]
    #[case("a--b", 1)]
    #[case("-a", 1)]
    #[case("Web", 1)]
    #[case("", 2)]
    fn knows_port_names(#[case] name: &str, #[case] errors: usize) {
        assert_eq!(port_name(name, 36).len(), errors);
    }

    #[rstest]
    #[case("kernel.shm_rmid_forced", 24, true)]
    #[case("net/ipv4/x", 24, false)]
    #[case("net/ipv4/x", 25, true)]
    #[case("net..x", 36, false)]
    fn knows_sysctls(#[case] name: &str, #[case] minor: u8, #[case] valid: bool) {
        assert_eq!(sysctl(name, minor).is_none(), valid);
    }
}
