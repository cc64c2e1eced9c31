//! A database of a test's own, and a look into it past the server.

use postgres::{Client, NoTls};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Tells databases of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database that is gone when it is dropped: a file in a directory of the test, or a schema.
#[derive(Debug)]
pub struct Database {
    url: String,
    schema: Option<Schema>,
}

#[derive(Debug)]
struct Schema {
    server: String,
    name: String,
    is_owned: bool,
}

impl Database {
    /// A file at `path`, unless the tests run on another engine.
    ///
    /// # Panics
    /// If the engine cannot be reached.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let Ok(server) = std::env::var("TENANTRY_TEST_DATABASE_URL") else {
            return Self { url: format!("sqlite:{}", path.display()), schema: None };
        };
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let schema = Schema { server, name, is_owned: true };
        schema.run(&format!("CREATE SCHEMA {}", schema.name));
        Self {
            url: format!("{}?options=-csearch_path%3D{}", schema.server, schema.name),
            schema: Some(schema),
        }
    }

    /// An empty database of the other engine, or another of the same where there is only one. A file is in `dir`.
    ///
    /// # Panics
    /// If the engine cannot be reached.
    #[must_use]
    pub fn other(&self, dir: &Path) -> Self {
        let path = dir.join(format!("other{}.db", NUMBER.fetch_add(1, Ordering::Relaxed)));
        match &self.schema {
            Some(_) => Self { url: format!("sqlite:{}", path.display()), schema: None },
            None => Self::new(&path),
        }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The file, if it is one: for tests of what only SQLite has, like plans of statements.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        self.schema.is_none().then(|| self.url.trim_start_matches("sqlite:").into())
    }

    /// Whether the text stands anywhere in it, in clear.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let Some(schema) = &self.schema else {
            let Some(file) = self.file() else { return false };
            let log = file.with_extension("db-wal");
            let bytes: Vec<u8> =
                [file, log].iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
            return bytes.windows(text.len()).any(|window| window == text.as_bytes());
        };
        let (url, name, text) = (self.url.clone(), schema.name.clone(), text.to_owned());
        apart(move || {
            let mut client = Client::connect(&url, NoTls).expect("the database");
            client.batch_execute("SET bytea_output = 'escape'").expect("a setting");
            let tables = client
                .query("SELECT tablename::text FROM pg_tables WHERE schemaname = $1", &[&name])
                .expect("tables");
            tables.iter().any(|table| {
                let sql = format!(
                    "SELECT EXISTS (SELECT 1 FROM {0} WHERE strpos({0}::text, $1) > 0)",
                    table.get::<_, &str>(0)
                );
                client.query_one(&sql, &[&text]).expect("an answer").get(0)
            })
        })
    }

    /// The same database for another server, if it can serve several; it goes when the first is dropped.
    pub(crate) fn shared(&self) -> Option<Self> {
        let Schema { server, name, .. } = self.schema.as_ref()?;
        let schema = Schema { server: server.clone(), name: name.clone(), is_owned: false };
        Some(Self { url: self.url.clone(), schema: Some(schema) })
    }

    /// Ends all connections to the database but that of the caller, as a restart of it would.
    ///
    /// # Panics
    /// If there is no server to end them.
    pub fn cut_connections(&self) {
        let schema = self.schema.as_ref().expect("a database that is a server");
        schema.run(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
             WHERE application_name = '{}' AND pid <> pg_backend_pid()",
            schema.name
        ));
    }

    /// Runs statements behind the server's back.
    ///
    /// # Panics
    /// If the statements fail.
    pub fn execute(&self, sql: &str) {
        if let Some(path) = self.file() {
            let connection = rusqlite::Connection::open(path).expect("the database");
            connection.busy_timeout(std::time::Duration::from_secs(5)).expect("a connection");
            return connection.execute_batch(sql).expect("the statements work");
        }
        let (url, sql) = (self.url.clone(), sql.to_owned());
        apart(move || {
            let mut client = Client::connect(&url, NoTls).expect("the database");
            client.batch_execute(&sql).expect("the statements work");
        });
    }

    /// Does to the schema what a newer version's migrations may: every table gets another column, and there is another
    /// table.
    ///
    /// # Panics
    /// If the engine refuses.
    pub fn migrate_further(&self) {
        let mut sql = String::new();
        for table in self.tables() {
            let _ = writeln!(sql, "ALTER TABLE {table} ADD COLUMN added_later TEXT NOT NULL DEFAULT 'x';");
        }
        sql += "CREATE TABLE later (name TEXT NOT NULL PRIMARY KEY);
            CREATE INDEX later_client ON client (added_later);
            INSERT INTO migration (version) VALUES (9999)";
        self.execute(&sql);
    }

    fn tables(&self) -> Vec<String> {
        let Some(schema) = &self.schema else {
            let connection = rusqlite::Connection::open(self.file().expect("a file")).expect("the database");
            let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
            let mut statement = connection.prepare(names).expect("a statement");
            let tables = statement.query_map([], |row| row.get(0)).expect("tables");
            return tables.map(|name| name.expect("a name")).collect();
        };
        let (url, name) = (self.url.clone(), schema.name.clone());
        apart(move || {
            let mut client = Client::connect(&url, NoTls).expect("the database");
            let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1";
            client.query(names, &[&name]).expect("tables").iter().map(|row| row.get(0)).collect()
        })
    }

    /// The number that a statement finds; `$1` is `parameter`.
    ///
    /// # Panics
    /// If it finds none.
    #[must_use]
    pub fn number(&self, sql: &str, parameter: &str) -> i64 {
        if let Some(path) = self.file() {
            let connection = rusqlite::Connection::open(path).expect("the database");
            return connection.query_row(sql, [parameter], |row| row.get(0)).expect("a number");
        }
        let (url, sql, parameter) = (self.url.clone(), sql.to_owned(), parameter.to_owned());
        apart(move || {
            let mut client = Client::connect(&url, NoTls).expect("the database");
            client.query_one(&sql, &[&parameter]).expect("a row").get(0)
        })
    }
}

