//! Clients of an organization.

use super::store;
use crate::app::App;
use crate::audit;
use crate::clients;
use crate::db::{Db, DbError, DbResult, Row, Tx, params};
use crate::http::{
    ApiResult, Failure, Input, Listed, Page, Query, Slice, Window, checkpoints, json, no_content,
};
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::organizations::{
    self, MAX_CLIENTS, check_add_clients_body, check_client_patch_body, check_remove_clients_body,
};
use tenantry_types::schema::{Schema, object};
use tenantry_types::{ApiError, ErrorCode, Object, Scope};

const CLIENTS: &str = "/api/v2/organizations/{id}/clients";
const CLIENT: &str = "/api/v2/organizations/{id}/clients/{client_id}";

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    slice
        .get(CLIENTS, &[Scope::READ_ORGANIZATION_CLIENTS], list_organization_clients)
        .query(&LIST_QUERY)
        .post(CLIENTS, &[Scope::CREATE_ORGANIZATION_CLIENTS], add_organization_clients)
        .body(&organizations::ADD_CLIENTS)
        .delete(CLIENTS, &[Scope::DELETE_ORGANIZATION_CLIENTS], remove_organization_clients)
        .body(&organizations::REMOVE_CLIENTS)
        .get(CLIENT, &[Scope::READ_ORGANIZATION_CLIENTS], get_organization_client)
        .patch(CLIENT, &[Scope::UPDATE_ORGANIZATION_CLIENTS], update_organization_client)
        .body(&organizations::PATCH_CLIENT)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| object(checkpoints()));

fn not_found() -> Failure {
    ApiError::new(404, "No client found by that id").into()
}

const SELECT: &str = "SELECT a.sort, c.document, a.use_for_member_access FROM organization_client a \
    JOIN client c ON c.tenant = a.tenant AND c.client_id = a.client_id \
    WHERE a.tenant = $1 AND a.organization_id = $2";

/// Where a list goes on, and the association as answers show it.
fn read(row: &Row<'_>) -> DbResult<(String, Object)> {
    let client: Object =
        serde_json::from_str(row.text(1)?).map_err(|error| DbError::Data(format!("client: {error}")))?;
    Ok((row.text(0)?.to_owned(), organizations::client(&client, row.bool(2)?)))
}

/// Letters of either case sort alike, as recorded; ids that differ in nothing else keep apart.
fn sort_key(client_id: &str) -> String {
    format!("{} {client_id}", client_id.to_ascii_lowercase())
}

async fn list(db: &Db, tenant: &str, id: &str, window: &Window) -> DbResult<Vec<Listed>> {
    let sql = format!("{SELECT} AND a.sort > $3 ORDER BY a.sort LIMIT $4");
    let after = window.after.as_deref().unwrap_or_default();
    db.query(&sql, params![tenant, id, after, window.limit], |row| {
        let (position, client) = read(row)?;
        Ok(Listed { position, json: Value::Object(client).to_string() })
    })
    .await
}

