//! One writer thread that gathers waiting transactions into one durable commit.

use super::connection::Connection;
use super::figures::Figures;
use super::generations::{Generations, Kind, Slot};
use super::job::{Job, Question, Work};
use super::value::{OwnedParam, Param, Row};
use super::{Availability, DbError, DbResult};
use crate::audit::{self, Attempt, Change, Event, Record};
use crossbeam_channel::{Receiver, Sender};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// Transactions in one commit at most; more makes the first one wait without making the rest quicker.
const GROUP: usize = 256;
/// Transactions that may wait; beyond it writers wait for a place.
const QUEUE: usize = 4_096;

/// The thread, and the way to it.
pub(super) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
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
    /// behalf of an attempt is written in the log by the same transaction. Work that can be repeated may be done several
    /// times, of which the last counts.
    pub(super) async fn transaction<T, E, F>(
        &self,
        attempt: Option<Arc<Attempt>>,
        can_repeat: bool,
        question: Option<Question>,
        work: F,
    ) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (job, answer) = Work::new(attempt, can_repeat, question, work);
        let Some(jobs) = &self.jobs else { return Err(DbError::Stopped.into()) };
        if let Err(error) = jobs.try_send(Box::new(job)) {
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

fn run(
    mut connection: Connection,
    queue: &Receiver<Box<dyn Job>>,
    generations: &Generations,
    figures: &Figures,
) {
    let availability = Availability::of("written");
    let mut waiting = VecDeque::new();
    while let Some(first) = waiting.pop_front().or_else(|| queue.recv().ok()) {
        let mut group = Group { waiting, ..Group::default() };
        let commit = group.run(&mut connection, first, queue, figures);
        if let Err(error) = &commit {
            if !matches!(error, DbError::Unavailable(_)) {
                tracing::error!(%error, "a commit failed; nothing of it was acknowledged");
            }
            connection.rollback();
        }
        let failures = group.done.iter().filter_map(|done| done.failed.as_ref());
        availability
            .note(commit.as_ref().err().into_iter().chain(failures), commit.is_ok() && group.kept > 0);
        // Also after a failure: a commit whose answer was lost may stand.
        for slot in group.done.iter().flat_map(|done| &done.changed) {
            generations.moved(*slot);
        }
        figures.count(group.done.len(), group.kept, commit.is_ok());
        waiting = group.waiting;
        for Done { job, failed, .. } in group.done {
            job.answer(match (failed, &commit) {
                (Some(error), _) => Err(error),
                (None, commit) => commit.as_ref().copied().map_err(DbError::again),
            });
        }
    }
    connection.close();
}

/// Transactions that are committed together.
///
/// Those that can be repeated are done one after the other, with nothing between them to go back to. If something goes
/// wrong that cannot be told apart from what others did, all of it is undone and done again, carefully: each behind a
/// mark of its own, so that whoever fails does so alone.
#[derive(Default)]
struct Group {
    done: Vec<Done>,
    kept: usize,
    has_mark: bool,
    /// Something was sent that may have gone wrong.
    is_unsure: bool,
    /// To be done again.
    again: VecDeque<Box<dyn Job>>,
    /// To be done; by the next group, if this one fails before.
    waiting: VecDeque<Box<dyn Job>>,
    /// Nothing may be repeated any more.
    is_careful: bool,
}

/// A transaction that was done, but is not committed yet.
struct Done {
    job: Box<dyn Job>,
    is_kept: bool,
    /// The error of the database that it failed for.
    failed: Option<DbError>,
    changed: Vec<Slot>,
    /// What the log is to say of it.
    events: Vec<Event>,
    /// What it adds to numbers.
    sums: Vec<Sum>,
}

/// What is added to a number that many transactions add to: the statement, the parameters that say which number it is,
/// and how much.
type Sum = (&'static str, Vec<OwnedParam>, i64);

/// Adds once to each number what all transactions of a commit add to it.
fn add_up(connection: &mut Connection, sums: impl Iterator<Item = Sum>) -> DbResult<()> {
    let mut totals: HashMap<_, i64> = HashMap::new();
    for (sql, key, by) in sums {
        *totals.entry((sql, key)).or_default() += by;
    }
    for ((sql, key), by) in totals.into_iter().filter(|(_, by)| *by != 0) {
        let row: Vec<_> = key.iter().map(OwnedParam::borrow).chain([by.into()]).collect();
        connection.append(sql, [row])?;
    }
    Ok(())
}

impl Group {
    /// Runs `first` and whatever else waits, and commits.
    fn run(
        &mut self,
        connection: &mut Connection,
        first: Box<dyn Job>,
        queue: &Receiver<Box<dyn Job>>,
        figures: &Figures,
    ) -> DbResult<()> {
        if let Err(error) = self.run_all(connection, first, queue) {
            for mut job in self.again.drain(..) {
                job.forget();
                self.done.push(Done::nothing(job, None));
            }
            return Err(error);
        }
        if self.kept == 0 {
            return Ok(());
        }
        add_up(connection, self.done.iter_mut().flat_map(|done| done.sums.drain(..)))?;
        let events: Vec<_> = self.done.iter_mut().flat_map(|done| std::mem::take(&mut done.events)).collect();
        if !events.is_empty() {
            audit::append(&mut Tx::new(connection), &events)?;
        }
        let began = Instant::now();
        let changed: Vec<_> = self.done.iter().flat_map(|done| &done.changed).copied().collect();
        let committed = connection.commit(&changed);
        figures.commits.record_time(began.elapsed());
        committed
    }

    fn run_all(
        &mut self,
        connection: &mut Connection,
        first: Box<dyn Job>,
        queue: &Receiver<Box<dyn Job>>,
    ) -> DbResult<()> {
        self.waiting.push_front(first);
        loop {
            while let Some(job) = self.again.pop_front().or_else(|| self.waiting.pop_front()) {
                self.run_one(connection, job)?;
            }
            if self.kept > 0 {
                self.waiting.extend(queue.try_iter().take(GROUP.saturating_sub(self.done.len())));
                if !self.ask_ahead(connection)? {
                    self.repeat(connection);
                }
            }
            if self.again.is_empty() && self.waiting.is_empty() && self.make_sure(connection)? {
                return Ok(());
            }
        }
    }

    /// Asks at once what the waiting jobs will ask first; whether everything went well so far. With a mark set, an error of
    /// theirs could be taken for one of the job behind the mark.
    fn ask_ahead(&mut self, connection: &mut Connection) -> DbResult<bool> {
        if self.is_careful || self.has_mark {
            return Ok(true);
        }
        for Question { sql, params, .. } in self.waiting.iter().filter_map(|job| job.question()) {
            match connection.ask_ahead(sql, params) {
                Ok(was_asked) => self.is_unsure |= was_asked,
                Err(error @ DbError::Unavailable(_)) => return Err(error),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Runs a job, and undoes it if it fails. An error is everyone's.
    fn run_one(&mut self, connection: &mut Connection, mut job: Box<dyn Job>) -> DbResult<()> {
        let is_together = job.can_repeat() && !self.is_careful;
        if !is_together {
            match self.make_sure(connection) {
                Ok(true) => {}
                // Its turn comes behind what is repeated, or in the next group.
                result => {
                    self.waiting.push_front(job);
                    return result.map(|_| ());
                }
            }
        }
        // What goes wrong here is told to the job by its first statement.
        let ready = self.prepare(connection, is_together);
        let broken = ready.as_ref().err().map(DbError::again);
        let undo = ready.as_ref().copied().unwrap_or(Undo::All);
        if let Some(Question { sql, params, about }) = job.question()
            && self.done.iter().any(|done| done.changed.contains(about))
        {
            connection.forget_asked(sql, params);
        }
        let mut tx = Tx { failed: ready.err(), undo, is_together, ..Tx::new(connection) };
        let keep = job.run(&mut tx);
        if is_together
            && keep
            && self.kept == 0
            && let Some(tenant) = tx.events.first().map(|event| event.tenant.clone())
        {
            // An error is kept.
            self.is_unsure |= audit::ask_ahead(&mut tx, &tenant).unwrap_or(true);
        }
        if tx.undo == Undo::Everyone {
            tx.connection.push();
        } else {
            tx.flush();
            self.is_unsure &= tx.failed.is_some();
        }
        let Tx { changed, failed, events, sums, undo, .. } = tx;
        self.has_mark |= undo == Undo::ToMark;
        if keep && failed.is_none() {
            self.kept += 1;
            self.is_unsure |= undo == Undo::Everyone;
            self.is_careful |= !job.can_repeat();
            self.done.push(Done { job, is_kept: true, failed, changed, events, sums });
            return Ok(());
        }
        if let Some(error) = broken {
            self.done.push(Done::nothing(job, failed));
            return Err(error);
        }
        // Whether it is this job that failed, and the others can go on.
        let is_alone = match undo {
            Undo::All => true,
            Undo::ToMark => !self.is_unsure,
            Undo::Nothing { .. } => connection.survives_failures(),
            Undo::Everyone => false,
        };
        // Some errors undo everything since the beginning, and leave nothing to go back to.
        let is_lost = undo != Undo::All && !connection.is_within_transaction();
        let is_gone = matches!(failed, Some(DbError::Unavailable(_))) && !connection.survives_failures();
        let is_over = is_lost || (!is_alone && is_gone);
        if failed.is_some() && !is_alone && !is_over {
            self.again.push_front(job);
            self.repeat(connection);
            return Ok(());
        }
        let cause = failed.as_ref().map(DbError::again);
        self.done.push(Done::nothing(job, failed));
        if is_over {
            return Err(cause.unwrap_or_else(|| DbError::Engine("the transaction was undone".into())));
        }
        match undo {
            Undo::All => {
                connection.rollback();
                self.is_unsure = false;
            }
            Undo::ToMark => connection.undo().map_err(|error| cause.unwrap_or(error))?,
            Undo::Nothing { .. } => {}
            Undo::Everyone => self.repeat(connection),
        }
        Ok(())
    }

    /// Begins, or makes sure that what was done so far outlives a failure of the next job, unless that is done again.
    fn prepare(&mut self, connection: &mut Connection, is_together: bool) -> DbResult<Undo> {
        if self.kept == 0 {
            connection.begin()?;
            return Ok(Undo::All);
        }
        if is_together || connection.survives_failures() {
            return Ok(Undo::Nothing { has_mark: self.has_mark });
        }
        connection.mark(!self.has_mark)?;
        Ok(Undo::ToMark)
    }

    /// Waits until it is known how everything went that was sent; whether it went well. If it did not, everything is done
    /// again.
    fn make_sure(&mut self, connection: &mut Connection) -> DbResult<bool> {
        if !self.is_unsure {
            return Ok(true);
        }
        match connection.flush() {
            Ok(()) => {
                self.is_unsure = false;
                Ok(true)
            }
            Err(error @ DbError::Unavailable(_)) => Err(error),
            Err(_) => {
                self.repeat(connection);
                Ok(false)
            }
        }
    }

    /// Undoes everything that was kept, to do it again carefully. All of it can be.
    fn repeat(&mut self, connection: &mut Connection) {
        connection.rollback();
        let (kept, refused): (Vec<_>, _) =
            std::mem::take(&mut self.done).into_iter().partition(|done| done.is_kept);
        *self = Self {
            done: refused,
            again: kept.into_iter().map(|done| done.job).chain(self.again.drain(..)).collect(),
            waiting: std::mem::take(&mut self.waiting),
            is_careful: true,
            ..Self::default()
        };
    }
}

impl Done {
    fn nothing(job: Box<dyn Job>, failed: Option<DbError>) -> Self {
        Self { job, is_kept: false, failed, changed: Vec::new(), events: Vec::new(), sums: Vec::new() }
    }
}

/// What there is to undo if a job fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undo {
    /// The whole transaction, which is the job's alone.
    All,
    /// Everything since the mark.
    ToMark,
    /// Nothing yet. Before the first statement that writes, a mark is set, in the place of one that an earlier job may
    /// have left; or none, if the job says that it will not fail, and everything can be repeated.
    Nothing { has_mark: bool },
    /// What the job wrote, which cannot be told apart from what others did.
    Everyone,
}

/// A transaction.
pub(crate) struct Tx<'a> {
    connection: &'a mut Connection,
    changed: Vec<Slot>,
    /// The first error of a statement. Some engines undo the transaction then, so that nothing may follow.
    failed: Option<DbError>,
    /// What it tells of its changes, if somebody is answerable for them.
    pub(super) record: Option<Record>,
    /// What the log is to say if the transaction is kept.
    pub(super) events: Vec<Event>,
    sums: Vec<Sum>,
    undo: Undo,
    /// Whether what was done before it can be repeated, and it too.
    is_together: bool,
}

impl<'a> Tx<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self {
            connection,
            changed: Vec::new(),
            failed: None,
            record: None,
            events: Vec::new(),
            sums: Vec::new(),
            undo: Undo::All,
            is_together: false,
        }
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

    /// Says that all checks are done, before anything is written: what follows fails only if the database does. Then no
    /// mark to go back to is set, which on `SQLite` costs a third of what is written; and nobody waits for what is sent
    /// to `PostgreSQL` before all have sent theirs. If something fails all the same, what others did in the same commit
    /// is undone, and done again; so this counts in work that can be repeated only.
    pub(crate) fn will_not_fail(&mut self) {
        if self.is_together && matches!(self.undo, Undo::All | Undo::Nothing { .. }) {
            self.undo = Undo::Everyone;
        }
    }

    /// Makes sure that what is about to be written can be undone.
    fn mark(&mut self) -> DbResult<()> {
        if let Undo::Nothing { has_mark } = self.undo {
            self.run(|connection| connection.mark(!has_mark))?;
            self.undo = Undo::ToMark;
        }
        Ok(())
    }

    /// Runs a statement; returns how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
        self.mark()?;
        self.run(|connection| connection.execute(sql, params))
    }

    /// Runs a statement when nobody asks how many rows it touches, and does not wait for it. An error is told by a later
    /// statement, and in any case fails the transaction.
    pub(crate) fn write(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<()> {
        self.mark()?;
        self.run(|connection| connection.send(sql, params))
    }

    /// Adds rows by a statement `INSERT … VALUES (…)`, as [`Tx::write`] does. Those that other transactions add by the same
    /// statement may go along, so it must not matter to a row what other statements of this kind do.
    pub(crate) fn append<'p, R: AsRef<[Param<'p>]>>(
        &mut self,
        sql: &'static str,
        rows: impl IntoIterator<Item = R>,
    ) -> DbResult<()> {
        self.mark()?;
        self.run(|connection| connection.append(sql, rows))
    }

    /// Adds `by` to a number, by an `INSERT … VALUES (…)` that takes the parameters of `key` and then how much. What all
    /// transactions of a commit add to a number is written once, right before the commit; so nothing of it is seen before.
    pub(crate) fn add(&mut self, sql: &'static str, key: &[Param<'_>], by: i64) {
        self.sums.push((sql, key.iter().map(OwnedParam::from).collect(), by));
    }

    /// Nothing that was sent can be relied upon.
    pub(super) fn panicked(&mut self) -> DbError {
        let error = DbError::Data("a transaction panicked".into());
        self.failed.get_or_insert_with(|| error.again());
        error
    }

    fn flush(&mut self) {
        // The error, if there is one, is kept.
        let _ = self.run(Connection::flush);
    }

    /// Asks a question whose answer [`Tx::query`] will want, where an answer takes a while; whether it does. Nothing that it
    /// depends on may be written in between.
    pub(crate) fn ask_ahead(&mut self, sql: &'static str, params: &[Param<'_>]) -> DbResult<bool> {
        let params: Vec<_> = params.iter().map(OwnedParam::from).collect();
        self.run(|connection| connection.ask_ahead(sql, &params))
    }

    /// The rows of a statement.
    pub(crate) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        if !sql.starts_with("SELECT") {
            self.mark()?;
        }
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
