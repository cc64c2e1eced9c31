//! Backups, checks and copies as an operator makes them, and a lost administrator.

use crate::{Serving, command, env, http, run, serve, token};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[track_caller]
fn succeeds(out: &Output) -> String {
    assert!(out.status.success(), "{}", said(out));
    String::from_utf8(out.stdout.clone()).unwrap()
}

#[track_caller]
fn fails(out: &Output, why: &str) {
    assert_eq!(out.status.code(), Some(1), "{}", said(out));
    assert!(said(out).contains(why), "{}", said(out));
}

/// Calls the Management API of the server in `dir`.
async fn call(dir: &Path, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let env = env(dir);
    let url = format!("https://{}/api/v2/{path}", env["AUTH0_DOMAIN"]);
    let mut request = http(&env["NODE_EXTRA_CA_CERTS"]).request(method, url).bearer_auth(token(dir));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn create(dir: &Path, name: &str) -> Value {
    let (status, client) = call(dir, reqwest::Method::POST, "clients", Some(json!({"name": name}))).await;
    assert_eq!(status, 201);
    client
}

async fn names(dir: &Path) -> Vec<String> {
    let (status, clients) = call(dir, reqwest::Method::GET, "clients?fields=name", None).await;
    assert_eq!(status, 200);
    clients.as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_beside_a_running_server_is_whole_and_can_be_restored() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = elsewhere.path().join("backup.db");
    let backup = file.to_str().unwrap();
    let server = serve(dir.path(), &[]);
    let client = create(dir.path(), "before").await;
    // The second one replaces the first.
    for _ in 0..2 {
        succeeds(&run(dir.path(), "backup", &[backup]));
    }
    let _ = create(dir.path(), "after").await;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = elsewhere.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["backup.db"]);

    let key = std::fs::read_to_string(dir.path().join("master.key")).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let raw = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key.trim()).unwrap();
    for secret in [key.trim().as_bytes(), &raw, client["client_secret"].as_str().unwrap().as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a secret is in the backup");
    }

    let database = dir.path().join("tenantry.db");
    fails(&run(dir.path(), "backup", &[database.to_str().unwrap()]), "is the database itself");
    fails(&run(dir.path(), "restore", &[backup, "--replace"]), "another tenantry process is using");
    assert_eq!(server.stop("TERM").0, Some(0));
    fails(&run(dir.path(), "restore", &[backup]), "--replace puts the backup in its place");
    succeeds(&run(dir.path(), "restore", &[backup, "--replace"]));
    let server = serve(dir.path(), &[]);
    assert_eq!(names(dir.path()).await, ["All Applications", "Tenantry Admin", "before"]);
    assert_eq!(server.stop("TERM").0, Some(0));

    // On a new machine: first the backup, then the key.
    let new = TempDir::new().unwrap();
    let out = run(new.path(), "restore", &[backup]);
    succeeds(&out);
    assert!(said(&out).contains("put it into"), "{}", said(&out));
    fails(&command(new.path(), "serve").args(["--listen", "127.0.0.1:0"]).output().unwrap(), "master key");
    std::fs::copy(dir.path().join("master.key"), new.path().join("master.key")).unwrap();
    let server = serve(new.path(), &[]);
    assert_eq!(names(new.path()).await, ["All Applications", "Tenantry Admin", "before"]);
    succeeds(&run(new.path(), "check", &[]));
    assert_eq!(server.stop("TERM").0, Some(0));
}

/// What is in a directory, with what it holds where that is a file.
fn content(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let paths = dir.read_dir().unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), std::fs::read(path).ok())).collect()
}

