//! Changing the master key while servers run, step by step.
//!
//! The file may hold several keys: the first seals, all of them open. A new key is added, then put first; then
//! everything is sealed anew; then the others go. A crash between or within steps leaves a file and a database that fit.

use super::sealed::{PLACES, Place};
use super::{MaintenanceError, Result, Site, io_error, refused};
use crate::connections::configuration;
use crate::data_dir::{DataDirError, write_private};
use crate::db::{Db, DbError, DbResult, Param, Tx};
use crate::seal::MasterKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Values sealed anew in one transaction; servers wait no longer than it takes.
const BATCH: i64 = 200;
/// A server looks at the file every second.
const SERVER_WAIT: Duration = Duration::from_secs(15);
/// A request that sealed under the old key is over after so long.
const SETTLED: Duration = Duration::from_secs(2);

/// What changing the master key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// The name of the key that seals now.
    pub key: String,
    /// How many values were sealed anew.
    pub resealed: u64,
    /// Where the keys before are kept.
    pub retired: PathBuf,
}

/// The keys of the file, one a line.
type Keys = Vec<Zeroizing<String>>;

impl Site {
    /// Changes the master key of a database that no other machine uses: makes a new one, or goes on with a change that
    /// was interrupted.
    ///
    /// # Errors
    /// The database may have servers elsewhere, the running server does not take the new key, or something does not
    /// open.
    pub async fn rekey(&self) -> Result<Rekeyed> {
        if self.target.file().is_none() {
            return refused(
                "several servers may use this database: see \"The master key\" in docs/operations.md for the steps",
            );
        }
        let path = self.key_file()?;
        let mut keys = read(&path)?;
        if keys.len() == 1 {
            keys.insert(0, MasterKey::generate()?);
            write(&path, &keys)?;
        }
        self.wait_for_server("Nothing is lost: the same command goes on where this one stopped").await?;
        let mut resealed = self.reseal().await?;
        tokio::time::sleep(SETTLED).await;
        resealed += self.reseal().await?;
        let retired = self.retire().await?;
        Ok(Rekeyed { key: self.master()?.ids().swap_remove(0), resealed, retired })
    }

    /// Adds a new key that opens, and does not seal yet; its name.
    ///
    /// # Errors
    /// There are several keys already, or the file cannot be written.
    pub async fn add_key(&self) -> Result<String> {
        let path = self.key_file()?;
        let mut keys = read(&path)?;
        if keys.len() > 1 {
            return refused(format!("{} has several keys already", path.display()));
        }
        keys.push(MasterKey::generate()?);
        write(&path, &keys)?;
        self.wait_for_server(
            "The new key is in the file: start the server anew, and go on with the next step",
        )
        .await?;
        Ok(self.master()?.ids().swap_remove(1))
    }

    /// Lets the last key seal; its name.
    ///
    /// # Errors
    /// There is only one, or the file cannot be written.
    pub async fn promote_key(&self) -> Result<String> {
        let path = self.key_file()?;
        let mut keys = read(&path)?;
        let Some(newest) = keys.pop().filter(|_| !keys.is_empty()) else {
            return refused(format!("{} has only one key", path.display()));
        };
        keys.insert(0, newest);
        write(&path, &keys)?;
        let next = "The new key stands first in the file, and this step repeated would put the old one there again: \
            start the server anew, and go on with the next step";
        self.wait_for_server(next).await?;
        Ok(self.master()?.ids().swap_remove(0))
    }

    /// Seals everything with the first key that another one sealed; how much that was.
    ///
    /// # Errors
    /// Something does not open, or the database failed.
    pub async fn reseal(&self) -> Result<u64> {
        let db = Db::existing(&self.target).await?;
        let master = Arc::new(self.master()?);
        let mut count = 0;
        for place in PLACES {
            let mut after: Option<Vec<String>> = None;
            loop {
                let (from, keys) = (after.take(), Arc::clone(&master));
                let batch = move |tx: &mut Tx<'_>| reseal_batch(tx, &keys, place, from.as_deref());
                let (done, last) = db.transaction(batch).await?;
                count += done;
                if last.is_none() {
                    break;
                }
                after = last;
            }
        }
        let keys = Arc::clone(&master);
        count += db.transaction(move |tx| reseal_documents(tx, &keys)).await?;
        Ok(count)
    }

