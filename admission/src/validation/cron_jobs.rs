//! Cron jobs.
//!
//! Upstream: `ValidateCronJobCreate` and `ValidateCronJobUpdate` in
//! `pkg/apis/batch/validation/validation.go`.

use crate::value::Value;

use super::field::{BadValue, Path};
use super::names::NameRule;
use super::pod::spec_of;
use super::resources::non_negative_field;
use super::tree::{flag, text, text_opt};
use super::workloads::selector_value;
use super::{Validator, cron, jobs, metadata, selectors};

static NOTHING: Value<'static> = Value::Null;

/// `ValidateCronJobCreate`
pub(crate) fn create(v: &mut Validator, object: &Value<'_>) {
    const MAX_NAME: usize = 52;
    let meta = metadata::of(object);
    let path = Path::new("metadata");
    metadata::object_meta(v, meta, true, NameRule::Subdomain, &path);
    cron_job_spec(v, spec_of(object), None);
    let name = text(meta, "name");
    if name.len() > MAX_NAME {
        v.errors.invalid(
            &path.child("name"),
            name,
            format!("must be no more than {MAX_NAME} characters"),
        );
    }
}

/// `ValidateCronJobUpdate`
pub(crate) fn update(v: &mut Validator, new: &Value<'_>, old: &Value<'_>) {
    let path = Path::new("metadata");
    metadata::update(v, metadata::of(new), metadata::of(old), &path);
    cron_job_spec(v, spec_of(new), Some(spec_of(old)));
}

/// `validateCronJobSpec`
fn cron_job_spec(v: &mut Validator, spec: &Value<'_>, old: Option<&Value<'_>>) {
    const POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];
    let path = Path::new("spec");
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        v.errors.required(&path.child("schedule"), "");
    } else {
        let zone_before = old.is_some_and(|old| text(old, "schedule").contains("TZ"));
        cron::schedule(v, spec, zone_before, &path.child("schedule"));
    }
    non_negative_field(v, spec, "startingDeadlineSeconds", &path);
    let zone = text_opt(spec, "timeZone");
    if old.is_none_or(|old| text_opt(old, "timeZone") != zone)
        && let Some(zone) = zone
    {
        cron::time_zone(v, zone, &path.child("timeZone"));
    }
    let policy_path = path.child("concurrencyPolicy");
    match text(spec, "concurrencyPolicy") {
        "" => v.errors.required(&policy_path, ""),
        policy if POLICIES.contains(&policy) => {}
        policy => v.errors.not_supported(&policy_path, policy, &POLICIES),
    }
    job_template(v, spec, &path.child("jobTemplate"));
    non_negative_field(v, spec, "successfulJobsHistoryLimit", &path);
    non_negative_field(v, spec, "failedJobsHistoryLimit", &path);
}

/// `ValidateJobTemplateSpec`
fn job_template(v: &mut Validator, spec: &Value<'_>, path: &Path<'_>) {
    let spec = spec_of(spec.get("jobTemplate").unwrap_or(&NOTHING));
    let path = path.child("spec");
    jobs::job_spec(v, spec, &path);
    if selectors::of(spec).is_some() {
        let value = selector_value(v, spec);
        v.errors.invalid(
            &path.child("selector"),
            value,
            "`selector` will be auto-generated",
        );
    }
    if flag(spec, "manualSelector") {
        v.errors.not_supported_value(
            &path.child("manualSelector"),
            BadValue::Bool(true),
            &["nil", "false"],
        );
    }
}