#[test]
fn a_backup_takes_the_place_of_nothing_but_a_backup() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (data, there) = (dir.path(), elsewhere.path());
    for dir in [data, &there.join("data")] {
        assert_eq!(serve(dir, &[]).stop("TERM").0, Some(0));
    }
    std::fs::copy(data.join("master.key"), there.join("the.key")).unwrap();
    std::fs::write(there.join("notes.txt"), "x").unwrap();
    std::fs::write(there.join("empty"), "").unwrap();
    std::fs::create_dir(there.join("directory")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(there.join("socket")).unwrap();
    std::os::unix::fs::symlink(there.join("notes.txt"), there.join("link")).unwrap();
    let before = (content(data), content(there), content(&there.join("data")));

    let backup =
        |file: &Path, more: &[&str]| run(data, "backup", &[&[file.to_str().unwrap()], more].concat());
    let mut own: Vec<PathBuf> = before.0.keys().cloned().collect();
    let not_yet = ["tenantry.db-wal", "tenantry.db-journal", "master.key.new", "master.key.old"];
    own.extend(not_yet.map(|name| data.join(name)));
    own.push(there.join("data/../..").join(data.file_name().unwrap()).join("master.key"));
    assert!(own.len() > 8, "{own:?}");
    for file in own {
        fails(&backup(&file, &[]), "is ");
    }
    let key = ["--master-key-file", &format!("{}/the.key", there.display())];
    for (name, why) in [
        ("the.key", "is a file of the server"),
        ("the.key.old", "is a file of the server"),
        ("notes.txt", "is no backup"),
        ("empty", "is no backup"),
        ("directory", "is no regular file"),
        ("socket", "is no regular file"),
        ("link", "is no regular file"),
        ("data/master.key", "is no backup"),
        ("data/tenantry.db", "is the database of another server"),
    ] {
        fails(&backup(&there.join(name), &key), why);
    }
    let after = (content(data), content(there), content(&there.join("data")));
    assert!(after == before, "{:?} {:?} {:?}", after.0.keys(), after.1.keys(), after.2.keys());
    // Where the key is not yet, it is to be.
    std::fs::remove_file(data.join("master.key")).unwrap();
    fails(&backup(&data.join("master.key"), &[]), "is a file of the server");
    assert!(!data.join("master.key").exists());
}

#[test]
fn backups_at_the_same_time_do_not_disturb_one_another() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (file, other) = (elsewhere.path().join("backup.db"), elsewhere.path().join("backup.db.new"));
    std::fs::write(&other, "mine").unwrap();
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
    let backup = || command(dir.path(), "backup").arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let backups: Vec<_> = (0..8).map(|_| backup()).collect();
    for backup in backups {
        succeeds(&backup.wait_with_output().unwrap());
    }
    let left = content(elsewhere.path());
    assert_eq!(left.keys().collect::<Vec<_>>(), [&file, &other]);
    assert_eq!(left[&other].as_deref(), Some(&b"mine"[..]));
    succeeds(&run(dir.path(), "restore", &[file.to_str().unwrap(), "--replace"]));
    succeeds(&run(dir.path(), "check", &[]));
    let database = dir.path().join("tenantry.db");
    assert_eq!(database.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_backup_of_ours_is_not_restored() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for dir in [&dir, &other] {
        assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
    }
    let restore = |file: &Path| run(dir.path(), "restore", &[file.to_str().unwrap(), "--replace"]);
    let file = other.path().join("backup.db");
    succeeds(&run(other.path(), "backup", &[file.to_str().unwrap()]));
    fails(&restore(&file), "sealed with another master key");
    succeeds(&run(dir.path(), "backup", &[file.to_str().unwrap()]));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0x55);
    let damaged = other.path().join("damaged.db");
    std::fs::write(&damaged, &bytes).unwrap();
    fails(&restore(&damaged), "damaged");
    std::fs::write(&damaged, "not a database").unwrap();
    fails(&restore(&damaged), "");
    fails(&restore(&other.path().join("nothing.db")), "No such file");
    std::fs::write(other.path().join("backup.db-wal"), "x").unwrap();
    fails(&restore(&file), "while a server used it");
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0), "the database is as it was");
    let mut left = dir.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
    assert!(left.all(|path| path.extension().is_none_or(|extension| extension != "new")));
}

#[tokio::test]
async fn a_check_exits_with_one_when_something_is_wrong() {
    let dir = TempDir::new().unwrap();
    fails(&run(dir.path(), "check", &[]), "");
    assert!(dir.path().read_dir().unwrap().next().is_none(), "a check makes nothing");
    let server = serve(dir.path(), &[]);
    let out = run(dir.path(), "check", &[]);
    assert_eq!(succeeds(&out), "");
    assert!(said(&out).contains("is whole"), "{}", said(&out));
    assert_eq!(server.stop("TERM").0, Some(0));
    std::fs::copy(dir.path().join("master.key"), dir.path().join("old.key")).unwrap();
    let another = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7; 32]);
    std::fs::write(dir.path().join("master.key"), another).unwrap();
    let out = run(dir.path(), "check", &[]);
    fails(&out, "is not whole");
    assert!(String::from_utf8(out.stdout).unwrap().contains("sealed under another master key"));
    let old = dir.path().join("old.key");
    succeeds(&run(dir.path(), "check", &["--master-key-file", old.to_str().unwrap()]));
}