    /// Leaves only the first key in the file, when nothing is sealed with the others any more. They are kept in a file
    /// beside it, whose path is returned: backups that were made before need them.
    ///
    /// # Errors
    /// Something is sealed with another key still.
    pub async fn retire(&self) -> Result<PathBuf> {
        let path = self.key_file()?;
        let mut keys = read(&path)?;
        if let Some(left) = self.sealed_with_others().await? {
            return refused(format!("{left} is sealed with another key than the first still: reseal first"));
        }
        let retired = {
            let mut name = path.clone().into_os_string();
            name.push(".old");
            PathBuf::from(name)
        };
        let mut old = match read(&retired) {
            Ok(old) => old,
            Err(MaintenanceError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Keys::new()
            }
            Err(error) => return Err(error),
        };
        for key in keys.split_off(1) {
            if !old.contains(&key) {
                old.push(key);
            }
        }
        if !old.is_empty() {
            write(&retired, &old)?;
        }
        write(&path, &keys)?;
        self.wait_for_server("The change is done: start the server anew").await?;
        Ok(retired)
    }

    fn key_file(&self) -> Result<PathBuf> {
        let path = self.dir.master_key_path(self.master_key_file.as_deref());
        path.ok_or_else(|| {
            MaintenanceError::Refused(
                "the master key is in TENANTRY_MASTER_KEY, which no command can change: put a new key behind it, with a \
                 space between the two, and start all servers anew; then put the new one first, and start them anew; \
                 then `tenantry rekey reseal`; then take the old one away"
                    .into(),
            )
        })
    }

