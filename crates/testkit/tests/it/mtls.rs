use crate::client_authentication::certificate_pem;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tenantry_server::Config;
use tenantry_testkit::{Reply, Testkit, reply};

/// An authority, and its certificate in PEM.
fn authority(name: &str) -> (rcgen::Issuer<'static, rcgen::KeyPair>, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (rcgen::Issuer::new(params, key), pem)
}

/// Someone who presents a certificate, under the name that asks for one.
struct Presenter {
    http: reqwest::Client,
    base: String,
}

impl Presenter {
    fn new(t: &Testkit, host: &str, address: SocketAddr, identity: Option<&(String, String)>) -> Self {
        let ca = reqwest::Certificate::from_pem(&std::fs::read(&t.running().ca).unwrap()).unwrap();
        let mut http = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).resolve(host, address);
        if let Some((certificate, key)) = identity {
            http =
                http.identity(reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
        }
        Self { http: http.build().unwrap(), base: format!("https://{host}:{}", address.port()) }
    }

    async fn ask(&self, client_id: &str, audience: &str, more: &[(&str, &str)]) -> Reply {
        let mut form =
            vec![("grant_type", "client_credentials"), ("client_id", client_id), ("audience", audience)];
        form.extend_from_slice(more);
        reply(self.http.post(format!("{}/oauth/token", self.base)).form(&form).send().await.unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> u16 {
        self.http
            .get(format!("{}{path}", self.base))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }
}

fn address(t: &Testkit, index: usize) -> SocketAddr {
    t.running().listeners[index].rsplit_once("//").unwrap().1.parse().unwrap()
}

/// A client that authenticates by `method` with this credential, and may read clients.
async fn client(t: &Testkit, method: &str, credential: Value) -> String {
    let client = t
        .create_client(json!({
            "jwt_configuration": {"alg": "RS256"},
            "client_authentication_methods": {method: {"credentials": [credential]}},
        }))
        .await;
    let grant =
        json!({"client_id": client["client_id"], "audience": t.audience(), "scope": ["read:clients"]});
    let _ = t.admin.post("/api/v2/client-grants", &grant).await.expect(201);
    client["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_self_signed_certificate_is_recognized_by_its_thumbprint() {
    let t = Testkit::start().await;
    let own = certificate_pem("O=Acme\nCN=client", None);
    let same_name = certificate_pem("O=Acme\nCN=client", None);
    let id = client(&t, "self_signed_tls_client_auth", json!({"credential_type": "x509_cert", "pem": own.0}))
        .await;
    let at = address(&t, 0);
    let audience = t.audience();
    for (host, identity, status) in [
        ("mtls.localhost", Some(&own), 200),
        ("mtls.localhost", Some(&same_name), 401),
        ("mtls.localhost", None, 401),
        // The ordinary name asks for no certificate, so none is presented there.
        ("localhost", Some(&own), 401),
    ] {
        let reply = Presenter::new(&t, host, at, identity).ask(&id, &audience, &[]).await;
        assert_eq!(reply.status, status, "{host}: {}", reply.body);
        if status == 401 {
            assert_eq!(reply.text("error"), "invalid_client");
        }
    }
    let both = Presenter::new(&t, "mtls.localhost", at, Some(&own))
        .ask(&id, &audience, &[("client_secret", "x")])
        .await;
    assert_eq!(
        (both.status, both.text("error_description")),
        (400, "Multiple authentication methods provided, please use one.")
    );
}

#[tokio::test]
async fn a_subject_counts_only_from_a_trusted_authority() {
    let (issuer, pem) = authority("Trusted");
    let (impostor, _) = authority("Trusted");
    let files = tempfile::tempdir().unwrap();
    let authorities = files.path().join("ca.pem");
    std::fs::write(&authorities, pem).unwrap();
    let config =
        Config { mtls_ca: Some(authorities), mtls_listen: Some("127.0.0.1:0".into()), ..Config::default() };
    let t = Testkit::with(config).await;
    let id = client(
        &t,
        "tls_client_auth",
        json!({"credential_type": "cert_subject_dn", "subject_dn": "O=Acme\nCN=client"}),
    )
    .await;
    let good = certificate_pem("O=Acme\nCN=client", Some(&issuer));
    let audience = t.audience();
    for (identity, status, why) in [
        (
            certificate_pem("O=Acme\nCN=client", Some(&impostor)),
            401,
            "the same subject by another authority of the same name",
        ),
        (certificate_pem("O=Acme\nCN=client", None), 401, "the same subject, self-signed"),
        (certificate_pem("O=Acme\nCN=client2", Some(&issuer)), 401, "another subject"),
        (good.clone(), 200, "the right one"),
    ] {
        let reply = Presenter::new(&t, "mtls.localhost", address(&t, 0), Some(&identity))
            .ask(&id, &audience, &[])
            .await;
        assert_eq!(reply.status, status, "{why}: {}", reply.body);
    }
    // Whoever may choose a name must not be taken for somebody by it.
    let text = "CN=robot one,O=Okta,C=ES";
    let robot =
        client(&t, "tls_client_auth", json!({"credential_type": "cert_subject_dn", "subject_dn": text}))
            .await;
    for (subject, status) in [(text, 401), ("C=ES\nO=Okta\nCN=robot one", 200)] {
        let identity = certificate_pem(subject, Some(&issuer));
        let presenter = Presenter::new(&t, "mtls.localhost", address(&t, 0), Some(&identity));
        assert_eq!(presenter.ask(&robot, &audience, &[]).await.status, status, "{subject}");
    }
    for ambiguous in ["", "CN=x, O=z", "CN=CORP\\42user", "CN=plain ", "CN=a=b+c"] {
        let pem = certificate_pem(ambiguous, Some(&issuer)).0;
        let body = json!({"credential_type": "cert_subject_dn", "pem": pem});
        let refused = t.admin.post(&format!("/api/v2/clients/{robot}/credentials"), &body).await;
        assert_eq!((refused.status, refused.text("errorCode")), (400, "invalid_body"), "{ambiguous}");
    }
    // The listener of its own asks under every name.
    let reply = Presenter::new(&t, "localhost", address(&t, 1), Some(&good)).ask(&id, &audience, &[]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn a_bound_token_is_of_no_use_without_its_certificate() {
    let t = Testkit::start().await;
    let own = certificate_pem("CN=client", None);
    let stranger = certificate_pem("CN=client", None);
    let id = client(&t, "self_signed_tls_client_auth", json!({"credential_type": "x509_cert", "pem": own.0}))
        .await;
    let audience = t.audience();
    let presenter = Presenter::new(&t, "mtls.localhost", address(&t, 0), Some(&own));
    let claims = |token: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };

    let unbound = presenter.ask(&id, &audience, &[]).await;
    assert!(claims(unbound.text("access_token")).get("cnf").is_none(), "nobody asked for it");

    let apis = t.admin.get("/api/v2/resource-servers").await.expect(200);
    let api = format!("/api/v2/resource-servers/{}", apis[0]["id"].as_str().unwrap());
    let bind = json!({"proof_of_possession": {"mechanism": "mtls", "required": false}});
    let _ = t.admin.patch(&api, &bind).await.expect(200);
    let bound = presenter.ask(&id, &audience, &[]).await;
    let token = bound.text("access_token");
    let credential = t.admin.get(&format!("/api/v2/clients/{id}/credentials")).await.expect(200);
    assert_eq!(claims(token)["cnf"]["x5t#S256"], credential[0]["thumbprint_sha256"]);

    assert_eq!(presenter.get("/api/v2/clients", token).await, 200);
    assert_eq!(t.caller(token).get("/api/v2/clients").await.status, 401, "without a certificate");
    let other = Presenter::new(&t, "mtls.localhost", address(&t, 0), Some(&stranger));
    assert_eq!(other.get("/api/v2/clients", token).await, 401, "with another one");

    // Who must prove possession and has only a secret gets nothing.
    let machine = t.create_machine(&audience, &["read:clients"]).await;
    assert_eq!(t.ask(&machine, &audience, &[]).await.status, 200);
    let must = json!({"proof_of_possession": {"mechanism": "mtls", "required": true}});
    let _ = t.admin.patch(&api, &must).await.expect(200);
    assert_eq!(t.ask(&machine, &audience, &[]).await.status, 400);
    let public = json!({"proof_of_possession": {"mechanism": "mtls", "required": true, "required_for": "public_clients"}});
    let _ = t.admin.patch(&api, &public).await.expect(200);
    assert_eq!(t.ask(&machine, &audience, &[]).await.status, 200);
    let dpop = json!({"proof_of_possession": {"mechanism": "dpop", "required": true}});
    let _ = t.admin.patch(&api, &dpop).await.expect(200);
    assert_eq!(presenter.ask(&id, &audience, &[]).await.status, 400, "DPoP is not served");
}

#[tokio::test]
async fn a_forwarded_certificate_counts_only_from_a_trusted_proxy() {
    let own = certificate_pem("O=Acme\nCN=client", None);
    let encoded =
        percent_encoding::utf8_percent_encode(&own.0, percent_encoding::NON_ALPHANUMERIC).to_string();
    let start = async |network: &str| {
        let t = Testkit::with(Config {
            http_listen: Some("127.0.0.1:0".into()),
            trusted_proxy: Some(vec![network.parse().unwrap()]),
            client_cert_header: Some("Client-Certificate".into()),
            ..Config::default()
        })
        .await;
        let by_thumbprint =
            client(&t, "self_signed_tls_client_auth", json!({"credential_type": "x509_cert", "pem": own.0}))
                .await;
        let by_subject =
            client(&t, "tls_client_auth", json!({"credential_type": "cert_subject_dn", "pem": own.0})).await;
        (t, by_thumbprint, by_subject)
    };
    let ask = async |t: &Testkit, client_id: &str, verified: &[&str], copies: usize| {
        let base = &t.running().listeners[1];
        let audience = t.audience();
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("audience", &audience)];
        let mut request = t.http.post(format!("{base}/oauth/token")).form(&form);
        for _ in 0..copies {
            request = request.header("client-certificate", &encoded);
        }
        for verified in verified {
            request = request.header("client-certificate-ca-verified", *verified);
        }
        reply(request.send().await.unwrap()).await.status
    };
    let (t, by_thumbprint, by_subject) = start("127.0.0.0/8").await;
    assert_eq!(ask(&t, &by_thumbprint, &[], 1).await, 200);
    assert_eq!(ask(&t, &by_thumbprint, &[], 0).await, 401);
    assert_eq!(ask(&t, &by_thumbprint, &[], 2).await, 401, "two headers: one of them is not the proxy's");
    assert_eq!(ask(&t, &by_subject, &[], 1).await, 401, "nobody verified its issuer");
    assert_eq!(ask(&t, &by_subject, &["FAILED"], 1).await, 401);
    assert_eq!(ask(&t, &by_subject, &["SUCCESS"], 1).await, 200);
    let said = ["SUCCESS", "FAILED"];
    assert_eq!(ask(&t, &by_subject, &said, 1).await, 401, "two headers: one of them is not the proxy's");
    let (t, by_thumbprint, by_subject) = start("10.0.0.0/8").await;
    assert_eq!(ask(&t, &by_thumbprint, &[], 1).await, 401, "from elsewhere");
    assert_eq!(ask(&t, &by_subject, &["SUCCESS"], 1).await, 401, "from elsewhere");
}
