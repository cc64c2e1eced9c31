//! `export`, `apply` and `serve --seed`, from tenant to tenant.

use crate::{PROGRAM, run, serve};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A machine with documents and servers.
struct Desk(TempDir);

const KEY: &str = "-----BEGIN PUBLIC KEY-----
@KEY@
-----END PUBLIC KEY-----
";

impl Desk {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a command against the server of a data directory: exit code, output, errors.
    fn tenantry(&self, data: &str, args: &[&str]) -> (i32, String, String) {
        let out = Command::new(PROGRAM)
            .args(args)
            .args(["--data-dir", self.path(data).to_str().unwrap()])
            .env_clear()
            .env("HOME", self.0.path())
            .env("STAGE", "test")
            .env(
                "AUTH0_KEYWORD_REPLACE_MAPPINGS",
                r#"{"URLS": ["https://a.example/cb", "https://b.example/cb"]}"#,
            )
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
    }

    fn ok(&self, data: &str, args: &[&str]) -> String {
        let (code, out, err) = self.tenantry(data, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    fn json(&self, data: &str, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(data, &[args, &["--json"]].concat())).unwrap()
    }

    fn exported(&self, data: &str) -> Value {
        serde_json::from_str(&self.ok(data, &["export", "--format", "json"])).unwrap()
    }
}

/// A tenant with something of everything.
fn everything() -> String {
    let pem = KEY.replace("@KEY@", KEY_BODY.trim_end());
    let document = json!({
        "resourceServers": [{
            "identifier": "https://api.example/", "name": "An API",
            "scopes": [{"value": "read:x", "description": "reads"}, {"value": "write:x"}],
            "token_dialect": "rfc9068_profile_authz",
        }],
        "clients": [
            {
                "name": "Web", "app_type": "regular_web", "callbacks": ["https://a.example/cb"],
                "client_metadata": {"on": "yes", "n": "007"}, "allowed_clients": ["Robot"],
                "description": "lines\nand: colons # and more",
            },
            {
                "name": "Robot", "jwt_configuration": {"alg": "RS256"},
                "client_authentication_methods": {"private_key_jwt": {"credentials": [{"pem": pem, "name": "k"}]}},
                "signed_request_object": {"required": true, "credentials": [{"pem": pem, "name": "k"}]},
                "credentials": [{"credential_type": "cert_subject_dn", "subject_dn": "CN=x"}],
            },
            {"name": "Partner", "is_first_party": false, "third_party_security_mode": "strict"},
            {"name": "Page", "app_type": "spa", "token_endpoint_auth_method": "none"},
            {"name": "Itself", "app_type": "resource_server", "resource_server_identifier": "https://api.example/"},
        ],
        "clientGrants": [
            {"client_id": "Web", "audience": "https://api.example/", "scope": ["read:x"]},
            {"client_id": "Web", "audience": "https://##AUTH0_DOMAIN##/api/v2/", "scope": ["read:clients"]},
            {"client_id": "Robot", "audience": "https://api.example/", "allow_all_scopes": true},
            {"default_for": "third_party_clients", "audience": "https://api.example/", "scope": []},
        ],
    });
    document.to_string()
}

#[test]
fn a_document_makes_another_tenant_the_same() {
    let desk = Desk::new();
    let (one, two) = (serve(&desk.path("one"), &[]), serve(&desk.path("two"), &[]));
    let document = desk.write("everything.json", &everything());

    let (code, plan, said) = desk.tenantry("one", &["apply", &document, "--dry-run"]);
    assert_eq!(code, 3, "{said}");
    assert!(
        plan.contains("+ application Robot\n") && plan.contains("+ grant Web → https://api.example/\n"),
        "{plan}"
    );
    assert_eq!(desk.exported("one")["clients"], json!([]), "a dry run changes nothing");
    desk.ok("one", &["apply", &document]);
    let (code, plan, said) = desk.tenantry("one", &["apply", &document, "--dry-run"]);
    assert_eq!((code, plan.as_str(), said.as_str()), (0, "", "nothing to change\n"));
    assert_eq!(desk.ok("one", &["apply", &document]), "");

    for name in ["tenant.yaml", "tenant.json"] {
        let file = desk.path(name);
        let file = file.to_str().unwrap();
        desk.ok("one", &["export", "-o", file]);
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains("https://##AUTH0_DOMAIN##/api/v2/"), "{text}");
        for word in ["client_secret", "signing_keys", "Tenantry Admin", "cred_", "localhost"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert_eq!(desk.tenantry("one", &["apply", file, "--dry-run"]).0, 0);
        desk.ok("two", &["apply", file]);
        assert_eq!(desk.tenantry("two", &["apply", file, "--dry-run"]).0, 0);
        let again = desk.path("again").with_extension(name.rsplit_once('.').unwrap().1);
        desk.ok("two", &["export", "-o", again.to_str().unwrap()]);
        assert_eq!(std::fs::read_to_string(again).unwrap(), text);
    }
    assert_eq!(one.stop("TERM").0, Some(0));
    assert_eq!(two.stop("TERM").0, Some(0));
}

#[test]
fn a_change_shows_what_differs_and_nothing_else_changes() {
    let desk = Desk::new();
    let server = serve(&desk.path("one"), &[]);
    desk.ok("one", &["apply", &desk.write("everything.json", &everything())]);
    let before = desk.exported("one");
    let document = desk.write(
        "change.yaml",
        "clients:
- name: Web
  callbacks: [https://b.example/cb, https://a.example/cb]
  client_metadata: {n: '008'}
  description: ''
  jwt_configuration: {lifetime_in_seconds: 100}
  client_secret: a-secret-of-ones-own-0123456789-0123456789-01234
- name: Robot
  credentials: []
  client_authentication_methods: null
  signed_request_object: null
  token_endpoint_auth_method: client_secret_post
clientGrants:
- {client_id: Web, audience: https://api.example/, scope: [write:x, read:x]}
",
    );
    let (code, plan, said) = desk.tenantry("one", &["apply", &document, "--dry-run"]);
    assert_eq!(code, 3, "{said}");
    assert_eq!(
        plan.split("~ application Robot").next().unwrap(),
        "~ application Web
    callbacks:
      + \"https://b.example/cb\"
    client_metadata.n: \"007\" → \"008\"
    client_metadata.on: \"yes\" → (none)
    description: \"lines\\nand: colons # and more\" → \"\"
    jwt_configuration.lifetime_in_seconds: 36000 → 100
    client_secret: \"[secret]\" → \"[another secret]\"
"
    );
    assert!(
        plan.ends_with("~ grant Web → https://api.example/\n    scope:\n      + \"write:x\"\n"),
        "{plan}"
    );
    assert!(said.contains("6 objects of the tenant are not in the document"), "{said}");
    let (_, changes, _) = desk.tenantry("one", &["apply", &document, "--dry-run", "--json"]);
    let changes: Value = serde_json::from_str(&changes).unwrap();
    assert_eq!(changes["changes"][0]["action"], "update");
    assert!(!changes.to_string().contains("of-ones-own"));

    desk.ok("one", &["apply", &document]);
    assert_eq!(desk.tenantry("one", &["apply", &document, "--dry-run"]).0, 0);
    let after = desk.exported("one");
    assert_eq!(after["resourceServers"], before["resourceServers"]);
    assert_eq!(after["clients"].as_array().unwrap().len(), 5);
    let web = desk.json("one", &["clients", "list", "--all"]);
    let web = web.as_array().unwrap().iter().find(|client| client["name"] == "Web").unwrap().clone();
    let shown = desk.json(
        "one",
        &[
            "clients",
            "get",
            web["client_id"].as_str().unwrap(),
            "--reveal-secrets",
            "--fields",
            "client_secret",
        ],
    );
    assert_eq!(shown, json!({"client_secret": "a-secret-of-ones-own-0123456789-0123456789-01234"}));

    // Nothing is deleted unless that is asked for, and then somebody is asked.
    let (code, _, said) = desk.tenantry("one", &["apply", &document, "--delete"]);
    assert!(code == 1 && said.contains("--yes"), "{said}");
    let (code, plan, _) = desk.tenantry("one", &["apply", &document, "--delete", "--dry-run"]);
    assert!(
        code == 3 && plan.contains("- application Partner\n") && plan.contains("cert_subject_dn CN=x"),
        "{plan}"
    );
    desk.ok("one", &["apply", &document, "--delete", "--yes"]);
    let left = desk.exported("one");
    let names: Vec<_> = left["clients"].as_array().unwrap().iter().map(|client| &client["name"]).collect();
    assert_eq!(names, ["Robot", "Web"]);
    assert_eq!(left["clients"][0].get("credentials"), None);
    assert_eq!(left["clientGrants"].as_array().unwrap().len(), 1);
    assert_eq!(
        left["resourceServers"], before["resourceServers"],
        "a section that the document does not have"
    );
    assert_eq!(desk.tenantry("one", &["apply", &document, "--delete", "--dry-run"]).0, 0);
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn keys_are_replaced_and_end_when_the_document_says() {
    let desk = Desk::new();
    let server = serve(&desk.path("one"), &[]);
    let robot = |credentials: Value, used: &str| {
        let client = json!({
            "name": "Robot", "jwt_configuration": {"alg": "RS256"}, "credentials": credentials,
            "client_authentication_methods": {"private_key_jwt": {"credentials": [{"kid": used}]}},
        });
        desk.write("robot.json", &json!({"clients": [client]}).to_string())
    };
    let key = |kid: &str| json!({"credential_type": "public_key", "kid": kid, "pem": KEY.replace("@KEY@", KEY_BODY.trim_end())});
    desk.ok("one", &["apply", &robot(json!([key("first-key-0")]), "first-key-0")]);
    let mut first = key("first-key-0");
    first["expires_at"] = json!("2040-01-01T00:00:00Z");
    let both = robot(json!([first, key("second-key")]), "second-key");
    let plan = desk.ok("one", &["apply", &both]);
    assert!(plan.contains("credentials.public_key first-key-0.expires_at: (none) →"), "{plan}");
    assert!(plan.contains("+ \"public_key second-key\""), "{plan}");
    assert_eq!(desk.tenantry("one", &["apply", &both, "--dry-run"]).0, 0);
    desk.ok("one", &["apply", &robot(json!([key("second-key")]), "second-key"), "--delete", "--yes"]);
    let credentials = desk.exported("one")["clients"][0]["credentials"].clone();
    assert_eq!(credentials.as_array().unwrap().len(), 1);
    assert_eq!(credentials[0]["kid"], "second-key");

    let mut other = key("second-key");
    other["alg"] = json!("PS256");
    let unseen = json!([{"credential_type": "public_key", "kid": "a-third-key"}]);
    let broken = json!([{"credential_type": "public_key", "pem": "x"}]);
    for (credentials, used, expected) in [
        (json!([other]), "second-key", "cannot be changed but for its end"),
        (json!([]), "a-third-key", "there is no such credential"),
        (unseen, "a-third-key", "add the public key"),
        (broken, "second-key", "PEM-encoded"),
    ] {
        let (code, _, said) = desk.tenantry("one", &["apply", &robot(credentials, used)]);
        assert!(code == 1 && said.contains("the application Robot") && said.contains(expected), "{said}");
    }
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn documents_of_deploy_cli_are_understood() {
    let desk = Desk::new();
    let server = serve(&desk.path("one"), &[]);
    let yaml = desk.write(
        "tenant.yaml",
        "tenant: {friendly_name: x}
clients:
- name: My ##STAGE## app
  callbacks: @@URLS@@
  custom_login_page: ./login.html
  cross_origin_auth: true
resourceServers:
- {name: An API, identifier: 'https://##STAGE##.example/', scopes: [{value: a}]}
clientGrants:
- {client_id: My ##STAGE## app, audience: 'https://##STAGE##.example/', scope: [a]}
- {client_id: My ##STAGE## app, audience: 'https://##AUTH0_DOMAIN##/api/v2/', scope: ['read:clients']}
",
    );
    desk.write("clients/login.html", "<p>##STAGE##</p>");
    let (code, _, said) = desk.tenantry("one", &["apply", &yaml]);
    assert!(code == 0 && said.contains("passed over, tenantry does not manage them: tenant"), "{said}");
    assert_eq!(desk.tenantry("one", &["apply", &yaml, "--dry-run"]).0, 0);
    let exported = desk.exported("one");
    let client = &exported["clients"][0];
    assert_eq!(client["name"], "My test app");
    assert_eq!(client["callbacks"], json!(["https://a.example/cb", "https://b.example/cb"]));
    assert_eq!(client["custom_login_page"], "<p>test</p>");
    assert_eq!(client["cross_origin_authentication"], true);
    assert_eq!(exported["clientGrants"].as_array().unwrap().len(), 2);

    // The same in its other form, one object a file.
    desk.write(
        "folder/clients/app.json",
        r#"{"name": "My ##STAGE## app", "callbacks": @@URLS@@, "custom_login_page": "./login.html"}"#,
    );
    desk.write("folder/clients/login.html", "<p>##STAGE##</p>");
    desk.write(
        "folder/resource-servers/api.json",
        r#"{"name": "An API", "identifier": "https://##STAGE##.example/"}"#,
    );
    desk.write(
        "folder/grants/g.json",
        r#"{"client_id": "My ##STAGE## app", "audience": "https://##STAGE##.example/", "scope": ["a"]}"#,
    );
    let folder = desk.path("folder");
    let (code, plan, said) = desk.tenantry("one", &["apply", folder.to_str().unwrap(), "--dry-run"]);
    assert_eq!((code, plan.as_str()), (0, ""), "{said}");

    let literal = desk.write("literal.json", r###"{"clients": [{"name": "##X## @@Y@@"}]}"###);
    let (code, _, said) = desk.tenantry("one", &["apply", &literal]);
    assert!(code == 1 && said.contains("X, Y") && said.contains("--keyword"), "{said}");
    let (code, plan, _) =
        desk.tenantry("one", &["apply", &literal, "--keyword", "X=1", "--keyword", "Y=2", "--dry-run"]);
    assert!(code == 1 || plan.contains("+ application 1"), "{plan}");
    desk.ok("one", &["apply", &literal, "--no-keywords"]);
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn what_a_document_cannot_mean_is_refused_before_anything_changes() {
    let desk = Desk::new();
    let server = serve(&desk.path("one"), &[]);
    for _ in 0..2 {
        desk.ok("one", &["clients", "create", "--name", "Twin"]);
    }
    desk.ok("one", &["clients", "create", "--name", "Single"]);
    let before = desk.exported("one");
    let first = before["clients"][1]["client_id"].as_str().expect("twins are told apart by id");
    for (document, expected) in [
        ("clients: [{name: Twin}]", "2 applications are called `Twin`"),
        ("clients: [{name: A}, {name: A}]", "twice"),
        ("clients: [{callbacks: []}]", "has no name"),
        (
            "clients: [{name: B}]\nclientGrants: [{client_id: C, audience: 'https://##AUTH0_DOMAIN##/api/v2/'}]",
            "`C`",
        ),
        (
            "clientGrants: [{client_id: Twin, audience: 'https://##AUTH0_DOMAIN##/api/v2/'}]",
            "2 applications have that name",
        ),
        (
            "clientGrants: [{client_id: Single, audience: 'https://nowhere/'}]",
            "neither the document nor the tenant has",
        ),
        (
            "clients: [{name: D, client_authentication_methods: {private_key_jwt: {credentials: [{id: cred_x}]}}}]",
            "another tenant",
        ),
        ("resourceServers: [{identifier: a}, {identifier: a}]", "twice"),
        ("resourceServers: [{name: a}]", "no identifier"),
    ] {
        let file = desk.write("bad.yaml", document);
        let (code, _, said) = desk.tenantry("one", &["apply", &file]);
        assert!(code == 1 && said.contains(expected), "{document}: {said}");
        assert_eq!(desk.exported("one"), before);
    }
    // The server's own rules speak of the object they are about.
    let file = desk.write("bad.yaml", "clients: [{name: E, app_type: toaster}]");
    let (code, _, said) = desk.tenantry("one", &["apply", &file]);
    assert!(code == 1 && said.contains("application E: 400"), "{said}");

    let document = json!({"clients": [{"name": "Twin", "client_id": first, "description": "this one"}]});
    desk.ok("one", &["apply", &desk.write("good.json", &document.to_string())]);
    let after = desk.exported("one");
    let changed =
        after["clients"].as_array().unwrap().iter().filter(|client| client["description"] == "this one");
    assert_eq!(changed.map(|client| &client["client_id"]).collect::<Vec<_>>(), [first]);
    // The caller's own application is never touched.
    let admin = desk.write("admin.yaml", "clients: [{name: Tenantry Admin, description: mine}]");
    let (code, plan, said) = desk.tenantry("one", &["apply", &admin]);
    assert!(code == 0 && plan.is_empty() && said.contains("left alone"), "{said}");
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn a_seed_is_applied_once_at_the_first_start_that_succeeds() {
    let desk = Desk::new();
    let data = desk.path("data");
    let seed = desk.write("seed.yaml", "clients: [{name: Seeded, app_type: toaster}]");
    let args = ["--listen", "127.0.0.1:0", "--seed", &seed];
    let failed = run(&data, "serve", &args);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("seed.yaml: application Seeded: 400") && !said.contains("\nready"), "{said}");
    let missing = run(&data, "serve", &["--listen", "127.0.0.1:0", "--seed", "/nonexistent"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nonexistent"));

    desk.write("seed.yaml", "clients: [{name: Seeded, app_type: spa}]");
    let count = || {
        let list = desk.json("data", &["clients", "list", "--all", "--fields", "name"]);
        list.as_array().unwrap().iter().filter(|client| client["name"] == "Seeded").count()
    };
    let server = serve(&data, &["--seed", &seed]);
    assert_eq!(count(), 1);
    let list = desk.json("data", &["clients", "list", "--all"]);
    let id = list.as_array().unwrap().iter().find(|client| client["name"] == "Seeded").unwrap()["client_id"]
        .clone();
    desk.ok("data", &["clients", "delete", id.as_str().unwrap(), "--yes"]);
    assert_eq!(server.stop("TERM").0, Some(0));

    let server = serve(&data, &["--seed", &seed]);
    assert_eq!(count(), 0, "what was deleted does not come back");
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_seeded_too() {
    let desk = Desk::new();
    let (certificate, key) = (desk.path("cert.pem"), desk.path("key.pem"));
    certify(&certificate, &key);
    let seed = desk.write("seed.yaml", "clients: [{name: Seeded}]");
    let server = serve(
        &desk.path("data"),
        &[
            "--domain",
            "tenant.example",
            "--seed",
            &seed,
            "--tls-cert",
            certificate.to_str().unwrap(),
            "--tls-key",
            key.to_str().unwrap(),
        ],
    );
    assert_eq!(server.stop("TERM").0, Some(0));
}

fn certify(certificate: &Path, key: &Path) {
    let made = rcgen::generate_simple_self_signed(["tenant.example".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
}

/// An RSA key of 2,048 bits.
const KEY_BODY: &str = "\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAytaCo36UCuufgr2Sogm5\n\
6XgnMFwCu1najFodnmQ2omqxJAfu7uMHeYlAOAbX/phR/1VQvVzjum/+Edo5fHCy\n\
sR25BwZbOg/P3y53ZFe+cwmbgnpv8c/zCJ0uGc4/eKQuRu8jDsN17qV1ZRwzHCvI\n\
DpnMe90M5dOXHpjyjL4U2/G+quJDK/CDtRTAuDOoDRJXRefkGeMWR9FVPCuerF7B\n\
8pGFj7xI8mRUPqpYyNw8PYE7ru4qYIMwseYE+5foqq/rjcgWzJX7YmmbCKoLRyuh\n\
iTJvYUYF1F99ji1aIcaB18UK73LceGif5MNyx/Qh+kxApdPtMOQEQe1lLrbWex+f\n\
qwIDAQAB\n\
";
