//! How to reach a PostgreSQL.

use super::WAIT;
use crate::db::{DbError, DbResult};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

/// A peer that acknowledges nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(5);
/// How often it is asked when there is nothing to send.
const PROBE: Duration = Duration::from_secs(1);

/// How to connect. Never prints its password.
#[derive(Clone)]
pub(crate) struct Settings {
    url: String,
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads a `postgres://` URL. TLS is required, and the certificate verified, unless the server is on this machine
    /// or `sslmode=disable` says otherwise; `sslrootcert` names authorities to trust instead of the system's.
    pub(crate) fn parse(url: &str) -> DbResult<Self> {
        let mut url = Url::parse(url).map_err(|error| DbError::Url(error.to_string()))?;
        let mut shown = url.clone();
        // Fails only without a host, where there is no password either.
        let _ = shown.set_password(None);
        let (mut ssl_mode, mut authorities, mut rest) = (None, None, Vec::new());
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => ssl_mode = Some(read_ssl_mode(&value)?),
                "sslrootcert" => authorities = Some(value.into_owned()),
                _ => rest.push((name.into_owned(), value.into_owned())),
            }
        }
        // Written anew with %20 for spaces: the parser below takes a + literally.
        let rest: Vec<_> = rest
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        url.set_query((!rest.is_empty()).then(|| rest.join("&")).as_deref());
        let mut config: Config = url.as_str().parse().map_err(|error: tokio_postgres::Error| {
            DbError::Url(std::error::Error::source(&error).unwrap_or(&error).to_string())
        })?;
        let is_local = config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
            Host::Unix(_) => true,
        });
        config.ssl_mode(ssl_mode.unwrap_or(if is_local { SslMode::Disable } else { SslMode::Require }));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("tenantry");
        }
        config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE).keepalives_interval(PROBE);
        // A standby can neither be written to nor listened on, and knows things later.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { url: shown.into(), tls: MakeRustlsConnect::new(tls(authorities.as_deref())?), config })
    }

    /// The URL without its password.
    pub(in crate::db) fn url(&self) -> &str {
        &self.url
    }
}

fn read_ssl_mode(text: &str) -> DbResult<SslMode> {
    match text {
        "disable" => Ok(SslMode::Disable),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(DbError::Url(format!("sslmode `{text}` is not one of disable, require, verify-full"))),
    }
}

fn tls(authorities: Option<&str>) -> DbResult<rustls::ClientConfig> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let bad = |error: &dyn std::fmt::Display| DbError::Url(format!("sslrootcert {path}: {error}"));
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))? {
                let certificate = certificate.map_err(|error| bad(&error))?;
                roots.add(certificate).map_err(|error| bad(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| DbError::Url(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_will_not_do() {
        for query in ["", "?target_session_attrs=any"] {
            let settings = Settings::parse(&format!("postgres://user@127.0.0.1,10.0.0.1/db{query}")).unwrap();
            assert_eq!(settings.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        }
    }
}
