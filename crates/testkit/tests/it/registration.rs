use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_server::Config;
use tenantry_testkit::{Credentials, Reply, Testkit, client_path};

const REGISTER: &str = "/oidc/register";
const SETTINGS: &str = "/api/v2/tenants/settings";

async fn enable(t: &Testkit, mode: &str) {
    let body = json!({"flags": {"enable_dynamic_client_registration": true},
        "dynamic_client_registration_security_mode": mode});
    let _ = t.admin.patch(SETTINGS, &body).await.expect(200);
}

/// Registers after a second in which nobody did.
async fn register(t: &Testkit, body: &Value) -> Reply {
    t.clock.advance(Duration::from_secs(1));
    t.nobody().post(REGISTER, body).await
}

#[tokio::test]
async fn nobody_registers_where_the_tenant_does_not_let_them() {
    let t = Testkit::start().await;
    let body = json!({"redirect_uris": ["https://app.example/cb"]});
    assert_eq!(register(&t, &body).await.status, 404);
    let discovery = "/.well-known/openid-configuration";
    assert!(t.nobody().get(discovery).await.expect(200).get("registration_endpoint").is_none());
    enable(&t, "strict").await;
    assert_eq!(register(&t, &body).await.status, 201);
    let endpoint = format!("https://{}/oidc/register", t.running().domain);
    assert_eq!(t.nobody().get(discovery).await.expect(200)["registration_endpoint"], endpoint);
}

