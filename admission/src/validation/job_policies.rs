//! What a job does about pods that fail, succeed or are to be replaced.
//!
//! Upstream: `validatePodFailurePolicy`, `validatePodReplacementPolicy`, `validateSuccessPolicy` and
//! `validateIndexesFormat` in `pkg/apis/batch/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::pod::spec_of;
use super::tree::{field, int_opt, items, text, text_opt};
use super::{Validator, go, metadata, versions};

static NOTHING: Value<'static> = Value::Null;

/// Go's `%q` of a slice.
fn quoted_list(values: &[&str]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| go::quote(value)).collect();
    format!("[{}]", quoted.join(" "))
}

/// A value of an enumeration that must be given.
fn enumeration(v: &mut Validator, value: &str, values: &[&str], path: &Path<'_>) {
    if value.is_empty() {
        v.errors
            .required(path, format!("valid values: {}", quoted_list(values)));
    } else if !values.contains(&value) {
        v.errors.not_supported(path, value, values);
    }
}

/// `validatePodFailurePolicy`
pub(crate) fn pod_failure_policy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_RULES: usize = 20;
    let Some(policy) = field(spec, "podFailurePolicy") else {
        return;
    };
    let rules = items(policy, "rules");
    let path = path.child("rules");
    if rules.len() > MAX_RULES {
        v.errors.too_many(&path, rules.len(), MAX_RULES);
    }
    for (i, rule) in rules.iter().enumerate() {
        pod_failure_rule(v, rule, spec, &path.index(i));
    }
}

