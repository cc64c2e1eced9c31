//! The list of factors, put together from the single ones.

use super::routes::described;
use super::store;
use crate::app::App;
use crate::http::{ApiResult, Slice, json};
use axum::extract::State;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::settings::{FACTOR_PATH, FACTORS};

pub(super) fn routes(slice: Slice<'_>) -> Slice<'_> {
    described(slice, Method::GET, "/api/v2/guardian/factors", list_factors)
}

/// `GET /guardian/factors`.
async fn list_factors(State(app): State<App>) -> ApiResult {
    let stored = store::list(&app.db, &app.tenant, FACTOR_PATH).await?;
    let factor = |name: &&str| {
        let enabled =
            stored.iter().find(|factor| factor.id == **name).map(|factor| &factor.document["enabled"]);
        json!({"name": name, "enabled": enabled.unwrap_or(&Value::Bool(false)), "trial_expired": false})
    };
    let factors: Value = FACTORS.iter().map(factor).collect();
    Ok(json(StatusCode::OK, factors.to_string()))
}
