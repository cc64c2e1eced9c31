//! Discovery domains of an organization. Whether a domain is verified is what the caller says; nobody asks the DNS.

use super::clients::check_exists;
use super::store::{self, text};
use crate::app::App;
use crate::audit;
use crate::db::{Db, DbError, DbResult, Row, Tx, params};
use crate::http::{
    ApiResult, Failure, Input, Listed, Page, Query, Slice, Window, checkpoints, json, no_content,
};
use crate::ids;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::organizations::{self, check_create_domain_body, check_domain_patch_body};
use tenantry_types::schema::{Schema, object};
use tenantry_types::{ApiError, ErrorCode, Object, Scope};

const DOMAINS: &str = "/api/v2/organizations/{id}/discovery-domains";
const DOMAIN: &str = "/api/v2/organizations/{id}/discovery-domains/{discovery_domain_id}";
const DOMAIN_BY_NAME: &str = "/api/v2/organizations/{id}/discovery-domains/name/{discovery_domain}";

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    slice
        .get(DOMAINS, &[Scope::READ_ORGANIZATION_DISCOVERY_DOMAINS], list_discovery_domains)
        .query(&LIST_QUERY)
        .post(DOMAINS, &[Scope::CREATE_ORGANIZATION_DISCOVERY_DOMAINS], create_discovery_domain)
        .body(&organizations::CREATE_DOMAIN)
        .get(DOMAIN_BY_NAME, &[Scope::READ_ORGANIZATION_DISCOVERY_DOMAINS], get_discovery_domain_by_name)
        .get(DOMAIN, &[Scope::READ_ORGANIZATION_DISCOVERY_DOMAINS], get_discovery_domain)
        .patch(DOMAIN, &[Scope::UPDATE_ORGANIZATION_DISCOVERY_DOMAINS], update_discovery_domain)
        .body(&organizations::PATCH_DOMAIN)
        .delete(DOMAIN, &[Scope::DELETE_ORGANIZATION_DISCOVERY_DOMAINS], delete_discovery_domain)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| object(checkpoints()));

fn not_found() -> Failure {
    ApiError::new(404, "No discovery domain found by that id or name").into()
}

const BY_ID: &str = "SELECT document FROM organization_discovery_domain \
    WHERE tenant = $1 AND organization_id = $2 AND id = $3";
const BY_NAME: &str = "SELECT document FROM organization_discovery_domain \
    WHERE tenant = $1 AND organization_id = $2 AND domain = $3";

fn read(row: &Row<'_>) -> DbResult<Object> {
    serde_json::from_str(row.text(0)?).map_err(|error| DbError::Data(format!("discovery domain: {error}")))
}

async fn list(db: &Db, tenant: &str, id: &str, window: &Window) -> DbResult<Vec<Listed>> {
    const LIST: &str = "SELECT seq, document FROM organization_discovery_domain \
        WHERE tenant = $1 AND organization_id = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    db.query(LIST, params![tenant, id, window.after_number(), window.limit], |row| {
        Ok(Listed { position: row.int(0)?.to_string(), json: row.text(1)?.to_owned() })
    })
    .await
}

/// `GET /organizations/{id}/discovery-domains`.
async fn list_discovery_domains(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let page = Page::of_checkpoints(&query, &app)?;
    let (db, tenant) = (&app.db, &app.tenant);
    store::find(db, tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let list = async |window: Window| Ok(list(db, tenant, &id, &window).await?);
    page.answer(&app, "domains", list, async || Ok(0)).await
}

/// What the log calls a discovery domain.
const RESOURCE: &str = "organization_discovery_domain";

/// `POST /organizations/{id}/discovery-domains`.
async fn create_discovery_domain(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    const INSERT: &str = "INSERT INTO organization_discovery_domain \
        (tenant, organization_id, id, domain, seq, document) VALUES ($1, $2, $3, $4, $5, $6)";
    let body = check_create_domain_body(&body)?;
    let domain_id = ids::discovery_domain_id(&app.random);
    let domain = organizations::create_domain(body, &id, &domain_id, &ids::domain_verification(&app.random));
    let (tenant, seq) = (app.tenant.clone(), app.sequence.next(&app.clock));
    let document = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let name = text(&domain, "domain").to_ascii_lowercase();
            if tx.query_opt(BY_NAME, params![&tenant, &id, &name], |_| Ok(()))?.is_some() {
                return Err(Failure::conflict(
                    "An organization discovery domain with this domain is already registered to this organization.",
                    ErrorCode::OrganizationConflict,
                ));
            }
            audit::created(tx, RESOURCE, &domain_id, &domain);
            let document = Value::Object(domain).to_string();
            tx.write(INSERT, params![&tenant, &id, &domain_id, &name, seq, &document])?;
            Ok(document)
        })
        .await?;
    Ok(json(StatusCode::CREATED, document))
}

async fn get(app: &App, id: &str, sql: &str, key: &str) -> ApiResult {
    store::find(&app.db, &app.tenant, id).await?.ok_or_else(Failure::organization_not_found)?;
    let domain = app.db.query_opt(sql, params![&app.tenant, id, key], read).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, Value::Object(domain).to_string()))
}

/// `GET /organizations/{id}/discovery-domains/{discovery_domain_id}`.
async fn get_discovery_domain(
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
) -> ApiResult {
    get(&app, &id, BY_ID, &domain_id).await
}

/// `GET /organizations/{id}/discovery-domains/name/{discovery_domain}`.
async fn get_discovery_domain_by_name(
    State(app): State<App>,
    Path((id, name)): Path<(String, String)>,
) -> ApiResult {
    get(&app, &id, BY_NAME, &name.to_ascii_lowercase()).await
}

/// `PATCH /organizations/{id}/discovery-domains/{discovery_domain_id}`.
async fn update_discovery_domain(
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
    Input(body): Input,
) -> ApiResult {
    const UPDATE: &str = "UPDATE organization_discovery_domain SET document = $4 \
        WHERE tenant = $1 AND organization_id = $2 AND id = $3";
    let body = check_domain_patch_body(&body)?.clone();
    let tenant = app.tenant.clone();
    let document = app
        .db
        .transaction(move |tx: &mut Tx<'_>| {
            check_exists(tx, &tenant, &id)?;
            let before =
                tx.query_opt(BY_ID, params![&tenant, &id, &domain_id], read)?.ok_or_else(not_found)?;
            let after = organizations::patch_domain(&before, &body);
            audit::updated(tx, RESOURCE, &domain_id, &before, &after);
            let document = Value::Object(after).to_string();
            tx.write(UPDATE, params![&tenant, &id, &domain_id, &document])?;
            Ok::<_, Failure>(document)
        })
        .await?;
    Ok(json(StatusCode::OK, document))
}

/// `DELETE /organizations/{id}/discovery-domains/{discovery_domain_id}`: 204 also when it is not there, as recorded.
async fn delete_discovery_domain(
    State(app): State<App>,
    Path((id, domain_id)): Path<(String, String)>,
) -> ApiResult {
    const DELETE: &str = "DELETE FROM organization_discovery_domain \
        WHERE tenant = $1 AND organization_id = $2 AND id = $3";
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            if let Some(before) = tx.query_opt(BY_ID, params![&tenant, &id, &domain_id], read)? {
                audit::deleted(tx, RESOURCE, &domain_id, &before);
            }
            tx.write(DELETE, params![&tenant, &id, &domain_id])?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(no_content())
}
