//! Tokens and refused attempts on their way into the log. Nobody waits for them: a background task appends what has
//! gathered a few times a second. What one client does many times in such a moment is written once with a count, so
//! that a flood costs little and fills nothing.

use super::attempt::Attempt;
use super::chain::Chain;
use super::limit::LimitReached;
use super::token::{Denied, Issued, Requester, TokenRequest};
use super::{Event, retention, tame};
use crate::app::App;
use crate::clients::Client;
use crate::db::{DbError, DbResult};
use crate::http::Refused;
use crate::metrics::Counter;
use axum::response::Response;
use http::StatusCode;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tenantry_types::logs::types;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Entries that may wait; some megabytes.
const QUEUE: usize = 8_192;
/// How long entries gather.
const GATHERING: Duration = Duration::from_millis(250);
/// Entries of the same type and client that are written one by one, of those that gathered; the rest is counted.
const ALIKE: usize = 16;
/// Entries in all that are written one by one, likewise.
const SINGLE: usize = 256;
/// How long a stopping server tries to write what waits.
const PATIENCE: Duration = Duration::from_secs(5);

enum Message {
    Attempt(Box<(Arc<Attempt>, StatusCode, Option<Refused>)>),
    Token(Box<TokenRequest>),
    Limit(Box<Event>),
    /// Asks for everything before it to be written.
    Flush(oneshot::Sender<()>),
}

/// The way into the log for what does not wait.
pub(crate) struct Audit {
    queue: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
    /// How many there were no room for since the server started.
    pub(crate) all_lost: Counter,
    pub(super) kept: Kept,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// How long, in milliseconds.
    pub(crate) millis: i64,
    /// How many tokens and refused attempts.
    pub(crate) attempts: i64,
}

/// The other end, for the background task.
pub(crate) struct Backlog {
    queue: mpsc::Receiver<Message>,
    lost: Arc<AtomicU64>,
}

impl Audit {
    pub(crate) fn new(kept: Kept) -> (Self, Backlog) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let audit = Self { queue: sender, lost: Arc::clone(&lost), all_lost: Counter::default(), kept };
        (audit, Backlog { queue: receiver, lost })
    }

    /// A request that changed nothing, most often because it was refused.
    pub(super) fn attempt(&self, attempt: Arc<Attempt>, response: &Response) {
        let refused = response.extensions().get::<Refused>().cloned();
        self.send(Message::Attempt(Box::new((attempt, response.status(), refused))));
    }

    /// A token was issued.
    pub(crate) fn issued(&self, app: &App, requester: Requester, client: Arc<Client>, issued: Issued) {
        let request = TokenRequest::issued(app.clock.now_ms(), requester, client, issued);
        self.send(Message::Token(Box::new(request)));
    }

    /// A token was not issued.
    pub(crate) fn denied(
        &self,
        app: &App,
        requester: Requester,
        client: Option<Arc<Client>>,
        denied: Denied,
    ) {
        let request = TokenRequest::denied(app.clock.now_ms(), requester, client, denied);
        self.send(Message::Token(Box::new(request)));
    }

    /// A limit on requests was reached.
    pub(crate) fn limit_reached(&self, app: &App, client: Option<&Client>, limit: &LimitReached<'_>) {
        let client_id = client.map(|client| client.client_id.as_str());
        self.send(Message::Limit(Box::new(limit.event(app, client_id))));
    }

    /// How many entries wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    fn send(&self, message: Message) {
        if self.queue.try_send(message).is_ok() {
            return;
        }
        self.all_lost.increment();
        if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "the queue of the audit log is full; tokens and refused attempts are not recorded"
            );
        }
    }

    /// Returns when everything that was sent before is written, or cannot be.
    pub(crate) async fn flush(&self) {
        let (written, done) = oneshot::channel();
        let flush = async {
            if self.queue.send(Message::Flush(written)).await.is_ok() {
                let _ = done.await;
            }
        };
        let _ = timeout(PATIENCE, flush).await;
    }
}

