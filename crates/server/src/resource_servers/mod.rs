//! APIs: the Resource Servers API, and what the token endpoint asks of an API.

mod routes;
pub(crate) mod store;

pub(crate) use routes::{routes, seal_context};

use crate::app::App;
use crate::cache::Cache;
use crate::db::{DbError, DbResult, Kind};
use serde_json::Value;
use std::sync::Arc;
use tenantry_jose::jwe::{EncryptionKey, KeyEncryption};
use tenantry_jose::{Jwk, SigningAlgorithm};
use tenantry_types::resource_servers::DEFAULT_LIFETIME;
use zeroize::Zeroizing;

/// An API, decoded.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) identifier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) token_lifetime: i64,
    pub(crate) signing_alg: SigningAlg,
    pub(crate) token_dialect: TokenDialect,
    pub(crate) enforce_policies: bool,
    /// Whether clients may call it for themselves at all.
    pub(crate) denies_clients: bool,
    pub(crate) proof_of_possession: ProofOfPossession,
    pub(crate) encryption_key: Option<EncryptionKey>,
}

/// How tokens for an API are signed.
pub(crate) enum SigningAlg {
    /// By the tenant's key.
    Rsa(SigningAlgorithm),
    /// By the API's own secret.
    Hs256(Zeroizing<String>),
}

impl std::fmt::Debug for SigningAlg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rsa(algorithm) => f.write_str(algorithm.as_str()),
            Self::Hs256(_) => f.write_str("HS256"),
        }
    }
}

/// Which claims tokens for an API have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenDialect {
    AccessToken,
    AccessTokenAuthz,
    Rfc9068,
    Rfc9068Authz,
}

impl TokenDialect {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("access_token_authz") => Self::AccessTokenAuthz,
            Some("rfc9068_profile") => Self::Rfc9068,
            Some("rfc9068_profile_authz") => Self::Rfc9068Authz,
            _ => Self::AccessToken,
        }
    }

    /// Whether tokens follow the profile of RFC 9068.
    pub(crate) fn is_rfc9068(self) -> bool {
        matches!(self, Self::Rfc9068 | Self::Rfc9068Authz)
    }

    /// Whether tokens list permissions.
    pub(crate) fn has_permissions(self) -> bool {
        matches!(self, Self::AccessTokenAuthz | Self::Rfc9068Authz)
    }
}

/// Whether tokens for an API are bound to a key of their client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofOfPossession {
    /// They are not.
    None,
    /// To the client's certificate (RFC 8705), if it presents one, or always.
    Mtls { required: bool },
    /// To a key that signs each request (RFC 9449), which is not served.
    Dpop { required: bool },
}

impl ProofOfPossession {
    fn decode(setting: Option<&Value>) -> Self {
        let member = |name: &str| setting.and_then(|setting| setting.get(name));
        // Clients that act for themselves are never public.
        let for_public = member("required_for").and_then(Value::as_str) == Some("public_clients");
        let required = member("required") == Some(&Value::Bool(true)) && !for_public;
        match member("mechanism").and_then(Value::as_str) {
            Some("mtls") => Self::Mtls { required },
            Some(_) => Self::Dpop { required },
            None => Self::None,
        }
    }
}

impl Api {
    fn decode(app: &App, stored: &store::Stored) -> DbResult<Self> {
        let api = &stored.document;
        let text = |name: &str| api.get(name).and_then(Value::as_str);
        let scopes = api.get("scopes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let policy =
            api.get("subject_type_authorization").and_then(|subjects| subjects.get("client")?.get("policy"));
        let signing_alg = match text("signing_alg") {
            Some("HS256") => {
                let secret =
                    routes::open_secret(app, stored).map_err(|error| DbError::Data(error.to_string()))?;
                SigningAlg::Hs256(
                    secret.ok_or_else(|| DbError::Data("an HS256 API without a secret".into()))?,
                )
            }
            Some("RS512") => SigningAlg::Rsa(SigningAlgorithm::Rs512),
            Some("PS256") => SigningAlg::Rsa(SigningAlgorithm::Ps256),
            _ => SigningAlg::Rsa(SigningAlgorithm::Rs256),
        };
        Ok(Self {
            identifier: text("identifier").unwrap_or_default().to_owned(),
            scopes: scopes
                .iter()
                .filter_map(|scope| scope.get("value")?.as_str())
                .map(str::to_owned)
                .collect(),
            token_lifetime: api.get("token_lifetime").and_then(Value::as_i64).unwrap_or(DEFAULT_LIFETIME),
            signing_alg,
            token_dialect: TokenDialect::of(text("token_dialect")),
            enforce_policies: api.get("enforce_policies") == Some(&Value::Bool(true)),
            denies_clients: policy.and_then(Value::as_str) == Some("deny_all"),
            proof_of_possession: ProofOfPossession::decode(api.get("proof_of_possession")),
            encryption_key: encryption_key(stored)?,
        })
    }
}

impl Api {
    /// Bytes beside its own, with room for a key.
    fn weight(&self) -> usize {
        let scopes: usize = self.scopes.iter().map(|scope| size_of::<String>() + scope.len()).sum();
        self.identifier.len() + scopes + 1_024
    }
}

/// The key that tokens for an API are encrypted with.
fn encryption_key(stored: &store::Stored) -> DbResult<Option<EncryptionKey>> {
    let Some(settings) =
        stored.document.get("token_encryption").and_then(|settings| settings.get("encryption_key"))
    else {
        return Ok(None);
    };
    let bad = || DbError::Data("the encryption key of an API".into());
    let text = |name: &str| settings.get(name).and_then(Value::as_str);
    let jwk: Jwk =
        stored.encryption_key.as_deref().and_then(|jwk| serde_json::from_str(jwk).ok()).ok_or_else(bad)?;
    let algorithm = text("alg").and_then(KeyEncryption::of).ok_or_else(bad)?;
    EncryptionKey::new(&jwk, algorithm, text("kid")).map(Some).map_err(|_| bad())
}

/// Memory for APIs.
const CACHED: usize = 4 << 20;

/// The APIs of a tenant.
pub(crate) struct ResourceServers(Cache<Api>);

impl Default for ResourceServers {
    fn default() -> Self {
        Self(Cache::new(Kind::ResourceServer, CACHED, Api::weight))
    }
}

impl ResourceServers {
    /// The API of that identifier.
    pub(crate) async fn find(&self, app: &App, identifier: &str) -> DbResult<Option<Arc<Api>>> {
        let load = async || {
            let stored = store::find(&app.db, &app.tenant, identifier).await?;
            stored.map(|stored| Api::decode(app, &stored)).transpose()
        };
        self.0.get(&app.db, &app.tenant, identifier, load).await
    }
}
