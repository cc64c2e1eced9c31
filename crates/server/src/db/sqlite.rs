//! SQLite: readers called inline; a point read takes a few microseconds, less than any hand-over to another thread.

use super::value::{Param, Row};
use super::{DbError, DbResult};
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Readers kept open; more are opened when all are in use, and closed again.
const READERS: usize = 8;
const STATEMENTS: usize = 128;
/// Kilobytes of pages that a connection keeps. The file is not mapped into memory instead: each connection has a mapping
/// of its own, and what they touch would count as the server's memory.
const READ_CACHE: u32 = 6 << 10;
const WRITE_CACHE: u32 = 20 << 10;
/// Pages in the write-ahead log at which they are moved into the database. Those at the ends of tables and indexes are
/// written with nearly every commit, and moved once.
const CHECKPOINT: u32 = 4_000;

/// A file, and the connections that read from it.
pub(super) struct Sqlite {
    path: PathBuf,
    /// The one that was used last is used first: its pages are the warmest.
    readers: Mutex<Vec<Connection>>,
}

impl Sqlite {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), readers: Mutex::default() }
    }

    /// The connection that writes; makes the file if there is none.
    pub(super) fn writer(&self) -> DbResult<Connection> {
        create(&self.path)?;
        let connection =
            connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -{WRITE_CACHE}; \
             PRAGMA wal_autocheckpoint = {CHECKPOINT};"
        ))?;
        Ok(connection)
    }

    /// The rows of a statement that only reads.
    pub(super) fn read<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        let kept = self.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        let rows = query(&connection, sql, params, read);
        let mut readers = self.readers.lock();
        if readers.len() < READERS {
            readers.push(connection);
        }
        rows
    }

    /// How many connections are kept at most, how many are idle, and how many requests wait for one: none ever does.
    pub(super) fn readers(&self) -> (usize, usize, usize) {
        (READERS, self.readers.lock().len(), 0)
    }

    /// Closes the readers: only the last connection to close can empty the write-ahead log.
    pub(super) fn close(&self) {
        self.readers.lock().clear();
    }
}

/// Makes the file, if there is none, for its owner only: SQLite would let others read it, and gives its log the same mode.
fn create(path: &Path) -> DbResult<()> {
    // Nor may one that is in use be opened besides: closing it again would end SQLite's locks.
    if path.exists() {
        return Ok(());
    }
    let created = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    created.map(drop).map_err(|error| DbError::Unavailable(format!("{}: {error}", path.display())))
}

pub(super) fn connect(path: &Path, flags: OpenFlags) -> DbResult<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it, binding a parameter that the planner looked at makes SQLite prepare the statement anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; \
         PRAGMA cache_size = -{READ_CACHE};"
    ))?;
    Ok(connection)
}

/// Everything is in the log already; this leaves a database that is one file.
pub(super) fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the write-ahead log could not be emptied");
    }
}

/// Runs statements without parameters.
pub(super) fn batch(connection: &Connection, sql: &str) -> DbResult<()> {
    Ok(connection.execute_batch(sql)?)
}

/// Names of parameters, as SQLite knows them: `$n` is a name there, not a position.
const NAMES: [&str; 20] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16",
    "$17", "$18", "$19", "$20",
];

fn bind(statement: &mut CachedStatement<'_>, params: &[Param<'_>]) -> DbResult<()> {
    for (position, (name, param)) in NAMES.iter().zip(params).enumerate() {
        // Most stand in their order, which saves the search.
        let index = match statement.parameter_name(position + 1) {
            Some(found) if found == *name => Some(position + 1),
            _ => statement.parameter_index(name)?,
        };
        let Some(index) = index else {
            return Err(DbError::Data(format!("{name} is bound but does not stand in the statement")));
        };
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

pub(super) fn query<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> DbResult<T>,
) -> DbResult<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(&Row::Sqlite(row))?);
    }
    Ok(found)
}

pub(super) fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()?)
}

/// Runs a statement for each row of parameters.
pub(super) fn execute_each<'p, R: AsRef<[Param<'p>]>>(
    connection: &Connection,
    sql: &str,
    rows: impl IntoIterator<Item = R>,
) -> DbResult<()> {
    let mut statement = connection.prepare_cached(sql)?;
    for row in rows {
        bind(&mut statement, row.as_ref())?;
        statement.raw_execute()?;
    }
    Ok(())
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        match (code, error) {
            (Some(ErrorCode::ConstraintViolation), rusqlite::Error::SqliteFailure(_, message)) => {
                Self::Conflict(message.unwrap_or_default())
            }
            // The disk is full, may not be written, or is broken: nothing that a request could do about.
            (
                Some(
                    ErrorCode::DiskFull
                    | ErrorCode::ReadOnly
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::CannotOpen
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked,
                ),
                error,
            ) => Self::Unavailable(error.to_string()),
            (_, error) => Self::Engine(error.to_string()),
        }
    }
}
