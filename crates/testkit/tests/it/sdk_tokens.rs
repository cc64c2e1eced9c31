//! Tokens of the SDK, and what it tells of itself.

use base64::Engine as _;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tenantry_sdk::{CredentialAlgorithm, Error, ListClients, ManagementClient, NewClient};
use tenantry_server::Config;
use tenantry_testkit::Testkit;
use tenantry_testkit::scripted::{Fault, Scripted};

async fn hundred_calls(sdk: &ManagementClient) -> Vec<Result<(), Error>> {
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let sdk = sdk.clone();
            tokio::spawn(async move { sdk.clients().list(&ListClients::default()).await.map(drop) })
        })
        .collect();
    let mut results = Vec::new();
    for call in calls {
        results.push(call.await.unwrap());
    }
    results
}

#[tokio::test]
async fn a_hundred_first_calls_ask_for_one_token() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    assert!(hundred_calls(&sdk).await.iter().all(Result::is_ok));
    assert_eq!(scripted.tokens(), 1);
    // All are refused, and one is asked for again.
    scripted.revoke_tokens();
    assert!(hundred_calls(&sdk).await.iter().all(Result::is_ok));
    assert_eq!(scripted.tokens(), 2);
}

#[tokio::test]
async fn a_hundred_calls_share_one_failure() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    scripted.script_tokens([Fault::Answer(401, vec![], r#"{"error":"access_denied"}"#.into())]);
    let results = hundred_calls(&sdk).await;
    assert_eq!(scripted.tokens(), 1);
    assert!(results.iter().all(|result| matches!(result, Err(Error::Token(_)))));
    // It is not held against those who come later.
    assert!(hundred_calls(&sdk).await.iter().all(Result::is_ok));
    assert_eq!(scripted.tokens(), 2);
    // A failure that may pass is tried again.
    for fault in [Fault::refuse(503), Fault::refuse(429), Fault::CutAfter, Fault::CutWithin] {
        let sdk = scripted.sdk().build().unwrap();
        scripted.script_tokens([fault]);
        let new = NewClient { name: "n".into(), ..NewClient::default() };
        let _ = sdk.clients().create(&new).await.unwrap();
    }
    for fault in [Fault::Instead(200, vec![], "{}".into()), Fault::Instead(200, vec![], "<html>".into())] {
        let sdk = scripted.sdk().build().unwrap();
        scripted.script_tokens([fault]);
        let error = sdk.clients().get("x").await.unwrap_err();
        let Error::Token(cause) = &error else { panic!("{error}") };
        assert!(matches!(**cause, Error::Decode(_)), "{error}");
    }
}

#[tokio::test]
async fn who_gives_up_does_not_hold_up_the_others() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    scripted.script_tokens([Fault::Silent]);
    let impatient = sdk.clients().list(&ListClients::default()).timeout(Duration::from_millis(200));
    let patient = sdk.clients().list(&ListClients::default());
    let (impatient, patient) = tokio::join!(impatient.into_future(), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        patient.await
    });
    assert!(impatient.unwrap_err().is_timeout());
    let _ = patient.unwrap();
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end_and_kept_when_that_fails() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    scripted.set_expires_in(3);
    let list = || sdk.clients().list(&ListClients::default());
    let _ = list().await.unwrap();
    let _ = list().await.unwrap();
    assert_eq!(scripted.tokens(), 1);
    // A tenth of its life before its end.
    tokio::time::sleep(Duration::from_millis(2750)).await;
    scripted.script_tokens([Fault::refuse(400)]);
    let _ = list().await.unwrap();
    assert_eq!(scripted.tokens(), 2, "it tried");
    let _ = list().await.unwrap();
    assert_eq!(scripted.tokens(), 2, "it does not try with every call");
}

