//! The client of the Management API.

use crate::builder::{Builder, Defaults};
use crate::call::Request;
use crate::client_grants::ClientGrants;
use crate::clients::Clients;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::resource_servers::ResourceServers;
use crate::signing_keys::SigningKeys;
use crate::token::Tokens;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use tenantry_types::wire::Secret;
use url::Url;

/// A client of the Management API of one tenant. Cheap to clone; clones share the token and the connections.
///
/// ```
/// # tenantry_testkit::example(async |management| {
/// let grants = management.client_grants().stream(&Default::default()).collect().await?;
/// for grant in grants {
///     println!("{:?} may call {}", grant.grant.client_id, grant.grant.audience);
/// }
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct ManagementClient(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: Tokens,
    pub(crate) defaults: Defaults,
    pub(crate) telemetry: Option<HeaderValue>,
}

impl std::fmt::Debug for ManagementClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManagementClient").field("base", &self.0.base).finish_non_exhaustive()
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
        Builder::new(domain.into())
    }

    /// Starts to build a client from the environment, as `tenantry env` sets it: `AUTH0_DOMAIN`, and `AUTH0_CLIENT_ID`
    /// with `AUTH0_CLIENT_SECRET`, or `AUTH0_API_TOKEN`; `AUTH0_AUDIENCE` if the audience is not the usual one.
    ///
    /// # Errors
    /// `AUTH0_DOMAIN` is not set. What else is missing, [`Builder::build`] says.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), tenantry_sdk::Error> {
    /// let management = tenantry_sdk::ManagementClient::from_env()?.build()?;
    /// # Ok(()) }
    /// ```
    pub fn from_env() -> Result<Builder, Error> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let domain =
            variable("AUTH0_DOMAIN").ok_or_else(|| Error::Build("AUTH0_DOMAIN is not set".into()))?;
        let mut builder = Self::builder(domain);
        if let Some(token) = variable("AUTH0_API_TOKEN") {
            builder = builder.token(token);
        } else if let (Some(id), Some(secret)) =
            (variable("AUTH0_CLIENT_ID"), variable("AUTH0_CLIENT_SECRET"))
        {
            builder = builder.client_credentials(id, secret);
        }
        if let Some(audience) = variable("AUTH0_AUDIENCE") {
            builder = builder.audience(audience);
        }
        Ok(builder)
    }

    /// Applications.
    #[must_use]
    pub fn clients(&self) -> Clients {
        Clients::new(self.clone())
    }

    /// Credentials of a client; short for [`Clients::credentials`].
    #[must_use]
    pub fn credentials(&self, client_id: impl AsRef<str>) -> Credentials {
        self.clients().credentials(client_id)
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

    /// The keys that sign the tenant's tokens.
    #[must_use]
    pub fn signing_keys(&self) -> SigningKeys {
        SigningKeys::new(self.clone())
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn defaults(&self) -> Defaults {
        self.0.defaults
    }

    pub(crate) fn http_request(
        &self,
        request: &Request,
        token: &Secret,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let path = &request.path;
        // A URL drops such segments, encoded or not, and the call would be another one.
        if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Error::Build("an id is empty, `.` or `..`".into()));
        }
        let mut url =
            Url::parse(&format!("{}api/v2/{path}", self.0.base)).map_err(|e| Error::Build(e.to_string()))?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let body = request.body.as_ref().map_err(|error| Error::Build(error.clone()))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| Error::Build("the token has characters that no header may have".into()))?;
        bearer.set_sensitive(true);
        let mut http = self.0.http.request(request.method.clone(), url).header(AUTHORIZATION, bearer);
        if let Some(telemetry) = &self.0.telemetry {
            http = http.header("auth0-client", telemetry.clone());
        }
        if let Some(body) = body {
            http = http.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        Ok(http.headers(request.headers.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cannot_leave_their_place() {
        assert_eq!(segment("https://a/b?c#d"), "https%3A%2F%2Fa%2Fb%3Fc%23d");
    }
}
