//! The keys, certificates and tokens of one control plane, made anew for each.
//!
//! Upstream: what kubeadm makes (cmd/kubeadm/app/phases/certs), with tokens in place of the client
//! certificates, as envtest has it.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::error::Error;

/// The files of a control plane.
#[derive(Debug)]
pub(super) struct Credentials {
    /// The certificate of the authority.
    pub(super) authority: PathBuf,
    /// The server's certificate.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
    /// The key by which tokens of service accounts are signed.
    pub(super) service_account_key: PathBuf,
    /// Its public half.
    pub(super) service_account_public_key: PathBuf,
    /// Who is let in by which token.
    pub(super) tokens: PathBuf,
    /// The token of the cluster's admin.
    pub(super) admin: String,
    /// The token of kube-controller-manager.
    pub(super) controller_manager: String,
}

impl Credentials {
    /// Makes them in `folder`.
    pub(super) fn make(folder: &Path) -> Result<Self, Error> {
        let failed =
            |error: rcgen::Error| Error::environment(format!("cannot make a certificate: {error}"));
        let mut authority = CertificateParams::default();
        authority
            .distinguished_name
            .push(DnType::CommonName, "podgate");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate().map_err(failed)?;
        let authority_pem = authority.self_signed(&authority_key).map_err(failed)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let names = ["localhost", "kubernetes", "kubernetes.default.svc"];
        let mut server = CertificateParams::new(names.map(str::to_owned)).map_err(failed)?;
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        server.subject_alt_names.push(SanType::IpAddress(loopback));
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate().map_err(failed)?;
        let server_pem = server
            .signed_by(&server_key, &issuer)
            .map_err(failed)?
            .pem();
        let service_account = KeyPair::generate().map_err(failed)?;

        let (admin, controller_manager) = (token()?, token()?);
        let tokens = format!(
            "{admin},kubernetes-admin,admin,\"system:masters\"\n\
             {controller_manager},system:kube-controller-manager,controller-manager\n"
        );
        Ok(Self {
            authority: private(folder, "ca.crt", &authority_pem)?,
            certificate: private(folder, "apiserver.crt", &server_pem)?,
            key: private(folder, "apiserver.key", &server_key.serialize_pem())?,
            service_account_key: private(folder, "sa.key", &service_account.serialize_pem())?,
            service_account_public_key: private(
                folder,
                "sa.pub",
                &service_account.public_key_pem(),
            )?,
            tokens: private(folder, "tokens.csv", &tokens)?,
            admin,
            controller_manager,
        })
    }

    /// Writes a kubeconfig for whoever has `token`.
    pub(super) fn kubeconfig(
        &self,
        folder: &Path,
        name: &str,
        port: u16,
        token: &str,
    ) -> Result<PathBuf, Error> {
        let authority = self.authority.display();
        let text = format!(
            "\
apiVersion: v1
kind: Config
current-context: podgate
clusters:
- name: podgate
  cluster:
    server: https://127.0.0.1:{port}
    certificate-authority: {authority}
contexts:
- name: podgate
  context:
    cluster: podgate
    user: podgate
users:
- name: podgate
  user:
    token: {token}
"
        );
        private(folder, name, &text)
    }
}

/// 256 random bits in hexadecimal digits.
fn token() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::environment(format!("the operating system has no randomness: {error}"))
    })?;
    let mut text = String::with_capacity(64);
    for byte in bytes {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Writes a file that nobody else may read.
pub(super) fn private(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::environment(format!("cannot write {}: {error}", path.display())))?;
    Ok(path)
}
