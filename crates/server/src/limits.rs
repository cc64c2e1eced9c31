//! How much the operator lets callers do, and how long they may take.

use crate::config::Config;
use crate::http::{Connections, Patience};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::Arc;
use std::time::Duration;

/// Seconds of patience, where the operator says nothing. Programs send on connections that they believe open, and some
/// compute for half a minute between two requests.
const IDLE_SECS: u64 = 120;
const HEADER_SECS: u64 = 20;
/// The largest body in that time is slower than a telephone line.
const BODY_SECS: u64 = 30;
const REQUEST_SECS: u64 = 60;
/// Longer is as good as without end, and the end would be no time that a clock knows.
const MOST_SECS: u64 = 365 * 24 * 3600;
/// Whoever takes in nothing of its answer for so long is gone.
const UNREAD: Duration = Duration::from_secs(30);
/// Connections, likewise; an open one has some 30 kB.
const CONNECTIONS: u64 = 10_000;
const CONNECTIONS_PER_ADDRESS: u64 = 1_000;
const OPS_CONNECTIONS: u64 = 64;
/// Files that are not connections of callers: the database, its connections, logs.
const OTHER_FILES: u64 = 128;

/// As many connections as there may be, with the files that may be open.
fn default_connections() -> u64 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    CONNECTIONS.min(files.saturating_sub(OTHER_FILES).max(OTHER_FILES))
}

/// Lets this process have as many files open as it may ask for. Many systems start with 1,024, for programs that cannot
/// do with more.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(%error, "the limit on open files stays");
    }
}

/// The limits of a server.
pub(crate) struct Limits {
    /// Of those who call it, and of those who look after it: whatever the former do, there is room for the latter.
    pub(crate) connections: Arc<Connections>,
    pub(crate) ops_connections: Arc<Connections>,
    pub(crate) patience: Patience,
    /// For the whole of a request.
    pub(crate) request_time: Duration,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        let seconds =
            |given: Option<u64>, default| Duration::from_secs(given.unwrap_or(default).min(MOST_SECS));
        let connections = Connections::new(
            config.max_connections.unwrap_or_else(default_connections),
            config.max_connections_per_address.unwrap_or(CONNECTIONS_PER_ADDRESS),
            config.trusted_proxy.clone().unwrap_or_default(),
        );
        Self {
            connections: Arc::new(connections),
            ops_connections: Arc::new(Connections::new(OPS_CONNECTIONS, OPS_CONNECTIONS, vec![])),
            patience: Patience {
                idle: seconds(config.idle_timeout, IDLE_SECS),
                headers: seconds(config.header_timeout, HEADER_SECS),
                body: seconds(config.body_timeout, BODY_SECS),
                unread: UNREAD,
            },
            request_time: seconds(config.request_timeout, REQUEST_SECS),
        }
    }
}
