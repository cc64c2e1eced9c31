use crate::registration::attempts;
use crate::web::{Page, Web};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_jose::jwt;
use tenantry_jose::{RsaSigningKey, SigningAlgorithm};
use tenantry_server::Config;
use tenantry_testkit::{Reply, Testkit, client_path};

const PREVIEW: &str = "/api/v2/clients/cimd/preview";
const REGISTER: &str = "/api/v2/clients/cimd/register";
const URL: &str = "https://client.example/metadata.json";
const AT: &str = "client.example/metadata.json";

async fn start() -> (Testkit, Web) {
    let web = Web::start().await;
    let t = Testkit::within(Config::default(), web.network.clone()).await;
    let enable = json!({"client_id_metadata_document_supported": true});
    let _ = t.admin.patch("/api/v2/tenants/settings", &enable).await.expect(200);
    (t, web)
}

fn document(members: &Value) -> Value {
    let mut document = json!({
        "client_id": URL, "client_name": "TinyWiki", "redirect_uris": ["https://client.example/"],
        "grant_types": ["authorization_code"], "application_type": "native", "token_endpoint_auth_method": "none",
        "logo_uri": "https://client.example/logo.png", "client_uri": "https://client.example",
    });
    for (name, value) in members.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

async fn preview(t: &Testkit, url: &str) -> Reply {
    t.admin.post(PREVIEW, &json!({"external_client_id": url})).await
}

async fn register(t: &Testkit, url: &str) -> Reply {
    t.admin.post(REGISTER, &json!({"external_client_id": url})).await
}

#[tokio::test]
async fn a_document_registers_a_client_once() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document(&json!({}))));
    let mapped = json!({
        "external_client_id": URL, "name": "TinyWiki", "callbacks": ["https://client.example/"],
        "logo_uri": "https://client.example/logo.png", "grant_types": ["authorization_code"], "app_type": "native",
        "token_endpoint_auth_method": "none",
    });
    let validation = json!({"valid": true, "violations": [], "warnings": ["Ignoring unsupported properties: client_uri. These properties are not validated or mapped to the Auth0 client configuration."]});
    let before = preview(&t, URL).await.expect(200);
    assert_eq!(before.to_string(), json!({"mapped_fields": mapped, "validation": validation}).to_string());

    let made = register(&t, URL).await;
    let id = made.text("client_id").to_owned();
    assert!(made.status == 201 && id.starts_with("tpc_"), "{}", made.body);
    assert_eq!(made.headers["location"], format!("/api/v2/clients/{id}"));
    let expected = json!({"client_id": id, "mapped_fields": mapped, "validation": validation});
    assert_eq!(made.body.to_string(), expected.to_string());
    let client = t.admin.get(&client_path(&made.body)).await.expect(200);
    for (name, value) in [
        ("external_client_id", json!(URL)),
        ("external_metadata_type", json!("cimd")),
        ("external_metadata_created_by", json!("admin")),
        ("is_first_party", json!(false)),
        ("third_party_security_mode", json!("strict")),
        ("app_type", json!("native")),
        ("jwt_configuration", json!({"alg": "RS256", "lifetime_in_seconds": 3600, "secret_encoded": false})),
        ("token_endpoint_auth_method", json!("none")),
    ] {
        assert_eq!(client[name], value, "{name}");
    }
    assert_eq!(client["refresh_token"]["rotation_type"], "rotating");

    // What an administrator may set stays; what the document says follows it.
    let patch = json!({"description": "ours", "grant_types": ["authorization_code", "refresh_token"]});
    let patched = t.admin.patch(&client_path(&client), &patch).await.expect(200);
    assert!(patched.get("external_client_id").is_none() && patched["description"] == "ours");
    web.put(
        AT,
        Page::json(&document(&json!({"client_name": "Wiki", "application_type": "web", "logo_uri": null}))),
    );
    assert_eq!(register(&t, URL).await.status, 400, "null is no text");
    let mut changed = document(&json!({"client_name": "Wiki", "application_type": "web"}));
    changed.as_object_mut().unwrap().remove("logo_uri");
    web.put(AT, Page::json(&changed));
    let again = register(&t, URL).await;
    assert_eq!((again.status, again.text("client_id")), (200, &*id));
    let client = t.admin.get(&client_path(&client)).await.expect(200);
    assert_eq!((&client["name"], &client["app_type"]), (&json!("Wiki"), &json!("regular_web")));
    assert_eq!(
        (&client["description"], &client["grant_types"]),
        (&json!("ours"), &json!(["authorization_code"]))
    );
    assert!(client.get("logo_uri").is_none());
    assert_eq!(preview(&t, URL).await.expect(200)["client_id"], id);
    let listed = t
        .admin
        .get(&format!("/api/v2/clients?external_client_id={URL}&include_totals=true"))
        .await
        .expect(200);
    assert_eq!((&listed["total"], &listed["clients"][0]["client_id"]), (&json!(1), &json!(id)));

    let _ = t.admin.delete(&client_path(&client)).await.expect(204);
    assert_eq!(register(&t, URL).await.status, 201);
    // Nothing of ours goes along, and nothing of theirs comes back.
    for (_, headers) in web.requests() {
        for name in ["authorization", "cookie", "referer"] {
            assert!(!headers.contains_key(name), "{name}");
        }
    }
    web.check_nobody_was_led_astray();
}

