//! The table of resources against what real servers said of theirs.

use podgate_policy::Minor;
use rstest::rstest;
use serde_json::Value;

use super::{RESOURCES, Resource, by_kind, by_path};
use crate::truth;

#[rstest]
#[case("v1", "Pod", 20, Some("pods"))]
#[case("apps/v1", "Deployment", 37, Some("deployments"))]
#[case("apps/v1", "deployment", 37, None)]
#[case("extensions/v1beta1", "Deployment", 20, None)]
#[case("batch/v1", "CronJob", 20, None)]
#[case("batch/v1", "CronJob", 21, Some("cronjobs"))]
#[case("batch/v1beta1", "CronJob", 24, Some("cronjobs"))]
#[case("batch/v1beta1", "CronJob", 25, None)]
#[case("policy/v1beta1", "PodSecurityPolicy", 24, Some("podsecuritypolicies"))]
#[case("policy/v1beta1", "PodSecurityPolicy", 25, None)]
#[case("node.k8s.io/v1", "RuntimeClass", 20, Some("runtimeclasses"))]
fn kinds(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] minor: u8,
    #[case] name: Option<&str>,
) {
    let minor = Minor::known(minor);
    let resource = by_kind(api_version, kind, minor);
    assert_eq!(resource.map(|r| r.name), name);
    if let Some(resource) = resource {
        let by_path = by_path(resource.group, resource.version, resource.name, minor)
            .expect("the resource has a path");
        assert!(std::ptr::eq(by_path, resource));
        assert_eq!(resource.api_version(), api_version);
    }
}

// The first two as in facts D1 and `k8s.io/api` of each minor.
#[rstest]
#[case("policy/v1beta1", "PodSecurityPolicy", 20, None)]
#[case(
    "policy/v1beta1",
    "PodSecurityPolicy",
    21,
    Some("policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+, unavailable in v1.25+")
)]
#[case(
    "batch/v1beta1",
    "CronJob",
    24,
    Some(
        "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob"
    )
)]
#[case("node.k8s.io/v1beta1", "RuntimeClass", 21, None)]
#[case(
    "node.k8s.io/v1beta1",
    "RuntimeClass",
    22,
    Some("node.k8s.io/v1beta1 RuntimeClass is deprecated in v1.22+, unavailable in v1.25+")
)]
#[case("v1", "Pod", 37, None)]
fn deprecations(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] minor: u8,
    #[case] expected: Option<&str>,
) {
    let minor = Minor::known(minor);
    let resource = by_kind(api_version, kind, minor).expect("it is served");
    assert_eq!(resource.deprecation_warning(minor).as_deref(), expected);
}

/// A pod template's place is one of the schema's.
#[test]
fn templates_lie_where_the_schema_has_them() {
    for resource in RESOURCES {
        let Some(template) = resource.template else {
            continue;
        };
        let minor = Minor::new(resource.since).expect("a known minor");
        let mut at = resource.schema;
        for name in template {
            let field = at.field(name, minor).expect("a field of the schema");
            let crate::schema::Type::Struct(next) = field.ty else {
                panic!("{name} of {} is no struct", at.name);
            };
            at = next;
        }
        let expected = if template.is_empty() {
            "Pod"
        } else {
            "PodTemplateSpec"
        };
        assert_eq!(at.name, expected, "{}", resource.kind);
    }
}

/// Every resource's schema is there in exactly the minors that serve it, and is of its kind.
#[test]
fn schemas_are_of_the_kinds() {
    for resource in RESOURCES {
        assert_eq!(resource.schema.name, resource.kind);
        assert_eq!(resource.singular, resource.kind.to_lowercase());
        for minor in Minor::all().filter(|m| resource.exists_in(*m)) {
            assert!(
                resource.schema.field("metadata", minor).is_some()
                    && resource.schema.field("kind", minor).is_some(),
                "{} {minor}",
                resource.kind
            );
        }
    }
}

/// Discovery of real servers says the same of each resource, and has those and no others of ours.
#[test]
fn discovery_agrees() {
    let Some(lines) = truth::lines("http") else {
        return;
    };
    let mut compared = 0;
    for (minor, line) in lines {
        let exchange: Value = serde_json::from_str(&line).expect("a line is JSON");
        let answer = &exchange["answer"];
        if exchange["method"] != "GET" || answer["kind"] != "APIResourceList" {
            continue;
        }
        let api_version = answer["groupVersion"].as_str().expect("a text");
        let listed = answer["resources"].as_array().expect("a list");
        for resource in RESOURCES
            .iter()
            .filter(|r| r.api_version() == api_version && r.exists_in(minor))
        {
            let found = listed
                .iter()
                .find(|r| r["name"] == resource.name)
                .unwrap_or_else(|| panic!("{minor} does not serve {}", resource.qualified()));
            compare(found, resource, minor);
            compared += 1;
        }
        for found in listed {
            let name = found["name"].as_str().expect("a text");
            let ours = RESOURCES
                .iter()
                .any(|r| r.api_version() == api_version && r.name == name && !r.exists_in(minor));
            assert!(!ours, "{minor} serves {api_version} {name}");
        }
    }
    assert!(compared > 60, "compared {compared} resources only");
}

#[track_caller]
fn compare(found: &Value, resource: &Resource, minor: Minor) {
    let texts = |key: &str| -> Vec<&str> {
        found[key]
            .as_array()
            .map(|texts| texts.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default()
    };
    assert_eq!(found["kind"], resource.kind);
    assert_eq!(found["namespaced"], resource.namespaced);
    assert_eq!(texts("shortNames"), resource.short);
    assert_eq!(texts("categories").contains(&"all"), resource.in_all);
    let singular = if minor.number() < 27 {
        ""
    } else {
        resource.singular
    };
    assert_eq!(found["singularName"], singular, "{minor}");
}
