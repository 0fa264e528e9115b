//! The query of a request: `CreateOptions`, `ListOptions` and their like.
//!
//! Upstream: `k8s.io/apimachinery/pkg/apis/meta/v1/types.go` (the fields),
//! `.../validation/validation.go` (`ValidateCreateOptions` and its like).

mod list;

pub(crate) use list::EXACT;
use podgate_admission::quote::quote;
use podgate_admission::request::FieldValidation;
use podgate_admission::status::{Cause, Grouped, Status};
use podgate_policy::Minor;

/// The first minor that counts the bytes of a text that is too long.
const TOO_LONG_IN_BYTES: u8 = 32;

/// The options of an apply: `PatchOptions` with rules of their own.
pub(crate) const APPLY: &str = "ApplyOptions";

/// What the query says; each request uses what its verb knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// `dryRun`, all its values.
    dry_run: Vec<String>,
    field_validation: String,
    /// `fieldManager`; empty where none is given.
    pub(crate) field_manager: String,
    /// `force`, where it is given.
    pub(crate) force: Option<bool>,
    /// `propagationPolicy`, where it is given.
    pub(crate) propagation_policy: Option<String>,
    /// `orphanDependents`, where it is given.
    pub(crate) orphan_dependents: Option<bool>,
    /// `gracePeriodSeconds`, where it is given.
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) label_selector: String,
    pub(crate) field_selector: String,
    pub(crate) watch: bool,
    /// `includeObject`, of tables.
    pub(crate) include_object: String,
    /// `limit`; zero for everything.
    pub(crate) limit: i64,
    /// `continue`; empty for the first page.
    pub(crate) resume: String,
    /// `resourceVersion`; empty where none is given.
    pub(crate) resource_version: String,
    /// `resourceVersionMatch`; empty where none is given.
    pub(crate) version_match: String,
    /// `timeoutSeconds`; zero where none is given.
    pub(crate) timeout_seconds: i64,
    /// `allowWatchBookmarks`
    pub(crate) bookmarks: bool,
    /// `sendInitialEvents`, where it is given.
    pub(crate) initial_events: Option<bool>,
}

impl Options {
    /// Reads a query. Names that no options have are left alone, as upstream does.
    pub(crate) fn parse(query: &str) -> Result<Self, Status> {
        let mut options = Self::default();
        if query.is_empty() {
            return Ok(options);
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "dryRun" => options.dry_run.push(value.into_owned()),
                "fieldValidation" => options.field_validation = value.into_owned(),
                "fieldManager" => options.field_manager = value.into_owned(),
                "force" => options.force = Some(truth(&value)),
                "propagationPolicy" => options.propagation_policy = Some(value.into_owned()),
                "orphanDependents" => options.orphan_dependents = Some(truth(&value)),
                "gracePeriodSeconds" => options.grace_period_seconds = Some(integer(&value)?),
                "labelSelector" => options.label_selector = value.into_owned(),
                "fieldSelector" => options.field_selector = value.into_owned(),
                "watch" => options.watch = truth(&value),
                "includeObject" => options.include_object = value.into_owned(),
                "limit" => options.limit = integer(&value)?,
                "continue" => options.resume = value.into_owned(),
                "resourceVersion" => options.resource_version = value.into_owned(),
                "resourceVersionMatch" => options.version_match = value.into_owned(),
                "timeoutSeconds" => options.timeout_seconds = integer(&value)?,
                "allowWatchBookmarks" => options.bookmarks = truth(&value),
                "sendInitialEvents" => options.initial_events = Some(truth(&value)),
                _ => {}
            }
        }
        Ok(options)
    }

    /// Whether nothing is to be stored.
    pub(crate) fn dry_run(&self) -> bool {
        !self.dry_run.is_empty()
    }

    /// What to do about unknown fields.
    pub(crate) fn field_validation(&self) -> FieldValidation {
        match &*self.field_validation {
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            _ => FieldValidation::Warn,
        }
    }

    /// Adds what the `DeleteOptions` of the body say.
    pub(crate) fn with_dry_run(mut self, values: Vec<String>) -> Self {
        self.dry_run = values;
        self
    }

    /// Refuses values that upstream refuses; `kind` is the kind of options of the verb:
    /// `CreateOptions`, or [`APPLY`].
    pub(crate) fn validate(&self, kind: &str, minor: Minor) -> Result<(), Status> {
        let mut causes = Vec::new();
        if kind == APPLY && self.field_manager.is_empty() {
            causes.push(Cause {
                reason: "FieldValueRequired",
                message: "Required value: is required for apply patch".to_owned(),
                field: "fieldManager".to_owned(),
            });
        }
        if kind == "PatchOptions" && self.force.is_some() {
            causes.push(Cause {
                reason: "FieldValueForbidden",
                message: "Forbidden: may not be specified for non-apply patch".to_owned(),
                field: "force".to_owned(),
            });
        }
        if kind != "DeleteOptions" {
            check_manager(&self.field_manager, minor, &mut causes);
        }
        if kind == "DeleteOptions"
            && let (Some(policy), Some(_)) = (&self.propagation_policy, self.orphan_dependents)
        {
            causes.push(Cause {
                reason: "FieldValueInvalid",
                message: format!(
                    "Invalid value: {}: orphanDependents and deletionPropagation cannot be both set",
                    quote(policy)
                ),
                field: "propagationPolicy".to_owned(),
            });
        }
        let mut unsupported = |field: &str, value: String, supported: &str| {
            causes.push(Cause {
                reason: "FieldValueNotSupported",
                message: format!("Unsupported value: {value}: supported values: {supported}"),
                field: field.to_owned(),
            });
        };
        if kind == "DeleteOptions"
            && let Some(policy) = &self.propagation_policy
            && !matches!(&**policy, "Foreground" | "Background" | "Orphan")
        {
            unsupported(
                "propagationPolicy",
                quote(policy),
                r#""Foreground", "Background", "Orphan", "nil""#,
            );
        }
        if self.dry_run.iter().any(|value| value != "All") {
            // The values were printed with `%#v` up to 1.33, and as JSON since 1.34.
            let quoted: Vec<String> = self.dry_run.iter().map(|v| quote(v)).collect();
            let value = if minor.number() <= 33 {
                format!("[]string{{{}}}", quoted.join(", "))
            } else {
                format!("[{}]", quoted.join(","))
            };
            unsupported("dryRun", value, "\"All\"");
        }
        if minor.number() >= 23
            && !matches!(&*self.field_validation, "" | "Ignore" | "Strict" | "Warn")
        {
            unsupported(
                "fieldValidation",
                quote(&self.field_validation),
                r#""", "Ignore", "Strict", "Warn""#,
            );
        }
        if causes.is_empty() {
            return Ok(());
        }
        let kind = Grouped {
            group: "meta.k8s.io",
            name: if kind == APPLY { "PatchOptions" } else { kind },
        };
        Err(Status::invalid(kind, "", causes))
    }
}

