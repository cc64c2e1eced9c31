use serde_json::json;
use tenantry_testkit::Testkit;

const APIS: &str = "/api/v2/resource-servers";

#[tokio::test]
async fn an_api_is_found_by_id_and_by_identifier_encoded_once_or_twice() {
    let t = Testkit::start().await;
    let api = t.admin.post(APIS, &json!({"identifier": "https://plain/x"})).await.expect(201);
    let encoded = [
        "https:%2F%2Fplain%2Fx",
        "https%3A%2F%2Fplain%2Fx",
        "https:%252F%252Fplain%252Fx",
        "https%253A%252F%252Fplain%252Fx",
    ];
    for id in encoded.into_iter().chain(api["id"].as_str()) {
        assert_eq!(t.admin.get(&format!("{APIS}/{id}")).await.expect(200)["id"], api["id"], "{id}");
    }
    let reply = t.admin.get(&format!("{APIS}/nothing")).await;
    assert_eq!((reply.status, reply.text("errorCode")), (404, "inexistent_resource_server"));
    assert_eq!(reply.text("message"), "The resource server does not exist");
}

#[tokio::test]
async fn an_identifier_with_an_escape_in_it_is_not_taken_for_another() {
    let t = Testkit::start().await;
    let plain = t.admin.post(APIS, &json!({"identifier": "https://x/a/b"})).await.expect(201);
    let escaped = t.admin.post(APIS, &json!({"identifier": "https://x/a%2Fb"})).await.expect(201);
    let path = format!("{APIS}/https%3A%2F%2Fx%2Fa%252Fb");
    assert_eq!(t.admin.get(&path).await.expect(200)["id"], escaped["id"]);
    for _ in 0..2 {
        assert_eq!(t.admin.delete(&path).await.status, 204);
    }
    let _ = t.admin.get(&format!("{APIS}/{}", plain["id"].as_str().unwrap())).await.expect(200);
}

#[tokio::test]
async fn a_lower_lifetime_takes_the_one_for_browsers_along() {
    let t = Testkit::start().await;
    let api = t.admin.post(APIS, &json!({"identifier": "https://x"})).await.expect(201);
    let path = format!("{APIS}/{}", api["id"].as_str().unwrap());
    let patched = t.admin.patch(&path, &json!({"token_lifetime": 300})).await.expect(200);
    assert_eq!((&patched["token_lifetime"], &patched["token_lifetime_for_web"]), (&json!(300), &json!(300)));
    let both = json!({"token_lifetime": 300, "token_lifetime_for_web": 301});
    assert_eq!(t.admin.patch(&path, &both).await.status, 400);
}

#[tokio::test]
async fn identifiers_are_unique() {
    let t = Testkit::start().await;
    let body = json!({"identifier": "https://api"});
    let _ = t.admin.post(APIS, &body).await.expect(201);
    let reply = t.admin.post(APIS, &body).await;
    assert_eq!((reply.status, reply.text("errorCode")), (409, "resource_server_conflict"));
}

#[tokio::test]
async fn the_system_api_has_every_scope_and_stays() {
    let t = Testkit::start().await;
    let list = t.admin.get(&format!("{APIS}?include_totals=true")).await.expect(200);
    let system = &list["resource_servers"][0];
    assert_eq!((&system["is_system"], &system["name"]), (&json!(true), &json!("Auth0 Management API")));
    assert_eq!(system["identifier"], t.audience());
    let scopes = system["scopes"].as_array().unwrap();
    assert!(scopes.len() > 250);
    assert_eq!(scopes[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["description", "value"]);
    let path = format!("{APIS}/{}", system["id"].as_str().unwrap());
    assert_eq!(t.admin.delete(&path).await.status, 400);
    assert_eq!(t.admin.patch(&path, &json!({"scopes": []})).await.status, 400);
    assert_eq!(
        t.admin.patch(&path, &json!({"token_lifetime": 7200})).await.expect(200)["token_lifetime"],
        7200
    );
    let admin = t.admin_credentials().await;
    assert_eq!(t.ask(&admin, &t.audience(), &[]).await.expect(200)["expires_in"], 7200);
}

#[tokio::test]
async fn an_hs256_secret_is_made_when_none_is_sent_and_shown_again() {
    let t = Testkit::start().await;
    let made = t.admin.post(APIS, &json!({"identifier": "a", "signing_alg": "HS256"})).await.expect(201);
    let secret = made["signing_secret"].as_str().unwrap();
    assert!(secret.len() >= 16);
    let path = format!("{APIS}/{}", made["id"].as_str().unwrap());
    assert_eq!(t.admin.get(&path).await.expect(200), made);
    let own = json!({"signing_secret": "sixteen characters at least"});
    assert_eq!(t.admin.patch(&path, &own).await.expect(200)["signing_secret"], own["signing_secret"]);
    assert_eq!(t.admin.patch(&path, &json!({"signing_secret": "short"})).await.status, 400);
}

#[tokio::test]
async fn lists_are_paged_and_filtered_by_identifier() {
    let t = Testkit::start().await;
    for i in 0..5 {
        let _ = t.admin.post(APIS, &json!({"identifier": format!("https://api{i}")})).await.expect(201);
    }
    let page = t.admin.get(&format!("{APIS}?page=1&per_page=4&include_totals=true")).await.expect(200);
    assert_eq!((&page["total"], &page["start"], &page["limit"]), (&json!(6), &json!(4), &json!(4)));
    assert_eq!(page["resource_servers"][1]["identifier"], "https://api4");
    let some = t
        .admin
        .get(&format!("{APIS}?identifiers=https%3A%2F%2Fapi1&identifiers=https%3A%2F%2Fapi3"))
        .await
        .expect(200);
    assert_eq!(some.as_array().unwrap().len(), 2);
}
