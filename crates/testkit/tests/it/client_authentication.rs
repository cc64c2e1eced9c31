use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::Duration;
use tenantry_jose::{RsaSigningKey, SigningAlgorithm, certificate, hs256, jwt};
use tenantry_testkit::{Reply, Testkit, client_path};
use time::OffsetDateTime;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Someone who signs assertions.
pub(crate) struct Signer {
    pub(crate) key: RsaSigningKey,
    pub(crate) pem: String,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let key = RsaSigningKey::generate().unwrap();
        let (from, until) =
            (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + time::Duration::days(50_000));
        let der = certificate::self_signed(&key, "client", from, until, 1).unwrap();
        Self { key, pem: certificate::to_pem(&der).unwrap() }
    }

    /// A client that authenticates by this key.
    pub(crate) async fn client(&self, t: &Testkit) -> Value {
        t.create_client(json!({
            "jwt_configuration": {"alg": "RS256"},
            "client_authentication_methods":
                {"private_key_jwt": {"credentials": [{"credential_type": "public_key", "pem": self.pem}]}},
        }))
        .await
    }

    /// A client by this key that may call the Management API.
    async fn machine(&self, t: &Testkit) -> String {
        let client = self.client(t).await;
        let grant =
            json!({"client_id": client["client_id"], "audience": t.audience(), "scope": ["read:clients"]});
        let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
        client["client_id"].as_str().unwrap().to_owned()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let algorithm =
            if header["alg"] == "PS256" { SigningAlgorithm::Ps256 } else { SigningAlgorithm::Rs256 };
        let input = jwt::signing_input(&header.to_string(), &claims.to_string());
        let signature = self.key.sign(algorithm, input.as_bytes()).unwrap();
        jwt::assemble(input, &signature)
    }
}

/// A P-256 certificate with this subject, and its key; issued by another, or by itself.
pub(crate) fn certificate_pem(
    subject: &str,
    issuer: Option<&rcgen::Issuer<'_, rcgen::KeyPair>>,
) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for part in subject.split('\n').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap();
        let kind = match name {
            "C" => rcgen::DnType::CountryName,
            "O" => rcgen::DnType::OrganizationName,
            _ => rcgen::DnType::CommonName,
        };
        params.distinguished_name.push(kind, value);
    }
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (certificate.pem(), key.serialize_pem())
}

fn claims(t: &Testkit, client_id: &str, jti: &str) -> Value {
    let now = t.clock.now_secs();
    json!({"iss": client_id, "sub": client_id, "aud": format!("{}/", t.base), "iat": now, "exp": now + 60, "jti": jti})
}

async fn ask(t: &Testkit, assertion: &str, more: &[(&str, &str)]) -> Reply {
    let audience = t.audience();
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("audience", &audience),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
    ];
    form.extend_from_slice(more);
    t.ask_token(&form).await
}

#[track_caller]
fn refused(reply: &Reply, why: &str) {
    assert_eq!((reply.status, reply.text("error")), (401, "invalid_client"), "{why}: {}", reply.body);
    assert_eq!(reply.text("error_description"), "Client authentication failed", "{why}: all look alike");
}

