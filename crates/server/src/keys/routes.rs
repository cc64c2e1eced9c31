//! The signing keys in the Management API.

use crate::app::App;
use crate::http::{ApiResult, Failure, Slice, json};
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::Value;
use tenantry_types::{ApiError, Scope};

/// The routes of this slice. Keys are not changed here yet.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app).get("/api/v2/keys/signing", &[Scope::READ_SIGNING_KEYS], list_signing_keys).get(
        "/api/v2/keys/signing/{kid}",
        &[Scope::READ_SIGNING_KEYS],
        get_signing_key,
    )
}

/// `GET /keys/signing`.
async fn list_signing_keys(State(app): State<App>) -> ApiResult {
    let keys = app.keys();
    let shown: Vec<&Value> = keys.shown().iter().map(|(_, key)| key).collect();
    Ok(json(StatusCode::OK, serde_json::to_vec(&shown)?))
}

/// `GET /keys/signing/{kid}`.
async fn get_signing_key(State(app): State<App>, Path(kid): Path<String>) -> ApiResult {
    let keys = app.keys();
    let (_, key) = keys
        .shown()
        .iter()
        .find(|(known, _)| *known == kid)
        .ok_or_else(|| Failure::from(ApiError::new(404, "Signing key not found.")))?;
    Ok(json(StatusCode::OK, key.to_string()))
}
