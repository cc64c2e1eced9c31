//! The signing keys in the Management API.

use super::{rotation, show, store};
use crate::app::App;
use crate::db::DbResult;
use crate::http::{ApiResult, Caller, Failure, Slice, json};
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use tenantry_jose::certificate;
use tenantry_types::{ApiError, Scope};

const KEYS: &str = "/api/v2/keys/signing";
const KEY: &str = "/api/v2/keys/signing/{kid}";
const ROTATE: &str = "/api/v2/keys/signing/rotate";
const REVOKE: &str = "/api/v2/keys/signing/{kid}/revoke";

/// A rotation makes one key and changes another.
const ROTATING: &[Scope] = &[Scope::CREATE_SIGNING_KEYS, Scope::UPDATE_SIGNING_KEYS];

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(KEYS, &[Scope::READ_SIGNING_KEYS], list_signing_keys)
        .post(ROTATE, ROTATING, rotate_signing_key)
        .scope_sets(&[ROTATING])
        .get(KEY, &[Scope::READ_SIGNING_KEYS], get_signing_key)
        .put(REVOKE, &[Scope::UPDATE_SIGNING_KEYS], revoke_signing_key)
}

pub(super) fn not_found() -> Failure {
    ApiError::new(404, "Signing key not found.").into()
}

/// `GET /keys/signing`.
async fn list_signing_keys(State(app): State<App>) -> ApiResult {
    prepared(&app).await;
    let shown: DbResult<Vec<Value>> = app.keys().await?.stored.iter().map(show).collect();
    Ok(json(StatusCode::OK, serde_json::to_vec(&shown?)?))
}

/// Shows the next key from the start, also where nobody had the time to make it yet.
pub(crate) async fn prepared(app: &App) {
    if app.keys().await.is_ok_and(|keys| keys.has_next()) {
        return;
    }
    if let Err(error) = Box::pin(rotation::prepare_next(app)).await {
        tracing::debug!(%error, "cannot make the next signing key");
    }
}

/// `GET /keys/signing/{kid}`.
async fn get_signing_key(State(app): State<App>, Path(kid): Path<String>) -> ApiResult {
    let key = store::find(&app.db, &app.tenant, &kid).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, show(&key)?.to_string()))
}

/// `POST /keys/signing/rotate`: answers the key that is next after the rotation.
async fn rotate_signing_key(State(app): State<App>, caller: Caller) -> ApiResult {
    let missing = ROTATING.iter().filter(|scope| !caller.scopes().contains_any(&[**scope]));
    let missing: Vec<_> = missing.map(|scope| scope.as_str()).collect();
    if !missing.is_empty() {
        return Err(ApiError::insufficient_scope(missing).into());
    }
    let key = rotation::rotate(&app).await?;
    named(StatusCode::CREATED, &key.kid, &key.certificate)
}

/// `PUT /keys/signing/{kid}/revoke`.
async fn revoke_signing_key(State(app): State<App>, Path(kid): Path<String>) -> ApiResult {
    let key = rotation::revoke(&app, &kid).await?;
    named(StatusCode::OK, &key.kid, &key.certificate)
}

fn named(status: StatusCode, kid: &str, der: &[u8]) -> ApiResult<Response> {
    let pem = certificate::to_pem(der).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(json(status, serde_json::json!({"cert": pem, "kid": kid}).to_string()))
}
