//! Rules that look at more than one member. Those that look at other objects are the server's.

use super::fields::field;
use super::{ClientDocument, MAX_METADATA, ThirdPartySecurityMode};
use crate::{ApiError, Object};
use serde_json::Value;

type Checked = Result<(), ApiError>;

/// Grant types that a client may have.
const GRANT_TYPES: &[&str] = &[
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    "password",
    "http://auth0.com/oauth/grant-type/password-realm",
    "http://auth0.com/oauth/grant-type/mfa-oob",
    "http://auth0.com/oauth/grant-type/mfa-otp",
    "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "http://auth0.com/oauth/grant-type/passwordless/otp",
    "http://auth0.com/oauth/legacy/grant-type/ro",
    "http://auth0.com/oauth/legacy/grant-type/ro/jwt-bearer",
    "http://auth0.com/oauth/legacy/grant-type/delegation/refresh_token",
    "http://auth0.com/oauth/legacy/grant-type/delegation/id_token",
    "http://auth0.com/oauth/legacy/grant-type/access_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:openid:params:grant-type:ciba",
    "urn:okta:params:oauth:grant-type:webauthn",
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
];

/// Grant types that a strict third-party client may have.
const STRICT_GRANT_TYPES: &[&str] = &["authorization_code", "refresh_token", "client_credentials"];
/// Application types that a strict third-party client may have.
const STRICT_APP_TYPES: &[&str] = &["regular_web", "spa", "native", "non_interactive"];
/// Application types that a client has from its creation or never.
const FIXED_APP_TYPES: &[&str] = &["resource_server", "express_configuration"];
/// The longest name in `client_metadata`.
const MAX_METADATA_NAME: usize = 255;

pub(super) fn check_created(client: &ClientDocument, body: &Object) -> Checked {
    if client.is_first_party() && body.contains_key("third_party_security_mode") {
        return Err(ApiError::invalid_body("third_party_security_mode applies to third-party clients only"));
    }
    check_resource_server(client)?;
    check(client, body)
}

pub(super) fn check_patched(before: &ClientDocument, after: &ClientDocument, body: &Object) -> Checked {
    check_ownership(before, after)?;
    if body.contains_key("third_party_security_mode")
        && before.get("third_party_security_mode") != after.get("third_party_security_mode")
    {
        return Err(ApiError::invalid_body("third_party_security_mode cannot be changed"));
    }
    let (was, is) = (before.text("app_type"), after.text("app_type"));
    if was != is && [was, is].iter().flatten().any(|app_type| FIXED_APP_TYPES.contains(app_type)) {
        return Err(ApiError::invalid_body(format!(
            "app_type cannot be changed from {} to {}",
            was.unwrap_or("none"),
            is.unwrap_or("none")
        )));
    }
    check(after, body)
}

/// What a `PATCH` may change about a client with a metadata document; the rest is the document's to say.
const BESIDE_DOCUMENT: &[&str] = &[
    "app_type",
    "grant_types",
    "jwt_configuration",
    "description",
    "oidc_conformant",
    "allowed_origins",
    "web_origins",
    "refresh_token",
    "organization_usage",
    "organization_require_behavior",
    "organization_discovery_methods",
    "default_organization",
    "client_metadata",
    "require_proof_of_possession",
];

pub(super) fn check_owned_by_document(
    before: &ClientDocument,
    after: &ClientDocument,
    body: &Object,
) -> Checked {
    if before.text("external_metadata_type") != Some("cimd") {
        return Ok(());
    }
    let is_owned =
        |name: &&String| !BESIDE_DOCUMENT.contains(&name.as_str()) && before.get(name) != after.get(name);
    if let Some(name) =
        body.keys().find(|name| *name == "client_secret").or_else(|| body.keys().find(is_owned))
    {
        return Err(ApiError::invalid_body(format!(
            "{name} cannot be changed for clients with a Client ID Metadata Document"
        )));
    }
    if let Some(app_type) = after.text("app_type").filter(|is| !["native", "regular_web"].contains(is)) {
        return Err(ApiError::invalid_body(format!(
            "app_type {app_type} is not supported for clients with a Client ID Metadata Document"
        )));
    }
    Ok(())
}

