//! The program as people run it: its commands, its output, its signals, and what survives `kill -9`.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

mod documents;
mod faults;
mod help;
mod maintenance;
mod profiles;
#[cfg(feature = "otel")]
mod traces;

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tenantry");

struct Serving {
    child: Child,
    /// What it said before it was ready.
    lines: Vec<String>,
    /// Collects what it says afterwards, so that it never waits for a reader.
    said: Option<JoinHandle<String>>,
}

fn command(dir: &Path, name: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(name.split_whitespace()).arg("--data-dir").arg(dir).env_remove("TENANTRY_MASTER_KEY");
    command
}

fn run(dir: &Path, name: &str, args: &[&str]) -> Output {
    command(dir, name).args(args).output().unwrap()
}

/// Starts a server and waits until it says `ready`.
fn serve(dir: &Path, args: &[&str]) -> Serving {
    let mut command = command(dir, "serve");
    command.env("TENANTRY_LOG", "trace");
    serve_by(command, args)
}

/// The same by a command that says how.
fn serve_by(mut command: Command, args: &[&str]) -> Serving {
    command.args(["--listen", "127.0.0.1:0"]).args(args).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the server ended: {lines:?}");
        lines.push(line.trim_end().to_owned());
        if lines.last().unwrap() == "ready" {
            break;
        }
    }
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    Serving { child, lines, said: Some(said) }
}

/// A test that fails leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Stops it by a signal; returns its exit code and everything it said.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let code = self.child.wait().unwrap().code();
        (code, self.lines.join("\n") + &self.said.take().unwrap().join().unwrap())
    }
}

/// What `tenantry env` says, as a shell reads it.
fn env(dir: &Path) -> HashMap<String, String> {
    let script = format!("eval \"$({PROGRAM} env --data-dir '{}')\"; env", dir.display());
    let out = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn http(ca: &str) -> reqwest::Client {
    let ca = reqwest::Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([ca])
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

fn token(dir: &Path) -> String {
    let out = run(dir, "token", &[]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

#[tokio::test]
async fn serve_env_and_token_work_together_without_set_up() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("not/there/yet");
    let server = serve(&data, &[]);
    assert!(
        server.lines.iter().any(|line| line.starts_with("listening on https://127.0.0.1:")),
        "{:?}",
        server.lines
    );
    let env = env(&data);
    assert_eq!(env["AUTH0_AUDIENCE"], format!("https://{}/api/v2/", env["AUTH0_DOMAIN"]));
    assert!(env["AUTH0_DOMAIN"].starts_with("localhost:"));
    for name in ["AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET"] {
        assert!(env[name].len() >= 32);
    }
    let bundle = std::fs::read_to_string(&env["SSL_CERT_FILE"]).unwrap();
    assert!(bundle.starts_with(&std::fs::read_to_string(&env["NODE_EXTRA_CA_CERTS"]).unwrap()));
    assert_eq!(env["SSL_CERT_FILE"], env["REQUESTS_CA_BUNDLE"]);

    let http = http(&env["NODE_EXTRA_CA_CERTS"]);
    let url = format!("https://{}/api/v2/clients", env["AUTH0_DOMAIN"]);
    let created = http.post(&url).bearer_auth(token(&data)).json(&json!({"name": "x"})).send().await.unwrap();
    assert_eq!(created.status(), 201);

    // The secret is the one of now.
    let rotate = format!("{url}/{}/rotate-secret", env["AUTH0_CLIENT_ID"]);
    let rotated: Value =
        http.post(rotate).bearer_auth(token(&data)).send().await.unwrap().json().await.unwrap();
    assert_eq!(self::env(&data)["AUTH0_CLIENT_SECRET"], rotated["client_secret"]);

    let narrow = run(&data, "token", &["--scope", "read:clients"]);
    let narrow = String::from_utf8(narrow.stdout).unwrap();
    let deleted = http.delete(format!("{url}/x")).bearer_auth(narrow.trim_end()).send().await.unwrap();
    assert_eq!(deleted.status(), 403);
    let refused = run(&data, "token", &["--audience", "https://nowhere"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Service not enabled within domain"));

    let (code, _) = server.stop("TERM");
    assert_eq!(code, Some(0));
    assert_eq!(self::env(&data)["AUTH0_CLIENT_ID"], env["AUTH0_CLIENT_ID"], "also without a server");
    let unreachable = run(&data, "token", &[]);
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unreachable.stderr).contains("is `tenantry serve` running?"));
}

#[test]
fn a_second_process_on_the_same_directory_is_refused() {
    let dir = TempDir::new().unwrap();
    let first = serve(dir.path(), &[]);
    let second = run(dir.path(), "serve", &["--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another tenantry process is using"), "{said}");
    assert_eq!(first.stop("INT").0, Some(0));
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
}

#[test]
fn a_second_process_on_the_same_database_is_refused() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let url = format!("sqlite:{}", one.path().join("shared.db").display());
    let first = serve(one.path(), &["--database-url", &url]);
    std::fs::copy(one.path().join("master.key"), two.path().join("master.key")).unwrap();
    let second = run(two.path(), "serve", &["--listen", "127.0.0.1:0", "--database-url", &url]);
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.code() == Some(1) && said.contains("another tenantry process is using"), "{said}");
    assert_eq!(first.stop("TERM").0, Some(0));
}

#[test]
fn a_stopped_server_leaves_everything_in_one_file() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = serve(dir.path(), &[]);
    let before = env(dir.path());
    assert_eq!(server.stop("TERM").0, Some(0));
    for name in ["tenantry.db", "master.key"] {
        std::fs::copy(dir.path().join(name), other.path().join(name)).unwrap();
    }
    let restored = serve(other.path(), &[]);
    assert_eq!(env(other.path())["AUTH0_CLIENT_ID"], before["AUTH0_CLIENT_ID"]);
    assert_eq!(restored.stop("TERM").0, Some(0));
}

