//! The one place that knows how data is kept. Statements are written once, in SQL that SQLite and PostgreSQL both
//! understand: `$n` parameters, `TEXT`, `BIGINT` (milliseconds), `BOOLEAN`, `BYTEA`.
//!
//! A request reads through [`Db::query`] and writes through one [`Db::transaction`]. What a transaction changed is
//! named to [`Tx::changed`], so that caches drop it when it commits and not before.

mod connection;
mod copy;
mod figures;
pub(crate) mod generations;
mod job;
mod migrate;
mod postgres;
pub(crate) mod schema;
mod snapshot;
mod sqlite;
mod value;
mod writer;

pub(crate) use copy::copy;
pub(crate) use figures::{Figures, Load};
pub(crate) use generations::Kind;
pub(crate) use job::Question;
pub(crate) use snapshot::Snapshot;
pub(crate) use value::{Param, Row, params};
pub(crate) use writer::Tx;

use connection::Connection;
use generations::Generations;
use postgres::{Postgres, Settings};
use sqlite::Sqlite;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use writer::Writer;

/// What went wrong in the database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A unique index refused a row.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The engine refused a statement.
    #[error("database: {0}")]
    Engine(String),
    /// The engine cannot be reached or cannot work for now; it may later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
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
    /// The database was made by an older version.
    #[error(
        "the database has schema version {found}, this program makes {known}: start `tenantry serve` on it once"
    )]
    Older {
        /// Version of the database.
        found: i64,
        /// Version of the program.
        known: i64,
    },
    /// The database to be filled has something in it.
    #[error("{0} is not empty")]
    Full(String),
    /// The database holds something else, or nothing at all.
    #[error("{0} is not a database of Tenantry")]
    Foreign(String),
    /// The database URL cannot be used.
    #[error("--database-url: {0}")]
    Url(String),
}

impl DbError {
    /// The same error, for another who suffers from it.
    fn again(&self) -> Self {
        match self {
            Self::Conflict(text) => Self::Conflict(text.clone()),
            Self::Unavailable(text) => Self::Unavailable(text.clone()),
            Self::Engine(text) => Self::Engine(text.clone()),
            other => Self::Data(other.to_string()),
        }
    }
}

pub(crate) type DbResult<T> = Result<T, DbError>;

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Settings>),
}

impl Target {
    /// Reads a database URL: `sqlite:PATH` or `postgres://…`.
    pub(crate) fn parse(url: &str) -> DbResult<Self> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = std::path::absolute(path).map_err(|error| DbError::Url(error.to_string()))?;
            return Ok(Self::Sqlite(path));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(Box::new(Settings::parse(url)?)));
        }
        Err(DbError::Url("neither sqlite:PATH nor postgres://USER@HOST/DATABASE".into()))
    }
}

impl Target {
    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl std::fmt::Display for Target {
    /// A URL of it, without a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(settings) => f.write_str(settings.url()),
        }
    }
}

/// Whether something could be done with the database when it was tried last. What keeps failing is logged when it begins
/// and when it ends, not with every request.
struct Availability {
    what: &'static str,
    is_lost: AtomicBool,
}

impl Availability {
    fn of(what: &'static str) -> Self {
        Self { what, is_lost: AtomicBool::new(false) }
    }

    fn note<'a>(&self, errors: impl IntoIterator<Item = &'a DbError>, worked: bool) {
        let mut errors = errors.into_iter();
        if let Some(error) = errors.find(|error| matches!(error, DbError::Unavailable(_))) {
            if !self.is_lost.swap(true, Ordering::Relaxed) {
                let what = self.what;
                tracing::error!(%error, "the database cannot be {what}; requests that need it get 503 until it can");
            }
        } else if worked
            && self.is_lost.load(Ordering::Relaxed)
            && self.is_lost.swap(false, Ordering::Relaxed)
        {
            tracing::info!("the database can be {} again", self.what);
        }
    }
}

/// The database.
#[derive(Clone)]
pub(crate) struct Db(Arc<Inner>);

struct Inner {
    readers: Readers,
    reading: Availability,
    writer: Option<Writer>,
    /// For work that need not wait for its turn, where the engine has such.
    aside: Option<Writer>,
    generations: Arc<Generations>,
    figures: Arc<Figures>,
}

enum Readers {
    Sqlite(Box<Sqlite>),
    Postgres(Postgres),
}

impl Db {
    /// Connects, brings the schema up to date, and starts the writer.
    pub(crate) async fn open(target: &Target) -> DbResult<Self> {
        match target {
            Target::Sqlite(path) => {
                let readers = Sqlite::new(path);
                let mut connection = Connection::Sqlite(readers.writer()?);
                migrate::run(&mut connection)?;
                Self::start(Readers::Sqlite(Box::new(readers)), connection, None, Arc::default())
            }
            Target::Postgres(settings) => {
                let readers = Readers::Postgres(Postgres::connect(settings)?);
                let to = Settings::clone(settings);
                let migrated = tokio::task::spawn_blocking(move || {
                    let mut connection = Connection::Postgres(Box::new(postgres::Writer::connect(to)?));
                    migrate::run(&mut connection)?;
                    connection.settle()?;
                    Ok::<_, DbError>(connection)
                });
                let connection = migrated.await.map_err(|_| DbError::Stopped)??;
                let generations = Arc::new(Generations::shared());
                let aside =
                    Connection::Postgres(Box::new(postgres::Writer::aside(Settings::clone(settings))?));
                let db = Self::start(readers, connection, Some(aside), Arc::clone(&generations))?;
                postgres::listen(settings, &generations).await?;
                Ok(db)
            }
        }
    }

