//! What the bodies of the Connections API look like. Options are described as far as the API describes them for every
//! strategy alike; what a strategy makes of them is in [`super::strategies`].

use super::strategies::NAMES;
use crate::Object;
use crate::format::Format;
use crate::schema::{
    Member, Schema, Violation, any_of, array, boolean, format, integer, object, one_of, optional, required,
    string,
};
use serde_json::Value;
use std::sync::LazyLock;

/// Metadata of a connection: so many members at most.
const METADATA: u32 = 10;
/// The longest value of metadata.
const METADATA_VALUE: u32 = 255;
/// Clients that one `PATCH /connections/{id}/clients` may name.
const CLIENTS: u32 = 50;

fn identifier(methods: Option<&'static [&'static str]>) -> Schema {
    let active = optional("active", boolean().describe("Whether users are found by this attribute"));
    let methods = methods.map(|methods| optional("default_method", one_of(methods)));
    object([active]).with(methods)
}

fn signup(verified: bool) -> Schema {
    let status = optional("status", one_of(&["required", "optional", "inactive"]));
    let verification = verified.then(|| optional("verification", object([optional("active", boolean())])));
    object([status]).with(verification)
}

fn attributes() -> Schema {
    let length = || integer().min(1).max(128);
    let email = object([
        optional("identifier", identifier(Some(&["password", "email_otp"]))),
        optional("unique", boolean()),
        optional("profile_required", boolean()),
        optional("verification_method", one_of(&["link", "otp"])),
        optional("signup", signup(true)),
    ]);
    let phone_number = object([
        optional("identifier", identifier(Some(&["password", "phone_otp"]))),
        optional("profile_required", boolean()),
        optional("signup", signup(true)),
    ]);
    let allowed_types = object([optional("email", boolean()), optional("phone_number", boolean())]);
    let username = object([
        optional("identifier", identifier(None)),
        optional("profile_required", boolean()),
        optional("signup", signup(false)),
        optional(
            "validation",
            object([
                optional("min_length", length()),
                optional("max_length", length()),
                optional("allowed_types", allowed_types),
            ]),
        ),
    ]);
    object([optional("email", email), optional("phone_number", phone_number), optional("username", username)])
        .min(1)
        .describe("Attributes that users are found by")
}

fn authentication_methods() -> Schema {
    let enabled = || optional("enabled", boolean());
    let password = object([
        enabled(),
        optional("api_behavior", one_of(&["required", "optional"])),
        optional("signup_behavior", one_of(&["allow", "block"])),
    ]);
    object([
        optional("password", password),
        optional("passkey", object([enabled()])),
        optional("email_otp", object([enabled()])),
        optional("phone_otp", object([enabled()])),
    ])
    .nullable()
    .describe("Ways to log in")
}

/// The policy for passwords in one object, which took the place of [`old_password_options`].
fn password_options() -> Schema {
    let allow = || one_of(&["allow", "block"]);
    let complexity = object([
        optional("min_length", integer().min(1).max(72)),
        optional("character_types", array(one_of(&["uppercase", "lowercase", "number", "special"]))),
        optional("character_type_rule", one_of(&["all", "three_of_four"])),
        optional("identical_characters", allow()),
        optional("sequential_characters", allow()),
        optional("max_length_exceeded", one_of(&["truncate", "error"])),
    ]);
    let dictionary = object([
        optional("active", boolean()),
        optional("custom", array(string().max(50)).max(200)),
        optional("default", one_of(&["en_10k", "en_100k"])),
    ]);
    let history = object([optional("active", boolean()), optional("size", integer().min(1).max(24))]);
    let profile_data =
        object([optional("active", boolean()), optional("blocked_fields", array(string().max(100)).max(12))]);
    object([
        optional("complexity", complexity),
        optional("dictionary", dictionary),
        optional("history", history),
        optional("profile_data", profile_data),
    ])
    .describe("Policy for passwords")
}

fn old_password_options() -> [Member; 5] {
    let enable = || required("enable", boolean());
    let history = object([enable(), optional("size", integer().min(0).max(24))]);
    let dictionary = object([enable(), optional("dictionary", array(string().max(50)).max(200))]);
    [
        optional("passwordPolicy", one_of(&["none", "low", "fair", "good", "excellent"]).nullable()),
        optional(
            "password_complexity_options",
            object([optional("min_length", integer().min(1).max(128))]).nullable(),
        ),
        optional("password_history", history.nullable()),
        optional("password_no_personal_info", object([enable()]).nullable()),
        optional("password_dictionary", dictionary.nullable()),
    ]
}

fn database_options() -> [Member; 11] {
    let bounds = object([required("min", integer().min(1)), required("max", integer().max(128))]);
    let script = || string().min(1);
    let scripts = object([
        optional("login", script()),
        optional("get_user", script()),
        optional("delete", script()),
        optional("change_password", script()),
        optional("verify", script()),
        optional("create", script()),
        optional("change_username", script()),
        optional("change_email", script()),
        optional("change_phone_number", script()),
    ]);
    let passkey_options = object([
        optional("challenge_ui", one_of(&["both", "autofill", "button"])),
        optional("progressive_enrollment_enabled", boolean()),
        optional("local_enrollment_enabled", boolean()),
    ]);
    [
        optional("validation", object([optional("username", bounds.nullable())]).nullable()),
        optional("precedence", array(one_of(&["email", "phone_number", "username"])).min(3)),
        optional("attributes", attributes()),
        optional("enable_script_context", boolean()),
        optional("enabledDatabaseCustomization", boolean()),
        optional("import_mode", boolean()),
        optional("configuration", object([]).open_with(string().nullable()).nullable()),
        optional("customScripts", scripts.open()),
        optional("authentication_methods", authentication_methods()),
        optional("passkey_options", passkey_options.nullable()),
        optional("password_options", password_options()),
    ]
}

