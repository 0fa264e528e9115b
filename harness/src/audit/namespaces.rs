//! The namespaces of an audit: their labels, and what each demands.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;
use podgate_admission::decode::decode_untyped;
use podgate_admission::value::Value;

use super::chunk::Chunk;
use super::configuration::Demand;
use super::judge::{Detail, Judge};
use super::report::Report;

/// The namespaces of the input so far, with what they demand.
#[derive(Clone, Debug, Default)]
pub struct Namespaces(BTreeMap<String, Demands>);

/// The labels of a namespace, and what it demands: under the configuration asked for, and today.
#[derive(Clone, Debug)]
pub(super) struct Demands {
    labels: BTreeMap<String, String>,
    pub(super) to: Demand,
    pub(super) today: Option<Demand>,
}

impl Namespaces {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Namespaces {
    /// What a namespace demands, where the input has it.
    pub(super) fn get(&self, name: &str) -> Option<&Demands> {
        self.0.get(name)
    }

    /// Whether the input has a namespace.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The labels of a namespace, where the input has it.
    pub(super) fn labels(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.0.get(name).map(|demands| demands.labels.clone())
    }
}

impl Judge {
    /// The namespaces that were read behind some of their pods and demand something else than these were
    /// judged by, with the number of those pods.
    #[must_use]
    pub fn late(&self, report: &Report, namespaces: &Namespaces) -> Vec<(String, usize)> {
        let differs = |demands: &Demands| {
            demands.to.policy != self.to.implicit.policy
                || self.decides() && self.differs_today(demands)
        };
        let implicit = |name: &String| report.namespaces.get(name).map_or(0, |it| it.implicit);
        let late = namespaces.0.iter().filter(|(_, demands)| differs(demands));
        let late = late.map(|(name, _)| (name.clone(), implicit(name)));
        late.filter(|(_, pods)| *pods > 0).collect()
    }

    /// Notes the namespaces that were read behind some of their pods and only today demand something else:
    /// what of them is new is not known, and nothing depends on it.
    pub(super) fn late_today(&self, report: &mut Report, namespaces: &Namespaces) {
        for (name, demands) in &namespaces.0 {
            let pods = report.namespaces.get(name).map_or(0, |it| it.implicit);
            let told = report.late.iter().any(|(late, _)| late == name);
            if pods > 0 && !told && self.differs_today(demands) {
                report.notes.push(format!(
                    "namespace {name} stands behind {pods} of its pods: they count as new, whatever its labels say"
                ));
            }
        }
    }

    fn differs_today(&self, demands: &Demands) -> bool {
        let today = self.today.as_ref();
        let implicit = today.map(|it| it.configuration.implicit.policy);
        demands.today.as_ref().map(|demand| demand.policy) != implicit
    }

    /// Whether something says what pods may do: a cluster, a flag, or the labels of a namespace.
    #[must_use]
    pub fn has_policy(&self, namespaces: &Namespaces) -> bool {
        self.to.has_policy() || namespaces.0.values().any(|demands| demands.to.demands())
    }

    /// Adds a namespace with its labels.
    pub fn namespace(
        &self,
        namespaces: &mut Namespaces,
        name: &str,
        labels: &BTreeMap<String, String>,
    ) {
        let today = self.today.as_ref();
        let demands = Demands {
            labels: labels.clone(),
            to: self.to.demand(labels),
            today: today.map(|today| today.configuration.demand(labels)),
        };
        namespaces.0.insert(name.to_owned(), demands);
    }

    /// Adds the namespaces among the records of a chunk. They hold for its pods, too.
    pub fn namespaces(&self, chunk: &Chunk, namespaces: &mut Arc<Namespaces>) {
        // Almost every chunk has pods only.
        if memmem::find(&chunk.bytes, b"\"Namespace\"").is_none() {
            return;
        }
        chunk.each(|bytes, _, _| {
            if memmem::find(bytes, b"\"Namespace\"").is_none() {
                return;
            }
            let Ok(object) = decode_untyped(bytes) else {
                return;
            };
            if object.text_at(&["kind"]) == "Namespace" && object.text_at(&["apiVersion"]) == "v1" {
                let labels = object
                    .at(&["metadata", "labels"])
                    .and_then(Value::as_object);
                let labels = labels
                    .into_iter()
                    .flat_map(podgate_admission::value::Object::iter);
                let labels = labels
                    .filter_map(|(key, value)| Some((key.to_owned(), value.as_str()?.to_owned())))
                    .collect();
                let name = object.text_at(&["metadata", "name"]);
                self.namespace(Arc::make_mut(namespaces), name, &labels);
            }
        });
    }

    /// Puts into a report what is known once all of the input was read: the namespaces without pods,
    /// what each demands, and its own labels.
    pub fn finish(&self, report: &mut Report, namespaces: &Namespaces) {
        if self.detail == Detail::Lines {
            return;
        }
        report.has_levels = self.to.judges;
        report.compares = self.today.is_some();
        for name in namespaces.0.keys() {
            report.namespaces.entry(name.clone()).or_default();
        }
        for (name, found) in &mut report.namespaces {
            found.exempted = self.to.server.pod_security.exempts_namespace(name);
            let Some(demands) = namespaces.0.get(name) else {
                found.policy = self.to.implicit.policy;
                continue;
            };
            found.policy = demands.to.policy;
            let own = demands.labels.iter();
            let own = own.filter(|(key, _)| key.starts_with("pod-security.kubernetes.io/"));
            found.own = own
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
        }
    }

    /// What a namespace demands under the configuration asked for.
    pub(super) fn demand<'d>(&'d self, namespaces: &'d Namespaces, name: &str) -> &'d Demand {
        let own = namespaces.0.get(name);
        own.map_or(&self.to.implicit, |demands| &demands.to)
    }
}
