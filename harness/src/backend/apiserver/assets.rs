//! Where the binaries of the control plane lie: `--assets`, `KUBEBUILDER_ASSETS`, or the `PATH`.
//!
//! A folder may hold one set of binaries, or a set for each version: setup-envtest keeps them in
//! `k8s/<version>-<os>-<arch>/`. What a set is for is said by its kube-apiserver, not by a name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use podgate_policy::Minor;

use crate::error::Error;

/// What to do where there are no binaries.
const GET: &str =
    "setup-envtest use VERSION fetches them; --assets or KUBEBUILDER_ASSETS names their folder";

/// The binaries of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// What kube-apiserver calls its version: `v1.36.2`.
    pub version: String,
    /// kube-apiserver.
    pub apiserver: PathBuf,
    /// etcd.
    pub etcd: PathBuf,
    /// kube-controller-manager of the same minor, where there is one.
    pub controller_manager: Option<PathBuf>,
}

/// All binaries that were found, by minor: the newest patch of each.
#[derive(Debug)]
pub struct Assets {
    /// Where they were looked for, as a person would say it.
    place: String,
    sets: BTreeMap<Minor, Binaries>,
    /// Why others that are there cannot be used. A run of minors that have theirs goes on without them.
    unusable: Vec<Error>,
}

impl Assets {
    /// Looks for binaries: in `folder`, else in the folder that `KUBEBUILDER_ASSETS` names, else on
    /// the `PATH`.
    pub fn find(folder: Option<&Path>) -> Result<Self, Error> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let path = variable("PATH").unwrap_or_default();
        let path: Vec<PathBuf> = std::env::split_paths(&path).map(|p| absolute(&p)).collect();
        let named = folder.map(|folder| (folder.to_owned(), "--assets"));
        let named = named.or_else(|| {
            let folder = PathBuf::from(variable("KUBEBUILDER_ASSETS")?);
            Some((folder, "KUBEBUILDER_ASSETS"))
        });
        match named {
            Some((folder, source)) => Self::in_folder(&absolute(&folder), source, path),
            None => Self::among("PATH".to_owned(), &path, &path),
        }
    }

    fn in_folder(folder: &Path, source: &str, path: Vec<PathBuf>) -> Result<Self, Error> {
        if !folder.is_dir() {
            let shown = folder.display();
            return Err(Error::environment(format!("{source}: {shown} is no folder")).hint(GET));
        }
        let mut candidates = vec![folder.to_owned()];
        for below in [folder.to_owned(), folder.join("k8s")] {
            candidates.extend(subfolders(&below));
        }
        let mut others = vec![folder.to_owned()];
        others.extend(path);
        Self::among(folder.display().to_string(), &candidates, &others)
    }

    /// The sets in `folders`. Where one has no etcd of its own it takes that of the first of `others`
    /// that has one.
    fn among(place: String, folders: &[PathBuf], others: &[PathBuf]) -> Result<Self, Error> {
        let mut sets: BTreeMap<Minor, Binaries> = BTreeMap::new();
        let mut unusable = Vec::new();
        for folder in folders {
            match set_in(folder, others) {
                Ok(None) => {}
                Ok(Some((minor, set))) => {
                    let known = sets.get(&minor);
                    if known.is_none_or(|known| patch(&known.version) < patch(&set.version)) {
                        sets.insert(minor, set);
                    }
                }
                Err(error) => unusable.push(error),
            }
        }
        if sets.is_empty() {
            return Err(match unusable.into_iter().next() {
                Some(error) => error,
                None => Error::environment(format!(
                    "there is no kube-apiserver of 1.20 to {} in {place}",
                    Minor::NEWEST
                ))
                .hint(GET),
            });
        }
        Ok(Self {
            place,
            sets,
            unusable,
        })
    }

    /// The binaries of `minor`.
    pub fn of_minor(&self, minor: Minor) -> Result<&Binaries, Error> {
        self.sets.get(&minor).ok_or_else(|| {
            let known: Vec<String> = self.sets.keys().map(ToString::to_string).collect();
            let mut message = format!("there is no kube-apiserver of {minor} in {}", self.place);
            // Which minor it would have been is not known.
            for error in &self.unusable {
                message = format!("{message}; {}", error.message());
            }
            Error::environment(message).hint(format!(
                "the ones there are of {}; setup-envtest use {minor} fetches one",
                known.join(", ")
            ))
        })
    }
}

/// The set whose kube-apiserver is in `folder`, if one is there and podgate knows its minor.
fn set_in(folder: &Path, others: &[PathBuf]) -> Result<Option<(Minor, Binaries)>, Error> {
    let apiserver = folder.join("kube-apiserver");
    if !apiserver.is_file() {
        return Ok(None);
    }
    let (Some(minor), version) = version_of(&apiserver)? else {
        return Ok(None);
    };
    let mut etcds = std::iter::once(folder).chain(others.iter().map(PathBuf::as_path));
    let etcd = etcds.find_map(|folder| Some(folder.join("etcd")).filter(|etcd| etcd.is_file()));
    let etcd = etcd.ok_or_else(|| {
        let shown = apiserver.display();
        Error::environment(format!(
            "there is no etcd beside {shown}, and none on the PATH"
        ))
        .hint(GET)
    })?;
    executable(&etcd)?;
    let manager = folder.join("kube-controller-manager");
    // One of another minor would not know this server, or not be known by it.
    let controller_manager = if manager.is_file() {
        (version_of(&manager)?.0 == Some(minor)).then_some(manager)
    } else {
        None
    };
    let set = Binaries {
        version,
        apiserver,
        etcd,
        controller_manager,
    };
    Ok(Some((minor, set)))
}

/// The programs run in a folder of their own.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn executable(program: &Path) -> Result<(), Error> {
    let shown = program.display();
    let metadata = fs::metadata(program)
        .map_err(|error| Error::environment(format!("cannot look at {shown}: {error}")))?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(Error::environment(format!("{shown} is not executable"))
            .hint(format!("chmod +x {shown}")));
    }
    Ok(())
}

/// What a program of Kubernetes calls its version, with the minor if podgate knows it.
fn version_of(program: &Path) -> Result<(Option<Minor>, String), Error> {
    executable(program)?;
    let shown = program.display();
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            let error_text = Error::environment(format!("cannot run {shown}: {error}"));
            match error.kind() {
                io::ErrorKind::PermissionDenied => error_text.hint(format!("chmod +x {shown}")),
                _ => error_text.hint("is it a program for this machine?"),
            }
        })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().strip_prefix("Kubernetes ").unwrap_or_default();
    let Some((minor, version)) = parsed(version) else {
        return Err(Error::environment(format!(
            "{shown} --version says no version of Kubernetes: {}",
            text.lines().next().unwrap_or_default()
        ))
        .hint("a build without its version cannot be told from others: take a released one"));
    };
    Ok((minor, version.to_owned()))
}

/// `v1.36.2` and what follows it; `None` where that is no version.
fn parsed(version: &str) -> Option<(Option<Minor>, &str)> {
    let numbers = version.strip_prefix("v1.")?;
    let minor: u8 = numbers.split('.').next()?.parse().ok()?;
    Some((Minor::all().find(|known| known.number() == minor), version))
}

/// The number of the patch: 14 of `v1.30.14`.
fn patch(version: &str) -> u32 {
    let last = version.split('.').nth(2).unwrap_or_default();
    let digits: String = last.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}
