//! What a client needs to get in: the URL, the certificate authority and the token, and the kubeconfig
//! made of them.
//!
//! Upstream: `k8s.io/client-go/tools/clientcmd/api/v1/types.go` for the form of a kubeconfig.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a client needs to get in. Debug output does not show the token.
#[derive(Clone)]
pub struct Access {
    url: String,
    authority: String,
    token: String,
}

impl Access {
    /// The extension by which podgate knows a kubeconfig of its own. An extension outlives
    /// `kubectl config`, which drops comments.
    pub const EXTENSION: &str = "podgate.dev/serve";

    /// What the cluster, the user and the context are called in the kubeconfig.
    pub const NAME: &str = "podgate";

    pub(super) fn new(address: SocketAddr, authority: String, token: &str) -> Self {
        Self {
            url: format!("https://{address}"),
            authority,
            token: token.to_owned(),
        }
    }

    /// `https://127.0.0.1:PORT`
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of the authority that signed the server's, as PEM.
    #[must_use]
    pub fn certificate_authority(&self) -> &str {
        &self.authority
    }

    /// The bearer token of the cluster's admin.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A kubeconfig with one cluster, one user and one context. It holds the token: a file of it is
    /// nobody else's to read.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        let name = Self::NAME;
        let extension = Self::EXTENSION;
        let url = &self.url;
        let authority = STANDARD.encode(&self.authority);
        let token = &self.token;
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "\
apiVersion: v1
kind: Config
current-context: {name}
clusters:
- name: {name}
  cluster:
    server: {url}
    certificate-authority-data: {authority}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {name}
users:
- name: {name}
  user:
    token: {token}
extensions:
- name: {extension}
  extension:
    version: {version}
"
        )
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
