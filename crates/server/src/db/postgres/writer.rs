//! The connection that writes, and sends many statements before it waits for an answer.

use super::{BACKOFF, Settings, WAIT, in_time, late, places};
use crate::db::generations::Slot;
use crate::db::value::{OwnedParam, Param, Row};
use crate::db::{DbError, DbResult};
use futures_util::TryStreamExt as _;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime as Executor;
use tokio::time::timeout;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

/// How long an answer may take to a statement that writes, which may wait for other writers and, at the end, for the
/// standby; and to a migration, which may have much to write anew.
const WRITING: Duration = Duration::from_secs(15);
const MIGRATING: Duration = Duration::from_secs(600);
/// A writer that begins and falls silent, because its machine was suspended or cut off, keeps all others waiting. The
/// database ends its turn after so many milliseconds.
const TURN: u64 = 5_000;
/// A connection that answered so recently is taken to be alive.
const ALIVE: Duration = Duration::from_millis(250);
/// Prepared statements of the writer; some are made for a number of items, and need not all be kept.
const STATEMENTS: usize = 512;
/// Slots named in one notification; its text is limited to 8,000 bytes.
const NAMED_SLOTS: usize = 1_000;

/// Rows on their way into a table. They are there after [`CopyIn::finish`].
pub(in crate::db) struct CopyIn<'a> {
    executor: &'a Executor,
    rows: Pin<Box<BinaryCopyInWriter>>,
}

impl CopyIn<'_> {
    pub(in crate::db) fn write(&mut self, row: &[&(dyn ToSql + Sync)]) -> DbResult<()> {
        Ok(self.executor.block_on(self.rows.as_mut().write(row))?)
    }

    /// How many rows there were.
    pub(in crate::db) fn finish(mut self) -> DbResult<u64> {
        Ok(self.executor.block_on(self.rows.as_mut().finish())?)
    }
}

/// The connection that writes.
pub(in crate::db) struct Writer {
    settings: Settings,
    /// Drives the connection while this thread waits for an answer.
    executor: Executor,
    client: Option<Arc<Client>>,
    statements: HashMap<Box<str>, Statement>,
    /// Rows that wait for others of the same statement.
    appended: Vec<(&'static str, Vec<Vec<OwnedParam>>)>,
    /// Statements whose answers nobody has waited for yet, in their order.
    sent: Vec<Sent>,
    /// Answers to questions that were asked ahead, and that nobody has asked for yet.
    answered: Vec<Answered>,
    failed_at: Option<Instant>,
    /// When the connection last did what it was asked.
    answered_at: Option<Instant>,
    patience: Duration,
    begin: &'static str,
}

/// A connection for work that one program does on its own. Blocks, as [`Writer::connect`].
pub(in crate::db) fn connect(settings: &Settings) -> DbResult<::postgres::Client> {
    Ok(::postgres::Config::from(settings.config.clone()).connect(settings.tls.clone())?)
}

/// Begins lines of statements that are meant for `PostgreSQL` alone, and comments elsewhere: what keeps others away.
pub(in crate::db) const FOR_POSTGRES: &str = "-- postgres: ";

/// Writers take turns, those of different schemas apart.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('tenantry/' || current_schema()))";

impl Writer {
    /// Connects, to migrate at first. Blocks, and must not run on a thread of an asynchronous runtime; the same holds
    /// for all the rest.
    pub(in crate::db) fn connect(settings: Settings) -> DbResult<Self> {
        let mut writer = Self { patience: MIGRATING, begin: BEGIN, ..Self::aside(settings)? };
        writer.reconnect()?;
        Ok(writer)
    }

    /// A writer that does not wait for its turn, and connects when there is something to do.
    pub(in crate::db) fn aside(settings: Settings) -> DbResult<Self> {
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let executor = executor.map_err(|error| DbError::Engine(error.to_string()))?;
        Ok(Self {
            settings,
            executor,
            client: None,
            statements: HashMap::new(),
            appended: Vec::new(),
            sent: Vec::new(),
            answered: Vec::new(),
            failed_at: None,
            answered_at: None,
            patience: WRITING,
            begin: "BEGIN",
        })
    }

    /// Migrations are done; nothing takes long from now on.
    pub(in crate::db) fn settle(&mut self) -> DbResult<()> {
        self.patience = WRITING;
        self.batch(&self.session())
    }

    /// There is no limit on statements: the database applies it to the wait for a standby too, and then reports as
    /// committed what the standby may not have.
    fn session(&self) -> String {
        let lock = self.patience.as_millis() * 2 / 3;
        format!("SET idle_in_transaction_session_timeout = {TURN}; SET lock_timeout = {lock}")
    }

