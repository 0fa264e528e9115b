//! How Go prints values: `%q`, `%#v` of a struct, and `encoding/json`.
//!
//! Up to 1.33 a server prints the value of a field error as `%#v`, with the address of everything
//! behind a pointer; from 1.34 as the JSON of its internal type, whose keys are Go's field names.
//! Upstream: `Error.ErrorBody` in `apimachinery/pkg/util/validation/field/errors.go`, and the
//! types in `pkg/apis/core/types.go`.
//!
//! Two things cannot be told from outside of the server's process. An address is written as
//! [`ADDRESS`], a struct that is too large to be of use to anybody as `NAME{...}`; both make the
//! text inexact.

use std::fmt::Write as _;

use crate::encode::encode_untyped;
pub(crate) use crate::quote::quote;
use crate::value::Value;

/// What stands for an address in the memory of the server.
const ADDRESS: &str = "0xc000000000";

/// A value as the server prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// Whether the text is the server's to the byte.
    pub(crate) exact: bool,
}

impl Rendered {
    pub(crate) const fn exact(text: String) -> Self {
        Self { text, exact: true }
    }

    /// A struct of that Go type, or a slice of such, that is not printed in full.
    pub(crate) fn abridged(go_type: &str, minor: u8) -> Self {
        let text = if minor < super::versions::JSON_VALUES {
            format!("{go_type}{{...}}")
        } else if go_type.starts_with("[]") {
            "[{...}]".to_owned()
        } else {
            "{...}".to_owned()
        };
        Self { text, exact: false }
    }
}

/// A Go type, as far as printing goes. The tree has the JSON names of the versioned API.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Type {
    /// Any type that prints as its JSON does: bools, integers, strings.
    Plain,
    /// `intstr.IntOrString`
    IntOrString,
    /// A struct.
    Struct(&'static Struct),
    /// A pointer to a type of that name.
    Pointer(&'static str, &'static Type),
    /// A slice of a type of that name.
    Slice(&'static str, &'static Type),
    /// `map[string]string`
    Map,
}

/// A Go struct.
#[derive(Debug)]
pub(crate) struct Struct {
    /// Its name with the package: `core.SecurityContext`.
    pub(crate) name: &'static str,
    /// For a type with JSON tags (`meta/v1`) the fields without `omitempty`; internal types have no
    /// tags.
    pub(crate) tagged: Option<&'static [&'static str]>,
    /// Its fields in order.
    pub(crate) fields: &'static [Field],
}

/// A field of a [`Struct`]: Go's name, the name in the tree, the type, the first minor that has it.
#[derive(Debug)]
pub(crate) struct Field(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) Type,
    pub(crate) u8,
);

const STRING: Type = Type::Plain;
const STRING_POINTER: Type = Type::Pointer("string", &STRING);
const BOOL_POINTER: Type = Type::Pointer("bool", &Type::Plain);
const INT32_POINTER: Type = Type::Pointer("int32", &Type::Plain);
const INT64_POINTER: Type = Type::Pointer("int64", &Type::Plain);
const STRINGS: Type = Type::Slice("string", &STRING);

/// `core.SecurityContext`
pub(crate) static SECURITY_CONTEXT: Struct = Struct {
    name: "core.SecurityContext",
    tagged: None,
    fields: &[
        Field(
            "Capabilities",
            "capabilities",
            Type::Pointer("core.Capabilities", &Type::Struct(&CAPABILITIES)),
            0,
        ),
        Field("Privileged", "privileged", BOOL_POINTER, 0),
        Field(
            "SELinuxOptions",
            "seLinuxOptions",
            Type::Pointer("core.SELinuxOptions", &Type::Struct(&SELINUX_OPTIONS)),
            0,
        ),
        Field(
            "WindowsOptions",
            "windowsOptions",
            Type::Pointer(
                "core.WindowsSecurityContextOptions",
                &Type::Struct(&WINDOWS_OPTIONS),
            ),
            0,
        ),
        Field("RunAsUser", "runAsUser", INT64_POINTER, 0),
        Field("RunAsGroup", "runAsGroup", INT64_POINTER, 0),
        Field("RunAsNonRoot", "runAsNonRoot", BOOL_POINTER, 0),
        Field(
            "ReadOnlyRootFilesystem",
            "readOnlyRootFilesystem",
            BOOL_POINTER,
            0,
        ),
        Field(
            "AllowPrivilegeEscalation",
            "allowPrivilegeEscalation",
            BOOL_POINTER,
            0,
        ),
        Field(
            "ProcMount",
            "procMount",
            Type::Pointer("core.ProcMountType", &STRING),
            0,
        ),
        Field(
            "SeccompProfile",
            "seccompProfile",
            Type::Pointer("core.SeccompProfile", &Type::Struct(&SECCOMP_PROFILE)),
            0,
        ),
        Field(
            "AppArmorProfile",
            "appArmorProfile",
            Type::Pointer("core.AppArmorProfile", &Type::Struct(&APPARMOR_PROFILE)),
            30,
        ),
    ],
};

