//! What durable inserts and point reads cost, with no server around them.

use crate::rounds::Sample;
use crate::{Failure, cpu, stop};
use postgres::{Client, NoTls};
use rusqlite::{Connection, params};
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Connections that insert into `PostgreSQL` at once.
pub(crate) const CONNECTIONS: usize = 16;
/// Bytes of a stored row.
const ROW: usize = 1_500;
/// Rows among which are read.
const ROWS: u64 = 1_000;

const TABLE: &str = "CREATE TABLE thing (seq BIGINT PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, \
                     document TEXT NOT NULL)";
const INDEX: &str = "CREATE INDEX thing_by_kind ON thing (kind, seq)";
const INSERT: &str = "INSERT INTO thing (seq, id, kind, document) VALUES ($1, $2, $3, $4)";
const READ: &str = "SELECT document FROM thing WHERE id = $1";

/// Ids in no order, as clients' are.
fn id(number: u64) -> String {
    let mut random = fastrand::Rng::with_seed(number);
    format!("{:016x}{:016x}", random.u64(..), random.u64(..))
}

fn kind(number: u64) -> &'static str {
    ["spa", "native", "non_interactive", "regular_web"][usize::try_from(number % 4).unwrap_or(0)]
}

/// A document like a client's, written anew for every row, as a server would.
fn document(number: u64, id: &str) -> String {
    let mut document = json!({
        "tenant": "bench", "client_id": id, "name": format!("row {number}"), "app_type": kind(number),
        "is_first_party": true, "oidc_conformant": true, "callbacks": ["https://app.example.com/callback"],
        "grant_types": ["client_credentials"], "token_endpoint_auth_method": "client_secret_post",
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36_000, "secret_encoded": false},
        "refresh_token": {"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0},
        "description": "",
    });
    let length = document.to_string().len();
    document["description"] = "x".repeat(ROW.saturating_sub(length)).into();
    document.to_string()
}

/// A `SQLite` file of its own.
pub(crate) struct Sqlite {
    connection: Connection,
    rows: u64,
    _dir: TempDir,
}

impl Sqlite {
    /// Makes one on the disk that holds `dir`, as durable as Tenantry's.
    pub(crate) fn new(dir: &Path) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("tenantry-bench-").tempdir_in(dir)?;
        let connection = Connection::open(dir.path().join("raw.db"))?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; {TABLE}; {INDEX}"
        ))?;
        Ok(Self { connection, rows: 0, _dir: dir })
    }

    fn insert(&mut self, count: u64) -> Result<(), Failure> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for _ in 0..count {
                self.rows += 1;
                let id = id(self.rows);
                let document = document(self.rows, &id);
                insert.execute(params![self.rows.cast_signed(), id, kind(self.rows), document])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Inserts rows, so many in each transaction, every transaction on the disk before the next.
    pub(crate) fn inserts(&mut self, lasts: Duration, per_transaction: u64) -> Result<Sample, Failure> {
        timed(lasts, || {
            self.insert(per_transaction)?;
            Ok(per_transaction)
        })
    }

    /// Reads rows by their ids.
    pub(crate) fn reads(&mut self, lasts: Duration) -> Result<Sample, Failure> {
        if self.rows < ROWS {
            self.insert(ROWS - self.rows)?;
        }
        let mut read = self.connection.prepare(READ)?;
        timed(lasts, || {
            let _: String = read.query_row([id(fastrand::u64(1..=ROWS))], |row| row.get(0))?;
            Ok(1)
        })
    }
}

/// Repeats something on this thread; it says how often it counts.
fn timed(lasts: Duration, mut each: impl FnMut() -> Result<u64, Failure>) -> Result<Sample, Failure> {
    let (begin, thread, mut count) = (Instant::now(), cpu::Thread::now(), 0);
    while begin.elapsed() < lasts {
        stop::check()?;
        count += each()?;
    }
    Ok(Sample::of(count, begin.elapsed(), Some(thread.since())))
}

/// How long the disk takes to keep 4 KiB that were appended to a file: the median of 50, in milliseconds.
pub(crate) fn sync_time(dir: &Path) -> Result<f64, Failure> {
    let mut file = tempfile::tempfile_in(dir)?;
    let mut times = Vec::new();
    for _ in 0..50 {
        file.write_all(&[1; 4096])?;
        let begin = Instant::now();
        file.sync_data()?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// A database on a `PostgreSQL` server, dropped with this.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    pub(crate) fn new(server: &str, purpose: &str) -> Result<Self, Failure> {
        let name = format!("tenantry_bench_{}_{purpose}", std::process::id());
        Client::connect(server, NoTls)?.batch_execute(&format!("CREATE DATABASE {name}"))?;
        Ok(Self { server: server.to_owned(), name })
    }

    pub(crate) fn url(&self) -> Result<String, Failure> {
        let mut url = url::Url::parse(&self.server)?;
        url.set_path(&self.name);
        Ok(url.into())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = Client::connect(&self.server, NoTls).and_then(|mut client| {
            client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
        });
        if let Err(error) = dropped {
            eprintln!("the database {} is left behind: {error}", self.name);
        }
    }
}

