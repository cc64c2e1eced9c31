//! `SQLite`: readers called inline (a point read takes a few microseconds, less than any hand-over to another thread),
//! and one writer thread that gathers waiting transactions into one durable commit.

use super::generations::{Generations, Kind, Slot};
use super::value::{Param, Row};
use super::{DbError, DbResult, migrate};
use crossbeam_channel::{Receiver, Sender};
use crossbeam_queue::ArrayQueue;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Transactions in one commit at most; more makes the first one wait without making the rest quicker.
const GROUP: usize = 256;
/// Transactions that may wait; beyond it writers wait for a place.
const QUEUE: usize = 4_096;
/// Readers kept open; more are opened when all are in use, and closed again.
const READERS: usize = 8;
const STATEMENTS: usize = 128;

/// The database.
#[derive(Clone)]
pub(crate) struct Db(Arc<Inner>);

struct Inner {
    path: PathBuf,
    readers: ArrayQueue<Connection>,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    generations: Arc<Generations>,
}

/// A transaction's work: does it, and says how to answer once it is known whether the commit held.
type Job = Box<dyn FnOnce(&mut Tx<'_>) -> Answer + Send>;
type Answer = (bool, Box<dyn FnOnce(DbResult<()>) + Send>);

impl Db {
    /// Opens the file, brings its schema up to date, and starts the writer.
    pub(crate) fn open(path: &Path) -> DbResult<Self> {
        let mut connection =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        migrate::run(&mut connection)?;
        let generations = Arc::new(Generations::default());
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE);
        let writer = {
            let generations = Arc::clone(&generations);
            std::thread::Builder::new()
                .name("db-writer".into())
                .spawn(move || write(&connection, &queue, &generations))
                .map_err(|source| DbError::Io { path: path.display().to_string(), source })?
        };
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            readers: ArrayQueue::new(READERS),
            jobs: Some(jobs),
            writer: Some(writer),
            generations,
        })))
    }

    /// Opens the file of a server that may be running, to read only.
    pub(crate) fn read_only(path: &Path) -> DbResult<Self> {
        let readers = ArrayQueue::new(READERS);
        let _ = readers.push(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?);
        let generations = Arc::default();
        Ok(Self(Arc::new(Inner { path: path.to_owned(), readers, jobs: None, writer: None, generations })))
    }

    /// What caches compare; see [`Generations`].
    pub(crate) fn generations(&self) -> &Generations {
        &self.0.generations
    }

    /// The rows of a statement that only reads.
    #[expect(clippy::unused_async, reason = "a networked engine waits here")]
    pub(crate) async fn query<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        let connection = match self.0.readers.pop() {
            Some(connection) => connection,
            None => connect(&self.0.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        let rows = query(&connection, sql, params, read);
        // Beyond the kept number the connection closes here.
        let _ = self.0.readers.push(connection);
        rows
    }

    /// The first row of a statement that only reads.
    pub(crate) async fn query_opt<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Option<T>> {
        Ok(self.query(sql, params, read).await?.into_iter().next())
    }

    /// Runs `work` in one transaction, and returns when it is durable. An error from `work` undoes it.
    pub(crate) async fn transaction<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let result = catch_unwind(AssertUnwindSafe(|| work(tx)))
                .unwrap_or_else(|_| Err(DbError::Data("a transaction panicked".into()).into()));
            let finish = move |result: Result<T, E>| {
                // Whoever asked may have gone; the transaction stands all the same.
                let _ = reply.send(result);
            };
            match result {
                Ok(value) => (true, Box::new(move |commit| finish(commit.map(|()| value).map_err(E::from)))),
                Err(error) => (false, Box::new(move |_| finish(Err(error)))),
            }
        });
        let Some(jobs) = &self.0.jobs else { return Err(DbError::Stopped.into()) };
        if let Err(error) = jobs.try_send(job) {
            let jobs = jobs.clone();
            let job = error.into_inner();
            tokio::task::spawn_blocking(move || jobs.send(job)).await.ok();
        }
        answer.await.unwrap_or_else(|_| Err(DbError::Stopped.into()))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The readers go first: only the last connection to close can empty the write-ahead log.
        while self.readers.pop().is_some() {}
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != std::thread::current().id()
        {
            let _ = writer.join();
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> DbResult<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;",
    )?;
    Ok(connection)
}

/// The writer thread.
fn write(connection: &Connection, queue: &Receiver<Job>, generations: &Generations) {
    while let Ok(first) = queue.recv() {
        let mut answers = Vec::new();
        let mut changed = Vec::new();
        let commit = (|| {
            execute(connection, "BEGIN IMMEDIATE", &[])?;
            let mut next = Some(first);
            while let Some(job) = next {
                execute(connection, "SAVEPOINT job", &[])?;
                let mut tx = Tx { connection, changed: Vec::new() };
                let (keep, answer) = job(&mut tx);
                let slots = tx.changed;
                answers.push(answer);
                if keep {
                    changed.extend(slots);
                } else {
                    execute(connection, "ROLLBACK TO job", &[])?;
                }
                execute(connection, "RELEASE job", &[])?;
                next = if answers.len() < GROUP { queue.try_recv().ok() } else { None };
            }
            execute(connection, "COMMIT", &[]).map(|_| ())
        })();
        if let Err(error) = &commit {
            tracing::error!(%error, "a commit failed; nothing of it was stored");
            let _ = execute(connection, "ROLLBACK", &[]);
        }
        for slot in changed {
            generations.moved(slot);
        }
        for answer in answers {
            answer(
                commit.as_ref().copied().map_err(|error| DbError::Data(format!("commit failed: {error}"))),
            );
        }
    }
    // Everything is in the log already; this leaves a database that is one file.
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "the write-ahead log could not be emptied");
    }
}