static CAPABILITIES: Struct = Struct {
    name: "core.Capabilities",
    tagged: None,
    fields: &[
        Field("Add", "add", Type::Slice("core.Capability", &STRING), 0),
        Field("Drop", "drop", Type::Slice("core.Capability", &STRING), 0),
    ],
};

static SELINUX_OPTIONS: Struct = Struct {
    name: "core.SELinuxOptions",
    tagged: None,
    fields: &[
        Field("User", "user", STRING, 0),
        Field("Role", "role", STRING, 0),
        Field("Type", "type", STRING, 0),
        Field("Level", "level", STRING, 0),
    ],
};

static WINDOWS_OPTIONS: Struct = Struct {
    name: "core.WindowsSecurityContextOptions",
    tagged: None,
    fields: &[
        Field(
            "GMSACredentialSpecName",
            "gmsaCredentialSpecName",
            STRING_POINTER,
            0,
        ),
        Field(
            "GMSACredentialSpec",
            "gmsaCredentialSpec",
            STRING_POINTER,
            0,
        ),
        Field("RunAsUserName", "runAsUserName", STRING_POINTER, 0),
        Field("HostProcess", "hostProcess", BOOL_POINTER, 22),
    ],
};

/// `core.SeccompProfile`
pub(crate) static SECCOMP_PROFILE: Struct = Struct {
    name: "core.SeccompProfile",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field("LocalhostProfile", "localhostProfile", STRING_POINTER, 0),
    ],
};

static APPARMOR_PROFILE: Struct = Struct {
    name: "core.AppArmorProfile",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field("LocalhostProfile", "localhostProfile", STRING_POINTER, 0),
    ],
};

/// `core.Toleration`
pub(crate) static TOLERATION: Struct = Struct {
    name: "core.Toleration",
    tagged: None,
    fields: &[
        Field("Key", "key", STRING, 0),
        Field("Operator", "operator", STRING, 0),
        Field("Value", "value", STRING, 0),
        Field("Effect", "effect", STRING, 0),
        Field("TolerationSeconds", "tolerationSeconds", INT64_POINTER, 0),
    ],
};

/// `core.PodResourceClaim` as of 1.31
pub(crate) static POD_RESOURCE_CLAIM: Struct = Struct {
    name: "core.PodResourceClaim",
    tagged: None,
    fields: &[
        Field("Name", "name", STRING, 0),
        Field("ResourceClaimName", "resourceClaimName", STRING_POINTER, 0),
        Field(
            "ResourceClaimTemplateName",
            "resourceClaimTemplateName",
            STRING_POINTER,
            0,
        ),
    ],
};

/// `meta/v1.LabelSelector`
pub(crate) static LABEL_SELECTOR: Struct = Struct {
    name: "v1.LabelSelector",
    tagged: Some(&[]),
    fields: &[
        Field("MatchLabels", "matchLabels", Type::Map, 0),
        Field(
            "MatchExpressions",
            "matchExpressions",
            Type::Slice(
                "v1.LabelSelectorRequirement",
                &Type::Struct(&LABEL_SELECTOR_REQUIREMENT),
            ),
            0,
        ),
    ],
};

static LABEL_SELECTOR_REQUIREMENT: Struct = Struct {
    name: "v1.LabelSelectorRequirement",
    tagged: Some(&["key", "operator"]),
    fields: &[
        Field("Key", "key", STRING, 0),
        Field("Operator", "operator", STRING, 0),
        Field("Values", "values", STRINGS, 0),
    ],
};

/// `core.PodIP`
pub(crate) static POD_IP: Struct = Struct {
    name: "core.PodIP",
    tagged: None,
    fields: &[Field("IP", "ip", STRING, 0)],
};

/// `core.HostIP`
pub(crate) static HOST_IP: Struct = Struct {
    name: "core.HostIP",
    tagged: None,
    fields: &[Field("IP", "ip", STRING, 0)],
};

