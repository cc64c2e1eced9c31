//! What is done to a database past the server: checks, copies, a new administrator.

use base64::Engine as _;
use serde_json::{Value, json};
use tenantry_server::maintenance::Site;
use tenantry_server::{Config, DataDir, Network, Random, Server, reset_admin};
use tenantry_testkit::{Credentials, Database, Testkit, public_key_pem};

/// Something of every kind that refers to something or is sealed.
struct Tenant {
    machine: Credentials,
    /// A client with everything.
    client: String,
    connection: String,
    organization: String,
    profile: String,
}

async fn filled(t: &Testkit) -> Tenant {
    let create = async |path: &str, body: Value| t.admin.post(path, &body).await.expect(201);
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    let api =
        json!({"identifier": "https://api.example", "signing_alg": "HS256", "scopes": [{"value": "a"}]});
    let _ = create("/api/v2/resource-servers", api).await;
    let machine = t.create_machine("https://api.example", &["a"]).await;
    let organization =
        id(&create("/api/v2/organizations", json!({"name": "acme", "display_name": "Acme"})).await);
    let profile = create(
        "/api/v2/user-attribute-profiles",
        json!({
            "name": "p", "user_attributes": {"email": {
                "label": "E-mail", "description": "d", "auth0_mapping": "email", "profile_required": true,
            }},
        }),
    );
    let profile = id(&profile.await);
    let client = t
        .create_client(json!({
            "name": "Ünïcode \u{1F600}",
            "app_type": "regular_web",
            "client_aliases": ["urn:one"],
            "callbacks": ["https://app.example/cb"],
            "client_metadata": {"k": "v"},
            "default_organization": {"flows": ["client_credentials"], "organization_id": organization},
            "client_authentication_methods": {"private_key_jwt": {"credentials": [
                {"name": "key", "credential_type": "public_key", "pem": public_key_pem()},
            ]}},
            "jwt_configuration": {"alg": "RS256"},
            "my_organization_configuration": {
                "allowed_strategies": ["okta"],
                "connection_deletion_behavior": "allow",
                "user_attribute_profile_id": profile,
            },
        }))
        .await["client_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let connection = create(
        "/api/v2/connections",
        json!({
            "name": "db", "strategy": "auth0", "enabled_clients": [client, machine.client_id],
            "options": {"enabledDatabaseCustomization": true, "customScripts": {"login": "x"}, "configuration": {"a": "b"}},
        }),
    );
    let connection = id(&connection.await);
    let _ = create("/api/v2/connections", json!({
        "name": "corp", "strategy": "oauth2",
        "options": {"client_id": "c", "client_secret": "hush", "authorizationURL": "https://x/a", "tokenURL": "https://x/t"},
    })).await;
    let path = format!("/api/v2/organizations/{organization}/enabled_connections");
    let _ = create(&path, json!({"connection_id": connection})).await;
    let _ = create("/api/v2/emails/provider", json!({
        "name": "smtp", "credentials": {"smtp_host": "h", "smtp_port": 25, "smtp_user": "u", "smtp_pass": "hush"},
    })).await;
    let policies = json!(["all-applications"]);
    assert_eq!(t.admin.put("/api/v2/guardian/policies", &policies).await.expect(200), policies);
    let _ = t.admin.patch("/api/v2/tenants/settings", &json!({"friendly_name": "F"})).await.expect(200);
    assert_eq!(t.admin.post("/api/v2/keys/signing/rotate", &json!(null)).await.status, 201);
    Tenant { machine, client, connection, organization, profile }
}

async fn problems(t: &Testkit) -> Vec<String> {
    let checked = t.site().check().await.unwrap();
    assert!(checked.rows > 10, "{checked:?}");
    checked.problems.into_iter().map(|problem| problem.what).collect()
}

