//! A small server that does what a script says: it knows clients, tokens and lists, and answers with whatever a test
//! wants to see handled. Over plain HTTP, and without any of the real server's code.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What happens to a request instead of the ordinary answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with this status, these headers and this body, and nothing is done.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// It is done, and the answer has this status, these headers and this body.
    Instead(u16, Vec<(&'static str, String)>, String),
    /// It is done after a while.
    Late(Duration),
    /// It is done, and there is never an answer.
    Silent,
    /// The connection is cut before anything is done.
    Cut,
    /// It is done, and the connection is cut before the answer.
    CutAfter,
    /// It is done, and the connection is cut in the middle of the answer's body.
    CutWithin,
    /// It is done, and the answer's body never ends.
    Endless,
}

/// The text of a header: words or a number.
#[derive(Clone, Debug)]
pub struct HeaderText(String);

impl From<&str> for HeaderText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<u64> for HeaderText {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl Fault {
    /// A refusal in the Management API's words.
    #[must_use]
    pub fn refuse(status: u16) -> Self {
        let error =
            json!({"statusCode": status, "error": "Refused", "message": "no", "errorCode": "scripted"});
        Self::Answer(status, vec![], error.to_string())
    }

    /// The same with a header.
    #[must_use]
    pub fn refuse_with(status: u16, name: &'static str, value: impl Into<HeaderText>) -> Self {
        Self::Answer(status, vec![(name, value.into().0)], "{}".into())
    }
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The path, as it was sent.
    pub path: String,
    /// Query parameters in the order in which they were sent.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; text that is no JSON as a string.
    pub body: Value,
}

#[derive(Default)]
struct State {
    clients: Vec<Map<String, Value>>,
    made: usize,
    tokens: usize,
    good_token: String,
    expires_in: u64,
    faults: VecDeque<Fault>,
    token_faults: VecDeque<Fault>,
    seen: Vec<Seen>,
}

/// The running server.
pub struct Scripted {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scripted").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Starts it.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { expires_in: 86400, ..State::default() }));
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { base, state, task }
    }

    /// The SDK for this server, with a client that gets tokens from it.
    pub fn sdk(&self) -> tenantry_sdk::Builder {
        tenantry_sdk::ManagementClient::builder(&self.base).client_credentials("id", "s3cr3t")
    }

    /// What happens to the next requests of the Management API, one after the other.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().faults = faults.into_iter().collect();
    }

    /// What happens to the next requests for tokens.
    pub fn script_tokens(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().token_faults = faults.into_iter().collect();
    }

    /// No token is good any more.
    pub fn revoke_tokens(&self) {
        self.state.lock().good_token.clear();
    }

    /// How long the next tokens are good for.
    pub fn set_expires_in(&self, seconds: u64) {
        self.state.lock().expires_in = seconds;
    }

    /// How many clients were made.
    #[must_use]
    pub fn made(&self) -> usize {
        self.state.lock().made
    }

    /// How many tokens were asked for.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.state.lock().tokens
    }

    /// The requests of the Management API so far; they are forgotten.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.lock().seen)
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    // Dropped with this task, so nothing is left running.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&state), request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Body = http_body_util::combinators::BoxBody<Bytes, std::io::Error>;

