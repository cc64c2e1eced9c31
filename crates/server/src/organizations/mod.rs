//! Organizations: the Organizations API, what belongs to an organization (clients, connections, client grants, discovery
//! domains),
//! and which organization a token is for.

mod client_grants;
mod clients;
mod connections;
mod discovery_domains;
mod routes;
pub(crate) mod store;

use crate::app::App;
use crate::cache::Cache;
use crate::db::{DbResult, Kind};
use crate::http::Slice;
use std::sync::Arc;
use tenantry_types::token_quota::TokenQuota;

/// Every route below `/organizations`.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    let slice = routes::routes(Slice::new(app));
    let slice = clients::routes(slice);
    let slice = connections::routes(slice);
    let slice = client_grants::routes(slice);
    discovery_domains::routes(slice)
}

/// An organization, as far as tokens are concerned.
#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) token_quota: Option<TokenQuota>,
}

/// Whether `key` names an organization by its id, rather than by its name.
pub(crate) fn is_id(key: &str) -> bool {
    key.starts_with("org_")
}

/// Whether there is an organization of that id.
pub(crate) async fn exists(app: &App, id: &str) -> DbResult<bool> {
    Ok(is_id(id) && app.organizations.find(app, id).await?.is_some())
}

/// Memory for organizations, and as much for associations.
const CACHED: usize = 2 << 20;

/// The organizations of a tenant.
pub(crate) struct Organizations {
    organizations: Cache<Organization>,
    grants: Cache<()>,
}

impl Default for Organizations {
    fn default() -> Self {
        Self {
            organizations: Cache::new(Kind::Organization, CACHED, |found: &Organization| {
                found.id.len() + found.name.len()
            }),
            grants: Cache::new(Kind::OrganizationGrant, CACHED, |()| 0),
        }
    }
}

impl Organizations {
    /// The organization of that id or, where `key` is no id, of that name.
    pub(crate) async fn find(&self, app: &App, key: &str) -> DbResult<Option<Arc<Organization>>> {
        let load = async || store::find_decoded(&app.db, &app.tenant, key).await;
        self.organizations.get(&app.db, &app.tenant, key, load).await
    }

    /// Whether a client grant was given to an organization.
    pub(crate) async fn has_grant(&self, app: &App, organization_id: &str, grant_id: &str) -> DbResult<bool> {
        let load = async || client_grants::find(&app.db, &app.tenant, organization_id, grant_id).await;
        let id = client_grants::cache_id(organization_id, grant_id);
        Ok(self.grants.get(&app.db, &app.tenant, &id, load).await?.is_some())
    }
}
