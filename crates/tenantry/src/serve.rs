//! `tenantry serve`.

use crate::options::{DataDirOption, data_dir};
use crate::{Failure, local, logging, transfer};
use std::path::{Path, PathBuf};
use tenantry_server::config::{LogFormat, Profile, Rate, Retention};
use tenantry_server::{Clock, Config, DataDir, Random, Running, Server};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data_dir: DataDirOption,
    /// Address of the HTTPS listener; port 0 takes a free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR", env = "TENANTRY_LISTEN")]
    listen: Option<String>,
    /// Address of a plain HTTP listener; off unless given
    #[arg(long, value_name = "ADDR", env = "TENANTRY_HTTP_LISTEN")]
    http_listen: Option<String>,
    /// Address of a plain HTTP listener for /healthz, /readyz and /metrics; off unless given
    #[arg(long, value_name = "ADDR", env = "TENANTRY_OPS_LISTEN")]
    ops_listen: Option<String>,
    /// Host and port under which clients know the server; remembered [default: localhost and the port]
    #[arg(long, value_name = "HOST[:PORT]", env = "TENANTRY_DOMAIN")]
    domain: Option<String>,
    /// The database: sqlite:PATH or `postgres://USER:PASSWORD@HOST/DATABASE` [default: SQLite in the data directory]
    #[arg(long, value_name = "URL", env = "TENANTRY_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// File that holds the master key [default: master.key in the data directory]
    #[arg(long, value_name = "FILE", env = "TENANTRY_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
    /// Certificate chain in PEM, instead of one by the local authority; read anew on SIGHUP
    #[arg(long, value_name = "FILE", env = "TENANTRY_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Private key of that certificate in PEM
    #[arg(long, value_name = "FILE", env = "TENANTRY_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Address of an HTTPS listener that asks every caller for a certificate; the name mtls.DOMAIN asks on the ordinary one
    #[arg(long, value_name = "ADDR", env = "TENANTRY_MTLS_LISTEN")]
    mtls_listen: Option<String>,
    /// Authorities in PEM that issue client certificates for `tls_client_auth`
    #[arg(long, value_name = "FILE", env = "TENANTRY_MTLS_CA")]
    mtls_ca: Option<PathBuf>,
    /// Network of a proxy that ends TLS and forwards client certificates; may be repeated, or separated by commas
    #[arg(long, value_name = "CIDR", env = "TENANTRY_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Option<Vec<ipnet::IpNet>>,
    /// Header in which it forwards them as percent-encoded PEM; NAME-ca-verified: SUCCESS says that it verified them
    #[arg(long, value_name = "NAME", env = "TENANTRY_CLIENT_CERT_HEADER")]
    client_cert_header: Option<String>,
    /// Audience of token requests that name none
    #[arg(long, value_name = "IDENTIFIER", env = "TENANTRY_DEFAULT_AUDIENCE")]
    default_audience: Option<String>,
    /// Security mode of third-party clients that are created without one: strict or permissive [default: permissive]
    #[arg(long, value_name = "MODE", env = "TENANTRY_THIRD_PARTY_SECURITY_MODE", value_parser = mode)]
    third_party_security_mode: Option<Mode>,
    /// How long the audit log is kept, for example 30d or forever [default: 90d]
    #[arg(long, value_name = "TIME", env = "TENANTRY_AUDIT_RETENTION")]
    audit_retention: Option<Retention>,
    /// How many tokens and refused attempts the audit log keeps at most [default: 1000000]
    #[arg(long, value_name = "NUMBER", env = "TENANTRY_AUDIT_ATTEMPTS")]
    audit_attempts: Option<u32>,
    /// What is logged, in the syntax of `RUST_LOG`, such as `warn` or `info,tenantry_server=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "TENANTRY_LOG")]
    log: Option<String>,
    /// How the log is written: text or json [default: text]
    #[arg(long, value_name = "FORMAT", env = "TENANTRY_LOG_FORMAT", value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Plan of Auth0 whose rate limits are imitated: off, free, essentials (also Professional) or enterprise [default: off]
    #[arg(long, value_name = "PLAN", env = "TENANTRY_RATE_LIMIT", help_heading = "Limits")]
    rate_limit: Option<Profile>,
    /// Requests to the Management API, such as 16/s, or 16/s:50 with a burst; instead of the plan's, as the next one
    #[arg(long, value_name = "RATE", env = "TENANTRY_RATE_LIMIT_MANAGEMENT", help_heading = "Limits")]
    rate_limit_management: Option<Rate>,
    /// Requests for tokens, keys and the like
    #[arg(long, value_name = "RATE", env = "TENANTRY_RATE_LIMIT_AUTHENTICATION", help_heading = "Limits")]
    rate_limit_authentication: Option<Rate>,
    /// Requests with one token of the Management API [default: not limited]
    #[arg(long, value_name = "RATE", env = "TENANTRY_RATE_LIMIT_TOKEN", help_heading = "Limits")]
    rate_limit_token: Option<Rate>,
    /// Requests of one client, whichever of its tokens it uses [default: not limited]
    #[arg(long, value_name = "RATE", env = "TENANTRY_RATE_LIMIT_CLIENT", help_heading = "Limits")]
    rate_limit_client: Option<Rate>,
    /// Requests of one address [default: not limited]
    #[arg(long, value_name = "RATE", env = "TENANTRY_RATE_LIMIT_ADDRESS", help_heading = "Limits")]
    rate_limit_address: Option<Rate>,
    /// Connections at once [default: 10000, or what the limit on open files allows]
    #[arg(long, value_name = "NUMBER", env = "TENANTRY_MAX_CONNECTIONS", value_parser = one_or_more, help_heading = "Limits")]
    max_connections: Option<u64>,
    /// Connections of one address at once; a trusted proxy may have more [default: 1000]
    #[arg(
        long,
        value_name = "NUMBER",
        env = "TENANTRY_MAX_CONNECTIONS_PER_ADDRESS",
        value_parser = one_or_more,
        help_heading = "Limits"
    )]
    max_connections_per_address: Option<u64>,
    /// How long a connection may lie idle between requests [default: 120]
    #[arg(long, value_name = "SECONDS", env = "TENANTRY_IDLE_TIMEOUT", value_parser = one_or_more, help_heading = "Limits")]
    idle_timeout: Option<u64>,
    /// How long the headers of a request may take, from its first byte on [default: 20]
    #[arg(long, value_name = "SECONDS", env = "TENANTRY_HEADER_TIMEOUT", value_parser = one_or_more, help_heading = "Limits")]
    header_timeout: Option<u64>,
    /// How long the body of a request may take [default: 30]
    #[arg(long, value_name = "SECONDS", env = "TENANTRY_BODY_TIMEOUT", value_parser = one_or_more, help_heading = "Limits")]
    body_timeout: Option<u64>,
    /// How long a request may take altogether [default: 60]
    #[arg(long, value_name = "SECONDS", env = "TENANTRY_REQUEST_TIMEOUT", value_parser = one_or_more, help_heading = "Limits")]
    request_timeout: Option<u64>,
    /// Document or directory that is applied once, at the first start, as `tenantry apply` does
    #[arg(long, value_name = "FILE", env = "TENANTRY_SEED")]
    seed: Option<PathBuf>,
    /// Configuration file in TOML, with the names of these options and _ for -
    #[arg(long, value_name = "FILE", env = "TENANTRY_CONFIG")]
    config: Option<PathBuf>,
}

