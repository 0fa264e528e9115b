//! The error texts, strict errors and trees are what `sigs.k8s.io/json` with `k8s.io/api` 0.36 gave
//! for the same documents, unless a case says otherwise.

use super::{DecodeError, MAX_TREE_DEPTH, Segment, decode, decode_as, decode_untyped, kind_of};
use crate::encode::{encode, encode_untyped};
use crate::resource::by_kind;
use crate::schema::{Struct, roots};
use podgate_policy::Minor;
use rstest::rstest;

const NEW: Minor = Minor::known(36);

fn strict(json: &str, schema: &'static Struct) -> String {
    let errors = decode(json.as_bytes(), schema, NEW).unwrap().strict;
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn error(json: &str, schema: &'static Struct, minor: Minor) -> DecodeError {
    decode(json.as_bytes(), schema, minor).unwrap_err()
}

/// The decoded tree, keys in the order of insertion.
fn tree(json: &str, schema: &'static Struct) -> String {
    encode_untyped(&decode(json.as_bytes(), schema, NEW).unwrap().object)
}

#[rstest]
#[case(
    r#"{"spec":{"hostNetwork":"yes"}}"#,
    "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"
)]
#[case(
    r#"{"spec":{"containers":[{"image":5}]}}"#,
    "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string"
)]
#[case(
    r#"{"spec":{"containers":{}}}"#,
    "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
)]
#[case(
    r#"{"spec":{"containers":[1]}}"#,
    "json: cannot unmarshal number into Go struct field PodSpec.spec.containers of type v1.Container"
)]
#[case(
    r#"{"spec":[]}"#,
    "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"
)]
#[case(
    r#"{"spec":{"restartPolicy":true}}"#,
    "json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"
)]
#[case(
    r#"{"spec":{"terminationGracePeriodSeconds":5.0}}"#,
    "json: cannot unmarshal number 5.0 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64"
)]
#[case(
    r#"{"spec":{"priority":2147483648}}"#,
    "json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32"
)]
#[case(
    r#"{"metadata":{"labels":{"a":true}}}"#,
    "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"
)]
#[case(
    r#"{"spec":{"overhead":[]}}"#,
    "json: cannot unmarshal array into Go struct field PodSpec.spec.overhead of type v1.ResourceList"
)]
#[case("[]", "json: cannot unmarshal array into Go value of type v1.Pod")]
// Types that read themselves.
#[case(
    r#"{"spec":{"overhead":{"cpu":"1x"}}}"#,
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)]
#[case(
    r#"{"metadata":{"creationTimestamp":"x"}}"#,
    r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#
)]
#[case(
    r#"{"metadata":{"creationTimestamp":"2020-02-30T00:00:00Z"}}"#,
    r#"parsing time "2020-02-30T00:00:00Z": day out of range"#
)]
#[case(
    r#"{"metadata":{"creationTimestamp":5}}"#,
    "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string"
)]
#[case(
    r#"{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":1.5}}}]}}"#,
    "json: cannot unmarshal number 1.5 into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32"
)]
// The first error counts, but one that stops Go beats those that do not, and syntax beats all.
#[case(
    r#"{"spec":{"hostPID":1,"hostIPC":2}}"#,
    "json: cannot unmarshal number into Go struct field PodSpec.spec.hostPID of type bool"
)]
#[case(
    r#"{"spec":{"hostPID":1,"overhead":{"a":"1e"}}}"#,
    "unable to parse quantity's suffix"
)]
#[case(r#"{"spec":{"hostPID":1}"#, "unexpected end of JSON input")]
// Embedded structs are on the way from 1.35 on.
#[case(
    r#"{"spec":{"volumes":[{"hostPath":5}]}}"#,
    "json: cannot unmarshal number into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource"
)]
fn type_errors(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(error(json, &roots::POD, NEW).message, expected);
}

