//! Connections in the database.

use crate::audit;
use crate::clients::references;
use crate::db::{Db, DbError, DbResult, Param, Row, Tx, params};
use crate::http::Window;
use crate::seal::{MasterKey, SealError};
use crate::tenant_settings;
use serde_json::Value;
use std::fmt::Write as _;
use tenantry_types::connections::{STRATEGIES, secrets, settled, with_enabled_clients};
use tenantry_types::{Object, connections};
use zeroize::Zeroizing;

/// Where the secrets among a connection's options are sealed.
pub(crate) fn seal_context(tenant: &str, id: &str) -> String {
    format!("connection_secrets/{tenant}/{id}")
}

/// What the log calls a connection, and its place among those of a client.
const RESOURCE: &str = "connection";
const CLIENT: &str = "connection_client";

/// A connection, ready to be stored.
pub(super) struct Sealed {
    id: String,
    name: String,
    sort: String,
    strategy: String,
    /// The client that a login which the identity provider starts ends at.
    idp_initiated_client: Option<String>,
    document: Object,
    secrets: Option<Vec<u8>>,
}

const IDP_INITIATED: &str = "idpinitiated";

/// The longest id of a client, and more; what is longer would not fit into an index.
const LONGEST_CLIENT_ID: usize = 100;

fn idp_initiated_client(connection: &Object) -> Option<&str> {
    let client_id = connection.get("options")?.get(IDP_INITIATED)?.get("client_id")?.as_str();
    client_id.filter(|id| id.len() <= LONGEST_CLIENT_ID)
}

impl Sealed {
    pub(super) fn new(connection: &Object, tenant: &str, master: &MasterKey) -> Result<Self, SealError> {
        let mut stored = settled(connection.clone());
        let taken = match stored.get_mut("options") {
            Some(Value::Object(options)) => secrets::take(options),
            _ => Object::new(),
        };
        let (id, name) = (text(connection, "id"), text(connection, "name"));
        let secrets = if taken.is_empty() {
            None
        } else {
            let plain = Zeroizing::new(Value::Object(taken).to_string());
            Some(master.seal(&seal_context(tenant, id), plain.as_bytes())?)
        };
        Ok(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            // No name has a space, so that the id behind it only decides between names that differ in case.
            sort: format!("{} {id}", name.to_ascii_lowercase()),
            strategy: text(connection, "strategy").to_owned(),
            idp_initiated_client: idp_initiated_client(connection).map(str::to_owned),
            document: stored,
            secrets,
        })
    }
}

fn text<'a>(connection: &'a Object, name: &str) -> &'a str {
    connection.get(name).and_then(Value::as_str).unwrap_or_default()
}

const COLUMNS: &str = "SELECT c.id, c.document, c.secrets, c.version, c.sort FROM connection c";

/// The connection of a row, with its secrets.
fn read(row: &Row<'_>, tenant: &str, master: &MasterKey) -> DbResult<Object> {
    let id = row.text(0)?;
    let bad = |error: &dyn std::fmt::Display| DbError::Data(format!("connection {id}: {error}"));
    let mut connection: Object = serde_json::from_str(row.text(1)?).map_err(|error| bad(&error))?;
    if let Some(sealed) = row.opt_bytes(2)? {
        let plain = master.open_text(&seal_context(tenant, id), sealed).map_err(|error| bad(&error))?;
        // The parser's error would quote a secret.
        let taken: Object = serde_json::from_str(&plain).map_err(|_| bad(&"its secrets are malformed"))?;
        if let Some(Value::Object(options)) = connection.get_mut("options") {
            secrets::put_back(options, taken);
            let options = Value::Object(std::mem::take(options));
            connection.insert("options".into(), connections::canonical(options));
        }
    }
    Ok(connection)
}

const BY_ID: &str = "SELECT c.id, c.document, c.secrets, c.version, c.sort FROM connection c \
    WHERE c.tenant = $1 AND c.id = $2";

/// The connection of that id, without the clients that it is enabled for.
pub(crate) async fn find(db: &Db, master: &MasterKey, tenant: &str, id: &str) -> DbResult<Option<Object>> {
    db.query_opt(BY_ID, params![tenant, id], |row| read(row, tenant, master)).await
}

/// The same within a transaction, and its version for [`update`].
pub(crate) fn find_for_update(
    tx: &mut Tx<'_>,
    master: &MasterKey,
    tenant: &str,
    id: &str,
) -> DbResult<Option<(Object, i64)>> {
    tx.query_opt(BY_ID, params![tenant, id], |row| Ok((read(row, tenant, master)?, row.int(3)?)))
}

