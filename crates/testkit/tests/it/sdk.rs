use futures_util::TryStreamExt as _;
use serde_json::json;
use tenantry_sdk::{
    ClientGrantPatch, ClientPatch, Error, ListClientGrants, ListClients, ListConnections,
    ListResourceServers, ManagementClient, NewAuthenticationMethods, NewClient, NewClientGrant,
    NewCredential, NewCredentials, NewResourceServer, Patch, ResourceServerPatch,
};
use tenantry_testkit::Testkit;

#[tokio::test]
async fn a_client_is_created_read_changed_rotated_and_deleted() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    let new =
        NewClient { name: "n".into(), callbacks: Some(vec!["https://a.b/c".into()]), ..NewClient::default() };
    let created = sdk.clients().create(&new).await.unwrap();
    let id = created.client_id.clone().unwrap();
    let answer = sdk.clients().get(&id).query("fields", "name").with_response().await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.value.name.as_deref()), (200, Some("n")));
    assert!(answer.value.callbacks.is_none() && answer.rate_limit().is_some() && !answer.raw.is_empty());
    let patch = ClientPatch {
        description: Patch::Value("d".into()),
        callbacks: Patch::Value(vec![]),
        ..ClientPatch::default()
    };
    let changed = sdk.clients().update(&id, &patch).await.unwrap();
    assert_eq!((changed.description.as_deref(), changed.callbacks), (Some("d"), Some(vec![])));
    let rotated = sdk.clients().rotate_secret(&id).await.unwrap();
    assert_ne!(rotated.client_secret, created.client_secret);
    let kept = sdk.clients().rotate_secret_with_grace(&id, 60).await.unwrap();
    assert_ne!(kept.client_secret, rotated.client_secret);
    sdk.clients().delete(&id).await.unwrap();
    let gone = sdk.clients().get(&id).await.unwrap_err();
    assert!(gone.is_not_found() && gone.code() == Some("inexistent_client"), "{gone}");
    let bad = sdk.clients().update(&id, &ClientPatch::default()).await.unwrap_err();
    assert!(bad.is_bad_request(), "{bad}");
}

#[tokio::test]
async fn lists_are_pages_or_streams() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    for i in 0..105 {
        let new = NewClient { name: format!("c{i}"), ..NewClient::default() };
        let _ = sdk.clients().create(&new).await.unwrap();
    }
    let list =
        ListClients { include_totals: true, per_page: Some(10), page: Some(1), ..ListClients::default() };
    let page = sdk.clients().list(&list).await.unwrap();
    assert_eq!((page.total, page.start, page.items.len()), (Some(107), Some(10), 10));
    let take = ListClients { take: Some(10), ..ListClients::default() };
    let first = sdk.clients().list(&take).await.unwrap();
    let second = sdk.clients().list(&ListClients { from: first.next.clone(), ..take }).await.unwrap();
    assert_ne!(first.items[0].client_id, second.items[0].client_id);
    let all: Vec<_> = sdk.clients().stream(&ListClients::default()).try_collect().await.unwrap();
    assert_eq!(all.len(), 107);
    let apis: Vec<_> =
        sdk.resource_servers().stream(&ListResourceServers::default()).try_collect().await.unwrap();
    assert_eq!(apis.len(), 1);
    let grants: Vec<_> =
        sdk.client_grants().stream(&ListClientGrants::default()).try_collect().await.unwrap();
    assert_eq!(grants.len(), 1);
}