/// `core.ClusterTrustBundleProjection`
pub(crate) static CLUSTER_TRUST_BUNDLE_PROJECTION: Struct = Struct {
    name: "core.ClusterTrustBundleProjection",
    tagged: None,
    fields: &[
        Field("Name", "name", STRING_POINTER, 0),
        Field("SignerName", "signerName", STRING_POINTER, 0),
        Field(
            "LabelSelector",
            "labelSelector",
            Type::Pointer("v1.LabelSelector", &Type::Struct(&LABEL_SELECTOR)),
            0,
        ),
        Field("Optional", "optional", BOOL_POINTER, 0),
        Field("Path", "path", STRING, 0),
        Field("User", "user", INT64_POINTER, 37),
    ],
};

/// `meta/v1.OwnerReference`
pub(crate) static OWNER_REFERENCE: Struct = Struct {
    name: "v1.OwnerReference",
    tagged: Some(&["apiVersion", "kind", "name", "uid"]),
    fields: &[
        Field("APIVersion", "apiVersion", STRING, 0),
        Field("Kind", "kind", STRING, 0),
        Field("Name", "name", STRING, 0),
        Field("UID", "uid", STRING, 0),
        Field("Controller", "controller", BOOL_POINTER, 0),
        Field("BlockOwnerDeletion", "blockOwnerDeletion", BOOL_POINTER, 0),
    ],
};

/// `apps.DeploymentStrategy`
pub(crate) static DEPLOYMENT_STRATEGY: Struct = Struct {
    name: "apps.DeploymentStrategy",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field(
            "RollingUpdate",
            "rollingUpdate",
            Type::Pointer(
                "apps.RollingUpdateDeployment",
                &Type::Struct(&ROLLING_UPDATE_DEPLOYMENT),
            ),
            0,
        ),
    ],
};

static ROLLING_UPDATE_DEPLOYMENT: Struct = Struct {
    name: "apps.RollingUpdateDeployment",
    tagged: None,
    fields: &[
        Field("MaxUnavailable", "maxUnavailable", Type::IntOrString, 0),
        Field("MaxSurge", "maxSurge", Type::IntOrString, 0),
    ],
};

/// `apps.DaemonSetUpdateStrategy`
pub(crate) static DAEMON_SET_UPDATE_STRATEGY: Struct = Struct {
    name: "apps.DaemonSetUpdateStrategy",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field(
            "RollingUpdate",
            "rollingUpdate",
            Type::Pointer(
                "apps.RollingUpdateDaemonSet",
                &Type::Struct(&ROLLING_UPDATE_DAEMON_SET),
            ),
            0,
        ),
    ],
};

static ROLLING_UPDATE_DAEMON_SET: Struct = Struct {
    name: "apps.RollingUpdateDaemonSet",
    tagged: None,
    fields: &[
        Field("MaxUnavailable", "maxUnavailable", Type::IntOrString, 0),
        Field("MaxSurge", "maxSurge", Type::IntOrString, 22),
    ],
};

/// `apps.StatefulSetUpdateStrategy`
pub(crate) static STATEFUL_SET_UPDATE_STRATEGY: Struct = Struct {
    name: "apps.StatefulSetUpdateStrategy",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field(
            "RollingUpdate",
            "rollingUpdate",
            Type::Pointer(
                "apps.RollingUpdateStatefulSetStrategy",
                &Type::Struct(&ROLLING_UPDATE_STATEFUL_SET),
            ),
            0,
        ),
    ],
};

/// `apps.RollingUpdateStatefulSetStrategy`
pub(crate) static ROLLING_UPDATE_STATEFUL_SET: Struct = Struct {
    name: "apps.RollingUpdateStatefulSetStrategy",
    tagged: None,
    fields: &[
        Field("Partition", "partition", Type::Plain, 0),
        Field(
            "MaxUnavailable",
            "maxUnavailable",
            Type::Pointer("intstr.IntOrString", &Type::IntOrString),
            24,
        ),
    ],
};

/// `batch.SuccessPolicy`
pub(crate) static SUCCESS_POLICY: Struct = Struct {
    name: "batch.SuccessPolicy",
    tagged: None,
    fields: &[Field(
        "Rules",
        "rules",
        Type::Slice(
            "batch.SuccessPolicyRule",
            &Type::Struct(&SUCCESS_POLICY_RULE),
        ),
        0,
    )],
};

static SUCCESS_POLICY_RULE: Struct = Struct {
    name: "batch.SuccessPolicyRule",
    tagged: None,
    fields: &[
        Field("SucceededIndexes", "succeededIndexes", STRING_POINTER, 0),
        Field("SucceededCount", "succeededCount", INT32_POINTER, 0),
    ],
};

