//! Who asks. Every request comes from the cluster's admin, who may impersonate anybody.
//!
//! Upstream: `k8s.io/apiserver/pkg/endpoints/filters/impersonation`; the admin is the one in the
//! kubeconfig that kubeadm writes.

use http::HeaderMap;
use podgate_admission::request::User;
use podgate_admission::status::Status;

/// The group of those who may do everything.
const MASTERS: &str = "system:masters";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// The cluster's admin.
#[must_use]
pub fn admin() -> User {
    User {
        name: "kubernetes-admin".to_owned(),
        groups: vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()],
    }
}

/// The requester: whom the headers impersonate, or nobody but the admin.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<User>, Status> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let groups: Vec<String> = headers
        .get_all("impersonate-group")
        .iter()
        .map(text)
        .collect();
    let name = headers
        .get("impersonate-user")
        .map(text)
        .unwrap_or_default();
    if name.is_empty() {
        let extra = |header: &http::HeaderName| header.as_str().starts_with("impersonate-");
        if headers.keys().any(extra) {
            return Err(Status::bad_request(
                "requested groups, uid or extra fields without impersonating a user".to_owned(),
            ));
        }
        return Ok(None);
    }
    Ok(Some(impersonated(name, groups)))
}

/// The user of that name: the groups of service accounts are derived unless some are given, and all
/// but the anonymous are authenticated.
#[must_use]
pub fn impersonated(name: String, mut groups: Vec<String>) -> User {
    if groups.is_empty()
        && let Some(namespace) = namespace_of(&name)
    {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    let has = |group: &str| groups.iter().any(|g| g == group);
    if name == ANONYMOUS {
        if !has(UNAUTHENTICATED) {
            groups.push(UNAUTHENTICATED.to_owned());
        }
    } else if !has(AUTHENTICATED) && !has(UNAUTHENTICATED) {
        groups.push(AUTHENTICATED.to_owned());
    }
    User { name, groups }
}

/// The namespace of the service account that a user name stands for.
fn namespace_of(user: &str) -> Option<&str> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some(namespace)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("alice", &[], &["system:authenticated"])]
    #[case("alice", &["dev"], &["dev", "system:authenticated"])]
    #[case("alice", &["system:authenticated", "dev"], &["system:authenticated", "dev"])]
    #[case("system:serviceaccount:web:default", &[], &["system:serviceaccounts", "system:serviceaccounts:web", "system:authenticated"])]
    #[case("system:serviceaccount:web:default", &["x"], &["x", "system:authenticated"])]
    #[case("system:serviceaccount:web", &[], &["system:authenticated"])]
    #[case("system:anonymous", &[], &["system:unauthenticated"])]
    fn groups(#[case] name: &str, #[case] given: &[&str], #[case] expected: &[&str]) {
        let mut headers = HeaderMap::new();
        headers.insert("Impersonate-User", name.parse().expect("a value"));
        for group in given {
            headers.append("Impersonate-Group", group.parse().expect("a value"));
        }
        let user = of(&headers).expect("a user").expect("impersonated");
        assert_eq!(user.name, name);
        assert_eq!(user.groups, expected);
    }

    #[test]
    fn nobody_is_impersonated_without_headers_and_groups_alone_are_refused() {
        assert_eq!(of(&HeaderMap::new()), Ok(None));
        let mut headers = HeaderMap::new();
        headers.insert("Impersonate-Group", "dev".parse().expect("a value"));
        assert_eq!(of(&headers).expect_err("refused").code, 400);
    }
}
