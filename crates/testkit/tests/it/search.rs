use serde_json::{Value, json};
use tenantry_testkit::{Caller, Testkit, client_path};
use tenantry_types::clients::search::{Language, Search, Searched};

#[tokio::test]
async fn clients_are_found_by_the_organizations_of_their_grants() {
    let t = Testkit::start().await;
    let mut organizations = Vec::new();
    for name in ["acme", "other"] {
        let made = t.admin.post("/api/v2/organizations", &json!({"name": name})).await.expect(201);
        organizations.push(made["id"].as_str().unwrap().to_owned());
    }
    let mut made = Vec::new();
    for (i, given) in [vec![0], vec![0, 1], vec![]].into_iter().enumerate() {
        for name in ["a", "b"] {
            let api = json!({"identifier": format!("urn:{name}{i}"), "scopes": []});
            let _ = t.admin.post("/api/v2/resource-servers", &api).await.expect(201);
        }
        let client = t.create_client(json!({"name": format!("client {i}")})).await;
        // Two grants each: nobody is found twice.
        for name in ["a", "b"] {
            let body = json!({"client_id": client["client_id"], "audience": format!("urn:{name}{i}"),
                "scope": [], "organization_usage": "allow"});
            let grant = t.admin.post("/api/v2/client-grants", &body).await.expect(201);
            for organization in &given {
                let path = format!("/api/v2/organizations/{}/client-grants", organizations[*organization]);
                let _ = t.admin.post(&path, &json!({"grant_id": grant["id"]})).await.expect(201);
            }
        }
        made.push(client);
    }
    let (acme, other) = (&organizations[0], &organizations[1]);
    let field = "client_grant.organization_id";
    for (q, expected) in [
        (format!(r#"{field} eq "{acme}""#), vec!["client 0", "client 1"]),
        (format!(r#"{field} eq "{other}""#), vec!["client 1"]),
        (format!(r#"{field} eq "{acme}" and name co "ent 1""#), vec!["client 1"]),
        (format!(r#"{field} ne "{other}" and name sw "client""#), vec!["client 0", "client 2"]),
        (format!("{field} pr"), vec!["client 0", "client 1"]),
        (format!(r#"not ({field} pr) and name sw "client""#), vec!["client 2"]),
        (format!(r#"{field} eq "{other}" or name eq "client 2""#), vec!["client 1", "client 2"]),
        (format!(r#"{field} eq "org_0123456789abcdef""#), vec![]),
    ] {
        assert_eq!(scim(&t, &q).await, expected, "{q}");
    }
    let lucene = format!("{field}:{acme}");
    assert_eq!(names(&t.admin, &[("q", &lucene)]).await, ["client 0", "client 1"]);
    for sort in ["name", "updated_at"] {
        assert_eq!(names(&t.admin, &[("q", &lucene), ("sort", sort)]).await.len(), 2, "{sort}");
    }
    assert_eq!(t.admin.delete(&format!("/api/v2/organizations/{acme}")).await.status, 204);
    assert_eq!(scim(&t, &format!("{field} pr")).await, ["client 1"]);
    assert_eq!(t.admin.delete(&client_path(&made[1])).await.status, 204);
    assert_eq!(scim(&t, &format!("{field} pr")).await, Vec::<String>::new());
}

/// The names that a search finds, in its order.
async fn names(caller: &Caller, query: &[(&str, &str)]) -> Vec<String> {
    let reply =
        caller.send(caller.request(reqwest::Method::GET, "/api/v2/clients/search").query(query)).await;
    let found = reply.expect(200);
    found["clients"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

async fn scim(t: &Testkit, q: &str) -> Vec<String> {
    names(&t.admin, &[("q", q), ("parser", "scim")]).await
}

async fn some_clients(t: &Testkit) -> Vec<Value> {
    let mut made = Vec::new();
    for body in [
        json!({"name": "Payments-application", "app_type": "spa", "client_metadata": {"env": "prod-eu", "tier": "gold"}}),
        json!({"name": "Corp Payments Service", "app_type": "native", "client_metadata": {"env": "prod-us"},
               "callbacks": ["https://app.example.com/cb"]}),
        json!({"name": "billing", "is_first_party": false, "client_metadata": {"env": "dev"}}),
        json!({"name": "ab"}),
    ] {
        made.push(t.create_client(body).await);
        t.clock.advance(std::time::Duration::from_secs(60));
    }
    made
}

#[tokio::test]
async fn clients_are_found_by_what_is_known_about_them() {
    let t = Testkit::start().await;
    let made = some_clients(&t).await;
    let id = |i: usize| made[i]["client_id"].as_str().unwrap();
    let cases = [
        (r#"name eq "payments-APPLICATION""#.to_owned(), vec![0]),
        (r#"name co "pay""#.into(), vec![0, 1]),
        (r#"name co "yments s""#.into(), vec![1]),
        (r#"name sw "corp""#.into(), vec![1]),
        (r#"name ew "ing""#.into(), vec![2]),
        (r#"name sw "b""#.into(), vec![2]),
        (r#"name eq "ab""#.into(), vec![3]),
        (format!(r#"client_id eq "{}""#, id(2)), vec![2]),
        (r#"app_type eq "spa" or app_type eq "native""#.into(), vec![0, 1]),
        ("is_first_party eq false".into(), vec![2]),
        (r#"metadata.env sw "prod" and not (metadata.tier pr)"#.into(), vec![1]),
        (r#"metadata.env ne "dev""#.into(), vec![0, 1]),
        (r#"metadata.env eq "dev""#.into(), vec![2]),
        (r#"callback_host eq "app.example.com""#.into(), vec![1]),
        (r#"callback_host ew ".example.com" and name co "corp""#.into(), vec![1]),
        (r#"name co "zzz""#.into(), vec![]),
        ("client_grant.allow_any_organization eq true".into(), vec![]),
        (r#"client_grant.organization_id eq "org_0123456789abcdef""#.into(), vec![]),
    ];
    for (q, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|i: &usize| made[*i]["name"].as_str().unwrap()).collect();
        assert_eq!(scim(&t, &q).await, expected, "{q}");
    }
    assert_eq!(
        names(&t.admin, &[("q", "name:payments AND NOT app_type:spa")]).await,
        ["Corp Payments Service"]
    );
    // The administrator's client and the global one are clients too.
    assert_eq!(names(&t.admin, &[]).await.len(), made.len() + 2);
}

#[tokio::test]
async fn what_changes_is_found_at_once_and_what_is_deleted_never_again() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({"name": "before", "client_metadata": {"a": "1"}})).await;
    let _ = t
        .admin
        .patch(&client_path(&client), &json!({"name": "later", "client_metadata": {"a": "2"}}))
        .await
        .expect(200);
    for (q, count) in [
        (r#"name co "befo""#, 0),
        (r#"name co "late""#, 1),
        (r#"metadata.a eq "1""#, 0),
        (r#"metadata.a eq "2""#, 1),
    ] {
        assert_eq!(scim(&t, q).await.len(), count, "{q}");
    }
    let grant = json!({"client_id": client["client_id"], "audience": t.audience(), "scope": [], "allow_any_organization": true});
    let grant = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    let any = "client_grant.allow_any_organization eq true";
    assert_eq!(scim(&t, any).await, ["later"]);
    let path = format!("/api/v2/client-grants/{}", grant["id"].as_str().unwrap());
    let _ = t.admin.delete(&path).await.expect(204);
    assert!(scim(&t, any).await.is_empty());
    let _ = t.admin.delete(&client_path(&client)).await.expect(204);
    assert!(scim(&t, r#"name co "late""#).await.is_empty());
    let left = t.database().number(
        "SELECT COUNT(*) FROM client_term WHERE tenant = $1 \
         AND NOT EXISTS (SELECT 1 FROM client WHERE client.seq = client_term.seq)",
        "default",
    );
    assert_eq!(left, 0, "terms of a deleted client");
}

/// Waits until the terms of all clients are in their places.
async fn indexed(t: &Testkit) {
    while t.database().number("SELECT COUNT(*) FROM client_unindexed WHERE tenant = $1", "default") > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn clients_are_found_before_and_after_their_terms_are_in_their_places() {
    let t = Testkit::start().await;
    let make = async |name: &str| {
        t.create_client(json!({"name": name, "client_metadata": {"team": name},
            "callbacks": [format!("https://{name}.example.com/cb")]}))
            .await
    };
    let searches = [
        (r#"name co "fresh""#, vec!["fresh-a", "fresh-b", "fresh-c"]),
        (r#"name co "fresh" and not (name ew "-b")"#, vec!["fresh-a", "fresh-c"]),
        (r#"metadata.team sw "fresh-b""#, vec!["fresh-b"]),
        (r#"callback_host eq "fresh-a.example.com" or name eq "fresh-c""#, vec!["fresh-a", "fresh-c"]),
        (
            r#"callback_host ew ".example.com" and client_grant.allow_any_organization eq true"#,
            vec!["fresh-b"],
        ),
        (r#"name sw "resh""#, vec![]),
    ];
    let check = async |when: &str| {
        for (q, expected) in &searches {
            assert_eq!(scim(&t, q).await, *expected, "{q} {when}");
            for sort in ["name", "updated_at"] {
                let query = [("parser", "scim"), ("q", *q), ("sort", sort)];
                assert_eq!(names(&t.admin, &query).await, *expected, "{q} by {sort} {when}");
            }
        }
    };
    make("fresh-a").await;
    indexed(&t).await;
    let second = make("fresh-b").await;
    let grant = json!({"client_id": second["client_id"], "audience": t.audience(), "scope": [],
        "allow_any_organization": true});
    let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    make("fresh-c").await;
    check("with two that are new").await;
    indexed(&t).await;
    check("when all are indexed").await;

    // One that is changed and one that is deleted, each of them when it is new and again when it is not.
    for (i, name) in ["fresh-d", "fresh-e"].into_iter().enumerate() {
        let (changed, deleted) = (make(name).await, make("gone").await);
        if i == 1 {
            indexed(&t).await;
        }
        let _ = t.admin.patch(&client_path(&changed), &json!({"name": "later"})).await.expect(200);
        let _ = t.admin.delete(&client_path(&deleted)).await.expect(204);
        for when in ["at once", "when indexed"] {
            assert!(scim(&t, &format!(r#"name co "{name}""#)).await.is_empty(), "{when}");
            assert!(scim(&t, r#"name co "gone""#).await.is_empty(), "{when}");
            assert_eq!(scim(&t, r#"name co "later""#).await.len(), 1, "{when}");
            indexed(&t).await;
        }
        let _ = t.admin.delete(&client_path(&changed)).await.expect(204);
    }
    check("at the end").await;
    let left = t.database().number(
        "SELECT COUNT(*) FROM client_term WHERE tenant = $1 \
         AND NOT EXISTS (SELECT 1 FROM client WHERE client.seq = client_term.seq)",
        "default",
    );
    assert_eq!(left, 0, "terms of a deleted client");
}

/// As a server of an older version may have left it, which knows of no new clients.
#[tokio::test]
async fn a_term_that_is_in_its_place_already_keeps_no_other_from_getting_there() {
    let t = Testkit::start().await;
    t.create_client(json!({"name": "twice"})).await;
    t.create_client(json!({"name": "once"})).await;
    let term = if t.database().file().is_some() { "X'6e747769'" } else { r"'\x6e747769'::bytea" };
    // Of both of them: `ntwi` is a term of the first.
    t.database().execute(&format!(
        "INSERT INTO client_term (tenant, seq, term) SELECT tenant, seq, {term} FROM client_unindexed"
    ));
    indexed(&t).await;
    assert_eq!(scim(&t, r#"name co "twice""#).await, ["twice"]);
    assert_eq!(scim(&t, r#"name co "once""#).await, ["once"]);
}

/// More than are brought to their places in one transaction.
#[tokio::test]
async fn clients_with_thousands_of_terms_are_indexed_like_others() {
    let t = Testkit::start().await;
    let deep = "a.".repeat(100);
    for number in 0..4 {
        let callbacks: Vec<_> = (0..32).map(|i| format!("https://{deep}{number}-{i}.example/cb")).collect();
        t.create_client(json!({"name": format!("deep {number}"), "callbacks": callbacks})).await;
    }
    for _ in 0..2 {
        assert_eq!(scim(&t, r#"name co "deep""#).await.len(), 4);
        assert_eq!(scim(&t, r#"callback_host ew ".2-31.example""#).await, ["deep 2"]);
        indexed(&t).await;
    }
    assert_eq!(t.site().check().await.unwrap().problems.len(), 0);
}

#[tokio::test]
async fn pages_are_walked_in_each_order() {
    let t = Testkit::start().await;
    let names_in = ["delta", "Alpha", "charlie", "bravo", "alpha"];
    for name in names_in {
        t.create_client(json!({"name": format!("{name} walk")})).await;
        t.clock.advance(std::time::Duration::from_secs(1));
    }
    let mut by_name: Vec<_> = names_in.iter().map(|name| format!("{name} walk")).collect();
    let created = by_name.clone();
    by_name.sort_by_key(|name| name.to_lowercase());
    for (sort, expected) in [(None, &created), (Some("name"), &by_name), (Some("updated_at"), &created)] {
        for q in [r#"name co "walk""#, r#"name co "alpha" or name co "walk" or not (name co "walk")"#] {
            let (mut seen, mut from) = (Vec::new(), None::<String>);
            loop {
                let mut query = vec![("q", q), ("parser", "scim"), ("take", "2")];
                query.extend(sort.map(|sort| ("sort", sort)));
                query.extend(from.as_deref().map(|from| ("from", from)));
                let request = t.admin.request(reqwest::Method::GET, "/api/v2/clients/search").query(&query);
                let page = t.admin.send(request).await.expect(200);
                let clients = page["clients"].as_array().unwrap();
                assert!(clients.len() <= 2);
                seen.extend(clients.iter().map(|one| one["name"].as_str().unwrap().to_owned()));
                match page["next"].as_str() {
                    Some(next) => from = Some(next.to_owned()),
                    None => break,
                }
            }
            seen.retain(|name| name.ends_with("walk"));
            assert_eq!(&seen, expected, "{sort:?} {q}");
        }
    }
    let page = t.admin.get("/api/v2/clients/search?take=1").await.expect(200);
    let next = page["next"].as_str().unwrap();
    let other = t.admin.get(&format!("/api/v2/clients/search?take=1&sort=name&from={next}")).await;
    assert_eq!((other.status, other.text("errorCode")), (400, "invalid_paging"));
}

#[tokio::test]
async fn a_search_shows_settings_by_scope_and_keys_to_nobody() {
    let t = Testkit::start().await;
    t.create_client(
        json!({"name": "one", "addons": {"slack": {"team": "t"}}, "encryption_key": {"pub": "x"}}),
    )
    .await;
    let everything = t.with_scopes(&["read:clients", "read:client_keys", "read:client_credentials"]).await;
    let found = everything.get("/api/v2/clients/search?q=name:one").await.expect(200);
    let client = &found["clients"][0];
    for hidden in ["client_secret", "encryption_key", "signing_keys", "owners", "addons"] {
        assert!(client.get(hidden).is_none(), "{hidden}");
    }
    assert!(client["grant_types"].is_array() && client["created_at"].as_str().unwrap().ends_with('Z'));
    let summary = t.with_scopes(&["read:client_summary"]).await;
    let found = summary.get("/api/v2/clients/search?q=name:one").await.expect(200);
    let names: Vec<_> = found["clients"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["name", "client_id"]);
    // What somebody may not see is not found out by asking for it either.
    for query in [
        "q=metadata.pin:4*",
        "q=name:one AND NOT metadata.pin:4",
        "q=callback_host:a.example",
        "sort=updated_at",
    ] {
        let reply = summary.get(&format!("/api/v2/clients/search?{query}")).await;
        assert_eq!((reply.status, reply.text("errorCode")), (403, "insufficient_scope"), "{query}");
    }
    let _ = summary.get("/api/v2/clients/search?q=name:one AND app_type:spa&sort=name").await.expect(200);
    let only = t.admin.get("/api/v2/clients/search?q=name:one&fields=name,updated_at").await.expect(200);
    let names: Vec<_> = only["clients"][0].as_object().unwrap().keys().collect();
    assert_eq!(names, ["tenant", "name", "updated_at"]);
    let without = t
        .admin
        .get("/api/v2/clients/search?q=name:one&fields=created_at&include_fields=false")
        .await
        .expect(200);
    assert!(
        without["clients"][0].get("created_at").is_none()
            && without["clients"][0].get("updated_at").is_some()
    );
}

#[tokio::test]
async fn searches_that_make_no_sense_are_refused() {
    let t = Testkit::start().await;
    let long = "x".repeat(1_001);
    for (query, code) in [
        (vec![("q", "name:")], "invalid_query_string"),
        (vec![("q", "name eq"), ("parser", "scim")], "invalid_query_string"),
        (vec![("q", "callbacks:x")], "invalid_query_string"),
        (vec![("q", "a b c d e f")], "invalid_query_string"),
        (vec![("q", &*long)], "invalid_query_string"),
        (vec![("parser", "sql")], "invalid_query_string"),
        (vec![("sort", "client_id")], "invalid_query_string"),
        (vec![("take", "0")], "invalid_query_string"),
        (vec![("take", "101")], "invalid_query_string"),
        (vec![("from", "nonsense")], "invalid_paging"),
        (vec![("nothing", "x")], "invalid_query_string"),
    ] {
        let request = t.admin.request(reqwest::Method::GET, "/api/v2/clients/search").query(&query);
        let reply = t.admin.send(request).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, code), "{query:?}");
    }
}

#[tokio::test]
async fn clients_of_an_older_version_are_indexed_at_the_next_start() {
    let t = Testkit::start().await;
    t.create_client(json!({"name": "from before"})).await;
    let Some(database) = t.database().file() else { return };
    let t = t
        .restart(|_| {
            let database = rusqlite::Connection::open(&database).unwrap();
            database
                .execute_batch("DELETE FROM client_term; DELETE FROM client_unindexed; UPDATE client SET name_key = NULL;").unwrap();
        })
        .await;
    assert_eq!(scim(&t, r#"name co "rom bef""#).await, ["from before"]);
    assert_eq!(names(&t.admin, &[("sort", "name"), ("q", "from")]).await, ["from before"]);
}

/// Fills the database with `count` clients that look like `template`, as an older version would have left them. Texts
/// keep their length, so that the offsets into documents stay right.
fn fill(database: &std::path::Path, count: usize) {
    const FILL: &str = "
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1),
        word(k, w) AS (VALUES (0, 'payments '), (1, 'billing  '), (2, 'identity '), (3, 'shop     '), (4, 'partner  '),
            (5, 'mobile   '), (6, 'internal '), (7, 'analytics'), (8, 'support  '), (9, 'warehouse')),
        made AS (SELECT i, i % 10 = 0 AS is_third,
            (SELECT w FROM word WHERE k = i % 10) || ' ' || (SELECT w FROM word WHERE k = i / 10 % 10)
                || printf(' %07d', i) AS name,
            CASE i % 4 WHEN 0 THEN 'spa' WHEN 1 THEN 'native' WHEN 2 THEN 'regular_web' ELSE 'non_interactive' END AS app_type
            FROM n)
        INSERT INTO client (tenant, client_id, seq, version, document, signing_keys_at, client_secret_at, is_global,
            is_first_party, app_type, created_at, updated_at)
        SELECT 'default', printf('%032d', i), seq + i, 1,
            replace(replace(replace(replace(replace(replace(document, 'NAME-NAME-NAME-NAME-NAME-NA', name),
                'c0000000', printf('c%07d', i)), 'app0000000', printf('app%07d', i)), client_id, printf('%032d', i)),
                '\"is_first_party\":true', CASE WHEN is_third THEN '\"is_first_party\":false' ELSE '\"is_first_party\":true' END),
                '\"app_type\":\"spa\"', '\"app_type\":\"' || made.app_type || '\"'),
            signing_keys_at + is_third, client_secret_at + is_third, FALSE, NOT is_third, made.app_type,
            created_at + i * 1000, updated_at + i * 1000
        FROM made, client WHERE name_key = CAST('name-name-name-name-name-na' AS BLOB)";
    const COUNT: &str = "
        DELETE FROM client_count;
        INSERT INTO client_count SELECT tenant, 0, is_global, is_first_party, app_type, COUNT(*) FROM client GROUP BY 1, 3, 4, 5;";
    let database = rusqlite::Connection::open(database).unwrap();
    database.execute_batch("PRAGMA synchronous = OFF").unwrap();
    database.execute(FILL, [i64::try_from(count).unwrap()]).unwrap();
    database.execute_batch(COUNT).unwrap();
}

/// All that a search finds, page by page.
async fn all(t: &Testkit, q: &str, sort: &str) -> Vec<Value> {
    let (mut found, mut from) = (Vec::new(), String::new());
    loop {
        let mut query = vec![("q", q), ("parser", "scim"), ("take", "100")];
        query.extend(
            [("sort", sort), ("from", from.as_str())].into_iter().filter(|(_, value)| !value.is_empty()),
        );
        let request = t.admin.request(reqwest::Method::GET, "/api/v2/clients/search").query(&query);
        let page = t.admin.send(request).await.expect(200);
        found.extend(page["clients"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut from),
            None => return found,
        }
    }
}

/// Whichever way a search takes, it finds what looking at every client finds, in the order asked for, and nothing twice.
#[tokio::test]
async fn what_is_found_through_terms_is_what_a_look_at_everything_finds() {
    let t = Testkit::start().await;
    t.create_client(template()).await;
    let Some(database) = t.database().file() else { return };
    let t = t.restart(|_| fill(&database, 2_500)).await;
    let everything = all(&t, "name pr", "").await;
    assert_eq!(everything.len(), 2_503);
    for q in [
        r#"metadata.env eq "prod-eu""#,
        r#"metadata.env pr and name co "shop""#,
        r#"is_first_party eq false and name co "payments  ""#,
        r#"app_type ne "spa" and name co "12""#,
        r#"not (name sw "shop") and metadata.env sw "prod""#,
        r#"name co "0001" or name co "0002" or app_type eq "native""#,
        r#"callback_host ew ".example.com" and metadata.customer sw "c000""#,
        r#"client_id eq "00000000000000000000000000000007" or not (metadata.env pr)"#,
    ] {
        let search = Search::parse(Language::Scim, q).unwrap();
        let is_meant = |client: &&Value| {
            let document = client.as_object().unwrap();
            let searched = Searched::new(document, 0);
            search.0.iter().any(|all| all.iter().all(|condition| searched.matches(condition)))
        };
        let ids = |clients: &[&Value]| clients.iter().map(|one| one["client_id"].clone()).collect::<Vec<_>>();
        let mut expected: Vec<_> = everything.iter().filter(is_meant).collect();
        assert!(!expected.is_empty(), "{q}");
        for sort in ["", "updated_at", "name"] {
            if sort == "name" {
                expected.sort_by_key(|client| client["name"].as_str().unwrap().to_lowercase());
            }
            let found = all(&t, q, sort).await;
            assert_eq!(ids(&found.iter().collect::<Vec<_>>()), ids(&expected), "{q} by {sort}");
        }
    }
}

fn template() -> Value {
    json!({"name": "NAME-NAME-NAME-NAME-NAME-NA", "callbacks": ["https://app0000000.example.com/cb"],
        "client_metadata": {"env": "prod-eu", "customer": "c0000000"}, "app_type": "spa"})
}

/// Longer than a jump goes in one step.
#[tokio::test]
async fn pages_far_into_a_long_list_are_where_they_should_be() {
    let t = Testkit::start().await;
    t.create_client(template()).await;
    let Some(database) = t.database().file() else { return };
    let t = t.restart(|_| fill(&database, 24_000)).await;
    let numbers = async |page: usize| -> Vec<usize> {
        let path = format!("/api/v2/clients?per_page=100&fields=client_id&page={page}");
        let listed = t.admin.get(&path).await.expect(200);
        let ids =
            listed.as_array().unwrap().iter().map(|client| client["client_id"].as_str().unwrap().parse());
        ids.filter_map(Result::ok).collect()
    };
    // Clients that were there before those that are numbered.
    let before = 100 - numbers(0).await.len();
    let pages = [239, 238, 130, 101, 100, 99, 7, 200, 239, 240, 1_000];
    let found = futures_util::future::join_all(pages.map(numbers)).await;
    for (page, found) in pages.into_iter().zip(found) {
        let first = page * 100 + 1 - before;
        let expected: Vec<_> = (first..first + 100).filter(|number| *number <= 24_000).collect();
        assert_eq!(found, expected, "page {page}");
    }
}

/// Of a million clients, or as many as `TENANTRY_CLIENTS` says, the first that a search or list asks for come within
/// 20 ms. Run by hand, with optimization:
/// `cargo test --release -p tenantry-testkit --test it -- --ignored --nocapture a_million`.
#[tokio::test]
#[ignore = "fills a database of several gigabytes"]
async fn a_million_clients_are_searched_in_milliseconds() {
    let count =
        std::env::var("TENANTRY_CLIENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let t = Testkit::start().await;
    t.create_client(template()).await;
    let Some(database) = t.database().file() else { return };
    let start = std::time::Instant::now();
    let t = t.restart(|_| fill(&database, count)).await;
    println!(
        "filled and indexed in {:?}; the database has {} MB",
        start.elapsed(),
        std::fs::metadata(&database).unwrap().len() >> 20
    );
    let last = format!("{count:07}");
    let searches = [
        String::new(),
        format!("name co \"{}\"", &last[1..]),
        "name co \"ayment\"".into(),
        "name co \"payments  warehouse\"".into(),
        format!("name co \"payment\" and name co \"{}\"", &last[2..]),
        "name co \"nothing like it\"".into(),
        "name co \"entsshop\"".into(),
        "name sw \"analytics\"".into(),
        format!("name ew \"{}\"", &last[3..]),
        format!("client_id eq \"{count:032}\""),
        format!("metadata.customer eq \"c{last}\""),
        format!("metadata.customer sw \"c{}\"", &last[..4]),
        "metadata.env sw \"prod\"".into(),
        "metadata.env pr and is_first_party eq false".into(),
        "metadata.none pr".into(),
        format!("callback_host eq \"app{last}.example.com\""),
        "callback_host ew \".example.com\" and app_type eq \"native\"".into(),
        "app_type eq \"spa\" and is_first_party eq false".into(),
        "app_type ne \"spa\"".into(),
        "app_type eq \"box\"".into(),
        "not (name co \"payments\") and not (name co \"shop\")".into(),
        "updated_at ge \"2099-01-01\"".into(),
        "updated_at ge \"2000-01-01\" and name sw \"mobile\"".into(),
        "client_grant.allow_any_organization eq true".into(),
        format!("name co \"support\" or client_id eq \"{count:032}\" or metadata.customer eq \"c{last}\""),
    ];
    let settings = t.with_scopes(&["read:clients"]).await;
    let mut slow = Vec::new();
    let mut measure = async |what: String, request: reqwest::RequestBuilder| {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..5 {
            let start = std::time::Instant::now();
            let reply = settings.send(request.try_clone().unwrap()).await.expect(200);
            times.push(start.elapsed());
            found = reply.get("clients").unwrap_or(&reply).as_array().unwrap().len();
        }
        let first = times[0];
        times.sort();
        println!(
            "{:>6.1} ms  (first {:>6.1})  {found:>3}  {what}",
            times[2].as_secs_f64() * 1e3,
            first.as_secs_f64() * 1e3
        );
        // A jump is no first page: it skips over the index of numbers.
        if times[2] > std::time::Duration::from_millis(20) && !what.contains("&page=") {
            slow.push(what);
        }
    };
    for q in &searches {
        for sort in [None, Some("name"), Some("updated_at")] {
            let mut query = vec![("parser", "scim"), ("q", q.as_str())];
            query.extend(sort.map(|sort| ("sort", sort)));
            let request = settings.request(reqwest::Method::GET, "/api/v2/clients/search").query(&query);
            measure(format!("search {} {q}", sort.unwrap_or("created")), request).await;
        }
    }
    for query in [
        "per_page=50",
        "include_totals=true",
        "per_page=50&page=9999",
        "take=50",
        "app_type=spa",
        "app_type=spa,native,box",
        "is_first_party=false",
        "is_first_party=true",
        "is_first_party=false&app_type=spa&include_totals=true",
        "is_global=true",
        "is_global=false",
        "external_client_id=https://a.example/x",
        "q=client_grant.allow_any_organization:true&take=50",
        "fields=client_id&per_page=100",
    ] {
        let request = settings.request(reqwest::Method::GET, &format!("/api/v2/clients?{query}"));
        measure(format!("list {query}"), request).await;
    }
    assert!(slow.is_empty(), "beyond 20 ms: {slow:#?}");
}
