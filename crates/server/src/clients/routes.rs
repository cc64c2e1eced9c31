//! The Clients API.

use super::list::{self, Filter};
use super::render::{self, Parts, View};
use super::store::{self, Changing, NewClient, NewSecret};
use super::{new_client_id, references, search, secrets};
use crate::app::App;
use crate::credentials::routes::check_room;
use crate::credentials::{self, NewCredential};
use crate::db::Tx;
use crate::http::{ApiResult, Caller, Failure, Input, Page, Query, Slice, json, list_link, no_content};
use crate::ids;
use crate::keys::Keys;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use tenantry_types::clients::{self, ClientDocument, Operation, READ_SCOPES, StoredClient, UPDATE_SCOPES};
use tenantry_types::credentials::visit_lists;
use tenantry_types::schema::{Schema, boolean, integer, object, optional, string};
use tenantry_types::{ApiError, ErrorCode, Object, Scope, ScopeSet};

const CLIENTS: &str = "/api/v2/clients";
const CLIENT: &str = "/api/v2/clients/{id}";
const SEARCH: &str = "/api/v2/clients/search";
const SECRETS: &str = "/api/v2/clients/{id}/secrets";
const SECRET: &str = "/api/v2/clients/{id}/secrets/{secret_id}";

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .get(CLIENTS, READ_SCOPES, list_clients)
        .query(&LIST_QUERY)
        .post(CLIENTS, &[Scope::CREATE_CLIENTS], create_client)
        .body(&clients::CREATE)
        .get(SEARCH, &[Scope::READ_CLIENTS, Scope::READ_CLIENT_SUMMARY], search::search_clients)
        .query(&search::QUERY)
        .get(CLIENT, READ_SCOPES, get_client)
        .query(&GET_QUERY)
        .patch(CLIENT, UPDATE_SCOPES, update_client)
        .body(&clients::PATCH)
        .delete(CLIENT, &[Scope::DELETE_CLIENTS], delete_client)
        .post("/api/v2/clients/{id}/rotate-secret", &[Scope::UPDATE_CLIENT_KEYS], rotate_client_secret)
        .optional_body(&secrets::ROTATE)
        .get(SECRETS, &[Scope::READ_CLIENT_KEYS], secrets::list_secrets)
        .delete(SECRET, &[Scope::UPDATE_CLIENT_KEYS], secrets::delete_secret)
}

static LIST_QUERY: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("fields", string()),
        optional("include_fields", boolean()),
        optional("page", integer().min(0)),
        optional("per_page", integer().min(0).max(100)),
        optional("include_totals", boolean()),
        optional("from", string()),
        optional("take", integer().min(1).max(100)),
        optional("is_global", boolean()),
        optional("is_first_party", boolean()),
        optional("app_type", string()),
        optional("external_client_id", string().min(1).max(120)),
        optional("q", string()),
    ])
});

static GET_QUERY: LazyLock<Schema> =
    LazyLock::new(|| object([optional("fields", string()), optional("include_fields", boolean())]));

/// Which signing keys an answer shows.
#[derive(Clone, Copy)]
enum Answer {
    Read,
    Created,
    Changed,
}

fn respond(
    keys: &Keys,
    status: StatusCode,
    answer: Answer,
    stored: &StoredClient,
    secret: Option<&str>,
    view: &View,
) -> Response {
    let signing_keys = match answer {
        Answer::Read => &keys.signing_keys().read,
        Answer::Created | Answer::Changed => &keys.signing_keys().written,
    };
    let mut body = Vec::with_capacity(stored.json.len() + signing_keys.len() + 256);
    let parts =
        Parts { stored: stored.into(), secret, signing_keys, is_new: matches!(answer, Answer::Created) };
    render::client(&mut body, &parts, view);
    json(status, body)
}

