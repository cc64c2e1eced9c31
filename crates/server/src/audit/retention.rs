//! Old entries go. What is left still proves itself: the hash of the last entry that went is kept, and an entry in the
//! chain of changes says that it went, so that nobody can pass off his own deletion as ours.

use super::chain::{self, Chain, End, Ends, ends_of};
use super::{Event, Hash};
use crate::app::App;
use crate::db::{DbError, DbResult, Row, Tx, params};
use std::time::Duration;
use tenantry_types::logs::types;

/// How often the oldest entries are looked at.
pub(super) const INTERVAL: Duration = Duration::from_secs(600);
const INTERVAL_MS: i64 = 600_000;
/// Entries that go in one transaction; other writers wait for it.
const CHUNK: i64 = 1_000;

/// When the oldest entries are looked at.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    next: i64,
}

impl Schedule {
    /// Deletes what is due, if the last time is long enough ago.
    pub(super) async fn run(&mut self, app: &App) -> DbResult<()> {
        let now = app.clock.now_ms();
        if now < self.next {
            return Ok(());
        }
        self.next = now.saturating_add(INTERVAL_MS);
        for chain in Chain::ALL {
            while delete(app, chain, now).await? == CHUNK {}
        }
        Ok(())
    }
}

/// Deletes some of the oldest entries of a chain that are due; says how many.
async fn delete(app: &App, chain: Chain, now: i64) -> DbResult<i64> {
    let tenant = app.tenant.clone();
    let kept = app.audit.kept;
    let cutoff = now.saturating_sub(kept.millis);
    app.db
        .transaction(move |tx| {
            let found = tx.query(chain::ENDS, params![&tenant], chain::read_ends)?;
            let Ends { last, deleted } = ends_of(&found, chain);
            let beyond = match chain {
                Chain::Changes => 0,
                Chain::Attempts => last.number.saturating_sub(kept.attempts),
            };
            let Some(end) = due(tx, &tenant, chain, deleted, (cutoff, beyond))? else { return Ok(0) };
            let count = end.number - deleted.number;
            remove(tx, &tenant, chain, deleted, end)?;
            let mut ends = Chain::ALL.map(|chain| (chain, ends_of(&found, chain).deleted));
            for (_, deleted) in ends.iter_mut().filter(|(other, _)| *other == chain) {
                *deleted = end;
            }
            tx.log(notice(&tenant, now, count, &ends));
            Ok::<_, DbError>(count)
        })
        .await
}

/// The last entry of the oldest ones that are due, `CHUNK` at most.
fn due(
    tx: &mut Tx<'_>,
    tenant: &str,
    chain: Chain,
    deleted: End,
    (cutoff, beyond): (i64, i64),
) -> DbResult<Option<End>> {
    let read = |row: &Row<'_>| {
        let end = End { seq: row.int(0)?, number: row.int(1)?, hash: chain::hash_of(row, 2)? };
        Ok((end, row.int(3)?))
    };
    let oldest = tx.query(&oldest(chain), params![tenant, deleted.seq, CHUNK], read)?;
    let is_due = |(end, date): &&(End, i64)| *date < cutoff || end.number <= beyond;
    Ok(oldest.iter().take_while(is_due).last().map(|(end, _)| *end))
}

/// The chain stands in the text: there is an index for each, because either may be few among many.
fn oldest(chain: Chain) -> String {
    format!(
        "SELECT seq, number, hash, date FROM audit_log \
         WHERE tenant = $1 AND chain = '{}' AND seq > $2 ORDER BY seq LIMIT $3",
        chain.as_str()
    )
}

fn remove(tx: &mut Tx<'_>, tenant: &str, chain: Chain, from: End, to: End) -> DbResult<()> {
    const REMEMBER: &str = "UPDATE audit_chain SET deleted_seq = $3, deleted_number = $4, deleted_hash = $5 \
        WHERE tenant = $1 AND chain = $2";
    let delete = format!(
        "DELETE FROM audit_log WHERE tenant = $1 AND chain = '{}' AND seq > $2 AND seq <= $3",
        chain.as_str()
    );
    tx.write(&delete, params![tenant, from.seq, to.seq])?;
    tx.write(REMEMBER, params![tenant, chain.as_str(), to.seq, to.number, &to.hash[..]])
}

/// The entry that says what went: for each chain the number and hash of the last one.
fn notice(tenant: &str, now: i64, count: i64, ends: &[(Chain, End)]) -> Event {
    let chains: serde_json::Map<_, _> = ends
        .iter()
        .map(|(chain, end)| {
            let end = serde_json::json!({"number": end.number, "hash": hex(&end.hash)});
            (chain.as_str().to_owned(), end)
        })
        .collect();
    let description = format!("Deleted {count} old entries of the log");
    let document =
        serde_json::json!({"description": description, "details": {"count": count, "deleted": chains}});
    Event {
        tenant: tenant.to_owned(),
        chain: Chain::Changes,
        date: now,
        kind: types::CLEANUP,
        client_id: None,
        document: document.to_string(),
    }
}

pub(super) fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::search::tests::plan_of;
    use crate::db::{Db, Target};

    #[tokio::test]
    async fn the_oldest_of_a_chain_are_found_without_reading_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&Target::Sqlite(dir.path().join("t.db"))).await.unwrap();
        for chain in Chain::ALL {
            let plan = plan_of(&db, &oldest(chain), params!["t", 0_i64, CHUNK]).await;
            let index = format!("SEARCH audit_log USING INDEX audit_log_{} ", chain.as_str());
            assert!(matches!(&plan[..], [step] if step.starts_with(&index)), "{chain:?}: {plan:#?}");
        }
    }
}
