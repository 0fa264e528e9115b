//! One connection: handshake, authentication, HTTP, and how it ends.
//!
//! Upstream: `k8s.io/apiserver/pkg/server/secure_serving.go` (limits of HTTP), and of the handler chain
//! `endpoints/filters/authentication.go` and `server/filters/timeout.go`.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use podgate_admission::status::Status;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::Limits;
use super::token::Token;
use crate::answer::{Answer, Body};
use crate::{ApiServer, failure};

/// `MaxHeaderBytes`
const HEADER_BYTES: usize = 1 << 20;
/// Go does not count headers; hyper would stop at a hundred, and a requester may have more groups.
const HEADERS: usize = 4096;
/// `MaxConcurrentStreams`
const STREAMS: u32 = 100;
/// `resourceBody99Percentile`: frames and windows of HTTP/2.
const FRAME: u32 = 256 * 1024;

/// What all connections of a server have in common.
#[derive(Clone)]
pub(super) struct Connections {
    tls: TlsAcceptor,
    http: Builder<TokioExecutor>,
    server: ApiServer,
    token: Token,
    limits: Limits,
}

impl Connections {
    pub(super) fn new(tls: TlsAcceptor, server: ApiServer, token: Token, limits: Limits) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_headers(HEADERS)
            .max_buf_size(HEADER_BYTES);
        http.http2()
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(HEADER_BYTES).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS)
            .max_frame_size(FRAME)
            .initial_stream_window_size(FRAME)
            .initial_connection_window_size(FRAME * STREAMS);
        Self {
            tls,
            http,
            server,
            token,
            limits,
        }
    }

    /// The server behind them.
    pub(super) fn server(&self) -> &ApiServer {
        &self.server
    }

    /// Answers the requests of a connection until the client, its idleness or `ended` ends it.
    pub(super) async fn run(self, stream: TcpStream, mut ended: watch::Receiver<bool>) {
        // Answers are written at once as a whole: waiting for more would only make them late.
        let _ = stream.set_nodelay(true);
        let handshake = timeout(self.limits.header_timeout, self.tls.accept(stream));
        let stream = tokio::select! {
            stream = handshake => match stream {
                Ok(Ok(stream)) => stream,
                // Who is no TLS client, or does not trust the certificate, has been told by an alert.
                Ok(Err(_)) | Err(_) => return,
            },
            _ = ended.wait_for(|&ended| ended) => return,
        };
        let (in_flight, mut activity) = watch::channel(0_usize);
        let (limits, http) = (self.limits, self.http.clone());
        let service = service_fn(move |request| {
            let connections = self.clone();
            let in_flight = InFlight::new(&in_flight);
            async move {
                let response = connections.answer(request).await;
                // A watch is in flight until its last event is.
                let guard = response.body().is_watch().then_some(in_flight);
                Ok::<_, Infallible>(response.map(|body| Guarded {
                    body,
                    _guard: guard,
                }))
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let finished = tokio::select! {
            // However it ended, there is nobody to tell.
            _ = &mut connection => true,
            () = idle(&mut activity, limits.idle_timeout) => false,
            _ = ended.wait_for(|&ended| ended) => false,
        };
        if !finished {
            connection.as_mut().graceful_shutdown();
            // A client that does not take the end of the connection does not keep it.
            let _ = timeout(limits.request_timeout, connection).await;
        }
    }

    async fn answer(mut self, mut request: Request<Incoming>) -> Response<Body> {
        if !self.token.take(request.headers_mut()) {
            return Answer::from(Status::unauthorized("Unauthorized")).into_response();
        }
        match timeout(self.limits.request_timeout, self.server.call(request)).await {
            Ok(Ok(response)) => response,
            Err(_) => Answer::from(failure::timeout()).into_response(),
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // TLS has no form that could be shown.
        f.debug_struct("Connections")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// A request that is being answered, counted until it is dropped: an answer may be given up halfway.
struct InFlight(watch::Sender<usize>);

impl InFlight {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A body, and the request that is in flight for as long as the body is.
struct Guarded {
    body: Body,
    _guard: Option<InFlight>,
}

impl hyper::body::Body for Guarded {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns when no request was in flight for `limit`.
async fn idle(in_flight: &mut watch::Receiver<usize>, limit: Duration) {
    loop {
        // The senders are gone where the connection is.
        if in_flight.wait_for(|&count| count == 0).await.is_err()
            || timeout(limit, in_flight.changed()).await.is_err()
        {
            return;
        }
    }
}