#[tokio::test]
async fn a_document_gets_every_connection_if_a_flag_says_so() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document(&json!({}))));
    let connection = json!({"name": "c", "strategy": "auth0"});
    let connection = t.admin.post("/api/v2/connections", &connection).await.expect(201);
    let flag = json!({"flags": {"enable_client_connections": true}});
    let _ = t.admin.patch("/api/v2/tenants/settings", &flag).await.expect(200);
    let made = register(&t, URL).await.expect(201);
    let path = format!("{}/connections", client_path(&made));
    assert_eq!(t.admin.get(&path).await.expect(200)["connections"][0]["id"], connection["id"]);
    // Reading the document again changes nothing about that.
    let clients = format!("/api/v2/connections/{}/clients", connection["id"].as_str().unwrap());
    let off = json!([{"client_id": made["client_id"], "status": false}]);
    let _ = t.admin.patch(&clients, &off).await.expect(204);
    let _ = register(&t, URL).await.expect(200);
    assert_eq!(t.admin.get(&path).await.expect(200), json!({"connections": []}));
}

#[tokio::test]
async fn registering_needs_the_setting_and_the_scope() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document(&json!({}))));
    let body = json!({"external_client_id": URL});
    let update = t.with_scopes(&["update:clients"]).await;
    assert_eq!(update.post(REGISTER, &body).await.status, 403);
    let create = t.with_scopes(&["create:clients"]).await;
    assert_eq!(create.post(REGISTER, &body).await.status, 201);
    let refused = create.post(REGISTER, &body).await;
    assert_eq!(
        (refused.status, refused.text("message")),
        (403, "Insufficient scope, expected any of: update:clients")
    );
    assert_eq!(update.post(REGISTER, &body).await.status, 200);

    let disable = json!({"client_id_metadata_document_supported": false});
    let _ = t.admin.patch("/api/v2/tenants/settings", &disable).await.expect(200);
    let seen = web.requests().len();
    for path in [PREVIEW, REGISTER] {
        assert_eq!(t.admin.post(path, &body).await.status, 403);
    }
    assert_eq!(web.requests().len(), seen);
}

