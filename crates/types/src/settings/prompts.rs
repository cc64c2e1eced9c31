//! The pages of the login: which of them, in what words, with what in them.

use super::{Initial, Nested, Null, Setting};
use crate::schema::{Schema, any, any_of, array, boolean, object, one_of, optional, required, string};

const fn setting(path: &'static str, parameters: &'static [&'static [&'static str]]) -> Setting {
    Setting {
        path,
        parameters,
        initial: Initial::Json("{}"),
        patch: None,
        put: None,
        create: None,
        secrets: &[],
        null: Null::Kept,
        nested: Nested::Replaced,
    }
}

/// Where all screens are that are not rendered as at first.
pub const RENDERING_PATH: &str = "/api/v2/prompts/rendering";

/// How one screen is rendered.
pub static RENDERING: &Setting = &SETTINGS[0];

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        initial: Initial::Json(
            r#"{"rendering_mode":"standard","context_configuration":[],"default_head_tags_disabled":false,
                "head_tags":[]}"#,
        ),
        patch: Some(rendering),
        ..setting("/api/v2/prompts/{prompt}/screen/{screen}/rendering", &[PROMPTS, SCREENS])
    },
    Setting {
        initial: Initial::Json(r#"{"universal_login_experience":"new","identifier_first":true}"#),
        patch: Some(prompts),
        null: Null::Resets,
        ..setting("/api/v2/prompts", &[])
    },
    Setting {
        put: Some(custom_text),
        ..setting("/api/v2/prompts/{prompt}/custom-text/{language}", &[PROMPTS, LANGUAGES])
    },
    Setting { put: Some(partials), ..setting("/api/v2/prompts/{prompt}/partials", &[PROMPTS_WITH_PARTIALS]) },
];

fn prompts() -> Schema {
    object([
        optional("universal_login_experience", one_of(&["new", "classic"])),
        optional("identifier_first", boolean().nullable()),
        optional("webauthn_platform_first_factor", boolean().nullable()),
    ])
    .min(1)
}

/// Texts by screen and key.
fn custom_text() -> Schema {
    object([]).open_with(object([]).open())
}

/// Markup by screen and place.
fn partials() -> Schema {
    object([]).open_with(object([]).open_with(string().nullable()).nullable())
}

fn rendering() -> Schema {
    object([
        optional("rendering_mode", one_of(&["advanced", "standard"])),
        optional("context_configuration", array(string()).nullable()),
        optional("default_head_tags_disabled", boolean().nullable()),
        optional("use_page_template", boolean().nullable()),
        optional("head_tags", array(object([]).open()).nullable()),
        optional("filters", filters()),
    ])
}

fn filters() -> Schema {
    let entry = || {
        any_of([
            object([required("id", string())]),
            object([required("metadata", object([]).open_with(any()).max(1))]),
        ])
    };
    object([
        optional("match_type", one_of(&["includes_any", "excludes_any"])),
        optional("clients", array(entry())),
        optional("organizations", array(entry())),
        optional("domains", array(entry())),
    ])
    .nullable()
}

/// How several screens are rendered.
#[must_use]
pub fn bulk_rendering() -> Schema {
    let one = rendering().with([required("prompt", one_of(PROMPTS)), required("screen", one_of(SCREENS))]);
    object([required("configs", array(one).min(1))])
}

#[rustfmt::skip] // one line per entry would be all that this file shows
const PROMPTS: &[&str] = &[
    "login", "login-id", "login-password", "login-passwordless", "login-email-verification", "signup",
    "signup-id", "signup-password", "phone-identifier-enrollment", "phone-identifier-challenge",
    "email-identifier-challenge", "reset-password", "custom-form", "consent", "customized-consent",
    "logout", "mfa-push", "mfa-otp", "mfa-voice", "mfa-phone", "mfa-webauthn", "mfa-sms", "mfa-email",
    "mfa-recovery-code", "mfa", "status", "device-flow", "email-verification", "email-otp-challenge",
    "organizations", "invitation", "common", "passkeys", "captcha", "brute-force-protection",
    "async-approval-flow", "confirmation",
];

