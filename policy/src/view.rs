//! The view of a pod: what policies look at, and nothing else, borrowed from whoever holds the pod.
//!
//! The same view is built from a stored pod, from the template of a workload, and straight from
//! JSON in bulk runs. Everything is `Copy` or a short list of borrowed texts, so that judging an
//! admitted pod allocates nothing.

/// A pod (or the pod of a template) as policies see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod<'a> {
    /// The annotations whose keys start with one of [`ANNOTATION_PREFIXES`], in any order.
    pub annotations: Vec<(&'a str, &'a str)>,
    /// `spec.os.name`.
    pub os: Option<&'a str>,
    /// `spec.hostNetwork`.
    pub host_network: bool,
    /// `spec.hostPID`.
    pub host_pid: bool,
    /// `spec.hostIPC`.
    pub host_ipc: bool,
    /// `spec.hostUsers`.
    pub host_users: Option<bool>,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<&'a str>,
    /// `spec.securityContext`; absent is the same as empty.
    pub security_context: SecurityContext<'a>,
    /// `spec.securityContext.sysctls[*].name`, in order.
    pub sysctls: Vec<&'a str>,
    /// All containers in the order in which upstream visits them: init, regular, ephemeral.
    pub containers: Vec<Container<'a>>,
    /// `spec.volumes`, in order.
    pub volumes: Vec<Volume<'a>>,
}

impl<'a> Pod<'a> {
    /// Whether it says that it runs on Windows.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        self.os == Some("windows")
    }

    /// Whether it asks for a user namespace of its own (`hostUsers: false`).
    #[must_use]
    pub fn in_user_namespace(&self) -> bool {
        self.host_users == Some(false)
    }

    /// The value of the annotation `key`, where the view has it.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.annotations
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| *value)
    }
}

/// The annotations that some policy reads start with one of these.
pub const ANNOTATION_PREFIXES: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/pod",
];

/// Which of a pod's three lists a container stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `spec.initContainers`
    Init,
    /// `spec.containers`
    #[default]
    Regular,
    /// `spec.ephemeralContainers`
    Ephemeral,
}

impl Role {
    /// The name of the list in the pod's spec.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// A container as policies see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container<'a> {
    /// The list that it stands in.
    pub role: Role,
    /// Its index in that list.
    pub index: usize,
    /// `name`
    pub name: &'a str,
    /// `securityContext`; absent is the same as empty.
    pub security_context: SecurityContext<'a>,
    /// `ports[*].hostPort`, with the index of the port; zero where unset.
    pub host_ports: Vec<i64>,
    /// Hosts named by probes and lifecycle handlers, empty ones left out: the path below the
    /// container (`livenessProbe.httpGet.host`) and the host.
    pub handler_hosts: Vec<(&'static str, &'a str)>,
}

impl Container<'_> {
    /// The path of a field of the container inside the pod, like
    /// `spec.containers[1].securityContext.privileged`.
    #[must_use]
    pub fn path(&self, field: &str) -> String {
        let list = self.role.field();
        // Put together by hand: reports over a million pods ask for it more often than for anything else.
        let mut path = String::with_capacity("spec.[99].".len() + list.len() + field.len());
        path.push_str("spec.");
        path.push_str(list);
        path.push('[');
        match u8::try_from(self.index) {
            Ok(index @ 0..=9) => path.push(char::from(b'0' + index)),
            _ => path.push_str(&self.index.to_string()),
        }
        path.push_str("].");
        path.push_str(field);
        path
    }
}

/// The settings of a pod's or a container's `securityContext` that policies read. Those that exist
/// on one of the two only are `None` on the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SecurityContext<'a> {
    /// `privileged` (containers)
    pub privileged: Option<bool>,
    /// `allowPrivilegeEscalation` (containers)
    pub allow_privilege_escalation: Option<bool>,
    /// `capabilities` (containers)
    pub capabilities: Option<Capabilities<'a>>,
    /// `procMount` (containers)
    pub proc_mount: Option<&'a str>,
    /// `runAsNonRoot`
    pub run_as_non_root: Option<bool>,
    /// `runAsUser`
    pub run_as_user: Option<i64>,
    /// `seLinuxOptions`
    pub se_linux: Option<SeLinuxOptions<'a>>,
    /// `seccompProfile.type`; an empty text where the profile has no type
    pub seccomp: Option<&'a str>,
    /// `appArmorProfile.type`; an empty text where the profile has no type
    pub app_armor: Option<&'a str>,
    /// `windowsOptions.hostProcess`
    pub host_process: Option<bool>,
}

/// `securityContext.capabilities`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capabilities<'a> {
    /// `add`, in order
    pub add: Vec<&'a str>,
    /// `drop`, in order
    pub drop: Vec<&'a str>,
}

/// `securityContext.seLinuxOptions`; absent texts are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeLinuxOptions<'a> {
    /// `type`
    pub kind: &'a str,
    /// `user`
    pub user: &'a str,
    /// `role`
    pub role: &'a str,
}

/// A volume as policies see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume<'a> {
    /// `name`
    pub name: &'a str,
    /// The JSON name of its source (`hostPath`, `emptyDir` ...), the first in the order of the API
    /// type where there are several; `None` where it has none that the server knows.
    pub source: Option<&'static str>,
}
