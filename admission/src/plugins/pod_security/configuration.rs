//! `PodSecurityConfiguration`: the defaults and exemptions of the plugin.
//!
//! Upstream: `k8s.io/pod-security-admission/admission/api` with `load/load.go`, `helpers.go` and
//! `validation/validation.go`. Errors have upstream's texts, and where they stand.

use podgate_policy::{LevelVersion, Minor, NamespacePolicy};

use crate::config::{ConfigError, Step, known_keys, object, typed};
use crate::quote::quote;
use crate::validation::names;
use crate::value::Value;
use crate::versions;

const GROUP: &str = "pod-security.admission.config.k8s.io";

/// The configuration of the plugin; the default one demands nothing and exempts nobody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// What a namespace without labels demands.
    pub defaults: NamespacePolicy,
    /// Users whose requests are not judged.
    pub usernames: Vec<String>,
    /// Namespaces whose pods are not judged.
    pub namespaces: Vec<String>,
    /// Runtime classes whose pods are not judged.
    pub runtime_classes: Vec<String>,
}

impl Configuration {
    /// Reads a `PodSecurityConfiguration` as a server of `minor` does.
    pub fn read(configuration: &Value<'_>, minor: Minor) -> Result<Self, ConfigError> {
        let (read, fault) = Self::decode(configuration, minor)
            .map_err(|error| error.behind("couldn't init admission plugin \"PodSecurity\""))?;
        fault
            .map_or_else(|| read.validate(minor), Err)
            .map_err(|error| {
                error.behind("failed to initialize admission plugin \"PodSecurity\"")
            })?;
        Ok(read)
    }

    /// What the bytes say, and what is wrong with the defaults among that.
    fn decode(
        configuration: &Value<'_>,
        minor: Minor,
    ) -> Result<(Self, Option<ConfigError>), ConfigError> {
        let root = object(configuration, &[])?;
        typed(configuration)?;
        let version = configuration.text_at(&["apiVersion"]);
        let kind = configuration.text_at(&["kind"]);
        let served = version
            .strip_prefix(GROUP)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|version| {
                versions::POD_SECURITY_CONFIGURATION
                    .iter()
                    .any(|(name, minors)| *name == version && minors.contain(minor))
            });
        if !served || kind != "PodSecurityConfiguration" {
            let key = if served { "kind" } else { "apiVersion" };
            return Err(ConfigError::new(
                &[Step::Key(key.to_owned())],
                format!(
                    "no kind {} is registered for version {} in scheme \"k8s.io/pod-security-admission/admission/api/scheme/scheme.go:{}\"",
                    quote(kind),
                    quote(version),
                    SCHEME_LINE,
                ),
            ));
        }
        known_keys(
            root,
            &["apiVersion", "kind", "defaults", "exemptions"],
            &[],
            "",
        )?;
        let (defaults, fault) = defaults(configuration)?;
        let mut read = Self {
            defaults,
            ..Self::default()
        };
        if let Some(exemptions) = present(configuration, "exemptions") {
            let at = [key("exemptions")];
            let known = ["usernames", "namespaces", "runtimeClasses"];
            known_keys(object(exemptions, &at)?, &known, &at, "exemptions.")?;
            read.namespaces = texts(exemptions, "namespaces")?;
            read.runtime_classes = texts(exemptions, "runtimeClasses")?;
            read.usernames = texts(exemptions, "usernames")?;
        }
        Ok((read, fault))
    }

    /// Whether the pods of that namespace are not judged.
    #[must_use]
    pub fn exempts_namespace(&self, name: &str) -> bool {
        !name.is_empty() && self.namespaces.iter().any(|exempt| exempt == name)
    }

    /// Whether requests of that user are not judged.
    #[must_use]
    pub fn exempts_user(&self, name: &str) -> bool {
        !name.is_empty() && self.usernames.iter().any(|exempt| exempt == name)
    }

    /// Whether pods of that runtime class are not judged.
    #[must_use]
    pub fn exempts_runtime_class(&self, name: &str) -> bool {
        !name.is_empty() && self.runtime_classes.iter().any(|exempt| exempt == name)
    }

    /// `ValidatePodSecurityConfiguration`: all that is wrong, at the place of the first.
    fn validate(&self, minor: Minor) -> Result<(), ConfigError> {
        type Rule = fn(&str, u8) -> Vec<String>;
        let number = minor.number();
        let mut faults: Vec<(Vec<Step>, String)> = Vec::new();
        let lists: [(&str, &[String], Rule); 3] = [
            ("namespaces", &self.namespaces, names::dns_label),
            ("runtimeClasses", &self.runtime_classes, |name, _| {
                names::dns_subdomain(name)
            }),
            ("usernames", &self.usernames, |name, _| {
                let empty = name.is_empty();
                empty
                    .then(|| "username must not be empty".to_owned())
                    .into_iter()
                    .collect()
            }),
        ];
        for (list, names, rule) in lists {
            for (index, name) in names.iter().enumerate() {
                let wrong = rule(name, number);
                let fault = if !wrong.is_empty() {
                    format!("Invalid value: {}: {}", quote(name), wrong.join(", "))
                } else if names[..index].contains(name) {
                    format!("Duplicate value: {}", quote(name))
                } else {
                    continue;
                };
                let path = vec![key("exemptions"), key(list), Step::Index(index)];
                faults.push((path, format!("exemptions.{list}[{index}]: {fault}")));
            }
        }
        let Some((path, _)) = faults.first().cloned() else {
            return Ok(());
        };
        let texts: Vec<_> = faults.into_iter().map(|(_, text)| text).collect();
        Err(ConfigError {
            path,
            message: format!("PodSecurity invalid: {}", aggregate(&texts)),
        })
    }
}

