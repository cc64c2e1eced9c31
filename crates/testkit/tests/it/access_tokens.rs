use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenantry_jose::{JwkSet, VerifyingAlgorithm, base64url, hs256, sha256};
use tenantry_testkit::Testkit;

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

/// An API with these settings, and a token for it with the scopes `a` and `b`.
async fn token(t: &Testkit, settings: Value) -> (Value, String) {
    let identifier = format!("https://api/{}", base64url(&sha256(settings.to_string().as_bytes())));
    let mut body = settings;
    body["identifier"] = identifier.as_str().into();
    body["scopes"] = json!([{"value": "a"}, {"value": "b"}]);
    let api = t.admin.post("/api/v2/resource-servers", &body).await.expect(201);
    let machine = t.create_machine(&identifier, &["a", "b"]).await;
    let token = t.token(&machine, &identifier).await;
    (api, token)
}

#[tokio::test]
async fn the_dialect_of_the_api_decides_the_claims() {
    let t = Testkit::start().await;
    let auth0 = ["iss", "sub", "aud", "iat", "exp", "scope", "gty", "azp"];
    let rfc = ["iss", "sub", "aud", "iat", "exp", "scope", "jti", "client_id"];
    for (settings, typ, expected, permissions) in [
        (json!({}), "JWT", auth0, false),
        (json!({"token_dialect": "access_token", "enforce_policies": true}), "JWT", auth0, false),
        (json!({"token_dialect": "access_token_authz", "enforce_policies": true}), "JWT", auth0, true),
        (json!({"token_dialect": "access_token_authz", "enforce_policies": false}), "JWT", auth0, false),
        (json!({"token_dialect": "rfc9068_profile"}), "at+jwt", rfc, false),
        (json!({"token_dialect": "rfc9068_profile_authz", "enforce_policies": true}), "at+jwt", rfc, true),
    ] {
        let (_, token) = token(&t, settings.clone()).await;
        assert_eq!(part(&token, 0)["typ"], typ, "{settings}");
        let claims = part(&token, 1);
        let mut expected = expected.to_vec();
        if permissions {
            expected.push("permissions");
            assert_eq!(claims["permissions"], json!(["a", "b"]));
        }
        assert_eq!(claims.as_object().unwrap().keys().collect::<Vec<_>>(), expected, "{settings}");
    }
}

#[tokio::test]
async fn the_algorithm_of_the_api_decides_the_signature() {
    let t = Testkit::start().await;
    let keys: JwkSet =
        serde_json::from_value(t.nobody().get("/.well-known/jwks.json").await.expect(200)).unwrap();
    for (alg, verifying) in [("RS256", VerifyingAlgorithm::Rs256), ("PS256", VerifyingAlgorithm::Ps256)] {
        let (_, token) = token(&t, json!({"signing_alg": alg})).await;
        assert_eq!(part(&token, 0)["alg"], alg);
        let (input, signature) = token.rsplit_once('.').unwrap();
        let key = keys.keys[0].public_key(verifying).unwrap();
        assert!(key.verifies(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()), "{alg}");
    }
    let (_, rs512) = token(&t, json!({"signing_alg": "RS512"})).await;
    assert_eq!(part(&rs512, 0)["alg"], "RS512");
    let (api, hmac) = token(&t, json!({"signing_alg": "HS256"})).await;
    let header = part(&hmac, 0);
    assert_eq!((&header["alg"], header.get("kid")), (&json!("HS256"), None));
    let (input, signature) = hmac.rsplit_once('.').unwrap();
    let secret = api["signing_secret"].as_str().unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(hs256(secret.as_bytes(), input.as_bytes())), signature);
}

#[tokio::test]
async fn an_encrypted_token_shows_nothing_to_others() {
    let t = Testkit::start().await;
    let signer = crate::client_authentication::Signer::new();
    let encryption = json!({"format": "compact-nested-jwe", "encryption_key": {"pem": signer.pem, "alg": "RSA-OAEP-256", "name": "k", "kid": "id"}});
    let (api, token) = token(&t, json!({"token_encryption": encryption})).await;
    assert_eq!(
        api["token_encryption"],
        json!({"format": "compact-nested-jwe", "encryption_key": {"name": "k", "alg": "RSA-OAEP-256", "kid": "id", "thumbprint_sha256": signer.key.kid()}})
    );
    assert_eq!(token.split('.').count(), 5);
    assert_eq!(part(&token, 0), json!({"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT", "kid": "id"}));
    let path = format!("/api/v2/resource-servers/{}", api["id"].as_str().unwrap());
    let renamed = t.admin.patch(&path, &json!({"name": "n"})).await.expect(200);
    assert_eq!(renamed["token_encryption"], api["token_encryption"], "kept when not mentioned");
    let plain = t.admin.patch(&path, &json!({"token_encryption": null})).await.expect(200);
    assert!(plain.get("token_encryption").is_none());
    let bad = json!({"token_encryption": {"format": "compact-nested-jwe", "encryption_key": {"pem": "x", "alg": "RSA-OAEP-256"}}});
    assert_eq!(t.admin.patch(&path, &bad).await.status, 400);
}

#[tokio::test]
async fn a_request_without_audience_is_for_the_default_one() {
    let t = Testkit::start().await;
    let admin = t.admin_credentials().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*admin.client_id),
        ("client_secret", &*admin.client_secret),
    ];
    assert_eq!(
        (t.ask_token(&form).await.status, t.ask_token(&form).await.text("error").to_owned()),
        (403, "access_denied".into())
    );
    let audience = t.audience();
    let port = t.base.rsplit_once(':').unwrap().1.to_owned();
    let t = t
        .restart(|config| {
            config.default_audience = Some(audience.clone());
            config.listen = Some(format!("127.0.0.1:{port}"));
        })
        .await;
    let reply = t.ask_token(&form).await;
    assert_eq!(part(reply.text("access_token"), 1)["aud"], audience);
}
