//! What goes wrong on a machine, while the server runs.

#![cfg(target_os = "linux")] // for prlimit

use crate::{env, http, serve_by, token};
use serde_json::{Value, json};
use std::process::Command;
use tempfile::TempDir;

/// The largest file that a process may write; it is told when it tries more, as by a full disk.
fn limit(pid: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_once_and_service_resumes_by_itself() {
    let dir = TempDir::new().unwrap();
    // The signal that a process gets besides would end it; a disk sends none.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", crate::PROGRAM, "serve", "--data-dir"]);
    shell.arg(dir.path()).env("TENANTRY_LOG", "info");
    let server = serve_by(shell, &[]);
    let env = env(dir.path());
    let (http, token) = (http(&env["NODE_EXTRA_CA_CERTS"]), token(dir.path()));
    let url = format!("https://{}/api/v2/clients", env["AUTH0_DOMAIN"]);
    let create = async |name: String| {
        let answer = http.post(&url).bearer_auth(&token).json(&json!({"name": name})).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.headers().contains_key("retry-after"), answer.json::<Value>().await.unwrap())
    };
    let names = async || {
        let clients = http.get(&url).bearer_auth(&token).send().await.unwrap().json::<Value>().await.unwrap();
        let clients = clients.as_array().unwrap().clone();
        clients.iter().map(|client| client["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut acknowledged = vec!["All Applications".to_owned(), "Tenantry Admin".to_owned()];
    for round in 0..3 {
        limit(server.id(), "1");
        for i in 0..10 {
            let (status, retries, body) = create(format!("full {round} {i}")).await;
            assert_eq!((status, retries), (503, true), "{body}");
            assert!(body["message"].as_str().unwrap().contains("not available for now"), "{body}");
        }
        // What needs no write goes on.
        assert_eq!(names().await, acknowledged);
        let _ = crate::token(dir.path());
        limit(server.id(), "unlimited");
        let (status, _, body) = create(format!("room {round}")).await;
        assert_eq!(status, 201, "{body}");
        acknowledged.push(format!("room {round}"));
        assert_eq!(names().await, acknowledged);
    }
    let (code, log) = server.stop("TERM");
    assert_eq!(code, Some(0));
    let count = |text: &str| log.matches(text).count();
    assert_eq!(
        (count("the database cannot be written"), count("the database can be written again")),
        (3, 3),
        "{log}"
    );
    assert_eq!((count("request failed"), count("ERROR")), (0, 3), "{log}");
    let check = crate::run(dir.path(), "check", &[]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}
