//! What the schema is made of, read from a database that the migrations just made. Both engines have the same.

use super::connection::Connection;
use super::{DbResult, migrate};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Int,
    Bool,
    Bytes,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) holds: Holds,
}

/// Columns that name a row of another table.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) columns: Vec<String>,
    pub(crate) parent: String,
    pub(crate) parent_columns: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) references: Vec<Reference>,
}

impl Table {
    /// Its columns as a statement names them.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }
}

/// The tables with what a server keeps, each behind those that it refers to.
pub(crate) fn tables() -> DbResult<Vec<Table>> {
    const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' \
        AND name NOT LIKE 'sqlite%' AND name <> 'migration' ORDER BY name";
    let mut connection = Connection::Sqlite(rusqlite::Connection::open_in_memory()?);
    migrate::run(&mut connection)?;
    let mut left = Vec::new();
    for name in connection.query(TABLES, &[], |row| Ok(row.text(0)?.to_owned()))? {
        let columns =
            connection.query(&format!("SELECT name, type FROM pragma_table_info('{name}')"), &[], |row| {
                let holds = match row.text(1)? {
                    "TEXT" => Holds::Text,
                    "BIGINT" => Holds::Int,
                    "BOOLEAN" => Holds::Bool,
                    "BYTEA" => Holds::Bytes,
                    other => return Err(super::DbError::Data(format!("a column of type {other}"))),
                };
                Ok(Column { name: row.text(0)?.to_owned(), holds })
            })?;
        let references = references(&mut connection, &name)?;
        left.push(Table { name, columns, references });
    }
    let mut sorted: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_ready = |table: &Table| {
            let mut parents = table.references.iter().map(|reference| &reference.parent);
            parents.all(|parent| *parent == table.name || sorted.iter().any(|done| done.name == *parent))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            return Err(super::DbError::Data("tables refer to each other in a circle".into()));
        }
        sorted.extend(ready);
        left = waiting;
    }
    Ok(sorted)
}

fn references(connection: &mut Connection, table: &str) -> DbResult<Vec<Reference>> {
    let sql = format!(
        "SELECT id, \"from\", \"table\", \"to\" FROM pragma_foreign_key_list('{table}') ORDER BY id, seq"
    );
    let mut references: Vec<(i64, Reference)> = Vec::new();
    connection.query(&sql, &[], |row| {
        let id = row.int(0)?;
        if references.last().is_none_or(|(last, _)| *last != id) {
            let parent = row.text(2)?.to_owned();
            references.push((id, Reference { columns: Vec::new(), parent, parent_columns: Vec::new() }));
        }
        if let Some((_, reference)) = references.last_mut() {
            reference.columns.push(row.text(1)?.to_owned());
            reference.parent_columns.push(row.text(3)?.to_owned());
        }
        Ok(())
    })?;
    Ok(references.into_iter().map(|(_, reference)| reference).collect())
}
