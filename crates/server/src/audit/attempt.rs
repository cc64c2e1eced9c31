//! Whose request runs, and what it asks for. The request's task carries this along; nobody passes it on, so no handler
//! can forget to.

use super::change::Record;
use super::{Chain, Event, MAX_TEXT, names, tame};
use crate::app::App;
use crate::http::{Refused, Source};
use axum::extract::Request;
use axum::response::Response;
use form_urlencoded::parse;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use tenantry_types::Object;
use tenantry_types::logs::types;
use tenantry_types::redaction::{Redactor, Secrets, redacted};

tokio::task_local! {
    static ATTEMPT: Arc<Attempt>;
}

/// The attempt that this task belongs to.
pub(crate) fn current() -> Option<Arc<Attempt>> {
    ATTEMPT.try_with(Arc::clone).ok()
}

/// Remembers the body of the request that runs, without its secrets.
pub(crate) fn note_body(body: &Value) {
    let _ = ATTEMPT.try_with(|attempt| attempt.note_body(body));
}

/// Whose token a request came with.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) client_id: String,
    pub(crate) client_name: String,
    pub(crate) token_id: String,
}

/// A request that changes something, or one that was refused.
pub(crate) struct Attempt {
    tenant: String,
    date: i64,
    what: What,
    ip: Option<IpAddr>,
    user_agent: Option<HeaderValue>,
    who: Option<Who>,
    body: OnceLock<(Box<RawValue>, Secrets)>,
    is_recorded: AtomicBool,
    /// The status that the entry of its transaction tells.
    told: AtomicU16,
}

enum What {
    Request {
        method: Method,
        route: &'static str,
        uri: Uri,
    },
    /// Something that the server does by itself.
    Server(&'static str),
}

/// Larger bodies are not kept: what became of them is.
const MAX_BODY: usize = 16 << 10;

impl Attempt {
    /// A request for `route`.
    pub(crate) fn of(app: &App, route: &'static str, request: &Request) -> Self {
        let what = What::Request { method: request.method().clone(), route, uri: request.uri().clone() };
        let ip = request.extensions().get::<Source>().map(|source| source.0);
        Self { ip, user_agent: user_agent(request.headers()), ..Self::new(app, what) }
    }

    /// Something that the server does by itself.
    pub(crate) fn of_server(app: &App, description: &'static str) -> Self {
        Self::new(app, What::Server(description))
    }

    fn new(app: &App, what: What) -> Self {
        Self {
            tenant: app.tenant.clone(),
            date: app.clock.now_ms(),
            what,
            ip: None,
            user_agent: None,
            who: None,
            body: OnceLock::new(),
            is_recorded: AtomicBool::new(false),
            told: AtomicU16::new(0),
        }
    }

    /// The request of someone who is known.
    pub(crate) fn by(mut self, who: Who) -> Self {
        self.who = Some(who);
        self
    }

    /// Runs the request. If it changed something, its transaction has said so; all else is said here.
    pub(crate) async fn watch(self, app: &App, work: impl Future<Output = Response>) -> Response {
        let attempt = Arc::new(self);
        let response = ATTEMPT.scope(Arc::clone(&attempt), work).await;
        if attempt.is_recorded.load(Ordering::Acquire) {
            let (told, status) = (attempt.told.load(Ordering::Relaxed), response.status());
            // What went wrong behind the commit changes nothing about the change.
            debug_assert!(
                told == status.as_u16() || !status.is_success(),
                "the log tells {told} of {}, the answer {status}: the transaction says which with `tx.answers`",
                attempt.route()
            );
            return response;
        }
        app.audit.attempt(attempt, &response);
        response
    }

    /// Runs work of the server whose outcome only the log of a transaction tells.
    pub(crate) async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        ATTEMPT.scope(Arc::new(self), work).await
    }

    /// The request was refused before it ran.
    pub(crate) fn refused(self, app: &App, response: Response) -> Response {
        app.audit.attempt(Arc::new(self), &response);
        response
    }