fn check_ownership(before: &ClientDocument, after: &ClientDocument) -> Checked {
    if before.is_first_party() == after.is_first_party() {
        return Ok(());
    }
    if before.is_global() {
        return Err(ApiError::invalid_body("is_first_party of the global client cannot be changed"));
    }
    if before.third_party_security_mode() == Some(ThirdPartySecurityMode::Strict) {
        return Err(ApiError::invalid_body(
            "is_first_party cannot be changed for clients with strict third-party security",
        ));
    }
    for name in ["organization_usage", "organization_require_behavior"] {
        if !after.is_first_party() && after.get(name).is_some() {
            return Err(ApiError::invalid_body(format!(
                "{name} must be unset before is_first_party becomes false"
            )));
        }
    }
    Ok(())
}

fn check(client: &ClientDocument, body: &Object) -> Checked {
    check_authentication(client)?;
    check_grant_types(client, body)?;
    check_refresh_token(client)?;
    check_metadata(client)?;
    check_logout(client)?;
    if client.text("organization_require_behavior") == Some("post_login_prompt")
        && !client.flag("oidc_conformant")
    {
        return Err(ApiError::invalid_body(
            "organization_require_behavior post_login_prompt requires oidc_conformant to be true",
        ));
    }
    if client.third_party_security_mode() == Some(ThirdPartySecurityMode::Strict) {
        check_strict(client, body)?;
    }
    Ok(())
}

/// A client authenticates by its secret or by keys, never by both; and who uses keys gets tokens signed by one.
fn check_authentication(client: &ClientDocument) -> Checked {
    let Some(methods) = client.get("client_authentication_methods") else { return Ok(()) };
    if client.get("token_endpoint_auth_method").is_some() {
        return Err(ApiError::invalid_body(
            "client_authentication_methods and token_endpoint_auth_method are mutually exclusive",
        ));
    }
    let alg = client.get("jwt_configuration").and_then(|jwt| jwt.get("alg")).and_then(Value::as_str);
    if !matches!(alg, Some("RS256" | "PS256")) {
        return Err(ApiError::invalid_body(
            "client_authentication_methods requires jwt_configuration.alg to be RS256 or PS256",
        ));
    }
    if methods.as_object().is_none_or(|methods| methods.len() != 1) {
        return Err(ApiError::invalid_body("client_authentication_methods takes exactly one method"));
    }
    Ok(())
}

fn check_grant_types(client: &ClientDocument, body: &Object) -> Checked {
    if !body.contains_key("grant_types") {
        return Ok(());
    }
    let is_public = client.text("token_endpoint_auth_method") == Some("none");
    let is_invalid =
        |grant: &&str| !GRANT_TYPES.contains(grant) || (is_public && *grant == "client_credentials");
    let invalid: Vec<_> = client.texts("grant_types").filter(is_invalid).collect();
    if invalid.is_empty() {
        return Ok(());
    }
    let invalid: String = invalid.join(",").chars().take(256).collect();
    Err(ApiError::invalid_body(format!("Invalid grant types: {invalid}")))
}

fn check_refresh_token(client: &ClientDocument) -> Checked {
    let Some(settings) = client.get("refresh_token") else { return Ok(()) };
    if settings.get("rotation_type").and_then(Value::as_str) != Some("rotating") {
        return Ok(());
    }
    if settings.get("expiration_type").and_then(Value::as_str) != Some("expiring") {
        return Err(ApiError::invalid_body(
            "refresh_token.expiration_type must be expiring when rotation_type is rotating",
        ));
    }
    for name in ["infinite_token_lifetime", "infinite_idle_token_lifetime"] {
        if settings.get(name) == Some(&Value::Bool(true)) {
            return Err(ApiError::invalid_body(format!(
                "refresh_token.{name} cannot be true when rotation_type is rotating"
            )));
        }
    }
    Ok(())
}

