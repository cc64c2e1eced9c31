use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_jose::jwt::{self, Unverified};
use tenantry_jose::{JwkSet, RsaSigningKey, SigningAlgorithm, VerifyingAlgorithm};
use tenantry_testkit::{Credentials, Testkit, client_path, reply};

pub(crate) fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_has_the_documented_claims_and_verifies_with_the_published_key() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients", "create:clients"]).await;
    let reply = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(
        (&reply.headers["cache-control"], &reply.headers["pragma"]),
        (&"no-store".parse().unwrap(), &"no-cache".parse().unwrap())
    );
    let body = reply.clone().expect(200);
    let names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "scope", "expires_in", "token_type"]);
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(86400), &json!("Bearer")));

    let token = reply.text("access_token");
    let now = t.clock.now_secs();
    let expected = json!({
        "iss": format!("{}/", t.base),
        "sub": format!("{}@clients", machine.client_id),
        "aud": t.audience(),
        "iat": now,
        "exp": now + 86400,
        "scope": "read:clients create:clients",
        "gty": "client-credentials",
        "azp": machine.client_id,
    });
    assert_eq!(part(token, 1).to_string(), expected.to_string(), "also in this order");

    let keys: JwkSet =
        serde_json::from_value(t.nobody().get("/.well-known/jwks.json").await.expect(200)).unwrap();
    let header = part(token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    let key = keys.keys.iter().find(|key| key.kid.as_deref() == header["kid"].as_str()).unwrap();
    assert!(key.x5c.is_some() && key.x5t.is_some());
    let parsed = Unverified::parse(token).unwrap();
    assert!(
        key.public_key(VerifyingAlgorithm::Rs256)
            .unwrap()
            .verifies(parsed.signing_input.as_bytes(), &parsed.signature)
    );
}

#[tokio::test]
async fn the_stored_method_decides_how_a_client_authenticates() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let basic =
        format!("Basic {}", STANDARD.encode(format!("{}:{}", machine.client_id, machine.client_secret)));
    let audience = t.audience();
    for (method, by_post, by_basic) in [
        (json!(null), 200, 200),
        (json!("client_secret_post"), 200, 401),
        (json!("client_secret_basic"), 401, 200),
        (json!("none"), 401, 401),
    ] {
        let _ = t.admin.patch(&path, &json!({"token_endpoint_auth_method": method})).await.expect(200);
        assert_eq!(t.ask(&machine, &audience, &[]).await.status, by_post, "{method} by post");
        let form = [("grant_type", "client_credentials"), ("audience", &audience)];
        let request =
            t.http.post(format!("{}/oauth/token", t.base)).header("authorization", &basic).form(&form);
        assert_eq!(reply(request.send().await.unwrap()).await.status, by_basic, "{method} by basic");
        let bare = [
            ("grant_type", "client_credentials"),
            ("audience", &audience),
            ("client_id", &machine.client_id),
        ];
        assert_eq!(t.ask_token(&bare).await.status, 401, "{method} without a secret");
    }
}

#[tokio::test]
async fn a_grant_type_that_is_not_enabled_is_refused() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let _ = t.admin.patch(&path, &json!({"grant_types": ["authorization_code"]})).await.expect(200);
    let refused = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body,
        json!({
            "error": "unauthorized_client",
            "error_description": "Grant type 'client_credentials' not allowed for the client.",
            "error_uri": "https://auth0.com/docs/clients/client-grant-types",
        })
    );
}

#[tokio::test]
async fn requests_that_cannot_be_served_get_the_recorded_errors() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    let error = |reply: &tenantry_testkit::Reply| {
        (reply.status, reply.text("error").to_owned(), reply.text("error_description").to_owned())
    };
    let is = |status: u16, error: &str, text: &str| (status, error.to_owned(), text.to_owned());

    let unknown = t.ask(&machine, "https://nowhere", &[]).await;
    assert_eq!(
        error(&unknown),
        is(403, "access_denied", "Service not enabled within domain: https://nowhere")
    );
    let ungranted = t.ask(&machine, "https://api", &[]).await;
    assert_eq!((ungranted.status, ungranted.text("error")), (403, "access_denied"));
    assert!(
        ungranted
            .text("error_description")
            .starts_with("Client is not authorized to access \"https://api\".")
    );
    let beyond = t.ask(&machine, &t.audience(), &[("scope", "read:clients delete:clients")]).await;
    assert_eq!(
        error(&beyond),
        is(403, "access_denied", "Client has not been granted scopes: delete:clients")
    );
    let within = t.ask(&machine, &t.audience(), &[("scope", "read:clients")]).await;
    assert_eq!((within.status, within.text("scope")), (200, "read:clients"));

    let missing = t.ask_token(&[("client_id", "x")]).await;
    assert_eq!(error(&missing), is(400, "invalid_request", "Missing required parameter: grant_type"));
    let other = t.ask_token(&[("grant_type", "urn:nothing"), ("client_id", "x")]).await;
    assert_eq!((other.status, other.text("error")), (400, "unsupported_grant_type"));
    let nobody = Credentials { client_id: "nobody".into(), client_secret: "x".into() };
    let wrong = Credentials { client_secret: "wrong".into(), ..machine.clone() };
    assert_eq!(t.ask(&nobody, &t.audience(), &[]).await.body, t.ask(&wrong, &t.audience(), &[]).await.body);

    let basic = format!("Basic {}", STANDARD.encode("a:b"));
    let both = [("grant_type", "client_credentials"), ("client_id", "a"), ("client_secret", "b")];
    let request = t.http.post(format!("{}/oauth/token", t.base)).header("authorization", basic).form(&both);
    let both = reply(request.send().await.unwrap()).await;
    assert_eq!(
        error(&both),
        is(400, "invalid_request", "Multiple authentication methods provided, please use one.")
    );
    let twice = t
        .http
        .post(format!("{}/oauth/token", t.base))
        .header("content-type", "application/x-www-form-urlencoded");
    let twice =
        reply(twice.body("grant_type=client_credentials&grant_type=password").send().await.unwrap()).await;
    assert_eq!((twice.status, twice.text("error")), (400, "invalid_request"));
}

