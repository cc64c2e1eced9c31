//! The Connections API.

use super::store::{self, Filter, Sealed};
use super::{clients, configuration, discovery, metadata, not_found};
use crate::app::App;
use crate::clients::store as client_store;
use crate::db::Tx;
use crate::http::{
    ApiResult, Caller, Failure, Input, Listed, MOST_BY_NUMBER, Page, Query, Slice, Window, json, no_content,
    paging,
};
use crate::ids;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tenantry_types::connections::{self, New, with_enabled_clients};
use tenantry_types::schema::{Schema, array, boolean, object, one_of, optional, string};
use tenantry_types::{ApiError, ErrorCode, Object, Scope, time};

const CONNECTIONS: &str = "/api/v2/connections";
const CONNECTION: &str = "/api/v2/connections/{id}";
const CLIENTS: &str = "/api/v2/connections/{id}/clients";

const OPTIONS: &str = "options";

/// Connections of a page whose size is not said.
const DEFAULT_PAGE: u64 = 100;

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(CONNECTIONS, &[Scope::READ_CONNECTIONS], list_connections)
        .query(&LIST_QUERY)
        .post(CONNECTIONS, &[Scope::CREATE_CONNECTIONS], create_connection)
        .body(&connections::CREATE)
        .get(CONNECTION, &[Scope::READ_CONNECTIONS], get_connection)
        .query(&GET_QUERY)
        .patch(CONNECTION, &[Scope::UPDATE_CONNECTIONS], update_connection)
        .body(&connections::PATCH)
        .delete(CONNECTION, &[Scope::DELETE_CONNECTIONS], delete_connection)
        .get(CLIENTS, &[Scope::READ_CONNECTIONS], clients::list_enabled_clients)
        .query(&clients::CLIENTS_QUERY)
        .patch(CLIENTS, &[Scope::UPDATE_CONNECTIONS], clients::update_enabled_clients)
        .body(&connections::ENABLE)
        .get("/api/v2/clients/{id}/connections", &[Scope::READ_CONNECTIONS], clients::list_client_connections)
        .query(&clients::CONNECTIONS_QUERY)
        .scope_sets(clients::SCOPES_OF_CLIENT)
        .get("/api/v2/connections/{id}/status", &[Scope::READ_CONNECTIONS], get_status)
}

/// `fields` and `include_fields`.
pub(super) fn selection() -> [tenantry_types::schema::Member; 2] {
    [optional("fields", string()), optional("include_fields", boolean())]
}

/// `strategy`, as often as one likes.
pub(super) fn strategies() -> tenantry_types::schema::Member {
    optional("strategy", array(one_of(connections::STRATEGY_NAMES)))
}

static GET_QUERY: LazyLock<Schema> = LazyLock::new(|| object(selection()));

static LIST_QUERY: LazyLock<Schema> =
    LazyLock::new(|| object([optional("name", string()), strategies()]).with(paging()).with(selection()));

/// The members of a connection that a query asks for and the caller may see.
pub(super) fn selected(query: &Query, caller: &Caller, connection: Object) -> Object {
    let connection = visible(caller, connection);
    match query.text("fields") {
        Some(fields) => connections::select(connection, fields, query.flag("include_fields").unwrap_or(true)),
        None => connection,
    }
}

/// Options, which hold secrets, are seen with a scope of their own.
fn visible(caller: &Caller, mut connection: Object) -> Object {
    if !caller.scopes().contains(Scope::READ_CONNECTIONS_OPTIONS) {
        connection.shift_remove(OPTIONS);
    }
    connection
}

/// The same with the clients that the connection is enabled for, which are looked for only if they are asked for.
async fn enabled_and_selected(
    app: &App,
    query: &Query,
    caller: &Caller,
    connection: Object,
) -> ApiResult<Object> {
    let probe = with_enabled_clients(Object::new(), Vec::new());
    if !selected(query, caller, probe).contains_key(connections::ENABLED_CLIENTS) {
        return Ok(selected(query, caller, connection));
    }
    let id = connection.get("id").and_then(Value::as_str).unwrap_or_default();
    let enabled = store::enabled_clients(&app.db, &app.tenant, id).await?;
    Ok(selected(query, caller, with_enabled_clients(connection, enabled)))
}

fn answer(status: StatusCode, connection: Object) -> axum::response::Response {
    json(status, Value::Object(connection).to_string())
}

/// `GET /connections`.
async fn list_connections(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let filter = Filter { name: query.text("name"), strategies: query.texts("strategy"), client_id: None };
    let page = Page::of_size(&query, &app, Some(MOST_BY_NUMBER), DEFAULT_PAGE)?;
    let (db, tenant) = (&app.db, &app.tenant);
    let list = async |window: Window| {
        let mut listed = Vec::new();
        for (position, connection) in store::list(db, &app.master, tenant, &filter, &window).await? {
            let connection = enabled_and_selected(&app, &query, &caller, connection).await?;
            listed.push(Listed { position, json: Value::Object(connection).to_string() });
        }
        Ok(listed)
    };
    page.answer(&app, "connections", list, async || store::count(db, tenant, &filter).await).await
}

