//! Server-side apply, and who owns which fields of an object after each write. Nothing here knows of
//! requests or of the store: objects in, objects and entries out.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/managedfields/internal` (a chain of managers, which is
//! here one function for each kind of write), over `sigs.k8s.io/structured-merge-diff/merge/update.go`.
//!
//! All versions of a resource have one schema here, so nothing is converted between them: an entry's
//! version is what it says, and has to be one that is served.

mod managed;
mod scale;
mod set;
mod shape;
#[cfg(test)]
mod tests;
mod typed;
mod validate;

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::{encode, encode_untyped};
use podgate_admission::resource::{self, Resource};
use podgate_admission::status::Status;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use crate::failure;
use managed::{Conflicts, Entry, Manager, Managers, Operation};
pub(crate) use scale::{SCALE, ScaleEntries};
use set::Set;
use shape::Shape;
use typed::Difference;

/// The first minor in which an entry says through which subresource it came.
const FIRST_WITH_SUBRESOURCE: u8 = 22;
/// The first minor in which nobody owns what the registry resets (`GetResetFields`).
const FIRST_WITH_RESET_FIELDS: u8 = 21;
/// The first minors in which only what they change can be owned through `pods/resize` and
/// `pods/ephemeralcontainers` (`GetResetFieldsFilter`).
const FIRST_WITH_RESIZE_FILTER: u8 = 32;
const FIRST_WITH_EPHEMERAL_FILTER: u8 = 33;
/// The first minor that keeps track of objects with items that are there twice (`AllowDuplicates`).
const FIRST_WITH_DUPLICATES: u8 = 29;
/// The first minor that looks at the kind of what is applied before all else
/// (`NewVersionCheckManager`).
const FIRST_WITH_VERSION_CHECK: u8 = 28;
/// The last minor in which an apply that changes no field says when it was, if it changes who owns them
/// (`managedFieldsUpdater.Apply`).
const LAST_WITH_TIME_OF_OWNERS: u8 = 24;
/// The first minor that names the object whose fields are wrong.
const FIRST_WITH_NAMED_OBJECT: u8 = 22;

/// Where v1 keeps `spec.templateGeneration` of daemon sets.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
/// The manager of what was there before anybody was tracked.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The manager of kubectl's server-side apply, which takes over from its client-side apply.
const KUBECTL: &str = "kubectl";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// How many bytes the annotations of an object may have (`TotalAnnotationSizeLimitB`).
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

/// One write, by whom and through what.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) minor: Minor,
    pub(crate) resource: &'static Resource,
    pub(crate) subresource: Option<&'a str>,
    /// `fieldManager`, or what the user agent says; empty for somebody unknown.
    pub(crate) manager: &'a str,
    /// RFC 3339 in whole seconds.
    pub(crate) now: &'a str,
}

/// What becomes of an object by an apply.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The object without its entries.
    pub(crate) object: Value<'static>,
    /// Its `managedFields`.
    pub(crate) entries: Vec<Value<'static>>,
}

