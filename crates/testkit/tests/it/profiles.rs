use serde_json::{Value, json};
use tenantry_testkit::{Testkit, client_path};

const CONNECTION: &str = "/api/v2/connection-profiles";
const USER_ATTRIBUTE: &str = "/api/v2/user-attribute-profiles";

/// A body that makes a profile of the collection.
fn body(collection: &str, name: &str) -> Value {
    let mut body = json!({"name": name});
    if collection == USER_ATTRIBUTE {
        body["user_attributes"] = json!({"email": {
            "label": "Email", "description": "It", "auth0_mapping": "email", "profile_required": true}});
    }
    body
}

async fn create(t: &Testkit, collection: &str, name: &str) -> Value {
    t.admin.post(collection, &body(collection, name)).await.expect(201)
}

fn path(collection: &str, profile: &Value) -> String {
    format!("{collection}/{}", profile["id"].as_str().unwrap())
}

fn errors(collection: &str) -> (&'static str, &'static str) {
    match collection {
        CONNECTION => ("inexistent_connection_profile", "connection_profile_conflict"),
        _ => ("inexistent_user_attribute_profile", "user_attribute_profile_conflict"),
    }
}

#[tokio::test]
async fn every_operation_of_the_life_of_a_profile() {
    let t = Testkit::start().await;
    for (collection, prefix) in [(CONNECTION, "cop_"), (USER_ATTRIBUTE, "uap_")] {
        let profile = create(&t, collection, "one").await;
        let id = profile["id"].as_str().unwrap();
        assert!(id.starts_with(prefix) && id.len() == 26, "{id}");
        let path = path(collection, &profile);
        assert_eq!(t.admin.get(&path).await.expect(200).to_string(), profile.to_string());

        let patched = t.admin.patch(&path, &json!({"name": "two"})).await.expect(200);
        let mut expected = profile.clone();
        expected["name"] = json!("two");
        assert_eq!(patched.to_string(), expected.to_string(), "the rest stays, in its order");

        for _ in 0..2 {
            assert_eq!(t.admin.delete(&path).await.status, 204, "also when it is not there");
        }
        for missing in [t.admin.get(&path).await, t.admin.patch(&path, &json!({"name": "x"})).await] {
            assert_eq!((missing.status, missing.text("errorCode")), (404, errors(collection).0));
        }
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_profile_of_its_kind() {
    let t = Testkit::start().await;
    for collection in [CONNECTION, USER_ATTRIBUTE] {
        let _ = create(&t, collection, "taken").await;
        let other = create(&t, collection, "free").await;
        let path = path(collection, &other);
        let again = t.admin.post(collection, &body(collection, "taken")).await;
        let renamed = t.admin.patch(&path, &json!({"name": "taken"})).await;
        for conflict in [again, renamed] {
            assert_eq!((conflict.status, conflict.text("errorCode")), (409, errors(collection).1));
        }
        let _ = t.admin.patch(&path, &json!({"name": "free"})).await.expect(200);
    }
}

#[tokio::test]
async fn the_id_of_one_kind_names_nothing_of_the_other() {
    let t = Testkit::start().await;
    let profile = create(&t, CONNECTION, "x").await;
    let wrong = path(USER_ATTRIBUTE, &profile);
    assert_eq!(t.admin.get(&wrong).await.status, 404);
    assert_eq!(t.admin.delete(&wrong).await.status, 204);
    let _ = t.admin.get(&path(CONNECTION, &profile)).await.expect(200);
}

#[tokio::test]
async fn lists_page_by_checkpoint() {
    let t = Testkit::start().await;
    for (collection, name) in
        [(CONNECTION, "connection_profiles"), (USER_ATTRIBUTE, "user_attribute_profiles")]
    {
        assert_eq!(t.admin.get(collection).await.expect(200), json!({name: []}));
        let mut made = Vec::new();
        for n in 0..7 {
            made.push(create(&t, collection, &n.to_string()).await["id"].clone());
        }
        made.sort_by_key(ToString::to_string);
        let first = t.admin.get(collection).await.expect(200);
        assert_eq!(first[name].as_array().unwrap().len(), 5, "as documented");
        let next = first["next"].as_str().unwrap();
        let second = t.admin.get(&format!("{collection}?from={next}&take=5")).await.expect(200);
        assert_eq!(second["next"], Value::Null);
        let listed: Vec<_> = [&first, &second]
            .into_iter()
            .flat_map(|page| page[name].as_array().unwrap())
            .map(|profile| profile["id"].clone())
            .collect();
        assert_eq!(listed, made);
        for wrong in ["take=0", "take=101", "take=x", "from=nonsense"] {
            assert_eq!(t.admin.get(&format!("{collection}?{wrong}")).await.status, 400, "{wrong}");
        }
    }
}

#[tokio::test]
async fn a_profile_can_be_made_from_a_template() {
    let t = Testkit::start().await;
    for (collection, name) in
        [(CONNECTION, "connection_profile_templates"), (USER_ATTRIBUTE, "user_attribute_profile_templates")]
    {
        let templates = t.admin.get(&format!("{collection}/templates")).await.expect(200);
        for template in templates[name].as_array().unwrap() {
            let path = format!("{collection}/templates/{}", template["id"].as_str().unwrap());
            assert_eq!(&t.admin.get(&path).await.expect(200), template);
            let _ = t.admin.post(collection, &template["template"]).await.expect(201);
        }
        assert_eq!(t.admin.get(&format!("{collection}/templates/none")).await.status, 404);
    }
}

#[tokio::test]
async fn bad_profiles_are_refused() {
    let t = Testkit::start().await;
    for (collection, member, value) in [
        (CONNECTION, "connection_name_prefix_template", json!("a--b")),
        (CONNECTION, "connection_config", json!({"a": 1})),
        (CONNECTION, "enabled_features", json!(["flying"])),
        (USER_ATTRIBUTE, "user_attributes", json!({})),
        (USER_ATTRIBUTE, "user_id", json!({"oidc_mapping": "email"})),
        (USER_ATTRIBUTE, "id", json!("uap_1111111111111111111111")),
    ] {
        let mut bad = body(collection, "x");
        bad[member] = value;
        let refused = t.admin.post(collection, &bad).await;
        assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"), "{bad}");
        assert!(refused.text("message").contains(member), "{}", refused.body);
    }
}

/// A client of each way to refer to these profiles, through the client `oin`.
async fn referring(t: &Testkit, connection: &Value, user_attribute: &Value, oin: &Value) -> (Value, Value) {
    let my_organization = json!({"my_organization_configuration": {
        "connection_profile_id": connection["id"], "user_attribute_profile_id": user_attribute["id"],
        "invitation_landing_client_id": oin["client_id"],
        "allowed_strategies": ["oidc"], "connection_deletion_behavior": "allow"}});
    let linked = t.create_client(json!({})).await;
    let express = json!({"express_configuration": {
        "initiate_login_uri_template": "https://example.com/login?org={organization_name}",
        "connection_profile_id": connection["id"], "user_attribute_profile_id": user_attribute["id"],
        "enable_client": true, "enable_organization": true, "okta_oin_client_id": oin["client_id"],
        "linked_clients": [{"client_id": linked["client_id"]}], "admin_login_domain": "admin.example.com"}});
    (t.create_client(my_organization).await, t.create_client(express).await)
}

#[tokio::test]
async fn what_a_client_refers_to_must_exist() {
    let t = Testkit::start().await;
    let (connection, user_attribute) =
        (create(&t, CONNECTION, "c").await, create(&t, USER_ATTRIBUTE, "u").await);
    let oin = t.create_client(json!({"app_type": "express_configuration"})).await;
    let (my_organization, express) = referring(&t, &connection, &user_attribute, &oin).await;
    for (client, name) in
        [(&my_organization, "my_organization_configuration"), (&express, "express_configuration")]
    {
        for (member, id, code) in [
            ("connection_profile_id", "cop_1111111111111111111111", "inexistent_connection_profile"),
            ("user_attribute_profile_id", "uap_1111111111111111111111", "inexistent_user_attribute_profile"),
            ("okta_oin_client_id", "nobody", "inexistent_client"),
            ("invitation_landing_client_id", "nobody", "inexistent_client"),
        ] {
            let mut settings = client[name].clone();
            if settings.get(member).is_none() {
                continue;
            }
            settings[member] = json!(id);
            if (name, member) == ("express_configuration", "connection_profile_id") {
                let _ = t.admin.patch(&client_path(client), &json!({name: settings})).await.expect(200);
                continue;
            }
            let refused = t.admin.patch(&client_path(client), &json!({name: settings})).await;
            assert_eq!((refused.status, refused.text("errorCode")), (404, code), "{name}.{member}");
        }
    }
    let mut settings = express["express_configuration"].clone();
    settings["linked_clients"] = json!([{"client_id": "nobody"}]);
    let refused = t.admin.patch(&client_path(&express), &json!({"express_configuration": settings})).await;
    assert_eq!((refused.status, refused.text("errorCode")), (404, "inexistent_client"));
}

#[tokio::test]
async fn no_client_refers_to_a_profile_that_was_deleted() {
    let t = Testkit::start().await;
    for deleted in [CONNECTION, USER_ATTRIBUTE] {
        let (connection, user_attribute) =
            (create(&t, CONNECTION, deleted).await, create(&t, USER_ATTRIBUTE, deleted).await);
        let oin = t.create_client(json!({"app_type": "express_configuration"})).await;
        let (my_organization, express) = referring(&t, &connection, &user_attribute, &oin).await;
        let profile = if deleted == CONNECTION { &connection } else { &user_attribute };
        assert_eq!(t.admin.delete(&path(deleted, profile)).await.status, 204);

        let after = t.admin.get(&client_path(&my_organization)).await.expect(200);
        let settings = &after["my_organization_configuration"];
        let (gone, kept) = match deleted {
            CONNECTION => ("connection_profile_id", "user_attribute_profile_id"),
            _ => ("user_attribute_profile_id", "connection_profile_id"),
        };
        assert_eq!(settings[gone], Value::Null);
        assert_eq!(settings[kept], my_organization["my_organization_configuration"][kept]);
        let after = t.admin.get(&client_path(&express)).await.expect(200);
        assert_eq!(after["express_configuration"], Value::Null, "it cannot be without the profile");
    }
}

#[tokio::test]
async fn no_client_refers_to_a_client_that_was_deleted() {
    let t = Testkit::start().await;
    let (connection, user_attribute) =
        (create(&t, CONNECTION, "c").await, create(&t, USER_ATTRIBUTE, "u").await);
    let oin = t.create_client(json!({"app_type": "express_configuration"})).await;
    let (my_organization, express) = referring(&t, &connection, &user_attribute, &oin).await;
    let linked = &express["express_configuration"]["linked_clients"][0];
    assert_eq!(t.admin.delete(&client_path(linked)).await.status, 204);
    let after = t.admin.get(&client_path(&express)).await.expect(200);
    assert_eq!(after["express_configuration"]["linked_clients"], json!([]));

    assert_eq!(t.admin.delete(&client_path(&oin)).await.status, 204);
    let after = t.admin.get(&client_path(&express)).await.expect(200);
    assert_eq!(after["express_configuration"], Value::Null);
    let after = t.admin.get(&client_path(&my_organization)).await.expect(200);
    assert_eq!(after["my_organization_configuration"]["invitation_landing_client_id"], Value::Null);
    assert_eq!(after["my_organization_configuration"]["connection_profile_id"], connection["id"]);

    // A reference that was taken back is no reference any more.
    let other = t.create_client(json!({"app_type": "express_configuration"})).await;
    let (_, express) = referring(&t, &connection, &user_attribute, &other).await;
    let _ = t.admin.patch(&client_path(&express), &json!({"express_configuration": null})).await.expect(200);
    let before = t.admin.get(&client_path(&express)).await.expect(200);
    assert_eq!(t.admin.delete(&client_path(&other)).await.status, 204);
    assert_eq!(t.admin.get(&client_path(&express)).await.expect(200), before);
}
