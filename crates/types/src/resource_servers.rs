//! APIs (resource servers): what may call them, and what the tokens for them look like.

pub mod model;

use crate::clients::Enforcement;
use crate::json::in_order;
use crate::schema::{
    Member, Schema, Violation, any, array, boolean, integer, object, one_of, optional, required, string,
};
use crate::{ApiError, Object};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Members in the order of answers.
const ORDER: &[&str] = &[
    "id",
    "name",
    "identifier",
    "allow_offline_access",
    "skip_consent_for_verifiable_first_party_clients",
    "allow_online_access",
    "allow_online_access_with_ephemeral_sessions",
    "subject_type_authorization",
    "token_lifetime",
    "token_lifetime_for_web",
    "signing_alg",
    "signing_secret",
    "scopes",
    "enforce_policies",
    "token_dialect",
    "token_encryption",
    "consent_policy",
    "authorization_details",
    "proof_of_possession",
    "authorization_policy",
    "is_system",
    "client_id",
];

/// What each member does; see [`crate::clients::ledger`].
pub const LEDGER: &[(&str, Enforcement)] = &[
    ("name", Enforcement::Echo),
    ("identifier", enforced("requests_that_cannot_be_served_get_the_recorded_errors")),
    ("scopes", enforced("a_patched_grant_changes_the_next_token")),
    ("signing_alg", enforced("the_algorithm_of_the_api_decides_the_signature")),
    ("signing_secret", enforced("the_algorithm_of_the_api_decides_the_signature")),
    ("token_lifetime", enforced("an_api_that_is_gone_or_closed_gives_no_tokens")),
    ("token_lifetime_for_web", inert("login (`/authorize`)")),
    ("token_dialect", enforced("the_dialect_of_the_api_decides_the_claims")),
    ("enforce_policies", enforced("the_dialect_of_the_api_decides_the_claims")),
    ("token_encryption", enforced("an_encrypted_token_shows_nothing_to_others")),
    ("proof_of_possession", enforced("a_bound_token_is_of_no_use_without_its_certificate")),
    ("subject_type_authorization.client", enforced("an_api_that_is_gone_or_closed_gives_no_tokens")),
    ("subject_type_authorization.user", inert("login (`/authorize`)")),
    ("allow_offline_access", inert("refresh tokens")),
    ("allow_online_access", inert("refresh tokens")),
    ("allow_online_access_with_ephemeral_sessions", inert("refresh tokens")),
    ("skip_consent_for_verifiable_first_party_clients", inert("consent")),
    ("consent_policy", inert("consent")),
    ("authorization_details", inert("rich authorization requests")),
    ("authorization_policy", inert("authorization policies of user flows")),
];

const fn enforced(test: &'static str) -> Enforcement {
    Enforcement::Enforced { test }
}

const fn inert(flow: &'static str) -> Enforcement {
    Enforcement::Inert { flow }
}

/// The longest lifetime of a token, in seconds: 30 days.
const MAX_LIFETIME: u32 = 2_592_000;
/// Lifetime of a token when none is set, in seconds.
pub const DEFAULT_LIFETIME: i64 = 86_400;
const DEFAULT_LIFETIME_FOR_WEB: i64 = 7_200;

/// Members that `null` removes.
const REMOVABLE: &[&str] = &[
    "token_encryption",
    "consent_policy",
    "authorization_details",
    "proof_of_possession",
    "authorization_policy",
];

