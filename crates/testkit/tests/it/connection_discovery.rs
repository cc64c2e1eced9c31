//! What `OpenID` providers publish about themselves becomes part of the connections that name them.

use crate::web::{Page, Web};
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_server::Config;
use tenantry_testkit::Testkit;

const CONNECTIONS: &str = "/api/v2/connections";
const AT: &str = "idp.example/.well-known/openid-configuration";
const URL: &str = "https://idp.example/.well-known/openid-configuration";

async fn start() -> (Testkit, Web) {
    let web = Web::start().await;
    let t = Testkit::within(Config::default(), web.network.clone()).await;
    (t, web)
}

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "jwks_uri": "https://idp.example/keys", "token_endpoint": "https://idp.example/token",
        "authorization_endpoint": "https://idp.example/authorize", "x_extra": ["kept"],
        "request_parameter_supported": true,
    })
}

async fn create(t: &Testkit, name: &str, strategy: &str, options: Value) -> Value {
    let body = json!({"name": name, "strategy": strategy, "options": options});
    t.admin.post(CONNECTIONS, &body).await.expect(201)
}

async fn set_options(t: &Testkit, connection: &Value, options: Value) -> Value {
    let path = format!("{CONNECTIONS}/{}", connection["id"].as_str().unwrap());
    let after = t.admin.patch(&path, &json!({"options": options})).await.expect(200);
    assert_eq!(t.admin.get(&path).await.expect(200), after);
    after["options"].clone()
}

#[tokio::test]
async fn a_provider_says_what_the_options_leave_out() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document("https://idp.example")));
    let sent = json!({"client_id": "c", "discovery_url": URL, "token_endpoint": null, "jwks_uri": "https://mine.example/keys"});
    let made = create(&t, "corp", "oidc", sent).await;
    let expected = r#"{"client_id":"c","discovery_url":"https://idp.example/.well-known/openid-configuration","token_endpoint":"https://idp.example/token","jwks_uri":"https://mine.example/keys","oidc_metadata":{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys","token_endpoint":"https://idp.example/token","authorization_endpoint":"https://idp.example/authorize","x_extra":["kept"],"request_parameter_supported":true,"claims_parameter_supported":false,"request_uri_parameter_supported":false,"require_request_uri_registration":false},"issuer":"https://idp.example","authorization_endpoint":"https://idp.example/authorize","connection_settings":{"pkce":"auto"},"schema_version":"oidc-V4","type":"front_channel","attribute_map":{"mapping_mode":"bind_all"}}"#;
    assert_eq!(made["options"].to_string(), expected);
    let path = format!("{CONNECTIONS}/{}", made["id"].as_str().unwrap());
    assert_eq!(t.admin.get(&path).await.expect(200), made);

    web.put(
        "corp.idp.example/.well-known/openid-configuration",
        Page::json(&document("https://corp.idp.example")),
    );
    let okta = create(&t, "okta", "okta", json!({"client_id": "c", "domain": "corp.idp.example"})).await;
    assert_eq!(okta["options"]["oidc_metadata"]["x_extra"], json!(["kept"]));
    assert_eq!(okta["options"]["issuer"], "https://corp.idp.example");
    web.check_nobody_was_led_astray();
}

#[tokio::test]
async fn nothing_is_read_that_was_sent() {
    let (t, web) = start().await;
    web.put(AT, Page::json(&document("https://idp.example")));
    let sent = json!({"discovery_url": URL, "oidc_metadata": {"issuer": "https://sent.example"}});
    let made = create(&t, "sent", "oidc", sent.clone()).await;
    assert_eq!(made["options"]["issuer"], "https://sent.example");
    let _ = set_options(&t, &made, sent).await;
    // Other strategies know no such document, and a body that is refused asks nobody.
    let _ = create(&t, "other", "samlp", json!({"discovery_url": URL, "domain": "idp.example"})).await;
    let refused = json!({"name": "-", "strategy": "oidc", "options": {"discovery_url": URL}});
    let _ = t.admin.post(CONNECTIONS, &refused).await.expect(400);
    let gone = format!("{CONNECTIONS}/con_0000000000000000");
    let _ = t.admin.patch(&gone, &json!({"options": {"discovery_url": URL}})).await.expect(404);
    assert_eq!((web.requests().len(), web.lookups()), (0, 0));
    for (name, empty) in [("null", Value::Null), ("empty", json!({}))] {
        let made = create(&t, name, "oidc", json!({"discovery_url": URL, "oidc_metadata": empty})).await;
        assert_eq!(made["options"]["oidc_metadata"]["issuer"], "https://idp.example", "{name}");
    }
    assert_eq!(web.requests().len(), 2);
}

