//! The certificate of the server and the authority that signs it, made anew for each server. The key
//! of the authority is gone when the certificate is signed.
//!
//! Upstream: `k8s.io/client-go/util/cert/cert.go` (`GenerateSelfSignedCertKey`) and the names that
//! kubeadm gives the server's certificate.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Credentials, Error};

/// Clocks of clients may be behind.
const BEFORE: Duration = Duration::from_hours(1);
/// As long as those of kubeadm.
const AFTER: Duration = Duration::from_hours(365 * 24);

/// The names under which a certificate of kubeadm knows the server.
const NAMES: [&str; 5] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// A certificate in use.
pub(super) struct Certificate {
    /// The authority's, as PEM.
    pub(super) authority: String,
    pub(super) tls: ServerConfig,
}

/// Makes a certificate for a server that listens on `ip`.
pub(super) fn make(ip: IpAddr) -> Result<Certificate, Error> {
    let key = KeyPair::generate()?;
    let params = authority();
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);

    let key = KeyPair::generate()?;
    let certificate = serving(ip)?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let tls = tls(vec![certificate.der().clone()], key)?;
    Ok(Certificate { authority, tls })
}

/// The certificate that somebody else made, which a client trusts as it is.
pub(super) fn given(credentials: &Credentials) -> Result<Certificate, Error> {
    let unreadable = |error: pem::Error| Error::Pem(error.to_string());
    let chain = CertificateDer::pem_slice_iter(credentials.certificate.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let key = PrivateKeyDer::from_pem_slice(credentials.key.as_bytes()).map_err(unreadable)?;
    Ok(Certificate {
        authority: credentials.certificate.clone(),
        tls: tls(chain, key)?,
    })
}

fn tls(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, Error> {
    let mut tls = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn authority() -> CertificateParams {
    let mut params = named("podgate-ca");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    params
}

fn serving(ip: IpAddr) -> Result<CertificateParams, Error> {
    let mut params = named("kube-apiserver");
    for name in NAMES {
        params
            .subject_alt_names
            .push(SanType::DnsName(name.try_into()?));
    }
    let mut ips = vec![
        std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::Ipv6Addr::LOCALHOST.into(),
    ];
    if !ip.is_unspecified() && !ips.contains(&ip) {
        ips.push(ip);
    }
    params
        .subject_alt_names
        .extend(ips.into_iter().map(SanType::IpAddress));
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn named(name: &str) -> CertificateParams {
    let now = SystemTime::now();
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = (now - BEFORE).into();
    params.not_after = (now + AFTER).into();
    params
}
