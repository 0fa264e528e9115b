//! The definitions of `OpenAPI`: a schema for each struct of the tables that the served kinds use.
//!
//! Upstream generates them from the Go types (`k8s.io/kube-openapi/pkg/generators`), with their doc
//! comments as descriptions. Here there are no descriptions, no enums and no defaults.

use std::collections::BTreeMap;

use podgate_admission::resource::{RESOURCES, Resource};
use podgate_admission::schema::{Apply, Field, Merge, Struct, Type, roots};
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use super::Version;
use crate::discovery::group_versions;
use crate::registry::{is_review, subresource_kind};

/// Structs of `k8s.io/apimachinery/pkg/apis/meta/v1`, which belong to no group.
const META: [&str; 9] = [
    "v1.DeleteOptions",
    "v1.Preconditions",
    "v1.ObjectMeta",
    "v1.OwnerReference",
    "v1.ManagedFieldsEntry",
    "v1.LabelSelector",
    "v1.LabelSelectorRequirement",
    "v1.FieldSelectorRequirement",
    "v1.Condition",
];
const META_PACKAGE: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";
/// The first minor whose documents say of most lists how server-side apply merges them.
const FIRST_WITH_LIST_TYPES: u8 = 31;

/// Fields that are required though Go would leave them out of an answer, or cannot, with the minors
/// that say so: structs that are no pointers, and fields that are marked `+required`.
const REQUIRED: &[(&str, &str, u8)] = &[
    ("v1.Binding", "target", 20),
    ("v1.ClusterRoleBinding", "roleRef", 20),
    ("v1.Condition", "lastTransitionTime", 20),
    ("v1.ContainerRestartRule", "action", 34),
    ("v1.ContainerRestartRuleOnExitCodes", "operator", 34),
    ("v1.ControllerRevision", "data", 37),
    ("v1.CronJob", "spec", 36),
    ("v1.CronJobSpec", "jobTemplate", 20),
    ("v1.DaemonSet", "spec", 37),
    ("v1.DaemonSetSpec", "template", 20),
    ("v1.Deployment", "spec", 37),
    ("v1.DeploymentSpec", "template", 20),
    ("v1.Event", "involvedObject", 20),
    ("v1.Event", "metadata", 20),
    ("v1.ImageVolumeStatus", "imageRef", 20),
    ("v1.JobSpec", "template", 20),
    ("v1.LocalSubjectAccessReview", "spec", 20),
    ("v1.PersistentVolumeClaimTemplate", "spec", 20),
    ("v1.PodCertificateProjection", "keyType", 20),
    ("v1.PodCertificateProjection", "signerName", 20),
    ("v1.PreferredSchedulingTerm", "preference", 20),
    ("v1.ReplicaSet", "spec", 37),
    ("v1.RoleBinding", "roleRef", 20),
    ("v1.SelfSubjectAccessReview", "spec", 20),
    ("v1.SelfSubjectRulesReview", "spec", 20),
    ("v1.StatefulSet", "spec", 37),
    ("v1.StatefulSetSpec", "template", 20),
    ("v1.SubjectAccessReview", "spec", 20),
    ("v1.WeightedPodAffinityTerm", "podAffinityTerm", 20),
    ("v1beta1.CronJobSpec", "jobTemplate", 20),
    ("v1beta1.PodSecurityPolicySpec", "fsGroup", 20),
    ("v1beta1.PodSecurityPolicySpec", "runAsUser", 20),
    ("v1beta1.PodSecurityPolicySpec", "seLinux", 20),
    ("v1beta1.PodSecurityPolicySpec", "supplementalGroups", 20),
];

/// Fields that Go always writes, and that are `+optional` all the same, from a minor on.
const OPTIONAL: &[(&str, &str, u8)] = &[
    ("v1.ClusterRole", "rules", 20),
    ("v1.ContainerImage", "names", 22),
    ("v1.ControllerRevision", "data", 20),
    ("v1.ControllerRevision", "revision", 37),
    ("v1.DaemonSetCondition", "status", 37),
    ("v1.DaemonSetCondition", "type", 37),
    ("v1.DeploymentCondition", "status", 37),
    ("v1.DeploymentCondition", "type", 37),
    ("v1.Event", "reportingComponent", 20),
    ("v1.Event", "reportingInstance", 20),
    ("v1.GRPCAction", "service", 20),
    ("v1.NodeRuntimeHandler", "name", 20),
    ("v1.PodFailurePolicyOnPodConditionsPattern", "status", 35),
    ("v1.PriorityClass", "value", 35),
    ("v1.ProjectedVolumeSource", "sources", 20),
    ("v1.ReplicaSetCondition", "status", 37),
    ("v1.ReplicaSetCondition", "type", 37),
    ("v1.ResourceFieldSelector", "divisor", 20),
    ("v1.Role", "rules", 20),
    ("v1.RoleRef", "apiGroup", 35),
    ("v1.ServicePort", "targetPort", 20),
    ("v1.StatefulSetCondition", "status", 37),
    ("v1.StatefulSetCondition", "type", 37),
    ("v1.StatefulSetOrdinals", "start", 20),
    ("v1.StatefulSetSpec", "serviceName", 33),
    ("v1.StatefulSetStatus", "availableReplicas", 20),
    ("v1.TypedLocalObjectReference", "apiGroup", 20),
    ("v1.TypedObjectReference", "apiGroup", 20),
];