#[test]
fn wrong_usage_and_failures_have_their_exit_codes() {
    let dir = TempDir::new().unwrap();
    let code = |args: &[&str]| Command::new(PROGRAM).args(args).output().unwrap().status.code();
    assert_eq!(code(&["serve", "--nothing"]), Some(2));
    assert_eq!(code(&[]), Some(2));
    let empty = run(dir.path(), "env", &[]);
    assert_eq!(empty.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("tenantry serve"));
    let config = dir.path().join("config.toml");
    for (text, expected) in [
        ("listn = \"x\"", "unknown field `listn`"),
        ("domain = \"https://x\"", "not a host name"),
        ("database_url = \"mysql://x\"", "neither sqlite:PATH nor postgres://"),
        ("listen = \"256.0.0.1:1\"", "cannot listen on 256.0.0.1:1"),
        ("tls_cert = \"cert.pem\"", "belong together"),
        ("master_key_file = \"/dev/null\"", "the master key must be 32 bytes"),
        ("max_connections = 0\nlisten = \"256.0.0.1:1\"", "must be 1 or more"),
    ] {
        std::fs::write(&config, text).unwrap();
        let data = TempDir::new().unwrap();
        let out = run(data.path(), "serve", &["--config", config.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
    }
}

const LIMITS: [&str; 6] = [
    "max-connections",
    "max-connections-per-address",
    "idle-timeout",
    "header-timeout",
    "body-timeout",
    "request-timeout",
];

#[test]
fn a_limit_that_lets_nobody_through_is_refused() {
    let dir = TempDir::new().unwrap();
    for name in LIMITS {
        // If the limit were none of its worries, the address would be.
        let (mut flag, mut variable) = (command(dir.path(), "serve"), command(dir.path(), "serve"));
        flag.args(["--listen", "256.0.0.1:1", &format!("--{name}"), "0"]);
        let env = format!("TENANTRY_{}", name.to_uppercase().replace('-', "_"));
        variable.args(["--listen", "256.0.0.1:1"]).env(env, "0");
        for mut serve in [flag, variable] {
            let out = serve.output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.code() == Some(2) && said.contains("must be 1 or more"), "{name}: {said}");
        }
    }
}

#[test]
fn limits_without_end_end_nothing() {
    let dir = TempDir::new().unwrap();
    let limits = LIMITS.map(|name| format!("--{name}={}", u64::MAX));
    let server = serve(dir.path(), &limits.each_ref().map(String::as_str));
    assert!(!token(dir.path()).is_empty());
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn a_database_without_its_master_key_is_not_opened() {
    let dir = TempDir::new().unwrap();
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
    let key = dir.path().join("master.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let out = run(dir.path(), "serve", &["--listen", "127.0.0.1:0"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("put the key back"));
    std::fs::write(&key, kept).unwrap();
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
}

#[test]
fn the_data_directory_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let server = serve(&data, &[]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for name in ["master.key", "server.json"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
    let said: Value = serde_json::from_slice(&std::fs::read(data.join("server.json")).unwrap()).unwrap();
    assert!(said["listeners"][0].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert!(Path::new(said["ca"].as_str().unwrap()).exists() && said["domain"].is_string());
    assert_eq!(server.stop("TERM").0, Some(0));
}

/// Sends secrets in every place that a request has, by both versions of HTTP; returns them.
async fn plant(dir: &Path) -> Vec<String> {
    let env = env(dir);
    let base = format!("https://{}", env["AUTH0_DOMAIN"]);
    let token = token(dir);
    let signature = token.rsplit_once('.').unwrap().1.to_owned();
    let mut known = vec![env["AUTH0_CLIENT_SECRET"].clone(), signature, token.clone()];
    let ca = std::fs::read(&env["NODE_EXTRA_CA_CERTS"]).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let old = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).http1_only().build().unwrap();
    for (version, http) in [("one", old), ("two", http(&env["NODE_EXTRA_CA_CERTS"]))] {
        let planted = |place: &str| format!("planted-{place}-{version}-0123456789");
        let created = http.post(format!("{base}/api/v2/clients")).bearer_auth(&token);
        let created = created.json(&json!({"name": "x", "description": planted("body")})).send().await;
        let created: Value = created.unwrap().json().await.unwrap();
        let ask = json!({"grant_type": "client_credentials", "client_id": created["client_id"],
            "client_secret": planted("secret"), "audience": "x"});
        let refused = http.post(format!("{base}/oauth/token")).json(&ask).send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let basic = http.post(format!("{base}/oauth/token")).basic_auth("x", Some(planted("basic")));
        let _ = basic.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        let _ = http.get(format!("{base}/nowhere/{}", planted("path"))).send().await.unwrap();
        let query = format!("{base}/oauth/token?client_secret={}", planted("query"));
        let _ = http.post(query).header("cookie", planted("cookie")).send().await.unwrap();
        let bearer = format!("{}.x.y", planted("bearer"));
        let _ = http.get(format!("{base}/api/v2/clients")).bearer_auth(bearer).send().await.unwrap();
        known.push(created["client_secret"].as_str().unwrap().to_owned());
        known.extend(["body", "secret", "basic", "path", "query", "cookie", "bearer"].map(planted));
    }
    known
}

#[tokio::test]
async fn no_secret_key_or_token_is_logged_at_any_level() {
    for format in ["text", "json"] {
        let dir = TempDir::new().unwrap();
        let server = serve(dir.path(), &["--log-format", format]);
        let known = plant(dir.path()).await;
        let (code, said) = server.stop("TERM");
        assert_eq!(code, Some(0));
        assert!(said.lines().count() > 10 && said.contains("answered"), "the log was on: {said}");
        for secret in known {
            let line = said.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "the log holds {secret}: {line:?}");
        }
        assert!(!said.contains("PRIVATE KEY"));
    }
}

#[tokio::test]
async fn every_line_of_a_request_has_the_id_that_the_caller_was_told() {
    for format in ["text", "json"] {
        let dir = TempDir::new().unwrap();
        let server = serve(dir.path(), &["--log-format", format]);
        let env = env(dir.path());
        let http = http(&env["NODE_EXTRA_CA_CERTS"]);
        let ask = json!({"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "x"});
        let url = format!("https://{}/oauth/token", env["AUTH0_DOMAIN"]);
        let refused = http.post(&url).json(&ask).send().await.unwrap();
        let id = refused.headers()["x-auth0-requestid"].to_str().unwrap().to_owned();
        let (_, said) = server.stop("TERM");
        let lines: Vec<_> = said.lines().filter(|line| line.contains(&id)).collect();
        let with =
            |text: &str| lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{said}"));
        let (refusal, answer) = (with("request refused"), with("answered"));
        if format == "json" {
            let refusal: Value = serde_json::from_str(refusal).unwrap();
            assert_eq!((&refusal["request_id"], &refusal["level"]), (&json!(id), &json!("DEBUG")));
            assert_eq!(refusal["message"], "request refused");
            assert!(refusal["timestamp"].as_str().unwrap().ends_with('Z') && refusal["target"].is_string());
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert_eq!((&answer["route"], &answer["method"]), (&json!("/oauth/token"), &json!("POST")));
            assert_eq!((&answer["status"], &answer["source"]), (&json!(401), &json!("127.0.0.1")));
            assert!(answer["micros"].as_u64().unwrap() > 0);
        } else {
            assert!(
                refusal.contains("DEBUG ") && refusal.ends_with(&format!(" request_id={id}")),
                "{refusal}"
            );
            assert!(answer.contains("route=\"/oauth/token\" status=401"), "{answer}");
        }
    }
}

#[test]
fn applications_are_managed_from_the_shell() {
    let dir = TempDir::new().unwrap();
    let server = serve(dir.path(), &[]);
    let env = env(dir.path());
    let tenantry = |args: &[&str]| {
        let out = Command::new(PROGRAM).args(args).envs(&env).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
    };
    let json = |args: &[&str]| -> Value {
        let (code, out, err) = tenantry(&[args, &["--json"]].concat());
        assert_eq!(code, 0, "{args:?}: {err}");
        serde_json::from_str(&out).unwrap()
    };
    let body = dir.path().join("client.json");
    std::fs::write(&body, r#"{"name": "from a file", "app_type": "spa"}"#).unwrap();
    let set = [
        "--set",
        "callbacks=[\"https://a.b/c\"]",
        "--set",
        "jwt_configuration.alg=RS256",
        "--name",
        "My app",
    ];
    let created = json(&[&["clients", "create", "--file", body.to_str().unwrap()], set.as_slice()].concat());
    assert_eq!(
        (&created["name"], &created["app_type"], &created["client_secret"]),
        (&json!("My app"), &json!("spa"), &json!("[hidden]"))
    );
    let id = created["client_id"].as_str().unwrap();
    assert_eq!(
        json(&["clients", "update", id, "--set", "description=two words"])["description"],
        "two words"
    );
    assert_eq!(json(&["clients", "update", id, "--set", "addons=null"]).get("addons"), None);
    let shown = json(&["clients", "rotate-secret", id, "--reveal-secrets"]);
    assert_eq!(shown["client_secret"].as_str().map(str::len), Some(64));

    let (code, table, note) = tenantry(&["clients", "list", "--per-page", "1"]);
    assert!(code == 0 && table.contains("CLIENT_ID") && note.contains("1 of 3"), "{table} {note}");
    assert_eq!(json(&["clients", "list", "--all", "--fields", "name"]).as_array().unwrap().len(), 3);

    let api =
        json(&["apis", "create", "--identifier", "https://x/y", "--set", "scopes=[{\"value\": \"a\"}]"]);
    assert_eq!(json(&["apis", "get", "https://x/y"])["id"], api["id"]);
    let grant =
        json(&["grants", "create", "--application", id, "--api", "https://x/y", "--set", "scope=[\"a\"]"]);
    assert_eq!(json(&["grants", "list", "--application", id])[0]["id"], grant["id"]);
    let credential =
        json(&["credentials", "create", id, "--type", "cert_subject_dn", "--set", "subject_dn=CN=x"]);
    assert_eq!(json(&["credentials", "list", id])[0]["id"], credential["id"]);

    let keys = || json(&["keys", "list"]).as_array().unwrap().clone();
    let kid = |state: &str| keys().iter().find(|key| key[state] == true).unwrap()["kid"].clone();
    let (old, next) = (kid("current"), kid("next"));
    let (code, _, said) = tenantry(&["keys", "rotate", "--revoke"]);
    assert!(code == 1 && said.contains("--yes"), "{said}");
    let after = json(&["keys", "rotate", "--revoke", "--yes"]);
    assert_eq!((kid("revoked"), kid("current"), kid("next")), (old, next.clone(), after["kid"].clone()));
    let (code, _, said) = tenantry(&["keys", "revoke", next.as_str().unwrap(), "--yes"]);
    assert!(code == 1 && said.contains("used before"), "{said}");

    let (code, _, said) = tenantry(&["clients", "delete", id]);
    assert!(code == 1 && said.contains("--yes"), "{said}");
    assert_eq!(tenantry(&["clients", "delete", id, "--yes"]).0, 0);
    let (code, _, said) = tenantry(&["clients", "get", id]);
    assert!(code == 1 && said.contains("The client does not exist"), "{said}");
    let (code, _, said) = tenantry(&["clients", "list", "--domain", "localhost:1"]);
    assert!(code == 1 && said.contains("hint:") || said.contains("cannot connect"), "{said}");
    assert_eq!(tenantry(&["clients", "create", "--set", "novalue"]).0, 2);
    assert_eq!(server.stop("TERM").0, Some(0));
}

/// How often the server is killed. Each time takes about a third of a second.
const KILLS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_create_survives_kill_9() {
    let dir = TempDir::new().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut interrupted = 0;
    for round in 0..KILLS {
        let server = serve(dir.path(), &[]);
        let env = env(dir.path());
        let http = http(&env["NODE_EXTRA_CA_CERTS"]);
        let url = format!("https://{}/api/v2/clients", env["AUTH0_DOMAIN"]);
        let token = token(dir.path());
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (http, url, token, stop) = (http.clone(), url.clone(), token.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    for i in 0.. {
                        let body = json!({"name": format!("{round}-{writer}-{i}"), "client_aliases": [format!("urn:{round}:{writer}:{i}")]});
                        let answer = http.post(&url).bearer_auth(&token).json(&body).send().await;
                        match answer {
                            Ok(answer) if answer.status() == 201 => match answer.json::<Value>().await {
                                Ok(client) => done.push(client["client_id"].as_str().unwrap().to_owned()),
                                Err(_) => break,
                            },
                            Ok(answer) => panic!("{}", answer.status()),
                            Err(_) => break,
                        }
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                    done
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(30 + (round as u64 * 7) % 60)).await;
        assert_eq!(server.stop("KILL").0, None);
        stop.store(true, Ordering::Relaxed);
        let before = acknowledged.len();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        interrupted += usize::from(acknowledged.len() > before);
    }
    assert!(interrupted > KILLS / 2, "most kills fell into a stream of creates: {interrupted}");

    let server = serve(dir.path(), &[]);
    let env = env(dir.path());
    let http = http(&env["NODE_EXTRA_CA_CERTS"]);
    let token = token(dir.path());
    let mut found: HashMap<String, Value> = HashMap::new();
    let mut total = 0;
    for page in 0.. {
        let url = format!(
            "https://{}/api/v2/clients?per_page=100&page={page}&include_totals=true&is_global=false",
            env["AUTH0_DOMAIN"]
        );
        let list: Value = http.get(url).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        total = list["total"].as_u64().unwrap();
        let clients = list["clients"].as_array().unwrap();
        if clients.is_empty() {
            break;
        }
        found.extend(
            clients.iter().map(|client| (client["client_id"].as_str().unwrap().to_owned(), client.clone())),
        );
    }
    let lost: Vec<_> = acknowledged.iter().filter(|id| !found.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged creates are lost", lost.len(), acknowledged.len());
    assert_eq!(total, found.len() as u64, "the count is the number of rows");
    for client in found.values() {
        assert_eq!(
            client["client_secret"].as_str().map(str::len),
            Some(64),
            "no half-written client: {client}"
        );
    }
    println!("{} creates acknowledged over {KILLS} kills, {} stored", acknowledged.len(), found.len());
    assert_eq!(server.stop("TERM").0, Some(0));

    // Every one of them is in the log, and nothing else; the administrator's was made by the first start.
    let (code, report) = verify(dir.path());
    assert_eq!((code, &report["intact"]), (0, &json!(true)), "{report}");
    assert_eq!(report["chains"][0]["entries"], found.len() - 1, "{report}");
}

/// The exit code of `audit verify`, and what it says.
fn verify(dir: &Path) -> (i32, Value) {
    let out = Command::new(PROGRAM)
        .args(["audit", "verify", "--json", "--data-dir"])
        .arg(dir)
        .env_remove("TENANTRY_MASTER_KEY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    (out.status.code().unwrap(), serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{said}")))
}

#[test]
fn a_log_that_was_altered_is_found_out() {
    let dir = TempDir::new().unwrap();
    let server = serve(dir.path(), &[]);
    let env = env(dir.path());
    for name in ["one", "two"] {
        let create = Command::new(PROGRAM).args(["clients", "create", "--name", name]).envs(&env).output();
        assert!(create.unwrap().status.success());
    }
    let (code, report) = verify(dir.path());
    assert_eq!((code, &report["chains"][0]["entries"]), (0, &json!(2)), "beside the server: {report}");
    assert_eq!(server.stop("TERM").0, Some(0));
    let path = dir.path().join("tenantry.db");
    let mut file = std::fs::read(&path).unwrap();
    // What was written earlier may also stand in places that are free again.
    let (created, deleted) = (b"Create a client", b"Delete a client");
    while let Some(at) = file.windows(created.len()).position(|part| part == created) {
        file[at..at + created.len()].copy_from_slice(deleted);
    }
    std::fs::write(&path, file).unwrap();
    let (code, report) = verify(dir.path());
    assert_eq!((code, &report["intact"]), (1, &json!(false)), "{report}");
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(2), "{report}");
    let people = run(dir.path(), "audit", &[]);
    assert_eq!(people.status.code(), Some(2), "a subcommand is missing");
}