/// `validatePodFailurePolicyRule`
fn pod_failure_rule(v: &mut Validator, rule: &Value<'_>, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_PATTERNS: usize = 20;
    let action = text(rule, "action");
    let action_path = path.child("action");
    if action == "FailIndex" && v.since(versions::JOB_FAIL_INDEX) {
        if field(spec, "backoffLimitPerIndex").is_none() {
            v.errors.invalid(
                &action_path,
                BadValue::Named(action),
                "requires the backoffLimitPerIndex to be set",
            );
        }
    } else {
        let actions: &[&str] = if v.since(versions::JOB_FAIL_INDEX) {
            &["Count", "FailIndex", "FailJob", "Ignore"]
        } else {
            &["Count", "FailJob", "Ignore"]
        };
        enumeration(v, action, actions, &action_path);
    }
    let codes = field(rule, "onExitCodes");
    let patterns = items(rule, "onPodConditions");
    if let Some(codes) = codes {
        exit_codes(v, codes, spec, &path.child("onExitCodes"));
    }
    let patterns_path = path.child("onPodConditions");
    if patterns.len() > MAX_PATTERNS {
        v.errors
            .too_many(&patterns_path, patterns.len(), MAX_PATTERNS);
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let path = patterns_path.index(i);
        metadata::label_name(v, text(pattern, "type"), &path.child("type"));
        enumeration(
            v,
            text(pattern, "status"),
            &["False", "True", "Unknown"],
            &path.child("status"),
        );
    }
    let detail = match (codes.is_some(), !patterns.is_empty()) {
        (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return,
    };
    v.errors.invalid(path, BadValue::Omitted, detail);
}

/// `validatePodFailurePolicyRuleOnExitCodes`
fn exit_codes(v: &mut Validator, rule: &Value<'_>, spec: &Value<'_>, path: &Path<'_>) {
    const MAX_VALUES: usize = 255;
    let operator = text(rule, "operator");
    enumeration(v, operator, &["In", "NotIn"], &path.child("operator"));
    if let Some(name) = text_opt(rule, "containerName") {
        let pod = spec_of(spec.get("template").unwrap_or(&NOTHING));
        let known = ["containers", "initContainers"]
            .iter()
            .flat_map(|list| items(pod, list))
            .any(|container| text(container, "name") == name);
        if !known {
            v.errors.invalid(
                &path.child("containerName"),
                name,
                "must be one of the container or initContainer names in the pod template",
            );
        }
    }
    let path = path.child("values");
    let printed = |v: &Validator| go::print_ints(field(rule, "values"), "int32", v.minor);
    let values: Vec<i64> = items(rule, "values")
        .iter()
        .map(|value| value.as_int().unwrap_or_default())
        .collect();
    if values.is_empty() {
        let value = printed(v);
        v.errors
            .invalid(&path, value, "at least one value is required");
    } else if values.len() > MAX_VALUES {
        v.errors.too_many(&path, values.len(), MAX_VALUES);
    }
    for (i, value) in values.iter().enumerate() {
        let path = path.index(i);
        if operator == "In" && *value == 0 {
            v.errors
                .invalid(&path, *value, "must not be 0 for the In operator");
        }
        if values[..i].contains(value) {
            v.errors.duplicate(&path, *value);
        }
    }
    if !values.is_sorted() {
        let value = printed(v);
        v.errors.invalid(&path, value, "must be ordered");
    }
}

/// `validatePodReplacementPolicy`
pub(crate) fn pod_replacement_policy(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let Some(policy) = text_opt(spec, "podReplacementPolicy") else {
        return;
    };
    let supported: &[&str] = if field(spec, "podFailurePolicy").is_some() {
        &["Failed"]
    } else {
        &["Failed", "TerminatingOrFailed"]
    };
    if !supported.contains(&policy) {
        v.errors.not_supported(path, policy, supported);
    }
}

/// `validateSuccessPolicy`
pub(crate) fn success_policy(
    v: &mut Validator,
    policy: &Value<'_>,
    spec: &Value<'_>,
    path: &Path<'_>,
) {
    const MAX_RULES: usize = 20;
    const MAX_INDEXES: usize = 64 * 1024;
    let rules = items(policy, "rules");
    let path = path.child("rules");
    if rules.is_empty() {
        v.errors.required(
            &path,
            "at least one rules must be specified when the successPolicy is specified",
        );
    }
    if rules.len() > MAX_RULES {
        v.errors.too_many(&path, rules.len(), MAX_RULES);
    }
    let completions = int_opt(spec, "completions").unwrap_or_default();
    for (i, rule) in rules.iter().enumerate() {
        let path = path.index(i);
        let count = int_opt(rule, "succeededCount");
        let indexes = text_opt(rule, "succeededIndexes");
        if count.is_none() && indexes.is_none() {
            v.errors.required(
                &path,
                "at least one of succeededCount or succeededIndexes must be specified",
            );
        }
        let mut total = 0;
        if let Some(indexes) = indexes {
            let path = path.child("succeededIndexes");
            if indexes.len() > MAX_INDEXES {
                let detail = metadata::too_long(v, MAX_INDEXES);
                v.errors.too_long(&path, detail);
            }
            match count_indexes(indexes, completions) {
                Ok(count) => total = count,
                Err(error) => v.errors.invalid(
                    &path,
                    indexes,
                    format!("error parsing succeededIndexes: {error}"),
                ),
            }
        }
        let Some(count) = count else { continue };
        let path = path.child("succeededCount");
        metadata::non_negative(v, count, &path);
        if count > completions {
            v.errors.invalid(
                &path,
                count,
                format!(
                    "must be less than or equal to {completions} (the number of specified \
                     completions)"
                ),
            );
        }
        if indexes.is_some() && count > total {
            v.errors.invalid(
                &path,
                count,
                format!(
                    "must be less than or equal to {total} (the number of indexes in the \
                     specified succeededIndexes field)"
                ),
            );
        }
    }
}

/// `validateIndexesFormat`: how many indexes `0,2-4` names.
fn count_indexes(indexes: &str, completions: i64) -> Result<i64, String> {
    if indexes.is_empty() {
        return Ok(0);
    }
    let (mut last, mut total) = (None, 0);
    for interval in indexes.split(',') {
        let (first, end) = index_interval(interval, completions)?;
        if let Some(last) = last
            && last >= first
        {
            return Err(format!(
                "non-increasing order, previous: {last}, current: {first}"
            ));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

/// `parseIndexInterval`
fn index_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let mut limits = interval.split('-');
    let (first, end) = (limits.next().unwrap_or_default(), limits.next());
    if limits.next().is_some() {
        let quoted = go::quote(interval);
        return Err(format!(
            "the fragment {quoted} violates the requirement that an index interval can have at \
             most two parts separated by '-'"
        ));
    }
    let index = |text: &str| -> Result<i64, String> {
        let quoted = || go::quote(text);
        let index: i64 = text
            .parse()
            .map_err(|_| format!("cannot convert string to integer for index: {}", quoted()))?;
        if index >= completions {
            return Err(format!("too large index: {}", quoted()));
        }
        Ok(index)
    };
    let first = index(first)?;
    let Some(end) = end else {
        return Ok((first, first));
    };
    let end = index(end)?;
    if first >= end {
        return Err(format!(
            "non-increasing order, previous: {first}, current: {end}"
        ));
    }
    Ok((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", Ok(0))]
    #[case("0,2-4", Ok(4))]
    #[case("9", Ok(1))]
    #[case("10", Err("too large index: \"10\""))]
    #[case("3,1", Err("non-increasing order, previous: 3, current: 1"))]
    #[case("4-2", Err("non-increasing order, previous: 4, current: 2"))]
    #[case("x", Err("cannot convert string to integer for index: \"x\""))]
    #[case(
        "1-2-3",
        Err(
            "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'"
        )
    )]
    fn counts_indexes(#[case] indexes: &str, #[case] expected: Result<i64, &str>) {
        assert_eq!(count_indexes(indexes, 10), expected.map_err(str::to_owned));
    }
}
