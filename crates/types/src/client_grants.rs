//! Client grants: which client may call which API, and with which scopes.

pub mod model;

use crate::clients::Enforcement;
use crate::json::in_order;
use crate::schema::{Schema, Violation, array, boolean, object, one_of, optional, required, string};
use crate::{ApiError, Object};
use serde_json::Value;
use std::sync::LazyLock;

/// Members in the order of answers.
const ORDER: &[&str] = &[
    "id",
    "client_id",
    "audience",
    "scope",
    "organization_usage",
    "allow_any_organization",
    "subject_type",
    "authorization_details_types",
    "allow_all_scopes",
    "default_for",
    "is_system",
];

/// What each member does; see [`crate::clients::ledger`].
pub const LEDGER: &[(&str, Enforcement)] = &[
    ("client_id", enforced("requests_that_cannot_be_served_get_the_recorded_errors")),
    ("audience", enforced("requests_that_cannot_be_served_get_the_recorded_errors")),
    ("scope", enforced("a_patched_grant_changes_the_next_token")),
    ("allow_all_scopes", enforced("a_patched_grant_changes_the_next_token")),
    ("subject_type", enforced("a_grant_for_users_gives_a_client_nothing_for_itself")),
    ("default_for", enforced("third_party_clients_use_the_grant_for_all_of_them")),
    ("organization_usage", enforced("organization_usage_decides_whether_a_token_is_for_an_organization")),
    ("allow_any_organization", enforced("a_grant_is_good_for_the_organizations_that_it_is_given_to")),
    ("authorization_details_types", Enforcement::Inert { flow: "rich authorization requests" }),
];

const fn enforced(test: &'static str) -> Enforcement {
    Enforcement::Enforced { test }
}

const ORGANIZATION_USAGE: &[&str] = &["deny", "allow", "require"];

fn scope() -> Schema {
    array(string().min(1).max(280)).describe("Scopes that the client may have")
}

fn details() -> Schema {
    array(string().min(1).max(255)).describe("Types of authorization details that the client may ask for")
}

/// The body of `POST /client-grants`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("client_id", string().describe("The client that may call")),
        required("audience", string().min(1).describe("Identifier of the API that may be called")),
        optional("default_for", one_of(&["third_party_clients"]).describe("Class of clients that may call")),
        optional(
            "organization_usage",
            one_of(ORGANIZATION_USAGE).describe("Whether tokens are for an organization"),
        ),
        optional("allow_any_organization", boolean().describe("Whether every organization will do")),
        optional("scope", scope()),
        optional("subject_type", one_of(&["client", "user"]).describe("For whom the client calls")),
        optional("authorization_details_types", details()),
        optional(
            "allow_all_scopes",
            boolean().describe("Whether the client may have every scope of the API"),
        ),
    ])
});

/// The body of `PATCH /client-grants/{id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    object([
        optional("scope", scope().nullable()),
        optional(
            "organization_usage",
            one_of(ORGANIZATION_USAGE).nullable().describe("Whether tokens are for an organization"),
        ),
        optional(
            "allow_any_organization",
            boolean().nullable().describe("Whether every organization will do"),
        ),
        optional("authorization_details_types", details()),
        optional(
            "allow_all_scopes",
            boolean().nullable().describe("Whether the client may have every scope of the API"),
        ),
    ])
    .min(1)
});

/// Checks the body of `POST /client-grants`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /client-grants/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// The grant that a checked create body describes.
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn create(body: &Object, id: &str) -> Result<Object, ApiError> {
    if body.contains_key("client_id") == body.contains_key("default_for") {
        return Err(ApiError::invalid_body("exactly one of client_id and default_for must be given"));
    }
    let mut grant = body.clone();
    grant.insert("id".into(), id.into());
    grant.entry("subject_type").or_insert_with(|| "client".into());
    finish(grant)
}

/// The grant after a checked `PATCH` body.
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn patch(grant: &Object, body: &Object) -> Result<Object, ApiError> {
    let mut after = grant.clone();
    for (name, value) in body {
        if value.is_null() {
            after.shift_remove(name);
        } else {
            after.insert(name.clone(), value.clone());
        }
    }
    finish(after)
}

fn finish(mut grant: Object) -> Result<Object, ApiError> {
    if grants_all_scopes(&grant) {
        // All scopes now and later: a list would only contradict it.
        grant.shift_remove("scope");
    }
    let scopes = grant.get("scope").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut scopes = scopes.iter().filter_map(Value::as_str);
    if let Some(bad) = scopes.find(|scope| scope.contains(char::is_whitespace)) {
        return Err(ApiError::invalid_body(format!("scope cannot contain white space: `{bad}`")));
    }
    Ok(in_order(grant, ORDER))
}

/// Whether the grant is for every scope of the API.
#[must_use]
pub fn grants_all_scopes(grant: &Object) -> bool {
    grant.get("allow_all_scopes") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_scopes_take_the_place_of_a_list() {
        let body = json!({"client_id": "c", "audience": "a", "scope": ["x"]});
        let grant = create(check_create_body(&body).unwrap(), "g").unwrap();
        assert_eq!(
            Value::from(grant.clone()).to_string(),
            r#"{"id":"g","client_id":"c","audience":"a","scope":["x"],"subject_type":"client"}"#
        );
        let all = patch(&grant, json!({"allow_all_scopes": true}).as_object().unwrap()).unwrap();
        assert!(!all.contains_key("scope"));
        let some =
            patch(&all, json!({"allow_all_scopes": false, "scope": ["y"]}).as_object().unwrap()).unwrap();
        assert_eq!((&some["scope"], &some["allow_all_scopes"]), (&json!(["y"]), &json!(false)));
    }

    #[test]
    fn a_grant_is_for_one_client_or_for_a_class() {
        for body in [
            json!({"audience": "a"}),
            json!({"audience": "a", "client_id": "c", "default_for": "third_party_clients"}),
        ] {
            assert!(create(check_create_body(&body).unwrap(), "g").is_err());
        }
    }

    #[test]
    fn what_never_changes_is_refused_in_a_patch() {
        let body = json!({"client_id": "c", "audience": "a"});
        assert_eq!(
            check_patch_body(&body).unwrap_err().to_string(),
            "Payload validation error: 'Additional properties not allowed: audience,client_id'."
        );
    }
}
