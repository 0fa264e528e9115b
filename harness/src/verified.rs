//! Which real servers confirmed which snapshots: `verified.yaml` beside them, which `podgate verify`
//! writes and `podgate test` tells from.
//!
//! What was confirmed is tied to what the snapshots said then. Each has a digest of what it records
//! for the minors that were asked, so that one that changed since counts no more, while a change to
//! other minors takes nothing away. Servers and lists carry a seal, so that a version or a date
//! that somebody wrote in by hand counts for nothing either.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use podgate_manifest::Source;
use podgate_policy::Minor;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::Digest;
use crate::error::Error;
use crate::outcome::{Outcome, Stage, Verdict};
use crate::snapshot::{Outcomes, Store, StoreError};

/// What `verified.yaml` says, as far as its seals hold.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    servers: BTreeMap<Version, Asked>,
    /// By cluster and scenario.
    snapshots: BTreeMap<(String, String), Confirmed>,
    /// What was changed by hand, and is left out for that: `1.36.2`, `psa-baseline`.
    pub edited: Vec<String>,
}

/// The version of a real server: `1.36.2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    minor: Minor,
    patch: u32,
    text: String,
}

/// When and how a real server was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    backend: String,
    date: String,
}

/// What stands about one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Confirmed {
    /// One server at most of each minor.
    on: BTreeSet<Version>,
    /// Of what the snapshot says about those minors.
    digest: Digest,
}

/// What is known of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The servers that confirmed it as it is now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Version>,
    /// Whether real servers confirmed something else than it says now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
}

impl Confirmation {
    /// Whether no real server ever confirmed it.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.on.is_empty() && !self.stale
    }
}

impl Version {
    /// Its minor.
    #[must_use]
    pub const fn minor(&self) -> Minor {
        self.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A text that names no version of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version of a server that podgate knows")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    /// Reads `1.36.2`, and `v1.36.2` as `/version` has it.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.to_owned());
        let text = text.strip_prefix('v').unwrap_or(text);
        let numbers = text.strip_prefix("1.").ok_or_else(wrong)?;
        let (minor, patch) = numbers.split_once('.').ok_or_else(wrong)?;
        let digits = patch.find(|c: char| !c.is_ascii_digit());
        let patch = &patch[..digits.unwrap_or(patch.len())];
        Ok(Self {
            minor: format!("1.{minor}").parse().map_err(|_| wrong())?,
            patch: patch.parse().map_err(|_| wrong())?,
            text: text.to_owned(),
        })
    }
}

impl Verified {
    /// Where it stands.
    #[must_use]
    pub fn file(store: &Store) -> PathBuf {
        store.root().join("verified.yaml")
    }

    /// Reads what stands beside the snapshots; where nothing does, nothing was confirmed.
    pub fn load(store: &Store) -> Result<Self, Error> {
        let file = Self::file(store);
        if !file.is_file() {
            return Ok(Self::default());
        }
        Self::read(&Source::open(&file)?).map_err(|error| {
            error.or_hint("podgate verify writes this file: remove it, and let verify ask again")
        })
    }

    fn read(source: &Source) -> Result<Self, Error> {
        let documents = podgate_manifest::read_documents(source).collect::<Result<Vec<_>, _>>()?;
        let [document] = documents.as_slice() else {
            let name = source.name();
            return Err(Error::input(format!(
                "{name}: there is not one document in it"
            )));
        };
        let file: File = podgate_manifest::from_document(document)?;
        let mut verified = Self::default();
        for entry in file.servers {
            let asked = Asked {
                backend: entry.backend,
                date: entry.date,
            };
            match entry.version.parse::<Version>() {
                Ok(version) if asked.seal(&version).to_string() == entry.seal => {
                    verified.servers.insert(version, asked);
                }
                _ => verified.edited.push(entry.version),
            }
        }
        for list in file.snapshots {
            match list.read() {
                Some(read) => verified.add(&list.cluster, read),
                None => verified.edited.push(list.cluster),
            }
        }
        Ok(verified)
    }

    /// Takes in a list of a cluster whose seal holds. Servers that are left out count for nothing.
    fn add(&mut self, cluster: &str, (on, digests): ReadList) {
        if !on.iter().all(|version| self.servers.contains_key(version)) {
            self.edited.push(cluster.to_owned());
            return;
        }
        for (scenario, digest) in digests {
            let confirmed = Confirmed {
                on: on.clone(),
                digest,
            };
            self.snapshots
                .insert((cluster.to_owned(), scenario), confirmed);
        }
    }

