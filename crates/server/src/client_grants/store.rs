//! Client grants in the database.

use super::{Granted, GrantsOfClient, OrganizationUsage};
use crate::audit;
use crate::clients::search::index::granted_any_organization;
use crate::db::{Db, DbError, DbResult, Kind, Param, Row, Tx, params};
use crate::http::{Listed, Window};
use serde_json::Value;
use std::fmt::Write as _;
use tenantry_types::{Object, client_grants};

/// Stands for "all third-party clients" where a client's id would; no client has an empty id.
pub(super) const THIRD_PARTY: &str = "";

/// Which grants are listed.
#[derive(Default)]
pub(super) struct Filter<'a> {
    pub(super) audience: Option<&'a str>,
    pub(super) client_id: Option<&'a str>,
    pub(super) subject_type: Option<&'a str>,
    pub(super) allow_any_organization: bool,
    pub(super) default_for_third_party: bool,
}

impl<'a> Filter<'a> {
    /// The conditions, as SQL that goes on with parameter `$n+1`.
    fn conditions(&self, params: &mut Vec<Param<'a>>) -> String {
        let mut sql = String::new();
        let mut and = |column: &str, value: Option<&'a str>| {
            if let Some(value) = value {
                params.push(Param::Text(value));
                let _ = write!(sql, " AND {column} = ${}", params.len());
            }
        };
        and("audience", self.audience);
        and("client_id", self.client_id);
        and("subject_type", self.subject_type);
        if self.allow_any_organization {
            sql.push_str(" AND allow_any_organization");
        }
        if self.default_for_third_party {
            sql.push_str(" AND client_id IS NULL");
        }
        sql
    }

    /// The statement that lists a window of them.
    fn list(&self, params: &mut Vec<Param<'a>>) -> String {
        let conditions = self.conditions(params);
        // Of one client there are few: they are sorted, rather than looked for among all in their order.
        let are_few = self.client_id.is_some() || self.default_for_third_party;
        let id = if are_few { "(id || '')" } else { "id" };
        format!(
            "SELECT id, document FROM client_grant WHERE tenant = $1 AND {id} > $2{conditions} \
             ORDER BY {id} LIMIT $3 OFFSET $4"
        )
    }

    /// The statement that counts them.
    fn count(&self, params: &mut Vec<Param<'a>>) -> String {
        format!("SELECT COUNT(*) FROM client_grant WHERE tenant = $1{}", self.conditions(params))
    }
}

fn parse(document: &str) -> DbResult<Object> {
    serde_json::from_str(document).map_err(|error| DbError::Data(format!("client grant: {error}")))
}

fn read(row: &Row<'_>) -> DbResult<(Object, i64)> {
    Ok((parse(row.text(0)?)?, row.int(1)?))
}

const BY_ID: &str = "SELECT document, version FROM client_grant WHERE tenant = $1 AND id = $2";

pub(super) async fn find(db: &Db, tenant: &str, id: &str) -> DbResult<Option<Object>> {
    Ok(db.query_opt(BY_ID, params![tenant, id], read).await?.map(|(grant, _)| grant))
}

pub(crate) fn find_for_update(tx: &mut Tx<'_>, tenant: &str, id: &str) -> DbResult<Option<(Object, i64)>> {
    tx.query_opt(BY_ID, params![tenant, id], read)
}

/// What a client may call for itself.
pub(super) async fn of_client(db: &Db, tenant: &str, client_id: &str) -> DbResult<GrantsOfClient> {
    const OWN: &str = "SELECT document FROM client_grant \
        WHERE tenant = $1 AND client_id = $2 AND subject_type = 'client'";
    const DEFAULT: &str = "SELECT document FROM client_grant \
        WHERE tenant = $1 AND client_id IS NULL AND subject_type = 'client'";
    let decode = |row: &Row<'_>| {
        let grant = parse(row.text(0)?)?;
        let scopes = grant.get("scope").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Ok(Granted {
            id: text(&grant, "id").to_owned(),
            audience: text(&grant, "audience").to_owned(),
            scopes: (!client_grants::grants_all_scopes(&grant))
                .then(|| scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            organization_usage: match text(&grant, "organization_usage") {
                "allow" => OrganizationUsage::Allow,
                "require" => OrganizationUsage::Require,
                _ => OrganizationUsage::Deny,
            },
            allows_any_organization: allows_any_organization(&grant),
        })
    };
    if client_id == THIRD_PARTY {
        db.query(DEFAULT, params![tenant], decode).await
    } else {
        db.query(OWN, params![tenant, client_id], decode).await
    }
}

/// The grants in the order of their ids.
pub(super) async fn list(
    db: &Db,
    tenant: &str,
    filter: &Filter<'_>,
    window: &Window,
) -> DbResult<Vec<Listed>> {
    let after = window.after.as_deref().unwrap_or_default();
    let mut params = params![tenant, after, window.limit, window.skip].to_vec();
    let sql = filter.list(&mut params);
    db.query(&sql, &params, |row| Ok(Listed { position: row.text(0)?.into(), json: row.text(1)?.into() }))
        .await
}

pub(super) async fn count(db: &Db, tenant: &str, filter: &Filter<'_>) -> DbResult<i64> {
    let mut params = vec![Param::Text(tenant)];
    let sql = filter.count(&mut params);
    Ok(db.query_opt(&sql, &params, |row| row.int(0)).await?.unwrap_or(0))
}

