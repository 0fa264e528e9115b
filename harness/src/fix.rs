//! The smallest change that makes manifests pass: what `podgate fix` asks for.
//!
//! Which fields are set, and which are left to whoever knows the program, is said beside the checks
//! (`podgate_policy::remedy`); where they are written, and that nothing else changes, is seen to by
//! `podgate_manifest::edit`; and what comes out is judged again as `podgate check` judges it. An
//! object is changed whole or not at all: where the result would still be rejected, it stays as it
//! is, with the reasons.

mod diff;
mod given;
mod object;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

pub use diff::unified;
pub use object::{FixedField, Outcome};
use podgate_admission::plugins::Plugin;
use podgate_manifest::edit::{self, Change};
use podgate_manifest::{Input, Source, WalkOptions, read_documents};
use podgate_policy::Server;

use crate::check::{self, Entry, Judges, Options, Place};
use crate::error::Error;
use crate::suite::Manifest;

/// What tools of Windows put in front of UTF-8.
const MARK: &str = "\u{FEFF}";

/// A file of the input, and what becomes of it.
#[derive(Debug)]
pub struct File {
    /// Where it was read from.
    pub origin: Origin,
    /// Its text; empty where it cannot be read.
    pub before: String,
    /// Its text with every object fixed that can be.
    pub after: String,
    /// What became of its objects, in order.
    pub objects: Vec<Object>,
    /// What cannot be read in it.
    pub unreadable: Vec<Error>,
}

/// Where a text was read from.
#[derive(Debug)]
pub enum Origin {
    /// Standard input.
    Stdin,
    /// A file, which can be changed.
    File(PathBuf),
    /// A chart or a kustomization, by its name: what was rendered from it is in no file.
    Rendered(String),
}

