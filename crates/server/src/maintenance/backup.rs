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
    /// Writes a copy of the database as it is now to `file`, in place of an earlier one. What was written is verified
    /// first. It has the mode 0600 and holds no master key.
    ///
    /// # Errors
    /// The database is no file, `file` is something else than an earlier backup, or it cannot be written.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        let Target::Sqlite(database) = self.target().clone() else { return refused(POSTGRES) };
        let (site, file) = (self.clone(), file.to_owned());
        blocking(move || {
            refuse_live(&file, &database)?;
            site.refuse_own(&file)?;
            refuse_other(&file)?;
            drop(Snapshot::open_older(&Target::Sqlite(database.clone()))?);
            let (beside, _) = create_beside(&file)?;
            let made = write(&database, &beside).and_then(|()| put(&beside, &file));
            discard_unless(made, &beside)
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
            let (copy, to) = create_beside(&database)?;
            let restored = copy_of(&file, &copy, to).and_then(|()| {
                let found = opens(&site, &copy)?;
                verify(&copy)?;
                // The log belongs to what was there before; on top of another database it would destroy that.
                for suffix in ["-wal", "-shm"] {
                    remove_if_there(&beside_of(&database, suffix))?;
                }
                put(&copy, &database)?;
                Ok(found)
            });
            discard_unless(restored, &copy)
        })
        .await
    }

    /// What the data directory and the server need is no place for a backup, whether it is there yet or not.
    fn refuse_own(&self, file: &Path) -> Result<()> {
        let mut own = self.dir.files();
        for key in self.master_key_file.iter().chain([&self.dir.master_key_file()]) {
            own.extend(["", ".new", ".old"].map(|suffix| beside_of(key, suffix)));
        }
        for database in self.target.file().into_iter().chain([&*self.dir.database()]) {
            own.extend(["", "-wal", "-shm", "-journal", ".lock"].map(|suffix| beside_of(database, suffix)));
        }
        if own.iter().any(|own| is_same(file, own)) {
            return refused(format!(
                "{} is a file of the server, no place for a backup: choose another name",
                file.display()
            ));
        }
        Ok(())
    }
}

/// `file` with more behind its name.
fn beside_of(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        _ => Ok(()),
    }
}

/// Where a file is or would be, by whichever way it is named.
fn place(file: &Path) -> Option<PathBuf> {
    let of_new = || {
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        Some(fs::canonicalize(directory.unwrap_or(Path::new("."))).ok()?.join(file.file_name()?))
    };
    fs::canonicalize(file).ok().or_else(of_new)
}

fn is_same(one: &Path, other: &Path) -> bool {
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// The database in use is no backup, and no place for one.
fn refuse_live(file: &Path, database: &Path) -> Result<()> {
    let is_live = ["", "-wal", "-shm"].iter().any(|suffix| is_same(file, &beside_of(database, suffix)));
    if is_live { refused(format!("{} is the database itself", file.display())) } else { Ok(()) }
}

/// Only an earlier backup is replaced: somebody may need what else is there.
fn refuse_other(file: &Path) -> Result<()> {
    let found = match fs::symlink_metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(file)(error)),
    };
    let name = file.display();
    if !found.is_file() {
        return refused(format!("{name} exists and is no regular file"));
    }
    if beside_of(file, ".lock").exists() {
        return refused(format!("{name} is the database of another server: {name}.lock is beside it"));
    }
    match Snapshot::open_older(&Target::Sqlite(file.to_owned())) {
        Ok(_) | Err(DbError::Newer { .. }) => Ok(()),
        Err(_) => refused(format!("{name} exists and is no backup: remove it, or choose another name")),
    }
}

/// A new, empty file that only its owner may read, beside the one whose place it will take. Nobody else has its name,
/// also when several do the same at once.
fn create_beside(file: &Path) -> Result<(PathBuf, File)> {
    let process = std::process::id();
    let mut number = 0_u32;
    loop {
        let path = beside_of(file, &format!(".{process}-{number}.new"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(created) => return Ok((path, created)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(io_error(&path)(error)),
        }
    }
}

/// Whatever went wrong is told; half a copy is of no use.
fn discard_unless<T>(made: Result<T>, copy: &Path) -> Result<T> {
    if made.is_err() {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(beside_of(copy, suffix));
        }
    }
    made
}

/// A copy of what is committed, in one transaction of the reading sort: writers go on meanwhile.
fn write(database: &Path, copy: &Path) -> Result<()> {
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

fn copy_of(file: &Path, copy: &Path, mut to: File) -> Result<()> {
    let mut from = File::open(file).map_err(io_error(file))?;
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