fn whole(status: u16, headers: &[(&'static str, String)], body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    let body = Full::new(body.into()).map_err(|never: Infallible| match never {}).boxed();
    response.body(body).expect("an answer")
}

/// A body that begins and then does not go on, or breaks off.
fn part(text: String, ends: bool) -> Response<Body> {
    let body = async_stream(text, ends);
    Response::builder().body(body.boxed()).expect("an answer")
}

fn async_stream(
    text: String,
    ends: bool,
) -> StreamBody<impl futures_core::Stream<Item = std::io::Result<Frame<Bytes>>> + Send + Sync> {
    let frames = futures_util::stream::unfold(Some(text), move |text| async move {
        if let Some(mut text) = text {
            text.truncate(text.len() / 2);
            return Some((Ok(Frame::data(Bytes::from(text))), None));
        }
        if !ends {
            std::future::pending::<()>().await;
        }
        // What was sent is let go first.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Err(std::io::Error::other("cut")), None))
    });
    StreamBody::new(frames)
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> std::io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let raw = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let seen = Seen {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: query.into_owned().collect(),
        headers: parts.headers,
        body: serde_json::from_slice(&raw).unwrap_or_else(|_| String::from_utf8_lossy(&raw).into()),
    };
    let is_token = seen.path == "/oauth/token";
    let fault = {
        let mut state = state.lock();
        if is_token {
            state.tokens += 1;
            state.token_faults.pop_front()
        } else {
            state.seen.push(seen.clone());
            state.faults.pop_front()
        }
    };
    let act = || {
        let mut state = state.lock();
        if is_token { token(&mut state) } else { management(&mut state, &seen) }
    };
    let (status, text) = match fault {
        None => act(),
        Some(Fault::Answer(status, headers, body)) => return Ok(whole(status, &headers, body)),
        Some(Fault::Cut) => return Err(std::io::Error::other("cut")),
        Some(Fault::Late(time)) => {
            tokio::time::sleep(time).await;
            act()
        }
        Some(fault) => {
            let (_, text) = act();
            match fault {
                Fault::Instead(status, headers, body) => return Ok(whole(status, &headers, body)),
                Fault::Silent => std::future::pending().await,
                Fault::CutWithin => return Ok(part(text, true)),
                Fault::Endless => return Ok(part(text, false)),
                _ => return Err(std::io::Error::other("cut")),
            }
        }
    };
    Ok(whole(status, &[("x-ratelimit-limit", "10".into()), ("x-ratelimit-reset", "1".into())], text))
}

fn token(state: &mut State) -> (u16, String) {
    let token = format!("token-{}", state.tokens);
    let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": state.expires_in});
    state.good_token = token;
    (200, answer.to_string())
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    (status, json!({"statusCode": status, "error": reason, "message": "no", "errorCode": code}).to_string())
}

fn management(state: &mut State, seen: &Seen) -> (u16, String) {
    let bearer = seen.headers.get("authorization").and_then(|value| value.to_str().ok());
    if state.good_token.is_empty() || bearer != Some(&format!("Bearer {}", state.good_token)) {
        return refusal(401, "invalid_token");
    }
    let path: Vec<&str> = seen.path.trim_start_matches("/api/v2/").split('/').collect();
    let place = |state: &State, id: &str| state.clients.iter().position(|client| client["client_id"] == *id);
    match (seen.method.as_str(), path.as_slice()) {
        ("POST", ["clients"]) => {
            state.made += 1;
            let mut client = seen.body.as_object().cloned().unwrap_or_default();
            client.insert("client_id".into(), format!("client{}", state.made).into());
            client.insert("client_secret".into(), "s3cr3t-1".into());
            state.clients.push(client.clone());
            (201, Value::Object(client).to_string())
        }
        ("GET", ["clients"] | ["clients", "search"]) => (200, list(&state.clients, "clients", &seen.query)),
        ("GET", ["clients", _, "connections"]) => {
            let connections: Vec<_> = (0..120).map(|n| named("con_", n)).collect();
            (200, list(&connections, "connections", &seen.query))
        }
        (method, ["clients", id]) => match (method, place(state, id)) {
            ("DELETE", place) => {
                place.map(|place| state.clients.remove(place));
                (204, String::new())
            }
            (_, None) => refusal(404, "inexistent_client"),
            ("PATCH", Some(place)) => {
                let client = &mut state.clients[place];
                client.extend(seen.body.as_object().cloned().unwrap_or_default());
                client.retain(|_, member| !member.is_null());
                (200, Value::Object(client.clone()).to_string())
            }
            (_, Some(place)) => (200, Value::Object(state.clients[place].clone()).to_string()),
        },
        ("POST", ["clients", id, "rotate-secret"]) => match place(state, id) {
            None => refusal(404, "inexistent_client"),
            Some(place) => {
                let secret =
                    format!("{}+", state.clients[place]["client_secret"].as_str().unwrap_or_default());
                state.clients[place].insert("client_secret".into(), secret.into());
                (200, Value::Object(state.clients[place].clone()).to_string())
            }
        },
        _ => (200, "null".into()),
    }
}

fn named(prefix: &str, n: usize) -> Map<String, Value> {
    json!({"id": format!("{prefix}{n:03}"), "name": format!("n{n}")}).as_object().cloned().unwrap_or_default()
}

/// A list in the form that the query asks for: an array, an envelope with totals, or one with a checkpoint.
fn list(all: &[Map<String, Value>], member: &str, query: &[(String, String)]) -> String {
    let asked = |name: &str| query.iter().find(|(asked, _)| asked == name).map(|(_, value)| value.as_str());
    let number = |name: &str| asked(name).and_then(|value| value.parse::<usize>().ok());
    let part = |start: usize, count: usize| {
        all.iter().skip(start).take(count).cloned().map(Value::Object).collect::<Vec<_>>()
    };
    if asked("take").is_some() || asked("from").is_some() {
        let (start, count) = (number("from").unwrap_or(0), number("take").unwrap_or(50));
        let mut envelope = json!({member: part(start, count)});
        if start + count < all.len() {
            envelope["next"] = (start + count).to_string().into();
        }
        return envelope.to_string();
    }
    let limit = number("per_page").unwrap_or(50);
    let start = number("page").unwrap_or(0) * limit;
    if asked("include_totals") == Some("true") {
        return json!({member: part(start, limit), "start": start, "limit": limit, "total": all.len()})
            .to_string();
    }
    Value::Array(part(start, limit)).to_string()
}
