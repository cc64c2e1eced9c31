//! Organizations: what requests may say about them and what belongs to them, and the order of members in answers.

mod associations;
pub mod connections;

pub use associations::{
    ADD_CLIENTS, ADD_GRANT, CREATE_DOMAIN, MAX_CLIENTS, PATCH_CLIENT, PATCH_DOMAIN, REMOVE_CLIENTS,
    added_grant, check_add_clients_body, check_add_grant_body, check_client_patch_body,
    check_create_domain_body, check_domain_patch_body, check_remove_clients_body, client, create_domain,
    patch_domain,
};

pub use connections::{ConnectionForm, add_connection, patch_connection};

use crate::Object;
use crate::clients::Enforcement;
use crate::format::Format;
use crate::json::in_order;
use crate::schema::{Schema, Violation, boolean, format, object, one_of, optional, required, string};
use crate::token_quota;
use serde_json::Value;
use std::sync::LazyLock;

/// Members in the order of answers that read.
const ORDER: &[&str] = &[
    "id",
    "name",
    "display_name",
    "branding",
    "metadata",
    "token_quota",
    "third_party_client_access",
    "is_app_entitlement_active",
];

/// Members in the order of answers that create or change.
const WRITTEN_ORDER: &[&str] = &[
    "id",
    "display_name",
    "name",
    "branding",
    "metadata",
    "token_quota",
    "third_party_client_access",
    "is_app_entitlement_active",
    "enabled_connections",
];

/// What `read:organizations_summary` alone reveals.
const SUMMARY: &[&str] = &["id", "name", "display_name"];

/// Members that say who may use which applications.
const ACCESS_POLICY: [&str; 2] = ["third_party_client_access", "is_app_entitlement_active"];

/// The most members that `metadata` may have.
const MAX_METADATA: u32 = 25;

const LOGIN: &str = "login (`/authorize`)";

/// What each member does; see [`crate::clients::ledger`].
pub const LEDGER: &[(&str, Enforcement)] = &[
    ("name", enforced("organizations_go_by_name_where_the_tenant_allows_it")),
    ("display_name", Enforcement::Echo),
    ("branding", Enforcement::Echo),
    ("metadata", Enforcement::Echo),
    ("connections", Enforcement::Inert { flow: LOGIN }),
    (
        "token_quota",
        Enforcement::Enforced {
            test: "an_organization_gets_no_more_tokens_than_its_quota_from_all_its_clients",
        },
    ),
    ("third_party_client_access", Enforcement::Inert { flow: LOGIN }),
    ("is_app_entitlement_active", Enforcement::Inert { flow: LOGIN }),
    ("clients", Enforcement::Inert { flow: LOGIN }),
    ("client-grants", enforced("a_grant_is_good_for_the_organizations_that_it_is_given_to")),
    ("discovery-domains", Enforcement::Inert { flow: LOGIN }),
];

const fn enforced(test: &'static str) -> Enforcement {
    Enforcement::Enforced { test }
}

fn settings() -> Schema {
    let color = |what| format(Format::HtmlColor).describe(what);
    object([
        optional("display_name", string().min(1).max(255).describe("Friendly name of the organization")),
        optional(
            "branding",
            object([
                optional(
                    "logo_url",
                    format(Format::StrictHttpsUriOrNull).describe("URL of the logo on the login page"),
                ),
                optional(
                    "colors",
                    object([
                        required("primary", color("Color of primary elements")),
                        required("page_background", color("Color of the background")),
                    ])
                    .describe("Colors of the login page"),
                ),
            ])
            .describe("What the login page looks like"),
        ),
        optional(
            "metadata",
            object([])
                .open_with(string().max(255).nullable())
                .max(MAX_METADATA)
                .describe("Up to 25 texts of your own, each at most 255 characters"),
        ),
        optional(
            "third_party_client_access",
            one_of(&["allow", "block"]).describe("Whether members may use third-party clients"),
        ),
        optional(
            "is_app_entitlement_active",
            boolean().describe("Whether members may use only the clients of the organization"),
        ),
    ])
}

fn name() -> Schema {
    format(Format::OrganizationName).min(1).max(50).describe("The name of this organization")
}

/// The body of `POST /organizations`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    settings().with([
        required("name", name()),
        optional("token_quota", token_quota::schema()),
        optional("enabled_connections", connections::at_creation()),
    ])
});

/// The body of `PATCH /organizations/{id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    settings().with([optional("name", name()), optional("token_quota", token_quota::schema().nullable())])
});

/// How a list of organizations may be sorted: `name:1`, `display_name:-1`, `created_at:1`, ….
#[must_use]
pub fn sort() -> Schema {
    one_of(&["name:1", "name:-1", "display_name:1", "display_name:-1", "created_at:1", "created_at:-1"])
        .describe("Field to sort by, and 1 for ascending or -1 for descending order")
}

/// Checks the body of `POST /organizations`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /organizations/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// The organization that a checked create body describes.
#[must_use]
pub fn create(body: &Object, id: &str) -> Object {
    let mut organization = Object::new();
    organization.insert("id".into(), id.into());
    patch(&organization, body)
}

