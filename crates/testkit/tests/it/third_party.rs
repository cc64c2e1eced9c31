use serde_json::json;
use tenantry_server::Config;
use tenantry_server::config::Mode;
use tenantry_testkit::{Testkit, client_path};

#[tokio::test]
async fn ownership_of_strict_clients_never_changes() {
    let t = Testkit::start().await;
    let permissive = t.create_client(json!({"is_first_party": false})).await;
    assert_eq!(permissive["third_party_security_mode"], "permissive");
    assert_eq!(t.admin.patch(&client_path(&permissive), &json!({"is_first_party": true})).await.status, 200);
    let strict = t.create_client(json!({"is_first_party": false, "third_party_security_mode": "strict", "app_type": "regular_web"})).await;
    assert_eq!(t.admin.patch(&client_path(&strict), &json!({"is_first_party": true})).await.status, 400);
    let own = t.create_client(json!({"organization_usage": "allow"})).await;
    assert_eq!(t.admin.patch(&client_path(&own), &json!({"is_first_party": false})).await.status, 400);
}

#[tokio::test]
async fn strict_third_party_clients_keep_to_the_curated_set() {
    let t = Testkit::start().await;
    let strict = t
        .create_client(json!({
            "is_first_party": false, "third_party_security_mode": "strict", "app_type": "regular_web",
            "token_endpoint_auth_method": "client_secret_post",
        }))
        .await;
    let id = strict["client_id"].as_str().unwrap();
    assert!(id.starts_with("tpc_") && id.len() == 26, "{id}");
    for body in [
        json!({"grant_types": ["implicit"]}),
        json!({"callbacks": ["https://*.example.com/cb"]}),
        json!({"jwt_configuration": {"alg": "HS256"}}),
        json!({"custom_login_page": "<html>"}),
        json!({"third_party_security_mode": "permissive"}),
    ] {
        let reply = t.admin.patch(&client_path(&strict), &body).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_body"), "{body}");
        let permissive = t.create_client(json!({"is_first_party": false})).await;
        if body.get("third_party_security_mode").is_none() {
            assert_eq!(t.admin.patch(&client_path(&permissive), &body).await.status, 200, "{body}");
        }
    }
}

#[tokio::test]
async fn the_mode_of_a_client_that_names_none_is_a_setting_of_the_server() {
    let t =
        Testkit::with(Config { third_party_security_mode: Some(Mode::Strict), ..Config::default() }).await;
    let client = t
        .create_client(
            json!({"is_first_party": false, "app_type": "spa", "token_endpoint_auth_method": "none"}),
        )
        .await;
    assert_eq!(client["third_party_security_mode"], "strict");
    assert_eq!(
        client["jwt_configuration"],
        json!({"alg": "RS256", "lifetime_in_seconds": 3600, "secret_encoded": false})
    );
    assert_eq!(
        (&client["refresh_token"]["rotation_type"], &client["refresh_token"]["expiration_type"]),
        (&json!("rotating"), &json!("expiring"))
    );
    let first = t.create_client(json!({})).await;
    assert!(first.get("third_party_security_mode").is_none());
}
