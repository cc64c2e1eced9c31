//! One writer thread that gathers waiting transactions into one durable commit.

use super::connection::Connection;
use super::figures::Figures;
use super::generations::{Generations, Kind, Slot};
use super::value::{Param, Row};
use super::{Availability, DbError, DbResult};
use crate::audit::{self, Attempt, Change, Event, Record};
use crossbeam_channel::{Receiver, Sender};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;

/// Transactions in one commit at most; more makes the first one wait without making the rest quicker.
const GROUP: usize = 256;
/// Transactions that may wait; beyond it writers wait for a place.
const QUEUE: usize = 4_096;

/// A transaction's work: does it, and says how to answer once it is known whether the commit held.
type Job = Box<dyn FnOnce(&mut Tx<'_>) -> Answer + Send>;
type Answer = (bool, AnswerWith);
type AnswerWith = Box<dyn FnOnce(DbResult<()>) + Send>;

/// The thread, and the way to it.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        generations: Arc<Generations>,
        figures: Arc<Figures>,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE);
        let thread = std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || run(connection, &queue, &generations, &figures))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// How many transactions wait.
    pub(super) fn waiting(&self) -> usize {
        self.jobs.as_ref().map_or(0, Sender::len)
    }

    /// Runs `work` in one transaction, and returns when it is durable. An error from `work` undoes it. What changes on
    /// behalf of an attempt is written in the log by the same transaction.
    pub(super) async fn transaction<T, E, F>(&self, attempt: Option<Arc<Attempt>>, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            tx.record = attempt.is_some().then(Record::default);
            let result = catch_unwind(AssertUnwindSafe(|| {
                let value = work(tx)?;
                if let (Some(attempt), Some(record)) = (&attempt, tx.record.take()) {
                    tx.events.extend(attempt.change(&record));
                }
                Ok(value)
            }))
            .unwrap_or_else(|_| Err(DbError::Data("a transaction panicked".into()).into()));
            let finish = move |result: Result<T, E>| {
                // Whoever asked may have gone; the transaction stands all the same.
                let _ = reply.send(result);
            };
            match result {
                Ok(value) => (
                    true,
                    Box::new(move |commit| {
                        if let (Ok(()), Some(attempt)) = (&commit, attempt) {
                            attempt.recorded();
                        }
                        finish(commit.map(|()| value).map_err(E::from));
                    }),
                ),
                Err(error) => (false, Box::new(move |_| finish(Err(error)))),
            }
        });
        let Some(jobs) = &self.jobs else { return Err(DbError::Stopped.into()) };
        if let Err(error) = jobs.try_send(job) {
            let jobs = jobs.clone();
            let job = error.into_inner();
            tokio::task::spawn_blocking(move || jobs.send(job)).await.ok();
        }
        answer.await.unwrap_or_else(|_| Err(DbError::Stopped.into()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(mut connection: Connection, queue: &Receiver<Job>, generations: &Generations, figures: &Figures) {
    let availability = Availability::of("written");
    while let Ok(first) = queue.recv() {
        let mut group = Group::default();
        let commit = group.run(&mut connection, first, queue, figures);
        if let Err(error) = &commit {
            if !matches!(error, DbError::Unavailable(_)) {
                tracing::error!(%error, "a commit failed; nothing of it was acknowledged");
            }
            connection.rollback();
        }
        let failures = group.answers.iter().filter_map(|(_, failed)| failed.as_ref());
        availability
            .note(commit.as_ref().err().into_iter().chain(failures), commit.is_ok() && group.kept > 0);
        // Also after a failure: a commit whose answer was lost may stand.
        for slot in group.changed {
            generations.moved(slot);
        }
        figures.count(group.answers.len(), group.kept, commit.is_ok());
        for (answer, failed) in group.answers {
            answer(match (failed, &commit) {
                (Some(error), _) => Err(error),
                (None, commit) => commit.as_ref().copied().map_err(DbError::again),
            });
        }
    }
    connection.close();
}

/// Transactions that are committed together.
#[derive(Default)]
struct Group {
    /// How to answer each, with the error of the database that it failed for.
    answers: Vec<(AnswerWith, Option<DbError>)>,
    changed: Vec<Slot>,
    /// What the log is to say of them.
    events: Vec<Event>,
    kept: usize,
    has_savepoint: bool,
}

impl Group {
    /// Runs `first` and whatever else waits, and commits.
    fn run(
        &mut self,
        connection: &mut Connection,
        first: Job,
        queue: &Receiver<Job>,
        figures: &Figures,
    ) -> DbResult<()> {
        let mut next = Some(first);
        while let Some(job) = next {
            // What goes wrong here is told to the job by its first statement.
            let ready = self.prepare(connection);
            let broken = ready.as_ref().err().map(DbError::again);
            let mut tx = Tx { failed: ready.err(), ..Tx::new(connection) };
            let (keep, answer) = job(&mut tx);
            tx.flush();
            let Tx { changed, failed, events, .. } = tx;
            let keep = keep && failed.is_none();
            self.answers.push((answer, failed));
            if let Some(error) = broken {
                return Err(error);
            }
            if keep {
                self.kept += 1;
                self.changed.extend(changed);
                self.events.extend(events);
            } else if self.kept == 0 {
                connection.rollback();
                return Ok(());
            } else if let Err(error) = connection.undo() {
                // Some errors undo everything since the beginning, and leave nothing to go back to.
                let cause = self.answers.last().and_then(|(_, failed)| failed.as_ref());
                return Err(cause.map_or(error, DbError::again));
            }
            next = if self.answers.len() < GROUP { queue.try_recv().ok() } else { None };
        }
        if !self.events.is_empty() {
            audit::append(&mut Tx::new(connection), &self.events)?;
        }
        let began = Instant::now();
        let committed = connection.commit(&self.changed);
        figures.commits.record_time(began.elapsed());
        committed
    }

    /// Begins, or makes sure that what was done so far outlives a failure of the next job.
    fn prepare(&mut self, connection: &mut Connection) -> DbResult<()> {
        if self.kept == 0 {
            return connection.begin();
        }
        connection.mark(!self.has_savepoint)?;
        self.has_savepoint = true;
        Ok(())
    }
}

/// A transaction.
pub(crate) struct Tx<'a> {
    connection: &'a mut Connection,
    changed: Vec<Slot>,
    /// The first error of a statement. Some engines undo the transaction then, so that nothing may follow.
    failed: Option<DbError>,
    /// What it tells of its changes, if somebody is answerable for them.
    record: Option<Record>,
    /// What the log is to say if the transaction is kept.
    events: Vec<Event>,
}

impl<'a> Tx<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self { connection, changed: Vec::new(), failed: None, record: None, events: Vec::new() }
    }
}

