//! What someone with the data directory at hand may know: how to reach the tenant as its administrator.

use crate::app::{self, DEFAULT_TENANT, management_audience};
use crate::audit;
use crate::clients::{self, NewClient};
use crate::clock::{Clock, Random};
use crate::data_dir::{DataDir, DataDirError};
use crate::db::{Db, DbError, Target};
use crate::maintenance::{MaintenanceError, Site};
use crate::provision::{self, ADMIN_CLIENT_SETTING, setting};
use crate::{client_grants, ids};
use std::path::PathBuf;

/// The administrator's client could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The client was deleted, or has no secret any more.
    #[error(
        "the client Tenantry Admin is gone, or no longer has a secret; `tenantry admin reset` makes another"
    )]
    NoClient,
}

/// How to reach the tenant as its administrator.
#[derive(Clone)]
pub struct AdminClient {
    /// The domain.
    pub domain: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret, as it is now.
    pub client_secret: String,
    /// The audience of the Management API.
    pub audience: String,
    /// The local certificate authority, if the server uses its certificate.
    pub ca: Option<PathBuf>,
    /// The system's authorities and ours, likewise.
    pub ca_bundle: Option<PathBuf>,
}

impl std::fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminClient").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Reads the administrator's client. Works beside a running server, and without one. `database_url` is needed only where
/// the server's has a password.
///
/// # Errors
/// Nothing was ever served from the directory, or the client is gone.
pub async fn admin_client(dir: &DataDir, database_url: Option<&str>) -> Result<AdminClient, AdminError> {
    let server = dir.server_file()?;
    let master = dir.master_key(server.master_key_file.as_deref(), Some(&server.database))?;
    let db = Db::read_only(&Target::parse(database_url.unwrap_or(&server.database))?)?;
    let client_id = setting(&db, ADMIN_CLIENT_SETTING).await?.ok_or(AdminError::NoClient)?;
    let client = crate::clients::store::find_shown(&db, &master, DEFAULT_TENANT, &client_id).await?;
    let client = client.ok_or(AdminError::NoClient)?;
    let client_secret = client.secret().ok_or(AdminError::NoClient)?.to_owned();
    let local = |path: PathBuf| server.uses_local_ca.then_some(path);
    Ok(AdminClient {
        audience: management_audience(&server.domain),
        domain: server.domain,
        client_id,
        client_secret,
        ca: local(dir.ca()),
        ca_bundle: local(dir.ca_bundle()),
    })
}

/// A new administrator's client.
#[derive(Debug)]
pub struct Reset {
    /// Its id.
    pub client_id: String,
    /// The client in whose place it is, if that is still there: a server is running that has to hear of its deletion.
    pub left: Option<String>,
}

/// Makes a new administrator's client in place of the one before, which is deleted if it is still there.
///
/// # Errors
/// The database or the master key cannot be used.
pub async fn reset_admin(site: &Site) -> Result<Reset, MaintenanceError> {
    let (clock, random) = (Clock::system(), Random::system());
    // A server that keeps a file's clients in memory would not hear of a deletion past it.
    let alone = site.lock();
    let may_delete = alone.is_ok() || site.target().file().is_none();
    let master = site.master()?;
    let db = Db::existing(site.target()).await?;
    let domain = provision::tenant_domain(&db, DEFAULT_TENANT).await?;
    let domain = domain.ok_or_else(|| MaintenanceError::Refused("there is no tenant yet".into()))?;
    let former = setting(&db, ADMIN_CLIENT_SETTING).await?;
    let now = clock.now_ms();
    let seq = app::sequence(&db, DEFAULT_TENANT, &random).await?.next(&clock);
    let client = NewClient::new(provision::admin_client(&random), &random, &master, seq, now)?;
    let client_id = client.document.client_id().to_owned();
    let grant = provision::admin_grant(&domain, &client_id, &ids::client_grant_id(&random));
    let id = client_id.clone();
    let left = db
        .transaction(move |tx| {
            clients::store::insert(tx, DEFAULT_TENANT, &client)?;
            client_grants::store::insert(tx, DEFAULT_TENANT, &grant)?;
            provision::set(tx, ADMIN_CLIENT_SETTING, &id)?;
            let details = serde_json::json!({"client_id": id, "former_client_id": former});
            tx.log(audit::by_command(DEFAULT_TENANT, now, "tenantry admin reset", &details));
            let Some(former) = former else { return Ok(None) };
            let Some(document) = clients::store::find_for_update(tx, DEFAULT_TENANT, &former)? else {
                return Ok(None);
            };
            if may_delete {
                clients::store::delete(tx, DEFAULT_TENANT, &document, now)?;
                return Ok(None);
            }
            Ok::<_, DbError>(Some(former))
        })
        .await?;
    Ok(Reset { client_id, left })
}