impl Database {
    /// Changes something behind the server's back, whatever the schema says about it; `$1` is `parameter`.
    ///
    /// # Panics
    /// If it changes nothing.
    pub fn tamper(&self, sql: &str, parameter: &str) {
        let changed = if let Some(path) = self.file() {
            let connection = rusqlite::Connection::open(path).expect("the database");
            connection.pragma_update(None, "foreign_keys", false).expect("a pragma");
            connection.execute(sql, [parameter]).expect("the statement works")
        } else {
            let (url, sql, parameter) = (self.url.clone(), sql.to_owned(), parameter.to_owned());
            apart(move || {
                let mut client = Client::connect(&url, NoTls).expect("the database");
                client.batch_execute("SET session_replication_role = replica").expect("a setting");
                usize::try_from(client.execute(&sql, &[&parameter]).expect("the statement works"))
                    .expect("few")
            })
        };
        assert_ne!(changed, 0, "{sql} {parameter}");
    }
}

impl Schema {
    fn run(&self, sql: &str) {
        self.try_run(sql).expect("the statement works");
    }

    fn try_run(&self, sql: &str) -> Result<(), postgres::Error> {
        let (server, sql) = (self.server.clone(), sql.to_owned());
        apart(move || Client::connect(&server, NoTls).expect("PostgreSQL").batch_execute(&sql))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !self.is_owned {
            return;
        }
        // A server that still runs may be working on the tables, and lock them in another order than this.
        let dropped = std::iter::repeat_with(|| self.try_run(&format!("DROP SCHEMA {} CASCADE", self.name)))
            .find(|dropped| !is_deadlock(dropped));
        dropped.expect("an end").expect("the schema goes");
    }
}

fn is_deadlock(result: &Result<(), postgres::Error>) -> bool {
    let code = result.as_ref().err().and_then(postgres::Error::code);
    code == Some(&postgres::error::SqlState::T_R_DEADLOCK_DETECTED)
}

/// On a thread of its own: the blocking client must not run on one of an asynchronous runtime.
fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().expect("the work on the database")
}
