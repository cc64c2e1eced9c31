//! The table of a tenant's flags.

use super::{enforced, inert};
use crate::clients::Enforcement;
use crate::schema::{Schema, boolean, optional};

/// A flag of a tenant.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// The name on the wire.
    pub name: &'static str,
    /// What it does.
    pub state: Enforcement,
    /// Whether `PATCH` takes it; the others are the platform's to say.
    is_writable: bool,
}

const fn flag(name: &'static str, state: Enforcement) -> Flag {
    Flag { name, state, is_writable: true }
}

const fn read_only(name: &'static str) -> Flag {
    Flag { name, state: Enforcement::Echo, is_writable: false }
}

const LOGIN: Enforcement = inert("login (`/authorize`)");
const LEGACY: Enforcement = inert("legacy grants");
const DASHBOARD: Enforcement = Enforcement::Echo;

/// Every flag, in the order of answers.
pub const FLAGS: &[Flag] = &[
    flag("allow_changing_enable_sso", LOGIN),
    flag("allow_legacy_delegation_grant_types", LEGACY),
    flag("allow_legacy_ro_grant_types", LEGACY),
    flag("allow_legacy_tokeninfo_endpoint", inert("`/tokeninfo`")),
    read_only("allow_other_legacy_grant_types"),
    read_only("cannot_change_enforce_client_authentication_on_passwordless_start"),
    flag("change_pwd_flow_v1", inert("changes of passwords")),
    flag("custom_domains_provisioning", inert("custom domains")),
    flag("dashboard_insights_view", DASHBOARD),
    flag("dashboard_log_streams_next", DASHBOARD),
    flag("disable_impersonation", inert("impersonation")),
    flag("disable_management_api_sms_obfuscation", inert("users")),
    flag("enable_adfs_waad_email_verification", LOGIN),
    flag("enable_apis_section", DASHBOARD),
    flag("enable_client_connections", enforced("a_flag_enables_every_connection_for_a_new_client")),
    flag("enable_custom_domain_in_emails", inert("e-mail")),
    flag("enable_dynamic_client_registration", enforced("discovery_says_what_the_settings_enable")),
    flag("enable_idtoken_api2", inert("ID tokens")),
    flag("enable_legacy_logs_search_v2", inert("logs")),
    flag("enable_legacy_profile", inert("ID tokens")),
    flag("enable_public_signup_user_exists_error", inert("sign-up")),
    flag("enable_sso", LOGIN),
    flag("enforce_client_authentication_on_passwordless_start", inert("passwordless login")),
    flag("genai_trial", DASHBOARD),
    flag("improved_signup_bot_detection_in_classic", inert("sign-up")),
    flag("new_universal_login_experience_enabled", LOGIN),
    flag("require_pushed_authorization_requests", inert("pushed authorization requests (`/oauth/par`)")),
    flag("trust_azure_adfs_email_verified_connection_property", LOGIN),
    flag("universal_login", LOGIN),
    flag("use_scope_descriptions_for_consent", inert("consent")),
    flag("no_disclose_enterprise_connections", LOGIN),
    flag("revoke_refresh_token_grant", inert("refresh tokens")),
    flag("mfa_show_factor_list_on_enrollment", inert("multi-factor authentication")),
    flag(
        "remove_alg_from_jwks",
        enforced("the_published_keys_name_their_algorithm_unless_a_flag_removes_it"),
    ),
    flag("disable_fields_map_fix", inert("SAML")),
    flag("disable_clickjack_protection_headers", LOGIN),
    flag("enable_pipeline2", LOGIN),
];

/// Flags that the answer to a `PATCH` shows and a `GET` does not, as long as nobody sets them.
pub(super) const SHOWN_AFTER_A_CHANGE: [&str; 2] = [
    "cannot_change_enforce_client_authentication_on_passwordless_start",
    "enforce_client_authentication_on_passwordless_start",
];

/// The flags that a `PATCH` takes.
pub(super) fn schema() -> Schema {
    let writable = FLAGS.iter().filter(|flag| flag.is_writable);
    Schema::object_of(writable.map(|flag| optional(flag.name, boolean())).collect())
}
