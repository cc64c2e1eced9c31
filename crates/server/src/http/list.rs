//! Lists: a bare array, an envelope with totals, or an envelope with a checkpoint, as the request asks for.

use super::error::ApiResult;
use super::json;
use super::query::Page;
use crate::app::App;
use crate::db::DbResult;
use http::StatusCode;
use std::fmt::Write as _;
use tenantry_types::schema::{Member, boolean, integer, optional, string};

/// The last record that pages by number reach, as Auth0 documents for collections other than clients and APIs.
pub(crate) const MOST_BY_NUMBER: u64 = 1_000;

/// The parameters of every list that pages both ways.
pub(crate) fn paging() -> [Member; 5] {
    paging_of(1)
}

/// The same where pages may be asked for that have no entries; they get as many as if nothing was said.
pub(crate) fn paging_of_zero() -> [Member; 5] {
    paging_of(0)
}

fn paging_of(least: u32) -> [Member; 5] {
    [
        optional("page", integer().min(0)),
        optional("per_page", integer().min(least).max(100)),
        optional("include_totals", boolean()),
        optional("from", string().max(1_000)),
        optional("take", integer().min(1).max(100)),
    ]
}

/// The parameters of lists that page by checkpoint only.
pub(crate) fn checkpoints() -> [Member; 2] {
    [optional("from", string().max(1_000)), optional("take", integer().min(1).max(100))]
}

/// Which objects of a list a store reads.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    /// Only what stands behind this position, in the list's own order.
    pub(crate) after: Option<String>,
    /// Without the first so many.
    pub(crate) skip: i64,
    /// No more than this.
    pub(crate) limit: i64,
}

impl Window {
    /// `after`, where positions are numbers from 1 on.
    pub(crate) fn after_number(&self) -> i64 {
        self.after.as_deref().and_then(|position| position.parse().ok()).unwrap_or(0)
    }
}

/// An object of a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// What [`Window::after`] names to go on behind it.
    pub(crate) position: String,
    /// The object as answers show it.
    pub(crate) json: String,
}

/// The object around a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    name: &'a str,
    list_first: bool,
}

impl<'a> From<&'a str> for Envelope<'a> {
    /// Totals, then the list under this name.
    fn from(name: &'a str) -> Self {
        Self { name, list_first: false }
    }
}

impl<'a> Envelope<'a> {
    /// The list under this name, then totals, as everything about organizations has it.
    pub(crate) fn list_first(name: &'a str) -> Self {
        Self { name, list_first: true }
    }

    fn with_totals(self, array: &str, start: u64, limit: u64, total: i64) -> String {
        let name = self.name;
        if self.list_first {
            format!(r#"{{"{name}":{array},"start":{start},"limit":{limit},"total":{total}}}"#)
        } else {
            format!(r#"{{"total":{total},"start":{start},"limit":{limit},"{name}":{array}}}"#)
        }
    }
}

impl Page {
    /// Answers with the objects that `list` finds, in `envelope` where there is one; `count` is asked only for totals.
    pub(crate) async fn answer<'a>(
        self,
        app: &App,
        envelope: impl Into<Envelope<'a>>,
        list: impl AsyncFnOnce(Window) -> ApiResult<Vec<Listed>>,
        count: impl AsyncFnOnce() -> DbResult<i64>,
    ) -> ApiResult {
        let envelope = envelope.into();
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let body = match self {
            Self::Number { page, per_page, include_totals } => {
                let start = page.saturating_mul(per_page);
                let window = Window { after: None, skip: number(start), limit: number(per_page) };
                let array = array(&list(window).await?);
                if include_totals {
                    envelope.with_totals(&array, start, per_page, count().await?)
                } else {
                    array
                }
            }
            Self::Checkpoint { after, take } => {
                let mut listed = list(Window { after, skip: 0, limit: number(take) + 1 }).await?;
                let more = listed.len() as u64 > take;
                if more {
                    listed.pop();
                }
                let mut body = format!(r#"{{"{}":{}"#, envelope.name, array(&listed));
                if let Some(last) = listed.last().filter(|_| more) {
                    let _ = write!(body, r#","next":"{}""#, app.checkpoint(&last.position));
                }
                body.push('}');
                body
            }
        };
        Ok(json(StatusCode::OK, body))
    }
}

fn array(listed: &[Listed]) -> String {
    let objects: Vec<_> = listed.iter().map(|one| one.json.as_str()).collect();
    format!("[{}]", objects.join(","))
}
