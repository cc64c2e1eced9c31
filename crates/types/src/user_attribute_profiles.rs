//! User attribute profiles: how attributes of users map to OIDC, SAML and SCIM.

use crate::Object;
use crate::connection_profiles::STRATEGIES;
use crate::json::in_order;
use crate::schema::{Member, Schema, Violation, array, boolean, object, one_of, optional, required, string};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Members in the order of answers.
const ORDER: &[&str] = &["id", "name", "user_id", "user_attributes"];
/// Members of an attribute in the order of answers.
const ATTRIBUTE_ORDER: &[&str] = &[
    "label",
    "description",
    "oidc_mapping",
    "saml_mapping",
    "scim_mapping",
    "auth0_mapping",
    "profile_required",
    "strategy_overrides",
];

const MAX_NAME: u32 = 128;
const MAX_MAPPING: u32 = 50;
const MAX_ATTRIBUTES: u32 = 64;

fn words(what: &'static str) -> Schema {
    string().min(1).max(MAX_NAME).describe(what)
}

fn mapping(what: &'static str) -> Schema {
    string().min(1).max(MAX_MAPPING).describe(what)
}

fn saml_mapping() -> Member {
    optional("saml_mapping", array(words("An attribute of SAML")).min(1).describe("Attributes of SAML"))
}

fn scim_mapping() -> Member {
    optional("scim_mapping", words("Attribute of SCIM"))
}

fn oidc_mapping() -> Member {
    optional(
        "oidc_mapping",
        object([
            required("mapping", mapping("The claim")),
            optional("display_name", mapping("Name of the claim for people")),
        ])
        .describe("Claim of OpenID Connect"),
    )
}

/// What is different for some strategies.
fn overrides(of: impl Fn() -> Member) -> Member {
    let strategy = || object([of(), saml_mapping(), scim_mapping()]);
    optional(
        "strategy_overrides",
        Schema::object_of(STRATEGIES.map(|name| optional(name, strategy())).into())
            .describe("What is different for some strategies"),
    )
}

fn user_id() -> Schema {
    object([
        optional("oidc_mapping", one_of(&["sub"]).describe("Claim of OpenID Connect")),
        saml_mapping(),
        scim_mapping(),
        overrides(|| {
            optional("oidc_mapping", one_of(&["sub", "oid", "email"]).describe("Claim of OpenID Connect"))
        }),
    ])
    .describe("Where the id of a user comes from")
}

fn user_attributes() -> Schema {
    let attribute = object([
        required("description", words("What the attribute is")),
        required("label", words("Name of the attribute for people")),
        required("profile_required", boolean().describe("Whether every user has it")),
        required("auth0_mapping", mapping("Attribute of the user profile")),
        oidc_mapping(),
        saml_mapping(),
        scim_mapping(),
        overrides(oidc_mapping),
    ]);
    object([]).open_with(attribute).min(1).max(MAX_ATTRIBUTES).describe("Attributes by name")
}

/// The body of `POST /user-attribute-profiles`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    object([
        required("name", words("Name of the profile")),
        optional("user_id", user_id()),
        required("user_attributes", user_attributes()),
    ])
});
/// The body of `PATCH /user-attribute-profiles/{id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("name", words("Name of the profile")),
        optional("user_id", user_id().nullable()),
        optional("user_attributes", user_attributes()),
    ])
});

/// Checks the body of `POST /user-attribute-profiles`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /user-attribute-profiles/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// The profile that a checked create body describes.
#[must_use]
pub fn create(body: &Object, id: &str) -> Object {
    let mut profile = body.clone();
    profile.insert("id".into(), id.into());
    ordered(profile)
}

/// The profile after a checked `PATCH` body.
#[must_use]
pub fn patch(profile: &Object, body: &Object) -> Object {
    let mut after = profile.clone();
    after.extend(body.clone());
    after.retain(|_, value| !value.is_null());
    ordered(after)
}

