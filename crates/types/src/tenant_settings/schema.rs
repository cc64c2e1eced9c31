//! What the settings of a tenant look like in `PATCH /tenants/settings`.

use crate::format::Format;
use crate::schema::{
    Schema, any, array, boolean, format, integer, object, one_of, optional, required, string,
};
use crate::token_quota;

/// The longest value of a directive of a content security policy.
const MAX_DIRECTIVE: u32 = 2_048;
/// How many directives a policy may have.
const MAX_DIRECTIVES: u32 = 30;

/// Languages that the login pages speak.
const LOCALES: &[&str] = &[
    "am", "ar", "ar-EG", "ar-SA", "az", "bg", "bn", "bs", "ca-ES", "cnr", "cs", "cy", "da", "de", "el", "en",
    "en-CA", "es", "es-419", "es-AR", "es-MX", "et", "eu-ES", "fa", "fi", "fr", "fr-CA", "fr-FR", "gl-ES",
    "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "kn", "ko", "lt", "lv", "mk",
    "ml", "mn", "mr", "ms", "my", "nb", "nl", "nn", "no", "pa", "pl", "pt", "pt-BR", "pt-PT", "ro", "ru",
    "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zgh", "zh-CN",
    "zh-HK", "zh-MO", "zh-TW",
];

pub(super) fn text() -> Schema {
    string()
}

pub(super) fn flag() -> Schema {
    boolean()
}

pub(super) fn uri_or_empty() -> Schema {
    format(Format::AbsoluteUriOrEmpty)
}

pub(super) fn https_uri_or_empty() -> Schema {
    format(Format::AbsoluteHttpsUriOrEmpty)
}

pub(super) fn email_or_empty() -> Schema {
    format(Format::EmailOrEmpty)
}

pub(super) fn version() -> Schema {
    string().max(8)
}

/// Hours or minutes.
pub(super) fn lifetime() -> Schema {
    integer().min(1)
}

pub(super) fn logout_urls() -> Schema {
    array(format(Format::UrlWithPlaceholders))
}

pub(super) fn acr_values() -> Schema {
    array(format(Format::Acr))
}

/// A page in HTML that takes the place of a standard one.
pub(super) fn page() -> Schema {
    object([
        optional("enabled", boolean().describe("Whether the custom page is shown")),
        optional("html", string().describe("The page, in HTML with Liquid")),
    ])
}

pub(super) fn error_page() -> Schema {
    object([
        optional("html", string().describe("The page, in HTML with Liquid")),
        optional("show_log_link", boolean().describe("Whether it links to the log")),
        optional("url", format(Format::AbsoluteUriOrEmpty).describe("Where to go instead of showing a page")),
    ])
}

pub(super) fn device_flow() -> Schema {
    object([
        optional("charset", one_of(&["base20", "digits"]).describe("Characters of a user code")),
        optional("mask", string().max(20).describe("Form in which a user code is shown")),
    ])
}

pub(super) fn default_token_quota() -> Schema {
    let quota = || token_quota::schema().open();
    object([
        optional("clients", quota().describe("Of every client without a quota of its own")),
        optional("organizations", quota().describe("Of every organization without a quota of its own")),
    ])
    .min(1)
}

pub(super) fn enabled_locales() -> Schema {
    array(one_of(LOCALES).describe("A language")).min(1)
}

pub(super) fn sessions() -> Schema {
    object([optional("oidc_logout_prompt_enabled", boolean().describe("Whether logout asks first"))])
}

pub(super) fn oidc_logout() -> Schema {
    object([optional(
        "rp_logout_end_session_endpoint_discovery",
        boolean().describe("Whether discovery names the logout endpoint"),
    )])
}

pub(super) fn mtls() -> Schema {
    object([optional(
        "enable_endpoint_aliases",
        boolean().describe("Whether discovery names the endpoints for clients with certificates"),
    )])
}

/// Set through the API for branding nowadays; taken because exports hold it and imports send it back.
pub(super) fn universal_login() -> Schema {
    let color = || any().describe("A color");
    object([
        optional("colors", object([optional("primary", color()), optional("page_background", color())])),
        optional("passwordless", object([optional("allow_magiclink_verify_without_session", boolean())])),
    ])
}

pub(super) fn resource_parameter_profile() -> Schema {
    one_of(&["audience", "compatibility"])
}

pub(super) fn security_mode() -> Schema {
    one_of(&["strict", "permissive"])
}

pub(super) fn country_codes() -> Schema {
    object([
        optional(
            "list",
            array(string().min(2).max(2).pattern("^[A-Z]{2}$")).describe("Countries, by ISO 3166-1 alpha-2"),
        ),
        optional(
            "mode",
            one_of(&["allow", "deny"]).describe("Whether these alone are offered, or all others"),
        ),
    ])
}

pub(super) fn session_cookie() -> Schema {
    object([required(
        "mode",
        one_of(&["persistent", "non-persistent"]).describe("How long the cookie lives"),
    )])
}

pub(super) fn security_headers() -> Schema {
    object([
        optional("content_security_policy", content_security_policy().nullable()),
        optional(
            "x_xss_protection",
            object([
                optional("enabled", boolean().describe("Whether the header is sent")),
                optional("mode", one_of(&["block"]).describe("What a browser does")),
                optional("report_uri", string().describe("Where it reports to")),
            ])
            .nullable()
            .describe("The header X-XSS-Protection"),
        ),
    ])
}

fn content_security_policy() -> Schema {
    let policy = object([
        optional("mode", one_of(&["enforcing", "reporting"]).describe("Whether it is enforced")),
        optional(
            "directives",
            object([])
                .open_with(array(string().max(MAX_DIRECTIVE)))
                .max(MAX_DIRECTIVES)
                .describe("Directives with their values"),
        ),
        optional(
            "flags",
            array(one_of(&["upgrade-insecure-requests", "block-all-mixed-content"]))
                .describe("Directives without a value"),
        ),
        optional(
            "reporting",
            object([
                optional("report_uri", string().describe("Where violations are reported to")),
                optional("report_to_group", string().describe("The group that they are reported to")),
            ])
            .nullable()
            .describe("Reports of this policy"),
        ),
    ]);
    let report_to = object([
        optional("group", string().describe("Name of the group")),
        optional("max_age", integer().describe("Seconds that browsers remember it")),
        optional(
            "endpoints",
            array(object([optional("url", string().describe("Where reports go"))])).describe("Endpoints"),
        ),
    ]);
    object([
        optional("enabled", boolean().describe("Whether policies are sent")),
        optional("policies", array(policy).describe("The policies")),
        optional(
            "reporting_infrastructure",
            object([
                optional("report_to", report_to.nullable().describe("The header Report-To")),
                optional(
                    "reporting_endpoints",
                    object([]).open_with(string()).describe("The header Reporting-Endpoints"),
                ),
            ])
            .nullable()
            .describe("Where reports go"),
        ),
    ])
    .describe("Content security policies")
}