type Mode = tenantry_server::config::Mode;

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "strict" => Ok(Mode::Strict),
        "permissive" => Ok(Mode::Permissive),
        _ => Err("must be strict or permissive".into()),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".into()),
    }
}

/// With zero connections or seconds it would answer nobody.
fn one_or_more(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("must be 1 or more".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

impl Args {
    fn into_config(self) -> Result<Config, Failure> {
        let file = match &self.config {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                Config::from_toml(&text).map_err(|error| format!("{}: {error}", path.display()))?
            }
            None => Config::default(),
        };
        let flags = Config {
            data_dir: self.data_dir.data_dir,
            listen: self.listen,
            http_listen: self.http_listen,
            ops_listen: self.ops_listen,
            domain: self.domain,
            database_url: self.database_url,
            master_key_file: self.master_key_file,
            mtls_listen: self.mtls_listen,
            mtls_ca: self.mtls_ca,
            trusted_proxy: self.trusted_proxy,
            client_cert_header: self.client_cert_header,
            default_audience: self.default_audience,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            third_party_security_mode: self.third_party_security_mode,
            audit_retention: self.audit_retention,
            audit_attempts: self.audit_attempts,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            idle_timeout: self.idle_timeout,
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
            request_timeout: self.request_timeout,
            rate_limit: self.rate_limit,
            rate_limit_management: self.rate_limit_management,
            rate_limit_authentication: self.rate_limit_authentication,
            rate_limit_token: self.rate_limit_token,
            rate_limit_client: self.rate_limit_client,
            rate_limit_address: self.rate_limit_address,
            log: self.log,
            log_format: self.log_format,
            seed: self.seed,
        };
        Ok(flags.or(file))
    }
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = args.into_config()?;
    let log = logging::start(config.log.as_deref(), config.log_format.unwrap_or_default())?;
    tenantry_server::raise_file_limit();
    let dir = data_dir(config.data_dir.clone())?;
    // Before the start, so that a signal during it is not lost.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let running = tokio::select! {
        running = Server::start(&config, dir.clone(), Clock::system(), Random::system()) => running?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    for url in &running.listeners {
        eprintln!("listening on {url}");
    }
    if let Some(file) = &config.seed {
        let seeded = tokio::select! {
            seeded = seed(&running, &dir, file, &config) => seeded,
            _ = interrupt.recv() => Err("interrupted before the tenant was filled; the next start tries again".into()),
            _ = terminate.recv() => Err("ended before the tenant was filled; the next start tries again".into()),
        };
        if let Err(error) = seeded {
            running.stop().await;
            return Err(format!("--seed {}: {error}", file.display()).into());
        }
    }
    eprintln!("ready");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        result = keep_certificate(&running) => result?,
    }
    running.stop().await;
    log.finish();
    Ok(())
}

/// Fills the tenant from a document, through the server's own listener; once for all starts.
async fn seed(running: &Running, dir: &DataDir, file: &Path, config: &Config) -> Result<(), Failure> {
    if let Some(from) = running.seed().await? {
        tracing::info!(from, "the tenant was filled at an earlier start; --seed does nothing");
        return Ok(());
    }
    let name = file.to_str().ok_or("the name of the file is not UTF-8")?;
    let local = local::server(dir, config.tls_cert.as_deref(), config.database_url.as_deref()).await?;
    let changes = transfer::seed(name, local.open()?).await?;
    running.remember_seed(name).await?;
    tracing::info!(from = name, changes, "filled the tenant");
    Ok(())
}

/// Reads the certificate anew on SIGHUP and now and then.
async fn keep_certificate(running: &Running) -> Result<(), Failure> {
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = running.renewal_due() => {}
        }
        match running.reload_certificate().await {
            Ok(()) => tracing::info!("read the certificate anew"),
            Err(error) => tracing::error!(%error, "the certificate cannot be used; the old one stays"),
        }
    }
}
