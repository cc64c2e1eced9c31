use serde_json::{Value, json};
use tenantry_server::Config;
use tenantry_testkit::Testkit;

const SETTINGS: &str = "/api/v2/tenants/settings";
const DISCOVERY: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn settings_are_kept_and_shown_as_recorded() {
    let t = Testkit::start().await;
    let fresh = t.admin.get(SETTINGS).await.expect(200);
    assert_eq!(fresh["resource_parameter_profile"], "audience");
    assert_eq!(fresh["sandbox_versions_available"], json!(["22", "18"]));
    assert_eq!(fresh["default_token_quota"], Value::Null);

    let body = json!({"friendly_name": "A tenant", "mtls": {"enable_endpoint_aliases": true},
        "flags": {"enable_pipeline2": true}, "session_lifetime_in_minutes": 90});
    let changed = t.admin.patch(SETTINGS, &body).await.expect(200);
    assert_eq!((&changed["friendly_name"], &changed["session_lifetime"]), (&json!("A tenant"), &json!(1.5)));
    assert_eq!(changed["sandbox_versions_available"], Value::Null, "only reading shows what may be chosen");

    let t = t.restart(|_| ()).await;
    let read = t.admin.get(SETTINGS).await.expect(200);
    assert_eq!((&read["friendly_name"], &read["session_lifetime"]), (&json!("A tenant"), &json!(1.5)));
    assert_eq!(read["flags"]["enable_pipeline2"], true);
    assert_eq!(read["flags"]["enable_sso"], true, "the other flags stay");

    let removed = t.admin.patch(SETTINGS, &json!({"mtls": null})).await.expect(200);
    assert_eq!(removed["mtls"], Value::Null);
    assert_eq!(removed["friendly_name"], "A tenant");
}

#[tokio::test]
async fn fields_choose_among_the_settings() {
    let t = Testkit::start().await;
    let some = t.admin.get(&format!("{SETTINGS}?fields=sandbox_version,flags,unknown")).await.expect(200);
    let names: Vec<_> = some.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["flags", "sandbox_version"]);
    let rest = t.admin.get(&format!("{SETTINGS}?fields=flags&include_fields=false")).await.expect(200);
    assert!(rest.get("flags").is_none() && rest.get("sandbox_version").is_some());
    let refused = t.admin.get(&format!("{SETTINGS}?include_fields=perhaps")).await;
    assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_query_string")));
}

#[tokio::test]
async fn bad_settings_change_nothing() {
    let t = Testkit::start().await;
    let before = t.admin.get(SETTINGS).await.expect(200);
    for body in [
        json!({}),
        json!([]),
        json!({"friendly_name": "x", "sandbox_versions_available": ["1"]}),
        json!({"friendly_name": "x", "session_lifetime": 1, "session_lifetime_in_minutes": 60}),
    ] {
        let refused = t.admin.patch(SETTINGS, &body).await;
        assert_eq!((refused.status, &refused.body["errorCode"]), (400, &json!("invalid_body")), "{body}");
    }
    assert_eq!(t.admin.get(SETTINGS).await.expect(200), before);
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let t = Testkit::start().await;
    let flags = ["enable_pipeline2", "enable_apis_section", "enable_legacy_profile", "genai_trial"];
    let changes = flags.map(|flag| {
        let (admin, body) = (t.admin.clone(), json!({"flags": {flag: true}}));
        tokio::spawn(async move { admin.patch(SETTINGS, &body).await.expect(200) })
    });
    for change in changes {
        let _ = change.await.unwrap();
    }
    let read = t.admin.get(SETTINGS).await.expect(200);
    for flag in flags {
        assert_eq!(read["flags"][flag], true, "{flag}");
    }
}

