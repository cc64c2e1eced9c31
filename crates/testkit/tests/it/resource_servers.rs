use serde_json::json;
use tenantry_sdk::{ListResourceServers, NewResourceServer, Patch, ResourceServerPatch, SigningAlgorithm};
use tenantry_testkit::Testkit;

const APIS: &str = "/api/v2/resource-servers";

fn named(identifier: &str) -> NewResourceServer {
    NewResourceServer { identifier: identifier.into(), ..NewResourceServer::default() }
}

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
    let apis = t.sdk().await.resource_servers();
    let api = apis.create(&named("https://x")).await.unwrap();
    let patch = ResourceServerPatch { token_lifetime: Patch::Value(300), ..ResourceServerPatch::default() };
    let patched = apis.update(&api.id, &patch).await.unwrap();
    assert_eq!((patched.token_lifetime, patched.token_lifetime_for_web), (Some(300), Some(300)));
    let both = ResourceServerPatch { token_lifetime_for_web: Patch::Value(301), ..patch };
    assert!(apis.update(&api.id, &both).await.unwrap_err().is_bad_request());
}

#[tokio::test]
async fn identifiers_are_unique() {
    let t = Testkit::start().await;
    let apis = t.sdk().await.resource_servers();
    let _ = apis.create(&named("https://api")).await.unwrap();
    let clash = apis.create(&named("https://api")).await.unwrap_err();
    assert!(clash.is_conflict() && clash.code() == Some("resource_server_conflict"), "{clash}");
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
    let apis = t.sdk().await.resource_servers();
    let new = NewResourceServer { signing_alg: Some(SigningAlgorithm::Hs256), ..named("a") };
    let made = apis.create(&new).await.unwrap();
    assert!(made.signing_secret.as_ref().unwrap().reveal().len() >= 16);
    assert_eq!(apis.get(&made.id).await.unwrap(), made);
    let with = |secret: &str| ResourceServerPatch {
        signing_secret: Patch::Value(secret.into()),
        ..ResourceServerPatch::default()
    };
    let own = "sixteen characters at least";
    let patched = apis.update(&made.id, &with(own)).await.unwrap();
    assert_eq!(patched.signing_secret.unwrap().reveal(), own);
    assert!(apis.update(&made.id, &with("short")).await.unwrap_err().is_bad_request());
}

#[tokio::test]
async fn lists_are_paged_and_filtered_by_identifier() {
    let t = Testkit::start().await;
    let apis = t.sdk().await.resource_servers();
    for i in 0..5 {
        let _ = apis.create(&named(&format!("https://api{i}"))).await.unwrap();
    }
    let list = ListResourceServers {
        page: Some(1),
        per_page: Some(4),
        include_totals: true,
        ..ListResourceServers::default()
    };
    let page = apis.list(&list).await.unwrap();
    assert_eq!((page.total, page.start, page.limit), (Some(6), Some(4), Some(4)));
    assert_eq!(page.items[1].identifier, "https://api4");
    let identifiers = vec!["https://api1".into(), "https://api3".into()];
    let some =
        apis.list(&ListResourceServers { identifiers, ..ListResourceServers::default() }).await.unwrap();
    assert_eq!((some.items.len(), some.total), (2, None));
}
