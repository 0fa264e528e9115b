//! Which file a rendered object comes from, as far as those say it that render.
//!
//! Upstream: helm writes `# Source: CHART/templates/x.yaml` above each object (`renderResources` in
//! helm.sh/helm `pkg/action/action.go`); kustomize notes the file in an annotation where a
//! kustomization asks for `originAnnotations` (`api/resource/origin.go` in sigs.k8s.io/kustomize).

use std::path::{Component, Path, PathBuf};

use crate::resolve::Scalar;
use crate::tree::{NodeId, Tree};

/// The annotation in which kustomize notes where an object comes from.
const ANNOTATION: &str = "config.kubernetes.io/origin";

/// What a text was rendered from: where its objects come from, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The folder of the chart or the kustomization.
    pub folder: PathBuf,
    /// What is named for an object of which nothing says where it comes from: `kustomization.yaml`.
    pub whole: Option<PathBuf>,
}

/// The file that the comment above an object names, as helm writes it: the first line of a document.
pub(crate) fn of_comment(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let first = lines.next()?;
    let line = if first.starts_with("---") {
        lines.next()?
    } else {
        first
    };
    let file = line.strip_prefix("# Source: ")?.trim_end();
    let mut folders = file.split('/');
    let name = folders.next_back()?;
    // Anybody may write such a comment: helm's name a file in one of two folders of a chart.
    let is_of_chart = folders.skip(1).any(|it| matches!(it, "templates" | "crds"));
    (is_of_chart && !name.is_empty() && !file.contains("://")).then_some(file)
}

/// The file that kustomize's annotation names, unless that is in another repository.
pub(crate) fn of_annotation(tree: &Tree, root: NodeId) -> Option<String> {
    let field = |node, name| tree.get(node, name).map(|entry| tree.target(entry.value));
    let annotations = field(field(root, "metadata")?, "annotations")?;
    let Scalar::String(note) = tree.scalar(field(annotations, ANNOTATION)?).ok()?? else {
        return None;
    };
    let said = |key: &str| {
        let mut lines = note.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    };
    match (said("path"), said("repo")) {
        (Some(path), None) => Some(path.trim().to_owned()),
        _ => None,
    }
}

impl Rendered {
    /// The template that a comment names by its chart, where it is on disk: not that of a packed
    /// subchart, or of one under another name.
    pub(crate) fn template(&self, named: &str) -> Option<String> {
        let (_chart, file) = named.split_once('/')?;
        self.on_disk(file)
    }

    /// A file that is named relative to the folder, where it is there.
    pub(crate) fn on_disk(&self, file: &str) -> Option<String> {
        let file = normal(&self.folder.join(file));
        file.is_file().then(|| file.display().to_string())
    }
}

/// A path without `.` and `..`, as far as it can do without.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match (part, normal.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                normal.pop();
            }
            (part, _) => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::helm(
        "# Source: web/templates/x.yaml\nkind: Pod\n",
        Some("web/templates/x.yaml")
    )]
    #[case::separator(
        "---\n# Source: web/charts/a/templates/b/x.yaml\n",
        Some("web/charts/a/templates/b/x.yaml")
    )]
    #[case::crd("# Source: web/crds/x.yaml\n", Some("web/crds/x.yaml"))]
    #[case::another_line("kind: Pod\n# Source: web/templates/x.yaml\n", None)]
    #[case::web("# Source: https://example.com/templates/x.yaml\n", None)]
    #[case::somebody("# Source: the wiki\n", None)]
    #[case::no_chart("# Source: templates/x.yaml\n", None)]
    #[case::a_folder("# Source: web/templates/\n", None)]
    fn comments(#[case] text: &str, #[case] file: Option<&str>) {
        assert_eq!(of_comment(text), file);
    }

    #[rstest]
    #[case("k8s/overlays/../base/x.yaml", "k8s/base/x.yaml")]
    #[case("./../x.yaml", "../x.yaml")]
    #[case("../../x.yaml", "../../x.yaml")]
    fn paths(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(normal(Path::new(path)), Path::new(expected));
    }
}