    /// Connects to a database that servers may be using, as it is: nothing is made and nothing brought up to date. What
    /// changes here, servers on other connections hear of on PostgreSQL alone.
    pub(crate) async fn existing(target: &Target) -> DbResult<Self> {
        Snapshot::check(target).await?;
        let (readers, connection) = match target {
            Target::Sqlite(path) => {
                let readers = Sqlite::new(path);
                let connection = Connection::Sqlite(readers.writer()?);
                (Readers::Sqlite(Box::new(readers)), connection)
            }
            Target::Postgres(settings) => {
                let to = Settings::clone(settings);
                let connected = tokio::task::spawn_blocking(move || postgres::Writer::connect(to));
                let writer = connected.await.map_err(|_| DbError::Stopped)??;
                let readers = Readers::Postgres(Postgres::connect(settings)?);
                (readers, Connection::Postgres(Box::new(writer)))
            }
        };
        Self::start(readers, connection, None, Arc::default())
    }

    fn start(
        readers: Readers,
        connection: Connection,
        aside: Option<Connection>,
        generations: Arc<Generations>,
    ) -> DbResult<Self> {
        let figures = Arc::default();
        let start = |connection| {
            Writer::start(connection, Arc::clone(&generations), Arc::clone(&figures))
                .map_err(|error| DbError::Engine(error.to_string()))
        };
        let (writer, aside) = (start(connection)?, aside.map(start).transpose()?);
        Ok(Self(Arc::new(Inner {
            readers,
            reading: Availability::of("read"),
            writer: Some(writer),
            aside,
            generations,
            figures,
        })))
    }

    /// Opens a database that a server may be using, to read only.
    pub(crate) fn read_only(target: &Target) -> DbResult<Self> {
        let (readers, generations) = match target {
            Target::Sqlite(path) => (Readers::Sqlite(Box::new(Sqlite::new(path))), Generations::default()),
            Target::Postgres(settings) => {
                (Readers::Postgres(Postgres::connect(settings)?), Generations::shared())
            }
        };
        Ok(Self(Arc::new(Inner {
            readers,
            reading: Availability::of("read"),
            writer: None,
            aside: None,
            generations: Arc::new(generations),
            figures: Arc::default(),
        })))
    }

    /// What caches compare; see [`Generations`].
    pub(crate) fn generations(&self) -> &Generations {
        &self.0.generations
    }

    /// The name of the engine.
    pub(crate) fn engine(&self) -> &'static str {
        match &self.0.readers {
            Readers::Sqlite(_) => "sqlite",
            Readers::Postgres(_) => "postgresql",
        }
    }

    /// What it did so far.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// What it is doing.
    pub(crate) fn load(&self) -> Load {
        let (most_readers, idle_readers, waiting_reads) = match &self.0.readers {
            Readers::Sqlite(sqlite) => sqlite.readers(),
            Readers::Postgres(postgres) => postgres.readers(),
        };
        let waiting_transactions = self.0.writer.as_ref().map_or(0, Writer::waiting);
        let is_trusted = self.0.generations.are_trusted();
        Load { waiting_transactions, most_readers, idle_readers, waiting_reads, is_trusted }
    }

    /// The rows of a statement that only reads.
    pub(crate) async fn query<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        let began = Instant::now();
        let rows = match &self.0.readers {
            Readers::Sqlite(sqlite) => sqlite.read(sql, params, read),
            // Boxed, because it is large: every future that reads would have room for it, also on SQLite, and be copied
            // with it a few times for each request.
            Readers::Postgres(postgres) => Box::pin(postgres.read(sql, params, read)).await,
        };
        self.0.figures.reads.record_time(began.elapsed());
        self.0.reading.note(rows.as_ref().err(), rows.is_ok());
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
        match &self.0.writer {
            Some(writer) => {
                let mut work = Some(work);
                let work = move |tx: &mut Tx<'_>| {
                    let work = work.take().ok_or_else(|| DbError::Data("work for one time".into()))?;
                    work(tx)
                };
                writer.transaction(crate::audit::current(), false, None, work).await
            }
            None => Err(DbError::Stopped.into()),
        }
    }

    /// The same for work that may be done several times, of which the last counts; see [`Tx::will_not_fail`].
    pub(crate) async fn repeatable<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.repeatable_asking(None, work).await
    }

    /// The same for work of which it is known what it will ask first.
    pub(crate) async fn repeatable_asking<T, E, F>(
        &self,
        question: impl Into<Option<Question>>,
        work: F,
    ) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match &self.0.writer {
            Some(writer) => writer.transaction(crate::audit::current(), true, question.into(), work).await,
            None => Err(DbError::Stopped.into()),
        }
    }

    /// The same for work of the server's own that must not keep others waiting. Others may write meanwhile, where the
    /// engine lets them: what it relies on has to be locked.
    pub(crate) async fn aside<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        match self.0.aside.as_ref().or(self.0.writer.as_ref()) {
            Some(writer) => writer.transaction(None, true, None, work).await,
            None => Err(DbError::Stopped.into()),
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Readers::Sqlite(sqlite) = &self.readers {
            sqlite.close();
        }
        drop((self.aside.take(), self.writer.take()));
    }
}

#[cfg(test)]
mod tests;
