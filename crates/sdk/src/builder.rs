//! How a client of the Management API is built.

use crate::client::{Inner, ManagementClient};
use crate::error::Error;
use crate::token::{AccessToken, Endpoint, Proof, Source, TokenFuture, Tokens};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tenantry_jose::SigningAlgorithm;
use tenantry_types::clients::model::CredentialAlgorithm;
use tenantry_types::wire::Secret;
use url::Url;

/// What calls do that say nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) max_retries: u32,
}

/// How long it may take to connect, so that there is time for another attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Builds a [`ManagementClient`].
///
/// ```
/// use tenantry_sdk::ManagementClient;
///
/// let management = ManagementClient::builder("tenant.eu.auth0.com")
///     .client_credentials("client id", "client secret")
///     .max_retries(5)
///     .build()?;
/// # Ok::<(), tenantry_sdk::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    domain: String,
    source: Option<Result<Source, String>>,
    audience: Option<String>,
    token_endpoint: Option<String>,
    authorities: Vec<Vec<u8>>,
    identity: Option<Arc<[u8]>>,
    http: Option<reqwest::Client>,
    telemetry: bool,
    defaults: Defaults,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(domain: String) -> Self {
        Self {
            domain,
            source: None,
            audience: None,
            token_endpoint: None,
            authorities: Vec::new(),
            identity: None,
            http: None,
            telemetry: true,
            defaults: Defaults { timeout: Duration::from_secs(60), attempt_timeout: None, max_retries: 2 },
        }
    }

    /// Uses this token, and no other when it is refused.
    ///
    /// ```
    /// # use tenantry_sdk::ManagementClient;
    /// let management = ManagementClient::builder("tenant.eu.auth0.com").token("ey…").build()?;
    /// # Ok::<(), tenantry_sdk::Error>(())
    /// ```
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.source = Some(Ok(Source::Fixed(token.into())));
        self
    }

    /// Asks `supply` for a token whenever one is needed: at the first call, ahead of the expiry of the one before, and
    /// when the one before was refused.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tenantry_sdk::{AccessToken, Error, ManagementClient};
    ///
    /// async fn from_vault() -> Result<AccessToken, Error> {
    ///     let token = std::fs::read_to_string("/run/secrets/token").map_err(Error::supplier)?;
    ///     Ok(AccessToken { token: token.into(), expires_in: Some(Duration::from_secs(3600)) })
    /// }
    ///
    /// let management = ManagementClient::builder("tenant.eu.auth0.com").token_source(from_vault).build()?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn token_source<F, R>(mut self, supply: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<AccessToken, Error>> + Send + 'static,
    {
        let supply = Arc::new(move || Box::pin(supply()) as TokenFuture);
        self.source = Some(Ok(Source::Supplier(supply)));
        self
    }

    /// Gets tokens as a client with a secret.
    pub fn client_credentials(mut self, client_id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        let proof = Proof::Secret(secret.into());
        self.source = Some(Ok(Source::ClientCredentials { client_id: client_id.into(), proof }));
        self
    }

    /// Gets tokens as a client that signs assertions (`private_key_jwt`). The key is PKCS#8 in PEM, and signs with
    /// RS256.
    ///
    /// ```no_run
    /// # use tenantry_sdk::ManagementClient;
    /// let key = std::fs::read_to_string("key.pem")?;
    /// let management =
    ///     ManagementClient::builder("tenant.eu.auth0.com").private_key_jwt("client id", &key, None).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn private_key_jwt(self, client_id: impl Into<String>, key_pem: &str, kid: Option<&str>) -> Self {
        self.private_key_jwt_by(client_id, key_pem, kid, &CredentialAlgorithm::Rs256)
    }

    /// The same with the algorithm that the client's credential was made for.
    pub fn private_key_jwt_by(
        mut self,
        client_id: impl Into<String>,
        key_pem: &str,
        kid: Option<&str>,
        algorithm: &CredentialAlgorithm,
    ) -> Self {
        let algorithm = match algorithm {
            CredentialAlgorithm::Rs256 => Ok(SigningAlgorithm::Rs256),
            CredentialAlgorithm::Rs384 => Ok(SigningAlgorithm::Rs384),
            CredentialAlgorithm::Ps256 => Ok(SigningAlgorithm::Ps256),
            other => Err(format!("assertions cannot be signed with {other}")),
        };
        let key = tenantry_jose::rsa::from_pkcs8_pem(key_pem).map_err(|error| error.to_string());
        self.source = Some(algorithm.and_then(|algorithm| {
            let proof = Proof::Key { key: Arc::new(key?), algorithm, kid: kid.map(str::to_owned) };
            Ok(Source::ClientCredentials { client_id: client_id.into(), proof })
        }));
        self
    }

    /// Gets tokens as a client that presents a certificate. `identity` is the certificate chain and its PKCS#8 key in
    /// PEM. Tokens are asked for at `mtls.` and the domain, if [`token_endpoint`](Self::token_endpoint) says nothing
    /// else.
    pub fn mtls(mut self, client_id: impl Into<String>, identity: impl Into<Vec<u8>>) -> Self {
        self.identity = Some(identity.into().into());
        self.mtls_by_http_client(client_id)
    }

    /// The same, with the certificate that the [HTTP client](Self::http_client) presents.
    pub fn mtls_by_http_client(mut self, client_id: impl Into<String>) -> Self {
        self.source =
            Some(Ok(Source::ClientCredentials { client_id: client_id.into(), proof: Proof::Certificate }));
        self
    }

    /// The audience of tokens; the tenant's Management API if nobody says otherwise.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Where tokens are asked for; `oauth/token` of the tenant if nobody says otherwise. For a client with a
    /// certificate whose tenant has another name for that, as `mtls_endpoint_aliases` of its discovery document tells.
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = Some(url.into());
        self
    }

    /// Trusts an authority (PEM) in addition to the system's.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Uses this HTTP client. Authorities, certificates, proxies, redirects and the time for connecting are its business
    /// then. It should not follow redirects: a redirect may make a GET of a POST.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Whether the `Auth0-Client` header tells which SDK calls, as the official ones do. It does if nobody says
    /// otherwise, and holds this SDK's name and version and nothing else.
    pub fn telemetry(mut self, on: bool) -> Self {
        self.telemetry = on;
        self
    }

    /// How long a call may take, with the token, pauses and retries; 60 s if nobody says otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = timeout;
        self
    }

    /// How long one attempt may take; as long as the call if nobody says otherwise.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.defaults.attempt_timeout = Some(timeout);
        self
    }

    /// How often a call is tried again at most; twice if nobody says otherwise. See [retries](crate#retries).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.defaults.max_retries = retries;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Build`]: there is no source of tokens, or something that was given cannot be used.
    pub fn build(self) -> Result<ManagementClient, Error> {
        let source = self.source.ok_or_else(|| Error::Build("no source of tokens was given".into()))?;
        let source = source.map_err(Error::Build)?;
        let base = base(&self.domain)?;
        let http = match self.http {
            None => http(&self.authorities, self.identity.as_deref())?,
            Some(_) if self.identity.is_some() || !self.authorities.is_empty() => {
                return Err(Error::Build(
                    "authorities and certificates belong into the HTTP client that was given".into(),
                ));
            }
            Some(http) => http,
        };
        let is_mtls = matches!(&source, Source::ClientCredentials { proof: Proof::Certificate, .. });
        let url = match self.token_endpoint {
            Some(url) => Url::parse(&url)
                .map_err(|error| Error::Build(format!("`{url}` is no URL: {error}")))?
                .to_string(),
            None if is_mtls => base.replacen("://", "://mtls.", 1) + "oauth/token",
            None => base.clone() + "oauth/token",
        };
        let audience = self.audience.unwrap_or_else(|| format!("{base}api/v2/"));
        let telemetry = self.telemetry.then(telemetry).flatten();
        let endpoint = Endpoint { issuer: base.clone(), url, audience, telemetry: telemetry.clone() };
        let tokens = Tokens::new(source, endpoint, http.clone());
        Ok(ManagementClient(Arc::new(Inner { base, http, tokens, defaults: self.defaults, telemetry })))
    }
}

