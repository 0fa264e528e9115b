//! Places as people read them. Of what was rendered the file is the template, and the line one of the
//! text that helm or kustomize print: no line of the template is known.

use podgate_harness::check::{self, Finding};
use podgate_harness::fault::Place;

/// `k8s/web.yaml:3`, or `charts/web/templates/web.yaml, rendered 3`
pub(crate) fn line(file: &str, line: usize, source: Option<&str>) -> String {
    match source {
        Some(source) => format!("{source}, rendered {line}"),
        None => format!("{file}:{line}"),
    }
}

/// The same of a field.
pub(crate) fn of(place: &Place) -> String {
    line(&place.file, place.line, place.source.as_deref())
}

/// Where an object begins.
pub(crate) fn of_object(place: &check::Place) -> String {
    line(&place.file, place.line, place.source.as_deref())
}

/// Where the object of a finding begins.
pub(crate) fn of_finding(finding: &Finding) -> String {
    line(&finding.file, finding.line, finding.source.as_deref())
}

/// The file to look into.
pub(crate) fn file(place: &Place) -> &str {
    place.source.as_deref().unwrap_or(&place.file)
}

/// What the lines of rendered texts mean.
pub(crate) const RENDERED: &str =
    "rendered: lines of what was rendered, as helm template and kustomize build print it";
