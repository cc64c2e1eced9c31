//! A web of our own for servers that fetch: names under `.example`, addresses that look public, and one HTTPS server
//! behind all of them. Names may also lead to addresses that are not public; who connects there anyway is counted.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenantry_server::Network;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is answered at a URL.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
    /// Whether the length is not told beforehand.
    pub(crate) is_streamed: bool,
}

impl Page {
    pub(crate) fn json(body: &Value) -> Self {
        Self::bytes(body.to_string())
    }

    pub(crate) fn bytes(body: impl Into<Vec<u8>>) -> Self {
        let (location, delay) = (None, Duration::ZERO);
        Self { status: 200, location, body: body.into(), delay, is_streamed: false }
    }
}

#[derive(Default)]
struct Shared {
    /// By `host/path`.
    pages: Mutex<HashMap<String, Page>>,
    requests: Mutex<Vec<(String, axum::http::HeaderMap)>>,
    /// Answers of the name server, one after the other; the last one stays. A name that is not there is public.
    names: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    lookups: AtomicUsize,
    forbidden: AtomicUsize,
}

pub(crate) struct Web {
    pub(crate) network: Network,
    shared: Arc<Shared>,
}

struct Tls {
    socket: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.socket.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// An address that a public host may have.
const PUBLIC: &str = "93.184.216.34";

impl Web {
    pub(crate) async fn start() -> Self {
        let (ca, acceptor) = identity();
        let shared = Arc::new(Shared::default());
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = socket.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(Tls { socket, acceptor }, router).await });

        let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let trap_address = trap.local_addr().unwrap();
        let counted = Arc::clone(&shared);
        tokio::spawn(async move {
            while trap.accept().await.is_ok() {
                counted.forbidden.fetch_add(1, Ordering::SeqCst);
            }
        });

        let public: IpAddr = PUBLIC.parse().unwrap();
        let names = Arc::clone(&shared);
        let lookup = move |name: &str| {
            names.lookups.fetch_add(1, Ordering::SeqCst);
            let mut known = names.names.lock().unwrap();
            let addresses = match known.get_mut(name) {
                Some(answers) if answers.len() > 1 => answers.remove(0),
                Some(answers) => answers[0].clone(),
                None => vec![public],
            };
            addresses.into_iter().map(|ip| (ip, if ip == public { here } else { trap_address })).collect()
        };
        Self { network: Network::routed(lookup, &[&ca]), shared }
    }

    /// Puts a page at `host/path`.
    pub(crate) fn put(&self, at: &str, page: Page) {
        self.shared.pages.lock().unwrap().insert(at.to_owned(), page);
    }

    /// Says which addresses a name has, one answer after the other.
    pub(crate) fn name(&self, name: &str, answers: &[&[&str]]) {
        let answers = answers.iter().map(|answer| answer.iter().map(|ip| ip.parse().unwrap()).collect());
        self.shared.names.lock().unwrap().insert(name.to_owned(), answers.collect());
    }

    /// The requests so far, by `host/path`.
    pub(crate) fn requests(&self) -> Vec<(String, axum::http::HeaderMap)> {
        self.shared.requests.lock().unwrap().clone()
    }

    pub(crate) fn lookups(&self) -> usize {
        self.shared.lookups.load(Ordering::SeqCst)
    }

    /// Fails if anybody connected to an address that is not public.
    #[track_caller]
    pub(crate) fn check_nobody_was_led_astray(&self) {
        assert_eq!(self.shared.forbidden.load(Ordering::SeqCst), 0);
        let allowed = self.network.allowed();
        assert!(allowed.iter().all(|ip| ip.to_string() == PUBLIC), "{allowed:?}");
    }
}

fn identity() -> (String, TlsAcceptor) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let names =
        ["*.example", "client.example", "other.example", "idp.example", "*.idp.example"].map(str::to_owned);
    let certificate =
        CertificateParams::new(names).unwrap().signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    (ca_pem, TlsAcceptor::from(Arc::new(config)))
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let at = format!("{host}{}", request.uri().path());
    shared.requests.lock().unwrap().push((at.clone(), request.headers().clone()));
    let Some(page) = shared.pages.lock().unwrap().get(&at).cloned() else {
        return Response::builder().status(404).body(Body::empty()).unwrap();
    };
    tokio::time::sleep(page.delay).await;
    let mut response = Response::builder().status(page.status).header("set-cookie", "a=b");
    if let Some(location) = page.location {
        response = response.header("location", location);
    }
    let body = if page.is_streamed {
        let chunks: Vec<_> =
            page.body.chunks(512).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
        Body::from_stream(futures_util::stream::iter(chunks))
    } else {
        Body::from(page.body)
    };
    response.body(body).unwrap()
}
