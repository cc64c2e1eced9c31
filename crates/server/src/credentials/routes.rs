//! The Credentials API.

use super::{NewCredential, store};
use crate::app::App;
use crate::clients;
use crate::db::Tx;
use crate::http::{ApiResult, Failure, Input, Slice, json, no_content};
use axum::extract::{Path, State};
use http::StatusCode;
use serde_json::Value;
use tenantry_types::clients::ClientDocument;
use tenantry_types::credentials::{self, MAX_OF_A_TYPE, visit_lists};
use tenantry_types::{ApiError, ErrorCode, Scope, time};

const CREDENTIALS: &str = "/api/v2/clients/{client_id}/credentials";
const CREDENTIAL: &str = "/api/v2/clients/{client_id}/credentials/{credential_id}";
/// Not a path of Auth0's: its answers never show what was uploaded.
const PEM: &str = "/api/v2/clients/{client_id}/credentials/{credential_id}/pem";

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(CREDENTIALS, &[Scope::READ_CLIENT_CREDENTIALS], list_credentials)
        .post(CREDENTIALS, &[Scope::CREATE_CLIENT_CREDENTIALS], create_credential)
        .body(&tenantry_types::credentials::CREATE)
        .get(CREDENTIAL, &[Scope::READ_CLIENT_CREDENTIALS], get_credential)
        .get(PEM, &[Scope::READ_CLIENT_CREDENTIALS], get_pem)
        .patch(CREDENTIAL, &[Scope::UPDATE_CLIENT_CREDENTIALS], update_credential)
        .body(&tenantry_types::credentials::PATCH)
        .delete(CREDENTIAL, &[Scope::DELETE_CLIENT_CREDENTIALS], delete_credential)
}

fn not_found() -> Failure {
    Failure::not_found("The credential does not exist", ErrorCode::InexistentCredential)
}

fn client(tx: &mut Tx<'_>, tenant: &str, client_id: &str) -> Result<ClientDocument, Failure> {
    let found = clients::store::find_for_update(tx, tenant, client_id)?;
    found.ok_or_else(Failure::client_not_found)
}

/// Refuses a credential that the client has already, or one too many of its type.
pub(crate) fn check_room(
    tx: &mut Tx<'_>,
    tenant: &str,
    client_id: &str,
    new: &NewCredential,
) -> Result<(), Failure> {
    if store::has_key(tx, tenant, client_id, &new.sort)? {
        return Err(ApiError::invalid_body("The client already has this credential").into());
    }
    let same = store::types(tx, tenant, client_id)?.values().filter(|kind| **kind == new.kind).count();
    if same >= MAX_OF_A_TYPE {
        return Err(ApiError::invalid_body(format!(
            "A client cannot have more than {MAX_OF_A_TYPE} credentials of type {}",
            new.kind.as_str()
        ))
        .into());
    }
    Ok(())
}

/// `GET /clients/{client_id}/credentials`: a bare list, whatever paging is asked for.
async fn list_credentials(State(app): State<App>, Path(client_id): Path<String>) -> ApiResult {
    app.clients.find(&app, &client_id).await?.ok_or_else(Failure::client_not_found)?;
    let list = store::list(&app.db, &app.tenant, &client_id).await?;
    Ok(json(StatusCode::OK, format!("[{}]", list.join(","))))
}

/// `POST /clients/{client_id}/credentials`.
async fn create_credential(
    State(app): State<App>,
    Path(client_id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let definition = credentials::check_create_body(&body)?;
    let credential = NewCredential::new(definition, &app.random, &app.clock)?;
    let document = Value::Object(credential.document.clone()).to_string();
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            client(tx, &tenant, &client_id)?;
            check_room(tx, &tenant, &client_id, &credential)?;
            Ok::<_, Failure>(store::insert(tx, &tenant, &client_id, &credential)?)
        })
        .await?;
    Ok(json(StatusCode::CREATED, document))
}

/// `GET /clients/{client_id}/credentials/{credential_id}`.
async fn get_credential(State(app): State<App>, Path((client_id, id)): Path<(String, String)>) -> ApiResult {
    app.clients.find(&app, &client_id).await?.ok_or_else(Failure::client_not_found)?;
    let document = store::find(&app.db, &app.tenant, &client_id, &id).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, document))
}

/// `GET /clients/{client_id}/credentials/{credential_id}/pem`: the public key or certificate as it was uploaded.
async fn get_pem(State(app): State<App>, Path((client_id, id)): Path<(String, String)>) -> ApiResult {
    app.clients.find(&app, &client_id).await?.ok_or_else(Failure::client_not_found)?;
    let pem = store::pem(&app.db, &app.tenant, &client_id, &id).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, serde_json::json!({"pem": pem}).to_string()))
}

/// `PATCH /clients/{client_id}/credentials/{credential_id}`: only `expires_at` can be changed.
async fn update_credential(
    State(app): State<App>,
    Path((client_id, id)): Path<(String, String)>,
    Input(body): Input,
) -> ApiResult {
    let body = credentials::check_patch_body(&body)?.clone();
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    let document = app
        .db
        .transaction(move |tx| {
            client(tx, &tenant, &client_id)?;
            let before = store::find_for_update(tx, &tenant, &client_id, &id)?.ok_or_else(not_found)?;
            let mut document = before.clone();
            if let Some(expiry) = body.get("expires_at") {
                if document.get("credential_type").and_then(Value::as_str) != Some("public_key") {
                    return Err(ApiError::invalid_body(
                        "expires_at applies to credentials of type public_key",
                    )
                    .into());
                }
                match expiry.as_str().and_then(time::parse) {
                    Some(millis) => document.insert("expires_at".into(), time::print(millis).into()),
                    None => document.shift_remove("expires_at"),
                };
            }
            document.insert("updated_at".into(), time::print(now).into());
            let expires_at = document.get("expires_at").and_then(Value::as_str).and_then(time::parse);
            store::update(tx, &tenant, &client_id, &id, (&before, &document), expires_at)?;
            Ok::<_, Failure>(document)
        })
        .await?;
    Ok(json(StatusCode::OK, Value::Object(document).to_string()))
}

/// `DELETE /clients/{client_id}/credentials/{credential_id}`: 204 also when it is not there.
async fn delete_credential(
    State(app): State<App>,
    Path((client_id, id)): Path<(String, String)>,
) -> ApiResult {
    let tenant = app.tenant.clone();
    app.db
        .transaction(move |tx| {
            let Some(document) = clients::store::find_for_update(tx, &tenant, &client_id)? else {
                return Ok(());
            };
            if is_used(&document, &id) {
                return Err(ApiError::new(400, "Cannot delete credential still associated with a client")
                    .with_code(ErrorCode::OperationNotSupported)
                    .into());
            }
            Ok::<_, Failure>(store::delete(tx, &tenant, &client_id, &id)?)
        })
        .await?;
    Ok(no_content())
}

/// Whether a client names the credential anywhere.
fn is_used(client: &ClientDocument, id: &str) -> bool {
    let mut members = client.members().clone();
    visit_lists(&mut members, |_, _, list| {
        let names_it = list.iter().any(|one| one.get("id").and_then(Value::as_str) == Some(id));
        if names_it { Err(()) } else { Ok(()) }
    })
    .is_err()
}