/// `POST /clients`.
async fn create_client(State(app): State<App>, caller: Caller, Input(body): Input) -> ApiResult {
    let mut body = clients::check_create_body(&body)?.clone();
    clients::check_write_scopes(Operation::Create, &body, caller.scopes())?;
    let credentials = take_definitions(&app, &mut body, caller.scopes())?;
    let document = ClientDocument::create(&body, &app.tenant, app.third_party_security_mode, |mode| {
        new_client_id(&app, mode)
    })?;
    let client = NewClient::requested(&app, document).await?;
    let tenant = app.tenant.clone();
    let made = Arc::new((client, credentials));
    let (client, credentials) = &*made;
    let inserted = Arc::clone(&made);
    app.db
        .repeatable(move |tx| {
            let (client, credentials) = &*inserted;
            check_references(tx, &tenant, &client.document, None)?;
            if credentials.is_empty() {
                tx.will_not_fail();
            }
            store::insert(tx, &tenant, client)?;
            for credential in credentials {
                check_room(tx, &tenant, client.document.client_id(), credential)?;
                credentials::store::insert(tx, &tenant, client.document.client_id(), credential)?;
            }
            Ok::<_, Failure>(())
        })
        .await?;
    // This answer alone shows the credentials as a whole.
    let stored = match credentials.as_slice() {
        [] => Cow::Borrowed(&client.stored),
        made => Cow::Owned(with_whole_credentials(&client.document, made).to_stored()),
    };
    let secret = (!client.document.has_key_authentication()).then(|| client.secret.value());
    Ok(respond(
        &*app.keys().await?,
        StatusCode::CREATED,
        Answer::Created,
        &stored,
        secret,
        &View::everything(),
    ))
}

/// Makes the credentials that a create body defines, if the caller may, and leaves their ids in their places.
fn take_definitions(app: &App, body: &mut Object, held: &ScopeSet) -> Result<Vec<NewCredential>, Failure> {
    let mut made = Vec::new();
    visit_lists(body, |_, _, list| {
        for definition in list {
            let Value::Object(object) = &*definition else { continue };
            if !held.contains(Scope::CREATE_CLIENT_CREDENTIALS) {
                return Err(ApiError::insufficient_scope([Scope::CREATE_CLIENT_CREDENTIALS.as_str()]).into());
            }
            let credential = NewCredential::new(object, &app.random, &app.clock)?;
            *definition = serde_json::json!({"id": credential.id});
            made.push(credential);
        }
        Ok::<_, Failure>(())
    })?;
    Ok(made)
}

