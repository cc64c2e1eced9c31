//! Whether the log is as it was written.

use super::chain::{self, Chain, End, Ends, Hash, ends_of, link};
use super::retention::hex;
use crate::app::DEFAULT_TENANT;
use crate::data_dir::{DataDir, DataDirError};
use crate::db::{Db, DbError, DbResult, Row, Target, params};
use serde::Serialize;
use serde_json::Value;
use tenantry_types::logs::{log_id, types};

/// The log could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Old entries were deleted all the time.
    #[error("old entries are being deleted; try again")]
    Busy,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub intact: bool,
    /// The chains.
    pub chains: Vec<ChainReport>,
    /// What is wrong, in the order of the log.
    pub problems: Vec<Problem>,
}

/// One chain.
#[derive(Debug, Serialize)]
pub struct ChainReport {
    /// `changes` or `attempts`.
    pub chain: &'static str,
    /// Entries that are there.
    pub entries: i64,
    /// Entries that were deleted for their age.
    pub deleted: i64,
    /// The hash of the last entry, in hex. Who keeps it elsewhere can tell later that nothing before it was changed.
    pub hash: String,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The chain.
    pub chain: &'static str,
    /// The number of the entry within the chain.
    pub number: i64,
    /// Its id in the API, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_id: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads the whole log. Works beside running servers, and without one. `database_url` is needed where the server's has a
/// password, or where there is no data directory.
///
/// # Errors
/// The log cannot be read. That something is wrong with it is no error but part of the report.
pub async fn verify_audit(dir: &DataDir, database_url: Option<&str>) -> Result<Report, VerifyError> {
    let target = match (database_url, dir.server_file()) {
        (Some(url), _) => Target::parse(url)?,
        // A backup was restored, and no server has started on it yet.
        (None, Err(DataDirError::Empty(_))) if dir.database().exists() => Target::Sqlite(dir.database()),
        (None, server) => Target::parse(&server?.database)?,
    };
    let db = Db::read_only(&target)?;
    verify(&db, DEFAULT_TENANT).await
}

/// How often the log is read anew because old entries went in the meantime.
const TRIES: usize = 5;

pub(crate) async fn verify(db: &Db, tenant: &str) -> Result<Report, VerifyError> {
    for _ in 0..TRIES {
        let before = ends(db, tenant).await?;
        let report = read_all(db, tenant, &before).await?;
        let after = ends(db, tenant).await?;
        let is_same = Chain::ALL
            .iter()
            .all(|chain| ends_of(&before, *chain).deleted == ends_of(&after, *chain).deleted);
        if report.intact || is_same {
            return Ok(report);
        }
    }
    Err(VerifyError::Busy)
}

async fn ends(db: &Db, tenant: &str) -> DbResult<Vec<(Chain, Ends)>> {
    db.query(chain::ENDS, params![tenant], chain::read_ends).await
}

/// Entries that are read at once.
const STEP: i64 = 1_000;

struct Entry {
    seq: i64,
    chain: String,
    number: i64,
    date: i64,
    kind: String,
    client_id: Option<String>,
    document: String,
    hash: Vec<u8>,
}

fn read(row: &Row<'_>) -> DbResult<Entry> {
    Ok(Entry {
        seq: row.int(0)?,
        chain: row.text(1)?.to_owned(),
        number: row.int(2)?,
        date: row.int(3)?,
        kind: row.text(4)?.to_owned(),
        client_id: row.opt_text(5)?.map(str::to_owned),
        document: row.text(6)?.to_owned(),
        hash: row.bytes(7)?.to_vec(),
    })
}

async fn read_all(db: &Db, tenant: &str, found: &[(Chain, Ends)]) -> DbResult<Report> {
    const NEXT: &str = "SELECT seq, chain, number, date, type, client_id, document, hash FROM audit_log \
        WHERE tenant = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4";
    // One statement, so that nothing is written between its two looks.
    const BEYOND: &str = "SELECT seq, chain, number, date, type, client_id, document, hash FROM audit_log \
        WHERE tenant = $1 AND seq > (SELECT COALESCE(MAX(seq), 0) FROM audit_chain WHERE tenant = $1) \
        ORDER BY seq LIMIT 100";
    let mut followed = Chain::ALL.map(|chain| Followed::new(chain, ends_of(found, chain)));
    let end = followed.iter().map(|one| one.ends.last.seq).max().unwrap_or(0);
    let mut problems = Vec::new();
    let mut notice = None;
    let mut at = 0;
    loop {
        let entries = db.query(NEXT, params![tenant, at, end, STEP], read).await?;
        let Some(last) = entries.last() else { break };
        at = last.seq;
        for entry in &entries {
            match followed.iter_mut().find(|one| one.chain.as_str() == entry.chain) {
                Some(one) => one.see(tenant, entry, &mut problems),
                None => problems.push(Problem {
                    chain: "unknown",
                    number: entry.number,
                    log_id: Some(log_id(entry.date, entry.seq)),
                    problem: format!("belongs to a chain that does not exist: {}", entry.chain),
                }),
            }
            if entry.kind == types::CLEANUP && entry.chain == Chain::Changes.as_str() {
                notice = Some(entry.document.clone());
            }
        }
    }
    for one in &followed {
        one.finish(notice.as_deref(), &mut problems);
    }
    for entry in db.query(BEYOND, params![tenant], read).await? {
        problems.push(Problem {
            chain: Chain::of(&entry.chain).map_or("unknown", Chain::as_str),
            number: entry.number,
            log_id: Some(log_id(entry.date, entry.seq)),
            problem: BEHIND.into(),
        });
    }
    // Entries are numbered across both chains, without gaps; each chain counts its own.
    let counted: i64 = followed.iter().map(|one| one.ends.last.number).sum();
    if problems.is_empty() && counted != end {
        problems.push(Problem {
            chain: "unknown",
            number: end,
            log_id: None,
            problem: format!(
                "is the number of the last entry, and the ends of the chains know of {counted}: some are gone with what was \
                 remembered of them"
            ),
        });
    }
    let chains = followed.iter().map(Followed::report).collect();
    Ok(Report { intact: problems.is_empty(), chains, problems })
}

const BEHIND: &str = "stands behind the end of the log";

/// A chain as far as it was read.
struct Followed {
    chain: Chain,
    ends: Ends,
    number: i64,
    hash: Hash,
    entries: i64,
}

impl Followed {
    fn new(chain: Chain, ends: Ends) -> Self {
        let End { number, hash, .. } = ends.deleted;
        Self { chain, ends, number, hash, entries: 0 }
    }

