use reqwest::Method;
use serde_json::{Value, json};
use tenantry_testkit::{Caller, Credentials, Reply, Testkit, client_path};

const ORGANIZATIONS: &str = "/api/v2/organizations";
const GRANTS: &str = "/api/v2/client-grants";
const API: &str = "https://api";

/// Deletes with a body.
async fn delete_with(caller: &Caller, path: &str, body: &Value) -> Reply {
    caller.send(caller.request(Method::DELETE, path).json(body)).await
}

async fn create(t: &Testkit, name: &str) -> String {
    let organization = t.admin.post(ORGANIZATIONS, &json!({"name": name})).await.expect(201);
    organization["id"].as_str().unwrap().to_owned()
}

fn path(organization: &str) -> String {
    format!("{ORGANIZATIONS}/{organization}")
}

fn ids(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[member].as_str().unwrap().to_owned()).collect()
}

/// A machine that may call an API, and the path of its grant.
async fn machine_with_grant(t: &Testkit, grant: &Value) -> (Credentials, String) {
    let _ = t
        .admin
        .post("/api/v2/resource-servers", &json!({"identifier": API, "scopes": [{"value": "a"}]}))
        .await;
    let machine = t.create_machine(API, &["a"]).await;
    let grants = t.admin.get(&format!("{GRANTS}?client_id={}", machine.client_id)).await.expect(200);
    let path = format!("{GRANTS}/{}", grants[0]["id"].as_str().unwrap());
    let _ = t.admin.patch(&path, grant).await.expect(200);
    (machine, path)
}

async fn add_grant(t: &Testkit, organization: &str, grant: &str) {
    let id = grant.rsplit('/').next().unwrap();
    let _ = t
        .admin
        .post(&format!("{}/client-grants", path(organization)), &json!({"grant_id": id}))
        .await
        .expect(201);
}

