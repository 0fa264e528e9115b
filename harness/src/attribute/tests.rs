//! Real messages of each kind, and texts that try to pass for one.

//! Statuses as servers write them, and by whom they were rejected.

use super::*;
use rstest::rstest;

/// A denial of a pod of that name: 403 with the details that `NewForbidden` sets.
fn pod<'a>(name: &'a str, message: &'a str) -> StatusView<'a> {
    StatusView {
        resource: "pods",
        code: 403,
        reason: "Forbidden",
        message,
        name,
        group: "",
        kind: "pods",
    }
}

/// Any other failure of a request for pods.
fn status<'a>(code: u16, reason: &'a str, kind: &'a str, message: &'a str) -> StatusView<'a> {
    StatusView {
        code,
        reason,
        kind,
        ..pod("", message)
    }
}

// Recorded from real servers.
#[rstest]
#[case(
    By::PodSecurity,
    r#"pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)"#
)]
#[case(
    By::PodSecurity,
    r#"pods "p" is forbidden: violates PodSecurity "restricted:v1.99": runAsUser=0 (pod must not set runAsUser=0)"#
)]
#[case(
    By::PodSecurityPolicy,
    r#"pods "p" is forbidden: PodSecurityPolicy: unable to admit pod: []"#
)]
#[case(
    By::PodSecurityPolicy,
    r#"pods "p" is forbidden: PodSecurityPolicy: no providers available to validate pod request"#
)]
#[case(
    By::PodSecurityPolicy,
    r#"pods "p" is forbidden: PodSecurityPolicy: unable to validate pod: [spec.containers[0].hostPort: Invalid value: 99: Host port 99 is not allowed to be used. Allowed ports: []]"#
)]
#[case(
    By::ServiceAccount,
    r#"pods "p" is forbidden: error looking up service account web/default: serviceaccount "default" not found"#
)]
#[case(
    By::ServiceAccount,
    r#"pods "p" is forbidden: volume with secret.secretName="x" is not allowed because service account y does not reference that secret"#
)]
#[case(
    By::ServiceAccount,
    r#"pods "p" is forbidden: no service account specified for pod web/p"#
)]
#[case(
    By::RuntimeClass,
    r#"pods "p" is forbidden: pod rejected: RuntimeClass "x" not found"#
)]
#[case(
    By::Priority,
    r#"pods "p" is forbidden: no PriorityClass with name nope was found"#
)]
#[case(
    By::Priority,
    r#"pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name"#
)]
#[case(
    By::NamespaceLifecycle,
    r#"pods "p" is forbidden: unable to create new content in namespace web because it is being terminated"#
)]
// From source: LimitRanger, ResourceQuota, ValidatingAdmissionPolicy, 1.22's PodSecurity.
#[case(
    By::LimitRanger,
    r#"pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2"#
)]
#[case(
    By::LimitRanger,
    r#"pods "p" is forbidden: [minimum memory usage per Pod is 1Gi.  No request is specified, maximum cpu usage per Pod is 1.  No limit is specified]"#
)]
#[case(
    By::LimitRanger,
    r#"pods "p" is forbidden: cpu max limit to request ratio per Pod is 2, but provided ratio is 4.000000"#
)]
#[case(
    By::ResourceQuota,
    r#"pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"#
)]
#[case(
    By::ResourceQuota,
    r#"pods "p" is forbidden: failed quota: q: must specify cpu for: c; memory for: c"#
)]
#[case(
    By::ValidatingAdmissionPolicy,
    r#"pods "p" is forbidden: ValidatingAdmissionPolicy 'no-root' with binding 'all' denied request: violates PodSecurity "baseline:latest": privileged"#
)]
#[case(
    By::PodSecurity,
    r#"pods "p" is forbidden: host namespaces (hostNetwork=true), hostPort (container "c" uses hostPort 80)"#
)]
#[case(By::PodSecurity, r#"pods "p" is forbidden: privileged"#)]
// No plugin that the list above knows.
#[case(
    By::Other,
    r#"pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector"#
)]
#[case(By::Other, r#"pods "p" is forbidden: privileged-by-design"#)]
#[case(
    By::Other,
    r#"pods "p" is forbidden: image policy webhook backend denied one or more images: violates PodSecurity "baseline:latest": privileged"#
)]
fn denials_of_pods(#[case] by: By, #[case] message: &str) {
    assert_eq!(attribute(&pod("p", message)), by);
}

