//! What an operator sees: metrics, and the ids of requests.

#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;
use tenantry_server::Config;
use tenantry_testkit::{Testkit, client_path};

async fn page(t: &Testkit) -> String {
    let url = format!("{}/metrics", t.running().listeners[1]);
    let answer = t.http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text; version=1.0.0"), "{kind}");
    answer.text().await.unwrap()
}

/// The value of a sample.
fn value(page: &str, sample: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

async fn start() -> Testkit {
    Testkit::with(Config { ops_listen: Some("127.0.0.1:0".into()), ..Config::default() }).await
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_callers_invent() {
    let t = start().await;
    let client = t.create_client(json!({"name": "seen"})).await;
    for _ in 0..3 {
        let _ = t.admin.get(&client_path(&client)).await.expect(200);
    }
    let _ = t.admin.get("/api/v2/clients/invented-client").await.expect(404);
    for i in 0..50 {
        let _ = t.nobody().get(&format!("/invented-{i}?client_secret=invented-secret")).await.expect(404);
    }
    let _ = t.nobody().send(t.nobody().request(Method::from_bytes(b"INVENTED").unwrap(), "/x")).await;
    let _ = t.nobody().get("/api/v2/clients").await.expect(401);
    let page = page(&t).await;
    let requests = |labels: &str| value(&page, &format!("tenantry_http_requests_total{{{labels}}}"));
    let read = r#"method="GET",route="/api/v2/clients/{id}""#;
    assert_eq!(requests(&format!(r#"{read},status="2xx""#)), Some(3.0), "{page}");
    assert_eq!(requests(&format!(r#"{read},status="4xx""#)), Some(1.0));
    assert_eq!(requests(r#"method="GET",route="unmatched",status="4xx""#), Some(50.0));
    assert_eq!(requests(r#"method="other",route="unmatched",status="4xx""#), Some(1.0));
    assert_eq!(requests(r#"method="GET",route="/api/v2/clients",status="4xx""#), Some(1.0));
    assert_eq!(
        value(&page, &format!("tenantry_http_request_duration_seconds_count{{{read}}}")),
        Some(4.0),
        "{page}"
    );
    assert!(!page.contains("invented") && !page.contains("INVENTED"), "{page}");
    assert!(page.ends_with("# EOF\n"));
}

#[tokio::test]
async fn tokens_caches_and_the_database_are_counted() {
    let t = start().await;
    let before = page(&t).await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let caller = t.caller(&t.token(&machine, &t.audience()).await);
    for _ in 0..5 {
        let _ = caller.get("/api/v2/clients?per_page=1").await.expect(200);
    }
    assert_eq!(t.ask(&machine, "urn:nowhere", &[]).await.status, 403);
    let _ = t.ask_token(&[("grant_type", "implicit")]).await.expect(400);
    let after = page(&t).await;
    let grew = |sample: &str| value(&after, sample).unwrap() - value(&before, sample).unwrap();
    assert_eq!(grew(r#"tenantry_tokens_issued_total{algorithm="RS256"}"#), 1.0);
    assert_eq!(grew(r#"tenantry_tokens_refused_total{reason="access_denied"}"#), 1.0);
    assert_eq!(grew(r#"tenantry_tokens_refused_total{reason="unsupported_grant_type"}"#), 1.0);
    assert_eq!(grew("tenantry_signature_duration_seconds_count"), 1.0);
    assert_eq!(grew(r#"tenantry_cache_requests_total{cache="verified token",result="hit"}"#), 5.0);
    assert_eq!(grew(r#"tenantry_cache_requests_total{cache="verified token",result="miss"}"#), 2.0);
    assert!(grew(r#"tenantry_cache_requests_total{cache="client",result="hit"}"#) >= 4.0);
    // The client and its grant; that secrets were used is written beside.
    let committed = grew(r#"tenantry_db_transactions_total{result="committed"}"#);
    assert!(committed >= 2.0);
    assert_eq!(grew("tenantry_db_commit_transactions_sum"), committed);
    assert!(grew("tenantry_db_read_duration_seconds_count") > 0.0);
    assert!(value(&after, "tenantry_db_trusted") == Some(1.0));
    assert!(value(&after, "tenantry_db_writer_queue") == Some(0.0));
    assert!(value(&after, r#"tenantry_db_transactions_total{result="failed"}"#) == Some(0.0));
}

#[tokio::test]
async fn the_connections_of_the_database_are_counted() {
    let t = start().await;
    let page = page(&t).await;
    let most = value(&page, r#"tenantry_db_pool_connections{state="most"}"#).unwrap();
    let idle = value(&page, r#"tenantry_db_pool_connections{state="idle"}"#).unwrap();
    assert!((1.0..=most).contains(&idle), "{idle} of {most}");
    assert_eq!(value(&page, "tenantry_db_pool_waiting"), Some(0.0));
    let engine = if t.database().url().starts_with("postgres") { "postgresql" } else { "sqlite" };
    assert!(page.contains(&format!(r#"database="{engine}""#)), "{page}");
    for sample in ["tenantry_audit_queue", "tenantry_audit_lost_total"] {
        assert_eq!(value(&page, sample), Some(0.0), "{sample}");
    }
}

#[tokio::test]
async fn a_node_that_is_out_of_touch_says_so() {
    let a = start().await;
    let Some((b, line)) = a.distant_node().await else { return };
    let becomes = async |trusted: f64| {
        while value(&page(&b).await, "tenantry_db_trusted") != Some(trusted) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let soon = std::time::Duration::from_secs(20);
    tokio::time::timeout(soon, becomes(1.0)).await.unwrap();
    line.cut();
    tokio::time::timeout(soon, becomes(0.0)).await.unwrap();
    line.mend();
    tokio::time::timeout(soon, becomes(1.0)).await.unwrap();
}

#[tokio::test]
async fn metrics_are_for_those_who_look_after_the_server() {
    let t = Testkit::with(Config { http_listen: Some("127.0.0.1:0".into()), ..Config::default() }).await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 404)] {
        let url = format!("{}{path}", t.running().listeners[1]);
        assert_eq!(t.http.get(url).send().await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test]
async fn ages_and_ends_follow_the_clock() {
    let t = start().await;
    let age = value(&page(&t).await, "tenantry_signing_key_age_seconds").unwrap();
    t.clock.advance(std::time::Duration::from_secs(3_600));
    let page = page(&t).await;
    assert!((value(&page, "tenantry_signing_key_age_seconds").unwrap() - age - 3_600.0).abs() < 1.0);
    #[expect(clippy::cast_precision_loss, reason = "days")]
    let left = value(&page, "tenantry_tls_certificate_expiry_timestamp_seconds").unwrap()
        - t.clock.now_secs() as f64;
    assert!((390.0..398.0).contains(&(left / 86_400.0)), "{left}");
    assert!(value(&page, "process_start_time_seconds").unwrap() > 1.7e9);
    if cfg!(target_os = "linux") {
        assert!(value(&page, "process_resident_memory_bytes").unwrap() > 1e6);
        assert!(value(&page, "process_open_fds").unwrap() > 3.0);
    }
}

/// The names of samples in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_name(c));
    words
        .filter(|word| word.starts_with("tenantry_") || word.starts_with("process_"))
        .map(Into::into)
        .collect()
}

/// Of each family the samples' names, and the families.
fn published(page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut samples = BTreeSet::new();
    let mut families = BTreeSet::new();
    for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (family, kind) = line.split_once(' ').unwrap();
        families.insert(family.to_owned());
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        samples.extend(endings.iter().map(|ending| format!("{family}{ending}")));
    }
    (samples, families)
}

#[tokio::test]
async fn the_dashboard_and_the_documentation_know_the_names_of_the_metrics() {
    let t = start().await;
    let (samples, families) = published(&page(&t).await);
    let read = |path: &str| {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let dashboard: serde_json::Value = serde_json::from_str(&read("deploy/grafana/tenantry.json")).unwrap();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            asked.extend(names(target["expr"].as_str().unwrap()));
        }
    }
    assert!(asked.len() > 20, "{asked:?}");
    let unknown: Vec<_> = asked.difference(&samples).collect();
    assert!(unknown.is_empty(), "the dashboard asks for {unknown:?}");
    let shown: BTreeSet<_> =
        families.iter().filter(|family| asked.iter().any(|a| a.starts_with(*family))).collect();
    let not_shown: Vec<_> = families.iter().filter(|family| !shown.contains(family)).collect();
    assert!(not_shown.is_empty(), "the dashboard does not show {not_shown:?}");

    let mut documented = names(&read("docs/observability.md"));
    assert!(documented.remove("tenantry_server"), "a target of the log");
    let undocumented: Vec<_> = samples
        .iter()
        .map(|sample| {
            ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.strip_suffix(end)).unwrap_or(sample)
        })
        .filter(|name| !documented.contains(*name))
        .collect();
    assert!(undocumented.is_empty(), "docs/observability.md does not have {undocumented:?}");
    let gone: Vec<_> =
        documented.iter().filter(|name| !samples.contains(*name) && !families.contains(*name)).collect();
    assert!(gone.is_empty(), "docs/observability.md speaks of {gone:?}");
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own_that_nobody_else_chooses() {
    let t = start().await;
    let mut seen = BTreeSet::new();
    let asked = |path: &str| {
        t.admin
            .request(Method::GET, path)
            .header("x-auth0-requestid", "chosen")
            .header("x-request-id", "chosen")
    };
    for request in [
        asked("/api/v2/clients"),
        asked("/api/v2/clients/missing"),
        asked("/api/v2/users/x/logs"),
        asked("/nowhere"),
        asked("/.well-known/jwks.json"),
        t.nobody().request(Method::POST, "/oauth/token"),
        t.nobody().request(Method::OPTIONS, "/oauth/token"),
        asked("/api/v2/clients").header("large", "x".repeat(40_000)),
    ] {
        let answer = request.send().await.unwrap();
        let id = answer.headers()["x-auth0-requestid"].to_str().unwrap().to_owned();
        assert!(id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert!(seen.insert(id), "twice");
    }
}
