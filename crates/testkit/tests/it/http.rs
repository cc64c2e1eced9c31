use reqwest::Method;
use reqwest::header::ACCEPT_ENCODING;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::time::Duration;
use tenantry_server::Config;
use tenantry_testkit::Testkit;

#[tokio::test]
async fn answers_have_the_headers_that_sdks_look_at() {
    let t = Testkit::start().await;
    for reply in [
        t.admin.get("/api/v2/clients").await,
        t.nobody().get("/api/v2/clients").await,
        t.admin.delete("/api/v2/clients/x").await,
    ] {
        let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("application/json; charset=utf-8"));
        let number = |name: &str| header(name).unwrap().parse::<i64>().unwrap();
        assert!(number("x-ratelimit-limit") > number("x-ratelimit-remaining"));
        assert!(number("x-ratelimit-remaining") > 0);
        assert!(number("x-ratelimit-reset") > t.clock.now_secs());
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(header("strict-transport-security").as_deref(), Some("max-age=31536000"));
        assert_eq!(header("cache-control").as_deref(), Some("no-cache"));
        assert_eq!(header("vary").as_deref(), Some("origin,accept-encoding"));
    }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let t = Testkit::start().await;
    assert_eq!(
        t.http.get(format!("{}/.well-known/jwks.json", t.base)).send().await.unwrap().version(),
        reqwest::Version::HTTP_2
    );
    let ca = std::fs::read(&t.running().ca).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let old = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).http1_only().build().unwrap();
    let answer = old.get(format!("{}/.well-known/jwks.json", t.base)).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (reqwest::Version::HTTP_11, 200));
}

#[tokio::test]
async fn head_options_and_compression_behave() {
    let t = Testkit::start().await;
    let head = t.admin.send(t.admin.request(Method::HEAD, "/api/v2/clients")).await;
    assert_eq!((head.status, head.body), (200, serde_json::Value::Null));
    let options = t.nobody().send(t.nobody().request(Method::OPTIONS, "/api/v2/clients")).await;
    assert_eq!(options.status, 204);
    assert!(options.headers["allow"].to_str().unwrap().contains("POST"), "{:?}", options.headers);

    let preflight = t
        .nobody()
        .request(Method::OPTIONS, "/oauth/token")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let preflight = t.nobody().send(preflight).await;
    assert_eq!(
        (preflight.status, &preflight.headers["access-control-allow-origin"]),
        (200, &"*".parse().unwrap())
    );
    let keys =
        t.nobody().request(Method::GET, "/.well-known/jwks.json").header("origin", "https://app.example");
    assert_eq!(t.nobody().send(keys).await.headers["access-control-allow-origin"], "*");

    let gzip = t.admin.request(Method::GET, "/api/v2/resource-servers").header(ACCEPT_ENCODING, "gzip");
    let gzip = gzip.send().await.unwrap();
    assert_eq!(gzip.headers()["content-encoding"], "gzip");
    assert_eq!(&gzip.bytes().await.unwrap()[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn keys_are_cached_by_entity_tag() {
    let t = Testkit::start().await;
    let first = t.nobody().get("/.well-known/jwks.json").await;
    let again = t
        .nobody()
        .request(Method::GET, "/.well-known/jwks.json")
        .header("if-none-match", first.headers["etag"].clone());
    assert_eq!(t.nobody().send(again).await.status, 304);
}

#[tokio::test]
async fn plain_http_and_health_are_served_only_where_asked_for() {
    let t = Testkit::with(Config {
        http_listen: Some("127.0.0.1:0".into()),
        ops_listen: Some("127.0.0.1:0".into()),
        ..Config::default()
    })
    .await;
    let listeners = t.running().listeners.clone();
    assert_eq!(listeners.len(), 3, "{listeners:?}");
    let get = async |base: &str, path: &str| {
        t.http.get(format!("{base}{path}")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(get(&listeners[1], "/.well-known/jwks.json").await, 200);
    assert_eq!(get(&listeners[1], "/healthz").await, 404, "health has a listener of its own");
    assert_eq!(get(&listeners[2], "/healthz").await, 200);
    assert_eq!(get(&listeners[2], "/readyz").await, 200);
    assert_eq!(get(&listeners[2], "/api/v2/clients").await, 404);

    let t = Testkit::with(Config { http_listen: Some("127.0.0.1:0".into()), ..Config::default() }).await;
    assert_eq!(get(&t.running().listeners[1], "/readyz").await, 200);
    assert_eq!(t.nobody().get("/readyz").await.status, 404, "never on the public listener");
}

#[tokio::test]
async fn a_body_announced_with_expect_continue_is_taken() {
    let t = Testkit::with(Config { http_listen: Some("127.0.0.1:0".into()), ..Config::default() }).await;
    let address = t.running().listeners[1].trim_start_matches("http://").to_owned();
    let status = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
        stream.write_all(b"{}").unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        rest
    })
    .await
    .unwrap();
    assert!(status.contains("400 Bad Request") && status.contains("grant_type"), "{status}");
}

#[tokio::test]
async fn a_running_request_is_finished_when_the_server_stops() {
    let t = Testkit::start().await;
    let creates: Vec<_> = (0..50)
        .map(|i| {
            let admin = t.admin.clone();
            tokio::spawn(async move {
                let body = json!({"name": format!("client {i}")});
                let request = admin.request(Method::POST, "/api/v2/clients").json(&body);
                request.send().await.map(|response| response.status().as_u16())
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let t = t.restart(|_| {}).await;
    let mut acknowledged = 0;
    for create in creates {
        if let Ok(status) = create.await.unwrap() {
            assert_eq!(status, 201);
            acknowledged += 1;
        }
    }
    let total = t.admin.get("/api/v2/clients?include_totals=true&per_page=1").await.expect(200)["total"]
        .as_u64()
        .unwrap();
    assert!(total >= acknowledged + 2, "{total} clients, {acknowledged} acknowledged");
}

#[tokio::test]
async fn a_null_character_is_an_input_like_any_other() {
    let t = Testkit::start().await;
    assert_eq!(t.admin.get("/api/v2/clients/a%00b").await.status, 404);
    let listed = t.admin.get("/api/v2/clients?q=name:%22a%00b%22").await;
    assert!(listed.status < 500, "{listed:?}");
    let made = t.admin.post("/api/v2/clients", &json!({"name": "a\u{0}b"})).await;
    assert!(made.status < 500, "{made:?}");
    let grants = t.admin.get("/api/v2/client-grants?audience=a%00b").await;
    assert!(grants.status < 500, "{grants:?}");
    let form = [("grant_type", "client_credentials"), ("client_id", "a\u{0}"), ("client_secret", "\u{0}")];
    assert_eq!(t.ask_token(&form).await.status, 401);
}