/// The base URL of a tenant, with a slash at its end.
fn base(domain: &str) -> Result<String, Error> {
    let url = if domain.contains("://") { domain.to_owned() } else { format!("https://{domain}") };
    let url = Url::parse(&url).map_err(|error| Error::Build(format!("the domain is none: {error}")))?;
    if !url.has_host()
        || !matches!(url.scheme(), "https" | "http")
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(Error::Build("the domain is none, and no base URL".into()));
    }
    let mut base = url.to_string();
    if !base.ends_with('/') {
        base.push('/');
    }
    Ok(base)
}

fn http(authorities: &[Vec<u8>], identity: Option<&[u8]>) -> Result<reqwest::Client, Error> {
    let bad = |error: reqwest::Error| Error::Build(error.to_string());
    let mut certificates = Vec::new();
    for pem in authorities {
        certificates.extend(reqwest::Certificate::from_pem_bundle(pem).map_err(bad)?);
    }
    let mut http = reqwest::Client::builder()
        .tls_certs_merge(certificates)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("tenantry-sdk/", env!("CARGO_PKG_VERSION")));
    if let Some(identity) = identity {
        http = http.identity(reqwest::Identity::from_pem(identity).map_err(bad)?);
    }
    http.build().map_err(bad)
}

/// What the `Auth0-Client` header holds: name and version as base64 of JSON.
fn telemetry() -> Option<HeaderValue> {
    let about = serde_json::json!({"name": "tenantry-sdk", "version": env!("CARGO_PKG_VERSION")});
    HeaderValue::from_str(&STANDARD.encode(about.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_base_urls_are_taken() {
        for (domain, expected) in [
            ("tenant.eu.auth0.com", "https://tenant.eu.auth0.com/"),
            ("localhost:8443", "https://localhost:8443/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("https://proxy.example/auth0", "https://proxy.example/auth0/"),
        ] {
            assert_eq!(base(domain).ok().as_deref(), Some(expected));
        }
        for bad in ["", "a b", "ftp://x", "https://x?y", "https://", "https://user:pw@x", "user:pw@x"] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let builder = ManagementClient::builder("t.example").client_credentials("id", "s3cr3t");
        assert!(!format!("{builder:?}").contains("s3cr3t"));
        let client = builder.build();
        assert!(!format!("{client:?}").contains("s3cr3t"));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let builder = || ManagementClient::builder("t.example");
        let http = reqwest::Client::new();
        for bad in [
            builder(),
            builder().private_key_jwt("id", "no key", None),
            builder().private_key_jwt_by("id", "no key", None, &"ES256".into()),
            builder().token("t").ca_certificate("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"),
            builder().mtls("id", "no identity"),
            builder().mtls("id", "identity").http_client(http.clone()),
            builder().token("t").ca_certificate("pem").http_client(http),
            builder().token("t").token_endpoint("no url"),
        ] {
            let error = bad.build().unwrap_err();
            assert_eq!(error.stage(), crate::Stage::Building, "{error}");
        }
    }
}
