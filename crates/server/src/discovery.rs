//! What clients look up before anything else: the metadata documents and the tenant's public keys.

use crate::app::App;
use crate::http::options;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

/// The routes of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata).options(options))
        .route("/.well-known/oauth-authorization-server", get(metadata).options(options))
        .route("/.well-known/jwks.json", get(jwks).options(options))
}

/// The metadata of `OpenID` Connect Discovery 1.0 and RFC 8414: what is served, and nothing else.
pub(crate) fn document(issuer: &str, domain: &str) -> Bytes {
    let document = json!({
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
        "mtls_endpoint_aliases": {"token_endpoint": format!("https://mtls.{domain}/oauth/token")},
    });
    document.to_string().into()
}

async fn metadata(State(app): State<App>) -> Response {
    answer(app.discovery.clone(), HeaderValue::from_static("public, max-age=15, stale-while-revalidate=15"))
}

async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    let keys = app.keys();
    let (body, etag) = keys.jwks();
    let is_known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        answer(body, HeaderValue::from_static("public, max-age=15, stale-while-revalidate=15"))
    };
    if let Ok(etag) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn answer(body: Bytes, caching: HeaderValue) -> Response {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
}
