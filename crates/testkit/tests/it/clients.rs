use serde_json::{Value, json};
use std::future::IntoFuture as _;
use tenantry_sdk::{ClientPatch, NewClient, Patch};
use tenantry_testkit::{Credentials, Testkit, client_path};

#[tokio::test]
async fn every_operation_of_the_life_of_a_client() {
    let t = Testkit::start().await;
    let created = t.create_client(json!({"name": "First", "app_type": "regular_web"})).await;
    assert_eq!(created["encrypted"], true);
    assert_eq!(created["client_id"].as_str().unwrap().len(), 32);
    assert_eq!(created["client_secret"].as_str().unwrap().len(), 64);
    let path = client_path(&created);

    let read = t.admin.get(&path).await.expect(200);
    assert_eq!(read["client_secret"], created["client_secret"]);
    assert_eq!(read["signing_keys"][0]["subject"], "deprecated");
    assert!(read.get("encrypted").is_none());

    let patched =
        t.admin.patch(&path, &json!({"name": "Second", "callbacks": ["https://a.b/c"]})).await.expect(200);
    assert_eq!((&patched["name"], &patched["callbacks"]), (&json!("Second"), &json!(["https://a.b/c"])));
    assert_eq!(patched["signing_keys"][0]["subject"], "/CN=localhost");

    let rotated = t.admin.post(&format!("{path}/rotate-secret"), &Value::Null).await.expect(200);
    assert_ne!(rotated["client_secret"], created["client_secret"]);

    let gone = t.admin.delete(&path).await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    assert_eq!(gone.headers["content-type"], "application/json; charset=utf-8");
    let reply = t.admin.get(&path).await;
    assert_eq!((reply.status, reply.text("errorCode")), (404, "inexistent_client"));
    assert_eq!(t.admin.delete(&path).await.status, 204, "deleting again is no error");
}

#[tokio::test]
async fn members_keep_the_recorded_order() {
    let t = Testkit::start().await;
    let body = json!({"web_origins": ["https://a.b"], "description": "d", "name": "N", "app_type": "spa"});
    let created = t.admin.post("/api/v2/clients", &body).await.expect(201);
    let _ =
        t.admin.patch(&client_path(&created), &json!({"sso": true, "description": "e"})).await.expect(200);
    let read = t.admin.get(&client_path(&created)).await.expect(200);
    let names: Vec<_> = read.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "tenant",
            "global",
            "is_token_endpoint_ip_header_trusted",
            "description",
            "name",
            "is_first_party",
            "sso_disabled",
            "cross_origin_auth",
            "cross_origin_authentication",
            "oidc_conformant",
            "refresh_token",
            "sso",
            "signing_keys",
            "client_id",
            "callback_url_template",
            "client_secret",
            "jwt_configuration",
            "app_type",
            "grant_types",
            "web_origins",
            "custom_login_page_on",
        ]
    );
}

#[tokio::test]
async fn parallel_patches_lose_no_update() {
    let t = Testkit::start().await;
    let clients = t.sdk().await.clients();
    for _ in 0..20 {
        let client = t.create_client(json!({})).await;
        let id = client["client_id"].as_str().unwrap().to_owned();
        // So many names are allowed.
        let tasks: Vec<_> = (0..10)
            .map(|i| {
                let entry = (format!("k{i}"), "x".into());
                let patch = ClientPatch {
                    client_metadata: Patch::Value([entry].into_iter().collect()),
                    ..ClientPatch::default()
                };
                tokio::spawn(clients.update(&id, &patch).into_future())
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap().is_ok());
        }
        let read = clients.get(&id).await.unwrap();
        assert_eq!(read.client_metadata.unwrap().len(), 10, "of each PATCH, what it wrote");
        let version = t.database().number("SELECT version FROM client WHERE client_id = $1", id.as_str());
        assert_eq!(version, 11, "every PATCH was applied, one after the other");
    }
}

