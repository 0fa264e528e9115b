//! `podgate check` on a folder as teams have them: among manifests of pods and workloads much that
//! admission of pods has nothing to say about.

use serde_json::{Value, json};

use crate::folder::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    folder
        .write(
            "k8s/namespace.yaml",
            "apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    pod-security.kubernetes.io/enforce: baseline
    pod-security.kubernetes.io/warn: restricted
",
        )
        .write(
            "k8s/ingress.yaml",
            "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {rules: []}
",
        )
        .write(
            "k8s/certificate.yaml",
            "apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
spec: {secretName: web-tls, dnsNames: [shop.example.com]}
",
        )
        .write("k8s/kustomization.yaml", "resources: [deployment.yaml, ingress.yaml]\n")
        .write("k8s/values.yaml", "replicaCount: 2\n")
        .write("k8s/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")
        .write("k8s/README.md", "kind: of a text\n")
        .write(
            "k8s/deployment.yaml",
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: 'nginx:1.27'}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
---
# The agent needs the network of its node.
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      containers: [{name: agent, image: 'agent:2'}]
",
        )
        .write(
            "k8s/list.yaml",
            "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ServiceAccount
  metadata: {name: batch, namespace: shop}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: nightly, namespace: shop}
  spec:
    schedule: '0 3 * * *'
    jobTemplate:
      spec:
        template:
          spec:
            serviceAccountName: batch
            restartPolicy: Never
            containers: [{name: job, image: 'job:1'}]
",
        )
        .write(
            "k8s/db.json",
            r#"{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "shop"},
 "spec": {"serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
  "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "postgres:16"}]}},
  "volumeClaimTemplates": [{"metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}
"#,
        );
    folder
}

#[test]
fn a_verdict_for_each_pod_and_workload_and_a_word_on_the_rest() {
    folder()
        .podgate(&["check", "k8s", "--kubernetes", "1.36"])
        .ends(1)
        .says(&[
            "✓ StatefulSet/shop/db  k8s/db.json:1\n",
            "pods (created by statefulset-controller): admitted, with the same warning\n",
            "✓ Deployment/shop/web  k8s/deployment.yaml:1\n",
            "✗ DaemonSet/shop/agent  k8s/deployment.yaml:16\n",
            "pods (created by daemon-set-controller): rejected 403 by PodSecurity\n",
            "- host namespaces (hostNetwork=true)\n",
            "✓ CronJob/shop/nightly  k8s/list.yaml:7\n",
            "context: ServiceAccount/batch, Namespace/shop\n",
            "not judged: k8s/Chart.yaml: no Kubernetes object\n",
            "not judged: Certificate/web (k8s/certificate.yaml:1)\n",
            "not judged: Service/web (k8s/deployment.yaml:11)\n",
            "not judged: Ingress/web (k8s/ingress.yaml:1)\n",
            "not judged: k8s/kustomization.yaml: no Kubernetes object\n",
            "not judged: k8s/values.yaml: no Kubernetes object\n",
            "judged as Kubernetes 1.36; policy of Namespace/shop\n",
            "4 objects judged: 3 ok, 1 not ok\n",
        ]);
}

#[test]
fn machines_get_the_objects_and_people_the_rest() {
    let run = folder().podgate(&["check", "k8s", "-o", "jsonl"]).ends(1);
    let lines = run.json_lines();
    let objects: Vec<(&Value, &Value, &Value)> = lines
        .iter()
        .map(|line| (&line["object"], &line["ok"], &line["pods"][0]["object"]))
        .collect();
    let name = |at: usize| objects[at].2.as_str().unwrap();
    assert_eq!(
        objects
            .iter()
            .map(|(object, ok, _)| (*object, *ok))
            .collect::<Vec<_>>(),
        [
            (&json!("StatefulSet/shop/db"), &json!(true)),
            (&json!("Deployment/shop/web"), &json!(true)),
            (&json!("DaemonSet/shop/agent"), &json!(false)),
            (&json!("CronJob/shop/nightly"), &json!(true)),
        ]
    );
    assert_eq!(name(0), "Pod/shop/db-0");
    assert!(
        name(1).starts_with("Pod/shop/web-") && name(3).starts_with("Pod/shop/nightly-"),
        "{objects:?}"
    );
    run.tells(&[
        "not judged: Certificate/web (k8s/certificate.yaml:1)\n",
        "not judged: k8s/values.yaml: no Kubernetes object\n",
    ]);
}

/// The same labels that the plugin would refuse, with the place in the file.
#[test]
fn a_namespace_with_a_mistake_in_its_labels() {
    let folder = folder();
    folder.edit("k8s/namespace.yaml", "enforce: baseline", "enforce: basic");
    folder.podgate(&["check", "k8s", "--kubernetes", "1.36"]).ends(2).tells(&[
        "Kubernetes 1.36 refuses it: Namespace \"shop\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]",
        " --> k8s/namespace.yaml:6:5\n",
        "hint: nothing can be judged in a namespace that is refused",
    ]);
}

#[test]
fn flags_win_over_the_labels_of_the_input() {
    folder()
        .podgate(&[
            "check",
            "k8s",
            "--enforce",
            "privileged",
            "--warn",
            "privileged",
        ])
        .ends(0);
}
