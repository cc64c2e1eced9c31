//! The connection that writes, of either engine.

use super::generations::Slot;
use super::value::{OwnedParam, Param, Row};
use super::{DbResult, postgres, sqlite};

pub(super) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Writer>),
}

impl Connection {
    /// Begins a transaction that no other writer's overlaps, in whatever process it is.
    pub(super) fn begin(&mut self) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => sqlite::batch(connection, "BEGIN IMMEDIATE"),
            Self::Postgres(writer) => writer.begin(),
        }
    }

    /// Makes the transaction durable; other processes learn that these slots changed.
    pub(super) fn commit(&mut self, changed: &[Slot]) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => sqlite::batch(connection, "COMMIT"),
            Self::Postgres(writer) => writer.commit(changed),
        }
    }

    /// Undoes the transaction, as far as there still is one.
    pub(super) fn rollback(&mut self) {
        self.forget();
        let result = self.batch("ROLLBACK");
        if let Err(error) = result {
            tracing::debug!(%error, "nothing to roll back");
        }
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&mut self, sql: &str) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => sqlite::batch(connection, sql),
            Self::Postgres(writer) => writer.batch(sql),
        }
    }

    /// Whether a statement that fails leaves the transaction as it was before it. Elsewhere it ends everything since the
    /// last mark.
    pub(super) fn survives_failures(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Whether the transaction that was begun is still there: some errors undo it.
    pub(super) fn is_within_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
            Self::Postgres(_) => true,
        }
    }

    /// Marks where [`Connection::undo`] goes back to. What was done before is kept.
    pub(super) fn mark(&mut self, is_first: bool) -> DbResult<()> {
        let sql = if is_first { "SAVEPOINT job" } else { "RELEASE SAVEPOINT job; SAVEPOINT job" };
        match self {
            Self::Sqlite(connection) => sqlite::batch(connection, sql),
            Self::Postgres(writer) => writer.send_batch(sql),
        }
    }

    /// Undoes everything since the mark.
    pub(super) fn undo(&mut self) -> DbResult<()> {
        self.forget();
        self.batch("ROLLBACK TO SAVEPOINT job")
    }

    /// Runs a statement; an error is told by whatever comes next, [`Connection::flush`] at the latest.
    pub(super) fn send(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, params).map(|_| ()),
            Self::Postgres(writer) => writer.send(sql, params),
        }
    }

    /// Adds rows by a statement `INSERT … VALUES (…)` for one of them. Before anything else is sent, those of a statement
    /// go together where a message costs more than a row.
    pub(super) fn append<'p, R: AsRef<[Param<'p>]>>(
        &mut self,
        sql: &'static str,
        rows: impl IntoIterator<Item = R>,
    ) -> DbResult<()> {
        match self {
            Self::Sqlite(connection) => sqlite::execute_each(connection, sql, rows),
            Self::Postgres(writer) => {
                writer.append(sql, rows);
                Ok(())
            }
        }
    }

    /// What waits to be sent is not to be sent, and what was asked ahead is asked anew.
    fn forget(&mut self) {
        if let Self::Postgres(writer) = self {
            writer.forget();
        }
    }

    /// Asks a question whose answer [`Connection::query`] will want, where an answer takes a while; whether it does. Nothing
    /// that it depends on may be written in between. An error is told as that of [`Connection::send`].
    pub(super) fn ask_ahead(&mut self, sql: &'static str, params: &[OwnedParam]) -> DbResult<bool> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(writer) => writer.ask_ahead(sql, params).map(|()| true),
        }
    }

    /// The answer to what was asked ahead is another one by now.
    pub(super) fn forget_asked(&mut self, sql: &'static str, params: &[OwnedParam]) {
        if let Self::Postgres(writer) = self {
            writer.forget_asked(sql, params);
        }
    }

    /// Lets the database begin with what was sent, without waiting for it.
    pub(super) fn push(&self) {
        if let Self::Postgres(writer) = self {
            writer.push();
        }
    }

    /// Makes sure that everything sent went well.
    pub(super) fn flush(&mut self) -> DbResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(writer) => writer.flush(),
        }
    }

    pub(super) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> DbResult<usize> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, params),
            Self::Postgres(writer) => writer.execute(sql, params),
        }
    }

    pub(super) fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, sql, params, read),
            Self::Postgres(writer) => writer.query(sql, params, read),
        }
    }

    /// Migrations are done; ordinary work begins.
    pub(super) fn settle(&mut self) -> DbResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(writer) => writer.settle(),
        }
    }

    /// Leaves a tidy database behind when the writer stops.
    pub(super) fn close(self) {
        match self {
            Self::Sqlite(connection) => sqlite::checkpoint(&connection),
            Self::Postgres(_) => {}
        }
    }
}
