//! `client_credentials` (RFC 6749 section 4.4): a client gets a token for itself.

use super::{quota, success};
use crate::app::App;
use crate::client_grants::Granted;
use crate::clients::Client;
use crate::http::{Form, OAuthError};
use crate::resource_servers::Api;
use axum::response::Response;
use serde::Serialize;
use tenantry_jose::jwt;

pub(super) const GRANT_TYPE: &str = "client_credentials";

pub(super) async fn grant(app: &App, client: &Client, form: &Form) -> Result<Response, OAuthError> {
    let audience = form.get("audience").ok_or_else(|| {
        OAuthError::access_denied(
            "No audience parameter was provided, and no default audience has been configured",
        )
    })?;
    let api = app.resource_servers.find(app, audience).await?;
    let api = api
        .ok_or_else(|| OAuthError::access_denied(format!("Service not enabled within domain: {audience}")))?;
    let granted = app.grants.find(app, client, audience).await?;
    let granted = granted.filter(|_| !api.denies_clients).ok_or_else(|| not_granted(client, audience))?;
    check_organization(form, &granted)?;
    check_served(client, &api)?;
    let scope = scopes(&api, &granted, form.get("scope"))?;
    if let Some(quota) = client.token_quota {
        quota::take(app, &client.client_id, quota).await?;
    }
    issue(app, client, &api, &scope).await
}

fn not_granted(client: &Client, audience: &str) -> OAuthError {
    let description = format!(
        "Client is not authorized to access \"{audience}\". You need to create a \"client-grant\" associated to \
         this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"
    );
    // Third-party clients are told so in other words (documented for the newer security controls).
    if client.is_first_party {
        OAuthError::access_denied(description)
    } else {
        OAuthError::new(403, "unauthorized_client", description)
    }
}

fn check_organization(form: &Form, granted: &Granted) -> Result<(), OAuthError> {
    // There are no organizations yet, so none can be named, and a grant that asks for one cannot be used.
    if let Some(organization) = form.get("organization") {
        let shown: String = organization.chars().take(128).collect();
        return Err(OAuthError::invalid_request(format!("organization does not exist: {shown}")));
    }
    if granted.requires_organization {
        return Err(OAuthError::invalid_request("An organization is required"));
    }
    Ok(())
}

/// Tokens that the settings ask for but that are not served are refused, never replaced by weaker ones.
fn check_served(client: &Client, api: &Api) -> Result<(), OAuthError> {
    if client.require_proof_of_possession || api.requires_proof_of_possession {
        return Err(OAuthError::invalid_request("Proof of possession is required"));
    }
    if api.signing_alg != "RS256" || api.token_dialect != "access_token" || api.encrypts_tokens {
        return Err(OAuthError::new(
            501,
            "temporarily_unavailable",
            "This API asks for a token format that this version does not issue",
        ));
    }
    Ok(())
}

/// The scopes of the token: all that were granted, or those that were asked for if all of them were.
fn scopes(api: &Api, granted: &Granted, requested: Option<&str>) -> Result<String, OAuthError> {
    let granted = granted.scopes.as_ref().unwrap_or(&api.scopes);
    let Some(requested) = requested else { return Ok(granted.join(" ")) };
    let mut scopes: Vec<&str> = Vec::new();
    let mut missing: Vec<&str> = Vec::new();
    for scope in requested.split_ascii_whitespace() {
        let list = if granted.iter().any(|known| known == scope) { &mut scopes } else { &mut missing };
        if !list.contains(&scope) {
            list.push(scope);
        }
    }
    if missing.is_empty() {
        return Ok(scopes.join(" "));
    }
    let missing: String = missing.join(", ").chars().take(512).collect();
    Err(OAuthError::access_denied(format!("Client has not been granted scopes: {missing}")))
}

/// Claims in the order of Auth0's own tokens.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    gty: &'static str,
    azp: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    expires_in: i64,
    token_type: &'static str,
}

async fn issue(app: &App, client: &Client, api: &Api, scope: &str) -> Result<Response, OAuthError> {
    let now = app.clock.now_secs();
    let keys = app.keys();
    let claims = Claims {
        iss: app.issuer(),
        sub: &format!("{}@clients", client.client_id),
        aud: &api.identifier,
        iat: now,
        exp: now + api.token_lifetime,
        scope,
        gty: "client-credentials",
        azp: &client.client_id,
    };
    let claims = serde_json::to_string(&claims).map_err(internal)?;
    let input = jwt::signing_input(keys.header(), &claims);
    let token = app.signer.sign(keys.current().clone(), input).await.map_err(|_| {
        OAuthError::new(503, "temporarily_unavailable", "Too many tokens are being issued, try again")
    })?;
    let answer = Answer { access_token: &token, scope, expires_in: api.token_lifetime, token_type: "Bearer" };
    Ok(success(serde_json::to_string(&answer).map_err(internal)?))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn internal(error: serde_json::Error) -> OAuthError {
    OAuthError::new(500, "server_error", "Internal error").with_hint(error.to_string())
}
