//! The Client Grants API.

use super::store::{self, Filter};
use crate::app::App;
use crate::clients;
use crate::db::Tx;
use crate::http::{
    ApiResult, Envelope, Failure, Input, MOST_BY_NUMBER, Page, Query, Slice, Window, json, no_content, paging,
};
use crate::{ids, organizations, resource_servers};
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::schema::{Schema, object, one_of, optional, string};
use tenantry_types::{ApiError, ErrorCode, Object, Scope, client_grants};

const GRANTS: &str = "/api/v2/client-grants";
const GRANT: &str = "/api/v2/client-grants/{id}";

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(GRANTS, &[Scope::READ_CLIENT_GRANTS], list_client_grants)
        .query(&LIST_QUERY)
        .post(GRANTS, &[Scope::CREATE_CLIENT_GRANTS], create_client_grant)
        .body(&client_grants::CREATE)
        .get(GRANT, &[Scope::READ_CLIENT_GRANTS], get_client_grant)
        .patch(GRANT, &[Scope::UPDATE_CLIENT_GRANTS], update_client_grant)
        .body(&client_grants::PATCH)
        .delete(GRANT, &[Scope::DELETE_CLIENT_GRANTS], delete_client_grant)
        .get(
            "/api/v2/client-grants/{id}/organizations",
            &[Scope::READ_ORGANIZATION_CLIENT_GRANTS],
            list_client_grant_organizations,
        )
        .query(&ORGANIZATIONS_QUERY)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("audience", string()),
        optional("client_id", string()),
        optional("allow_any_organization", one_of(&["true"])),
        optional("subject_type", one_of(&["client", "user"])),
        optional("default_for", one_of(&["third_party_clients"])),
    ])
    .with(paging())
});

static ORGANIZATIONS_QUERY: LazyLock<Schema> = LazyLock::new(|| object(paging()));

/// No grant has that id.
pub(crate) fn not_found() -> Failure {
    Failure::not_found("The grant does not exist.", ErrorCode::InexistentClientGrant)
}

/// `GET /client-grants`.
async fn list_client_grants(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let filter = Filter {
        audience: query.text("audience"),
        client_id: query.text("client_id"),
        subject_type: query.text("subject_type"),
        allow_any_organization: query.has("allow_any_organization"),
        default_for_third_party: query.has("default_for"),
    };
    let (db, tenant) = (&app.db, &app.tenant);
    let list = async |window: Window| Ok(store::list(db, tenant, &filter, &window).await?);
    let count = async || store::count(db, tenant, &filter).await;
    Page::of(&query, &app, Some(MOST_BY_NUMBER))?.answer(&app, "client_grants", list, count).await
}

/// `POST /client-grants`.
async fn create_client_grant(State(app): State<App>, Input(body): Input) -> ApiResult {
    let body = client_grants::check_create_body(&body)?;
    let grant = client_grants::create(body, &ids::client_grant_id(&app.random))?;
    let tenant = app.tenant.clone();
    let grant = app
        .db
        .transaction(move |tx| {
            check_client(tx, &tenant, &grant)?;
            check_api(tx, &tenant, &grant)?;
            if store::has_twin(tx, &tenant, &grant)? {
                return Err(Failure::conflict(
                    "A client grant for this client and audience already exists.",
                    ErrorCode::ClientGrantConflict,
                ));
            }
            store::insert(tx, &tenant, &grant)?;
            Ok(grant)
        })
        .await?;
    Ok(json(StatusCode::CREATED, Value::Object(grant).to_string()))
}

