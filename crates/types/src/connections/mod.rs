//! Connections: where users come from. What each strategy makes of its options, and the rules between members.
//!
//! Answers to a create show options as they were sent, with what was added behind them; everything read later shows
//! them in the order of [`canonical`]. Secrets among options are part of answers, and are taken out for storage by
//! [`secrets`].

mod database;
mod openid;
mod schema;
mod scopes;
pub mod secrets;
pub mod strategies;
#[cfg(test)]
mod tests;

pub use openid::discovered;
pub use schema::{CREATE, ENABLE, PATCH, check_create_body, check_enable_body, check_patch_body};
pub use strategies::{NAMES as STRATEGY_NAMES, STRATEGIES, Strategy};

use crate::clients::Enforcement;
use crate::json::in_order;
use crate::{ApiError, ErrorCode, Object};
use serde_json::{Value, json};
use strategies::Family;
use url::Url;

/// Members in the order of answers.
const ORDER: &[&str] = &[
    "id",
    "options",
    "strategy",
    "name",
    "provisioning_ticket_url",
    "is_domain_connection",
    "show_as_button",
    "authentication",
    "connected_accounts",
    "cross_app_access_requesting_app",
    "display_name",
    ENABLED_CLIENTS,
    "realms",
    "metadata",
    "cross_app_access_resource_app",
];

/// Members of metadata at most.
const METADATA: usize = 10;

/// The member that lists the clients which the connection is enabled for; stored elsewhere.
pub const ENABLED_CLIENTS: &str = "enabled_clients";

/// What each member does; see [`crate::clients::ledger`].
pub const LEDGER: &[(&str, Enforcement)] = &[
    ("name", Enforcement::Enforced { test: "a_name_is_taken_once_and_never_changes" }),
    ("strategy", Enforcement::Enforced { test: "a_strategy_adds_its_options_to_those_sent" }),
    ("options", LOGIN),
    ("display_name", LOGIN),
    ("enabled_clients", LOGIN),
    ("is_domain_connection", LOGIN),
    ("show_as_button", LOGIN),
    ("realms", LOGIN),
    ("metadata", Enforcement::Echo),
    ("authentication", LOGIN),
    ("connected_accounts", Enforcement::Inert { flow: "connected accounts" }),
    ("cross_app_access_requesting_app", Enforcement::Inert { flow: "cross app access" }),
    ("cross_app_access_resource_app", Enforcement::Inert { flow: "cross app access" }),
];

const LOGIN: Enforcement = Enforcement::Inert { flow: "login (`/authorize`)" };

/// Members that `fields` never leaves out.
const ALWAYS_SHOWN: &[&str] = &["id", "is_domain_connection", "authentication", "connected_accounts"];

/// What the server adds to a new connection.
#[derive(Debug)]
pub struct New<'a> {
    /// Its id.
    pub id: &'a str,
    /// The tenant's domain.
    pub domain: &'a str,
    /// Letters and digits that nobody guesses, for a ticket; as many as the strategy wants at most.
    pub ticket: &'a str,
    /// What was found at [`discovery_url`].
    pub discovered: Option<&'a Object>,
}

/// Where the identity provider publishes what the options of a checked body leave out about it. A connection without
/// an answer from there is a connection all the same.
#[must_use]
pub fn discovery_url(strategy: &str, body: &Object) -> Option<Url> {
    let strategy = Strategy::find(strategy).filter(|strategy| strategy.family == Family::OpenId)?;
    openid::discovery_url(strategy, body.get("options")?.as_object()?)
}

/// The connection that a checked create body describes, without the clients that it is enabled for.
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn create(body: &Object, new: &New<'_>) -> Result<Object, ApiError> {
    let strategy = strategy_of(body)?;
    let name = text(body, "name");
    let mut connection = body.clone();
    connection.shift_remove(ENABLED_CLIENTS);
    let mut default = |name: &str, value: Value| {
        connection.entry(name).or_insert(value);
    };
    default("id", new.id.into());
    default("is_domain_connection", false.into());
    if strategy.has_purposes {
        default("authentication", json!({"active": true}));
        default("connected_accounts", json!({"active": false}));
    }
    if strategy.is_enterprise {
        default("show_as_button", false.into());
    }
    if strategy.has_display_name {
        default("display_name", name.into());
    }
    if strategy.ticket > 0 {
        let ticket: String = new.ticket.chars().take(strategy.ticket).collect();
        default(
            "provisioning_ticket_url",
            format!("https://{}/p/{}/{ticket}", new.domain, strategy.name).into(),
        );
    }
    let sent = body.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
    let options = options(strategy, sent, None, new.domain, new.discovered)?;
    connection.insert("options".into(), options.into());
    finish(strategy, connection)
}