#[expect(clippy::too_many_lines, reason = "one table of members")]
fn settings() -> Vec<Member> {
    let policy = |words: &'static [&'static str], what| {
        object([optional("policy", one_of(words).describe("Who may get tokens"))]).open().describe(what)
    };
    let flag = |what| boolean().describe(what);
    vec![
        optional("name", string().max(200).pattern("^[^<>]+$").describe("Name of the API shown to people")),
        optional(
            "scopes",
            array(object([
                required("value", string().min(1).max(280).describe("Name of the permission")),
                optional("description", string().max(500).describe("What the permission allows")),
            ]))
            .describe("Permissions of the API"),
        ),
        optional(
            "signing_alg",
            one_of(&["HS256", "RS256", "RS512", "PS256"]).describe("How its tokens are signed"),
        ),
        optional("signing_secret", string().min(16).describe("Secret that signs with HS256")),
        optional("allow_offline_access", flag("Whether refresh tokens are issued")),
        optional("allow_online_access", flag("Whether refresh tokens bound to a session are issued")),
        optional(
            "allow_online_access_with_ephemeral_sessions",
            flag("The same for sessions that end with the browser"),
        ),
        optional(
            "token_lifetime",
            integer().min(0).max(MAX_LIFETIME).describe("Seconds that a token is valid"),
        ),
        optional(
            "token_lifetime_for_web",
            integer().min(0).max(MAX_LIFETIME).describe("Seconds that a token from a browser flow is valid"),
        ),
        optional(
            "token_dialect",
            one_of(&["access_token", "access_token_authz", "rfc9068_profile", "rfc9068_profile_authz"])
                .describe("Which claims its tokens have"),
        ),
        optional(
            "skip_consent_for_verifiable_first_party_clients",
            flag("Whether own clients need no consent"),
        ),
        optional("enforce_policies", flag("Whether permissions are checked")),
        optional(
            "token_encryption",
            object([
                required("format", one_of(&["compact-nested-jwe"]).describe("Form of an encrypted token")),
                required(
                    "encryption_key",
                    object([
                        optional("name", string().min(1).max(128).describe("Name of the key")),
                        required(
                            "alg",
                            one_of(&["RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"])
                                .describe("Key encryption"),
                        ),
                        optional("kid", string().min(1).max(128).describe("Id of the key")),
                        required("pem", string().min(1).max(4096).describe("Public key in PEM")),
                    ])
                    .describe("The API's public key"),
                ),
            ])
            .nullable()
            .describe("How its tokens are encrypted"),
        ),
        optional(
            "consent_policy",
            one_of(&["transactional-authorization-with-mfa"]).nullable().describe("How consent is asked for"),
        ),
        optional(
            "authorization_details",
            array(any()).nullable().describe("Types of rich authorization requests"),
        ),
        optional(
            "proof_of_possession",
            object([
                required("mechanism", one_of(&["mtls", "dpop"]).describe("How possession is proven")),
                required("required", flag("Whether it must be")),
                optional(
                    "required_for",
                    one_of(&["public_clients", "all_clients"]).describe("By whom it must be"),
                ),
            ])
            .nullable()
            .describe("Whether tokens are bound to a key"),
        ),
        optional(
            "subject_type_authorization",
            object([
                optional(
                    "user",
                    policy(&["allow_all", "deny_all", "require_client_grant"], "Access on behalf of users"),
                ),
                optional(
                    "client",
                    policy(&["deny_all", "require_client_grant"], "Access of clients for themselves"),
                ),
            ])
            .describe("Who may access the API"),
        ),
        optional(
            "authorization_policy",
            object([required("policy_id", string().min(1).max(1024).describe("Id of the policy"))])
                .nullable()
                .describe("Policy that decides about access"),
        ),
    ]
}

/// The body of `POST /resource-servers`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    let mut members = settings();
    members.push(required(
        "identifier",
        string().min(1).max(600).describe("The audience of its tokens, never changed"),
    ));
    Schema::object_of(members)
});
/// The body of `PATCH /resource-servers/{id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| Schema::object_of(settings()));

/// Checks the body of `POST /resource-servers`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /resource-servers/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// The API that a checked create body describes.
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn create(body: &Object, id: &str, domain: &str) -> Result<Object, ApiError> {
    let mut api = body.clone();
    api.retain(|_, value| !value.is_null());
    api.insert("id".into(), id.into());
    if let Some(Value::Object(system)) =
        api.get("identifier").and_then(Value::as_str).and_then(|i| system_api(i, domain))
    {
        // What the system says takes the place of what was sent.
        api.extend(system);
        return Ok(in_order(api, ORDER));
    }
    let lifetime = api.get("token_lifetime").and_then(Value::as_i64).unwrap_or(DEFAULT_LIFETIME);
    let defaults = [
        ("allow_offline_access", json!(false)),
        ("skip_consent_for_verifiable_first_party_clients", json!(false)),
        ("token_lifetime", json!(DEFAULT_LIFETIME)),
        // The default for browsers never exceeds what the API says of all tokens.
        ("token_lifetime_for_web", json!(DEFAULT_LIFETIME_FOR_WEB.min(lifetime))),
        ("signing_alg", json!("RS256")),
    ];
    for (name, value) in defaults {
        api.entry(name).or_insert(value);
    }
    complete_authorization(&mut api);
    check(&api)?;
    Ok(ordered(api))
}

/// APIs of the platform that a tenant activates by creating them; who and what they are is not the creator's to say.
fn system_api(identifier: &str, domain: &str) -> Option<Value> {
    let scope = |value: &str, description: &str| json!({"value": value, "description": description});
    let policies = |user: &str| json!({"user": {"policy": user}, "client": {"policy": "deny_all"}});
    if identifier == format!("https://{domain}/me/") {
        return Some(json!({
            "name": "Auth0 My Account API",
            "scopes": [
                scope("create:me:connected_accounts", "Create Connected Accounts"),
                scope("read:me:connected_accounts", "Read Connected Accounts"),
                scope("delete:me:connected_accounts", "Delete Connected Accounts"),
            ],
            "signing_alg": "RS256",
            "allow_offline_access": true,
            "token_lifetime": 600,
            "token_lifetime_for_web": 600,
            "skip_consent_for_verifiable_first_party_clients": true,
            "is_system": true,
            "proof_of_possession": {"mechanism": "dpop", "required": false},
            "subject_type_authorization": policies("require_client_grant"),
        }));
    }
    (identifier == "urn:auth0:express-configure").then(|| {
        json!({
            "name": "Okta OIN Express Configuration API",
            "scopes": [
                scope("express_configure:sso", "Ability to create SSO configurations"),
                scope("express_configure:scim", "Ability to create scim configurations"),
            ],
            "signing_alg": "RS256",
            "allow_offline_access": false,
            "token_lifetime": 300,
            "token_lifetime_for_web": 7200,
            "skip_consent_for_verifiable_first_party_clients": false,
            "enforce_policies": true,
            "is_system": true,
            "subject_type_authorization": policies("allow_all"),
        })
    })
}

