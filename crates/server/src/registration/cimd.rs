//! Client ID Metadata Documents: `POST /clients/cimd/preview` and `POST /clients/cimd/register`.

use super::keys::{self, KeySet};
use crate::app::App;
use crate::clients::{NewClient, new_client_id, store};
use crate::credentials::NewCredential;
use crate::db::Tx;
use crate::http::{ApiResult, Caller, Failure, Input, Slice, json};
use axum::extract::State;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tenantry_types::clients::{ClientDocument, ThirdPartySecurityMode};
use tenantry_types::registration::metadata_document::{
    BODY, MAX_DOCUMENT, Mapped, check_body, check_url, map,
};
use tenantry_types::{ApiError, ErrorCode, Object, Scope};
use url::Url;

/// The routes of this slice.
pub(crate) fn routes(app: &App) -> Slice<'_> {
    Slice::new(app)
        .post("/api/v2/clients/cimd/preview", &[Scope::READ_CLIENTS], preview)
        .body(&BODY)
        .post("/api/v2/clients/cimd/register", &[Scope::CREATE_CLIENTS, Scope::UPDATE_CLIENTS], register)
        .body(&BODY)
}

/// What was found at a URL.
struct Found {
    mapped: Mapped,
    /// The keys, if the client authenticates by them.
    keys: Option<KeySet>,
}

/// The URL in the body, if the tenant takes documents and it may hold one.
async fn url_in(app: &App, body: &Value) -> Result<Url, Failure> {
    let url = check_url(check_body(body)?).map_err(ApiError::invalid_body)?;
    if !app.tenant_settings().await?.client_id_metadata_document_supported {
        return Err(ApiError::new(403, "Client ID Metadata Documents are not enabled for this tenant")
            .with_code(ErrorCode::OperationNotSupported)
            .into());
    }
    Ok(url)
}

/// Fetches a document and its keys; an error says why there is none.
async fn fetch(app: &App, url: &Url) -> Result<Found, String> {
    let document = app.outgoing.json(url, MAX_DOCUMENT).await?;
    let mut mapped = map(url, &document);
    let mut found = None;
    if let Some(jwks_uri) = mapped.jwks_uri.clone().filter(|_| mapped.violations.is_empty()) {
        match keys::fetch(app, &jwks_uri).await {
            Ok(set) => {
                mapped.fields.insert("client_authentication_methods".into(), set.mapped());
                mapped.warnings.extend(set.warnings.iter().cloned());
                found = Some(set);
            }
            Err(violation) => mapped.violations.push(violation),
        }
    }
    Ok(Found { mapped, keys: found })
}

async fn preview(State(app): State<App>, Input(body): Input) -> ApiResult {
    let url = url_in(&app, &body).await?;
    let mut answer = Object::new();
    match fetch(&app, &url).await {
        Ok(Found { mapped, .. }) => {
            answer.insert("validation".into(), mapped.validation());
            answer.shift_insert(0, "mapped_fields".into(), mapped.fields.into());
        }
        Err(reason) => {
            let error = format!("The Client Metadata at {url} could not be retrieved: {reason}");
            answer.insert("errors".into(), vec![error].into());
        }
    }
    if let Some(client_id) = store::id_of_external(&app.db, &app.tenant, url.as_str()).await? {
        answer.insert("client_id".into(), client_id.into());
    }
    Ok(json(StatusCode::OK, Value::Object(answer).to_string()))
}