    fn problem(&self, number: i64, entry: Option<&Entry>, problem: &str) -> Problem {
        Problem {
            chain: self.chain.as_str(),
            number,
            log_id: entry.map(|entry| log_id(entry.date, entry.seq)),
            problem: problem.to_owned(),
        }
    }

    fn see(&mut self, tenant: &str, entry: &Entry, problems: &mut Vec<Problem>) {
        self.entries += 1;
        let expected = self.number + 1;
        if entry.number < expected {
            problems.push(self.problem(entry.number, Some(entry), "is not in its place, or was inserted"));
            return;
        }
        for missing in (expected..entry.number).take(MOST_MISSING) {
            problems.push(self.problem(missing, None, "is missing"));
        }
        let hashed = (
            tenant,
            entry.chain.as_str(),
            entry.seq,
            entry.number,
            entry.date,
            entry.kind.as_str(),
            entry.client_id.as_deref(),
            entry.document.as_str(),
        );
        // What an entry behind a gap is linked to is not known; its own hash is taken for the rest.
        if entry.number == expected && entry.hash != link(&self.hash, &hashed) {
            problems.push(self.problem(
                entry.number,
                Some(entry),
                "is not as it was written, or the one before it is not",
            ));
        }
        if entry.number > self.ends.last.number {
            problems.push(self.problem(entry.number, Some(entry), BEHIND));
        }
        self.number = entry.number;
        self.hash = entry.hash.as_slice().try_into().unwrap_or(chain::START);
    }

    /// Compares with what is remembered of the ends.
    fn finish(&self, notice: Option<&str>, problems: &mut Vec<Problem>) {
        let Ends { last, deleted } = self.ends;
        for missing in (self.number + 1..=last.number).take(MOST_MISSING) {
            problems.push(self.problem(missing, None, "is missing"));
        }
        if self.number == last.number && self.hash != last.hash {
            problems.push(self.problem(last.number, None, "is not the entry that was written last"));
        }
        if deleted.number > 0 && !is_told(notice, self.chain, &deleted) {
            problems.push(self.problem(
                deleted.number,
                None,
                "and those before it are gone, and the log does not say so",
            ));
        }
    }

    fn report(&self) -> ChainReport {
        ChainReport {
            chain: self.chain.as_str(),
            entries: self.entries,
            deleted: self.ends.deleted.number,
            hash: hex(&self.ends.last.hash),
        }
    }
}

/// Missing entries that are named one by one.
const MOST_MISSING: usize = 100;

/// Whether the last entry about deletions says that of this chain everything up to `deleted` went.
fn is_told(notice: Option<&str>, chain: Chain, deleted: &End) -> bool {
    let notice: Option<Value> = notice.and_then(|text| serde_json::from_str(text).ok());
    notice.is_some_and(|notice| {
        let told = &notice["details"]["deleted"][chain.as_str()];
        told["number"] == deleted.number && told["hash"] == hex(&deleted.hash)
    })
}
