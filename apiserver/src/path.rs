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
    /// The beginning of one of the older paths, which does not say of what: `/api/v1/watch`.
    Unclear,
}

/// What older paths have before the resource, in the place of a verb; `proxy` is no longer served.
const SPECIAL_VERBS: [&str; 2] = ["proxy", "watch"];

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
    /// Whether it is one of the older paths that are watches: `/api/v1/watch/pods`.
    pub(crate) watch: bool,
}

impl<'a> Path<'a> {
    /// Takes a decoded path apart.
    pub(crate) fn parse(path: &'a str) -> Self {
        match Self::resource(path) {
            Some(found) if found.resource.is_empty() => Self::Unclear,
            Some(found) => Self::Resource(found),
            None => Self::Other(path),
        }
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
        if SPECIAL_VERBS.contains(&found.resource) {
            found.watch = found.resource == "watch";
            match parts.next() {
                // What was to be proxied is found nowhere.
                Some(_) if !found.watch => return Some(found),
                resource => found.resource = resource.unwrap_or_default(),
            }
        }
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
            _ if path.watch => Self::Watch,
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
            watch: false,
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

    #[rstest]
    #[case("/api/v1/watch/pods", "", "pods", "")]
    #[case(
        "/apis/apps/v1/watch/namespaces/web/deployments/d",
        "web",
        "deployments",
        "d"
    )]
    #[case("/api/v1/watch/namespaces/web", "web", "namespaces", "web")]
    fn watches(
        #[case] path: &str,
        #[case] namespace: &str,
        #[case] resource: &str,
        #[case] name: &str,
    ) {
        let Path::Resource(path) = Path::parse(path) else {
            panic!("a resource path");
        };
        let found = (path.watch, path.namespace, path.resource, path.name);
        assert_eq!(found, (true, namespace, resource, name));
        assert_eq!(Verb::of(&Method::POST, &path, false), Some(Verb::Watch));
    }

    #[rstest]
    #[case("/api/v1/watch")]
    #[case("/apis/apps/v1/proxy/")]
    fn what_does_not_say_of_what(#[case] path: &str) {
        assert_eq!(Path::parse(path), Path::Unclear);
    }

    #[test]
    fn what_is_too_long_is_marked() {
        let Path::Resource(path) = Path::parse("/api/v1/namespaces/web/pods/p/log/x") else {
            panic!("a resource path");
        };
        assert!(path.longer);
    }
}
