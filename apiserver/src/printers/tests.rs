//! Rows by what upstream's printers say; the recorded tables are compared in `tests/http/recorded.rs`.

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource::RESOURCES;
use rstest::rstest;

use super::*;

const NOW: &str = "2026-01-01T01:00:00Z";

/// The cells of a row, as JSON without the server's escapes.
fn row(resource: &str, object: &str, minor: u8) -> String {
    let minor = Minor::known(minor);
    let resource = RESOURCES
        .iter()
        .find(|r| r.name == resource)
        .expect("a resource");
    let object = decode_untyped(object.as_bytes()).expect("JSON");
    let cells = cells(resource, &object, NOW, minor);
    let definitions = column_definitions(resource, minor);
    assert_eq!(
        cells.as_list().map(<[_]>::len),
        definitions.as_list().map(<[_]>::len)
    );
    let json = encode_untyped(&cells);
    json.replace("\\u003c", "<").replace("\\u003e", ">")
}

/// READY, STATUS and RESTARTS of a pod with these containers, init containers and status.
fn pod(spec: &str, status: &str, minor: u8) -> String {
    let object = format!("{{\"metadata\":{{\"name\":\"p\"}},\"spec\":{spec},\"status\":{status}}}");
    let row = row("pods", &object, minor);
    row.split(',')
        .skip(1)
        .take(3)
        .collect::<Vec<_>>()
        .join(",")
        .replace('"', "")
}

const ONE: &str = r#"{"containers":[{"name":"c"}]}"#;
const SIDECAR: &str = r#"{"containers":[{"name":"c"}],"initContainers":[{"name":"i"},{"name":"s","restartPolicy":"Always"}]}"#;
const RUNNING: &str = r#"{"name":"c","ready":true,"restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"finishedAt":"2026-01-01T00:55:00Z"}}}"#;

#[rstest]
#[case::pending(ONE, r#"{"phase":"Pending"}"#, 36, "0/1,Pending,0")]
#[case::reason(ONE, r#"{"phase":"Failed","reason":"Evicted"}"#, 36, "0/1,Evicted,0")]
#[case::gated(
    ONE,
    r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","reason":"SchedulingGated"}]}"#,
    26,
    "0/1,SchedulingGated,0"
)]
#[case::gated_unseen(
    ONE,
    r#"{"phase":"Pending","conditions":[{"type":"PodScheduled","reason":"SchedulingGated"}]}"#,
    25,
    "0/1,Pending,0"
)]
#[case::running(ONE, &format!(r#"{{"phase":"Running","containerStatuses":[{RUNNING}]}}"#), 22, "1/1,Running,2 (5m ago)")]
#[case::number(ONE, &format!(r#"{{"phase":"Running","containerStatuses":[{RUNNING}]}}"#), 21, "1/1,Running,2")]
#[case::waiting(ONE, r#"{"phase":"Pending","containerStatuses":[{"name":"c","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}"#, 36, "0/1,ImagePullBackOff,0")]
#[case::exit(ONE, r#"{"phase":"Failed","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":3}}}]}"#, 36, "0/1,ExitCode:3,0")]
#[case::signal(ONE, r#"{"phase":"Failed","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":137,"signal":9}}}]}"#, 36, "0/1,Signal:9,0")]
#[case::init(SIDECAR, r#"{"phase":"Pending","initContainerStatuses":[{"name":"i","restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#, 36, "0/2,Init:CrashLoopBackOff,1")]
#[case::init_progress(
    SIDECAR,
    r#"{"phase":"Pending","initContainerStatuses":[{"name":"i","state":{"running":{}}}]}"#,
    27,
    "0/1,Init:0/2,0"
)]
#[case::sidecar(SIDECAR, &format!(r#"{{"phase":"Running","initContainerStatuses":[{{"name":"i","restartCount":4,"state":{{"terminated":{{"exitCode":0}}}}}},{{"name":"s","started":true,"ready":true,"restartCount":1}}],"containerStatuses":[{RUNNING}]}}"#), 28, "2/2,Running,3 (5m ago)")]
#[case::completed_with_error(ONE, r#"{"phase":"Running","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":0,"reason":"Completed"}}},{"name":"d","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}"#, 35, "0/1,Error,0")]
#[case::completed(ONE, r#"{"phase":"Running","containerStatuses":[{"name":"c","state":{"terminated":{"exitCode":0,"reason":"Completed"}}},{"name":"d","state":{"terminated":{"exitCode":1,"reason":"Error"}}}]}"#, 34, "0/1,Completed,0")]
#[case::not_ready(ONE, &format!(r#"{{"containerStatuses":[{{"name":"d","state":{{"terminated":{{"exitCode":0,"reason":"Completed"}}}}}},{RUNNING}]}}"#), 30, "1/1,NotReady,2 (5m ago)")]
fn pods(#[case] spec: &str, #[case] status: &str, #[case] minor: u8, #[case] expected: &str) {
    assert_eq!(pod(spec, status, minor), expected);
}

