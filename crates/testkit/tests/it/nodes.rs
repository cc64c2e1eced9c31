//! Several servers on one database. Only PostgreSQL serves several; on another engine there is nothing to see.

use base64::Engine as _;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tenantry_server::{Clock, Config, DataDir, Network, Random, Server};
use tenantry_testkit::{Database, Testkit, client_path};

/// Tries until `is_so`, for no longer than a node may go on with what another one changed.
async fn within_a_second(what: &str, is_so: impl AsyncFn() -> bool) {
    let since = Instant::now();
    while !is_so().await {
        assert!(since.elapsed() < Duration::from_secs(1), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_one_node_changes_counts_on_the_other_within_a_second() {
    let a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let machine = a.create_machine(&a.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    assert_eq!(b.admin.get(&path).await.expect(200)["name"], "a client", "a node sees what another made");
    assert_eq!(b.ask(&machine, &a.audience(), &[]).await.status, 200);
    let caller = b.caller(&a.token(&machine, &a.audience()).await);
    assert_eq!(caller.get("/api/v2/clients").await.status, 200);

    let _ = a.admin.patch(&path, &json!({"name": "changed"})).await.expect(200);
    within_a_second("the old name", async || b.admin.get(&path).await.body["name"] == "changed").await;
    let _ = a.admin.post(&format!("{path}/rotate-secret"), &json!(null)).await.expect(200);
    within_a_second("the old secret", async || b.ask(&machine, &a.audience(), &[]).await.status == 401).await;
    assert_eq!(a.admin.delete(&path).await.status, 204);
    within_a_second("a deleted client's token", async || caller.get("/api/v2/clients").await.status == 401)
        .await;
}

#[tokio::test]
async fn updates_on_two_nodes_at_once_all_count() {
    let a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let client = a.create_client(json!({})).await;
    let path = client_path(&client);
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let (admin, path) = (if i % 2 == 0 { a.admin.clone() } else { b.admin.clone() }, path.clone());
            let body = json!({"client_metadata": {format!("k{}", i % 10): format!("{i}")}});
            tokio::spawn(async move { admin.patch(&path, &body).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let id = client["client_id"].as_str().unwrap();
    assert_eq!(a.database().number("SELECT version FROM client WHERE client_id = $1", id), 21);
}

#[tokio::test]
async fn service_resumes_when_the_database_comes_back() {
    let a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let client = a.create_client(json!({})).await;
    let path = client_path(&client);
    assert_eq!(b.admin.get(&path).await.status, 200);
    for _ in 0..3 {
        a.database().cut_connections();
        // Reads and writes find another connection by themselves.
        let changed = a.admin.patch(&path, &json!({"name": "changed"})).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        within_a_second("the old name", async || b.admin.get(&path).await.body["name"] == "changed").await;
        assert_eq!(b.admin.patch(&path, &json!({"name": "again"})).await.status, 200);
    }
}

/// A node that hangs, or loses its network without a word, may have begun a transaction: the turn of all writers.
#[tokio::test]
async fn a_node_that_falls_silent_keeps_nobody_waiting_for_long() {
    let a = Testkit::start().await;
    let Some((b, line)) = a.distant_node().await else { return };
    let client = a.create_client(json!({})).await;
    let path = client_path(&client);
    for round in 0..3 {
        let is_over = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn({
            let (admin, path, is_over) = (b.admin.clone(), path.clone(), Arc::clone(&is_over));
            async move {
                while !is_over.load(Ordering::Relaxed) {
                    let _ = admin.patch(&path, &json!({"name": "by b"})).await;
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        line.cut();
        let since = Instant::now();
        assert_eq!(a.admin.patch(&path, &json!({"name": "by a"})).await.status, 200, "round {round}");
        assert!(
            since.elapsed() < Duration::from_secs(8),
            "waited {:?} for the other's turn",
            since.elapsed()
        );
        is_over.store(true, Ordering::Relaxed);
        line.mend();
        writer.await.unwrap();
    }
    assert_eq!(b.admin.patch(&path, &json!({"name": "again"})).await.status, 200);
}

#[tokio::test]
async fn a_database_that_answers_nothing_is_not_waited_for_forever() {
    let a = Testkit::start().await;
    let Some((b, line)) = a.distant_node().await else { return };
    let client = a.create_client(json!({})).await;
    let path = client_path(&client);
    assert_eq!(b.admin.get(&path).await.status, 200);
    assert_eq!(b.admin.patch(&path, &json!({"name": "before"})).await.status, 200);
    line.cut();
    // What is in memory counts for up to a second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let since = Instant::now();
    let body = json!({"name": "never"});
    let (read, written) = tokio::join!(b.admin.get(&path), b.admin.patch(&path, &body));
    assert!(read.status == 503 && written.status == 503, "{} {}", read.status, written.status);
    assert!(since.elapsed() < Duration::from_secs(28), "{:?}", since.elapsed());
    // Connections that were begun meanwhile lead nowhere either, and must not be waited for.
    tokio::time::sleep(Duration::from_secs(3)).await;
    line.mend();
    let since = Instant::now();
    while b.admin.patch(&path, &json!({"name": "after"})).await.status != 200 {
        assert!(since.elapsed() < Duration::from_secs(10), "service resumes by itself");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(b.admin.get(&path).await.expect(200)["name"], "after");
    let _ = a.admin.patch(&path, &json!({"name": "by the other"})).await.expect(200);
    within_a_second("news", async || b.admin.get(&path).await.body["name"] == "by the other").await;
}

/// Rolling upgrades: the first new node migrates while old ones still serve. Migrations only add.
#[tokio::test]
async fn a_running_node_goes_on_when_a_newer_version_migrates() {
    let t = Testkit::start().await;
    // Statements are prepared before and after.
    for round in 0..2 {
        let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
        let path = format!("/api/v2/clients/{}", machine.client_id);
        let _ = t.admin.patch(&path, &json!({"description": "changed"})).await.expect(200);
        assert_eq!(t.admin.get(&path).await.expect(200)["description"], "changed");
        let list = t.admin.get("/api/v2/clients?include_totals=true&per_page=100").await.expect(200);
        // The global client and the administrator, too.
        assert_eq!(list["total"], 3 + round);
        assert_eq!(
            t.admin.get("/api/v2/clients?take=1").await.expect(200)["clients"].as_array().unwrap().len(),
            1
        );
        let caller = t.caller(&t.token(&machine, &t.audience()).await);
        assert_eq!(caller.get("/api/v2/clients").await.status, 200);
        let _ = t.admin.post(&format!("{path}/rotate-secret"), &json!(null)).await.expect(200);
        assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 401);
        let api = json!({"identifier": format!("https://api{round}"), "scopes": [{"value": "read"}]});
        let _ = t.admin.post("/api/v2/resource-servers", &api).await.expect(201);
        let gone = t.create_client(json!({})).await;
        assert_eq!(t.admin.delete(&client_path(&gone)).await.status, 204);
        if round == 0 {
            t.database().migrate_further();
        }
    }
}

#[tokio::test]
async fn servers_that_start_for_the_first_time_at_once_share_one_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::new(&dir.path().join("unused.db"));
    if database.file().is_some() {
        return;
    }
    let key = dir.path().join("master.key");
    std::fs::write(&key, base64::engine::general_purpose::STANDARD.encode([7; 32])).unwrap();
    let config = Config {
        listen: Some("127.0.0.1:0".into()),
        domain: Some("tenant.example".into()),
        database_url: Some(database.url().to_owned()),
        master_key_file: Some(key),
        ..Config::default()
    };
    let start = async |n: u64| {
        let data = DataDir::new(dir.path().join(n.to_string()));
        let network = Network::routed(|_| Vec::new(), &[]);
        #[expect(clippy::disallowed_methods, reason = "certificates are valid from the real present on")]
        let clock = Clock::manual(jiff::Timestamp::now());
        Server::start_in(&config, data, clock, Random::seeded(n), &network).await
    };
    for started in futures_util::future::join_all((0..4).map(start)).await {
        started.unwrap().stop().await;
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM client WHERE tenant = $1", "default"), 2);
}
