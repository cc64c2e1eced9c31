//! Access tokens: the claims of each dialect, and how they are signed and encrypted.

use crate::app::App;
use crate::audit;
use crate::clients::Client;
use crate::clients::certificate::ClientCertificate;
use crate::http::OAuthError;
use crate::ids;
use crate::keys::Signature;
use crate::resource_servers::{Api, SigningAlg};
use serde::Serialize;
use tenantry_jose::{hs256, jwt};

/// Claims in the order of Auth0's own tokens. What a dialect does not have is left out.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
}

/// The certificate that a token is bound to (RFC 8705 section 3.1).
#[derive(Serialize)]
struct Confirmation<'a> {
    #[serde(rename = "x5t#S256")]
    x5t_s256: &'a str,
}

/// What a token says of the organization that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrganizationClaims<'a> {
    pub(super) id: &'a str,
    /// Where the tenant lets names count.
    pub(super) name: Option<&'a str>,
}

/// A token for `client` to call `api` for itself, and what the log calls it.
pub(super) async fn issue(
    app: &App,
    client: &Client,
    api: &Api,
    scope: &str,
    organization: Option<OrganizationClaims<'_>>,
    bound_to: Option<&ClientCertificate>,
) -> Result<(String, String), OAuthError> {
    let now = app.clock.now_secs();
    let is_rfc9068 = api.token_dialect.is_rfc9068();
    let sub = format!("{}@clients", client.client_id);
    let jti = is_rfc9068.then(|| ids::token_id(&app.random));
    let claims = Claims {
        iss: app.issuer(),
        sub: &sub,
        aud: &api.identifier,
        iat: now,
        exp: now + api.token_lifetime,
        scope,
        org_id: organization.map(|organization| organization.id),
        org_name: organization.and_then(|organization| organization.name),
        jti: jti.as_deref(),
        client_id: is_rfc9068.then_some(client.client_id.as_str()),
        gty: (!is_rfc9068).then_some("client-credentials"),
        azp: (!is_rfc9068).then_some(client.client_id.as_str()),
        permissions: (api.token_dialect.has_permissions() && api.enforce_policies)
            .then(|| scope.split_ascii_whitespace().collect()),
        cnf: bound_to.map(|certificate| Confirmation { x5t_s256: &certificate.info.thumbprint_sha256 }),
    };
    let claims = serde_json::to_string(&claims).map_err(|error| internal(&error.to_string()))?;
    let typ = if is_rfc9068 { "at+jwt" } else { "JWT" };
    let token = match &api.signing_alg {
        SigningAlg::Rsa(algorithm) => {
            let keys = app.keys().await?;
            let signature = Signature { key: keys.current().clone(), algorithm: *algorithm };
            let input = jwt::signing_input(&keys.header(*algorithm, typ), &claims);
            app.signer.sign(signature, input).await.map_err(|_| {
                OAuthError::new(503, "temporarily_unavailable", "Too many tokens are being issued, try again")
            })?
        }
        SigningAlg::Hs256(secret) => {
            let header = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
            let input = jwt::signing_input(&header, &claims);
            let signature = hs256(secret.as_bytes(), input.as_bytes());
            jwt::assemble(input, &signature)
        }
    };
    let token = match &api.encryption_key {
        None => token,
        Some(key) => key.encrypt(&token).map_err(|error| internal(&error.to_string()))?,
    };
    let id = audit::token_id(jti.as_deref(), &token);
    Ok((token, id))
}

fn internal(hint: &str) -> OAuthError {
    OAuthError::new(500, "server_error", "Internal error").with_hint(hint)
}
