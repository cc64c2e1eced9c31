//! What clients look up before anything else: the metadata documents and the tenant's public keys.

use crate::app::App;
use crate::http::{Failure, options};
use crate::keys;
use crate::tenant_settings::TenantSettings;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde_json::json;
use tenantry_jose::{base64url, sha256};

const CONFIGURATION: &str = "/.well-known/openid-configuration";
const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
const JWKS: &str = "/.well-known/jwks.json";

/// The routes of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(CONFIGURATION, get(metadata).options(options))
        .route(AUTHORIZATION_SERVER, get(metadata).options(options))
        .route(JWKS, get(jwks).options(options))
}

/// What the routes answer to an ordinary `GET`, without the way through the router, which would cost more than the answer.
pub(crate) async fn answer<B>(app: &App, request: &Request<B>) -> Option<Response> {
    if request.method() != Method::GET {
        return None;
    }
    let answer = match request.uri().path() {
        CONFIGURATION | AUTHORIZATION_SERVER => answer_metadata(app, request.headers()).await,
        JWKS => answer_jwks(app, request.headers()).await,
        _ => return None,
    };
    let mut response = answer.into_response();
    // As the layer says that is around the routes.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Some(response)
}

/// The metadata of `OpenID` Connect Discovery 1.0 and RFC 8414: what is served and enabled, and nothing else.
fn document(app: &App, settings: &TenantSettings) -> Bytes {
    let (issuer, domain) = (app.issuer(), &app.domain);
    let mut document = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}oauth/token"),
        "jwks_uri": format!("{issuer}.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth",
            "self_signed_tls_client_auth",
        ],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "PS256"],
        "tls_client_certificate_bound_access_tokens": true,
    });
    if settings.has_mtls_endpoint_aliases {
        document["mtls_endpoint_aliases"] =
            json!({"token_endpoint": format!("https://mtls.{domain}/oauth/token")});
    }
    if settings.enable_dynamic_client_registration {
        document["registration_endpoint"] = format!("{issuer}oidc/register").into();
    }
    if settings.client_id_metadata_document_supported {
        document["client_id_metadata_document_supported"] = true.into();
    }
    if !settings.acr_values_supported.is_empty() {
        document["acr_values_supported"] = settings.acr_values_supported.clone().into();
    }
    document.to_string().into()
}

async fn metadata(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    answer_metadata(&app, &headers).await
}

async fn jwks(State(app): State<App>, headers: HeaderMap) -> Result<Response, Failure> {
    answer_jwks(&app, &headers).await
}

async fn answer_metadata(app: &App, headers: &HeaderMap) -> Result<Response, Failure> {
    let settings = app.tenant_settings().await?;
    Ok(settings.discovery.get_or_init(|| Published::new(document(app, &settings))).answer(headers))
}

async fn answer_jwks(app: &App, headers: &HeaderMap) -> Result<Response, Failure> {
    keys::prepared(app).await;
    let keys = app.keys().await?;
    let published =
        if app.tenant_settings().await?.remove_alg_from_jwks { keys.jwks_without_alg() } else { keys.jwks() };
    Ok(published.answer(headers))
}

/// A document that anybody may keep for a while.
#[derive(Debug)]
pub(crate) struct Published {
    body: Bytes,
    etag: HeaderValue,
}

impl Published {
    pub(crate) fn new(body: Bytes) -> Self {
        // Weak: the answer may be compressed on its way.
        let etag = format!("W/\"{}\"", base64url(&sha256(&body)[..12]));
        Self { body, etag: etag.try_into().expect("base64url fits into a header") }
    }

    /// The document, or 304 to whoever has it (RFC 9110 section 13.1.2).
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let ours = opaque(self.etag.as_bytes());
        let is_known = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .flat_map(|tags| tags.as_bytes().split(|byte| *byte == b','))
            .any(|tag| matches!(opaque(tag.trim_ascii()), tag if tag == ours || tag == b"*"));
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(self.body.clone()));
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        };
        let caching = HeaderValue::from_static("public, max-age=15, stale-while-revalidate=15");
        response.headers_mut().insert(header::CACHE_CONTROL, caching);
        response.headers_mut().insert(header::ETAG, self.etag.clone());
        response
    }
}

/// An entity tag by what it is compared by here, weak or not.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}
