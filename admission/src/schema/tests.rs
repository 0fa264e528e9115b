//! The tables against known facts, against the list of defaults, and against pods that real servers
//! stored.

use std::collections::BTreeSet;
use std::fmt;

use podgate_policy::Minor;
use rstest::rstest;
use serde::Deserializer as _;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Apply, Field, Merge, STRUCTS, Scalar, Struct, Type, roots};
use crate::resource::RESOURCES;
use crate::truth;

#[track_caller]
fn structure(name: &str) -> &'static Struct {
    STRUCTS
        .iter()
        .find(|s| s.name == name)
        .unwrap_or_else(|| panic!("no struct {name}"))
}

#[track_caller]
fn field(path: &str, minor: u8) -> Option<&'static Field> {
    let (name, field) = path.split_once('.').expect("Struct.field");
    structure(name).field(field, Minor::known(minor))
}

const NEWEST: u8 = Minor::NEWEST.number();

/// The first and the last minor of fields, as the notes of the releases have them.
#[rstest]
#[case("PodSpec.containers", 20, NEWEST)]
#[case("PodSpec.os", 23, NEWEST)]
#[case("PodSpec.hostUsers", 25, NEWEST)]
#[case("PodSpec.schedulingGates", 26, NEWEST)]
#[case("PodSpec.resources", 32, NEWEST)]
#[case("PodSpec.workloadRef", 35, 35)]
#[case("SecurityContext.appArmorProfile", 30, NEWEST)]
#[case("PodSecurityContext.appArmorProfile", 30, NEWEST)]
#[case("PodSecurityContext.supplementalGroupsPolicy", 31, NEWEST)]
#[case("PodSecurityContext.seLinuxChangePolicy", 32, NEWEST)]
#[case("WindowsSecurityContextOptions.hostProcess", 22, NEWEST)]
#[case("Volume.image", 31, NEWEST)]
#[case("Volume.gcePersistentDisk", 20, NEWEST)]
#[case("Volume.ephemeral", 20, NEWEST)]
#[case("Probe.grpc", 23, NEWEST)]
#[case("LifecycleHandler.sleep", 29, NEWEST)]
#[case("Container.restartPolicy", 28, NEWEST)]
#[case("EphemeralContainer.targetContainerName", 20, NEWEST)]
#[case("ObjectMeta.clusterName", 20, 24)]
#[case("ServiceSpec.topologyKeys", 20, 21)]
#[case("JobSpec.podFailurePolicy", 25, NEWEST)]
#[case("CronJobSpec.timeZone", 24, NEWEST)]
#[case("PodSecurityPolicySpec.privileged", 20, 24)]
fn minors_of_fields(#[case] path: &str, #[case] first: u8, #[case] last: u8) {
    for minor in Minor::all() {
        let n = minor.number();
        assert_eq!(
            field(path, n).is_some(),
            first <= n && n <= last,
            "{path} in {minor}"
        );
    }
}

#[rstest]
#[case("PodSpec.containers", 20, "[]v1.Container")]
#[case("PodSpec.restartPolicy", 20, "v1.RestartPolicy")]
#[case("PodSpec.terminationGracePeriodSeconds", 20, "int64")]
#[case("PodSpec.overhead", 20, "v1.ResourceList")]
#[case("ObjectMeta.labels", 20, "map[string]string")]
#[case("ObjectMeta.uid", 20, "types.UID")]
#[case("ObjectMeta.creationTimestamp", 20, "v1.Time")]
#[case("Secret.data", 20, "map[string][]uint8")]
#[case("HTTPGetAction.port", 20, "intstr.IntOrString")]
#[case("Lifecycle.preStop", 22, "v1.Handler")]
#[case("Lifecycle.preStop", 23, "v1.LifecycleHandler")]
#[case("PersistentVolumeClaimSpec.resources", 28, "v1.ResourceRequirements")]
#[case(
    "PersistentVolumeClaimSpec.resources",
    29,
    "v1.VolumeResourceRequirements"
)]
#[case("CronJobSpec.concurrencyPolicy", 20, "v1beta1.ConcurrencyPolicy")]
#[case("ControllerRevision.data", 20, "runtime.RawExtension")]
#[case("SubjectAccessReviewSpec.extra", 20, "map[string]v1.ExtraValue")]
fn go_types(#[case] path: &str, #[case] minor: u8, #[case] go: &str) {
    let (name, field) = path.split_once('.').expect("Struct.field");
    let field = STRUCTS
        .iter()
        .filter(|s| s.name == name)
        .find_map(|s| s.field(field, Minor::known(minor)))
        .expect("a field");
    assert_eq!(field.ty.go(), go);
}

