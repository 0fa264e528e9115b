//! The scan against the long way: decode, then take the view of the tree.

use super::{Controller, Scanned, Scanner, Spare};
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
    let mut spare = Spare::default();
    let Some(scanned) = Scanner::new(minor).pod(json.as_bytes(), &mut spare) else {
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
    let mut spare = Spare::default();
    let scanned = Scanner::new(Minor::NEWEST)
        .pod(json.as_bytes(), &mut spare)
        .unwrap();
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
    let mut spare = Spare::default();
    let scanner = Scanner::new(Minor::NEWEST);
    assert_eq!(scanner.pod(json.as_bytes(), &mut spare), None);
}

/// What one pod leaves in a list must not be seen in the next.
#[test]
fn a_list_that_is_used_again_is_empty() {
    let full = r#"{"containers":[{"ports":[{"hostPort":5}],"livenessProbe":{"httpGet":{"host":"x"}},
        "securityContext":{"capabilities":{"add":["A"],"drop":["B"]},"privileged":true,"procMount":"Unmasked"}}],
        "securityContext":{"sysctls":[{"name":"a"}],"runAsUser":0},"volumes":[{"hostPath":{}}],"hostPID":true}"#;
    let full = pod(full).replace(
        r#""name":"p""#,
        r#""name":"p","annotations":{"seccomp.security.alpha.kubernetes.io/pod":"x"}"#,
    );
    let bare = pod(r#"{"containers":[{"name":"c","securityContext":{"capabilities":{}}}]}"#);
    let scanner = Scanner::new(Minor::NEWEST);
    let mut spare = Spare::default();
    for json in [&full, &bare, &full, &full, &bare] {
        let mut fresh = Spare::default();
        let expected = scanner.pod(json.as_bytes(), &mut fresh).unwrap();
        let pod = scanner.pod(json.as_bytes(), &mut spare).unwrap();
        assert_eq!(pod, expected);
        spare.take_back(pod);
    }
}

/// Of pods in a row none but the first takes memory.
#[test]
fn pods_in_a_row_allocate_nothing() {
    let json = include_str!("../../benches/pods.jsonl");
    let scanner = Scanner::new(Minor::NEWEST);
    let mut spare = Spare::default();
    let mut round = || {
        for json in json.lines() {
            let pod = scanner.pod(json.as_bytes(), &mut spare);
            spare.take_back(pod.unwrap());
        }
    };
    // Lists go round until each has the room that the largest pod wants.
    (0..50).for_each(|_| round());
    let allocated = allocation_counter::measure(|| (0..200).for_each(|_| round()));
    assert_eq!(allocated.count_total, 0);
}