#[tokio::test]
async fn a_registered_client_is_a_third_party_of_the_mode_of_the_tenant() {
    let t = Testkit::start().await;
    enable(&t, "strict").await;
    let body = json!({
        "client_name": "My Dynamic Application", "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none", "response_types": ["code"], "software_id": "x",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
    });
    let reply = register(&t, &body).await;
    assert_eq!((reply.status, &reply.headers["cache-control"]), (201, &"no-store".parse().unwrap()));
    let id = reply.text("client_id").to_owned();
    assert!(id.starts_with("tpc_"), "{id}");
    let expected = json!({
        "client_name": "My Dynamic Application", "client_id": id, "redirect_uris": ["https://app.example/cb"],
        "client_secret_expires_at": 0, "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    assert_eq!(reply.body, expected);
    let client = t.admin.get(&client_path(&reply.body)).await.expect(200);
    for (name, value) in [
        ("is_first_party", json!(false)),
        ("third_party_security_mode", json!("strict")),
        ("external_metadata_type", json!("dcr")),
        ("oidc_conformant", json!(true)),
        ("callbacks", json!(["https://app.example/cb"])),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
    ] {
        assert_eq!(client[name], value, "{name}");
    }

    enable(&t, "permissive").await;
    let reply = register(&t, &json!({"redirect_uris": ["https://*.app.example/cb"]})).await.expect(201);
    assert_eq!(reply["client_id"].as_str().unwrap().len(), 32);
    let client = t.admin.get(&client_path(&reply)).await.expect(200);
    assert_eq!(client["third_party_security_mode"], "permissive");
    assert_eq!(client["grant_types"], json!(["authorization_code"]));

    enable(&t, "strict").await;
    let wild = register(&t, &json!({"redirect_uris": ["https://*.app.example/cb"]})).await;
    assert_eq!((wild.status, wild.text("error")), (400, "invalid_redirect_uri"));
}

#[tokio::test]
async fn a_registered_client_gets_every_connection_if_a_flag_says_so() {
    let t = Testkit::start().await;
    enable(&t, "strict").await;
    let connection =
        t.admin.post("/api/v2/connections", &json!({"name": "c", "strategy": "auth0"})).await.expect(201);
    let body = json!({"redirect_uris": ["https://app.example/cb"]});
    let without = register(&t, &body).await.expect(201);
    let flag = json!({"flags": {"enable_client_connections": true}});
    let _ = t.admin.patch(SETTINGS, &flag).await.expect(200);
    let with = register(&t, &body).await.expect(201);
    let of = async |client: &Value| {
        t.admin.get(&format!("{}/connections", client_path(client))).await.expect(200)["connections"].clone()
    };
    assert_eq!(of(&without).await, json!([]));
    assert_eq!(of(&with).await[0]["id"], connection["id"]);
}

#[tokio::test]
async fn a_registered_client_gets_tokens_only_when_the_owner_lets_it() {
    let t = Testkit::start().await;
    enable(&t, "strict").await;
    let body = json!({"redirect_uris": ["https://app.example/cb"], "grant_types": ["client_credentials"]});
    let registered = register(&t, &body).await.expect(201);
    let client = Credentials::of(&registered);
    assert_eq!(client.client_secret.len(), 64);
    let refused = t.ask(&client, &t.audience(), &[]).await;
    assert_eq!((refused.status, refused.text("error")), (403, "unauthorized_client"));

    let grant_types = json!({"grant_types": ["authorization_code", "client_credentials"]});
    let _ = t.admin.patch(&client_path(&registered), &grant_types).await.expect(200);
    let grant = json!({"client_id": client.client_id, "audience": t.audience(), "scope": ["read:clients"]});
    let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    assert_eq!(t.ask(&client, &t.audience(), &[]).await.expect(200)["scope"], "read:clients");
}

#[tokio::test]
async fn bad_registrations_are_refused_in_the_words_of_the_rfc() {
    let t = Testkit::start().await;
    enable(&t, "strict").await;
    for (body, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://a.example"], "client_name": 1}), "invalid_client_metadata"),
        (json!("text"), "invalid_client_metadata"),
    ] {
        let reply = register(&t, &body).await;
        assert_eq!((reply.status, reply.text("error")), (400, error), "{body}");
        assert!(!reply.text("error_description").is_empty());
    }
    for (content_type, body, status) in [
        ("application/json", "{".to_owned(), 400),
        ("application/json", String::new(), 400),
        ("application/x-www-form-urlencoded", "redirect_uris=x".into(), 415),
        ("application/json", format!(r#"{{"client_name":"{}"}}"#, "x".repeat(70_000)), 413),
    ] {
        t.clock.advance(Duration::from_secs(1));
        let request =
            t.nobody().request(Method::POST, REGISTER).header("content-type", content_type).body(body);
        assert_eq!(t.nobody().send(request).await.status, status);
    }
    assert_eq!(t.nobody().get(REGISTER).await.status, 404);
}

#[tokio::test]
async fn a_source_and_a_tenant_register_so_many_clients_a_second() {
    let t = Testkit::with(Config {
        trusted_proxy: Some(vec!["127.0.0.0/8".parse().unwrap()]),
        client_cert_header: Some("x-client-cert".into()),
        ..Config::default()
    })
    .await;
    enable(&t, "strict").await;
    t.clock.advance(Duration::from_secs(5));
    let ask = async |source: &str| {
        let body = json!({"redirect_uris": ["https://app.example/cb"]});
        let request = t.nobody().request(Method::POST, REGISTER).header("x-forwarded-for", source);
        t.nobody().send(request.json(&body)).await
    };
    // The last address that is no proxy's counts; what a source says of itself does not.
    let mut statuses = Vec::new();
    for source in [
        "192.0.2.1",
        "1.1.1.1, 192.0.2.1",
        "2.2.2.2, 192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
        "192.0.2.4",
        "192.0.2.5",
    ] {
        statuses.push(ask(source).await.status);
    }
    assert_eq!(statuses, [201, 201, 429, 201, 201, 201, 429]);
    let refused = ask("192.0.2.1").await;
    assert_eq!(
        (refused.text("error"), &refused.headers["x-ratelimit-limit"]),
        ("too_many_requests", &"2".parse().unwrap())
    );
    assert_eq!(refused.headers["retry-after"], "1");
    t.clock.advance(Duration::from_secs(1));
    assert_eq!(ask("192.0.2.1").await.status, 201);
}

/// How often the tests against hostile input try: a few hundred times, or as often as `TENANTRY_HOSTILE` says.
pub(crate) fn attempts() -> usize {
    std::env::var("TENANTRY_HOSTILE").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

#[tokio::test]
async fn floods_of_registrations_do_no_harm() {
    let t = Testkit::start().await;
    enable(&t, "strict").await;
    t.clock.advance(Duration::from_secs(5));
    let (mut made, mut refused, mut limited) = (0, 0, 0);
    let odd = [
        json!({"redirect_uris": ["https://app.example/cb"], "client_name": "\u{202e}\u{0} odd"}),
        json!({"redirect_uris": vec!["https://app.example/cb"; 1_000]}),
        json!({"redirect_uris": [{"a": [[[[[]]]]]}], "grant_types": [null]}),
        json!({"redirect_uris": ["https://[::1]:99999/"], "x".repeat(1_000): "y"}),
        json!({"redirect_uris": ["https://app.example/cb"], "client_secret": "mine", "client_id": "mine",
            "is_first_party": true, "third_party_security_mode": "permissive"}),
    ];
    for i in 0..attempts() {
        // Four in a second where two are allowed.
        t.clock.advance(Duration::from_millis(250));
        let body = if i % 3 == 0 {
            odd[i / 3 % odd.len()].clone()
        } else {
            json!({"redirect_uris": [format!("https://app{i}.example/cb")], "client_name": format!("client {i}")})
        };
        match t.nobody().post(REGISTER, &body).await.status {
            201 => made += 1,
            400 => refused += 1,
            429 => limited += 1,
            status => panic!("{status}: {body}"),
        }
    }
    println!("registrations: {made} made, {refused} refused, {limited} beyond the limit");
    assert!(made > 0 && refused > 0 && made + refused <= attempts() / 2 + 2, "{made} {refused} {limited}");
    let mut t = t;
    t.renew_admin().await;
    let third =
        t.admin.get("/api/v2/clients?is_first_party=false&include_totals=true&per_page=1").await.expect(200);
    assert_eq!(third["total"], made, "nobody made itself a first party");
    assert!(t.admin.get("/api/v2/clients/mine").await.status == 404);
}
