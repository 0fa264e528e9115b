//! A scenario: manifests that are applied, steps that follow, and what must hold of the outcomes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use podgate_manifest::{Document, FieldPath};
use podgate_policy::Minor;
use podgate_policy::checks::CHECKS;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::cluster::{Cluster, Requester};
use super::manifest::Manifest;
use super::read;
use crate::error::Error;
use crate::outcome::{self, By};
use crate::versions::MinorRange;

/// A scenario, as its file says.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its path below the folder of scenarios, without the extension: `psa/root-pod`.
    pub id: String,
    /// The file.
    pub file: PathBuf,
    /// Its own document, where the file has one.
    pub head: Option<Document>,
    /// What it shows.
    pub description: Option<String>,
    /// Who applies; `None`: whom the cluster says.
    pub requester: Option<Requester>,
    /// Its namespace, on top of what the cluster says.
    pub namespace: ScenarioNamespace,
    /// The clusters that it runs on; `None`: all.
    pub clusters: Option<Vec<String>>,
    /// The minors that it is for; `None`: all.
    pub kubernetes: Option<MinorRange>,
    /// Its manifests, in order.
    pub manifests: Vec<Manifest>,
    /// What happens, in order; where the file has no steps: one that applies everything.
    pub steps: Vec<Step>,
    /// Whether the file spells its steps out.
    pub has_steps: bool,
    /// What must hold, whatever a snapshot says.
    pub expect: Vec<Expectation>,
}

/// The namespace of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioNamespace {
    /// Its name; `None`: a slug of scenario and cluster.
    #[serde(default)]
    pub name: Option<String>,
    /// Labels on top of the cluster's; a null removes one.
    #[serde(default)]
    pub labels: BTreeMap<String, Option<String>>,
    /// Annotations on top of the cluster's; a null removes one.
    #[serde(default)]
    pub annotations: BTreeMap<String, Option<String>>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its heading in outcomes; `None` for the one step of a scenario that spells none out.
    pub heading: Option<outcome::Step>,
    /// Who does it; `None`: whom the scenario says.
    pub requester: Option<Requester>,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Applies manifests, by their indexes.
    Apply(Vec<usize>),
    /// Patches an object.
    Patch(Patch),
    /// Restarts a workload as `kubectl rollout restart` does.
    Restart(String),
    /// Deletes an object.
    Delete(String),
}

/// A patch of an object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// `Kind/name`; the namespace of the scenario is `Namespace` alone.
    pub object: String,
    /// How the body is read.
    pub r#type: PatchType,
    /// The subresource.
    #[serde(default)]
    pub subresource: Option<String>,
    /// The patch.
    pub body: Value,
}

/// The kinds of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatchType {
    /// RFC 6902
    Json,
    /// RFC 7386
    Merge,
    /// Kubernetes' own
    Strategic,
}

impl PatchType {
    /// The content type of the request.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// What must hold of the outcome of an object.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// `Kind/name`
    pub object: String,
    /// The clusters that it holds on; `None`: all.
    pub clusters: Option<Vec<String>>,
    /// The minors that it holds in; `None`: all.
    pub kubernetes: Option<MinorRange>,
    /// The step, counted from one, whose outcome is meant; `None`: the last that concerns the object.
    pub step: Option<u32>,
    /// What is expected of the object itself.
    pub own: Expected,
    /// What is expected of the pods of a workload.
    pub pods: Expected,
    /// Texts that a warning each must contain.
    pub warnings: Vec<String>,
    /// Where it stands: `file:line`.
    pub place: String,
}

impl Expectation {
    /// Whether it says anything about `cluster` at `minor`.
    #[must_use]
    pub fn applies(&self, cluster: &Cluster, minor: Minor) -> bool {
        let named = |names: &Vec<String>| names.contains(&cluster.name);
        self.clusters.as_ref().is_none_or(named)
            && self.kubernetes.is_none_or(|range| range.contains(minor))
    }
}

/// What is expected of a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Admitted or rejected, where that is said.
    pub verdict: Option<ExpectedVerdict>,
    /// Checks that the message must name, among others.
    pub checks: Vec<String>,
    /// A text that the message must contain.
    pub message: Option<String>,
    /// The `PodSecurityPolicy` that the pod must have got.
    pub policy: Option<String>,
    /// Fields that the policy must have changed, among others; an empty list: none.
    pub changes: Option<Vec<String>>,
}

/// The expected verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// Admitted.
    Admitted,
    /// Rejected, by that part of the server.
    Rejected(By),
}

