//! Organizations in the database.

use super::Organization;
use crate::audit;
use crate::clients;
use crate::db::{Db, DbError, DbResult, Kind, Param, Row, Tx, params};
use crate::http::{Listed, Window};
use crate::settings;
use crate::tokens::quota;
use serde_json::Value;
use tenantry_types::Object;
use tenantry_types::token_quota::TokenQuota;

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    CreatedAt,
    Name,
    DisplayName,
}

/// The order of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) key: Key,
    pub(super) descending: bool,
}

impl Order {
    /// Reads `field:1` and `field:-1`; without one, the oldest is first.
    pub(super) fn of(sort: Option<&str>) -> Self {
        let (field, direction) = sort.and_then(|sort| sort.split_once(':')).unwrap_or_default();
        let key = match field {
            "name" => Key::Name,
            "display_name" => Key::DisplayName,
            _ => Key::CreatedAt,
        };
        Self { key, descending: direction == "-1" }
    }
}

fn parse(document: &str) -> DbResult<Object> {
    serde_json::from_str(document).map_err(|error| DbError::Data(format!("organization: {error}")))
}

pub(super) fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn read(row: &Row<'_>) -> DbResult<Object> {
    parse(row.text(0)?)
}

const BY_ID: &str = "SELECT document, version FROM organization WHERE tenant = $1 AND id = $2";
const BY_NAME: &str = "SELECT document FROM organization WHERE tenant = $1 AND name = $2";

pub(super) async fn find(db: &Db, tenant: &str, id: &str) -> DbResult<Option<Object>> {
    db.query_opt(BY_ID, params![tenant, id], read).await
}

pub(super) async fn find_by_name(db: &Db, tenant: &str, name: &str) -> DbResult<Option<Object>> {
    db.query_opt(BY_NAME, params![tenant, name], read).await
}

/// The organization of that id or, where `key` is no id, of that name.
pub(super) async fn find_decoded(db: &Db, tenant: &str, key: &str) -> DbResult<Option<Organization>> {
    let found =
        if super::is_id(key) { find(db, tenant, key).await? } else { find_by_name(db, tenant, key).await? };
    Ok(found.map(|organization| Organization {
        id: text(&organization, "id").to_owned(),
        name: text(&organization, "name").to_owned(),
        token_quota: organization.get("token_quota").and_then(TokenQuota::of),
    }))
}

pub(super) fn find_for_update(tx: &mut Tx<'_>, tenant: &str, id: &str) -> DbResult<Option<(Object, i64)>> {
    tx.query_opt(BY_ID, params![tenant, id], |row| Ok((read(row)?, row.int(1)?)))
}

pub(crate) fn exists(tx: &mut Tx<'_>, tenant: &str, id: &str) -> DbResult<bool> {
    Ok(tx.query_opt(BY_ID, params![tenant, id], |_| Ok(()))?.is_some())
}

/// Organizations in a list; `client` adds how that client is associated with each.
pub(super) async fn list(
    db: &Db,
    tenant: &str,
    order: Order,
    client: Option<&str>,
    window: &Window,
) -> DbResult<Vec<(Listed, Option<bool>)>> {
    let (compare, direction) = if order.descending { ("<", "DESC") } else { (">", "ASC") };
    let mut params = params![tenant, client, window.limit, window.skip].to_vec();
    // A position is the number of an organization, and what it is sorted by in front of it.
    let position = window.after.as_deref().and_then(|position| position.split_once(' '));
    let after = match position {
        None => String::new(),
        Some((seq, sorted_by)) => {
            params.push(Param::Int(seq.parse().unwrap_or(0)));
            if order.key == Key::CreatedAt {
                format!("AND o.seq {compare} $5 ")
            } else {
                params.push(Param::Text(sorted_by));
                format!("AND ({}, o.seq) {compare} ($6, $5) ", column(order.key))
            }
        }
    };
    let column = column(order.key);
    let sql = format!(
        "SELECT o.document, o.seq, o.name, o.display_name, c.client_id, c.use_for_member_access FROM organization o \
         LEFT JOIN organization_client c ON c.tenant = o.tenant AND c.organization_id = o.id AND c.client_id = $2 \
         WHERE o.tenant = $1 {after}ORDER BY {column} {direction}, o.seq {direction} LIMIT $3 OFFSET $4"
    );
    db.query(&sql, &params, |row| {
        let sorted_by = match order.key {
            Key::CreatedAt => "",
            Key::Name => row.text(2)?,
            Key::DisplayName => row.text(3)?,
        };
        let position = format!("{} {sorted_by}", row.int(1)?);
        let use_for_member_access = row.opt_text(4)?.map(|_| row.bool(5)).transpose()?;
        Ok((Listed { position, json: row.text(0)?.to_owned() }, use_for_member_access))
    })
    .await
}

