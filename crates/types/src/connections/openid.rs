//! Options of `OpenID` Connect providers (`oidc`, `okta`).

use super::{Strategy, text};
use crate::Object;
use serde_json::{Value, json};

/// What a discovery document leaves out when it is false (`OpenID` Connect Discovery 1.0 section 3).
const CAPABILITIES: &[&str] = &[
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
];

/// Options that come from the discovery document when they are not sent.
const ENDPOINTS: &[&str] = &["authorization_endpoint", "token_endpoint", "userinfo_endpoint"];

/// What the authorization server of an Okta organization says of itself; it is the same for all of them but for the
/// domain, so that no document has to be fetched.
const OKTA: &str = include_str!("okta.json");
const OKTA_DOMAIN: &str = "{domain}";

/// Adds what belongs to the options that were sent.
pub(super) fn complete(strategy: &Strategy, options: &mut Object, stored: Option<&Object>) {
    if !options.contains_key("oidc_metadata")
        && let Some(metadata) = metadata(strategy, options, stored)
    {
        options.insert("oidc_metadata".into(), metadata);
    }
    if let Some(Value::Object(metadata)) = options.get_mut("oidc_metadata") {
        for capability in CAPABILITIES {
            metadata.entry(*capability).or_insert_with(|| false.into());
        }
        let metadata = metadata.clone();
        for endpoint in ENDPOINTS {
            if let Some(known) = metadata.get(*endpoint)
                && options.get(*endpoint).is_none_or(Value::is_null)
            {
                options.insert((*endpoint).into(), known.clone());
            }
        }
    }
    // Who leaves PKCE out of an update switches it off.
    let pkce = if stored.is_some() { "disabled" } else { "auto" };
    options.entry("connection_settings").or_insert_with(|| json!({"pkce": pkce}));
}

fn metadata(strategy: &Strategy, options: &Object, stored: Option<&Object>) -> Option<Value> {
    let source = if strategy.name == "okta" { "domain" } else { "discovery_url" };
    let source_of = |options: &Object| Some(text(options, source).to_owned()).filter(|text| !text.is_empty());
    let wanted = source_of(options)?;
    let stored = stored.filter(|stored| source_of(stored).as_ref() == Some(&wanted));
    if let Some(known) = stored.and_then(|stored| stored.get("oidc_metadata")) {
        return Some(known.clone());
    }
    (strategy.name == "okta").then(|| okta(&wanted))
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