/// `ValidateFieldManager`
fn check_manager(manager: &str, minor: Minor, causes: &mut Vec<Cause>) {
    const LONGEST: usize = 128;
    let mut cause = |reason, message| {
        causes.push(Cause {
            reason,
            message,
            field: "fieldManager".to_owned(),
        });
    };
    if manager.len() > LONGEST {
        let than = if minor.number() >= TOO_LONG_IN_BYTES {
            format!("may not be more than {LONGEST} bytes")
        } else {
            format!("must have at most {LONGEST} bytes")
        };
        cause("FieldValueTooLong", format!("Too long: {than}"));
    }
    for (at, character) in manager.char_indices() {
        // Go prints no separators but the space.
        if character.is_control() || character.is_whitespace() && character != ' ' {
            cause(
                "FieldValueInvalid",
                format!(
                    "Invalid value: {}: invalid character U+{:04X} (at position {at})",
                    quote(manager),
                    u32::from(character)
                ),
            );
        }
    }
}

/// Reads a truth value: all but `false` and `0` is true (`Convert_Slice_string_To_bool` in
/// `k8s.io/apimachinery/pkg/runtime`).
fn truth(text: &str) -> bool {
    !text.eq_ignore_ascii_case("false") && text != "0"
}

/// Reads an integer as Go's `strconv.ParseInt` does, with its error.
pub(crate) fn integer(text: &str) -> Result<i64, Status> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        let why = match error.kind() {
            PosOverflow | NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Status::bad_request(format!("strconv.ParseInt: parsing {}: {why}", quote(text)))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn message(query: &str, minor: u8) -> String {
        Options::parse(query)
            .and_then(|o| o.validate("CreateOptions", Minor::known(minor)))
            .expect_err("refused")
            .message
    }

    #[test]
    fn reads_what_it_knows() {
        let query =
            "dryRun=All&fieldValidation=Strict&labelSelector=a%3Db,c+in+(d)&x=y&watch=1&limit=5";
        let options = Options::parse(query).expect("options");
        assert!(options.dry_run() && options.watch);
        assert_eq!(options.field_validation(), FieldValidation::Strict);
        assert_eq!(options.label_selector, "a=b,c in (d)");
        assert_eq!(options.limit, 5);
        assert!(!Options::parse("watch=False").expect("options").watch);
    }

    // As recorded on 1.36 and 1.23.
    #[rstest]
    #[case("dryRun=Some", 36, r#"CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All""#)]
    #[case("dryRun=Some", 23, r#"CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All""#)]
    #[case("fieldManager=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 36, r#"CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes"#)]
    // From source only.
    #[case("fieldManager=a%0Ab", 36, r#"CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\nb": invalid character U+000A (at position 1)"#)]
    #[case("dryRun=x&fieldValidation=y", 36, r#"CreateOptions.meta.k8s.io "" is invalid: [dryRun: Unsupported value: ["x"]: supported values: "All", fieldValidation: Unsupported value: "y": supported values: "", "Ignore", "Strict", "Warn"]"#)]
    #[case(
        "gracePeriodSeconds=abc",
        36,
        r#"strconv.ParseInt: parsing "abc": invalid syntax"#
    )]
    #[case(
        "limit=99999999999999999999",
        36,
        r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#
    )]
    fn refusals(#[case] query: &str, #[case] minor: u8, #[case] expected: &str) {
        assert_eq!(message(query, minor), expected);
    }

    #[test]
    fn older_servers_take_any_field_validation() {
        let options = Options::parse("fieldValidation=y").expect("options");
        assert_eq!(options.validate("CreateOptions", Minor::known(22)), Ok(()));
    }
}
