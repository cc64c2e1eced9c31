use serde_json::{Value, json};
use tenantry_testkit::{Caller, Testkit};

const CONNECTIONS: &str = "/api/v2/connections";

async fn create(t: &Testkit, body: Value) -> Value {
    t.admin.post(CONNECTIONS, &body).await.expect(201)
}

fn path(connection: &Value) -> String {
    format!("{CONNECTIONS}/{}", connection["id"].as_str().unwrap())
}

async fn new_client_id(t: &Testkit) -> String {
    t.create_client(json!({})).await["client_id"].as_str().unwrap().to_owned()
}

async fn set_clients(t: &Testkit, connection: &Value, clients: &[&String], status: bool) {
    let changes: Vec<_> = clients.iter().map(|id| json!({"client_id": id, "status": status})).collect();
    let body = t.admin.patch(&format!("{}/clients", path(connection)), &json!(changes)).await.expect(204);
    assert_eq!(body, Value::Null);
}

fn names<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[member].as_str().unwrap()).collect()
}

/// All objects of a list with checkpoints, and how many pages they took.
async fn walk(caller: &Caller, path: &str, name: &str, take: usize) -> (Vec<Value>, usize) {
    let mut found = Vec::new();
    let mut from = String::new();
    for pages in 1.. {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut page = caller.get(&format!("{path}{separator}take={take}{from}")).await.expect(200);
        found.append(page[name].as_array_mut().unwrap());
        let Some(next) = page["next"].as_str() else { return (found, pages) };
        from = format!("&from={next}");
    }
    unreachable!("there is an end")
}

#[tokio::test]
async fn a_strategy_adds_its_options_to_those_sent() {
    let t = Testkit::start().await;
    let sent = json!({"name": "Corp", "strategy": "oidc", "options": {
        "type": "back_channel", "client_id": "c", "token_endpoint": null,
        "oidc_metadata": {"token_endpoint": "https://idp.example/token"},
    }});
    let made = create(&t, sent).await;
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("con_") && id.len() == 20, "{id}");
    let expected = r#"{"type":"back_channel","client_id":"c","token_endpoint":"https://idp.example/token","oidc_metadata":{"token_endpoint":"https://idp.example/token","claims_parameter_supported":false,"request_parameter_supported":false,"request_uri_parameter_supported":false,"require_request_uri_registration":false},"connection_settings":{"pkce":"auto"},"schema_version":"oidc-V4","attribute_map":{"mapping_mode":"bind_all"}}"#;
    assert_eq!(made["options"].to_string(), expected);
    let read = t.admin.get(&path(&made)).await.expect(200);
    assert_eq!(read, made);
    let order: Vec<_> = read["options"].as_object().unwrap().keys().collect();
    let sorted = [
        "type",
        "client_id",
        "attribute_map",
        "oidc_metadata",
        "schema_version",
        "token_endpoint",
        "connection_settings",
    ];
    assert_eq!(order, sorted);
    assert_eq!(
        (&made["display_name"], &made["realms"], &made["enabled_clients"]),
        (&json!("Corp"), &json!(["Corp"]), &json!([]))
    );
}

#[tokio::test]
async fn an_update_replaces_the_options() {
    let t = Testkit::start().await;
    let made = create(
        &t,
        json!({"name": "a", "strategy": "google-oauth2", "options": {"client_id": "c", "gmail": true}}),
    )
    .await;
    let body = json!({"options": {"client_secret": "s", "profile": false}, "is_domain_connection": true});
    let after = t.admin.patch(&path(&made), &body).await.expect(200);
    assert_eq!(
        after["options"],
        json!({"client_secret": "s", "profile": false, "email": true, "scope": ["email"]})
    );
    assert_eq!(t.admin.get(&path(&made)).await.expect(200), after);
    let shown = t.admin.patch(&path(&made), &json!({"metadata": {"k": "v"}})).await.expect(200);
    assert_eq!((&shown["options"], &shown["metadata"]), (&after["options"], &json!({"k": "v"})));
    for body in [json!({}), json!({"name": "b"}), json!({"enabled_clients": []}), json!({"options": []})] {
        let refused = t.admin.patch(&path(&made), &body).await;
        assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"), "{body}");
    }
}

