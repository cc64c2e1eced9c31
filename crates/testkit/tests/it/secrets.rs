use serde_json::{Value, json};
use tenantry_testkit::{Credentials, Testkit, client_path};

#[tokio::test]
async fn a_rotated_secret_works_at_once_and_the_old_one_never_again() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}/rotate-secret", machine.client_id);
    for body in [None, Some(Value::Null), Some(json!({}))] {
        let before = Credentials::of(&t.admin.get(&path.replace("/rotate-secret", "")).await.expect(200));
        let request = t.admin.request(reqwest::Method::POST, &path);
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let after = Credentials::of(&t.admin.send(request).await.expect(200));
        assert_eq!(after.client_secret.len(), 64);
        assert!(after.client_secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(t.ask(&after, &t.audience(), &[]).await.status, 200);
        let refused = t.ask(&before, &t.audience(), &[]).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.body, json!({"error": "access_denied", "error_description": "Unauthorized"}));
    }
    assert_eq!(t.admin.post("/api/v2/clients/nobody/rotate-secret", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_secret_of_ones_own_is_kept_to_the_letter() {
    let t = Testkit::start().await;
    let mut machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    for secret in ["x", "with \"quotes\" and \\ and ü and \u{1}", &"long".repeat(500)] {
        let patched = t.admin.patch(&path, &json!({"client_secret": secret})).await.expect(200);
        assert_eq!(patched["client_secret"], secret);
        assert_eq!(t.admin.get(&path).await.expect(200)["client_secret"], secret);
        machine.client_secret = secret.to_owned();
        assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 200, "{secret}");
    }
    let with = t.with_scopes(&["update:clients"]).await;
    let refused = with.patch(&path, &json!({"client_secret": "mine"})).await;
    assert_eq!((refused.status, refused.text("errorCode")), (403, "insufficient_scope"));
    assert_eq!(refused.text("message"), "Insufficient scope, expected any of: update:client_keys");
}

#[tokio::test]
async fn nothing_that_is_secret_is_in_the_database_in_clear() {
    let t = Testkit::start().await;
    let chosen = "a-secret-of-my-own-choosing-0123456789";
    let client = t.create_client(json!({})).await;
    let _ = t.admin.patch(&client_path(&client), &json!({"client_secret": chosen})).await.expect(200);
    let api = json!({"identifier": "https://hs", "signing_alg": "HS256", "signing_secret": "another-known-secret-0123"});
    let _ = t.admin.post("/api/v2/resource-servers", &api).await.expect(201);
    let admin = t.admin_credentials().await;
    let known = [
        client["client_secret"].as_str().unwrap(),
        chosen,
        &admin.client_secret,
        "another-known-secret-0123",
    ];
    let mut searched = 0;
    for entry in std::fs::read_dir(t.data_dir()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        searched += bytes.len();
        for secret in known {
            assert!(
                !bytes.windows(secret.len()).any(|w| w == secret.as_bytes()),
                "{} holds a secret",
                path.display()
            );
        }
        assert!(!bytes.windows(11).any(|w| w == b"PRIVATE KEY"), "{} holds a private key", path.display());
    }
    assert!(searched > 100_000, "the database was read");
}