/// `POST /connections`.
async fn create_connection(State(app): State<App>, Input(body): Input) -> ApiResult {
    let body = connections::check_create_body(&body)?;
    let id = ids::connection_id(&app.random);
    let strategy = body.get("strategy").and_then(Value::as_str).unwrap_or_default();
    let discovered = discovery::discover(&app, strategy, body).await;
    let ticket = ids::ticket(&app.random);
    let new = New { id: &id, domain: &app.domain, ticket: &ticket, discovered: discovered.as_ref() };
    let mut connection = connections::create(body, &new)?;
    metadata::complete(&mut connection);
    configuration::seal(&mut connection, None, &app.tenant, &app.master)?;
    let sealed = Sealed::new(&connection, &app.tenant, &app.master)?;
    let enabled = body.get(connections::ENABLED_CLIENTS).and_then(Value::as_array);
    let mut enabled: Vec<String> =
        enabled.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    enabled.sort_unstable();
    enabled.dedup();
    let numbers: Vec<_> = enabled.iter().map(|_| app.sequence.next(&app.clock)).collect();
    let name = connection.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let tenant = app.tenant.clone();
    let connection = app
        .db
        .transaction(move |tx| {
            if store::has_name(tx, &tenant, &name)? {
                return Err(Failure::conflict(
                    "A connection with the same name already exists",
                    ErrorCode::ConnectionConflict,
                ));
            }
            store::insert(tx, &tenant, &sealed)?;
            for (client_id, seq) in enabled.iter().zip(numbers) {
                if !client_store::exists(tx, &tenant, client_id)? {
                    return Err(Failure::client_not_found());
                }
                store::enable(tx, &tenant, &id, client_id, seq)?;
            }
            Ok::<_, Failure>(with_enabled_clients(connection, enabled))
        })
        .await?;
    Ok(answer(StatusCode::CREATED, connection))
}

/// `GET /connections/{id}`.
async fn get_connection(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &GET_QUERY)?;
    let connection = store::find(&app.db, &app.master, &app.tenant, &id).await?.ok_or_else(not_found)?;
    Ok(answer(StatusCode::OK, enabled_and_selected(&app, &query, &caller, connection).await?))
}

/// `PATCH /connections/{id}`.
async fn update_connection(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let changes_options = connections::check_patch_body(&body)?.contains_key(OPTIONS);
    if changes_options && !caller.scopes().contains(Scope::UPDATE_CONNECTIONS_OPTIONS) {
        let message = "Updating the \"options\" property requires the \"update:connections_options\" scope";
        return Err(ApiError::new(403, message).with_code(ErrorCode::InsufficientScope).into());
    }
    let Value::Object(body) = body else { unreachable!("checked above") };
    let discovered = if changes_options {
        let before = store::find(&app.db, &app.master, &app.tenant, &id).await?.ok_or_else(not_found)?;
        let strategy = before.get("strategy").and_then(Value::as_str).unwrap_or_default();
        discovery::discover(&app, strategy, &body).await
    } else {
        None
    };
    let tenant = app.tenant.clone();
    let shared = app.clone();
    let connection = app
        .db
        .transaction(move |tx| {
            let (before, version) =
                store::find_for_update(tx, &shared.master, &tenant, &id)?.ok_or_else(not_found)?;
            let mut after = connections::patch(&before, &body, &shared.domain, discovered.as_ref())?;
            if changes_options {
                metadata::complete(&mut after);
                configuration::seal(&mut after, Some(&before), &tenant, &shared.master)?;
            }
            let sealed = Sealed::new(&after, &tenant, &shared.master)?;
            if !store::update(tx, &tenant, (&before, &after), &sealed, version)? {
                return Err(Failure::Internal("a connection changed within a transaction".into()));
            }
            Ok(store::whole(tx, &tenant, after)?)
        })
        .await?;
    Ok(answer(StatusCode::OK, visible(&caller, connection)))
}

/// `DELETE /connections/{id}`: 202 with the time, 204 when it is not there.
async fn delete_connection(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    let delete = move |tx: &mut Tx<'_>| {
        let was_there = store::delete(tx, &tenant, &id, now)?;
        tx.answers(if was_there { StatusCode::ACCEPTED } else { StatusCode::NO_CONTENT });
        Ok::<_, Failure>(was_there)
    };
    let was_there = app.db.transaction(delete).await?;
    if !was_there {
        return Ok(no_content());
    }
    let deleted_at = time::print(now);
    Ok(json(StatusCode::ACCEPTED, json!({"deleted_at": deleted_at}).to_string()))
}

/// `GET /connections/{id}/status`: whether a connector of a directory is online. None ever is: there is nothing here that
/// a connector could connect to.
async fn get_status(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    store::find(&app.db, &app.master, &app.tenant, &id).await?.ok_or_else(not_found)?;
    Err(ApiError::new(404, "not connected to any node").into())
}
