//! Settings of a tenant: what they may be, how a change changes them, and how answers show them.

mod flags;
mod schema;
#[cfg(test)]
mod tests;

pub use flags::{FLAGS, Flag};

use crate::clients::Enforcement;
use crate::json::in_order;
use crate::schema::{Schema, Violation, optional};
use crate::{ApiError, Object};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A setting of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name on the wire.
    pub name: &'static str,
    /// What it does.
    pub state: Enforcement,
    description: &'static str,
    /// What `PATCH` takes; nothing where the setting is only shown.
    schema: Option<fn() -> Schema>,
    /// Whether `null` removes it.
    is_removable: bool,
}

impl Setting {
    const fn new(
        name: &'static str,
        schema: fn() -> Schema,
        state: Enforcement,
        description: &'static str,
    ) -> Self {
        Self { name, state, description, schema: Some(schema), is_removable: false }
    }

    /// A setting that only answers hold.
    const fn shown(name: &'static str) -> Self {
        Self { name, state: Enforcement::Echo, description: "", schema: None, is_removable: false }
    }

    const fn removable(mut self) -> Self {
        self.is_removable = true;
        self
    }
}

const fn enforced(test: &'static str) -> Enforcement {
    Enforcement::Enforced { test }
}

const fn inert(flow: &'static str) -> Enforcement {
    Enforcement::Inert { flow }
}

const ECHO: Enforcement = Enforcement::Echo;
const LOGIN: Enforcement = inert("login (`/authorize`)");
const LOGOUT: Enforcement = inert("logout");
const ACTIONS: Enforcement = inert("actions");

const SANDBOX_VERSIONS: &str = "sandbox_versions_available";

