//! Pod templates in objects that are not Kubernetes' own: Argo's Rollouts, Knative's Services and their
//! like. Where such a kind has its template is said by the user; what is judged is a pod of it.
//!
//! Upstream: `GetPodFromTemplate` in `pkg/controller/controller_utils.go` says what of a template a pod
//! gets.

use std::str::FromStr;
use std::sync::Arc;

use podgate_admission::resource;
use podgate_manifest::Segment;
use podgate_policy::Minor;
use serde_json::{Map, Value, json};

/// Where the objects of a kind have a pod template: `argoproj.io/Rollout=spec.template`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The API group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The keys on the way to the template.
    pub path: Vec<String>,
}

/// A text that names no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It is not of that form.
    #[error(
        "`{0}` names no template; write it as GROUP/KIND=PATH: argoproj.io/Rollout=spec.template"
    )]
    Form(String),
    /// The kind is one of Kubernetes' own.
    #[error("{0} is a kind of Kubernetes, whose templates are judged anyway")]
    Own(String),
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (kind, path) = text
            .split_once('=')
            .ok_or_else(|| TemplateError::Form(text.to_owned()))?;
        Self::new(kind, path)
    }
}

impl Template {
    /// The template at `path` (`spec.template`) of the kind `GROUP/KIND`.
    pub fn new(kind: &str, path: &str) -> Result<Self, TemplateError> {
        let wrong = || TemplateError::Form(format!("{kind}={path}"));
        let (group, name) = kind.split_once('/').ok_or_else(wrong)?;
        let path: Vec<String> = path
            .trim_start_matches('.')
            .split('.')
            .map(str::to_owned)
            .collect();
        if group.is_empty() || name.is_empty() || path.iter().any(String::is_empty) {
            return Err(wrong());
        }
        let mut own = resource::RESOURCES.iter();
        if own.any(|it| it.group == group && it.kind == name) {
            return Err(TemplateError::Own(kind.to_owned()));
        }
        Ok(Self {
            group: group.to_owned(),
            kind: name.to_owned(),
            path,
        })
    }

    /// Whether it is that of objects of this kind.
    #[must_use]
    pub fn is_of(&self, api_version: &str, kind: &str) -> bool {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        self.group == group && self.kind == kind
    }

    /// The same as fields of a document.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        let keys = self.path.iter();
        keys.map(|key| Segment::from(key.as_str())).collect()
    }

    /// The pod that a controller would make of the template of `object`; `None` where it has none, as a
    /// Rollout has that refers to a Deployment.
    #[must_use]
    pub fn pod(&self, object: &Value) -> Option<Value> {
        let template = self.path.iter().fold(object, |at, key| &at[key]);
        if !template["spec"].is_object() {
            return None;
        }
        let mut metadata = Map::new();
        for key in ["labels", "annotations", "finalizers"] {
            if !template["metadata"][key].is_null() {
                metadata.insert(key.to_owned(), template["metadata"][key].clone());
            }
        }
        let own = &object["metadata"];
        if let Some(namespace) = own["namespace"].as_str() {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        let name = own["name"].as_str().or(own["generateName"].as_str());
        let prefix = format!("{}-", name.unwrap_or_default());
        metadata.insert("generateName".to_owned(), prefix.into());
        Some(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"],
        }))
    }
}

/// The template of objects of a kind, if one is known. Kubernetes' own need none.
#[must_use]
pub fn find<'t>(
    templates: &'t [Arc<Template>],
    api_version: &str,
    kind: &str,
) -> Option<&'t Arc<Template>> {
    templates.iter().find(|it| it.is_of(api_version, kind))
}

/// The template that an object seems to have that nobody judges, as a user names it.
#[must_use]
pub fn likely(api_version: &str, kind: &str, body: &str) -> Option<String> {
    let (group, _) = api_version.rsplit_once('/')?;
    let own = |minor| resource::by_kind(api_version, kind, minor).is_some();
    if Minor::all().any(own) || !body.contains("\"containers\":") {
        return None;
    }
    let object: Value = serde_json::from_str(body).ok()?;
    let containers = object.pointer("/spec/template/spec/containers")?;
    containers
        .is_array()
        .then(|| format!("{group}/{kind}=spec.template"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("argoproj.io/Rollout=spec.template", Some(("argoproj.io", "Rollout", "spec template")))]
    #[case("a.b/C=.spec.jobs.template", Some(("a.b", "C", "spec jobs template")))]
    #[case("argoproj.io/Rollout", None)]
    #[case("Rollout=spec.template", None)]
    #[case("argoproj.io/=spec", None)]
    #[case("/Rollout=spec", None)]
    #[case("argoproj.io/Rollout=", None)]
    #[case("argoproj.io/Rollout=spec..template", None)]
    #[case("apps/Deployment=spec.template", None)]
    fn texts(#[case] text: &str, #[case] expected: Option<(&str, &str, &str)>) {
        let read = text.parse::<Template>().ok();
        let read = read.map(|it| (it.group, it.kind, it.path.join(" ")));
        let expected = expected
            .map(|(group, kind, path)| (group.to_owned(), kind.to_owned(), path.to_owned()));
        assert_eq!(read, expected);
    }

    #[test]
    fn the_pod_of_a_template() {
        let template: Template = "argoproj.io/Rollout=spec.template".parse().unwrap();
        let rollout = json!({
            "metadata": {"name": "web", "namespace": "shop", "labels": {"of": "rollout"}},
            "spec": {"template": {
                "metadata": {"labels": {"app": "web"}, "creationTimestamp": null},
                "spec": {"hostPID": true},
            }},
        });
        assert_eq!(
            template.pod(&rollout),
            Some(json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"generateName": "web-", "namespace": "shop", "labels": {"app": "web"}},
                "spec": {"hostPID": true},
            }))
        );
        let refers = json!({"metadata": {"name": "web"}, "spec": {"workloadRef": {"name": "web"}}});
        assert_eq!(template.pod(&refers), None);
    }
}