    /// Whether a real server ever confirmed a snapshot; only then it has to be read.
    #[must_use]
    pub fn knows(&self, cluster: &str, scenario: &str) -> bool {
        self.get(cluster, scenario).is_some()
    }

    fn get(&self, cluster: &str, scenario: &str) -> Option<&Confirmed> {
        self.snapshots
            .get(&(cluster.to_owned(), scenario.to_owned()))
    }

    /// What is known of the snapshot of `scenario` on `cluster`, which records `recorded`.
    #[must_use]
    pub fn confirmation(&self, cluster: &str, scenario: &str, recorded: &Outcomes) -> Confirmation {
        let Some(confirmed) = self.get(cluster, scenario) else {
            return Confirmation::default();
        };
        if confirmed.digest != digest(recorded, &confirmed.on) {
            return Confirmation {
                on: Vec::new(),
                stale: true,
            };
        }
        Confirmation {
            on: confirmed.on.iter().cloned().collect(),
            stale: false,
        }
    }

    /// Notes what real servers of the versions `on` answered about a snapshot. Those confirm it
    /// whose answers are, each to the letter, what it records, and nothing of them undecided.
    /// What servers of other minors confirmed stays, if the snapshot still says it.
    pub fn confirm(
        &mut self,
        cluster: &str,
        scenario: &str,
        recorded: &Outcomes,
        observed: &Outcomes,
        on: &BTreeMap<Minor, Version>,
    ) {
        let mut confirmed = self.confirmation(cluster, scenario, recorded).on;
        confirmed.retain(|version| !observed.contains_key(&version.minor));
        let confirms = |minor: &Minor| {
            let (Some(recorded), Some(observed)) = (recorded.get(minor), observed.get(minor))
            else {
                return false;
            };
            let decided = |stage: &Stage| !stage.verdict.is_undecided();
            let decided = |outcome: &Outcome| {
                decided(&outcome.own) && outcome.pods.as_ref().is_none_or(decided)
            };
            observed.iter().all(decided) && slice(recorded) == slice(observed)
        };
        let asked = on.iter().filter(|(minor, _)| confirms(minor));
        confirmed.extend(asked.map(|(_, version)| version.clone()));
        let key = (cluster.to_owned(), scenario.to_owned());
        if confirmed.is_empty() {
            self.snapshots.remove(&key);
            return;
        }
        let on: BTreeSet<Version> = confirmed.into_iter().collect();
        let digest = digest(recorded, &on);
        self.snapshots.insert(key, Confirmed { on, digest });
    }

    /// Notes that a server of that version was asked: by which backend, on which day.
    pub fn asked(&mut self, version: Version, backend: &str, date: &str) {
        let asked = Asked {
            backend: backend.to_owned(),
            date: date.to_owned(),
        };
        self.servers.insert(version, asked);
    }

    /// Leaves out what is said of snapshots that are not there any more.
    pub fn retain(&mut self, is_there: impl Fn(&str, &str) -> bool) {
        self.snapshots
            .retain(|(cluster, scenario), _| is_there(cluster, scenario));
    }

    /// How many snapshots a real server confirmed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// Whether no real server confirmed anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }

    /// Writes it beside the snapshots, or removes what is there if there is nothing to say.
    pub fn save(&self, store: &Store) -> Result<(), StoreError> {
        store.write_beside(&Self::file(store), &self.text())
    }

    /// The file.
    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        let used: BTreeSet<&Version> = self.snapshots.values().flat_map(|c| &c.on).collect();
        let servers = self.servers.iter();
        for (version, asked) in servers.filter(|(version, _)| used.contains(version)) {
            let seal = asked.seal(version);
            let Asked { backend, date } = asked;
            let _ = writeln!(
                text,
                "- {{version: {version}, backend: {backend}, date: \"{date}\", seal: \"{seal}\"}}"
            );
        }
        text.push_str("snapshots:\n");
        // Most scenarios of a cluster were confirmed by the same servers.
        let mut lists: BTreeMap<_, Vec<(&str, Digest)>> = BTreeMap::new();
        for ((cluster, scenario), confirmed) in &self.snapshots {
            let list = lists.entry((cluster.as_str(), &confirmed.on)).or_default();
            list.push((scenario, confirmed.digest));
        }
        for ((cluster, on), digests) in lists {
            let of_list = seal(cluster, on, digests.iter().copied());
            let on: Vec<&str> = on.iter().map(|version| version.text.as_str()).collect();
            let _ = writeln!(
                text,
                "- cluster: {cluster:?}\n  servers: [{}]\n  seal: \"{of_list}\"\n  digests:",
                on.join(", ")
            );
            for (scenario, digest) in digests {
                let _ = writeln!(text, "    {scenario:?}: \"{digest}\"");
            }
        }
        text
    }
}

