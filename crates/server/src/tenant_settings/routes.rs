//! The Tenants API.

use super::store;
use crate::app::App;
use crate::http::{ApiResult, Failure, Input, Query, Slice, json};
use axum::extract::{RawQuery, State};
use http::StatusCode;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_types::schema::{Schema, boolean, object, optional, string};
use tenantry_types::{Scope, tenant_settings};

const SETTINGS: &str = "/api/v2/tenants/settings";

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(SETTINGS, &[Scope::READ_TENANT_SETTINGS], get_tenant_settings)
        .query(&GET_QUERY)
        .patch(SETTINGS, &[Scope::UPDATE_TENANT_SETTINGS], update_tenant_settings)
        .body(&tenant_settings::PATCH)
}

static GET_QUERY: LazyLock<Schema> =
    LazyLock::new(|| object([optional("fields", string()), optional("include_fields", boolean())]));

/// `GET /tenants/settings`.
async fn get_tenant_settings(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &GET_QUERY)?;
    let mut settings = tenant_settings::as_read(store::find(&app.db, &app.tenant).await?);
    if let Some(fields) = query.text("fields") {
        let include = query.flag("include_fields").unwrap_or(true);
        settings.retain(|name, _| fields.split(',').any(|field| field.trim() == name) == include);
    }
    Ok(json(StatusCode::OK, Value::Object(settings).to_string()))
}

/// `PATCH /tenants/settings`.
async fn update_tenant_settings(State(app): State<App>, Input(body): Input) -> ApiResult {
    tenant_settings::check_patch_body(&body)?;
    let Value::Object(body) = body else { unreachable!("checked above") };
    let tenant = app.tenant.clone();
    let settings = app
        .db
        .transaction(move |tx| {
            let (before, version) = store::find_for_update(tx, &tenant)?;
            let after = tenant_settings::patch(&before, &body)?;
            if !store::update(tx, &tenant, &before, &after, version)? {
                return Err(Failure::Internal("the settings changed within a transaction".into()));
            }
            Ok(after)
        })
        .await?;
    Ok(json(StatusCode::OK, Value::Object(tenant_settings::as_changed(settings)).to_string()))
}