#[tokio::test]
async fn a_token_request_may_be_json() {
    let t = Testkit::start().await;
    let admin = t.admin_credentials().await;
    let body = json!({
        "grant_type": "client_credentials", "client_id": admin.client_id, "client_secret": admin.client_secret,
        "audience": t.audience(), "scope": "read:clients", "organization": null,
    });
    assert_eq!(t.nobody().post("/oauth/token", &body).await.expect(200)["scope"], "read:clients");
    for bad in [json!([]), json!({"grant_type": {}}), json!("x")] {
        let refused = t.nobody().post("/oauth/token", &bad).await;
        assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"), "{bad}");
    }
}

#[tokio::test]
async fn a_client_that_must_prove_possession_gets_no_bearer_token() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let _ = t.admin.patch(&path, &json!({"require_proof_of_possession": true})).await.expect(200);
    let refused = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!((refused.status, refused.text("error")), (400, "invalid_request"));
    let _ = t.admin.patch(&path, &json!({"require_proof_of_possession": false})).await.expect(200);
    assert_eq!(t.ask(&machine, &t.audience(), &[]).await.status, 200);
}

#[tokio::test]
async fn a_client_gets_no_more_tokens_than_its_quota() {
    let t = Testkit::start().await;
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    let path = format!("/api/v2/clients/{}", machine.client_id);
    let quota = |enforce: bool, hour: u32, day: u32| json!({"token_quota": {"client_credentials": {"enforce": enforce, "per_hour": hour, "per_day": day}}});
    let _ = t.admin.patch(&path, &quota(true, 5, 8)).await.expect(200);
    let asked = async |times: usize| {
        let tasks: Vec<_> = (0..times)
            .map(|_| {
                let (http, base, machine, audience) =
                    (t.http.clone(), t.base.clone(), machine.clone(), t.audience());
                tokio::spawn(async move {
                    let form = json!({"grant_type": "client_credentials", "client_id": machine.client_id,
                        "client_secret": machine.client_secret, "audience": audience});
                    http.post(format!("{base}/oauth/token"))
                        .json(&form)
                        .send()
                        .await
                        .unwrap()
                        .status()
                        .as_u16()
                })
            })
            .collect();
        let mut issued = 0;
        for task in tasks {
            match task.await.unwrap() {
                200 => issued += 1,
                status => assert_eq!(status, 429),
            }
        }
        issued
    };
    assert_eq!(asked(20).await, 5, "exact under concurrency");
    let refused = t.ask(&machine, &t.audience(), &[]).await;
    assert_eq!(
        refused.body,
        json!({"error": "too_many_requests", "error_description": "Client quota exceeded"})
    );
    t.clock.advance(Duration::from_secs(3600));
    // The day's window may have begun anew within that hour.
    let same_day = t.clock.now_secs().rem_euclid(86_400) >= 3600;
    assert_eq!(asked(20).await, if same_day { 3 } else { 5 }, "the hour is new, the day is not");
    t.clock.advance(Duration::from_secs(86_400));
    assert_eq!(asked(20).await, 5, "the day is new");
    let _ = t.admin.patch(&path, &json!({"token_quota": null})).await;
}

