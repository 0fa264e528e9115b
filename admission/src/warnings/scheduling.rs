//! Where a pod may run: labels of nodes that have newer names, and selectors that match nothing.
//!
//! Upstream: `pkg/api/node/util.go` and `warningsForPodAffinityTerms` in `pkg/api/pod/warnings.go`.

use super::Warnings;
use crate::validation::names;
use crate::value::{Object, Value};
use crate::versions;

impl Warnings {
    pub(super) fn node_labels(&mut self, spec: &Value<'_>, at: &str) {
        let selector = spec.get("nodeSelector").and_then(Value::as_object);
        for (key, _) in selector.into_iter().flat_map(Object::iter) {
            if let Some(why) = self.deprecated_label(key) {
                self.add(format!("{at}spec.nodeSelector[{key}]: {why}"));
            }
        }
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let path = ["affinity", "nodeAffinity", required, "nodeSelectorTerms"];
        for (index, term) in spec.list_at(&path).iter().enumerate() {
            let path = format!("{at}spec.{}[{index}]", path.join("."));
            self.node_term(term, &path, false);
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let path = ["affinity", "nodeAffinity", preferred];
        for (index, term) in spec.list_at(&path).iter().enumerate() {
            if let Some(term) = term.get("preference") {
                let path = format!("{at}spec.{}[{index}].preference", path.join("."));
                self.node_term(term, &path, true);
            }
        }
    }

    /// `GetWarningsForNodeSelectorTerm`
    fn node_term(&mut self, term: &Value<'_>, path: &str, preferred: bool) {
        for (index, expression) in term.list_at(&["matchExpressions"]).iter().enumerate() {
            let key = expression.text_at(&["key"]);
            let path = format!("{path}.matchExpressions[{index}]");
            if let Some(why) = self.deprecated_label(key) {
                self.add(format!("{path}.key: {key} is {why}"));
            }
            if !preferred || !versions::NODE_AFFINITY_VALUES.contain(self.minor) {
                continue;
            }
            for (index, value) in expression.list_at(&["values"]).iter().enumerate() {
                let value = value.as_str().unwrap_or_default();
                for fault in names::label_value(value, self.minor.number()) {
                    self.add(format!(
                        "{path}.values[{index}]: {value} is invalid, {fault}"
                    ));
                }
            }
        }
    }

    /// `GetNodeLabelDeprecatedMessage`
    fn deprecated_label(&self, key: &str) -> Option<&'static str> {
        let late = versions::LATE_NODE_LABELS.contain(self.minor);
        Some(match key {
            "beta.kubernetes.io/arch" => {
                r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#
            }
            "beta.kubernetes.io/os" => r#"deprecated since v1.14; use "kubernetes.io/os" instead"#,
            "failure-domain.beta.kubernetes.io/region" => {
                r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#
            }
            "failure-domain.beta.kubernetes.io/zone" => {
                r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#
            }
            "beta.kubernetes.io/instance-type" => {
                r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#
            }
            "app.kubernetes.io/created-by" if late => "deprecated since v1.9",
            "scheduler.alpha.kubernetes.io/preferAvoidPods" if late => {
                "deprecated since v1.22; use Taints and Tolerations instead"
            }
            "node-role.kubernetes.io/master" if late => {
                r#"use "node-role.kubernetes.io/control-plane" instead"#
            }
            _ => return None,
        })
    }

    pub(super) fn spread(&mut self, spec: &Value<'_>, at: &str) {
        let constraints = spec.list_at(&["topologySpreadConstraints"]);
        for (index, constraint) in constraints.iter().enumerate() {
            let path = format!("{at}spec.topologySpreadConstraints[{index}]");
            let key = constraint.text_at(&["topologyKey"]);
            if let Some(why) = self.deprecated_label(key) {
                self.add(format!("{path}.topologyKey: {key} is {why}"));
            }
            self.null_selector(constraint, &path);
        }
    }

    fn null_selector(&mut self, term: &Value<'_>, path: &str) {
        if versions::NULL_SELECTOR.contain(self.minor) && term.get("labelSelector").is_none() {
            self.add(format!(
                "{path}.labelSelector: a null labelSelector results in matching no pod"
            ));
        }
    }

    pub(super) fn affinity(&mut self, spec: &Value<'_>, at: &str) {
        for kind in ["podAffinity", "podAntiAffinity"] {
            let required = "requiredDuringSchedulingIgnoredDuringExecution";
            let path = ["affinity", kind, required];
            for (index, term) in spec.list_at(&path).iter().enumerate() {
                self.null_selector(term, &format!("{at}spec.{}[{index}]", path.join(".")));
            }
            let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
            let path = ["affinity", kind, preferred];
            for (index, term) in spec.list_at(&path).iter().enumerate() {
                let null = Value::Null;
                let term = term.get("podAffinityTerm").unwrap_or(&null);
                let path = format!("{at}spec.{}[{index}].podAffinityTerm", path.join("."));
                self.null_selector(term, &path);
            }
        }
    }
}
