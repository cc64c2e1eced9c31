//! The Organizations API.

use super::store::{self, Order};
use crate::app::App;
use crate::db::Tx;
use crate::http::{
    ApiResult, Caller, Envelope, Failure, Input, Listed, MOST_BY_NUMBER, Page, Query, Slice, Window, json,
    no_content, paging,
};
use crate::ids;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::organizations::ConnectionForm;
use tenantry_types::schema::{Schema, object, optional, string};
use tenantry_types::{ApiError, ErrorCode, Object, Scope, organizations};

const ORGANIZATIONS: &str = "/api/v2/organizations";
const ORGANIZATION: &str = "/api/v2/organizations/{id}";
const READ: &[Scope] = &[Scope::READ_ORGANIZATIONS, Scope::READ_ORGANIZATIONS_SUMMARY];

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    slice
        .get(ORGANIZATIONS, READ, list_organizations)
        .query(&LIST_QUERY)
        .post(ORGANIZATIONS, &[Scope::CREATE_ORGANIZATIONS], create_organization)
        .body(&organizations::CREATE)
        .get("/api/v2/organizations/name/{name}", &[Scope::READ_ORGANIZATIONS], get_organization_by_name)
        .get(ORGANIZATION, READ, get_organization)
        .patch(ORGANIZATION, &[Scope::UPDATE_ORGANIZATIONS], update_organization)
        .body(&organizations::PATCH)
        .delete(ORGANIZATION, &[Scope::DELETE_ORGANIZATIONS], delete_organization)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("sort", organizations::sort()),
        optional("include_client_association_for", string().min(1).max(64)),
    ])
    .with(paging())
});

fn answer(status: StatusCode, organization: Object) -> Response {
    json(status, Value::Object(organization).to_string())
}

/// `GET /organizations`.
async fn list_organizations(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let order = Order::of(query.text("sort"));
    let client = query.text("include_client_association_for");
    let is_whole = caller.scopes().contains(Scope::READ_ORGANIZATIONS);
    let (db, tenant) = (&app.db, &app.tenant);
    let list = async |window: Window| {
        let found = store::list(db, tenant, order, client, &window).await?;
        found.into_iter().map(|(listed, association)| shown(listed, association, is_whole)).collect()
    };
    let count = async || store::count(db, tenant).await;
    let envelope = Envelope::list_first("organizations");
    Page::of(&query, &app, Some(MOST_BY_NUMBER))?.answer(&app, envelope, list, count).await
}

fn shown(listed: Listed, use_for_member_access: Option<bool>, is_whole: bool) -> ApiResult<Listed> {
    if is_whole && use_for_member_access.is_none() {
        return Ok(listed);
    }
    let mut organization: Object = serde_json::from_str(&listed.json)?;
    if !is_whole {
        organization = organizations::summary(organization);
    }
    if let Some(flag) = use_for_member_access {
        organization.insert("client".into(), serde_json::json!({"use_for_member_access": flag}));
    }
    Ok(Listed { json: Value::Object(organization).to_string(), ..listed })
}

/// `POST /organizations`.
async fn create_organization(State(app): State<App>, caller: Caller, Input(body): Input) -> ApiResult {
    let body = organizations::check_create_body(&body)?;
    // What could not be added to an organization later cannot be put into a new one either.
    let scope = Scope::CREATE_ORGANIZATION_CONNECTIONS;
    if body.contains_key("enabled_connections") && !caller.scopes().contains(scope) {
        return Err(ApiError::insufficient_scope([scope.as_str()]).into());
    }
    let organization = organizations::create(body, &ids::organization_id(&app.random));
    let enabled = body.get("enabled_connections").and_then(Value::as_array).cloned();
    let (tenant, seq) = (app.tenant.clone(), app.sequence.next(&app.clock));
    let organization = app
        .db
        .transaction(move |tx| {
            check_name(tx, &tenant, &organization)?;
            store::insert(tx, &tenant, &organization, seq)?;
            let id = store::text(&organization, "id");
            let enabled = enabled.map(|list| enable(tx, &tenant, id, &list)).transpose()?;
            let mut organization = organizations::as_written(organization);
            if let Some(enabled) = enabled {
                organization.insert("enabled_connections".into(), enabled);
            }
            Ok::<_, Failure>(organization)
        })
        .await?;
    Ok(answer(StatusCode::CREATED, organization))
}

/// Enables the connections that the creation of an organization names.
fn enable(tx: &mut Tx<'_>, tenant: &str, id: &str, connections: &[Value]) -> Result<Value, Failure> {
    let mut enabled = Vec::with_capacity(connections.len());
    for connection in connections.iter().filter_map(Value::as_object) {
        let added = super::connections::add(tx, tenant, id, ConnectionForm::Enabled, connection)?;
        enabled.push(serde_json::from_str(&added)?);
    }
    Ok(Value::Array(enabled))
}

fn check_name(tx: &mut Tx<'_>, tenant: &str, organization: &Object) -> Result<(), Failure> {
    if store::has_namesake(tx, tenant, organization)? {
        return Err(Failure::conflict(
            "An organization with this name already exists.",
            ErrorCode::OrganizationConflict,
        ));
    }
    Ok(())
}

/// `GET /organizations/{id}`.
async fn get_organization(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> ApiResult {
    let found = store::find(&app.db, &app.tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let is_whole = caller.scopes().contains(Scope::READ_ORGANIZATIONS);
    Ok(answer(StatusCode::OK, if is_whole { found } else { organizations::summary(found) }))
}

/// `GET /organizations/name/{name}`.
async fn get_organization_by_name(State(app): State<App>, Path(name): Path<String>) -> ApiResult {
    let found = store::find_by_name(&app.db, &app.tenant, &name).await?;
    Ok(answer(StatusCode::OK, found.ok_or_else(Failure::organization_not_found)?))
}

/// `PATCH /organizations/{id}`.
async fn update_organization(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let body = organizations::check_patch_body(&body)?.clone();
    let tenant = app.tenant.clone();
    let organization = app
        .db
        .transaction(move |tx| {
            let (before, version) =
                store::find_for_update(tx, &tenant, &id)?.ok_or_else(Failure::organization_not_found)?;
            let after = organizations::patch(&before, &body);
            check_name(tx, &tenant, &after)?;
            if !store::update(tx, &tenant, &before, &after, version)? {
                return Err(Failure::Internal("an organization changed within a transaction".into()));
            }
            Ok(organizations::as_written(after))
        })
        .await?;
    Ok(answer(StatusCode::OK, organization))
}

/// `DELETE /organizations/{id}`.
async fn delete_organization(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let (organization, _) =
                store::find_for_update(tx, &tenant, &id)?.ok_or_else(Failure::organization_not_found)?;
            Ok::<_, Failure>(store::delete(tx, &tenant, &organization, now)?)
        })
        .await?;
    Ok(no_content())
}