    fn reconnect(&mut self) -> DbResult<()> {
        self.client = None;
        self.statements.clear();
        self.forget();
        self.sent.clear();
        let Settings { config, tls, .. } = &self.settings;
        let (session, tls) = (self.session(), tls.clone());
        let connected = async {
            let (client, connection) = config.connect(tls).await?;
            tokio::spawn(connection);
            client.batch_execute(&session).await?;
            Ok::<_, tokio_postgres::Error>(client)
        };
        self.client = Some(Arc::new(self.executor.block_on(in_time(WAIT * 2, connected))?));
        Ok(())
    }

    pub(in crate::db) fn begin(&mut self) -> DbResult<()> {
        if self.failed_at.is_some_and(|at| at.elapsed() < BACKOFF) {
            return Err(DbError::Unavailable("it failed a moment ago".into()));
        }
        self.forget();
        // The connection gets the chance to notice that the other side has gone.
        self.executor.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        let is_alive = self.client.as_ref().is_some_and(|client| !client.is_closed());
        if is_alive && self.answered_at.is_some_and(|at| at.elapsed() < ALIVE) {
            // Whether it could begin is told with the answer to something else.
            return self.send_batch(self.begin);
        }
        let begun = self.try_begin();
        self.failed_at = begun.is_err().then(Instant::now);
        begun
    }

    fn try_begin(&mut self) -> DbResult<()> {
        if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
            match self.batch(self.begin) {
                // The connection may have died since it was used last.
                Err(DbError::Unavailable(_)) if self.client.is_some() && self.batch("ROLLBACK").is_err() => {}
                result => return result,
            }
        }
        self.reconnect()?;
        self.batch(self.begin)
    }

    pub(in crate::db) fn commit(&mut self, changed: &[Slot]) -> DbResult<()> {
        if changed.is_empty() {
            return self.batch("COMMIT");
        }
        let mut slots = String::new();
        if changed.len() <= NAMED_SLOTS {
            for slot in changed {
                let _ = write!(slots, ",{}", slot.number());
            }
        }
        let probe = Slot::probe();
        self.batch(&format!(
            "SELECT pg_notify('tenantry', current_schema() || ':{probe}:{}'); COMMIT",
            slots.trim_start_matches(',')
        ))
    }

    pub(in crate::db) fn batch(&mut self, sql: &str) -> DbResult<()> {
        self.ask(async |client| client.batch_execute(sql).await)
    }

    pub(in crate::db) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
        let statement = self.prepare(sql)?;
        let touched = self.ask(async |client| client.execute(&statement, &places(params)).await)?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    pub(in crate::db) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        let asked = |asked: &Question| {
            asked.0 == sql && params.iter().copied().eq(asked.1.iter().map(OwnedParam::borrow))
        };
        let is_sent = |sent: &Sent| sent.question.as_ref().is_some_and(asked);
        if self.sent.iter().any(is_sent) {
            self.send_appended()?;
            if let Some(at) = self.sent.iter().position(is_sent) {
                self.wait_for(at + 1)?;
            }
        }
        let rows = if let Some(at) = self.answered.iter().position(|answered| asked(&answered.question)) {
            self.answered.swap_remove(at).rows
        } else {
            let statement = self.prepare(sql)?;
            self.ask(async |client| client.query(&statement, &places(params)).await)?
        };
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    /// Sends a question of which it is known that somebody will ask it. What is sent after it has no part in the answer.
    pub(in crate::db) fn ask_ahead(&mut self, sql: &'static str, params: &[OwnedParam]) -> DbResult<()> {
        let statement = self.prepare(sql)?;
        let (question, params) = ((sql, params.to_vec()), params.to_vec());
        self.pipeline(Some(question), |client| {
            Box::pin(async move { client.query_raw(&statement, params).await?.try_collect().await })
        })
    }

    /// What was asked ahead is asked anew.
    pub(in crate::db) fn forget_asked(&mut self, sql: &'static str, params: &[OwnedParam]) {
        let is_it = |question: &Question| question.0 == sql && question.1 == params;
        self.answered.retain(|answered| !is_it(&answered.question));
        for sent in &mut self.sent {
            sent.question.take_if(|question| is_it(question));
        }
    }