/// What subresources take and give that is no resource, with its group.
const OF_SUBRESOURCES: [(&Struct, &str); 3] = [
    (&roots::BINDING, ""),
    (&roots::EVICTION, "policy"),
    (&roots::SCALE, "autoscaling"),
];

/// The definitions of a document.
pub(super) struct Definitions {
    version: Version,
    minor: Minor,
    /// The group of each struct, by its Go name, which no two have in common.
    groups: BTreeMap<&'static str, &'static str>,
    found: BTreeMap<String, Value<'static>>,
}

impl Definitions {
    /// No definitions yet.
    pub(super) fn new(version: Version, minor: Minor) -> Self {
        Self {
            version,
            minor,
            groups: groups(),
            found: BTreeMap::new(),
        }
    }

    /// Adds the kind of a resource, its list unless it is only asked, and all that they refer to;
    /// returns the names of both.
    pub(super) fn add(&mut self, resource: &'static Resource) -> (String, String) {
        let own = self.add_struct(resource.schema);
        let list = format!("{own}List");
        if !is_review(resource) && !self.found.contains_key(&list) {
            let definition = self.list(resource, &own);
            self.found.insert(list.clone(), definition);
            self.found
                .entry(format!("{META_PACKAGE}.ListMeta"))
                .or_insert_with(list_meta);
        }
        (own, list)
    }

    /// Adds a kind that a subresource takes and gives beside its resource, and all that it refers to;
    /// returns its name, if there is such a kind.
    pub(super) fn add_of_subresource(&mut self, kind: &str) -> Option<String> {
        let mut kinds = OF_SUBRESOURCES.iter();
        let (schema, _) = kinds.find(|(schema, _)| schema.name == kind)?;
        Some(self.add_struct(schema))
    }

