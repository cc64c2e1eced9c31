//! `GET /clients/search`.

use super::run::{Position, Sort, run};
use crate::app::App;
use crate::clients::render::{self, Parts, View};
use crate::http::{ApiResult, Caller, Page, Query, json};
use axum::extract::{RawQuery, State};
use http::StatusCode;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tenantry_types::clients::search::{Field, Language, Search};
use tenantry_types::schema::{Schema, boolean, integer, object, one_of, optional, string};
use tenantry_types::{ApiError, ErrorCode, Scope, time};

/// The most fields that may be named.
const MAX_FIELDS: usize = 50;

pub(in crate::clients) static QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("q", string().max(1_000)),
        optional("parser", one_of(&["scim", "lucene"])),
        optional("fields", string()),
        optional("include_fields", boolean()),
        optional("from", string().max(1_000)),
        optional("take", integer().min(1).max(100)),
        optional("sort", one_of(&["name", "updated_at"])),
    ])
});

/// Whether it asks for nothing but what everybody who reads clients may see, or filter lists by. What a search finds tells
/// what it looked at.
fn is_open(search: &Search) -> bool {
    let mut conditions = search.0.iter().flatten();
    conditions.all(|one| !matches!(one.field, Field::Metadata(_) | Field::CallbackHost | Field::UpdatedAt))
}

pub(in crate::clients) async fn search_clients(
    State(app): State<App>,
    caller: Caller,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &QUERY)?;
    let language = match query.text("parser") {
        Some("scim") => Language::Scim,
        _ => Language::Lucene,
    };
    let search = match query.text("q").map(str::trim) {
        None | Some("") => Search::all(),
        Some(q) => Search::parse(language, q)?,
    };
    let sort = match query.text("sort") {
        Some("name") => Sort::Name,
        Some("updated_at") => Sort::Updated,
        _ => Sort::Created,
    };
    if !caller.scopes().contains(Scope::READ_CLIENTS) && (sort == Sort::Updated || !is_open(&search)) {
        return Err(ApiError::insufficient_scope([Scope::READ_CLIENTS.as_str()]).into());
    }
    let fields = query.text("fields");
    if fields.is_some_and(|fields| fields.split(',').count() > MAX_FIELDS) {
        return Err(ApiError::invalid_query(format!("fields takes {MAX_FIELDS} names at most")).into());
    }
    let include = query.flag("include_fields").unwrap_or(true);
    let view = View::of_search(caller.scopes()).with_fields(fields, include);
    let (after, take) = match Page::of(&query, &app, None)? {
        Page::Checkpoint { after, take } => (after, take),
        Page::Number { per_page, .. } => (None, per_page),
    };
    let after = after.map_or_else(|| Some(Position::default()), |text| Position::read(&text, sort));
    let after = after.ok_or_else(|| {
        ApiError::new(400, "The checkpoint belongs to a search in another order.")
            .with_code(ErrorCode::InvalidPaging)
    })?;
    let take = usize::try_from(take).unwrap_or(usize::MAX);
    let (found, next) = run(&app, &search, sort, &after, take).await?;

    let mut body = Vec::with_capacity(64 + found.iter().map(|one| one.stored.json.len() + 96).sum::<usize>());
    body.extend_from_slice(br#"{"clients":["#);
    for (i, one) in found.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        let keys = r#""signing_keys":[]"#;
        let parts = Parts { stored: (&one.stored).into(), secret: None, signing_keys: keys, is_new: false };
        render::client(&mut body, &parts, &view);
        let times = [("created_at", one.created_at), ("updated_at", one.position.updated_at)];
        render::append(
            &mut body,
            times
                .iter()
                .filter(|(name, _)| view.shows_time(name))
                .map(|(name, at)| format!(r#""{name}":"{}""#, time::print(*at))),
        );
    }
    let mut end = "]".to_owned();
    if let Some(next) = next {
        let _ = write!(end, r#","next":"{}""#, app.checkpoint(&next.print(sort)));
    }
    end.push('}');
    body.extend_from_slice(end.as_bytes());
    Ok(json(StatusCode::OK, body))
}