    /// Waits for the answers to the first `count` statements that were sent.
    fn wait_for(&mut self, count: usize) -> DbResult<()> {
        let rest = self.sent.split_off(count);
        let sent = std::mem::replace(&mut self.sent, rest);
        let settled = self.executor.block_on(async { timeout(self.patience, in_order(sent)).await });
        match settled {
            Ok(Ok(answered)) => {
                self.answered.extend(answered);
                Ok(())
            }
            Ok(Err(error)) => {
                self.statements.clear();
                Err(error.into())
            }
            Err(_) => Err(self.give_up()),
        }
    }

    /// Gives up a connection that does not answer. Those who wait for their turn are not kept waiting as long, one after
    /// the other.
    fn give_up(&mut self) -> DbError {
        self.statements.clear();
        self.client = None;
        self.failed_at = Some(Instant::now());
        late()
    }

    /// Sends a statement. What becomes of it is told by the next question, [`Writer::flush`] at the latest.
    pub(in crate::db) fn send(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<()> {
        self.send_appended()?;
        let statement = self.prepare(sql)?;
        let params: Vec<_> = params.iter().map(OwnedParam::from).collect();
        self.pipeline(None, |client| Box::pin(touch(client, statement, params)))
    }

    /// Adds rows by a statement for one of them. They are sent with others of the same statement, before anything else.
    pub(in crate::db) fn append<'p, R: AsRef<[Param<'p>]>>(
        &mut self,
        sql: &'static str,
        rows: impl IntoIterator<Item = R>,
    ) {
        let rows = rows.into_iter().map(|row| row.as_ref().iter().map(OwnedParam::from).collect());
        match self.appended.iter_mut().find(|(known, _)| *known == sql) {
            Some((_, waiting)) => waiting.extend(rows),
            None => self.appended.push((sql, rows.collect())),
        }
    }

    /// What waits to be sent is not to be sent, and what was asked ahead is asked anew.
    pub(in crate::db) fn forget(&mut self) {
        self.appended.clear();
        self.answered.clear();
        for sent in &mut self.sent {
            sent.question = None;
        }
    }

    fn send_appended(&mut self) -> DbResult<()> {
        for (sql, mut rows) in std::mem::take(&mut self.appended) {
            if let [_] = rows[..] {
                let (statement, row) = (self.prepare(sql)?, rows.swap_remove(0));
                self.pipeline(None, |client| Box::pin(touch(client, statement, row)))?;
            } else if !rows.is_empty() {
                let statement = self.prepare_rows(sql)?;
                let columns = columns(rows);
                self.pipeline(None, |client| Box::pin(touch(client, statement, columns)))?;
            }
        }
        Ok(())
    }

    /// The same with statements without parameters.
    pub(in crate::db) fn send_batch(&mut self, sql: &'static str) -> DbResult<()> {
        self.send_appended()?;
        self.pipeline(None, |client| {
            Box::pin(async move { client.batch_execute(sql).await.map(|()| Vec::new()) })
        })
    }

    fn pipeline(
        &mut self,
        question: Option<Question>,
        send: impl FnOnce(Arc<Client>) -> Answer,
    ) -> DbResult<()> {
        let mut answer = send(Arc::clone(self.client.as_ref().ok_or_else(gone)?));
        // Being asked for the first time, it is put in the connection's queue behind all others.
        match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            // Nothing was sent.
            Poll::Ready(answer) => drop(answer?),
            Poll::Pending => self.sent.push(Sent { question, answer }),
        }
        Ok(())
    }

    /// Gives the connection a turn: what was sent waits for one.
    pub(in crate::db) fn push(&self) {
        if !self.sent.is_empty() {
            self.executor.block_on(tokio::task::yield_now());
        }
    }

    /// Waits for everything that was sent.
    pub(in crate::db) fn flush(&mut self) -> DbResult<()> {
        if self.sent.is_empty() && self.appended.is_empty() { Ok(()) } else { self.ask(async |_| Ok(())) }
    }

    /// Begins to copy rows of columns of these types, by a statement `COPY … FROM STDIN BINARY`.
    pub(in crate::db) fn copy_in(&mut self, sql: &str, types: &[Type]) -> DbResult<CopyIn<'_>> {
        let client = self.client.as_ref().ok_or_else(gone)?;
        let sink = self.executor.block_on(client.copy_in(sql))?;
        Ok(CopyIn { executor: &self.executor, rows: Box::pin(BinaryCopyInWriter::new(sink, types)) })
    }

    fn prepare(&mut self, sql: &str) -> DbResult<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let text = sql.replace(FOR_POSTGRES, "");
        let statement = self.ask(async |client| client.prepare(&text).await)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// The statement that adds as many rows as there are, made of the one for a single row.
    fn prepare_rows(&mut self, sql: &str) -> DbResult<Statement> {
        let name = format!("rows: {sql}");
        if let Some(statement) = self.statements.get(&*name) {
            return Ok(statement.clone());
        }
        let of_one = self.prepare(sql)?;
        let of_all = for_rows(sql, of_one.params())
            .ok_or_else(|| DbError::Data(format!("no statement that adds a row: {sql}")))?;
        let statement = self.ask(async |client| client.prepare(&of_all).await)?;
        self.statements.insert(name.into(), statement.clone());
        Ok(statement)
    }

    /// Waits for an answer, and for what was sent before: the first that went wrong is why the rest did. A connection
    /// that gives none in time is given up.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> DbResult<T> {
        self.send_appended()?;
        let client = self.client.as_ref().ok_or_else(gone)?;
        let sent = std::mem::take(&mut self.sent);
        let all = async {
            let mut answer = pin!(question(client));
            // Once it is sent, answers are waited for in the order in which they come: one that nobody takes would keep
            // those behind it away.
            let first = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
            let answered = in_order(sent).await?;
            let answer = match first {
                Poll::Ready(answer) => answer?,
                Poll::Pending => answer.await?,
            };
            Ok::<_, tokio_postgres::Error>((answer, answered))
        };
        let answer = self.executor.block_on(async { timeout(self.patience, all).await });
        let is_good = matches!(answer, Ok(Ok(_)));
        self.answered_at = is_good.then(Instant::now);
        if !is_good {
            self.statements.clear();
        }
        let Ok(answer) = answer else { return Err(self.give_up()) };
        let (answer, answered) = answer?;
        self.answered.extend(answered);
        Ok(answer)
    }
}

