//! Who owns the replicas of a workload that is written through its scale. As 1.36 answered, if not said
//! otherwise.

use http::Method;
use podgate_apiserver::ApiServer;
use serde_json::{Value, json};

use crate::exchange::{get, send, server};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

fn deployment(replicas: u64) -> Value {
    let template = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "x"}]},
    });
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec})
}

fn applied(replicas: &Value) -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": replicas}})
}

/// A server with a deployment of two replicas, whose manager is `a`.
fn scaled(minor: u8) -> ApiServer {
    let server = server(minor).tracking_fields();
    let path = format!("{DEPLOYMENTS}?fieldManager=a");
    let body = deployment(2).to_string();
    let answer = send(&server, &Method::POST, &path, &[], &body);
    assert_eq!(answer.code, 201, "{}", answer.body);
    server
}

/// Patches, and tells the code, with the message of a refusal, and who owns the replicas then.
fn patch(server: &ApiServer, path: &str, kind: &str, body: &Value) -> (String, Vec<String>) {
    let headers = [("content-type", kind)];
    let path = format!("{DEPLOYMENTS}/d{path}");
    let answer = send(server, &Method::PATCH, &path, &headers, &body.to_string());
    let message = answer.body["message"].as_str().unwrap_or_default();
    let said = format!("{} {message}", answer.code);
    let found = get(server, &format!("{DEPLOYMENTS}/d")).body;
    let entries = found["metadata"]["managedFields"].as_array();
    let owners = entries.expect("entries").iter().filter_map(|entry| {
        entry["fieldsV1"]["f:spec"].get("f:replicas")?;
        let text = |key: &str| entry[key].as_str().unwrap_or("-");
        let time = if entry["time"].is_null() {
            ""
        } else {
            " with a time"
        };
        let (manager, operation) = (text("manager"), text("operation"));
        Some(format!(
            "{manager} {operation} {} {}{time}",
            text("apiVersion"),
            text("subresource")
        ))
    });
    (said.trim().to_owned(), owners.collect())
}

#[test]
fn who_owns_the_replicas() {
    let server = scaled(36);
    let workload = |replicas| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": replicas}});
    let steps: &[(&str, &str, Value, &str, &[&str])] = &[
        // What an update owned moves to an entry that the next read takes for the same manager's, and loses.
        (
            "/scale?fieldManager=b",
            MERGE,
            json!({"spec": {"replicas": 2}}),
            "200",
            &["a Update apps/v1 -"],
        ),
        (
            "/scale?fieldManager=b",
            MERGE,
            json!({"spec": {"replicas": 3}}),
            "200",
            &[],
        ),
        (
            "/scale?fieldManager=c",
            APPLY,
            applied(&json!(3)),
            "200",
            &[
                "c Apply apps/v1 scale",
                "before-first-apply Update apps/v1 scale",
            ],
        ),
        (
            "/scale?fieldManager=c",
            APPLY,
            applied(&json!(4)),
            r#"409 Apply failed with 1 conflict: conflict with "before-first-apply" with subresource "scale" using autoscaling/v1: .spec.replicas"#,
            &[
                "c Apply apps/v1 scale",
                "before-first-apply Update apps/v1 scale",
            ],
        ),
        (
            "/scale?fieldManager=c&force=true",
            APPLY,
            applied(&json!(4)),
            "200",
            &["c Apply apps/v1 scale"],
        ),
        (
            "?fieldManager=d",
            APPLY,
            workload(5),
            r#"409 Apply failed with 1 conflict: conflict with "c" with subresource "scale": .spec.replicas"#,
            &["c Apply apps/v1 scale"],
        ),
        (
            "?fieldManager=d&force=true",
            APPLY,
            workload(5),
            "200",
            &["d Apply apps/v1 - with a time"],
        ),
        (
            "/scale?fieldManager=d",
            APPLY,
            applied(&json!(5)),
            "200",
            &["d Apply apps/v1 scale", "d Apply apps/v1 - with a time"],
        ),
        (
            "/scale?fieldManager=e",
            MERGE,
            json!({"spec": {"replicas": 6}}),
            "200",
            &["e Update apps/v1 scale"],
        ),
        (
            "/scale?fieldManager=f&force=true&dryRun=All",
            APPLY,
            applied(&json!(9)),
            "200",
            &["e Update apps/v1 scale"],
        ),
    ];
    for (path, kind, body, said, owners) in steps {
        let found = patch(&server, path, kind, body);
        let owners = owners.iter().map(|&owner| owner.to_owned()).collect();
        assert_eq!(found, ((*said).to_owned(), owners), "{path} {body}");
    }
}

#[test]
fn what_is_no_scale_is_not_applied() {
    let mut bogus = applied(&json!(1));
    bogus["bogus"] = json!(1);
    let mut other = applied(&json!(1));
    other["metadata"]["name"] = json!("z");
    for (minor, path, body, said) in [
        (
            36,
            "/scale?fieldManager=e",
            deployment(1),
            "400 invalid object type: apps/v1, Kind=Deployment",
        ),
        (
            23,
            "/scale?fieldManager=e",
            deployment(1),
            "400 Incorrect version specified in apply patch. Specified patch version: apps/v1, expected: autoscaling/v1",
        ),
        (
            36,
            "/scale?fieldManager=e",
            bogus,
            "500 failed to create typed patch object (/d; autoscaling/v1, Kind=Scale): .bogus: field not declared in schema",
        ),
        (
            36,
            "/scale",
            applied(&json!(1)),
            r#"422 PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#,
        ),
        (
            36,
            "/scale?fieldManager=e&force=1",
            applied(&json!(-1)),
            r#"422 Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"#,
        ),
        (
            36,
            "/scale?fieldManager=e",
            applied(&json!("x")),
            "500 failed to create typed patch object (/d; autoscaling/v1, Kind=Scale): .spec.replicas: expected numeric (int or float), got string",
        ),
        (
            36,
            "/scale?fieldManager=e&force=1",
            other,
            "400 the name of the object (z) does not match the name on the URL (d)",
        ),
    ] {
        let (found, _) = patch(&scaled(minor), path, APPLY, &body);
        assert_eq!(found, said);
    }
}

/// From source only: the scale tells nobody of its owners.
#[test]
fn older_servers_do_not_look() {
    let server = scaled(21);
    let body = json!({"spec": {"replicas": 3}});
    let (_, owners) = patch(&server, "/scale?fieldManager=b", MERGE, &body);
    assert_eq!(owners, ["a Update apps/v1 - with a time"]);
    let (said, _) = patch(&server, "/scale?fieldManager=c", APPLY, &applied(&json!(4)));
    assert_eq!(
        said,
        "409 Apply failed with 1 conflict: conflict with \"before-first-apply\" using autoscaling/v1: .spec.replicas"
    );
}
