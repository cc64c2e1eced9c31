//! Listeners: TLS or plain, HTTP/1.1 and HTTP/2, with limits on connections and slow clients, and a graceful stop.

use super::MAX_HEADERS;
use super::connections::{Admitted, Connections};
use super::pace::{Paced, Patience, Requests};
use crate::clients::certificate::ClientCertificate;
use crate::tls::TlsSettings;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use parking_lot::RwLock;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// A client that has not finished its handshake by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often a caller of HTTP/2 is asked whether it is still there, and how long it has to answer.
const PING: Duration = Duration::from_secs(30);
/// Requests that a connection of HTTP/2 may have at once.
const STREAMS: u32 = 256;
/// Requests that a connection of HTTP/2 may cancel before anybody looked at them, and ones that it may get refused for
/// breaking the protocol. Then it is closed, for nothing but an attack cancels so many (CVE-2023-44487).
const CANCELLED: usize = 20;
const REFUSED: usize = 256;
/// How long running requests may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// The server's TLS identity, replaceable while it runs.
#[derive(Clone)]
pub(crate) struct Tls(Arc<RwLock<Arc<TlsSettings>>>);

impl Tls {
    pub(crate) fn new(settings: TlsSettings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(settings))))
    }

    pub(crate) fn replace(&self, settings: TlsSettings) {
        *self.0.write() = Arc::new(settings);
    }

    /// When the certificate ends, in seconds since 1970.
    pub(crate) fn expiry(&self) -> Option<i64> {
        self.0.read().expiry
    }

    fn current(&self) -> Arc<TlsSettings> {
        Arc::clone(&self.0.read())
    }
}

/// Room for headers that we refuse in our own words; what is larger still is refused by the library.
const MAX_HEADER_LIST: u32 = 128 << 10;

/// A bound address and what to speak on it.
pub(crate) struct Listener {
    socket: TcpListener,
    tls: Option<Tls>,
    /// Whether every caller is asked for a certificate, by whatever name it calls.
    asks_everyone: bool,
    connections: Arc<Connections>,
    patience: Patience,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Option<ClientCertificate>,
}

impl Listener {
    pub(crate) fn plain(socket: TcpListener, connections: &Arc<Connections>, patience: Patience) -> Self {
        Self { socket, tls: None, asks_everyone: false, connections: Arc::clone(connections), patience }
    }

    /// Asks callers for a certificate only under the names that are meant for it, since browsers show a dialogue.
    pub(crate) fn with_tls(self, tls: &Tls) -> Self {
        Self { tls: Some(tls.clone()), ..self }
    }

    pub(crate) fn asking_everyone(self) -> Self {
        Self { asks_everyone: true, ..self }
    }

    /// Answers requests with `handle` until `stop` says so, then lets running ones finish.
    pub(crate) async fn serve<H, F>(self, handle: H, mut stop: watch::Receiver<bool>)
    where
        H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(4 * MAX_HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .max_header_list_size(MAX_HEADER_LIST)
            .max_concurrent_streams(STREAMS)
            .max_pending_accept_reset_streams(CANCELLED)
            .max_local_error_reset_streams(REFUSED);
        let builder = Arc::new(builder);
        let graceful = GracefulShutdown::new();
        loop {
            let (stream, peer) = tokio::select! {
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file handles, most likely: wait for some to come back rather than spin.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = stopped(&mut stop) => break,
            };
            let Some(admitted) = self.connections.admit(peer.ip()) else { continue };
            let _ = stream.set_nodelay(true);
            let connection = Connection {
                admitted,
                patience: self.patience,
                builder: Arc::clone(&builder),
                handle: handle.clone(),
                watcher: graceful.watcher(),
            };
            let tls = self.tls.as_ref().map(Tls::current);
            let asks = self.asks_everyone;
            tokio::spawn(async move { connection.serve(stream, peer, tls, asks).await });
        }
        drop(self.socket);
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }
}

/// Returns when the server stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A connection that was accepted, and how to answer on it.
struct Connection<H> {
    admitted: Admitted,
    patience: Patience,
    builder: Arc<auto::Builder<TokioExecutor>>,
    handle: H,
    watcher: Watcher,
}

impl<H, F> Connection<H>
where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    async fn serve(self, stream: TcpStream, address: SocketAddr, tls: Option<Arc<TlsSettings>>, asks: bool) {
        let Some(tls) = tls else {
            return self.speak(stream, Peer { address, certificate: None }).await;
        };
        let figures = self.admitted.figures();
        match tokio::time::timeout(HANDSHAKE, handshake(stream, &tls, asks)).await {
            Ok(Ok(stream)) => {
                let certificate = tls.certificate(stream.get_ref().1.peer_certificates());
                self.speak(stream, Peer { address, certificate }).await;
            }
            Ok(Err(error)) => {
                figures.handshake.increment();
                tracing::debug!(%error, "TLS handshake failed");
            }
            Err(_) => {
                figures.slow_handshake.increment();
                tracing::debug!("TLS handshake took too long");
            }
        }
    }

    async fn speak<S>(self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { admitted, patience, builder, handle, watcher } = self;
        let requests = Requests::new();
        let stream = Paced::new(stream, Arc::clone(&requests), patience, Arc::clone(admitted.figures()));
        let service = service_fn(move |request| {
            let running = requests.begin();
            let answer = handle(request, peer.clone());
            async move {
                let answer = answer.await;
                drop(running);
                answer
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(error, "connection ended early");
        }
    }
}

async fn handshake(
    stream: TcpStream,
    tls: &TlsSettings,
    asks: bool,
) -> std::io::Result<TlsStream<TcpStream>> {
    let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
    let asks = asks || hello.client_hello().server_name().is_some_and(|name| name.starts_with("mtls."));
    hello.into_stream(Arc::clone(if asks { &tls.asking } else { &tls.plain })).await
}