/// A client that is gone, and one whose secret nobody knows any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_administrator_is_replaced() {
    let dir = TempDir::new().unwrap();
    let delete_admin = async || {
        let path = format!("clients/{}", env(dir.path())["AUTH0_CLIENT_ID"]);
        assert_eq!(call(dir.path(), reqwest::Method::DELETE, &path, None).await.0, 204);
        fails(&run(dir.path(), "env", &[]), "tenantry admin reset");
    };
    let reset = || succeeds(&run(dir.path(), "admin reset", &[])).trim().to_owned();
    let server: Serving = serve(dir.path(), &[]);
    delete_admin().await;
    let first = reset();
    assert_eq!(env(dir.path())["AUTH0_CLIENT_ID"], first);
    assert_eq!(names(dir.path()).await, ["All Applications", "Tenantry Admin"]);
    // One that is still there goes.
    let second = reset();
    assert_ne!(first, second);
    assert_eq!(names(dir.path()).await, ["All Applications", "Tenantry Admin"]);
    assert_eq!(server.stop("TERM").0, Some(0));
    let third = reset();
    let server = serve(dir.path(), &[]);
    assert_eq!(env(dir.path())["AUTH0_CLIENT_ID"], third);
    assert_eq!(names(dir.path()).await, ["All Applications", "Tenantry Admin"]);
    succeeds(&run(dir.path(), "check", &[]));
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn a_database_is_copied_by_one_command() {
    let dir = TempDir::new().unwrap();
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
    let url = |name: &str| format!("sqlite:{}", dir.path().join(name).display());
    let copy = |from: &str, to: &str| {
        std::process::Command::new(crate::PROGRAM)
            .args(["copy", "--from", from, "--to", to])
            .output()
            .unwrap()
    };
    let out = copy(&url("tenantry.db"), &url("copy.db"));
    assert!(succeeds(&out).lines().any(|line| line == "client 2"));
    fails(&copy(&url("tenantry.db"), &url("copy.db")), "is not empty");
    fails(&copy(&url("nothing.db"), &url("other.db")), "is not a database of Tenantry");
    let text = dir.path().join("text");
    std::fs::write(&text, "not a database").unwrap();
    fails(&copy(&url("tenantry.db"), &url("text")), "");
    assert_eq!(std::fs::read(&text).unwrap(), b"not a database");
    let server = serve(dir.path(), &["--database-url", &url("copy.db")]);
    fails(&copy(&url("copy.db"), &url("other.db")), "another tenantry process is using");
    succeeds(&run(dir.path(), "check", &[]));
    assert_eq!(server.stop("TERM").0, Some(0));
}

#[test]
fn a_copy_that_was_killed_can_be_repeated() {
    let dir = TempDir::new().unwrap();
    assert_eq!(serve(dir.path(), &[]).stop("TERM").0, Some(0));
    let url = |name: &str| format!("sqlite:{}", dir.path().join(name).display());
    for i in 0..25 {
        let to = url(&format!("copy{i}.db"));
        let mut copy = std::process::Command::new(crate::PROGRAM);
        copy.args(["copy", "--from", &url("tenantry.db"), "--to", &to]);
        let mut killed = copy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(4 * i));
        killed.kill().unwrap();
        killed.wait().unwrap();
        let again = copy.stderr(Stdio::piped()).output().unwrap();
        // Unless it was done by then.
        if !again.status.success() {
            fails(&again, "is not empty");
        }
        succeeds(&run(dir.path(), "check", &["--database-url", &to]));
    }
}