#[tokio::test]
async fn clients_with_a_document_change_only_beside_it() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document(&json!({}))));
    let client = register(&t, URL).await.expect(201);
    for body in [
        json!({"name": "other"}),
        json!({"callbacks": ["https://evil.example/"]}),
        json!({"logo_uri": ""}),
        json!({"token_endpoint_auth_method": "client_secret_post"}),
        json!({"client_secret": "x"}),
        json!({"app_type": "spa"}),
        json!({"grant_types": ["implicit"]}),
        json!({"external_client_id": "https://other.example/x"}),
    ] {
        let reply = t.admin.patch(&client_path(&client), &body).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_body"), "{body}");
    }
    for body in [
        json!({"name": "TinyWiki", "description": "d"}),
        json!({"allowed_origins": ["https://example.com"], "web_origins": ["https://example.com"],
            "jwt_configuration": {"lifetime_in_seconds": 7200, "alg": "RS256"}, "app_type": "native",
            "oidc_conformant": true, "client_metadata": {"a": "b"}}),
        json!({"refresh_token": {"rotation_type": "non-rotating", "expiration_type": "expiring"}}),
    ] {
        let reply = t.admin.patch(&client_path(&client), &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}

fn key_set(keys: &[(&RsaSigningKey, &str)]) -> Value {
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, kid)| {
            let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
            jwk["kid"] = json!(kid);
            jwk
        })
        .collect();
    json!({"keys": keys})
}

/// Asks for a token with an assertion signed by `key`.
async fn ask(t: &Testkit, id: &str, key: &RsaSigningKey, kid: &str) -> Reply {
    let now = t.clock.now_secs();
    let jti = format!("{now}-{kid}-{}", rand());
    let claims = json!({"iss": id, "sub": id, "aud": format!("https://{}/", t.running().domain), "exp": now + 60, "jti": jti});
    let header = json!({"alg": "RS256", "kid": kid});
    let input = jwt::signing_input(&header.to_string(), &claims.to_string());
    let signature = key.sign(SigningAlgorithm::Rs256, input.as_bytes()).unwrap();
    let assertion = jwt::assemble(input, &signature);
    let audience = t.audience();
    t.ask_token(&[
        ("grant_type", "client_credentials"),
        ("audience", &audience),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ])
    .await
}

fn rand() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

