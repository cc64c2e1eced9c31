//! Everything from one database into another, of whatever engine.

use super::connection::Connection;
use super::schema::{self, Holds, Table};
use super::value::{Param, Row};
use super::{DbError, DbResult, Snapshot, Target, migrate, postgres, sqlite};
use ::postgres::types::{ToSql, Type};
use rusqlite::OpenFlags;

/// The table that says which migrations were run.
const MIGRATIONS: &str = "migration";
/// One that a migration drops again: an earlier program that was interrupted may have left it.
const FORMER: &str = "token_quota_use";

/// Copies all rows of `from` into `to`, which has to be empty; says how many there were of each table. The tables are made
/// in the same transaction, so that it can be repeated whenever it was interrupted. Blocks.
pub(crate) fn copy(from: &Target, to: &Target) -> DbResult<Vec<(String, u64)>> {
    let mut source = Snapshot::open(from)?;
    let mut target = open(to)?;
    target.begin()?;
    let copied = require_empty(&mut target, to)
        .and_then(|()| migrate::run_within(&mut target))
        .and_then(|()| copy_tables(&mut source, &mut target));
    match copied {
        Ok(copied) => {
            target.commit(&[])?;
            target.batch("ANALYZE")?;
            target.close();
            Ok(copied)
        }
        Err(error) => {
            target.rollback();
            Err(error)
        }
    }
}

/// The database to copy into.
fn open(to: &Target) -> DbResult<Connection> {
    match to {
        Target::Sqlite(path) => {
            // The writer changes how a file is kept, also one that is refused afterwards. This one only rolls back what an
            // interrupted program left.
            if path.exists() {
                let connection = sqlite::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
                require_empty(&mut Connection::Sqlite(connection), to)?;
            }
            Ok(Connection::Sqlite(sqlite::Sqlite::new(path).writer()?))
        }
        Target::Postgres(settings) => {
            Ok(Connection::Postgres(Box::new(postgres::Writer::connect((**settings).clone())?)))
        }
    }
}

/// Refuses a database with tables, unless they are ours and there is nothing in them.
fn require_empty(target: &mut Connection, to: &Target) -> DbResult<()> {
    let full = || Err(DbError::Full(to.to_string()));
    let there = tables_of(target)?;
    if !there.is_empty() && !there.iter().any(|name| name == MIGRATIONS) {
        return full();
    }
    let ours = schema::tables()?;
    for name in there.iter().filter(|name| *name != MIGRATIONS) {
        if name != FORMER && !ours.iter().any(|table| table.name == *name) {
            return full();
        }
        if !target.query(&format!("SELECT 1 FROM {name} LIMIT 1"), &[], |_| Ok(()))?.is_empty() {
            return full();
        }
    }
    Ok(())
}

fn tables_of(target: &mut Connection) -> DbResult<Vec<String>> {
    let sql = match target {
        Connection::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
        Connection::Postgres(_) => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
        }
    };
    target.query(sql, &[], |row| Ok(row.text(0)?.to_owned()))
}

fn copy_tables(source: &mut Snapshot, target: &mut Connection) -> DbResult<Vec<(String, u64)>> {
    let mut copied = Vec::new();
    for table in schema::tables()? {
        let count = match target {
            Connection::Sqlite(connection) => into_sqlite(source, connection, &table)?,
            Connection::Postgres(writer) => into_postgres(source, writer, &table)?,
        };
        let sql = format!("SELECT COUNT(*) FROM {}", table.name);
        let there = source.rows(&sql, |row| row.size(0))?;
        let here = target.query(&sql, &[], |row| row.size(0))?;
        if there != here {
            let (name, there, here) = (&table.name, there.first(), here.first());
            return Err(DbError::Data(format!("{name}: {there:?} rows there, {here:?} here")));
        }
        copied.push((table.name, count));
    }
    Ok(copied)
}

/// The value of a column as a parameter.
fn value<'a>(row: &'a Row<'_>, index: usize, holds: Holds) -> DbResult<Param<'a>> {
    Ok(match holds {
        Holds::Text => row.opt_text(index)?.into(),
        Holds::Int => row.opt_int(index)?.into(),
        Holds::Bool => row.opt_bool(index)?.into(),
        Holds::Bytes => row.opt_bytes(index)?.into(),
    })
}

fn values<'a>(row: &'a Row<'_>, table: &Table) -> DbResult<Vec<Param<'a>>> {
    let columns = table.columns.iter().enumerate();
    columns.map(|(index, column)| value(row, index, column.holds)).collect()
}

fn select(table: &Table) -> String {
    format!("SELECT {} FROM {}", table.names(), table.name)
}

fn into_sqlite(source: &mut Snapshot, target: &rusqlite::Connection, table: &Table) -> DbResult<u64> {
    let places = vec!["?"; table.columns.len()].join(", ");
    let insert = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names());
    let mut insert = target.prepare(&insert)?;
    let mut count = 0;
    source.each(&select(table), |row| {
        for (index, value) in values(row, table)?.into_iter().enumerate() {
            insert.raw_bind_parameter(index + 1, value)?;
        }
        insert.raw_execute()?;
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

fn into_postgres(source: &mut Snapshot, target: &mut postgres::Writer, table: &Table) -> DbResult<u64> {
    let types: Vec<_> = table
        .columns
        .iter()
        .map(|column| match column.holds {
            Holds::Text => Type::TEXT,
            Holds::Int => Type::INT8,
            Holds::Bool => Type::BOOL,
            Holds::Bytes => Type::BYTEA,
        })
        .collect();
    let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.names());
    let mut writer = target.copy_in(&sql, &types)?;
    source.each(&select(table), |row| {
        let values = values(row, table)?;
        let places: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        writer.write(&places)
    })?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on which so many migrations were run.
    fn made(dir: &tempfile::TempDir, name: &str, migrations: i64) -> Target {
        let path = dir.path().join(name);
        let mut connection = Connection::Sqlite(sqlite::Sqlite::new(&path).writer().unwrap());
        connection.begin().unwrap();
        for _ in 0..migrations {
            assert!(!migrate::next(&mut connection, migrate::known()).unwrap());
        }
        connection.commit(&[]).unwrap();
        Target::Sqlite(path)
    }

    #[test]
    fn a_target_is_filled_at_whatever_migration_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let source = made(&dir, "source", migrate::known());
        for migrations in 0..=migrate::known() {
            let target = made(&dir, &format!("target {migrations}"), migrations);
            copy(&source, &target).unwrap();
            drop(Snapshot::open(&target).unwrap());
        }
    }

    #[test]
    fn a_copy_that_does_not_end_leaves_nothing() {
        const ORPHAN: &str = "PRAGMA foreign_keys = OFF; INSERT INTO client_alias VALUES ('t', 'a', 'c')";
        let dir = tempfile::tempdir().unwrap();
        let source = made(&dir, "source", migrate::known());
        let writer = || sqlite::Sqlite::new(source.file().unwrap()).writer().unwrap();
        sqlite::batch(&writer(), ORPHAN).unwrap();
        let target = Target::Sqlite(dir.path().join("target"));
        assert!(matches!(copy(&source, &target), Err(DbError::Conflict(_))));
        let left = sqlite::Sqlite::new(target.file().unwrap()).writer().unwrap();
        assert_eq!(tables_of(&mut Connection::Sqlite(left)).unwrap(), [""; 0]);
        sqlite::batch(&writer(), "DELETE FROM client_alias").unwrap();
        copy(&source, &target).unwrap();
    }
}