/// Whether there is a connection of that id.
pub(crate) fn exists(tx: &mut Tx<'_>, tenant: &str, id: &str) -> DbResult<bool> {
    const EXISTS: &str = "SELECT 1 FROM connection WHERE tenant = $1 AND id = $2";
    Ok(tx.query_opt(EXISTS, params![tenant, id], |_| Ok(()))?.is_some())
}

/// Whether the name is taken.
pub(super) fn has_name(tx: &mut Tx<'_>, tenant: &str, name: &str) -> DbResult<bool> {
    const NAMED: &str = "SELECT 1 FROM connection WHERE tenant = $1 AND name = $2";
    Ok(tx.query_opt(NAMED, params![tenant, name], |_| Ok(()))?.is_some())
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: &str, connection: &Sealed) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO connection \
        (tenant, id, name, sort, strategy, version, document, secrets, idp_initiated_client) \
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8)";
    let Sealed { id, name, sort, strategy, idp_initiated_client, document, secrets } = connection;
    let (secrets, client) = (secrets.as_deref(), idp_initiated_client.as_deref());
    audit::created(tx, RESOURCE, id, document);
    let document = Value::Object(document.clone()).to_string();
    tx.write(INSERT, params![tenant, id, name, sort, strategy, &document, secrets, client])
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    (before, after): (&Object, &Object),
    connection: &Sealed,
    version: i64,
) -> DbResult<bool> {
    const UPDATE: &str = "UPDATE connection SET version = version + 1, document = $4, secrets = $5, \
        idp_initiated_client = $6 WHERE tenant = $1 AND id = $2 AND version = $3";
    let Sealed { id, document, secrets, idp_initiated_client, .. } = connection;
    let (secrets, client) = (secrets.as_deref(), idp_initiated_client.as_deref());
    audit::updated(tx, RESOURCE, id, before, after);
    let document = Value::Object(document.clone()).to_string();
    Ok(tx.execute(UPDATE, params![tenant, id, version, &document, secrets, client])? > 0)
}

/// Deletes a connection, everything that belongs to it through the references of other tables, and what clients and
/// settings say of it; says whether there was one.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, id: &str, now: i64) -> DbResult<bool> {
    const FIND: &str = "SELECT name, document FROM connection WHERE tenant = $1 AND id = $2";
    const DELETE: &str = "DELETE FROM connection WHERE tenant = $1 AND id = $2";
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), parse(id, row.text(1)?)?));
    let Some((name, document)) = tx.query_opt(FIND, params![tenant, id], read)? else { return Ok(false) };
    references::forget(tx, tenant, references::Kind::Connection, &name, now)?;
    tenant_settings::store::forget(tx, tenant, "default_directory", &name)?;
    audit::deleted(tx, RESOURCE, id, &document);
    tx.write(DELETE, params![tenant, id])?;
    Ok(true)
}

fn parse(id: &str, document: &str) -> DbResult<Object> {
    serde_json::from_str(document).map_err(|error| DbError::Data(format!("connection {id}: {error}")))
}

/// No login that an identity provider starts ends any longer at a client that goes away.
pub(crate) fn forget_client(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<()> {
    const LEADING: &str =
        "SELECT id, document FROM connection WHERE tenant = $1 AND idp_initiated_client = $2";
    const UPDATE: &str = "UPDATE connection SET version = version + 1, document = $3, \
        idp_initiated_client = NULL WHERE tenant = $1 AND id = $2";
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), parse(row.text(0)?, row.text(1)?)?));
    for (id, before) in tx.query(LEADING, params![tenant, client_id], read)? {
        let mut connection = before.clone();
        if let Some(Value::Object(options)) = connection.get_mut("options") {
            options.shift_remove(IDP_INITIATED);
        }
        audit::updated(tx, RESOURCE, &id, &before, &connection);
        tx.write(UPDATE, params![tenant, &id, &Value::Object(connection).to_string()])?;
    }
    Ok(())
}

/// Which connections are listed.
#[derive(Default)]
pub(super) struct Filter<'a> {
    pub(super) name: Option<&'a str>,
    /// Any of these; all when empty.
    pub(super) strategies: Vec<&'a str>,
    /// Those that are enabled for this client.
    pub(super) client_id: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn conditions(&self, params: &mut Vec<Param<'a>>) -> String {
        let mut sql = String::new();
        if let Some(name) = self.name {
            params.push(Param::Text(name));
            let _ = write!(sql, " AND c.name = ${}", params.len());
        }
        if !self.strategies.is_empty() {
            // Words of our own, so that there may be more of them than a statement has parameters.
            let names: Vec<_> = STRATEGIES
                .iter()
                .filter(|strategy| self.strategies.contains(&strategy.name))
                .map(|strategy| format!("'{}'", strategy.name))
                .collect();
            let _ = write!(sql, " AND c.strategy IN ({})", names.join(", "));
        }
        if let Some(client_id) = self.client_id {
            params.push(Param::Text(client_id));
            let _ = write!(
                sql,
                " AND c.id IN (SELECT e.connection_id FROM connection_client e \
                 WHERE e.tenant = $1 AND e.client_id = ${})",
                params.len()
            );
        }
        sql
    }
}