    fn route(&self) -> &'static str {
        match &self.what {
            What::Request { route, .. } => route,
            What::Server(description) => description,
        }
    }

    fn note_body(&self, body: &Value) {
        if body.is_null() {
            return;
        }
        let (mut text, secrets) = Redactor::remembering().value(body);
        if text.len() > MAX_BODY {
            text = format!(r#""[{} bytes]""#, text.len());
        }
        if let Ok(raw) = RawValue::from_string(text) {
            let _ = self.body.set((raw, secrets));
        }
    }

    /// The transaction's entry is durable.
    pub(crate) fn recorded(&self) {
        self.is_recorded.store(true, Ordering::Release);
    }

    /// What is written in the transaction of a change.
    pub(crate) fn change(&self, record: &Record) -> Option<Event> {
        // What the server looked at and left as it was is no news.
        if matches!(self.what, What::Server(_)) && record.changes().is_empty() {
            return None;
        }
        let status = record.status.unwrap_or(match &self.what {
            What::Request { method: Method::POST, .. } => 201,
            What::Request { method: Method::DELETE, .. } => 204,
            _ => 200,
        });
        self.told.store(status, Ordering::Relaxed);
        Some(self.event(types::CHANGED, status, None, record.changes()))
    }

    /// What is written of a request that changed nothing.
    pub(super) fn outcome(&self, status: StatusCode, refused: Option<&Refused>) -> Event {
        self.event(Self::kind(status), status.as_u16(), refused, "")
    }

    pub(super) fn kind(status: StatusCode) -> &'static str {
        if status.is_client_error() || status.is_server_error() { types::REFUSED } else { types::CHANGED }
    }

    pub(super) fn client_id(&self) -> Option<&str> {
        self.who.as_ref().map(|who| who.client_id.as_str())
    }

    fn event(&self, kind: &'static str, status: u16, refused: Option<&Refused>, changes: &str) -> Event {
        let who = self.who.as_ref();
        let description = match (&self.what, refused) {
            (_, Some(refused)) => self.scrubbed(&refused.message),
            (What::Request { method, route, .. }, None) => names::of(method, route),
            (What::Server(description), None) => (*description).to_owned(),
        };
        let head = Head {
            description: &description,
            client_name: who.map_or("", |who| &who.client_name),
            ip: self.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            user_agent: text(self.user_agent.as_ref()),
            user_id: who.map(|who| format!("{}@clients", who.client_id)).unwrap_or_default(),
            details: Details {
                request: self.request(refused.is_none()),
                response: Answer {
                    status_code: status,
                    body: refused.map(|refused| Explained {
                        message: self.scrubbed(&refused.message),
                        error_code: refused.code,
                        reason: refused.hint.as_deref().map(tame),
                    }),
                },
            },
        };
        let mut document = serde_json::to_string(&head).expect("texts and numbers are JSON");
        if !changes.is_empty() {
            // Into the object of details, which is the last member.
            document.truncate(document.len() - 2);
            document.push_str(r#","changes":["#);
            document.push_str(changes);
            document.push_str("]}}");
        }
        Event {
            tenant: self.tenant.clone(),
            chain: if kind == types::CHANGED { Chain::Changes } else { Chain::Attempts },
            date: self.date,
            kind,
            client_id: who.map(|who| who.client_id.clone()),
            document,
        }
    }

    /// A body that was refused is not shown: what its members mean, and whether one is a secret, nobody knows.
    fn request(&self, with_body: bool) -> Option<RequestDetails<'_>> {
        let What::Request { method, uri, .. } = &self.what else { return None };
        let query: Object = parse(uri.query().unwrap_or_default().as_bytes())
            .take(50)
            .map(|(name, value)| (tame(&name), Value::from(tame(&value))))
            .collect();
        Some(RequestDetails {
            method: method.as_str().to_ascii_lowercase(),
            path: tame(uri.path()),
            query: RawValue::from_string(redacted(&query)).unwrap_or_default(),
            body: self.body.get().filter(|_| with_body).map(|(body, _)| &**body),
            channel: "api",
            auth: self
                .who
                .as_ref()
                .map(|who| Auth { strategy: "jwt", credentials: Token { jti: &who.token_id } }),
        })
    }

    fn scrubbed(&self, message: &str) -> String {
        match self.body.get() {
            Some((_, secrets)) => tame(&secrets.scrub(message)),
            None => tame(message),
        }
    }
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::USER_AGENT).cloned()
}

pub(super) fn text(value: Option<&HeaderValue>) -> String {
    let bytes = value.map(HeaderValue::as_bytes).unwrap_or_default();
    // Characters have four bytes at most.
    tame(&String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_TEXT)]))
}

#[derive(Serialize)]
struct Head<'a> {
    description: &'a str,
    client_name: &'a str,
    ip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_agent: String,
    user_id: String,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RequestDetails<'a>>,
    response: Answer,
}

#[derive(Serialize)]
struct RequestDetails<'a> {
    method: String,
    path: String,
    query: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth<'a>>,
}

#[derive(Serialize)]
struct Auth<'a> {
    strategy: &'static str,
    credentials: Token<'a>,
}

#[derive(Serialize)]
struct Token<'a> {
    jti: &'a str,
}

#[derive(Serialize)]
struct Answer {
    #[serde(rename = "statusCode")]
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Explained>,
}

#[derive(Serialize)]
struct Explained {
    message: String,
    #[serde(rename = "errorCode", skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}