#[tokio::test]
async fn two_clients_cannot_share_an_alias() {
    let t = Testkit::start().await;
    let clients = t.sdk().await.clients();
    let with = |aliases: &[&str]| NewClient {
        name: "n".into(),
        client_aliases: Some(aliases.iter().map(|&alias| alias.to_owned()).collect()),
        ..NewClient::default()
    };
    let to = |aliases: &[&str]| ClientPatch {
        client_aliases: Patch::Value(with(aliases).client_aliases.unwrap()),
        ..ClientPatch::default()
    };
    let first = clients.create(&with(&["urn:a"])).await.unwrap().client_id.unwrap();
    let second = NewClient { client_aliases: None, ..with(&[]) };
    let second = clients.create(&second).await.unwrap().client_id.unwrap();
    let clash = clients.update(&second, &to(&["urn:b", "urn:a"])).await.unwrap_err();
    assert!(clash.is_conflict(), "{clash}");
    assert_eq!(clients.get(&second).await.unwrap().client_aliases, None);
    let _ = clients.update(&first, &to(&[])).await.unwrap();
    let _ = clients.update(&second, &to(&["urn:a"])).await.unwrap();
    clients.delete(&second).await.unwrap();
    let _ = clients.create(&with(&["urn:a"])).await.unwrap();
}

#[tokio::test]
async fn a_resource_server_client_needs_an_api_of_its_own() {
    let t = Testkit::start().await;
    let body =
        json!({"name": "N", "app_type": "resource_server", "resource_server_identifier": "https://api"});
    assert_eq!(t.admin.post("/api/v2/clients", &body).await.status, 404);
    let api =
        t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    let client = t.admin.post("/api/v2/clients", &body).await.expect(201);
    assert_eq!(t.admin.post("/api/v2/clients", &body).await.status, 409, "one client for each API");
    let path = format!("/api/v2/resource-servers/{}", api["id"].as_str().unwrap());
    assert_eq!(t.admin.get(&path).await.expect(200)["client_id"], client["client_id"]);
    let _ = t.admin.delete(&path).await;
    let read = t.admin.get(&client_path(&client)).await.expect(200);
    assert!(read.get("resource_server_identifier").is_none(), "no reference to an API that is gone");
}

#[tokio::test]
async fn the_global_client_cannot_be_deleted() {
    let t = Testkit::start().await;
    let list = t.admin.get("/api/v2/clients?is_global=true&include_totals=true").await.expect(200);
    assert_eq!(list["total"], 1);
    let global = &list["clients"][0];
    assert_eq!((&global["name"], &global["global"]), (&json!("All Applications"), &json!(true)));
    assert_eq!(t.admin.delete(&client_path(global)).await.status, 400);
    let page = json!({"custom_login_page": "<html>"});
    assert_eq!(t.admin.patch(&client_path(global), &page).await.expect(200)["custom_login_page"], "<html>");
    let form = Credentials::of(global);
    assert_eq!(t.ask(&form, &t.audience(), &[]).await.status, 403, "it gets no tokens");
}

#[tokio::test]
async fn deleting_a_client_takes_its_grants_and_tokens_along() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let quota = json!({"token_quota": {"client_credentials": {"per_day": 9}}});
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let _ = t.admin.patch(&path, &quota).await.expect(200);
    let caller = t.caller(&t.token(&machine, &t.audience()).await);
    assert_eq!(caller.get("/api/v2/clients").await.status, 200);
    assert_eq!(t.admin.delete(&format!("/api/v2/clients/{}", machine.client_id)).await.status, 204);
    assert_eq!(caller.get("/api/v2/clients").await.status, 401, "its token stops working at once");
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 401);
    let grants = format!("/api/v2/client-grants?client_id={}", machine.client_id);
    assert_eq!(t.admin.get(&grants).await.expect(200), json!([]));
    for (table, column) in [
        ("client_secret", "client_id"),
        ("client_grant", "client_id"),
        ("client_alias", "client_id"),
        ("token_count", "owner_id"),
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
        let rows = t.database().number(&sql, &machine.client_id);
        assert_eq!(rows, 0, "{table}");
    }
}