/// Whether that server answers a commit only when it is on the disk. Figures of writes mean little without.
pub(crate) fn waits_for_disk(server: &str) -> Result<bool, Failure> {
    const ASK: &str =
        "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'";
    Ok(Client::connect(server, NoTls)?.query_one(ASK, &[])?.get(0))
}

/// A `PostgreSQL` database of its own.
pub(crate) struct Postgres {
    clients: Vec<Client>,
    rows: u64,
    // After the connections, which keep it from being dropped.
    _database: Database,
}

impl Postgres {
    pub(crate) fn new(server: &str) -> Result<Self, Failure> {
        let database = Database::new(server, "raw")?;
        let url = database.url()?;
        let mut clients =
            (0..CONNECTIONS).map(|_| Client::connect(&url, NoTls)).collect::<Result<Vec<_>, _>>()?;
        clients[0].batch_execute(&format!("{TABLE}; {INDEX}"))?;
        Ok(Self { clients, rows: 0, _database: database })
    }

    /// Inserts rows on all connections, each row a transaction of its own.
    pub(crate) fn inserts(&mut self, lasts: Duration) -> Result<Sample, Failure> {
        let (begin, first) = (Instant::now(), self.rows);
        let insert = |client: &mut Client, place: u64| {
            let statement = client.prepare(INSERT)?;
            let (thread, mut count) = (cpu::Thread::now(), 0_u64);
            while begin.elapsed() < lasts && !stop::is_asked() {
                let number = first + count * CONNECTIONS as u64 + place;
                let id = id(number);
                let document = document(number, &id);
                client.execute(&statement, &[&number.cast_signed(), &id, &kind(number), &document])?;
                count += 1;
            }
            Ok::<_, Failure>((count, thread.since()))
        };
        let each = std::thread::scope(|scope| {
            let running: Vec<_> = (0..)
                .zip(&mut self.clients)
                .map(|(place, client)| scope.spawn(move || insert(client, place)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a thread failed")?)
                .collect::<Result<Vec<_>, _>>()
        })?;
        stop::check()?;
        self.rows += (each.iter().map(|(count, _)| count).max().unwrap_or(&0) + 1) * CONNECTIONS as u64;
        let count = each.iter().map(|(count, _)| count).sum();
        Ok(Sample::of(count, begin.elapsed(), Some(each.iter().map(|(_, cpu)| *cpu).sum())))
    }
}

/// `tenantry-bench store`.
pub(crate) fn print(lasts: Duration, dir: Option<&Path>, database_url: Option<&str>) -> Result<(), Failure> {
    cpu::check()?;
    stop::on_signals()?;
    let dir = dir.map_or_else(std::env::temp_dir, Path::to_owned);
    let show = |what: &str, sample: &Sample| {
        let cpu = sample.cpu_us.unwrap_or(f64::NAN);
        println!("{what:48} {:8.0} a second, {cpu:7.1} us of CPU each", sample.per_second);
    };
    println!("{:48} {:8.2} ms", "the disk keeps 4 KiB in", sync_time(&dir)?);
    let mut sqlite = Sqlite::new(&dir)?;
    show("SQLite: point reads", &sqlite.reads(lasts)?);
    for per_transaction in [1, 16] {
        let what = format!("SQLite: durable inserts, {per_transaction} a transaction");
        show(&what, &sqlite.inserts(lasts, per_transaction)?);
    }
    if let Some(url) = database_url {
        show("PostgreSQL: inserts on 16 connections", &Postgres::new(url)?.inserts(lasts)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_large_as_a_client() {
        assert_eq!(document(7, &id(7)).len(), ROW);
        assert_ne!(id(1), id(2));
    }

    #[test]
    fn a_store_takes_rows_and_gives_them_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut sqlite = Sqlite::new(dir.path()).unwrap();
        let inserts = sqlite.inserts(Duration::from_millis(20), 16).unwrap();
        assert!(inserts.count >= 16 && inserts.count.is_multiple_of(16));
        assert!(sqlite.reads(Duration::from_millis(20)).unwrap().count > 0);
    }
}
