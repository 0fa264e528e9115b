//! The API server under test: its minor, and the flags that decide about pods.
//!
//! Upstream's counterparts are `pkg/kubeapiserver/options/plugins.go` and `admission.go` for the
//! plugins, `pkg/features` for the gates, and `k8s.io/apiserver/pkg/admission/config.go` for the
//! admission control config file. A flag that podgate does not act on is an error, never ignored.

use std::fmt;

use podgate_policy::Minor;

use crate::encode::encode_untyped;
use crate::plugins::{Plugin, Support, pod_security};
use crate::value::{Object, Value};
use crate::versions::Gate;

/// The configuration of one API server: its minor, its plugins and their configuration, its gates.
#[derive(Clone, Debug)]
pub struct Server {
    minor: Minor,
    enabled: Vec<Plugin>,
    disabled: Vec<Plugin>,
    gates: Vec<(Gate, bool)>,
    /// The configuration of the plugin `PodSecurity`.
    pub pod_security: pod_security::Configuration,
    /// What it judges by: upstream's rules, or a mutant's.
    pub rules: &'static podgate_policy::Rules,
}

impl Server {
    /// A server of that minor with the flags of a kubeadm cluster and nothing else.
    #[must_use]
    pub fn new(minor: Minor) -> Self {
        Self {
            minor,
            enabled: Vec::new(),
            disabled: Vec::new(),
            gates: Vec::new(),
            pod_security: pod_security::Configuration::default(),
            rules: &podgate_policy::rules::UPSTREAM,
        }
    }

    /// Its minor.
    #[must_use]
    pub const fn minor(&self) -> Minor {
        self.minor
    }

    /// Whether a plugin is on.
    #[must_use]
    pub fn has(&self, plugin: Plugin) -> bool {
        if plugin == Plugin::PodSecurity && !self.enabled(Gate::PodSecurity) {
            return false;
        }
        plugin.exists_in(self.minor)
            && !self.disabled.contains(&plugin)
            && (plugin.default_on() || self.enabled.contains(&plugin))
    }

    /// Whether a feature gate is on.
    #[must_use]
    pub fn enabled(&self, gate: Gate) -> bool {
        self.gates
            .iter()
            .rev()
            .find(|(set, _)| *set == gate)
            .map_or_else(|| gate.default_on(self.minor), |(_, on)| *on)
    }

    /// The server as the evaluators of policies see it.
    #[must_use]
    pub fn policy(&self) -> podgate_policy::Server {
        podgate_policy::Server::new(self.minor)
            .judging_by(self.rules)
            .ephemeral_containers(self.enabled(Gate::EphemeralContainers))
            .user_namespaces_pod_security_standards(
                self.enabled(Gate::UserNamespacesPodSecurityStandards),
            )
    }

    /// `--enable-admission-plugins`
    pub fn enable_admission_plugins<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), ConfigError> {
        for (index, name) in names.into_iter().enumerate() {
            let plugin = self.known("enable-admission-plugins", index, name)?;
            if self.disabled.contains(&plugin) {
                return Err(overlap(index, name));
            }
            if let Support::Missing(why) = plugin.support()
                && !plugin.default_on()
            {
                let message = format!("podgate cannot act on admission plugin {name:?}: {why}");
                return Err(ConfigError::new(&[Step::Index(index)], message));
            }
            self.enabled.push(plugin);
        }
        Ok(())
    }

    /// `--disable-admission-plugins`
    pub fn disable_admission_plugins<'n>(
        &mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), ConfigError> {
        for (index, name) in names.into_iter().enumerate() {
            let plugin = self.known("disable-admission-plugins", index, name)?;
            if self.enabled.contains(&plugin) {
                return Err(overlap(index, name));
            }
            self.disabled.push(plugin);
        }
        Ok(())
    }

    fn known(&self, flag: &str, index: usize, name: &str) -> Result<Plugin, ConfigError> {
        let plugin = Plugin::by_name(name).filter(|plugin| plugin.exists_in(self.minor));
        plugin.ok_or_else(|| {
            let minor = self.minor;
            let message = match Plugin::by_name(name) {
                Some(Plugin::PodSecurityPolicy) => format!(
                    "{flag} plugin {name:?} is unknown to Kubernetes {minor}: it was removed in 1.25\nhint: {INSTEAD_OF_POLICIES}"
                ),
                Some(_) => format!("{flag} plugin {name:?} is unknown to Kubernetes {minor}"),
                None => format!("{flag} plugin {name:?} is unknown"),
            };
            ConfigError::new(&[Step::Index(index)], message)
        })
    }

    /// `--feature-gates`, one of them.
    pub fn set_feature_gate(&mut self, name: &str, on: bool) -> Result<(), ConfigError> {
        let error = |message| Err(ConfigError::new(&[Step::Key(name.to_owned())], message));
        let Some(history) = Gate::by_name(name, self.minor) else {
            return error(format!(
                "podgate does not know the feature gate {name} for Kubernetes {}, or it changes nothing that podgate looks at",
                self.minor
            ));
        };
        let default = history.gate.default_on(self.minor);
        if history.locked <= self.minor.number() && on != default {
            return error(format!(
                "cannot set feature gate {name} to {on}, feature is locked to {default}"
            ));
        }
        self.gates.push((history.gate, on));
        Ok(())
    }

    /// The configuration of one admission plugin, as the admission control config file has it.
    /// Paths of errors start at that configuration.
    pub fn configure_plugin(
        &mut self,
        name: &str,
        configuration: &Value<'_>,
    ) -> Result<(), ConfigError> {
        match Plugin::by_name(name) {
            Some(Plugin::PodSecurity) if Plugin::PodSecurity.exists_in(self.minor) => {
                self.pod_security = pod_security::Configuration::read(configuration, self.minor)?;
                Ok(())
            }
            Some(_) => Err(ConfigError::new(
                &[],
                format!("podgate does not read a configuration of admission plugin {name:?}"),
            )),
            None => Err(ConfigError::new(
                &[],
                format!("admission plugin {name:?} is unknown"),
            )),
        }
    }
}

