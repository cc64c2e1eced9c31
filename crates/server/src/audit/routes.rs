//! The log by the Management API.

use super::store::{self, Order, Stored, Walk};
use crate::app::App;
use crate::http::{ApiResult, Failure, MOST_BY_NUMBER, Page, Query, Slice, json, paging_of_zero};
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tenantry_types::logs::{self, Bounds, Entry, Search};
use tenantry_types::schema::{Schema, boolean, object, optional, string};
use tenantry_types::{ApiError, Object, Scope, time};

const READ: &[Scope] = &[Scope::READ_LOGS, Scope::READ_LOGS_USERS];

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app).get("/api/v2/logs", READ, list_logs).query(&LIST_QUERY).get(
        "/api/v2/logs/{id}",
        READ,
        get_log,
    )
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("q", string().max(MAX_QUERY)),
        optional("search", string().max(MAX_QUERY)),
        optional("sort", string()),
        optional("fields", string()),
        optional("include_fields", boolean()),
    ])
    .with(paging_of_zero())
});

static GET_QUERY: LazyLock<Schema> = LazyLock::new(|| object([]));

const MAX_QUERY: u32 = 2_000;
/// Entries that one search looks at. Beyond it a search has to say more, so that no request reads a whole log.
const MOST_LOOKED_AT: usize = 50_000;
/// Entries that are read at once; other requests run in between.
const STEP: usize = 500;
/// Entries of a page whose size is not said.
const DEFAULT_TAKE: u64 = 50;