#[tokio::test]
async fn a_strange_document_is_kept_and_nothing_taken_from_it() {
    let (t, web) = start().await;
    let strange = json!({
        "issuer": "\u{0}\u{202e}' OR 1=1", "token_endpoint": 5, "jwks_uri": null, "\u{0}": [{"a": 1e300, "": 0.5}],
        "client_secret": "s", "require_request_uri_registration": "no", "authorization_endpoint": "javascript:alert(1)",
    });
    web.put(AT, Page::json(&strange));
    let made = create(&t, "corp", "oidc", json!({"discovery_url": URL})).await;
    let mut expected = strange;
    for added in
        ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"]
    {
        expected[added] = false.into();
    }
    assert_eq!(made["options"]["oidc_metadata"], expected);
    for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert_eq!(made["options"].get(name), None, "{name}");
    }
    assert_eq!(
        t.admin.get(&format!("{CONNECTIONS}/{}", made["id"].as_str().unwrap())).await.expect(200),
        made
    );
}

#[tokio::test]
async fn updates_read_again_and_keep_what_was_read_when_nobody_answers() {
    let (t, web) = start().await;
    let options = json!({"client_id": "c", "discovery_url": URL});
    let made = create(&t, "corp", "oidc", options.clone()).await;
    assert!(made["options"].get("oidc_metadata").is_none());
    web.put(AT, Page::json(&document("https://one.example")));
    assert_eq!(set_options(&t, &made, options.clone()).await["issuer"], "https://one.example");
    web.put(AT, Page::json(&document("https://two.example")));
    assert_eq!(set_options(&t, &made, options.clone()).await["issuer"], "https://two.example");
    let requests = web.requests().len();
    let path = format!("{CONNECTIONS}/{}", made["id"].as_str().unwrap());
    let _ = t.admin.patch(&path, &json!({"display_name": "Corp"})).await.expect(200);
    assert_eq!(web.requests().len(), requests);
    web.put(AT, Page { status: 503, ..Page::json(&json!({})) });
    assert_eq!(set_options(&t, &made, options).await["issuer"], "https://two.example");
    let elsewhere = set_options(&t, &made, json!({"discovery_url": "https://no.example/"})).await;
    assert_eq!((elsewhere.get("oidc_metadata"), elsewhere.get("issuer")), (None, None));
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_is_no_obstacle() {
    let (t, web) = start().await;
    let good = document("https://idp.example");
    let pages = [
        ("missing", Page { status: 404, ..Page::json(&good) }),
        ("moved", Page { status: 302, location: Some(URL.into()), ..Page::json(&good) }),
        ("text", Page::bytes("not JSON")),
        ("deep", Page::bytes("[".repeat(60_000))),
        ("list", Page::json(&json!([good]))),
        ("nameless", Page::json(&json!({"issuer": "", "token_endpoint": "https://idp.example/token"}))),
        ("large", Page::json(&json!({"issuer": "i", "x": "x".repeat(64 << 10)}))),
        ("slow", Page { delay: Duration::from_secs(60), ..Page::json(&good) }),
    ];
    for (name, page) in &pages {
        web.put(&format!("{name}.idp.example/document"), page.clone());
    }
    web.name("inside.idp.example", &[&["10.0.0.1"]]);
    web.name("mixed.idp.example", &[&["93.184.216.34", "169.254.169.254"]]);
    web.put("http.idp.example/", Page::json(&good));
    let mut urls: Vec<_> =
        pages.iter().map(|(name, _)| format!("https://{name}.idp.example/document")).collect();
    urls.extend(
        [
            "https://inside.idp.example/",
            "https://mixed.idp.example/",
            "http://http.idp.example/",
            "https://93.184.216.34/",
        ]
        .map(str::to_owned),
    );
    urls.extend(
        ["https://me:secret@http.idp.example/", "https://[::1]/", "idp.example", "file:///etc/passwd"]
            .map(str::to_owned),
    );
    web.put("good.idp.example/document", Page::json(&good));
    let made =
        create(&t, "good", "oidc", json!({"discovery_url": "https://good.idp.example/document"})).await;
    assert_eq!(made["options"]["issuer"], "https://idp.example");
    for (index, url) in urls.iter().enumerate() {
        let made = create(&t, &format!("c{index}"), "oidc", json!({"discovery_url": url})).await;
        let options = &made["options"];
        assert_eq!((options.get("oidc_metadata"), &options["discovery_url"]), (None, &json!(url)));
    }
    for domain in ["no.okta.example/evil?", "no.okta.example", "localhost", "10.0.0.1"] {
        let name = domain.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let made = create(&t, &name, "okta", json!({"domain": domain})).await;
        assert_eq!(made["options"]["issuer"], format!("https://{domain}"));
    }
    assert!(
        web.requests()
            .iter()
            .all(|(at, headers)| !at.starts_with("http.") && !headers.contains_key("authorization"))
    );
    web.check_nobody_was_led_astray();
}
