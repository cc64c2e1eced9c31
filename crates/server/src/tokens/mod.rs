//! The token endpoint (`POST /oauth/token`, RFC 6749 section 3.2): one file per grant type.

mod access_token;
mod client_credentials;
pub(crate) mod quota;

use crate::app::App;
use crate::clients::auth::authenticate;
use crate::clients::certificate::ClientCertificate;
use crate::http::{Form, OAuthError, options};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, header};

/// The routes of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/oauth/token", post(token).options(options))
}

/// Where Auth0 explains which client may use which grant type; part of the refusal.
const CLIENT_GRANT_TYPES_URI: &str = "https://auth0.com/docs/clients/client-grant-types";

async fn token(
    State(app): State<App>,
    certificate: Option<Extension<ClientCertificate>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let certificate = certificate.as_deref();
    let grant_type = form.get("grant_type").ok_or_else(|| OAuthError::missing_parameter("grant_type"))?;
    if grant_type != client_credentials::GRANT_TYPE {
        let shown: String = grant_type.chars().take(128).collect();
        return Err(OAuthError::new(
            400,
            "unsupported_grant_type",
            format!("Unsupported grant type: {shown}"),
        ));
    }
    let client = authenticate(&app, &headers, &form, certificate).await?;
    if !client.grant_types.iter().any(|allowed| allowed == grant_type) {
        return Err(OAuthError::new(
            403,
            "unauthorized_client",
            format!("Grant type '{grant_type}' not allowed for the client."),
        )
        .with_uri(CLIENT_GRANT_TYPES_URI));
    }
    client_credentials::grant(&app, &client, &form, certificate).await
}

/// A successful answer (RFC 6749 section 5.1).
fn success(body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
