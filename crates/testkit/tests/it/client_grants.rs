use serde_json::{Value, json};
use tenantry_testkit::{Credentials, Testkit};

const GRANTS: &str = "/api/v2/client-grants";

#[tokio::test]
async fn a_grant_is_unique_for_client_api_and_subject() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let mut body =
        json!({"client_id": client["client_id"], "audience": t.audience(), "scope": ["read:clients"]});
    let grant = t.admin.post(GRANTS, &body).await.expect(201);
    assert_eq!(grant["subject_type"], "client");
    let twin = t.admin.post(GRANTS, &body).await;
    assert_eq!((twin.status, twin.text("errorCode")), (409, "client_grant_conflict"));
    body["subject_type"] = "user".into();
    let _ = t.admin.post(GRANTS, &body).await.expect(201);
}

#[tokio::test]
async fn what_a_grant_refers_to_must_exist() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let id = &client["client_id"];
    for (body, status, code) in [
        (json!({"client_id": "nobody", "audience": t.audience()}), 404, "inexistent_client"),
        (json!({"client_id": id, "audience": "https://nowhere"}), 404, "inexistent_resource_server"),
        (json!({"client_id": id, "audience": t.audience(), "scope": ["fly:kites"]}), 400, "invalid_body"),
        (json!({"audience": t.audience()}), 400, "invalid_body"),
        (json!({"audience": t.audience(), "default_for": "third_party_clients"}), 400, "invalid_body"),
    ] {
        let reply = t.admin.post(GRANTS, &body).await;
        assert_eq!((reply.status, reply.text("errorCode")), (status, code), "{body}: {}", reply.body);
    }
    assert_eq!(
        t.admin.get(&format!("{GRANTS}/cgr_0000000000000000")).await.text("message"),
        "The grant does not exist."
    );
    let express = t.create_client(json!({"app_type": "express_configuration"})).await;
    let reply =
        t.admin.post(GRANTS, &json!({"client_id": express["client_id"], "audience": t.audience()})).await;
    assert_eq!((reply.status, reply.text("errorCode")), (400, "validation_error"));
    assert_eq!(reply.text("message"), "Client of type express_configuration cannot be used");
}

#[tokio::test]
async fn a_patched_grant_changes_the_next_token() {
    let t = Testkit::start().await;
    let api = json!({"identifier": "https://api", "scopes": [{"value": "a"}, {"value": "b"}]});
    let _ = t.admin.post("/api/v2/resource-servers", &api).await.expect(201);
    let machine = t.create_machine("https://api", &["a"]).await;
    let grants = t.admin.get(&format!("{GRANTS}?audience=https%3A%2F%2Fapi")).await.expect(200);
    let path = format!("{GRANTS}/{}", grants[0]["id"].as_str().unwrap());
    let scope = async || t.ask(&machine, "https://api", &[]).await.body["scope"].clone();
    assert_eq!(scope().await, "a");
    let all = t.admin.patch(&path, &json!({"allow_all_scopes": true})).await.expect(200);
    assert!(all.get("scope").is_none());
    assert_eq!(scope().await, "a b");
    let none = t.admin.patch(&path, &json!({"allow_all_scopes": false, "scope": []})).await.expect(200);
    assert_eq!((&none["scope"], &none["allow_all_scopes"]), (&json!([]), &json!(false)));
    assert_eq!(scope().await, Value::Null);
    assert_eq!(t.admin.delete(&path).await.status, 204);
    assert_eq!(t.admin.delete(&path).await.status, 204, "deleting again is no error");
    assert_eq!(t.ask(&machine, "https://api", &[]).await.status, 403);
}

#[tokio::test]
async fn lists_are_in_the_order_of_ids_and_paged_both_ways() {
    let t = Testkit::start().await;
    for i in 0..6 {
        let _ = t
            .admin
            .post("/api/v2/resource-servers", &json!({"identifier": format!("https://api{i}")}))
            .await
            .expect(201);
    }
    let client = t.create_client(json!({})).await;
    for i in 0..6 {
        let body =
            json!({"client_id": client["client_id"], "audience": format!("https://api{i}"), "scope": []});
        let _ = t.admin.post(GRANTS, &body).await.expect(201);
    }
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap().to_owned()).collect()
    };
    let filter = format!("client_id={}", client["client_id"].as_str().unwrap());
    let all = ids(&t.admin.get(&format!("{GRANTS}?{filter}")).await.expect(200));
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!((all.len(), &all), (6, &sorted));
    let page =
        t.admin.get(&format!("{GRANTS}?{filter}&page=1&per_page=4&include_totals=true")).await.expect(200);
    assert_eq!(
        (&page["total"], &page["start"], ids(&page["client_grants"])),
        (&json!(6), &json!(4), all[4..].to_vec())
    );
    let mut walked = Vec::new();
    let mut from = String::new();
    loop {
        let list = t.admin.get(&format!("{GRANTS}?{filter}&take=4{from}")).await.expect(200);
        walked.extend(ids(&list["client_grants"]));
        match list["next"].as_str() {
            Some(next) => from = format!("&from={next}"),
            None => break,
        }
    }
    assert_eq!(walked, all);
    let beyond = t.admin.get(&format!("{GRANTS}?page=10&per_page=100")).await;
    assert_eq!((beyond.status, beyond.text("errorCode")), (400, "invalid_paging"));
    assert_eq!(beyond.text("message"), "Requesting page exceeds the allowed maximum of 1000 records.");
}

#[tokio::test]
async fn a_grant_for_users_gives_a_client_nothing_for_itself() {
    let t = Testkit::start().await;
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    let client = t.create_client(json!({"token_endpoint_auth_method": "client_secret_post"})).await;
    let mut body = json!({"client_id": client["client_id"], "audience": "https://api", "scope": [], "subject_type": "user"});
    let _ = t.admin.post(GRANTS, &body).await.expect(201);
    let credentials = Credentials::of(&client);
    assert_eq!(t.ask(&credentials, "https://api", &[]).await.status, 403);
    body["subject_type"] = "client".into();
    let _ = t.admin.post(GRANTS, &body).await.expect(201);
    assert_eq!(t.ask(&credentials, "https://api", &[]).await.status, 200);
}
