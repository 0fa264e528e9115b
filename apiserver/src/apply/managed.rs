//! `metadata.managedFields`: who owns which fields, as it is read, written and kept short.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/managedfields/internal/{managedfields,capmanagers,conflict}.go`.

use std::collections::BTreeMap;

use podgate_admission::quote::quote;
use podgate_admission::status::{Cause, Status};
use podgate_admission::value::{Object, Value};

use super::set::{self, Set};

/// How many entries of updates an object has at most (`DefaultMaxUpdateManagers`).
const MOST_UPDATERS: usize = 10;
/// The manager of the entries that were merged because there were too many.
const ANCIENT: &str = "ancient-changes";

/// How fields came to be owned; the order is that of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

/// Whose entry it is: the manager identifier. All updates of a manager in one version and through one
/// subresource share an entry, and all its applies through one subresource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) operation: Operation,
    /// Empty for an apply.
    pub(super) version: String,
    pub(super) subresource: String,
}

/// What a manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) set: Set,
    /// The version in which it was written: `apps/v1`.
    pub(super) version: String,
    /// When it last changed; RFC 3339 in whole seconds.
    pub(super) time: Option<String>,
}

/// All entries of an object.
pub(super) type Managers = BTreeMap<Manager, Entry>;

/// Reads the entries of an object; one that is none makes all of them unreadable.
pub(super) fn decode(entries: &[Value<'_>]) -> Result<Managers, ()> {
    let mut managers = Managers::new();
    for entry in entries {
        let text = |key: &str| entry.text_at(&[key]).to_owned();
        let operation = match &*text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(()),
        };
        let version = text("apiVersion");
        if version.is_empty() || text("fieldsType") != "FieldsV1" {
            return Err(());
        }
        let set = match entry.get("fieldsV1") {
            None | Some(Value::Null) => Set::default(),
            Some(fields) => Set::parse(fields)?,
        };
        let manager = Manager {
            name: text("manager"),
            operation,
            version: match operation {
                Operation::Apply => String::new(),
                Operation::Update => version.clone(),
            },
            subresource: text("subresource"),
        };
        let time = Some(text("time")).filter(|time| !time.is_empty());
        managers.insert(manager, Entry { set, version, time });
    }
    Ok(managers)
}

/// Writes the entries: applies before updates, then by time.
pub(super) fn encode(managers: &Managers) -> Vec<Value<'static>> {
    let mut entries: Vec<_> = managers.iter().collect();
    entries.sort_by_key(|(manager, entry)| {
        (
            manager.operation,
            &entry.time,
            &manager.name,
            &entry.version,
            &manager.subresource,
        )
    });
    entries
        .into_iter()
        .map(|(manager, entry)| {
            let mut object = Object::new();
            object.insert("manager", manager.name.clone());
            object.insert(
                "operation",
                match manager.operation {
                    Operation::Apply => "Apply",
                    Operation::Update => "Update",
                },
            );
            object.insert("apiVersion", entry.version.clone());
            if let Some(time) = &entry.time {
                object.insert("time", time.clone());
            }
            object.insert("fieldsType", "FieldsV1");
            object.insert("fieldsV1", entry.set.to_value());
            if !manager.subresource.is_empty() {
                object.insert("subresource", manager.subresource.clone());
            }
            Value::from(object)
        })
        .collect()
}

/// Merges the oldest entries of updates, those of one version into one, until there are few enough
/// (`capUpdateManagers`).
pub(super) fn cap(managers: &mut Managers) {
    let mut updaters: Vec<(Option<String>, Manager)> = managers
        .iter()
        .filter(|(manager, _)| manager.operation == Operation::Update)
        .map(|(manager, entry)| (entry.time.clone(), manager.clone()))
        .collect();
    updaters.sort();
    let mut left = updaters.len();
    let mut firsts: BTreeMap<String, Manager> = BTreeMap::new();
    for (time, manager) in updaters {
        if left <= MOST_UPDATERS {
            return;
        }
        let bucket = Manager {
            name: ANCIENT.to_owned(),
            operation: Operation::Update,
            version: manager.version.clone(),
            subresource: String::new(),
        };
        let Some(first) = firsts.get(&manager.version) else {
            firsts.insert(manager.version.clone(), manager);
            continue;
        };
        if !managers.contains_key(&bucket)
            && let Some(entry) = managers.remove(first)
        {
            managers.insert(bucket.clone(), entry);
        }
        if let Some(old) = managers.remove(&manager)
            && let Some(entry) = managers.get_mut(&bucket)
        {
            entry.set = entry.set.union(&old.set);
            entry.time = time;
        }
        left -= 1;
    }
}

/// Fields that an apply wants to change and others own.
pub(super) type Conflicts = BTreeMap<Manager, Set>;

/// The 409 that names them (`NewConflictError`). Upstream has the causes in random order.
pub(super) fn conflict(conflicts: &Conflicts) -> Status {
    let paths: Vec<(String, Vec<String>)> = conflicts
        .iter()
        .map(|(manager, set)| {
            let paths = set.paths();
            (
                manager.print(),
                paths.iter().map(|p| set::print(p)).collect(),
            )
        })
        .collect();
    let causes: Vec<Cause> = paths
        .iter()
        .flat_map(|(manager, paths)| {
            paths.iter().map(move |path| Cause {
                reason: "FieldManagerConflict",
                message: format!("conflict with {manager}"),
                field: path.clone(),
            })
        })
        .collect();
    let message = if let [cause] = &*causes {
        format!(
            "Apply failed with 1 conflict: {}: {}",
            cause.message, cause.field
        )
    } else {
        let mut lines = Vec::new();
        for (manager, paths) in &paths {
            lines.push(format!("conflicts with {manager}:"));
            lines.extend(paths.iter().map(|path| format!("- {path}")));
        }
        format!(
            "Apply failed with {} conflicts: {}",
            causes.len(),
            lines.join("\n")
        )
    };
    Status::apply_conflict(causes, message)
}

impl Manager {
    /// As conflicts name it (`printManager`).
    fn print(&self) -> String {
        let mut text = quote(&self.name);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {}", quote(&self.subresource));
        }
        match self.operation {
            Operation::Apply => text,
            Operation::Update => format!("{text} using {}", self.version),
        }
    }
}
