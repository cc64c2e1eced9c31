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

#[tokio::test]
async fn a_rotation_with_a_grace_period_keeps_the_secret_before_for_so_long() {
    let t = Testkit::start().await;
    let first = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", first.client_id);
    let rotate = async |body: Value| {
        Credentials::of(&t.admin.post(&format!("{path}/rotate-secret"), &body).await.expect(200))
    };
    let status = async |credentials: &Credentials| t.ask(credentials, &t.audience(), &[]).await.status;

    let second = rotate(json!({"grace_period_seconds": 60})).await;
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    let list = t.admin.get(&format!("{path}/secrets")).await.expect(200);
    let current: Vec<_> =
        list.as_array().unwrap().iter().map(|one| one["is_current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().filter(|current| **current).count(), 1);
    assert_eq!(list.as_array().unwrap().len(), 2);
    let ending = list.as_array().unwrap().iter().find(|one| one["is_current"] == false).unwrap();
    assert_eq!(ending["expires_at"], tenantry_types::time::print(t.clock.now_ms() + 60_000));
    for secret in [&first.client_secret, &second.client_secret] {
        assert!(!list.to_string().contains(secret.as_str()), "no value is ever shown");
    }
    let fourth = {
        let third = rotate(json!({"grace_period_seconds": 3600})).await;
        assert_eq!((status(&first).await, status(&second).await, status(&third).await), (200, 200, 200));
        rotate(json!({"grace_period_seconds": 30})).await
    };
    let port = t.base.rsplit_once(':').unwrap().1.to_owned();
    let t = t.restart(|config| config.listen = Some(format!("127.0.0.1:{port}"))).await;
    let status = async |credentials: &Credentials| t.ask(credentials, &t.audience(), &[]).await.status;
    assert_eq!((status(&first).await, status(&second).await), (200, 200), "also after a restart");
    t.clock.advance(std::time::Duration::from_millis(29_999));
    assert_eq!(status(&second).await, 200);
    t.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!((status(&first).await, status(&second).await, status(&fourth).await), (401, 401, 200));
    let rest = t.admin.get(&format!("{path}/secrets")).await.expect(200);
    assert_eq!(rest.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_can_be_ended_before_its_time() {
    let t = Testkit::start().await;
    let first = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", first.client_id);
    let body = json!({"grace_period_seconds": 3600});
    let second = Credentials::of(&t.admin.post(&format!("{path}/rotate-secret"), &body).await.expect(200));
    assert_eq!(t.ask(&first, &t.audience(), &[]).await.status, 200);
    let list = t.admin.get(&format!("{path}/secrets")).await.expect(200);
    for secret in list.as_array().unwrap() {
        let one = format!("{path}/secrets/{}", secret["id"].as_str().unwrap());
        let expected = if secret["is_current"] == true { 400 } else { 204 };
        assert_eq!(t.admin.delete(&one).await.status, expected);
        assert_eq!(t.admin.delete(&one).await.status, expected);
    }
    assert_eq!(t.ask(&first, &t.audience(), &[]).await.status, 401);
    assert_eq!(t.ask(&second, &t.audience(), &[]).await.status, 200);
    let mut used = Value::Null;
    for _ in 0..100 {
        used = t.admin.get(&format!("{path}/secrets")).await.expect(200)[0]["last_used_at"].clone();
        if used.is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(used, tenantry_types::time::print(t.clock.now_ms()), "its last use is known");

    for bad in [
        json!({"grace_period_seconds": -1}),
        json!({"grace_period_seconds": "1"}),
        json!({"grace": 1}),
        json!({"grace_period_seconds": 2_592_001}),
    ] {
        assert_eq!(t.admin.post(&format!("{path}/rotate-secret"), &bad).await.status, 400, "{bad}");
    }
    for _ in 0..9 {
        let _ = t.admin.post(&format!("{path}/rotate-secret"), &body).await.expect(200);
    }
    assert_eq!(t.admin.post(&format!("{path}/rotate-secret"), &body).await.status, 400, "too many at once");
    let newest =
        Credentials::of(&t.admin.post(&format!("{path}/rotate-secret"), &Value::Null).await.expect(200));
    assert_eq!(t.admin.get(&format!("{path}/secrets")).await.expect(200).as_array().unwrap().len(), 1);
    assert_eq!(t.ask(&newest, &t.audience(), &[]).await.status, 200);
}

#[tokio::test]
async fn rotations_that_arrive_together_each_get_a_secret_of_their_own() {
    let t = Testkit::start().await;
    let first = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", first.client_id);
    let body = json!({"grace_period_seconds": 3600});
    let rotate = format!("{path}/rotate-secret");
    let answers = futures_util::future::join_all((0..40).map(|_| t.admin.post(&rotate, &body))).await;
    let mut secrets = vec![first];
    for answer in answers {
        match answer.status {
            200 => secrets.push(Credentials::of(&answer.body)),
            status => assert_eq!(status, 400, "{}", answer.body),
        }
    }
    assert_eq!(secrets.len(), 10, "as many as may be valid at once, and not one more");
    for (i, secret) in secrets.iter().enumerate() {
        assert!(secrets[..i].iter().all(|other| other.client_secret != secret.client_secret));
        assert_eq!(t.ask(secret, &t.audience(), &[]).await.status, 200);
    }
}

#[tokio::test]
async fn secrets_of_a_database_from_before_are_good_still() {
    // As it was when the current secret had no place of its own.
    const BEFORE: &str = "
        INSERT INTO client_secret (tenant, client_id, secret_id, secret, created_at, last_used_at)
            SELECT tenant, client_id, secret_id, secret, secret_created_at, secret_used_at FROM client;
        ALTER TABLE client DROP COLUMN secret;
        ALTER TABLE client DROP COLUMN secret_created_at;
        ALTER TABLE client DROP COLUMN secret_used_at;
        DROP TABLE client_unindexed;
        DROP INDEX client_of_app_type;
        DROP INDEX client_of_party;
        DROP INDEX client_of_party_and_app_type;
        DROP INDEX audit_log_attempts;
        DROP INDEX client_reference_to;
        DROP INDEX client_grant_of_api;
        CREATE INDEX client_app_type ON client (tenant, app_type, seq);
        CREATE INDEX client_party ON client (tenant, is_first_party, seq);
        CREATE INDEX client_party_app_type ON client (tenant, is_first_party, app_type, seq);
        CREATE INDEX client_reference_target ON client_reference (tenant, kind, id);
        CREATE INDEX client_grant_audience ON client_grant (tenant, audience);
        DELETE FROM migration WHERE version >= 13;";
    let t = Testkit::start().await;
    let earlier = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", earlier.client_id);
    let body = json!({"grace_period_seconds": 3600});
    let current = Credentials::of(&t.admin.post(&format!("{path}/rotate-secret"), &body).await.expect(200));
    let listed = t.admin.get(&format!("{path}/secrets")).await.expect(200);
    let whole = t.admin.get(&path).await.expect(200);
    t.database().execute(BEFORE);
    let port = t.base.rsplit_once(':').unwrap().1.to_owned();
    let t = t.restart(|config| config.listen = Some(format!("127.0.0.1:{port}"))).await;
    assert_eq!(t.admin.get(&format!("{path}/secrets")).await.expect(200), listed);
    assert_eq!(t.admin.get(&path).await.expect(200), whole);
    for secret in [&earlier, &current] {
        assert_eq!(t.ask(secret, &t.audience(), &[]).await.status, 200);
    }
    let last = Credentials::of(&t.admin.post(&format!("{path}/rotate-secret"), &json!({})).await.expect(200));
    for (secret, status) in [(&earlier, 401), (&current, 401), (&last, 200)] {
        assert_eq!(t.ask(secret, &t.audience(), &[]).await.status, status);
    }
}
