//! Starting and stopping.

use crate::app::{App, DEFAULT_TENANT, Parts};
use crate::audit::Audit;
use crate::clients::certificate::TrustedProxies;
use crate::config::{Config, DEFAULT_LISTEN};
use crate::data_dir::{DataDir, DataDirError, ServerFile};
use crate::db::{Db, DbError, Target};
use crate::http::{Listener, Network, Outgoing, Peer, Service, Tls};
use crate::keys::{Signer, rotation};
use crate::limiter::Limiter;
use crate::limits::Limits;
use crate::metrics::Exposition;
use crate::provision::{self, Provision, ProvisionError};
use crate::tls::{self, TlsError, TlsSettings};
use crate::{Clock, Random, clients, keys, master_key, ops, router};
use axum::body::Body;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The first start failed.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// No thread could be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The two settings of proxies belong together.
    #[error("--trusted-proxy and --client-cert-header belong together, and the latter names a header")]
    Proxies,
    /// The domain is not one.
    #[error("the domain `{0}` is not a host name with an optional port")]
    Domain(String),
}

/// How often the local certificate is looked at.
const RENEWAL: Duration = Duration::from_secs(12 * 3600);

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A running server. Dropping it stops it at once; [`Running::stop`] lets it finish what it does.
pub struct Running {
    /// Under which host and port clients know it.
    pub domain: String,
    /// URLs of its listeners, HTTPS first.
    pub listeners: Vec<String>,
    /// Its local certificate authority.
    pub ca: PathBuf,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// What runs until nothing else does.
    background: JoinSet<()>,
    app: App,
    tls: Tls,
    certificate: Certificate,
    _locks: Vec<File>,
}

/// Where the certificate comes from, and whose certificates are trusted.
#[derive(Clone)]
struct Certificate {
    source: Source,
    authorities: Option<PathBuf>,
}

#[derive(Clone)]
enum Source {
    Local(DataDir),
    Files { certificate: PathBuf, key: PathBuf },
}

impl Certificate {
    fn of(config: &Config, dir: &DataDir) -> Result<Self, TlsError> {
        let source = match (&config.tls_cert, &config.tls_key) {
            (None, None) => Source::Local(dir.clone()),
            (Some(certificate), Some(key)) => {
                Source::Files { certificate: certificate.clone(), key: key.clone() }
            }
            _ => return Err(TlsError::HalfGiven),
        };
        Ok(Self { source, authorities: config.mtls_ca.clone() })
    }

    async fn load(
        &self,
        db: &Db,
        master: &crate::seal::MasterKey,
        clock: &Clock,
        domain: &str,
    ) -> Result<TlsSettings, TlsError> {
        let identity = match &self.source {
            Source::Local(dir) => tls::local(db, master, clock, dir, domain).await?,
            Source::Files { certificate, key } => tls::from_files(certificate, key)?,
        };
        TlsSettings::new(&identity, self.authorities.as_deref())
    }
}

fn database(config: &Config, dir: &DataDir) -> Result<Target, DbError> {
    config.database_url.as_deref().map_or_else(|| Ok(Target::Sqlite(dir.database())), Target::parse)
}

fn proxies(config: &Config) -> Result<Option<TrustedProxies>, StartError> {
    match (&config.trusted_proxy, &config.client_cert_header) {
        (None, None) => Ok(None),
        (Some(networks), Some(header)) => {
            let name = |text: String| text.to_ascii_lowercase().parse().map_err(|_| StartError::Proxies);
            let verified = name(format!("{header}-ca-verified"))?;
            Ok(Some(TrustedProxies {
                networks: networks.clone(),
                certificate: name(header.clone())?,
                verified,
            }))
        }
        _ => Err(StartError::Proxies),
    }
}

/// A domain is a host name and, unless it is 443, a port; it stands in issuers and URLs as it is.
fn check_domain(domain: &str) -> Result<(), StartError> {
    let parsed = url::Url::parse(&format!("https://{domain}/")).ok();
    let same = parsed.is_some_and(|url| url.as_str() == format!("https://{}/", domain.to_ascii_lowercase()));
    if same && !domain.contains('/') { Ok(()) } else { Err(StartError::Domain(domain.to_owned())) }
}

