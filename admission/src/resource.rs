//! The resources that podgate serves, with what the admission chain has to know of each.

use podgate_policy::Minor;

use crate::schema::Struct;

/// A resource of the API: a kind under a path.
#[derive(Debug)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version: `v1`.
    pub version: &'static str,
    /// The kind: `Deployment`.
    pub kind: &'static str,
    /// The name in paths: `deployments`.
    pub name: &'static str,
    /// The singular name: `deployment`.
    pub singular: &'static str,
    /// Short names: `deploy`.
    pub short: &'static [&'static str],
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Where the pod template lies, from the object's root; `None` where there is none. A pod is
    /// its own template, at an empty path.
    pub template: Option<&'static [&'static str]>,
    /// The first minor that serves it (as the number behind the dot).
    pub since: u8,
    /// The last minor that serves it; [`u8::MAX`] where the newest still does.
    pub until: u8,
    /// The schema.
    pub schema: &'static Struct,
}

impl Resource {
    /// `v1` or `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether a server of `minor` serves it.
    #[must_use]
    pub const fn exists_in(&self, minor: Minor) -> bool {
        self.since <= minor.number() && minor.number() <= self.until
    }

    /// The resource as error messages name it: `pods`, `deployments.apps`.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.name, self.group)
        }
    }
}

/// Every resource that some minor serves; where there are several versions of one, the stored
/// version first.
pub static RESOURCES: &[Resource] = &[];

/// The resource of that `apiVersion` and kind on a server of `minor`.
#[must_use]
pub fn by_kind(api_version: &str, kind: &str, minor: Minor) -> Option<&'static Resource> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.kind == kind && r.exists_in(minor))
}

/// The resource at that place of the API on a server of `minor`.
#[must_use]
pub fn by_path(group: &str, version: &str, name: &str, minor: Minor) -> Option<&'static Resource> {
    RESOURCES
        .iter()
        .find(|r| r.group == group && r.version == version && r.name == name && r.exists_in(minor))
}
