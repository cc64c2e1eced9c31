//! Options of databases of users (`auth0`).

use crate::{ApiError, Object};
use serde_json::{Value, json};

/// Options for passwords before there was `password_options`.
const OLD_PASSWORD_OPTIONS: &[&str] = &[
    "passwordPolicy",
    "password_complexity_options",
    "password_dictionary",
    "password_history",
    "password_no_personal_info",
];

/// Rules between options.
pub(super) fn check(options: &Object) -> Result<(), ApiError> {
    let is_set = |name: &str| options.get(name).is_some_and(|value| !value.is_null());
    if let Some(Value::Object(attributes)) = options.get("attributes") {
        if is_set("validation") {
            return Err(both("attributes", "validation"));
        }
        if options.get("requires_username") == Some(&Value::Bool(true)) {
            return Err(both("attributes", "requires_username"));
        }
        check_attributes(attributes)?;
    }
    if let Some(Value::Object(policy)) = options.get("password_options") {
        if let Some(old) = OLD_PASSWORD_OPTIONS.iter().find(|name| is_set(name)) {
            return Err(both("password_options", old));
        }
        let complexity = policy.get("complexity");
        let types = complexity.and_then(|complexity| complexity.get("character_types"));
        let kinds = ["uppercase", "lowercase", "number", "special"];
        let has_all = |types: &Vec<Value>| kinds.iter().all(|kind| types.contains(&Value::from(*kind)));
        if complexity.is_some_and(|complexity| complexity["character_type_rule"] == "three_of_four")
            && !types.and_then(Value::as_array).is_some_and(has_all)
        {
            return Err(ApiError::invalid_body(
                "character_type_rule `three_of_four` needs all four character_types",
            ));
        }
    }
    Ok(())
}

fn both(one: &str, other: &str) -> ApiError {
    ApiError::invalid_body(format!("Cannot set both options.{one} and options.{other}"))
}

fn check_attributes(attributes: &Object) -> Result<(), ApiError> {
    let is_active = |attribute: &Value| attribute.pointer("/identifier/active") == Some(&Value::Bool(true));
    if !attributes.values().any(is_active) {
        return Err(ApiError::invalid_body("attributes must contain one active identifier"));
    }
    for (name, attribute) in attributes {
        let status = attribute.pointer("/signup/status").and_then(Value::as_str);
        if attribute["profile_required"] == true && status.is_some_and(|status| status != "required") {
            return Err(ApiError::invalid_body(format!("attribute {name} must also be required on signup")));
        }
    }
    Ok(())
}

/// Adds what belongs to the options that were sent.
pub(super) fn complete(options: &mut Object, is_update: bool) {
    if let Some(Value::Object(email)) = options.get_mut("attributes").and_then(|all| all.get_mut("email")) {
        email.entry("verification_method").or_insert_with(|| "link".into());
        email.entry("unique").or_insert_with(|| true.into());
    }
    if let Some(Value::Object(configuration)) = options.get_mut("configuration") {
        configuration.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(policy)) = options.get_mut("password_options") {
        under(policy, password_policy());
    }
    if is_update {
        return;
    }
    if !options.contains_key("password_options") {
        options.entry("passwordPolicy").or_insert_with(|| "good".into());
    }
    if let Some(Value::Object(methods)) = options.get_mut("authentication_methods") {
        under(methods, all_methods());
    }
}

fn password_policy() -> Value {
    json!({
        "complexity": {
            "character_type_rule": "all",
            "identical_characters": "allow",
            "sequential_characters": "allow",
            "max_length_exceeded": "error",
            "min_length": 15,
            "character_types": [],
        },
        "profile_data": {
            "active": false,
            "blocked_fields": ["name", "username", "nickname", "email", "phone_number",
                "user_metadata.name", "user_metadata.first", "user_metadata.last"],
        },
        "history": {"active": false, "size": 3},
        "dictionary": {"active": false, "custom": [], "default": "en_100k"},
    })
}

/// All ways to log in; a connection that names some has the others switched off.
fn all_methods() -> Value {
    json!({
        "password": {"enabled": true, "api_behavior": "required", "signup_behavior": "allow"},
        "passkey": {"enabled": false},
        "email_otp": {"enabled": false},
        "phone_otp": {"enabled": false},
    })
}

/// Lays defaults under what was sent, one object into the other.
fn under(sent: &mut Object, defaults: Value) {
    let Value::Object(defaults) = defaults else { return };
    for (name, default) in defaults {
        match sent.get_mut(&name) {
            Some(Value::Object(inner)) => under(inner, default),
            Some(_) => {}
            None => {
                sent.insert(name, default);
            }
        }
    }
}