/// What of a write cannot be owned.
enum Filter {
    Nothing,
    Without(Set),
    Only(&'static [&'static [Option<&'static str>]]),
}

impl Write<'_> {
    /// The `managedFields` after a create (without `live`), an update or a patch that is no apply.
    /// `new` is the object as the request has it, before any plugin; `sent` the entries in it, `None`
    /// where it has no such field. An object that has no entries gets none, unless it is new and
    /// `tracked`. (`FieldManager.Update`)
    pub(crate) fn update(
        &self,
        live: Option<&Value<'_>>,
        new: &Value<'_>,
        sent: Option<&[Value<'_>]>,
        tracked: bool,
    ) -> Vec<Value<'static>> {
        let mut managers = self.known(live, sent);
        if managers.is_empty() && (live.is_some() || !tracked) {
            return Vec::new();
        }
        let (old, new) = (self.typed(live), self.typed(Some(new)));
        if !self.allows_duplicates(&old) || !self.allows_duplicates(&new) {
            return Vec::new();
        }
        self.update_as(self.manager, &old, &new, &mut managers);
        managed::encode(&managers)
    }

    /// Applies `patch` to `live`, or makes an object of it (`FieldManager.Apply`).
    pub(crate) fn apply(
        &self,
        live: Option<&Value<'_>>,
        patch: &Value<'static>,
        force: bool,
    ) -> Result<Applied, Status> {
        self.check_kind(patch)?;
        let entries = live.map(|live| live.list_at(&["metadata", "managedFields"]));
        let mut managers = managed::decode(entries.unwrap_or_default())
            .map_err(|()| failure::unclassified("failed to decode managed fields".to_owned()))?;
        let old = self.typed(live);
        if managers.is_empty() {
            let nothing = self.typed(None);
            self.update_as(BEFORE_FIRST_APPLY, &nothing, &old, &mut managers);
        }
        let given = |version: &str| {
            patch
                .at(&["metadata", version])
                .is_some_and(|v| *v != Value::Null)
        };
        if given("managedFields") {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        validate::check(patch, self.shape(), false).map_err(|error| {
            let what = if self.minor.number() >= FIRST_WITH_NAMED_OBJECT {
                format!("failed to create typed patch object ({})", described(patch))
            } else {
                "failed to create typed patch object".to_owned()
            };
            failure::unclassified(format!("{what}: {error}"))
        })?;
        let result = match self.merge(&old, patch, managers.clone(), force) {
            Err(conflicts) if self.manager == KUBECTL => {
                let left = match self.last_applied(&old) {
                    Some(allowed) => beyond(&conflicts, &allowed),
                    None => conflicts,
                };
                if left.is_empty() {
                    self.merge(&old, patch, managers, true)
                } else {
                    Err(left)
                }
            }
            result => result,
        };
        let (mut object, managers) = result.map_err(|conflicts| managed::conflict(&conflicts))?;
        if self.manager == KUBECTL {
            update_last_applied(&mut object, patch);
        }
        Ok(Applied {
            object,
            entries: managed::encode(&managers),
        })
    }

    /// The entries to begin with: those that were sent, unless there are none or they make no sense
    /// (`decodeLiveOrNew`).
    fn known(&self, live: Option<&Value<'_>>, sent: Option<&[Value<'_>]>) -> Managers {
        if let Some(sent) = sent.filter(|_| self.subresource.is_none()) {
            let reset = match sent {
                [] => true,
                [entry] => entry.as_object().is_some_and(Object::is_empty),
                _ => false,
            };
            if reset {
                return Managers::new();
            }
            match managed::decode(sent) {
                Ok(managers) if !managers.is_empty() => return managers,
                _ => {}
            }
        }
        let live = live.map(|live| live.list_at(&["metadata", "managedFields"]));
        managed::decode(live.unwrap_or_default()).unwrap_or_default()
    }

    /// What an update by `name` makes of the entries.
    fn update_as(
        &self,
        name: &str,
        old: &Value<'static>,
        new: &Value<'static>,
        managers: &mut Managers,
    ) {
        self.forget_unknown_versions(managers);
        let difference = self.difference(old, new);
        take(managers, None, &difference);
        let set = difference.modified.union(&difference.added);
        let set = self.filter(&set).difference(&unowned());
        if !set.is_empty() {
            let manager = self.named(name, Operation::Update);
            let version = self.resource.api_version();
            let before = managers.get(&manager).map(|entry| entry.set.union(&set));
            let entry = Entry {
                set: before.unwrap_or(set),
                version,
                time: Some(self.now.to_owned()),
            };
            managers.insert(manager, entry);
        }
        managed::cap(managers);
    }

    /// What an apply makes of the object and of the entries (`Updater.Apply`).
    fn merge(
        &self,
        old: &Value<'static>,
        patch: &Value<'static>,
        mut managers: Managers,
        force: bool,
    ) -> Result<(Value<'static>, Managers), Conflicts> {
        let owned = |managers: &Managers| -> Vec<_> {
            let entry = |(manager, entry): (&Manager, &Entry)| {
                (manager.clone(), entry.set.clone(), entry.version.clone())
            };
            managers.iter().map(entry).collect()
        };
        let before = owned(&managers);
        self.forget_unknown_versions(&mut managers);
        let manager = self.named(self.manager, Operation::Apply);
        let last = managers.get(&manager).cloned();
        let merged = typed::merge(old, patch, self.shape());
        let set = self.filter(&typed::fields(patch, self.shape()));
        let entry = Entry {
            set,
            version: self.resource.api_version(),
            time: last.as_ref().and_then(|last| last.time.clone()),
        };
        managers.insert(manager.clone(), entry);
        let new = match last {
            Some(last) => self.prune(merged, &managers, &last.set),
            None => merged,
        };
        let difference = self.difference(old, &new);
        let conflicts = conflicts(&managers, &manager, &difference);
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        take(&mut managers, Some(&manager), &difference);
        let unchanged = typed::same(old, &new);
        if let Some(entry) = managers.get_mut(&manager) {
            entry.set = entry.set.difference(&unowned());
            if entry.set.is_empty() {
                managers.remove(&manager);
            }
        }
        let told = self.minor.number() <= LAST_WITH_TIME_OF_OWNERS && owned(&managers) != before;
        if let Some(entry) = managers.get_mut(&manager).filter(|_| told || !unchanged) {
            entry.time = Some(self.now.to_owned());
        }
        Ok((new, managers))
    }

    /// Takes out what the manager applied the last time and does not apply now, unless somebody else
    /// owns it.
    fn prune(&self, merged: Value<'static>, managers: &Managers, last: &Set) -> Value<'static> {
        if last.is_empty() {
            return merged;
        }
        let shape = self.shape();
        let whole = |set: &Set| set.with_parents(shape, &shape::declared);
        let last = whole(last);
        let pruned = typed::remove(&merged, &last, shape);
        let all = whole(&typed::fields(&merged, shape));
        let mut kept = whole(&typed::fields(&pruned, shape));
        let owned = managers
            .values()
            .fold(Set::default(), |owned, entry| owned.union(&entry.set));
        kept = kept.union(&whole(&owned));
        // What others own goes back in, and so does what was never applied but lies around it.
        let pruned = typed::remove(&merged, &all.difference(&kept), shape);
        let kept = whole(&typed::fields(&pruned, shape));
        typed::remove(&merged, &all.difference(&kept).intersection(&last), shape)
    }

    /// What kubectl may take over because its client-side apply has set it
    /// (`allowedConflictsFromLastApplied`).
    fn last_applied(&self, live: &Value<'static>) -> Option<Set> {
        let text = live.text_at(&["metadata", "annotations", LAST_APPLIED]);
        let applied = decode_untyped(text.as_bytes()).ok()?.into_owned();
        let fits = applied.text_at(&["apiVersion"]) == self.resource.api_version();
        if !fits || validate::check(&applied, self.shape(), false).is_err() {
            return None;
        }
        let difference = typed::compare(&applied, live, self.shape());
        Some(
            typed::fields(&applied, self.shape())
                .difference(&difference.modified)
                .difference(&difference.added)
                .difference(&difference.removed),
        )
    }

    fn check_kind(&self, patch: &Value<'_>) -> Result<(), Status> {
        let version = patch.text_at(&["apiVersion"]);
        let expected = self.resource.api_version();
        let fits = version == expected && patch.text_at(&["kind"]) == self.resource.kind;
        if fits {
            return Ok(());
        }
        let checked = self.minor.number() >= FIRST_WITH_VERSION_CHECK;
        let message = if checked || version == expected {
            format!("invalid object type: {}", kind_of(patch))
        } else {
            format!(
                "Incorrect version specified in apply patch. Specified patch version: {version}, \
                 expected: {expected}"
            )
        };
        Err(Status::bad_request(message))
    }

    fn difference(&self, old: &Value<'static>, new: &Value<'static>) -> Difference {
        let Difference {
            removed,
            modified,
            added,
        } = typed::compare(old, new, self.shape());
        Difference {
            removed: self.filter(&removed),
            modified: self.filter(&modified),
            added: self.filter(&added),
        }
    }

    fn shape(&self) -> Shape {
        Shape::root(self.resource.schema, self.minor)
    }

    /// The object as its Go type writes it, with what is never left out, and without its entries.
    fn typed(&self, object: Option<&Value<'_>>) -> Value<'static> {
        let (given, nothing) = (object.is_some(), Value::from(Object::new()));
        let json = encode(object.unwrap_or(&nothing), self.resource.schema, self.minor);
        // What was written just now can be read.
        let mut object = decode_untyped(json.as_bytes())
            .unwrap_or_default()
            .into_owned();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            // A field of the internal type, which conversion to v1 writes as an annotation.
            if self.resource.kind == "DaemonSet" && given {
                let annotations = metadata.object_mut("annotations");
                if !annotations.contains_key(TEMPLATE_GENERATION) {
                    annotations.insert(TEMPLATE_GENERATION, "0");
                }
            }
        }
        object
    }

    fn allows_duplicates(&self, object: &Value<'_>) -> bool {
        self.minor.number() >= FIRST_WITH_DUPLICATES
            || validate::check(object, self.shape(), false).is_ok()
    }

    fn named(&self, name: &str, operation: Operation) -> Manager {
        let subresource = self
            .subresource
            .filter(|_| self.minor.number() >= FIRST_WITH_SUBRESOURCE);
        Manager {
            name: if name.is_empty() { "unknown" } else { name }.to_owned(),
            operation,
            version: match operation {
                Operation::Apply => String::new(),
                Operation::Update => self.resource.api_version(),
            },
            subresource: subresource.unwrap_or_default().to_owned(),
        }
    }

    /// Drops the entries of versions that are not served.
    fn forget_unknown_versions(&self, managers: &mut Managers) {
        managers.retain(|_, entry| {
            if entry.version == self.resource.api_version() {
                return true;
            }
            let (group, version) = entry
                .version
                .rsplit_once('/')
                .unwrap_or(("", &entry.version));
            group == self.resource.group
                && resource::by_path(group, version, self.resource.name, self.minor).is_some()
        });
    }

    fn filter(&self, set: &Set) -> Set {
        match self.reset() {
            Filter::Nothing => set.clone(),
            Filter::Without(reset) => set.recursive_difference(&reset),
            Filter::Only(paths) => set.only(paths),
        }
    }

    /// What the registry of a resource resets (`GetResetFields` of the strategies below
    /// `k8s.io/kubernetes/pkg/registry`).
    fn reset(&self) -> Filter {
        const RESIZED: &[&[Option<&str>]] = &[
            &[Some("spec"), Some("containers"), None, Some("resources")],
            &[Some("spec"), Some("containers"), None, Some("resizePolicy")],
            &[
                Some("spec"),
                Some("initContainers"),
                None,
                Some("resources"),
            ],
            &[
                Some("spec"),
                Some("initContainers"),
                None,
                Some("resizePolicy"),
            ],
        ];
        const EPHEMERAL: &[&[Option<&str>]] = &[&[Some("spec"), Some("ephemeralContainers")]];
        let minor = self.minor.number();
        let resets = matches!(
            self.resource.name,
            "pods"
                | "namespaces"
                | "replicationcontrollers"
                | "services"
                | "resourcequotas"
                | "nodes"
                | "persistentvolumes"
                | "persistentvolumeclaims"
                | "deployments"
                | "replicasets"
                | "statefulsets"
                | "daemonsets"
                | "jobs"
                | "cronjobs"
                | "poddisruptionbudgets"
        );
        if !resets || minor < FIRST_WITH_RESET_FIELDS {
            return Filter::Nothing;
        }
        let without = |paths: &[&[&str]]| Filter::Without(Set::of_fields(paths));
        match (self.subresource, self.resource.name) {
            (None | Some("finalize"), _) => without(&[&["status"]]),
            (Some("status"), "pods") => without(&[
                &["spec"],
                &["metadata", "deletionTimestamp"],
                &["metadata", "ownerReferences"],
            ]),
            (Some("status"), "deployments") => without(&[&["spec"], &["metadata", "labels"]]),
            (Some("status"), _) => without(&[&["spec"]]),
            (Some("resize"), _) if minor >= FIRST_WITH_RESIZE_FILTER => Filter::Only(RESIZED),
            (Some("ephemeralcontainers"), _) if minor >= FIRST_WITH_EPHEMERAL_FILTER => {
                Filter::Only(EPHEMERAL)
            }
            // What came through here was not tracked.
            (Some("ephemeralcontainers"), _) => Filter::Only(&[]),
            _ => Filter::Nothing,
        }
    }
}

/// What everybody loses who owned what a write changes, and the entries that are empty then; an apply
/// keeps its own.
fn take(managers: &mut Managers, but: Option<&Manager>, difference: &Difference) {
    let changed = difference.modified.union(&difference.added);
    managers.retain(|manager, entry| {
        if Some(manager) != but {
            entry.set = entry
                .set
                .difference(&changed)
                .difference(&difference.removed);
        }
        !entry.set.is_empty()
    });
}

fn conflicts(managers: &Managers, but: &Manager, difference: &Difference) -> Conflicts {
    let changed = difference.modified.union(&difference.added);
    managers
        .iter()
        .filter(|(manager, _)| *manager != but)
        .map(|(manager, entry)| (manager.clone(), entry.set.intersection(&changed)))
        .filter(|(_, set)| !set.is_empty())
        .collect()
}

/// The conflicts about what is not allowed.
fn beyond(conflicts: &Conflicts, allowed: &Set) -> Conflicts {
    conflicts
        .iter()
        .map(|(manager, set)| {
            let mut left = Set::default();
            for path in set.paths().iter().filter(|path| !allowed.has(path)) {
                left.insert(path);
            }
            (manager.clone(), left)
        })
        .filter(|(_, set)| !set.is_empty())
        .collect()
}

/// What nobody owns (`NewStripMetaManager`).
fn unowned() -> Set {
    Set::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

/// Keeps the annotation of kubectl's client-side apply in step, where there is one
/// (`NewLastAppliedUpdater`).
fn update_last_applied(object: &mut Value<'static>, patch: &Value<'static>) {
    let annotations = object
        .at_mut(&["metadata", "annotations"])
        .and_then(Value::as_object_mut);
    let Some(annotations) = annotations else {
        return;
    };
    let there = annotations.get(LAST_APPLIED).and_then(Value::as_str);
    if there.unwrap_or_default().is_empty() {
        return;
    }
    let mut patch = patch.clone();
    if let Some(metadata) = patch.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(kept) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
    {
        kept.remove(LAST_APPLIED);
        if kept.is_empty() {
            metadata.remove("annotations");
        }
    }
    sort(&mut patch);
    annotations.insert(LAST_APPLIED, encode_untyped(&patch) + "\n");
    let size: usize = annotations
        .iter()
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    if size > LARGEST_ANNOTATIONS {
        annotations.remove(LAST_APPLIED);
    }
}

/// Sorts the keys of all objects, as Go writes maps.
fn sort(value: &mut Value<'_>) {
    match value {
        Value::Object(object) => {
            object.sort();
            object.iter_mut().for_each(|(_, value)| sort(value));
        }
        Value::List(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

/// `schema.GroupVersionKind` as Go prints it.
fn kind_of(object: &Value<'_>) -> String {
    let version = object.text_at(&["apiVersion"]);
    let group = if version.contains('/') { "" } else { "/" };
    format!("{group}{version}, Kind={}", object.text_at(&["kind"]))
}

/// `objectGVKNN`
fn described(object: &Value<'_>) -> String {
    let meta = |key: &str| object.text_at(&["metadata", key]);
    format!(
        "{}/{}; {}",
        meta("namespace"),
        meta("name"),
        kind_of(object)
    )
}
