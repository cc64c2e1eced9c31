//! How many requests callers may send, where that is limited.

use crate::audit::logs;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tenantry_server::Config;
use tenantry_server::config::{Profile, Rate};
use tenantry_testkit::{Caller, Reply, Testkit, client_path};

const SECOND: Duration = Duration::from_secs(1);

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn plan(profile: Profile) -> Config {
    Config { rate_limit: Some(profile), ..Config::default() }
}

/// Starts at the begin of a second.
async fn start(config: Config) -> Testkit {
    let t = Testkit::with(config).await;
    let left = 1_000 - t.clock.now_ms() % 1_000;
    t.clock.advance(Duration::from_millis(left.unsigned_abs()));
    t
}

/// Limit, what remains, and in how many seconds it is whole again.
fn standing(t: &Testkit, reply: &Reply) -> (i64, i64, i64) {
    let number = |name: &str| reply.headers[name].to_str().unwrap().parse::<i64>().unwrap();
    let reset = number("x-ratelimit-reset") - t.clock.now_secs();
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), reset)
}

#[tokio::test]
async fn the_management_api_answers_as_a_free_tenant_does() {
    let t = start(plan(Profile::Free)).await;
    let path = "/api/v2/resource-servers?per_page=1";
    let (first, second) = (t.admin.get(path).await, t.admin.get(path).await);
    assert_eq!((first.status, standing(&t, &first)), (200, (2, 1, 1)));
    assert_eq!((second.status, standing(&t, &second)), (200, (2, 0, 1)));
    let third = t.admin.get(path).await;
    assert_eq!(standing(&t, &third), (2, 0, 1));
    assert_eq!((third.status, &third.headers["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(
        third.body.to_string(),
        r#"{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}"#
    );
    t.clock.advance(SECOND / 2);
    assert_eq!((t.admin.get(path).await.status, t.admin.get(path).await.status), (200, 429));
    t.clock.advance(60 * SECOND);
    assert_eq!(standing(&t, &t.admin.get(path).await), (2, 1, 1), "silence saves nothing up");
    assert!(t.nobody().get("/.well-known/jwks.json").await.status == 200, "that is another API");
}

#[tokio::test]
async fn endpoints_have_limits_of_their_own() {
    let t = Testkit::with(plan(Profile::Essentials)).await;
    let client = t.create_client(json!({})).await;
    for remaining in [4, 3, 2, 1, 0] {
        let reply = t.admin.get("/api/v2/clients").await;
        assert_eq!((reply.status, standing(&t, &reply).1), (200, remaining));
    }
    let refused = t.admin.get("/api/v2/clients").await;
    assert_eq!((refused.status, refused.text("message")), (429, "Endpoint limit has been reached"));
    assert_eq!(refused.text("errorCode"), "too_many_requests");
    let other = t.admin.get(&client_path(&client)).await;
    assert_eq!((other.status, standing(&t, &other).0), (200, 10), "all other endpoints have one together");
    t.clock.advance(60 * SECOND / 100);
    let _ = t.admin.get("/api/v2/clients").await.expect(200);

    let t = Testkit::with(plan(Profile::Enterprise)).await;
    for (query, limit) in [("per_page=1", 50), ("q=x", 5)] {
        let reply = t.admin.get(&format!("/api/v2/clients?{query}")).await;
        assert_eq!(standing(&t, &reply).0, limit, "{query}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_token_endpoint_is_limited_for_those_who_prove_who_they_are() {
    let t = start(plan(Profile::Free)).await;
    let admin = t.admin_credentials().await;
    t.clock.advance(60 * SECOND);
    let wrong = [
        ("grant_type", "client_credentials"),
        ("client_id", &admin.client_id),
        ("client_secret", "wrong"),
        ("audience", "x"),
    ];
    for _ in 0..40 {
        let refused = t.ask_token(&wrong).await;
        assert_eq!((refused.status, standing(&t, &refused).1), (401, 300), "takes nothing from the tenant");
    }
    let replies: Vec<_> = {
        let mut replies = vec![];
        for _ in 0..32 {
            replies.push(t.ask(&admin, &t.audience(), &[]).await);
        }
        replies
    };
    assert!(replies[..30].iter().all(|reply| reply.status == 200));
    assert_eq!(standing(&t, &replies[0]), (30, 29, 1));
    let refused = &replies[30];
    assert_eq!((refused.status, refused.text("error")), (429, "too_many_requests"));
    assert_eq!(refused.text("error_description"), "Endpoint limit has been reached");
    assert_eq!((standing(&t, refused), &refused.headers["retry-after"]), ((30, 0, 1), &"1".parse().unwrap()));
    t.clock.advance(SECOND);
    assert_eq!(t.ask(&admin, &t.audience(), &[]).await.status, 200);
}

async fn many(caller: &Caller, count: usize) -> Vec<u16> {
    let requests = (0..count).map(|_| {
        let caller = caller.clone();
        tokio::spawn(async move { caller.get("/api/v2/clients?per_page=1").await.status })
    });
    let requests: Vec<_> = requests.collect();
    let mut statuses = vec![];
    for request in requests {
        statuses.push(request.await.unwrap());
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_noisy_caller_leaves_a_quiet_one_alone() {
    let t = Testkit::with(Config {
        rate_limit_client: Some(rate("20/s")),
        rate_limit_management: Some(rate("100/s")),
        ..Config::default()
    })
    .await;
    let loud = t.create_machine(&t.audience(), &["read:clients"]).await;
    let quiet = t.with_scopes(&["read:clients"]).await;
    // Two tokens of one client are one caller.
    let tokens = [t.token(&loud, &t.audience()).await, t.token(&loud, &t.audience()).await]
        .map(|token| t.caller(&token));
    t.clock.advance(60 * SECOND);
    let noise: Vec<_> =
        tokens.into_iter().map(|caller| tokio::spawn(async move { many(&caller, 300).await })).collect();
    let mut times = vec![];
    for _ in 0..15 {
        let began = Instant::now();
        let reply = quiet.get("/api/v2/clients?per_page=1").await;
        times.push(began.elapsed());
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let mut through = 0;
    for statuses in noise {
        let statuses = statuses.await.unwrap();
        assert!(statuses.iter().all(|status| [200, 429].contains(status)));
        through += statuses.iter().filter(|status| **status == 200).count();
    }
    assert_eq!(through, 20, "of six hundred at once, exactly as many as there was room for");
    times.sort();
    assert!(times[times.len() / 2] < Duration::from_secs(2), "{times:?}");
}

#[tokio::test]
async fn each_token_has_a_limit_of_its_own() {
    let t = Testkit::with(Config { rate_limit_token: Some(rate("3/m")), ..Config::default() }).await;
    t.clock.advance(60 * SECOND);
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let mut replies = vec![];
    for _ in 0..2 {
        // Two tokens of one second would be the same.
        t.clock.advance(SECOND);
        let caller = t.caller(&t.token(&machine, &t.audience()).await);
        for _ in 0..4 {
            let reply = caller.get("/api/v2/clients?per_page=1").await;
            replies.push((reply.status, standing(&t, &reply).1));
        }
    }
    let of_each = [(200, 2), (200, 1), (200, 0), (429, 0)];
    assert_eq!(replies, [of_each, of_each].concat());
}

#[tokio::test]
async fn limits_that_were_reached_are_in_the_log() {
    let t = Testkit::with(Config { rate_limit_client: Some(rate("10/m")), ..Config::default() }).await;
    let loud = t.create_machine(&t.audience(), &["read:clients"]).await;
    let caller = t.caller(&t.token(&loud, &t.audience()).await);
    t.clock.advance(60 * SECOND);
    let loud_for_once = async || {
        for status in [200; 10].into_iter().chain([429; 3]) {
            assert_eq!(caller.get(&format!("/api/v2/clients/{}", loud.client_id)).await.status, status);
        }
        assert_eq!(t.ask(&loud, &t.audience(), &[]).await.status, 429);
    };
    loud_for_once().await;
    let limits = logs(&t.admin, "type:api_limit").await;
    assert_eq!(limits.len(), 1, "{limits:?}");
    let limit = &limits[0];
    assert_eq!((&limit["client_id"], &limit["ip"]), (&json!(loud.client_id), &json!("127.0.0.1")));
    assert_eq!(limit["description"], "Global limit has been reached");
    let details = json!({"limit": "client", "size": 10, "route": "/api/v2/clients/{id}"});
    assert_eq!(limit["details"], details);
    let refused = logs(&t.admin, &format!("type:fapi AND client_id:{}", loud.client_id)).await;
    assert_eq!(refused.len(), 3, "each request that was refused: {refused:?}");
    assert_eq!(refused[0]["details"]["response"]["statusCode"], 429);
    let tokens = logs(&t.admin, &format!("type:feccft AND client_id:{}", loud.client_id)).await;
    assert_eq!((tokens.len(), &tokens[0]["details"]["error"]), (1, &json!("too_many_requests")));

    t.clock.advance(60 * SECOND);
    loud_for_once().await;
    assert_eq!(logs(&t.admin, "type:api_limit").await.len(), 2, "again after a minute");
}

#[tokio::test]
async fn limits_of_the_unknown_are_in_the_log_too() {
    let t = Testkit::with(Config { rate_limit_address: Some(rate("20/m")), ..Config::default() }).await;
    t.clock.advance(60 * SECOND);
    for status in [401; 20].into_iter().chain([429; 3]) {
        assert_eq!(t.nobody().get("/api/v2/clients").await.status, status);
    }
    t.clock.advance(60 * SECOND);
    let limits = logs(&t.admin, "type:api_limit").await;
    let details = json!({"limit": "address", "size": 20, "route": "/api/v2/clients"});
    assert_eq!((limits.len(), &limits[0]["details"]), (1, &details));
    assert_eq!(limits[0]["client_name"], "");
}

#[tokio::test]
async fn each_node_counts_for_itself() {
    let limited = Config { rate_limit_token: Some(rate("5/m")), ..Config::default() };
    let a = Testkit::with(limited).await;
    let Some(b) = a.second_node().await else { return };
    let machine = a.create_machine(&a.audience(), &["read:clients"]).await;
    let token = a.token(&machine, &a.audience()).await;
    for node in [&a, &b] {
        for status in [200, 200, 200, 200, 200, 429] {
            assert_eq!(node.caller(&token).get("/api/v2/clients?per_page=1").await.status, status);
        }
    }
}

#[tokio::test]
async fn an_address_is_what_a_trusted_proxy_says_it_is_and_nobody_else() {
    let limited = |proxies: Option<&str>| Config {
        rate_limit_address: Some(rate("3/m")),
        trusted_proxy: proxies.map(|network| vec![network.parse().unwrap()]),
        client_cert_header: proxies.map(|_| "client-cert".to_owned()),
        ops_listen: Some("127.0.0.1:0".into()),
        ..Config::default()
    };
    let ask = async |t: &Testkit, forwarded: &str| {
        let request = t.nobody().request(Method::GET, "/.well-known/jwks.json");
        t.nobody().send(request.header("x-forwarded-for", forwarded)).await.status
    };
    let t = Testkit::with(limited(Some("127.0.0.0/8"))).await;
    for status in [200, 200, 200, 429] {
        assert_eq!(ask(&t, "192.0.2.1").await, status);
        assert_eq!(ask(&t, &format!("{status}, 192.0.2.2")).await, status, "what stands before is made up");
    }
    assert_eq!(ask(&t, "192.0.2.3").await, 200);
    let refused = t.nobody().request(Method::GET, "/nowhere").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(t.nobody().send(refused).await.status, 429, "of whatever there is or is not");
    let page = t.http.get(format!("{}/metrics", t.running().listeners[1])).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("tenantry_rate_limited_total{limit=\"address\"} 3\n"), "{page}");

    // The kit asked for a token at its start.
    let t = Testkit::with(limited(None)).await;
    for (i, status) in [200, 200, 429].into_iter().enumerate() {
        assert_eq!(ask(&t, &format!("192.0.2.{i}")).await, status);
    }
}

#[tokio::test]
async fn rates_are_read_from_the_configuration_and_wrong_ones_refused() {
    let config = "rate_limit = \"enterprise\"\nrate_limit_client = \"600/m:20\"";
    let config = Config::from_toml(config).unwrap();
    assert_eq!(
        (config.rate_limit, config.rate_limit_client),
        (Some(Profile::Enterprise), Some(rate("600/m:20")))
    );
    for wrong in ["rate_limit = \"gold\"", "rate_limit_address = \"fast\"", "rate_limit_address = \"0/s\""] {
        assert!(Config::from_toml(wrong).is_err(), "{wrong}");
    }
}
