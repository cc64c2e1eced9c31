use crate::client_authentication::{Signer, certificate_pem};
use serde_json::{Value, json};
use tenantry_testkit::{Testkit, client_path};

fn credentials(client: &Value) -> String {
    format!("{}/credentials", client_path(client))
}

#[tokio::test]
async fn credentials_are_made_listed_changed_and_deleted() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let path = credentials(&client);
    let (one, two) = (Signer::new(), Signer::new());
    let mut kids = Vec::new();
    for (signer, name) in [(&one, "one"), (&two, "two")] {
        let body = json!({"credential_type": "public_key", "name": name, "pem": signer.pem});
        let made = t.admin.post(&path, &body).await.expect(201);
        let names: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["id", "credential_type", "kid", "alg", "name", "created_at", "updated_at"]);
        assert_eq!((&made["kid"], &made["alg"]), (&json!(signer.key.kid()), &json!("RS256")));
        kids.push(made["kid"].as_str().unwrap().to_owned());
    }
    kids.sort();
    let list = t.admin.get(&format!("{path}?include_totals=true&per_page=1")).await.expect(200);
    let listed: Vec<_> =
        list.as_array().unwrap().iter().map(|one| one["kid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, kids, "a bare list, ordered by kid");

    let one_path = format!("{path}/{}", list[0]["id"].as_str().unwrap());
    t.clock.advance(std::time::Duration::from_secs(5));
    let body = json!({"expires_at": "2095-05-13T09:33:13Z"});
    let changed = t.admin.patch(&one_path, &body).await.expect(200);
    assert_eq!(changed["expires_at"], "2095-05-13T09:33:13.000Z");
    assert_ne!(changed["updated_at"], changed["created_at"]);
    assert_eq!(t.admin.get(&one_path).await.expect(200), changed);
    let nothing = t.admin.patch(&one_path, &json!({})).await;
    assert_eq!((nothing.status, nothing.text("errorCode")), (400, "invalid_body"));
    let forever = t.admin.patch(&one_path, &json!({"expires_at": null})).await.expect(200);
    assert!(forever.get("expires_at").is_none());

    assert_eq!(t.admin.delete(&one_path).await.status, 204);
    assert_eq!(t.admin.delete(&one_path).await.status, 204);
    let gone = t.admin.get(&one_path).await;
    assert_eq!((gone.status, gone.text("message")), (404, "The credential does not exist"));
    assert_eq!(
        t.admin.get("/api/v2/clients/nobody/credentials").await.text("errorCode"),
        "inexistent_client"
    );
}

#[tokio::test]
async fn what_is_no_credential_is_refused() {
    let t = Testkit::start().await;
    let client = t.create_client(json!({})).await;
    let path = credentials(&client);
    let signer = Signer::new();
    let (certificate, private) = certificate_pem("CN=x", None);
    for (body, expected) in [
        (json!({"credential_type": "public_key", "pem": "nonsense"}), "pem must be one PEM-encoded"),
        (json!({"credential_type": "public_key", "pem": private}), "private key"),
        (json!({"credential_type": "public_key", "pem": certificate}), "RSA"),
        (json!({"credential_type": "x509_cert", "pem": private}), "private key"),
        (json!({"credential_type": "x509_cert"}), "Missing required property: pem"),
        (
            json!({"credential_type": "cert_subject_dn", "pem": certificate, "subject_dn": "CN=x"}),
            "exactly one",
        ),
        (json!({"credential_type": "public_key", "pem": signer.pem, "kid": "short"}), "String is too short"),
        (
            json!({"credential_type": "public_key", "pem": signer.pem, "alg": "HS256"}),
            "No enum match for: HS256",
        ),
        (json!({"pem": signer.pem}), "Missing required property: credential_type"),
    ] {
        let reply = t.admin.post(&path, &body).await;
        assert_eq!((reply.status, reply.text("errorCode")), (400, "invalid_body"), "{body}: {}", reply.body);
        assert!(reply.text("message").contains(expected), "{}", reply.body);
    }
    let good = json!({"credential_type": "public_key", "pem": signer.pem});
    let _ = t.admin.post(&path, &good).await.expect(201);
    assert_eq!(t.admin.post(&path, &good).await.status, 400, "the same credential twice");
    let _ = t
        .admin
        .post(&path, &json!({"credential_type": "public_key", "pem": Signer::new().pem}))
        .await
        .expect(201);
    let third =
        t.admin.post(&path, &json!({"credential_type": "public_key", "pem": Signer::new().pem})).await;
    assert_eq!(third.status, 400, "one too many");
    let _ =
        t.admin.post(&path, &json!({"credential_type": "x509_cert", "pem": certificate})).await.expect(201);
}

#[tokio::test]
async fn a_credential_in_use_stays() {
    let t = Testkit::start().await;
    let signer = Signer::new();
    let client = signer.client(&t).await;
    let shown = &client["client_authentication_methods"]["private_key_jwt"]["credentials"][0];
    assert_eq!(shown["kid"], signer.key.kid(), "the answer to a create shows it whole");
    assert!(client.get("client_secret").is_none() && client.get("token_endpoint_auth_method").is_none());
    let id = shown["id"].as_str().unwrap();
    let read = t.admin.get(&client_path(&client)).await.expect(200);
    assert_eq!(
        read["client_authentication_methods"],
        json!({"private_key_jwt": {"credentials": [{"id": id}]}})
    );
    let path = format!("{}/{id}", credentials(&client));
    let refused = t.admin.delete(&path).await;
    assert_eq!(
        (refused.status, refused.text("message")),
        (400, "Cannot delete credential still associated with a client")
    );
    for member in ["signed_request_object", "token_vault_privileged_access"] {
        let body = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": []}}, member: {"credentials": [{"id": id}]}});
        let _ = t.admin.patch(&client_path(&client), &body).await.expect(200);
        assert_eq!(t.admin.delete(&path).await.status, 400, "{member}");
        let _ = t.admin.patch(&client_path(&client), &json!({member: null})).await.expect(200);
    }
    assert_eq!(t.admin.delete(&path).await.status, 204);
}

#[tokio::test]
async fn methods_take_credentials_of_their_type_and_of_their_client() {
    let t = Testkit::start().await;
    let signer = Signer::new();
    let client = t.create_client(json!({"jwt_configuration": {"alg": "RS256"}})).await;
    let other = t.create_client(json!({})).await;
    let made = async |client: &Value, body: Value| -> String {
        t.admin.post(&credentials(client), &body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let key = made(&client, json!({"credential_type": "public_key", "pem": signer.pem})).await;
    let dn = made(&client, json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=x"})).await;
    let foreign = made(&other, json!({"credential_type": "public_key", "pem": signer.pem})).await;
    let missing = "cred_1111111111111111111111";
    for (method, id, status) in [
        ("private_key_jwt", key.as_str(), 200),
        ("private_key_jwt", dn.as_str(), 400),
        ("tls_client_auth", dn.as_str(), 200),
        ("tls_client_auth", key.as_str(), 400),
        ("self_signed_tls_client_auth", key.as_str(), 400),
        ("private_key_jwt", foreign.as_str(), 400),
        ("private_key_jwt", missing, 400),
    ] {
        let body = json!({"client_authentication_methods": {method: {"credentials": [{"id": id}]}}});
        let reply = t.admin.patch(&client_path(&client), &body).await;
        assert_eq!(reply.status, status, "{method} {id}: {}", reply.body);
    }
}

#[tokio::test]
async fn keys_and_secrets_exclude_each_other() {
    let t = Testkit::start().await;
    let signer = Signer::new();
    let definition =
        json!({"private_key_jwt": {"credentials": [{"credential_type": "public_key", "pem": signer.pem}]}});
    for body in [
        json!({"token_endpoint_auth_method": "client_secret_post", "jwt_configuration": {"alg": "RS256"}}),
        json!({"jwt_configuration": {"alg": "HS256"}}),
        json!({}),
    ] {
        let mut body = body.clone();
        body["name"] = "N".into();
        body["client_authentication_methods"] = definition.clone();
        assert_eq!(t.admin.post("/api/v2/clients", &body).await.status, 400, "{body}");
    }
    let client = t.create_client(json!({"jwt_configuration": {"alg": "RS256"}, "token_endpoint_auth_method": "client_secret_post"})).await;
    let secret = client["client_secret"].clone();
    let made = t
        .admin
        .post(&credentials(&client), &json!({"credential_type": "public_key", "pem": signer.pem}))
        .await
        .expect(201);
    let methods = json!({"private_key_jwt": {"credentials": [{"id": made["id"]}]}});
    let path = client_path(&client);
    assert_eq!(t.admin.patch(&path, &json!({"client_authentication_methods": methods})).await.status, 400);
    let switched = json!({"client_authentication_methods": methods, "token_endpoint_auth_method": null});
    let switched = t.admin.patch(&path, &switched).await.expect(200);
    assert!(switched.get("client_secret").is_none());
    assert_eq!(t.admin.post(&format!("{path}/rotate-secret"), &Value::Null).await.status, 400);
    let back =
        json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
    let back = t.admin.patch(&path, &back).await.expect(200);
    assert_eq!(back["client_secret"], secret, "the secret was hidden, not lost");
    assert!(back.get("client_authentication_methods").is_none());
}

#[tokio::test]
async fn who_may_not_make_credentials_learns_nothing_about_those_of_the_body() {
    let t = Testkit::start().await;
    let with = t.with_scopes(&["create:clients"]).await;
    for pem in ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", &Signer::new().pem] {
        let key = json!({"credential_type": "public_key", "pem": pem});
        let body = json!({"name": "c", "signed_request_object": {"required": false, "credentials": [key]}});
        let refused = with.post("/api/v2/clients", &body).await;
        assert_eq!((refused.status, refused.text("errorCode")), (403, "insufficient_scope"), "{pem}");
        assert_eq!(refused.text("message"), "Insufficient scope, expected any of: create:client_credentials");
    }
}

#[tokio::test]
async fn the_secret_of_a_client_that_has_keys_is_shown_nowhere_until_it_has_none() {
    let t = Testkit::start().await;
    let body = json!({"client_metadata": {"client_authentication_methods": "x"}, "jwt_configuration": {"alg": "RS256"}});
    let client = t.create_client(body).await;
    let id = &client["client_id"];
    let shown = async || {
        let one = t.admin.get(&client_path(&client)).await.expect(200);
        let list = t.admin.get("/api/v2/clients?per_page=100").await.expect(200);
        let listed = list.as_array().unwrap().iter().find(|one| one["client_id"] == *id).unwrap().clone();
        assert_eq!(one, listed, "a list shows what a read shows");
        one.get("client_secret").cloned()
    };
    assert_eq!(
        shown().await.as_ref(),
        Some(&client["client_secret"]),
        "the metadata only looks like a method"
    );
    let body = json!({"credential_type": "public_key", "pem": Signer::new().pem});
    let made = t.admin.post(&credentials(&client), &body).await.expect(201);
    let methods = json!({"private_key_jwt": {"credentials": [{"id": made["id"]}]}});
    let body = json!({"client_authentication_methods": methods, "token_endpoint_auth_method": null});
    let _ = t.admin.patch(&client_path(&client), &body).await.expect(200);
    assert_eq!(shown().await, None);
    let body =
        json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"});
    let _ = t.admin.patch(&client_path(&client), &body).await.expect(200);
    assert_eq!(shown().await.as_ref(), Some(&client["client_secret"]));
}
