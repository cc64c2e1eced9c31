//! The one place that knows how data is kept. Statements are written once, in SQL that `SQLite` and `PostgreSQL` both
//! understand: `$n` parameters, `TEXT`, `BIGINT` (milliseconds), `BOOLEAN`, `BYTEA`.
//!
//! A request reads through [`Db::query`] and writes through one [`Db::transaction`]. What a transaction changed is
//! named to [`Tx::changed`], so that caches drop it when it commits and not before.

pub(crate) mod generations;
mod migrate;
mod sqlite;
mod value;

pub(crate) use generations::Kind;
pub(crate) use sqlite::{Db, Tx};
pub(crate) use value::{Param, Row, params};

/// What went wrong in the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique index refused a row.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The engine failed.
    #[error("database: {0}")]
    Engine(#[from] rusqlite::Error),
    /// A stored value is not what the code expects.
    #[error("stored data: {0}")]
    Data(String),
    /// The writer stopped; the server is shutting down or out of order.
    #[error("the database writer has stopped")]
    Stopped,
    /// The database was made by a newer version.
    #[error("the database has schema version {found}, this program knows up to {known}: use a newer version")]
    Newer {
        /// Version of the database.
        found: i64,
        /// Version of the program.
        known: i64,
    },
    /// A file could not be used.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

pub(crate) type DbResult<T> = Result<T, DbError>;