#[rstest]
#[case("PodSpec.containers", Some((true, false, Some("name"))))]
#[case("PodSpec.volumes", Some((true, true, Some("name"))))]
#[case("PodSpec.tolerations", None)]
#[case("Container.ports", Some((true, false, Some("containerPort"))))]
#[case("Container.env", Some((true, false, Some("name"))))]
#[case("Container.volumeMounts", Some((true, false, Some("mountPath"))))]
#[case("Container.command", None)]
#[case("ServiceSpec.ports", Some((true, false, Some("port"))))]
#[case("ObjectMeta.finalizers", Some((true, false, None)))]
#[case("DeploymentSpec.strategy", Some((false, true, None)))]
fn merge_keys(#[case] path: &str, #[case] expected: Option<(bool, bool, Option<&'static str>)>) {
    let expected = expected.map(|(merge, retain_keys, key)| Merge {
        merge,
        retain_keys,
        key,
    });
    assert_eq!(field(path, NEWEST).expect("a field").merge, expected);
}

#[rstest]
#[case("PodSpec.containers", 20, Apply::Map(&["name"]))]
#[case("Container.ports", 20, Apply::Map(&["containerPort", "protocol"]))]
#[case("Container.command", 20, Apply::Atomic)]
#[case("PodSpec.tolerations", NEWEST, Apply::Atomic)]
#[case("PodSpec.nodeSelector", 20, Apply::Granular)]
#[case("PodSpec.nodeSelector", 22, Apply::Atomic)]
#[case("ObjectMeta.finalizers", 20, Apply::Set)]
#[case("ObjectMeta.labels", NEWEST, Apply::Granular)]
#[case("DeploymentSpec.selector", NEWEST, Apply::Atomic)]
#[case("DeploymentSpec.strategy", NEWEST, Apply::Granular)]
fn apply(#[case] path: &str, #[case] minor: u8, #[case] expected: Apply) {
    assert_eq!(field(path, minor).expect("a field").apply, expected);
}

#[rstest]
#[case("Probe.periodSeconds", 20, Some(Scalar::Int(10)))]
#[case("SecretVolumeSource.defaultMode", 20, Some(Scalar::Int(0o644)))]
#[case("PodSpec.securityContext", 20, Some(Scalar::Empty))]
#[case("PodSpec.enableServiceLinks", 20, None)]
#[case("JobSpec.backoffLimit", NEWEST, None)]
#[case(
    "PodSecurityPolicySpec.allowPrivilegeEscalation",
    20,
    Some(Scalar::Bool(true))
)]
#[case("PodFailurePolicyOnPodConditionsPattern.status", 30, None)]
#[case(
    "PodFailurePolicyOnPodConditionsPattern.status",
    31,
    Some(Scalar::Text("True"))
)]
fn defaults(#[case] path: &str, #[case] minor: u8, #[case] default: Option<Scalar>) {
    assert_eq!(field(path, minor).expect("a field").default, default);
}

