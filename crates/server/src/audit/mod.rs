//! The log of a tenant: every change, every attempt that was refused, every token.
//!
//! A change is written in the transaction that makes it, whatever handler makes it: `attempt` says whose request
//! runs, and `crate::db` asks for the entry before it commits. Handlers only name what they change
//! (`created`, `updated`, `deleted`). Refused attempts and tokens go through a `queue`. Entries are linked by
//! hashes (`chain`) so that `verify` finds what was tampered with; `retention` deletes the oldest.

mod attempt;
mod chain;
mod change;
mod limit;
mod names;
mod queue;
mod retention;
mod routes;
mod store;
mod token;
mod verify;

pub(crate) use attempt::{Attempt, Who, current, note_body};
pub(crate) use chain::{append, ask_ahead};
pub(crate) use change::{Change, Record, created, deleted, updated};
pub(crate) use limit::{LimitReached, ReachedLimit};
pub(crate) use queue::{Audit, Kept};
pub(crate) use routes::routes;
pub(crate) use token::{Denied, Issued, Requester, token_id};
pub(crate) use verify::verify;
pub use verify::{Problem, Report, VerifyError, verify_audit};

use chain::{Chain, Hash};
use tenantry_types::logs::types;

/// An entry, before it has its place in a chain.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) tenant: String,
    pub(crate) chain: Chain,
    /// When it happened, in milliseconds since 1970.
    pub(crate) date: i64,
    /// Auth0's code.
    pub(crate) kind: &'static str,
    pub(crate) client_id: Option<String>,
    /// All members of the entry that have no column, as a JSON object that is not empty.
    pub(crate) document: String,
}

/// What somebody with the data directory did past the API.
pub(crate) fn by_command(tenant: &str, now: i64, command: &str, details: &serde_json::Value) -> Event {
    let document = serde_json::json!({"description": format!("By command: {command}"), "details": details});
    Event {
        tenant: tenant.to_owned(),
        chain: Chain::Changes,
        date: now,
        kind: types::WARNING,
        client_id: None,
        document: document.to_string(),
    }
}

/// Stands for a secret that is another one now; it is never shown.
pub(crate) const NEW: &str = "new";

/// The longest text from a request that is kept.
const MAX_TEXT: usize = 512;

/// A text of a request, bounded, and without characters that a terminal or a database might trip over.
fn tame(text: &str) -> String {
    let mut tame: String =
        text.chars().take(MAX_TEXT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        tame.push('…');
    }
    tame
}