#[tokio::test]
async fn grants_apis_and_credentials_have_types() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    let api = NewResourceServer { identifier: "https://a/b".into(), ..NewResourceServer::default() };
    let api = sdk.resource_servers().create(&api).await.unwrap();
    assert_eq!(sdk.resource_servers().get("https://a/b").await.unwrap(), api);
    let patch = ResourceServerPatch { token_lifetime: Patch::Value(60), ..ResourceServerPatch::default() };
    assert_eq!(sdk.resource_servers().update(&api.id, &patch).await.unwrap().token_lifetime, Some(60));

    let signer = crate::client_authentication::Signer::new();
    let credential = NewCredential::PublicKey {
        pem: signer.pem.clone(),
        name: None,
        alg: None,
        kid: None,
        expires_at: None,
        parse_expiry_from_cert: None,
    };
    let methods = NewAuthenticationMethods {
        private_key_jwt: Some(NewCredentials { credentials: vec![credential] }),
        ..NewAuthenticationMethods::default()
    };
    let new = NewClient {
        name: "n".into(),
        jwt_configuration: Some(serde_json::from_value(json!({"alg": "RS256"})).unwrap()),
        client_authentication_methods: Some(methods),
        ..NewClient::default()
    };
    let client = sdk.clients().create(&new).await.unwrap();
    let id = client.client_id.unwrap();
    let listed = sdk.credentials(&id).list().await.unwrap();
    assert_eq!(listed[0].kid.as_deref(), Some(signer.key.kid()));
    assert_eq!(sdk.credentials(&id).get(&listed[0].id).await.unwrap(), listed[0]);

    let grant = NewClientGrant {
        client_id: Some(id.clone()),
        audience: t.audience(),
        scope: Some(vec!["read:clients".into()]),
        ..NewClientGrant::default()
    };
    let grant = sdk.client_grants().create(&grant).await.unwrap();
    let pem = pem_of(&signer);
    let by_key = ManagementClient::builder(&t.base)
        .private_key_jwt(id.as_str(), &pem, Some(signer.key.kid()))
        .ca_certificate(std::fs::read(&t.running().ca).unwrap())
        .build()
        .unwrap();
    assert_eq!(by_key.clients().list(&ListClients::default()).await.unwrap().items.len(), 3);
    let denied = by_key.clients().delete(&id).await.unwrap_err();
    assert!(denied.is_forbidden() && denied.code() == Some("insufficient_scope"), "{denied}");
    let none = ClientGrantPatch { scope: Patch::Value(vec![]), ..ClientGrantPatch::default() };
    let _ = sdk.client_grants().update(&grant.id, &none).await.unwrap();
    sdk.client_grants().delete(&grant.id).await.unwrap();
    sdk.resource_servers().delete(&api.id).await.unwrap();
}

fn pem_of(signer: &crate::client_authentication::Signer) -> String {
    pem::encode(&pem::Pem::new("PRIVATE KEY", signer.key.to_pkcs8().unwrap().to_vec()))
}

#[tokio::test]
async fn an_id_cannot_lead_to_another_operation() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    for id in ["", ".", ".."] {
        let got = sdk.clients().get(id).await;
        assert!(matches!(got, Err(Error::Build(_))), "{id:?}: {got:?}");
        let deleted = sdk.credentials(id).delete("cred_1").await;
        assert!(matches!(deleted, Err(Error::Build(_))), "{id:?}: {deleted:?}");
    }
    let odd = sdk.clients().get("../clients?x=#").await.unwrap_err();
    assert!(odd.is_not_found(), "{odd}");
}

#[tokio::test]
async fn the_connections_of_a_client_are_listed() {
    let t = Testkit::start().await;
    let sdk = t.sdk().await;
    let id = t.create_client(json!({})).await["client_id"].as_str().unwrap().to_owned();
    for n in 0..3 {
        let strategy = if n == 2 { "google-oauth2" } else { "auth0" };
        let new = json!({"name": format!("c{n}"), "strategy": strategy, "enabled_clients": [id]});
        let _ = t.admin.post("/api/v2/connections", &new).await.expect(201);
    }
    let connections = sdk.clients().connections(&id);
    let all = connections.stream(&ListConnections::default()).collect().await.unwrap();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|connection| connection.id.is_some() && connection.options.is_some()));
    let list = ListConnections {
        strategy: vec!["auth0".into()],
        take: Some(1),
        fields: Some("name".into()),
        ..ListConnections::default()
    };
    let first = connections.list(&list).await.unwrap();
    let second = first.next_page().unwrap().await.unwrap();
    assert!(second.next_page().is_none());
    for page in [&first, &second] {
        assert!(page.items[0].name.is_some() && page.items[0].options.is_none(), "{page:?}");
    }
    assert!(sdk.clients().connections("nobody").list(&list).await.unwrap_err().is_not_found());
}
