//! What the first start makes, and what a change of domain moves.

use crate::app::{DEFAULT_TENANT, management_audience};
use crate::client_grants;
use crate::clients::{self, NewClient};
use crate::clock::{Clock, Random};
use crate::db::{Db, DbError, Tx, params};
use crate::ids::{self, Sequence};
use crate::keys::{self, NewKey, State};
use crate::resource_servers;
use crate::seal::MasterKey;
use serde_json::{Value, json};
use tenantry_types::clients::{ClientDocument, ThirdPartySecurityMode};
use tenantry_types::{Object, Scope};

/// The setting that names the machine-to-machine client of `tenantry env`.
pub(crate) const ADMIN_CLIENT_SETTING: &str = "admin_client_id";
const DOMAIN_SETTING: &str = "domain";
/// The setting that says from what the tenant was filled at its first start.
const SEED_SETTING: &str = "seed";

/// The first start failed.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The signing key could not be made.
    #[error("cannot make the signing key: {0}")]
    Key(String),
}

pub(crate) struct Provision<'a> {
    pub(crate) db: &'a Db,
    pub(crate) master: &'a MasterKey,
    pub(crate) clock: &'a Clock,
    pub(crate) random: &'a Random,
}

/// A setting of the server.
pub(crate) async fn setting(db: &Db, name: &str) -> Result<Option<String>, DbError> {
    let read = |row: &crate::db::Row<'_>| Ok(row.text(0)?.to_owned());
    db.query_opt("SELECT value FROM setting WHERE name = $1", params![name], read).await
}

pub(crate) fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), DbError> {
    const UPSERT: &str = "INSERT INTO setting (name, value) VALUES ($1, $2) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.write(UPSERT, params![name, value])
}

/// From what the tenant was filled at its first start, if it was.
pub(crate) async fn seed(db: &Db) -> Result<Option<String>, DbError> {
    setting(db, SEED_SETTING).await
}

/// Remembers that.
pub(crate) async fn set_seed(db: &Db, from: &str) -> Result<(), DbError> {
    let from = from.to_owned();
    db.transaction(move |tx| set(tx, SEED_SETTING, &from)).await
}

/// Whether a server ever finished its first start on this database.
pub(crate) async fn has_tenant(db: &Db) -> Result<bool, DbError> {
    Ok(db.query_opt("SELECT 1 FROM tenant", &[], |_| Ok(())).await?.is_some())
}

/// The domain that a tenant has now.
pub(crate) async fn tenant_domain(db: &Db, tenant: &str) -> Result<Option<String>, DbError> {
    let read = |row: &crate::db::Row<'_>| Ok(row.text(0)?.to_owned());
    db.query_opt("SELECT domain FROM tenant WHERE tenant = $1", params![tenant], read).await
}

/// The domain: the configured one (remembered for later starts), else one configured earlier, else `localhost` and
/// the port.
pub(crate) async fn domain(db: &Db, configured: Option<&str>, port: u16) -> Result<String, DbError> {
    if let Some(domain) = configured {
        let domain = domain.to_ascii_lowercase();
        let remembered = domain.clone();
        db.transaction(move |tx| set(tx, DOMAIN_SETTING, &remembered)).await?;
        return Ok(domain);
    }
    Ok(setting(db, DOMAIN_SETTING).await?.unwrap_or_else(|| format!("localhost:{port}")))
}