/// What a scenario file says about its manifests: its first document, which may be absent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ScenarioDocument {
    #[serde(rename = "apiVersion")]
    #[schemars(extend("const" = read::API_VERSION))]
    _api_version: String,
    #[serde(rename = "kind")]
    #[schemars(extend("const" = "Scenario"))]
    _kind: String,
    #[serde(default, rename = "metadata")]
    _metadata: Option<Metadata>,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Metadata {
    /// A name for readers; the path of the file is what names a scenario.
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    /// What it shows.
    #[serde(default)]
    description: Option<String>,
    /// Who applies; when absent whom the cluster says.
    #[serde(default)]
    r#as: Option<Requester>,
    /// Its namespace, on top of what the cluster says.
    #[serde(default)]
    namespace: ScenarioNamespace,
    /// The clusters that it runs on; everywhere when absent.
    #[serde(default)]
    clusters: Option<Vec<String>>,
    /// The minors that it runs on; all when absent.
    #[serde(default)]
    #[schemars(with = "Option<MinorRange>")]
    kubernetes: Option<String>,
    /// Files and folders whose objects come before those of this file.
    #[serde(default)]
    manifests: Vec<PathBuf>,
    /// What happens, in order; when absent everything is applied once.
    #[serde(default)]
    steps: Option<Vec<StepDocument>>,
    /// What must hold, whatever a snapshot says.
    #[serde(default)]
    expect: Vec<ExpectDocument>,
}

/// One thing that is done, and by whom.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["apply"]}, {"required": ["patch"]}, {"required": ["restart"]}, {"required": ["delete"]},
]))]
struct StepDocument {
    /// Who does it, if it is somebody else.
    #[serde(default)]
    r#as: Option<Requester>,
    /// Applies manifests of the scenario: `Kind/name`.
    #[serde(default)]
    apply: Option<Vec<String>>,
    /// Patches an object.
    #[serde(default)]
    patch: Option<Patch>,
    /// Does to a workload, `Kind/name`, what `kubectl rollout restart` does.
    #[serde(default)]
    restart: Option<String>,
    /// Deletes an object, `Kind/name`.
    #[serde(default)]
    delete: Option<String>,
}

/// What must hold of an object that the steps touch.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExpectDocument {
    /// `Kind/name`
    object: String,
    /// The clusters where it holds; everywhere when absent.
    #[serde(default)]
    clusters: Option<Vec<String>>,
    /// The minors where it holds; all when absent.
    #[serde(default)]
    #[schemars(with = "Option<MinorRange>")]
    kubernetes: Option<String>,
    /// Which step, counted from one; when absent the last one that touches the object.
    #[serde(default)]
    #[schemars(range(min = 1))]
    step: Option<u32>,
    /// That it is admitted.
    #[serde(default)]
    #[schemars(extend("const" = true))]
    admitted: Option<bool>,
    /// By whom it is rejected.
    #[serde(default)]
    rejected: Option<By>,
    /// Checks of Pod Security that the message names, among others.
    #[serde(default)]
    checks: Vec<String>,
    /// A text in the message.
    #[serde(default)]
    message: Option<String>,
    /// The `PodSecurityPolicy` that admits the pod.
    #[serde(default)]
    policy: Option<String>,
    /// Fields that this policy changes, among others; an empty list: none.
    #[serde(default)]
    changes: Option<Vec<String>>,
    /// Texts; each must be in some warning.
    #[serde(default)]
    warnings: Vec<String>,
    /// What must hold of the pods of a workload.
    #[serde(default)]
    pods: Option<ExpectPods>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExpectPods {
    /// That they are admitted.
    #[serde(default)]
    #[schemars(extend("const" = true))]
    admitted: Option<bool>,
    /// By whom they are rejected.
    #[serde(default)]
    rejected: Option<By>,
    /// Checks of Pod Security that the message names, among others.
    #[serde(default)]
    checks: Vec<String>,
    /// A text in the message.
    #[serde(default)]
    message: Option<String>,
    /// The `PodSecurityPolicy` that admits them.
    #[serde(default)]
    policy: Option<String>,
    /// Fields that this policy changes, among others; an empty list: none.
    #[serde(default)]
    changes: Option<Vec<String>>,
}