fn text<'a>(grant: &'a Object, name: &str) -> &'a str {
    grant.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn client_id(grant: &Object) -> Option<&str> {
    grant.get("client_id").and_then(Value::as_str)
}

fn changed(tx: &mut Tx<'_>, tenant: &str, grant: &Object) {
    tx.changed(Kind::Grant, tenant, client_id(grant).unwrap_or(THIRD_PARTY));
}

fn allows_any_organization(grant: &Object) -> bool {
    grant.get("allow_any_organization") == Some(&Value::Bool(true))
}

/// Whether there is a grant for the same client, API and subject type.
pub(super) fn has_twin(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> DbResult<bool> {
    let (audience, subject) = (text(grant, "audience"), text(grant, "subject_type"));
    let found = match client_id(grant) {
        Some(client_id) => tx.query_opt(TWIN, params![tenant, audience, subject, client_id], |_| Ok(()))?,
        None => tx.query_opt(DEFAULT_TWIN, params![tenant, audience, subject], |_| Ok(()))?,
    };
    Ok(found.is_some())
}

const TWIN: &str = "SELECT 1 FROM client_grant WHERE tenant = $1 AND audience = $2 AND subject_type = $3 \
    AND client_id = $4";
const DEFAULT_TWIN: &str = "SELECT 1 FROM client_grant WHERE tenant = $1 AND audience = $2 AND subject_type = $3 \
    AND client_id IS NULL";

pub(crate) fn insert(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO client_grant \
        (tenant, id, client_id, audience, subject_type, allow_any_organization, version, document) \
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7)";
    tx.write(
        INSERT,
        params![
            tenant,
            text(grant, "id"),
            client_id(grant),
            text(grant, "audience"),
            text(grant, "subject_type"),
            allows_any_organization(grant),
            &Value::Object(grant.clone()).to_string()
        ],
    )?;
    audit::created(tx, "client_grant", text(grant, "id"), grant);
    changed(tx, tenant, grant);
    index(tx, tenant, grant)
}

/// Lets searches find the client by what the grant says.
fn index(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> DbResult<()> {
    match client_id(grant) {
        Some(client_id) if allows_any_organization(grant) => granted_any_organization(tx, tenant, client_id),
        _ => Ok(()),
    }
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &Object,
    grant: &Object,
    version: i64,
) -> DbResult<bool> {
    const UPDATE: &str = "UPDATE client_grant SET version = version + 1, document = $4, \
        allow_any_organization = $5 WHERE tenant = $1 AND id = $2 AND version = $3";
    audit::updated(tx, "client_grant", text(grant, "id"), before, grant);
    changed(tx, tenant, grant);
    index(tx, tenant, grant)?;
    let document = Value::Object(grant.clone()).to_string();
    let any = allows_any_organization(grant);
    Ok(tx.execute(UPDATE, params![tenant, text(grant, "id"), version, &document, any])? > 0)
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, grant: &Object) -> DbResult<()> {
    changed(tx, tenant, grant);
    let id = text(grant, "id");
    audit::deleted(tx, "client_grant", id, grant);
    tx.write("DELETE FROM client_grant WHERE tenant = $1 AND id = $2", params![tenant, id])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::search::tests::plan_of;
    use crate::db::Target;

    /// What a statement narrows its search by, which is more than the tenant.
    async fn check(db: &Db, sql: &str, params: &[Param<'_>], by: &str) {
        let plan = plan_of(db, sql, params).await;
        let step = "SEARCH client_grant USING";
        assert!(plan[0].starts_with(step) && plan[0].contains(by), "{sql}: {plan:#?}");
    }

    #[tokio::test]
    async fn grants_are_found_by_their_client_and_their_api() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&Target::Sqlite(dir.path().join("t.db"))).await.unwrap();
        let (audience, client_id, subject_type) = (Some("a"), Some("c"), Some("client"));
        let of_api = Filter { audience, ..Filter::default() };
        let of_client = Filter { client_id, ..Filter::default() };
        let of_both = Filter { audience, client_id, ..Filter::default() };
        let for_clients = Filter { audience, subject_type, ..Filter::default() };
        let default = Filter { default_for_third_party: true, ..Filter::default() };
        let filters = [
            (of_api, "(tenant=? AND audience=? AND id>?)", "audience=?"),
            (of_client, "client_id=?", "client_id=?"),
            (of_both, "client_id=? AND audience=?", "client_id=? AND audience=?"),
            (for_clients, "(tenant=? AND audience=? AND id>?)", "audience=?"),
            (default, "client_id=?", "client_id=?"),
        ];
        for (filter, listed_by, counted_by) in filters {
            let mut params = params!["t", "", 50_i64, 0_i64].to_vec();
            let sql = filter.list(&mut params);
            check(&db, &sql, &params, listed_by).await;
            let mut params = params!["t"].to_vec();
            let sql = filter.count(&mut params);
            check(&db, &sql, &params, counted_by).await;
        }
        check(&db, TWIN, params!["t", "a", "client", "c"], "client_id=?").await;
        check(&db, DEFAULT_TWIN, params!["t", "a", "client"], "audience=?").await;
    }
}
