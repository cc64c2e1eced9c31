//! Client grants of an organization: with which of their grants clients may get tokens for it.

use super::clients::check_exists;
use super::store;
use crate::app::App;
use crate::audit;
use crate::client_grants;
use crate::db::{Db, DbResult, Kind, Param, Tx, params};
use crate::http::{
    ApiResult, Envelope, Failure, Input, Listed, MOST_BY_NUMBER, Page, Query, Slice, Window, json,
    no_content, paging,
};
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tenantry_types::format::Format;
use tenantry_types::organizations::{self, check_add_grant_body};
use tenantry_types::schema::{Schema, array, format, object, optional, string};
use tenantry_types::{ErrorCode, Object, Scope};

const GRANTS: &str = "/api/v2/organizations/{id}/client-grants";
const GRANT: &str = "/api/v2/organizations/{id}/client-grants/{grant_id}";

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    slice
        .get(GRANTS, &[Scope::READ_ORGANIZATION_CLIENT_GRANTS], list_organization_client_grants)
        .query(&LIST_QUERY)
        .post(GRANTS, &[Scope::CREATE_ORGANIZATION_CLIENT_GRANTS], add_organization_client_grant)
        .body(&organizations::ADD_GRANT)
        .delete(GRANT, &[Scope::DELETE_ORGANIZATION_CLIENT_GRANTS], remove_organization_client_grant)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("audience", string().max(600)),
        optional("client_id", string()),
        optional("grant_ids", array(format(Format::ClientGrantId)).max(10)),
    ])
    .with(paging())
});

/// Under which name the cache knows that a grant was given to an organization.
pub(super) fn cache_id(organization_id: &str, grant_id: &str) -> String {
    format!("{organization_id}/{grant_id}")
}

const FIND: &str = "SELECT 1 FROM organization_client_grant \
    WHERE tenant = $1 AND organization_id = $2 AND grant_id = $3";

pub(super) async fn find(db: &Db, tenant: &str, id: &str, grant_id: &str) -> DbResult<Option<()>> {
    db.query_opt(FIND, params![tenant, id, grant_id], |_| Ok(())).await
}

/// Which grants are listed.
struct Filter<'a> {
    tenant: &'a str,
    organization_id: &'a str,
    audience: Option<&'a str>,
    client_id: Option<&'a str>,
    grant_ids: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    /// What is selected from where, with its parameters; more conditions may follow.
    fn select(&self, what: &str) -> (String, Vec<Param<'a>>) {
        let mut params = params![self.tenant, self.organization_id].to_vec();
        let mut sql = format!(
            "SELECT {what} FROM organization_client_grant a \
             JOIN client_grant g ON g.tenant = a.tenant AND g.id = a.grant_id \
             WHERE a.tenant = $1 AND a.organization_id = $2"
        );
        for (column, value) in [("g.audience", self.audience), ("g.client_id", self.client_id)] {
            if let Some(value) = value {
                params.push(Param::Text(value));
                let _ = write!(sql, " AND {column} = ${}", params.len());
            }
        }
        if !self.grant_ids.is_empty() {
            let first = params.len() + 1;
            params.extend(self.grant_ids.iter().map(|id| Param::Text(id)));
            let places: Vec<_> = (first..=params.len()).map(|n| format!("${n}")).collect();
            let _ = write!(sql, " AND g.id IN ({})", places.join(", "));
        }
        (sql, params)
    }

    /// In the order of their ids, as grants are listed everywhere.
    async fn list(&self, db: &Db, window: &Window) -> DbResult<Vec<Listed>> {
        let (mut sql, mut params) = self.select("g.id, g.document");
        let n = params.len();
        params.extend_from_slice(params![
            window.after.as_deref().unwrap_or_default(),
            window.limit,
            window.skip
        ]);
        let _ = write!(sql, " AND g.id > ${} ORDER BY g.id LIMIT ${} OFFSET ${}", n + 1, n + 2, n + 3);
        db.query(&sql, &params, |row| Ok(Listed { position: row.text(0)?.into(), json: row.text(1)?.into() }))
            .await
    }

    async fn count(&self, db: &Db) -> DbResult<i64> {
        let (sql, params) = self.select("COUNT(*)");
        Ok(db.query_opt(&sql, &params, |row| row.int(0)).await?.unwrap_or(0))
    }
}

/// `GET /organizations/{id}/client-grants`.
async fn list_organization_client_grants(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let page = Page::of(&query, &app, Some(MOST_BY_NUMBER))?;
    let db = &app.db;
    store::find(db, &app.tenant, &id).await?.ok_or_else(Failure::organization_not_found)?;
    let filter = Filter {
        tenant: &app.tenant,
        organization_id: &id,
        audience: query.text("audience"),
        client_id: query.text("client_id"),
        grant_ids: query.texts("grant_ids"),
    };
    let list = async |window: Window| Ok(filter.list(db, &window).await?);
    let count = async || filter.count(db).await;
    page.answer(&app, Envelope::list_first("client_grants"), list, count).await
}

/// What the log calls a grant of an organization.
const RESOURCE: &str = "organization_client_grant";

fn of_grant(grant_id: &str) -> Object {
    Object::from_iter([("grant_id".into(), grant_id.into())])
}

fn changed(tx: &mut Tx<'_>, tenant: &str, id: &str, grant_id: &str) {
    tx.changed(Kind::OrganizationGrant, tenant, &cache_id(id, grant_id));
}

/// `POST /organizations/{id}/client-grants`.
async fn add_organization_client_grant(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    const INSERT: &str = "INSERT INTO organization_client_grant (tenant, organization_id, grant_id) \
        VALUES ($1, $2, $3)";
    let body = check_add_grant_body(&body)?;
    let grant_id = store::text(body, "grant_id").to_owned();
    let tenant = app.tenant.clone();
    let grant = app
        .db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            let grant = client_grants::store::find_for_update(tx, &tenant, &grant_id)?;
            let (grant, _) = grant.ok_or_else(client_grants::not_found)?;
            if tx.query_opt(FIND, params![&tenant, &id, &grant_id], |_| Ok(()))?.is_some() {
                return Err(Failure::conflict(
                    "The client grant has already been added to this organization.",
                    ErrorCode::OrganizationConflict,
                ));
            }
            tx.write(INSERT, params![&tenant, &id, &grant_id])?;
            changed(tx, &tenant, &id, &grant_id);
            audit::created(tx, RESOURCE, &id, &of_grant(&grant_id));
            Ok(grant)
        })
        .await?;
    Ok(json(StatusCode::CREATED, Value::Object(organizations::added_grant(grant)).to_string()))
}

/// `DELETE /organizations/{id}/client-grants/{grant_id}`: 204 also when it is not there.
async fn remove_organization_client_grant(
    State(app): State<App>,
    Path((id, grant_id)): Path<(String, String)>,
) -> ApiResult {
    const DELETE: &str =
        "DELETE FROM organization_client_grant WHERE tenant = $1 AND organization_id = $2 AND grant_id = $3";
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            check_exists(tx, &tenant, &id)?;
            if tx.execute(DELETE, params![&tenant, &id, &grant_id])? > 0 {
                audit::deleted(tx, RESOURCE, &id, &of_grant(&grant_id));
            }
            changed(tx, &tenant, &id, &grant_id);
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(no_content())
}
