use reqwest::Method;
use serde_json::{Value, json};
use tenantry_testkit::{Testkit, client_path};
use tenantry_types::Scope;
use tenantry_types::clients::{FIELDS, ReadGroup};

/// A path with every placeholder filled.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "nothing" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_route_refuses_without_a_token_and_without_its_scope_before_anything_else() {
    let t = Testkit::start().await;
    let routes = t.running().routes();
    assert!(routes.len() > 15, "{routes:?}");
    for route in routes {
        let method: Method = route.method.parse().unwrap();
        let path = filled(route.path);
        let what = format!("{method} {path}");
        // A body that would be refused with 400 if anyone looked at it.
        let send = |caller: tenantry_testkit::Caller| {
            let request =
                caller.request(method.clone(), &path).header("content-type", "application/json").body("{");
            async move { caller.send(request).await }
        };
        let reply = send(t.nobody()).await;
        assert_eq!((reply.status, reply.text("message")), (401, "Missing authentication"), "{what}");

        let others: Vec<_> =
            Scope::all().map(Scope::as_str).filter(|scope| !route.scopes.contains(scope)).collect();
        let reply = send(t.with_scopes(&others).await).await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.body);
        let message = format!("Insufficient scope, expected any of: {}", route.scopes.join(","));
        assert_eq!(
            (reply.text("message"), reply.text("errorCode")),
            (message.as_str(), "insufficient_scope"),
            "{what}"
        );

        for scope in &route.scopes {
            let reply = send(t.with_scopes(&[scope]).await).await;
            assert!(![401, 403].contains(&reply.status), "{what} with {scope}: {}", reply.body);
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
