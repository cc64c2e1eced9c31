//! What an operator may set.

use crate::audit::Kept;
pub use crate::limiter::{NotARate, Profile, Rate};
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
pub use tenantry_types::clients::ThirdPartySecurityMode as Mode;

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The server's settings. Every one has a flag, an environment variable `TENANTRY_…`, and a key of the configuration
/// file; the first of these that is given counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept; the platform's data directory when not given.
    pub data_dir: Option<PathBuf>,
    /// Address of the HTTPS listener.
    pub listen: Option<String>,
    /// Address of a plain HTTP listener; off when not given.
    pub http_listen: Option<String>,
    /// Address of the listener for health checks; off when not given.
    pub ops_listen: Option<String>,
    /// Host, and port unless it is 443, under which clients know the server.
    pub domain: Option<String>,
    /// Where the database is: `sqlite:PATH` or `postgres://…`.
    pub database_url: Option<String>,
    /// A file that holds the master key.
    pub master_key_file: Option<PathBuf>,
    /// Address of an HTTPS listener that asks every caller for a certificate; off when not given. The names
    /// `mtls.<domain>` and `mtls.localhost` are asked on the ordinary one.
    pub mtls_listen: Option<String>,
    /// Authorities in PEM that issue certificates for `tls_client_auth`.
    pub mtls_ca: Option<PathBuf>,
    /// Networks of proxies that end TLS and forward the certificate of the caller.
    pub trusted_proxy: Option<Vec<IpNet>>,
    /// The header in which they forward it, as percent-encoded PEM. `<header>-ca-verified: SUCCESS` says that they
    /// verified who issued it.
    pub client_cert_header: Option<String>,
    /// The audience of a token request that names none.
    pub default_audience: Option<String>,
    /// A certificate chain in PEM, instead of the local one.
    pub tls_cert: Option<PathBuf>,
    /// The private key of that certificate in PEM.
    pub tls_key: Option<PathBuf>,
    /// Connections at once; 10,000 when not given, or as many as the limit on open files allows.
    #[serde(default, deserialize_with = "one_or_more")]
    pub max_connections: Option<u64>,
    /// Connections of one address at once, of which trusted proxies may have more; 1,000 when not given.
    #[serde(default, deserialize_with = "one_or_more")]
    pub max_connections_per_address: Option<u64>,
    /// Seconds that a connection may lie idle between requests; 120 when not given.
    #[serde(default, deserialize_with = "one_or_more")]
    pub idle_timeout: Option<u64>,
    /// Seconds from the first byte of a request to the end of its headers; 20 when not given.
    #[serde(default, deserialize_with = "one_or_more")]
    pub header_timeout: Option<u64>,
    /// Seconds for the body of a request to arrive; 30 when not given.
    #[serde(default, deserialize_with = "one_or_more")]
    pub body_timeout: Option<u64>,
    /// Seconds for a request to be answered; 60 when not given.
    #[serde(default, deserialize_with = "one_or_more")]
    pub request_timeout: Option<u64>,
    /// A plan of Auth0 whose rate limits are imitated; off when not given.
    pub rate_limit: Option<Profile>,
    /// Requests to the Management API, of all callers together; the plan's when not given, as the next one.
    pub rate_limit_management: Option<Rate>,
    /// Requests to everything else.
    pub rate_limit_authentication: Option<Rate>,
    /// Requests with one token; not limited when not given, as the next ones.
    pub rate_limit_token: Option<Rate>,
    /// Requests of one client, whichever of its tokens it uses.
    pub rate_limit_client: Option<Rate>,
    /// Requests of one address.
    pub rate_limit_address: Option<Rate>,
    /// What is logged, in the syntax of `RUST_LOG`. For the program that starts the server.
    pub log: Option<String>,
    /// How it is written. For the program that starts the server.
    pub log_format: Option<LogFormat>,
    /// The security mode of third-party clients whose creator names none.
    pub third_party_security_mode: Option<Mode>,
    /// How long the audit log is kept.
    pub audit_retention: Option<Retention>,
    /// How many tokens and refused attempts it keeps.
    pub audit_attempts: Option<u32>,
    /// A document that fills the tenant at its first start. That is done by the program, not by the server.
    pub seed: Option<PathBuf>,
}

/// A number of connections or seconds. With zero of them a server would answer nobody.
fn one_or_more<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(value)? {
        0 => Err(D::Error::custom("must be 1 or more")),
        number => Ok(Some(number)),
    }
}

/// The address of the HTTPS listener when none is given.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8443";

/// Tokens and refused attempts that are kept when nothing else is said: less than a gigabyte.
pub const DEFAULT_AUDIT_ATTEMPTS: u32 = 1_000_000;

/// How long something is kept: `90d`, `12h`, `1y 6mo`, or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Retention(Duration);

impl Default for Retention {
    /// 90 days.
    fn default() -> Self {
        Self(Duration::from_secs(90 * 24 * 3600))
    }
}

