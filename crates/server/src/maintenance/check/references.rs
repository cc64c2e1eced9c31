//! What refers to something refers to something that is there.

use super::Findings;
use crate::app::management_audience;
use crate::db::{DbResult, Snapshot, schema};
use crate::keys;
use crate::provision::ADMIN_CLIENT_SETTING;

const DANGLING: &str = "a reference leads nowhere";

/// What the schema itself demands; SQLite can be told not to look.
pub(super) fn declared(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    for table in schema::tables()? {
        for reference in &table.references {
            let pairs = reference.columns.iter().zip(&reference.parent_columns);
            let same: Vec<_> = pairs.map(|(ours, theirs)| format!("p.{theirs} = c.{ours}")).collect();
            let given: Vec<_> =
                reference.columns.iter().map(|ours| format!("c.{ours} IS NOT NULL")).collect();
            let shown: Vec<_> = reference.columns.iter().map(|ours| format!("c.{ours}")).collect();
            let sql = format!(
                "SELECT {} FROM {} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
                shown.join(", "),
                table.name,
                given.join(" AND "),
                reference.parent,
                same.join(" AND ")
            );
            snapshot.each(&sql, |row| {
                let values: Vec<_> = (0..shown.len())
                    .map(|index| row.text(index).map(str::to_owned))
                    .collect::<DbResult<_>>()?;
                found.problem(DANGLING, || {
                    format!(
                        "{} names the {} {}, which is not there",
                        table.name,
                        reference.parent,
                        values.join(" ")
                    )
                });
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// References that the schema knows nothing of: a statement that finds those that lead nowhere, and what of.
const OTHERS: &[(&str, &str)] = &[
    (
        "the default organization",
        "SELECT c.client_id, c.default_organization FROM client c WHERE c.default_organization IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM organization o WHERE o.tenant = c.tenant AND o.id = c.default_organization)",
    ),
    (
        "the API",
        "SELECT c.client_id, c.resource_server_identifier FROM client c WHERE c.resource_server_identifier IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM resource_server r WHERE r.tenant = c.tenant \
         AND r.identifier = c.resource_server_identifier)",
    ),
];

pub(super) fn others(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    for (what, sql) in OTHERS {
        snapshot.each(sql, |row| {
            let (client, id) = (row.text(0)?, row.text(1)?);
            found.problem(DANGLING, || format!("client {client} names {what} {id}, which is not there"));
            Ok(())
        })?;
    }
    secrets(snapshot, found)?;
    tenants(snapshot, found)
}

/// Every client has its current secret, and those before it end.
fn secrets(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    const MISSING: &str =
        "SELECT client_id, secret_id FROM client WHERE secret_id IS NOT NULL AND secret IS NULL";
    const ENDLESS: &str = "SELECT client_id, secret_id FROM client_secret WHERE expires_at IS NULL";
    for (what, sql) in [("a secret is missing", MISSING), ("an earlier secret never expires", ENDLESS)] {
        snapshot.each(sql, |row| {
            let (client, id) = (row.text(0)?, row.text(1)?);
            found.problem(what, || format!("client {client}, secret {id}"));
            Ok(())
        })?;
    }
    Ok(())
}

/// What every tenant has.
fn tenants(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    const INCOMPLETE: &str = "a tenant is not complete";
    let text = |row: &crate::db::Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
    let apis = snapshot.rows("SELECT tenant, identifier FROM resource_server WHERE is_system", text)?;
    let mut current = Vec::new();
    snapshot.each("SELECT tenant, kid, state, certificate FROM signing_key", |row| {
        let (tenant, kid) = text(row)?;
        if keys::id_of(row.bytes(3)?).as_deref() != Some(&kid) {
            found.problem("a signing key contradicts its certificate", || kid);
        }
        if row.text(2)? == "current" {
            current.push(tenant);
        }
        Ok(())
    })?;
    for (tenant, domain) in snapshot.rows("SELECT tenant, domain FROM tenant", text)? {
        let audience = management_audience(&domain);
        if !apis.iter().any(|(of, identifier)| (of, identifier) == (&tenant, &audience)) {
            found.problem(INCOMPLETE, || format!("{tenant} has no API {audience}"));
        }
        if current.iter().filter(|of| **of == tenant).count() != 1 {
            found.problem(INCOMPLETE, || format!("{tenant} has not got exactly one current signing key"));
        }
    }
    let admin = format!(
        "SELECT s.value, s.name FROM setting s WHERE s.name = '{ADMIN_CLIENT_SETTING}' \
         AND NOT EXISTS (SELECT 1 FROM client c WHERE c.client_id = s.value)"
    );
    for (client, _) in snapshot.rows(&admin, text)? {
        found.problem(INCOMPLETE, || {
            format!("the administrator's client {client} is gone; `tenantry admin reset` makes another")
        });
    }
    Ok(())
}