/// A transaction.
pub(crate) struct Tx<'a> {
    connection: &'a Connection,
    changed: Vec<Slot>,
}

impl Tx<'_> {
    /// Says that an object changed, for the caches.
    pub(crate) fn changed(&mut self, kind: Kind, tenant: &str, id: &str) {
        self.changed.push(Slot::of(kind, tenant, id));
    }

    /// Runs a statement; returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
        execute(self.connection, sql, params)
    }

    /// The rows of a statement.
    pub(crate) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        query(self.connection, sql, params, read)
    }

    /// The first row of a statement.
    pub(crate) fn query_opt<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Option<T>> {
        Ok(self.query(sql, params, read)?.into_iter().next())
    }

    /// Which shard of a counter to use. One writer never waits for another, so one shard is enough.
    #[expect(clippy::unused_self, reason = "an engine with several writers looks at itself")]
    pub(crate) fn shard(&self) -> i64 {
        0
    }
}

/// Names of parameters, as `SQLite` knows them: `$n` is a name there, not a position.
const NAMES: [&str; 20] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16",
    "$17", "$18", "$19", "$20",
];

fn bind(statement: &mut CachedStatement<'_>, params: &[Param<'_>]) -> DbResult<()> {
    for (name, param) in NAMES.iter().zip(params) {
        let Some(index) = statement.parameter_index(name)? else {
            return Err(DbError::Data(format!("{name} is bound but does not stand in the statement")));
        };
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

fn query<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> DbResult<T>,
) -> DbResult<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(classify)? {
        found.push(read(&Row(row))?);
    }
    Ok(found)
}

fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    statement.raw_execute().map_err(classify)
}

fn classify(error: rusqlite::Error) -> DbError {
    match &error {
        rusqlite::Error::SqliteFailure(failure, message)
            if failure.code == ErrorCode::ConstraintViolation =>
        {
            DbError::Conflict(message.clone().unwrap_or_default())
        }
        _ => DbError::Engine(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::params;

    fn database() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("test.db")).unwrap();
        (dir, db)
    }

    fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> DbResult<usize> {
        tx.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", params![name, value])
    }

    async fn count(db: &Db) -> i64 {
        db.query_opt("SELECT COUNT(*) FROM setting", &[], |row| row.int(0)).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_failed_transaction_leaves_nothing_and_harms_no_other() {
        let (_dir, db) = database();
        let work = (0..50).map(|i| {
            let db = db.clone();
            tokio::spawn(async move {
                db.transaction(move |tx| {
                    set(tx, &format!("name {i}"), "x")?;
                    if i % 2 == 0 { Err(DbError::Data("no".into())) } else { Ok(()) }
                })
                .await
                .is_ok()
            })
        });
        let mut kept = 0;
        for task in work.collect::<Vec<_>>() {
            kept += i64::from(task.await.unwrap());
        }
        assert_eq!(kept, 25);
        assert_eq!(count(&db).await, 25);
    }

    #[tokio::test]
    async fn a_panic_in_a_transaction_is_an_error_and_the_writer_lives_on() {
        let (_dir, db) = database();
        let result: DbResult<()> = db
            .transaction(|tx| {
                set(tx, "a", "b")?;
                panic!("on purpose");
            })
            .await;
        assert!(result.is_err());
        db.transaction(|tx| set(tx, "c", "d")).await.unwrap();
        assert_eq!(count(&db).await, 1);
    }

    #[tokio::test]
    async fn conflicts_are_told_apart() {
        let (_dir, db) = database();
        db.transaction(|tx| set(tx, "a", "b")).await.unwrap();
        assert!(matches!(db.transaction(|tx| set(tx, "a", "c")).await, Err(DbError::Conflict(_))));
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let (dir, db) = database();
        db.transaction(|tx| tx.execute("INSERT INTO migration (version) VALUES (999)", &[])).await.unwrap();
        drop(db);
        assert!(matches!(Db::open(&dir.path().join("test.db")), Err(DbError::Newer { found: 999, .. })));
    }

    #[tokio::test]
    async fn changes_are_seen_by_caches_when_they_are_committed() {
        let (_dir, db) = database();
        let slot = Slot::of(Kind::Client, "t", "c");
        let before = db.generations().now(slot);
        let failed: DbResult<()> = db
            .transaction(|tx| {
                tx.changed(Kind::Client, "t", "c");
                Err(DbError::Data("no".into()))
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(db.generations().now(slot), before);
        db.transaction(|tx| {
            tx.changed(Kind::Client, "t", "c");
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        assert_ne!(db.generations().now(slot), before);
    }
}
