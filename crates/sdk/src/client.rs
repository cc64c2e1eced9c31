//! The client of the Management API, and how it is built.

use crate::call::{Call, Options};
use crate::client_grants::ClientGrants;
use crate::clients::Clients;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::resource_servers::ResourceServers;
use crate::token::{AccessToken, Proof, Source, TokenFuture, Tokens};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tenantry_jose::{RsaSigningKey, SigningAlgorithm};
use tenantry_types::wire::Secret;
use url::Url;

/// A client of the Management API of one tenant. Cheap to clone; clones share the token and the connections.
#[derive(Clone)]
pub struct ManagementClient(Arc<Inner>);

struct Inner {
    base: String,
    http: reqwest::Client,
    tokens: Tokens,
    defaults: Defaults,
    telemetry: Option<HeaderValue>,
}

/// What calls do that say nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults {
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) max_retries: u32,
}

impl std::fmt::Debug for ManagementClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManagementClient").field("base", &self.0.base).finish_non_exhaustive()
    }
}

/// Builds a [`ManagementClient`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    domain: String,
    source: Option<Result<Source, String>>,
    audience: Option<String>,
    authorities: Vec<Vec<u8>>,
    identity: Option<Vec<u8>>,
    http: Option<reqwest::Client>,
    telemetry: bool,
    defaults: Defaults,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// What a path segment may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

impl ManagementClient {
    /// Starts to build a client for a tenant: `tenant.eu.auth0.com`, `localhost:8443`, or a whole base URL.
    pub fn builder(domain: impl Into<String>) -> Builder {
        Builder {
            domain: domain.into(),
            source: None,
            audience: None,
            authorities: Vec::new(),
            identity: None,
            http: None,
            telemetry: true,
            defaults: Defaults { timeout: Duration::from_secs(60), attempt_timeout: None, max_retries: 2 },
        }
    }

    /// Applications.
    #[must_use]
    pub fn clients(&self) -> Clients {
        Clients::new(self.clone())
    }

    /// Credentials of a client.
    #[must_use]
    pub fn credentials(&self, client_id: impl AsRef<str>) -> Credentials {
        Credentials::new(self.clone(), client_id.as_ref())
    }

    /// Which client may call which API.
    #[must_use]
    pub fn client_grants(&self) -> ClientGrants {
        ClientGrants::new(self.clone())
    }

    /// APIs.
    #[must_use]
    pub fn resource_servers(&self) -> ResourceServers {
        ResourceServers::new(self.clone())
    }

    pub(crate) fn call<T>(&self, method: Method, path: impl Into<String>) -> Call<T> {
        Call::new(self, method, path.into())
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn defaults(&self) -> Defaults {
        self.0.defaults
    }

    pub(crate) fn request(
        &self,
        method: &Method,
        path: &str,
        options: &Options,
        body: Option<&Bytes>,
        token: &Secret,
    ) -> Result<reqwest::RequestBuilder, Error> {
        // A URL drops such segments, encoded or not, and the call would be another one.
        if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Error::Build("an id is empty, `.` or `..`".into()));
        }
        let mut url =
            Url::parse(&format!("{}api/v2/{path}", self.0.base)).map_err(|e| Error::Build(e.to_string()))?;
        if !options.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&options.query);
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| Error::Build("the token has characters that no header may have".into()))?;
        bearer.set_sensitive(true);
        let mut request = self.0.http.request(method.clone(), url).header(AUTHORIZATION, bearer);
        if let Some(telemetry) = &self.0.telemetry {
            request = request.header("auth0-client", telemetry.clone());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        Ok(request.headers(options.headers.clone()))
    }
}

impl Builder {
    /// Uses this token, and no other when it is refused.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.source = Some(Ok(Source::Fixed(token.into())));
        self
    }

    /// Asks `supply` for a token whenever one is needed.
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
    pub fn private_key_jwt(mut self, client_id: impl Into<String>, key_pem: &str, kid: Option<&str>) -> Self {
        let key = tenantry_jose::rsa::from_pkcs8_pem(key_pem).map_err(|error| error.to_string());
        self.source = Some(key.map(|key: RsaSigningKey| Source::ClientCredentials {
            client_id: client_id.into(),
            proof: Proof::Key {
                key: Arc::new(key),
                algorithm: SigningAlgorithm::Rs256,
                kid: kid.map(str::to_owned),
            },
        }));
        self
    }

    /// Gets tokens as a client that presents a certificate. `identity` is the certificate chain and its PKCS#8 key in
    /// PEM. The tenant is called as `mtls.` and its domain for tokens.
    pub fn mtls(mut self, client_id: impl Into<String>, identity: impl Into<Vec<u8>>) -> Self {
        self.source =
            Some(Ok(Source::ClientCredentials { client_id: client_id.into(), proof: Proof::Certificate }));
        self.identity = Some(identity.into());
        self
    }

    /// The audience of tokens; the tenant's Management API when not said.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Trusts an authority (PEM) in addition to the system's.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Uses this HTTP client; authorities and identity are its business then.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Whether the `Auth0-Client` header tells which SDK calls, as the official ones do.
    pub fn telemetry(mut self, on: bool) -> Self {
        self.telemetry = on;
        self
    }

    /// How long a call may take, pauses and retries included; 60 s when not said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.defaults.timeout = timeout;
        self
    }

    /// How long one attempt may take; as long as the call when not said.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.defaults.attempt_timeout = Some(timeout);
        self
    }

    /// How often a call is tried again; twice when not said.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.defaults.max_retries = retries;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// No source of tokens was given, or something that was given cannot be used.
    pub fn build(self) -> Result<ManagementClient, Error> {
        let source = self.source.ok_or_else(|| Error::Build("no source of tokens was given".into()))?;
        let source = source.map_err(Error::Build)?;
        let base = base(&self.domain)?;
        let http = match self.http {
            Some(http) => http,
            None => http(&self.authorities, self.identity.as_deref())?,
        };
        let is_mtls = matches!(&source, Source::ClientCredentials { proof: Proof::Certificate, .. });
        let endpoint =
            if is_mtls { base.replacen("://", "://mtls.", 1) } else { base.clone() } + "oauth/token";
        let audience = self.audience.unwrap_or_else(|| format!("{base}api/v2/"));
        let tokens = Tokens::new(source, base.clone(), endpoint, audience, http.clone());
        let telemetry = self.telemetry.then(telemetry).flatten();
        Ok(ManagementClient(Arc::new(Inner { base, http, tokens, defaults: self.defaults, telemetry })))
    }
}

/// The base URL of a tenant, with a slash at its end.
fn base(domain: &str) -> Result<String, Error> {
    let url = if domain.contains("://") { domain.to_owned() } else { format!("https://{domain}") };
    let url = Url::parse(&url).map_err(|error| Error::Build(format!("`{domain}` is no domain: {error}")))?;
    if !url.has_host()
        || !matches!(url.scheme(), "https" | "http")
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(Error::Build(format!("`{domain}` is no domain and no base URL")));
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
    let mut http = reqwest::Client::builder().tls_certs_merge(certificates);
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
        for bad in ["", "a b", "ftp://x", "https://x?y", "https://"] {
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
    fn segments_cannot_leave_their_place() {
        assert_eq!(segment("https://a/b?c#d"), "https%3A%2F%2Fa%2Fb%3Fc%23d");
    }
}
