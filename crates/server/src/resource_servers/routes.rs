//! The Resource Servers API.

use super::store::{self, Stored};
use crate::app::App;
use crate::http::{ApiResult, Failure, Input, Listed, Page, Query, Slice, Window, json, no_content, paging};
use crate::ids;
use crate::seal::SealError;
use axum::extract::{Path, RawQuery, State};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::sync::LazyLock;
use tenantry_jose::credential::{BadPem, parse_pem};
use tenantry_types::schema::{Schema, array, boolean, object, optional, string};
use tenantry_types::{ApiError, ErrorCode, Object, Scope, resource_servers};
use zeroize::Zeroizing;

const APIS: &str = "/api/v2/resource-servers";
const API: &str = "/api/v2/resource-servers/{id}";

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(APIS, &[Scope::READ_RESOURCE_SERVERS], list_resource_servers)
        .query(&LIST_QUERY)
        .post(APIS, &[Scope::CREATE_RESOURCE_SERVERS], create_resource_server)
        .body(&resource_servers::CREATE)
        .get(API, &[Scope::READ_RESOURCE_SERVERS], get_resource_server)
        .patch(API, &[Scope::UPDATE_RESOURCE_SERVERS], update_resource_server)
        .body(&resource_servers::PATCH)
        .delete(API, &[Scope::DELETE_RESOURCE_SERVERS], delete_resource_server)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([optional("identifiers", array(string().min(1)).max(10)), optional("include_fields", boolean())])
        .with(paging())
});

fn not_found() -> Failure {
    Failure::not_found("The resource server does not exist", ErrorCode::InexistentResourceServer)
}

/// Some clients encode an identifier in the path twice; the router undid one of them. What still looks encoded as a
/// whole is decoded once more; an identifier that only holds a `%2F` somewhere is left as it is.
fn decoded(id: &str) -> String {
    let again =
        percent_decode_str(id).decode_utf8().map_or_else(|_| id.to_owned(), std::borrow::Cow::into_owned);
    let was_encoded = |separator| again.contains(separator) && !id.contains(separator);
    if was_encoded('/') || was_encoded(':') { again } else { id.to_owned() }
}

pub(crate) fn seal_context(tenant: &str, id: &str) -> String {
    format!("resource_server/{tenant}/{id}")
}

/// The signing secret of an API, if it has one.
pub(super) fn open_secret(app: &App, stored: &Stored) -> Result<Option<Zeroizing<String>>, SealError> {
    let open = |sealed: &Vec<u8>| app.master.open_text(&seal_context(&app.tenant, stored.text("id")), sealed);
    stored.sealed_secret.as_ref().map(open).transpose()
}

/// The API as answers show it, with its signing secret.
fn reveal(app: &App, stored: Stored) -> Result<Object, Failure> {
    let secret = open_secret(app, &stored)?;
    let mut api = stored.document;
    if let Some(secret) = secret {
        api.insert("signing_secret".into(), secret.as_str().into());
    }
    Ok(resource_servers::ordered(api))
}

/// Members of an encryption key in the order of answers.
const ENCRYPTION_KEY_ORDER: &[&str] = &["name", "alg", "kid", "thumbprint_sha256"];

/// Takes the encryption key out of a body: its PEM is stored as a JWK, and shown by its thumbprint from then on.
fn take_encryption_key(body: &mut Object) -> Result<Option<String>, Failure> {
    let settings = body.get_mut("token_encryption").and_then(|settings| settings.get_mut("encryption_key"));
    let Some(Value::Object(settings)) = settings else { return Ok(None) };
    let pem = settings.shift_remove("pem");
    let material = parse_pem(pem.as_ref().and_then(Value::as_str).unwrap_or_default());
    let bad = |error: BadPem| ApiError::invalid_body(format!("token_encryption.encryption_key: {error}"));
    let material = material.map_err(bad)?;
    let key = material.rsa_key().map_err(bad)?;
    settings.insert("thumbprint_sha256".into(), key.thumbprint().into());
    *settings = tenantry_types::json::in_order(std::mem::take(settings), ENCRYPTION_KEY_ORDER);
    Ok(Some(serde_json::to_string(key)?))
}

/// The sealed signing secret to store: the one that was sent, or a new one where HS256 needs it.
fn new_secret(app: &App, api: &mut Object, has_one: bool) -> Result<Option<Vec<u8>>, Failure> {
    let sent = api.get("signing_secret").and_then(Value::as_str).map(str::to_owned);
    let is_needed = api.get("signing_alg").and_then(Value::as_str) == Some("HS256");
    let secret = match sent {
        Some(secret) => secret,
        None if is_needed && !has_one => ids::signing_secret(&app.random),
        None => return Ok(None),
    };
    let id = api.get("id").and_then(Value::as_str).unwrap_or_default();
    let sealed = app.master.seal(&seal_context(&app.tenant, id), secret.as_bytes())?;
    api.insert("signing_secret".into(), secret.into());
    Ok(Some(sealed))
}