impl Provision<'_> {
    /// Makes the tenant with everything in it, or moves it to `domain` if it had another.
    pub(crate) async fn run(&self, domain: &str) -> Result<(), ProvisionError> {
        let had = match tenant_domain(self.db, DEFAULT_TENANT).await? {
            Some(had) => had,
            None => match self.create(domain).await {
                Err(ProvisionError::Database(DbError::Conflict(what))) => {
                    // Another server that started at the same time was quicker.
                    let had = tenant_domain(self.db, DEFAULT_TENANT).await?.ok_or(DbError::Conflict(what))?;
                    keys::check_master(self.db, self.master, DEFAULT_TENANT).await?;
                    had
                }
                created => return created,
            },
        };
        if had != domain {
            self.relocate(had, domain.to_owned()).await?;
        }
        Ok(())
    }

    async fn create(&self, domain: &str) -> Result<(), ProvisionError> {
        const TENANT: &str = "INSERT INTO tenant (tenant, domain, created_at) VALUES ($1, $2, $3)";
        let now = self.clock.now_ms();
        let key = NewKey::generate(self.master, self.clock, self.random, DEFAULT_TENANT, domain)?;
        let global = ClientDocument::global(DEFAULT_TENANT, &ids::client_id(self.random));
        let admin = admin_client(self.random);
        let sequence = Sequence::default();
        let global = NewClient::new(global, self.random, self.master, sequence.next(self.clock), now)
            .map_err(|error| ProvisionError::Key(error.to_string()))?;
        let admin = NewClient::new(admin, self.random, self.master, sequence.next(self.clock), now)
            .map_err(|error| ProvisionError::Key(error.to_string()))?;
        let api = system_api(domain, &ids::resource_server_id(self.random, self.clock));
        let grant = admin_grant(domain, admin.document.client_id(), &ids::client_grant_id(self.random));
        let domain = domain.to_owned();
        let api_seq = sequence.next(self.clock);
        self.db
            .transaction(move |tx| {
                tx.write(TENANT, params![DEFAULT_TENANT, &domain, now])?;
                keys::store::insert(tx, DEFAULT_TENANT, &key, State::Current, now)?;
                clients::store::insert(tx, DEFAULT_TENANT, &global)?;
                clients::store::insert(tx, DEFAULT_TENANT, &admin)?;
                resource_servers::store::insert(tx, DEFAULT_TENANT, &api, None, None, api_seq)?;
                client_grants::store::insert(tx, DEFAULT_TENANT, &grant)?;
                set(tx, ADMIN_CLIENT_SETTING, admin.document.client_id())
            })
            .await?;
        tracing::info!("created the tenant");
        Ok(())
    }

    /// The system API is named after the domain, and so are the grants for it.
    async fn relocate(&self, had: String, domain: String) -> Result<(), DbError> {
        tracing::info!(from = had, to = domain, "the domain changed");
        self.db
            .transaction(move |tx| {
                tx.write(
                    "UPDATE tenant SET domain = $2 WHERE tenant = $1",
                    params![DEFAULT_TENANT, &domain],
                )?;
                let (from, to) = (management_audience(&had), management_audience(&domain));
                resource_servers::store::rename(tx, DEFAULT_TENANT, &from, &to)
            })
            .await
    }
}

/// The client that may do everything.
pub(crate) fn admin_client(random: &Random) -> ClientDocument {
    let body = json!({
        "name": "Tenantry Admin",
        "app_type": "non_interactive",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
        "oidc_conformant": true,
    });
    let Value::Object(body) = body else { unreachable!("written as an object") };
    ClientDocument::create(&body, DEFAULT_TENANT, ThirdPartySecurityMode::Permissive, |_| {
        ids::client_id(random)
    })
    .expect("the administrator's client breaks no rule; every start of a test runs this")
}

fn all_scopes() -> Vec<&'static str> {
    Scope::all().map(Scope::as_str).collect()
}

fn system_api(domain: &str, id: &str) -> Object {
    let scopes: Vec<_> = Scope::all()
        .map(|scope| json!({"description": scope.description(), "value": scope.as_str()}))
        .collect();
    let api = json!({
        "id": id,
        "name": "Auth0 Management API",
        "identifier": management_audience(domain),
        "allow_offline_access": false,
        "skip_consent_for_verifiable_first_party_clients": false,
        "subject_type_authorization": {"client": {"policy": "require_client_grant"}, "user": {"policy": "allow_all"}},
        "token_lifetime": 86400,
        "token_lifetime_for_web": 7200,
        "signing_alg": "RS256",
        "scopes": scopes,
        "is_system": true,
    });
    let Value::Object(api) = api else { unreachable!("written as an object") };
    api
}

pub(crate) fn admin_grant(domain: &str, client_id: &str, id: &str) -> Object {
    let grant = json!({
        "id": id,
        "client_id": client_id,
        "audience": management_audience(domain),
        "scope": all_scopes(),
        "subject_type": "client",
    });
    let Value::Object(grant) = grant else { unreachable!("written as an object") };
    grant
}