/// Every default of the input file is in the tables: it names a field, and codegen ran since.
#[test]
fn every_default_is_in_the_tables() {
    let text = include_str!("../../schema/defaults.txt");
    let mut count = 0;
    for line in text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let path = line.split(' ').next().expect("a path");
        let (name, json) = path.split_once('.').expect("Struct.field");
        let mut structs = STRUCTS.iter().filter(|s| s.name == name).peekable();
        assert!(structs.peek().is_some(), "{line}: no such struct");
        for s in structs {
            let mut entries = s.fields.iter().filter(|f| f.name == json);
            assert!(entries.any(|f| f.default.is_some()), "{line}");
        }
        count += 1;
    }
    assert!(count > 50, "read {count} defaults only");
}

/// No minor has two entries of one field, and entries lie within the known minors.
#[test]
fn entries_of_a_field_are_disjoint() {
    for s in STRUCTS {
        for (i, a) in s.fields.iter().enumerate() {
            assert!(Minor::OLDEST.number() <= a.since && a.since <= a.until);
            assert!(
                a.until < NEWEST || a.until == u8::MAX,
                "{}.{}",
                s.name,
                a.name
            );
            for b in &s.fields[i + 1..] {
                assert!(
                    a.name != b.name || a.until < b.since || b.until < a.since,
                    "{}.{}",
                    s.name,
                    a.name
                );
            }
        }
    }
}

/// The numbers of `generated.proto`; of embedded structs there are two.
#[rstest]
#[case("Pod.metadata", &[1])]
#[case("Pod.kind", &[])]
#[case("PodSpec.containers", &[2])]
#[case("PodSpec.hostNetwork", &[11])]
#[case("Volume.name", &[1])]
#[case("Volume.emptyDir", &[2, 2])]
#[case("Probe.httpGet", &[1, 2])]
#[case("EphemeralContainer.image", &[1, 2])]
#[case("ConfigMapKeySelector.name", &[1, 1])]
fn numbers(#[case] path: &str, #[case] expected: &[u32]) {
    for minor in [20, NEWEST] {
        let Some(field) = field(path, minor) else {
            panic!("{path} in {minor}");
        };
        assert_eq!(field.numbers, expected, "{path} in {minor}");
    }
}

/// No two fields of a message have one number, and a number leads to a field or into embedded structs.
#[test]
fn numbers_are_distinct() {
    for s in STRUCTS {
        for (at, a) in s.fields.iter().enumerate() {
            for b in &s.fields[at + 1..] {
                let (short, long) = if a.numbers.len() < b.numbers.len() {
                    (a, b)
                } else {
                    (b, a)
                };
                let clash = !short.numbers.is_empty() && long.numbers.starts_with(short.numbers);
                let disjoint = a.until < b.since || b.until < a.since;
                assert!(!clash || disjoint, "{}: {} and {}", s.name, a.name, b.name);
            }
        }
    }
}

/// No struct is inside of itself: trees of the schema are walked by recursion.
#[test]
fn structs_end() {
    fn depth(s: &Struct, above: &mut Vec<*const Struct>) -> usize {
        assert!(!above.contains(&&raw const *s), "{} is in itself", s.name);
        above.push(&raw const *s);
        let mut deepest = 0;
        for field in s.fields {
            let mut ty = &field.ty;
            while let Type::List(inner, _) | Type::Map(inner, _) = ty {
                ty = inner;
            }
            if let Type::Struct(next) = ty {
                deepest = deepest.max(depth(next, above) + 1);
            }
        }
        above.pop();
        deepest
    }
    let deepest = RESOURCES.iter().map(|r| depth(r.schema, &mut Vec::new()));
    assert!(deepest.max().is_some_and(|depth| depth < 30));
}