fn check_client(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> Result<(), Failure> {
    check_any_organization(tx, tenant, grant)?;
    let Some(client_id) = grant.get("client_id").and_then(Value::as_str) else { return Ok(()) };
    let Some(client) = clients::store::find_for_update(tx, tenant, client_id)? else {
        return Err(Failure::client_not_found());
    };
    if client.text("app_type") == Some("express_configuration") {
        return Err(ApiError::new(400, "Client of type express_configuration cannot be used")
            .with_code(ErrorCode::ValidationError)
            .into());
    }
    Ok(())
}

/// Third-party clients are given to organizations one by one (documented).
fn check_any_organization(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> Result<(), Failure> {
    if grant.get("allow_any_organization") != Some(&Value::Bool(true)) {
        return Ok(());
    }
    let is_third_party = match grant.get("client_id").and_then(Value::as_str) {
        Some(id) => {
            clients::store::find_for_update(tx, tenant, id)?.is_some_and(|client| !client.is_first_party())
        }
        None => true,
    };
    if is_third_party {
        return Err(
            ApiError::invalid_body("allow_any_organization cannot be used with third-party clients").into()
        );
    }
    Ok(())
}

/// The scopes of a custom API are not looked at, as recorded; those of the system API are.
fn check_api(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> Result<(), Failure> {
    let audience = grant.get("audience").and_then(Value::as_str).unwrap_or_default();
    let api = resource_servers::store::find_for_update(tx, tenant, audience)?;
    let Some(api) = api.filter(|api| api.text("identifier") == audience) else {
        return Err(Failure::not_found(
            "The resource server does not exist",
            ErrorCode::InexistentResourceServer,
        ));
    };
    if !api.is_system {
        return Ok(());
    }
    if grant.contains_key("default_for") {
        return Err(ApiError::invalid_body("default_for cannot be used with a system API").into());
    }
    let scopes_of = |object: &Object, name: &str| -> Vec<String> {
        let list = object.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        list.iter()
            .filter_map(|one| one.as_str().or_else(|| one.get("value")?.as_str()))
            .map(str::to_owned)
            .collect()
    };
    let known = scopes_of(&api.document, "scopes");
    if scopes_of(grant, "scope").iter().all(|scope| known.contains(scope)) {
        Ok(())
    } else {
        Err(ApiError::invalid_body(
            "Payload validation error: scope must be a subset of resource server scopes",
        )
        .into())
    }
}

/// `GET /client-grants/{id}`.
async fn get_client_grant(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let grant = store::find(&app.db, &app.tenant, &id).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, Value::Object(grant).to_string()))
}

/// `GET /client-grants/{id}/organizations`.
async fn list_client_grant_organizations(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &ORGANIZATIONS_QUERY)?;
    let page = Page::of(&query, &app, Some(MOST_BY_NUMBER))?;
    store::find(&app.db, &app.tenant, &id).await?.ok_or_else(not_found)?;
    let (db, tenant) = (&app.db, &app.tenant);
    let list = async |window: Window| Ok(organizations::store::of_grant(db, tenant, &id, &window).await?);
    let count = async || organizations::store::count_of_grant(db, tenant, &id).await;
    page.answer(&app, Envelope::list_first("organizations"), list, count).await
}

/// `PATCH /client-grants/{id}`.
async fn update_client_grant(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    client_grants::check_patch_body(&body)?;
    let Value::Object(body) = body else { unreachable!("checked above") };
    let tenant = app.tenant.clone();
    let grant = app
        .db
        .transaction(move |tx| {
            let (before, version) = store::find_for_update(tx, &tenant, &id)?.ok_or_else(not_found)?;
            let after = client_grants::patch(&before, &body)?;
            check_api(tx, &tenant, &after)?;
            if body.contains_key("allow_any_organization") {
                check_any_organization(tx, &tenant, &after)?;
            }
            if !store::update(tx, &tenant, &before, &after, version)? {
                return Err(Failure::Internal("a grant changed within a transaction".into()));
            }
            Ok(after)
        })
        .await?;
    Ok(json(StatusCode::OK, Value::Object(grant).to_string()))
}

/// `DELETE /client-grants/{id}`: 204 also when it is not there.
async fn delete_client_grant(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            let Some((grant, _)) = store::find_for_update(tx, &tenant, &id)? else { return Ok(()) };
            Ok::<_, Failure>(store::delete(tx, &tenant, &grant)?)
        })
        .await?;
    Ok(no_content())
}
