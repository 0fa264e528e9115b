//! The warnings of the registry strategies: what is accepted, but should not be written.
//!
//! Upstream: `pkg/api/pod/warnings.go`, `pkg/api/job/warnings.go`, `pkg/api/node/util.go`,
//! `GetWarningsForPersistentVolumeClaimSpec` in `pkg/api/persistentvolumeclaim/util.go`, and
//! `WarningsOnCreate` and `WarningsOnUpdate` of the strategies. Where upstream goes over a map, in
//! random order, this goes over it by key.

use podgate_policy::Minor;

use crate::chain::Attributes;
use crate::podspec;
use crate::prepare::{field_for, says};
use crate::quote::quote;
use crate::request::Operation;
use crate::resources;
use crate::validation::names;
use crate::value::Value;
use crate::versions;

mod addresses;
mod paths;
mod ports;
mod scheduling;

/// What a strategy warns about when `object` is created or replaces `old`.
pub(crate) fn of(attributes: &Attributes<'_>, object: &Value<'_>) -> Vec<String> {
    let minor = attributes.server.minor();
    let mut out = Warnings {
        minor,
        texts: Vec::new(),
    };
    if !versions::STRATEGY_WARNINGS.contain(minor) || attributes.subresource.is_some() {
        return out.texts;
    }
    match attributes.operation {
        Operation::Create => out.on_create(attributes, object),
        Operation::Update => out.on_update(attributes, object),
        Operation::Delete => {}
    }
    out.texts
}

struct Warnings {
    minor: Minor,
    texts: Vec<String>,
}

/// The name of a workload becomes part of its pods' names.
const NAME: &str = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended";
const POD_NAME: &str = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";

impl Warnings {
    fn on_create(&mut self, attributes: &Attributes<'_>, object: &Value<'_>) {
        let kind = attributes.resource.kind;
        match kind {
            "Pod" => self.name(object, POD_NAME),
            "Deployment" | "ReplicaSet" | "Job" | "CronJob" | "ReplicationController" => {
                self.name(object, NAME);
            }
            _ => {}
        }
        self.templates(attributes, object);
        match kind {
            "StatefulSet" => self.stateful_set(object, ""),
            "CronJob" if versions::TIME_ZONE_ON_CREATE.contain(self.minor) => {
                self.time_zone(object);
            }
            _ => {}
        }
    }