#[tokio::test]
async fn keys_of_a_document_prove_the_client() {
    let (t, web) = start().await;
    let keys: Vec<_> = (0..3).map(|_| RsaSigningKey::generate().unwrap()).collect();
    let [first, second, third] = keys.as_slice() else { unreachable!() };
    let by_key =
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://client.example/keys"});
    web.put(AT, Page::json(&document(&by_key)));
    web.put("client.example/keys", Page::json(&key_set(&[(first, "one")])));
    let made = register(&t, URL).await.expect(201);
    assert_eq!(
        made["mapped_fields"]["client_authentication_methods"],
        json!({"private_key_jwt": {"credentials": [{"credential_type": "public_key", "kid": "one", "alg": "RS256"}]}})
    );
    let client = t.admin.get(&client_path(&made)).await.expect(200);
    assert_eq!(client["jwks_uri"], "https://client.example/keys");
    assert!(client.get("token_endpoint_auth_method").is_none() && client.get("client_secret").is_none());
    let id = made["client_id"].as_str().unwrap();

    // Known by either name; what it may do is its settings' business.
    for name in [id, URL] {
        let refused = ask(&t, name, first, "one").await;
        assert_eq!((refused.status, refused.text("error")), (403, "unauthorized_client"), "{}", refused.body);
    }
    let grant_types = json!({"grant_types": ["authorization_code", "client_credentials"]});
    let _ = t.admin.patch(&client_path(&made), &grant_types).await.expect(200);
    let grant = json!({"client_id": id, "audience": t.audience(), "scope": ["read:clients"]});
    let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    assert_eq!(ask(&t, URL, first, "one").await.status, 200);
    assert_eq!(ask(&t, URL, second, "one").await.status, 401);

    // A new key is found when it is used, but whatever assertions arrive, the set is fetched once a minute at most.
    t.clock.advance(Duration::from_secs(61));
    let fetched = || web.requests().iter().filter(|(at, _)| at == "client.example/keys").count();
    let before = fetched();
    for _ in 0..5 {
        assert_eq!(ask(&t, id, second, "two").await.status, 401);
    }
    assert_eq!(fetched(), before + 1);
    web.put("client.example/keys", Page::json(&key_set(&[(first, "one"), (second, "two")])));
    assert_eq!(ask(&t, id, second, "two").await.status, 401, "not yet");
    t.clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&t, id, second, "two").await.status, 200);
    assert_eq!(ask(&t, id, first, "one").await.status, 200);

    // Another key under a known id takes nothing over.
    web.put("client.example/keys", Page::json(&key_set(&[(third, "one"), (second, "two")])));
    let again = register(&t, URL).await.expect(200);
    assert!(again["validation"]["warnings"].to_string().contains("Keeping the key 'one'"), "{again}");
    let _ = t.admin.patch(&client_path(&made), &grant_types).await.expect(200);
    assert_eq!(ask(&t, id, third, "one").await.status, 401);
    assert_eq!(ask(&t, id, first, "one").await.status, 200);

    // A key that is gone stops working: at once when the document is registered again, and within an hour of use.
    web.put("client.example/keys", Page::json(&key_set(&[(second, "two")])));
    t.clock.advance(Duration::from_secs(3_601));
    assert_eq!(ask(&t, id, first, "one").await.status, 200, "the last time");
    let mut status = 200;
    for _ in 0..100 {
        status = ask(&t, id, first, "one").await.status;
        if status != 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, 401);
    let credentials = t.admin.get(&format!("{}/credentials", client_path(&made))).await.expect(200);
    assert_eq!(credentials.as_array().unwrap().len(), 1);

    // A document without keys takes the client's away.
    web.put(AT, Page::json(&document(&json!({}))));
    let _ = register(&t, URL).await.expect(200);
    let client = t.admin.get(&client_path(&made)).await.expect(200);
    assert!(client.get("jwks_uri").is_none() && client.get("client_authentication_methods").is_none());
    assert_eq!(client["token_endpoint_auth_method"], "none");
    assert_eq!(t.admin.get(&format!("{}/credentials", client_path(&made))).await.expect(200), json!([]));
    web.check_nobody_was_led_astray();
}

#[tokio::test]
async fn documents_that_cannot_be_had_or_used_say_why() {
    let (t, web) = start().await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 10));
    let page = |change: fn(&mut Page)| {
        let mut page = Page::json(&document(&json!({})));
        change(&mut page);
        page
    };
    let streamed = Page { is_streamed: true, ..Page::bytes(large.clone()) };
    for (page, reason) in [
        (page(|page| page.status = 404), "the status is 404"),
        (page(|page| page.status = 204), "the status is 204"),
        (
            page(|page| {
                page.status = 302;
                page.location = Some("https://10.0.0.1/x".into());
            }),
            "redirects are not followed",
        ),
        (Page::bytes(large), "larger than 5120 bytes"),
        (streamed, "larger than 5120 bytes"),
        (Page::bytes("<html>"), "not a JSON document"),
        (Page::bytes([0xff, 0xfe]), "not a JSON document"),
        (Page::bytes("[".repeat(5_000)), "not a JSON document"),
    ] {
        web.put(AT, page);
        let seen = preview(&t, URL).await.expect(200);
        assert!(seen["errors"][0].as_str().unwrap().contains(reason), "{seen}");
        assert!(seen.get("validation").is_none());
        let refused = register(&t, URL).await;
        assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"));
        assert!(
            refused
                .text("message")
                .starts_with(&format!("The Client Metadata at {URL} could not be retrieved."))
        );
    }
    web.put(AT, Page::json(&document(&json!({"client_id": "https://client.example/other"}))));
    let seen = preview(&t, URL).await.expect(200);
    assert_eq!(seen["validation"]["valid"], false);
    let refused = register(&t, URL).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .text("message")
            .starts_with(&format!("The Client Metadata document at {URL} cannot be applied."))
    );
    // Keys have their own limit.
    let by_key =
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://client.example/keys"});
    web.put(AT, Page::json(&document(&by_key)));
    for keys in [Page::bytes(" ".repeat(13 << 10)), Page::json(&json!({"keys": [{"kty": "RSA", "d": "x"}]}))]
    {
        web.put("client.example/keys", keys);
        assert_eq!(preview(&t, URL).await.expect(200)["validation"]["valid"], false);
    }
    let clients = t.admin.get("/api/v2/clients?is_first_party=false&include_totals=true").await.expect(200);
    assert_eq!(clients["total"], 0);
}

