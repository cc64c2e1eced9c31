//! PostgreSQL: a pool of connections that read, one that writes, and one that listens for what other nodes wrote.
//!
//! Writers of all nodes take turns by an advisory lock, so that a transaction sees what every earlier one did and never
//! has to be repeated. Sharing a commit among all that wait ([`super::writer`]) makes that affordable.

mod listener;
mod settings;
mod writer;

pub(super) use listener::listen;
pub(crate) use settings::Settings;
pub(super) use writer::{FOR_POSTGRES, Writer, connect};

use super::value::{Param, Row};
use super::{DbError, DbResult};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

/// Connections that read; a processor of the database can serve several.
const READERS: usize = 16;
/// How long a request waits for a connection.
const WAIT: Duration = Duration::from_secs(2);
/// How long an answer to a statement that reads may take.
const READING: Duration = Duration::from_secs(5);
/// After a failure to connect, others fail at once for so long instead of waiting one after the other.
const BACKOFF: Duration = Duration::from_millis(250);

fn places<'a>(params: &'a [Param<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else {
            return Self::Unavailable(root_cause(&error));
        };
        let (code, message) = (refusal.code(), refusal.message());
        // Classes of SQLSTATE: integrity; connection, rollback, resources, intervention, system.
        match &code.code()[..2] {
            "23" => Self::Conflict(refusal.constraint().unwrap_or(message).to_owned()),
            "08" | "40" | "53" | "57" | "58" => Self::Unavailable(format!("{message} ({})", code.code())),
            _ if PASSING.contains(code) => Self::Unavailable(message.to_owned()),
            _ => Self::Engine(format!("{message} ({})", code.code())),
        }
    }
}

/// What else passes by itself: a standby, a turn that took too long, a wait that did.
const PASSING: [SqlState; 3] = [
    SqlState::READ_ONLY_SQL_TRANSACTION,
    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    SqlState::LOCK_NOT_AVAILABLE,
];

/// The connections that read.
pub(super) struct Postgres(Pool);

impl Postgres {
    pub(super) fn connect(settings: &Settings) -> DbResult<Self> {
        let manager = Manager::from_config(
            settings.config.clone(),
            settings.tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let pool =
            Pool::builder(manager).max_size(READERS).runtime(Runtime::Tokio1).timeouts(timeouts).build();
        pool.map(Self).map_err(|error| DbError::Engine(error.to_string()))
    }

    /// The rows of a statement that only reads.
    pub(super) async fn read<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> DbResult<T>,
    ) -> DbResult<Vec<T>> {
        // A connection may have died since it was used last; a statement that only reads may be asked again.
        let rows = match self.rows(sql, params).await {
            Err(DbError::Unavailable(_)) => self.rows(sql, params).await?,
            rows => rows?,
        };
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    /// How many connections there may be, how many are idle, and how many requests wait for one.
    pub(super) fn readers(&self) -> (usize, usize, usize) {
        let status = self.0.status();
        (status.max_size, status.available, status.waiting)
    }

    async fn rows(&self, sql: &str, params: &[Param<'_>]) -> DbResult<Vec<tokio_postgres::Row>> {
        match self.try_rows(sql, params).await {
            // The connection may have died since it was used last, and its death not have been noticed.
            Err(Failed::Closed(_)) => self.try_rows(sql, params).await,
            result => result,
        }
        .map_err(|failed| match failed {
            Failed::Closed(error) | Failed::Other(error) => error,
        })
    }

    async fn try_rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<tokio_postgres::Row>, Failed> {
        let unreachable = |error: deadpool_postgres::PoolError| DbError::Unavailable(root_cause(&error));
        let client = self.0.get().await.map_err(|error| Failed::Other(unreachable(error)))?;
        let rows = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, &places(params)).await
        };
        let failed = match timeout(READING, rows).await {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) if is_ordinary(&error) => return Err(Failed::Other(error.into())),
            Ok(Err(error)) => Failed::Closed(error.into()),
            Err(_) => Failed::Other(late()),
        };
        drop(Object::take(client));
        let (Failed::Closed(error) | Failed::Other(error)) = &failed;
        if matches!(error, DbError::Unavailable(_)) {
            // The others lead to the same place.
            self.0.retain(|_, _| false);
        }
        Err(failed)
    }
}

/// Why a statement that reads has no answer.
enum Failed {
    /// Its connection does not work any more; another one may.
    Closed(DbError),
    Other(DbError),
}

/// What the database said, or the system, rather than who noticed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last();
    last.unwrap_or(error).to_string()
}

/// Whether a connection is as good after the error as before.
fn is_ordinary(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|refusal| refusal.code().code().starts_with("23"))
}

async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> DbResult<T> {
    timeout(limit, work).await.map_err(|_| late())?.map_err(DbError::from)
}

fn late() -> DbError {
    DbError::Unavailable("no answer in time".into())
}