#[tokio::test]
async fn a_tenant_that_nobody_tampered_with_is_whole() {
    let t = Testkit::start().await;
    assert_eq!(problems(&t).await, [""; 0]);
    let tenant = filled(&t).await;
    assert_eq!(problems(&t).await, [""; 0]);
    // Also after what takes things away again.
    assert_eq!(t.admin.put("/api/v2/guardian/policies", &json!([])).await.status, 200);
    assert_eq!(t.admin.delete(&format!("/api/v2/clients/{}", tenant.machine.client_id)).await.status, 204);
    for path in ["organizations", "user-attribute-profiles", "connections"] {
        let id = match path {
            "organizations" => &tenant.organization,
            "connections" => &tenant.connection,
            _ => &tenant.profile,
        };
        let reply = t.admin.delete(&format!("/api/v2/{path}/{id}")).await;
        assert!(reply.status < 300, "{path}: {}", reply.body);
    }
    let current = t.admin.get("/api/v2/keys/signing").await.expect(200);
    let previous = current.as_array().unwrap().iter().find(|key| key["previous"] == true).unwrap();
    let path = format!("/api/v2/keys/signing/{}/revoke", previous["kid"].as_str().unwrap());
    assert_eq!(t.admin.put(&path, &json!(null)).await.status, 200);
    assert_eq!(problems(&t).await, [""; 0]);
}

#[tokio::test]
async fn a_check_says_what_is_wrong() {
    let t = Testkit::start().await;
    let tenant = filled(&t).await;
    let machine = tenant.machine.client_id.as_str();
    let damage: &[(&str, &str, &str)] = &[
        (
            "UPDATE client SET secret = (SELECT c.secret FROM client c \
             WHERE c.client_id <> client.client_id LIMIT 1) WHERE client_id = $1",
            machine,
            "a secret does not open: client",
        ),
        (
            "INSERT INTO client_secret (tenant, client_id, secret_id, secret, created_at) \
             SELECT tenant, client_id, 'earlier', secret, 0 FROM client WHERE client_id = $1",
            machine,
            "an earlier secret never expires: client",
        ),
        ("UPDATE client SET secret = NULL WHERE client_id = $1", machine, "a secret is missing: client"),
        (
            "UPDATE resource_server SET document = '{' WHERE identifier = $1",
            "https://api.example",
            "cannot be read: resource_server",
        ),
        (
            "UPDATE configuration SET document = '7' WHERE kind = $1",
            "/api/v2/guardian/policies",
            "cannot be read: configuration",
        ),
        ("UPDATE profile SET document = '[]' WHERE id = $1", &tenant.profile, "cannot be read: profile"),
        (
            "UPDATE client SET app_type = 'spa' WHERE client_id = $1",
            machine,
            "a row contradicts its document: client",
        ),
        (
            "UPDATE client_count SET n = n + 5 WHERE app_type = $1",
            "regular_web",
            "a total is wrong: 6 instead of 1",
        ),
        (
            "UPDATE client SET client_secret_at = client_secret_at - 2 WHERE client_id = $1",
            &tenant.client,
            "cannot be put together",
        ),
        ("DELETE FROM organization WHERE id = $1", &tenant.organization, "names the default organization"),
        ("DELETE FROM credential WHERE client_id = $1", &tenant.client, "names the credential cred_"),
        ("DELETE FROM profile WHERE id = $1", &tenant.profile, "names the user_attribute"),
        (
            "DELETE FROM client_reference WHERE client_id = $1",
            &tenant.client,
            "what is derived from clients is out of date: what client",
        ),
        (
            "DELETE FROM connection WHERE id = $1",
            &tenant.connection,
            "connection_client names the connection",
        ),
        (
            "UPDATE audit_log SET date = date - 1 WHERE type = $1",
            "sapi",
            "the log was altered: changes, entry ",
        ),
        (
            "UPDATE client SET seq = seq + 1 WHERE client_id = $1",
            &tenant.client,
            "search terms of a client that is gone",
        ),
        (
            "UPDATE signing_key SET state = 'previous' WHERE state = $1",
            "current",
            "exactly one current signing key",
        ),
        (
            "UPDATE setting SET value = 'gone' WHERE name = $1",
            "admin_client_id",
            "`tenantry admin reset` makes another",
        ),
    ];
    for (sql, parameter, expected) in damage {
        let before = problems(&t).await;
        t.database().tamper(sql, parameter);
        let after = problems(&t).await;
        let new: Vec<_> = after.iter().filter(|problem| !before.contains(problem)).collect();
        assert!(new.iter().any(|problem| problem.contains(expected)), "{sql}: {new:#?}");
    }
    let all = problems(&t).await.join("\n");
    assert!(!all.contains(&tenant.machine.client_secret) && !all.contains("hush"), "{all}");
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let t = Testkit::start().await;
    let other = Testkit::start().await;
    std::fs::copy(other.data_dir().join("master.key"), t.data_dir().join("master.key")).unwrap();
    let problems = problems(&t).await;
    assert!(
        problems.iter().any(|problem| problem.contains("sealed under another master key")),
        "{problems:?}"
    );
}