#[tokio::test]
async fn discovery_says_what_the_settings_enable() {
    let t = Testkit::start().await;
    let names = [
        "mtls_endpoint_aliases",
        "registration_endpoint",
        "client_id_metadata_document_supported",
        "acr_values_supported",
    ];
    let before = t.nobody().get(DISCOVERY).await.expect(200);
    for name in names {
        assert_eq!(before[name], Value::Null, "{name}");
    }
    let body = json!({"mtls": {"enable_endpoint_aliases": true}, "acr_values_supported": ["urn:a"],
        "client_id_metadata_document_supported": true, "flags": {"enable_dynamic_client_registration": true}});
    let _ = t.admin.patch(SETTINGS, &body).await.expect(200);
    for path in [DISCOVERY, "/.well-known/oauth-authorization-server"] {
        let after = t.nobody().get(path).await.expect(200);
        let token_endpoint = after["mtls_endpoint_aliases"]["token_endpoint"].as_str().unwrap();
        assert!(token_endpoint.starts_with("https://mtls."), "{token_endpoint}");
        assert_eq!(after["registration_endpoint"], format!("{}/oidc/register", t.base));
        assert_eq!(after["client_id_metadata_document_supported"], true);
        assert_eq!(after["acr_values_supported"], json!(["urn:a"]));
    }
    let body = json!({"mtls": {"enable_endpoint_aliases": false}, "acr_values_supported": null,
        "client_id_metadata_document_supported": false, "flags": {"enable_dynamic_client_registration": false}});
    let _ = t.admin.patch(SETTINGS, &body).await.expect(200);
    assert_eq!(t.nobody().get(DISCOVERY).await.expect(200), before);
}

#[tokio::test]
async fn the_published_keys_name_their_algorithm_unless_a_flag_removes_it() {
    let t = Testkit::start().await;
    let keys = || async { t.nobody().get("/.well-known/jwks.json").await };
    let before = keys().await;
    assert_eq!(before.body["keys"][0]["alg"], "RS256");
    let _ = t.admin.patch(SETTINGS, &json!({"flags": {"remove_alg_from_jwks": true}})).await.expect(200);
    let after = keys().await;
    assert_eq!(after.body["keys"][0]["alg"], Value::Null);
    assert_eq!(after.body["keys"][0]["kid"], before.body["keys"][0]["kid"]);
    assert_ne!(after.headers["etag"], before.headers["etag"], "a kept copy is out of date");
}

#[tokio::test]
async fn the_default_audience_of_the_tenant_comes_before_the_one_of_the_server() {
    let t =
        Testkit::with(Config { default_audience: Some("https://server".into()), ..Config::default() }).await;
    let machine = t.create_machine(&t.audience(), &[]).await;
    for api in ["https://server", "https://tenant"] {
        let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": api})).await.expect(201);
        let grant = json!({"client_id": machine.client_id, "audience": api, "scope": []});
        let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    }
    let audience_of_default = || async {
        let reply = t.ask(&machine, "", &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        crate::tokens::part(reply.text("access_token"), 1)["aud"].clone()
    };
    assert_eq!(audience_of_default().await, "https://server");
    let _ = t.admin.patch(SETTINGS, &json!({"default_audience": "https://tenant"})).await.expect(200);
    assert_eq!(audience_of_default().await, "https://tenant");
    let _ = t.admin.patch(SETTINGS, &json!({"default_audience": ""})).await.expect(200);
    assert_eq!(audience_of_default().await, "https://server");
}

#[tokio::test]
async fn a_resource_names_the_api_under_the_compatibility_profile_alone() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let audience = t.audience();
    let resource = [("resource", audience.as_str())];
    assert_eq!(t.ask(&machine, "", &resource).await.status, 403, "it has no meaning");
    let profile = |name: &str| json!({"resource_parameter_profile": name});
    let _ = t.admin.patch(SETTINGS, &profile("compatibility")).await.expect(200);
    assert_eq!(t.ask(&machine, "", &resource).await.status, 200);
    assert_eq!(t.ask(&machine, "https://other", &resource).await.status, 403, "the audience comes first");
    let _ = t.admin.patch(SETTINGS, &profile("audience")).await.expect(200);
    assert_eq!(t.ask(&machine, "", &resource).await.status, 403);
}

#[tokio::test]
async fn a_flag_enables_every_connection_for_a_new_client() {
    let t = Testkit::start().await;
    for name in ["one", "two"] {
        let body = json!({"name": name, "strategy": "auth0"});
        let _ = t.admin.post("/api/v2/connections", &body).await.expect(201);
    }
    let connections_of_new = || async {
        let path =
            format!("{}/connections", tenantry_testkit::client_path(&t.create_client(json!({})).await));
        t.admin.get(&path).await.expect(200)["connections"].as_array().unwrap().len()
    };
    assert_eq!(connections_of_new().await, 0);
    let flag = |value: bool| json!({"flags": {"enable_client_connections": value}});
    let _ = t.admin.patch(SETTINGS, &flag(true)).await.expect(200);
    assert_eq!(connections_of_new().await, 2);
    let _ = t.admin.patch(SETTINGS, &flag(false)).await.expect(200);
    assert_eq!(connections_of_new().await, 0);
}
