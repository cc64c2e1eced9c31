use serde_json::{Value, json};
use tenantry_sdk::{
    ApiScope, ClientGrant, ClientGrantPatch, ListClientGrants, NewClientGrant, NewResourceServer, Patch,
    SubjectType,
};
use tenantry_testkit::{Credentials, Testkit};

const GRANTS: &str = "/api/v2/client-grants";

#[tokio::test]
async fn a_grant_is_unique_for_client_api_and_subject() {
    let t = Testkit::start().await;
    let grants = t.sdk().await.client_grants();
    let client = t.create_client(json!({})).await;
    let mut new = NewClientGrant {
        client_id: client["client_id"].as_str().map(Into::into),
        audience: t.audience(),
        scope: Some(vec!["read:clients".into()]),
        ..NewClientGrant::default()
    };
    let grant = grants.create(&new).await.unwrap();
    assert_eq!(grant.grant.subject_type, Some(SubjectType::Client));
    let twin = grants.create(&new).await.unwrap_err();
    assert!(twin.is_conflict() && twin.code() == Some("client_grant_conflict"), "{twin}");
    new.subject_type = Some(SubjectType::User);
    let _ = grants.create(&new).await.unwrap();
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
    let sdk = t.sdk().await;
    let scopes = ["a", "b"].map(|scope| ApiScope { value: scope.into(), ..ApiScope::default() });
    let api = NewResourceServer {
        identifier: "https://api".into(),
        scopes: Some(scopes.into()),
        ..NewResourceServer::default()
    };
    let _ = sdk.resource_servers().create(&api).await.unwrap();
    let machine = t.create_machine("https://api", &["a"]).await;
    let grants = sdk.client_grants();
    let of_api = ListClientGrants { audience: Some("https://api".into()), ..ListClientGrants::default() };
    let id = grants.list(&of_api).await.unwrap().items[0].id.clone();
    let scope = async || t.ask(&machine, "https://api", &[]).await.body["scope"].clone();
    assert_eq!(scope().await, "a");
    let all = ClientGrantPatch { allow_all_scopes: Patch::Value(true), ..ClientGrantPatch::default() };
    let all = grants.update(&id, &all).await.unwrap().grant;
    assert!(all.scope.is_none() && !all.other.contains_key("scope"));
    assert_eq!(scope().await, "a b");
    let none = ClientGrantPatch {
        allow_all_scopes: Patch::Value(false),
        scope: Patch::Value(vec![]),
        ..ClientGrantPatch::default()
    };
    let none = grants.update(&id, &none).await.unwrap().grant;
    assert_eq!((none.scope, none.allow_all_scopes), (Some(vec![]), Some(false)));
    assert_eq!(scope().await, Value::Null);
    grants.delete(&id).await.unwrap();
    grants.delete(&id).await.expect("deleting again is no error");
    assert_eq!(t.ask(&machine, "https://api", &[]).await.status, 403);
}

#[tokio::test]
async fn lists_are_in_the_order_of_ids_and_paged_both_ways() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    let client = t.create_client(json!({})).await;
    let client_id = client["client_id"].as_str().unwrap();
    let grants = sdk.client_grants();
    for i in 0..6 {
        let identifier = format!("https://api{i}");
        let api = NewResourceServer { identifier: identifier.clone(), ..NewResourceServer::default() };
        let _ = sdk.resource_servers().create(&api).await.unwrap();
        let grant = NewClientGrant {
            client_id: Some(client_id.into()),
            audience: identifier,
            scope: Some(vec![]),
            ..NewClientGrant::default()
        };
        let _ = grants.create(&grant).await.unwrap();
    }
    let ids = |grants: &[ClientGrant]| grants.iter().map(|grant| grant.id.clone()).collect::<Vec<_>>();
    let ours = ListClientGrants { client_id: Some(client_id.into()), ..ListClientGrants::default() };
    let all = ids(&grants.list(&ours).await.unwrap().items);
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!((all.len(), &all), (6, &sorted));
    let numbered =
        ListClientGrants { page: Some(1), per_page: Some(4), include_totals: true, ..ours.clone() };
    let page = grants.list(&numbered).await.unwrap();
    assert_eq!((page.total, page.start, ids(&page.items)), (Some(6), Some(4), all[4..].to_vec()));
    let by_checkpoint = ListClientGrants { take: Some(4), ..ours };
    let walked = grants.list(&by_checkpoint).stream().collect().await.unwrap();
    assert_eq!(ids(&walked), all);
    let beyond = ListClientGrants { page: Some(10), per_page: Some(100), ..ListClientGrants::default() };
    let beyond = grants.list(&beyond).await.unwrap_err();
    assert!(beyond.is_bad_request() && beyond.code() == Some("invalid_paging"), "{beyond}");
    let message = &beyond.api().unwrap().message;
    assert_eq!(message, "Requesting page exceeds the allowed maximum of 1000 records.");
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
