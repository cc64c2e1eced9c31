use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use tenantry_testkit::{Caller, Testkit, client_path};
use tenantry_types::Scope;
use tenantry_types::clients::{FIELDS, Operation, ReadGroup};

/// A path with every placeholder filled.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "nothing" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Someone with these scopes, made when first asked for.
async fn with_scopes(
    t: &Testkit,
    callers: &mut HashMap<Vec<&'static str>, Caller>,
    scopes: Vec<&'static str>,
) -> Caller {
    if let Some(caller) = callers.get(&scopes) {
        return caller.clone();
    }
    let caller = t.with_scopes(&scopes).await;
    callers.insert(scopes, caller.clone());
    caller
}

#[tokio::test]
async fn every_route_refuses_without_a_token_and_without_its_scope_before_anything_else() {
    let t = Testkit::start().await;
    let routes = t.running().routes();
    assert!(routes.len() > 15, "{routes:?}");
    let mut callers: HashMap<Vec<&'static str>, Caller> = HashMap::new();
    for route in routes {
        let method: Method = route.method.parse().unwrap();
        let path = filled(route.path);
        let what = format!("{method} {path}");
        // A body that would be refused with 400 if anyone looked at it.
        let send = |caller: Caller| {
            let request =
                caller.request(method.clone(), &path).header("content-type", "application/json").body("{");
            async move { caller.send(request).await }
        };
        let reply = send(t.nobody()).await;
        assert_eq!((reply.status, reply.text("message")), (401, "Missing authentication"), "{what}");

        let others: Vec<_> =
            Scope::all().map(Scope::as_str).filter(|scope| !route.scopes.contains(scope)).collect();
        let reply = send(with_scopes(&t, &mut callers, others).await).await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.body);
        let message = format!("Insufficient scope, expected any of: {}", route.scopes.join(","));
        assert_eq!(
            (reply.text("message"), reply.text("errorCode")),
            (message.as_str(), "insufficient_scope"),
            "{what}"
        );

        for scope in &route.scopes {
            let reply = send(with_scopes(&t, &mut callers, vec![scope]).await).await;
            // One route needs a scope of another kind besides, and says so in words of its own.
            let refused = reply.status == 401 || (reply.status == 403 && reply.text("message") == message);
            assert!(!refused, "{what} with {scope}: {}", reply.body);
        }
    }
}

#[tokio::test]
async fn read_scopes_decide_which_fields_are_seen() {
    let t = Testkit::start().await;
    let client = t
        .create_client(json!({
            "description": "d", "app_type": "spa", "callbacks": ["https://a.b/c"],
            "encryption_key": {"pub": "p"}, "client_metadata": {"a": "b"},
        }))
        .await;
    let whole = t.admin.get(&client_path(&client)).await.expect(200);
    let groups = [
        ("read:client_summary", vec![ReadGroup::Summary]),
        ("read:clients", vec![ReadGroup::Summary, ReadGroup::Settings]),
        ("read:client_keys", vec![ReadGroup::Summary, ReadGroup::Settings, ReadGroup::Keys]),
        ("read:client_credentials", vec![ReadGroup::Summary, ReadGroup::Keys]),
    ];
    for (scope, seen) in groups {
        let caller = t.with_scopes(&[scope]).await;
        let expected: Vec<_> = whole
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| FIELDS.iter().any(|field| field.name == **name && seen.contains(&field.read)))
            .cloned()
            .collect();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let one = caller.get(&client_path(&client)).await.expect(200);
        assert_eq!(names(&one), expected, "{scope}");
        let list = caller.get("/api/v2/clients?app_type=spa").await.expect(200);
        assert_eq!(names(&list[0]), expected, "{scope} in a list");
        let asked =
            caller.get(&format!("{}?fields=client_secret,callbacks", client_path(&client))).await.expect(200);
        for name in names(&asked) {
            assert!(expected.contains(&name), "{scope} must not show {name} when asked for it");
        }
    }
}

#[tokio::test]
async fn write_scopes_decide_which_fields_may_be_set() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    for (held, body, status) in [
        ("update:clients", json!({"name": "n"}), 200),
        ("update:client_keys", json!({"name": "n"}), 403),
        ("update:client_keys", json!({"client_secret": "s"}), 200),
        ("update:clients", json!({"name": "n", "client_secret": "s"}), 403),
        ("update:clients", json!({"token_vault_privileged_access": null}), 403),
        ("update:client_token_vault_privileged_access", json!({"token_vault_privileged_access": null}), 200),
        ("update:clients", json!({"client_authentication_methods": null}), 403),
        ("update:client_credentials", json!({"client_authentication_methods": null}), 200),
        // What is malformed is told before what is not allowed.
        ("update:clients", json!({"client_secret": 1}), 400),
        ("update:clients", json!({"nothing": 1}), 400),
    ] {
        let caller = t.with_scopes(&[held]).await;
        let reply = caller.patch(&client_path(&client), &body).await;
        assert_eq!(reply.status, status, "{held} {body}: {}", reply.body);
    }
    // Whoever may only update sees no secret in the answer; whoever creates does.
    let updater = t.with_scopes(&["update:clients"]).await;
    let patched = updater.patch(&client_path(&client), &json!({"name": "n"})).await.expect(200);
    assert!(patched.get("client_secret").is_none() && patched.get("signing_keys").is_none());
    let creator = t.with_scopes(&["create:clients"]).await;
    let created = creator.post("/api/v2/clients", &json!({"name": "n"})).await.expect(201);
    assert!(created.get("client_secret").is_some());
}