fn check_metadata(client: &ClientDocument) -> Checked {
    let Some(Value::Object(metadata)) = client.get("client_metadata") else { return Ok(()) };
    if metadata.len() > MAX_METADATA {
        return Err(ApiError::invalid_body(format!(
            "client_metadata cannot have more than {MAX_METADATA} entries"
        )));
    }
    if metadata.keys().any(|name| name.chars().count() > MAX_METADATA_NAME) {
        return Err(ApiError::invalid_body(format!(
            "client_metadata cannot have names longer than {MAX_METADATA_NAME} characters"
        )));
    }
    Ok(())
}

fn check_logout(client: &ClientDocument) -> Checked {
    let urls = client.get("oidc_logout").and_then(|settings| settings.get("backchannel_logout_urls"));
    if urls.and_then(Value::as_array).is_some_and(|urls| urls.len() > 1) {
        return Err(ApiError::invalid_body("oidc_logout.backchannel_logout_urls takes one URL only"));
    }
    Ok(())
}

fn check_resource_server(client: &ClientDocument) -> Checked {
    let is_resource_server = client.text("app_type") == Some("resource_server");
    match (is_resource_server, client.get("resource_server_identifier")) {
        (true, None) => {
            Err(ApiError::invalid_body("resource_server_identifier is required for app_type resource_server"))
        }
        (false, Some(_)) => {
            Err(ApiError::invalid_body("resource_server_identifier applies to app_type resource_server only"))
        }
        _ => Ok(()),
    }
}

/// What OAuth 2.1 and the curated feature set leave to third-party clients.
fn check_strict(client: &ClientDocument, body: &Object) -> Checked {
    let refused =
        |what: String| Err(ApiError::invalid_body(format!("{what} for strict third-party clients")));

    for (name, value) in body {
        let is_off = match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        let is_default = matches!((name.as_str(), value), ("custom_login_page_on", Value::Bool(true)));
        if !is_off && !is_default && field(name).is_some_and(|field| !field.curated) {
            return refused(format!("{name} is not supported"));
        }
    }
    if let Some(app_type) = client.text("app_type")
        && !STRICT_APP_TYPES.contains(&app_type)
    {
        return refused(format!("app_type {app_type} is not supported"));
    }
    let is_public = client.text("token_endpoint_auth_method") == Some("none");
    for grant in client.texts("grant_types") {
        if !STRICT_GRANT_TYPES.contains(&grant) || (is_public && grant == "client_credentials") {
            return refused(format!("grant type {grant} is not supported"));
        }
    }
    if let Some(alg) = client.get("jwt_configuration").and_then(|jwt| jwt.get("alg")).and_then(Value::as_str)
        && alg != "RS256"
    {
        return refused(format!("jwt_configuration.alg {alg} is not supported"));
    }
    for name in ["callbacks", "allowed_logout_urls", "allowed_origins", "web_origins"] {
        if client.texts(name).any(|url| url.contains(['*', '{'])) {
            return refused(format!("{name} must be exact URLs"));
        }
    }
    if !client.flag("oidc_conformant") {
        return refused("oidc_conformant must be true".into());
    }
    let refresh = client.get("refresh_token");
    let refresh = |name| refresh.and_then(|settings| settings.get(name));
    if refresh("expiration_type").and_then(Value::as_str) == Some("non-expiring") {
        return refused("refresh_token.expiration_type must be expiring".into());
    }
    if refresh("infinite_idle_token_lifetime") == Some(&Value::Bool(true)) {
        return refused("refresh_token.infinite_idle_token_lifetime must be false".into());
    }
    let methods = client.get("client_authentication_methods").and_then(Value::as_object);
    if methods.is_some_and(|methods| methods.keys().any(|method| method != "private_key_jwt")) {
        return refused("only private_key_jwt is supported in client_authentication_methods".into());
    }
    Ok(())
}