fn column(key: Key) -> &'static str {
    match key {
        Key::CreatedAt => "o.seq",
        Key::Name => "o.name",
        Key::DisplayName => "o.display_name",
    }
}

pub(super) async fn count(db: &Db, tenant: &str) -> DbResult<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM organization WHERE tenant = $1";
    Ok(db.query_opt(COUNT, params![tenant], |row| row.int(0)).await?.unwrap_or(0))
}

/// The organizations that a client grant was given to, the oldest first.
pub(crate) async fn of_grant(
    db: &Db,
    tenant: &str,
    grant_id: &str,
    window: &Window,
) -> DbResult<Vec<Listed>> {
    const LIST: &str = "SELECT o.seq, o.document FROM organization o \
        JOIN organization_client_grant g ON g.tenant = o.tenant AND g.organization_id = o.id \
        WHERE o.tenant = $1 AND g.grant_id = $2 AND o.seq > $3 ORDER BY o.seq LIMIT $4 OFFSET $5";
    let params = params![tenant, grant_id, window.after_number(), window.limit, window.skip];
    db.query(LIST, params, |row| {
        Ok(Listed { position: row.int(0)?.to_string(), json: row.text(1)?.to_owned() })
    })
    .await
}

/// How many organizations a client grant was given to.
pub(crate) async fn count_of_grant(db: &Db, tenant: &str, grant_id: &str) -> DbResult<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM organization_client_grant WHERE tenant = $1 AND grant_id = $2";
    Ok(db.query_opt(COUNT, params![tenant, grant_id], |row| row.int(0)).await?.unwrap_or(0))
}

/// Whether another organization has the name of this one.
pub(super) fn has_namesake(tx: &mut Tx<'_>, tenant: &str, organization: &Object) -> DbResult<bool> {
    const NAMESAKE: &str = "SELECT 1 FROM organization WHERE tenant = $1 AND name = $2 AND id <> $3";
    let (name, id) = (text(organization, "name"), text(organization, "id"));
    Ok(tx.query_opt(NAMESAKE, params![tenant, name, id], |_| Ok(()))?.is_some())
}

/// What the log calls an organization.
const RESOURCE: &str = "organization";

fn changed(tx: &mut Tx<'_>, tenant: &str, organization: &Object) {
    for key in ["id", "name"] {
        tx.changed(Kind::Organization, tenant, text(organization, key));
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: &str, organization: &Object, seq: i64) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO organization (tenant, id, name, display_name, seq, version, document) \
        VALUES ($1, $2, $3, $4, $5, 1, $6)";
    tx.write(
        INSERT,
        params![
            tenant,
            text(organization, "id"),
            text(organization, "name"),
            text(organization, "display_name"),
            seq,
            &Value::Object(organization.clone()).to_string()
        ],
    )?;
    audit::created(tx, RESOURCE, text(organization, "id"), organization);
    changed(tx, tenant, organization);
    Ok(())
}

/// Stores what became of an organization, unless it changed since `version` was read.
pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &Object,
    after: &Object,
    version: i64,
) -> DbResult<bool> {
    const UPDATE: &str = "UPDATE organization SET version = version + 1, name = $4, display_name = $5, \
        document = $6 WHERE tenant = $1 AND id = $2 AND version = $3";
    audit::updated(tx, RESOURCE, text(after, "id"), before, after);
    changed(tx, tenant, before);
    changed(tx, tenant, after);
    let updated = tx.execute(
        UPDATE,
        params![
            tenant,
            text(after, "id"),
            version,
            text(after, "name"),
            text(after, "display_name"),
            &Value::Object(after.clone()).to_string()
        ],
    )?;
    Ok(updated > 0)
}

/// Deletes an organization, what belongs to it, and what clients say of it.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, organization: &Object, now: i64) -> DbResult<()> {
    const DELETE: &str = "DELETE FROM organization WHERE tenant = $1 AND id = $2";
    let id = text(organization, "id");
    clients::store::forget_organization(tx, tenant, id, now)?;
    settings::forget(tx, tenant, "organizations", id)?;
    quota::forget(tx, tenant, quota::Owner::Organization, id)?;
    tx.write(DELETE, params![tenant, id])?;
    audit::deleted(tx, RESOURCE, id, organization);
    changed(tx, tenant, organization);
    Ok(())
}
