//! APIs in the database.

use crate::audit;
use crate::clients::{self, references};
use crate::db::{Db, DbError, DbResult, Kind, Param, Row, Tx, params};
use crate::http::Window;
use crate::tenant_settings;
use serde_json::Value;
use tenantry_types::Object;

/// An API as it is stored.
pub(crate) struct Stored {
    pub(crate) document: Object,
    pub(crate) version: i64,
    pub(crate) is_system: bool,
    pub(crate) seq: i64,
    pub(crate) sealed_secret: Option<Vec<u8>>,
    /// The public key that tokens are encrypted with, as JWK.
    pub(crate) encryption_key: Option<String>,
}

impl Stored {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.document.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

const COLUMNS: &str = "SELECT r.document, r.version, r.is_system, r.seq, c.client_id, r.signing_secret, r.encryption_key FROM resource_server r \
    LEFT JOIN client c ON c.tenant = r.tenant AND c.resource_server_identifier = r.identifier \
    WHERE r.tenant = $1";

fn read(row: &Row<'_>) -> DbResult<Stored> {
    let mut document: Object = serde_json::from_str(row.text(0)?)
        .map_err(|error| DbError::Data(format!("resource server: {error}")))?;
    if let Some(client_id) = row.opt_text(4)? {
        document.insert("client_id".into(), client_id.into());
    }
    Ok(Stored {
        document,
        version: row.int(1)?,
        is_system: row.bool(2)?,
        seq: row.int(3)?,
        sealed_secret: row.opt_bytes(5)?.map(<[u8]>::to_vec),
        encryption_key: row.opt_text(6)?.map(str::to_owned),
    })
}

/// The API of that identifier.
pub(super) async fn find(db: &Db, tenant: &str, identifier: &str) -> DbResult<Option<Stored>> {
    db.query_opt(&format!("{COLUMNS} AND r.identifier = $2"), params![tenant, identifier], read).await
}

/// The API of that id or identifier.
pub(super) async fn find_either(db: &Db, tenant: &str, id: &str) -> DbResult<Option<Stored>> {
    db.query_opt(&format!("{COLUMNS} AND (r.id = $2 OR r.identifier = $2)"), params![tenant, id], read).await
}

/// The same within a transaction.
pub(crate) fn find_for_update(tx: &mut Tx<'_>, tenant: &str, id: &str) -> DbResult<Option<Stored>> {
    tx.query_opt(&format!("{COLUMNS} AND (r.id = $2 OR r.identifier = $2)"), params![tenant, id], read)
}

/// The APIs behind number `after`, or of these identifiers.
pub(super) async fn list(
    db: &Db,
    tenant: &str,
    identifiers: &[&str],
    window: &Window,
) -> DbResult<Vec<Stored>> {
    let mut params = params![tenant, window.after_number(), window.limit, window.skip].to_vec();
    let filter = in_list(identifiers, &mut params);
    let sql = format!("{COLUMNS} AND r.seq > $2{filter} ORDER BY r.seq LIMIT $3 OFFSET $4");
    db.query(&sql, &params, read).await
}

pub(super) async fn count(db: &Db, tenant: &str, identifiers: &[&str]) -> DbResult<i64> {
    let mut params = vec![Param::Text(tenant)];
    let filter = in_list(identifiers, &mut params);
    let sql = format!("SELECT COUNT(*) FROM resource_server r WHERE r.tenant = $1{filter}");
    Ok(db.query_opt(&sql, &params, |row| row.int(0)).await?.unwrap_or(0))
}

fn in_list<'a>(identifiers: &[&'a str], params: &mut Vec<Param<'a>>) -> String {
    if identifiers.is_empty() {
        return String::new();
    }
    let places: Vec<_> = identifiers
        .iter()
        .map(|identifier| {
            params.push(Param::Text(identifier));
            format!("${}", params.len())
        })
        .collect();
    format!(" AND r.identifier IN ({})", places.join(", "))
}

fn text<'a>(api: &'a Object, name: &str) -> &'a str {
    api.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn to_json(api: &Object) -> String {
    let mut api = api.clone();
    // Which client is linked is the client's to say; the secret has a sealed column.
    for name in ["client_id", "signing_secret"] {
        api.shift_remove(name);
    }
    Value::Object(api).to_string()
}

/// What the log calls an API.
const RESOURCE: &str = "resource_server";