#[test]
fn a_database_is_for_its_owner_only_wherever_it_is() {
    let (dir, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let url = |name: &str| format!("sqlite:{}", elsewhere.path().join(name).display());
    let are_private = |names: &[&str]| {
        for name in names {
            let mode = elsewhere.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    };
    let server = serve(dir.path(), &["--database-url", &url("served.db")]);
    are_private(&["served.db", "served.db-wal", "served.db-shm"]);
    assert_eq!(server.stop("TERM").0, Some(0));
    let mut copy = std::process::Command::new(crate::PROGRAM);
    succeeds(&copy.args(["copy", "--from", &url("served.db"), "--to", &url("copied.db")]).output().unwrap());
    are_private(&["served.db", "copied.db"]);
}

/// The secrets of all clients, as the API shows them.
async fn secrets(dir: &Path) -> Vec<Value> {
    let path = "clients?fields=client_id,client_secret&per_page=100&page=";
    let mut all = Vec::new();
    for page in 0.. {
        let (status, clients) = call(dir, reqwest::Method::GET, &format!("{path}{page}"), None).await;
        assert_eq!(status, 200);
        match clients.as_array().unwrap().as_slice() {
            [] => break,
            clients => all.extend_from_slice(clients),
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_master_key_is_changed_beside_a_running_server_whenever_it_is_interrupted() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("master.key");
    let server = serve(dir.path(), &[]);
    let old = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    for i in 0..30 {
        let _ = create(dir.path(), &format!("client {i}")).await;
    }
    let connection = json!({"name": "db", "strategy": "auth0", "options": {
        "enabledDatabaseCustomization": true, "customScripts": {"login": "x"}, "configuration": {"a": "b"}}});
    assert_eq!(call(dir.path(), reqwest::Method::POST, "connections", Some(connection)).await.0, 201);
    let shown = async || {
        let (status, connections) = call(dir.path(), reqwest::Method::GET, "connections", None).await;
        assert_eq!(status, 200);
        connections[0]["options"]["configuration"]["a"].clone()
    };
    let sealed = shown().await;
    let before = secrets(dir.path()).await;
    assert!(before.iter().all(|client| client["client_secret"].is_string()));

    for i in 0..8 {
        let mut rekey = command(dir.path(), "rekey").stderr(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20 + i * 180)).await;
        rekey.kill().unwrap();
        rekey.wait().unwrap();
        // Whatever it had done by then, everything works.
        let made = create(dir.path(), &format!("between {i}")).await;
        assert!(made["client_secret"].is_string());
        succeeds(&run(dir.path(), "check", &[]));
    }
    let out = run(dir.path(), "rekey", &[]);
    succeeds(&out);
    let new = std::fs::read_to_string(&file).unwrap();
    assert!(new.lines().count() == 1 && new.trim() != old, "{}", said(&out));
    let retired = dir.path().join("master.key.old");
    assert!(std::fs::read_to_string(&retired).unwrap().lines().any(|key| key == old));
    for path in [&file, &retired] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    succeeds(&run(dir.path(), "check", &[]));
    let out = run(dir.path(), "check", &["--master-key-file", retired.to_str().unwrap()]);
    let problems = String::from_utf8(out.stdout).unwrap();
    assert_ne!(shown().await, sealed, "what answers show sealed is sealed anew too");
    assert!(problems.contains("signing_key") && problems.contains("tls_key ca"), "{problems}");

    // The server that runs has the new key alone, and so has the next one.
    assert_eq!(secrets(dir.path()).await[..before.len()], before);
    let log = server.stop("TERM");
    assert_eq!(log.0, Some(0));
    assert!(!log.1.contains(new.trim()) && !log.1.contains(&old), "a master key is in the log");
    let server = serve(dir.path(), &[]);
    let after = secrets(dir.path()).await;
    assert_eq!((after.len(), &after[..before.len()]), (before.len() + 8, before.as_slice()));
    assert_eq!(server.stop("TERM").0, Some(0));

    // Once more, without a server, and a file that holds another key is not taken by one.
    succeeds(&run(dir.path(), "rekey", &[]));
    let server = serve(dir.path(), &[]);
    let newest = std::fs::read_to_string(&file).unwrap();
    let (env, token) = (env(dir.path()), token(dir.path()));
    std::fs::write(&file, &old).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    let url = format!("https://{}/api/v2/clients", env["AUTH0_DOMAIN"]);
    let http = http(&env["NODE_EXTRA_CA_CERTS"]);
    let request = http.post(url).bearer_auth(token).json(&json!({"name": "afterwards"}));
    assert_eq!(request.send().await.unwrap().status(), 201);
    std::fs::write(&file, newest).unwrap();
    succeeds(&run(dir.path(), "check", &[]));
    let (_, log) = server.stop("TERM");
    assert!(log.contains("the new master key cannot be used"), "{log}");
}