/// `GET /logs`.
async fn list_logs(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    // What this server did a moment ago is to be seen.
    app.audit.flush().await;
    let view = View::of(&query);
    if query.has("from") || query.has("take") {
        // All other parameters are ignored, as documented.
        return from_checkpoint(&app, &query).await;
    }
    let order = order(&query)?;
    let search = Search::parse(query.text("q"), query.text("search"))?;
    let Page::Number { page, per_page, include_totals } = Page::of(&query, &app, Some(MOST_BY_NUMBER))?
    else {
        return Err(Failure::Internal("a page by number was asked for".into()));
    };
    let bounds = search.bounds();
    let is_everything = bounds == Bounds { is_all: true, ..Bounds::default() };
    let start = page.saturating_mul(per_page);
    // Nobody pages further, so nothing beyond is counted.
    let wanted = if include_totals && !is_everything { MOST_BY_NUMBER } else { start + per_page };
    let found = find(&app, &search, &bounds, order, usize::try_from(wanted).unwrap_or(usize::MAX)).await?;
    let total = if is_everything {
        store::count(&app.db, &app.tenant).await?
    } else {
        i64::try_from(found.len()).unwrap_or(i64::MAX)
    };
    let skip = usize::try_from(start).unwrap_or(usize::MAX);
    let listed = found.iter().skip(skip).take(usize::try_from(per_page).unwrap_or(usize::MAX));
    let shown: Vec<_> = listed.map(|entry| view.render(entry)).collect::<ApiResult<_>>()?;
    let array = format!("[{}]", shown.join(","));
    let body = if include_totals {
        let length = shown.len();
        format!(r#"{{"start":{start},"limit":{per_page},"length":{length},"total":{total},"logs":{array}}}"#)
    } else {
        array
    };
    Ok(json(StatusCode::OK, body))
}

fn order(query: &Query) -> ApiResult<Order> {
    match query.text("sort") {
        None | Some("" | "date:-1" | "log_id:-1" | "_id:-1") => Ok(Order::NewestFirst),
        Some("date:1" | "log_id:1" | "_id:1") => Ok(Order::OldestFirst),
        Some(_) => Err(ApiError::invalid_query("sort takes date:1 and date:-1").into()),
    }
}

/// The entries behind the one that `from` names, in the order in which they were written: a program that asks on and on
/// misses none.
async fn from_checkpoint(app: &App, query: &Query) -> ApiResult {
    let from = query.text("from").unwrap_or_default();
    let after = match (logs::number(from), logs::time_of_prefix(from)) {
        (Some(number), _) => number,
        (None, Some(date)) => store::before_date(&app.db, &app.tenant, date).await?,
        (None, None) if from.is_empty() => 0,
        (None, None) => return Err(ApiError::invalid_query("from is not the id of a log entry").into()),
    };
    let take = query.number("take").unwrap_or(DEFAULT_TAKE);
    let entries = store::after(&app.db, &app.tenant, after, i64::try_from(take).unwrap_or(i64::MAX)).await?;
    let shown: Vec<_> = entries.iter().map(whole).collect();
    Ok(json(StatusCode::OK, format!("[{}]", shown.join(","))))
}

/// The first entries that a search finds.
async fn find(
    app: &App,
    search: &Search,
    bounds: &Bounds,
    order: Order,
    wanted: usize,
) -> ApiResult<Vec<Stored>> {
    let mut found = Vec::new();
    if let Some(id) = &bounds.log_id {
        let entry = by_id(app, id).await?;
        found.extend(entry.filter(|entry| matches(search, entry)));
        return Ok(found);
    }
    let mut walk = Walk::new(&app.db, &app.tenant, bounds, order);
    let mut looked_at = 0;
    while found.len() < wanted {
        let step = if bounds.is_all { (wanted - found.len()).min(STEP) } else { STEP };
        let entries = walk.next(step).await?;
        let is_last = entries.len() < step;
        looked_at += entries.len();
        found.extend(entries.into_iter().filter(|entry| bounds.is_all || matches(search, entry)));
        if is_last {
            break;
        }
        if !bounds.is_all && looked_at >= MOST_LOOKED_AT && found.len() < wanted {
            return Err(ApiError::invalid_query(format!(
                "The search looks at more than {MOST_LOOKED_AT} entries: narrow it by type, client_id or date"
            ))
            .into());
        }
        tokio::task::yield_now().await;
    }
    found.truncate(wanted);
    Ok(found)
}

fn matches(search: &Search, entry: &Stored) -> bool {
    let Ok(members) = serde_json::from_str::<Object>(&entry.document) else { return false };
    search.matches(Entry {
        date: entry.date,
        kind: &entry.kind,
        client_id: entry.client_id.as_deref(),
        log_id: &entry.log_id(),
        members: &members,
    })
}

async fn by_id(app: &App, id: &str) -> ApiResult<Option<Stored>> {
    let Some(number) = logs::number(id) else { return Ok(None) };
    let entry = store::find(&app.db, &app.tenant, number).await?;
    Ok(entry.filter(|entry| entry.log_id() == id))
}

/// `GET /logs/{id}`.
async fn get_log(State(app): State<App>, Path(id): Path<String>, RawQuery(raw): RawQuery) -> ApiResult {
    Query::parse(raw.as_deref(), &GET_QUERY)?;
    let entry = by_id(&app, &id).await?.ok_or_else(|| Failure::missing("Log not found.", None))?;
    Ok(json(StatusCode::OK, whole(&entry)))
}

/// All of an entry, as JSON.
fn whole(entry: &Stored) -> String {
    let id = entry.log_id();
    let mut text = format!(r#"{{"date":"{}","type":"{}","#, time::print(entry.date), entry.kind);
    if let Some(client_id) = &entry.client_id {
        let _ = write!(text, r#""client_id":{},"#, Value::from(client_id.as_str()));
    }
    let members =
        entry.document.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let _ = write!(
        text,
        r#"{members},"$event_schema":{{"version":"1.0.0"}},"log_id":"{id}","_id":"{id}","isMobile":false}}"#
    );
    text
}

/// Which members an answer shows.
struct View {
    fields: Option<Vec<String>>,
    include: bool,
}

impl View {
    fn of(query: &Query) -> Self {
        let fields = query.text("fields").filter(|fields| !fields.is_empty());
        let fields = fields.map(|fields| fields.split(',').map(|field| field.trim().to_owned()).collect());
        Self { fields, include: query.flag("include_fields").unwrap_or(true) }
    }

    fn render(&self, entry: &Stored) -> ApiResult<String> {
        let text = whole(entry);
        let Some(fields) = &self.fields else { return Ok(text) };
        let mut members: Object = serde_json::from_str(&text)?;
        members.retain(|name, _| fields.contains(name) == self.include);
        Ok(Value::Object(members).to_string())
    }
}
