//! What an operator does to a database past the server: copies, checks, a new administrator.
//!
//! All of it works from a data directory, which names the database and the master key, and beside a running server
//! unless it says otherwise.

mod backup;
mod check;
mod rekey;
mod sealed;

pub use backup::Restored;
pub use check::{Checked, Problem};
pub use rekey::Rekeyed;

use crate::data_dir::{DataDir, DataDirError, ServerFile};
use crate::db::{self, DbError, Target};
use crate::seal::{MasterKey, SealError};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What was asked for could not be done.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A secret could not be opened or sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It would do harm, or cannot work.
    #[error("{0}")]
    Refused(String),
}

type Result<T> = std::result::Result<T, MaintenanceError>;

fn refused<T>(why: impl Into<String>) -> Result<T> {
    Err(MaintenanceError::Refused(why.into()))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> MaintenanceError + '_ {
    move |source| MaintenanceError::Io { path: path.to_owned(), source }
}

/// A data directory with its database and master key.
#[derive(Clone, Debug)]
pub struct Site {
    dir: DataDir,
    target: Target,
    master_key_file: Option<PathBuf>,
}

impl Site {
    /// The database and the master key are those that the last server in `dir` had, unless others are named.
    ///
    /// # Errors
    /// The URL is none, or what a server left in the directory cannot be read.
    pub fn new(dir: DataDir, database_url: Option<&str>, master_key_file: Option<&Path>) -> Result<Self> {
        let server = match dir.server_file() {
            Ok(server) => Some(server),
            Err(DataDirError::Empty(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let url = database_url.or(server.as_ref().map(|server| server.database.as_str()));
        let target = url.map_or_else(|| Ok(Target::Sqlite(dir.database())), Target::parse)?;
        let last = server.and_then(|ServerFile { master_key_file, .. }| master_key_file);
        let master_key_file = master_key_file.map(Path::to_owned).or(last);
        Ok(Self { dir, target, master_key_file })
    }

    /// A URL of the database, without a password.
    #[must_use]
    pub fn database(&self) -> String {
        self.target.to_string()
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The master key, which has to be there.
    pub(crate) fn master(&self) -> Result<MasterKey> {
        Ok(self.dir.master_key(self.master_key_file.as_deref(), Some(&self.database()))?)
    }

    /// Keeps servers out of the directory and off the database, as long as that is a file.
    ///
    /// # Errors
    /// One is in.
    pub(crate) fn lock(&self) -> Result<Vec<File>> {
        let mut locks = vec![self.dir.lock()?];
        if let Some(path) = self.target.file() {
            locks.push(self.dir.lock_database(path)?);
        }
        Ok(locks)
    }
}

/// Copies everything from one database into another, empty one; says how many rows there were of each table. No server
/// may be running on either.
///
/// # Errors
/// The target is not empty, or one of the two cannot be used.
pub async fn copy(from: &str, to: &str) -> Result<Vec<(String, u64)>> {
    let (from, to) = (Target::parse(from)?, Target::parse(to)?);
    blocking(move || {
        let locks: Result<Vec<File>> = [&from, &to]
            .iter()
            .filter_map(|target| target.file())
            .map(|path| {
                let dir = DataDir::new(path.parent().unwrap_or(Path::new(".")).to_owned());
                Ok(dir.lock_database(path)?)
            })
            .collect();
        let _locks = locks?;
        Ok(db::copy(&from, &to)?)
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| refused("the work panicked"))
}