/// `GET /resource-servers`.
async fn list_resource_servers(State(app): State<App>, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let identifiers = query.texts("identifiers");
    let list = async |window: Window| {
        let stored = store::list(&app.db, &app.tenant, &identifiers, &window).await?;
        stored
            .into_iter()
            .map(|stored| {
                let position = stored.seq.to_string();
                Ok(Listed { position, json: Value::Object(reveal(&app, stored)?).to_string() })
            })
            .collect()
    };
    let count = async || store::count(&app.db, &app.tenant, &identifiers).await;
    Page::of(&query, &app, None)?.answer(&app, "resource_servers", list, count).await
}

/// `POST /resource-servers`.
async fn create_resource_server(State(app): State<App>, Input(body): Input) -> ApiResult {
    let body = resource_servers::check_create_body(&body)?;
    let mut body = body.clone();
    let encryption_key = take_encryption_key(&mut body)?;
    let id = ids::resource_server_id(&app.random, &app.clock);
    let mut api = resource_servers::create(&body, &id, &app.domain)?;
    let sealed = new_secret(&app, &mut api, false)?;
    let api = resource_servers::ordered(api);
    let (tenant, seq, created) = (app.tenant.clone(), app.sequence.next(&app.clock), api.clone());
    app.db
        .transaction(move |tx| {
            let identifier = api.get("identifier").and_then(Value::as_str).unwrap_or_default();
            let known = store::find_for_update(tx, &tenant, identifier)?;
            if known.is_some_and(|known| known.text("identifier") == identifier) {
                return Err(Failure::conflict(
                    "A resource server with the same identifier already exists",
                    ErrorCode::ResourceServerConflict,
                ));
            }
            Ok(store::insert(tx, &tenant, &api, sealed.as_ref(), encryption_key.as_deref(), seq)?)
        })
        .await?;
    Ok(json(StatusCode::CREATED, Value::Object(created).to_string()))
}

/// `GET /resource-servers/{id}`, by id or identifier.
async fn get_resource_server(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let stored = store::find_either(&app.db, &app.tenant, &decoded(&id)).await?.ok_or_else(not_found)?;
    Ok(json(StatusCode::OK, Value::Object(reveal(&app, stored)?).to_string()))
}

/// `PATCH /resource-servers/{id}`, by id or identifier.
async fn update_resource_server(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    resource_servers::check_patch_body(&body)?;
    let Value::Object(mut body) = body else { unreachable!("checked above") };
    let new_key = take_encryption_key(&mut body)?;
    let tenant = app.tenant.clone();
    let writer = app.clone();
    let stored = app
        .db
        .transaction(move |tx| {
            let stored = store::find_for_update(tx, &tenant, &decoded(&id))?.ok_or_else(not_found)?;
            if stored.is_system {
                check_system_patch(&stored, &body)?;
            }
            let mut after = resource_servers::patch(&stored.document, &body)?;
            let sealed = new_secret(&writer, &mut after, stored.sealed_secret.is_some())?;
            let encryption_key =
                new_key.or(stored.encryption_key).filter(|_| after.contains_key("token_encryption"));
            if !store::update(
                tx,
                &tenant,
                &stored.document,
                &after,
                sealed.as_ref(),
                encryption_key.as_deref(),
                stored.version,
            )? {
                return Err(Failure::Internal("an API changed within a transaction".into()));
            }
            let sealed_secret = sealed.or(stored.sealed_secret);
            Ok(Stored { document: after, sealed_secret, encryption_key, ..stored })
        })
        .await?;
    Ok(json(StatusCode::OK, Value::Object(reveal(&app, stored)?).to_string()))
}

/// Members of a system API that its owner may set; the rest is the server's.
const SYSTEM_SETTINGS: &[&str] = &[
    "token_lifetime",
    "token_lifetime_for_web",
    "skip_consent_for_verifiable_first_party_clients",
    "proof_of_possession",
    "subject_type_authorization",
    "authorization_policy",
];

fn check_system_patch(stored: &Stored, body: &Object) -> Result<(), Failure> {
    let is_refused = |(name, value): &(&String, &Value)| {
        !SYSTEM_SETTINGS.contains(&name.as_str())
            && !value.is_null()
            && stored.document.get(*name) != Some(*value)
    };
    match body.iter().find(is_refused) {
        None => Ok(()),
        Some((name, _)) => Err(ApiError::invalid_body(format!("{name} of a system API cannot be changed"))
            .with_code(ErrorCode::OperationNotSupported)
            .into()),
    }
}

/// `DELETE /resource-servers/{id}`: 204 also when it is not there.
async fn delete_resource_server(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    let management_audience = app.management_audience().to_owned();
    app.db
        .transaction(move |tx| {
            let Some(stored) = store::find_for_update(tx, &tenant, &decoded(&id))? else { return Ok(()) };
            if stored.text("identifier") == management_audience {
                return Err(ApiError::new(400, "The Management API cannot be deleted")
                    .with_code(ErrorCode::OperationNotSupported)
                    .into());
            }
            Ok::<_, Failure>(store::delete(tx, &tenant, &stored, now)?)
        })
        .await?;
    Ok(no_content())
}
