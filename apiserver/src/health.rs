//! `/healthz`, `/livez` and `/readyz`, with their checks one by one.
//!
//! Upstream: `k8s.io/apiserver/pkg/server/healthz/healthz.go`. This server has one check, that it
//! answers.

use std::fmt::Write as _;

use podgate_admission::quote::quote;

use crate::answer::Answer;

/// The endpoints.
pub(crate) const ENDPOINTS: [&str; 3] = ["healthz", "livez", "readyz"];
/// The checks below each.
pub(crate) const CHECKS: [&str; 1] = ["ping"];

/// The answer at `path`, if it is one of the endpoints or of the checks.
pub(crate) fn answer(path: &str, query: &str) -> Option<Answer> {
    let mut parts = path.strip_prefix('/')?.split('/');
    let endpoint = parts.next().filter(|name| ENDPOINTS.contains(name))?;
    match (parts.next(), parts.next()) {
        (None, None) => Some(Answer::text(200, &report(endpoint, query))),
        (Some(check), None) if CHECKS.contains(&check) => Some(Answer::text(200, "ok")),
        _ => None,
    }
}

fn report(endpoint: &str, query: &str) -> String {
    let values = |name: &str| -> Vec<String> {
        form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    if values("verbose").is_empty() {
        return "ok".to_owned();
    }
    let mut excluded = values("exclude");
    excluded.sort_unstable();
    excluded.dedup();
    let mut report = String::new();
    for check in CHECKS {
        let is_excluded = excluded.iter().any(|name| name == check);
        let how = if is_excluded { " excluded: ok" } else { " ok" };
        // Writing to a text does not fail.
        let _ = writeln!(report, "[+]{check}{how}");
    }
    let unknown = excluded.iter().filter(|name| !CHECKS.contains(&&***name));
    let unknown = unknown.map(|name| quote(name)).collect::<Vec<_>>();
    if !unknown.is_empty() {
        let names = unknown.join(",");
        let _ = writeln!(
            report,
            "warn: some health checks cannot be excluded: no matches for {names}"
        );
    }
    let _ = writeln!(report, "{endpoint} check passed");
    report
}