fn claims(reply: &Reply) -> Value {
    let payload = reply.text("access_token").split('.').nth(1).unwrap();
    serde_json::from_slice(&tenantry_jose::from_base64url(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn the_life_of_an_organization() {
    let t = Testkit::start().await;
    let body = json!({
        "name": "acme", "display_name": "Acme", "metadata": {"tier": "gold"},
        "branding": {"logo_url": "https://example.com/logo.png", "colors": {"primary": "#000000", "page_background": "#fff"}},
        "token_quota": {"client_credentials": {"enforce": true, "per_hour": 10}},
    });
    let made = t.admin.post(ORGANIZATIONS, &body).await.expect(201);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("org_") && id.len() == 20, "{id}");
    let read = t.admin.get(&path(id)).await.expect(200);
    assert_eq!(read, made);
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    let patch = json!({"display_name": "Acme Inc.", "token_quota": null, "metadata": {"plan": "b"}});
    let patched = t.admin.patch(&path(id), &patch).await.expect(200);
    assert_eq!(
        (&patched["display_name"], &patched["metadata"]),
        (&json!("Acme Inc."), &json!({"plan": "b"}))
    );
    assert_eq!(patched.get("token_quota"), None);
    assert_eq!(patched["branding"], body["branding"]);
    assert_eq!(t.admin.get(&path(id)).await.expect(200), patched);
    assert_eq!(t.admin.delete(&path(id)).await.status, 204);
    for gone in [
        t.admin.get(&path(id)).await,
        t.admin.patch(&path(id), &json!({})).await,
        t.admin.delete(&path(id)).await,
        t.admin.get(&format!("{ORGANIZATIONS}/name/acme")).await,
    ] {
        assert_eq!((gone.status, gone.text("message")), (404, "No organization found by that id or name"));
        assert_eq!(gone.body.get("errorCode"), None);
    }
}

#[tokio::test]
async fn an_organization_has_no_members() {
    let t = Testkit::start().await;
    let acme = create(&t, "acme").await;
    for (tail, expected) in [
        ("members", json!([])),
        (
            "members?include_totals=true&per_page=5",
            json!({"members": [], "start": 0, "limit": 5, "total": 0}),
        ),
        ("members?take=100&per_page=50&include_totals=true&fields=user_id", json!({"members": []})),
        ("invitations", json!([])),
        ("invitations?include_totals=true&page=1", json!({"invitations": [], "start": 50, "limit": 50})),
        ("groups?take=10", json!({"groups": []})),
    ] {
        let found = t.admin.get(&format!("{}/{tail}", path(&acme))).await.expect(200);
        assert_eq!(found.to_string(), expected.to_string(), "{tail}");
    }
    for (tail, message) in [
        ("invitations/uinv_0123456789abcdef", "The invitation does not exist."),
        ("members/auth0%7C1/roles", "The user does not exist."),
        ("members/auth0%7C1/effective-roles", "The user does not exist."),
        ("groups/grp_1/roles", "Group not found."),
    ] {
        let reply = t.admin.get(&format!("{}/{tail}", path(&acme))).await;
        assert_eq!((reply.status, reply.text("message")), (404, message), "{tail}");
    }
    for tail in ["members", "invitations", "groups", "invitations/uinv_1", "members/auth0%7C1/roles"] {
        for nowhere in ["org_0123456789abcdef", "acme"] {
            let reply = t.admin.get(&format!("{}/{tail}", path(nowhere))).await;
            let expected = (404, "No organization found by that id or name");
            assert_eq!((reply.status, reply.text("message")), expected, "{tail}");
        }
    }
    let body = json!({"members": ["auth0|1"]});
    assert_eq!(t.admin.post(&format!("{}/members", path(&acme)), &body).await.status, 501);
    assert_eq!(t.admin.get(&format!("{}/members?per_page=101", path(&acme))).await.status, 400);
}

#[tokio::test]
async fn names_are_unique_and_found() {
    let t = Testkit::start().await;
    let (acme, other) = (create(&t, "acme").await, create(&t, "other").await);
    let by_name = async |name: &str| t.admin.get(&format!("{ORGANIZATIONS}/name/{name}")).await;
    assert_eq!(by_name("acme").await.expect(200)["id"], acme.as_str());
    let twin = t.admin.post(ORGANIZATIONS, &json!({"name": "acme"})).await;
    assert_eq!((twin.status, twin.text("errorCode")), (409, "organization_conflict"));
    assert_eq!(twin.text("message"), "An organization with this name already exists.");
    assert_eq!(t.admin.patch(&path(&other), &json!({"name": "acme"})).await.status, 409);
    let _ = t.admin.patch(&path(&acme), &json!({"name": "acme"})).await.expect(200);
    let _ = t.admin.patch(&path(&acme), &json!({"name": "renamed"})).await.expect(200);
    assert_eq!(by_name("acme").await.status, 404);
    assert_eq!(by_name("renamed").await.expect(200)["id"], acme.as_str());
    let _ = t.admin.patch(&path(&other), &json!({"name": "acme"})).await.expect(200);
    let at_once = (0..8).map(|_| {
        let admin = t.admin.clone();
        tokio::spawn(async move { admin.post(ORGANIZATIONS, &json!({"name": "race"})).await.status })
    });
    let mut statuses = Vec::new();
    for task in at_once.collect::<Vec<_>>() {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong() {
    let t = Testkit::start().await;
    let id = create(&t, "acme").await;
    let grant = json!({"grant_id": "nothing"});
    for (path, body, detail) in [
        (ORGANIZATIONS.to_owned(), json!({}), "Missing required property: name"),
        (ORGANIZATIONS.to_owned(), json!({"name": "No Spaces"}), "organization-name"),
        (format!("{}/client-grants", path(&id)), grant, "client-grant-id"),
        (format!("{}/clients", path(&id)), json!({"clients": []}), "Array is too short (0), minimum 1"),
        (
            format!("{}/clients", path(&id)),
            json!({"clients": ["x"]}),
            "Expected type object but found type string",
        ),
        (format!("{}/discovery-domains", path(&id)), json!({"domain": "a b"}), "does not match pattern"),
        (
            format!("{}/discovery-domains", path(&id)),
            json!({"domain": "a.b", "status": "x"}),
            "No enum match for: x",
        ),
    ] {
        let reply = t.admin.post(&path, &body).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_body"), "{body}");
        assert!(reply.text("message").contains(detail), "{body}: {}", reply.text("message"));
    }
    for query in ["sort=size:1", "sort=name:2", "take=101", "unknown=1"] {
        let reply = t.admin.get(&format!("{ORGANIZATIONS}?{query}")).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_query_string"), "{query}");
    }
    let missing = path("org_0000000000000000");
    for below in ["clients", "client-grants", "discovery-domains", "clients/x", "discovery-domains/x"] {
        let reply = t.admin.get(&format!("{missing}/{below}")).await;
        assert_eq!(
            (reply.status, reply.text("message")),
            (404, "No organization found by that id or name"),
            "{below}"
        );
    }
}

#[tokio::test]
async fn lists_are_sorted_and_paged_both_ways() {
    let t = Testkit::start().await;
    for (name, display_name) in [("c", "One"), ("a", "Two"), ("e", "One"), ("b", "Two"), ("d", "One")] {
        let body = json!({"name": name, "display_name": display_name});
        let _ = t.admin.post(ORGANIZATIONS, &body).await.expect(201);
    }
    let all = t.admin.get(ORGANIZATIONS).await.expect(200);
    assert_eq!(ids(&all, "name"), ["c", "a", "e", "b", "d"]);
    for (sort, order) in [
        ("", ["c", "a", "e", "b", "d"]),
        ("&sort=created_at:1", ["c", "a", "e", "b", "d"]),
        ("&sort=created_at:-1", ["d", "b", "e", "a", "c"]),
        ("&sort=name:1", ["a", "b", "c", "d", "e"]),
        ("&sort=name:-1", ["e", "d", "c", "b", "a"]),
        ("&sort=display_name:1", ["c", "e", "d", "a", "b"]),
        ("&sort=display_name:-1", ["b", "a", "d", "e", "c"]),
    ] {
        let mut walked = Vec::new();
        let mut from = String::new();
        loop {
            let page = t.admin.get(&format!("{ORGANIZATIONS}?take=2{sort}{from}")).await.expect(200);
            walked.extend(ids(&page["organizations"], "name"));
            match page["next"].as_str() {
                Some(next) => from = format!("&from={next}"),
                None => break,
            }
        }
        assert_eq!(walked, order, "{sort} by checkpoint");
        let second = format!("{ORGANIZATIONS}?per_page=2&page=1&include_totals=true{sort}");
        let page = t.admin.get(&second).await.expect(200);
        assert_eq!(ids(&page["organizations"], "name"), order[2..4], "{sort} by number");
        assert_eq!((&page["start"], &page["limit"], &page["total"]), (&json!(2), &json!(2), &json!(5)));
    }
    let beyond = t.admin.get(&format!("{ORGANIZATIONS}?page=10&per_page=100")).await;
    assert_eq!((beyond.status, beyond.text("errorCode")), (400, "invalid_paging"));
}

#[tokio::test]
async fn the_summary_scope_reveals_names_only() {
    let t = Testkit::start().await;
    let body = json!({"name": "acme", "display_name": "Acme", "metadata": {"secret": "plan"}});
    let id = t.admin.post(ORGANIZATIONS, &body).await.expect(201)["id"].clone();
    let reader = t.with_scopes(&["read:organizations_summary"]).await;
    let summary = json!({"id": id, "name": "acme", "display_name": "Acme"});
    assert_eq!(reader.get(&path(id.as_str().unwrap())).await.expect(200), summary);
    assert_eq!(reader.get(ORGANIZATIONS).await.expect(200), json!([summary]));
    assert_eq!(reader.get(&format!("{ORGANIZATIONS}/name/acme")).await.status, 403);
}

#[tokio::test]
async fn clients_of_an_organization() {
    let t = Testkit::start().await;
    let id = create(&t, "acme").await;
    let clients = format!("{}/clients", path(&id));
    let mut made = Vec::new();
    for _ in 0..11 {
        made.push(t.create_client(json!({"organization_usage": "allow"})).await["client_id"].clone());
    }
    let entry = |client: &Value| json!({"client_id": client});
    let ten: Vec<_> = made[..10].iter().map(entry).collect();
    let eleven: Vec<_> = made.iter().map(entry).collect();
    assert_eq!(t.admin.post(&clients, &json!({"clients": eleven})).await.status, 400, "ten at once");
    let unknown = json!({"clients": [entry(&made[10]), {"client_id": "nobody"}]});
    assert_eq!(t.admin.post(&clients, &unknown).await.text("errorCode"), "inexistent_client");
    assert_eq!(t.admin.get(&clients).await.expect(200), json!({"clients": []}), "all of them or none");
    let added = t.admin.post(&clients, &json!({"clients": ten})).await.expect(201);
    assert_eq!(added.as_array().unwrap().len(), 10);
    let body = json!({"clients": [{"client_id": made[10], "use_for_member_access": true}]});
    let last = t.admin.post(&clients, &body).await.expect(201);
    let grant_types = json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]);
    let shown = json!({"name": "a client", "is_first_party": true, "grant_types": grant_types, "organization_usage": "allow"});
    assert_eq!(last, json!([{"client_id": made[10], "use_for_member_access": true, "client": shown}]));
    assert_eq!(t.admin.post(&clients, &body).await.status, 409);

    let listed = t.admin.get(&format!("{clients}?take=50")).await.expect(200);
    let listed = ids(&listed["clients"], "client_id");
    let mut sorted = listed.clone();
    sorted.sort_by_key(|id| id.to_ascii_lowercase());
    assert_eq!((&listed, listed.len()), (&sorted, 11));
    let mut walked = Vec::new();
    let mut from = String::new();
    loop {
        let page = t.admin.get(&format!("{clients}?take=4{from}")).await.expect(200);
        walked.extend(ids(&page["clients"], "client_id"));
        match page["next"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    assert_eq!(walked, listed);

    let one = format!("{clients}/{}", made[10].as_str().unwrap());
    assert_eq!(t.admin.get(&one).await.expect(200), last[0]);
    let patched = t.admin.patch(&one, &json!({"use_for_member_access": false})).await.expect(200);
    assert_eq!(patched["use_for_member_access"], false);
    assert_eq!(t.admin.get(&one).await.expect(200), patched);
    let with_association =
        format!("{ORGANIZATIONS}?include_client_association_for={}", made[10].as_str().unwrap());
    let associated = t.admin.get(&with_association).await.expect(200);
    assert_eq!(associated[0]["client"], json!({"use_for_member_access": false}));

    let gone = json!({"clients": [made[10], "nobody"]});
    assert_eq!(delete_with(&t.admin, &clients, &gone).await.status, 204);
    assert_eq!(delete_with(&t.admin, &clients, &gone).await.status, 204, "removing again is no error");
    assert_eq!(t.admin.get(&one).await.status, 404);
    assert_eq!(t.admin.patch(&one, &json!({"use_for_member_access": true})).await.status, 404);
    assert_eq!(t.admin.get(&with_association).await.expect(200)[0].get("client"), None);
    assert_eq!(t.admin.delete(&client_path(&json!({"client_id": made[0]}))).await.status, 204);
    let listed = t.admin.get(&clients).await.expect(200);
    assert_eq!(listed["clients"].as_array().unwrap().len(), 9, "a deleted client is in no organization");
}

#[tokio::test]
async fn an_organization_has_a_hundred_clients_at_most() {
    let t = Testkit::start().await;
    let id = create(&t, "acme").await;
    let clients = format!("{}/clients", path(&id));
    for _ in 0..10 {
        let mut ten = Vec::new();
        for _ in 0..10 {
            ten.push(json!({"client_id": t.create_client(json!({})).await["client_id"]}));
        }
        let _ = t.admin.post(&clients, &json!({"clients": ten})).await.expect(201);
    }
    let more = json!({"clients": [{"client_id": t.create_client(json!({})).await["client_id"]}]});
    let refused = t.admin.post(&clients, &more).await;
    assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"));
    let listed = t.admin.get(&format!("{clients}?take=100")).await.expect(200);
    assert_eq!(listed["clients"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn connections_of_an_organization() {
    let t = Testkit::start().await;
    let connect = async |name: &str, strategy: &str| {
        let body = json!({"name": name, "strategy": strategy});
        let made = t.admin.post("/api/v2/connections", &body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    };
    let (database, social) = (connect("users", "auth0").await, connect("social", "github").await);
    let body = json!({"name": "acme", "enabled_connections": [{"connection_id": database}]});
    let acme = t.admin.post(ORGANIZATIONS, &body).await.expect(201);
    let creator = t.with_scopes(&["create:organizations"]).await;
    let refused = creator.post(ORGANIZATIONS, &json!({"name": "b", "enabled_connections": []})).await;
    assert_eq!(
        (refused.status, refused.text("message")),
        (403, "Insufficient scope, expected any of: create:organization_connections")
    );
    let _ = creator.post(ORGANIZATIONS, &json!({"name": "b"})).await.expect(201);
    let names = json!({"name": "users", "strategy": "auth0"});
    let enabled = json!({
        "connection_id": database, "is_signup_enabled": false, "assign_membership_on_login": false,
        "show_as_button": true, "connection": names,
    });
    assert_eq!(acme["enabled_connections"], json!([enabled]));
    let acme = path(acme["id"].as_str().unwrap());
    let (old, new) = (format!("{acme}/enabled_connections"), format!("{acme}/connections"));
    assert_eq!(t.admin.get(&acme).await.expect(200).get("enabled_connections"), None);
    assert_eq!(t.admin.get(&old).await.expect(200), json!([enabled]));

    let body = json!({"connection_id": social, "is_enabled": false, "organization_connection_name": "gh"});
    let added = t.admin.post(&new, &body).await.expect(201);
    assert_eq!(
        added,
        json!({
            "connection_id": social, "assign_membership_on_login": false, "show_as_button": true, "is_enabled": false,
            "organization_access_level": "none", "organization_connection_name": "gh",
            "connection": {"name": "social", "strategy": "github"},
        })
    );
    assert_eq!(
        t.admin.get(&old).await.expect(200),
        json!([enabled]),
        "the older form knows enabled ones only"
    );
    assert_eq!(
        t.admin.get(&format!("{old}/{social}")).await.text("message"),
        "No connection found by that id"
    );
    assert_eq!(t.admin.get(&format!("{new}/{social}")).await.expect(200), added);
    let mut both = vec![database.clone(), social.clone()];
    both.sort_by_key(|id| id.to_ascii_lowercase());
    let page = t.admin.get(&format!("{new}?include_totals=true")).await.expect(200);
    assert_eq!((ids(&page["connections"], "connection_id"), &page["total"]), (both, &json!(2)));
    for (flag, id) in [(true, &database), (false, &social)] {
        let page = t.admin.get(&format!("{new}?is_enabled={flag}&include_totals=true")).await.expect(200);
        assert_eq!(
            (ids(&page["connections"], "connection_id"), &page["total"]),
            (vec![id.clone()], &json!(1))
        );
    }
    assert_eq!(t.admin.post(&new, &json!({"connection_id": social})).await.status, 409);
    let _ = t.admin.post(&old, &json!({"connection_id": social})).await.expect(201);
    let read = t.admin.get(&format!("{new}/{social}")).await.expect(200);
    assert_eq!((&read["is_enabled"], &read["organization_connection_name"]), (&json!(true), &json!("gh")));
    assert_eq!(t.admin.post(&old, &json!({"connection_id": social})).await.status, 409);

    let one = format!("{new}/{database}");
    let signup = json!({"is_signup_enabled": true});
    assert_eq!(t.admin.patch(&one, &signup).await.status, 400, "who signs up has to become a member");
    let signup = json!({"is_signup_enabled": true, "assign_membership_on_login": true});
    assert_eq!(t.admin.patch(&format!("{new}/{social}"), &signup).await.status, 400, "databases only");
    let patched = t.admin.patch(&one, &signup).await.expect(200);
    assert_eq!((&patched["is_signup_enabled"], &patched["show_as_button"]), (&json!(true), &json!(true)));
    let patched =
        t.admin.patch(&format!("{old}/{database}"), &json!({"show_as_button": false})).await.expect(200);
    assert_eq!((&patched["is_signup_enabled"], patched.get("is_enabled")), (&json!(true), None));

    for (path, body, status) in [
        (&old, json!({"connection_id": "con_0000000000000000"}), 404),
        (&old, json!({"connection_id": "users"}), 400),
        (&old, json!({"connection_id": database, "is_enabled": true}), 400),
    ] {
        assert_eq!(t.admin.post(path, &body).await.status, status, "{body}");
    }
    let body = json!({"name": "none", "enabled_connections": [{"connection_id": "con_0000000000000000"}]});
    assert_eq!(t.admin.post(ORGANIZATIONS, &body).await.status, 404);
    assert_eq!(t.admin.get(&format!("{ORGANIZATIONS}/name/none")).await.status, 404, "nothing was made");

    assert_eq!(t.admin.delete(&format!("{old}/{social}")).await.status, 204);
    assert_eq!(t.admin.delete(&format!("{new}/{social}")).await.status, 204, "removing again is no error");
    assert_eq!(t.admin.patch(&format!("{new}/{social}"), &json!({})).await.status, 404);
    assert_eq!(t.admin.delete(&format!("/api/v2/connections/{database}")).await.status, 202);
    assert_eq!(t.admin.get(&new).await.expect(200), json!([]), "a deleted connection is in no organization");
}

#[tokio::test]
async fn client_grants_of_an_organization() {
    let t = Testkit::start().await;
    let (acme, other) = (create(&t, "acme").await, create(&t, "other").await);
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "allow"})).await;
    let (_, second) = machine_with_grant(&t, &json!({"organization_usage": "require"})).await;
    let grant_id = grant.rsplit('/').next().unwrap();
    let grants = format!("{}/client-grants", path(&acme));
    let added = t.admin.post(&grants, &json!({"grant_id": grant_id})).await.expect(201);
    assert_eq!(
        added,
        json!({"grant_id": grant_id, "client_id": machine.client_id, "audience": API, "scope": ["a"], "organization_usage": "allow"})
    );
    let twin = t.admin.post(&grants, &json!({"grant_id": grant_id})).await;
    assert_eq!(
        (twin.status, twin.text("message")),
        (409, "The client grant has already been added to this organization.")
    );
    let missing = t.admin.post(&grants, &json!({"grant_id": "cgr_0000000000000000"})).await;
    assert_eq!((missing.status, missing.text("errorCode")), (404, "inexistent_client_grant"));
    add_grant(&t, &acme, &second).await;
    add_grant(&t, &other, &grant).await;

    let all = t.admin.get(&grants).await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(all.as_array().unwrap().contains(&t.admin.get(&grant).await.expect(200)));
    for (filter, count) in [
        (format!("client_id={}", machine.client_id), 1),
        (format!("grant_ids={grant_id}"), 1),
        (format!("grant_ids={grant_id}&grant_ids={}", second.rsplit('/').next().unwrap()), 2),
        ("audience=https%3A%2F%2Fapi".to_owned(), 2),
        ("audience=https%3A%2F%2Fother".to_owned(), 0),
    ] {
        let page = t.admin.get(&format!("{grants}?{filter}&include_totals=true")).await.expect(200);
        assert_eq!(
            (&page["total"], &page["start"], &page["limit"]),
            (&json!(count), &json!(0), &json!(50)),
            "{filter}"
        );
        assert_eq!(page["client_grants"].as_array().unwrap().len(), count, "{filter}");
    }
    let organizations = t.admin.get(&format!("{grant}/organizations?take=1")).await.expect(200);
    assert_eq!(ids(&organizations["organizations"], "id"), [acme.as_str()]);
    let next = organizations["next"].as_str().unwrap();
    let rest = t.admin.get(&format!("{grant}/organizations?take=1&from={next}")).await.expect(200);
    assert_eq!(rest, json!({"organizations": [t.admin.get(&path(&other)).await.expect(200)]}));
    let found = async |id: &str| {
        let query = format!("/api/v2/clients?q=client_grant.organization_id:{id}&take=10&fields=client_id");
        ids(&t.admin.get(&query).await.expect(200)["clients"], "client_id")
    };
    assert_eq!(found(&acme).await.len(), 2);
    assert_eq!(found(&other).await, [machine.client_id.as_str()]);

    assert_eq!(t.admin.delete(&format!("{grants}/{grant_id}")).await.status, 204);
    assert_eq!(
        t.admin.delete(&format!("{grants}/{grant_id}")).await.status,
        204,
        "removing again is no error"
    );
    assert_eq!(
        ids(&t.admin.get(&format!("{grant}/organizations")).await.expect(200), "id"),
        [other.as_str()]
    );
    assert_eq!(t.admin.delete(&grant).await.status, 204);
    let left = t.admin.get(&format!("{}/client-grants", path(&other))).await.expect(200);
    assert_eq!(left, json!([]), "a deleted grant is in no organization");
    assert_eq!(t.admin.delete(&path(&acme)).await.status, 204);
    assert_eq!(t.admin.get(&format!("{second}/organizations")).await.expect(200), json!([]));
}

#[tokio::test]
async fn organization_usage_decides_whether_a_token_is_for_an_organization() {
    let t = Testkit::start().await;
    let acme = create(&t, "acme").await;
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "deny"})).await;
    add_grant(&t, &acme, &grant).await;
    for (usage, without, with) in [("deny", 200, 400), ("allow", 200, 200), ("require", 400, 200)] {
        let _ = t.admin.patch(&grant, &json!({"organization_usage": usage})).await.expect(200);
        let plain = t.ask(&machine, API, &[]).await;
        let named = t.ask(&machine, API, &[("organization", &acme)]).await;
        assert_eq!((plain.status, named.status), (without, with), "{usage}: {} {}", plain.body, named.body);
        for (reply, organization) in [(plain, Value::Null), (named, json!(acme))] {
            if reply.status == 200 {
                assert_eq!(claims(&reply)["org_id"], organization, "{usage}");
            } else {
                assert_eq!(reply.text("error"), "invalid_request", "{usage}");
            }
        }
    }
    let _ = t.admin.patch(&grant, &json!({"organization_usage": null})).await.expect(200);
    assert_eq!(t.ask(&machine, API, &[("organization", &acme)]).await.status, 400, "deny is the default");
}

#[tokio::test]
async fn a_grant_is_good_for_the_organizations_that_it_is_given_to() {
    let t = Testkit::start().await;
    let (acme, other) = (create(&t, "acme").await, create(&t, "other").await);
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "require"})).await;
    let ask = async |organization: &str| t.ask(&machine, API, &[("organization", organization)]).await;
    add_grant(&t, &acme, &grant).await;
    assert_eq!(claims(&ask(&acme).await)["org_id"], acme.as_str());
    let refused = ask(&other).await;
    assert_eq!((refused.status, refused.text("error")), (403, "access_denied"));
    let unknown = ask("org_0000000000000000").await;
    assert_eq!((unknown.status, unknown.text("error")), (400, "invalid_request"));
    assert_eq!(ask("acme").await.status, 400, "names are not taken");

    let association = format!("{}/client-grants/{}", path(&acme), grant.rsplit('/').next().unwrap());
    assert_eq!(t.admin.delete(&association).await.status, 204);
    assert_eq!(ask(&acme).await.status, 403, "at once");
    let _ = t.admin.patch(&grant, &json!({"allow_any_organization": true})).await.expect(200);
    for organization in [&acme, &other] {
        assert_eq!(claims(&ask(organization).await)["org_id"], organization.as_str());
    }
    assert_eq!(t.admin.delete(&path(&other)).await.status, 204);
    assert_eq!(ask(&other).await.status, 400, "a deleted organization gets no tokens");
    let _ = t.admin.patch(&grant, &json!({"allow_any_organization": false})).await.expect(200);
    assert_eq!(ask(&acme).await.status, 403);
    add_grant(&t, &acme, &grant).await;
    assert_eq!(ask(&acme).await.status, 200, "what is given again holds again");
}