    fn on_update(&mut self, attributes: &Attributes<'_>, object: &Value<'_>) {
        let kind = attributes.resource.kind;
        // Humans do not change pods, and other kinds only warn where their template may have
        // changed.
        let changed = match kind {
            "Pod" => false,
            "DaemonSet" => {
                let template = |o: &Value<'_>| {
                    let key = "deprecated.daemonset.template.generation";
                    podspec::annotation(o, key).map(str::to_owned)
                };
                attributes
                    .old
                    .is_some_and(|old| template(old) != template(object))
            }
            _ => {
                let generation =
                    |o: &Value<'_>| o.at(&["metadata", "generation"]).and_then(Value::as_int);
                attributes
                    .old
                    .is_some_and(|old| generation(old) != generation(object))
            }
        };
        if changed {
            self.templates(attributes, object);
        }
        match kind {
            "StatefulSet" => self.stateful_set(object, ".Spec"),
            "CronJob" => self.time_zone(object),
            _ => {}
        }
    }

    fn name(&mut self, object: &Value<'_>, why: &str) {
        if !versions::NAME_WARNING.contain(self.minor) {
            return;
        }
        let name = object.text_at(&["metadata", "name"]);
        let faults = names::dns_label(name, self.minor.number());
        if !faults.is_empty() {
            // Go prints the list with spaces between its items.
            self.add(format!("metadata.name: {why}: [{}]", faults.join(" ")));
        }
    }

    fn templates(&mut self, attributes: &Attributes<'_>, object: &Value<'_>) {
        let resource = attributes.resource;
        let (Some(template), Some(path)) = (podspec::template(resource, object), resource.template)
        else {
            return;
        };
        let path = if resource.kind == "ReplicationController"
            && attributes.operation == Operation::Create
            && versions::SHORT_CONTROLLER_PATH.contain(self.minor)
        {
            "template.".to_owned()
        } else {
            [path, &[""]].concat().join(".")
        };
        if matches!(resource.kind, "Job" | "CronJob")
            && versions::JOB_SPEC_WARNINGS.contain(self.minor)
        {
            self.job(object, &path);
        }
        self.pod(template, &path);
    }

    /// `warningsForPodSpecAndMeta`; `at` is the path of the template with a dot behind it, empty
    /// for a pod.
    fn pod(&mut self, pod: &Value<'_>, at: &str) {
        let null = Value::Null;
        let spec = pod.get("spec").unwrap_or(&null);
        self.node_labels(spec, at);
        self.spread(spec, at);
        self.old_annotations(pod, at);
        self.volumes(spec, at);
        if versions::OVERLAPPING_PATHS.contain(self.minor) {
            paths::overlaps(self, spec);
        }
        self.duplicates(spec, at, "hostAliases", "ip", "ip");
        self.duplicates(spec, at, "imagePullSecrets", "name", "name");
        for (index, secret) in spec.list_at(&["imagePullSecrets"]).iter().enumerate() {
            if secret.text_at(&["name"]).is_empty() {
                self.add(format!(
                    "{at}spec.imagePullSecrets[{index}].name: invalid empty name \"\""
                ));
            }
        }
        if versions::DUPLICATE_VOLUMES.contain(self.minor) {
            self.duplicates(spec, at, "volumes", "name", "name");
        }
        self.fractions(spec, "overhead", &format!("{at}spec.overhead"));
        self.pod_seccomp(pod, spec, at);
        for (role, index, container) in podspec::containers(spec) {
            let path = format!("{at}spec.{}[{index}]", role.field());
            self.container(pod, spec, container, at, &path);
        }
        if versions::PORT_WARNINGS.contain(self.minor) {
            ports::overlaps(self, spec, at);
        }
        if versions::PORT_NAMES.contain(self.minor) {
            ports::names(self, spec, at);
        }
        let grace = spec
            .get("terminationGracePeriodSeconds")
            .and_then(Value::as_int);
        if versions::NEGATIVE_GRACE_PERIOD.contain(self.minor) && grace.is_some_and(|s| s < 0) {
            self.add(format!(
                "{at}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
            ));
        }
        self.affinity(spec, at);
        if versions::ADDRESS_FORMS.contain(self.minor) {
            addresses::forms(self, spec, at);
        }
    }

    fn add(&mut self, text: String) {
        self.texts.push(text);
    }

    fn old_annotations(&mut self, pod: &Value<'_>, at: &str) {
        const OLD: [(&str, &str); 3] = [
            (
                "scheduler.alpha.kubernetes.io/critical-pod",
                r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
            ),
            (
                "security.alpha.kubernetes.io/sysctls",
                r#"non-functional in v1.11+; use the "sysctls" field instead"#,
            ),
            (
                "security.alpha.kubernetes.io/unsafe-sysctls",
                r#"non-functional in v1.11+; use the "sysctls" field instead"#,
            ),
        ];
        for (key, why) in OLD {
            if podspec::annotation(pod, key).is_some() {
                self.add(format!("{at}metadata.annotations[{key}]: {why}"));
            }
        }
    }

    fn volumes(&mut self, spec: &Value<'_>, at: &str) {
        for (index, volume) in spec.list_at(&["volumes"]).iter().enumerate() {
            for (source, wording) in versions::DEPRECATED_VOLUMES {
                if source == "cephfs" && versions::CLAIM_WARNINGS.contain(self.minor) {
                    let path = ["ephemeral", "volumeClaimTemplate", "spec"];
                    if let Some(claim) = volume.at(&path) {
                        let path = format!("{at}spec.volumes[{index}].{}", path.join("."));
                        self.claim(claim, &path);
                    }
                }
                if volume.get(source).is_some()
                    && let Some(why) = wording.of(self.minor)
                {
                    // Upstream spells this one as Go does.
                    let source = if source == "storageos" {
                        "storageOS"
                    } else {
                        source
                    };
                    self.add(format!("{at}spec.volumes[{index}].{source}: {why}"));
                }
            }
        }
    }

    /// `GetWarningsForPersistentVolumeClaimSpec`
    fn claim(&mut self, claim: &Value<'_>, path: &str) {
        for which in ["requests", "limits"] {
            if let Some(value) = claim.at(&["resources", which, "storage"]) {
                self.fraction(value, &format!("{path}.resources.{which}[storage]"));
            }
        }
    }

    fn duplicates(&mut self, spec: &Value<'_>, at: &str, list: &str, key: &str, what: &str) {
        let items = spec.list_at(&[list]);
        for (index, item) in items.iter().enumerate() {
            let value = item.text_at(&[key]);
            if items[..index]
                .iter()
                .any(|before| before.text_at(&[key]) == value)
            {
                self.add(format!(
                    "{at}spec.{list}[{index}].{key}: duplicate {what} {}",
                    quote(value)
                ));
            }
        }
    }

    /// Amounts of memory that are no whole bytes.
    fn fractions(&mut self, holder: &Value<'_>, key: &str, path: &str) {
        for resource in ["memory", "ephemeral-storage"] {
            if let Some(value) = holder.at(&[key, resource]) {
                self.fraction(value, &format!("{path}[{resource}]"));
            }
        }
    }

    fn fraction(&mut self, value: &Value<'_>, path: &str) {
        if let Some(quantity) = resources::quantity(value)
            && quantity.milli_value() % 1000 != 0
        {
            let text = quote(&quantity.canonical());
            self.add(format!(
                "{path}: fractional byte value {text} is invalid, must be an integer"
            ));
        }
    }

    fn pod_seccomp(&mut self, pod: &Value<'_>, spec: &Value<'_>, at: &str) {
        let key = "seccomp.security.alpha.kubernetes.io/pod";
        let field = spec.at(&["securityContext", "seccompProfile"]);
        if field.is_none()
            && podspec::annotation(pod, key).is_some()
            && let Some(why) = versions::SECCOMP_ANNOTATION.of(self.minor)
        {
            self.add(format!("{at}metadata.annotations[{key}]: {why}"));
        }
    }

    fn container(
        &mut self,
        pod: &Value<'_>,
        spec: &Value<'_>,
        container: &Value<'_>,
        at: &str,
        path: &str,
    ) {
        let name = container.text_at(&["name"]);
        let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
        let field = container.at(&["securityContext", "seccompProfile"]);
        if field.is_none()
            && podspec::annotation(pod, &key).is_some()
            && let Some(why) = versions::SECCOMP_ANNOTATION.of(self.minor)
        {
            self.add(format!("{at}metadata.annotations[{key}]: {why}"));
        }
        if !at.is_empty() {
            // Pods are warned about while their annotations are synced.
            self.app_armor(pod, spec, container, at);
        }
        for resource in ["memory", "ephemeral-storage"] {
            for which in ["limits", "requests"] {
                if let Some(value) = container.at(&["resources", which, resource]) {
                    self.fraction(value, &format!("{path}.resources.{which}[{resource}]"));
                }
            }
        }
        self.env(container, path);
    }

    fn app_armor(&mut self, pod: &Value<'_>, spec: &Value<'_>, container: &Value<'_>, at: &str) {
        let Some(why) = versions::APP_ARMOR_ANNOTATION.of(self.minor) else {
            return;
        };
        let name = container.text_at(&["name"]);
        let key = format!("container.apparmor.security.beta.kubernetes.io/{name}");
        let Some(annotation) = podspec::annotation(pod, &key) else {
            return;
        };
        let of_pod = spec.at(&["securityContext", "appArmorProfile"]);
        let silenced = match of_pod {
            Some(of_pod) if versions::APP_ARMOR_COMPARED.contain(self.minor) => {
                field_for(annotation).is_some_and(|field| says(of_pod, &field))
            }
            of_pod => of_pod.is_some(),
        };
        let own = container.at(&["securityContext", "appArmorProfile"]);
        if own.is_none() && !silenced {
            self.add(format!("{at}metadata.annotations[{key}]: {why}"));
        }
    }

    fn env(&mut self, container: &Value<'_>, path: &str) {
        let env = container.list_at(&["env"]);
        for (index, item) in env.iter().enumerate() {
            let name = item.text_at(&["name"]);
            if !env[..index]
                .iter()
                .any(|before| before.text_at(&["name"]) == name)
            {
                continue;
            }
            if !versions::ENV_BY_VALUE.contain(self.minor) {
                self.add(format!(
                    "{path}.env[{index}].name: duplicate name {}",
                    quote(name)
                ));
                continue;
            }
            let (value, reference) = (item.text_at(&["value"]), format!("$({name})"));
            let hides = item.get("valueFrom").is_some()
                || value == reference
                || !value.contains(&reference);
            if hides && let Some(more) = versions::ENV_HIDDEN.of(self.minor) {
                let name = quote(name);
                self.add(format!(
                    "{path}.env[{index}]: hides previous definition of {name}{more}"
                ));
            }
        }
    }

    /// `WarningsForJobSpec`; `at` is the path of the template.
    fn job(&mut self, object: &Value<'_>, at: &str) {
        let path = at.strip_suffix(".template.").unwrap_or(at);
        let steps: Vec<_> = path.split('.').collect();
        let Some(spec) = object.at(&steps) else {
            return;
        };
        let number = |key| spec.get(key).and_then(Value::as_int).unwrap_or_default();
        let indexed = spec.text_at(&["completionMode"]) == "Indexed";
        if indexed && number("completions") > 100_000 && number("parallelism") > 10_000 {
            self.add(format!(
                "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
            ));
        }
    }

    /// What a `StatefulSet` is warned about beside its template. On update upstream spells the
    /// path with Go's name.
    fn stateful_set(&mut self, object: &Value<'_>, below: &str) {
        if versions::CLAIM_WARNINGS.contain(self.minor) {
            let claims = object.list_at(&["spec", "volumeClaimTemplates"]);
            for (index, claim) in claims.iter().enumerate() {
                if let Some(claim) = claim.get("spec") {
                    self.claim(claim, &format!("spec.volumeClaimTemplates[{index}]{below}"));
                }
            }
        }
        let limit = object
            .at(&["spec", "revisionHistoryLimit"])
            .and_then(Value::as_int);
        if versions::REVISION_HISTORY_LIMIT.contain(self.minor) && limit.is_some_and(|l| l < 0) {
            self.add("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".to_owned());
        }
    }

    /// Upstream names `spec.spec.schedule` indeed.
    fn time_zone(&mut self, object: &Value<'_>) {
        if let Some(what) = versions::TIME_ZONE.of(self.minor)
            && object.text_at(&["spec", "schedule"]).contains("TZ")
        {
            self.add(format!("{what}, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"));
        }
    }
}
