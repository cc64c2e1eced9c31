//! Everything from one database into another, of whatever engine.

use super::connection::Connection;
use super::schema::{self, Holds, Table};
use super::value::{Param, Row};
use super::{DbError, DbResult, Snapshot, Target, migrate, postgres, sqlite};
use ::postgres::types::{ToSql, Type};

/// Copies all rows of `from` into `to`, which has to be empty, in one transaction; says how many there were of each
/// table. Blocks.
pub(crate) fn copy(from: &Target, to: &Target) -> DbResult<Vec<(String, u64)>> {
    let mut source = Snapshot::open(from)?;
    let mut target = open(to)?;
    target.begin()?;
    let copied = copy_tables(&mut source, &mut target);
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

/// The database to copy into, with a schema and nothing else.
fn open(to: &Target) -> DbResult<Connection> {
    let mut connection = match to {
        Target::Sqlite(path) => Connection::Sqlite(sqlite::Sqlite::new(path).writer()?),
        Target::Postgres(settings) => {
            Connection::Postgres(Box::new(postgres::Writer::connect((**settings).clone())?))
        }
    };
    let full = || DbError::Full(to.to_string());
    match connection.query("SELECT MAX(version) FROM migration", &[], |row| row.opt_int(0)) {
        Ok(version) => {
            migrate::require_known(version.first().copied().flatten().unwrap_or(0))?;
            for table in schema::tables()? {
                let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
                if !connection.query(&sql, &[], |_| Ok(()))?.is_empty() {
                    return Err(full());
                }
            }
        }
        Err(DbError::Engine(_)) => migrate::run(&mut connection)?,
        Err(error) => return Err(error),
    }
    Ok(connection)
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
