//! How screens are rendered: the list of those that were changed, and several at once. Filters name clients and
//! organizations; when one is deleted, it goes from them too.

use super::routes::{Change, described, prepared};
use super::store::{self, Key};
use crate::app::App;
use crate::db::{DbResult, Tx};
use crate::http::{ApiResult, Input, Listed, MOST_BY_NUMBER, Page, Query, Slice, json, paging};
use axum::extract::{RawQuery, State};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::LazyLock;
use tenantry_types::Object;
use tenantry_types::schema::{Schema, object, optional, string};
use tenantry_types::settings::{RENDERING, RENDERING_PATH, bulk_rendering};

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    let slice = described(slice, Method::GET, RENDERING_PATH, list_rendering).query(&LIST_QUERY);
    described(slice, Method::PATCH, RENDERING_PATH, update_rendering).body(&BULK)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([optional("prompt", string()), optional("screen", string()), optional("rendering_mode", string())])
        .with(paging())
});

static BULK: LazyLock<Schema> = LazyLock::new(bulk_rendering);

/// `GET /prompts/rendering`.
async fn list_rendering(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let page = Page::of(&query, &app, Some(MOST_BY_NUMBER))?;
    let wanted = |config: &Value| {
        ["prompt", "screen", "rendering_mode"]
            .iter()
            .all(|name| query.text(name).is_none_or(|value| config[name] == value))
    };
    let mut listed = Vec::new();
    for stored in store::list(&app.db, &app.tenant, RENDERING.path).await? {
        let (prompt, screen) = stored.id.split_once('/').unwrap_or_default();
        let mut config = json!({"tenant": &app.tenant, "prompt": prompt, "screen": screen});
        if let (Value::Object(config), Value::Object(members)) = (&mut config, stored.document) {
            config.extend(members);
        }
        if wanted(&config) {
            listed.push(Listed { position: stored.id, json: config.to_string() });
        }
    }
    let total = i64::try_from(listed.len()).unwrap_or(i64::MAX);
    let select = async |window: crate::http::Window| {
        let after = window.after.unwrap_or_default();
        let of = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let part = listed.into_iter().filter(|one| one.position > after);
        Ok(part.skip(of(window.skip)).take(of(window.limit)).collect())
    };
    page.answer(&app, "configs", select, async || Ok(total)).await
}

/// `PATCH /prompts/rendering`: all of them or none.
async fn update_rendering(State(app): State<App>, Input(body): Input) -> ApiResult {
    let body = BULK.check_body(&body)?;
    let configs: Vec<Object> =
        body["configs"].as_array().into_iter().flatten().filter_map(Value::as_object).cloned().collect();
    let transaction_app = app.clone();
    let answer = app
        .db
        .transaction(move |tx| {
            let mut answers = Vec::new();
            for config in configs {
                let mut change = config;
                let mut take = |name: &str| change.shift_remove(name).unwrap_or_default();
                let (prompt, screen) = (take("prompt"), take("screen"));
                let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let id = format!("{}/{}", part(&prompt), part(&screen));
                let key = Key { kind: RENDERING.path, id };
                let change = Change::Patch(change);
                let document = prepared(RENDERING).write_in(&transaction_app, tx, &key, &change)?;
                let mut answer = json!({"prompt": prompt, "screen": screen});
                if let (Value::Object(answer), Value::Object(members)) = (&mut answer, document) {
                    answer.extend(members);
                }
                answers.push(answer);
            }
            ApiResult::Ok(json!({"configs": answers}))
        })
        .await?;
    Ok(json(StatusCode::OK, answer.to_string()))
}

/// Takes an object that is deleted out of the filters; `list` is `clients` or `organizations`.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: &str, list: &str, id: &str) -> DbResult<()> {
    for stored in store::list_for_update(tx, tenant, RENDERING.path)? {
        let mut document = stored.document.clone();
        let Some(Value::Array(entries)) = document.pointer_mut(&format!("/filters/{list}")) else { continue };
        let before = entries.len();
        entries.retain(|entry| entry.get("id").and_then(Value::as_str) != Some(id));
        if entries.len() < before {
            store::replace(tx, tenant, RENDERING.path, &stored, &document)?;
        }
    }
    Ok(())
}
