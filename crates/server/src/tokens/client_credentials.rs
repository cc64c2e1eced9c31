//! `client_credentials` (RFC 6749 section 4.4): a client gets a token for itself.

use super::access_token::{self, OrganizationClaims};
use super::quota::{Owner, Quotas};
use super::success;
use crate::app::App;
use crate::audit::Issued;
use crate::client_grants::{Granted, OrganizationUsage};
use crate::clients::Client;
use crate::clients::certificate::ClientCertificate;
use crate::http::{Failure, Form, OAuthError};
use crate::organizations::{self, Organization};
use crate::resource_servers::{Api, ProofOfPossession};
use crate::tenant_settings::{ResourceParameter, TenantSettings};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;

pub(super) const GRANT_TYPE: &str = "client_credentials";

pub(super) async fn grant(
    app: &App,
    client: &Client,
    form: &Form,
    certificate: Option<&ClientCertificate>,
) -> Result<(Response, Issued), OAuthError> {
    let settings = app.tenant_settings().await?;
    let audience = audience(app, &settings, form)?;
    let api = app.resource_servers.find(app, audience).await?;
    let api = api
        .ok_or_else(|| OAuthError::access_denied(format!("Service not enabled within domain: {audience}")))?;
    let granted = app.grants.find(app, client, audience).await?;
    let granted = granted.filter(|_| !api.denies_clients).ok_or_else(|| not_granted(client, audience))?;
    let names_count = settings.allow_organization_name_in_authentication_api;
    let organization = organization(app, client, &granted, form.get("organization"), names_count).await?;
    let organization = organization.as_deref();
    let organization_claims = organization
        .map(|found| OrganizationClaims { id: &found.id, name: names_count.then_some(found.name.as_str()) });
    let bound_to = binding(client, &api, certificate)?;
    let scope = scopes(&api, &granted, form.get("scope"))?;
    let mut quotas =
        Quotas::of_client(&client.client_id, client.token_quota.or(settings.default_client_quota));
    if let Some(organization) = organization {
        let quota = organization.token_quota.or(settings.default_organization_quota);
        quotas = quotas.and(Owner::Organization, &organization.id, quota);
    }
    quotas.check(app).await?;
    let (token, token_id) =
        access_token::issue(app, client, &api, &scope, organization_claims, bound_to).await?;
    let answer =
        Answer { access_token: &token, scope: &scope, expires_in: api.token_lifetime, token_type: "Bearer" };
    let answer = serde_json::to_string(&answer).map_err(|error| OAuthError::from(Failure::from(error)))?;
    let mut response = success(answer);
    response.headers_mut().extend(quotas.take(app).await?);
    app.token_figures.issued(&api.signing_alg);
    let issued = Issued {
        audience: audience.to_owned(),
        scope,
        organization_id: organization.map(|organization| organization.id.clone()),
        token_id,
    };
    Ok((response, issued))
}

/// The API that a token is for: the one that the request names, or else the default, of the tenant before the server's.
fn audience<'a>(app: &'a App, settings: &'a TenantSettings, form: &'a Form) -> Result<&'a str, OAuthError> {
    let resource = match settings.resource_parameter {
        ResourceParameter::Compatible => form.get("resource"),
        ResourceParameter::Ignored => None,
    };
    let default = || settings.default_audience.as_deref().or(app.default_audience.as_deref());
    form.get("audience").or(resource).or_else(default).ok_or_else(|| {
        OAuthError::access_denied(
            "No audience parameter was provided, and no default audience has been configured",
        )
    })
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

/// The organization that the token is for: the one that was asked for, or, where one is required, the client's own.
async fn organization(
    app: &App,
    client: &Client,
    granted: &Granted,
    requested: Option<&str>,
    names_count: bool,
) -> Result<Option<Arc<Organization>>, OAuthError> {
    let key = match (granted.organization_usage, requested) {
        (OrganizationUsage::Deny | OrganizationUsage::Allow, None) => return Ok(None),
        (OrganizationUsage::Deny, Some(_)) => {
            return Err(OAuthError::invalid_request("parameter organization is not allowed for this client"));
        }
        (OrganizationUsage::Allow | OrganizationUsage::Require, Some(key)) => key,
        (OrganizationUsage::Require, None) => client.default_organization.as_deref().ok_or_else(|| {
            OAuthError::invalid_request("parameter organization is required for this client")
        })?,
    };
    let may_be_one = names_count || organizations::is_id(key);
    let organization = if may_be_one { app.organizations.find(app, key).await? } else { None };
    let organization = organization.ok_or_else(|| {
        let shown: String = key.chars().take(128).collect();
        OAuthError::invalid_request(format!("organization does not exist: {shown}"))
    })?;
    // Third-party clients have no access that was not given to them by name (documented).
    let any = granted.allows_any_organization && client.is_first_party;
    if !any && !app.organizations.has_grant(app, &organization.id, &granted.id).await? {
        return Err(OAuthError::access_denied(format!(
            "Client is not authorized to access organization \"{}\". You need to associate its \"client-grant\" \
             with this organization.",
            organization.id
        )));
    }
    Ok(Some(organization))
}

/// The certificate that the token is bound to. Who must prove possession and cannot gets no token, never a weaker one.
fn binding<'a>(
    client: &Client,
    api: &Api,
    certificate: Option<&'a ClientCertificate>,
) -> Result<Option<&'a ClientCertificate>, OAuthError> {
    let (binds, api_requires) = match api.proof_of_possession {
        ProofOfPossession::None => (false, false),
        ProofOfPossession::Mtls { required } => (true, required),
        ProofOfPossession::Dpop { required } => {
            if required {
                return Err(OAuthError::invalid_request(
                    "Proof of possession by DPoP is required and not supported",
                ));
            }
            (false, false)
        }
    };
    match certificate {
        Some(certificate) if binds || client.require_proof_of_possession => Ok(Some(certificate)),
        None if api_requires || client.require_proof_of_possession => {
            Err(OAuthError::invalid_request("Proof of possession is required: present a client certificate"))
        }
        Some(_) | None => Ok(None),
    }
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

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    expires_in: i64,
    token_type: &'static str,
}