/// Every setting, in the order of answers.
pub const SETTINGS: &[Setting] = &[
    Setting::new("allowed_logout_urls", schema::logout_urls, LOGOUT, "URLs that a logout may lead to"),
    Setting::new(
        "acr_values_supported",
        schema::acr_values,
        enforced("discovery_says_what_the_settings_enable"),
        "Classes of authentication contexts",
    )
    .removable(),
    Setting::new("change_password", schema::page, LOGIN, "Page that changes a password").removable(),
    Setting::new(
        "default_audience",
        schema::text,
        enforced("the_default_audience_of_the_tenant_comes_before_the_one_of_the_server"),
        "Audience of requests that name none",
    ),
    Setting::new(
        "default_directory",
        schema::text,
        inert("password grants"),
        "Connection for password grants, by name",
    ),
    Setting::new(
        "default_redirection_uri",
        schema::https_uri_or_empty,
        LOGIN,
        "Where to go when nothing else is known, must be https",
    ),
    Setting::new(
        "default_token_quota",
        schema::default_token_quota,
        enforced("a_quota_of_its_own_comes_before_the_default_of_the_tenant"),
        "Token quotas of clients and organizations that have none",
    )
    .removable(),
    Setting::new("device_flow", schema::device_flow, inert("device flow"), "Codes of the device flow")
        .removable(),
    Setting::new("enabled_locales", schema::enabled_locales, LOGIN, "Languages of the login pages"),
    Setting::new("error_page", schema::error_page, LOGIN, "Page that shows errors").removable(),
    Setting::new("flags", flags::schema, ECHO, "Flags of the tenant"),
    Setting::new("friendly_name", schema::text, ECHO, "Name of the tenant"),
    Setting::new("guardian_mfa_page", schema::page, LOGIN, "Page that asks for another factor").removable(),
    Setting::new("idle_session_lifetime", schema::lifetime, LOGIN, "Hours that a session may be idle"),
    Setting::new("ephemeral_session_lifetime", schema::lifetime, LOGIN, "Hours of an ephemeral session"),
    Setting::new(
        "idle_ephemeral_session_lifetime",
        schema::lifetime,
        LOGIN,
        "Hours that an ephemeral session may be idle",
    ),
    Setting::new("picture_url", schema::uri_or_empty, ECHO, "Logo of the tenant"),
    Setting::new("sandbox_version", schema::version, ACTIONS, "Version of the sandbox"),
    Setting::new("legacy_sandbox_version", schema::version, ACTIONS, "Version of the legacy sandbox"),
    Setting::new("session_lifetime", schema::lifetime, LOGIN, "Hours of a session"),
    Setting::new("support_email", schema::email_or_empty, ECHO, "Where users write for help"),
    Setting::new("support_url", schema::uri_or_empty, ECHO, "Where users find help"),
    Setting::new("sessions", schema::sessions, LOGOUT, "Sessions").removable(),
    Setting::new("oidc_logout", schema::oidc_logout, LOGOUT, "Logout by applications"),
    Setting::new(
        "allow_organization_name_in_authentication_api",
        schema::flag,
        enforced("organizations_go_by_name_where_the_tenant_allows_it"),
        "Whether an organization may be named by its name",
    )
    .removable(),
    Setting::new(
        "customize_mfa_in_postlogin_action",
        schema::flag,
        ACTIONS,
        "Whether an action chooses the factor",
    )
    .removable(),
    Setting::new(
        "pushed_authorization_requests_supported",
        schema::flag,
        inert("pushed authorization requests (`/oauth/par`)"),
        "Whether authorization requests may be pushed",
    )
    .removable(),
    Setting::new(
        "authorization_response_iss_parameter_supported",
        schema::flag,
        LOGIN,
        "Whether authorization responses name the issuer",
    )
    .removable(),
    Setting::new(
        "mtls",
        schema::mtls,
        enforced("discovery_says_what_the_settings_enable"),
        "Clients with certificates",
    )
    .removable(),
    Setting::new(
        "skip_non_verifiable_callback_uri_confirmation_prompt",
        schema::flag,
        LOGIN,
        "Whether users are not asked before going to an application that anyone could be",
    )
    .removable(),
    Setting::new("universal_login", schema::universal_login, LOGIN, "Login pages"),
    Setting::new(
        "resource_parameter_profile",
        schema::resource_parameter_profile,
        enforced("a_resource_names_the_api_under_the_compatibility_profile_alone"),
        "How requests name an API",
    ),
    Setting::new(
        "phone_consolidated_experience",
        schema::flag,
        inert("phone messages"),
        "Whether phone messages are set up in one place",
    ),
    Setting::new("enable_ai_guide", schema::flag, ECHO, "Whether the dashboard has a guide"),
    Setting::new(
        "include_session_metadata_in_tenant_logs",
        schema::flag,
        inert("logs"),
        "Whether logs hold the metadata of sessions",
    ),
    Setting::new(
        "client_id_metadata_document_supported",
        schema::flag,
        enforced("discovery_says_what_the_settings_enable"),
        "Whether a client's id may be the URL of its metadata",
    ),
    Setting::new(
        "dynamic_client_registration_security_mode",
        schema::security_mode,
        enforced("a_registered_client_is_a_third_party_of_the_mode_of_the_tenant"),
        "Security mode of clients that register themselves",
    ),
    Setting::new("country_codes", schema::country_codes, LOGIN, "Countries of phone numbers").removable(),
    Setting::new("security_headers", schema::security_headers, LOGIN, "Headers of the login pages")
        .removable(),
    Setting::new("session_cookie", schema::session_cookie, LOGIN, "Cookie of a session").removable(),
    Setting::shown(SANDBOX_VERSIONS),
];

/// What every setting and flag does; see [`crate::clients::ledger`].
pub fn ledger() -> impl Iterator<Item = (String, Enforcement)> {
    let settings = SETTINGS.iter().filter(|setting| setting.name != "flags");
    let flags = FLAGS.iter().map(|flag| (format!("flags.{}", flag.name), flag.state));
    settings.map(|setting| (setting.name.to_owned(), setting.state)).chain(flags)
}