/// The API after a checked `PATCH` body.
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn patch(api: &Object, body: &Object) -> Result<Object, ApiError> {
    let mut after = api.clone();
    for (name, value) in body {
        if value.is_null() && REMOVABLE.contains(&name.as_str()) {
            after.shift_remove(name);
        } else if name == "subject_type_authorization"
            && let (Some(Value::Object(stored)), Value::Object(sent)) = (after.get_mut(name), value)
        {
            for (subject, policy) in sent {
                stored.insert(subject.clone(), policy.clone());
            }
        } else {
            after.insert(name.clone(), value.clone());
        }
    }
    let lifetime = after.get("token_lifetime").and_then(Value::as_i64).unwrap_or(DEFAULT_LIFETIME);
    if body.contains_key("token_lifetime")
        && !body.contains_key("token_lifetime_for_web")
        && let Some(for_web) = after.get_mut("token_lifetime_for_web")
        && for_web.as_i64() > Some(lifetime)
    {
        *for_web = lifetime.into();
    }
    check(&after)?;
    Ok(ordered(after))
}

/// The members of an API in the order of answers.
#[must_use]
pub fn ordered(api: Object) -> Object {
    in_order(api, ORDER)
}

fn complete_authorization(api: &mut Object) {
    let whole = api.entry("subject_type_authorization").or_insert_with(|| json!({}));
    if let Value::Object(whole) = whole {
        whole.entry("client").or_insert_with(|| json!({"policy": "require_client_grant"}));
        whole.entry("user").or_insert_with(|| json!({"policy": "allow_all"}));
    }
}

fn check(api: &Object) -> Result<(), ApiError> {
    let seconds = |name| api.get(name).and_then(Value::as_i64).unwrap_or(0);
    if seconds("token_lifetime_for_web") > seconds("token_lifetime") {
        return Err(ApiError::invalid_body("token_lifetime_for_web cannot be greater than token_lifetime"));
    }
    let scopes = api.get("scopes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let values: Vec<_> = scopes.iter().filter_map(|scope| scope.get("value")?.as_str()).collect();
    if let Some(bad) = values.iter().find(|value| value.contains(char::is_whitespace)) {
        return Err(ApiError::invalid_body(format!("scopes cannot contain white space: `{bad}`")));
    }
    if let Some(twice) = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value)) {
        return Err(ApiError::invalid_body(format!("scopes must be unique: `{}`", twice.1)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
    fn api(body: Value) -> Result<Object, ApiError> {
        create(check_create_body(&body).unwrap(), "id", "t.example")
    }

    #[test]
    fn a_minimal_api_has_the_recorded_defaults() {
        let api = Value::Object(api(json!({"identifier": "https://x"})).unwrap());
        assert_eq!(
            api.to_string(),
            concat!(
                r#"{"id":"id","identifier":"https://x","allow_offline_access":false,"#,
                r#""skip_consent_for_verifiable_first_party_clients":false,"#,
                r#""subject_type_authorization":{"client":{"policy":"require_client_grant"},"user":{"policy":"allow_all"}},"#,
                r#""token_lifetime":86400,"token_lifetime_for_web":7200,"signing_alg":"RS256"}"#
            )
        );
    }

    #[test]
    fn lifetimes_and_scopes_are_checked() {
        assert!(api(json!({"identifier": "x", "token_lifetime": 60, "token_lifetime_for_web": 61})).is_err());
        assert_eq!(
            api(json!({"identifier": "x", "token_lifetime": 60})).unwrap()["token_lifetime_for_web"],
            60
        );
        for scopes in [json!([{"value": "a b"}]), json!([{"value": "a"}, {"value": "a"}])] {
            assert!(api(json!({"identifier": "x", "scopes": scopes})).is_err());
        }
    }

    #[test]
    fn null_removes_and_the_rest_replaces() {
        let before =
            api(json!({"identifier": "x", "consent_policy": "transactional-authorization-with-mfa"}))
                .unwrap();
        let body = json!({"consent_policy": null, "scopes": [], "name": "n"});
        let after = patch(&before, check_patch_body(&body).unwrap()).unwrap();
        assert!(!after.contains_key("consent_policy"));
        assert_eq!(after["scopes"], json!([]));
        assert_eq!(after.keys().nth(1).unwrap(), "name");
    }
}