/// `batch.PodFailurePolicy`
pub(crate) static POD_FAILURE_POLICY: Struct = Struct {
    name: "batch.PodFailurePolicy",
    tagged: None,
    fields: &[Field(
        "Rules",
        "rules",
        Type::Slice(
            "batch.PodFailurePolicyRule",
            &Type::Struct(&POD_FAILURE_POLICY_RULE),
        ),
        0,
    )],
};

static POD_FAILURE_POLICY_RULE: Struct = Struct {
    name: "batch.PodFailurePolicyRule",
    tagged: None,
    fields: &[
        Field("Action", "action", STRING, 0),
        Field(
            "OnExitCodes",
            "onExitCodes",
            Type::Pointer(
                "batch.PodFailurePolicyOnExitCodesRequirement",
                &Type::Struct(&ON_EXIT_CODES),
            ),
            0,
        ),
        Field(
            "OnPodConditions",
            "onPodConditions",
            Type::Slice(
                "batch.PodFailurePolicyOnPodConditionsPattern",
                &Type::Struct(&ON_POD_CONDITION),
            ),
            0,
        ),
    ],
};

static ON_EXIT_CODES: Struct = Struct {
    name: "batch.PodFailurePolicyOnExitCodesRequirement",
    tagged: None,
    fields: &[
        Field("ContainerName", "containerName", STRING_POINTER, 0),
        Field("Operator", "operator", STRING, 0),
        Field("Values", "values", Type::Slice("int32", &Type::Plain), 0),
    ],
};

static ON_POD_CONDITION: Struct = Struct {
    name: "batch.PodFailurePolicyOnPodConditionsPattern",
    tagged: None,
    fields: &[
        Field("Type", "type", STRING, 0),
        Field("Status", "status", STRING, 0),
    ],
};

/// `value`, an object of the tree, as a Go struct. `json`: as JSON rather than `%#v`.
pub(crate) fn print(value: &Value<'_>, ty: &'static Struct, minor: u8) -> Rendered {
    print_type(Some(value), Type::Struct(ty), minor)
}

/// `items` as a Go slice of structs called `ty`.
pub(crate) fn print_list(items: &Value<'_>, ty: &'static Struct, minor: u8) -> Rendered {
    let mut out = Printer::new(minor);
    out.list(Some(items), ty.name, Type::Struct(ty));
    out.done()
}

/// A list of texts: `[]string{"a"}`, or `["a"]`. An absent one is nil.
pub(crate) fn print_texts(items: Option<&Value<'_>>, minor: u8) -> Rendered {
    print_type(items, STRINGS, minor)
}

/// A list of texts of that Go type: `[]core.Capability{"KILL"}`, or `["KILL"]`.
pub(crate) fn print_named_texts(
    items: Option<&Value<'_>>,
    go_type: &'static str,
    minor: u8,
) -> Rendered {
    print_type(items, Type::Slice(go_type, &STRING), minor)
}

/// A map of texts: `map[string]string{"a":"b"}`, or `{"a":"b"}`, sorted by key.
pub(crate) fn print_map(map: Option<&Value<'_>>, minor: u8) -> Rendered {
    print_type(map, Type::Map, minor)
}

/// A list of integers of that Go type: `[]int32{1}`, or `[1]`.
pub(crate) fn print_ints(items: Option<&Value<'_>>, go_type: &'static str, minor: u8) -> Rendered {
    print_type(items, Type::Slice(go_type, &Type::Plain), minor)
}

/// `intstr.IntOrString{Type:0, IntVal:5, StrVal:""}`, or its JSON.
pub(crate) fn print_int_or_string(value: &Value<'_>, minor: u8) -> Rendered {
    print_type(Some(value), Type::IntOrString, minor)
}

fn print_type(value: Option<&Value<'_>>, ty: Type, minor: u8) -> Rendered {
    let mut out = Printer::new(minor);
    out.value(value, ty);
    out.done()
}

struct Printer {
    text: String,
    exact: bool,
    minor: u8,
    json: bool,
}

impl Printer {
    fn new(minor: u8) -> Self {
        Self {
            text: String::new(),
            exact: true,
            minor,
            json: minor >= super::versions::JSON_VALUES,
        }
    }

    fn done(self) -> Rendered {
        Rendered {
            text: self.text,
            exact: self.exact,
        }
    }