/// A pod or a workload, and what becomes of it.
#[derive(Debug)]
pub struct Object {
    /// Where it stands.
    pub place: Place,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// Fixes every pod and workload that `options` names, in memory: nothing is written.
///
/// An error says that nothing can be fixed by these options: there is no policy to meet, or one that
/// is not of Pod Security.
pub fn fix(options: &Options) -> Result<Vec<File>, Error> {
    check_targets(options)?;
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    let walk = WalkOptions {
        recursive: options.recursive,
        ..WalkOptions::default()
    };
    for input in podgate_manifest::walk(&options.files, walk) {
        match input {
            Ok(input) if is_new(&input, &mut seen) => files.push(Read::of(input)),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for source in &options.rendered {
        files.push(Read::rendered(source));
    }
    let manifests = || files.iter().flat_map(|file| &file.entries);
    let judged: Vec<&Manifest> = manifests().filter_map(Entry::judged).collect();
    let mut context: Vec<Manifest> = manifests().filter_map(Entry::context).cloned().collect();
    context.extend(given::by(&judged, &context, &options.namespace));
    let servers = Judges::new(options, &judged, &context)?;
    let fixed = files.into_iter().map(|file| file.fixed(&servers, options));
    Ok(fixed.collect())
}

/// Refuses servers whose pods are not judged by Pod Security, or by something else as well that
/// changes pods.
fn check_targets(options: &Options) -> Result<(), Error> {
    for target in &options.targets {
        let minor = target.minor;
        let config = match &target.cluster {
            Some(cluster) => cluster.server(minor)?,
            None => podgate_admission::config::Server::new(minor),
        };
        if config.has(Plugin::PodSecurityPolicy) {
            return Err(Error::input(format!(
                "the cluster judges pods by PodSecurityPolicy on Kubernetes {minor}, and a manifest can be fixed for a \
                 level of Pod Security only"
            ))
            .hint("a PodSecurityPolicy fills fields in by itself: podgate check says which; fix for what comes after it, \
                   like --enforce restricted --kubernetes 1.25"));
        }
        if !config.has(Plugin::PodSecurity) || !Server::new(minor).has_pod_security() {
            return Err(Error::input(format!(
                "Pod Security does not judge pods there on Kubernetes {minor}, so there is no level to fix for"
            ))
            .hint("it is on by default since 1.23: name a newer version with --kubernetes"));
        }
    }
    Ok(())
}

/// Whether an input was not named before, by this or another path.
fn is_new(input: &Input, seen: &mut BTreeSet<PathBuf>) -> bool {
    match input {
        Input::Stdin => true,
        Input::Named(path) | Input::Found(path) => {
            seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
        }
    }
}

/// A text that was read.
struct Read {
    origin: Origin,
    /// Whether it was named itself, rather than a folder that holds it.
    named: bool,
    /// The byte order mark, where it has one.
    mark: &'static str,
    source: Option<Source>,
    entries: Vec<Entry>,
}

impl Read {
    fn of(input: Input) -> Self {
        let named = input.is_named();
        let is_json_lines = input.is_json_lines();
        let (origin, file) = match input {
            Input::Stdin => (Origin::Stdin, Source::STDIN.to_owned()),
            Input::Named(path) | Input::Found(path) => {
                let file = path.display().to_string();
                (Origin::File(path), file)
            }
        };
        let mut read = Self {
            origin,
            named,
            mark: "",
            source: None,
            entries: Vec::new(),
        };
        if let Err(error) = read.open(&file, is_json_lines) {
            read.entries.push(check::unreadable(error));
        }
        read
    }

    /// Reads the text, unless it is one that cannot be changed.
    fn open(&mut self, file: &str, is_json_lines: bool) -> Result<(), podgate_manifest::Error> {
        let refused = |why: String, hint: Option<&str>| {
            podgate_manifest::Error::of_file(file, why, hint.map(str::to_owned))
        };
        if is_json_lines {
            let hint = "they are records of what was applied: fix what they were made from";
            return Err(refused("JSON Lines are not changed".to_owned(), Some(hint)));
        }
        let mut bytes = Vec::new();
        let read = match &self.origin {
            Origin::File(path) => fs::read(path).map(|read| bytes = read),
            _ => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
        };
        read.map_err(|error| refused(format!("cannot be read: {error}"), None))?;
        let source = Source::new(file, &bytes);
        let mark = if bytes.starts_with(MARK.as_bytes()) {
            MARK
        } else {
            ""
        };
        if bytes.strip_prefix(mark.as_bytes()) != Some(source.text().as_bytes()) {
            let why = "it is not written in UTF-8, and is not changed".to_owned();
            return Err(refused(why, Some("save it as UTF-8 first")));
        }
        self.entries = entries(&source, self.named);
        self.mark = mark;
        self.source = Some(source);
        Ok(())
    }

    /// What a chart or a kustomization was rendered to.
    fn rendered(source: &Source) -> Self {
        Self {
            origin: Origin::Rendered(source.name().to_owned()),
            named: true,
            mark: "",
            entries: entries(source, true),
            source: Some(source.clone()),
        }
    }

    fn fixed(self, judges: &Judges, options: &Options) -> File {
        let manifests: Vec<&Manifest> = self.entries.iter().filter_map(Entry::judged).collect();
        let mut outcomes: Vec<(Outcome, Vec<Change>)> = Vec::new();
        if let Some(source) = &self.source {
            let one = |manifest: &&Manifest| object::plan(manifest, source, judges, options);
            outcomes = manifests.iter().map(one).collect();
        }
        let after = loop {
            let changes: Vec<Change> = outcomes
                .iter()
                .flat_map(|(_, changes)| changes)
                .cloned()
                .collect();
            let Some(source) = self.source.as_ref().filter(|_| !changes.is_empty()) else {
                break self
                    .source
                    .as_ref()
                    .map_or(String::new(), |source| source.text().to_owned());
            };
            let after = edit::apply(source.text(), &changes);
            let second = Source::new(source.name(), after.as_str());
            let read = entries(&second, self.named);
            let read: Vec<&Manifest> = read.iter().filter_map(Entry::judged).collect();
            let mut all_admitted = true;
            for (index, (outcome, changes)) in outcomes.iter_mut().enumerate() {
                if changes.is_empty() {
                    continue;
                }
                let refused = match read.get(index).filter(|_| read.len() == manifests.len()) {
                    Some(after) => object::still_rejected(manifests[index], after, judges),
                    None => Some(object::unproved(manifests[index])),
                };
                if let Some(refused) = refused {
                    *outcome = refused;
                    changes.clear();
                    all_admitted = false;
                }
            }
            if all_admitted {
                break after;
            }
        };
        let objects = manifests
            .iter()
            .zip(outcomes)
            .map(|(manifest, (outcome, _))| Object {
                place: Place::of(&manifest.document, manifest.reference()),
                outcome,
            });
        let objects = objects.collect();
        let unreadable = self.entries.into_iter().filter_map(|entry| match entry {
            Entry::Unreadable(error, _) => Some(error),
            Entry::Context(_) | Entry::Judged(_) | Entry::NotJudged(_) => None,
        });
        let unreadable = unreadable.collect();
        let before = self.source.as_ref().map_or("", Source::text);
        File {
            origin: self.origin,
            before: format!("{}{before}", self.mark),
            after: format!("{}{after}", self.mark),
            objects,
            unreadable,
        }
    }
}

fn entries(source: &Source, named: bool) -> Vec<Entry> {
    let mut entries = Vec::new();
    let file = check::File {
        name: source.name(),
        named,
        templates: &[],
    };
    check::take(file, read_documents(source), &mut entries);
    entries
}

#[cfg(test)]
mod tests;