#[tokio::test]
async fn a_client_with_keys_proves_itself_by_them_and_by_nothing_else() {
    let t = Testkit::start().await;
    let signer = Signer::new();
    let client = signer.machine(&t).await;
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": signer.key.kid()});
    let good = signer.sign(&header, &claims(&t, &client, "1"));
    assert_eq!(ask(&t, &good, &[]).await.expect(200)["scope"], "read:clients");
    let without_kid = signer.sign(&json!({"alg": "RS256"}), &claims(&t, &client, "2"));
    assert_eq!(ask(&t, &without_kid, &[("client_id", &client)]).await.status, 200);
    let several = signer.sign(&header, &{
        let mut claims = claims(&t, &client, "3");
        claims["aud"] = json!(["https://other", format!("{}/", t.base)]);
        claims
    });
    assert_eq!(ask(&t, &several, &[]).await.status, 200);
    let fractions = signer.sign(&header, &{
        let mut claims = claims(&t, &client, "4");
        for (name, after) in [("exp", 60), ("iat", -1), ("nbf", -1)] {
            claims[name] = format!("{}.5", t.clock.now_secs() + after).parse().unwrap();
        }
        claims
    });
    assert_eq!(ask(&t, &fractions, &[]).await.status, 200);

    // Its secret exists but is of no use, in no place.
    let secrets = t.database().number("SELECT COUNT(secret) FROM client WHERE client_id = $1", &client);
    assert_eq!(secrets, 1);
    let audience = t.audience();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &client),
        ("client_secret", "x"),
        ("audience", &audience),
    ];
    assert_eq!(t.ask_token(&form).await.status, 401);
    let two = signer.sign(&header, &claims(&t, &client, "4"));
    let both = ask(&t, &two, &[("client_secret", "x")]).await;
    assert_eq!(
        (both.status, both.text("error_description")),
        (400, "Multiple authentication methods provided, please use one.")
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of what can be wrong")]
async fn every_check_of_an_assertion_can_fail() {
    let t = Testkit::start().await;
    let (signer, stranger) = (Signer::new(), Signer::new());
    let client = signer.machine(&t).await;
    let other = stranger.machine(&t).await;
    let header = json!({"alg": "RS256", "kid": signer.key.kid()});
    let now = t.clock.now_secs();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&t, &client, name);
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims(&t, &client, name);
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let long = "x".repeat(65);
    for (claims, why) in [
        (with("aud", json!("https://elsewhere/")), "wrong audience"),
        (with("aud", json!(t.base)), "audience without the slash"),
        (with("aud", json!([])), "no audience"),
        (with("iss", json!(other)), "another issuer"),
        (with("sub", json!(other)), "another subject"),
        (with("sub", json!("nobody")), "unknown subject"),
        (with("jti", json!(long)), "a long id"),
        (with("jti", json!("")), "an empty id"),
        (with("exp", json!(now)), "expired"),
        (with("exp", json!(now + 301)), "five minutes and a second"),
        (with("exp", json!(i64::MAX)), "never expires"),
        (with("exp", json!("soon")), "exp is no number"),
        (with("iat", json!(now + 11)), "issued in the future"),
        (with("nbf", json!(now + 11)), "not valid yet"),
        (without("aud"), "no aud"),
        (without("iss"), "no iss"),
        (without("sub"), "no sub"),
        (without("exp"), "no exp"),
        (without("jti"), "no jti"),
    ] {
        refused(&ask(&t, &signer.sign(&header, &claims), &[]).await, why);
    }
    let fine = [with("exp", json!(now + 300)), with("nbf", json!(now + 10)), without("iat")];
    for claims in fine {
        assert_eq!(ask(&t, &signer.sign(&header, &claims), &[]).await.status, 200, "{claims}");
    }

    let good = claims(&t, &client, "headers");
    let none = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(good.to_string())
    );
    let confused = {
        let input = jwt::signing_input(
            &json!({"alg": "HS256", "kid": signer.key.kid()}).to_string(),
            &good.to_string(),
        );
        let signature = hs256(signer.pem.as_bytes(), input.as_bytes());
        jwt::assemble(input, &signature)
    };
    let mut forged = signer.sign(&header, &good).into_bytes();
    let middle = forged.len() - 100;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    let by_stranger = stranger.sign(&header, &good);
    for (assertion, why) in [
        (none.clone(), "alg none"),
        (format!("{none}AA"), "alg none with a signature"),
        (confused, "HS256 with the public key as its secret"),
        (signer.sign(&json!({"alg": "PS256"}), &good), "another algorithm than the credential's"),
        (signer.sign(&json!({"alg": "RS256", "kid": stranger.key.kid()}), &good), "another kid"),
        (signer.sign(&json!({"alg": "RS256", "crit": ["exp"]}), &good), "critical extensions"),
        (signer.sign(&json!({"alg": "RS256RS256RS256RS256"}), &good), "a long alg"),
        (by_stranger, "another client's key"),
        (forged, "an altered signature"),
        ("a.b.c".into(), "no JWT"),
        ("x".into(), "no JWT at all"),
    ] {
        refused(&ask(&t, &assertion, &[]).await, why);
    }
    let padding = |length: usize| {
        let mut claims = claims(&t, &client, &format!("p{length}"));
        let mut pad = 0;
        loop {
            claims["pad"] = "x".repeat(pad).into();
            let assertion = signer.sign(&header, &claims);
            if assertion.len() >= length {
                return assertion;
            }
            pad += 1;
        }
    };
    let longest = padding(2_048);
    assert_eq!((longest.len(), ask(&t, &longest, &[]).await.status), (2_048, 200));
    refused(&ask(&t, &padding(2_049), &[]).await, "2,049 bytes");
    refused(
        &ask(&t, &signer.sign(&header, &claims(&t, &client, "id")), &[("client_id", &other)]).await,
        "another client_id",
    );

    let audience = t.audience();
    let assertion = signer.sign(&header, &claims(&t, &client, "type"));
    let form =
        [("grant_type", "client_credentials"), ("audience", &audience), ("client_assertion", &assertion)];
    assert_eq!(
        t.ask_token(&form).await.text("error_description"),
        "Missing required parameter: client_assertion_type"
    );
    let saml = [
        form[0],
        form[1],
        form[2],
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
    ];
    assert_eq!(
        (t.ask_token(&saml).await.status, t.ask_token(&saml).await.text("error").to_owned()),
        (400, "invalid_request".into())
    );

    // A client that authenticates by its secret has no use for assertions.
    let machine = t.create_machine(&t.audience(), &["read:clients"]).await;
    refused(
        &ask(&t, &signer.sign(&header, &claims(&t, &machine.client_id, "m")), &[]).await,
        "a client without keys",
    );
}