#[tokio::test]
async fn a_name_is_taken_once_and_never_changes() {
    let t = Testkit::start().await;
    let made = create(&t, json!({"name": "users", "strategy": "auth0"})).await;
    let twin = t.admin.post(CONNECTIONS, &json!({"name": "users", "strategy": "sms"})).await;
    assert_eq!((twin.status, twin.text("message")), (409, "A connection with the same name already exists"));
    assert_eq!(t.admin.patch(&path(&made), &json!({"name": "x"})).await.status, 400);
    let _ = t.admin.delete(&path(&made)).await.expect(202);
    let _ = create(&t, json!({"name": "users", "strategy": "sms"})).await;
}

#[tokio::test]
async fn what_is_deleted_is_not_there() {
    let t = Testkit::start().await;
    let made = create(&t, json!({"name": "a", "strategy": "ad"})).await;
    let status = t.admin.get(&format!("{}/status", path(&made))).await;
    assert_eq!((status.status, status.text("message")), (404, "not connected to any node"));
    let deleted = t.admin.delete(&path(&made)).await.expect(202);
    assert!(deleted["deleted_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(t.admin.delete(&path(&made)).await.status, 204);
    let clients = format!("{}/clients", path(&made));
    let enable = json!([{"client_id": new_client_id(&t).await, "status": true}]);
    for reply in [
        t.admin.get(&path(&made)).await,
        t.admin.patch(&path(&made), &json!({"show_as_button": true})).await,
        t.admin.get(&clients).await,
        t.admin.patch(&clients, &enable).await,
        t.admin.get(&format!("{}/status", path(&made))).await,
    ] {
        assert_eq!(
            (reply.status, reply.text("message"), reply.text("errorCode")),
            (404, "The connection does not exist", "inexistent_connection")
        );
    }
}

#[tokio::test]
async fn lists_are_by_name_and_can_be_narrowed_down() {
    let t = Testkit::start().await;
    for (name, strategy) in
        [("b2", "oidc"), ("A1", "auth0"), ("C", "sms"), ("a1", "sms"), ("B", "auth0"), ("1st", "auth0")]
    {
        let _ = create(&t, json!({"name": name, "strategy": strategy})).await;
    }
    let all = t.admin.get(CONNECTIONS).await.expect(200);
    let by_name = names(&all, "name");
    assert_eq!((by_name[0], &by_name[3..]), ("1st", &["B", "b2", "C"][..]));
    let totals =
        t.admin.get(&format!("{CONNECTIONS}?include_totals=true&per_page=2&page=1")).await.expect(200);
    assert_eq!(names(&totals["connections"], "name"), &by_name[2..4]);
    assert_eq!((&totals["total"], &totals["start"], &totals["limit"]), (&json!(6), &json!(2), &json!(2)));
    let (walked, pages) = walk(&t.admin, CONNECTIONS, "connections", 4).await;
    assert_eq!((json!(walked), pages), (all.clone(), 2));
    let two = t.admin.get(&format!("{CONNECTIONS}?strategy=sms&strategy=oidc&fields=name")).await.expect(200);
    assert_eq!(names(&two, "name"), ["a1", "b2", "C"]);
    assert!(two[0].get("options").is_none() && two[0].get("enabled_clients").is_none(), "{two}");
    let (walked, pages) = walk(&t.admin, &format!("{CONNECTIONS}?strategy=auth0"), "connections", 1).await;
    assert_eq!((walked.len(), pages), (3, 3));
    let one = t.admin.get(&format!("{CONNECTIONS}?name=a1&include_totals=true")).await.expect(200);
    assert_eq!((&one["total"], &one["connections"][0]["strategy"]), (&json!(1), &json!("sms")));
    let without =
        t.admin.get(&format!("{CONNECTIONS}?fields=options,realms&include_fields=false")).await.expect(200);
    assert!(without[0].get("options").is_none() && without[0].get("enabled_clients").is_some(), "{without}");
    for query in ["strategy=nothing", "take=101", "per_page=101", "page=-1", "from=junk", "page=10"] {
        assert_eq!(t.admin.get(&format!("{CONNECTIONS}?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn clients_are_shown_in_the_order_in_which_they_were_enabled_and_listed_by_id() {
    let t = Testkit::start().await;
    let connection = create(&t, json!({"name": "a", "strategy": "auth0"})).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(new_client_id(&t).await);
    }
    for client in &clients {
        set_clients(&t, &connection, &[client], true).await;
    }
    // Again: no second time, no other place.
    set_clients(&t, &connection, &[&clients[3], &clients[0]], true).await;
    let read = async || t.admin.get(&path(&connection)).await.expect(200)["enabled_clients"].clone();
    assert_eq!(read().await, json!(clients));
    let mut sorted = clients.clone();
    sorted.sort_by_key(|id| id.to_lowercase());
    let sub_resource = format!("{}/clients", path(&connection));
    let (listed, pages) = walk(&t.admin, &sub_resource, "clients", 2).await;
    assert_eq!((names(&json!(listed), "client_id"), pages), (sorted.iter().map(String::as_str).collect(), 3));
    let whole = t.admin.get(&sub_resource).await.expect(200);
    assert_eq!((whole["clients"].as_array().unwrap().len(), whole.get("next")), (5, None));

    set_clients(&t, &connection, &[&clients[1], &clients[4]], false).await;
    set_clients(&t, &connection, &[&clients[1]], true).await;
    assert_eq!(read().await, json!([clients[0], clients[2], clients[3], clients[1]]));
}

#[tokio::test]
async fn enabling_is_all_or_nothing() {
    let t = Testkit::start().await;
    let connection = create(&t, json!({"name": "a", "strategy": "auth0"})).await;
    let client = new_client_id(&t).await;
    let sub_resource = format!("{}/clients", path(&connection));
    let on = |id: &str| json!({"client_id": id, "status": true});
    let reply = t.admin.patch(&sub_resource, &json!([on(&client), on("nobody")])).await;
    assert_eq!((reply.status, reply.text("errorCode")), (404, "inexistent_client"));
    let many: Vec<_> = (0..51).map(|_| on(&client)).collect();
    for body in
        [json!([]), json!([{"client_id": client}]), json!([on("a b")]), json!(many), json!({}), json!(null)]
    {
        assert_eq!(t.admin.patch(&sub_resource, &body).await.status, 400, "{body}");
    }
    assert_eq!(t.admin.get(&sub_resource).await.expect(200), json!({"clients": []}));
    let refused = t
        .admin
        .post(CONNECTIONS, &json!({"name": "b", "strategy": "sms", "enabled_clients": [client, "nobody"]}))
        .await;
    assert_eq!((refused.status, refused.text("errorCode")), (404, "inexistent_client"));
    let all = t.admin.get(CONNECTIONS).await.expect(200);
    assert_eq!(names(&all, "name"), ["a"]);
}

#[tokio::test]
async fn the_same_client_enabled_by_many_at_once_is_enabled_once() {
    let t = Testkit::start().await;
    let connection = create(&t, json!({"name": "a", "strategy": "auth0"})).await;
    let client = new_client_id(&t).await;
    let change = async || set_clients(&t, &connection, &[&client], true).await;
    tokio::join!(change(), change(), change(), change());
    assert_eq!(t.admin.get(&path(&connection)).await.expect(200)["enabled_clients"], json!([client]));
}

#[tokio::test]
async fn deleting_a_client_or_a_connection_leaves_no_trace_at_the_other() {
    let t = Testkit::start().await;
    let (a, b) = (new_client_id(&t).await, new_client_id(&t).await);
    let body = |name: &str| json!({"name": name, "strategy": "auth0", "enabled_clients": [a, b, a]});
    let one = create(&t, body("one")).await;
    let two = create(&t, body("two")).await;
    assert_eq!(one["enabled_clients"].as_array().unwrap().len(), 2);
    let _ = t.admin.delete(&format!("/api/v2/clients/{a}")).await.expect(204);
    for connection in [&one, &two] {
        assert_eq!(t.admin.get(&path(connection)).await.expect(200)["enabled_clients"], json!([b]));
        let clients = t.admin.get(&format!("{}/clients", path(connection))).await.expect(200);
        assert_eq!(clients, json!({"clients": [{"client_id": b}]}));
    }
    let _ = t.admin.delete(&path(&one)).await.expect(202);
    let left = t.admin.get(&format!("/api/v2/clients/{b}/connections")).await.expect(200);
    assert_eq!(names(&left["connections"], "name"), ["two"]);
}

#[tokio::test]
async fn a_client_lists_its_connections() {
    let t = Testkit::start().await;
    let client = new_client_id(&t).await;
    let list = format!("/api/v2/clients/{client}/connections");
    assert_eq!(t.admin.get(&list).await.expect(200), json!({"connections": []}));
    for (name, strategy) in [("c", "oidc"), ("a", "sms"), ("b", "oidc"), ("other", "oidc")] {
        let connection = create(&t, json!({"name": name, "strategy": strategy})).await;
        if name != "other" {
            set_clients(&t, &connection, &[&client], true).await;
        }
    }
    let (found, pages) = walk(&t.admin, &list, "connections", 2).await;
    assert_eq!((names(&json!(found), "name"), pages), (vec!["a", "b", "c"], 2));
    assert!(found[0].get("enabled_clients").is_none() && found[0].get("options").is_some());
    let oidc = t.admin.get(&format!("{list}?strategy=oidc&fields=name")).await.expect(200);
    assert_eq!(names(&oidc["connections"], "name"), ["b", "c"]);
    assert_eq!(
        t.admin.get("/api/v2/clients/nobody/connections").await.text("errorCode"),
        "inexistent_client"
    );
    let half = t.with_scopes(&["read:connections"]).await.get(&list).await;
    assert_eq!(half.text("message"), "Insufficient scope, expected any of: read:clients,read:client_summary");
    let both = t.with_scopes(&["read:connections", "read:client_summary"]).await;
    assert_eq!(both.get(&list).await.status, 200);
}

#[tokio::test]
async fn options_are_seen_and_changed_with_scopes_of_their_own() {
    let t = Testkit::start().await;
    let options = json!({"client_id": "c", "client_secret": "only-with-the-scope"});
    let made = create(&t, json!({"name": "a", "strategy": "oidc", "options": options})).await;
    let client = new_client_id(&t).await;
    set_clients(&t, &made, &[&client], true).await;
    let of_client = format!("/api/v2/clients/{client}/connections");
    let lists =
        [path(&made), format!("{}?fields=options,name", path(&made)), CONNECTIONS.to_owned(), of_client];

    let plain = t.with_scopes(&["read:connections", "update:connections", "read:clients"]).await;
    let reader = t.with_scopes(&["read:connections", "read:connections_options", "read:clients"]).await;
    for path in &lists {
        let without = plain.get(path).await.expect(200).to_string();
        assert!(without.contains(r#""name":"a""#) && !without.contains("options"), "{path}: {without}");
        assert!(reader.get(path).await.expect(200).to_string().contains("only-with-the-scope"), "{path}");
    }
    let change = json!({"options": {"client_id": "d"}});
    let refused = plain.patch(&path(&made), &change).await;
    assert_eq!(
        refused.body,
        json!({"statusCode": 403, "error": "Forbidden", "errorCode": "insufficient_scope",
            "message": "Updating the \"options\" property requires the \"update:connections_options\" scope"})
    );
    let renamed = plain.patch(&path(&made), &json!({"display_name": "A"})).await.expect(200);
    assert_eq!((&renamed["display_name"], renamed.get("options")), (&json!("A"), None));
    assert_eq!(t.admin.get(&path(&made)).await.expect(200)["options"], made["options"]);

    let writer = t.with_scopes(&["update:connections", "update:connections_options"]).await;
    assert_eq!(writer.patch(&path(&made), &change).await.expect(200).get("options"), None);
    assert_eq!(t.admin.get(&path(&made)).await.expect(200)["options"]["client_id"], "d");
}

#[tokio::test]
async fn a_new_client_gets_every_connection_if_a_flag_says_so() {
    let t = Testkit::start().await;
    let connection = create(&t, json!({"name": "a", "strategy": "auth0"})).await;
    let enabled = async || t.admin.get(&path(&connection)).await.expect(200)["enabled_clients"].clone();
    let _ = new_client_id(&t).await;
    assert_eq!(enabled().await, json!([]));
    let settings = "/api/v2/tenants/settings";
    let flag = |on: bool| json!({"flags": {"enable_client_connections": on}});
    let _ = t.admin.patch(settings, &flag(true)).await.expect(200);
    let client = new_client_id(&t).await;
    assert_eq!(enabled().await, json!([client]));
    let _ = t.admin.patch(settings, &flag(false)).await.expect(200);
    let _ = new_client_id(&t).await;
    assert_eq!(enabled().await, json!([client]));
}

/// Everything that the server keeps on disk.
#[tokio::test]
async fn secrets_are_shown_and_never_stored_in_clear() {
    let t = Testkit::start().await;
    let secrets = [
        ("oidc", json!({"client_secret": "clear-text-1"})),
        (
            "sms",
            json!({"twilio_token": "clear-text-2", "gateway_authentication":
            {"method": "bearer", "audience": "a", "secret": "clear-text-3"}}),
        ),
        ("oauth1", json!({"consumer_secret": "clear-text-4"})),
        ("oauth2", json!({"customHeaders": {"X-Key": "clear-text-5"}})),
        ("samlp", json!({"decryptionKey": {"key": "clear-text-6", "cert": "public"}})),
        ("auth0", json!({"configuration": {"password_of_database": "clear-text-7"}})),
    ];
    for (strategy, options) in secrets {
        let made = create(&t, json!({"name": strategy, "strategy": strategy, "options": options})).await;
        let read = t.admin.get(&path(&made)).await.expect(200);
        assert_eq!(read, made);
        let shows = made["options"].to_string().contains("clear-text");
        assert_eq!(shows, strategy != "auth0", "{made}");
        let listed = t.admin.get(&format!("{CONNECTIONS}?name={strategy}")).await.expect(200);
        assert_eq!(listed[0]["options"], read["options"]);
        let after = t.admin.patch(&path(&made), &json!({"options": options})).await.expect(200);
        assert_eq!(after["options"].to_string().contains("clear-text"), shows);
    }
    let stored = t.database();
    assert!(stored.holds("X-Key") || stored.holds("password_of_database"), "looking in the wrong place");
    assert!(!stored.holds("clear-text"));
}

#[tokio::test]
async fn configuration_that_is_sent_back_as_it_was_shown_stays() {
    let t = Testkit::start().await;
    let options = json!({"configuration": {"a": "1", "b": "2"}});
    let made = create(&t, json!({"name": "db", "strategy": "auth0", "options": options})).await;
    let shown = made["options"]["configuration"].clone();
    let body = json!({"options": {"configuration": {"a": shown["a"], "b": "3", "c": null}}});
    let after = t.admin.patch(&path(&made), &body).await.expect(200)["options"]["configuration"].clone();
    assert_eq!(after["a"], shown["a"]);
    assert_ne!(after["b"], shown["b"]);
    assert!(after["b"] != "3" && after.get("c").is_none());
}

const SAML: &str = r#"<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.example">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/out"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example/post"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/in"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>"#;

#[tokio::test]
async fn metadata_documents_say_where_the_identity_provider_is() {
    let t = Testkit::start().await;
    let made = create(&t, json!({"name": "a", "strategy": "samlp", "options": {"metadataXml": SAML}})).await;
    assert_eq!(made["options"]["signInEndpoint"], "https://idp.example/in");
    assert_eq!(made["options"]["signOutEndpoint"], "https://idp.example/out");
    let fed = r#"<E xmlns:fed="f" xmlns:w="w"><fed:PassiveRequestorEndpoint><w:EndpointReference><w:Address>
        https://adfs.example/wsfed </w:Address></w:EndpointReference></fed:PassiveRequestorEndpoint></E>"#;
    let made = create(&t, json!({"name": "b", "strategy": "adfs", "options": {"fedMetadataXml": fed}})).await;
    assert_eq!(made["options"]["signInEndpoint"], "https://adfs.example/wsfed");
    // Neither entities nor anything else that is no plain document is looked into; what was sent is kept.
    let bomb = format!(r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>{}"#, &SAML[22..]);
    for (name, bad) in [("c", bomb.as_str()), ("d", "<"), ("e", "nonsense")] {
        let body = json!({"name": name, "strategy": "samlp", "options": {"metadataXml": bad}});
        assert_eq!(create(&t, body).await["options"], json!({"metadataXml": bad}));
    }
}

#[tokio::test]
async fn a_signing_certificate_is_described() {
    let t = Testkit::start().await;
    let pem = std::fs::read_to_string(t.data_dir().join("ca.pem")).unwrap();
    let body = json!({"name": "a", "strategy": "samlp", "options": {"signingCert": pem}});
    let options = create(&t, body).await["options"].clone();
    assert_eq!(options["cert"], pem);
    assert_eq!(options["thumbprints"][0].as_str().unwrap().len(), 40);
    assert!(options["subject"]["commonName"].is_string(), "{options}");
    assert!(options["expires"].as_str().unwrap().contains(".000Z"));
    let body = json!({"name": "b", "strategy": "samlp", "options": {"signingCert": "nonsense"}});
    assert_eq!(create(&t, body).await["options"], json!({"signingCert": "nonsense"}));
}
