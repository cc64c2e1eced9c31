//! Connection profiles: what connections look like that organizations or Express Configuration make.

use crate::Object;
use crate::json::in_order;
use crate::schema::{Part, Schema, Violation, array, object, one_of, optional, required, string};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Members in the order of answers.
const ORDER: &[&str] = &[
    "id",
    "name",
    "organization",
    "connection_name_prefix_template",
    "enabled_features",
    "connection_config",
    "strategy_overrides",
];

/// Strategies of connections that a profile is about.
pub(crate) const STRATEGIES: [&str; 8] =
    ["pingfederate", "ad", "adfs", "waad", "google-apps", "okta", "oidc", "samlp"];

const MAX_NAME: u32 = 50;
const MAX_PREFIX: u32 = 15;
/// What the names of connections begin with when a profile does not say.
const DEFAULT_PREFIX: &str = "con-{org_id}-";
const PREFIX_TEMPLATE: &str = "connection_name_prefix_template";
/// The documented pattern of a prefix; [`is_prefix`] accepts the same.
const PREFIX_PATTERN: &str = "^(?!-)(?!.*--)(?:[a-zA-Z0-9-]|{org_id}|{org_name})*$";
const PREFIX_DESCRIPTION: &str = "What the names of connections begin with";

fn name() -> Schema {
    string().min(1).max(MAX_NAME).describe("Name of the profile")
}

fn settings() -> Vec<crate::schema::Member> {
    let when = |what| one_of(&["none", "optional", "required"]).describe(what);
    let features = || array(one_of(&["scim", "universal_logout"])).describe("Features of the connections");
    let config = || object([]).describe("Settings of the connections");
    let over = || {
        object([optional("enabled_features", features()), optional("connection_config", config())])
            .describe("What is different for this strategy")
    };
    vec![
        optional(
            "organization",
            object([
                optional("show_as_button", when("Whether the connection has a button")),
                optional("assign_membership_on_login", when("Whether who logs in becomes a member")),
            ])
            .describe("The connection within its organization"),
        ),
        optional(PREFIX_TEMPLATE, string().max(MAX_PREFIX).describe(PREFIX_DESCRIPTION)),
        optional("enabled_features", features()),
        // Null as well, since answers have it and tools send back what they read.
        optional("connection_config", config().nullable()),
        optional(
            "strategy_overrides",
            Schema::object_of(STRATEGIES.map(|strategy| optional(strategy, over())).into())
                .nullable()
                .describe("What is different for some strategies"),
        ),
    ]
}

/// The body of `POST /connection-profiles`.
pub static CREATE: LazyLock<Schema> =
    LazyLock::new(|| Schema::object_of(settings()).with([required("name", name())]));
/// The body of `PATCH /connection-profiles/{id}`.
pub static PATCH: LazyLock<Schema> =
    LazyLock::new(|| Schema::object_of(settings()).with([optional("name", name())]));

fn check<'a>(schema: &Schema, body: &'a Value) -> Result<&'a Object, Violation> {
    let body = schema.check_body(body)?;
    match body.get(PREFIX_TEMPLATE).and_then(Value::as_str) {
        Some(prefix) if !is_prefix(prefix) => {
            let detail = format!("String does not match pattern {PREFIX_PATTERN}: {prefix}");
            Err(Violation::new(Part::Payload, detail).on(PREFIX_TEMPLATE, PREFIX_DESCRIPTION))
        }
        _ => Ok(body),
    }
}

/// Letters, digits, single hyphens not at the start, and two placeholders.
fn is_prefix(text: &str) -> bool {
    let filled = text.replace("{org_id}", "x").replace("{org_name}", "x");
    !text.starts_with('-')
        && !text.contains("--")
        && filled.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Checks the body of `POST /connection-profiles`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    check(&CREATE, body)
}

/// Checks the body of `PATCH /connection-profiles/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    check(&PATCH, body)
}

/// The profile that a checked create body describes.
#[must_use]
pub fn create(body: &Object, id: &str) -> Object {
    let mut profile = body.clone();
    profile.insert("id".into(), id.into());
    profile.entry(PREFIX_TEMPLATE).or_insert_with(|| DEFAULT_PREFIX.into());
    for name in ["connection_config", "strategy_overrides"] {
        profile.entry(name).or_insert(Value::Null);
    }
    in_order(profile, ORDER)
}

/// The profile after a checked `PATCH` body.
#[must_use]
pub fn patch(profile: &Object, body: &Object) -> Object {
    let mut after = profile.clone();
    after.extend(body.clone());
    after
}

/// The templates that profiles may be made from.
#[must_use]
pub fn templates() -> Vec<Value> {
    vec![json!({
        "id": "auth0-generic",
        "display_name": "Auth0 Generic Connection Profile Template",
        "template": {
            "name": "Generic connection profile",
            "organization": {"show_as_button": "required", "assign_membership_on_login": "required"},
            "connection_name_prefix_template": DEFAULT_PREFIX,
            "enabled_features": ["scim", "universal_logout"],
        },
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_may_be_sent_back_as_it_was_answered() {
        let mut profile = create(check_create_body(&json!({"name": "x"})).unwrap(), "cop_1");
        profile.remove("id");
        assert_eq!(profile["connection_config"], Value::Null);
        check_create_body(&Value::Object(profile.clone())).unwrap();
        check_patch_body(&Value::Object(profile)).unwrap();
    }

    #[test]
    fn a_profile_shows_its_members_in_the_recorded_order() {
        let body = json!({"enabled_features": ["scim"], "name": "x"});
        let profile = create(check_create_body(&body).unwrap(), "cop_1");
        assert_eq!(
            Value::Object(profile).to_string(),
            concat!(
                r#"{"id":"cop_1","name":"x","connection_name_prefix_template":"con-{org_id}-","#,
                r#""enabled_features":["scim"],"connection_config":null,"strategy_overrides":null}"#
            )
        );
    }

    #[test]
    fn templates_are_bodies_that_can_be_sent() {
        for template in templates() {
            check_create_body(&template["template"]).unwrap();
        }
    }

    #[test]
    fn prefixes() {
        for good in ["", "con-{org_id}-", "{org_name}", "a1", "a-b-"] {
            assert!(check_patch_body(&json!({PREFIX_TEMPLATE: good})).is_ok(), "{good}");
        }
        for bad in ["-a", "a--b", "{other}", "a b", "ä", "{org_id}{org_id}"] {
            assert!(check_patch_body(&json!({PREFIX_TEMPLATE: bad})).is_err(), "{bad}");
        }
    }

    #[test]
    fn bad_profiles_are_refused() {
        for body in [
            json!({}),
            json!({"name": ""}),
            json!({"name": "x".repeat(51)}),
            json!({"name": "x", "organization": {"show_as_button": "maybe"}}),
            json!({"name": "x", "strategy_overrides": {"sms": {}}}),
            json!({"name": "x", "connection_config": {"a": 1}}),
            json!({"name": "x", "id": "cop_1"}),
        ] {
            assert!(check_create_body(&body).is_err(), "{body}");
        }
    }
}
