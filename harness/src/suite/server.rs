//! The configuration of the API server that a cluster file asks for: flags, gates and the
//! `AdmissionConfiguration`. Mistakes are told in the server's words, with the user's file and line,
//! before anything starts.

use std::path::Path;

use podgate_admission::config::{ConfigError, Server, Step, admission_configuration};
use podgate_admission::decode::decode_untyped;
use podgate_admission::plugins::Plugin;
use podgate_admission::resource;
use podgate_admission::value::Value;
use podgate_manifest::{Document, Segment, nearest_name};
use podgate_policy::Minor;

use super::cluster::{Cluster, Flags};
use super::read;
use crate::error::Error;

/// An `AdmissionConfiguration` with the files that its plugins name.
#[derive(Clone, Debug)]
pub struct Admission {
    document: Document,
    body: String,
    /// The plugins whose configuration stands in a file of its own: their index, the file's first
    /// document, and its body.
    files: Vec<(usize, Document, String)>,
}

impl Admission {
    /// Reads the files that `document` names, relative to `folder`.
    pub(super) fn load(document: Document, folder: &Path) -> Result<Self, Error> {
        let body = document.body().into_owned();
        let mut files = Vec::new();
        let configuration = parse(&body, &document)?;
        let plugins = admission_configuration(&configuration).map_err(|e| {
            refused(
                &document,
                &[],
                &e,
                "the file that ships has to read like this one",
            )
        })?;
        for (index, plugin) in plugins.iter().enumerate() {
            // `configuration` wins over `path`.
            let Some(path) = plugin.path.filter(|_| plugin.configuration.is_none()) else {
                continue;
            };
            let path = folder.join(path);
            read::referenced(&document, &format!("plugins[{index}].path"), &path)?;
            let own = read::first(&path)?;
            let body = own.body().into_owned();
            files.push((index, own, body));
        }
        Ok(Self {
            document,
            body,
            files,
        })
    }

    /// The files that configure a real server like this: names and bodies in JSON, the
    /// `AdmissionConfiguration` first. It names the others relative to its own folder.
    pub fn files(&self) -> Result<Vec<(String, String)>, Error> {
        let mut configuration: serde_json::Value = serde_json::from_str(&self.body)
            .map_err(|error| self.document.error_at(&[], true, error.to_string(), None))?;
        let mut files = Vec::new();
        for (index, _, body) in &self.files {
            let name = format!("plugin-{index}.json");
            configuration["plugins"][*index]["path"] = name.as_str().into();
            files.push((name, body.clone()));
        }
        files.insert(0, ("admission.json".to_owned(), configuration.to_string()));
        Ok(files)
    }

    /// Whether a server cannot tell the two apart.
    fn is_same(&self, other: &Self) -> bool {
        fn bodies(admission: &Admission) -> impl Iterator<Item = (usize, &str)> {
            let files = admission.files.iter();
            files.map(|(index, _, body)| (*index, body.as_str()))
        }
        // Where they lie, and in whose file, makes no difference.
        let paths = |admission: &Admission| {
            let mut body: serde_json::Value = serde_json::from_str(&admission.body).ok()?;
            for (index, ..) in &admission.files {
                body["plugins"][*index]["path"] = serde_json::Value::Null;
            }
            Some(body)
        };
        paths(self) == paths(other) && bodies(self).eq(bodies(other))
    }

    fn configure(&self, server: &mut Server) -> Result<(), Error> {
        let hint = format!(
            "kube-apiserver {} would not start with this configuration",
            server.minor()
        );
        let file = parse(&self.body, &self.document)?;
        let plugins =
            admission_configuration(&file).map_err(|e| refused(&self.document, &[], &e, &hint))?;
        for (index, plugin) in plugins.iter().enumerate() {
            // Of two configurations of a plugin the server takes the first (`configProvider.ConfigFor`).
            if plugins[..index]
                .iter()
                .any(|other| other.name == plugin.name)
            {
                continue;
            }
            let base = |key: &str| [Segment::from("plugins"), index.into(), key.into()];
            if !Plugin::by_name(plugin.name).is_some_and(|known| known.exists_in(server.minor())) {
                let message = format!("admission plugin {:?} is unknown", plugin.name);
                let hint = nearest_plugin(plugin.name, server.minor()).unwrap_or(hint);
                let error = self
                    .document
                    .error_at(&base("name"), true, message, Some(hint));
                return Err(error.into());
            }
            let own = self.files.iter().find(|(at, ..)| *at == index);
            if let Some(configuration) = plugin.configuration {
                server
                    .configure_plugin(plugin.name, configuration)
                    .map_err(|e| refused(&self.document, &base("configuration"), &e, &hint))?;
            } else if let Some((_, document, body)) = own {
                let configuration = parse(body, document)?;
                server
                    .configure_plugin(plugin.name, &configuration)
                    .map_err(|e| refused(document, &[], &e, &hint))?;
            }
        }
        Ok(())
    }
}