/// The line of the scheme in upstream's file, which its error names.
const SCHEME_LINE: u8 = 31;

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

fn present<'v, 'a>(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    value.get(name).filter(|value| **value != Value::Null)
}

/// `SetDefaults_PodSecurityDefaults` and `ToPolicy`; what is no level and no version is found when all
/// is decoded.
fn defaults(
    configuration: &Value<'_>,
) -> Result<(NamespacePolicy, Option<ConfigError>), ConfigError> {
    const KEYS: [&str; 6] = [
        "enforce",
        "enforce-version",
        "audit",
        "audit-version",
        "warn",
        "warn-version",
    ];
    let mut policy = NamespacePolicy::default();
    let Some(defaults) = present(configuration, "defaults") else {
        return Ok((policy, None));
    };
    let at = [key("defaults")];
    known_keys(object(defaults, &at)?, &KEYS, &at, "defaults.")?;
    let mut faults: Vec<(Vec<Step>, String)> = Vec::new();
    for name in KEYS {
        let path = vec![key("defaults"), key(name)];
        let text = match present(defaults, name) {
            None => continue,
            Some(Value::String(text)) if text.is_empty() => continue,
            Some(Value::String(text)) => text,
            Some(other) => {
                let message = format!(
                    "json: cannot unmarshal {} into Go struct field PodSecurityDefaults.defaults.{name} of type string",
                    described(other)
                );
                return Err(ConfigError { path, message });
            }
        };
        let (mode, version) = match name.strip_suffix("-version") {
            Some(mode) => (mode, true),
            None => (name, false),
        };
        let of: &mut LevelVersion = match mode {
            "enforce" => &mut policy.enforce,
            "audit" => &mut policy.audit,
            _ => &mut policy.warn,
        };
        let fault = if version {
            text.parse()
                .map(|v| of.version = v)
                .map_err(|e: podgate_policy::PolicyVersionError| e.to_string())
        } else {
            text.parse()
                .map(|l| of.level = l)
                .map_err(|e: podgate_policy::LevelError| e.to_string())
        };
        if let Err(fault) = fault {
            faults.push((path, format!("{name}: {fault}")));
        }
    }
    let Some((path, _)) = faults.first().cloned() else {
        return Ok((policy, None));
    };
    let texts: Vec<_> = faults.into_iter().map(|(_, text)| text).collect();
    let fault = ConfigError {
        path,
        message: format!("PodSecurity configuration error: {}", aggregate(&texts)),
    };
    Ok((policy, Some(fault)))
}

/// A list of texts among the exemptions.
fn texts(exemptions: &Value<'_>, list: &str) -> Result<Vec<String>, ConfigError> {
    let Some(value) = present(exemptions, list) else {
        return Ok(Vec::new());
    };
    let path = [key("exemptions"), key(list)];
    let wrong = |path: &[Step], value: &Value<'_>, ty: &str| {
        let message = format!(
            "json: cannot unmarshal {} into Go struct field PodSecurityExemptions.exemptions.{list} of type {ty}",
            described(value)
        );
        Err(ConfigError::new(path, message))
    };
    let Some(items) = value.as_list() else {
        return wrong(&path, value, "[]string");
    };
    let mut texts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::String(text) => texts.push(text.clone().into_owned()),
            Value::Null => texts.push(String::new()),
            other => {
                let mut path = path.to_vec();
                path.push(Step::Index(index));
                return wrong(&path, other, "string");
            }
        }
    }
    Ok(texts)
}

/// How Go names what it cannot use.
fn described(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Object(_) => "object",
    }
}

fn aggregate(texts: &[String]) -> String {
    match texts {
        [only] => only.clone(),
        texts => format!("[{}]", texts.join(", ")),
    }
}
