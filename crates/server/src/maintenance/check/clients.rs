//! Clients: their columns, what is derived from them, and what their settings name.

use super::Findings;
use crate::clients::references;
use crate::clients::search::index::unpack;
use crate::db::{DbResult, Row, Snapshot};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use tenantry_types::clients::ClientDocument;
use tenantry_types::clients::search::{ANY_ORGANIZATION, name_key, terms};

const CLIENTS: &str = "SELECT tenant, client_id, seq, document, signing_keys_at, client_secret_at, is_global, \
    is_first_party, app_type, external_client_id, resource_server_identifier, default_organization, name_key \
    FROM client";

/// What makes clients different for lists.
type Sort = (String, bool, bool, String);
/// Something that belongs to a client.
type Owned = (String, String, String, String);

/// What the documents say, to be compared with the tables beside them.
#[derive(Default)]
struct Expected {
    counts: HashMap<Sort, i64>,
    /// The terms of each client, as their number and a sum of their hashes.
    terms: HashMap<(String, i64), (i64, u64)>,
    credentials: Vec<Owned>,
    references: HashSet<Owned>,
}

const DERIVED: &str = "what is derived from clients is out of date";

pub(super) fn check(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    let mut expected = Expected::default();
    snapshot.each(CLIENTS, |row| client(row, &mut expected, found))?;
    counts(snapshot, &expected, found)?;
    search_terms(snapshot, expected.terms, found)?;
    settings(snapshot, &expected.credentials, &expected.references, found)
}

fn client(row: &Row<'_>, expected: &mut Expected, found: &mut Findings) -> DbResult<()> {
    let (tenant, id) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
    let json = row.text(3)?;
    let Ok(document) = ClientDocument::from_json(json) else {
        // That it is no document is told elsewhere.
        return Ok(());
    };
    let (keys_at, secret_at) = (row.size(4)?, row.size(5)?);
    let parts = (json.get(..keys_at), json.get(keys_at..secret_at), json.get(secret_at..));
    let is_whole = matches!(parts, (Some(a), Some(b), Some(c))
        if serde_json::from_str::<serde_json::Value>(&format!("{a}\"\":0,{b},\"\":0{c}")).is_ok());
    if !is_whole {
        found.problem("a client cannot be put together", || id.clone());
    }
    let columns = [
        ("app_type", Some(row.text(8)?), document.text("app_type").or(Some(""))),
        ("external_client_id", row.opt_text(9)?, document.text("external_client_id")),
        ("resource_server_identifier", row.opt_text(10)?, document.text("resource_server_identifier")),
        ("default_organization", row.opt_text(11)?, document.default_organization()),
    ];
    let mut differing: Vec<_> =
        columns.iter().filter(|(_, column, said)| column != said).map(|(name, ..)| *name).collect();
    if row.bool(6)? != document.is_global() {
        differing.push("global");
    }
    if row.bool(7)? != document.is_first_party() {
        differing.push("is_first_party");
    }
    if !differing.is_empty() {
        found.problem("a row contradicts its document", || format!("client {id}: {}", differing.join(", ")));
    }
    let sort = (tenant.clone(), row.bool(6)?, row.bool(7)?, row.text(8)?.to_owned());
    *expected.counts.entry(sort).or_default() += 1;

    // Clients of an older version are indexed by the next start.
    if let Some(key) = row.opt_bytes(12)? {
        if key != name_key(document.members()) {
            found.problem(DERIVED, || format!("the name of client {id}"));
        }
        let sums = terms(document.members()).iter().fold((0, 0), |sums, term| add(sums, term));
        expected.terms.insert((tenant.clone(), row.int(2)?), sums);
    }
    for credential in crate::clients::store::enabled_credentials(&document) {
        expected.credentials.push((tenant.clone(), id.clone(), "credential".into(), credential.to_owned()));
    }
    for (kind, target, must_exist) in references::of_client(&document) {
        let reference = (tenant.clone(), id.clone(), kind.to_owned(), target.to_owned());
        if must_exist {
            expected.credentials.push(reference.clone());
        }
        expected.references.insert(reference);
    }
    Ok(())
}

fn add((count, sum): (i64, u64), term: &[u8]) -> (i64, u64) {
    let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(term);
    (count + 1, sum.wrapping_add(hash))
}

fn without((count, sum): (i64, u64), term: &[u8]) -> (i64, u64) {
    let (_, hash) = add((0, 0), term);
    (count - 1, sum.wrapping_sub(hash))
}