#[tokio::test]
async fn an_assertion_is_good_once_even_twice_at_a_time_and_after_a_restart() {
    let t = Testkit::start().await;
    let signer = Signer::new();
    let client = signer.machine(&t).await;
    let header = json!({"alg": "RS256"});
    let assertion = signer.sign(&header, &claims(&t, &client, "race"));
    let replies = futures(&t, &assertion).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "one of twenty");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        refused(reply, "replayed");
    }
    let port = t.base.rsplit_once(':').unwrap().1.to_owned();
    let t = t.restart(|config| config.listen = Some(format!("127.0.0.1:{port}"))).await;
    refused(&ask(&t, &assertion, &[]).await, "replayed after a restart");
    t.clock.advance(Duration::from_secs(61));
    let again = signer.sign(&header, &claims(&t, &client, "race"));
    assert_eq!(ask(&t, &again, &[]).await.status, 200, "an id may come back when its assertion could not");
}

async fn futures(t: &Testkit, assertion: &str) -> Vec<Reply> {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (http, url, audience, assertion) =
                (t.http.clone(), format!("{}/oauth/token", t.base), t.audience(), assertion.to_owned());
            tokio::spawn(async move {
                let form = [
                    ("grant_type", "client_credentials"),
                    ("audience", &audience),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", &assertion),
                ];
                tenantry_testkit::reply(http.post(url).form(&form).send().await.unwrap()).await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.unwrap());
    }
    replies
}

#[tokio::test]
async fn expired_disabled_and_deleted_credentials_prove_nothing() {
    let t = Testkit::start().await;
    let (one, two) = (Signer::new(), Signer::new());
    let client = one.machine(&t).await;
    let path = format!("/api/v2/clients/{client}");
    let list = t.admin.get(&format!("{path}/credentials")).await.expect(200);
    let first = list[0]["id"].as_str().unwrap().to_owned();
    let body = json!({"credential_type": "public_key", "pem": two.pem, "alg": "PS256"});
    let second = t.admin.post(&format!("{path}/credentials"), &body).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let enable = async |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let body = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": ids}}});
        let _ = t.admin.patch(&path, &body).await.expect(200);
    };
    let status = async |signer: &Signer, alg: &str, jti: &str| {
        ask(&t, &signer.sign(&json!({"alg": alg}), &claims(&t, &client, jti)), &[]).await.status
    };

    assert_eq!(
        (status(&one, "RS256", "1").await, status(&two, "PS256", "2").await),
        (200, 401),
        "not enabled yet"
    );
    enable(&[&first, &second]).await;
    assert_eq!((status(&one, "RS256", "3").await, status(&two, "PS256", "4").await), (200, 200));
    enable(&[&second]).await;
    assert_eq!((status(&one, "RS256", "5").await, status(&two, "PS256", "6").await), (401, 200), "disabled");
    let expires = tenantry_types::time::print(t.clock.now_ms() + 60_000);
    let _ = t
        .admin
        .patch(&format!("{path}/credentials/{second}"), &json!({"expires_at": expires}))
        .await
        .expect(200);
    assert_eq!(status(&two, "PS256", "7").await, 200);
    t.clock.advance(Duration::from_secs(60));
    assert_eq!(status(&two, "PS256", "8").await, 401, "expired");
    enable(&[]).await;
    assert_eq!(t.admin.delete(&format!("{path}/credentials/{second}")).await.status, 204);
    assert_eq!(t.admin.delete(&client_path(&json!({"client_id": client}))).await.status, 204);
    assert_eq!(status(&one, "RS256", "9").await, 401, "the client is gone");
}
