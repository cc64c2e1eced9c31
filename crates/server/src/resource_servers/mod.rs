//! APIs: the Resource Servers API, and what the token endpoint asks of an API.

mod routes;
pub(crate) mod store;

pub(crate) use routes::routes;

use crate::app::App;
use crate::cache::Cache;
use crate::db::{DbResult, Kind};
use serde_json::Value;
use std::sync::Arc;
use tenantry_types::Object;
use tenantry_types::resource_servers::DEFAULT_LIFETIME;

/// An API, decoded.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) identifier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) token_lifetime: i64,
    pub(crate) signing_alg: String,
    pub(crate) token_dialect: String,
    /// Whether clients may call it for themselves at all.
    pub(crate) denies_clients: bool,
    /// Tokens for it must be bound to a key.
    pub(crate) requires_proof_of_possession: bool,
    pub(crate) encrypts_tokens: bool,
}

impl Api {
    fn decode(api: &Object) -> Self {
        let text = |name: &str| api.get(name).and_then(Value::as_str);
        let scopes = api.get("scopes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let policy =
            api.get("subject_type_authorization").and_then(|subjects| subjects.get("client")?.get("policy"));
        let proof = api.get("proof_of_possession");
        let is = |name| proof.and_then(|proof| proof.get(name));
        Self {
            identifier: text("identifier").unwrap_or_default().to_owned(),
            scopes: scopes
                .iter()
                .filter_map(|scope| scope.get("value")?.as_str())
                .map(str::to_owned)
                .collect(),
            token_lifetime: api.get("token_lifetime").and_then(Value::as_i64).unwrap_or(DEFAULT_LIFETIME),
            signing_alg: text("signing_alg").unwrap_or("RS256").to_owned(),
            token_dialect: text("token_dialect").unwrap_or("access_token").to_owned(),
            denies_clients: policy.and_then(Value::as_str) == Some("deny_all"),
            requires_proof_of_possession: is("required") == Some(&Value::Bool(true))
                && is("required_for").and_then(Value::as_str) != Some("public_clients"),
            encrypts_tokens: api.contains_key("token_encryption"),
        }
    }
}

/// APIs kept in memory.
const CACHED: u64 = 2_000;

/// The APIs of a tenant.
pub(crate) struct ResourceServers(Cache<Api>);

impl Default for ResourceServers {
    fn default() -> Self {
        Self(Cache::new(Kind::ResourceServer, CACHED))
    }
}

impl ResourceServers {
    /// The API of that identifier.
    pub(crate) async fn find(&self, app: &App, identifier: &str) -> DbResult<Option<Arc<Api>>> {
        let load = async || {
            Ok(store::find(&app.db, &app.tenant, identifier)
                .await?
                .map(|stored| Api::decode(&stored.document)))
        };
        self.0.get(&app.db, &app.tenant, identifier, load).await
    }
}