async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = |source| StartError::Listen { address: address.to_owned(), source };
    let socket = TcpListener::bind(address).await.map_err(listen)?;
    let bound = socket.local_addr().map_err(listen)?;
    Ok((socket, bound))
}

impl Server {
    /// Starts a server: makes what is missing, and returns when it answers requests.
    ///
    /// # Errors
    /// Something it needs cannot be had; the message says what.
    pub async fn start(
        config: &Config,
        dir: DataDir,
        clock: Clock,
        random: Random,
    ) -> Result<Running, StartError> {
        Self::start_in(config, dir, clock, random, &Network::default()).await
    }

    /// Starts a server for which names lead elsewhere than the system says.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_in(
        config: &Config,
        dir: DataDir,
        clock: Clock,
        random: Random,
        network: &Network,
    ) -> Result<Running, StartError> {
        if let Some(domain) = &config.domain {
            check_domain(domain)?;
        }
        let certificate = Certificate::of(config, &dir)?;
        let proxies = proxies(config)?;
        let database = database(config, &dir)?;
        dir.create()?;
        let mut locks = vec![dir.lock()?];
        if let Target::Sqlite(path) = &database {
            locks.push(dir.lock_database(path)?);
        }
        let db = Db::open(&database).await?;
        let database = database.to_string();
        let has_tenant = provision::has_tenant(&db).await?;
        if !has_tenant && dir.server_file().is_ok_and(|server| server.database == database) {
            tracing::warn!(
                database,
                "a server ran on this database before, which is empty now: a new tenant is made"
            );
        }
        let master =
            dir.master_key(config.master_key_file.as_deref(), has_tenant.then_some(database.as_str()))?;
        // Before anything of the tenant is changed.
        keys::check_master(&db, &master, DEFAULT_TENANT).await?;

        let (https, https_address) = bind(config.listen.as_deref().unwrap_or(DEFAULT_LISTEN)).await?;
        let domain = provision::domain(&db, config.domain.as_deref(), https_address.port()).await?;
        Provision { db: &db, master: &master, clock: &clock, random: &random }.run(&domain).await?;
        clients::search::index::index_missing(&db).await?;
        let tls = Tls::new(certificate.load(&db, &master, &clock, &domain).await?);

        let (audit, backlog) = Audit::new(config.audit_kept());
        let app = App::load(Parts {
            db,
            clock,
            random,
            master,
            domain: domain.clone(),
            third_party_security_mode: config.third_party_security_mode.unwrap_or_default(),
            default_audience: config.default_audience.clone(),
            proxies,
            signer: Signer::start().map_err(StartError::Thread)?,
            audit,
            outgoing: Outgoing::new(network.clone()),
            limiter: Limiter::of(config),
        })
        .await?;
        let mut background = JoinSet::new();
        background.spawn(backlog.run(app.clone()));

        let (stop, stopped) = watch::channel(false);
        let limits = Limits::of(config);
        let doors = Doors { app: app.clone(), limits, tls: tls.clone(), stopped: stopped.clone() };
        let (doors, listeners) = doors.build(config, https, https_address).await?;

        let master_key_file = dir
            .master_key_path(config.master_key_file.as_deref())
            .map(|path| std::path::absolute(&path).unwrap_or(path));
        let server_file = ServerFile {
            domain: domain.clone(),
            listeners: listeners.clone(),
            ca: dir.ca(),
            database,
            master_key_file,
            uses_local_ca: matches!(certificate.source, Source::Local(_)),
            master_keys: app.master.ids(),
        };
        // Whoever is answered may read it.
        dir.write_server_file(&server_file)?;
        let mut tasks: JoinSet<()> = doors.into_iter().collect();
        tasks.spawn(rotation::keep_next(app.clone(), stopped.clone()));
        tasks.spawn(clients::search::indexer::run(app.clone(), stopped.clone()));
        tasks.spawn(master_key::watch(app.clone(), dir.clone(), server_file, stopped));
        let ca = dir.ca();
        Ok(Running { domain, listeners, ca, stop, tasks, background, app, tls, certificate, _locks: locks })
    }
}

/// Answers on one listener, until the server stops.
type Door = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where requests come in.
struct Doors {
    app: App,
    limits: Limits,
    tls: Tls,
    stopped: watch::Receiver<bool>,
}

