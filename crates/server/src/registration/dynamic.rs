//! `POST /oidc/register` (RFC 7591): anybody may register a client, where the tenant lets them.

use crate::app::App;
use crate::audit::Attempt;
use crate::clients::{NewClient, new_client_id, store};
use crate::db::DbError;
use crate::http::{Failure, Metadata, OAuthError, Source, options};
use crate::limiter::Refused;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tenantry_types::ApiError;
use tenantry_types::clients::{ClientDocument, ThirdPartySecurityMode};
use tenantry_types::registration::dynamic::{Refusal, Registration};

const PATH: &str = "/oidc/register";

/// The routes of dynamic registration.
pub(crate) fn routes() -> Router<App> {
    Router::new().route(PATH, post(register).options(options))
}

async fn register(
    State(app): State<App>,
    Extension(source): Extension<Source>,
    request: Request,
) -> Response {
    let attempt = Attempt::of(&app, PATH, &request);
    let answer = async { try_register(&app, source, request).await.unwrap_or_else(|refused| refused) };
    attempt.watch(&app, answer).await
}

async fn try_register(app: &App, source: Source, request: Request) -> Result<Response, Response> {
    let settings = app.tenant_settings().await.map_err(|error| Failure::from(error).into_response())?;
    if !settings.enable_dynamic_client_registration {
        return Err(Failure::from(ApiError::new(404, "Not Found")).into_response());
    }
    let admitted = app.registration_limits.admit(&app.tenant, source.0, app.clock.now_ms());
    admitted.map_err(|standing| {
        let refused = Refused::by_endpoint(PATH, source.0, standing);
        refused.tell(app, None);
        OAuthError::from(refused).into_response()
    })?;
    let mode = settings.dynamic_client_registration_security_mode.unwrap_or(app.third_party_security_mode);
    let answer = async {
        let Metadata(body) = Metadata::from_request(request, &()).await?;
        create(app, &body, mode).await
    };
    let answer = answer.await.map_err(OAuthError::into_response)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    Ok((StatusCode::CREATED, headers, answer.to_string()).into_response())
}

async fn create(app: &App, body: &Value, mode: ThirdPartySecurityMode) -> Result<Value, OAuthError> {
    let refused = |refusal: Refusal| OAuthError::new(400, refusal.error, refusal.description);
    let registration = Registration::parse(body, mode).map_err(refused)?;
    let mut document =
        ClientDocument::create(&registration.client(), &app.tenant, mode, |mode| new_client_id(app, mode))
            .map_err(|error| OAuthError::new(400, "invalid_client_metadata", error.message))?;
    if mode == ThirdPartySecurityMode::Strict {
        document.set("external_metadata_type", "dcr".into());
        document.set("external_metadata_created_by", "client".into());
    }
    let client = NewClient::requested(app, document).await?;
    let tenant = app.tenant.clone();
    let client = app
        .db
        .transaction(move |tx| store::insert(tx, &tenant, &client).map(|()| client))
        .await
        .map_err(|error: DbError| OAuthError::from(error))?;
    Ok(registration.answer(client.document.client_id(), client.secret()))
}
