//! Connections of an organization, in their two forms.

use super::clients::check_exists;
use super::store;
use crate::app::App;
use crate::audit;
use crate::db::{Db, DbError, DbResult, Row, Tx, params};
use crate::http::{
    ApiResult, Envelope, Failure, Input, Listed, MOST_BY_NUMBER, Page, Query, Slice, Window, json,
    no_content, paging,
};
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::organizations::{self, ConnectionForm, add_connection, patch_connection};
use tenantry_types::schema::{Schema, boolean, object, optional};
use tenantry_types::{ApiError, ErrorCode, Object, Scope};

const ENABLED: &str = "/api/v2/organizations/{id}/enabled_connections";
const ENABLED_ONE: &str = "/api/v2/organizations/{id}/enabled_connections/{connection_id}";
const ALL: &str = "/api/v2/organizations/{id}/connections";
const ALL_ONE: &str = "/api/v2/organizations/{id}/connections/{connection_id}";

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    const READ: &[Scope] = &[Scope::READ_ORGANIZATION_CONNECTIONS];
    const CREATE: &[Scope] = &[Scope::CREATE_ORGANIZATION_CONNECTIONS];
    const UPDATE: &[Scope] = &[Scope::UPDATE_ORGANIZATION_CONNECTIONS];
    const DELETE: &[Scope] = &[Scope::DELETE_ORGANIZATION_CONNECTIONS];
    use ConnectionForm::{All, Enabled};
    slice
        .get(ENABLED, READ, |app, id, query| list_connections(Enabled, app, id, query))
        .query(&LIST_ENABLED_QUERY)
        .post(ENABLED, CREATE, |app, id, body| create_connection(Enabled, app, id, body))
        .body(&organizations::connections::ENABLE)
        .get(ENABLED_ONE, READ, |app, ids| get_connection(Enabled, app, ids))
        .patch(ENABLED_ONE, UPDATE, |app, ids, body| update_connection(Enabled, app, ids, body))
        .body(&organizations::connections::PATCH_ENABLED)
        .delete(ENABLED_ONE, DELETE, delete_connection)
        .get(ALL, READ, |app, id, query| list_connections(All, app, id, query))
        .query(&LIST_QUERY)
        .post(ALL, CREATE, |app, id, body| create_connection(All, app, id, body))
        .body(&organizations::connections::ADD)
        .get(ALL_ONE, READ, |app, ids| get_connection(All, app, ids))
        .patch(ALL_ONE, UPDATE, |app, ids, body| update_connection(All, app, ids, body))
        .body(&organizations::connections::PATCH)
        .delete(ALL_ONE, DELETE, delete_connection)
}

type Ids = Path<(String, String)>;

static LIST_ENABLED_QUERY: LazyLock<Schema> = LazyLock::new(|| object(paging()));
static LIST_QUERY: LazyLock<Schema> =
    LazyLock::new(|| object([optional("is_enabled", boolean())]).with(paging()));

fn not_found() -> Failure {
    ApiError::new(404, "No connection found by that id").into()
}

/// A connection of an organization, and what of it is the connection's own.
struct Found {
    sort: String,
    connection: Object,
    name: String,
    strategy: String,
}

impl Found {
    fn read(row: &Row<'_>) -> DbResult<Self> {
        let connection = serde_json::from_str(row.text(1)?)
            .map_err(|error| DbError::Data(format!("connection of an organization: {error}")))?;
        Ok(Self {
            sort: row.text(0)?.to_owned(),
            connection,
            name: row.text(2)?.to_owned(),
            strategy: row.text(3)?.to_owned(),
        })
    }

    fn answer(&self, form: ConnectionForm) -> String {
        Value::Object(form.answer(&self.connection, &self.name, &self.strategy)).to_string()
    }
}

