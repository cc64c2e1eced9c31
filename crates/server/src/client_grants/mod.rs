//! Client grants: the Client Grants API, and what a client may ask for at the token endpoint.

mod routes;
pub(crate) mod store;

pub(crate) use routes::{not_found, routes};

use crate::app::App;
use crate::cache::Cache;
use crate::clients::Client;
use crate::db::{DbResult, Kind};
use std::sync::Arc;

/// Memory for grants of clients.
const CACHED: usize = 6 << 20;

/// What a client was granted, by audience, for access on its own behalf.
pub(crate) type GrantsOfClient = Vec<Granted>;

/// Whether tokens are for an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrganizationUsage {
    Deny,
    Allow,
    Require,
}

/// A grant, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    pub(crate) id: String,
    pub(crate) audience: String,
    /// `None` is every scope of the API.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) organization_usage: OrganizationUsage,
    /// Whether every organization will do, and not only those that the grant was given to.
    pub(crate) allows_any_organization: bool,
}

/// The grants of a tenant.
pub(crate) struct Grants(Cache<GrantsOfClient>);

impl Default for Grants {
    fn default() -> Self {
        Self(Cache::new(Kind::Grant, CACHED, weight))
    }
}

fn weight(grants: &GrantsOfClient) -> usize {
    let scopes = |grant: &Granted| -> usize {
        grant.scopes.iter().flatten().map(|scope| size_of::<String>() + scope.len()).sum()
    };
    grants
        .iter()
        .map(|grant| size_of::<Granted>() + grant.id.len() + grant.audience.len() + scopes(grant))
        .sum()
}

impl Grants {
    /// The grant that lets `client` call `audience` for itself: its own, or, for a third-party client without one,
    /// the one for all such clients.
    pub(crate) async fn find(&self, app: &App, client: &Client, audience: &str) -> DbResult<Option<Granted>> {
        let of = async |id: &str| -> DbResult<Option<Granted>> {
            let load = async || store::of_client(&app.db, &app.tenant, id).await.map(Some);
            let grants: Option<Arc<GrantsOfClient>> = self.0.get(&app.db, &app.tenant, id, load).await?;
            Ok(grants.and_then(|grants| grants.iter().find(|grant| grant.audience == audience).cloned()))
        };
        match of(&client.client_id).await? {
            None if !client.is_first_party => of(store::THIRD_PARTY).await,
            own => Ok(own),
        }
    }
}
