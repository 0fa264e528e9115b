//! What keeps an existing cluster as it is: reads go through, what creates an object becomes a dry
//! run, and nothing else leaves this process.
//!
//! It stands below everything that makes requests, so that no mistake above it can write. Deleting is
//! refused outright: where a `DELETE` has a body, a server does not look at the `dryRun` of the query
//! (`DeleteResource` in `k8s.io/apiserver/pkg/endpoints/handlers/delete.go`).

use http::{Method, Request, Uri};

/// A request that could write.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path} could write, and nothing is written here")]
pub(super) struct Refused {
    method: Method,
    path: String,
}

/// The request as it may be sent. It is a filter of [`tower::filter`].
pub(super) fn only_dry_runs<B>(request: Request<B>) -> Result<Request<B>, Refused> {
    let (mut parts, body) = request.into_parts();
    let refused = |uri: &Uri| Refused {
        method: parts.method.clone(),
        path: uri.path().to_owned(),
    };
    match parts.method {
        Method::GET => {}
        Method::POST if is_collection(parts.uri.path()) => {
            parts.uri = with_dry_run(&parts.uri).ok_or_else(|| refused(&parts.uri))?;
        }
        _ => return Err(refused(&parts.uri)),
    }
    Ok(Request::from_parts(parts, body))
}

/// The request where it only reads. It is a filter of [`tower::filter`], too.
pub(super) fn only_reads<B>(request: Request<B>) -> Result<Request<B>, Refused> {
    if request.method() == Method::GET {
        return Ok(request);
    }
    Err(Refused {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
    })
}

/// Whether it is the path of a resource: what is posted there is created. What is posted to a
/// subresource evicts, binds or runs commands.
fn is_collection(path: &str) -> bool {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["api", _, resource @ ..] | ["apis", _, _, resource @ ..]) = segments.as_slice() else {
        return false;
    };
    matches!(resource, [_] | ["namespaces", _, _])
}

fn with_dry_run(uri: &Uri) -> Option<Uri> {
    const DRY_RUN: &str = "dryRun=All";
    let query = match uri.query() {
        Some(query) if query.split('&').any(|pair| pair == DRY_RUN) => return Some(uri.clone()),
        Some(query) if !query.is_empty() => format!("{query}&{DRY_RUN}"),
        _ => DRY_RUN.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{}?{query}", uri.path()).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PODS: &str = "/api/v1/namespaces/web/pods";

    fn sent(method: &str, uri: &str) -> Option<String> {
        let request = Request::builder().method(method).uri(uri).body(());
        let allowed = only_dry_runs(request.expect("a request")).ok()?;
        Some(allowed.uri().to_string())
    }

    #[rstest]
    #[case("GET", "/version", "/version")]
    #[case("GET", "/api/v1/pods?limit=1", "/api/v1/pods?limit=1")]
    #[case("POST", PODS, "/api/v1/namespaces/web/pods?dryRun=All")]
    #[case(
        "POST",
        "/api/v1/namespaces/web/pods?dryRun=All",
        "/api/v1/namespaces/web/pods?dryRun=All"
    )]
    #[case(
        "POST",
        "/api/v1/namespaces/web/pods?fieldValidation=Strict",
        "/api/v1/namespaces/web/pods?fieldValidation=Strict&dryRun=All"
    )]
    #[case(
        "POST",
        "/api/v1/namespaces/web/pods?dryRun=None",
        "/api/v1/namespaces/web/pods?dryRun=None&dryRun=All"
    )]
    #[case("POST", "/api/v1/namespaces", "/api/v1/namespaces?dryRun=All")]
    #[case(
        "POST",
        "/apis/apps/v1/namespaces/web/deployments",
        "/apis/apps/v1/namespaces/web/deployments?dryRun=All"
    )]
    #[case(
        "POST",
        "https://a:6443/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "https://a:6443/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?dryRun=All"
    )]
    fn goes_through(#[case] method: &str, #[case] uri: &str, #[case] expected: &str) {
        assert_eq!(sent(method, uri).as_deref(), Some(expected));
    }

    #[rstest]
    #[case("DELETE", "/api/v1/namespaces/web?dryRun=All")]
    #[case("DELETE", "/api/v1/namespaces/web/pods")]
    #[case("PUT", "/api/v1/namespaces/web/pods/a?dryRun=All")]
    #[case("PATCH", "/api/v1/namespaces/web?dryRun=All")]
    #[case("POST", "/api/v1/namespaces/web/pods/a/eviction")]
    #[case("POST", "/api/v1/namespaces/web/pods/a/exec")]
    #[case("POST", "/api/v1/namespaces/web/serviceaccounts/a/token")]
    #[case("POST", "/apis/apps/v1/namespaces/web/deployments/a/scale")]
    #[case("POST", "/anything")]
    #[case("OPTIONS", PODS)]
    fn does_not_leave(#[case] method: &str, #[case] uri: &str) {
        assert_eq!(sent(method, uri), None);
    }
}
