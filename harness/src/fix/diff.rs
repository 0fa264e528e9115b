//! The difference between a file and its fix, as `git apply` and `patch -p1` take it.

use std::path::{Component, Path};

use similar::TextDiff;

/// The unified diff of the file at `path`; empty where the texts are equal.
///
/// ```
/// let diff = podgate_harness::fix::unified("./k8s/web.yaml".as_ref(), "a: 1\nb: 2\n", "a: 1\nb: 3\n");
/// assert_eq!(diff, "--- a/k8s/web.yaml\n+++ b/k8s/web.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n");
/// ```
#[must_use]
pub fn unified(path: &Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    // What stands before the folder's own files is no part of a patch's paths.
    let parts = path.components().filter(|part| {
        !matches!(
            part,
            Component::Prefix(_) | Component::RootDir | Component::CurDir
        )
    });
    let parts: Vec<String> = parts
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let name = parts.join("/");
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
