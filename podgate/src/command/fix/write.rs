//! Puts a changed text in the place of a file's: whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use podgate_harness::error::Error;
use tempfile::NamedTempFile;

/// Puts `after` in the place of `before`, which is what the file at `path` must still hold. A link
/// stays one: the file behind it is changed. Permissions stay, and the owner where that is allowed.
pub(super) fn replace(path: &Path, before: &str, after: &str) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    let failed =
        |error: &io::Error| Error::input(format!("cannot write {}: {error}", path.display()));
    let file = fs::canonicalize(path).map_err(|e| failed(&e))?;
    let metadata = fs::metadata(&file).map_err(|e| failed(&e))?;
    if metadata.permissions().readonly() {
        return Err(
            Error::input(format!("{} may not be written", path.display()))
                .hint("give yourself the right to write it, or leave --write out for a diff"),
        );
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut beside = NamedTempFile::new_in(folder).map_err(|e| failed(&e))?;
    beside.write_all(after.as_bytes()).map_err(|e| failed(&e))?;
    keep_owner(beside.path(), &metadata);
    // Behind the owner, whose change takes rights away.
    fs::set_permissions(beside.path(), metadata.permissions()).map_err(|e| failed(&e))?;
    beside.as_file().sync_all().map_err(|e| failed(&e))?;
    if fs::read(&file).map_err(|e| failed(&e))? != before.as_bytes() {
        return Err(
            Error::input(format!("{} has changed since it was read", path.display()))
                .hint("run it again"),
        );
    }
    beside.persist(&file).map_err(|e| failed(&e.error))?;
    Ok(())
}

#[cfg(unix)]
fn keep_owner(path: &Path, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    // Only root may give files away; anybody else's are their own already, or become so.
    let _ = chown(path, Some(metadata.uid()), Some(metadata.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}