#[tokio::test]
async fn third_party_clients_need_an_association_with_each_organization() {
    let t = Testkit::start().await;
    let acme = create(&t, "acme").await;
    let (machine, grant) =
        machine_with_grant(&t, &json!({"organization_usage": "require", "allow_any_organization": true}))
            .await;
    let client = format!("/api/v2/clients/{}", machine.client_id);
    assert_eq!(t.ask(&machine, API, &[("organization", &acme)]).await.status, 200);
    let _ = t.admin.patch(&client, &json!({"is_first_party": false})).await.expect(200);
    assert_eq!(t.ask(&machine, API, &[("organization", &acme)]).await.status, 403);
    add_grant(&t, &acme, &grant).await;
    assert_eq!(t.ask(&machine, API, &[("organization", &acme)]).await.status, 200);

    // Nor can it be asked for.
    let any = json!({"allow_any_organization": true});
    assert_eq!(t.admin.patch(&grant, &any).await.text("errorCode"), "invalid_body");
    let _ = t.admin.patch(&grant, &json!({"allow_any_organization": false})).await.expect(200);
    for holder in [json!({"default_for": "third_party_clients"}), json!({"client_id": machine.client_id})] {
        let mut body =
            json!({"audience": API, "scope": [], "subject_type": "user", "allow_any_organization": true});
        for (name, value) in holder.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = t.admin.post(GRANTS, &body).await;
        assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"), "{holder}");
        body["allow_any_organization"] = false.into();
        let _ = t.admin.post(GRANTS, &body).await.expect(201);
    }
}

