use super::generations::Slot;
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn database() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&file(&dir)).await.unwrap();
    (dir, db)
}

/// The same, or a new schema of the server that `TENANTRY_TEST_DATABASE_URL` names.
async fn database_of_either_engine() -> (tempfile::TempDir, Db) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Ok(server) = std::env::var("TENANTRY_TEST_DATABASE_URL") else { return database().await };
    let name = format!("unit_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let target = Target::parse(&format!("{server}?options=-csearch_path%3D{name}")).unwrap();
    (tempfile::tempdir().unwrap(), Db::open(&target).await.unwrap())
}

fn file(dir: &tempfile::TempDir) -> Target {
    Target::Sqlite(dir.path().join("test.db"))
}

fn set(tx: &mut Tx<'_>, name: &str, value: &str) -> DbResult<usize> {
    tx.execute("INSERT INTO setting (name, value) VALUES ($1, $2)", params![name, value])
}

async fn count(db: &Db) -> i64 {
    db.query_opt("SELECT COUNT(*) FROM setting", &[], |row| row.int(0)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_failed_transaction_leaves_nothing_and_harms_no_other() {
    let (_dir, db) = database_of_either_engine().await;
    let work = (0..50).map(|i| {
        let db = db.clone();
        tokio::spawn(async move {
            db.transaction(move |tx| {
                set(tx, &format!("name {i}"), "x")?;
                if i % 2 == 0 { Err(DbError::Data("no".into())) } else { Ok(()) }
            })
            .await
            .is_ok()
        })
    });
    let mut kept = 0;
    for task in work.collect::<Vec<_>>() {
        kept += i64::from(task.await.unwrap());
    }
    assert_eq!(kept, 25);
    assert_eq!(count(&db).await, 25);
}

/// What a job of [`together`] does.
#[derive(Clone, Copy)]
enum Does {
    /// Says that it will not fail, and writes.
    Well,
    /// Says the same, writes, and fails.
    Wrong,
    /// Says the same, and writes what the database refuses, without waiting for the answer.
    Clash,
    /// Says that it will not fail, and adds a row that may go together with others'.
    Added,
    /// The same, and the database refuses the row.
    AddedClash,
    /// Reads what the first wrote, as it announced, says that it will not fail, and writes.
    Asks,
    /// The same, but there is no answer.
    AsksInVain,
    /// Says nothing, and writes.
    Marked,
    /// Says nothing, and sends a statement that the database does not understand.
    Nonsense,
    /// Writes without waiting for the answer, says nothing, and fails.
    Changed,
    /// Writes, and cannot be done again.
    Once,
    /// The same, and fails.
    OnceWrong,
    /// Says that it will not fail, and writes; when it is repeated, `PostgreSQL` ends its connection.
    CutWhenRepeated,
}

/// Runs jobs in one commit, behind one that goes first, each of which writes a row; what became of them, the first
/// included, and which rows there are.
async fn together(jobs: &[Does]) -> (Vec<DbResult<()>>, Vec<String>) {
    const FIRST: &str = "SELECT value FROM setting WHERE name = $1";
    const IN_VAIN: &str = "SELECT value FROM setting WHERE name = $1 AND 1 / length(substr(name, 99)) > 0";
    let (_dir, db) = database_of_either_engine().await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (starts, begun) = std::sync::mpsc::channel::<()>();
    let first = db.clone();
    let waiting = tokio::spawn(async move {
        // Holds the writer until all the others wait for it.
        first
            .repeatable(move |tx| {
                let _ = starts.send(());
                let _ = held.recv();
                set(tx, "first", "x").map(|_| ())
            })
            .await
    });
    while begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let mut tasks = Vec::new();
    for (place, &does) in jobs.iter().enumerate() {
        let (before, of_job) = (db.load().waiting_transactions, db.clone());
        tasks.push(tokio::spawn(async move {
            let asked = if matches!(does, Does::AsksInVain) { IN_VAIN } else { FIRST };
            let question = Question::new(asked, params!["first"], Kind::Client, "t", "first");
            let mut runs = 0;
            let work = move |tx: &mut Tx<'_>| {
                const ADD: &str = "INSERT INTO setting (name, value) VALUES ($1, 'x')";
                runs += 1;
                let is_cut = matches!(does, Does::CutWhenRepeated);
                if is_cut && runs > 1 {
                    return tx
                        .query("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_| Ok(()))
                        .map(|_| ());
                }
                let is_added = matches!(does, Does::Added | Does::AddedClash);
                let asks = matches!(does, Does::Asks | Does::AsksInVain);
                if asks {
                    let found = tx.query_opt(asked, params!["first"], |row| Ok(row.text(0)?.to_owned()))?;
                    if found.as_deref() != Some("x") {
                        return Err(DbError::Data("no".into()));
                    }
                }
                if is_added || asks || is_cut || matches!(does, Does::Well | Does::Wrong | Does::Clash) {
                    tx.will_not_fail();
                }
                let clashes = matches!(does, Does::Clash | Does::AddedClash);
                let name = if clashes { "first".into() } else { place.to_string() };
                if is_added {
                    tx.append(ADD, [params![&name]])?;
                } else {
                    tx.write(ADD, params![&name])?;
                }
                match does {
                    Does::Wrong | Does::Changed | Does::OnceWrong => Err(DbError::Data("no".into())),
                    Does::Nonsense => tx.query("SELECT nothing FROM nowhere", &[], |_| Ok(())).map(|_| ()),
                    _ => Ok(()),
                }
            };
            match does {
                Does::Once | Does::OnceWrong => of_job.transaction(work).await,
                Does::Asks | Does::AsksInVain => of_job.repeatable_asking(question, work).await,
                _ => of_job.repeatable(work).await,
            }
        }));
        while db.load().waiting_transactions == before {
            tokio::task::yield_now().await;
        }
    }
    drop(release);
    let mut became = vec![waiting.await.unwrap()];
    for task in tasks {
        became.push(task.await.unwrap());
    }
    let names = db.query("SELECT name FROM setting ORDER BY name", &[], |row| Ok(row.text(0)?.to_owned()));
    (became, names.await.unwrap())
}

#[tokio::test]
async fn who_fails_against_its_word_harms_no_other() {
    use Does::{
        Added, AddedClash, Asks, AsksInVain, Changed, Clash, Marked, Nonsense, Once, OnceWrong, Well, Wrong,
    };
    for jobs in [
        [Well, Wrong, Well, Wrong, Well],
        [Wrong, Once, Wrong, Well, OnceWrong],
        [Well, Once, Wrong, OnceWrong, Well],
        [OnceWrong, Wrong, Wrong, Once, Once],
        [Well, Clash, Well, Well, Once],
        [Clash, Well, Once, Clash, Well],
        [Well, Nonsense, Well, Changed, Well],
        [Nonsense, Changed, Clash, OnceWrong, Well],
        [Added, Added, Well, Added, Added],
        [Added, AddedClash, Added, Wrong, Added],
        [AddedClash, Once, Added, AddedClash, Well],
        [Added, Wrong, Added, Nonsense, Added],
        [Added, Added, Changed, OnceWrong, Added],
        [Asks, Asks, Well, Asks, Added],
        [Asks, Clash, Asks, Wrong, Asks],
        [Clash, Asks, Nonsense, Once, Asks],
        [Added, AddedClash, Asks, Changed, Asks],
        [Well, AsksInVain, Asks, Added, Asks],
        [Marked, Marked, AsksInVain, Marked, Asks],
        [Marked, AsksInVain, Once, AsksInVain, Marked],
        [Once, Once, AsksInVain, Once, Asks],
    ] {
        let (became, names) = together(&jobs).await;
        let expected: Vec<_> =
            jobs.iter().map(|does| matches!(does, Well | Once | Added | Asks | Marked)).collect();
        assert!(became[0].is_ok());
        assert_eq!(became[1..].iter().map(Result::is_ok).collect::<Vec<_>>(), expected);
        let rows = (0..jobs.len()).filter(|place| expected[*place]).map(|place| place.to_string());
        assert_eq!(names, rows.chain(["first".to_owned()]).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn who_cannot_be_repeated_is_told_why_and_not_what_went_wrong_before() {
    if std::env::var("TENANTRY_TEST_DATABASE_URL").is_err() {
        return;
    }
    let (became, names) = together(&[Does::CutWhenRepeated, Does::Nonsense]).await;
    for result in &became {
        assert!(matches!(result, Err(DbError::Unavailable(_))), "{result:?}");
    }
    assert_eq!(names, [""; 0]);
}

#[tokio::test]
async fn what_many_add_to_a_number_is_all_there_and_nothing_of_who_failed() {
    const ADD: &str = "INSERT INTO token_count (tenant, owner, owner_id, period, window_start, n) \
        VALUES ($1, 'client', $2, 'day', 0, $3) \
        ON CONFLICT (tenant, owner, owner_id, period) DO UPDATE SET n = token_count.n + excluded.n";
    const TENANT: &str = "INSERT INTO tenant (tenant, domain, created_at) VALUES ('t', 'd', 0)";
    let (_dir, db) = database_of_either_engine().await;
    db.transaction(|tx| tx.execute(TENANT, &[])).await.unwrap();
    let work = (0..60).map(|i| {
        let db = db.clone();
        tokio::spawn(async move {
            db.repeatable(move |tx| {
                if i % 2 == 0 {
                    tx.will_not_fail();
                }
                tx.add(ADD, params!["t", if i % 3 == 0 { "a" } else { "b" }], i);
                tx.write("UPDATE tenant SET created_at = $1 WHERE tenant = 't'", params![i])?;
                if i % 5 == 0 { Err(DbError::Data("no".into())) } else { Ok(()) }
            })
            .await
        })
    });
    for task in work.collect::<Vec<_>>() {
        let _ = task.await.unwrap();
    }
    for (id, is_ours) in [("a", true), ("b", false)] {
        let sql = "SELECT n FROM token_count WHERE owner_id = $1";
        let n = db.query_opt(sql, params![id], |row| row.int(0)).await.unwrap();
        assert_eq!(n, Some((0..60).filter(|i| i % 5 != 0 && (i % 3 == 0) == is_ours).sum()));
    }
}

#[tokio::test]
async fn a_panic_in_a_transaction_is_an_error_and_the_writer_lives_on() {
    let (_dir, db) = database().await;
    let result: DbResult<()> = db
        .transaction(|tx| {
            set(tx, "a", "b")?;
            panic!("on purpose");
        })
        .await;
    assert!(result.is_err());
    db.transaction(|tx| set(tx, "c", "d")).await.unwrap();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn conflicts_are_told_apart() {
    let (_dir, db) = database().await;
    db.transaction(|tx| set(tx, "a", "b")).await.unwrap();
    assert!(matches!(db.transaction(|tx| set(tx, "a", "c")).await, Err(DbError::Conflict(_))));
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let (dir, db) = database().await;
    db.transaction(|tx| tx.execute("INSERT INTO migration (version) VALUES (999)", &[])).await.unwrap();
    drop(db);
    assert!(matches!(Db::open(&file(&dir)).await, Err(DbError::Newer { found: 999, .. })));
}

#[tokio::test]
async fn changes_are_seen_by_caches_when_they_are_committed() {
    let (_dir, db) = database().await;
    let slot = Slot::of(Kind::Client, "t", "c");
    let before = db.generations().now(slot);
    let failed: DbResult<()> = db
        .transaction(|tx| {
            tx.changed(Kind::Client, "t", "c");
            Err(DbError::Data("no".into()))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(db.generations().now(slot), before);
    db.transaction(|tx| {
        tx.changed(Kind::Client, "t", "c");
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert_ne!(db.generations().now(slot), before);
}

#[tokio::test]
async fn a_copy_has_every_row_and_goes_only_into_an_empty_database() {
    let (from, db) = database().await;
    db.transaction(|tx| set(tx, "a", "b")).await.unwrap();
    let nothing = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    assert!(matches!(copy(&file(&nothing), &file(&to)), Err(DbError::Foreign(_))));
    let copied = copy(&file(&from), &file(&to)).unwrap();
    assert!(copied.contains(&("setting".to_owned(), 1)), "{copied:?}");
    assert!(matches!(copy(&file(&from), &file(&to)), Err(DbError::Full(_))));
    let copied = Db::open(&file(&to)).await.unwrap();
    assert_eq!(count(&copied).await, 1);
}

#[test]
fn parents_come_before_their_children_and_no_table_is_forgotten() {
    let tables = schema::tables().unwrap();
    let place = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
    for table in &tables {
        for reference in &table.references {
            assert!(place(&reference.parent) <= place(&table.name), "{}", table.name);
            assert_eq!(reference.columns.len(), reference.parent_columns.len());
        }
    }
    assert!(place("tenant") < place("client") && place("client") < place("client_secret"));
}

/// Sets how many pages the writer's file may have.
async fn limit(db: &Db, pages: usize) {
    let sql = format!("PRAGMA max_page_count = {pages}");
    db.transaction(move |tx| tx.query(&sql, &[], |_| Ok(())).map(|_| ())).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_nothing_of_it_stays_when_there_is_room_again() {
    let (_dir, db) = database().await;
    limit(&db, 1).await;
    let big = "x".repeat(500_000);
    let work: Vec<_> = (0..20)
        .map(|i| {
            let (db, big) = (db.clone(), big.clone());
            // Small ones that may fit, among others that do not.
            let value = if i % 4 == 0 { big } else { "small".into() };
            let name = format!("name {i}");
            tokio::spawn(async move {
                if i % 3 == 0 {
                    return db.transaction(move |tx| set(tx, &name, &value)).await;
                }
                let work = move |tx: &mut Tx<'_>| {
                    tx.will_not_fail();
                    set(tx, &name, &value)
                };
                db.repeatable(work).await
            })
        })
        .collect();
    let mut kept = 0;
    for (i, task) in work.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(_) => kept += 1,
            Err(DbError::Unavailable(_)) => {}
            Err(other) => panic!("{i}: {other}"),
        }
    }
    assert!(kept <= 15, "{kept}");
    assert_eq!(count(&db).await, kept, "what was not acknowledged is not there, and the rest is");
    limit(&db, 1_000_000).await;
    db.transaction(move |tx| set(tx, "afterwards", &big)).await.unwrap();
    assert_eq!(count(&db).await, kept + 1);
}

#[tokio::test]
async fn a_disk_that_may_not_be_written_is_not_available() {
    let (_dir, db) = database().await;
    db.transaction(|tx| tx.query("PRAGMA query_only = 1", &[], |_| Ok(()))).await.unwrap();
    let refused = db.transaction(|tx| set(tx, "a", "b")).await;
    assert!(matches!(refused, Err(DbError::Unavailable(_))), "{refused:?}");
}
