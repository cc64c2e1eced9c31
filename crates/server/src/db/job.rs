//! A transaction on its way through the writer: its work, what came of it, and who waits for that.

use super::generations::{Kind, Slot};
use super::value::{OwnedParam, Param};
use super::writer::Tx;
use super::{DbError, DbResult};
use crate::audit::{Attempt, Record};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;

pub(super) trait Job: Send {
    /// Does the work; whether it is to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// What came of it does not count, and it is not done again.
    fn forget(&mut self);

    /// What it will ask first, if that is known.
    fn question(&self) -> Option<&Question>;

    /// Whether it can be done again when it was undone together with what others did.
    fn can_repeat(&self) -> bool;

    /// Answers, once it is known whether the commit held.
    fn answer(self: Box<Self>, commit: DbResult<()>);
}

/// What a transaction will ask first. Those of all that wait are asked at once, where an answer takes a while.
#[derive(Debug)]
pub(crate) struct Question {
    pub(super) sql: &'static str,
    pub(super) params: Vec<OwnedParam>,
    /// The answer is another one as soon as this changes, and only then.
    pub(super) about: Slot,
}

impl Question {
    /// A statement that reads an object, of which every change is told by [`Tx::changed`].
    pub(crate) fn new(sql: &'static str, params: &[Param<'_>], kind: Kind, tenant: &str, id: &str) -> Self {
        let params = params.iter().map(OwnedParam::from).collect();
        Self { sql, params, about: Slot::of(kind, tenant, id) }
    }
}

/// The work of a transaction. What changes on behalf of an attempt is written in the log by the same transaction.
pub(super) struct Work<T, E, F> {
    run: F,
    can_repeat: bool,
    question: Option<Question>,
    attempt: Option<Arc<Attempt>>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Work<T, E, F> {
    /// The job, and where its result arrives.
    pub(super) fn new(
        attempt: Option<Arc<Attempt>>,
        can_repeat: bool,
        question: Option<Question>,
        run: F,
    ) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Self { run, can_repeat, question, attempt, result: None, reply }, answer)
    }
}

impl<T, E, F> Job for Work<T, E, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<DbError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Self { run, attempt, result, .. } = self;
        tx.record = attempt.is_some().then(Record::default);
        let done = catch_unwind(AssertUnwindSafe(|| {
            let value = run(tx)?;
            if let (Some(attempt), Some(record)) = (attempt, tx.record.take()) {
                tx.events.extend(attempt.change(&record));
            }
            Ok(value)
        }))
        .unwrap_or_else(|_| Err(tx.panicked().into()));
        result.insert(done).is_ok()
    }

    fn forget(&mut self) {
        self.result = None;
    }

    fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    fn can_repeat(&self) -> bool {
        self.can_repeat
    }

    fn answer(self: Box<Self>, commit: DbResult<()>) {
        if let (Some(Ok(_)), Ok(()), Some(attempt)) = (&self.result, &commit, &self.attempt) {
            attempt.recorded();
        }
        let answer = match self.result {
            Some(result) => result.and_then(|value| commit.map(|()| value).map_err(E::from)),
            None => Err(commit.err().unwrap_or(DbError::Stopped).into()),
        };
        // Whoever asked may have gone; the transaction stands all the same.
        let _ = self.reply.send(answer);
    }
}