fn ordered(mut profile: Object) -> Object {
    if let Some(Value::Object(attributes)) = profile.get_mut("user_attributes") {
        for attribute in attributes.values_mut().filter_map(Value::as_object_mut) {
            *attribute = in_order(std::mem::take(attribute), ATTRIBUTE_ORDER);
        }
    }
    in_order(profile, ORDER)
}

/// The templates that profiles may be made from.
#[must_use]
pub fn templates() -> Vec<Value> {
    const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
    let attribute =
        |label: &str, description: &str, claim: &str, saml: &str, scim: &str, is_required: bool| {
            json!({
                "label": label,
                "description": description,
                "oidc_mapping": {"mapping": claim},
                "saml_mapping": [format!("{CLAIMS}/{saml}")],
                "scim_mapping": scim,
                "auth0_mapping": claim,
                "profile_required": is_required,
            })
        };
    vec![json!({
        "id": "auth0-generic",
        "display_name": "Auth0 Generic User Attribute Profile Template",
        "template": {
            "name": "Generic user attribute profile",
            "user_id": {
                "oidc_mapping": "sub",
                "saml_mapping": [
                    format!("{CLAIMS}/nameidentifier"), format!("{CLAIMS}/upn"), format!("{CLAIMS}/name"),
                ],
                "scim_mapping": "externalId",
            },
            "user_attributes": {
                "email": attribute(
                    "Email", "Email of the User", "email", "emailaddress", "emails[primary eq true].value", true),
                "given_name": attribute(
                    "Given Name", "Given Name of the User", "given_name", "givenname", "name.givenName", false),
                "family_name": attribute(
                    "Family Name", "Family Name of the User", "family_name", "surname", "name.familyName", false),
                "name": attribute("Name", "Name of the User", "name", "name", "displayName", false),
            },
        },
    })]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute() -> Value {
        json!({"auth0_mapping": "email", "profile_required": true, "label": "Email", "description": "It",
            "scim_mapping": "emails"})
    }

    #[test]
    fn attributes_take_the_recorded_order() {
        let body = json!({"user_attributes": {"email": attribute()}, "name": "x"});
        let profile = create(check_create_body(&body).unwrap(), "uap_1");
        assert_eq!(
            Value::Object(profile).to_string(),
            concat!(
                r#"{"id":"uap_1","name":"x","user_attributes":{"email":{"label":"Email","description":"It","#,
                r#""scim_mapping":"emails","auth0_mapping":"email","profile_required":true}}}"#
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
    fn null_removes_the_mapping_of_ids() {
        let body =
            json!({"name": "x", "user_id": {"oidc_mapping": "sub"}, "user_attributes": {"a": attribute()}});
        let profile = create(check_create_body(&body).unwrap(), "uap_1");
        let body = json!({"user_id": null});
        assert!(!patch(&profile, check_patch_body(&body).unwrap()).contains_key("user_id"));
    }

    #[test]
    fn bad_profiles_are_refused() {
        let with = |member: &str, value: Value| {
            let mut attribute = attribute();
            attribute[member] = value;
            json!({"name": "x", "user_attributes": {"a": attribute}})
        };
        let many: Object = (0..65).map(|n| (n.to_string(), attribute())).collect();
        for body in [
            json!({"name": "x"}),
            json!({"name": "x", "user_attributes": {}}),
            json!({"name": "x", "user_attributes": many}),
            json!({"name": "x", "user_attributes": {"a": {}}}),
            json!({"name": "x", "user_id": {"oidc_mapping": "oid"}, "user_attributes": {"a": attribute()}}),
            with("other", json!(1)),
            with("saml_mapping", json!([])),
            with("oidc_mapping", json!({})),
            with("strategy_overrides", json!({"sms": {}})),
        ] {
            assert!(check_create_body(&body).is_err(), "{body}");
        }
        check_create_body(&with("strategy_overrides", json!({"oidc": {"scim_mapping": "x"}}))).unwrap();
    }
}