#[tokio::test]
async fn it_says_which_sdk_calls_unless_it_shall_not() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    let _ = sdk.clients().list(&ListClients::default()).await.unwrap();
    let seen = scripted.seen();
    let about = base64::engine::general_purpose::STANDARD.decode(&seen[0].headers["auth0-client"]).unwrap();
    let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
    assert_eq!((&about["name"], about["version"].is_string()), (&"tenantry-sdk".into(), true));
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("tenantry-sdk/"));
    let silent = scripted.sdk().telemetry(false).build().unwrap();
    let _ = silent.clients().list(&ListClients::default()).await.unwrap();
    assert!(scripted.seen()[0].headers.get("auth0-client").is_none());
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_or_printed() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter("tenantry_sdk=trace")
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    let new = NewClient { name: "n4me".into(), ..NewClient::default() };
    let call = sdk.clients().create(&new).query("q", "qu3ry");
    let mut printed = format!("{call:?} {sdk:?} {:?}", scripted.sdk());
    scripted.script([Fault::refuse(429)]);
    let answer = call.with_response().await.unwrap();
    write!(printed, "{answer:?}").unwrap();
    scripted.script([Fault::Instead(200, vec![], r#"{"client_secret": "s3cr3t", "name": 5}"#.into())]);
    let error = sdk.clients().get("client1").await.unwrap_err();
    write!(printed, "{error:?} {error}").unwrap();
    scripted.script_tokens([Fault::Instead(
        200,
        vec![],
        r#"{"access_token": "token-s3cr3t", "expires_in": "x"}"#.into(),
    )]);
    scripted.revoke_tokens();
    let error = sdk.clients().get("client1").await.unwrap_err();
    write!(printed, "{error:?} {error}").unwrap();
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for word in ["management_call", "trying again", "asking for a token", "status=201", "api"] {
        assert!(logged.contains(word), "no {word} in {logged}");
    }
    assert!(printed.contains("n4me") && !logged.contains("n4me") && !logged.contains("qu3ry"));
    for text in [logged, printed] {
        assert!(!text.contains("s3cr3t") && !text.contains("token-"), "{text}");
    }
}

#[tokio::test]
async fn keys_and_certificates_get_tokens() {
    use crate::client_authentication::Signer;
    let t = Testkit::with(Config { mtls_listen: Some("127.0.0.1:0".into()), ..Config::default() }).await;
    let sdk = t.sdk().await;
    let ca = std::fs::read(&t.running().ca).unwrap();
    let grant = async |client: serde_json::Value| {
        let client = t.create_client(client).await;
        let grant = serde_json::json!({
            "client_id": client["client_id"], "audience": t.audience(), "scope": ["read:clients"],
        });
        let _ = sdk.client_grants().create(&serde_json::from_value(grant).unwrap()).await.unwrap();
        client["client_id"].as_str().unwrap().to_owned()
    };
    for algorithm in ["RS256", "RS384", "PS256"] {
        let signer = Signer::new();
        let key = serde_json::json!({"credential_type": "public_key", "pem": signer.pem, "alg": algorithm});
        let id = grant(serde_json::json!({
            "jwt_configuration": {"alg": "RS256"},
            "client_authentication_methods": {"private_key_jwt": {"credentials": [key]}},
        }))
        .await;
        let pem = pem::encode(&pem::Pem::new("PRIVATE KEY", signer.key.to_pkcs8().unwrap().to_vec()));
        let by_key = |algorithm: &str| {
            ManagementClient::builder(&t.base)
                .private_key_jwt_by(&id, &pem, None, &CredentialAlgorithm::from(algorithm))
                .ca_certificate(ca.clone())
                .build()
                .unwrap()
        };
        assert_eq!(by_key(algorithm).clients().get(&id).await.unwrap().client_id.unwrap().as_str(), id);
        let other = if algorithm == "PS256" { "RS256" } else { "PS256" };
        let refused = by_key(other).clients().get(&id).await.unwrap_err();
        assert!(matches!(&refused, Error::Token(_)) && refused.status().unwrap() == 401, "{refused}");
    }

    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
    let credential = serde_json::json!({"credential_type": "x509_cert", "pem": certificate});
    let id = grant(serde_json::json!({
        "jwt_configuration": {"alg": "RS256"},
        "client_authentication_methods": {"self_signed_tls_client_auth": {"credentials": [credential]}},
    }))
    .await;
    let mtls = t.running().listeners.iter().find(|url| !t.base.ends_with(url.rsplit(':').next().unwrap()));
    let port = mtls.unwrap().rsplit(':').next().unwrap();
    let by_certificate = ManagementClient::builder(&t.base)
        .mtls(&id, certificate + &key.serialize_pem())
        .token_endpoint(format!("https://localhost:{port}/oauth/token"))
        .ca_certificate(ca)
        .build()
        .unwrap();
    assert!(by_certificate.clients().get(&id).await.is_ok());
}