fn counts(snapshot: &mut Snapshot, expected: &Expected, found: &mut Findings) -> DbResult<()> {
    const COUNTS: &str = "SELECT tenant, is_global, is_first_party, app_type, CAST(SUM(n) AS BIGINT) \
        FROM client_count GROUP BY tenant, is_global, is_first_party, app_type";
    let counted: HashMap<Sort, i64> = snapshot
        .rows(COUNTS, |row| {
            let sort = (row.text(0)?.to_owned(), row.bool(1)?, row.bool(2)?, row.text(3)?.to_owned());
            Ok((sort, row.int(4)?))
        })?
        .into_iter()
        .collect();
    let sorts: HashSet<_> = counted.keys().chain(expected.counts.keys()).collect();
    for sort in sorts {
        let (says, is) = (counted.get(sort).unwrap_or(&0), expected.counts.get(sort).unwrap_or(&0));
        if says != is {
            let (tenant, is_global, is_first_party, app_type) = sort;
            found.problem("a total is wrong", || {
                format!(
                    "{says} instead of {is} clients (tenant {tenant}, global {is_global}, first party \
                     {is_first_party}, app_type `{app_type}`)"
                )
            });
        }
    }
    Ok(())
}

fn search_terms(
    snapshot: &mut Snapshot,
    mut expected: HashMap<(String, i64), (i64, u64)>,
    found: &mut Findings,
) -> DbResult<()> {
    const TERMS: &str = "SELECT t.tenant, t.seq, t.term, c.client_id FROM client_term t \
        LEFT JOIN client c ON c.tenant = t.tenant AND c.seq = t.seq";
    const NEW: &str = "SELECT tenant, seq, terms FROM client_unindexed";
    snapshot.each(TERMS, |row| {
        let (tenant, seq, term) = (row.text(0)?, row.int(1)?, row.bytes(2)?);
        if row.opt_text(3)?.is_none() {
            found.problem(DERIVED, || format!("search terms of a client that is gone (number {seq})"));
        } else if term != ANY_ORGANIZATION
            && let Some(sums) = expected.get_mut(&(tenant.to_owned(), seq))
        {
            *sums = without(*sums, term);
        }
        Ok(())
    })?;
    snapshot.each(NEW, |row| {
        let (tenant, seq) = (row.text(0)?.to_owned(), row.int(1)?);
        let terms = unpack(row.bytes(2)?);
        match expected.get_mut(&(tenant, seq)) {
            Some(sums) => *sums = terms.into_iter().fold(*sums, without),
            None => {
                found.problem(DERIVED, || format!("search terms of a client that is gone (number {seq})"));
            }
        }
        Ok(())
    })?;
    for ((_, seq), _) in expected.iter().filter(|(_, sums)| **sums != (0, 0)) {
        found.problem(DERIVED, || format!("the search terms of the client with the number {seq}"));
    }
    Ok(())
}

/// What settings of clients name, and the table that remembers it.
fn settings(
    snapshot: &mut Snapshot,
    named: &[Owned],
    references: &HashSet<Owned>,
    found: &mut Findings,
) -> DbResult<()> {
    const TARGETS: &str = "SELECT tenant, client_id, 'credential', id FROM credential \
        UNION ALL SELECT tenant, '', kind, id FROM profile UNION ALL SELECT tenant, '', 'client', client_id FROM client";
    const REMEMBERED: &str = "SELECT tenant, client_id, kind, id FROM client_reference";
    let read = |row: &Row<'_>| {
        let text = |index| row.text(index).map(str::to_owned);
        Ok((text(0)?, text(1)?, text(2)?, text(3)?))
    };
    if !named.is_empty() {
        let targets: HashSet<Owned> = snapshot.rows(TARGETS, read)?.into_iter().collect();
        for (tenant, client, kind, id) in named {
            let owner = if kind == "credential" { client.clone() } else { String::new() };
            if !targets.contains(&(tenant.clone(), owner, kind.clone(), id.clone())) {
                found.problem("a reference leads nowhere", || {
                    format!("client {client} names the {kind} {id}, which is not there")
                });
            }
        }
    }
    let remembered: HashSet<Owned> = snapshot.rows(REMEMBERED, read)?.into_iter().collect();
    for (_, client, kind, id) in remembered.symmetric_difference(references) {
        found.problem(DERIVED, || format!("what client {client} refers to: the {kind} {id}"));
    }
    Ok(())
}
