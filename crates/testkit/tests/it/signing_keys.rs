//! Signing keys: rotation, revocation, what is published and what signs.

use serde_json::{Value, json};
use std::time::Duration;
use tenantry_jose::{Jwk, VerifyingAlgorithm, jwt::Unverified};
use tenantry_testkit::{Caller, Credentials, Testkit};

const KEYS: &str = "/api/v2/keys/signing";
const JWKS: &str = "/.well-known/jwks.json";

async fn keys(caller: &Caller) -> Vec<Value> {
    caller.get(KEYS).await.expect(200).as_array().unwrap().clone()
}

/// The ids of the keys that are in this state.
async fn in_state(caller: &Caller, state: &str) -> Vec<String> {
    let all = keys(caller).await.into_iter().filter(|key| key[state] == true);
    all.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn published(t: &Testkit) -> Vec<String> {
    let set = t.nobody().get(JWKS).await.expect(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid(token: &str) -> String {
    Unverified::parse(token).unwrap().header.kid.unwrap()
}

async fn rotate(t: &Testkit) -> String {
    let next = t.admin.post(&format!("{KEYS}/rotate"), &json!(null)).await.expect(201);
    assert!(next["cert"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\r\n"));
    assert_eq!(next.as_object().unwrap().len(), 2);
    next["kid"].as_str().unwrap().to_owned()
}

async fn revoke(caller: &Caller, kid: &str) -> u16 {
    caller.put(&format!("{KEYS}/{kid}/revoke"), &json!(null)).await.status
}

#[tokio::test]
async fn a_fresh_tenant_has_a_current_and_a_next_key_and_publishes_both() {
    let t = Testkit::start().await;
    let (current, next) = (in_state(&t.admin, "current").await, in_state(&t.admin, "next").await);
    assert_eq!((current.len(), next.len()), (1, 1));
    assert_eq!(published(&t).await, [current.clone(), next].concat());
    let key = keys(&t.admin).await.into_iter().find(|key| key["current"] == true).unwrap();
    let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["cert", "pkcs7", "kid", "current", "current_since", "fingerprint", "thumbprint"]);
    assert_eq!(key["fingerprint"].as_str().unwrap().replace(':', ""), key["thumbprint"].as_str().unwrap());
    assert_eq!(t.admin.get(&format!("{KEYS}/{}", current[0])).await.expect(200), key);
    let missing = t.admin.get(&format!("{KEYS}/nothing")).await;
    assert_eq!((missing.status, missing.text("message")), (404, "Signing key not found."));
}

#[tokio::test]
async fn rotation_moves_every_key_one_place_on() {
    let mut t = Testkit::start().await;
    let (first, second) = (in_state(&t.admin, "current").await, in_state(&t.admin, "next").await);
    let client = t.create_client(json!({})).await;
    let certificate = async |t: &Testkit| {
        let path = format!("/api/v2/clients/{}", client["client_id"].as_str().unwrap());
        t.admin.get(&path).await.expect(200)["signing_keys"].clone()
    };
    let before = certificate(&t).await;
    t.clock.advance(Duration::from_secs(60));

    let third = rotate(&t).await;
    assert_eq!(in_state(&t.admin, "previous").await, first);
    assert_eq!(in_state(&t.admin, "current").await, second);
    assert_eq!(in_state(&t.admin, "next").await, std::slice::from_ref(&third));
    assert_eq!(published(&t).await, [second.clone(), vec![third.clone()], first.clone()].concat());
    let all = keys(&t.admin).await;
    let previous = all.iter().find(|key| key["previous"] == true).unwrap();
    let current = all.iter().find(|key| key["current"] == true).unwrap();
    assert!(previous["current_since"].as_str() < previous["current_until"].as_str());
    assert_eq!(previous["current_until"], current["current_since"]);
    let after = certificate(&t).await;
    assert_ne!(after, before, "clients show the certificate of the key that signs");
    assert_eq!((after.as_array().unwrap().len(), &after[0]["cert"]), (1, &current["cert"]));

    // The old token is good, new ones are signed by the new key, and the published key verifies them.
    assert_eq!(t.admin.get("/api/v2/clients").await.status, 200);
    let token = t.token(&t.admin_credentials().await, &t.audience()).await;
    assert_eq!(kid(&token), second[0]);
    let set = t.nobody().get(JWKS).await.expect(200);
    let parsed = Unverified::parse(&token).unwrap();
    let verifies = |jwk: &Value| {
        let jwk: Jwk = serde_json::from_value(jwk.clone()).unwrap();
        let key = jwk.public_key(VerifyingAlgorithm::Rs256).unwrap();
        key.verifies(parsed.signing_input.as_bytes(), &parsed.signature)
    };
    let good: Vec<_> = set["keys"].as_array().unwrap().iter().map(verifies).collect();
    assert_eq!(good, [true, false, false]);

    // A second rotation leaves two previous keys, and all of it outlives a restart.
    let fourth = rotate(&t).await;
    let expected = [vec![third, fourth], second, first].concat();
    assert_eq!(published(&t).await, expected);
    t = t.restart(|_| ()).await;
    assert_eq!(published(&t).await, expected);
}

#[tokio::test]
async fn a_revoked_keys_tokens_are_refused_at_once_although_they_were_verified_before() {
    let mut t = Testkit::start().await;
    let old = t.admin.clone();
    let first = in_state(&old, "current").await.remove(0);
    assert_eq!(revoke(&old, &first).await, 400, "the current key");
    assert_eq!(revoke(&old, &in_state(&old, "next").await[0]).await, 400, "the next key");
    assert_eq!(revoke(&old, "nothing").await, 404);
    let _ = rotate(&t).await;
    assert_eq!(old.get("/api/v2/clients").await.status, 200);
    t.renew_admin().await;

    let revoked = t.admin.put(&format!("{KEYS}/{first}/revoke"), &json!({})).await.expect(200);
    assert_eq!(revoked["kid"], first.as_str());
    let refused = old.get("/api/v2/clients").await;
    assert_eq!(refused.status, 401);
    assert!(!published(&t).await.contains(&first));
    let shown = t.admin.get(&format!("{KEYS}/{first}")).await.expect(200);
    assert_eq!((&shown["revoked"], shown.get("previous")), (&json!(true), None));
    assert!(shown["revoked_at"].is_string());
    assert_eq!(revoke(&t.admin, &first).await, 200, "once more changes nothing");
    assert_eq!(t.admin.get(&format!("{KEYS}/{first}")).await.expect(200), shown);
    let length = "SELECT LENGTH(private_key) FROM signing_key WHERE kid = $1";
    assert_eq!(t.database().number(&format!("SELECT CAST(({length}) AS BIGINT)"), &first), 0);

    // The last three that were revoked are listed; the others are still there by their ids.
    for _ in 0..3 {
        t.clock.advance(Duration::from_secs(1));
        let current = in_state(&t.admin, "current").await.remove(0);
        let _ = rotate(&t).await;
        t.renew_admin().await;
        assert_eq!(revoke(&t.admin, &current).await, 200);
    }
    let listed = in_state(&t.admin, "revoked").await;
    assert!(listed.len() == 3 && !listed.contains(&first), "{listed:?}");
    assert_eq!(t.admin.get(&format!("{KEYS}/{first}")).await.status, 200);
    assert_eq!(old.get("/api/v2/clients").await.status, 401);
}

#[tokio::test]
async fn rotating_needs_both_scopes() {
    let t = Testkit::start().await;
    for scope in ["create:signing_keys", "update:signing_keys"] {
        let reply = t.with_scopes(&[scope]).await.post(&format!("{KEYS}/rotate"), &json!(null)).await;
        assert_eq!((reply.status, reply.text("errorCode")), (403, "insufficient_scope"));
    }
    let both = t.with_scopes(&["create:signing_keys", "update:signing_keys"]).await;
    assert_eq!(both.post(&format!("{KEYS}/rotate"), &json!(null)).await.status, 201);
    assert_eq!(in_state(&t.admin, "previous").await.len(), 1);
}

#[tokio::test]
async fn rotations_at_once_each_count_and_leave_one_current_and_one_next_key() {
    let t = Testkit::start().await;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let admin = t.admin.clone();
            tokio::spawn(async move { admin.post(&format!("{KEYS}/rotate"), &json!(null)).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 201);
    }
    let count = async |state: &str| in_state(&t.admin, state).await.len();
    assert_eq!((count("current").await, count("next").await, count("previous").await), (1, 1, 4));
}

#[tokio::test]
async fn what_one_node_rotates_and_revokes_counts_on_the_other() {
    let mut a = Testkit::start().await;
    let Some(b) = a.second_node().await else { return };
    let (old, admin): (Caller, Credentials) =
        (b.caller(&a.token(&a.admin_credentials().await, &a.audience()).await), a.admin_credentials().await);
    assert_eq!(old.get("/api/v2/clients").await.status, 200);
    let first = in_state(&a.admin, "current").await.remove(0);
    let second = in_state(&b.admin, "next").await;
    assert_eq!(in_state(&a.admin, "next").await, second, "two nodes make one next key");
    let _ = rotate(&a).await;
    // The other node verifies what the new key signed, whether or not it has heard of the rotation.
    a.renew_admin().await;
    assert_eq!(kid(&a.token(&admin, &a.audience()).await), second[0]);
    let token = a.token(&admin, &a.audience()).await;
    assert_eq!(b.caller(&token).get("/api/v2/clients").await.status, 200);

    assert_eq!(revoke(&a.admin, &first).await, 200);
    let since = std::time::Instant::now();
    while old.get("/api/v2/clients").await.status != 401 {
        assert!(since.elapsed() < Duration::from_secs(1), "a revoked key counts on the other node");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(published(&b).await, published(&a).await);
    assert_eq!(kid(&b.token(&admin, &b.audience()).await), second[0]);
}

#[tokio::test]
async fn key_set_and_metadata_may_be_kept_and_asked_for_again() {
    let t = Testkit::start().await;
    for path in [JWKS, "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let first = t.nobody().get(path).await;
        assert!(first.headers["cache-control"].to_str().unwrap().contains("max-age="), "{path}");
        let etag = first.headers["etag"].to_str().unwrap().to_owned();
        let ask = async |known: &str| {
            let request = t.nobody().request(reqwest::Method::GET, path).header("if-none-match", known);
            t.nobody().send(request).await
        };
        for known in [&etag, "*", &format!("\"other\", {etag}"), etag.trim_start_matches("W/")] {
            let again = ask(known).await;
            assert_eq!((again.status, &again.body), (304, &Value::Null), "{path} {known}");
            assert_eq!(again.headers["etag"], etag.as_str());
            assert_eq!(again.headers["cache-control"], first.headers["cache-control"]);
        }
        assert_eq!(ask("\"other\"").await.expect(200), first.body);
    }
    let before = t.nobody().get(JWKS).await.headers["etag"].clone();
    let _ = rotate(&t).await;
    assert_ne!(t.nobody().get(JWKS).await.headers["etag"], before);
}