#[tokio::test]
async fn the_default_organization_fills_in_where_one_is_required() {
    let t = Testkit::start().await;
    let (acme, other) = (create(&t, "acme").await, create(&t, "other").await);
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "require"})).await;
    add_grant(&t, &acme, &grant).await;
    add_grant(&t, &other, &grant).await;
    let client = format!("/api/v2/clients/{}", machine.client_id);
    let default =
        |id: &str| json!({"default_organization": {"flows": ["client_credentials"], "organization_id": id}});
    assert_eq!(t.ask(&machine, API, &[]).await.status, 400);
    let missing = t.admin.patch(&client, &default("org_0000000000000000")).await;
    assert_eq!((missing.status, missing.text("errorCode")), (400, "invalid_body"));
    let patched = t.admin.patch(&client, &default(&acme)).await.expect(200);
    assert_eq!(patched["default_organization"]["organization_id"], acme.as_str());
    assert_eq!(claims(&t.ask(&machine, API, &[]).await)["org_id"], acme.as_str());
    let named = t.ask(&machine, API, &[("organization", &other)]).await;
    assert_eq!(claims(&named)["org_id"], other.as_str(), "what is asked for goes before");
    let _ = t.admin.patch(&grant, &json!({"organization_usage": "allow"})).await.expect(200);
    assert_eq!(claims(&t.ask(&machine, API, &[]).await).get("org_id"), None, "only where one is required");
    let _ = t.admin.patch(&grant, &json!({"organization_usage": "require"})).await.expect(200);

    let version = t.create_client(default(&acme)).await;
    assert_eq!(t.admin.delete(&path(&acme)).await.status, 204);
    for client in [client, client_path(&version)] {
        let read = t.admin.get(&client).await.expect(200);
        assert_eq!(read.get("default_organization"), None, "a deleted organization is nobody's default");
    }
    assert_eq!(t.ask(&machine, API, &[]).await.status, 400);
}