impl Doors {
    /// A door for each listener that is asked for, and their URLs, HTTPS first.
    async fn build(
        self,
        config: &Config,
        https: TcpListener,
        https_address: SocketAddr,
    ) -> Result<(Vec<Door>, Vec<String>), StartError> {
        let Self { app, limits, tls, stopped } = self;
        let (api, traffic) = router::router(&app);
        let traffic = Arc::new(traffic);
        let figures = Arc::clone(&limits.connections.figures);
        let health = ops::router(Exposition::new(app.clone(), Arc::clone(&traffic), figures, tls.clone()));
        let service = Arc::new(Service::new(app, api, traffic, &limits));
        let handle = move |request, peer: Peer| service.handle(request, peer);
        let listener = |socket| Listener::plain(socket, &limits.connections, limits.patience);
        let mut doors: Vec<Door> = Vec::new();
        let mut listeners = vec![format!("https://{https_address}")];
        doors.push(Box::pin(listener(https).with_tls(&tls).serve(handle.clone(), stopped.clone())));
        if let Some(address) = &config.mtls_listen {
            let (socket, bound) = bind(address).await?;
            listeners.push(format!("https://{bound}"));
            let listener = listener(socket).with_tls(&tls).asking_everyone();
            doors.push(Box::pin(listener.serve(handle.clone(), stopped.clone())));
        }
        if let Some(address) = &config.http_listen {
            let (socket, bound) = bind(address).await?;
            listeners.push(format!("http://{bound}"));
            let health = config.ops_listen.is_none().then(|| health.clone());
            let handle = move |request: ::http::Request<hyper::body::Incoming>, peer: Peer| match &health {
                Some(health) if ops::is_harmless(request.uri().path()) => {
                    Box::pin(health.clone().oneshot(request.map(Body::new)))
                }
                _ => handle(request, peer),
            };
            doors.push(Box::pin(listener(socket).serve(handle, stopped.clone())));
        }
        if let Some(address) = &config.ops_listen {
            let (socket, bound) = bind(address).await?;
            listeners.push(format!("http://{bound}"));
            let handle = move |request: ::http::Request<hyper::body::Incoming>, _: Peer| {
                health.clone().oneshot(request.map(Body::new))
            };
            let listener = Listener::plain(socket, &limits.ops_connections, limits.patience);
            doors.push(Box::pin(listener.serve(handle, stopped)));
        }
        Ok((doors, listeners))
    }
}

/// A route of the Management API and the scopes of which one opens it.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The method.
    pub method: String,
    /// The path, with `{placeholders}`.
    pub path: &'static str,
    /// The scopes.
    pub scopes: Vec<&'static str>,
    /// What it does: `served`, `echo`, `empty` or `not served`.
    pub state: &'static str,
}

impl Running {
    /// Reads the certificate anew: the files may have changed, the local one may be near its end.
    ///
    /// # Errors
    /// It cannot be used; the old one stays.
    pub async fn reload_certificate(&self) -> Result<(), StartError> {
        let config =
            self.certificate.load(&self.app.db, &self.app.master, &self.app.clock, &self.domain).await?;
        self.tls.replace(config);
        Ok(())
    }

    /// Waits until the certificate should be looked at again.
    pub async fn renewal_due(&self) {
        tokio::time::sleep(RENEWAL).await;
    }

    /// Every route of the Management API.
    #[must_use]
    pub fn routes(&self) -> Vec<RouteInfo> {
        let info = |route: crate::http::ApiRoute| RouteInfo {
            method: route.method.to_string(),
            path: route.path,
            scopes: route.scopes.iter().map(|scope| scope.as_str()).collect(),
            state: route.state.as_str(),
        };
        router::api_routes(&self.app).into_iter().map(info).collect()
    }

    /// From what the tenant was filled at its first start, as [`Running::remember_seed`] was told.
    ///
    /// # Errors
    /// The database failed.
    pub async fn seed(&self) -> Result<Option<String>, StartError> {
        Ok(provision::seed(&self.app.db).await?)
    }

    /// Remembers for all later starts that the tenant was filled from `from`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn remember_seed(&self, from: &str) -> Result<(), StartError> {
        Ok(provision::set_seed(&self.app.db, from).await?)
    }

    /// Stops accepting, finishes what is running, and returns.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        self.app.audit.flush().await;
        self.background.shutdown().await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("domain", &self.domain).finish_non_exhaustive()
    }
}