impl Scenario {
    /// Reads a scenario file and every file that it names; `root` is the folder of scenarios.
    pub fn load(path: &Path, root: &Path) -> Result<Self, Error> {
        let id = path.strip_prefix(root).unwrap_or(path).with_extension("");
        let id = id
            .components()
            .map(|c| c.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/");
        let mut documents = read::documents(path)?;
        let head = match documents.first() {
            Some(first)
                if first.kind() == Some("Scenario")
                    && first
                        .api_version()
                        .is_some_and(|v| v.starts_with("podgate.dev/")) =>
            {
                Some(documents.remove(0))
            }
            _ => None,
        };
        let spec = match &head {
            Some(head) => {
                read::own_api_version(head)?;
                podgate_manifest::from_document::<ScenarioDocument>(head)?.spec
            }
            None => Spec::default(),
        };

        let mut manifests = Vec::new();
        for (at, file) in spec.manifests.iter().enumerate() {
            let file = path.parent().unwrap_or(Path::new("")).join(file);
            if let Some(head) = &head {
                read::referenced(head, &format!("spec.manifests[{at}]"), &file)?;
            }
            manifests.extend(Manifest::read_all(&file)?);
        }
        for document in documents {
            manifests.extend(Manifest::from_document(document)?);
        }

        let mut scenario = Self {
            id,
            file: path.to_owned(),
            description: spec.description,
            requester: spec.r#as,
            namespace: spec.namespace,
            clusters: spec.clusters,
            kubernetes: match &head {
                Some(head) => read::range(head, "spec.kubernetes", spec.kubernetes.as_deref())?,
                None => None,
            },
            has_steps: spec.steps.is_some(),
            steps: Vec::new(),
            expect: Vec::new(),
            manifests,
            head,
        };
        scenario.steps = match (spec.steps, &scenario.head) {
            (Some(steps), Some(head)) => scenario.read_steps(head, steps)?,
            _ => vec![Step {
                heading: None,
                requester: None,
                action: Action::Apply((0..scenario.manifests.len()).collect()),
            }],
        };
        if let Some(head) = &scenario.head {
            scenario.expect = scenario.read_expectations(head, spec.expect)?;
        }
        if scenario.manifests.is_empty() && !scenario.has_steps {
            return Err(
                Error::input(format!("{}: the scenario applies nothing", path.display())).hint(
                    "add manifests below its first document, or name files under spec.manifests",
                ),
            );
        }
        Ok(scenario)
    }

    /// Whether it runs on `cluster`.
    #[must_use]
    pub fn runs_on(&self, cluster: &Cluster) -> bool {
        self.clusters
            .as_ref()
            .is_none_or(|names| names.contains(&cluster.name))
    }

    /// The minors on which it runs on `cluster`.
    #[must_use]
    pub fn minors_on(&self, cluster: &Cluster) -> Vec<Minor> {
        if !self.runs_on(cluster) {
            return Vec::new();
        }
        let minors = cluster.minors.iter().copied();
        minors.filter(|minor| self.runs_in(*minor)).collect()
    }

    /// Whether it is for `minor`.
    #[must_use]
    pub fn runs_in(&self, minor: Minor) -> bool {
        self.kubernetes.is_none_or(|range| range.contains(minor))
    }

    fn read_steps(&self, head: &Document, steps: Vec<StepDocument>) -> Result<Vec<Step>, Error> {
        let mut read = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            let path = format!("spec.steps[{at}]");
            let mut actions = Vec::new();
            if let Some(names) = step.apply {
                let mut indexes = Vec::new();
                for name in &names {
                    indexes.push(self.manifest_index(head, &path, name)?);
                }
                actions.push(Action::Apply(indexes));
            }
            actions.extend(step.patch.map(Action::Patch));
            actions.extend(step.restart.map(Action::Restart));
            actions.extend(step.delete.map(Action::Delete));
            let one = <[Action; 1]>::try_from(actions).map_err(|actions| {
                let what = if actions.is_empty() {
                    "nothing"
                } else {
                    "several things"
                };
                let hint = "a step has exactly one of apply, patch, restart and delete";
                read::at(head, &path, format!("this step does {what}"), hint)
            })?;
            let [action] = one;
            let heading = outcome::Step {
                number: u32::try_from(at + 1).unwrap_or(u32::MAX),
                label: self.label(&action),
            };
            read.push(Step {
                heading: Some(heading),
                requester: step.r#as,
                action,
            });
        }
        Ok(read)
    }

    fn has_step(&self, number: u32) -> bool {
        self.has_steps && (1..=self.steps.len()).contains(&(number as usize))
    }

    /// What a step does, in a few words.
    fn label(&self, action: &Action) -> String {
        match action {
            Action::Apply(indexes) => {
                let names: Vec<String> = indexes
                    .iter()
                    .map(|&at| self.manifests[at].reference())
                    .collect();
                format!("apply {}", names.join(", "))
            }
            Action::Patch(Patch {
                object,
                subresource: Some(subresource),
                ..
            }) => {
                format!("patch {object}/{subresource}")
            }
            Action::Patch(patch) => format!("patch {}", patch.object),
            Action::Restart(object) => format!("restart {object}"),
            Action::Delete(object) => format!("delete {object}"),
        }
    }

    fn manifest_index(&self, head: &Document, path: &str, name: &str) -> Result<usize, Error> {
        self.manifests
            .iter()
            .position(|m| m.reference() == name)
            .ok_or_else(|| {
                let known: Vec<String> = self.manifests.iter().map(Manifest::reference).collect();
                let hint = read::nearest_hint(name, &known, "its manifests are");
                read::at(
                    head,
                    path,
                    format!("no manifest of this scenario is `{name}`"),
                    hint,
                )
            })
    }