    /// All that were added, by name.
    pub(super) fn finish(self) -> Object<'static> {
        self.found.into_iter().collect()
    }

    /// A reference to a definition.
    pub(super) fn reference(&self, name: &str) -> Value<'static> {
        let prefix = match self.version {
            Version::V2 => "#/definitions/",
            Version::V3 => "#/components/schemas/",
        };
        Value::from(Object::from_iter([("$ref", format!("{prefix}{name}"))]))
    }

    fn name(&self, schema: &Struct) -> String {
        let (mut version, name) = schema.go.split_once('.').unwrap_or(("v1", schema.go));
        // The tables have evictions once, by their older name.
        if std::ptr::eq(schema, &raw const roots::EVICTION) {
            version = eviction_version(self.minor);
        }
        if META.contains(&schema.go) {
            return format!("{META_PACKAGE}.{name}");
        }
        let group = match self.groups.get(schema.go) {
            // What jobs say of their workload is of scheduling.k8s.io.
            _ if version == "v1alpha3" => "scheduling",
            None | Some(&"") => "core",
            Some(group) => group.split('.').next().unwrap_or(group),
        };
        format!("io.k8s.api.{group}.{version}.{name}")
    }

    fn add_struct(&mut self, schema: &'static Struct) -> String {
        let name = self.name(schema);
        if !self.found.contains_key(&name) {
            // It may refer to itself.
            self.found.insert(name.clone(), Value::Null);
            let definition = self.definition(schema);
            self.found.insert(name.clone(), definition);
        }
        name
    }

    fn definition(&mut self, schema: &'static Struct) -> Value<'static> {
        let minor = self.minor;
        let fields = schema.fields.iter().filter(|f| f.exists_in(minor));
        let mut properties = BTreeMap::new();
        let mut required = Vec::new();
        for field in fields {
            if is_required(schema, field, minor) {
                required.push(Value::from(field.name));
            }
            properties.insert(field.name, self.property(field));
        }
        let mut definition = Object::from_iter([("type", "object")]);
        if !properties.is_empty() {
            definition.insert("properties", properties.into_iter().collect::<Object<'_>>());
        }
        if !required.is_empty() {
            definition.insert("required", required);
        }
        let kinds = kinds_of(schema, minor);
        if !kinds.is_empty() {
            definition.insert("x-kubernetes-group-version-kind", kinds);
        }
        if schema
            .atomic_since
            .is_some_and(|since| since <= minor.number())
        {
            definition.insert("x-kubernetes-map-type", "atomic");
        }
        Value::from(definition)
    }

    fn property(&mut self, field: &'static Field) -> Value<'static> {
        let mut schema = self.schema(&field.ty);
        let mut extensions = Object::new();
        if matches!(field.ty, Type::List(..)) && self.minor.number() >= FIRST_WITH_LIST_TYPES {
            let list_type = match field.apply {
                Apply::Granular => None,
                Apply::Atomic => Some("atomic"),
                Apply::Set => Some("set"),
                Apply::Map(_) => Some("map"),
            };
            if let Apply::Map(keys) = field.apply {
                let keys: Vec<Value<'_>> = keys.iter().map(|&key| Value::from(key)).collect();
                extensions.insert("x-kubernetes-list-map-keys", keys);
            }
            if let Some(list_type) = list_type {
                extensions.insert("x-kubernetes-list-type", list_type);
            }
        }
        if let Some(merge) = field.merge {
            if let Some(key) = merge.key {
                extensions.insert("x-kubernetes-patch-merge-key", key);
            }
            extensions.insert("x-kubernetes-patch-strategy", strategy(merge));
        }
        if extensions.is_empty() {
            return schema;
        }
        // What stands beside a reference does not count from OpenAPI 3 on.
        if self.version == Version::V3 && schema.get("$ref").is_some() {
            schema = Value::from(Object::from_iter([("allOf", vec![schema])]));
        }
        if let Some(schema) = schema.as_object_mut() {
            for (key, value) in extensions {
                schema.insert(key, value);
            }
        }
        schema
    }

    fn schema(&mut self, ty: &'static Type) -> Value<'static> {
        match ty {
            Type::Bool => typed("boolean", ""),
            Type::Int32 => typed("integer", "int32"),
            Type::Int64 => typed("integer", "int64"),
            Type::Float64 => typed("number", "double"),
            Type::String(_) => typed("string", ""),
            Type::Bytes => typed("string", "byte"),
            Type::Struct(schema) => {
                let name = self.add_struct(schema);
                self.reference(&name)
            }
            Type::List(item, _) => {
                let mut schema = Object::from_iter([("type", "array")]);
                schema.insert("items", self.schema(item));
                Value::from(schema)
            }
            Type::Map(value, _) => {
                let mut schema = Object::from_iter([("type", "object")]);
                schema.insert("additionalProperties", self.schema(value));
                Value::from(schema)
            }
            Type::IntOrString => self.special(INT_OR_STRING.to_owned(), "string", "int-or-string"),
            Type::Quantity => self.special(QUANTITY.to_owned(), "string", ""),
            Type::Time => self.special(format!("{META_PACKAGE}.Time"), "string", "date-time"),
            Type::MicroTime => {
                self.special(format!("{META_PACKAGE}.MicroTime"), "string", "date-time")
            }
            Type::Raw("v1.FieldsV1") => {
                self.special(format!("{META_PACKAGE}.FieldsV1"), "object", "")
            }
            Type::Raw(_) => self.special(RAW_EXTENSION.to_owned(), "object", ""),
        }
    }

    /// A type that marshals itself.
    fn special(&mut self, name: String, ty: &'static str, format: &'static str) -> Value<'static> {
        let one_of: &[&str] = match (self.version, &*name) {
            (Version::V3, QUANTITY) => &["string", "number"],
            (Version::V3, INT_OR_STRING) => &["integer", "string"],
            _ => &[],
        };
        let definition = if one_of.is_empty() {
            typed(ty, format)
        } else {
            let one_of: Vec<Value<'_>> = one_of.iter().map(|ty| typed(ty, "")).collect();
            let mut definition = Object::from_iter([("oneOf", one_of)]);
            if !format.is_empty() {
                definition.insert("format", format);
            }
            Value::from(definition)
        };
        let reference = self.reference(&name);
        self.found.insert(name, definition);
        reference
    }

    fn list(&self, resource: &Resource, item: &str) -> Value<'static> {
        let mut items = Object::from_iter([("type", "array")]);
        items.insert("items", self.reference(item));
        let metadata = self.reference(&format!("{META_PACKAGE}.ListMeta"));
        let properties = Object::from_iter([
            ("apiVersion", typed("string", "")),
            ("items", Value::from(items)),
            ("kind", typed("string", "")),
            ("metadata", metadata),
        ]);
        let mut definition = Object::from_iter([("type", "object")]);
        definition.insert("properties", properties);
        definition.insert("required", vec![Value::from("items")]);
        let kind = kind_of(resource, format!("{}List", resource.kind));
        definition.insert("x-kubernetes-group-version-kind", vec![kind]);
        Value::from(definition)
    }
}

/// Group, kind and version of everything that has that schema.
fn kinds_of(schema: &Struct, minor: Minor) -> Vec<Value<'static>> {
    let named = |group, version| kind_at(group, version, schema.name.to_owned());
    if std::ptr::eq(schema, &raw const roots::DELETE_OPTIONS) {
        // Every version of a group has them (`metav1.AddToGroupVersion`).
        return group_versions(minor)
            .flat_map(|(group, versions)| versions.into_iter().map(move |version| (group, version)))
            .map(|(group, version)| named(group, version))
            .collect();
    }
    let mut of_subresources = OF_SUBRESOURCES.iter();
    if let Some((_, group)) = of_subresources.find(|(of, _)| std::ptr::eq(*of, schema)) {
        let version = match schema.name {
            "Eviction" => eviction_version(minor),
            _ => "v1",
        };
        return vec![named(group, version)];
    }
    RESOURCES
        .iter()
        .filter(|r| std::ptr::eq(r.schema, schema) && r.exists_in(minor))
        .map(|r| kind_of(r, r.kind.to_owned()))
        .collect()
}

