//! The server on a socket: TLS with a certificate of its own, a bearer token, HTTP/1.1 and HTTP/2. It
//! is the only place of this crate that knows sockets, tasks and time.
//!
//! Upstream: `k8s.io/apiserver/pkg/server/secure_serving.go`, whose limits it takes over. A real
//! server started like this one has `--anonymous-auth=false`: nobody is served without the token,
//! `/readyz` included.
//!
//! ```no_run
//! # use podgate_apiserver::{ApiServer, serve};
//! # async fn example(server: ApiServer) -> Result<(), serve::Error> {
//! let listening = serve::listen(server, serve::Options::default()).await?;
//! println!("{}", listening.access().kubeconfig());
//! listening.serve(std::future::pending::<()>()).await;
//! # Ok(())
//! # }
//! ```

mod access;
mod certificate;
mod connection;
mod token;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub use access::Access;

use crate::ApiServer;
use connection::Connections;
use token::Token;

/// Where to listen, and what a client may take up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 for one that is free. Port 0 of 127.0.0.1 by default.
    pub address: SocketAddr,
    /// What a client may take up.
    pub limits: Limits,
    /// What the server shows and demands; new ones are made when absent.
    pub credentials: Option<Credentials>,
    /// How many changes are kept for those who watch, or list an older version. 10,000 by default.
    pub history: usize,
}

/// The changes that are kept when nothing else is said. A real server keeps those of the last minute and
/// a quarter, and at most 102,400 of a resource (`storage/cacher/watch_cache.go`); etcd keeps those of five minutes.
const HISTORY: usize = 10_000;

/// A certificate and a token that somebody else made, as `--tls-cert-file`, `--tls-private-key-file`
/// and `--token-auth-file` name them. Debug output does not show the secrets.
#[derive(Clone)]
pub struct Credentials {
    /// The server's certificate and those that signed it, as PEM.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: String,
    /// The bearer token of the cluster's admin.
    pub token: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            limits: Limits::default(),
            credentials: None,
            history: HISTORY,
        }
    }
}

/// What a client may take up. The defaults are kube-apiserver's where it has such a limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; those that come on top wait until one ends. 1,024 by default: a real
    /// server has no such limit.
    pub connections: usize,
    /// How long a TLS handshake may take, and how long the headers of a request over HTTP/1.1 (Go's
    /// `ReadHeaderTimeout` is for both).
    pub header_timeout: Duration,
    /// How long a connection stays open without a request in flight (`IdleTimeout`).
    pub idle_timeout: Duration,
    /// How long a request may take, its body included (`--request-timeout`).
    pub request_timeout: Duration,
    /// How long requests in flight have to finish at the end (`ShutdownTimeout`). A second by
    /// default, where a real server has a minute: no request takes that long here.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            header_timeout: Duration::from_secs(32),
            idle_timeout: Duration::from_secs(90),
            request_timeout: Duration::from_mins(1),
            shutdown_timeout: Duration::from_secs(1),
        }
    }
}

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A certificate or a key that was given is none.
    #[error("cannot read the certificate or its key: {0}")]
    Pem(String),
    /// TLS could not be set up with the certificate.
    #[error("cannot set up TLS")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// The operating system has no randomness for the token.
    #[error("cannot draw a token")]
    Token,
}

/// A server that listens. Connections are answered as soon as [`serve`](Self::serve) runs; until then
/// they wait.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    connections: Connections,
    limits: Limits,
}

/// Listens, with a new certificate authority, certificate and token unless some are given. From here
/// on the server keeps track of who owns which fields, as clients expect. It has to be called on a
/// Tokio runtime with I/O and time.
pub async fn listen(mut server: ApiServer, options: Options) -> Result<Listening, Error> {
    let Options {
        address,
        limits,
        credentials,
        history,
    } = options;
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (certificate, token) = match &credentials {
        Some(given) => (certificate::given(given)?, Token::given(&given.token)),
        None => (certificate::make(address.ip())?, Token::draw()?),
    };
    server = server.tracking_fields();
    server.keep_history(history, |time| Box::pin(tokio::time::sleep(time)));
    let access = Access::new(reachable(address), certificate.authority, token.as_str());
    Ok(Listening {
        listener,
        address,
        access,
        connections: Connections::new(
            TlsAcceptor::from(Arc::new(certificate.tls)),
            server,
            token,
            limits,
        ),
        limits,
    })
}

/// Where a client on the same machine finds the server.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Listening {
    /// The address with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client needs to get in.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Answers until `shutdown` is done. Then it listens no more, lets requests in flight finish, and
    /// returns when no connection is left.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            connections,
            limits,
            ..
        } = self;
        let (ending, ended) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(limits.connections));
        let mut tasks = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                // What a task leaves is taken away at once; one that panicked took its connection along.
                Some(_) = tasks.join_next() => {}
                (slot, stream) = accept(&listener, &slots) => {
                    let connection = connections.clone().run(stream, ended.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
            }
        }
        drop(listener);
        connections.server().end_watches();
        // Nobody listens where no connection is open.
        let _ = ending.send(true);
        let all_gone = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.shutdown_timeout, all_gone)
            .await
            .is_err()
        {
            tasks.shutdown().await;
        }
    }
}

/// Waits for a free slot, then for a connection.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream) {
    /// How long to wait when the process has no file descriptor left or the like: accepting again at
    /// once would spin.
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
            // The semaphore is never closed.
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _)) => return (slot, stream),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