/// `STRUCTS` has every struct that a root reaches, once.
#[test]
fn structs_are_listed() {
    let listed: BTreeSet<*const Struct> = STRUCTS.iter().map(|s| &raw const **s).collect();
    assert_eq!(listed.len(), STRUCTS.len());
    let mut reached = BTreeSet::new();
    let mut to_visit: Vec<&Struct> = RESOURCES.iter().map(|r| r.schema).collect();
    to_visit.extend([
        &roots::BINDING,
        &roots::DELETE_OPTIONS,
        &roots::EVICTION,
        &roots::SCALE,
        &roots::STATUS,
    ]);
    while let Some(s) = to_visit.pop() {
        if !reached.insert(&raw const *s) {
            continue;
        }
        for field in s.fields {
            let mut ty = &field.ty;
            while let Type::List(inner, _) | Type::Map(inner, _) = ty {
                ty = inner;
            }
            if let Type::Struct(next) = ty {
                to_visit.push(next);
            }
        }
    }
    assert_eq!(listed, reached);
}

/// What real servers stored has only fields of the tables, in their order, with every field that is
/// never left out and every default.
#[test]
fn stored_pods_follow_the_tables() {
    let Some(lines) = truth::lines("pods") else {
        return;
    };
    let Type::Struct(spec) = field("Pod.spec", NEWEST).expect("a field").ty else {
        panic!("a pod's spec is a struct");
    };
    let mut specs = 0;
    for (minor, line) in lines {
        let mut json = serde_json::Deserializer::from_str(&line);
        let found = json.deserialize_map(Answer { spec, minor });
        specs += found.unwrap_or_else(|e| panic!("{minor}: {e}"));
    }
    assert!(specs > 1000, "compared {specs} pods only");
}

/// Walks over a line of recorded answers and counts the specs that it checked.
struct Answer {
    spec: &'static Struct,
    minor: Minor,
}

impl<'de> Visitor<'de> for Answer {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recorded answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(key) = map.next_key::<String>()? {
            if key == "spec" {
                map.next_value_seed(Stored {
                    ty: &Type::Struct(self.spec),
                    minor: self.minor,
                })?;
                count += 1;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(count)
    }
}

/// Walks over a stored value by the tables.
#[derive(Clone, Copy)]
struct Stored<'t> {
    ty: &'t Type,
    minor: Minor,
}

impl<'de> DeserializeSeed<'de> for Stored<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.ty {
            Type::Struct(_) | Type::Map(..) | Type::List(..) => json.deserialize_any(self),
            _ => json.deserialize_ignored_any(IgnoredAny).map(|_| ()),
        }
    }
}

impl<'de> Visitor<'de> for Stored<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ty.go())
    }

    /// A list or map that is nil and not left out.
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        match self.ty {
            Type::List(..) | Type::Map(..) => Ok(()),
            _ => Err(E::invalid_type(de::Unexpected::Unit, &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Type::List(ty, _) = self.ty else {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        };
        while list.next_element_seed(Stored { ty, ..self })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let schema = match self.ty {
            Type::Struct(schema) => schema,
            Type::Map(ty, _) => {
                while map.next_key::<IgnoredAny>()?.is_some() {
                    map.next_value_seed(Stored { ty, ..self })?;
                }
                return Ok(());
            }
            _ => return Err(de::Error::invalid_type(de::Unexpected::Map, &self)),
        };
        let mut fields = schema.fields.iter().filter(|f| f.exists_in(self.minor));
        let left_out = |f: &Field| f.omitempty && f.default.is_none();
        while let Some(key) = map.next_key::<String>()? {
            let field = loop {
                match fields.next() {
                    Some(field) if field.name == key => break field,
                    Some(field) if left_out(field) => {}
                    Some(field) => {
                        return Err(de::Error::custom(format_args!(
                            "{} {key} where {} was due",
                            schema.go, field.name
                        )));
                    }
                    None => {
                        return Err(de::Error::custom(format_args!(
                            "{} has no {key}, or has it earlier",
                            schema.go
                        )));
                    }
                }
            };
            map.next_value_seed(Stored {
                ty: &field.ty,
                ..self
            })?;
        }
        match fields.find(|f| !left_out(f)) {
            Some(field) => Err(de::Error::missing_field(field.name)),
            None => Ok(()),
        }
    }
}
