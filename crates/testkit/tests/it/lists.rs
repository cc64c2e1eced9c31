use serde_json::{Value, json};
use std::collections::BTreeSet;
use tenantry_testkit::{Testkit, client_path};

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

async fn some_clients(t: &Testkit, count: usize) {
    for i in 0..count {
        let app_type = ["spa", "native", "regular_web"][i % 3];
        let _ = t.create_client(json!({"name": format!("c{i}"), "app_type": app_type})).await;
    }
}

#[tokio::test]
async fn pages_by_number_hold_everything_once_and_in_order() {
    let t = Testkit::start().await;
    some_clients(&t, 23).await;
    let expected: Vec<_> = (0..23).map(|i| format!("c{i}")).collect();
    for per_page in [1, 4, 23, 24, 100] {
        for direction in [false, true] {
            let mut pages: Vec<_> = (0..25).collect();
            if direction {
                pages.reverse();
            }
            let mut found = vec![Vec::new(); 25];
            for page in pages {
                let path = format!(
                    "/api/v2/clients?is_global=false&page={page}&per_page={per_page}&include_totals=true"
                );
                let list = t.admin.get(&path).await.expect(200);
                assert_eq!(
                    (&list["total"], &list["start"], &list["limit"]),
                    (&json!(24), &json!(page * per_page), &json!(per_page))
                );
                let order: Vec<_> = list.as_object().unwrap().keys().cloned().collect();
                assert_eq!(order, ["total", "start", "limit", "clients"]);
                found[page] = names(&list["clients"]);
            }
            let found: Vec<_> = found.concat().into_iter().filter(|name| name != "Tenantry Admin").collect();
            assert_eq!(found, expected, "{per_page} a page, backwards: {direction}");
        }
    }
}

#[tokio::test]
async fn a_page_is_right_again_after_a_deletion_before_it() {
    let t = Testkit::start().await;
    some_clients(&t, 6).await;
    let page = async |n: usize| {
        names(
            &t.admin
                .get(&format!("/api/v2/clients?app_type=spa,native,regular_web&page={n}&per_page=2"))
                .await
                .expect(200),
        )
    };
    assert_eq!(
        (page(0).await, page(1).await),
        (vec!["c0".into(), "c1".into()], vec!["c2".into(), "c3".into()])
    );
    let first = t.admin.get("/api/v2/clients?app_type=spa&per_page=1").await.expect(200);
    let _ = t.admin.delete(&client_path(&first[0])).await;
    assert_eq!(page(1).await, ["c3", "c4"]);
    let second = t.admin.get("/api/v2/clients?app_type=native&per_page=1").await.expect(200);
    let _ =
        t.admin.patch(&client_path(&second[0]), &json!({"app_type": "non_interactive"})).await.expect(200);
    assert_eq!(page(0).await, ["c2", "c3"]);
}

#[tokio::test]
async fn checkpoints_walk_through_everything() {
    let t = Testkit::start().await;
    some_clients(&t, 7).await;
    let mut found = BTreeSet::new();
    let mut from = String::new();
    let mut requests = 0;
    loop {
        let list =
            t.admin.get(&format!("/api/v2/clients?take=2&include_totals=true{from}")).await.expect(200);
        requests += 1;
        assert!(list.get("total").is_none());
        found.extend(names(&list["clients"]));
        match list["next"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    assert_eq!((found.len(), requests), (9, 5));
    assert_eq!(t.admin.get("/api/v2/clients?from=nonsense").await.text("errorCode"), "invalid_paging");
    t.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(t.admin.get(&format!("/api/v2/clients?take=2{from}")).await.status, 200);
}

#[tokio::test]
async fn a_bare_list_links_to_its_neighbours() {
    let t = Testkit::start().await;
    some_clients(&t, 5).await;
    let reply = t.admin.get("/api/v2/clients?fields=name%2Cclient_id&page=1&per_page=3").await;
    let base = format!("{}/api/v2/clients?fields=name%2Cclient_id", t.base);
    assert_eq!(
        reply.headers["link"],
        format!(
            "<{base}&page=0&per_page=3>; rel=\"first\", <{base}&page=2&per_page=3>; rel=\"next\", <{base}&page=2&per_page=3>; rel=\"last\""
        )
    );
    let first = reply.body[0].as_object().unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["tenant", "name", "client_id"]);
    let without = t.admin.get("/api/v2/clients?fields=name&include_fields=false").await.expect(200);
    assert!(without[0].get("name").is_none() && without[0].get("client_id").is_some());
    assert!(t.admin.get("/api/v2/clients?include_totals=true").await.headers.get("link").is_none());
}

#[tokio::test]
async fn filters_narrow_lists_and_totals_alike() {
    let t = Testkit::start().await;
    some_clients(&t, 9).await;
    let third = t.create_client(json!({"name": "third", "is_first_party": false, "app_type": "spa"})).await;
    for (filter, expected) in [
        ("is_global=true", 1),
        ("is_global=false", 11),
        ("is_first_party=false", 1),
        ("is_first_party=true&is_global=false", 10),
        ("app_type=spa", 4),
        ("app_type=spa,native", 7),
        ("app_type=spa&is_first_party=true", 3),
        ("app_type=nothing", 0),
        ("external_client_id=https%3A%2F%2Fx", 0),
        ("page=7", 12),
    ] {
        let list = t.admin.get(&format!("/api/v2/clients?include_totals=true&{filter}")).await.expect(200);
        assert_eq!(list["total"], expected, "{filter}");
        if !filter.starts_with("page") {
            assert_eq!(list["clients"].as_array().unwrap().len(), expected, "{filter}");
        }
    }
    let _ = t
        .admin
        .patch(&client_path(&third), &json!({"app_type": "native", "is_first_party": true}))
        .await
        .expect(200);
    assert_eq!(
        t.admin.get("/api/v2/clients?app_type=native&include_totals=true").await.expect(200)["total"],
        4
    );
    assert_eq!(
        t.admin.get("/api/v2/clients?is_first_party=false&include_totals=true").await.expect(200)["total"],
        0
    );
}

#[tokio::test]
async fn q_finds_clients_by_their_grants() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let grant = json!({"client_id": client["client_id"], "audience": t.audience(), "scope": [], "allow_any_organization": true});
    let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    let found =
        t.admin.get("/api/v2/clients?take=10&q=client_grant.allow_any_organization:true").await.expect(200);
    assert_eq!(found["clients"].as_array().unwrap().len(), 1);
    assert_eq!(found["clients"][0]["client_id"], client["client_id"]);
    for bad in [
        "q=name:x&take=1",
        "q=client_grant.allow_any_organization:true",
        "q=client_grant.allow_any_organization:true&take=1&app_type=spa",
    ] {
        assert_eq!(t.admin.get(&format!("/api/v2/clients?{bad}")).await.status, 400, "{bad}");
    }
}