impl Tx<'_> {
    /// Says what becomes of an object, for the log.
    pub(crate) fn record(&mut self, change: impl FnOnce() -> Change) {
        if let Some(record) = &mut self.record {
            record.add(&change());
        }
    }

    /// Says which status the request is answered with, where that is not the usual one of its method.
    pub(crate) fn answers(&mut self, status: http::StatusCode) {
        if let Some(record) = &mut self.record {
            record.status = Some(status.as_u16());
        }
    }

    /// Adds an entry to the log.
    pub(crate) fn log(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Says that an object changed, for the caches.
    pub(crate) fn changed(&mut self, kind: Kind, tenant: &str, id: &str) {
        self.changed.push(Slot::of(kind, tenant, id));
    }

    /// Runs a statement; returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
        self.run(|connection| connection.execute(sql, params))
    }

    /// Runs a statement when nobody asks how many rows it touches, and does not wait for it. An error is told by a later
    /// statement, and in any case fails the transaction.
    pub(crate) fn write(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<()> {
        self.run(|connection| connection.send(sql, params))
    }

    fn flush(&mut self) {
        // The error, if there is one, is kept.
        let _ = self.run(Connection::flush);
    }

    /// The rows of a statement.
    pub(crate) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        self.run(|connection| connection.query(sql, params, read))
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

    /// Which shard of a counter to use. Writers take turns, so one shard is enough.
    #[expect(clippy::unused_self, reason = "an engine with several writers looks at itself")]
    pub(crate) fn shard(&self) -> i64 {
        0
    }

    fn run<T>(&mut self, statement: impl FnOnce(&mut Connection) -> DbResult<T>) -> DbResult<T> {
        if let Some(error) = &self.failed {
            return Err(error.again());
        }
        statement(self.connection).inspect_err(|error| self.failed = Some(error.again()))
    }
}