impl Cluster {
    /// Whether one API server does for both: they ask for the same flags and the same admission
    /// configuration, and neither brings objects that would be there for the other.
    #[must_use]
    pub fn shares_server_with(&self, other: &Self) -> bool {
        let flags = |cluster: &Self| Flags {
            admission_control_config_file: None,
            ..cluster.flags.clone()
        };
        let admission = match (&self.admission, &other.admission) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_same(other),
            _ => false,
        };
        admission
            && flags(self) == flags(other)
            && !self.brings_shared_objects()
            && !other.brings_shared_objects()
    }

    /// Whether some of its objects are not in the namespaces of scenarios alone.
    fn brings_shared_objects(&self) -> bool {
        self.objects.iter().any(|manifest| {
            let served = |minor| resource::by_kind(manifest.api_version(), manifest.kind(), minor);
            // A kind that nobody knows may be anything.
            let namespaced = Minor::all().find_map(served).is_some_and(|r| r.namespaced);
            !namespaced || manifest.document.namespace().is_some()
        })
    }

    /// The minors where all its plugins and gates exist.
    pub(super) fn possible_minors(&self) -> Result<Vec<Minor>, Error> {
        let mut minors: Vec<Minor> = Vec::new();
        let mut refusal = None;
        for minor in Minor::all() {
            match self.server(minor) {
                Ok(_) => minors.push(minor),
                Err(error) => refusal = Some(error),
            }
        }
        match (minors.is_empty(), refusal) {
            (true, Some(error)) => Err(error),
            _ => Ok(minors),
        }
    }

    /// The server of `minor` with the cluster's configuration.
    pub fn server(&self, minor: Minor) -> Result<Server, Error> {
        let mut server = Server::new(minor);
        server.rules = self.rules;
        server
            .disable_admission_plugins(names(&self.flags.disable_admission_plugins))
            .map_err(|e| self.plugin_error("disableAdmissionPlugins", minor, &e))?;
        server
            .enable_admission_plugins(names(&self.flags.enable_admission_plugins))
            .map_err(|e| self.plugin_error("enableAdmissionPlugins", minor, &e))?;
        for (gate, on) in &self.flags.feature_gates {
            server.set_feature_gate(gate, *on).map_err(|e| {
                let hint = "leave it out where it does not matter for admission; spec.kubernetes says which \
                    versions the cluster is for";
                self.flag_error("featureGates", &e, hint)
            })?;
        }
        if let Some(admission) = &self.admission {
            admission.configure(&mut server)?;
        }
        Ok(server)
    }

    fn plugin_error(&self, flag: &str, minor: Minor, error: &ConfigError) -> Error {
        let flags = [
            &self.flags.enable_admission_plugins,
            &self.flags.disable_admission_plugins,
        ];
        let names = flags[usize::from(flag != "enableAdmissionPlugins")];
        let name = match error.path.first() {
            Some(Step::Index(at)) => names.get(*at).map_or("", String::as_str),
            _ => "",
        };
        let hint = match Plugin::by_name(name) {
            None => nearest_plugin(name, minor),
            Some(plugin) if plugin.exists_in(minor) => Some(
                "a plugin that is ignored could admit what the cluster rejects: leave it out only if it does not \
                 matter here"
                    .to_owned(),
            ),
            Some(_) => None,
        };
        let hint = hint
            .unwrap_or_else(|| "spec.kubernetes says which versions the cluster is for".to_owned());
        self.flag_error(flag, error, &hint)
    }

    fn flag_error(&self, flag: &str, error: &ConfigError, hint: &str) -> Error {
        refused(
            &self.head,
            &["spec", "apiServer", flag].map(Segment::from),
            error,
            hint,
        )
    }
}

fn names(plugins: &[String]) -> impl Iterator<Item = &str> {
    plugins.iter().map(String::as_str)
}

fn nearest_plugin(name: &str, minor: Minor) -> Option<String> {
    let known = Plugin::all().filter(|plugin| plugin.exists_in(minor));
    let nearest = nearest_name(name, known.map(Plugin::name))?;
    Some(format!("did you mean `{nearest}`?"))
}

fn parse<'a>(body: &'a str, document: &Document) -> Result<Value<'a>, Error> {
    decode_untyped(body.as_bytes())
        .map_err(|error| document.error_at(&[], true, error.to_string(), None).into())
}

/// An error of the server at the value that it is about.
fn refused(document: &Document, base: &[Segment], error: &ConfigError, hint: &str) -> Error {
    let mut path = base.to_vec();
    path.extend(error.path.iter().map(segment));
    // A field that is unknown is told at its name, a value that is wrong at itself.
    let at_value = !error.message.contains("unknown field");
    // What admission knows to do about it is the better advice.
    let (message, hint) = error
        .message
        .split_once("\nhint: ")
        .unwrap_or((&error.message, hint));
    document
        .error_at(&path, at_value, message.to_owned(), Some(hint.to_owned()))
        .into()
}

fn segment(step: &Step) -> Segment {
    match step {
        Step::Key(key) => Segment::from(key.as_str()),
        Step::Index(index) => Segment::from(*index),
    }
}