#[rustfmt::skip] // one line per entry would be all that this file shows
const PROMPTS_WITH_PARTIALS: &[&str] = &[
    "login", "login-id", "login-password", "login-passwordless", "signup", "signup-id", "signup-password",
    "customized-consent", "passkeys",
];

#[rustfmt::skip] // one line per entry would be all that this file shows
const SCREENS: &[&str] = &[
    "login", "login-id", "login-password", "login-passwordless-email-code", "login-passwordless-email-link",
    "login-passwordless-sms-otp", "login-email-verification", "signup", "signup-id", "signup-password",
    "phone-identifier-enrollment", "phone-identifier-challenge", "email-identifier-challenge",
    "reset-password-request", "reset-password-email", "reset-password", "reset-password-success",
    "reset-password-error", "reset-password-mfa-email-challenge", "reset-password-mfa-otp-challenge",
    "reset-password-mfa-phone-challenge", "reset-password-mfa-push-challenge-push",
    "reset-password-mfa-recovery-code-challenge", "reset-password-mfa-sms-challenge",
    "reset-password-mfa-voice-challenge", "reset-password-mfa-webauthn-platform-challenge",
    "reset-password-mfa-webauthn-roaming-challenge", "custom-form", "consent", "customized-consent",
    "logout", "logout-complete", "logout-aborted", "mfa-push-welcome", "mfa-push-enrollment-qr",
    "mfa-push-enrollment-code", "mfa-push-success", "mfa-push-challenge-push", "mfa-push-list",
    "mfa-otp-enrollment-qr", "mfa-otp-enrollment-code", "mfa-otp-challenge", "mfa-voice-enrollment",
    "mfa-voice-challenge", "mfa-phone-challenge", "mfa-phone-enrollment",
    "mfa-webauthn-platform-enrollment", "mfa-webauthn-roaming-enrollment",
    "mfa-webauthn-platform-challenge", "mfa-webauthn-roaming-challenge", "mfa-webauthn-change-key-nickname",
    "mfa-webauthn-enrollment-success", "mfa-webauthn-error", "mfa-webauthn-not-available-error",
    "mfa-country-codes", "mfa-sms-enrollment", "mfa-sms-challenge", "mfa-sms-list", "mfa-email-challenge",
    "mfa-email-list", "mfa-recovery-code-enrollment", "mfa-recovery-code-challenge-new-code",
    "mfa-recovery-code-challenge", "mfa-detect-browser-capabilities", "mfa-enroll-result",
    "mfa-login-options", "mfa-begin-enroll-options", "status", "device-code-activation",
    "device-code-activation-allowed", "device-code-activation-denied", "device-code-confirmation",
    "email-verification-result", "email-otp-challenge", "organization-selection", "organization-picker",
    "pre-login-organization-picker", "accept-invitation", "redeem-ticket", "passkey-enrollment",
    "passkey-enrollment-local", "interstitial-captcha", "brute-force-protection-unblock",
    "brute-force-protection-unblock-success", "brute-force-protection-unblock-failure",
    "async-approval-error", "async-approval-accepted", "async-approval-denied", "confirmation",
    "async-approval-wrong-user",
];

#[rustfmt::skip] // one line per entry would be all that this file shows
const LANGUAGES: &[&str] = &[
    "am", "ar", "ar-EG", "ar-SA", "az", "bg", "bn", "bs", "ca-ES", "cnr", "cs", "cy", "da", "de", "el",
    "en", "en-CA", "es", "es-419", "es-AR", "es-MX", "et", "eu-ES", "fa", "fi", "fr", "fr-CA", "fr-FR",
    "gl-ES", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "kn", "ko", "lt", "lv",
    "mk", "ml", "mn", "mr", "ms", "my", "nb", "nl", "nn", "no", "pa", "pl", "pt", "pt-BR", "pt-PT", "ro",
    "ru", "sk", "sl", "so", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "zgh",
    "zh-CN", "zh-HK", "zh-MO", "zh-TW",
];
