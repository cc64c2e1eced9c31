//! Protection against attacks, and what assesses risks.

use super::{Initial, Nested, Null, Setting};
use crate::format::Format;
use crate::schema::{
    Schema, any_of, array, boolean, format, integer, object, one_of, optional, required, string,
};

const fn setting(path: &'static str, initial: &'static str, body: fn() -> Schema) -> Setting {
    Setting {
        path,
        parameters: &[],
        initial: Initial::Json(initial),
        patch: Some(body),
        put: None,
        create: None,
        secrets: &[],
        null: Null::Kept,
        nested: Nested::Merged,
    }
}

pub(super) static SETTINGS: &[Setting] = &[
    setting(
        "/api/v2/attack-protection/bot-detection",
        r#"{"bot_detection_level":"medium","challenge_password_policy":"never",
            "challenge_passwordless_policy":"never","challenge_password_reset_policy":"never","allowlist":[],
            "monitoring_mode_enabled":false}"#,
        bot_detection,
    ),
    setting(
        "/api/v2/attack-protection/breached-password-detection",
        r#"{"enabled":false,"shields":[],"admin_notification_frequency":[],"method":"standard",
            "stage":{"pre-user-registration":{"shields":[]},"pre-change-password":{"shields":[]}}}"#,
        breached_password_detection,
    ),
    setting(
        "/api/v2/attack-protection/brute-force-protection",
        r#"{"enabled":true,"shields":["block","user_notification"],"mode":"count_per_identifier_and_ip",
            "allowlist":[],"max_attempts":10}"#,
        brute_force_protection,
    ),
    Setting {
        secrets: &[
            &["arkose", "secret"],
            &["hcaptcha", "secret"],
            &["friendly_captcha", "secret"],
            &["recaptcha_enterprise", "api_key"],
            &["recaptcha_v2", "secret"],
        ],
        ..setting(
            "/api/v2/attack-protection/captcha",
            r#"{"active_provider_id":"auth_challenge","simple_captcha":{},"auth_challenge":{"fail_open":false},
                "recaptcha_v2":{"site_key":""},"recaptcha_enterprise":{"site_key":"","project_id":""},
                "hcaptcha":{"site_key":""},"friendly_captcha":{"site_key":""},
                "arkose":{"site_key":"","client_subdomain":"client-api","verify_subdomain":"verify-api",
                    "fail_open":false}}"#,
            captcha,
        )
    },
    setting(
        "/api/v2/attack-protection/phone-provider-protection",
        r#"{"type":"none"}"#,
        phone_provider_protection,
    ),
    setting(
        "/api/v2/attack-protection/suspicious-ip-throttling",
        r#"{"enabled":true,"shields":["admin_notification","block"],"allowlist":[],
            "stage":{"pre-login":{"max_attempts":100,"rate":864000},
                "pre-user-registration":{"max_attempts":50,"rate":1200},
                "pre-custom-token-exchange":{"max_attempts":10,"rate":600000}}}"#,
        suspicious_ip_throttling,
    ),
    setting("/api/v2/risk-assessments/settings", r#"{"enabled":false}"#, enabled),
    setting("/api/v2/risk-assessments/settings/new-device", r#"{"remember_for":30}"#, new_device),
    setting("/api/v2/supplemental-signals", r#"{"akamai_enabled":false}"#, supplemental_signals),
];

fn allowlist() -> Schema {
    array(any_of([
        format(Format::Ipv4),
        format(Format::Cidr),
        format(Format::Ipv6),
        format(Format::Ipv6Cidr),
    ]))
}

fn bot_detection() -> Schema {
    let policy = || one_of(&["never", "when_risky", "always"]);
    object([
        optional("bot_detection_level", one_of(&["low", "medium", "high"])),
        optional("challenge_password_policy", policy()),
        optional("challenge_passwordless_policy", policy()),
        optional("challenge_password_reset_policy", policy()),
        optional("allowlist", allowlist()),
        optional("monitoring_mode_enabled", boolean()),
    ])
}

fn breached_password_detection() -> Schema {
    let stage = || object([optional("shields", array(one_of(&["block", "admin_notification"])))]);
    object([
        optional("enabled", boolean()),
        optional("shields", array(one_of(&["block", "user_notification", "admin_notification"]))),
        optional(
            "admin_notification_frequency",
            array(one_of(&["immediately", "daily", "weekly", "monthly"])),
        ),
        optional("method", one_of(&["standard", "enhanced"])),
        optional(
            "stage",
            object([optional("pre-user-registration", stage()), optional("pre-change-password", stage())]),
        ),
    ])
}

fn brute_force_protection() -> Schema {
    object([
        optional("enabled", boolean()),
        optional("shields", array(one_of(&["block", "user_notification"]))),
        optional("mode", one_of(&["count_per_identifier_and_ip", "count_per_identifier"])),
        optional("allowlist", allowlist()),
        optional("max_attempts", integer().min(1).max(100)),
    ])
}

fn captcha() -> Schema {
    let text = || string().max(100);
    let keys = || object([required("site_key", text()), required("secret", text())]);
    let providers = &[
        "arkose",
        "auth_challenge",
        "friendly_captcha",
        "hcaptcha",
        "recaptcha_v2",
        "recaptcha_enterprise",
        "simple_captcha",
    ];
    object([
        optional("active_provider_id", one_of(providers)),
        optional("simple_captcha", object([]).open()),
        optional("auth_challenge", object([required("fail_open", boolean())])),
        optional("recaptcha_v2", keys()),
        optional(
            "recaptcha_enterprise",
            object([
                required("site_key", text()),
                required("api_key", text()),
                required("project_id", text()),
            ]),
        ),
        optional("hcaptcha", keys()),
        optional("friendly_captcha", keys()),
        optional(
            "arkose",
            keys().with([
                optional("client_subdomain", text()),
                optional("verify_subdomain", text()),
                optional("fail_open", boolean()),
            ]),
        ),
    ])
}

fn phone_provider_protection() -> Schema {
    object([required("type", one_of(&["exponential", "none"]))])
}

fn suspicious_ip_throttling() -> Schema {
    let stage = |attempts: u32, slowest: u32| {
        object([
            optional("max_attempts", integer().min(1).max(attempts)),
            optional("rate", integer().min(slowest).max(86_400_000)),
        ])
    };
    object([
        optional("enabled", boolean()),
        optional("shields", array(one_of(&["block", "admin_notification"]))),
        optional("allowlist", allowlist()),
        optional(
            "stage",
            object([
                optional("pre-login", stage(2_500, 34_560)),
                optional("pre-user-registration", stage(72_000, 1_200)),
                // Answers have it, so an import sends it back.
                optional("pre-custom-token-exchange", stage(72_000, 1_200)),
            ]),
        ),
    ])
}

fn enabled() -> Schema {
    object([required("enabled", boolean())])
}

fn new_device() -> Schema {
    object([required("remember_for", integer().min(1).max(365))])
}

fn supplemental_signals() -> Schema {
    object([required("akamai_enabled", boolean())])
}
