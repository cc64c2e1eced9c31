//! Migrations, run at start, each in a transaction of its own. A migration that was released never changes.

use super::connection::Connection;
use super::postgres::FOR_POSTGRES;
use super::{DbError, DbResult};
use std::cmp::Ordering;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_credentials.sql"),
    include_str!("migrations/0003_connections.sql"),
    include_str!("migrations/0004_organizations.sql"),
    include_str!("migrations/0005_tenant.sql"),
    include_str!("migrations/0006_search.sql"),
    include_str!("migrations/0007_configuration.sql"),
    include_str!("migrations/0008_credential_pem.sql"),
    include_str!("migrations/0009_key_rotation.sql"),
    include_str!("migrations/0010_references.sql"),
    include_str!("migrations/0011_audit.sql"),
    include_str!("migrations/0012_clustered.sql"),
    include_str!("migrations/0013_current_secret.sql"),
    include_str!("migrations/0014_lookups.sql"),
    include_str!("migrations/0015_unindexed.sql"),
    include_str!("migrations/0016_not_global.sql"),
];

/// Begins lines that are meant for `SQLite` alone, and comments elsewhere: how a table is kept, never what it holds. Lines
/// for `PostgreSQL` alone begin likewise.
const FOR_SQLITE: &str = "-- sqlite: ";

/// The version of the schema that this program makes.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("few migrations")
}

/// Refuses a schema that is not this program's.
pub(super) fn require_known(found: i64) -> DbResult<()> {
    let known = known();
    match found.cmp(&known) {
        Ordering::Less => Err(DbError::Older { found, known }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(DbError::Newer { found, known }),
    }
}

/// Brings the schema up to date. Of several processes that start at once, one does it while the others wait.
pub(super) fn run(connection: &mut Connection) -> DbResult<()> {
    let known = known();
    loop {
        connection.begin()?;
        let step = next(connection, known);
        match step {
            Ok(is_done) => {
                connection.commit(&[])?;
                if is_done {
                    return Ok(());
                }
            }
            Err(error) => {
                connection.rollback();
                return Err(error);
            }
        }
    }
}

/// The same within a transaction that was begun, so that all of it is there or nothing.
pub(super) fn run_within(connection: &mut Connection) -> DbResult<()> {
    while !next(connection, known())? {}
    Ok(())
}

/// Runs the first migration that is lacking; whether there was none.
pub(super) fn next(connection: &mut Connection, known: i64) -> DbResult<bool> {
    connection.batch("CREATE TABLE IF NOT EXISTS migration (version BIGINT NOT NULL PRIMARY KEY)")?;
    let found = connection
        .query("SELECT COALESCE(MAX(version), 0) FROM migration", &[], |row| row.int(0))?
        .first()
        .copied()
        .unwrap_or(0);
    if found > known {
        return Err(DbError::Newer { found, known });
    }
    let Some(text) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found)) else {
        return Ok(true);
    };
    match connection {
        Connection::Sqlite(_) => connection.batch(&text.replace(FOR_SQLITE, ""))?,
        Connection::Postgres(_) => connection.batch(&text.replace(FOR_POSTGRES, ""))?,
    }
    connection.execute("INSERT INTO migration (version) VALUES ($1)", super::params![found + 1])?;
    Ok(false)
}