#[rstest]
#[case("Succeeded", "", 31, "Succeeded")]
#[case("Succeeded", "", 30, "Terminating")]
#[case("Running", "", 36, "Terminating")]
#[case("Running", "NodeLost", 36, "Unknown")]
fn deleted_pods(
    #[case] phase: &str,
    #[case] reason: &str,
    #[case] minor: u8,
    #[case] expected: &str,
) {
    let object = format!(
        r#"{{"metadata":{{"deletionTimestamp":"{NOW}"}},"status":{{"phase":"{phase}","reason":"{reason}"}}}}"#
    );
    let row = row("pods", &object, minor);
    assert_eq!(row.split(',').nth(2), Some(&*format!("\"{expected}\"")));
}

const CREATED: &str = r#""metadata":{"name":"x","creationTimestamp":"2026-01-01T00:00:00Z"}"#;

#[rstest]
#[case("jobs", r#""spec":{"completions":3,"suspend":true,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[{"name":"c","image":"i"},{"name":"d","image":"j"}]}}},"status":{"succeeded":1,"startTime":"2026-01-01T00:30:00Z","conditions":[{"type":"Suspended","status":"True"}]}"#, 30,
    r#"["x","Suspended","1/3","30m","60m","c,d","i,j","a=b"]"#)]
#[case(
    "jobs",
    r#""spec":{"parallelism":2},"status":{}"#,
    29,
    r#"["x","0/1 of 2","","60m","","","<none>"]"#
)]
#[case(
    "cronjobs",
    r#""spec":{"schedule":"@daily","suspend":false},"status":{"active":[{}]}"#,
    30,
    r#"["x","@daily","<none>","False",1,"<none>","60m","","","<none>"]"#
)]
#[case("deployments", r#""spec":{"replicas":3,"selector":{"matchExpressions":[{"key":"b","operator":"In","values":["z","y"]},{"key":"a","operator":"DoesNotExist"}]}},"status":{"readyReplicas":1,"updatedReplicas":2}"#, 36,
    r#"["x","1/3",2,0,"60m","","","!a,b in (y,z)"]"#)]
