//! What the log says of a limit on requests that was reached.

use super::{Chain, Event, tame};
use crate::app::App;
use serde::Serialize;
use std::net::IpAddr;
use tenantry_types::logs::types;

/// The limit, and whose request it refused.
#[derive(Serialize)]
pub(crate) struct LimitReached<'a> {
    pub(crate) description: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) ip: IpAddr,
    pub(crate) hostname: &'a str,
    pub(crate) details: ReachedLimit,
}

/// Which limit it is.
#[derive(Serialize)]
pub(crate) struct ReachedLimit {
    pub(crate) limit: &'static str,
    pub(crate) size: u32,
    pub(crate) route: &'static str,
}

impl LimitReached<'_> {
    pub(super) fn event(&self, app: &App, client_id: Option<&str>) -> Event {
        Event {
            tenant: app.tenant.clone(),
            chain: Chain::Attempts,
            date: app.clock.now_ms(),
            kind: types::LIMIT,
            client_id: client_id.map(tame),
            document: serde_json::to_string(self).expect("texts and numbers are JSON"),
        }
    }
}