impl Backlog {
    /// Writes what arrives, and deletes what is old, until nobody can send any more.
    pub(crate) async fn run(mut self, app: App) {
        let mut retention = retention::Schedule::default();
        while let Some((messages, waiting)) = self.gather().await {
            let mut events = condense(&app, messages);
            let lost = self.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(lost, "tokens and refused attempts were not recorded in the audit log");
                let description =
                    format!("{lost} tokens or refused attempts were not recorded: too many at once");
                events.push(summary(&app, types::WARNING, None, &description, lost));
            }
            if let Err(error) = write(&app, events.into()).await {
                tracing::error!(%error, "tokens and refused attempts were not recorded in the audit log");
            }
            if let Err(error) = retention.run(&app).await {
                tracing::warn!(%error, "old entries of the audit log could not be deleted");
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    /// What arrives until enough time has passed or somebody waits.
    async fn gather(&mut self) -> Option<(Vec<Message>, Vec<oneshot::Sender<()>>)> {
        let (mut messages, mut waiting) = (Vec::new(), Vec::new());
        // When old entries are due is known to their schedule; it is asked often, however much or little arrives.
        let mut until = Instant::now() + retention::INTERVAL / 60;
        loop {
            let message = tokio::select! {
                biased;
                message = self.queue.recv() => message?,
                () = sleep_until(until) => return Some((messages, waiting)),
            };
            match message {
                Message::Flush(done) => {
                    waiting.push(done);
                    return Some((messages, waiting));
                }
                message => messages.push(message),
            }
            if messages.len() == 1 {
                until = Instant::now() + GATHERING;
            } else if messages.len() >= QUEUE || Instant::now() >= until {
                return Some((messages, waiting));
            }
        }
    }
}

impl Message {
    /// What makes it one of many: its type, and the client.
    fn key(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Attempt(attempt) => (Attempt::kind(attempt.1), attempt.0.client_id()),
            Self::Token(request) => (request.kind(), request.client_id()),
            Self::Limit(event) => (event.kind, event.client_id.as_deref()),
            Self::Flush(_) => (types::WARNING, None),
        }
    }

    fn into_event(self, app: &App) -> Option<Event> {
        match self {
            Self::Attempt(attempt) => Some(attempt.0.outcome(attempt.1, attempt.2.as_ref())),
            Self::Token(request) => Some(request.into_event(app)),
            Self::Limit(event) => Some(*event),
            Self::Flush(_) => None,
        }
    }
}

/// The entries for what gathered: one by one as far as they are few, counted beyond.
fn condense(app: &App, messages: Vec<Message>) -> Vec<Event> {
    let mut events = Vec::with_capacity(messages.len().min(2 * SINGLE));
    let mut seen: HashMap<(&'static str, Option<String>), usize> = HashMap::new();
    let mut counted: HashMap<(&'static str, Option<String>), u64> = HashMap::new();
    for message in messages {
        let (kind, client_id) = message.key();
        let key = (kind, client_id.map(str::to_owned));
        let alike = seen.get(&key).copied().unwrap_or(0);
        if events.len() >= SINGLE {
            *counted.entry((kind, None)).or_default() += 1;
        } else if alike >= ALIKE {
            *counted.entry(key).or_default() += 1;
        } else {
            seen.insert(key, alike + 1);
            events.extend(message.into_event(app));
        }
    }
    for ((kind, client_id), count) in counted {
        events.push(summary(app, kind, client_id.as_deref(), "More like the entries before", count));
    }
    events
}

/// An entry for many.
fn summary(app: &App, kind: &'static str, client_id: Option<&str>, description: &str, count: u64) -> Event {
    let document = serde_json::json!({"description": description, "details": {"count": count}});
    Event {
        tenant: app.tenant.clone(),
        chain: if kind == types::CHANGED { Chain::Changes } else { Chain::Attempts },
        date: app.clock.now_ms(),
        kind,
        client_id: client_id.map(tame),
        document: document.to_string(),
    }
}

/// Appends entries; waits as long as the database is away.
async fn write(app: &App, events: Arc<[Event]>) -> DbResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    loop {
        let batch = Arc::clone(&events);
        let written = app.db.repeatable(move |tx| {
            for event in batch.iter() {
                tx.log(event.clone());
            }
            Ok::<_, DbError>(())
        });
        match written.await {
            Err(DbError::Unavailable(cause)) => {
                tracing::debug!(cause, "the audit log waits for the database");
                sleep(GATHERING).await;
            }
            written => return written,
        }
    }
}
