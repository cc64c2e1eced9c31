//! Whether a database is whole: its schema, its pages, its seals, its documents, and what refers to what.

mod clients;
mod documents;
mod references;
mod seals;

use super::{MaintenanceError, Result, Site, blocking};
use crate::app::DEFAULT_TENANT;
use crate::audit::{self, VerifyError};
use crate::db::{Db, DbResult, Snapshot};
use crate::seal::MasterKey;
use std::collections::BTreeMap;

/// Problems of one kind that are told; the others are counted.
const TOLD: usize = 20;

/// Something that is wrong, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What, and where.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// How many rows were looked at.
    pub rows: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    checked: Checked,
    /// How many there are of each kind beyond those that are told.
    more: BTreeMap<&'static str, usize>,
    told: BTreeMap<&'static str, usize>,
}

impl Findings {
    /// A row was looked at.
    fn row(&mut self) {
        self.checked.rows += 1;
    }

    fn problem(&mut self, kind: &'static str, what: impl FnOnce() -> String) {
        let told = self.told.entry(kind).or_default();
        if *told < TOLD {
            *told += 1;
            self.checked.problems.push(Problem { what: format!("{kind}: {}", what()) });
        } else {
            *self.more.entry(kind).or_default() += 1;
        }
    }

    fn done(mut self) -> Checked {
        let more =
            self.more.into_iter().map(|(kind, n)| Problem { what: format!("{kind}: {n} more of these") });
        self.checked.problems.extend(more);
        self.checked
    }
}

impl From<VerifyError> for MaintenanceError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::DataDir(error) => error.into(),
            VerifyError::Database(error) => error.into(),
            VerifyError::Busy => Self::Refused(error.to_string()),
        }
    }
}

/// One part of the check.
type Part = fn(&mut Snapshot, &MasterKey, &mut Findings) -> DbResult<()>;

/// What is checked, in this order.
const PARTS: &[Part] = &[
    |snapshot, _, found| pages(snapshot, found),
    |snapshot, _, found| references::declared(snapshot, found),
    seals::open,
    |snapshot, _, found| documents::parse(snapshot, found),
    |snapshot, _, found| clients::check(snapshot, found),
    |snapshot, _, found| references::others(snapshot, found),
];

impl Site {
    /// Looks at everything in the database, as it is at one moment, and changes nothing.
    ///
    /// # Errors
    /// The database cannot be read, has another version's schema, or there is no master key.
    pub async fn check(&self) -> Result<Checked> {
        let log = audit::verify(&Db::read_only(self.target())?, DEFAULT_TENANT).await;
        let site = self.clone();
        blocking(move || {
            let master = site.master()?;
            let mut snapshot = Snapshot::open(site.target())?;
            let mut found = Findings::default();
            for part in PARTS {
                part(&mut snapshot, &master, &mut found)?;
            }
            logged(log?, &mut found);
            Ok(found.done())
        })
        .await
    }
}

/// What the log says of itself; `tenantry audit verify` tells more.
fn logged(report: audit::Report, found: &mut Findings) {
    for audit::Problem { chain, number, problem, .. } in report.problems {
        found.problem("the log was altered", || format!("{chain}, entry {number}: {problem}"));
    }
}

/// The engine's own look at its pages and indexes. PostgreSQL has checksums for that, and no statement.
fn pages(snapshot: &mut Snapshot, found: &mut Findings) -> DbResult<()> {
    if snapshot.is_sqlite() {
        for line in snapshot.rows("PRAGMA integrity_check", |row| Ok(row.text(0)?.to_owned()))? {
            if line != "ok" {
                found.problem("the file is damaged", || line);
            }
        }
    }
    Ok(())
}
