//! The scan of stored pods against the decoder, on pods that are wrong in every way that we could
//! think of: what the scan says is what the decoder says, or the scan says nothing.
//!
//! The same pods come in each run. For others, and more: `PROPTEST_CASES=1000000 PROPTEST_RNG_SEED=2
//! cargo test --release -p podgate-admission --test scan`.

mod tree;

use podgate_admission::decode::{DecodeError, Location, Segment, decode, decode_untyped};
use podgate_admission::json::Lexer;
use podgate_admission::scan::{Scanned, Scanner, Spare};
use podgate_admission::schema::roots;
use podgate_admission::value::Value;
use podgate_policy::Minor;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use tree::{Damage, Mutation, damage, mutation, written};

/// Every field that policies and reports read, in an order that is not the alphabet's.
const RICH: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"shop",
    "labels":{"app":"a","pod-template-hash":"x"},
    "annotations":{"note":"n","seccomp.security.alpha.kubernetes.io/pod":"runtime/default",
        "container.seccomp.security.alpha.kubernetes.io/c":"unconfined","container.apparmor.security.beta.kubernetes.io/c":"localhost/x"},
    "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u"},
        {"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-x","uid":"u","controller":true,"blockOwnerDeletion":true}]},
"spec":{"hostNetwork":true,"hostPID":false,"hostIPC":true,"hostUsers":false,"runtimeClassName":"r","os":{"name":"windows"},
    "restartPolicy":"Always","terminationGracePeriodSeconds":30,"nodeSelector":{"a":"b"},"priority":0,
    "securityContext":{"runAsNonRoot":true,"runAsUser":0,"fsGroup":2000,"seLinuxOptions":{"type":"t","user":"u","role":"r","level":"l"},
        "seccompProfile":{"type":"Localhost","localhostProfile":"p"},"appArmorProfile":{"type":"Unconfined"},
        "windowsOptions":{"hostProcess":true,"runAsUserName":"u"},"sysctls":[{"name":"kernel.shm_rmid_forced","value":"1"},{"name":"b"}]},
    "initContainers":[{"name":"i","image":"i","securityContext":{"privileged":true,"runAsUser":5}}],
    "containers":[{"name":"c","image":"i","env":[{"name":"A","value":"b"}],"ports":[{"containerPort":80,"hostPort":80,"protocol":"TCP"},{"containerPort":81}],
        "resources":{"limits":{"cpu":"100m"}},
        "livenessProbe":{"httpGet":{"path":"/","port":80,"host":"a"},"periodSeconds":3},"readinessProbe":{"tcpSocket":{"port":"http","host":"b"}},
        "startupProbe":{"httpGet":{"port":1,"host":""}},
        "lifecycle":{"postStart":{"httpGet":{"port":1,"host":"d"}},"preStop":{"tcpSocket":{"port":1,"host":"e"},"exec":{"command":["x"]}}},
        "securityContext":{"privileged":false,"allowPrivilegeEscalation":false,"procMount":"Unmasked","runAsNonRoot":false,"runAsUser":1000,
            "readOnlyRootFilesystem":true,"capabilities":{"add":["NET_ADMIN","CHOWN"],"drop":["ALL"]},"seLinuxOptions":{"type":"t"},
            "seccompProfile":{"type":"Unconfined"},"appArmorProfile":{"type":"Localhost"},"windowsOptions":{"hostProcess":false}}}],
    "ephemeralContainers":[{"name":"e","image":"i","targetContainerName":"c","securityContext":{"capabilities":{"add":["SYS_PTRACE"]}}}],
    "volumes":[{"name":"h","hostPath":{"path":"/"}},{"name":"e","emptyDir":{}},{"image":{"reference":"r"},"name":"i"},
        {"name":"p","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}},{"name":"n","nfs":{"server":"s","path":"/"},"csi":{"driver":"d"}}]},
"status":{"phase":"Running","podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"True","lastProbeTime":null}]}}"#;

/// One that the scan reads on every server, and an item of a list.
const PLAIN: [&str; 2] = [
    r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","securityContext":{"capabilities":{"drop":["ALL"]}}}],
        "securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"volumes":[{"name":"v","configMap":{"name":"m"}}]}}"#,
    r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","ports":[{"hostPort":1}]}]}}"#,
];

/// What policies and reports read, as the scan does: a value of a wrong type there, or on the way to
/// it, must not be read over.
const READ: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.labels.pod-template-hash",
    "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod",
    "metadata.annotations.container.seccomp.security.alpha.kubernetes.io/c",
    "metadata.annotations.container.apparmor.security.beta.kubernetes.io/c",
    "metadata.ownerReferences.kind",
    "metadata.ownerReferences.name",
    "metadata.ownerReferences.controller",
    "spec.hostNetwork",
    "spec.hostPID",
    "spec.hostIPC",
    "spec.hostUsers",
    "spec.runtimeClassName",
    "spec.os.name",
    "spec.securityContext.sysctls.name",
    "spec.containers.name",
    "spec.containers.ports.hostPort",
    "spec.volumes.name",
    "spec.volumes.hostPath",
    "spec.volumes.emptyDir",
    "spec.volumes.image",
    "spec.volumes.projected",
    "spec.volumes.nfs",
    "spec.volumes.csi",
    "spec.volumes.configMap",
];
/// Below the security context of the pod and of each container.
const READ_IN_CONTEXT: &[&str] = &[
    "runAsNonRoot",
    "runAsUser",
    "seLinuxOptions.type",
    "seLinuxOptions.user",
    "seLinuxOptions.role",
    "seccompProfile.type",
    "appArmorProfile.type",
    "windowsOptions.hostProcess",
];
const READ_IN_CONTAINERS: &[&str] = &[
    "privileged",
    "allowPrivilegeEscalation",
    "capabilities.add",
    "capabilities.drop",
    "procMount",
];
const HANDLERS: &[&str] = &[
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle.postStart",
    "lifecycle.preStop",
];

/// Whether policies or reports read what stands there.
fn is_read(location: &Location) -> bool {
    let keys = location.path.iter().filter_map(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let path: Vec<&str> = keys.collect();
    let path = path.join(".");
    // Init and ephemeral containers have the fields of containers.
    let path = path
        .replace("initContainers", "containers")
        .replace("ephemeralContainers", "containers");
    let leads_to = |leaf: &str| {
        leaf.strip_prefix(&path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let below = |place: &str, leaves: &[&str]| {
        leaves
            .iter()
            .any(|leaf| leads_to(&format!("{place}.{leaf}")))
    };
    let handler = |handler: &&str| {
        let place = format!("spec.containers.{handler}");
        below(&place, &["httpGet.host", "tcpSocket.host"])
    };
    path.is_empty()
        || READ.iter().any(|leaf| leads_to(leaf))
        || below("spec.securityContext", READ_IN_CONTEXT)
        || below("spec.containers.securityContext", READ_IN_CONTEXT)
        || below("spec.containers.securityContext", READ_IN_CONTAINERS)
        || HANDLERS.iter().any(handler)
}

/// What the long way makes of a record, as `podgate audit` goes it: whether it says that it is a pod
/// (an item of a list need not), and then the pod.
fn long_way(json: &[u8], of_list: bool, minor: Minor) -> Result<Option<Value<'_>>, DecodeError> {
    match decode_untyped(json) {
        Ok(object) => {
            let said = (object.text_at(&["apiVersion"]), object.text_at(&["kind"]));
            let bare = of_list && said == ("", "");
            if object.as_object().is_none() || !(bare || said == ("v1", "Pod")) {
                return Ok(None);
            }
        }
        // A number that no float holds, in a field that nobody reads.
        Err(_) if is_json(json) => {}
        Err(error) => return Err(error),
    }
    decode(json, &roots::POD, minor).map(|decoded| Some(decoded.object))
}

fn is_json(json: &[u8]) -> bool {
    let mut lexer = Lexer::new(json);
    lexer.skip().and_then(|()| lexer.end()).is_ok()
}

/// Why the two differ, if they do; whether the scan said anything otherwise.
fn compare(json: &[u8], minor: Minor, of_list: bool) -> Result<bool, String> {
    let mut spare = Spare::default();
    let read = if of_list {
        Scanner::new(minor).item(json, &mut spare)
    } else {
        Scanner::new(minor).pod(json, &mut spare)
    };
    let Some(scanned) = read else {
        return Ok(false);
    };
    match long_way(json, of_list, minor) {
        Ok(Some(pod)) if scanned == Scanned::of(&pod) => Ok(true),
        Ok(Some(pod)) => Err(format!(
            "the view is {:?}\nthe scan says {scanned:?}",
            Scanned::of(&pod)
        )),
        Ok(None) => Err(format!("that is no pod, and the scan says {scanned:?}")),
        // A type error in a field that nobody reads.
        Err(error) if !is_read(&error.location) => Ok(true),
        Err(error) => Err(format!(
            "{error} at {:?}, and the scan says {scanned:?}",
            error.location
        )),
    }
}

fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: 8 * config.cases,
        rng_seed: match config.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        failure_persistence: None,
        ..config
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn says_what_the_decoder_says_or_nothing(
        base in prop_oneof![4 => Just(0_usize), 1 => Just(1_usize), 1 => Just(2_usize)],
        mutations in prop::collection::vec(mutation(), 0..4),
        spaces in 0_u8..4,
        harm in prop::option::weighted(0.2, damage()),
        minor in 0..Minor::all().count(),
        of_list in any::<bool>(),
    ) {
        let json = made([RICH, PLAIN[0], PLAIN[1]][base], &mutations, spaces, harm.as_ref());
        let minor = Minor::all().nth(minor).expect("one of them");
        if let Err(why) = compare(&json, minor, of_list) {
            prop_assert!(false, "{minor}, of a list: {of_list}\n{}\n{why}", String::from_utf8_lossy(&json));
        }
    }
}

fn made(base: &str, mutations: &[Mutation], spaces: u8, harm: Option<&Damage>) -> Vec<u8> {
    let mut json = written(base, mutations, spaces);
    if let Some(harm) = harm {
        harm.done_to(&mut json);
    }
    json
}

/// Without a change, and with one at a time, the scan reads most of them: or nothing is compared.
#[test]
fn says_something() {
    for minor in Minor::all() {
        for base in [RICH, PLAIN[0]] {
            assert_eq!(compare(base.as_bytes(), minor, false), Ok(true), "{minor}");
        }
        assert_eq!(compare(PLAIN[1].as_bytes(), minor, true), Ok(true));
        assert_eq!(compare(PLAIN[1].as_bytes(), minor, false), Ok(false));
    }
}
