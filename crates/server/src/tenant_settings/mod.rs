//! Settings of the tenant: the Tenants API, and what the other slices ask of them.
//!
//! What the settings may be is `tenantry_types::tenant_settings`' business; each takes effect in the slice whose
//! flow it governs.

mod routes;
pub(crate) mod store;

pub(crate) use routes::routes;

use crate::app::App;
use crate::cache::Cache;
use crate::db::{DbError, DbResult, Kind};
use crate::discovery::Published;
use serde::Deserialize as _;
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use tenantry_types::Object;
use tenantry_types::clients::ThirdPartySecurityMode;
use tenantry_types::token_quota::TokenQuota;

/// The settings that something asks for, decoded.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug)]
pub(crate) struct TenantSettings {
    /// Whether a new client gets every connection that there is.
    pub(crate) enable_client_connections: bool,
    pub(crate) enable_dynamic_client_registration: bool,
    /// The mode of clients that register themselves; where none is set, the server's `third_party_security_mode`.
    pub(crate) dynamic_client_registration_security_mode: Option<ThirdPartySecurityMode>,
    pub(crate) client_id_metadata_document_supported: bool,
    /// Whether requests may name organizations by their names; tokens have the names too then.
    pub(crate) allow_organization_name_in_authentication_api: bool,
    pub(crate) default_audience: Option<String>,
    pub(crate) resource_parameter: ResourceParameter,
    /// The token quota of clients that have none.
    pub(crate) default_client_quota: Option<TokenQuota>,
    /// The same of organizations.
    pub(crate) default_organization_quota: Option<TokenQuota>,
    pub(crate) has_mtls_endpoint_aliases: bool,
    pub(crate) acr_values_supported: Vec<String>,
    pub(crate) remove_alg_from_jwks: bool,
    /// The discovery document, made when somebody asks for it.
    pub(crate) discovery: OnceLock<Published>,
}

/// Whether `resource` (RFC 8707) may name an API where `audience` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceParameter {
    /// It has no meaning.
    Ignored,
    /// It may.
    Compatible,
}

impl TenantSettings {
    fn decode(settings: &Object) -> DbResult<Self> {
        let bad = |error: serde_json::Error| DbError::Data(format!("tenant settings: {error}"));
        let text = |name: &str| settings.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let flag = |name: &str| settings.get(name) == Some(&Value::Bool(true));
        let flag_in = |parent: &str, name: &str| {
            settings.get(parent).and_then(|parent| parent.get(name)) == Some(&Value::Bool(true))
        };
        let default_quota = |of: &str| TokenQuota::of(settings.get("default_token_quota")?.get(of)?);
        let acr_values = settings.get("acr_values_supported").and_then(Value::as_array);
        Ok(Self {
            enable_client_connections: flag_in("flags", "enable_client_connections"),
            enable_dynamic_client_registration: flag_in("flags", "enable_dynamic_client_registration"),
            dynamic_client_registration_security_mode: settings
                .get("dynamic_client_registration_security_mode")
                .map(ThirdPartySecurityMode::deserialize)
                .transpose()
                .map_err(bad)?,
            client_id_metadata_document_supported: flag("client_id_metadata_document_supported"),
            allow_organization_name_in_authentication_api: flag(
                "allow_organization_name_in_authentication_api",
            ),
            default_audience: text("default_audience").map(str::to_owned),
            resource_parameter: match text("resource_parameter_profile") {
                Some("compatibility") => ResourceParameter::Compatible,
                _ => ResourceParameter::Ignored,
            },
            default_client_quota: default_quota("clients"),
            default_organization_quota: default_quota("organizations"),
            has_mtls_endpoint_aliases: flag_in("mtls", "enable_endpoint_aliases"),
            acr_values_supported: acr_values
                .into_iter()
                .flatten()
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect(),
            remove_alg_from_jwks: flag_in("flags", "remove_alg_from_jwks"),
            discovery: OnceLock::new(),
        })
    }
}

/// Memory for settings, of which those of a tenant take so much with the documents that are made of them.
const CACHED: usize = 1 << 20;
const WEIGHT: usize = 4 << 10;

/// The decoded settings of each tenant, in memory.
pub(crate) struct CachedSettings(Cache<TenantSettings>);

impl Default for CachedSettings {
    fn default() -> Self {
        Self(Cache::new(Kind::TenantSettings, CACHED, |_| WEIGHT))
    }
}

impl CachedSettings {
    pub(crate) async fn get(&self, app: &App) -> DbResult<Arc<TenantSettings>> {
        let load = async || Ok(Some(TenantSettings::decode(&store::find(&app.db, &app.tenant).await?)?));
        let settings = self.0.get(&app.db, &app.tenant, &app.tenant, load).await?;
        settings.ok_or_else(|| DbError::Data("tenant settings are always there".into()))
    }
}