#[tokio::test]
async fn both_dialects_name_the_organization() {
    let t = Testkit::start().await;
    let acme = create(&t, "acme").await;
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "require"})).await;
    add_grant(&t, &acme, &grant).await;
    let api = t.admin.get("/api/v2/resource-servers/https:%2F%2Fapi").await.expect(200);
    let api = format!("/api/v2/resource-servers/{}", api["id"].as_str().unwrap());
    for dialect in ["access_token", "rfc9068_profile"] {
        let _ = t.admin.patch(&api, &json!({"token_dialect": dialect})).await.expect(200);
        let token = claims(&t.ask(&machine, API, &[("organization", &acme)]).await);
        assert_eq!(token["org_id"], acme.as_str(), "{dialect}");
        assert_eq!(token.get("org_name"), None, "{dialect}");
        assert_eq!(token.get("jti").is_some(), dialect == "rfc9068_profile");
    }
}

#[tokio::test]
async fn organizations_go_by_name_where_the_tenant_allows_it() {
    let t = Testkit::start().await;
    let acme = create(&t, "acme").await;
    let (machine, grant) = machine_with_grant(&t, &json!({"organization_usage": "require"})).await;
    add_grant(&t, &acme, &grant).await;
    let ask = async |organization: &str| t.ask(&machine, API, &[("organization", organization)]).await;
    let allow = async |flag: bool| {
        let body = json!({"allow_organization_name_in_authentication_api": flag});
        t.admin.patch("/api/v2/tenants/settings", &body).await.expect(200)
    };
    assert_eq!(ask("acme").await.status, 400);
    let _ = allow(true).await;
    for key in ["acme", &acme] {
        let token = claims(&ask(key).await);
        assert_eq!((&token["org_id"], &token["org_name"]), (&json!(acme), &json!("acme")), "by {key}");
    }
    let _ = t.admin.patch(&path(&acme), &json!({"name": "renamed"})).await.expect(200);
    assert_eq!(ask("acme").await.status, 400, "the old name names nobody");
    assert_eq!(claims(&ask("renamed").await)["org_name"], "renamed");
    assert_eq!(claims(&ask(&acme).await)["org_name"], "renamed");
    let other = create(&t, "acme").await;
    assert_eq!(ask("acme").await.status, 403, "the name is another's now");
    add_grant(&t, &other, &grant).await;
    assert_eq!(claims(&ask("acme").await)["org_id"], other.as_str());
    let _ = allow(false).await;
    assert_eq!(ask("renamed").await.status, 400);
    assert_eq!(claims(&ask(&acme).await).get("org_name"), None);
}

