//! Settings of tenants in the database.

use crate::audit;
use crate::db::{Db, DbError, DbResult, Kind, Row, Tx, params};
use serde_json::Value;
use tenantry_types::{Object, tenant_settings};

const BY_TENANT: &str = "SELECT document, version FROM tenant_settings WHERE tenant = $1";

fn read(row: &Row<'_>) -> DbResult<(Object, i64)> {
    let settings = serde_json::from_str(row.text(0)?)
        .map_err(|error| DbError::Data(format!("tenant settings: {error}")))?;
    Ok((settings, row.int(1)?))
}

/// What a tenant has before its first change.
fn unchanged() -> (Object, i64) {
    (tenant_settings::defaults(), 0)
}

/// The settings of a tenant, whether or not somebody changed them.
pub(super) async fn find(db: &Db, tenant: &str) -> DbResult<Object> {
    Ok(db.query_opt(BY_TENANT, params![tenant], read).await?.unwrap_or_else(unchanged).0)
}

/// The settings as they are now, and their version for [`update`].
pub(super) fn find_for_update(tx: &mut Tx<'_>, tenant: &str) -> DbResult<(Object, i64)> {
    Ok(tx.query_opt(BY_TENANT, params![tenant], read)?.unwrap_or_else(unchanged))
}

/// The setting `name` no longer names something that goes away.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: &str, name: &str, id: &str) -> DbResult<()> {
    let (before, version) = find_for_update(tx, tenant)?;
    if before.get(name).and_then(Value::as_str) == Some(id) {
        let mut settings = before.clone();
        settings.shift_remove(name);
        update(tx, tenant, &before, &settings, version)?;
    }
    Ok(())
}

/// Stores settings, unless they changed since `version` was read.
pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &Object,
    settings: &Object,
    version: i64,
) -> DbResult<bool> {
    const UPSERT: &str = "INSERT INTO tenant_settings (tenant, version, document) VALUES ($1, 1, $2) \
        ON CONFLICT (tenant) DO UPDATE SET version = tenant_settings.version + 1, document = excluded.document \
        WHERE tenant_settings.version = $3";
    let document = Value::Object(settings.clone()).to_string();
    audit::updated(tx, "tenant_settings", tenant, before, settings);
    tx.changed(Kind::TenantSettings, tenant, tenant);
    Ok(tx.execute(UPSERT, params![tenant, &document, version])? > 0)
}
