//! The audit log of a real server: the annotations of a request, by the id that its answer carries.
//!
//! Upstream: k8s.io/apiserver/plugin/pkg/audit/log writes an event a line, when its request ends.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::error::Error;

/// An audit log that grows.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    read: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// How much of the file has been read, to the end of a line.
    offset: u64,
    found: HashMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    id: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl AuditLog {
    /// The log in a file that need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Mutex::default(),
        }
    }

    /// The annotations of a request; `None` where it is not in the log yet. They are told once.
    pub fn annotations(&self, id: &str) -> Result<Option<BTreeMap<String, String>>, Error> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.found.contains_key(id) {
            self.read_on(&mut read)?;
        }
        Ok(read.found.remove(id))
    }

    fn read_on(&self, read: &mut Progress) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::environment(format!("cannot read {}: {error}", self.path.display()))
        };
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(&error)),
        };
        let mut text = String::new();
        file.seek(SeekFrom::Start(read.offset))
            .and_then(|_| file.read_to_string(&mut text))
            .map_err(|error| failed(&error))?;
        // The last line may be half written.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            read.offset += line.len() as u64;
            let event: Event = serde_json::from_str(line).map_err(|error| failed(&error))?;
            read.found.insert(event.id, event.annotations);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn half_a_line_waits_for_the_other_half() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("audit.log");
        let log = AuditLog::new(path.clone());
        assert_eq!(log.annotations("a").expect("no log yet"), None);
        let mut file = File::create(&path).expect("a file");
        writeln!(file, r#"{{"auditID":"a","annotations":{{"k":"v"}}}}"#).expect("written");
        write!(file, r#"{{"auditID":"b""#).expect("written");
        assert_eq!(log.annotations("b").expect("a log"), None);
        writeln!(file, "}}").expect("written");
        assert_eq!(log.annotations("b").expect("a log"), Some(BTreeMap::new()));
        let known = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        assert_eq!(log.annotations("a").expect("a log"), Some(known));
    }
}