const SELECT: &str = "SELECT a.sort, a.document, c.name, c.strategy FROM organization_connection a \
    JOIN connection c ON c.tenant = a.tenant AND c.id = a.connection_id \
    WHERE a.tenant = $1 AND a.organization_id = $2";

/// Those that are enabled or not, or all.
fn condition(is_enabled: Option<bool>) -> &'static str {
    match is_enabled {
        Some(true) => " AND a.is_enabled",
        Some(false) => " AND NOT a.is_enabled",
        None => "",
    }
}

/// Which of an organization's connections a form knows at all.
fn known(form: ConnectionForm) -> Option<bool> {
    (form == ConnectionForm::Enabled).then_some(true)
}

fn by_id(form: ConnectionForm) -> String {
    format!("{SELECT} AND a.connection_id = $3{}", condition(known(form)))
}

async fn list(
    db: &Db,
    tenant: &str,
    id: &str,
    is_enabled: Option<bool>,
    window: &Window,
) -> DbResult<Vec<Found>> {
    let condition = condition(is_enabled);
    let sql = format!("{SELECT} AND a.sort > $3{condition} ORDER BY a.sort LIMIT $4 OFFSET $5");
    let after = window.after.as_deref().unwrap_or_default();
    db.query(&sql, params![tenant, id, after, window.limit, window.skip], Found::read).await
}

/// `GET /organizations/{id}/connections` and `…/enabled_connections`.
async fn list_connections(
    form: ConnectionForm,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let schema = if form == ConnectionForm::All { &LIST_QUERY } else { &LIST_ENABLED_QUERY };
    let query = Query::parse(raw.as_deref(), schema)?;
    let page = Page::of(&query, &app, Some(MOST_BY_NUMBER))?;
    let is_enabled = known(form).or_else(|| query.flag("is_enabled"));
    let (db, tenant) = (&app.db, &app.tenant);
    store::find(db, tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let list = async |window: Window| {
        let found = list(db, tenant, &id, is_enabled, &window).await?;
        Ok(found.iter().map(|one| Listed { position: one.sort.clone(), json: one.answer(form) }).collect())
    };
    let count = async || {
        let sql = format!(
            "SELECT COUNT(*) FROM organization_connection a WHERE a.tenant = $1 AND a.organization_id = $2{}",
            condition(is_enabled)
        );
        Ok(db.query_opt(&sql, params![tenant, &id], |row| row.int(0)).await?.unwrap_or(0))
    };
    let name = if form == ConnectionForm::All { "connections" } else { "enabled_connections" };
    page.answer(&app, Envelope::list_first(name), list, count).await
}

/// What the log calls a connection of an organization.
const RESOURCE: &str = "organization_connection";

fn is_enabled(connection: &Object) -> bool {
    connection.get("is_enabled") == Some(&Value::Bool(true))
}

fn store_one(
    tx: &mut Tx<'_>,
    tenant: &str,
    id: &str,
    before: Option<&Object>,
    found: &Found,
) -> DbResult<()> {
    const STORE: &str = "INSERT INTO organization_connection \
        (tenant, organization_id, connection_id, sort, is_enabled, document) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (tenant, organization_id, connection_id) DO UPDATE SET \
        is_enabled = excluded.is_enabled, document = excluded.document";
    let connection = &found.connection;
    let document = Value::Object(connection.clone()).to_string();
    let connection_id = store::text(connection, "connection_id");
    match before {
        Some(before) => audit::updated(tx, RESOURCE, id, before, connection),
        None => audit::created(tx, RESOURCE, id, connection),
    }
    tx.write(STORE, params![tenant, id, connection_id, &found.sort, is_enabled(connection), &document])
}

/// Adds a connection to an organization, or enables one that is there and is not enabled.
pub(super) fn add(
    tx: &mut Tx<'_>,
    tenant: &str,
    id: &str,
    form: ConnectionForm,
    body: &Object,
) -> Result<String, Failure> {
    const CONNECTION: &str = "SELECT name, strategy FROM connection WHERE tenant = $1 AND id = $2";
    let connection_id = store::text(body, "connection_id");
    let there = tx.query_opt(&by_id(ConnectionForm::All), params![tenant, id, connection_id], Found::read)?;
    let mut before = None;
    let found = match there {
        Some(found) if form == ConnectionForm::All || is_enabled(&found.connection) => {
            return Err(Failure::conflict(
                "The organization connection already exists.",
                ErrorCode::OrganizationConflict,
            ));
        }
        Some(mut found) => {
            let mut body = body.clone();
            body.insert("is_enabled".into(), true.into());
            let patched = patch_connection(&found.connection, &body, &found.strategy)?;
            before = Some(std::mem::replace(&mut found.connection, patched));
            found
        }
        None => {
            let names = tx.query_opt(CONNECTION, params![tenant, connection_id], |row| {
                Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
            })?;
            let (name, strategy) = names.ok_or_else(not_found)?;
            // Letters of either case sort alike, as recorded; ids that differ in nothing else keep apart.
            let sort = format!("{} {connection_id}", connection_id.to_ascii_lowercase());
            Found { sort, connection: add_connection(body, &strategy)?, name, strategy }
        }
    };
    store_one(tx, tenant, id, before.as_ref(), &found)?;
    Ok(found.answer(form))
}

/// `POST /organizations/{id}/connections` and `…/enabled_connections`.
async fn create_connection(
    form: ConnectionForm,
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let body = form.check_create_body(&body)?.clone();
    let tenant = app.tenant.clone();
    let answer = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            add(tx, &tenant, &id, form, &body)
        })
        .await?;
    Ok(json(StatusCode::CREATED, answer))
}