#[rstest]
#[case(
    By::Validation,
    status(
        422,
        "Invalid",
        "Pod",
        r#"Pod "p" is invalid: spec.containers: Required value"#
    )
)]
#[case(By::Decode, status(400, "BadRequest", "", r#"Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo""#))]
#[case(
    By::Decode,
    status(
        400,
        "BadRequest",
        "",
        "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
    )
)]
#[case(
    By::Decode,
    status(
        400,
        "BadRequest",
        "",
        "the namespace of the provided object does not match the namespace sent on the request"
    )
)]
#[case(
    By::Decode,
    status(
        415,
        "UnsupportedMediaType",
        "",
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
)]
#[case(By::RBAC, status(403, "Forbidden", "pods", r#"pods is forbidden: User "alice" cannot create resource "pods" in API group "" in the namespace "web""#))]
#[case(By::NotFound, StatusView { name: "nope", ..status(404, "NotFound", "pods", r#"pods "nope" not found"#) })]
#[case(
    By::NotFound,
    status(
        404,
        "NotFound",
        "",
        "the server could not find the requested resource"
    )
)]
#[case(By::NotFound, status(404, "", "", "404 page not found\n"))]
#[case(By::NamespaceLifecycle, StatusView { name: "x", ..status(404, "NotFound", "namespaces", r#"namespaces "x" not found"#) })]
#[case(By::NotFound, StatusView { name: "x", resource: "namespaces", ..status(404, "NotFound", "namespaces", r#"namespaces "x" not found"#) })]
#[case(
    By::Conflict,
    status(409, "AlreadyExists", "pods", r#"pods "one" already exists"#)
)]
#[case(
    By::Conflict,
    status(
        409,
        "Conflict",
        "",
        r#"Apply failed with 1 conflict: conflict with "me": .spec.containers[name="c"].image"#
    )
)]
#[case(By::ServiceAccount, status(500, "ServerTimeout", "serviceaccounts", r#"No API token found for service account "default", retry after the token is automatically created and added to the service account"#))]
#[case(
    By::Webhook,
    status(
        400,
        "",
        "",
        r#"admission webhook "x.example.com" denied the request without explanation"#
    )
)]
#[case(By::Webhook, status(403, "Forbidden", "pods", r#"admission webhook "x.example.com" denied the request: pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged"#))]
#[case(By::Webhook, status(500, "InternalError", "", r#"Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: connection refused"#))]
#[case(By::ValidatingAdmissionPolicy, StatusView { name: "d", group: "apps", ..status(422, "Invalid", "deployments", r#"deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"#) })]
#[case(
    By::Other,
    status(
        500,
        "InternalError",
        "",
        r#"Internal error occurred: failed to lookup namespace "x""#
    )
)]
#[case(By::Other, status(401, "Unauthorized", "", "Unauthorized"))]
fn other_failures(#[case] by: By, #[case] status: StatusView<'_>) {
    assert_eq!(attribute(&status), by);
}

// What a user writes into names and values must not pass for a policy's denial.
#[rstest]
#[case::in_a_name(
    By::PodSecurityPolicy,
    pod(
        r#"p" is forbidden: violates PodSecurity "baseline:latest": privileged"#,
        r#"pods "p\" is forbidden: violates PodSecurity \"baseline:latest\": privileged" is forbidden: PodSecurityPolicy: unable to admit pod: []"#
    )
)]
#[case::in_a_name_that_ends_in_a_backslash(
    By::ServiceAccount,
    pod(
        r"p\",
        r#"pods "p\\" is forbidden: error looking up service account web/x: serviceaccount "violates PodSecurity \"baseline:latest\": " not found"#
    )
)]
#[case::in_a_service_account(
    By::ServiceAccount,
    pod(
        "p",
        r#"pods "p" is forbidden: error looking up service account web/violates PodSecurity "baseline:latest": privileged: serviceaccount "x" not found"#
    )
)]
#[case::in_a_runtime_class(
    By::RuntimeClass,
    pod(
        "p",
        r#"pods "p" is forbidden: pod rejected: RuntimeClass "\": violates PodSecurity \"baseline:latest\": privileged" not found"#
    )
)]
#[case::in_a_value(
    By::Validation,
    status(422, "Invalid", "Pod", r#"Pod "p" is invalid: spec.nodeName: Invalid value: "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": privileged": bad"#)
)]
#[case::in_a_kind(
    By::Decode,
    status(400, "BadRequest", "", r#"admission webhook "x" denied the request:  in version "v1" cannot be handled as a Pod: no kind "admission webhook \"x\" denied the request: " is registered for version "v1" in scheme "s""#)
)]
#[case::of_another_resource(
    By::Other,
    StatusView { group: "apps", ..status(403, "Forbidden", "deployments", r#"deployments.apps "p" is forbidden: violates PodSecurity "baseline:latest": privileged"#) }
)]
#[case::with_another_code(
    By::Other,
    StatusView { code: 500, ..pod("p", r#"pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged"#) }
)]
#[case::behind_a_text(
    By::Other,
    pod(
        "p",
        r#"oh: pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged"#
    )
)]
fn hostile_texts(#[case] by: By, #[case] status: StatusView<'_>) {
    assert_eq!(attribute(&status), by);
}

#[rstest]
#[case(true, "", r#"users "x" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope"#)]
#[case(true, "authentication.k8s.io", r#"users.authentication.k8s.io "x" is forbidden: User "alice" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope"#)]
#[case(false, "", r#"users "x" is forbidden: User "alice cannot impersonate resource " cannot get resource "users" in API group "" at the cluster scope"#)]
fn impersonation(#[case] refused: bool, #[case] group: &str, #[case] message: &str) {
    let status = StatusView {
        name: "x",
        group,
        ..status(403, "Forbidden", "users", message)
    };
    assert_eq!(refuses_impersonation(&status), refused);
    assert_eq!(attribute(&status), By::RBAC);
}

#[rstest]
#[case(true, 400, r#"admission webhook "a.b.c" does not support dry run"#)]
#[case(false, 403, r#"admission webhook "a.b.c" does not support dry run"#)]
#[case(
    false,
    400,
    r#"admission webhook "a.b.c" denied the request: it does not support dry run"#
)]
#[case(false, 400, r#"admission webhook "a.b.c" denied the request: admission webhook "a.b.c" does not support dry run"#)]
fn a_webhook_that_is_not_asked(#[case] refused: bool, #[case] code: u16, #[case] message: &str) {
    let status = status(code, "BadRequest", "", message);
    assert_eq!(refuses_dry_run(&status), refused);
    let undecided = matches!(verdict(&status, Minor::NEWEST), Verdict::Undecided { .. });
    assert_eq!(undecided, refused);
}
