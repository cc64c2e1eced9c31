//! The API describes itself.

use http::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use tenantry_testkit::Testkit;

/// Writes that take no body.
const BODYLESS: [&str; 2] = ["post_keys_signing_rotate", "put_keys_signing_kid_revoke"];

async fn description(t: &Testkit) -> Value {
    t.nobody().get("/openapi.json").await.expect(200)
}

#[tokio::test]
async fn every_operation_that_is_described_is_there_and_asks_for_a_token() {
    let t = Testkit::start().await;
    let described = description(&t).await;
    assert_eq!(described["openapi"], "3.1.0");
    let mut ids = HashSet::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let takes_body = operation.get("requestBody").is_some();
            match method.as_str() {
                "get" => assert!(!takes_body, "{id}"),
                // What is removed is named in the body here, and in the path elsewhere.
                "delete" => assert_eq!(takes_body, id == "delete_organizations_id_clients", "{id}"),
                _ => assert_eq!(takes_body, !BODYLESS.contains(&id), "{id}"),
            }
            let method: Method = method.to_ascii_uppercase().parse().unwrap();
            let request = t.nobody().request(method, &path.replace(['{', '}'], ""));
            assert_eq!(t.nobody().send(request).await.status, 401, "{id}");
        }
    }
    for id in ["get_clients", "patch_clients_id", "post_clients_client_id_credentials", "get_client_grants"] {
        assert!(ids.contains(id), "{id}");
    }
}

#[tokio::test]
async fn bodies_and_parameters_are_described_as_they_are_checked() {
    let t = Testkit::start().await;
    let described = description(&t).await;
    let create = &described["paths"]["/api/v2/clients"]["post"];
    assert_eq!(create["security"], json!([{"client_credentials": ["create:clients"]}]));
    let body = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!((&body["required"], &body["additionalProperties"]), (&json!(["name"]), &json!(false)));
    assert_eq!(body["properties"]["app_type"]["type"], "string");
    let accepted = |name: &str| body["properties"].get(name).is_some();
    for (member, value) in [("callbacks", json!([])), ("client_id", json!("x")), ("nothing", json!(1))] {
        let status = t.admin.post("/api/v2/clients", &json!({"name": "a", member: value})).await.status;
        assert_eq!(status == 201, accepted(member), "{member}: {status}");
    }
    let security = |path: &str, method: &str| described["paths"][path][method]["security"].clone();
    assert_eq!(
        security("/api/v2/keys/signing/rotate", "post"),
        json!([{"client_credentials": ["create:signing_keys", "update:signing_keys"]}])
    );
    assert_eq!(
        security("/api/v2/clients/{id}/connections", "get")[0],
        json!({"client_credentials": ["read:connections", "read:clients"]})
    );
    let is_required =
        |path: &str, method: &str| described["paths"][path][method]["requestBody"]["required"].clone();
    assert_eq!(is_required("/api/v2/clients/{id}", "patch"), true);
    assert_eq!(is_required("/api/v2/clients/{id}/rotate-secret", "post"), false);
    let parameters = described["paths"]["/api/v2/clients"]["get"]["parameters"].as_array().unwrap();
    let per_page = parameters.iter().find(|one| one["name"] == "per_page").unwrap();
    assert_eq!(per_page["schema"], json!({"type": "integer", "minimum": 0, "maximum": 100}));
}

#[tokio::test]
async fn the_description_may_be_kept_and_asked_for_again() {
    let t = Testkit::start().await;
    let first = t.nobody().get("/openapi.json").await;
    let request =
        t.nobody().request(Method::GET, "/openapi.json").header("if-none-match", &first.headers["etag"]);
    assert_eq!(t.nobody().send(request).await.status, 304);
}
