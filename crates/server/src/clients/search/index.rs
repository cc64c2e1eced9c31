//! The terms of clients in the database, written in the transactions that change what they come from.

use crate::clients::store;
use crate::db::{Db, DbError, DbResult, Param, Row, Tx, params};
use std::collections::BTreeSet;
use tenantry_types::clients::ClientDocument;
use tenantry_types::clients::search::{ANY_ORGANIZATION, name_key, terms};

/// Adds a term that is not there. On `PostgreSQL` it costs half as much as one that may be.
const INSERT: &str = "INSERT INTO client_term (tenant, seq, term) VALUES ($1, $2, $3)";
/// Leaves a term as it is that is there already.
const INSERT_MISSING: &str = "INSERT INTO client_term (tenant, seq, term) VALUES ($1, $2, $3) \
    ON CONFLICT (tenant, term, seq) DO NOTHING";

/// Adds terms of clients.
fn insert_terms<'a>(
    tx: &mut Tx<'_>,
    sql: &'static str,
    tenant: &str,
    terms: impl IntoIterator<Item = (i64, &'a [u8])>,
) -> DbResult<()> {
    tx.append(sql, terms.into_iter().map(|(seq, term)| [tenant.into(), seq.into(), Param::Bytes(term)]))
}

/// The terms of a client as one value: each behind its length.
pub(in crate::clients) fn packed(document: &ClientDocument) -> Vec<u8> {
    pack(&terms(document.members()))
}

fn pack(terms: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let mut packed = Vec::with_capacity(terms.iter().map(|term| term.len() + 2).sum());
    for term in terms {
        // None is longer: what terms are made of is limited.
        let Ok(length) = u16::try_from(term.len()) else { continue };
        packed.extend_from_slice(&length.to_be_bytes());
        packed.extend_from_slice(term);
    }
    packed
}

/// The terms of such a value, in their order.
pub(crate) fn unpack(mut packed: &[u8]) -> Vec<&[u8]> {
    let mut terms = Vec::new();
    while let Some((length, rest)) = packed.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((term, rest)) = rest.split_at_checked(length) else { break };
        terms.push(term);
        packed = rest;
    }
    terms
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

/// Keeps the terms of a new client under its number, from where [`index_new`] brings them to their places.
pub(in crate::clients) fn insert(tx: &mut Tx<'_>, tenant: &str, seq: i64, packed: &[u8]) -> DbResult<()> {
    const INSERT: &str = "INSERT INTO client_unindexed (tenant, seq, terms) VALUES ($1, $2, $3)";
    tx.append(INSERT, [[tenant.into(), seq.into(), Param::Bytes(packed)]])
}

/// Indexes what changed about a client.
pub(in crate::clients) fn update(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &ClientDocument,
    after: &ClientDocument,
) -> DbResult<()> {
    const CHANGE: &str = "UPDATE client_unindexed SET terms = $3 WHERE tenant = $1 AND seq = $2";
    let had = terms(before.members());
    let has = terms(after.members());
    if had == has {
        return Ok(());
    }
    let Some(seq) = seq(tx, tenant, after.client_id())? else { return Ok(()) };
    if tx.execute(CHANGE, params![tenant, seq, &pack(&has)])? > 0 {
        return Ok(());
    }
    remove_terms(tx, tenant, seq, had.difference(&has))?;
    insert_terms(tx, INSERT_MISSING, tenant, has.difference(&had).map(|term| (seq, &**term)))
}

/// Forgets a client that is about to be deleted.
pub(in crate::clients) fn remove(tx: &mut Tx<'_>, tenant: &str, document: &ClientDocument) -> DbResult<()> {
    const REMOVE: &str = "DELETE FROM client_unindexed WHERE tenant = $1 AND seq = $2";
    let Some(seq) = seq(tx, tenant, document.client_id())? else { return Ok(()) };
    let is_new = tx.execute(REMOVE, params![tenant, seq])? > 0;
    let mut terms = if is_new { BTreeSet::new() } else { terms(document.members()) };
    terms.insert(ANY_ORGANIZATION.to_vec());
    remove_terms(tx, tenant, seq, &terms)
}

/// Clients whose terms are brought to their places in one transaction, and the bytes of these terms unless a single
/// client has more. On `SQLite` others that write wait for it, some hundredths of a second.
const NEW: i64 = 1_000;
const NEW_BYTES: i64 = 500_000;

/// Whether there are new clients whose terms are not in their places.
pub(super) async fn has_new(db: &Db, tenant: &str) -> DbResult<bool> {
    const ANY: &str = "SELECT 1 FROM client_unindexed WHERE tenant = $1 LIMIT 1";
    Ok(db.query_opt(ANY, params![tenant], |_| Ok(())).await?.is_some())
}

/// Brings the terms of new clients to their places; whether there may be more.
pub(super) async fn index_new(db: &Db, tenant: &str) -> DbResult<bool> {
    match index_with(INSERT, db, tenant).await {
        // A server of an older version, which knows of no new clients, may have changed one.
        Err(DbError::Conflict(_)) => index_with(INSERT_MISSING, db, tenant).await,
        indexed => indexed,
    }
}

async fn index_with(insert: &'static str, db: &Db, tenant: &str) -> DbResult<bool> {
    const SIZES: &str = "SELECT LENGTH(terms) FROM client_unindexed WHERE tenant = $1 ORDER BY seq LIMIT $2";
    // Whoever changes one of them waits, and finds it indexed; one that somebody is changing comes later.
    const TAKE: &str = "DELETE FROM client_unindexed WHERE tenant = $1 AND seq IN (\
        SELECT seq FROM client_unindexed WHERE tenant = $1 ORDER BY seq LIMIT $2
        -- postgres: FOR UPDATE SKIP LOCKED
        ) RETURNING seq, terms";
    let tenant = tenant.to_owned();
    db.aside(move |tx| {
        tx.will_not_fail();
        let sizes = tx.query(SIZES, params![&tenant, NEW], |row| row.int(0))?;
        let mut bytes = 0;
        let few = sizes.iter().take_while(|size| {
            bytes += **size;
            bytes <= NEW_BYTES
        });
        let few = few.count().max(1);
        let limit = i64::try_from(few).unwrap_or(NEW);
        let new = tx.query(TAKE, params![&tenant, limit], |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())))?;
        let mut all: Vec<_> =
            new.iter().flat_map(|(seq, terms)| unpack(terms).into_iter().map(|term| (term, *seq))).collect();
        // In the order of the table, whose pages are then looked up and written once.
        all.sort_unstable();
        insert_terms(tx, insert, &tenant, all.into_iter().map(|(term, seq)| (seq, term)))?;
        Ok::<_, DbError>(!new.is_empty())
    })
    .await
}

/// Indexes a client as one that has a grant for any organization. The term stays when the grant goes: whoever finds
/// the client under it looks at its grants.
pub(crate) fn granted_any_organization(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> DbResult<()> {
    let Some(seq) = seq(tx, tenant, client_id)? else { return Ok(()) };
    insert_terms(tx, INSERT_MISSING, tenant, [(seq, ANY_ORGANIZATION)])
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
                    Ok::<_, DbError>(missing.len())
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
    insert_terms(tx, INSERT_MISSING, tenant, terms(document.members()).iter().map(|term| (seq, &**term)))?;
    if tx.query_opt(ANY, params![tenant, document.client_id()], |_| Ok(()))?.is_some() {
        granted_any_organization(tx, tenant, document.client_id())?;
    }
    Ok(())
}