/// The organization after a checked `PATCH` body.
#[must_use]
pub fn patch(organization: &Object, body: &Object) -> Object {
    let mut after = organization.clone();
    for (name, value) in body.iter().filter(|(name, _)| *name != "enabled_connections") {
        match value {
            Value::Null => {
                after.shift_remove(name);
            }
            Value::Object(metadata) if name == "metadata" => {
                let mut metadata = metadata.clone();
                metadata.retain(|_, value| !value.is_null());
                after.insert(name.clone(), metadata.into());
            }
            Value::Object(quota) if name == "token_quota" => {
                after.insert(name.clone(), quota_in_order(quota));
            }
            _ => {
                after.insert(name.clone(), value.clone());
            }
        }
    }
    // Who may use which applications is one policy, shown as a whole from when any of it was set. Recordings before
    // summer 2026 do not show what was never set, later ones do; both mean the same.
    let [third_party, entitlement] = ACCESS_POLICY;
    if ACCESS_POLICY.iter().any(|name| after.contains_key(*name)) {
        after.entry(third_party).or_insert_with(|| "block".into());
        after.entry(entitlement).or_insert(Value::Bool(false));
    }
    in_order(after, ORDER)
}

fn quota_in_order(quota: &Object) -> Value {
    let ordered = quota.iter().map(|(name, value)| {
        let value = match value {
            Value::Object(limits) => in_order(limits.clone(), &["per_hour", "per_day", "enforce"]).into(),
            other => other.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(ordered.collect())
}

/// The organization as answers that create or change it show it.
#[must_use]
pub fn as_written(organization: Object) -> Object {
    in_order(organization, WRITTEN_ORDER)
}

/// What the holder of `read:organizations_summary` alone sees.
#[must_use]
pub fn summary(mut organization: Object) -> Object {
    organization.retain(|name, _| SUMMARY.contains(&name.as_str()));
    organization
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn created(body: &Value) -> Object {
        create(check_create_body(body).unwrap(), "org_0000000000000000")
    }

    #[test]
    fn an_organization_has_the_order_of_answers() {
        let organization =
            created(&json!({"display_name": "Acme", "name": "acme", "metadata": {"a": "1", "b": null}}));
        assert_eq!(
            Value::from(organization.clone()).to_string(),
            r#"{"id":"org_0000000000000000","name":"acme","display_name":"Acme","metadata":{"a":"1"}}"#
        );
        assert!(
            Value::from(as_written(organization)).to_string().starts_with(
                r#"{"id":"org_0000000000000000","display_name":"Acme","name":"acme","metadata""#
            )
        );
    }

    #[test]
    fn the_access_policy_is_shown_as_a_whole() {
        let before = created(&json!({"name": "acme"}));
        assert!(!before.contains_key("third_party_client_access"));
        let after = patch(&before, json!({"is_app_entitlement_active": true}).as_object().unwrap());
        assert_eq!(after["third_party_client_access"], "block");
        let after = patch(&before, json!({"third_party_client_access": "allow"}).as_object().unwrap());
        assert_eq!(after["is_app_entitlement_active"], false);
    }

    #[test]
    fn a_patch_replaces_what_it_names() {
        let quota = json!({"client_credentials": {"enforce": true, "per_day": 2, "per_hour": 1}});
        let before = created(&json!({"name": "acme", "metadata": {"a": "1"}, "token_quota": quota}));
        assert_eq!(
            before["token_quota"].to_string(),
            r#"{"client_credentials":{"per_hour":1,"per_day":2,"enforce":true}}"#
        );
        let body = json!({"metadata": {"b": "2"}, "token_quota": null});
        let after = patch(&before, check_patch_body(&body).unwrap());
        assert_eq!(after["metadata"], json!({"b": "2"}));
        assert!(!after.contains_key("token_quota") && after["name"] == "acme");
        assert_eq!(patch(&after, &Object::new()), after);
    }

    #[test]
    fn bad_bodies_are_refused() {
        for (body, detail) in [
            (json!({}), "Missing required property: name"),
            (json!({"name": "Acme"}), "Object didn't pass validation for format organization-name: Acme"),
            (json!({"name": "a".repeat(51)}), "String is too long (51 chars), maximum 50"),
            (json!({"name": "a", "display_name": ""}), "String is too short (0 chars), minimum 1"),
            (
                json!({"name": "a", "branding": {"colors": {"primary": "#fff"}}}),
                "Missing required property: page_background",
            ),
            (json!({"name": "a", "third_party_client_access": "maybe"}), "No enum match for: maybe"),
            (json!({"name": "a", "metadata": {"a": 1}}), "Expected type string,null but found type integer"),
            (json!({"name": "a", "id": "b"}), "Additional properties not allowed: id"),
        ] {
            let violation = check_create_body(&body).unwrap_err().to_string();
            assert!(violation.contains(detail), "{body}: {violation}");
        }
    }
}