#[tokio::test]
async fn forged_expired_and_foreign_tokens_are_refused() {
    let t = Testkit::start().await;
    let good = t.token(&t.admin_credentials().await, &t.audience()).await;
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let stranger = RsaSigningKey::generate().unwrap();
    let sign = |key: &RsaSigningKey, header: &Value, claims: &Value| {
        let input = jwt::signing_input(&header.to_string(), &claims.to_string());
        let signature = key.sign(SigningAlgorithm::Rs256, input.as_bytes()).unwrap();
        jwt::assemble(input, &signature)
    };
    let none = format!(
        "{}.{}.x",
        URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string()),
        good.split('.').nth(1).unwrap()
    );
    let mut altered: Vec<_> = good.split('.').map(str::to_owned).collect();
    let mut more = claims.clone();
    more["azp"] = "someone".into();
    altered[1] = URL_SAFE_NO_PAD.encode(more.to_string());
    for (forged, why) in [
        (sign(&stranger, &header, &claims), "signed by another key under our key's id"),
        (sign(&stranger, &json!({"alg": "RS256"}), &claims), "without a key id"),
        (none, "unsigned"),
        (altered.join("."), "with other claims under the good signature"),
    ] {
        let reply = t.caller(&forged).get("/api/v2/clients").await;
        assert_eq!(reply.status, 401, "{why}");
        assert_eq!(reply.body["attributes"]["error"], reply.body["message"], "{why}");
    }
    for (malformed, status) in [("not-a-token", 400), ("a.b", 400), ("a.b.", 400), ("a.b.c", 401)] {
        assert_eq!(t.caller(malformed).get("/api/v2/clients").await.status, status, "{malformed}");
    }
    let missing = t.nobody().get("/api/v2/clients").await;
    assert_eq!((missing.status, missing.text("message")), (401, "Missing authentication"));
    assert_eq!(missing.headers["www-authenticate"], "Bearer");

    // A token for another API of the same tenant, signed by the very same key.
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    let other = t.create_machine("https://api", &[]).await;
    let foreign = t.token(&other, "https://api").await;
    assert_eq!(t.caller(&foreign).get("/api/v2/clients").await.status, 401);

    t.clock.advance(Duration::from_secs(86_399));
    assert_eq!(t.caller(&good).get("/api/v2/clients").await.status, 200);
    t.clock.advance(Duration::from_secs(1));
    let expired = t.caller(&good).get("/api/v2/clients").await;
    assert_eq!(
        (expired.status, expired.text("message")),
        (401, "Expired token received for JSON Web Token validation")
    );
}

#[tokio::test]
async fn third_party_clients_use_the_grant_for_all_of_them() {
    let t = Testkit::start().await;
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    let client = t
        .create_client(json!({"is_first_party": false, "token_endpoint_auth_method": "client_secret_post"}))
        .await;
    let credentials = Credentials::of(&client);
    let refused = t.ask(&credentials, "https://api", &[]).await;
    assert_eq!((refused.status, refused.text("error")), (403, "unauthorized_client"));
    let body = json!({"audience": "https://api", "default_for": "third_party_clients", "scope": ["read:x"]});
    let grant = t.admin.post("/api/v2/client-grants", &body).await.expect(201);
    assert_eq!(t.ask(&credentials, "https://api", &[]).await.expect(200)["scope"], "read:x");
    let own = json!({"audience": "https://api", "client_id": client["client_id"], "scope": ["read:y"]});
    let _ = t.admin.post("/api/v2/client-grants", &own).await.expect(201);
    assert_eq!(
        t.ask(&credentials, "https://api", &[]).await.expect(200)["scope"],
        "read:y",
        "its own comes first"
    );
    let first_party = t.create_client(json!({"token_endpoint_auth_method": "client_secret_post"})).await;
    assert_eq!(t.ask(&Credentials::of(&first_party), "https://api", &[]).await.status, 403);
    let _ = t.admin.delete(&format!("/api/v2/client-grants/{}", grant["id"].as_str().unwrap())).await;
    assert_eq!(t.admin.delete(&client_path(&client)).await.status, 204);
}

#[tokio::test]
async fn an_api_that_is_gone_or_closed_gives_no_tokens() {
    let t = Testkit::start().await;
    let api = t
        .admin
        .post(
            "/api/v2/resource-servers",
            &json!({"identifier": "https://api", "token_lifetime": 60, "token_lifetime_for_web": 60}),
        )
        .await
        .expect(201);
    let machine = t.create_machine("https://api", &["a"]).await;
    let path = format!("/api/v2/resource-servers/{}", api["id"].as_str().unwrap());
    assert_eq!(t.ask(&machine, "https://api", &[]).await.expect(200)["expires_in"], 60);
    let closed = json!({"subject_type_authorization": {"client": {"policy": "deny_all"}}});
    let _ = t.admin.patch(&path, &closed).await.expect(200);
    assert_eq!(t.ask(&machine, "https://api", &[]).await.status, 403);
    assert_eq!(t.admin.delete(&path).await.status, 204);
    assert_eq!(t.ask(&machine, "https://api", &[]).await.status, 403);
    // An API of the same name is another API: grants for the old one do not come back.
    let _ = t.admin.post("/api/v2/resource-servers", &json!({"identifier": "https://api"})).await.expect(201);
    assert_eq!(t.ask(&machine, "https://api", &[]).await.status, 403);
}
