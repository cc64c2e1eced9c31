//! Entries linked by hashes. There are two chains, because they are not kept for the same reason: what was changed is
//! kept for as long as the operator says, whatever anybody sends; tokens and refused attempts are as many as people
//! ask for, and the oldest make room. One chain could not lose one sort and keep the other.

use super::Event;
use crate::db::{DbError, DbResult, Param, Row, Tx, params};
use tenantry_jose::sha256;

pub(crate) type Hash = [u8; 32];

/// What the first entry of a chain is linked to.
pub(super) const START: Hash = [0; 32];

/// Which chain an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    /// What was changed.
    Changes,
    /// Tokens, and attempts that were refused.
    Attempts,
}

impl Chain {
    pub(super) const ALL: [Self; 2] = [Self::Changes, Self::Attempts];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Attempts => "attempts",
        }
    }

    pub(super) fn of(text: &str) -> DbResult<Self> {
        let found = Self::ALL.into_iter().find(|chain| chain.as_str() == text);
        found.ok_or_else(|| DbError::Data("audit chain".into()))
    }
}

/// An end of a chain: its number there, and across both chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) seq: i64,
    pub(super) number: i64,
    pub(super) hash: Hash,
}

/// Both ends of a chain: its last entry, and the last one that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) last: End,
    pub(super) deleted: End,
}

impl Default for Ends {
    fn default() -> Self {
        let none = End { seq: 0, number: 0, hash: START };
        Self { last: none, deleted: none }
    }
}

pub(super) const ENDS: &str = "SELECT chain, seq, number, hash, deleted_seq, deleted_number, deleted_hash, \
    (SELECT COALESCE(MAX(l.seq), 0) FROM audit_log l WHERE l.tenant = $1) FROM audit_chain WHERE tenant = $1";

pub(super) fn hash_of(row: &Row<'_>, index: usize) -> DbResult<Hash> {
    row.bytes(index)?.try_into().map_err(|_| DbError::Data("a hash of the audit log has not 32 bytes".into()))
}

pub(super) fn read_ends(row: &Row<'_>) -> DbResult<(Chain, Ends)> {
    let end = |at: usize| {
        Ok::<_, DbError>(End { seq: row.int(at)?, number: row.int(at + 1)?, hash: hash_of(row, at + 2)? })
    };
    Ok((Chain::of(row.text(0)?)?, Ends { last: end(1)?, deleted: end(4)? }))
}

/// The ends of both chains; a chain without entries has none stored.
pub(super) fn ends_of(found: &[(Chain, Ends)], chain: Chain) -> Ends {
    found.iter().find(|(other, _)| *other == chain).map(|(_, ends)| *ends).unwrap_or_default()
}

/// What an entry is hashed as: SHA-256 over the hash before it in its chain, and this as JSON.
pub(super) type Hashed<'a> = (&'a str, &'a str, i64, i64, i64, &'a str, Option<&'a str>, &'a str);

/// The hash of an entry.
pub(super) fn link(before: &Hash, entry: &Hashed<'_>) -> Hash {
    let mut bytes = before.to_vec();
    serde_json::to_writer(&mut bytes, entry).expect("texts and numbers are JSON");
    sha256(&bytes)
}

/// Appends entries to the chains of their tenants. Writers take turns, whatever process they are in, so nobody else
/// appends in the meantime.
pub(crate) fn append(tx: &mut Tx<'_>, events: &[Event]) -> DbResult<()> {
    let mut rest = events;
    while let Some(first) = rest.first() {
        let (of_tenant, others) =
            rest.split_at(rest.iter().take_while(|event| event.tenant == first.tenant).count());
        append_to_tenant(tx, &first.tenant, of_tenant)?;
        rest = others;
    }
    Ok(())
}

/// Asks what [`append`] needs to know of the chains of a tenant, while there are other things to do; as [`Tx::ask_ahead`].
pub(crate) fn ask_ahead(tx: &mut Tx<'_>, tenant: &str) -> DbResult<bool> {
    tx.ask_ahead(ENDS, params![tenant])
}

const INSERT: &str = "INSERT INTO audit_log (tenant, seq, chain, number, date, type, client_id, document, hash) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const EXTEND: &str = "INSERT INTO audit_chain \
    (tenant, chain, seq, number, hash, deleted_seq, deleted_number, deleted_hash) VALUES ($1, $2, $3, $4, $5, 0, 0, $6) \
    ON CONFLICT (tenant, chain) DO UPDATE SET seq = excluded.seq, number = excluded.number, hash = excluded.hash";

fn append_to_tenant(tx: &mut Tx<'_>, tenant: &str, events: &[Event]) -> DbResult<()> {
    let mut seq = 0;
    let found = tx.query(ENDS, params![tenant], |row| {
        let (chain, ends) = read_ends(row)?;
        // Also behind entries that the ends know nothing of: where somebody tampered with them, nothing collides.
        seq = seq.max(ends.last.seq).max(row.int(7)?);
        Ok((chain, ends))
    })?;
    for chain in Chain::ALL {
        let mut last = ends_of(&found, chain).last;
        let before = last.number;
        for event in events.iter().filter(|event| event.chain == chain) {
            seq += 1;
            let number = last.number + 1;
            let client_id = event.client_id.as_deref();
            let (name, document) = (chain.as_str(), event.document.as_str());
            let hash =
                link(&last.hash, &(tenant, name, seq, number, event.date, event.kind, client_id, document));
            let row = [
                tenant.into(),
                seq.into(),
                name.into(),
                number.into(),
                event.date.into(),
                event.kind.into(),
                client_id.into(),
                document.into(),
                Param::Bytes(&hash),
            ];
            tx.append(INSERT, [row])?;
            last = End { seq, number, hash };
        }
        if last.number > before {
            tx.write(
                EXTEND,
                params![tenant, chain.as_str(), last.seq, last.number, &last.hash[..], &START[..]],
            )?;
        }
    }
    Ok(())
}