/// The connection after a checked `PATCH` body. Options are replaced as a whole, up to what the strategy keeps;
/// `discovered` is what was found at their [`discovery_url`].
///
/// # Errors
/// A rule that looks at more than one member is broken.
pub fn patch(
    before: &Object,
    body: &Object,
    domain: &str,
    discovered: Option<&Object>,
) -> Result<Object, ApiError> {
    let strategy = strategy_of(before)?;
    let mut after = before.clone();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("options", value) => {
                let sent = value.as_object().cloned().unwrap_or_default();
                let nothing = Object::new();
                let stored = before.get("options").and_then(Value::as_object).unwrap_or(&nothing);
                let options = options(strategy, sent, Some(stored), domain, discovered)?;
                after.insert(name.clone(), options.into());
            }
            ("metadata", Value::Object(changes)) => {
                let metadata = after.entry("metadata").or_insert_with(|| json!({}));
                if let Value::Object(metadata) = metadata {
                    metadata.extend(changes.clone());
                }
            }
            (_, Value::Null) => {
                after.shift_remove(name);
            }
            _ => {
                after.insert(name.clone(), value.clone());
            }
        }
    }
    // As the API documents it: a name for people that is not sent again is the name.
    if before.contains_key("display_name") && !body.contains_key("display_name") {
        after.insert("display_name".into(), text(before, "name").into());
    }
    finish(strategy, after)
}

fn strategy_of(connection: &Object) -> Result<&'static Strategy, ApiError> {
    let name = text(connection, "strategy");
    Strategy::find(name).ok_or_else(|| ApiError::invalid_body(format!("unknown strategy `{name}`")))
}

fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The options that become of those sent. `stored` are those before an update.
fn options(
    strategy: &Strategy,
    mut options: Object,
    stored: Option<&Object>,
    domain: &str,
    discovered: Option<&Object>,
) -> Result<Object, ApiError> {
    if strategy.family == Family::Database {
        database::check(&options)?;
    }
    for name in strategy.kept {
        if let Some(value) = stored.and_then(|stored| stored.get(*name)) {
            options.entry(*name).or_insert_with(|| value.clone());
        }
    }
    let defaults = if stored.is_some() { strategy.on_update } else { strategy.on_create };
    let Ok(Value::Object(defaults)) = serde_json::from_str(defaults) else {
        unreachable!("defaults are constants, all read by a test")
    };
    match strategy.family {
        Family::Database => database::complete(&mut options, stored.is_some()),
        Family::OpenId => openid::complete(strategy, &mut options, stored, discovered),
        Family::Plain => {}
    }
    for (name, value) in defaults {
        options.entry(name).or_insert(value);
    }
    if strategy.name == "waad" {
        options.entry("app_domain").or_insert_with(|| domain.into());
    }
    strategy.scope.apply(&mut options);
    Ok(options)
}

fn finish(strategy: &Strategy, mut connection: Object) -> Result<Object, ApiError> {
    for (name, what) in [
        ("cross_app_access_requesting_app", "Cross App Access Requesting App"),
        ("cross_app_access_resource_app", "Cross App Access Resource App"),
    ] {
        if connection.get(name).is_some_and(Value::is_null) {
            connection.shift_remove(name);
        }
        if connection.contains_key(name) && strategy.family != Family::OpenId {
            return Err(ApiError::new(400, format!("{what} is not supported for this connection."))
                .with_code(ErrorCode::OperationNotSupported));
        }
    }
    if connection.get("realms").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        let name = text(&connection, "name").to_owned();
        connection.insert("realms".into(), json!([name]));
    }
    if let Some(Value::Object(metadata)) = connection.get_mut("metadata") {
        metadata.retain(|_, value| !value.is_null());
        if metadata.len() > METADATA {
            return Err(ApiError::invalid_body(format!("metadata takes {METADATA} members at most")));
        }
    }
    Ok(in_order(connection, ORDER))
}

/// Options that answers repeat when they are sent as `null`, and that nobody sees afterwards.
const FORGOTTEN_NULLS: &[&str] = &["authorizationURL", "tokenURL"];

/// The connection as it is stored and read later.
#[must_use]
pub fn settled(mut connection: Object) -> Object {
    if let Some(Value::Object(options)) = connection.get_mut("options") {
        options.retain(|name, value| !(value.is_null() && FORGOTTEN_NULLS.contains(&name.as_str())));
        let sorted = canonical(Value::Object(std::mem::take(options)));
        connection.insert("options".into(), sorted);
    }
    connection
}

/// A value whose objects have short names first, and names of one length in the order of their bytes.
#[must_use]
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(name, value)| (name, canonical(value))).collect();
            members.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        other => other,
    }
}

/// Adds the clients that the connection is enabled for, where answers for one connection show them.
#[must_use]
pub fn with_enabled_clients(mut connection: Object, clients: Vec<String>) -> Object {
    connection.insert(ENABLED_CLIENTS.into(), clients.into());
    in_order(connection, ORDER)
}

/// The members that `fields` asks for: these, or (without `include`) all others.
#[must_use]
pub fn select(mut connection: Object, fields: &str, include: bool) -> Object {
    let asked: Vec<_> = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if !asked.is_empty() {
        connection.retain(|name, _| {
            ALWAYS_SHOWN.contains(&name.as_str()) || asked.contains(&name.as_str()) == include
        });
    }
    connection
}
