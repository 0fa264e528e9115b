//! Pods that look like those of a cluster, about five kilobytes each, made from a seed: the same seed gives
//! the same bytes.
//!
//! They are as an API server sends them, with status and, one in four, with `managedFields`. Of five, two
//! meet restricted, two meet baseline only, and one meets neither.

use std::fmt::Write;

/// Makes pods.
pub(crate) struct Pods {
    state: u64,
    number: usize,
}

const NAMES: [&str; 12] = [
    "checkout",
    "payments",
    "search-indexer",
    "web",
    "catalog-api",
    "session-store",
    "mailer",
    "billing-worker",
    "image-resizer",
    "gateway",
    "feature-flags",
    "report-builder",
];

const VARIABLES: [(&str, &str); 8] = [
    ("LOG_LEVEL", "info"),
    (
        "DATABASE_URL",
        "postgres://app@postgres.data.svc.cluster.local:5432/app?sslmode=require",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://otel-collector.observability.svc:4317",
    ),
    ("CACHE_SIZE_MB", "256"),
    ("HTTP_PROXY", ""),
    ("FEATURES", "{\"beta\":true,\"rollout\":25}"),
    ("REGION", "eu-central-1"),
    ("GREETING", "grüß Gott"),
];

/// How strict a policy a pod meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quality {
    Restricted,
    Baseline,
    Neither,
}