    fn value(&mut self, value: Option<&Value<'_>>, ty: Type) {
        let value = value.filter(|v| !matches!(v, Value::Null));
        match ty {
            Type::Plain => self.plain(value),
            Type::IntOrString => self.int_or_string(value),
            Type::Struct(ty) => self.object(value, ty),
            Type::Pointer(name, target) => match value {
                None if self.json => self.text.push_str("null"),
                None => self.push(format_args!("(*{name})(nil)")),
                Some(_) if self.json => self.value(value, *target),
                Some(_) => {
                    self.exact = false;
                    self.push(format_args!("(*{name})({ADDRESS})"));
                }
            },
            Type::Slice(name, item) => self.list(value, name, *item),
            Type::Map => self.map(value),
        }
    }

    fn push(&mut self, args: std::fmt::Arguments<'_>) {
        let _ = self.text.write_fmt(args);
    }

    fn string(&mut self, text: &str) {
        let quoted = if self.json {
            json_string(text)
        } else {
            quote(text)
        };
        self.text.push_str(&quoted);
    }

    /// A zero value that is absent from the tree is printed as an empty string: the structs here
    /// have no other plain field without a pointer but [`ROLLING_UPDATE_STATEFUL_SET`]'s, which
    /// the server defaults.
    fn plain(&mut self, value: Option<&Value<'_>>) {
        match value {
            Some(Value::Bool(b)) => self.push(format_args!("{b}")),
            Some(Value::Int(n)) => self.push(format_args!("{n}")),
            Some(Value::String(s)) => self.string(s),
            _ => self.string(""),
        }
    }

    fn int_or_string(&mut self, value: Option<&Value<'_>>) {
        match value {
            Some(Value::String(s)) if self.json => self.string(s),
            Some(Value::String(s)) => {
                let quoted = quote(s);
                self.push(format_args!(
                    "intstr.IntOrString{{Type:1, IntVal:0, StrVal:{quoted}}}"
                ));
            }
            other => {
                let n = other.and_then(Value::as_int).unwrap_or_default();
                if self.json {
                    self.push(format_args!("{n}"));
                } else {
                    self.push(format_args!(
                        "intstr.IntOrString{{Type:0, IntVal:{n}, StrVal:\"\"}}"
                    ));
                }
            }
        }
    }

    fn object(&mut self, value: Option<&Value<'_>>, ty: &'static Struct) {
        if !self.json {
            self.text.push_str(ty.name);
        }
        self.text.push('{');
        let mut first = true;
        for Field(go, name, field, since) in ty.fields {
            let member = value.and_then(|v| v.get(name));
            let omitted = ty
                .tagged
                .is_some_and(|always| !always.contains(name) && member.is_none_or(is_empty));
            if self.minor < *since || (self.json && omitted) {
                continue;
            }
            if !first {
                self.text.push_str(if self.json { "," } else { ", " });
            }
            first = false;
            match (self.json, ty.tagged.is_some()) {
                (true, true) => self.push(format_args!("\"{name}\":")),
                (true, false) => self.push(format_args!("\"{go}\":")),
                (false, _) => self.push(format_args!("{go}:")),
            }
            self.value(member, *field);
        }
        self.text.push('}');
    }

    fn list(&mut self, value: Option<&Value<'_>>, name: &str, item: Type) {
        let Some(items) = value.and_then(Value::as_list) else {
            if self.json {
                self.text.push_str("null");
            } else {
                self.push(format_args!("[]{name}(nil)"));
            }
            return;
        };
        if self.json {
            self.text.push('[');
        } else {
            self.push(format_args!("[]{name}{{"));
        }
        for (i, member) in items.iter().enumerate() {
            if i > 0 {
                self.text.push_str(if self.json { "," } else { ", " });
            }
            self.value(Some(member), item);
        }
        self.text.push(if self.json { ']' } else { '}' });
    }

    fn map(&mut self, value: Option<&Value<'_>>) {
        let Some(map) = value.and_then(Value::as_object) else {
            self.text.push_str(if self.json {
                "null"
            } else {
                "map[string]string(nil)"
            });
            return;
        };
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        if !self.json {
            self.text.push_str("map[string]string");
        }
        self.text.push('{');
        for (i, (key, value)) in entries.into_iter().enumerate() {
            if i > 0 {
                self.text.push_str(if self.json { "," } else { ", " });
            }
            self.string(key);
            self.text.push(':');
            self.plain(Some(value));
        }
        self.text.push('}');
    }
}

/// What `omitempty` leaves out of the types here.
fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// A JSON string as `encoding/json` writes it.
pub(crate) fn json_string(text: &str) -> String {
    encode_untyped(&Value::from(text))
}
