//! Migrations, run at start, each in a transaction of its own. A migration that was released never changes.

use super::{DbError, DbResult};
use rusqlite::Connection;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_credentials.sql"),
    include_str!("migrations/0003_connections.sql"),
    include_str!("migrations/0004_organizations.sql"),
    include_str!("migrations/0005_tenant.sql"),
    include_str!("migrations/0006_search.sql"),
    include_str!("migrations/0007_configuration.sql"),
    include_str!("migrations/0008_credential_pem.sql"),
];

pub(super) fn run(connection: &mut Connection) -> DbResult<()> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS migration (version BIGINT NOT NULL PRIMARY KEY)")?;
    let found: i64 =
        connection.query_row("SELECT COALESCE(MAX(version), 0) FROM migration", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).expect("few migrations");
    if found > known {
        return Err(DbError::Newer { found, known });
    }
    for (version, text) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(text)?;
        transaction.execute("INSERT INTO migration (version) VALUES (?1)", [version])?;
        transaction.commit()?;
    }
    Ok(())
}