#[rstest]
#[case(
    r#"{"spec":{"volumes":[{"hostPath":5}]}}"#,
    34,
    "json: cannot unmarshal number into Go struct field Volume.spec.volumes.hostPath of type v1.HostPathVolumeSource"
)]
// What json-iterator 1.1.12 gave with the types of `k8s.io/api` 0.20.
#[case(r#"{"spec":{"hostNetwork":"yes"}}"#, 22, r#"v1.Pod.Spec: v1.PodSpec.HostNetwork: ReadBool: expect t or f, but found ", error found in #10 byte of ...|Network":"yes"}}|..., bigger context ...|{"spec":{"hostNetwork":"yes"}}|..."#)]
#[case(r#"{"spec":{"containers":[{"image":5}]}}"#, 20, r#"v1.Pod.Spec: v1.PodSpec.Containers: []v1.Container: v1.Container.Image: ReadString: expects " or n, but found 5, error found in #10 byte of ...|{"image":5}]}}|..., bigger context ...|{"spec":{"containers":[{"image":5}]}}|..."#)]
fn type_errors_of_older_servers(#[case] json: &str, #[case] minor: u8, #[case] expected: &str) {
    assert_eq!(
        error(json, &roots::POD, Minor::known(minor)).message,
        expected
    );
}

#[test]
fn errors_say_where() {
    let json = r#"{"spec":{"containers":[{},{"securityContext":{"privileged":"x"}}]}}"#;
    let location = error(json, &roots::POD, NEW).location;
    let key = |key: &str| Segment::Key(key.to_owned());
    let path = [
        key("spec"),
        key("containers"),
        Segment::Index(1),
        key("securityContext"),
        key("privileged"),
    ];
    assert_eq!(location.path, path);
    assert_eq!(location.offset, json.find("\"x\"").unwrap());

    let json = r#"{"spec":{"containers":[{"foo":1}]}}"#;
    let strict = decode(json.as_bytes(), &roots::POD, NEW).unwrap().strict;
    let path = [
        key("spec"),
        key("containers"),
        Segment::Index(0),
        key("foo"),
    ];
    assert_eq!(strict[0].location.path, path);
    assert_eq!(strict[0].location.offset, json.find("\"foo\"").unwrap());
}

#[rstest]
#[case(
    r#"{"foo":{"bar":1},"spec":{"Containers":[],"hostnetwork":true}}"#,
    r#"unknown field "foo", unknown field "spec.Containers", unknown field "spec.hostnetwork""#
)]
#[case(
    r#"{"spec":{"hostPID":true,"hostPID":false,"hostPID":true}}"#,
    r#"duplicate field "spec.hostPID""#
)]
#[case(
    r#"{"spec":{"containers":[{"name":"a"},{"name":"b","name":"c","x":1,"x":2}]}}"#,
    r#"duplicate field "spec.containers[1].name", unknown field "spec.containers[1].x""#
)]
#[case(
    r#"{"metadata":{"labels":{"a.b":"1","a.b":"2"}}}"#,
    r#"duplicate field "metadata.labels.a.b""#
)]
#[case(r#"{"spec":{"a\"b":1}}"#, r#"unknown field "spec.a\"b""#)]
#[case(
    r#"{"spec":{"overhead":{"cpu":"1","cpu":"2"}}}"#,
    r#"duplicate field "spec.overhead.cpu""#
)]
fn strict_errors(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(strict(json, &roots::POD), expected);
}

#[test]
fn no_more_than_a_hundred_strict_errors() {
    let fields: Vec<_> = (0..150).map(|n| format!("\"f{n}\":1")).collect();
    let json = format!("{{{}}}", fields.join(","));
    assert_eq!(
        strict(&json, &roots::POD).matches("unknown field").count(),
        100
    );
}

