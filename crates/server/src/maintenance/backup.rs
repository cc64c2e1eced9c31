//! Backups of a SQLite database: one file, made beside a running server, without the master key.

use super::{MaintenanceError, Result, Site, blocking, io_error, refused};
use crate::data_dir;
use crate::db::{DbError, Snapshot, Target};
use crate::seal::SealError;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

const POSTGRES: &str = "this is for SQLite; PostgreSQL has its own tools, see \
    \"Backup and restore\" in docs/operations.md";

/// What a restore found about the key that the backup is sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// The master key opens it.
    Opens,
    /// There is no master key yet; no server starts on the database without.
    MasterKeyMissing,
}

impl Site {
    /// Writes a copy of the database as it is now to `file`, in place of one that is there. What was written is verified
    /// first. It has the mode 0600 and holds no master key.
    ///
    /// # Errors
    /// The database is no file, or `file` cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        let Target::Sqlite(database) = self.target().clone() else { return refused(POSTGRES) };
        let file = file.to_owned();
        blocking(move || {
            drop(Snapshot::open_older(&Target::Sqlite(database.clone()))?);
            refuse_live(&file, &database)?;
            let beside = beside(&file);
            let made = write(&database, &beside).and_then(|()| put(&beside, &file));
            if made.is_err() {
                // Whatever went wrong is told; half a copy is of no use.
                let _ = fs::remove_file(&beside);
            }
            made
        })
        .await
    }

    /// Puts a backup in the place of the database. There must be none, unless `replace`; then it is gone afterwards.
    ///
    /// # Errors
    /// A server is running, there is a database, the backup is none, or it belongs to another master key than the one
    /// that is there.
    pub async fn restore(&self, file: &Path, replace: bool) -> Result<Restored> {
        let Target::Sqlite(database) = self.target().clone() else { return refused(POSTGRES) };
        let (site, file) = (self.clone(), file.to_owned());
        blocking(move || {
            site.dir.create()?;
            let _locks = site.lock()?;
            refuse_live(&file, &database)?;
            if !replace && (database.exists() || beside_of(&database, "-wal").exists()) {
                return refused(format!(
                    "{} exists; --replace puts the backup in its place",
                    database.display()
                ));
            }
            if fs::metadata(beside_of(&file, "-wal")).is_ok_and(|log| log.len() > 0) {
                return refused(format!(
                    "{} was copied while a server used it: its newest data is elsewhere",
                    file.display()
                ));
            }
            let copy = beside(&database);
            let restored = copy_of(&file, &copy).and_then(|()| {
                let found = opens(&site, &copy)?;
                verify(&copy)?;
                // The log belongs to what was there before; on top of another database it would destroy that.
                for suffix in ["-wal", "-shm"] {
                    remove_if_there(&beside_of(&database, suffix))?;
                }
                put(&copy, &database)?;
                Ok(found)
            });
            if restored.is_err() {
                let _ = fs::remove_file(&copy);
            }
            restored
        })
        .await
    }
}

/// `file` with more behind its name.
fn beside_of(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn beside(file: &Path) -> PathBuf {
    beside_of(file, ".new")
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}

/// The database in use is no place for a backup.
fn refuse_live(file: &Path, database: &Path) -> Result<()> {
    let same = |one: &Path, other: &Path| match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    let is_live = same(file, database)
        || ["-wal", "-shm"].iter().any(|suffix| same(file, &beside_of(database, suffix)));
    if is_live { refused(format!("{} is the database itself", file.display())) } else { Ok(()) }
}

/// An empty file that only its owner may read.
fn create(path: &Path) -> Result<File> {
    remove_if_there(path)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(io_error(path))
}

/// A copy of what is committed, in one transaction of the reading sort: writers go on meanwhile.
fn write(database: &Path, copy: &Path) -> Result<()> {
    create(copy)?;
    let Some(name) = copy.to_str() else { return refused("the name of the file is not UTF-8") };
    let copied = (|| {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute("VACUUM INTO ?1", [name])
    })();
    copied.map_err(DbError::from)?;
    verify(copy)?;
    let file = OpenOptions::new().write(true).open(copy).map_err(io_error(copy))?;
    file.sync_all().map_err(io_error(copy))
}

fn copy_of(file: &Path, copy: &Path) -> Result<()> {
    let mut from = File::open(file).map_err(io_error(file))?;
    let mut to = create(copy)?;
    io::copy(&mut from, &mut to).map_err(io_error(copy))?;
    to.sync_all().map_err(io_error(copy))
}

/// Moves a finished file into its place, for good.
fn put(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(io_error(to))?;
    data_dir::sync_directory_of(to).map_err(io_error(to))
}

/// Refuses what is not a whole database of this version or an older one.
fn verify(copy: &Path) -> Result<()> {
    let mut snapshot = Snapshot::open_older(&Target::Sqlite(copy.to_owned()))?;
    let found = snapshot.rows("PRAGMA integrity_check(1)", |row| Ok(row.text(0)?.to_owned()))?;
    drop(snapshot);
    // What looking at it may have left.
    for suffix in ["-wal", "-shm"] {
        remove_if_there(&beside_of(copy, suffix))?;
    }
    match found.as_slice() {
        [ok] if ok == "ok" => Ok(()),
        [problem, ..] => refused(format!("the copy is damaged: {problem}")),
        [] => refused("the copy cannot be checked"),
    }
}

/// Whether the master key opens what is in the copy; another one must not be put beside it.
fn opens(site: &Site, copy: &Path) -> Result<Restored> {
    const KEY: &str =
        "SELECT tenant, kid, private_key FROM signing_key WHERE state IN ('current', 'next') ORDER BY state";
    let master = match site.master() {
        Ok(master) => master,
        Err(MaintenanceError::DataDir(data_dir::DataDirError::MasterKeyMissing { .. })) => {
            return Ok(Restored::MasterKeyMissing);
        }
        Err(error) => return Err(error),
    };
    let mut opened = Ok(Restored::Opens);
    Snapshot::open_older(&Target::Sqlite(copy.to_owned()))?.each(KEY, |row| {
        let context = crate::keys::seal_context(row.text(0)?, row.text(1)?);
        match master.open(&context, row.bytes(2)?) {
            Ok(_) => {}
            Err(SealError::OtherKey) => {
                opened = refused("the backup was sealed with another master key than the one that is there");
            }
            Err(error) => opened = Err(error.into()),
        }
        Ok(())
    })?;
    opened
}
