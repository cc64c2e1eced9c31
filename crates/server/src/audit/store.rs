//! Reading the log.

use crate::db::{Db, DbResult, Param, Row, params};
use std::fmt::Write as _;
use tenantry_types::logs::{Bounds, log_id};

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) date: i64,
    pub(super) kind: String,
    pub(super) client_id: Option<String>,
    pub(super) document: String,
}

impl Stored {
    pub(super) fn log_id(&self) -> String {
        log_id(self.date, self.seq)
    }
}

const COLUMNS: &str = "SELECT seq, date, type, client_id, document FROM audit_log WHERE tenant = $1";

fn read(row: &Row<'_>) -> DbResult<Stored> {
    Ok(Stored {
        seq: row.int(0)?,
        date: row.int(1)?,
        kind: row.text(2)?.to_owned(),
        client_id: row.opt_text(3)?.map(str::to_owned),
        document: row.text(4)?.to_owned(),
    })
}

/// The entry of that number.
pub(super) async fn find(db: &Db, tenant: &str, seq: i64) -> DbResult<Option<Stored>> {
    let sql = format!("{COLUMNS} AND seq = $2");
    db.query_opt(&sql, params![tenant, seq], read).await
}

/// Entries in the order in which they were written, behind that number.
pub(super) async fn after(db: &Db, tenant: &str, seq: i64, limit: i64) -> DbResult<Vec<Stored>> {
    let sql = format!("{COLUMNS} AND seq > $2 ORDER BY seq LIMIT $3");
    db.query(&sql, params![tenant, seq, limit], read).await
}

/// How many entries from a date on are looked at to find the one that was written first. They are written nearly in the
/// order of their dates: what somebody tried is written up to a second later than it was tried, or when the database is
/// there again.
const NEARLY: i64 = 20_000;

/// The number before all entries that are not older than `date`.
pub(super) async fn before_date(db: &Db, tenant: &str, date: i64) -> DbResult<i64> {
    const FIRST: &str = "SELECT MIN(seq) FROM (SELECT seq FROM audit_log WHERE tenant = $1 AND date >= $2 \
        ORDER BY date, seq LIMIT $3) AS first";
    let first = db.query_opt(FIRST, params![tenant, date, NEARLY], |row| row.opt_int(0)).await?.flatten();
    Ok(first.map_or(i64::MAX, |first| first - 1))
}

/// How many entries there are.
pub(super) async fn count(db: &Db, tenant: &str) -> DbResult<i64> {
    const COUNT: &str =
        "SELECT CAST(COALESCE(SUM(number - deleted_number), 0) AS BIGINT) FROM audit_chain WHERE tenant = $1";
    Ok(db.query_opt(COUNT, params![tenant], |row| row.int(0)).await?.unwrap_or(0))
}

/// The order of a list, by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// Walks through the entries within bounds, by date, some at a time.
pub(super) struct Walk<'a> {
    db: &'a Db,
    tenant: &'a str,
    bounds: &'a Bounds,
    order: Order,
    /// The date and number of the entry that came last.
    at: Option<(i64, i64)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(db: &'a Db, tenant: &'a str, bounds: &'a Bounds, order: Order) -> Self {
        Self { db, tenant, bounds, order, at: None }
    }

    /// The next entries; fewer than `limit` are the last.
    pub(super) async fn next(&mut self, limit: usize) -> DbResult<Vec<Stored>> {
        // An index has the entries of one type by date; those of several are put together.
        let kinds: Vec<_> = self.bounds.types.iter().map(|kind| Some(kind.as_str())).collect();
        let kinds = if kinds.is_empty() { vec![None] } else { kinds };
        let mut found = Vec::new();
        for kind in kinds {
            found.extend(self.of_type(kind, limit).await?);
        }
        if self.bounds.types.len() > 1 {
            found.sort_by_key(|entry| (entry.date, entry.seq));
            if self.order == Order::NewestFirst {
                found.reverse();
            }
        }
        found.truncate(limit);
        self.at = found.last().map(|entry| (entry.date, entry.seq)).or(self.at);
        Ok(found)
    }

    async fn of_type(&self, kind: Option<&str>, limit: usize) -> DbResult<Vec<Stored>> {
        // The walk starts at one end of the period, so that nothing outside is read; the other ends it.
        let Bounds { from, to, .. } = *self.bounds;
        let (sign, direction, start, end) = match self.order {
            Order::OldestFirst => {
                let start = from.map_or((i64::MIN, 0), |from| (from.saturating_sub(1), i64::MAX));
                (">", "ASC", start, ("date <", to))
            }
            Order::NewestFirst => ("<", "DESC", (to.unwrap_or(i64::MAX), 0), ("date >=", from)),
        };
        let (date, seq) = self.at.unwrap_or(start);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut params = params![self.tenant, date, seq, limit].to_vec();
        let mut sql = format!("{COLUMNS} AND (date, seq) {sign} ($2, $3)");
        let mut and = |condition: &str, value: Option<Param<'a>>| {
            if let Some(value) = value {
                params.push(value);
                let _ = write!(sql, " AND {condition} ${}", params.len());
            }
        };
        and(end.0, end.1.map(Param::from));
        let kind = self.bounds.types.iter().find(|one| kind == Some(one.as_str()));
        and("type =", kind.map(|kind| Param::from(kind.as_str())));
        and("client_id =", self.bounds.client_id.as_deref().map(Param::from));
        let _ = write!(sql, " ORDER BY date {direction}, seq {direction} LIMIT $4");
        self.db.query(&sql, &params, read).await
    }
}