#[test]
fn keys_of_large_maps_are_told_apart() {
    let entries: Vec<_> = (0..200)
        .map(|n| format!("\"k{}\":\"{n}\"", n % 150))
        .collect();
    let json = format!(r#"{{"metadata":{{"labels":{{{}}}}}}}"#, entries.join(","));
    let decoded = decode(json.as_bytes(), &roots::POD, NEW).unwrap();
    assert_eq!(decoded.strict.len(), 50);
    let labels = decoded.object.at(&["metadata", "labels"]).unwrap();
    assert_eq!(labels.as_object().unwrap().len(), 150);
    assert_eq!(labels.text_at(&["k49"]), "199");
    assert_eq!(labels.text_at(&["k50"]), "50");
}

#[rstest]
// Zeros of fields that are no pointers are absent, those of pointers stay.
#[case(
    r#"{"spec":{"hostPID":false,"nodeName":"","hostUsers":false,"priority":0}}"#,
    r#"{"spec":{"hostUsers":false,"priority":0}}"#
)]
#[case(
    r#"{"metadata":{},"spec":{"securityContext":{"seLinuxOptions":{}}}}"#,
    r#"{"spec":{"securityContext":{"seLinuxOptions":{}}}}"#
)]
// Null is absent, a zero in lists and maps.
#[case(
    r#"{"metadata":{"labels":null},"spec":{"containers":[null,{"args":[null]}]}}"#,
    r#"{"spec":{"containers":[{},{"args":[""]}]}}"#
)]
#[case(
    r#"{"metadata":{"labels":{"a":null}},"spec":{"overhead":{"cpu":null}}}"#,
    r#"{"metadata":{"labels":{"a":""}},"spec":{"overhead":{"cpu":"0"}}}"#
)]
// Empty lists and maps that were sent are not none.
#[case(
    r#"{"spec":{"securityContext":{"supplementalGroups":[]},"nodeSelector":{}}}"#,
    r#"{"spec":{"securityContext":{"supplementalGroups":[]},"nodeSelector":{}}}"#
)]
// The second of two keys is read over the first: structs, maps and items merge.
#[case(
    r#"{"spec":{"nodeName":"a","hostPID":true},"spec":{"hostPID":false}}"#,
    r#"{"spec":{"nodeName":"a"}}"#
)]
#[case(
    r#"{"metadata":{"labels":{"b":"1","a":"1"},"labels":{"a":"2"}}}"#,
    r#"{"metadata":{"labels":{"a":"2","b":"1"}}}"#
)]
#[case(r#"{"spec":{"containers":[{"name":"a","image":"i"},{"name":"b"}],"containers":[{"name":"c"}]}}"#, r#"{"spec":{"containers":[{"image":"i","name":"c"}]}}"#)]
#[case(
    r#"{"spec":{"hostPID":true,"hostPID":null,"priority":1,"priority":null}}"#,
    r#"{"spec":{"hostPID":true}}"#
)]
// Values are written in one form.
#[case(
    r#"{"spec":{"overhead":{"memory":"1.5Gi","cpu":0.1," ":" 1 "}}}"#,
    r#"{"spec":{"overhead":{" ":"1","cpu":"100m","memory":"1536Mi"}}}"#
)]
#[case(
    r#"{"metadata":{"creationTimestamp":"2020-03-01T00:30:00.9+01:00"}}"#,
    r#"{"metadata":{"creationTimestamp":"2020-02-29T23:30:00Z"}}"#
)]
#[case(r#"{"metadata":{"creationTimestamp":"0001-01-01T00:00:00Z"}}"#, "{}")]
#[case(
    r#"{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":"8080"}}}]}}"#,
    r#"{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":"8080"}}}]}}"#
)]
#[case("null", "{}")]
fn trees(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(tree(json, &roots::POD), expected);
}

#[rstest]
#[case(r#""YQ==""#, Ok("YQ=="))]
#[case(r#""YR==""#, Ok("YQ=="))]
#[case(r#""YW\nJj""#, Ok("YWJj"))]
#[case("[97, 98]", Ok("YWI="))]
#[case(r#""""#, Ok(""))]
#[case(r#""Y""#, Err("illegal base64 data at input byte 0"))]
#[case(r#""YQ=""#, Err("illegal base64 data at input byte 3"))]
#[case(r#""YQ=x""#, Err("illegal base64 data at input byte 2"))]
#[case(r#""YQ==YQ==""#, Err("illegal base64 data at input byte 4"))]
#[case(r#""Y Q=""#, Err("illegal base64 data at input byte 1"))]
#[case(
    "[256]",
    Err("json: cannot unmarshal number 256 into Go struct field Secret.data of type uint8")
)]
fn base64(#[case] value: &str, #[case] expected: Result<&str, &str>) {
    let json = format!(r#"{{"data":{{"k":{value}}}}}"#);
    match (decode(json.as_bytes(), &roots::SECRET, NEW), expected) {
        (Ok(decoded), Ok(text)) => assert_eq!(decoded.object.text_at(&["data", "k"]), text),
        (Err(error), Err(message)) => assert_eq!(error.message, message),
        (found, expected) => panic!("{found:?} for {expected:?}"),
    }
}

#[rstest]
#[case(r#"{"kind":"Podd"}"#, r#"Podd in version "v1" cannot be handled as a Pod: no kind "Podd" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30""#)]
#[case(r#"{"apiVersion":"apps/v1"}"#, r#"Pod in version "v1" cannot be handled as a Pod: no kind "Pod" is registered for version "apps/v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30""#)]
#[case(r#"{"apiVersion":"apps/v1","kind":"Deployment"}"#, r#"Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion"#)]
#[case(r#"{"apiVersion":"v1","kind":"Pod","spec":{"hostPID":1}}"#, r#"Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field PodSpec.spec.hostPID of type bool"#)]
// The kind is looked for without regard to case.
#[case(r#"{"KIND":"Podd"}"#, r#"Podd in version "v1" cannot be handled as a Pod: no kind "Podd" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30""#)]
#[case(
    "{",
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
)]
#[case(
    "",
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"
)]
#[case(
    "a: b",
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: invalid character 'a' looking for beginning of value (613a2062)"
)]
#[case(r#"{"kind":5,"spec":{"containers":[]}}"#, r#"the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5,"spec":{"containers" ...)"#)]
#[case("[1]", r#"the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b315d)"#)]
#[case(r#"{"apiVersion":"a/b/c"}"#, r#"the object provided is unrecognized (must be of type Pod): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})"#)]
fn refused_bodies(#[case] json: &str, #[case] expected: &str) {
    let pods = by_kind("v1", "Pod", NEW).unwrap();
    assert_eq!(
        decode_as(json.as_bytes(), pods, NEW).unwrap_err().message,
        expected
    );
}