#[tokio::test]
async fn a_document_that_does_not_come_is_given_up() {
    let (t, web) = start().await;
    web.put(AT, Page { delay: Duration::from_secs(20), ..Page::json(&document(&json!({}))) });
    let start = std::time::Instant::now();
    let seen = preview(&t, URL).await.expect(200);
    assert!(seen["errors"][0].as_str().unwrap().contains("took too long"), "{seen}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Addresses that nobody may be sent to.
const FORBIDDEN: [&str; 24] = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.0.192",
    "198.18.0.1",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:7f00:1::1",
    "2001::1",
];

#[tokio::test]
async fn no_name_leads_to_an_address_that_is_not_public() {
    let (t, web) = start().await;
    for (i, address) in FORBIDDEN.iter().enumerate() {
        web.name(&format!("a{i}.example"), &[&[address]]);
        web.name(&format!("b{i}.example"), &[&["93.184.216.34", address]]);
        for host in [format!("a{i}.example"), format!("b{i}.example")] {
            let seen = preview(&t, &format!("https://{host}/metadata.json")).await.expect(200);
            assert!(
                seen["errors"][0].as_str().unwrap().contains("no connection could be made"),
                "{address}: {seen}"
            );
        }
    }
    assert!(web.requests().is_empty());

    // A name server that changes its mind gets no second question: what was checked is what is connected to.
    web.name("client.example", &[&["93.184.216.34"], &["127.0.0.1"]]);
    web.put(AT, Page::json(&document(&json!({}))));
    let before = web.lookups();
    assert_eq!(preview(&t, URL).await.expect(200)["validation"]["valid"], true);
    assert_eq!(web.lookups(), before + 1);
    assert!(preview(&t, URL).await.expect(200).get("errors").is_some(), "the next fetch asks anew");
    web.check_nobody_was_led_astray();
}

#[tokio::test]
async fn urls_that_may_mean_something_else_are_not_fetched() {
    let (t, web) = start().await;
    for url in [
        "http://client.example/metadata.json",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://[::1]/x",
        "https://[::ffff:7f00:1]/x",
        "https://localhost/x",
        "https://client.example/",
        "https://user@client.example/x",
        "https://client.example/x?y",
        "https://client.example/x#y",
        "https://client.example:0/x",
        "https://client.example/../x",
        "https://client.example/%2e%2e/x",
        "https://CLIENT.example/x",
        "https://client.example\\@127.0.0.1/x",
        "file:///etc/passwd",
        "",
    ] {
        for path in [PREVIEW, REGISTER] {
            let reply = t.admin.post(path, &json!({"external_client_id": url})).await;
            assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_body"), "{url}");
        }
    }
    for body in
        [json!({}), json!({"external_client_id": 1}), json!({"external_client_id": URL, "x": 1}), json!([])]
    {
        assert_eq!(t.admin.post(REGISTER, &body).await.status, 400, "{body}");
    }
    assert_eq!((web.requests().len(), web.lookups()), (0, 0));
}

/// Documents, key sets and URLs that are odd in every way that proptest comes up with.
#[tokio::test]
async fn hostile_documents_and_urls_do_no_harm() {
    let (t, web) = start().await;
    for (i, address) in FORBIDDEN.iter().enumerate() {
        web.name(&format!("bad{i}.example"), &[&[address]]);
        web.name(&format!("rebound{i}.example"), &[&["93.184.216.34"], &[address]]);
    }
    let mut runner = TestRunner::deterministic();
    let mut next = |pattern: &str| {
        proptest::string::string_regex(pattern).unwrap().new_tree(&mut runner).unwrap().current()
    };
    let (mut registered, mut refused, mut unfetched) = (0, 0, 0);
    for i in 0..attempts() {
        let url = match i % 6 {
            0 => format!("https://bad{}.example/x", i % FORBIDDEN.len()),
            1 => format!("https://rebound{}.example/{i}", i % FORBIDDEN.len()),
            2 => next(r"https?:/{1,3}[a-z0-9.\[\]:@%\\-]{1,20}/[a-z0-9./%?#]{0,10}"),
            _ => format!("https://client.example/{i}"),
        };
        let at = url.trim_start_matches("https://").to_owned();
        let valid = document(&json!({"client_id": url}));
        let mut page = match i % 9 {
            3 => Page::bytes(next(r"[\[\]{}:,\x220-9a-z]{0,200}")),
            4 => {
                let mut odd = valid.clone();
                let name =
                    ["client_name", "redirect_uris", "grant_types", "jwks_uri", "logo_uri", "client_id"]
                        [i / 9 % 6];
                odd[name] = [json!(null), json!([[]]), json!({"a": 1}), json!("x".repeat(4_000)), json!(-1)]
                    [i / 54 % 5]
                    .clone();
                Page::json(&odd)
            }
            5 => Page::bytes("x".repeat(i % 7_000)),
            6 => {
                let keys = format!("{url}/keys");
                web.put(
                    &format!("{at}/keys"),
                    Page::bytes(next(
                        r#"\{"keys":\[(\{"kty":"(RSA|EC)","n":"[A-Za-z0-9_-]{0,20}","e":"AQAB"\})?\]\}"#,
                    )),
                );
                let mut by_key = valid.clone();
                by_key["token_endpoint_auth_method"] = json!("private_key_jwt");
                by_key["jwks_uri"] = json!(keys);
                Page::json(&by_key)
            }
            7 => Page {
                status: 307,
                location: Some(format!("https://{}/", FORBIDDEN[i % 13])),
                ..Page::json(&valid)
            },
            _ => Page::json(&valid),
        };
        page.is_streamed = i % 2 == 0;
        web.put(&at, page);
        let path = if i % 4 == 0 { REGISTER } else { PREVIEW };
        let reply = t.admin.post(path, &json!({"external_client_id": url})).await;
        match reply.status {
            201 => registered += 1,
            200 if reply.body.get("errors").is_some() => unfetched += 1,
            200 | 400 => refused += 1,
            status => panic!("{status} {url}: {}", reply.body),
        }
    }
    println!("documents: {registered} registered, {refused} refused or shown, {unfetched} not fetched");
    assert!(registered > 0 && refused > 0 && unfetched > 0);
    web.check_nobody_was_led_astray();
    let third =
        t.admin.get("/api/v2/clients?is_first_party=false&include_totals=true&per_page=1").await.expect(200);
    assert_eq!(third["total"], registered);
    let first =
        t.admin.get("/api/v2/clients?is_first_party=true&include_totals=true&per_page=1").await.expect(200);
    assert_eq!(first["total"], 2);
}

#[tokio::test]
async fn registrations_at_the_same_time_make_one_client() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document(&json!({}))));
    let all = futures_util::future::join_all((0..8).map(|_| register(&t, URL))).await;
    let made = all.iter().filter(|reply| reply.status == 201).count();
    let changed = all.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((made, changed), (1, 7));
    assert!(all.iter().all(|reply| reply.text("client_id") == all[0].text("client_id")));
    let clients = t.admin.get("/api/v2/clients?is_first_party=false&include_totals=true").await.expect(200);
    assert_eq!(clients["total"], 1);
}
