//! Overlapping secrets, an extension of ours: `rotate-secret` with a grace period keeps the secrets before it valid for
//! a while, and what is still valid can be looked at (never its value) and ended.

use super::store;
use crate::app::App;
use crate::db::Tx;
use crate::http::{ApiResult, Failure, json, no_content};
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::{Value, json as value};
use std::sync::LazyLock;
use tenantry_types::schema::{Part, Schema, integer, object, optional};
use tenantry_types::{ApiError, ErrorCode, time};

/// The longest grace period, in seconds: 30 days.
const MAX_GRACE: u32 = 2_592_000;
/// Secrets of a client that may be valid at once.
const MAX_SECRETS: usize = 10;

pub(super) static ROTATE: LazyLock<Schema> = LazyLock::new(|| {
    let grace = integer().min(0).max(MAX_GRACE).describe("Seconds that the secrets before stay valid");
    object([optional("grace_period_seconds", grace)])
});

/// The grace period that a body asks for, in milliseconds. A body that Auth0 would take asks for none.
pub(super) fn grace_period(body: &Value) -> Result<Option<i64>, Failure> {
    if body.is_null() {
        return Ok(None);
    }
    ROTATE.check(Part::Payload, body)?;
    let seconds = body.get("grace_period_seconds").and_then(Value::as_i64);
    Ok(seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds * 1000))
}

/// Refuses one more secret when too many are valid already.
pub(super) fn check_room(tx: &mut Tx<'_>, tenant: &str, client_id: &str, now: i64) -> Result<(), Failure> {
    let valid = store::secrets_for_update(tx, tenant, client_id, now)?;
    if valid.len() < MAX_SECRETS {
        return Ok(());
    }
    Err(ApiError::invalid_body(format!(
        "A client cannot have more than {MAX_SECRETS} valid secrets: delete one, or rotate without a grace period"
    ))
    .into())
}

/// `GET /clients/{id}/secrets`.
pub(super) async fn list_secrets(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    app.clients.find(&app, &id).await?.ok_or_else(Failure::client_not_found)?;
    let valid = store::secrets(&app.db, &app.tenant, &id, app.clock.now_ms()).await?;
    let list: Vec<_> = valid
        .into_iter()
        .map(|secret| {
            value!({
                "id": secret.id,
                "is_current": secret.is_current,
                "created_at": time::print(secret.created_at),
                "expires_at": secret.expires_at.map(time::print),
                "last_used_at": secret.last_used_at.map(time::print),
            })
        })
        .collect();
    Ok(json(StatusCode::OK, Value::from(list).to_string()))
}

/// `DELETE /clients/{id}/secrets/{secret_id}`: 204 also when it is not there; the current one stays.
pub(super) async fn delete_secret(
    State(app): State<App>,
    Path((client_id, id)): Path<(String, String)>,
) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let valid = store::secrets_for_update(tx, &tenant, &client_id, now)?;
            if valid.iter().any(|secret| secret.is_current && secret.id == id) {
                return Err(ApiError::new(400, "The current secret cannot be deleted; rotate it instead")
                    .with_code(ErrorCode::OperationNotSupported)
                    .into());
            }
            Ok::<_, Failure>(store::delete_secret(tx, &tenant, &client_id, &id)?)
        })
        .await?;
    Ok(no_content())
}
