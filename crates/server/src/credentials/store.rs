//! Credentials in the database.

use super::{Credential, NewCredential, Proof};
use crate::audit;
use crate::db::{Db, DbError, DbResult, Kind, Row, Tx, params};
use serde_json::Value;
use std::collections::HashMap;
use tenantry_jose::{Jwk, VerifyingAlgorithm};
use tenantry_types::Object;
use tenantry_types::credentials::CredentialType;

/// What the log calls a credential.
const RESOURCE: &str = "credential";

fn parse(document: &str) -> DbResult<Object> {
    serde_json::from_str(document).map_err(|error| DbError::Data(format!("credential: {error}")))
}

pub(crate) fn insert(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    credential: &NewCredential,
) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO credential \
        (tenant, client_id, id, credential_type, sort, jwk, pem, document, expires_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let NewCredential { id, kind, sort, jwk, pem, expires_at, created_at, document } = credential;
    audit::created(tx, RESOURCE, id, document);
    let document = Value::Object(document.clone()).to_string();
    tx.write(
        INSERT,
        params![
            tenant,
            client_id,
            id,
            kind.as_str(),
            sort,
            jwk.as_deref(),
            pem.as_deref(),
            &document,
            *expires_at,
            *created_at
        ],
    )?;
    tx.changed(Kind::Client, tenant, client_id);
    Ok(())
}

/// The answers of a client's credentials, in the order of lists.
pub(super) async fn list(db: &Db, tenant: &str, client_id: &str) -> DbResult<Vec<String>> {
    const LIST: &str =
        "SELECT document FROM credential WHERE tenant = $1 AND client_id = $2 ORDER BY sort, id";
    db.query(LIST, params![tenant, client_id], |row| Ok(row.text(0)?.to_owned())).await
}

const BY_ID: &str = "SELECT document FROM credential WHERE tenant = $1 AND client_id = $2 AND id = $3";

/// The answer of a credential.
pub(super) async fn find(db: &Db, tenant: &str, client_id: &str, id: &str) -> DbResult<Option<String>> {
    db.query_opt(BY_ID, params![tenant, client_id, id], |row| Ok(row.text(0)?.to_owned())).await
}

/// What was uploaded for a credential; `Some(None)` if that is not known.
pub(super) async fn pem(
    db: &Db,
    tenant: &str,
    client_id: &str,
    id: &str,
) -> DbResult<Option<Option<String>>> {
    const PEM: &str = "SELECT pem FROM credential WHERE tenant = $1 AND client_id = $2 AND id = $3";
    db.query_opt(PEM, params![tenant, client_id, id], |row| Ok(row.opt_text(0)?.map(str::to_owned))).await
}

pub(super) fn find_for_update(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    id: &str,
) -> DbResult<Option<Object>> {
    tx.query_opt(BY_ID, params![tenant, client_id, id], |row| parse(row.text(0)?))
}

/// The types of a client's credentials, by id.
pub(crate) fn types(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
) -> DbResult<HashMap<String, CredentialType>> {
    const TYPES: &str = "SELECT id, credential_type FROM credential WHERE tenant = $1 AND client_id = $2";
    let read = |row: &Row<'_>| {
        let kind = CredentialType::of(row.text(1)?).ok_or_else(|| DbError::Data("credential type".into()))?;
        Ok((row.text(0)?.to_owned(), kind))
    };
    Ok(tx.query(TYPES, params![tenant, client_id], read)?.into_iter().collect())
}

/// Whether the client has a key of this id.
pub(super) fn has_key(tx: &mut Tx<'_>, tenant: &str, client_id: &str, sort: &str) -> DbResult<bool> {
    const KEY: &str = "SELECT 1 FROM credential WHERE tenant = $1 AND client_id = $2 AND sort = $3";
    Ok(tx.query_opt(KEY, params![tenant, client_id, sort], |_| Ok(()))?.is_some())
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    id: &str,
    (before, document): (&Object, &Object),
    expires_at: Option<i64>,
) -> DbResult<()> {
    const UPDATE: &str = "UPDATE credential SET document = $4, expires_at = $5 \
        WHERE tenant = $1 AND client_id = $2 AND id = $3";
    audit::updated(tx, RESOURCE, id, before, document);
    let document = Value::Object(document.clone()).to_string();
    tx.write(UPDATE, params![tenant, client_id, id, &document, expires_at])?;
    tx.changed(Kind::Client, tenant, client_id);
    Ok(())
}

/// A stored key.
pub(crate) struct StoredKey {
    pub(crate) id: String,
    pub(crate) kid: String,
    pub(crate) jwk: String,
}

/// A client's keys.
pub(crate) fn keys(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<Vec<StoredKey>> {
    const KEYS: &str = "SELECT id, sort, jwk FROM credential \
        WHERE tenant = $1 AND client_id = $2 AND credential_type = 'public_key'";
    let read = |row: &Row<'_>| {
        let text = |index| row.opt_text(index).map(|text| text.unwrap_or_default().to_owned());
        Ok(StoredKey { id: text(0)?, kid: text(1)?, jwk: text(2)? })
    };
    tx.query(KEYS, params![tenant, client_id], read)
}

pub(crate) fn delete(tx: &mut Tx<'_>, tenant: &str, client_id: &str, id: &str) -> DbResult<()> {
    const DELETE: &str = "DELETE FROM credential WHERE tenant = $1 AND client_id = $2 AND id = $3";
    if let Some(document) = find_for_update(tx, tenant, client_id, id)? {
        audit::deleted(tx, RESOURCE, id, &document);
    }
    tx.write(DELETE, params![tenant, client_id, id])?;
    tx.changed(Kind::Client, tenant, client_id);
    Ok(())
}

/// The credentials of these ids, decoded. What is not there is passed over.
pub(crate) async fn load(db: &Db, tenant: &str, client_id: &str, ids: &[&str]) -> DbResult<Vec<Credential>> {
    const ALL: &str = "SELECT id, credential_type, jwk, document, expires_at FROM credential \
        WHERE tenant = $1 AND client_id = $2 ORDER BY created_at DESC";
    let bad = |id: &str| DbError::Data(format!("credential {id} of client {client_id}"));
    let read = |row: &Row<'_>| {
        let id = row.text(0)?;
        if !ids.contains(&id) {
            return Ok(None);
        }
        let document = parse(row.text(3)?)?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
        let proof = match CredentialType::of(row.text(1)?) {
            Some(CredentialType::PublicKey) => {
                let jwk: Jwk = serde_json::from_str(row.text(2)?).map_err(|_| bad(id))?;
                let algorithm = VerifyingAlgorithm::of(text("alg")).ok_or_else(|| bad(id))?;
                let key = jwk.public_key(algorithm).map_err(|_| bad(id))?;
                Proof::Signature { kid: text("kid").to_owned(), key }
            }
            Some(CredentialType::X509Cert) => {
                Proof::Certificate { thumbprint_sha256: text("thumbprint_sha256").to_owned() }
            }
            Some(CredentialType::CertSubjectDn) => {
                Proof::Subject { subject_dn: text("subject_dn").to_owned() }
            }
            None => return Err(bad(id)),
        };
        Ok(Some(Credential { proof, expires_at: row.opt_int(4)? }))
    };
    Ok(db.query(ALL, params![tenant, client_id], read).await?.into_iter().flatten().collect())
}
