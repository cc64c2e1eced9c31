//! Connections of an organization. The API has them twice: `/enabled_connections` knows those that are enabled, and
//! `/connections`, which is newer, all of them and more settings.

use crate::format::Format;
use crate::json::in_order;
use crate::schema::{
    Member, Schema, Violation, array, boolean, format, object, one_of, optional, required, string,
};
use crate::{ApiError, Object};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The most connections that the creation of an organization may enable.
const MAX_AT_CREATION: u32 = 10;

/// The strategy of connections that people sign up with.
const DATABASE: &str = "auth0";

fn common() -> [Member; 3] {
    let flag = |name, description| optional(name, boolean().describe(description));
    [
        flag("assign_membership_on_login", "Whether who logs in becomes a member"),
        flag("show_as_button", "Whether the login page shows the connection, true by default"),
        flag("is_signup_enabled", "Whether people may sign up, for database connections"),
    ]
}

fn connection_id() -> Member {
    required("connection_id", format(Format::ConnectionId).describe("Connection identifier"))
}

fn newer(nullable: bool) -> [Member; 3] {
    let or_null = |schema: Schema| if nullable { schema.nullable() } else { schema };
    let name = string().min(1).max(50).pattern(r"^[^\x00]*$");
    let level = one_of(&["none", "readonly", "limited", "full"]);
    [
        optional(
            "organization_connection_name",
            or_null(name.describe("Name of the connection in the scope of this organization")),
        ),
        optional(
            "organization_access_level",
            or_null(level.describe("What the organization may do with the connection itself")),
        ),
        optional(
            "is_enabled",
            or_null(boolean().describe("Whether the connection is enabled for the organization")),
        ),
    ]
}

/// The body of `POST /organizations/{id}/enabled_connections`.
pub static ENABLE: LazyLock<Schema> = LazyLock::new(|| object([connection_id()]).with(common()));
/// The body of `PATCH /organizations/{id}/enabled_connections/{connectionId}`.
pub static PATCH_ENABLED: LazyLock<Schema> = LazyLock::new(|| object(common()));
/// The body of `POST /organizations/{id}/connections`.
pub static ADD: LazyLock<Schema> =
    LazyLock::new(|| object([connection_id()]).with(common()).with(newer(false)));
/// The body of `PATCH /organizations/{id}/connections/{connection_id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| object(common()).with(newer(true)));

/// `enabled_connections` of `POST /organizations`.
pub(super) fn at_creation() -> Schema {
    let one = object([connection_id()]).with(common()).describe("Connection to be added to the organization");
    array(one).max(MAX_AT_CREATION).describe("Connections that are enabled for this organization")
}

/// Which of the two forms a request and its answer have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionForm {
    /// `/enabled_connections`.
    Enabled,
    /// `/connections`.
    All,
}

impl ConnectionForm {
    /// Checks the body of a `POST`.
    ///
    /// # Errors
    /// The first violation.
    pub fn check_create_body(self, body: &Value) -> Result<&Object, Violation> {
        match self {
            Self::Enabled => ENABLE.check_body(body),
            Self::All => ADD.check_body(body),
        }
    }

    /// Checks the body of a `PATCH`.
    ///
    /// # Errors
    /// The first violation.
    pub fn check_patch_body(self, body: &Value) -> Result<&Object, Violation> {
        match self {
            Self::Enabled => PATCH_ENABLED.check_body(body),
            Self::All => PATCH.check_body(body),
        }
    }

    /// The connection of an organization as answers show it.
    #[must_use]
    pub fn answer(self, connection: &Object, name: &str, strategy: &str) -> Object {
        const NEWER: &[&str] = &["is_enabled", "organization_access_level", "organization_connection_name"];
        const ORDER: &[&str] = &[
            "connection_id",
            "is_signup_enabled",
            "assign_membership_on_login",
            "show_as_button",
            "is_enabled",
            "organization_access_level",
            "organization_connection_name",
        ];
        let mut answer = connection.clone();
        answer.retain(|member, _| {
            (self == Self::All || !NEWER.contains(&member.as_str()))
                && (strategy == DATABASE || member != "is_signup_enabled")
        });
        let mut answer = in_order(answer, ORDER);
        answer.insert("connection".into(), json!({"name": name, "strategy": strategy}));
        answer
    }
}

