//! The options of lists and watches: which versions of what they want.
//!
//! Upstream: `k8s.io/apimachinery/pkg/apis/meta/internalversion`, `defaults.go` and
//! `validation/validation.go`.

use podgate_admission::quote::quote;
use podgate_admission::status::{Cause, Grouped, Status};
use podgate_policy::Minor;

use super::Options;

/// The exact version that is named.
pub(crate) const EXACT: &str = "Exact";
/// The version that is named, or a newer one.
pub(crate) const NOT_OLDER_THAN: &str = "NotOlderThan";

/// The first minor that knows `sendInitialEvents`.
const FIRST_WITH_INITIAL_EVENTS: u8 = 27;

const MATCH: &str = "resourceVersionMatch";
const INITIAL_EVENTS: &str = "sendInitialEvents";

/// Whether a watch can begin with a list (the feature gate `WatchList`, which is on by default in 1.32 and
/// since 1.34).
fn has_watch_list(minor: Minor) -> bool {
    minor.number() == 32 || minor.number() >= 34
}

impl Options {
    /// Whether a watch begins with what is there, whatever version it names.
    pub(crate) fn initial_events(&self, minor: Minor) -> Option<bool> {
        let named = !matches!(&*self.resource_version, "" | "0");
        match self.initial_events {
            _ if !has_watch_list(minor) => None,
            Some(wanted) => Some(wanted),
            // `SetListOptionsDefaults`
            None if !named && self.version_match.is_empty() => Some(true),
            None => None,
        }
    }

    /// Refuses options of a list that upstream refuses (`ValidateListOptions`).
    pub(crate) fn validate_list(&self, minor: Minor) -> Result<(), Status> {
        let mut causes = Vec::new();
        self.check_match(&mut causes);
        if self.initial_events.is_some() && minor.number() >= FIRST_WITH_INITIAL_EVENTS {
            let why = "sendInitialEvents is forbidden for list";
            causes.push(forbidden(INITIAL_EVENTS, why));
        }
        invalid(causes)
    }

    /// Refuses options of a watch that upstream refuses (`validateWatchOptions`; before there was such a
    /// function, what is refused of a list too).
    pub(crate) fn validate_watch(&self, minor: Minor) -> Result<(), Status> {
        let mut causes = Vec::new();
        let given = !self.version_match.is_empty();
        if minor.number() < FIRST_WITH_INITIAL_EVENTS {
            if given {
                causes.push(forbidden(
                    MATCH,
                    "resourceVersionMatch is forbidden for watch",
                ));
            }
            self.check_match(&mut causes);
            return invalid(causes);
        }
        if self.initial_events.is_some() {
            if self.version_match != NOT_OLDER_THAN {
                let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
                causes.push(forbidden(MATCH, why));
            }
            if !has_watch_list(minor) {
                let why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is \
                           enabled";
                causes.push(forbidden(INITIAL_EVENTS, why));
            }
        }
        if given {
            if self.initial_events.is_none() {
                let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                causes.push(forbidden(MATCH, why));
            }
            if self.version_match != NOT_OLDER_THAN {
                causes.push(self.unsupported(r#""NotOlderThan""#));
            }
            causes.extend(self.resumed());
        }
        invalid(causes)
    }

    fn check_match(&self, causes: &mut Vec<Cause>) {
        if self.version_match.is_empty() {
            return;
        }
        if self.resource_version.is_empty() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            causes.push(forbidden(MATCH, why));
        }
        causes.extend(self.resumed());
        if self.version_match != EXACT && self.version_match != NOT_OLDER_THAN {
            causes.push(self.unsupported(r#""Exact", "NotOlderThan", """#));
        }
        if self.version_match == EXACT && self.resource_version == "0" {
            let why = r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#;
            causes.push(forbidden(MATCH, why));
        }
    }

    fn resumed(&self) -> Option<Cause> {
        let why = "resourceVersionMatch is forbidden when continue is provided";
        (!self.resume.is_empty()).then(|| forbidden(MATCH, why))
    }

    fn unsupported(&self, supported: &str) -> Cause {
        let value = quote(&self.version_match);
        Cause {
            reason: "FieldValueNotSupported",
            message: format!("Unsupported value: {value}: supported values: {supported}"),
            field: MATCH.to_owned(),
        }
    }
}

fn forbidden(field: &str, why: &str) -> Cause {
    Cause {
        reason: "FieldValueForbidden",
        message: format!("Forbidden: {why}"),
        field: field.to_owned(),
    }
}

fn invalid(causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    let kind = Grouped {
        group: "meta.k8s.io",
        name: "ListOptions",
    };
    Err(Status::invalid(kind, "", causes))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // From source only.
    #[rstest]
    #[case(36, "resourceVersion=5&resourceVersionMatch=Exact", "")]
    #[case(
        36,
        "resourceVersionMatch=Exact",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    )]
    #[case(36, "resourceVersion=0&resourceVersionMatch=Exact", r#"resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0""#)]
    #[case(36, "resourceVersion=5&resourceVersionMatch=x", r#"resourceVersionMatch: Unsupported value: "x": supported values: "Exact", "NotOlderThan", """#)]
    #[case(
        36,
        "resourceVersion=5&resourceVersionMatch=Exact&continue=x",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
    )]
    #[case(
        36,
        "sendInitialEvents=true",
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"
    )]
    #[case(26, "sendInitialEvents=true", "")]
    #[case(
        36,
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        ""
    )]
    #[case(
        36,
        "watch=1&sendInitialEvents=true",
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    )]
    #[case(
        33,
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
    )]
    #[case(
        36,
        "watch=1&resourceVersion=1&resourceVersionMatch=NotOlderThan",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    )]
    #[case(
        25,
        "watch=1&resourceVersion=1&resourceVersionMatch=NotOlderThan",
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch"
    )]
    #[case(25, "watch=1&sendInitialEvents=true", "")]
    fn refusals(#[case] minor: u8, #[case] query: &str, #[case] expected: &str) {
        let options = Options::parse(query).expect("options");
        let minor = Minor::known(minor);
        let found = if options.watch {
            options.validate_watch(minor)
        } else {
            options.validate_list(minor)
        };
        let message = found.err().map_or(String::new(), |status| status.message);
        let prefix = r#"ListOptions.meta.k8s.io "" is invalid: "#;
        assert_eq!(message.strip_prefix(prefix).unwrap_or(&message), expected);
    }
}
