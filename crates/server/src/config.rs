//! What an operator may set.

use ipnet::IpNet;
use serde::Deserialize;
use std::path::PathBuf;
pub use tenantry_types::clients::ThirdPartySecurityMode as Mode;

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
    /// The security mode of third-party clients whose creator names none.
    pub third_party_security_mode: Option<Mode>,
    /// A document that fills the tenant at its first start. That is done by the program, not by the server.
    pub seed: Option<PathBuf>,
}

/// The address of the HTTPS listener when none is given.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8443";

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
            seed: self.seed.or(fallback.seed),
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
    fn what_is_given_first_counts() {
        let flags = Config { listen: Some("a".into()), ..Config::default() };
        let file = Config::from_toml("listen = \"b\"\ndomain = \"c\"").unwrap();
        let both = flags.or(file);
        assert_eq!((both.listen.as_deref(), both.domain.as_deref()), (Some("a"), Some("c")));
    }
}
