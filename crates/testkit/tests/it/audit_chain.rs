//! Nobody changes the log unseen, and old entries go without leaving a doubt.

use crate::audit::logs;
use serde_json::json;
use std::time::Duration;
use tenantry_server::audit::{Report, verify_audit};
use tenantry_server::config::Retention;
use tenantry_server::{Config, DataDir};
use tenantry_testkit::Testkit;

async fn verify(t: &Testkit) -> Report {
    // What waits is written first.
    let _ = t.admin.get("/api/v2/logs?per_page=1").await.expect(200);
    let dir = DataDir::new(t.data_dir().to_owned());
    verify_audit(&dir, Some(t.database().url())).await.unwrap()
}

/// What is wrong, as numbers of entries in the chain of changes.
fn wrong(report: &Report) -> Vec<i64> {
    assert_eq!(report.intact, report.problems.is_empty());
    assert!(report.problems.iter().all(|problem| problem.chain == "changes"), "{report:?}");
    report.problems.iter().map(|problem| problem.number).collect()
}

async fn with_changes(count: usize) -> Testkit {
    let t = Testkit::start().await;
    for i in 0..count {
        let _ = t.create_client(json!({"name": format!("client {i}")})).await;
    }
    t
}

#[tokio::test]
async fn an_untouched_log_is_intact_also_after_a_restart_and_under_load() {
    let t = with_changes(3).await;
    let creates = (0..50).map(|i| t.create_client(json!({"name": format!("at once {i}")})));
    futures_util::future::join_all(creates).await;
    let report = verify(&t).await;
    assert!(report.intact, "{report:?}");
    assert_eq!((report.chains[0].entries, report.chains[0].deleted), (53, 0));
    assert_eq!(t.nobody().delete("/api/v2/clients/x").await.status, 401);
    // What waited at the stop was written.
    let mut t = t.restart(|_| ()).await;
    t.renew_admin().await;
    assert_eq!(logs(&t.admin, "type:fapi").await.len(), 1);
    assert_eq!(logs(&t.admin, "type:seccft").await.len(), 3);
    let report = verify(&t).await;
    assert!(report.intact && report.chains[1].entries == 4, "{report:?}");
}

#[tokio::test]
async fn every_way_to_tamper_is_found() {
    let here = "WHERE tenant = 'default' AND chain = 'changes' AND number";
    let cases: &[(&str, &[i64])] = &[
        // Altered.
        ("UPDATE audit_log SET document = '{\"description\":\"x\"}' {here} = 3", &[3]),
        ("UPDATE audit_log SET date = date + 1 {here} = 3", &[3]),
        ("UPDATE audit_log SET client_id = 'other' {here} = 3", &[3]),
        ("UPDATE audit_log SET type = 'fapi' {here} = 3", &[3]),
        (
            "UPDATE audit_log SET hash = (SELECT a.hash FROM audit_log a WHERE a.chain = 'changes' AND a.number = 2) \
          {here} = 3",
            &[3, 4],
        ),
        // Missing: in between, several, at the beginning, at the end.
        ("DELETE FROM audit_log {here} = 3", &[3]),
        ("DELETE FROM audit_log {here} IN (2, 4)", &[2, 4]),
        ("DELETE FROM audit_log {here} = 1", &[1]),
        ("DELETE FROM audit_log {here} > 4", &[5, 6]),
        // The end put back as well: the entry behind it tells.
        (
            "UPDATE audit_chain SET number = 4, seq = (SELECT a.seq FROM audit_log a WHERE a.chain = 'changes' AND \
          a.number = 4), hash = (SELECT a.hash FROM audit_log a WHERE a.chain = 'changes' AND a.number = 4) \
          WHERE chain = 'changes'",
            &[5, 6],
        ),
        // Passed off as deleted for its age.
        (
            "UPDATE audit_chain SET deleted_number = 2, deleted_seq = (SELECT a.seq FROM audit_log a WHERE a.chain = \
          'changes' AND a.number = 2), deleted_hash = (SELECT a.hash FROM audit_log a WHERE a.chain = 'changes' AND \
          a.number = 2) WHERE chain = 'changes'; DELETE FROM audit_log {here} <= 2",
            &[2],
        ),
        // Changed places.
        (
            "UPDATE audit_log SET number = -3 {here} = 3; UPDATE audit_log SET number = 3 {here} = 4; \
          UPDATE audit_log SET number = 4 {here} = -3",
            &[3, 3, 5],
        ),
        // Inserted: in between with a number of its own, and at the end.
        (
            "INSERT INTO audit_log SELECT tenant, 1000000, chain, number, date, type, client_id, document, hash \
          FROM audit_log {here} = 3",
            &[3],
        ),
    ];
    for (sql, expected) in cases {
        let t = with_changes(6).await;
        assert!(verify(&t).await.intact);
        t.database().execute(&sql.replace("{here}", here));
        let report = verify(&t).await;
        assert_eq!(wrong(&report), *expected, "{sql}: {report:?}");
        // The server goes on.
        assert!(t.create_client(json!({"name": "after"})).await.is_object());
    }
}

