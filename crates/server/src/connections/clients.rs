//! Which clients a connection is enabled for, seen from both sides.

use super::not_found;
use super::routes::{selected, selection, strategies};
use super::store::{self, Filter};
use crate::app::App;
use crate::clients::store as client_store;
use crate::http::{ApiResult, Caller, Failure, Input, Listed, Page, Query, Window, no_content};
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tenantry_types::schema::{Schema, integer, object, optional, string};
use tenantry_types::{ApiError, Scope, connections};

pub(super) static CLIENTS_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([optional("from", string().max(1_000)), optional("take", integer().min(1).max(1_000))])
});

/// What the list of a client's connections needs.
pub(super) const SCOPES_OF_CLIENT: &[&[Scope]] = &[
    &[Scope::READ_CONNECTIONS, Scope::READ_CLIENTS],
    &[Scope::READ_CONNECTIONS, Scope::READ_CLIENT_SUMMARY],
];

pub(super) static CONNECTIONS_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([optional("from", string().max(1_000)), optional("take", integer().min(1).max(100)), strategies()])
        .with(selection())
});

/// `GET /connections/{id}/clients`.
pub(super) async fn list_enabled_clients(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &CLIENTS_QUERY)?;
    let page = Page::by_checkpoint(&query, &app)?;
    store::find(&app.db, &app.master, &app.tenant, &id).await?.ok_or_else(not_found)?;
    let list = async |window: Window| {
        let clients = store::clients(&app.db, &app.tenant, &id, &window).await?;
        let listed = clients.into_iter().map(|(position, client_id)| Listed {
            position,
            json: json!({"client_id": client_id}).to_string(),
        });
        Ok(listed.collect())
    };
    page.answer(&app, "clients", list, async || Ok(0)).await
}

/// `PATCH /connections/{id}/clients`.
pub(super) async fn update_enabled_clients(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let changes: Vec<_> = connections::check_enable_body(&body)?
        .into_iter()
        .map(|(client_id, enable)| (client_id.to_owned(), enable.then(|| app.sequence.next(&app.clock))))
        .collect();
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            tx.answers(StatusCode::NO_CONTENT);
            if !store::exists(tx, &tenant, &id)? {
                return Err(not_found());
            }
            for (client_id, enable) in &changes {
                if !client_store::exists(tx, &tenant, client_id)? {
                    return Err(Failure::client_not_found());
                }
                match enable {
                    Some(seq) => store::enable(tx, &tenant, &id, client_id, *seq)?,
                    None => store::disable(tx, &tenant, &id, client_id)?,
                }
            }
            Ok(())
        })
        .await?;
    Ok(no_content())
}

/// `GET /clients/{id}/connections`. Its connections do not show the clients that they are enabled for.
pub(super) async fn list_client_connections(
    State(app): State<App>,
    caller: Caller,
    Path(client_id): Path<String>,
    RawQuery(raw): RawQuery,
) -> ApiResult {
    let scopes = [Scope::READ_CLIENTS, Scope::READ_CLIENT_SUMMARY];
    if !caller.scopes().contains_any(&scopes) {
        return Err(ApiError::insufficient_scope(scopes.iter().map(|scope| scope.as_str())).into());
    }
    let query = Query::parse(raw.as_deref(), &CONNECTIONS_QUERY)?;
    let page = Page::by_checkpoint(&query, &app)?;
    app.clients.find(&app, &client_id).await?.ok_or_else(Failure::client_not_found)?;
    let filter =
        Filter { client_id: Some(&client_id), strategies: query.texts("strategy"), ..Filter::default() };
    let list = async |window: Window| {
        let found = store::list(&app.db, &app.master, &app.tenant, &filter, &window).await?;
        let listed = found.into_iter().map(|(position, connection)| Listed {
            position,
            json: Value::Object(selected(&query, &caller, connection)).to_string(),
        });
        Ok(listed.collect())
    };
    page.answer(&app, "connections", list, async || Ok(0)).await
}