#[case("daemonsets", r#""spec":{"template":{"spec":{"nodeSelector":{"b":"c","a":"b"}}}},"status":{"desiredNumberScheduled":2}"#, 36, r#"["x",2,0,0,0,0,"a=b,b=c","60m","","","<none>"]"#)]
#[case("services", r#""spec":{"type":"LoadBalancer","clusterIPs":["10.0.0.1"],"ports":[{"port":80,"protocol":"TCP"},{"port":443,"nodePort":30000,"protocol":"TCP"}]}"#, 36, r#"["x","LoadBalancer","10.0.0.1","<pending>","80/TCP,443:30000/TCP","60m","<none>"]"#)]
#[case("serviceaccounts", r#""secrets":[{}]"#, 34, r#"["x",1,"60m"]"#)]
#[case("serviceaccounts", r#""secrets":[{}]"#, 35, r#"["x","60m"]"#)]
#[case(
    "configmaps",
    r#""data":{"a":"b"},"binaryData":{"c":""}"#,
    36,
    r#"["x",2,"60m"]"#
)]
#[case(
    "resourcequotas",
    r#""status":{"hard":{"limits.cpu":"2","cpu":"1"},"used":{"cpu":"500m"}}"#,
    33,
    r#"["x","cpu: 500m/1","limits.cpu: 0/2","60m"]"#
)]
#[case(
    "resourcequotas",
    r#""status":{"hard":{"pods":"2"}}"#,
    32,
    r#"["x","60m","pods: 0/2",""]"#
)]
#[case("rolebindings", r#""roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","namespace":"n","name":"s"},{"kind":"Group","name":"g"},{"kind":"Group","name":"h"}]"#, 36, r#"["x","Role/r","60m","u","g, h","n/s"]"#)]
#[case("roles", r#""rules":[]"#, 36, r#"["x","2026-01-01T00:00:00Z"]"#)]
#[case(
    "priorityclasses",
    r#""value":5,"globalDefault":true,"preemptionPolicy":"Never""#,
    31,
    r#"["x",5,true,"60m"]"#
)]
#[case(
    "priorityclasses",
    r#""value":5,"preemptionPolicy":"Never""#,
    32,
    r#"["x",5,false,"60m","Never"]"#
)]
#[case("podsecuritypolicies", r#""spec":{"privileged":true,"allowedCapabilities":["A","B"],"seLinux":{"rule":"RunAsAny"},"volumes":["*"]}"#, 23, r#"["x","true","A,B","RunAsAny","","","",false,"*"]"#)]
#[case("nodes", r#""status":{"conditions":[{"type":"Ready","status":"False"}],"nodeInfo":{"kernelVersion":"6.1","architecture":"arm64"}},"spec":{"unschedulable":true}"#, 36, r#"["x","NotReady,SchedulingDisabled","<none>","60m","","<none>","<none>","<unknown>","6.1 (arm64)","<unknown>"]"#)]
fn rows(#[case] resource: &str, #[case] rest: &str, #[case] minor: u8, #[case] expected: &str) {
    assert_eq!(
        row(resource, &format!("{{{CREATED},{rest}}}"), minor),
        expected
    );
}

#[rstest]
#[case(r#""firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:59:00Z","count":3,"source":{"component":"c","host":"h"}"#, 36, r#"["60s","Warning","Failed","pod/p","","c, h","m","60m",3,"e"]"#)]
#[case(
    r#""eventTime":"2026-01-01T00:00:00.000000Z","reportingComponent":"r""#,
    36,
    r#"["60m","Warning","Failed","pod/p","","r","m","60m",1,"e"]"#
)]
#[case(
    r#""series":{"count":4,"lastObservedTime":"2026-01-01T00:59:50.000000Z"}"#,
    22,
    r#"["10s","Warning","Failed","pod/p","","","m","<unknown>",5,"e"]"#
)]
#[case(
    r#""series":{"count":4,"lastObservedTime":"2026-01-01T00:59:50.000000Z"}"#,
    23,
    r#"["10s","Warning","Failed","pod/p","","","m","<unknown>",4,"e"]"#
)]
fn events(#[case] rest: &str, #[case] minor: u8, #[case] expected: &str) {
    let event = format!(
        r#"{{"metadata":{{"name":"e"}},"involvedObject":{{"kind":"Pod","name":"p"}},"type":"Warning","reason":"Failed","message":" m ",{rest}}}"#
    );
    assert_eq!(row("events", &event, minor), expected);
}

#[test]
fn controller_revisions() {
    let revision = format!(
        r#"{{"metadata":{{"name":"x","creationTimestamp":"{NOW}","ownerReferences":[{{"apiVersion":"apps/v1","kind":"StatefulSet","name":"web","controller":true}}]}},"revision":2}}"#
    );
    assert_eq!(
        row("controllerrevisions", &revision, 36),
        r#"["x","statefulset.apps/web",2,"0s"]"#
    );
}