fn eviction_version(minor: Minor) -> &'static str {
    let (_, version, _) = subresource_kind(&RESOURCES[0], "eviction", minor);
    version
}

fn kind_of(resource: &Resource, kind: String) -> Value<'static> {
    kind_at(resource.group, resource.version, kind)
}

/// Group, kind and version as `x-kubernetes-group-version-kind` has them.
pub(super) fn kind_at(group: &str, version: &str, kind: String) -> Value<'static> {
    Value::from(Object::from_iter([
        ("group", group.to_owned()),
        ("kind", kind),
        ("version", version.to_owned()),
    ]))
}

/// A schema of a type without more.
pub(super) fn typed(ty: &'static str, format: &'static str) -> Value<'static> {
    let mut schema = Object::from_iter([("type", ty)]);
    if !format.is_empty() {
        schema.insert("format", format);
    }
    Value::from(schema)
}

fn list_meta() -> Value<'static> {
    let properties = Object::from_iter([
        ("continue", typed("string", "")),
        ("remainingItemCount", typed("integer", "int64")),
        ("resourceVersion", typed("string", "")),
        ("selfLink", typed("string", "")),
    ]);
    let mut definition = Object::from_iter([("type", "object")]);
    definition.insert("properties", properties);
    Value::from(definition)
}

/// Whether an object without the field is refused by a client that validates: Go always writes it.
fn is_required(schema: &Struct, field: &Field, minor: Minor) -> bool {
    let is_in = |table: &[(&str, &str, u8)]| {
        table.iter().any(|(go, name, since)| {
            *go == schema.go && *name == field.name && *since <= minor.number()
        })
    };
    // Go has no way to leave out a struct, so that it is written says nothing.
    let always = matches!(field.ty, Type::Struct(_) | Type::Time | Type::MicroTime);
    if field.omitempty || always && !field.pointer {
        is_in(REQUIRED)
    } else {
        !is_in(OPTIONAL) || is_in(REQUIRED)
    }
}

/// `merge`, `retainKeys` or both.
fn strategy(merge: Merge) -> &'static str {
    match (merge.merge, merge.retain_keys) {
        (true, true) => "merge,retainKeys",
        (false, true) => "retainKeys",
        _ => "merge",
    }
}

/// Which group each struct belongs to: the first group, the core group before all, that uses it.
fn groups() -> BTreeMap<&'static str, &'static str> {
    fn visit(
        schema: &'static Struct,
        group: &'static str,
        found: &mut BTreeMap<&'static str, &'static str>,
    ) {
        if found.contains_key(schema.go) {
            return;
        }
        found.insert(schema.go, group);
        for field in schema.fields {
            let mut ty = &field.ty;
            while let Type::List(inner, _) | Type::Map(inner, _) = ty {
                ty = inner;
            }
            if let Type::Struct(schema) = ty {
                visit(schema, group, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    let (core, named): (Vec<_>, Vec<_>) = RESOURCES.iter().partition(|r| r.group.is_empty());
    for resource in core.into_iter().chain(named) {
        visit(resource.schema, resource.group, &mut found);
    }
    for (schema, group) in OF_SUBRESOURCES {
        visit(schema, group, &mut found);
    }
    found
}
