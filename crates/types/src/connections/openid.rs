//! Options of `OpenID` Connect providers (`oidc`, `okta`).

use super::{Strategy, text};
use crate::Object;
use serde_json::{Value, json};
use url::Url;

/// What a discovery document leaves out when it is false (`OpenID` Connect Discovery 1.0 section 3).
const CAPABILITIES: &[&str] = &[
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
];

/// Options that come from the discovery document when they are not sent.
const FROM_METADATA: &[&str] =
    &["issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];

const METADATA: &str = "oidc_metadata";

/// What the authorization server of an Okta organization says of itself, as long as nobody can ask it; it is the same
/// for all of them but for the domain.
const OKTA: &str = include_str!("okta.json");
const OKTA_DOMAIN: &str = "{domain}";

/// Where providers publish their metadata (`OpenID` Connect Discovery 1.0 section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Whether the metadata were sent, so that nothing has to be discovered.
fn has_metadata(options: &Object) -> bool {
    match options.get(METADATA) {
        None | Some(Value::Null) => false,
        Some(Value::Object(metadata)) => !metadata.is_empty(),
        Some(_) => true,
    }
}

/// What others publish is not taken for an address unless it is one.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// Where the metadata are published that options leave out.
pub(super) fn discovery_url(strategy: &Strategy, options: &Object) -> Option<Url> {
    if has_metadata(options) {
        return None;
    }
    let source = source(strategy, options)?;
    if strategy.name != "okta" {
        return Url::parse(source).ok();
    }
    // A domain has no path or query of its own.
    let url = Url::parse(&format!("https://{source}{WELL_KNOWN}")).ok()?;
    (url.path() == WELL_KNOWN && url.query().is_none()).then_some(url)
}

/// The metadata in a document, if it is what a provider publishes about itself.
#[must_use]
pub fn discovered(document: Value) -> Option<Object> {
    match document {
        Value::Object(metadata) if !text(&metadata, "issuer").is_empty() => Some(metadata),
        _ => None,
    }
}

/// The option that says where the metadata are.
fn source<'a>(strategy: &Strategy, options: &'a Object) -> Option<&'a str> {
    let name = if strategy.name == "okta" { "domain" } else { "discovery_url" };
    Some(text(options, name)).filter(|source| !source.is_empty())
}

/// Adds what belongs to the options that were sent; `discovered` is what was found at their [`discovery_url`].
pub(super) fn complete(
    strategy: &Strategy,
    options: &mut Object,
    stored: Option<&Object>,
    discovered: Option<&Object>,
) {
    if !has_metadata(options)
        && let Some(metadata) = metadata(strategy, options, stored, discovered)
    {
        options.insert(METADATA.into(), metadata);
    }
    if let Some(Value::Object(metadata)) = options.get_mut(METADATA) {
        for capability in CAPABILITIES {
            metadata.entry(*capability).or_insert_with(|| false.into());
        }
        let metadata = metadata.clone();
        for name in FROM_METADATA {
            let known = text(&metadata, name);
            if is_web_address(known) && options.get(*name).is_none_or(Value::is_null) {
                options.insert((*name).into(), known.into());
            }
        }
    }
    // Who leaves PKCE out of an update switches it off.
    let pkce = if stored.is_some() { "disabled" } else { "auto" };
    options.entry("connection_settings").or_insert_with(|| json!({"pkce": pkce}));
}

fn metadata(
    strategy: &Strategy,
    options: &Object,
    stored: Option<&Object>,
    discovered: Option<&Object>,
) -> Option<Value> {
    if let Some(discovered) = discovered {
        return Some(discovered.clone().into());
    }
    let wanted = source(strategy, options)?;
    // What was found there before, when nobody answers now.
    let stored = stored.filter(|stored| source(strategy, stored) == Some(wanted) && has_metadata(stored));
    if let Some(known) = stored.and_then(|stored| stored.get(METADATA)) {
        return Some(known.clone());
    }
    (strategy.name == "okta").then(|| okta(wanted))
}

fn okta(domain: &str) -> Value {
    let mut metadata = serde_json::from_str(OKTA).expect("a constant, read by a test");
    fill(&mut metadata, domain);
    metadata
}

fn fill(value: &mut Value, domain: &str) {
    match value {
        Value::String(text) => *text = text.replace(OKTA_DOMAIN, domain),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, domain)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, domain)),
        _ => {}
    }
}