/// `GET /organizations/{id}/clients`.
async fn list_organization_clients(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let page = Page::of_checkpoints(&query, &app)?;
    let (db, tenant) = (&app.db, &app.tenant);
    store::find(db, tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let list = async |window: Window| Ok(list(db, tenant, &id, &window).await?);
    page.answer(&app, "clients", list, async || Ok(0)).await
}

fn find(tx: &mut Tx<'_>, tenant: &str, id: &str, client_id: &str) -> DbResult<Option<Object>> {
    let sql = format!("{SELECT} AND a.client_id = $3");
    tx.query_opt(&sql, params![tenant, id, client_id], |row| Ok(read(row)?.1))
}

/// What the log calls a client of an organization.
const RESOURCE: &str = "organization_client";

fn add(
    tx: &mut Tx<'_>,
    tenant: &str,
    id: &str,
    client_id: &str,
    use_for_member_access: bool,
) -> Result<Object, Failure> {
    const INSERT: &str = "INSERT INTO organization_client \
        (tenant, organization_id, client_id, sort, use_for_member_access) VALUES ($1, $2, $3, $4, $5)";
    let client =
        clients::store::find_for_update(tx, tenant, client_id)?.ok_or_else(Failure::client_not_found)?;
    if find(tx, tenant, id, client_id)?.is_some() {
        return Err(Failure::conflict(
            "The client has already been added to this organization.",
            ErrorCode::OrganizationConflict,
        ));
    }
    tx.write(INSERT, params![tenant, id, client_id, &sort_key(client_id), use_for_member_access])?;
    let added = organizations::client(client.members(), use_for_member_access);
    audit::created(tx, RESOURCE, id, &added);
    Ok(added)
}

/// `POST /organizations/{id}/clients`: all of them or none.
async fn add_organization_clients(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    const COUNT: &str = "SELECT COUNT(*) FROM organization_client WHERE tenant = $1 AND organization_id = $2";
    let body = check_add_clients_body(&body)?;
    let clients: Vec<(String, bool)> = members(body)
        .map(|client| {
            let id = client.get("client_id").and_then(Value::as_str).unwrap_or_default();
            (id.to_owned(), client.get("use_for_member_access") == Some(&Value::Bool(true)))
        })
        .collect();
    let tenant = app.tenant.clone();
    let added = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let added: Result<Vec<_>, _> =
                clients.iter().map(|(client, flag)| add(tx, &tenant, &id, client, *flag)).collect();
            let total = tx.query_opt(COUNT, params![&tenant, &id], |row| row.int(0))?.unwrap_or(0);
            if total > MAX_CLIENTS {
                return Err(ApiError::invalid_body(format!(
                    "An organization can have no more than {MAX_CLIENTS} clients"
                ))
                .into());
            }
            added
        })
        .await?;
    let added: Value = added.into_iter().map(Value::Object).collect();
    Ok(json(StatusCode::CREATED, added.to_string()))
}

fn members(body: &Object) -> impl Iterator<Item = &Value> {
    body.get("clients").and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn check_exists(tx: &mut Tx<'_>, tenant: &str, id: &str) -> Result<(), Failure> {
    if store::exists(tx, tenant, id)? { Ok(()) } else { Err(Failure::organization_not_found()) }
}

/// `DELETE /organizations/{id}/clients`: clients that are not there are no error.
async fn remove_organization_clients(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    const DELETE: &str =
        "DELETE FROM organization_client WHERE tenant = $1 AND organization_id = $2 AND client_id = $3";
    let body = check_remove_clients_body(&body)?;
    let clients: Vec<String> = members(body).filter_map(Value::as_str).map(str::to_owned).collect();
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            for client in &clients {
                if let Some(before) = find(tx, &tenant, &id, client)? {
                    audit::deleted(tx, RESOURCE, &id, &before);
                }
                tx.write(DELETE, params![&tenant, &id, client])?;
            }
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(no_content())
}

/// `GET /organizations/{id}/clients/{client_id}`.
async fn get_organization_client(
    State(app): State<App>,
    Path((id, client_id)): Path<(String, String)>,
) -> ApiResult {
    let (db, tenant) = (&app.db, &app.tenant);
    store::find(db, tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let sql = format!("{SELECT} AND a.client_id = $3");
    let found = db.query_opt(&sql, params![tenant, &id, &client_id], |row| Ok(read(row)?.1)).await?;
    Ok(json(StatusCode::OK, Value::Object(found.ok_or_else(not_found)?).to_string()))
}

/// `PATCH /organizations/{id}/clients/{client_id}`.
async fn update_organization_client(
    State(app): State<App>,
    Path((id, client_id)): Path<(String, String)>,
    Input(body): Input,
) -> ApiResult {
    const UPDATE: &str = "UPDATE organization_client SET use_for_member_access = $4 \
        WHERE tenant = $1 AND organization_id = $2 AND client_id = $3";
    let body = check_client_patch_body(&body)?;
    let flag = body.get("use_for_member_access") == Some(&Value::Bool(true));
    let tenant = app.tenant.clone();
    let client = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let before = find(tx, &tenant, &id, &client_id)?.ok_or_else(not_found)?;
            tx.write(UPDATE, params![&tenant, &id, &client_id, flag])?;
            let after = find(tx, &tenant, &id, &client_id)?.ok_or_else(not_found)?;
            audit::updated(tx, RESOURCE, &id, &before, &after);
            Ok::<_, Failure>(after)
        })
        .await?;
    Ok(json(StatusCode::OK, Value::Object(client).to_string()))
}
