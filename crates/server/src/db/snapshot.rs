//! A database as it is at one moment, read from end to end beside whatever servers do with it.

use super::value::Row;
use super::{DbError, DbResult, Target, migrate, postgres, sqlite};
use ::postgres::fallible_iterator::FallibleIterator as _;
use ::postgres::types::ToSql;
use rusqlite::OpenFlags;

/// Reads in one transaction. Blocks, and must not be used on a thread of an asynchronous runtime.
pub(crate) enum Snapshot {
    Sqlite(rusqlite::Connection),
    Postgres(Box<::postgres::Client>),
}

impl Snapshot {
    /// Opens a database whose schema is this program's.
    pub(crate) fn open(target: &Target) -> DbResult<Self> {
        let (snapshot, found) = Self::of_any_version(target)?;
        migrate::require_known(found)?;
        Ok(snapshot)
    }

    /// Opens a database whose schema is this program's or one that it can bring up to date.
    pub(crate) fn open_older(target: &Target) -> DbResult<Self> {
        let (snapshot, found) = Self::of_any_version(target)?;
        match migrate::require_known(found) {
            Ok(()) | Err(DbError::Older { .. }) => Ok(snapshot),
            Err(error) => Err(error),
        }
    }

    fn of_any_version(target: &Target) -> DbResult<(Self, i64)> {
        const VERSION: &str = "SELECT MAX(version) FROM migration";
        let mut snapshot = match target {
            Target::Sqlite(path) => {
                if !path.exists() {
                    return Err(DbError::Foreign(target.to_string()));
                }
                let connection = sqlite::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                sqlite::batch(&connection, "BEGIN")?;
                Self::Sqlite(connection)
            }
            Target::Postgres(settings) => {
                let mut client = postgres::connect(settings)?;
                client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
                Self::Postgres(Box::new(client))
            }
        };
        match snapshot.rows(VERSION, |row| row.opt_int(0)).as_deref() {
            Ok([Some(found)]) => Ok((snapshot, *found)),
            Ok(_) | Err(DbError::Engine(_)) => Err(DbError::Foreign(target.to_string())),
            Err(error) => Err(error.again()),
        }
    }

    /// Refuses what [`Snapshot::open`] would refuse.
    pub(super) async fn check(target: &Target) -> DbResult<()> {
        let target = target.clone();
        let checked = tokio::task::spawn_blocking(move || Self::open(&target).map(drop));
        checked.await.map_err(|_| DbError::Stopped)?
    }

    /// Hands over the rows of a statement one by one.
    pub(crate) fn each(&mut self, sql: &str, mut read: impl FnMut(&Row<'_>) -> DbResult<()>) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    read(&Row::Sqlite(row))?;
                }
            }
            Self::Postgres(client) => {
                let nothing: [&(dyn ToSql + Sync); 0] = [];
                let mut rows = client.query_raw(sql, nothing)?;
                while let Some(row) = rows.next()? {
                    read(&Row::Postgres(&row))?;
                }
            }
        }
        Ok(())
    }

    /// The rows of a statement.
    pub(crate) fn rows<T>(
        &mut self,
        sql: &str,
        mut read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        let mut all = Vec::new();
        self.each(sql, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Whether it is a file of SQLite.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}