#[tokio::test]
async fn discovery_domains_of_an_organization() {
    let t = Testkit::start().await;
    let (acme, other) = (create(&t, "acme").await, create(&t, "other").await);
    let domains = format!("{}/discovery-domains", path(&acme));
    let made = t.admin.post(&domains, &json!({"domain": "Acme.example.com"})).await.expect(201);
    let id = made["id"].as_str().unwrap();
    let text = made["verification_txt"].as_str().unwrap();
    assert!(id.starts_with("ord_") && id.len() == 26 && text.len() == 32, "{made}");
    assert_eq!(
        made,
        json!({
            "id": id, "domain": "Acme.example.com", "status": "pending",
            "verification_host": format!("_ss-verification.{acme}.Acme.example.com"), "verification_txt": text,
            "use_for_organization_discovery": true,
        })
    );
    let twin = t.admin.post(&domains, &json!({"domain": "acme.example.com"})).await;
    assert_eq!((twin.status, twin.text("errorCode")), (409, "organization_conflict"));
    let elsewhere = format!("{}/discovery-domains", path(&other));
    let _ = t.admin.post(&elsewhere, &json!({"domain": "acme.example.com"})).await.expect(201);
    let second = json!({"domain": "second.example.com", "status": "verified", "use_for_organization_discovery": false});
    let second = t.admin.post(&domains, &second).await.expect(201);

    let one = format!("{domains}/{id}");
    assert_eq!(t.admin.get(&one).await.expect(200), made);
    assert_eq!(t.admin.get(&format!("{domains}/name/acme.example.com")).await.expect(200), made);
    assert_eq!(t.admin.get(&format!("{elsewhere}/{id}")).await.status, 404, "of another organization");
    let patched = t.admin.patch(&one, &json!({"status": "verified"})).await.expect(200);
    assert_eq!(
        (&patched["status"], &patched["verification_txt"]),
        (&json!("verified"), &made["verification_txt"])
    );
    assert_eq!(t.admin.get(&domains).await.expect(200), json!({"domains": [patched, second]}));
    let first = t.admin.get(&format!("{domains}?take=1")).await.expect(200);
    let rest =
        t.admin.get(&format!("{domains}?take=1&from={}", first["next"].as_str().unwrap())).await.expect(200);
    assert_eq!(rest, json!({"domains": [second]}));
    assert_eq!(t.admin.delete(&one).await.status, 204);
    assert_eq!(t.admin.delete(&one).await.status, 204, "deleting again is no error");
    assert_eq!(t.admin.get(&one).await.status, 404);
}
