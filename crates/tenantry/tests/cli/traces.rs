//! Spans for an OpenTelemetry collector.

use crate::{command, env, http};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Takes one request of an exporter, and returns its first line and its body.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut lines = vec![];
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_ascii_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    (lines.swap_remove(0), body)
}

#[tokio::test]
async fn a_request_is_a_span_in_the_trace_of_its_caller() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let dir = TempDir::new().unwrap();
    let mut server = command(dir.path(), "serve")
        .args(["--listen", "127.0.0.1:0"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "ready"));
    let env = env(dir.path());
    let http = http(&env["NODE_EXTRA_CA_CERTS"]);
    let url = format!("https://{}/api/v2/clients/planted-id?q=planted-query", env["AUTH0_DOMAIN"]);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer =
        http.get(url).header("traceparent", trace).bearer_auth("planted.to.ken").send().await.unwrap();
    let id = answer.headers()["x-auth0-requestid"].as_bytes().to_owned();
    // What was not sent yet is sent when the server stops.
    let stopped = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let (line, body) = tokio::task::spawn_blocking(move || collect(&collector)).await.unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert!(line.starts_with("post /v1/traces "), "{line}");
    let has = |bytes: &[u8]| body.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(&0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()), "the trace");
    assert!(has(&0xb7ad_6b71_6920_3331_u64.to_be_bytes()), "the caller's span");
    assert!(has(b"GET /api/v2/clients/{id}") && has(b"tenantry") && has(&id));
    assert!(!has(b"planted"), "what callers make up stays here");
}