/// The connection of an organization that a checked create body describes.
///
/// # Errors
/// A rule that looks at more than one member, or at the connection's strategy, is broken.
pub fn add_connection(body: &Object, strategy: &str) -> Result<Object, ApiError> {
    let mut connection = Object::new();
    if let Some(id) = body.get("connection_id") {
        connection.insert("connection_id".into(), id.clone());
    }
    patch_connection(&connection, body, strategy)
}

/// The connection of an organization after a checked `PATCH` body; `null` goes back to the default.
///
/// # Errors
/// A rule that looks at more than one member, or at the connection's strategy, is broken.
pub fn patch_connection(connection: &Object, body: &Object, strategy: &str) -> Result<Object, ApiError> {
    let mut after = connection.clone();
    for (name, value) in body {
        if value.is_null() {
            after.shift_remove(name);
        } else {
            after.insert(name.clone(), value.clone());
        }
    }
    for (name, default) in [
        ("is_signup_enabled", json!(false)),
        ("assign_membership_on_login", json!(false)),
        ("show_as_button", json!(true)),
        ("is_enabled", json!(true)),
        ("organization_access_level", json!("none")),
    ] {
        after.entry(name).or_insert(default);
    }
    let is_on = |name: &str| after.get(name) == Some(&Value::Bool(true));
    if is_on("is_signup_enabled") && strategy != DATABASE {
        return Err(ApiError::invalid_body("is_signup_enabled applies to database connections only"));
    }
    if is_on("is_signup_enabled") && !is_on("assign_membership_on_login") {
        return Err(ApiError::invalid_body("is_signup_enabled requires assign_membership_on_login"));
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "con_0000000000000000";

    fn answer(form: ConnectionForm, body: &Value, strategy: &str) -> String {
        let body = form.check_create_body(body).unwrap();
        Value::Object(form.answer(&add_connection(body, strategy).unwrap(), "name", strategy)).to_string()
    }

    #[test]
    fn each_form_shows_what_it_knows() {
        assert_eq!(
            answer(ConnectionForm::All, &json!({"connection_id": ID, "is_enabled": true}), "auth0"),
            r#"{"connection_id":"con_0000000000000000","is_signup_enabled":false,"assign_membership_on_login":false,"show_as_button":true,"is_enabled":true,"organization_access_level":"none","connection":{"name":"name","strategy":"auth0"}}"#
        );
        assert_eq!(
            answer(ConnectionForm::Enabled, &json!({"connection_id": ID, "show_as_button": false}), "okta"),
            r#"{"connection_id":"con_0000000000000000","assign_membership_on_login":false,"show_as_button":false,"connection":{"name":"name","strategy":"okta"}}"#
        );
    }

    #[test]
    fn sign_up_is_for_members_and_databases() {
        let bad = |body: Value, strategy| add_connection(body.as_object().unwrap(), strategy).is_err();
        assert!(bad(json!({"connection_id": ID, "is_signup_enabled": true}), "auth0"));
        let both =
            json!({"connection_id": ID, "is_signup_enabled": true, "assign_membership_on_login": true});
        assert!(bad(both.clone(), "okta") && !bad(both, "auth0"));
        assert!(!bad(json!({"connection_id": ID, "is_signup_enabled": false}), "okta"));
    }

    #[test]
    fn null_goes_back_to_the_default() {
        let body = json!({"connection_id": ID, "is_enabled": false, "organization_connection_name": "x", "organization_access_level": "full"});
        let before = add_connection(ConnectionForm::All.check_create_body(&body).unwrap(), "okta").unwrap();
        let body = json!({"is_enabled": null, "organization_connection_name": null, "organization_access_level": null});
        let after =
            patch_connection(&before, ConnectionForm::All.check_patch_body(&body).unwrap(), "okta").unwrap();
        assert_eq!(
            (&after["is_enabled"], &after["organization_access_level"]),
            (&json!(true), &json!("none"))
        );
        assert!(!after.contains_key("organization_connection_name"));
        assert!(ConnectionForm::Enabled.check_patch_body(&json!({"is_enabled": true})).is_err());
    }
}
