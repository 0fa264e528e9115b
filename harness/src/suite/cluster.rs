//! A cluster file: one cluster configuration under test.
//!
//! Its first document is `kind: Cluster`; an `AdmissionConfiguration` may follow, and every further
//! document is an object that is created before the scenarios.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use podgate_manifest::Document;
use podgate_policy::Minor;
use podgate_policy::rules::{self, Rules};
use schemars::JsonSchema;
use serde::Deserialize;

use super::manifest::Manifest;
use super::read;
use super::server::Admission;
use crate::error::Error;
use crate::versions::MinorRange;

/// A cluster configuration under test.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, the file's stem by custom.
    pub name: String,
    /// The file, as it was found or named.
    pub file: PathBuf,
    /// Its first document.
    pub head: Document,
    /// What its servers judge by: upstream's rules, unless the suite is tried with a mutant's.
    pub rules: &'static Rules,
    /// The minors that it is for: those that its file names, or those where all its plugins exist.
    pub minors: Vec<Minor>,
    /// Who applies, unless a scenario says otherwise; `None`: the cluster's admin.
    pub requester: Option<Requester>,
    /// Flags of kube-apiserver.
    pub flags: Flags,
    /// The `AdmissionConfiguration`.
    pub admission: Option<Admission>,
    /// What the namespace of each scenario carries.
    pub namespace: NamespaceSpec,
    /// Objects that exist before the scenarios.
    pub objects: Vec<Manifest>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The user's name.
    pub user: String,
    /// The user's groups; those of a service account are derived.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// The flags of kube-apiserver that podgate sets on every backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Flags {
    /// `--enable-admission-plugins`
    #[serde(default)]
    pub enable_admission_plugins: Vec<String>,
    /// `--disable-admission-plugins`
    #[serde(default)]
    pub disable_admission_plugins: Vec<String>,
    /// `--feature-gates`
    #[serde(default)]
    pub feature_gates: BTreeMap<String, bool>,
    /// `--admission-control-config-file`, relative to the cluster file.
    #[serde(default)]
    pub admission_control_config_file: Option<PathBuf>,
}

/// Labels and annotations of a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespaceSpec {
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A cluster configuration under test: the first document of a cluster file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ClusterDocument {
    #[serde(rename = "apiVersion")]
    #[schemars(extend("const" = read::API_VERSION))]
    _api_version: String,
    #[serde(rename = "kind")]
    #[schemars(extend("const" = "Cluster"))]
    _kind: String,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Metadata {
    /// The name, as `--cluster` and the folders of snapshots have it.
    name: String,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    /// The minors that it is for; when absent those where all its plugins exist.
    #[serde(default)]
    #[schemars(with = "Option<MinorRange>")]
    kubernetes: Option<String>,
    /// Who applies, unless a scenario says otherwise; when absent the cluster's admin, group `system:masters`.
    #[serde(default)]
    r#as: Option<Requester>,
    /// Flags of kube-apiserver.
    #[serde(default)]
    api_server: Flags,
    /// What the namespace of each scenario carries.
    #[serde(default)]
    namespace: NamespaceSpec,
    /// Files and folders of objects that exist before the scenarios.
    #[serde(default)]
    objects: Vec<PathBuf>,
}

impl Cluster {
    /// Reads a cluster file and every file that it names.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let mut documents = read::documents(path)?;
        let head = documents.remove(0);
        let documents = documents.into_iter();
        if head.kind() != Some("Cluster") {
            return Err(read::at_value(
                &head,
                "kind",
                "the first document of a cluster file is `kind: Cluster`",
                "podgate init writes an example",
            ));
        }
        read::own_api_version(&head)?;
        let ClusterDocument { metadata, spec, .. } = podgate_manifest::from_document(&head)?;
        let folder = path.parent().unwrap_or(Path::new(""));

        let kubernetes = read::range(&head, "spec.kubernetes", spec.kubernetes.as_deref())?;
        let mut cluster = Self {
            name: metadata.name,
            head,
            file: path.to_owned(),
            minors: Vec::new(),
            rules: &rules::UPSTREAM,
            requester: spec.r#as,
            admission: None,
            namespace: spec.namespace,
            objects: Vec::new(),
            flags: spec.api_server,
        };
        if let Some(file) = &cluster.flags.admission_control_config_file {
            let file = folder.join(file);
            let field = "spec.apiServer.admissionControlConfigFile";
            read::referenced(&cluster.head, field, &file)?;
            let document = read::first(&file)?;
            let folder = file.parent().unwrap_or(Path::new(""));
            cluster.admission = Some(Admission::load(document, folder)?);
        }
        for (at, path) in spec.objects.iter().enumerate() {
            let path = folder.join(path);
            read::referenced(&cluster.head, &format!("spec.objects[{at}]"), &path)?;
            cluster.objects.extend(Manifest::read_all(&path)?);
        }
        for document in documents {
            if document.kind() == Some("AdmissionConfiguration") {
                if cluster.admission.is_some() {
                    return Err(read::at(
                        &document,
                        "kind",
                        "the cluster has an AdmissionConfiguration already",
                        "keep either the document or spec.apiServer.admissionControlConfigFile",
                    ));
                }
                cluster.admission = Some(Admission::load(document, folder)?);
            } else {
                cluster.objects.extend(Manifest::from_document(document)?);
            }
        }
        cluster.minors = match kubernetes {
            Some(range) => range.minors().collect(),
            None => cluster.possible_minors()?,
        };
        Ok(cluster)
    }
}
