//! Profiles in the database.

use super::Kind;
use crate::audit;
use crate::db::{Db, DbError, DbResult, Row, Tx, params};
use crate::http::{Listed, Window};
use serde_json::Value;
use tenantry_types::Object;

const BY_ID: &str = "SELECT document, version FROM profile WHERE tenant = $1 AND id = $2 AND kind = $3";

/// The profile of that id, as answers show it.
pub(super) async fn find(db: &Db, tenant: &str, kind: Kind, id: &str) -> DbResult<Option<String>> {
    db.query_opt(BY_ID, params![tenant, id, kind.as_str()], |row| Ok(row.text(0)?.to_owned())).await
}

/// The profile as it is now, and its version for [`update`].
pub(crate) fn find_for_update(
    tx: &mut Tx<'_>,
    tenant: &str,
    kind: Kind,
    id: &str,
) -> DbResult<Option<(Object, i64)>> {
    let read = |row: &Row<'_>| {
        let profile =
            serde_json::from_str(row.text(0)?).map_err(|error| DbError::Data(format!("profile: {error}")))?;
        Ok((profile, row.int(1)?))
    };
    tx.query_opt(BY_ID, params![tenant, id, kind.as_str()], read)
}

/// The profiles in the order of their ids.
pub(super) async fn list(db: &Db, tenant: &str, kind: Kind, window: &Window) -> DbResult<Vec<Listed>> {
    const LIST: &str = "SELECT id, document FROM profile WHERE tenant = $1 AND kind = $2 AND id > $3 \
        ORDER BY id LIMIT $4 OFFSET $5";
    let after = window.after.as_deref().unwrap_or_default();
    let params = params![tenant, kind.as_str(), after, window.limit, window.skip];
    db.query(LIST, params, |row| Ok(Listed { position: row.text(0)?.into(), json: row.text(1)?.into() }))
        .await
}

fn text<'a>(profile: &'a Object, name: &str) -> &'a str {
    profile.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether another profile of the kind has the same name.
pub(super) fn has_taken_name(tx: &mut Tx<'_>, tenant: &str, kind: Kind, profile: &Object) -> DbResult<bool> {
    const OTHER: &str = "SELECT 1 FROM profile WHERE tenant = $1 AND kind = $2 AND name = $3 AND id <> $4";
    let params = params![tenant, kind.as_str(), text(profile, "name"), text(profile, "id")];
    Ok(tx.query_opt(OTHER, params, |_| Ok(()))?.is_some())
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: &str, kind: Kind, profile: &Object) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO profile (tenant, id, kind, name, version, document) \
        VALUES ($1, $2, $3, $4, 1, $5)";
    audit::created(tx, kind.as_str(), text(profile, "id"), profile);
    let document = Value::Object(profile.clone()).to_string();
    let params = params![tenant, text(profile, "id"), kind.as_str(), text(profile, "name"), &document];
    tx.write(INSERT, params)
}

/// Stores what became of a profile, unless it changed since `version` was read.
pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    kind: Kind,
    (before, profile): (&Object, &Object),
    version: i64,
) -> DbResult<bool> {
    const UPDATE: &str = "UPDATE profile SET version = version + 1, name = $4, document = $5 \
        WHERE tenant = $1 AND id = $2 AND version = $3";
    audit::updated(tx, kind.as_str(), text(profile, "id"), before, profile);
    let document = Value::Object(profile.clone()).to_string();
    let params = params![tenant, text(profile, "id"), version, text(profile, "name"), &document];
    Ok(tx.execute(UPDATE, params)? > 0)
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, kind: Kind, id: &str) -> DbResult<()> {
    const DELETE: &str = "DELETE FROM profile WHERE tenant = $1 AND kind = $2 AND id = $3";
    if let Some((before, _)) = find_for_update(tx, tenant, kind, id)? {
        audit::deleted(tx, kind.as_str(), id, &before);
    }
    tx.write(DELETE, params![tenant, kind.as_str(), id])
}