/// The connections by name, each with its position.
pub(super) async fn list(
    db: &Db,
    master: &MasterKey,
    tenant: &str,
    filter: &Filter<'_>,
    window: &Window,
) -> DbResult<Vec<(String, Object)>> {
    let after = window.after.as_deref().unwrap_or_default();
    let mut params = params![tenant, after, window.limit, window.skip].to_vec();
    let conditions = filter.conditions(&mut params);
    let sql = format!(
        "{COLUMNS} WHERE c.tenant = $1 AND c.sort > $2{conditions} ORDER BY c.sort LIMIT $3 OFFSET $4"
    );
    db.query(&sql, &params, |row| Ok((row.text(4)?.to_owned(), read(row, tenant, master)?))).await
}

pub(super) async fn count(db: &Db, tenant: &str, filter: &Filter<'_>) -> DbResult<i64> {
    let mut params = vec![Param::Text(tenant)];
    let conditions = filter.conditions(&mut params);
    let sql = format!("SELECT COUNT(*) FROM connection c WHERE c.tenant = $1{conditions}");
    Ok(db.query_opt(&sql, &params, |row| row.int(0)).await?.unwrap_or(0))
}

const ENABLED: &str = "SELECT client_id FROM connection_client WHERE tenant = $1 AND connection_id = $2 \
    ORDER BY seq, client_id";

fn client_id(row: &Row<'_>) -> DbResult<String> {
    Ok(row.text(0)?.to_owned())
}

/// The clients that a connection is enabled for, in the order in which they were.
pub(super) async fn enabled_clients(db: &Db, tenant: &str, id: &str) -> DbResult<Vec<String>> {
    db.query(ENABLED, params![tenant, id], client_id).await
}

/// The connection with the clients that it is enabled for.
pub(super) fn whole(tx: &mut Tx<'_>, tenant: &str, connection: Object) -> DbResult<Object> {
    let clients = tx.query(ENABLED, params![tenant, text(&connection, "id")], client_id)?;
    Ok(with_enabled_clients(connection, clients))
}

/// The same clients by their ids regardless of case, each with its position.
pub(super) async fn clients(
    db: &Db,
    tenant: &str,
    id: &str,
    window: &Window,
) -> DbResult<Vec<(String, String)>> {
    const CLIENTS: &str = "SELECT sort, client_id FROM connection_client \
        WHERE tenant = $1 AND connection_id = $2 AND sort > $3 ORDER BY sort LIMIT $4";
    let after = window.after.as_deref().unwrap_or_default();
    let read = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    db.query(CLIENTS, params![tenant, id, after, window.limit], read).await
}

/// Enables a connection for a client, behind those that it is enabled for already.
pub(super) fn enable(tx: &mut Tx<'_>, tenant: &str, id: &str, client_id: &str, seq: i64) -> DbResult<()> {
    const ENABLE: &str = "INSERT INTO connection_client (tenant, connection_id, client_id, sort, seq) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, connection_id, client_id) DO NOTHING";
    let added = tx.execute(ENABLE, params![tenant, id, client_id, &client_sort(client_id), seq])?;
    if added > 0 {
        audit::created(tx, CLIENT, id, &of_client(client_id));
    }
    Ok(())
}

/// The client of a connection, as the log tells it.
fn of_client(client_id: &str) -> Object {
    Object::from_iter([("client_id".into(), client_id.into())])
}

/// Enables every connection that there is for a new client.
pub(crate) fn enable_all(tx: &mut Tx<'_>, tenant: &str, client_id: &str, seq: i64) -> DbResult<()> {
    const ENABLE_ALL: &str = "INSERT INTO connection_client (tenant, connection_id, client_id, sort, seq) \
        SELECT tenant, id, $2, $3, $4 FROM connection WHERE tenant = $1";
    tx.write(ENABLE_ALL, params![tenant, client_id, &client_sort(client_id), seq])
}

/// Client ids regardless of case; the id itself decides between those that differ in nothing else.
fn client_sort(client_id: &str) -> String {
    format!("{} {client_id}", client_id.to_ascii_lowercase())
}

pub(super) fn disable(tx: &mut Tx<'_>, tenant: &str, id: &str, client_id: &str) -> DbResult<()> {
    const DISABLE: &str =
        "DELETE FROM connection_client WHERE tenant = $1 AND connection_id = $2 AND client_id = $3";
    if tx.execute(DISABLE, params![tenant, id, client_id])? > 0 {
        audit::deleted(tx, CLIENT, id, &of_client(client_id));
    }
    Ok(())
}
