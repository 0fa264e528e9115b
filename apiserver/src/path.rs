//! What a path of the API means, before anybody knows whether it is served.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`, `NewRequestInfo`.

use http::Method;

/// The subresources of namespaces, which tell `namespaces/NS/status` from a namespaced resource.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// A path, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path<'a> {
    /// Something below a group's version.
    Resource(ResourcePath<'a>),
    /// Anything else: `/version`, `/apis/apps`.
    Other(&'a str),
}

/// The parts of `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath<'a> {
    /// Empty for the core group.
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    /// Empty where the path has none. That of a namespace's own path is its name.
    pub(crate) namespace: &'a str,
    pub(crate) resource: &'a str,
    /// Empty for a collection.
    pub(crate) name: &'a str,
    pub(crate) subresource: Option<&'a str>,
    /// Whether there is more behind the subresource.
    pub(crate) longer: bool,
}

impl<'a> Path<'a> {
    /// Takes a decoded path apart.
    pub(crate) fn parse(path: &'a str) -> Self {
        Self::resource(path).map_or(Self::Other(path), Self::Resource)
    }

    fn resource(path: &'a str) -> Option<ResourcePath<'a>> {
        let mut parts = path.trim_matches('/').split('/');
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let mut found = ResourcePath {
            group,
            version,
            resource: parts.next()?,
            ..ResourcePath::default()
        };
        if found.resource == "namespaces" {
            let mut ahead = parts.clone();
            found.namespace = ahead.next().unwrap_or_default();
            if let Some(resource) = ahead.next()
                && !NAMESPACE_SUBRESOURCES.contains(&resource)
            {
                found.resource = resource;
                parts = ahead;
            }
        }
        found.name = parts.next().unwrap_or_default();
        found.subresource = parts.next();
        found.longer = parts.next().is_some();
        Some(found)
    }
}

/// What a request wants done, in the words of RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

impl Verb {
    /// The verb of a method on a resource path; nothing where upstream's verb is empty. `watch`
    /// says whether the query asks to watch.
    pub(crate) fn of(method: &Method, path: &ResourcePath<'_>, watch: bool) -> Option<Self> {
        let collection = path.name.is_empty();
        Some(match *method {
            Method::GET | Method::HEAD if collection && watch => Self::Watch,
            Method::GET | Method::HEAD if collection => Self::List,
            Method::GET | Method::HEAD => Self::Get,
            Method::POST => Self::Create,
            Method::PUT => Self::Update,
            Method::PATCH => Self::Patch,
            Method::DELETE if collection => Self::DeleteCollection,
            Method::DELETE => Self::Delete,
            _ => return None,
        })
    }

    /// As roles and messages write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    type Parts = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Option<&'static str>,
    );

    #[rstest]
    #[case::all_namespaces("/api/v1/pods", ("", "v1", "", "pods", "", None))]
    #[case::trailing_slash("/api/v1/pods/", ("", "v1", "", "pods", "", None))]
    #[case::collection("/api/v1/namespaces/web/pods", ("", "v1", "web", "pods", "", None))]
    #[case::object("/apis/apps/v1/namespaces/web/deployments/d", ("apps", "v1", "web", "deployments", "d", None))]
    #[case::subresource("/api/v1/namespaces/web/pods/p/status", ("", "v1", "web", "pods", "p", Some("status")))]
    #[case::namespaces("/api/v1/namespaces", ("", "v1", "", "namespaces", "", None))]
    #[case::namespace("/api/v1/namespaces/web", ("", "v1", "web", "namespaces", "web", None))]
    #[case::namespace_status("/api/v1/namespaces/web/status", ("", "v1", "web", "namespaces", "web", Some("status")))]
    #[case::cluster_scoped("/apis/node.k8s.io/v1/runtimeclasses/rc", ("node.k8s.io", "v1", "", "runtimeclasses", "rc", None))]
    fn resources(#[case] path: &'static str, #[case] expected: Parts) {
        let (group, version, namespace, resource, name, subresource) = expected;
        let expected = ResourcePath {
            group,
            version,
            namespace,
            resource,
            name,
            subresource,
            longer: false,
        };
        assert_eq!(Path::parse(path), Path::Resource(expected));
    }

    #[rstest]
    #[case("/")]
    #[case("/version")]
    #[case("/api")]
    #[case("/api/v1")]
    #[case("/apis/apps")]
    #[case("/apis/apps/v1")]
    #[case("/healthz/ping/x/y")]
    fn others(#[case] path: &str) {
        assert_eq!(Path::parse(path), Path::Other(path));
    }

    #[test]
    fn what_is_too_long_is_marked() {
        let Path::Resource(path) = Path::parse("/api/v1/namespaces/web/pods/p/log/x") else {
            panic!("a resource path");
        };
        assert!(path.longer);
    }
}