#[tokio::test]
async fn a_statement_that_fails_undoes_its_own_request_and_none_beside_it() {
    let t = Testkit::start().await;
    t.database().execute("CREATE UNIQUE INDEX only_one ON client_reference (tenant, kind, id)");
    let requests = (0..60).map(|i| {
        let (caller, name) = (t.admin.clone(), format!("client {i:02}"));
        let mut body = json!({"name": name});
        if i % 3 == 0 {
            body["allowed_clients"] = json!(["the same"]);
        }
        tokio::spawn(async move { (caller.post("/api/v2/clients", &body).await.status, name) })
    });
    let (mut stored, mut failed) = (Vec::new(), 0);
    for request in requests.collect::<Vec<_>>() {
        match request.await.unwrap() {
            (201, name) => stored.push(name),
            (500, _) => failed += 1,
            (status, name) => panic!("{name}: {status}"),
        }
    }
    assert_eq!((stored.len(), failed), (41, 19));
    let listed = t.admin.get("/api/v2/clients?is_global=false&per_page=100").await.expect(200);
    let names = listed.as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap());
    let mut listed: Vec<_> = names.filter(|name| name.starts_with("client ")).collect();
    listed.sort_unstable();
    stored.sort_unstable();
    assert_eq!(listed, stored);
}

#[tokio::test]
async fn a_second_start_finds_everything_as_it_was() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({"description": "stays"})).await;
    let keys = t.nobody().get("/.well-known/jwks.json").await.body;
    let admin = t.admin_credentials().await;
    let domain = t.running().domain.clone();
    let t = t
        .restart(|config| config.listen = Some(format!("127.0.0.1:{}", domain.rsplit_once(':').unwrap().1)))
        .await;
    assert_eq!(t.running().domain, domain);
    assert_eq!(t.nobody().get("/.well-known/jwks.json").await.body, keys);
    assert_eq!(t.admin_credentials().await.client_secret, admin.client_secret);
    let mut read = t.admin.get(&client_path(&client)).await.expect(200);
    let mut before = client.clone();
    before.as_object_mut().unwrap().remove("encrypted");
    before["signing_keys"] = Value::Null;
    read["signing_keys"] = Value::Null;
    assert_eq!(read, before);
}

#[tokio::test]
async fn a_change_of_domain_moves_the_system_api_and_its_grants() {
    let t = Testkit::start().await;
    let before = t.audience();
    let t = t.restart(|config| config.domain = Some("tenant.example.test:8443".into())).await;
    assert_eq!(t.audience(), "https://tenant.example.test:8443/api/v2/");
    let grants = t.admin.get("/api/v2/client-grants").await.expect(200);
    assert_eq!(grants[0]["audience"], t.audience());
    let apis = t.admin.get("/api/v2/resource-servers").await.expect(200);
    assert_eq!(apis[0]["identifier"], t.audience());
    let admin = t.admin_credentials().await;
    assert_eq!(t.ask(&admin, &before, &[]).await.status, 403, "the old audience is gone");
    let metadata = t.nobody().get("/.well-known/openid-configuration").await.body;
    assert_eq!(metadata["issuer"], "https://tenant.example.test:8443/");
}

#[tokio::test]
async fn pages_by_number_are_where_they_should_be_after_jumps_and_deletions() {
    let t = Testkit::start().await;
    let mut ids = Vec::new();
    for i in 0..23 {
        let kind = if i % 3 == 0 { "spa" } else { "native" };
        let made = t.create_client(json!({"name": format!("c{i}"), "app_type": kind})).await;
        ids.push(made["client_id"].as_str().unwrap().to_owned());
    }
    let page = async |query: &str| -> Vec<String> {
        let list = t.admin.get(&format!("/api/v2/clients?fields=client_id&{query}")).await.expect(200);
        list.as_array().unwrap().iter().map(|one| one["client_id"].as_str().unwrap().to_owned()).collect()
    };
    for deleted in [None, Some(2), Some(9)] {
        if let Some(place) = deleted {
            let gone = ids.remove(place);
            assert_eq!(t.admin.delete(&format!("/api/v2/clients/{gone}")).await.status, 204);
        }
        for filter in
            ["is_global=false", "is_global=false&app_type=native", "is_global=false&app_type=native,spa"]
        {
            let all = page(&format!("{filter}&per_page=100")).await;
            let mine: Vec<_> = all.iter().filter(|id| ids.contains(id)).collect();
            assert!(mine.len() == ids.len() || filter.ends_with("native"), "{filter}");
            for number in [5, 1, 3, 0, 2, 4, 5, 6, 7, 50] {
                let expected: Vec<_> = all.iter().skip(number * 4).take(4).cloned().collect();
                assert_eq!(
                    page(&format!("{filter}&per_page=4&page={number}")).await,
                    expected,
                    "{filter} {number}"
                );
            }
        }
    }
}
