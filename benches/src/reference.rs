//! The bare server: the same runtime and framework as Tenantry's, and no logic. What it costs is what cannot be saved.
//!
//! - `GET /bytes/N` answers N constant bytes of JSON.
//! - `POST /create` reads a JSON body, writes it anew and answers 201.
//! - `POST /token` reads a form or JSON and answers with an RS256 token. It is signed on threads of their own, so that
//!   a signature keeps no other request waiting.

use crate::Failure;
use crate::key::{Key, now};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use crossbeam_channel::{Receiver, Sender};
use http::{HeaderMap, HeaderName, StatusCode, header};
use parking_lot::RwLock;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Requests that may wait for a signature.
const QUEUE: usize = 4_096;
/// The longest constant answer that may be asked for.
const LONGEST: usize = 16 * 1024 * 1024;

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
const JWT_HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"6f1c2a7db2a14a0f9c55d3f1e8b7a964"}"#;
const SCOPE: &str = "read:things create:things update:things";

struct Job {
    claims: Value,
    answer: oneshot::Sender<Option<String>>,
}

#[derive(Clone)]
struct Reference {
    signers: Sender<Job>,
    constants: Arc<RwLock<Vec<(usize, Bytes)>>>,
}

/// Serves until the process is ended.
pub(crate) fn serve(listen: SocketAddr, workers: usize, signers: usize) -> Result<(), Failure> {
    let key = Arc::new(Key::generate()?);
    let (sender, receiver) = crossbeam_channel::bounded(QUEUE);
    for _ in 0..signers {
        let (key, jobs) = (Arc::clone(&key), receiver.clone());
        std::thread::Builder::new().name("signer".into()).spawn(move || sign(&key, &jobs))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        eprintln!("listening on http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let state = Reference { signers: sender, constants: Arc::default() };
        let router = Router::new()
            .route("/bytes/{length}", get(bytes))
            .route("/create", post(create))
            .route("/token", post(token))
            .with_state(state);
        Ok(axum::serve(listener, router).await?)
    })
}

fn sign(key: &Key, jobs: &Receiver<Job>) {
    for job in jobs {
        let _ = job.answer.send(key.jwt(JWT_HEADER, &job.claims).ok());
    }
}

/// JSON of exactly this many bytes.
fn constant(length: usize) -> Bytes {
    let around = r#"{"constant":""}"#.len();
    Bytes::from(format!(r#"{{"constant":"{}"}}"#, "x".repeat(length.saturating_sub(around))))
}

async fn bytes(State(reference): State<Reference>, Path(length): Path<usize>) -> Response {
    let known = |list: &[(usize, Bytes)]| {
        list.iter().find(|(known, _)| *known == length).map(|(_, bytes)| bytes.clone())
    };
    if length > LONGEST {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(bytes) = known(&reference.constants.read()) {
        return (JSON, bytes).into_response();
    }
    let bytes = constant(length);
    reference.constants.write().push((length, bytes.clone()));
    (JSON, bytes).into_response()
}

async fn create(body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) => (StatusCode::CREATED, JSON, value.to_string()).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
    audience: String,
}

impl TokenRequest {
    fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE)?.as_bytes();
        if content_type.starts_with(b"application/json") {
            return serde_json::from_slice(body).ok();
        }
        let mut request = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "grant_type" => request.grant_type = value.into_owned(),
                "client_id" => request.client_id = value.into_owned(),
                "client_secret" => request.client_secret = value.into_owned(),
                "audience" => request.audience = value.into_owned(),
                _ => {}
            }
        }
        Some(request)
    }
}

async fn token(State(reference): State<Reference>, headers: HeaderMap, body: Bytes) -> Response {
    let request = TokenRequest::read(&headers, &body)
        .filter(|request| request.grant_type == "client_credentials" && !request.client_secret.is_empty());
    let Some(request) = request else { return StatusCode::BAD_REQUEST.into_response() };
    let now = now();
    let claims = json!({
        "iss": "https://reference.example.com/", "sub": format!("{}@clients", request.client_id),
        "aud": request.audience, "iat": now, "exp": now + 86_400, "scope": SCOPE, "gty": "client-credentials",
        "azp": request.client_id,
    });
    let (answer, signed) = oneshot::channel();
    if reference.signers.try_send(Job { claims, answer }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Ok(Some(token)) = signed.await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let body = json!({"access_token": token, "scope": SCOPE, "expires_in": 86_400, "token_type": "Bearer"});
    (JSON, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_is_json_of_the_length_that_was_asked_for() {
        for length in [15, 16, 1_500, 75_000] {
            let bytes = constant(length);
            assert_eq!(bytes.len(), length);
            assert!(serde_json::from_slice::<Value>(&bytes).unwrap().is_object());
        }
    }
}
