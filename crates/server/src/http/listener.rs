//! Listeners: TLS or plain, HTTP/1.1 and HTTP/2, with limits on slow clients and a graceful stop.

use super::MAX_HEADERS;
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
const PATIENCE: Duration = Duration::from_secs(10);
/// As long may a connection lie idle between requests, or a client take to send its headers. Programs send on
/// connections that they believe open, and some compute for half a minute between two requests.
const IDLE: Duration = Duration::from_secs(120);
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
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Option<ClientCertificate>,
}

impl Listener {
    pub(crate) fn plain(socket: TcpListener) -> Self {
        Self { socket, tls: None, asks_everyone: false }
    }

    /// Asks callers for a certificate only under the names that are meant for it, since browsers show a dialogue.
    pub(crate) fn tls(socket: TcpListener, tls: Tls) -> Self {
        Self { socket, tls: Some(tls), asks_everyone: false }
    }

    pub(crate) fn mtls(socket: TcpListener, tls: Tls) -> Self {
        Self { socket, tls: Some(tls), asks_everyone: true }
    }

    /// Answers requests with `handle` until `stop` says so, then lets running ones finish.
    pub(crate) async fn serve<H, F>(self, handle: H, mut stop: watch::Receiver<bool>)
    where
        H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(4 * MAX_HEADERS);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEADER_LIST)
            .max_concurrent_streams(256);
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
            let _ = stream.set_nodelay(true);
            let (builder, handle, watcher) = (Arc::clone(&builder), handle.clone(), graceful.watcher());
            let tls = self.tls.as_ref().map(Tls::current);
            let asks = self.asks_everyone;
            tokio::spawn(async move { connection(stream, peer, tls, asks, &builder, handle, watcher).await });
        }
        drop(self.socket);
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }
}

/// Returns when the server stops, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn connection<H, F>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Arc<TlsSettings>>,
    asks_everyone: bool,
    builder: &auto::Builder<TokioExecutor>,
    handle: H,
    watcher: Watcher,
) where
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let Some(tls) = tls else {
        return speak(stream, Peer { address, certificate: None }, builder, handle, watcher).await;
    };
    match tokio::time::timeout(PATIENCE, handshake(stream, &tls, asks_everyone)).await {
        Ok(Ok(stream)) => {
            let certificate = tls.certificate(stream.get_ref().1.peer_certificates());
            speak(stream, Peer { address, certificate }, builder, handle, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
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

async fn speak<S, H, F>(
    stream: S,
    peer: Peer,
    builder: &auto::Builder<TokioExecutor>,
    handle: H,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>, Peer) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let service = service_fn(move |request| handle(request, peer.clone()));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "connection ended early");
    }
}