/// Waits for answers, one after the other; returns those to questions. The first that went wrong is why the rest did.
async fn in_order(sent: Vec<Sent>) -> Result<Vec<Answered>, tokio_postgres::Error> {
    let mut answered = Vec::new();
    for Sent { question, answer } in sent {
        let rows = answer.await?;
        answered.extend(question.map(|question| Answered { question, rows }));
    }
    Ok(answered)
}

/// Runs a statement of which nobody asks how many rows it touches.
async fn touch<P: ToSql>(
    client: Arc<Client>,
    statement: Statement,
    params: Vec<P>,
) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    client.execute_raw(&statement, params).await.map(|_| Vec::new())
}

/// Turns rows into one list for each parameter.
fn columns(rows: Vec<Vec<OwnedParam>>) -> Vec<Vec<OwnedParam>> {
    let mut columns: Vec<Vec<_>> = Vec::new();
    for row in rows {
        columns.resize_with(row.len(), Vec::new);
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns
}

/// Makes of `INSERT … VALUES ($1, …)` a statement that takes a list for each parameter, and adds a row for each of the
/// lists' items: many rows for the price of one message.
fn for_rows(sql: &str, types: &[Type]) -> Option<String> {
    let (insert, rest) = sql.split_once(" VALUES (")?;
    let (values, rest) = rest.split_once(')')?;
    let lists: Vec<_> = (1..).zip(types).map(|(n, ty)| format!("${n}::{}[]", ty.name())).collect();
    let names: Vec<_> = (1..=types.len()).map(|n| format!("p{n}")).collect();
    let (values, lists, names) = (values.replace('$', "r.p"), lists.join(", "), names.join(", "));
    Some(format!("{insert} SELECT {values} FROM unnest({lists}) AS r({names}){rest}"))
}

/// A statement whose answer is on its way, and what it asks, if somebody will ask that.
struct Sent {
    question: Option<Question>,
    answer: Answer,
}

/// A question that was asked ahead, and the answer.
struct Answered {
    question: Question,
    rows: Vec<tokio_postgres::Row>,
}

type Question = (&'static str, Vec<OwnedParam>);
type Answer = Pin<Box<dyn Future<Output = Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>> + Send>>;

fn gone() -> DbError {
    DbError::Unavailable("the connection is closed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_one_row_becomes_one_for_many() {
        let one = "INSERT INTO t (a, b, c) VALUES ($1, 1, $2) ON CONFLICT (a) DO NOTHING";
        let many = "INSERT INTO t (a, b, c) SELECT r.p1, 1, r.p2 FROM unnest($1::text[], $2::int8[]) AS r(p1, p2) \
            ON CONFLICT (a) DO NOTHING";
        assert_eq!(for_rows(one, &[Type::TEXT, Type::INT8]).as_deref(), Some(many));
        assert_eq!(for_rows("DELETE FROM t WHERE a = $1", &[Type::TEXT]), None);
    }
}