fn upstream_options() -> [Member; 9] {
    const ALIASES: &[&str] = &[
        "acr_values",
        "audience",
        "client_id",
        "display",
        "id_token_hint",
        "login_hint",
        "max_age",
        "prompt",
        "resource",
        "response_mode",
        "response_type",
        "ui_locales",
    ];
    const ALGORITHMS: &[&str] = &["ES256", "ES384", "PS256", "PS384", "RS256", "RS384", "RS512"];
    let parameter =
        any_of([object([optional("alias", one_of(ALIASES))]), object([optional("value", string())])]);
    let gateway_authentication = object([
        required("method", string()),
        optional("subject", string()),
        required("audience", string()),
        required("secret", string()),
        optional("secret_base64_encoded", boolean()),
    ]);
    let decryption = object([
        required("algorithm_profile", one_of(&["v2026-1"])),
        optional("algorithm_exceptions", array(string().min(1).max(100))),
    ]);
    [
        optional("upstream_params", object([]).open_with(parameter).nullable()),
        optional("gateway_authentication", gateway_authentication.open().nullable()),
        optional("federated_connections_access_tokens", object([optional("active", boolean())]).nullable()),
        optional("assertion_decryption_settings", decryption),
        optional("id_token_signed_response_algs", array(one_of(ALGORITHMS)).nullable()),
        optional("dpop_signing_alg", one_of(&["ES256", "ES384", "ES512", "Ed25519"])),
        optional("token_endpoint_auth_method", one_of(&["client_secret_post", "private_key_jwt"]).nullable()),
        optional("token_endpoint_auth_signing_alg", one_of(ALGORITHMS).nullable()),
        optional("token_endpoint_jwtca_aud_format", one_of(&["issuer", "token_endpoint"])),
    ]
}

/// Options that are plain switches, whatever the strategy.
const SWITCHES: &[&str] = &[
    "api_enable_users",
    "api_enable_groups",
    "basic_profile",
    "ext_admin",
    "ext_is_suspended",
    "ext_agreed_terms",
    "ext_groups",
    "ext_assigned_plans",
    "ext_profile",
    "disable_self_service_change_password",
    "id_token_session_expiry_supported",
];

fn options() -> Schema {
    let common = [
        optional("non_persistent_attrs", array(string()).nullable()),
        optional("set_user_root_attributes", one_of(&["on_each_login", "on_first_login", "never_on_login"])),
    ];
    object(common)
        .with(database_options())
        .with(old_password_options())
        .with(upstream_options())
        .with(SWITCHES.iter().map(|name| optional(name, boolean())))
        .open()
        .describe("Settings of the strategy")
}

/// What create and update have in common.
fn shared() -> [Member; 9] {
    let switch = |name| optional(name, boolean());
    let active = || required("active", boolean());
    [
        optional("display_name", string().max(128).describe("Name that people see at login")),
        switch("is_domain_connection"),
        switch("show_as_button"),
        optional("realms", array(string().min(1).max(255)).describe("Realms that the connection is for")),
        optional("metadata", object([]).open_with(string().max(METADATA_VALUE).nullable()).max(METADATA)),
        optional("authentication", object([active()])),
        optional("connected_accounts", object([active(), optional("cross_app_access", boolean())])),
        optional("cross_app_access_requesting_app", object([active()]).nullable()),
        optional(
            "cross_app_access_resource_app",
            object([required("status", one_of(&["enabled", "disabled"]))]).nullable(),
        ),
    ]
}

/// The body of `POST /connections`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    object([
        required(
            "name",
            string()
                .max(128)
                .pattern("^[a-zA-Z0-9](-[a-zA-Z0-9]|[a-zA-Z0-9])*$")
                .describe("Name of the connection: letters, digits, and single hyphens between them"),
        ),
        required("strategy", one_of(NAMES).describe("Kind of identity provider")),
        optional("options", options()),
        optional("enabled_clients", array(format(Format::ClientId))),
    ])
    .with(shared())
});

/// The body of `PATCH /connections/{id}`.
pub static PATCH: LazyLock<Schema> =
    LazyLock::new(|| object([optional("options", options().nullable())]).with(shared()).min(1));

/// The body of `PATCH /connections/{id}/clients`.
pub static ENABLE: LazyLock<Schema> = LazyLock::new(|| {
    array(object([
        required("client_id", format(Format::ClientId).describe("The client")),
        required("status", boolean().describe("Whether the connection is enabled for the client")),
    ]))
    .min(1)
    .max(CLIENTS)
});

/// Checks the body of `POST /connections`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /connections/{id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// Checks the body of `PATCH /connections/{id}/clients`: which clients the connection is enabled for, or no more.
///
/// # Errors
/// The first violation.
pub fn check_enable_body(body: &Value) -> Result<Vec<(&str, bool)>, Violation> {
    ENABLE.check(crate::schema::Part::Payload, body)?;
    let changes = body.as_array().expect("the schema asks for a list");
    Ok(changes
        .iter()
        .filter_map(|change| Some((change["client_id"].as_str()?, change["status"].as_bool()?)))
        .collect())
}