/// Every list there is, as it is sent.
async fn lists(t: &Testkit) -> Vec<(String, String)> {
    let mut paths: Vec<String> = t
        .running()
        .routes()
        .into_iter()
        .filter(|route| {
            // The log goes on while it is looked at.
            route.method == "GET"
                && !route.path.contains('{')
                && !route.path.ends_with("/search")
                && !route.path.ends_with("/logs")
        })
        .map(|route| route.path.to_owned())
        .collect();
    let clients = t.admin.get("/api/v2/clients?fields=client_id").await.expect(200);
    for client in clients.as_array().unwrap() {
        let client = client["client_id"].as_str().unwrap();
        let below = ["", "/credentials", "/connections", "/secrets"];
        paths.extend(below.map(|below| format!("/api/v2/clients/{client}{below}")));
    }
    let organizations = t.admin.get("/api/v2/organizations").await.expect(200);
    for organization in organizations.as_array().unwrap() {
        let path = format!("/api/v2/organizations/{}", organization["id"].as_str().unwrap());
        paths.push(format!("{path}/enabled_connections"));
        paths.push(path);
    }
    paths.extend(["/api/v2/clients?q=client_metadata.k:v".into(), "/.well-known/jwks.json".into()]);
    let mut answers = Vec::new();
    for path in paths {
        let answer = t.admin.request(reqwest::Method::GET, &path).send().await.unwrap();
        let status = answer.status();
        answers.push((path, format!("{status} {}", answer.text().await.unwrap())));
    }
    answers
}