fn with_whole_credentials(document: &ClientDocument, made: &[NewCredential]) -> ClientDocument {
    let mut members = document.members().clone();
    let replaced = visit_lists(&mut members, |_, _, list| {
        for named in list {
            if let Some(credential) =
                made.iter().find(|made| named.get("id") == Some(&Value::from(made.id.as_str())))
            {
                *named = Value::Object(credential.document.clone());
            }
        }
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(()) = replaced;
    ClientDocument::from(members)
}

/// Credentials that a client names must be its own, and of the type that their place takes.
fn check_named_credentials(
    tx: &mut Tx<'_>,
    tenant: &str,
    before: &ClientDocument,
    after: &ClientDocument,
) -> Result<(), Failure> {
    let mut types = None;
    let mut members = after.members().clone();
    visit_lists(&mut members, |path, kind, list| {
        let owner = path.split('.').next().unwrap_or_default();
        if before.get(owner) == after.get(owner) {
            return Ok(());
        }
        let types = match &mut types {
            Some(types) => types,
            none => none.insert(credentials::store::types(tx, tenant, after.client_id())?),
        };
        for named in list.iter() {
            let id = named.get("id").and_then(Value::as_str).unwrap_or_default();
            match types.get(id) {
                None => {
                    return Err(ApiError::invalid_body(format!(
                        "{path}: the credential {id} does not exist"
                    ))
                    .into());
                }
                Some(found) if *found != kind => {
                    return Err(ApiError::invalid_body(format!(
                        "{path}: the credential {id} is of type {}, not {}",
                        found.as_str(),
                        kind.as_str()
                    ))
                    .into());
                }
                Some(_) => {}
            }
        }
        Ok::<_, Failure>(())
    })
}

/// Rules that look at other objects of the tenant.
fn check_references(
    tx: &mut Tx<'_>,
    tenant: &str,
    after: &ClientDocument,
    before: Option<&ClientDocument>,
) -> Result<(), Failure> {
    let is_new = |name: &str| {
        before.is_none_or(|before| before.get(name) != after.get(name)) && after.get(name).is_some()
    };
    if is_new("client_aliases") && store::has_taken_alias(tx, tenant, after)? {
        return Err(Failure::conflict(
            "Another client with the same alias already exists",
            ErrorCode::ClientConflict,
        ));
    }
    if is_new("resource_server_identifier") {
        let identifier = after.text("resource_server_identifier").unwrap_or_default();
        if crate::resource_servers::store::find_for_update(tx, tenant, identifier)?.is_none() {
            return Err(Failure::not_found(
                "The resource server does not exist",
                ErrorCode::InexistentResourceServer,
            ));
        }
        if store::linked_to_api(tx, tenant, identifier)?.is_some() {
            return Err(Failure::conflict(
                "Another client is already linked to this resource server",
                ErrorCode::ClientConflict,
            ));
        }
    }
    if is_new("default_organization")
        && let Some(organization) = after.default_organization()
        && !crate::organizations::store::exists(tx, tenant, organization)?
    {
        return Err(ApiError::invalid_body(format!(
            "default_organization.organization_id: the organization {organization} does not exist"
        ))
        .into());
    }
    references::check(tx, tenant, after, before)
}

/// `GET /clients/{id}`.
async fn get_client(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let view = match query.as_deref() {
        None | Some("") => View::of(caller.scopes()),
        query => {
            let query = Query::parse(query, &GET_QUERY)?;
            let include = query.flag("include_fields").unwrap_or(true);
            View::of(caller.scopes()).with_fields(query.text("fields"), include)
        }
    };
    let client = app.clients.shown(&app, &id).await?.ok_or_else(Failure::client_not_found)?;
    Ok(respond(&*app.keys().await?, StatusCode::OK, Answer::Read, &client.stored, client.secret(), &view))
}

/// `GET /clients`.
async fn list_clients(State(app): State<App>, caller: Caller, RawQuery(raw): RawQuery) -> ApiResult {
    let query = Query::parse(raw.as_deref(), &LIST_QUERY)?;
    let page = Page::of(&query, &app, None)?;
    let filter = filter(&query, &page)?;
    let include = query.flag("include_fields").unwrap_or(true);
    let view = View::of(caller.scopes()).with_fields(query.text("fields"), include);
    match page {
        Page::Number { page, per_page, include_totals } => {
            if include_totals {
                let start = page.saturating_mul(per_page);
                let head = move |total| {
                    format!(r#"{{"total":{total},"start":{start},"limit":{per_page},"clients":["#)
                };
                let listed = list::page(&app, &filter, page, per_page, &view, head).await?;
                return Ok(json(StatusCode::OK, listed.finish("]}")));
            }
            let listed = list::page(&app, &filter, page, per_page, &view, |_| "[".into()).await?;
            let total = listed.total();
            let mut response = json(StatusCode::OK, listed.finish("]"));
            let link = list_link(&app, CLIENTS, raw.as_deref(), page, per_page, total);
            if let Ok(link) = HeaderValue::from_str(&link) {
                response.headers_mut().insert(header::LINK, link);
            }
            Ok(response)
        }
        Page::Checkpoint { after, take } => {
            let after = after.and_then(|position| position.parse().ok()).unwrap_or(0);
            let prefix = r#"{"clients":["#;
            let mut listed = list::after(&app, &filter, after, take + 1, &view, prefix).await?;
            let more = listed.len() as u64 > take;
            if more {
                listed.truncate(listed.len() - 1);
            }
            let next = listed.last().filter(|_| more).map(|last| app.checkpoint(&last.to_string()));
            let suffix = next.map_or_else(|| "]}".to_owned(), |next| format!(r#"],"next":"{next}"}}"#));
            Ok(json(StatusCode::OK, listed.finish(&suffix)))
        }
    }
}

fn filter(query: &Query, page: &Page) -> ApiResult<Filter> {
    let mut filter = Filter {
        is_global: query.flag("is_global"),
        is_first_party: query.flag("is_first_party"),
        external_client_id: query.text("external_client_id").map(str::to_owned),
        ..Filter::default()
    };
    if let Some(list) = query.text("app_type") {
        for app_type in list.split(',').map(str::trim).filter(|app_type| !app_type.is_empty()) {
            if !filter.app_types.iter().any(|known| known == app_type) {
                filter.app_types.push(app_type.to_owned());
            }
        }
        if filter.app_types.len() > MAX_APP_TYPES {
            return Err(
                ApiError::invalid_query(format!("app_type takes {MAX_APP_TYPES} values at most")).into()
            );
        }
    }
    if let Some(q) = query.text("q") {
        if filter != Filter::default() {
            return Err(ApiError::invalid_query("q cannot be combined with other filters").into());
        }
        if !matches!(page, Page::Checkpoint { .. }) {
            return Err(ApiError::invalid_query("q requires checkpoint pagination (from and take)").into());
        }
        match q.trim().split_once(':') {
            Some(("client_grant.allow_any_organization", "true")) => filter.grants_any_organization = true,
            Some(("client_grant.organization_id", id)) if !id.is_empty() => {
                filter.grants_organization = Some(id.trim_matches('"').to_owned());
            }
            _ => {
                return Err(ApiError::invalid_query(
                    "q supports client_grant.organization_id:{id} and client_grant.allow_any_organization:true",
                )
                .into());
            }
        }
    }
    Ok(filter)
}

/// There are 25 application types.
const MAX_APP_TYPES: usize = 25;

/// `PATCH /clients/{id}`. Its `fields` and `include_fields` are tolerated and have no effect, as in Auth0.
async fn update_client(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    clients::check_patch_body(&body)?;
    let serde_json::Value::Object(body) = body else { unreachable!("checked above") };
    clients::check_write_scopes(Operation::Update, &body, caller.scopes())?;
    let secret = body.get("client_secret").and_then(|secret| secret.as_str());
    let secret = secret.map(|value| new_secret(&app, &id, value.to_owned())).transpose()?;
    let view = View::after_change(caller.scopes());
    change(app, id, view, secret, move |before| Ok(before.patched(&body)?)).await
}

/// `POST /clients/{id}/rotate-secret`.
async fn rotate_client_secret(
    State(app): State<App>,
    Path(id): Path<String>,
    Input(body): Input,
) -> ApiResult {
    let mut secret = new_secret(&app, &id, ids::client_secret(&app.random))?;
    if let Some(grace) = secrets::grace_period(&body)? {
        secret.keep_others_until = Some(app.clock.now_ms() + grace);
    }
    change(app, id, View::everything(), Some(secret), |before| {
        if before.has_key_authentication() {
            return Err(ApiError::invalid_body(
                "The secret of a client that authenticates by client_authentication_methods cannot be rotated",
            )
            .into());
        }
        Ok(before.clone())
    })
    .await
}

fn new_secret(app: &App, client_id: &str, value: String) -> Result<NewSecret, Failure> {
    Ok(NewSecret::new(value, &app.tenant, client_id, &app.random, &app.master)?)
}

/// Changes a client in one transaction and answers with what became of it.
async fn change(
    app: App,
    id: String,
    view: View,
    secret: Option<NewSecret>,
    patch: impl Fn(&ClientDocument) -> Result<ClientDocument, Failure> + Send + 'static,
) -> ApiResult {
    let (tenant, now, client_id) = (app.tenant.clone(), app.clock.now_ms(), id.clone());
    let secret = Arc::new(secret);
    let replacing = Arc::clone(&secret);
    let question = Changing::question(&tenant, &id);
    let (stored, kept, shows_secret) = app
        .db
        .repeatable_asking(question, move |tx| {
            let secret = replacing.as_ref().as_ref();
            tx.answers(StatusCode::OK);
            let client = Changing::find(tx, &tenant, &client_id)?.ok_or_else(Failure::client_not_found)?;
            let before = &client.document;
            let after = patch(before)?;
            check_references(tx, &tenant, &after, Some(before))?;
            check_named_credentials(tx, &tenant, before, &after)?;
            if secret.is_some_and(|secret| secret.keep_others_until.is_some()) {
                secrets::check_room(tx, &tenant, &client_id, now)?;
            }
            tx.will_not_fail();
            let stored = store::update(tx, &tenant, before, &after, secret, now)?;
            Ok::<_, Failure>((stored, client.secret, !after.has_key_authentication()))
        })
        .await?;
    let kept = kept.filter(|_| shows_secret && secret.is_none());
    let kept = kept.map(|kept| kept.open(&app.master, &app.tenant, &id)).transpose()?;
    let secret = secret.as_ref().as_ref().filter(|_| shows_secret).map(NewSecret::value);
    let shown = secret.or(kept.as_ref().map(|kept| kept.as_str()));
    Ok(respond(&*app.keys().await?, StatusCode::OK, Answer::Changed, &stored, shown, &view))
}

/// `DELETE /clients/{id}`: 204 also when it is not there.
async fn delete_client(State(app): State<App>, Path(id): Path<String>) -> ApiResult {
    let (tenant, now) = (app.tenant.clone(), app.clock.now_ms());
    app.db
        .transaction(move |tx| {
            let Some(document) = store::find_for_update(tx, &tenant, &id)? else { return Ok(()) };
            if document.is_global() {
                return Err(ApiError::new(400, "The global client cannot be deleted")
                    .with_code(ErrorCode::OperationNotSupported)
                    .into());
            }
            store::delete(tx, &tenant, &document, now)?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(no_content())
}
