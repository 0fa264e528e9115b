//! The expectations are what Go's encoder wrote for the types of `k8s.io/api` of the minor.

use super::{as_stored, encode, encode_untyped};
use crate::decode::decode;
use crate::schema::{Struct, roots};
use crate::value::Value;
use podgate_policy::Minor;
use rstest::rstest;

#[track_caller]
fn check(json: &str, schema: &'static Struct, minor: u8, expected: &str) {
    let minor = Minor::known(minor);
    let decoded = decode(json.as_bytes(), schema, minor).unwrap();
    assert_eq!(encode(&decoded.object, schema, minor), expected);
}

#[rstest]
#[case(36, r#"{"metadata":{},"spec":{"containers":null},"status":{}}"#)]
#[case(34, r#"{"metadata":{},"spec":{"containers":null},"status":{}}"#)]
#[case(
    33,
    r#"{"metadata":{"creationTimestamp":null},"spec":{"containers":null},"status":{}}"#
)]
#[case(
    20,
    r#"{"metadata":{"creationTimestamp":null},"spec":{"containers":null},"status":{}}"#
)]
fn an_empty_pod(#[case] minor: u8, #[case] expected: &str) {
    check("{}", &roots::POD, minor, expected);
}

#[test]
fn fields_stand_in_the_order_of_the_type() {
    check(
        r#"{"spec":{"containers":[{"image":"i","name":"c"}]},"metadata":{"name":"a"},"kind":"Pod","apiVersion":"v1"}"#,
        &roots::POD,
        36,
        r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"i","resources":{}}]},"status":{}}"#,
    );
}

#[test]
fn texts_are_escaped_as_for_html() {
    check(
        r#"{"metadata":{"annotations":{"b":"<&>\u2028\u2029","a":"\"\\\u0001\u007f\n\b\f/é"}}}"#,
        &roots::POD,
        36,
        "{\"metadata\":{\"annotations\":{\"a\":\"\\\"\\\\\\u0001\u{7f}\\n\\b\\f/é\",\"b\":\"\\u003c\\u0026\\u003e\\u2028\\u2029\"}},\"spec\":{\"containers\":null},\"status\":{}}",
    );
}

#[test]
fn zeros_that_are_always_written() {
    check(
        r#"{"spec":{"template":{}}}"#,
        &roots::DEPLOYMENT,
        36,
        r#"{"metadata":{},"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}}"#,
    );
    check(
        r#"{"spec":{"containers":[{"env":[{"valueFrom":{"resourceFieldRef":{}}}],"livenessProbe":{"tcpSocket":{}}}]}}"#,
        &roots::POD,
        36,
        r#"{"metadata":{},"spec":{"containers":[{"name":"","env":[{"name":"","valueFrom":{"resourceFieldRef":{"resource":"","divisor":"0"}}}],"resources":{},"livenessProbe":{"tcpSocket":{"port":0}}}]},"status":{}}"#,
    );
}

#[rstest]
#[case(
    r#"{"spec":{"containers":[],"nodeSelector":{},"volumes":[{"name":"p","projected":{"sources":[]}},{"name":"d","downwardAPI":{"items":[]}}]}}"#,
    r#"{"spec":{"volumes":[{"name":"p","projected":{}},{"name":"d","downwardAPI":{}}]}}"#
)]
#[case(
    r#"{"metadata":{"labels":{}},"spec":{"securityContext":{"supplementalGroups":[]},"containers":[{"resources":{"limits":{}}}]}}"#,
    r#"{"spec":{"securityContext":{},"containers":[{}]}}"#
)]
fn the_store_knows_no_empty_lists(#[case] json: &str, #[case] expected: &str) {
    let minor = Minor::NEWEST;
    let mut object = decode(json.as_bytes(), &roots::POD, minor).unwrap().object;
    as_stored(&mut object, &roots::POD, minor);
    assert_eq!(encode_untyped(&object), expected);
}

#[test]
fn claims_of_a_stateful_set_say_what_they_are() {
    let json =
        br#"{"spec":{"volumeClaimTemplates":[{"kind":"x","metadata":{"name":"a"}},{"spec":{}}]}}"#;
    let mut object = decode(json, &roots::STATEFUL_SET, Minor::NEWEST)
        .unwrap()
        .object;
    as_stored(&mut object, &roots::STATEFUL_SET, Minor::NEWEST);
    let claims = object.list_at(&["spec", "volumeClaimTemplates"]);
    assert_eq!(claims.len(), 2);
    for claim in claims {
        assert_eq!(claim.text_at(&["apiVersion"]), "v1");
        assert_eq!(claim.text_at(&["kind"]), "PersistentVolumeClaim");
    }
}

/// A real server of 1.36 stores such a strategy so.
#[rstest]
#[case(20, r#"{"maxUnavailable":"20%"}"#, r#"{"maxUnavailable":"20%"}"#)]
#[case(
    36,
    r#"{"maxUnavailable":"20%"}"#,
    r#"{"maxUnavailable":"20%","maxSurge":0}"#
)]
#[case(36, "{}", r#"{"maxUnavailable":0,"maxSurge":0}"#)]
fn a_rolling_update_that_is_not_the_strategy(
    #[case] minor: u8,
    #[case] update: &str,
    #[case] expected: &str,
) {
    let minor = Minor::known(minor);
    let json = format!(
        r#"{{"spec":{{"updateStrategy":{{"type":"OnDelete","rollingUpdate":{update}}}}}}}"#
    );
    let mut object = decode(json.as_bytes(), &roots::DAEMON_SET, minor)
        .unwrap()
        .object;
    as_stored(&mut object, &roots::DAEMON_SET, minor);
    let strategy = object.at(&["spec", "updateStrategy"]).expect("a strategy");
    assert_eq!(
        encode_untyped(strategy.get("rollingUpdate").expect("an update")),
        expected
    );
}

#[test]
fn texts_of_a_secret_become_data() {
    let json = br#"{"data":{"b":"YQ==","c":"YQ=="},"stringData":{"a":"xy","b":"z"}}"#;
    let mut object = decode(json, &roots::SECRET, Minor::NEWEST).unwrap().object;
    as_stored(&mut object, &roots::SECRET, Minor::NEWEST);
    assert_eq!(
        encode_untyped(&object),
        r#"{"data":{"a":"eHk=","b":"eg==","c":"YQ=="}}"#
    );
}

#[rstest]
#[case(0.0, "0")]
#[case(1.5, "1.5")]
#[case(-2.0, "-2")]
#[case(1e20, "100000000000000000000")]
#[case(1e21, "1e+21")]
#[case(1.25e-6, "0.00000125")]
#[case(1e-7, "1e-7")]
#[case(1.5e-10, "1.5e-10")]
#[case(1e300, "1e+300")]
fn floats(#[case] n: f64, #[case] expected: &str) {
    assert_eq!(encode_untyped(&Value::Float(n)), expected);
}