/// A value for every field that a request may set.
fn samples() -> Value {
    json!({
        "is_token_endpoint_ip_header_trusted": false, "name": "n", "description": "d", "logo_uri": "https://a.b/l.png",
        "callbacks": ["https://a.b/c"], "oidc_logout": {"backchannel_logout_urls": ["https://a.b/l"]},
        "oidc_backchannel_logout": null, "session_transfer": {"allow_refresh_token": true},
        "allowed_logout_urls": ["https://a.b"], "allowed_clients": ["x"], "is_first_party": true,
        "oidc_conformant": true, "encryption_key": {"pub": "p"}, "sso": true, "sso_disabled": false,
        "cross_origin_authentication": false, "cross_origin_auth": false, "cross_origin_loc": "https://a.b",
        "custom_login_page": "h", "custom_login_page_preview": "h", "form_template": "h", "addons": {"samlp": {}},
        "client_metadata": {"a": "b"}, "mobile": {"ios": {"team_id": "t"}}, "initiate_login_uri": "https://a.b",
        "native_social_login": {"apple": {"enabled": true}}, "fedcm_login": {"google": {"is_enabled": true}},
        "refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring"}, "default_organization": null,
        "organization_usage": "allow", "organization_require_behavior": "no_prompt",
        "organization_discovery_methods": ["email"], "client_authentication_methods": null,
        "require_pushed_authorization_requests": false, "require_proof_of_possession": false,
        "signed_request_object": {"required": true}, "token_vault_privileged_access": {"credentials": []},
        "compliance_level": "none", "skip_non_verifiable_callback_uri_confirmation_prompt": true,
        "token_exchange": {"allow_any_profile_of_type": []}, "par_request_expiry": 60,
        "token_quota": {"client_credentials": {"per_day": 5}}, "express_configuration": null,
        "my_organization_configuration": {"allowed_strategies": ["oidc"], "connection_deletion_behavior": "allow"},
        "async_approval_notification_channels": ["email"], "identity_assertion_authorization_grant": {"active": true},
        "third_party_security_mode": "strict", "redirection_policy": "allow_always",
        "allowed_origins": ["https://a.b"], "client_secret": "s", "jwt_configuration": {"alg": "RS256"},
        "client_aliases": ["urn:a"], "token_endpoint_auth_method": "client_secret_post", "app_type": "spa",
        "grant_types": ["client_credentials"], "web_origins": ["https://a.b"], "custom_login_page_on": true,
    })
}

#[tokio::test]
async fn every_field_is_set_by_its_own_scopes_alone() {
    let t = Testkit::start().await;
    let samples = samples();
    let client = t.create_client(json!({})).await;
    let update: Vec<_> = Scope::all().filter(|scope| scope.as_str().starts_with("update:client")).collect();
    for scope in update {
        let caller = t.with_scopes(&[scope.as_str()]).await;
        for field in FIELDS.iter().filter(|field| field.in_patch()) {
            let value = samples.get(field.name).unwrap_or_else(|| panic!("no sample for {}", field.name));
            let reply = caller.patch(&client_path(&client), &json!({field.name: value})).await;
            let expected = field.scopes_to_set(Operation::Update).contains(&scope);
            assert_eq!(reply.status != 403, expected, "{scope} and {}: {}", field.name, reply.body);
            let may_be_bad = field.name == "third_party_security_mode";
            assert!(!expected || reply.status == 200 || may_be_bad, "{}: {}", field.name, reply.body);
        }
    }
    // On create, only credentials need more than `create:clients`.
    let creator = t.with_scopes(&["create:clients"]).await;
    for field in FIELDS.iter().filter(|field| field.in_create()) {
        let value = match field.name {
            "client_authentication_methods" => &json!({"private_key_jwt": {"credentials": []}}),
            "resource_server_identifier" => &json!("x"),
            name => &samples[name],
        };
        let mut body = json!({"name": "n", "jwt_configuration": {"alg": "RS256"}});
        body[field.name] = value.clone();
        let reply = creator.post("/api/v2/clients", &body).await;
        let expected = field.scopes_to_set(Operation::Create).contains(&Scope::CREATE_CLIENTS);
        assert_eq!(reply.status != 403, expected, "create with {}: {}", field.name, reply.body);
    }
}

#[tokio::test]
async fn every_field_is_seen_by_its_own_scopes_alone() {
    let t = Testkit::start().await;
    let mut body = samples();
    for refused_on_create in ["client_secret", "third_party_security_mode"] {
        body.as_object_mut().unwrap().remove(refused_on_create);
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let client = t.admin.post("/api/v2/clients", &body).await.expect(201);
    let whole = t.admin.get(&client_path(&client)).await.expect(200);
    assert!(whole.as_object().unwrap().len() > 50);
    for scope in Scope::all() {
        let caller = t.with_scopes(&[scope.as_str()]).await;
        let reply = caller.get(&client_path(&client)).await;
        if !scope.as_str().starts_with("read:client") || [Scope::READ_CLIENT_GRANTS].contains(&scope) {
            assert_eq!(reply.status, 403, "{scope}");
            continue;
        }
        let seen = reply.expect(200);
        for name in whole.as_object().unwrap().keys() {
            let field = FIELDS
                .iter()
                .find(|field| field.name == name)
                .unwrap_or_else(|| panic!("{name} is in no table"));
            assert_eq!(seen.get(name).is_some(), field.read.scopes().contains(&scope), "{scope} and {name}");
        }
    }
}
