//! A stock kubectl against `podgate serve` of four minors: how each command ends, and what it says. The
//! expected texts are what kubectl 1.32 and 1.36 print against real servers of 1.23 and 1.36.
//!
//! `KUBECTL` names the program, else the search path has it; where it is not there, that is said.

use rstest::rstest;

use crate::client::{Client, Serving, Step, refused, step};

const MAP: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "web"}, "data": {"a": "1"}}"#;
const CHANGED: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "web"}, "data": {"a": "2"}}"#;
const UNKNOWN: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "u", "namespace": "web"}, "bogus": 1}"#;
const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: web}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: c, image: nginx}]}
";

/// What Pod Security has to say, where it has.
fn pod_security() -> Vec<Step> {
    vec![
        step(
            "run one --image=nginx -n web",
            &[
                "Warning: would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false \
                 (container \"one\" must set securityContext.allowPrivilegeEscalation=false)",
                "pod/one created\n",
            ],
        ),
        refused(
            "run two --image=nginx --privileged -n web",
            &[
                "Error from server (Forbidden): pods \"two\" is forbidden: violates PodSecurity \"baseline:latest\": \
                 privileged (container \"two\" must not set securityContext.privileged=true)\n",
            ],
        ),
        step(
            "label --overwrite ns web pod-security.kubernetes.io/enforce=restricted",
            &[
                "Warning: existing pods in namespace \"web\" violate the new PodSecurity enforce level \"restricted:latest\"\n",
                "Warning: one: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\n",
                "namespace/web labeled\n",
            ],
        ),
        step(
            "apply -f - --dry-run=server",
            &[
                "Warning: would violate PodSecurity \"restricted:latest\"",
                "deployment.apps/d created (server dry run)\n",
            ],
        )
        .reads(DEPLOYMENT),
        step("apply -f -", &["deployment.apps/d created\n"]).reads(DEPLOYMENT),
        step(
            "get deploy,rs,pods,events -n web",
            &[
                "deployment.apps/d",
                "0/1 ",
                "replicaset.apps/d-",
                "pod/one",
                "FailedCreate",
            ],
        ),
        step(
            "describe rs -n web",
            &[
                "Replicas:       0 current / 1 desired\n",
                "ReplicaFailure",
                "FailedCreate",
                "is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\" \
                 must set securityContext.allowPrivilegeEscalation=false)",
            ],
        ),
    ]
}

/// The same where there is no Pod Security yet, and its labels are labels.
fn without_pod_security() -> Vec<Step> {
    vec![
        step("run one --image=nginx -n web", &["pod/one created\n"]),
        step(
            "run two --image=nginx --privileged -n web",
            &["pod/two created\n"],
        ),
        step(
            "apply -f - --dry-run=server",
            &["deployment.apps/d created (server dry run)\n"],
        )
        .reads(DEPLOYMENT),
        step("apply -f -", &["deployment.apps/d created\n"]).reads(DEPLOYMENT),
        step(
            "get deploy,rs,pods,events -n web",
            &[
                "deployment.apps/d",
                "0/1 ",
                "replicaset.apps/d-",
                "pod/one",
                "pod/d-",
                "SuccessfulCreate",
            ],
        ),
        step(
            "describe rs -n web",
            &["Replicas:       1 current / 1 desired\n", "Created pod: d-"],
        ),
    ]
}