    /// Every object that an expectation may name: what steps apply, patch, restart and delete.
    fn objects(&self) -> Vec<String> {
        let mut objects = Vec::new();
        for step in &self.steps {
            match &step.action {
                Action::Apply(indexes) => {
                    objects.extend(indexes.iter().map(|&at| self.manifests[at].reference()));
                }
                Action::Patch(patch) => objects.push(patch.object.clone()),
                Action::Restart(object) | Action::Delete(object) => objects.push(object.clone()),
            }
        }
        objects
    }

    fn read_expectations(
        &self,
        head: &Document,
        expectations: Vec<ExpectDocument>,
    ) -> Result<Vec<Expectation>, Error> {
        let objects = self.objects();
        let mut read = Vec::new();
        for (at, expect) in expectations.into_iter().enumerate() {
            let path = format!("spec.expect[{at}]");
            let wrong = |message: String, hint: String| read::at(head, &path, message, hint);
            if !objects.contains(&expect.object) {
                return Err(read::at_value(
                    head,
                    &format!("{path}.object"),
                    format!("`{}` is no object of this scenario", expect.object),
                    read::nearest_hint(&expect.object, &objects, "its objects are"),
                ));
            }
            if let Some(step) = expect.step.filter(|step| !self.has_step(*step)) {
                return Err(read::at_value(
                    head,
                    &format!("{path}.step"),
                    format!("there is no step {step}"),
                    match self.steps.len() {
                        count if self.has_steps => format!("steps are counted from 1 to {count}"),
                        _ => "the scenario has no spec.steps: it applies everything at once"
                            .to_owned(),
                    },
                ));
            }
            known_checks(head, &format!("{path}.checks"), &expect.checks)?;
            let of_pods = expect.pods.iter().flat_map(|pods| &pods.checks);
            known_checks(head, &format!("{path}.pods.checks"), of_pods)?;
            let own = Expected {
                verdict: expected_verdict(expect.admitted, expect.rejected)
                    .map_err(|(m, h)| wrong(m, h))?,
                checks: expect.checks,
                message: expect.message,
                policy: expect.policy,
                changes: expect.changes,
            };
            let pods = expect.pods.unwrap_or_default();
            let pods = Expected {
                verdict: expected_verdict(pods.admitted, pods.rejected)
                    .map_err(|(m, h)| wrong(m, h))?,
                checks: pods.checks,
                message: pods.message,
                policy: pods.policy,
                changes: pods.changes,
            };
            if own == Expected::default()
                && pods == Expected::default()
                && expect.warnings.is_empty()
            {
                return Err(wrong(
                    "this expectation expects nothing".to_owned(),
                    "say `admitted: true`, `rejected: PodSecurity`, `pods: {...}` or `warnings: [...]`".to_owned(),
                ));
            }
            let (_, location) = head.nearest(&FieldPath::parse(&path).0);
            let place = format!("{}:{}", self.file.display(), location.value.line);
            read.push(Expectation {
                kubernetes: read::range(
                    head,
                    &format!("{path}.kubernetes"),
                    expect.kubernetes.as_deref(),
                )?,
                object: expect.object,
                clusters: expect.clusters,
                step: expect.step,
                own,
                pods,
                warnings: expect.warnings,
                place,
            });
        }
        Ok(read)
    }
}

/// Refuses ids that no check of Pod Security has: no message could ever name them.
fn known_checks<'a>(
    head: &Document,
    path: &str,
    ids: impl IntoIterator<Item = &'a String>,
) -> Result<(), Error> {
    for (at, id) in ids.into_iter().enumerate() {
        if !CHECKS.iter().any(|check| check.id == id) {
            let known: Vec<String> = CHECKS.iter().map(|check| check.id.to_owned()).collect();
            return Err(read::at_value(
                head,
                &format!("{path}[{at}]"),
                format!("there is no check `{id}`"),
                read::nearest_hint(id, &known, "the checks are"),
            ));
        }
    }
    Ok(())
}

fn expected_verdict(
    admitted: Option<bool>,
    rejected: Option<By>,
) -> Result<Option<ExpectedVerdict>, (String, String)> {
    let wrong = |message: &str, hint: &str| Err((message.to_owned(), hint.to_owned()));
    match (admitted, rejected) {
        (None, None) => Ok(None),
        (Some(true), None) => Ok(Some(ExpectedVerdict::Admitted)),
        (Some(false) | None, Some(by)) => Ok(Some(ExpectedVerdict::Rejected(by))),
        (Some(false), None) => wrong(
            "a rejection is expected, but not by whom",
            "an object that is rejected for another reason must not pass: say `rejected: PodSecurity`",
        ),
        (Some(true), Some(_)) => wrong(
            "an object cannot be admitted and rejected at once",
            "keep one of the two",
        ),
    }
}