/// What to do where there is no `PodSecurityPolicy` any more.
const INSTEAD_OF_POLICIES: &str = "limit the cluster to Kubernetes 1.24 and older, or enforce a level of PodSecurity in its place, by labels of namespaces or in the admission control config file";

fn overlap(index: usize, name: &str) -> ConfigError {
    let message =
        format!("[{name}] in enable-admission-plugins and disable-admission-plugins overlapped");
    ConfigError::new(&[Step::Index(index)], message)
}

/// One plugin of an `AdmissionConfiguration`.
#[derive(Clone, Debug)]
pub struct PluginConfiguration<'v, 'a> {
    /// `name`
    pub name: &'v str,
    /// `path`: where its configuration stands, relative to the file; for the caller to read.
    pub path: Option<&'v str>,
    /// `configuration`, which wins over `path`
    pub configuration: Option<&'v Value<'a>>,
}

/// `AdmissionConfiguration` of group `apiserver.config.k8s.io`: the plugins that it configures.
pub fn admission_configuration<'v, 'a>(
    file: &'v Value<'a>,
) -> Result<Vec<PluginConfiguration<'v, 'a>>, ConfigError> {
    read_admission_configuration(file).map_err(|error| error.behind("failed to read plugin config"))
}

fn read_admission_configuration<'v, 'a>(
    file: &'v Value<'a>,
) -> Result<Vec<PluginConfiguration<'v, 'a>>, ConfigError> {
    let root = object(file, &[])?;
    typed(file)?;
    let kind = file.text_at(&["kind"]);
    let api_version = file.text_at(&["apiVersion"]);
    let served = matches!(
        api_version,
        "apiserver.config.k8s.io/v1" | "apiserver.k8s.io/v1alpha1"
    );
    if kind != "AdmissionConfiguration" || !served {
        let key = if served { "kind" } else { "apiVersion" };
        return Err(ConfigError::new(
            &[Step::Key(key.to_owned())],
            format!("no kind {kind:?} is registered for version {api_version:?}"),
        ));
    }
    known_keys(root, &["apiVersion", "kind", "plugins"], &[], "")?;
    let mut plugins = Vec::new();
    for (index, plugin) in file.list_at(&["plugins"]).iter().enumerate() {
        let at = [Step::Key("plugins".to_owned()), Step::Index(index)];
        let entry = object(plugin, &at)?;
        let prefix = format!("plugins[{index}].");
        known_keys(entry, &["name", "path", "configuration"], &at, &prefix)?;
        plugins.push(PluginConfiguration {
            name: plugin.text_at(&["name"]),
            path: Some(plugin.text_at(&["path"])).filter(|path| !path.is_empty()),
            configuration: plugin
                .get("configuration")
                .filter(|c| !matches!(c, Value::Null)),
        });
    }
    Ok(plugins)
}

pub(crate) fn object<'v, 'a>(
    value: &'v Value<'a>,
    at: &[Step],
) -> Result<&'v Object<'a>, ConfigError> {
    value
        .as_object()
        .ok_or_else(|| ConfigError::new(at, "expected an object".to_owned()))
}

/// Refuses what does not say what it is (`NewMissingKindErrWithBody`, `NewMissingVersionErr`).
pub(crate) fn typed(value: &Value<'_>) -> Result<(), ConfigError> {
    for (key, name) in [("kind", "Kind"), ("apiVersion", "apiVersion")] {
        if value.text_at(&[key]).is_empty() {
            let message = format!("Object '{name}' is missing in '{}'", encode_untyped(value));
            return Err(ConfigError::new(&[], message));
        }
    }
    Ok(())
}

/// Refuses keys that are not among `known`, as strict decoding does.
pub(crate) fn known_keys(
    object: &Object<'_>,
    known: &[&str],
    at: &[Step],
    prefix: &str,
) -> Result<(), ConfigError> {
    for (key, _) in object.iter() {
        if !known.contains(&key) {
            let mut path = at.to_vec();
            path.push(Step::Key(key.to_owned()));
            return Err(ConfigError {
                path,
                message: format!(
                    "strict decoding error: unknown field {:?}",
                    format!("{prefix}{key}")
                ),
            });
        }
    }
    Ok(())
}

/// A step from an object to a value inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of an object.
    Key(String),
    /// An index of a list.
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, ".{key}"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Why a flag or a configuration is refused, in the server's words where it would refuse it too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// Where it stands: steps from the value that was handed in, so that a caller can tell the
    /// line.
    pub path: Vec<Step>,
    /// What is wrong.
    pub message: String,
}

impl ConfigError {
    pub(crate) fn new(path: &[Step], message: String) -> Self {
        Self {
            path: path.to_vec(),
            message,
        }
    }

    /// The same error with what the server says in front of it.
    pub(crate) fn behind(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

#[cfg(test)]
mod tests;