/// What kubectl makes itself: newer ones send it as protobuf.
fn creations(minor: u8) -> Vec<Step> {
    let mut steps = vec![
        step("create namespace made", &["namespace/made created\n"]),
        step(
            "create configmap c --from-literal=a=1 -n made",
            &["configmap/c created\n"],
        ),
        step(
            "create secret generic s --from-literal=p=x -n made",
            &["secret/s created\n"],
        ),
        step(
            "get secret s -n made -o jsonpath={.type}/{.data.p}",
            &["Opaque/eA=="],
        ),
        step(
            "create serviceaccount sa -n made",
            &["serviceaccount/sa created\n"],
        ),
        step(
            "create role r --verb=get --resource=pods -n made",
            &["role.rbac.authorization.k8s.io/r created\n"],
        ),
        step(
            "create rolebinding rb --role=r --serviceaccount=made:sa -n made",
            &["rolebinding.rbac.authorization.k8s.io/rb created\n"],
        ),
        step(
            "auth can-i get pods -n made --as system:serviceaccount:made:sa",
            &["yes\n"],
        ),
        step(
            "create quota q --hard=pods=10,requests.cpu=1500m -n made",
            &["resourcequota/q created\n"],
        ),
        step(
            "get quota q -n made -o jsonpath={.spec.hard}",
            &[r#"{"pods":"10","requests.cpu":"1500m"}"#],
        ),
        step("delete quota q -n made", &["resourcequota \"q\" deleted"]),
        step(
            "create priorityclass high --value=10",
            &["priorityclass.scheduling.k8s.io/high created\n"],
        ),
        step(
            "create service clusterip svc --tcp=80:http -n made",
            &["service/svc created\n"],
        ),
        step(
            "create job j --image=busybox -n made -- true",
            &["job.batch/j created\n"],
        ),
        step(
            "create deployment two --image=nginx --replicas=2 --port=80 -n made",
            &["deployment.apps/two created\n"],
        ),
        step(
            "get deployment two -n made -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].ports[0].containerPort}",
            &["2/80"],
        ),
        step(
            "set image deployment/two nginx=nginx:2 -n made",
            &["deployment.apps/two image updated\n"],
        ),
        step(
            "rollout undo deployment/two -n made",
            &["deployment.apps/two rolled back\n"],
        ),
        // No disruption budgets are served.
        refused(
            "create pdb p --selector=a=b --min-available=1 -n made",
            &["the server could not find the requested resource\n"],
        ),
    ];
    // kubectl sends it in a version that 1.20 does not have.
    if minor >= 21 {
        steps.push(step(
            "create cronjob cj --image=busybox --schedule=@hourly -n made",
            &["cronjob.batch/cj created\n"],
        ));
        steps.push(step(
            "create job of-cj --from=cronjob/cj -n made",
            &["job.batch/of-cj created\n"],
        ));
    }
    steps.push(if minor >= 28 {
        step(
            "auth whoami --as system:serviceaccount:made:sa",
            &[
                "system:serviceaccount:made:sa\n",
                "[system:serviceaccounts system:serviceaccounts:made system:authenticated]\n",
            ],
        )
    } else {
        refused(
            "auth whoami",
            &["the selfsubjectreviews API is not enabled in the cluster"],
        )
    });
    steps.push(step(
        "delete namespace made",
        &["namespace \"made\" deleted\n"],
    ));
    steps
}

fn steps(minor: u8) -> Vec<Step> {
    let mut steps = vec![
        step("create namespace web", &["namespace/web created\n"]),
        step(
            "label namespace web pod-security.kubernetes.io/enforce=baseline pod-security.kubernetes.io/warn=restricted",
            &["namespace/web labeled\n"],
        ),
        step("apply -f -", &["configmap/m created\n"]).reads(MAP),
        step("apply -f -", &["configmap/m unchanged\n"]).reads(MAP),
        step("apply -f -", &["configmap/m configured\n"]).reads(CHANGED),
        step("apply --server-side --force-conflicts -f -", &["configmap/m serverside-applied\n"]).reads(MAP),
        refused(
            "apply --server-side --field-manager other -f -",
            &["error: Apply failed with 1 conflict: conflict with \"kubectl\": .data.a\n"],
        )
        .reads(CHANGED),
        step("get cm m -n web -o yaml --show-managed-fields", &["manager: kubectl\n", "operation: Apply\n", "f:a: {}\n"]),
        // Servers before 1.25 leave it to kubectl, which reads their OpenAPI.
        refused(
            "apply -f -",
            &[if minor >= 25 {
                "Error from server (BadRequest): error when creating \"STDIN\": ConfigMap in version \"v1\" cannot be \
                 handled as a ConfigMap: strict decoding error: unknown field \"bogus\"\n"
            } else {
                "ValidationError(ConfigMap): unknown field \"bogus\" in io.k8s.api.core.v1.ConfigMap"
            }],
        )
        .reads(UNKNOWN),
    ];
    if minor >= 23 {
        steps.extend(pod_security());
    } else {
        steps.extend(without_pod_security());
    }
    steps.extend([
        step("get pods one -n web", &["NAME   READY   STATUS    RESTARTS   AGE\n", "one    0/1     Pending   0 "]),
        step("get pod one -n web -o jsonpath={.metadata.name}/{.status.phase}", &["one/Pending"]),
        refused(
            "get pods -n web --as bob",
            &[
                "Error from server (Forbidden): pods is forbidden: User \"bob\" cannot list resource \"pods\" in API group \
                 \"\" in the namespace \"web\"\n",
            ],
        ),
        step("rollout restart deployment/d -n web", &["deployment.apps/d restarted\n"]),
        step("scale deployment/d --replicas=2 -n web", &["deployment.apps/d scaled\n"]),
        step("get deployment d -n web -o jsonpath={.spec.replicas}", &["2"]),
        step("auth can-i create pods -n web", &["yes\n"]),
        refused("auth can-i create pods -n web --as bob", &["no\n"]),
        step(
            "auth can-i --list -n web --as bob",
            &["selfsubjectaccessreviews.authorization.k8s.io", "[/healthz]", "[create]"],
        ),
        refused(
            "auth can-i use podsecuritypolicy/x --as system:serviceaccount:web:default -n web",
            &["no\n"],
        ),
        step("get pods -n web -w --request-timeout=2s", &["one ", " 0/1     Pending   0 "]),
        step("explain pod.spec.hostNetwork", &["hostNetwork", "<boolean>"]),
    ]);
    if minor >= 23 {
        steps.push(step(
            "label ns web pod-security.kubernetes.io/enforce-",
            &["namespace/web unlabeled\n"],
        ));
        steps.push(step(
            "debug one -n web --image=busybox --attach=false",
            &["Defaulting debug container name to debugger-"],
        ));
    }
    steps.extend([
        step("delete pod one -n web", &["pod \"one\" deleted"]),
        step(
            "delete deployment d -n web",
            &["deployment.apps \"d\" deleted"],
        ),
        refused(
            "get deployment d -n web",
            &["Error from server (NotFound): deployments.apps \"d\" not found\n"],
        ),
        step("delete namespace web", &["namespace \"web\" deleted\n"]),
    ]);
    steps.extend(creations(minor));
    steps
}

#[rstest]
#[case(20)]
#[case(23)]
#[case(29)]
#[case(37)]
fn everyday_commands(#[case] minor: u8) {
    let Some(kubectl) = Client::find("KUBECTL", "kubectl") else {
        return;
    };
    kubectl.follow(
        &Serving::start(&["--kubernetes", &format!("1.{minor}")]),
        &steps(minor),
    );
}
