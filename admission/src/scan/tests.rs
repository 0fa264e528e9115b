//! The scan against the long way: decode, then take the view of the tree.

use super::{Controller, Scanned, Scanner};
use crate::decode::{decode, decode_untyped};
use crate::encode::{encode, encode_untyped};
use crate::schema::roots;
use crate::truth::lines;
use podgate_policy::Minor;
use rstest::rstest;

/// Checks a scan against the view; whether there was one.
#[track_caller]
fn check(json: &str, minor: Minor) -> bool {
    let decoded = decode(json.as_bytes(), &roots::POD, minor);
    let Some(scanned) = Scanner::new(minor).pod(json.as_bytes()) else {
        return false;
    };
    let object = decoded.unwrap().object;
    assert_eq!(scanned, Scanned::of(&object), "{minor}: {json}");
    true
}

#[test]
fn sees_what_the_view_sees_in_every_recorded_pod() {
    let mut scanned = 0;
    for (recorded, line) in lines("pods").into_iter().flatten() {
        let line = decode_untyped(line.as_bytes()).unwrap();
        let request = encode_untyped(line.get("request").unwrap());
        assert!(check(&request, recorded), "not scanned: {request}");
        // As another server writes it: it knows other fields, in another order, with zeros.
        let minor = if scanned % 2 == 0 {
            Minor::OLDEST
        } else {
            Minor::NEWEST
        };
        let decoded = decode(request.as_bytes(), &roots::POD, minor).unwrap();
        let written = encode(&decoded.object, &roots::POD, minor);
        assert!(
            check(&written, minor) || written.contains('\\'),
            "{minor}: {written}"
        );
        scanned += 1;
    }
    eprintln!("{scanned} pods scanned");
}

fn pod(spec: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{spec}}}"#)
}

#[rstest]
#[case("{}")]
#[case("null")]
#[case(r#"{"hostNetwork":null,"containers":[null,{"ports":[{},{"hostPort":0},{"hostPort":5}]}]}"#)]
#[case(r#"{"containers":[{"name":"b"}],"ephemeralContainers":[{"name":"c"}],"initContainers":[{"name":"a"}]}"#)]
#[case(r#"{"os":{},"runtimeClassName":"","hostUsers":false,"unknown":{"hostPID":true}}"#)]
#[case(r#"{"os":{"name":"windows"},"securityContext":{"windowsOptions":{"hostProcess":true}}}"#)]
#[case(
    r#"{"securityContext":{"sysctls":[{"name":"a"},{}],"privileged":true,"seccompProfile":{}}}"#
)]
#[case(r#"{"containers":[{"securityContext":{"capabilities":{"add":["A",null],"drop":null},"seLinuxOptions":{"user":"u"},"sysctls":[]}}]}"#)]
#[case(r#"{"containers":[{"lifecycle":{"preStop":{"tcpSocket":{"host":"z"}},"postStart":{"httpGet":{"host":"y"}}},"livenessProbe":{"httpGet":{"host":"x"}},"startupProbe":{"tcpSocket":{"host":""}}}]}"#)]
#[case(r#"{"volumes":[{"name":"a"},{"name":"b","hostPath":null},{"image":{},"name":"c","hostPath":{}},{"nonsense":{}}]}"#)]
fn sees_what_the_view_sees(#[case] spec: &str) {
    for minor in Minor::all() {
        assert!(check(&pod(spec), minor), "{spec}");
    }
}

#[test]
fn sees_who_controls_it() {
    let json = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"b","pod-template-hash":"x"},
        "ownerReferences":[{"kind":"Job","name":"j"},{"controller":true,"kind":"ReplicaSet","name":"web-x"}]}}"#;
    assert!(check(json, Minor::NEWEST));
    let scanned = Scanner::new(Minor::NEWEST).pod(json.as_bytes()).unwrap();
    let kind = "ReplicaSet";
    let controller = Controller {
        kind,
        name: "web-x",
    };
    assert_eq!(scanned.controller, Some(controller));
    assert_eq!(scanned.template_hash, Some("x"));
}

#[rstest]
#[case::no_json(&pod("{")[..30])]
#[case::more_behind(&(pod("{}") + "x"))]
#[case::no_object("[]")]
#[case::no_kind(r#"{"apiVersion":"v1","metadata":{}}"#)]
#[case::another_kind(r#"{"apiVersion":"v1","kind":"Node"}"#)]
#[case::a_key_twice(&pod(r#"{"hostPID":true,"hostPID":false}"#))]
#[case::an_object_twice(&pod(r#"{"volumes":[{"hostPath":{},"hostPath":{}}]}"#))]
#[case::an_escaped_key(&pod(r#"{"host\u0050ID":true}"#))]
#[case::an_escaped_text(&pod(r#"{"containers":[{"name":"\u0061"}]}"#))]
#[case::a_wrong_type(&pod(r#"{"hostPID":"true"}"#))]
#[case::a_float(&pod(r#"{"securityContext":{"runAsUser":1.0}}"#))]
#[case::a_volume_of_a_wrong_type(&pod(r#"{"volumes":[{"hostPath":"x"}]}"#))]
fn leaves_to_the_decoder(#[case] json: &str) {
    assert_eq!(Scanner::new(Minor::NEWEST).pod(json.as_bytes()), None);
}
