//! A server that runs beside a test, and a client of its own making that speaks plain HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use podgate_admission::chain::Server;
use podgate_apiserver::serve::{self, Access, Limits, Options};
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_policy::Minor;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A server of 1.36 in a task of its own.
pub(crate) struct Running {
    pub(crate) access: Access,
    pub(crate) address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(limits: Limits) -> Self {
        Self::start_with(|options| options.limits = limits).await
    }

    /// Starts with options that are not the usual ones.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let server = ApiServer::new(
            Server::new(Minor::known(36)),
            Seeded::new(1, Clock::default()),
        );
        let mut options = Options::default();
        change(&mut options);
        let listening = serve::listen(server, options).await.expect("it listens");
        let (shutdown, asked) = oneshot::channel();
        Self {
            access: listening.access().clone(),
            address: listening.address(),
            shutdown,
            task: tokio::spawn(listening.serve(async {
                let _ = asked.await;
            })),
        }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(self) {
        self.shutdown.send(()).expect("it runs");
        self.task.await.expect("no panic");
    }

    /// A connection with nothing said on it yet.
    pub(crate) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let pem = self.access.certificate_authority().as_bytes();
        roots
            .add(CertificateDer::from_pem_slice(pem).expect("PEM"))
            .expect("an authority");
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.into()];
        let stream = TcpStream::connect(self.address).await.expect("connected");
        let stream = TlsConnector::from(Arc::new(config))
            .connect(ServerName::from(self.address.ip()), stream)
            .await
            .expect("a handshake");
        let chosen = stream.get_ref().1.alpn_protocol();
        assert_eq!(chosen, Some(protocol.as_bytes()));
        stream
    }

    /// A request with the server's token.
    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.access.url()))
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.access.token()))
    }

    /// Sends a request over HTTP/1.1 (`http/1.1`) or HTTP/2 (`h2`), each time on a new connection.
    pub(crate) async fn send(&self, protocol: &str, request: Request<Full<Bytes>>) -> Answer {
        self.begin(protocol, request).await.await
    }

    /// Does the same, and returns when the answer has begun; the rest of it is to be waited for.
    pub(crate) async fn begin(
        &self,
        protocol: &str,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = Answer> + use<> {
        let stream = TokioIo::new(self.connect(protocol).await);
        let (response, connection) = if protocol == "h2" {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                .await
                .expect("HTTP/2");
            let connection = tokio::spawn(async move { drop(connection.await) });
            (sender.send_request(request).await, connection)
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.expect("HTTP/1.1");
            let connection = tokio::spawn(async move { drop(connection.await) });
            (sender.send_request(request).await, connection)
        };
        async move {
            let answer = Answer::of(response.expect("a response")).await;
            connection.abort();
            answer
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response<hyper::body::Incoming>) -> Self {
        let code = response.status().as_u16();
        let body = response.collect().await.expect("a body").to_bytes();
        Self {
            code,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }
}
