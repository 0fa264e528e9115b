//! The kubeconfig of a server as a file: it comes and goes with the server, is nobody else's to read,
//! and takes the place of no file of the user's.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use podgate_apiserver::serve::Access;
use podgate_harness::error::Error;
use podgate_manifest::{Source, from_document, read_documents};
use serde::Deserialize;
use tempfile::{NamedTempFile, TempDir};

/// A kubeconfig that is there until this is dropped.
#[derive(Debug)]
pub(super) struct KubeconfigFile {
    path: PathBuf,
    token: String,
    /// The folder of a file that nobody named.
    folder: Option<TempDir>,
    removed: bool,
}

impl KubeconfigFile {
    /// Writes the kubeconfig to `path`, or to a temporary folder.
    pub(super) fn write(path: Option<&Path>, access: &Access) -> Result<Self, Error> {
        let (path, folder) = if let Some(path) = path {
            (path.to_owned(), None)
        } else {
            let mut builder = tempfile::Builder::new();
            let folder = builder.prefix("podgate-serve-").tempdir();
            let folder = folder.map_err(|error| {
                Error::environment(format!("cannot make a temporary folder: {error}"))
                    .hint("--write-kubeconfig names a place for the kubeconfig")
            })?;
            (folder.path().join("kubeconfig"), Some(folder))
        };
        replace(&path, &access.kubeconfig())?;
        Ok(Self {
            path,
            token: access.token().to_owned(),
            folder,
            removed: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, if it is still the one of this server.
    pub(super) fn remove(mut self) -> Result<(), Error> {
        self.removed = true;
        let removed = self.remove_own();
        let removed = match self.folder.take() {
            Some(folder) => removed.and(folder.close()),
            None => removed,
        };
        removed.map_err(|error| {
            Error::environment(format!("cannot remove {}: {error}", self.path.display()))
        })
    }

    fn remove_own(&self) -> io::Result<()> {
        match owner(&self.path)? {
            // Another server has written its own there by now, or the user has put more into it.
            Owner::Podgate { token } if token == self.token => fs::remove_file(&self.path),
            Owner::Podgate { .. } | Owner::Nobody | Owner::Somebody => Ok(()),
        }
    }
}

impl Drop for KubeconfigFile {
    /// For ways out that do not end with [`remove`](Self::remove), a panic for one.
    fn drop(&mut self) {
        if !self.removed {
            // The error that led here is told, and there is no way to tell two.
            let _ = self.remove_own();
        }
    }
}

/// Refuses to write where a file is that podgate did not write.
pub(super) fn refuse_foreign(path: &Path) -> Result<(), Error> {
    match owner(path) {
        Ok(Owner::Nobody | Owner::Podgate { .. }) => Ok(()),
        Ok(Owner::Somebody) => Err(foreign(path)),
        Err(error) => Err(Error::input(format!(
            "cannot read {}: {error}",
            path.display()
        ))),
    }
}

fn foreign(path: &Path) -> Error {
    Error::input(format!(
        "{} is there, and podgate did not write it",
        path.display()
    ))
    .hint("name another file, or remove that one")
}

/// Puts `text` at `path` in one step: a client never sees half a file.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let failed =
        |error: &io::Error| Error::input(format!("cannot write {}: {error}", path.display()));
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // On Unix it is its owner's alone to read from the beginning (mode 0600).
    let mut file = NamedTempFile::new_in(folder).map_err(|e| failed(&e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed(&e))?;
    let Err(error) = file.persist_noclobber(path) else {
        return Ok(());
    };
    if error.error.kind() != ErrorKind::AlreadyExists {
        return Err(failed(&error.error));
    }
    refuse_foreign(path)?;
    error.file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}

/// Whose file it is.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// There is no file.
    Nobody,
    /// Podgate has written it, for the server with that token.
    Podgate { token: String },
    /// Anybody else, or podgate first and then somebody who put more into it.
    Somebody,
}

fn owner(path: &Path) -> io::Result<Owner> {
    match fs::read(path) {
        Ok(bytes) => Ok(owner_of(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Owner::Nobody),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Kubeconfig {
    clusters: Vec<Named>,
    contexts: Vec<Named>,
    users: Vec<User>,
    extensions: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct User {
    name: String,
    user: Credentials,
}

#[derive(Deserialize)]
struct Credentials {
    token: String,
}

/// What podgate has written has its extension, and one cluster, context and user with its name.
/// `kubectl config` keeps that when it changes the namespace of the context, say.
fn owner_of(bytes: &[u8]) -> Owner {
    let source = Source::new("kubeconfig", bytes);
    let mut documents = read_documents(&source);
    let (Some(Ok(document)), None) = (documents.next(), documents.next()) else {
        return Owner::Somebody;
    };
    let Ok(found) = from_document::<Kubeconfig>(&document) else {
        return Owner::Somebody;
    };
    let own = |names: &[Named]| matches!(names, [one] if one.name == Access::NAME);
    let marked = found
        .extensions
        .iter()
        .any(|extension| extension.name == Access::EXTENSION);
    match <[User; 1]>::try_from(found.users) {
        Ok([user])
            if marked
                && user.name == Access::NAME
                && own(&found.clusters)
                && own(&found.contexts) =>
        {
            Owner::Podgate {
                token: user.user.token,
            }
        }
        _ => Owner::Somebody,
    }
}
