//! The terms of clients in the database, written in the transactions that change what they come from.

use crate::clients::store;
use crate::db::{Db, DbResult, Param, Row, Tx, params};
use std::fmt::Write as _;
use tenantry_types::clients::ClientDocument;
use tenantry_types::clients::search::{ANY_ORGANIZATION, name_key, terms};

/// Terms in one statement, where several are.
const TERMS_AT_ONCE: usize = 64;

const INSERT: &str = "INSERT INTO client_term (tenant, seq, term) VALUES ($1, $2, $3)";
const INSERT_MISSING: &str = "INSERT INTO client_term (tenant, seq, term) VALUES ($1, $2, $3) \
    ON CONFLICT (tenant, term, seq) DO NOTHING";

/// Adds terms of a client, which has none yet if it `is_new`.
fn insert_terms<'a>(
    tx: &mut Tx<'_>,
    tenant: &str,
    seq: i64,
    terms: impl IntoIterator<Item = &'a Vec<u8>>,
    is_new: bool,
) -> DbResult<()> {
    if !is_new || tx.prefers_single_rows() {
        return tx.write_each(
            if is_new { INSERT } else { INSERT_MISSING },
            terms.into_iter().map(|term| [tenant.into(), seq.into(), Param::Bytes(term)]),
        );
    }
    let terms: Vec<_> = terms.into_iter().collect();
    for terms in terms.chunks(TERMS_AT_ONCE) {
        let mut sql = "INSERT INTO client_term (tenant, seq, term) VALUES ".to_owned();
        let mut params = params![tenant, seq].to_vec();
        for term in terms {
            params.push(Param::Bytes(term));
            let separator = if params.len() > 3 { ", " } else { "" };
            let _ = write!(sql, "{separator}($1, $2, ${})", params.len());
        }
        tx.write(&sql, &params)?;
    }
    Ok(())
}

fn remove_terms<'a>(
    tx: &mut Tx<'_>,
    tenant: &str,
    seq: i64,
    terms: impl IntoIterator<Item = &'a Vec<u8>>,
) -> DbResult<()> {
    const REMOVE: &str = "DELETE FROM client_term WHERE tenant = $1 AND term = $2 AND seq = $3";
    terms.into_iter().try_for_each(|term| tx.write(REMOVE, params![tenant, term, seq]))
}

fn seq(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<Option<i64>> {
    const SEQ: &str = "SELECT seq FROM client WHERE tenant = $1 AND client_id = $2";
    tx.query_opt(SEQ, params![tenant, client_id], |row| row.int(0))
}

/// Indexes a new client.
pub(in crate::clients) fn insert(
    tx: &mut Tx<'_>,
    tenant: &str,
    seq: i64,
    document: &ClientDocument,
) -> DbResult<()> {
    insert_terms(tx, tenant, seq, &terms(document.members()), true)
}

/// Indexes what changed about a client.
pub(in crate::clients) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &ClientDocument,
    after: &ClientDocument,
) -> DbResult<()> {
    let had = terms(before.members());
    let has = terms(after.members());
    if had == has {
        return Ok(());
    }
    let Some(seq) = seq(tx, tenant, after.client_id())? else { return Ok(()) };
    remove_terms(tx, tenant, seq, had.difference(&has))?;
    insert_terms(tx, tenant, seq, has.difference(&had), false)
}

/// Forgets a client that is about to be deleted.
pub(in crate::clients) fn remove(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument) -> DbResult<()> {
    let Some(seq) = seq(tx, tenant, document.client_id())? else { return Ok(()) };
    let mut terms = terms(document.members());
    terms.insert(ANY_ORGANIZATION.to_vec());
    remove_terms(tx, tenant, seq, &terms)
}

/// Indexes a client as one that has a grant for any organization. The term stays when the grant goes: whoever finds
/// the client under it looks at its grants.
pub(crate) fn granted_any_organization(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<()> {
    let Some(seq) = seq(tx, tenant, client_id)? else { return Ok(()) };
    tx.write(INSERT_MISSING, params![tenant, seq, Param::Bytes(ANY_ORGANIZATION)])
}

/// Clients that are indexed in one transaction, when there are some from an older version.
const BATCH: i64 = 500;

/// Indexes the clients that an older version left unindexed.
pub(crate) async fn index_missing(db: &Db) -> DbResult<()> {
    const MISSING: &str = "SELECT c.seq, c.document FROM client c \
        WHERE c.tenant = $1 AND c.name_key IS NULL LIMIT $2";
    let read = |row: &Row<'_>| Ok(row.text(0)?.to_owned());
    for tenant in db.query("SELECT tenant FROM tenant", &[], read).await? {
        let mut indexed = 0;
        loop {
            let tenant = tenant.clone();
            let count = db
                .transaction(move |tx| {
                    let missing = tx.query(MISSING, params![&tenant, BATCH], |row| {
                        Ok((row.int(0)?, store::parse(row.text(1)?)?))
                    })?;
                    missing.iter().try_for_each(|(seq, document)| index(tx, &tenant, *seq, document))?;
                    Ok::<_, crate::db::DbError>(missing.len())
                })
                .await?;
            if count == 0 {
                break;
            }
            indexed += count;
            if indexed % 50_000 < count {
                tracing::info!(clients = indexed, "indexing clients of an older version");
            }
        }
    }
    Ok(())
}

fn index(tx: &mut Tx<'_>, tenant: &str, seq: i64, document: &ClientDocument) -> DbResult<()> {
    const KEY: &str = "UPDATE client SET name_key = $3 WHERE tenant = $1 AND seq = $2";
    const ANY: &str = "SELECT 1 FROM client_grant WHERE tenant = $1 AND client_id = $2 \
        AND allow_any_organization LIMIT 1";
    tx.write(KEY, params![tenant, seq, &name_key(document.members())])?;
    insert_terms(tx, tenant, seq, &terms(document.members()), false)?;
    if tx.query_opt(ANY, params![tenant, document.client_id()], |_| Ok(()))?.is_some() {
        granted_any_organization(tx, tenant, document.client_id())?;
    }
    Ok(())
}
