//! The token endpoint (`POST /oauth/token`, RFC 6749 section 3.2): one file per grant type.

mod access_token;
mod client_credentials;
mod figures;
pub(crate) mod quota;

pub(crate) use figures::TokenFigures;

use crate::app::App;
use crate::audit::{Denied, Issued, Requester};
use crate::clients::Client;
use crate::clients::auth::{authenticate, claimed_client_id};
use crate::clients::certificate::ClientCertificate;
use crate::http::{Form, OAuthError, Source, options};
use crate::limiter::{Payer, Ticket};
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;

/// The routes of this slice.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/oauth/token", post(token).options(options))
}

/// Where Auth0 explains which client may use which grant type; part of the refusal.
const CLIENT_GRANT_TYPES_URI: &str = "https://auth0.com/docs/clients/client-grant-types";

async fn token(
    State(app): State<App>,
    Extension(source): Extension<Source>,
    certificate: Option<Extension<ClientCertificate>>,
    ticket: Option<Extension<Ticket>>,
    headers: HeaderMap,
    form: Result<Form, OAuthError>,
) -> Result<Response, OAuthError> {
    let requester = Requester::of(source, &headers);
    let certificate = certificate.as_deref();
    let ticket = ticket.map(|Extension(ticket)| ticket);
    let mut client = None;
    let answer = match &form {
        Ok(form) => answer(&app, &headers, form, certificate, ticket, &mut client).await,
        Err(error) => Err(error.clone()),
    };
    match answer {
        Ok((client, response, issued)) => {
            app.audit.issued(&app, requester, client, issued);
            Ok(response)
        }
        Err(error) => {
            app.token_figures.refused(&error);
            let form = form.as_ref().ok();
            let parameter = |name| form.and_then(|form| form.get(name)).map(str::to_owned);
            let denied = Denied {
                grant_type: parameter("grant_type"),
                client_id: form.and_then(|form| claimed_client_id(&headers, form)),
                audience: parameter("audience"),
                refused: error.refused(),
            };
            app.audit.denied(&app, requester, client, denied);
            Err(error)
        }
    }
}

/// The answer, and what the log says of it. `proven` becomes the client as soon as that is known.
async fn answer(
    app: &App,
    headers: &HeaderMap,
    form: &Form,
    certificate: Option<&ClientCertificate>,
    ticket: Option<Ticket>,
    proven: &mut Option<Arc<Client>>,
) -> Result<(Arc<Client>, Response, Issued), OAuthError> {
    let grant_type = form.get("grant_type").ok_or_else(|| OAuthError::missing_parameter("grant_type"))?;
    if grant_type != client_credentials::GRANT_TYPE {
        let shown: String = grant_type.chars().take(128).collect();
        return Err(OAuthError::new(
            400,
            "unsupported_grant_type",
            format!("Unsupported grant type: {shown}"),
        ));
    }
    let client = authenticate(app, headers, form, certificate).await?;
    *proven = Some(Arc::clone(&client));
    let paid = match app.limiter.as_ref().zip(ticket) {
        Some((limiter, ticket)) => {
            let payer = Payer { client: Some(&client.client_id), token: None };
            let paid = limiter.pay(ticket, payer, app.clock.now_ms());
            Some(paid.inspect_err(|refused| refused.tell(app, Some(&*client)))?)
        }
        None => None,
    };
    if !client.grant_types.iter().any(|allowed| allowed == grant_type) {
        return Err(OAuthError::new(
            403,
            "unauthorized_client",
            format!("Grant type '{grant_type}' not allowed for the client."),
        )
        .with_uri(CLIENT_GRANT_TYPES_URI));
    }
    let (mut response, issued) = client_credentials::grant(app, &client, form, certificate).await?;
    if let Some(ticket) = paid {
        ticket.write(response.headers_mut());
    }
    Ok((client, response, issued))
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