    /// Waits until the server of this directory, if one runs, has the keys of the file; `next` says what to do if it does not
    /// take them.
    async fn wait_for_server(&self, next: &str) -> Result<()> {
        let wanted = self.master()?.ids();
        let since = Instant::now();
        loop {
            match self.dir.lock() {
                Ok(_) => return Ok(()),
                Err(DataDirError::InUse(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if self.dir.server_file().is_ok_and(|server| server.master_keys == wanted) {
                return Ok(());
            }
            if since.elapsed() > SERVER_WAIT {
                return refused(format!(
                    "the running server does not take the keys of the file, which may not be the one that it reads; \
                     its log may say why. {next}"
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Something that another key than the first sealed.
    async fn sealed_with_others(&self) -> Result<Option<String>> {
        let db = Db::existing(&self.target).await?;
        let master = self.master()?;
        for place in PLACES {
            let (sql, id) = (select(place, None), master.sealing_id());
            let params = [Param::Bytes(&id), Param::Int(1)];
            let found = db.query_opt(&sql, &params, |row| Ok(row.text(1)?.to_owned())).await?;
            if found.is_some() {
                return Ok(Some(format!("a row of {}", place.table)));
            }
        }
        let documents =
            db.query("SELECT document FROM connection", &[], |row| Ok(row.text(0)?.to_owned())).await?;
        let is_old = |document: &String| {
            let mut document: Value = serde_json::from_str(document).unwrap_or_default();
            shown_sealed(&mut document).any(|(_, _, sealed)| !master.is_newest(&sealed))
        };
        Ok(documents.iter().any(is_old).then(|| "a connection".to_owned()))
    }
}

fn read(path: &Path) -> Result<Keys> {
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io_error(path))?);
    MasterKey::parse(&text)?;
    Ok(text.split_whitespace().map(|key| Zeroizing::new(key.to_owned())).collect())
}

fn write(path: &Path, keys: &Keys) -> Result<()> {
    let mut text = Zeroizing::new(String::new());
    for key in keys {
        text.push_str(key);
        text.push('\n');
    }
    write_private(path, text.as_bytes()).map_err(io_error(path))
}

/// The values of a place that another key than `$1` sealed, at most `$2`, behind the keys from `$3` on.
fn select(place: &Place, after: Option<&[String]>) -> String {
    let (keys, column, table) = (place.keys.join(", "), place.column, place.table);
    let places: Vec<_> = (0..place.keys.len()).map(|index| format!("${}", index + 3)).collect();
    let behind = after.map(|_| format!("AND ({keys}) > ({}) ", places.join(", "))).unwrap_or_default();
    format!(
        "SELECT {column}, {keys} FROM {table} WHERE LENGTH({column}) > 0 AND SUBSTR({column}, 2, 8) <> $1 {behind}\
         ORDER BY {keys} LIMIT $2"
    )
}

/// Seals some values anew; how many, and the keys of the last one, if there may be more.
fn reseal_batch(
    tx: &mut Tx<'_>,
    master: &MasterKey,
    place: &Place,
    after: Option<&[String]>,
) -> DbResult<(u64, Option<Vec<String>>)> {
    let id = master.sealing_id();
    let mut params = vec![Param::Bytes(&id), Param::Int(BATCH)];
    params.extend(after.into_iter().flatten().map(|key| Param::Text(key)));
    let rows = tx.query(&select(place, after), &params, |row| {
        let keys = (1..=place.keys.len()).map(|index| row.text(index).map(str::to_owned));
        Ok((row.bytes(0)?.to_vec(), keys.collect::<DbResult<Vec<_>>>()?))
    })?;
    let conditions: Vec<_> =
        place.keys.iter().enumerate().map(|(index, key)| format!("{key} = ${}", index + 2)).collect();
    let update =
        format!("UPDATE {} SET {} = $1 WHERE {}", place.table, place.column, conditions.join(" AND "));
    for (sealed, keys) in &rows {
        let names: Vec<_> = keys.iter().map(String::as_str).collect();
        let context = (place.context)(&names);
        let bad = |error| DbError::Data(format!("{} {}: {error}", place.table, names.join(" ")));
        let plain = master.open(&context, sealed).map_err(bad)?;
        let sealed = master.seal(&context, &plain).map_err(bad)?;
        let mut params = vec![Param::Bytes(&sealed)];
        params.extend(names.iter().map(|name| Param::Text(name)));
        tx.write(&update, &params)?;
    }
    let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < BATCH);
    let count = rows.len() as u64;
    Ok((count, rows.into_iter().next_back().map(|(_, keys)| keys).filter(|_| !is_last)))
}

/// The sealed values in a connection's document: the name, where it stands, what it is.
fn shown_sealed(connection: &mut Value) -> impl Iterator<Item = (&String, &mut Value, Vec<u8>)> {
    let values = connection.pointer_mut("/options/configuration").and_then(Value::as_object_mut);
    values.into_iter().flatten().filter_map(|(name, value)| {
        let sealed = STANDARD.decode(value.as_str()?).ok()?;
        Some((name, value, sealed))
    })
}

fn reseal_documents(tx: &mut Tx<'_>, master: &MasterKey) -> DbResult<u64> {
    const ALL: &str = "SELECT tenant, id, document FROM connection";
    const UPDATE: &str =
        "UPDATE connection SET document = $3, version = version + 1 WHERE tenant = $1 AND id = $2";
    let rows = tx.query(ALL, &[], |row| {
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?.to_owned()))
    })?;
    let mut count = 0;
    for (tenant, id, text) in rows {
        let bad = |error: &dyn std::fmt::Display| DbError::Data(format!("connection {id}: {error}"));
        let mut document: Value = serde_json::from_str(&text).map_err(|error| bad(&error))?;
        let before = count;
        for (name, value, sealed) in
            shown_sealed(&mut document).filter(|(.., sealed)| !master.is_newest(sealed))
        {
            let context = configuration::seal_context(&tenant, &id, name);
            let plain = master.open(&context, &sealed).map_err(|error| bad(&error))?;
            *value = STANDARD.encode(master.seal(&context, &plain).map_err(|error| bad(&error))?).into();
            count += 1;
        }
        if count > before {
            tx.write(UPDATE, &[Param::Text(&tenant), Param::Text(&id), Param::Text(&document.to_string())])?;
        }
    }
    Ok(count)
}
