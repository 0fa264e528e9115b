//! What of a pod only its node could tell: logs, and connections to what runs in it. No kubelet runs, so
//! the answers are those of a server whose pods wait for a node.
//!
//! Upstream: `LogREST`, `ExecREST`, `AttachREST`, `PortForwardREST` and `ProxyREST` in
//! `k8s.io/kubernetes/pkg/registry/core/pod/rest`, over `registry/core/pod/strategy.go`.

use podgate_admission::status::{Cause, Grouped, Status};
use podgate_admission::value::Value;
use podgate_policy::Minor;

use crate::answer::Answer;
use crate::failure;
use crate::options::integer;
use crate::path::ResourcePath;
use crate::state::State;
use crate::store::Stored;

/// The first minor whose log options name a stream, if only behind a gate that is off
/// (`PodLogsQuerySplitStreams`).
const FIRST_WITH_STREAMS: u8 = 32;
const PODS: Grouped<'static> = Grouped {
    group: "",
    name: "pods",
};

/// Answers a request for one of these subresources of a pod.
pub(crate) fn at_node(
    state: &State,
    path: &ResourcePath<'_>,
    subresource: &str,
    query: &str,
    minor: Minor,
) -> Answer {
    let done = match subresource {
        "log" => log(state, path, query, minor),
        "proxy" => proxy(state, path),
        "portforward" => find(state, path, path.name).and_then(|pod| reach(state, path, &pod)),
        _ => find(state, path, path.name).and_then(|pod| {
            check_container(&pod, path.name, &value(query, "container"))?;
            reach(state, path, &pod)
        }),
    };
    match done {
        Ok(answer) => answer,
        Err(status) => status.into(),
    }
}

/// `LogLocation`: a pod without a node has no log, which is no failure.
fn log(
    state: &State,
    path: &ResourcePath<'_>,
    query: &str,
    minor: Minor,
) -> Result<Answer, Status> {
    check_log_options(path.name, query, minor)?;
    let pod = find(state, path, path.name)?;
    check_container(&pod, path.name, &value(query, "container"))?;
    if pod.text_at(&["spec", "nodeName"]).is_empty() {
        return Ok(Answer::empty(204));
    }
    reach(state, path, &pod)
}

/// `ResourceLocation`: the name may stand between a scheme and a port, and no pod has an address.
fn proxy(state: &State, path: &ResourcePath<'_>) -> Result<Answer, Status> {
    let parts: Vec<_> = path.name.split(':').collect();
    let name = match *parts {
        [name] | [name, _] | ["" | "http" | "https", name, _] => name,
        _ => "",
    };
    if name.is_empty() {
        let name = podgate_admission::quote::quote(path.name);
        return Err(Status::bad_request(format!("invalid pod request {name}")));
    }
    find(state, path, name)?;
    Err(Status::bad_request("address not allowed"))
}

/// `NodeConnectionInfoGetter`, which asks for the node by its name and then for the kubelet on it.
fn reach(state: &State, path: &ResourcePath<'_>, pod: &Stored) -> Result<Answer, Status> {
    let node = pod.text_at(&["spec", "nodeName"]);
    if node.is_empty() {
        let name = path.name;
        return Err(Status::bad_request(format!(
            "pod {name} does not have a host assigned"
        )));
    }
    let Some(found) = state.store.find("nodes", "", node) else {
        // Upstream names the resource of the request.
        return Err(Status::not_found(PODS, node));
    };
    if found.list_at(&["status", "addresses"]).is_empty() {
        return Err(failure::unclassified(
            "no preferred addresses found; known addresses: []".to_owned(),
        ));
    }
    Err(failure::unclassified(format!(
        "error dialing backend: no kubelet runs on node {node}"
    )))
}

/// `validateContainer`: one of the containers, which has to be named unless it is the only one.
fn check_container(pod: &Value<'_>, name: &str, container: &str) -> Result<(), Status> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let names: Vec<&str> = lists
        .iter()
        .flat_map(|list| pod.list_at(&["spec", list]))
        .map(|container| container.text_at(&["name"]))
        .collect();
    if !container.is_empty() {
        return if names.contains(&container) {
            Ok(())
        } else {
            Err(Status::bad_request(format!(
                "container {container} is not valid for pod {name}"
            )))
        };
    }
    if pod.list_at(&["spec", "containers"]).len() == 1 {
        return Ok(());
    }
    let names = names.join(" ");
    Err(Status::bad_request(format!(
        "a container name must be specified for pod {name}, choose one of: [{names}]"
    )))
}

/// `ValidatePodLogOptions`
fn check_log_options(name: &str, query: &str, minor: Minor) -> Result<(), Status> {
    let mut causes = Vec::new();
    let mut invalid = |field: &str, value: i64, why: &str| {
        causes.push(Cause {
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {why}"),
            field: field.to_owned(),
        });
    };
    let number = |field| {
        let value = value(query, field);
        if value.is_empty() {
            return Ok(None);
        }
        integer(&value).map(Some)
    };
    let (since, tail, limit) = (
        number("sinceSeconds")?,
        number("tailLines")?,
        number("limitBytes")?,
    );
    if let Some(tail) = tail.filter(|tail| *tail < 0) {
        invalid("tailLines", tail, "must be greater than or equal to 0");
    }
    if let Some(limit) = limit.filter(|limit| *limit < 1) {
        invalid("limitBytes", limit, "must be greater than 0");
    }
    let both = since.is_some() && !value(query, "sinceTime").is_empty();
    if let Some(since) = since.filter(|since| *since < 1 && !both) {
        invalid("sinceSeconds", since, "must be greater than 0");
    }
    let mut forbidden = |field: &str, why: &str| {
        causes.push(Cause {
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {why}"),
            field: field.to_owned(),
        });
    };
    if both {
        // The path of no field prints as an index without a number.
        let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
        forbidden("[]", why);
    }
    let mut given = form_urlencoded::parse(query.as_bytes());
    if minor.number() >= FIRST_WITH_STREAMS && given.any(|(key, _)| key == "stream") {
        forbidden("stream", "may not be specified");
    }
    if causes.is_empty() {
        return Ok(());
    }
    let kind = Grouped {
        group: "",
        name: "PodLogOptions",
    };
    Err(Status::invalid(kind, name, causes))
}

fn find(state: &State, path: &ResourcePath<'_>, name: &str) -> Result<Stored, Status> {
    let pod = state.store.find("pods", path.namespace, name);
    pod.cloned().ok_or_else(|| Status::not_found(PODS, name))
}

/// The value of a parameter; empty where there is none.
fn value(query: &str, name: &str) -> String {
    let mut found = form_urlencoded::parse(query.as_bytes());
    let found = found.find(|(key, _)| key == name);
    found.map_or(String::new(), |(_, value)| value.into_owned())
}