pub(crate) fn insert(
    tx: &mut Tx<'_>,
    tenant: &str,
    api: &Object,
    sealed_secret: Option<&Vec<u8>>,
    encryption_key: Option<&str>,
    seq: i64,
) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO resource_server \
        (tenant, id, identifier, seq, version, document, signing_secret, is_system, encryption_key) \
        VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8)";
    let identifier = text(api, "identifier");
    let is_system = api.get("is_system") == Some(&Value::Bool(true));
    tx.write(
        INSERT,
        params![
            tenant,
            text(api, "id"),
            identifier,
            seq,
            &to_json(api),
            sealed_secret,
            is_system,
            encryption_key
        ],
    )?;
    audit::created(tx, RESOURCE, text(api, "id"), api);
    tx.changed(Kind::ResourceServer, tenant, identifier);
    Ok(())
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &Object,
    api: &Object,
    sealed_secret: Option<&Vec<u8>>,
    encryption_key: Option<&str>,
    version: i64,
) -> DbResult<bool> {
    const UPDATE: &str = "UPDATE resource_server SET version = version + 1, document = $4, \
        signing_secret = COALESCE($5, signing_secret), encryption_key = $6 \
        WHERE tenant = $1 AND id = $2 AND version = $3";
    audit::updated(tx, RESOURCE, text(api, "id"), before, api);
    tx.changed(Kind::ResourceServer, tenant, text(api, "identifier"));
    Ok(tx.execute(
        UPDATE,
        params![tenant, text(api, "id"), version, &to_json(api), sealed_secret, encryption_key],
    )? > 0)
}

/// Deletes an API, the grants for it, its client's link to it, and what clients and settings say of it.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, api: &Stored, now: i64) -> DbResult<()> {
    let identifier = api.text("identifier");
    grants_changed(tx, tenant, identifier)?;
    clients::store::unlink_api(tx, tenant, identifier, now)?;
    for id in [identifier, api.text("id")] {
        references::forget(tx, tenant, references::Kind::Client, id, now)?;
    }
    tenant_settings::store::forget(tx, tenant, "default_audience", identifier)?;
    tx.write("DELETE FROM resource_server WHERE tenant = $1 AND id = $2", params![tenant, api.text("id")])?;
    audit::deleted(tx, RESOURCE, api.text("id"), &api.document);
    tx.changed(Kind::ResourceServer, tenant, identifier);
    Ok(())
}

/// Every grant for an API is about to change.
fn grants_changed(tx: &mut Tx<'_>, tenant: &str, identifier: &str) -> DbResult<()> {
    const CLIENTS: &str =
        "SELECT client_id FROM client_grant WHERE tenant = $1 AND audience = $2 ORDER BY id";
    let read = |row: &Row<'_>| Ok(row.opt_text(0)?.unwrap_or_default().to_owned());
    for client_id in tx.query(CLIENTS, params![tenant, identifier], read)? {
        tx.changed(Kind::Grant, tenant, &client_id);
    }
    Ok(())
}

/// Gives the system API another identifier, and the grants for it another audience.
pub(crate) fn rename(tx: &mut Tx<'_>, tenant: &str, from: &str, to: &str) -> DbResult<()> {
    const API: &str =
        "UPDATE resource_server SET identifier = $3, document = $4 WHERE tenant = $1 AND id = $2";
    const GRANTS: &str = "SELECT id, document FROM client_grant WHERE tenant = $1 AND audience = $2";
    const GRANT: &str = "UPDATE client_grant SET document = $3 WHERE tenant = $1 AND id = $2";
    let Some(mut api) = find_for_update(tx, tenant, from)? else { return Ok(()) };
    grants_changed(tx, tenant, from)?;
    api.document.insert("identifier".into(), to.into());
    let id = api.text("id").to_owned();
    tx.write(API, params![tenant, &id, to, &to_json(&api.document)])?;
    for identifier in [from, to] {
        tx.changed(Kind::ResourceServer, tenant, identifier);
    }
    // Their column followed the API's; what answers show is in the document.
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    for (id, document) in tx.query(GRANTS, params![tenant, to], read)? {
        let mut grant: Object = serde_json::from_str(&document)
            .map_err(|error| DbError::Data(format!("client grant: {error}")))?;
        grant.insert("audience".into(), to.into());
        tx.write(GRANT, params![tenant, &id, &Value::Object(grant).to_string()])?;
    }
    Ok(())
}