impl Pods {
    pub(crate) const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            number: 0,
        }
    }

    /// A number below `bound` (splitmix64).
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).unwrap_or_default()
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        for _ in 0..digits {
            let _ = write!(text, "{:x}", self.below(16));
        }
        text
    }

    fn uid(&mut self) -> String {
        let parts: Vec<String> = [8, 4, 4, 4, 12]
            .into_iter()
            .map(|digits| self.hex(digits))
            .collect();
        parts.join("-")
    }

    /// The next pod, on one line without its end.
    pub(crate) fn next(&mut self, out: &mut String) {
        let quality = match self.below(5) {
            0 | 1 => Quality::Restricted,
            2 | 3 => Quality::Baseline,
            _ => Quality::Neither,
        };
        let app = NAMES[self.below(NAMES.len())];
        let namespace = format!("team-{}", self.below(500));
        let (hash, random) = (self.hex(10), self.hex(5));
        let name = format!("{app}-{hash}-{random}");
        let (uid, owner) = (self.uid(), self.uid());
        let version = format!("{}.{}.{}", self.below(9), self.below(30), self.below(9));
        let _ = write!(
            out,
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"annotations":{{"checksum/config":"{}{}","kubectl.kubernetes.io/restartedAt":"2026-11-{:02}T08:{:02}:00Z","prometheus.io/path":"/metrics","prometheus.io/scrape":"true"}},"creationTimestamp":"2026-11-{:02}T10:{:02}:17Z","generateName":"{app}-{hash}-","labels":{{"app.kubernetes.io/instance":"{app}","app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":"{app}","app.kubernetes.io/version":"{version}","pod-template-hash":"{hash}"}},"#,
            self.hex(32),
            self.hex(32),
            1 + self.below(28),
            self.below(60),
            1 + self.below(28),
            self.below(60),
        );
        if self.below(4) == 0 {
            managed_fields(out);
        }
        let _ = write!(
            out,
            r#""name":"{name}","namespace":"{namespace}","ownerReferences":[{{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"ReplicaSet","name":"{app}-{hash}","uid":"{owner}"}}],"resourceVersion":"{}","uid":"{uid}"}},"spec":{{"#,
            self.below(900_000_000),
        );
        self.spec(out, quality, app, &version);
        out.push_str(r#"},"status":"#);
        self.status(out, app, &version);
        out.push('}');
        self.number += 1;
    }

    fn spec(&mut self, out: &mut String, quality: Quality, app: &str, version: &str) {
        // Most pods have one container; sidecars come one or two at a time.
        let containers = [1, 1, 1, 1, 1, 1, 2, 3][self.below(8)];
        out.push_str(r#""containers":["#);
        for index in 0..containers {
            if index > 0 {
                out.push(',');
            }
            self.container(out, quality, app, version, index);
        }
        let _ = write!(
            out,
            r#"],"dnsPolicy":"ClusterFirst","enableServiceLinks":true,"nodeName":"ip-10-{}-{}-{}.eu-central-1.compute.internal","preemptionPolicy":"PreemptLowerPriority","priority":0,"restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{{"#,
            self.below(256),
            self.below(256),
            self.below(256),
        );
        if quality == Quality::Restricted {
            out.push_str(r#""fsGroup":2000,"runAsNonRoot":true,"runAsUser":1000,"seccompProfile":{"type":"RuntimeDefault"}"#);
        }
        let _ = write!(
            out,
            r#"}},"serviceAccount":"{app}","serviceAccountName":"{app}","terminationGracePeriodSeconds":30,"tolerations":[{{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300}},{{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists","tolerationSeconds":300}}],"volumes":[{{"configMap":{{"defaultMode":420,"name":"{app}"}},"name":"config"}},{{"emptyDir":{{}},"name":"tmp"}},"#,
        );
        if quality == Quality::Neither && self.below(2) == 0 {
            out.push_str(r#"{"hostPath":{"path":"/var/log","type":"Directory"},"name":"log"},"#);
        }
        let _ = write!(
            out,
            r#"{{"name":"kube-api-access-{}","projected":{{"defaultMode":420,"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"items":[{{"key":"ca.crt","path":"ca.crt"}}],"name":"kube-root-ca.crt"}}}},{{"downwardAPI":{{"items":[{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}},"path":"namespace"}}]}}}}]}}}}]"#,
            self.hex(5),
        );
        if quality == Quality::Neither && self.below(3) == 0 {
            out.push_str(r#","hostNetwork":true"#);
        }
    }

    fn container(
        &mut self,
        out: &mut String,
        quality: Quality,
        app: &str,
        version: &str,
        index: usize,
    ) {
        let name = ["app", "proxy", "exporter"][index];
        let _ = write!(
            out,
            r#"{{"args":["--config=/etc/{app}/config.yaml","--listen=:80{index}0"],"env":["#
        );
        for (at, (key, value)) in VARIABLES.iter().enumerate() {
            if at < 2 || self.below(2) == 0 {
                let value = value.replace('"', "\\\"");
                let _ = write!(out, r#"{{"name":"{key}","value":"{value}"}},"#);
            }
        }
        let _ = write!(
            out,
            r#"{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}}],"image":"registry.example.com/team/{app}-{name}:{version}","imagePullPolicy":"IfNotPresent","livenessProbe":{{"failureThreshold":3,"httpGet":{{"path":"/healthz","port":"http","scheme":"HTTP"}},"initialDelaySeconds":{},"periodSeconds":10,"successThreshold":1,"timeoutSeconds":1}},"name":"{name}","ports":[{{"containerPort":80{index}0,"name":"http","protocol":"TCP"}}],"readinessProbe":{{"failureThreshold":3,"httpGet":{{"path":"/ready","port":"http","scheme":"HTTP"}},"periodSeconds":10,"successThreshold":1,"timeoutSeconds":1}},"resources":{{"limits":{{"cpu":"{}m","memory":"512Mi"}},"requests":{{"cpu":"100m","memory":"256Mi"}}}},"#,
            self.below(60),
            100 * (1 + self.below(10)),
        );
        match quality {
            Quality::Restricted => out.push_str(
                r#""securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true},"#,
            ),
            Quality::Neither if index == 0 => {
                out.push_str(r#""securityContext":{"capabilities":{"add":["NET_ADMIN"]},"privileged":true},"#);
            }
            Quality::Baseline | Quality::Neither => {}
        }
        let _ = write!(
            out,
            r#""terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","volumeMounts":[{{"mountPath":"/etc/{app}","name":"config","readOnly":true}},{{"mountPath":"/tmp","name":"tmp"}},{{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-{}","readOnly":true}}]}}"#,
            self.hex(5),
        );
    }

    fn status(&mut self, out: &mut String, app: &str, version: &str) {
        out.push_str(r#"{"conditions":["#);
        for (at, kind) in [
            "PodReadyToStartContainers",
            "Initialized",
            "Ready",
            "ContainersReady",
            "PodScheduled",
        ]
        .into_iter()
        .enumerate()
        {
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(
                out,
                r#"{comma}{{"lastProbeTime":null,"lastTransitionTime":"2026-11-{:02}T10:00:{:02}Z","status":"True","type":"{kind}"}}"#,
                1 + self.below(28),
                self.below(60),
            );
        }
        let _ = write!(
            out,
            r#"],"containerStatuses":[{{"containerID":"containerd://{}","image":"registry.example.com/team/{app}-app:{version}","imageID":"registry.example.com/team/{app}-app@sha256:{}","lastState":{{}},"name":"app","ready":true,"restartCount":{},"started":true,"state":{{"running":{{"startedAt":"2026-11-20T10:00:21Z"}}}}}}],"hostIP":"10.0.{}.{}","phase":"Running","podIP":"10.1.{}.{}","qosClass":"Burstable","startTime":"2026-11-20T10:00:17Z"}}"#,
            self.hex(64),
            self.hex(64),
            self.below(5),
            self.below(256),
            self.below(256),
            self.below(256),
            self.below(256),
        );
    }
}

fn managed_fields(out: &mut String) {
    out.push_str(
        r#""managedFields":[{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:checksum/config":{},"f:prometheus.io/path":{},"f:prometheus.io/scrape":{}},"f:generateName":{},"f:labels":{".":{},"f:app.kubernetes.io/instance":{},"f:app.kubernetes.io/name":{},"f:pod-template-hash":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"4a1b2c3d\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:args":{},"f:env":{".":{},"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}}},"f:name":{},"f:resources":{".":{},"f:limits":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{}}},"manager":"kube-controller-manager","operation":"Update","time":"2026-11-20T10:00:17Z"}],"#,
    );
}