#[tokio::test]
async fn entries_go_when_they_are_old_and_the_rest_still_proves_itself() {
    let config = Config { audit_retention: Some("2d".parse::<Retention>().unwrap()), ..Config::default() };
    let mut t = Testkit::with(config).await;
    for day in 0..4 {
        let _ = t.create_client(json!({"name": format!("day {day}")})).await;
        t.clock.advance(Duration::from_secs(24 * 3600));
        t.renew_admin().await;
    }
    let report = verify(&t).await;
    assert!(report.intact, "{report:?}");
    assert!(report.chains[0].deleted >= 2 && report.chains[1].deleted >= 2, "{report:?}");
    let kept = logs(&t.admin, "description:\"Create a client\"").await;
    let names: Vec<_> = kept.iter().map(|entry| &entry["details"]["changes"][0]["after"]["name"]).collect();
    assert_eq!(names, ["day 3", "day 2"]);
    let notices = logs(&t.admin, "type:resource_cleanup").await;
    assert!(!notices.is_empty());
    // What somebody else deletes is not passed off as ours.
    t.database().execute("DELETE FROM audit_log WHERE seq = (SELECT MIN(a.seq) FROM audit_log a)");
    assert!(!verify(&t).await.intact);
}

#[tokio::test]
async fn attempts_make_room_for_newer_ones_and_changes_stay() {
    let config = Config { audit_attempts: Some(10), ..Config::default() };
    let t = Testkit::with(config).await;
    let _ = t.create_client(json!({"name": "kept"})).await;
    for _ in 0..3 {
        for _ in 0..10 {
            assert_eq!(t.nobody().delete("/api/v2/clients/x").await.status, 401);
        }
        t.clock.advance(Duration::from_secs(601));
        let _ = t.admin.get("/api/v2/logs").await.expect(200);
    }
    let report = verify(&t).await;
    assert!(report.intact, "{report:?}");
    assert_eq!((report.chains[1].entries, report.chains[1].deleted), (10, 21), "{report:?}");
    assert_eq!(logs(&t.admin, "type:sapi").await.len(), 1);
    assert_eq!(t.admin.get("/api/v2/logs?include_totals=true").await.expect(200)["total"], 10 + 1 + 3);
}

#[tokio::test]
async fn two_nodes_write_one_log() {
    let a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let tasks: Vec<_> = (0..40)
        .map(|i| {
            let admin = if i % 2 == 0 { a.admin.clone() } else { b.admin.clone() };
            tokio::spawn(async move {
                let made = admin.post("/api/v2/clients", &json!({"name": format!("c{i}")})).await.status;
                let refused = admin.post("/api/v2/clients", &json!({})).await.status;
                (made, refused)
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), (201, 400));
    }
    let _ = b.admin.get("/api/v2/logs").await.expect(200);
    let report = verify(&a).await;
    assert!(report.intact, "{report:?}");
    assert_eq!(report.chains[0].entries, 40);
    assert_eq!(logs(&b.admin, "type:sapi").await.len(), 40);
}

#[tokio::test]
async fn what_goes_with_all_that_was_remembered_of_it_is_missed() {
    let back = "UPDATE audit_chain SET number = 3, seq = (SELECT a.seq FROM audit_log a WHERE a.chain = 'changes' AND \
        a.number = 3), hash = (SELECT a.hash FROM audit_log a WHERE a.chain = 'changes' AND a.number = 3) \
        WHERE chain = 'changes'; DELETE FROM audit_log WHERE chain = 'changes' AND number > 3";
    let whole =
        "DELETE FROM audit_log WHERE chain = 'attempts'; DELETE FROM audit_chain WHERE chain = 'attempts'";
    for sql in [back, whole] {
        let t = with_changes(5).await;
        assert_eq!(t.nobody().delete("/api/v2/clients/x").await.status, 401);
        assert!(verify(&t).await.intact);
        // Something behind it stays.
        let _ = t.create_client(json!({"name": "behind"})).await;
        assert_eq!(t.nobody().delete("/api/v2/clients/x").await.status, 401);
        assert!(verify(&t).await.intact);
        t.database().execute(sql);
        let report = verify(&t).await;
        assert!(!report.intact && report.problems[0].problem.contains("some are gone"), "{sql}: {report:?}");
    }
}