/// `GET /organizations/{id}/connections/{connection_id}` and `…/enabled_connections/{connection_id}`.
async fn get_connection(
    form: ConnectionForm,
    State(app): State<App>,
    Path((id, connection_id)): Ids,
) -> ApiResult {
    let (db, tenant) = (&app.db, &app.tenant);
    store::find(db, tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let found = db.query_opt(&by_id(form), params![tenant, &id, &connection_id], Found::read).await?;
    Ok(json(StatusCode::OK, found.ok_or_else(not_found)?.answer(form)))
}

/// `PATCH /organizations/{id}/connections/{connection_id}` and `…/enabled_connections/{connection_id}`.
async fn update_connection(
    form: ConnectionForm,
    State(app): State<App>,
    Path((id, connection_id)): Ids,
    Input(body): Input,
) -> ApiResult {
    let body = form.check_patch_body(&body)?.clone();
    let tenant = app.tenant.clone();
    let answer = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let found = tx.query_opt(&by_id(form), params![&tenant, &id, &connection_id], Found::read)?;
            let mut found = found.ok_or_else(not_found)?;
            let patched = patch_connection(&found.connection, &body, &found.strategy)?;
            let before = std::mem::replace(&mut found.connection, patched);
            store_one(tx, &tenant, &id, Some(&before), &found)?;
            Ok::<_, Failure>(found.answer(form))
        })
        .await?;
    Ok(json(StatusCode::OK, answer))
}

/// `DELETE /organizations/{id}/connections/{connection_id}`, and `…/enabled_connections/{connection_id}`: 204 also when
/// it is not there.
async fn delete_connection(State(app): State<App>, Path((id, connection_id)): Ids) -> ApiResult<Response> {
    const DELETE: &str = "DELETE FROM organization_connection \
        WHERE tenant = $1 AND organization_id = $2 AND connection_id = $3";
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let found = tx.query_opt(
                &by_id(ConnectionForm::All),
                params![&tenant, &id, &connection_id],
                Found::read,
            )?;
            if let Some(found) = found {
                audit::deleted(tx, RESOURCE, &id, &found.connection);
            }
            tx.write(DELETE, params![&tenant, &id, &connection_id])?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(no_content())
}
