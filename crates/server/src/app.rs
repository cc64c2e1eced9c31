//! What every request can reach.

use crate::audit::Audit;
use crate::client_grants::Grants;
use crate::clients::Clients;
use crate::clients::certificate::TrustedProxies;
use crate::clock::{Clock, Random};
use crate::db::{Db, DbResult, params};
use crate::http::{Outgoing, VerifiedTokens};
use crate::ids::Sequence;
use crate::keys::{CachedKeys, Keys, Signer};
use crate::limiter::Limiter;
use crate::organizations::Organizations;
use crate::registration::RegistrationLimits;
use crate::registration::keys::KeyFetches;
use crate::resource_servers::ResourceServers;
use crate::seal::MasterKey;
use crate::tenant_settings::{CachedSettings, TenantSettings};
use crate::tokens::TokenFigures;
use std::ops::Deref;
use std::sync::Arc;
use tenantry_types::clients::ThirdPartySecurityMode;

/// The tenant of a server that has only one.
pub(crate) const DEFAULT_TENANT: &str = "default";

/// The last number that orders a list, of whatever kind.
const LAST_NUMBER: &str = "SELECT COALESCE(MAX(seq), 0) FROM (\
    SELECT MAX(seq) AS seq FROM client WHERE tenant = $1 \
    UNION ALL SELECT MAX(seq) AS seq FROM resource_server WHERE tenant = $1 \
    UNION ALL SELECT MAX(seq) AS seq FROM connection_client WHERE tenant = $1 \
    UNION ALL SELECT MAX(seq) AS seq FROM organization WHERE tenant = $1 \
    UNION ALL SELECT MAX(seq) AS seq FROM organization_discovery_domain WHERE tenant = $1) AS numbers";

/// Shared state; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) master: MasterKey,
    pub(crate) tenant: String,
    pub(crate) domain: String,
    pub(crate) third_party_security_mode: ThirdPartySecurityMode,
    pub(crate) default_audience: Option<String>,
    pub(crate) proxies: Option<TrustedProxies>,
    pub(crate) signer: Signer,
    pub(crate) audit: Audit,
    pub(crate) sequence: Sequence,
    pub(crate) clients: Clients,
    pub(crate) grants: Grants,
    pub(crate) resource_servers: ResourceServers,
    pub(crate) organizations: Organizations,
    pub(crate) outgoing: Outgoing,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) registration_limits: RegistrationLimits,
    pub(crate) key_fetches: KeyFetches,
    tenant_settings: CachedSettings,
    pub(crate) verified_tokens: VerifiedTokens,
    keys: CachedKeys,
    /// Held by whoever makes the next signing key.
    pub(crate) preparing_key: tokio::sync::Mutex<()>,
    pub(crate) token_figures: TokenFigures,
    issuer: String,
    management_audience: String,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) master: MasterKey,
    pub(crate) domain: String,
    pub(crate) third_party_security_mode: ThirdPartySecurityMode,
    pub(crate) default_audience: Option<String>,
    pub(crate) proxies: Option<TrustedProxies>,
    pub(crate) signer: Signer,
    pub(crate) audit: Audit,
    pub(crate) outgoing: Outgoing,
    pub(crate) limiter: Option<Limiter>,
}

impl App {
    /// Loads the tenant's keys.
    pub(crate) async fn load(parts: Parts) -> DbResult<Self> {
        let Parts {
            db,
            clock,
            random,
            master,
            domain,
            third_party_security_mode,
            default_audience,
            proxies,
            signer,
            audit,
            outgoing,
            limiter,
        } = parts;
        let tenant = DEFAULT_TENANT.to_owned();
        let keys = CachedKeys::open(&db, &master, &tenant, &domain).await?;
        let sequence = sequence(&db, &tenant, &random).await?;
        let issuer = issuer(&domain);
        Ok(Self(Arc::new(Inner {
            management_audience: management_audience(&domain),
            keys,
            preparing_key: tokio::sync::Mutex::default(),
            issuer,
            db,
            clock,
            random,
            master,
            tenant,
            domain,
            third_party_security_mode,
            default_audience,
            proxies,
            signer,
            audit,
            sequence,
            clients: Clients::default(),
            grants: Grants::default(),
            resource_servers: ResourceServers::default(),
            organizations: Organizations::default(),
            outgoing,
            limiter,
            registration_limits: RegistrationLimits::default(),
            key_fetches: KeyFetches::default(),
            tenant_settings: CachedSettings::default(),
            verified_tokens: VerifiedTokens::default(),
            token_figures: TokenFigures::default(),
        })))
    }

    /// The tenant's signing keys as they are now.
    pub(crate) async fn keys(&self) -> DbResult<Arc<Keys>> {
        self.keys.get(&self.db, &self.master, &self.tenant).await
    }

    /// The tenant's settings as they are now.
    pub(crate) async fn tenant_settings(&self) -> DbResult<Arc<TenantSettings>> {
        self.tenant_settings.get(self).await
    }

    /// `iss` of every token.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// `aud` of tokens for the Management API.
    pub(crate) fn management_audience(&self) -> &str {
        &self.management_audience
    }
}

/// Numbers behind all that there are.
pub(crate) async fn sequence(db: &Db, tenant: &str, random: &Random) -> DbResult<Sequence> {
    let last = db.query_opt(LAST_NUMBER, params![tenant], |row| row.int(0)).await?.unwrap_or(0);
    Ok(Sequence::behind(last, random))
}

pub(crate) fn issuer(domain: &str) -> String {
    format!("https://{domain}/")
}

pub(crate) fn management_audience(domain: &str) -> String {
    format!("https://{domain}/api/v2/")
}