#[test]
fn another_version_of_the_kind_is_refused() {
    let minor = Minor::known(23);
    let jobs = by_kind("batch/v1", "CronJob", minor).unwrap();
    let json = br#"{"apiVersion":"batch/v1beta1","kind":"CronJob"}"#;
    let expected = "the API version in the data (batch/v1beta1) does not match the expected API version (batch/v1)";
    assert_eq!(decode_as(json, jobs, minor).unwrap_err().message, expected);
}

#[rstest]
#[case("{}")]
#[case(r#"{"apiVersion":"v1","kind":"Pod"}"#)]
#[case(r#"{"kind":null,"metadata":{"name":"a"}}"#)]
#[case(r#"{"KIND":"Pod"}"#)]
fn accepted_bodies(#[case] json: &str) {
    let pods = by_kind("v1", "Pod", NEW).unwrap();
    decode_as(json.as_bytes(), pods, NEW).unwrap();
}

#[test]
fn the_kind_is_found_without_decoding() {
    let json = br#"{"spec":{"kind":"x"},"metadata":{"name":"a","namespace":"b","labels":{"name":"c"}},"kind":"Pod","apiVersion":"v1"}"#;
    let kind = kind_of(json).unwrap();
    assert_eq!((&*kind.api_version, &*kind.kind), ("v1", "Pod"));
    assert_eq!((&*kind.namespace, &*kind.name), ("b", "a"));
}

#[rstest]
#[case(
    r#"{"b":1,"a":[1.5,-0,null,true,"x"],"b":{"c":{}}}"#,
    r#"{"b":{"c":{}},"a":[1.5,0,null,true,"x"]}"#
)]
#[case("9223372036854775807", "9223372036854775807")]
#[case("12345678901234567890", "12345678901234567000")]
#[case("1e3", "1000")]
#[case("1e21", "1e+21")]
#[case("0.0000001", "1e-7")]
fn any_json(#[case] json: &str, #[case] expected: &str) {
    assert_eq!(
        encode_untyped(&decode_untyped(json.as_bytes()).unwrap()),
        expected
    );
}

#[test]
fn any_json_has_its_limits() {
    let error = decode_untyped(b"[1e999]").unwrap_err();
    assert_eq!(
        error.message,
        "json: cannot unmarshal number 1e999 into Go value of type float64"
    );
    let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
    let deep = nested(MAX_TREE_DEPTH);
    let tree = decode_untyped(&deep).unwrap().clone().into_owned();
    assert_eq!(encode_untyped(&tree).as_bytes(), deep);
    let deep = nested(MAX_TREE_DEPTH + 1);
    let error = decode_untyped(&deep).unwrap_err();
    assert_eq!(error.message, "invalid character '[' exceeded max depth");
}

#[test]
fn texts_are_borrowed() {
    let json = br#"{"metadata":{"name":"a"},"spec":{"overhead":{"cpu":"1"}}}"#.to_vec();
    let decoded = decode(&json, &roots::POD, NEW).unwrap();
    for path in [&["metadata", "name"][..], &["spec", "overhead", "cpu"]] {
        let text = decoded.object.at(path).unwrap();
        assert!(matches!(
            text,
            crate::value::Value::String(std::borrow::Cow::Borrowed(_))
        ));
    }
    assert!(encode(&decoded.object, &roots::POD, NEW).contains(r#""name":"a""#));
}