#[tokio::test]
async fn a_tenant_moves_to_the_other_engine_and_back_as_it_is() {
    let t = Testkit::start().await;
    let tenant = filled(&t).await;
    for i in 0..150 {
        let _ = t.create_client(json!({"name": format!("client {i}")})).await;
    }
    assert_eq!(t.ask(&tenant.machine, "https://api.example", &[]).await.status, 200);
    // The use of a secret is recorded behind the answer.
    let secrets = format!("/api/v2/clients/{}/secrets", tenant.machine.client_id);
    let mut is_recorded = false;
    for _ in 0..100 {
        is_recorded = t.admin.get(&secrets).await.expect(200)[0]["last_used_at"].is_string();
        if is_recorded {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(is_recorded);
    let before = lists(&t).await;
    assert!(before.iter().filter(|(_, answer)| answer.starts_with("200")).count() > 50);
    let mut t = t.move_over().await;
    for round in 0..2 {
        let after = lists(&t).await;
        assert_eq!(after.len(), before.len());
        for (one, other) in before.iter().zip(&after) {
            assert_eq!(one, other, "round {round}");
        }
        assert_eq!(problems(&t).await, [""; 0]);
        assert_eq!(t.ask(&tenant.machine, "https://api.example", &[]).await.status, 200);
        if round == 0 {
            t = t.move_over().await;
        }
    }
    // What is made afterwards comes behind everything else.
    let made = t.create_client(json!({"name": "last"})).await;
    let all = t.admin.get("/api/v2/clients?page=1&per_page=100").await.expect(200);
    assert_eq!(all.as_array().unwrap().last().unwrap()["client_id"], made["client_id"]);
}

#[tokio::test]
async fn nothing_is_copied_out_of_a_file_in_use_or_into_a_database_that_is_not_empty() {
    let (a, b) = (Testkit::start().await, Testkit::start().await);
    let error = tenantry_server::maintenance::copy(a.database().url(), b.database().url()).await.unwrap_err();
    let expected = match a.database().file() {
        Some(_) => "another tenantry process is using",
        None => "is not empty",
    };
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(b.admin.get("/api/v2/clients").await.status, 200);
}

#[tokio::test]
async fn a_database_with_tables_of_others_is_not_filled() {
    let t = Testkit::start().await;
    let source = t.database().url().to_owned();
    // A file has to be free, and stays where it was.
    let t = if t.database().file().is_some() { t.move_over().await } else { t };
    for tables in [
        "CREATE TABLE orders (id BIGINT)",
        "CREATE TABLE orders (id BIGINT); INSERT INTO orders VALUES (1)",
        "CREATE TABLE client (id BIGINT)",
        "CREATE TABLE migration (version BIGINT); CREATE TABLE orders (id BIGINT)",
        "CREATE TABLE migration (version BIGINT); CREATE TABLE client (id BIGINT); INSERT INTO client VALUES (1)",
    ] {
        let target = Database::new(&t.data_dir().join(format!("{}.db", tables.len())));
        target.execute(tables);
        let before = target.file().map(|file| std::fs::read(file).unwrap());
        let error = tenantry_server::maintenance::copy(&source, target.url()).await.unwrap_err();
        assert!(error.to_string().contains("is not empty"), "{tables}: {error}");
        assert_eq!(target.file().map(|file| std::fs::read(file).unwrap()), before, "{tables}");
    }
}

#[tokio::test]
async fn a_lost_administrator_is_replaced_also_beside_a_running_server() {
    let mut t = Testkit::start().await;
    let former = t.admin_credentials().await;
    let path = format!("/api/v2/clients/{}", former.client_id);
    assert_eq!(t.admin.delete(&path).await.status, 204);
    assert_eq!(t.admin.get(&path).await.status, 401, "nobody is left");
    let reset = reset_admin(&t.site()).await.unwrap();
    assert_eq!(reset.left, None);
    t.renew_admin().await;
    assert_eq!(t.admin_credentials().await.client_id, reset.client_id);
    let total = t.admin.get("/api/v2/clients?include_totals=true").await.expect(200)["total"].clone();
    assert_eq!(total, 2);

    // One that is still there is deleted; a server that keeps clients in memory has to be told.
    let again = reset_admin(&t.site()).await.unwrap();
    let path = format!("/api/v2/clients/{}", reset.client_id);
    if t.database().file().is_some() {
        assert_eq!(again.left.as_deref(), Some(reset.client_id.as_str()));
        t.renew_admin().await;
        assert_eq!(t.admin.delete(&path).await.status, 204);
    } else {
        assert_eq!(again.left, None);
        t.renew_admin().await;
        let refused = t.ask(&former, &t.audience(), &[]).await;
        assert_eq!(refused.status, 401);
    }
    assert_eq!(t.admin.get(&path).await.status, 404);
    assert_eq!(problems(&t).await, [""; 0]);
    let log = t.admin.get("/api/v2/logs?q=type:w").await.expect(200).to_string();
    assert!(log.contains("By command: tenantry admin reset") && log.contains(&again.client_id), "{log}");
}

#[tokio::test]
async fn the_master_key_is_changed_step_by_step_on_several_servers() {
    let a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let tenant = filled(&a).await;
    let site = a.site();
    let error = site.rekey().await.unwrap_err().to_string();
    assert!(error.contains("docs/operations.md"), "{error}");
    assert!(site.promote_key().await.is_err(), "there is only one");
    // Both servers read the same file here.
    let added = site.add_key().await.unwrap();
    assert!(site.retire().await.is_ok(), "a key that nothing is sealed with may go again");
    let again = site.add_key().await.unwrap();
    assert_ne!(added, again);
    assert_eq!(site.promote_key().await.unwrap(), again);
    let error = site.retire().await.unwrap_err().to_string();
    assert!(error.contains("reseal first"), "{error}");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert!(site.reseal().await.unwrap() >= 8);
    assert_eq!(site.reseal().await.unwrap(), 0);
    let _ = site.retire().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(problems(&a).await, [""; 0]);
    for t in [&a, &b] {
        assert_eq!(t.ask(&tenant.machine, "https://api.example", &[]).await.status, 200);
        let made = t.create_client(json!({})).await;
        let path = format!("/api/v2/clients/{}", made["client_id"].as_str().unwrap());
        for reader in [&a, &b] {
            assert_eq!(reader.admin.get(&path).await.expect(200)["client_secret"], made["client_secret"]);
        }
    }
    assert_eq!(problems(&a).await, [""; 0]);
}

#[tokio::test]
async fn a_start_under_another_master_key_changes_nothing() {
    let t = Testkit::start().await;
    let domain = t.running().domain.clone();
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("master.key");
    std::fs::write(&key, base64::engine::general_purpose::STANDARD.encode([7; 32])).unwrap();
    // A file belongs to the server that runs on it.
    let copy = t.database().file().map(|_| dir.path().join("copy.db"));
    if let Some(copy) = &copy {
        t.site().backup(copy).await.unwrap();
    }
    let url = copy
        .as_ref()
        .map_or_else(|| t.database().url().to_owned(), |copy| format!("sqlite:{}", copy.display()));
    let config = Config {
        listen: Some("127.0.0.1:0".into()),
        domain: Some("moved.example".into()),
        database_url: Some(url),
        master_key_file: Some(key),
        ..Config::default()
    };
    let data = DataDir::new(dir.path().join("data"));
    let network = Network::routed(|_| Vec::new(), &[]);
    let started = Server::start_in(&config, data, t.clock.clone(), Random::seeded(1), &network).await;
    let error = started.err().unwrap().to_string();
    assert!(error.contains("sealed under another master key"), "{error}");
    let sql = "SELECT COUNT(*) FROM tenant WHERE domain = $1";
    let unchanged = match copy {
        Some(copy) => {
            let copy = rusqlite::Connection::open(copy).unwrap();
            copy.query_row(sql, [&domain], |row| row.get::<_, i64>(0)).unwrap()
        }
        None => t.database().number(sql, &domain),
    };
    assert_eq!(unchanged, 1);
}

#[tokio::test]
async fn a_database_of_which_parts_are_gone_is_not_taken_for_an_empty_one() {
    let t = Testkit::start().await;
    let (dir, Some(_)) = (tempfile::tempdir().unwrap(), t.database().file()) else { return };
    let copy = dir.path().join("tenantry.db");
    t.site().backup(&copy).await.unwrap();
    std::fs::copy(t.data_dir().join("master.key"), dir.path().join("master.key")).unwrap();
    rusqlite::Connection::open(&copy)
        .unwrap()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM tenant")
        .unwrap();
    let config = Config { listen: Some("127.0.0.1:0".into()), ..Config::default() };
    let data = DataDir::new(dir.path().to_owned());
    let network = Network::routed(|_| Vec::new(), &[]);
    let started = Server::start_in(&config, data, t.clock.clone(), Random::seeded(1), &network).await;
    assert!(started.err().unwrap().to_string().contains("conflict"));
}

/// Whoever works on a copy of a data directory must not touch the original.
#[tokio::test]
async fn a_data_directory_that_was_copied_stands_for_itself() {
    let t = Testkit::start().await;
    let Some(file) = t.database().file() else { return };
    let copy = tempfile::tempdir().unwrap();
    for name in ["master.key", "server.json"] {
        std::fs::copy(t.data_dir().join(name), copy.path().join(name)).unwrap();
    }
    let backup = copy.path().join("tenantry.db");
    assert_eq!(backup.file_name(), file.file_name());
    t.site().backup(&backup).await.unwrap();
    let _ = t.create_client(json!({"name": "newer"})).await;
    let site = Site::new(DataDir::new(copy.path().to_owned()), None, None).unwrap();
    let same = std::fs::canonicalize(site.database().trim_start_matches("sqlite:")).unwrap();
    assert_eq!(same, std::fs::canonicalize(&backup).unwrap());
    assert!(site.check().await.unwrap().problems.is_empty());
}