const HEAD: &str = "\
# Which real servers confirmed which snapshots. Written by podgate verify, which asks them; podgate test
# tells from it. A digest is of what a snapshot says about the minors of the servers: one that changed
# since counts no more. So does what is edited here by hand: the seals tell.
apiVersion: podgate.dev/v1alpha1
kind: Verified
servers:
";

/// Of what a snapshot records for the minors of some servers.
fn digest(recorded: &Outcomes, on: &BTreeSet<Version>) -> Digest {
    let mut digest = Digest::default();
    for version in on {
        digest.add(&version.minor.to_string());
        // A minor that is not recorded any more is no empty one.
        match recorded.get(&version.minor) {
            Some(outcomes) => digest.add_digest(slice(outcomes)),
            None => digest.add("absent"),
        }
    }
    digest
}

/// Of the outcomes on one minor: all that a snapshot records of them, in any order.
fn slice(outcomes: &[Outcome]) -> Digest {
    let mut digests: Vec<Digest> = outcomes.iter().map(of_outcome).collect();
    digests.sort_unstable();
    let mut digest = Digest::default();
    for outcome in digests {
        digest.add_digest(outcome);
    }
    digest
}

fn of_outcome(outcome: &Outcome) -> Digest {
    let mut digest = Digest::default();
    if let Some(step) = &outcome.step {
        digest.add(&step.number.to_string());
        digest.add(&step.label);
    }
    digest.add(&outcome.object);
    digest.add(outcome.action.as_str());
    add_stage(&mut digest, &outcome.own);
    if let Some(pods) = &outcome.pods {
        digest.add("pods");
        add_stage(&mut digest, pods);
    }
    digest
}

fn add_stage(digest: &mut Digest, stage: &Stage) {
    digest.add(&stage.requester);
    match &stage.verdict {
        Verdict::Admitted => digest.add("admitted"),
        Verdict::Undecided { reason } => {
            digest.add("undecided");
            digest.add(reason);
        }
        Verdict::Rejected(rejection) => {
            digest.add("rejected");
            digest.add(&rejection.code.to_string());
            digest.add(rejection.by.as_str());
            digest.add(&rejection.checks.join(" "));
            digest.add(&rejection.message);
        }
    }
    if let Some(applied) = &stage.psp {
        digest.add("policy");
        digest.add(&applied.policy);
        digest.add(if applied.only_by_masters {
            "masters"
        } else {
            ""
        });
        for change in &applied.changes {
            digest.add(&change.to_string());
        }
    }
    for warning in &stage.warnings {
        digest.add("warning");
        digest.add(warning);
    }
}

impl Asked {
    fn seal(&self, version: &Version) -> Digest {
        let mut seal = Digest::default();
        for text in [&version.text, &self.backend, &self.date] {
            seal.add(text);
        }
        seal
    }
}

fn seal<'a>(
    cluster: &str,
    on: &BTreeSet<Version>,
    digests: impl Iterator<Item = (&'a str, Digest)>,
) -> Digest {
    let mut seal = Digest::default();
    seal.add(cluster);
    for version in on {
        seal.add(&version.text);
    }
    for (scenario, digest) in digests {
        seal.add(scenario);
        seal.add_digest(digest);
    }
    seal
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    servers: Vec<ServerEntry>,
    #[serde(default)]
    snapshots: Vec<List>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerEntry {
    version: String,
    backend: String,
    date: String,
    seal: String,
}

/// The scenarios of a cluster that the same servers confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    cluster: String,
    servers: Vec<String>,
    seal: String,
    digests: BTreeMap<String, String>,
}

/// The servers of a list, and the scenarios with their digests.
type ReadList = (BTreeSet<Version>, Vec<(String, Digest)>);

impl List {
    /// What it says, if its seal holds.
    fn read(&self) -> Option<ReadList> {
        let on = self.servers.iter().map(|version| version.parse().ok());
        let on = on.collect::<Option<BTreeSet<Version>>>()?;
        let digests = self.digests.iter();
        let digests = digests.map(|(scenario, digest)| {
            let digest = digest.parse::<Digest>().ok()?;
            Some((scenario.clone(), digest))
        });
        let digests = digests.collect::<Option<Vec<_>>>()?;
        let texts = digests
            .iter()
            .map(|(scenario, digest)| (scenario.as_str(), *digest));
        let sealed = seal(&self.cluster, &on, texts).to_string() == self.seal;
        sealed.then_some((on, digests))
    }
}

#[cfg(test)]
mod tests;