impl FromStr for Retention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "forever" {
            return Ok(Self(Duration::MAX));
        }
        let start = jiff::civil::date(2000, 1, 1);
        let duration = text.parse::<jiff::Span>().and_then(|span| span.to_duration(start)).ok();
        let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
        let shortest = Duration::from_secs(3600);
        duration
            .filter(|duration| *duration >= shortest)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no time of an hour or more, such as 90d, 12h or forever"))
    }
}

impl TryFrom<String> for Retention {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl Config {
    /// These settings, and `fallback` where they say nothing.
    #[must_use]
    pub fn or(self, fallback: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(fallback.data_dir),
            listen: self.listen.or(fallback.listen),
            http_listen: self.http_listen.or(fallback.http_listen),
            ops_listen: self.ops_listen.or(fallback.ops_listen),
            domain: self.domain.or(fallback.domain),
            database_url: self.database_url.or(fallback.database_url),
            master_key_file: self.master_key_file.or(fallback.master_key_file),
            mtls_listen: self.mtls_listen.or(fallback.mtls_listen),
            mtls_ca: self.mtls_ca.or(fallback.mtls_ca),
            trusted_proxy: self.trusted_proxy.or(fallback.trusted_proxy),
            client_cert_header: self.client_cert_header.or(fallback.client_cert_header),
            default_audience: self.default_audience.or(fallback.default_audience),
            tls_cert: self.tls_cert.or(fallback.tls_cert),
            tls_key: self.tls_key.or(fallback.tls_key),
            third_party_security_mode: self.third_party_security_mode.or(fallback.third_party_security_mode),
            audit_retention: self.audit_retention.or(fallback.audit_retention),
            audit_attempts: self.audit_attempts.or(fallback.audit_attempts),
            max_connections: self.max_connections.or(fallback.max_connections),
            max_connections_per_address: self
                .max_connections_per_address
                .or(fallback.max_connections_per_address),
            idle_timeout: self.idle_timeout.or(fallback.idle_timeout),
            header_timeout: self.header_timeout.or(fallback.header_timeout),
            body_timeout: self.body_timeout.or(fallback.body_timeout),
            request_timeout: self.request_timeout.or(fallback.request_timeout),
            rate_limit: self.rate_limit.or(fallback.rate_limit),
            rate_limit_management: self.rate_limit_management.or(fallback.rate_limit_management),
            rate_limit_authentication: self.rate_limit_authentication.or(fallback.rate_limit_authentication),
            rate_limit_token: self.rate_limit_token.or(fallback.rate_limit_token),
            rate_limit_client: self.rate_limit_client.or(fallback.rate_limit_client),
            rate_limit_address: self.rate_limit_address.or(fallback.rate_limit_address),
            log: self.log.or(fallback.log),
            log_format: self.log_format.or(fallback.log_format),
            seed: self.seed.or(fallback.seed),
        }
    }

    /// How much of the audit log is kept.
    pub(crate) fn audit_kept(&self) -> Kept {
        let millis = self.audit_retention.unwrap_or_default().0.as_millis();
        Kept {
            millis: i64::try_from(millis).unwrap_or(i64::MAX),
            attempts: self.audit_attempts.unwrap_or(DEFAULT_AUDIT_ATTEMPTS).into(),
        }
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// It is not TOML, or has a key that does not exist.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused() {
        let error = Config::from_toml("listn = \"127.0.0.1:1\"").unwrap_err().to_string();
        assert!(error.contains("listn") && error.contains("listen"), "{error}");
    }

    #[test]
    fn retention_is_a_time_of_an_hour_or_more() {
        let retention = |text: &str| text.parse::<Retention>();
        assert_eq!(retention("90d"), Ok(Retention::default()));
        assert_eq!(retention("12h"), Ok(Retention(Duration::from_secs(12 * 3600))));
        assert_eq!(retention("forever"), Ok(Retention(Duration::MAX)));
        for bad in ["", "1", "90", "-1d", "59m", "never"] {
            assert!(retention(bad).is_err(), "{bad}");
        }
        assert!(Config::from_toml("audit_retention = \"x\"").is_err());
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        for name in [
            "max_connections",
            "max_connections_per_address",
            "idle_timeout",
            "header_timeout",
            "body_timeout",
            "request_timeout",
        ] {
            let error = Config::from_toml(&format!("{name} = 0")).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("must be 1 or more"), "{error}");
            assert!(Config::from_toml(&format!("{name} = 1")).is_ok());
        }
    }

    #[test]
    fn what_is_given_first_counts() {
        let flags = Config { listen: Some("a".into()), ..Config::default() };
        let file = Config::from_toml("listen = \"b\"\ndomain = \"c\"").unwrap();
        let both = flags.or(file);
        assert_eq!((both.listen.as_deref(), both.domain.as_deref()), (Some("a"), Some("c")));
    }
}
