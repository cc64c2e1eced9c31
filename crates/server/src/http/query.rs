//! Query strings, and the two ways of paging.

use super::error::{ApiResult, Failure};
use crate::app::App;
use serde_json::Value;
use std::fmt::Write as _;
use tenantry_jose::{base64url, from_base64url};
use tenantry_types::schema::{Part, Schema};
use tenantry_types::{ApiError, ErrorCode, Object};

/// Parameters that are tolerated everywhere, because official SDKs send them everywhere.
const TOLERATED: &[&str] = &["page", "per_page", "include_totals", "fields", "include_fields"];

/// A query string, checked against what the route takes.
pub(crate) struct Query {
    parameters: Object,
}

impl Query {
    /// Reads a query string. `schema` is an object of strings, integers, booleans and lists of strings.
    pub(crate) fn parse(raw: Option<&str>, schema: &Schema) -> ApiResult<Self> {
        let mut parameters = Object::new();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let is_known = schema.members().iter().any(|member| member.name() == name);
            if !is_known && TOLERATED.contains(&&*name) {
                continue;
            }
            match parameters.get_mut(&*name) {
                Some(Value::Array(values)) => values.push(Value::from(value)),
                Some(first) => *first = Value::Array(vec![first.take(), Value::from(value)]),
                None => {
                    parameters.insert(name.into_owned(), Value::from(value));
                }
            }
        }
        for (name, value) in &mut parameters {
            if let Some(typed) =
                schema.members().iter().find(|m| m.name() == name).and_then(|m| m.read_text(value))
            {
                *value = typed;
            }
        }
        let parameters = Value::Object(parameters);
        schema.check(Part::Query, &parameters)?;
        let Value::Object(parameters) = parameters else { unreachable!("made as an object") };
        Ok(Self { parameters })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.parameters.get(name).and_then(Value::as_bool)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.parameters.get(name).and_then(Value::as_u64)
    }

    /// The values of a repeatable parameter.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.parameters.get(name) {
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(value)) => vec![value],
            _ => Vec::new(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// By number.
    Number { page: u64, per_page: u64, include_totals: bool },
    /// From a checkpoint on, or from the beginning.
    Checkpoint { after: Option<String>, take: u64 },
}

const DEFAULT_PAGE: u64 = 50;
/// How long a checkpoint is good for.
const CHECKPOINT_MS: i64 = 24 * 60 * 60 * 1000;

impl Page {
    /// `most` is the number of the last record that pages may reach, if there is one.
    pub(crate) fn of(query: &Query, app: &App, most: Option<u64>) -> ApiResult<Self> {
        Self::of_size(query, app, most, DEFAULT_PAGE)
    }

    /// The same for a list whose numbered pages have another size when none is asked for.
    pub(crate) fn of_size(query: &Query, app: &App, most: Option<u64>, size: u64) -> ApiResult<Self> {
        if query.has("take") || query.has("from") {
            return Self::by_checkpoint(query, app);
        }
        let page = query.number("page").unwrap_or(0);
        let per_page = query.number("per_page").filter(|n| *n > 0).unwrap_or(size);
        if let Some(most) = most
            && page.saturating_add(1).saturating_mul(per_page) > most
        {
            return Err(ApiError::new(
                400,
                format!("Requesting page exceeds the allowed maximum of {most} records."),
            )
            .with_code(ErrorCode::InvalidPaging)
            .into());
        }
        Ok(Self::Number { page, per_page, include_totals: query.flag("include_totals").unwrap_or(false) })
    }

    /// The same for lists that have checkpoints only: without one, from the beginning.
    pub(crate) fn of_checkpoints(query: &Query, app: &App) -> ApiResult<Self> {
        let beginning = Self::Checkpoint { after: None, take: DEFAULT_PAGE };
        let page = Self::of(query, app, None)?;
        Ok(if matches!(page, Self::Checkpoint { .. }) { page } else { beginning })
    }

    /// For lists that have no numbered pages.
    pub(crate) fn by_checkpoint(query: &Query, app: &App) -> ApiResult<Self> {
        Self::by_checkpoint_of_size(query, app, DEFAULT_PAGE)
    }

    /// The same for a list whose pages have another size when none is asked for.
    pub(crate) fn by_checkpoint_of_size(query: &Query, app: &App, size: u64) -> ApiResult<Self> {
        let after = query.text("from").map(|from| read_checkpoint(app, from)).transpose()?;
        Ok(Self::Checkpoint { after, take: query.number("take").unwrap_or(size) })
    }
}

impl App {
    /// The checkpoint behind the object at `position`.
    pub(crate) fn checkpoint(&self, position: &str) -> String {
        base64url(format!("{}:{position}", self.clock.now_ms() + CHECKPOINT_MS).as_bytes())
    }
}

fn read_checkpoint(app: &App, text: &str) -> ApiResult<String> {
    let invalid = || {
        Failure::from(
            ApiError::new(400, "The checkpoint is not valid or has expired.")
                .with_code(ErrorCode::InvalidPaging),
        )
    };
    let text = from_base64url(text).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    let (expires, position) = text.split_once(':').ok_or_else(invalid)?;
    let expires: i64 = expires.parse().map_err(|_| invalid())?;
    if expires < app.clock.now_ms() { Err(invalid()) } else { Ok(position.to_owned()) }
}

/// The `Link` header of a list by page number: first, next if there is one, last.
pub(crate) fn list_link(
    app: &App,
    path: &str,
    raw_query: Option<&str>,
    page: u64,
    per_page: u64,
    total: u64,
) -> String {
    let others: Vec<_> = form_urlencoded::parse(raw_query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name != "page" && name != "per_page")
        .collect();
    let last = total.div_ceil(per_page).saturating_sub(1);
    let mut link = String::new();
    let mut add = |page: u64, rel: &str| {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&others)
            .append_pair("page", &page.to_string())
            .append_pair("per_page", &per_page.to_string())
            .finish();
        let separator = if link.is_empty() { "" } else { ", " };
        let _ = write!(link, r#"{separator}<https://{}{path}?{query}>; rel="{rel}""#, app.domain);
    };
    add(0, "first");
    if page < last {
        add(page + 1, "next");
    }
    add(last, "last");
    link
}