/// Lifetimes in hours that may be given in minutes instead.
const IN_MINUTES: [(&str, &str); 4] = [
    ("session_lifetime", "session_lifetime_in_minutes"),
    ("idle_session_lifetime", "idle_session_lifetime_in_minutes"),
    ("ephemeral_session_lifetime", "ephemeral_session_lifetime_in_minutes"),
    ("idle_ephemeral_session_lifetime", "idle_ephemeral_session_lifetime_in_minutes"),
];

/// The body of `PATCH /tenants/settings`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    let settings = SETTINGS.iter().filter_map(|setting| {
        let schema = (setting.schema?)().describe(setting.description);
        Some(optional(setting.name, if setting.is_removable { schema.nullable() } else { schema }))
    });
    let minutes = IN_MINUTES
        .iter()
        .map(|(_, minutes)| optional(minutes, schema::lifetime().describe("The same in minutes")));
    Schema::object_of(settings.chain(minutes).collect()).min(1)
});

/// The settings of a tenant that nobody changed.
#[must_use]
pub fn defaults() -> Object {
    let settings = json!({
        "enabled_locales": ["en"],
        "flags": {
            "allow_changing_enable_sso": false,
            "disable_impersonation": true,
            "enable_sso": true,
            "new_universal_login_experience_enabled": true,
            "universal_login": true,
            "revoke_refresh_token_grant": false,
            "disable_clickjack_protection_headers": false,
        },
        "sandbox_version": "22",
        "oidc_logout": {"rp_logout_end_session_endpoint_discovery": true},
        "universal_login": {},
        "phone_consolidated_experience": false,
    });
    let Value::Object(settings) = settings else { unreachable!("written as an object") };
    settings
}

/// Checks the body of `PATCH /tenants/settings`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// The settings after a checked `PATCH` body.
///
/// # Errors
/// A lifetime is given twice.
pub fn patch(settings: &Object, body: &Object) -> Result<Object, ApiError> {
    let mut after = settings.clone();
    for (name, value) in body {
        if let Some((hours, _)) = IN_MINUTES.iter().find(|(_, minutes)| minutes == name) {
            if body.contains_key(*hours) {
                return Err(ApiError::invalid_body(format!("{hours} and {name} exclude each other")));
            }
            after.insert((*hours).into(), in_hours(value));
        } else if value.is_null() || (name == "default_redirection_uri" && value == "") {
            after.shift_remove(name);
        } else if name == "flags"
            && let (Some(Value::Object(stored)), Value::Object(sent)) = (after.get_mut(name), value)
        {
            stored.extend(sent.clone());
        } else {
            after.insert(name.clone(), value.clone());
        }
    }
    Ok(ordered(after))
}

/// Minutes as hours: a whole number where they are one.
fn in_hours(minutes: &Value) -> Value {
    match minutes.as_i64() {
        Some(minutes) if minutes % 60 == 0 => (minutes / 60).into(),
        _ => json!(minutes.as_f64().unwrap_or_default() / 60.0),
    }
}

fn ordered(mut settings: Object) -> Object {
    if let Some(Value::Object(flags)) = settings.get_mut("flags") {
        let order: Vec<_> = FLAGS.iter().map(|flag| flag.name).collect();
        *flags = in_order(std::mem::take(flags), &order);
    }
    let order: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    in_order(settings, &order)
}

/// The settings as a `GET` shows them: with what the platform offers, and what applies where nothing is set.
#[must_use]
pub fn as_read(mut settings: Object) -> Object {
    settings.insert(SANDBOX_VERSIONS.into(), json!(["22", "18"]));
    settings.entry("resource_parameter_profile").or_insert_with(|| "audience".into());
    settings.entry("client_id_metadata_document_supported").or_insert(Value::Bool(false));
    settings
}

/// The settings as the answer to a `PATCH` shows them.
#[must_use]
pub fn as_changed(mut settings: Object) -> Object {
    if let Some(Value::Object(flags)) = settings.get_mut("flags") {
        for name in flags::SHOWN_AFTER_A_CHANGE {
            flags.entry(name).or_insert(Value::Bool(true));
        }
    }
    ordered(settings)
}
