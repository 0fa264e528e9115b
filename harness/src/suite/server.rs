//! The configuration of the API server that a cluster file asks for: flags, gates and the
//! `AdmissionConfiguration`. Mistakes are told in the server's words, with the user's file and line,
//! before anything starts.

use std::path::Path;

use podgate_admission::config::{ConfigError, Server, Step, admission_configuration};
use podgate_admission::decode::decode_untyped;
use podgate_admission::value::Value;
use podgate_manifest::{Document, Segment};
use podgate_policy::Minor;

use super::cluster::Cluster;
use super::read;
use crate::error::Error;

impl Cluster {
    /// The minors that the cluster is for: those that its file names, or those where all its plugins
    /// exist.
    pub fn minors(&self) -> Result<Vec<Minor>, Error> {
        if let Some(range) = self.kubernetes {
            return Ok(range.minors().collect());
        }
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
        server
            .disable_admission_plugins(
                self.flags
                    .disable_admission_plugins
                    .iter()
                    .map(String::as_str),
            )
            .map_err(|e| self.flag_error("disableAdmissionPlugins", &e))?;
        server
            .enable_admission_plugins(
                self.flags
                    .enable_admission_plugins
                    .iter()
                    .map(String::as_str),
            )
            .map_err(|e| self.flag_error("enableAdmissionPlugins", &e))?;
        for (gate, on) in &self.flags.feature_gates {
            server
                .set_feature_gate(gate, *on)
                .map_err(|e| self.flag_error("featureGates", &e))?;
        }
        if let Some((document, folder)) = &self.admission {
            configure(&mut server, document, folder)?;
        }
        Ok(server)
    }

    fn flag_error(&self, flag: &str, error: &ConfigError) -> Error {
        let mut path: Vec<Segment> = ["spec", "apiServer", flag].map(Segment::from).to_vec();
        path.extend(error.path.iter().map(segment));
        let hint = "spec.kubernetes says which versions the cluster is for".to_owned();
        self.head
            .error_at(&path, true, error.message.clone(), Some(hint))
            .into()
    }
}

/// Reads an `AdmissionConfiguration`; a plugin's `path:` is relative to `folder`.
fn configure(server: &mut Server, document: &Document, folder: &Path) -> Result<(), Error> {
    let body = document.body();
    let file = parse(&body, document)?;
    let plugins = admission_configuration(&file).map_err(|e| at(document, &[], &e))?;
    for (index, plugin) in plugins.iter().enumerate() {
        if let Some(configuration) = plugin.configuration {
            let base = [
                Segment::from("plugins"),
                index.into(),
                "configuration".into(),
            ];
            server
                .configure_plugin(plugin.name, configuration)
                .map_err(|e| at(document, &base, &e))?;
        } else if let Some(path) = plugin.path {
            let path = folder.join(path);
            let documents = read::documents(&path)?;
            let Some(own) = documents.first() else {
                continue;
            };
            let body = own.body();
            let configuration = parse(&body, own)?;
            server
                .configure_plugin(plugin.name, &configuration)
                .map_err(|e| at(own, &[], &e))?;
        }
    }
    Ok(())
}

fn parse<'a>(body: &'a str, document: &Document) -> Result<Value<'a>, Error> {
    decode_untyped(body.as_bytes())
        .map_err(|error| document.error_at(&[], true, error.to_string(), None).into())
}

fn at(document: &Document, base: &[Segment], error: &ConfigError) -> Error {
    let mut path = base.to_vec();
    path.extend(error.path.iter().map(segment));
    document
        .error_at(&path, false, error.message.clone(), None)
        .into()
}

fn segment(step: &Step) -> Segment {
    match step {
        Step::Key(key) => Segment::from(key.as_str()),
        Step::Index(index) => Segment::from(*index),
    }
}
