//! `podgate.yaml`: a team's defaults, at the root of its repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use podgate_manifest::Document;
use schemars::JsonSchema;
use serde::Deserialize;

use super::read;
use crate::error::Error;
use crate::template::Template;
use crate::versions::MinorRange;

/// Where a repository keeps its clusters, scenarios and snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The minors that a run is for, unless the command line says otherwise.
    pub kubernetes: Option<MinorRange>,
    /// The folder of cluster files.
    pub clusters: PathBuf,
    /// The folder of scenarios.
    pub scenarios: PathBuf,
    /// The folder of snapshots.
    pub snapshots: PathBuf,
    /// Where other kinds than Kubernetes' own have pod templates.
    pub templates: Vec<Arc<Template>>,
}

/// A team's defaults: `podgate.yaml` at the root of a repository.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ProjectDocument {
    #[serde(rename = "apiVersion")]
    #[schemars(extend("const" = read::API_VERSION))]
    _api_version: String,
    #[serde(rename = "kind")]
    #[schemars(extend("const" = "Project"))]
    _kind: String,
    #[serde(default, rename = "metadata")]
    _metadata: serde_json::Value,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// The minors that `test` and `check` are for, unless `--kubernetes` says otherwise.
    #[serde(default)]
    #[schemars(with = "Option<MinorRange>")]
    kubernetes: Option<String>,
    /// The folder of cluster files.
    #[serde(default)]
    clusters: Option<PathBuf>,
    /// The folder of scenarios.
    #[serde(default)]
    scenarios: Option<PathBuf>,
    /// The folder of snapshots.
    #[serde(default)]
    snapshots: Option<PathBuf>,
    /// Where other kinds than Kubernetes' own have pod templates, which `check`, `diff` and `audit` then
    /// judge: `argoproj.io/Rollout: spec.template`.
    #[serde(default)]
    templates: BTreeMap<String, String>,
}

impl Project {
    /// Reads `podgate.yaml` of `folder`, or takes the usual names where there is none.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let file = folder.join("podgate.yaml");
        let (kubernetes, templates, spec) = if file.is_file() {
            let head = read::first(&file)?;
            if head.kind() != Some("Project") {
                return Err(read::at_value(
                    &head,
                    "kind",
                    "this is no `kind: Project`",
                    "podgate.yaml has one document, of that kind",
                ));
            }
            read::own_api_version(&head)?;
            let spec = podgate_manifest::from_document::<ProjectDocument>(&head)?.spec;
            (
                read::range(&head, "spec.kubernetes", spec.kubernetes.as_deref())?,
                templates(&head, &spec)?,
                spec,
            )
        } else {
            (None, Vec::new(), Spec::default())
        };
        let at =
            |path: Option<PathBuf>, usual: &str| folder.join(path.unwrap_or_else(|| usual.into()));
        Ok(Self {
            kubernetes,
            clusters: at(spec.clusters, "clusters"),
            scenarios: at(spec.scenarios, "scenarios"),
            snapshots: at(spec.snapshots, "snapshots"),
            templates,
        })
    }
}

fn templates(head: &Document, spec: &Spec) -> Result<Vec<Arc<Template>>, Error> {
    let read = |(kind, path): (&String, &String)| {
        Template::new(kind, path).map(Arc::new).map_err(|error| {
            let place = ["spec".into(), "templates".into(), kind.as_str().into()];
            let hint = "write it like `argoproj.io/Rollout: spec.template`".to_owned();
            let error = head.error_at(&place, false, error.to_string(), Some(hint));
            Error::from(error)
        })
    };
    spec.templates.iter().map(read).collect()
}