async fn register(State(app): State<App>, caller: Caller, Input(body): Input) -> ApiResult {
    let url = url_in(&app, &body).await?;
    let Found { mut mapped, keys } = fetch(&app, &url).await.map_err(|reason| {
        ApiError::invalid_body(format!("The Client Metadata at {url} could not be retrieved. {reason}"))
    })?;
    if let Some(violation) = mapped.violations.first() {
        return Err(unusable(&url, violation).into());
    }
    let now = app.clock.now_ms();
    let registered = Registered {
        credentials: keys.as_ref().map(|set| keys::credentials(&app, set)),
        settings: mapped.settings(),
        url: url.clone(),
        jwks_uri: mapped.jwks_uri.as_ref().map(Url::to_string),
    };
    let new = NewClient::requested(&app, registered.document(&app)?).await?;
    let may = |scope| {
        if caller.scopes().contains(scope) {
            Ok(())
        } else {
            Err(ApiError::insufficient_scope([scope.as_str()]))
        }
    };
    let (may_create, may_update) = (may(Scope::CREATE_CLIENTS), may(Scope::UPDATE_CLIENTS));
    let tenant = app.tenant.clone();
    let (status, client_id, warnings) = app
        .db
        .transaction(move |tx| match store::find_external(tx, &tenant, registered.url.as_str())? {
            None => {
                may_create?;
                let warnings = registered.insert(tx, &tenant, &new)?;
                Ok((StatusCode::CREATED, new.document.client_id().to_owned(), warnings))
            }
            Some(client_id) => {
                may_update?;
                tx.answers(StatusCode::OK);
                let warnings = registered.update(tx, &tenant, &client_id, now)?;
                Ok::<_, Failure>((StatusCode::OK, client_id, warnings))
            }
        })
        .await?;
    mapped.warnings.extend(warnings);
    let answer = serde_json::json!({
        "client_id": client_id, "mapped_fields": mapped.fields, "validation": mapped.validation(),
    });
    let mut response = json(status, answer.to_string());
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v2/clients/{client_id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn unusable(url: &Url, violation: &str) -> ApiError {
    ApiError::invalid_body(format!("The Client Metadata document at {url} cannot be applied. {violation}"))
}

/// What a document says, ready to be stored.
struct Registered {
    url: Url,
    settings: Object,
    jwks_uri: Option<String>,
    credentials: Option<Vec<NewCredential>>,
}

const METHODS: &str = "client_authentication_methods";

impl Registered {
    /// The client that the document makes if there is none yet. Its keys are named when they are stored.
    fn document(&self, app: &App) -> Result<ClientDocument, ApiError> {
        let mut body = self.settings.clone();
        body.insert("is_first_party".into(), false.into());
        body.insert("third_party_security_mode".into(), "strict".into());
        if self.credentials.is_some() {
            body.insert(METHODS.into(), serde_json::json!({"private_key_jwt": {"credentials": []}}));
        }
        let strict = ThirdPartySecurityMode::Strict;
        let mut document =
            ClientDocument::create(&body, &app.tenant, strict, |mode| new_client_id(app, mode))
                .map_err(|error| unusable(&self.url, &error.message))?;
        document.set("external_client_id", self.url.as_str().into());
        document.set("external_metadata_type", "cimd".into());
        document.set("external_metadata_created_by", "admin".into());
        if let Some(jwks_uri) = &self.jwks_uri {
            document.set("jwks_uri", jwks_uri.as_str().into());
        }
        Ok(document)
    }

    /// Stores a new client and its keys.
    fn insert(&self, tx: &mut Tx<'_>, tenant: &str, new: &NewClient) -> Result<Vec<String>, Failure> {
        store::insert(tx, tenant, new)?;
        if self.credentials.is_none() {
            return Ok(Vec::new());
        }
        self.update(tx, tenant, new.document.client_id(), new.created_at())
    }

    /// Makes an existing client what the document says. What the document leaves out and an administrator may set
    /// stays.
    fn update(
        &self,
        tx: &mut Tx<'_>,
        tenant: &str,
        client_id: &str,
        now: i64,
    ) -> Result<Vec<String>, Failure> {
        let before = store::find_for_update(tx, tenant, client_id)?.ok_or_else(Failure::client_not_found)?;
        let wanted = self.credentials.as_deref().unwrap_or_default();
        let (methods, warnings) = keys::store(tx, tenant, client_id, wanted)?;
        let mut body = self.settings.clone();
        let is_by_key = self.credentials.is_some();
        body.insert(METHODS.into(), if is_by_key { methods } else { Value::Null });
        if is_by_key {
            body.insert("token_endpoint_auth_method".into(), Value::Null);
        }
        let mut after = before.refreshed(&body).map_err(|error| unusable(&self.url, &error.message))?;
        if !self.settings.contains_key("logo_uri") {
            after.remove("logo_uri");
        }
        if !self.settings.contains_key("callbacks") {
            after.remove("callbacks");
        }
        match &self.jwks_uri {
            Some(jwks_uri) => after.set("jwks_uri", jwks_uri.as_str().into()),
            None => after.remove("jwks_uri"),
        }
        if after != before {
            store::update(tx, tenant, &before, &after, None, now)?;
        }
        Ok(warnings)
    }
}
