//! Settings in the database.

use crate::app::App;
use crate::audit::Change;
use crate::db::{Db, DbError, DbResult, Row, Tx, params};
use crate::http::{ApiResult, Failure};
use serde_json::Value;
use tenantry_types::Object;
use tenantry_types::settings::take_secrets;

/// Which setting.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its path, with the names of its parameters.
    pub(super) kind: &'static str,
    /// The values of these, or its id.
    pub(super) id: String,
}

/// A setting as it is stored, without its secrets.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) document: Value,
    version: i64,
    secrets: Option<Vec<u8>>,
}

fn read(row: &Row<'_>) -> DbResult<Stored> {
    let document = serde_json::from_str(row.text(2)?)
        .map_err(|error| DbError::Data(format!("configuration: {error}")))?;
    Ok(Stored {
        id: row.text(0)?.to_owned(),
        version: row.int(1)?,
        document,
        secrets: row.opt_bytes(3)?.map(<[u8]>::to_vec),
    })
}

const BY_KEY: &str = "SELECT id, version, document, secrets FROM configuration \
    WHERE tenant = $1 AND kind = $2 AND id = $3";
const OF_KIND: &str = "SELECT id, version, document, secrets FROM configuration \
    WHERE tenant = $1 AND kind = $2 ORDER BY id";

pub(super) async fn find(db: &Db, tenant: &str, key: &Key) -> DbResult<Option<Stored>> {
    db.query_opt(BY_KEY, params![tenant, key.kind, &key.id], read).await
}

pub(super) fn find_for_update(tx: &mut Tx<'_>, tenant: &str, key: &Key) -> DbResult<Option<Stored>> {
    tx.query_opt(BY_KEY, params![tenant, key.kind, &key.id], read)
}

pub(super) async fn list(db: &Db, tenant: &str, kind: &str) -> DbResult<Vec<Stored>> {
    db.query(OF_KIND, params![tenant, kind], read).await
}

pub(super) fn list_for_update(tx: &mut Tx<'_>, tenant: &str, kind: &str) -> DbResult<Vec<Stored>> {
    tx.query(OF_KIND, params![tenant, kind], read)
}

/// Where secrets are sealed.
pub(crate) fn seal_context(tenant: &str, kind: &str, id: &str) -> String {
    format!("configuration/{tenant}/{kind}/{id}")
}

/// How secrets that were stored before go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// They stay, unless they were sent anew.
    Kept,
    /// They go.
    Dropped,
}

/// Stores `document` in place of `before`. Its secrets are sealed apart from it; what is returned has none.
pub(super) fn save(
    app: &App,
    tx: &mut Tx<'_>,
    key: &Key,
    before: Option<&Stored>,
    mut document: Value,
    secrets: (&[&[&str]], Before),
) -> ApiResult<Value> {
    const INSERT: &str = "INSERT INTO configuration (tenant, kind, id, version, document, secrets) \
        VALUES ($1, $2, $3, 1, $4, $5) ON CONFLICT (tenant, kind, id) DO NOTHING";
    const UPDATE: &str = "UPDATE configuration SET version = version + 1, document = $4, secrets = $5 \
        WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $6";
    let (paths, old) = secrets;
    let context = seal_context(&app.tenant, key.kind, &key.id);
    let sent = take_secrets(&mut document, paths);
    let mut all = match before.and_then(|before| before.secrets.as_deref()) {
        Some(sealed) if old == Before::Kept => {
            let text = app.master.open_text(&context, sealed)?;
            serde_json::from_str::<Object>(&text)?
        }
        _ => Object::new(),
    };
    all.extend(sent);
    all.retain(|_, secret| !secret.is_null());
    let sealed = if all.is_empty() {
        None
    } else {
        let text = zeroize::Zeroizing::new(Value::Object(all).to_string());
        Some(app.master.seal(&context, text.as_bytes())?)
    };
    let (tenant, text) = (&app.tenant, document.to_string());
    let stored = match before {
        None => tx.execute(INSERT, params![tenant, key.kind, &key.id, &text, sealed.as_ref()])?,
        Some(before) => {
            tx.execute(UPDATE, params![tenant, key.kind, &key.id, &text, sealed.as_ref(), before.version])?
        }
    };
    if stored == 0 {
        return Err(Failure::Internal("a setting changed within a transaction".into()));
    }
    told(tx, key, before.map(|before| &before.document), Some(&document));
    Ok(document)
}

/// Changes a document that has no secrets.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    tenant: &str,
    kind: &'static str,
    stored: &Stored,
    document: &Value,
) -> DbResult<()> {
    const REPLACE: &str = "UPDATE configuration SET version = version + 1, document = $4 \
        WHERE tenant = $1 AND kind = $2 AND id = $3";
    tx.write(REPLACE, params![tenant, kind, &stored.id, &document.to_string()])?;
    told(tx, &Key { kind, id: stored.id.clone() }, Some(&stored.document), Some(document));
    Ok(())
}

/// Whether there was one.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: &str, key: &Key) -> DbResult<bool> {
    const DELETE: &str = "DELETE FROM configuration WHERE tenant = $1 AND kind = $2 AND id = $3";
    if let Some(before) = find_for_update(tx, tenant, key)? {
        told(tx, key, Some(&before.document), None);
    }
    Ok(tx.execute(DELETE, params![tenant, key.kind, &key.id])? > 0)
}

/// Tells the log what became of a setting. One that is no object is told as the only member of one.
fn told(tx: &mut Tx<'_>, key: &Key, before: Option<&Value>, after: Option<&Value>) {
    let object = |value: &Value| match value {
        Value::Object(members) => members.clone(),
        other => Object::from_iter([("value".into(), other.clone())]),
    };
    tx.record(|| {
        let resource = key.kind.trim_start_matches("/api/v2/");
        match (before.map(object), after.map(object)) {
            (Some(before), Some(after)) => Change::updated(resource, &key.id, &before, &after),
            (before, after) => match after {
                Some(after) => Change::created(resource, &key.id, &after),
                None => Change::deleted(resource, &key.id, &before.unwrap_or_default()),
            },
        }
    });
}
