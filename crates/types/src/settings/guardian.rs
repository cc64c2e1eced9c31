//! Multi-factor authentication: which factors there are, when they are asked for, and who delivers.

use super::{Initial, Nested, Null, Setting};
use crate::schema::{Schema, array, boolean, object, one_of, optional, required, string};

/// The factors, in the order in which they are listed.
pub const FACTORS: &[&str] = &[
    "sms",
    "push-notification",
    "otp",
    "email",
    "duo",
    "webauthn-roaming",
    "webauthn-platform",
    "recovery-code",
];

/// One factor.
pub const FACTOR_PATH: &str = "/api/v2/guardian/factors/{name}";

const fn setting(path: &'static str, initial: &'static str, put: fn() -> Schema) -> Setting {
    Setting {
        path,
        parameters: &[],
        initial: Initial::Json(initial),
        patch: None,
        put: Some(put),
        create: None,
        secrets: &[],
        null: Null::Kept,
        nested: Nested::Replaced,
    }
}

/// A provider that can also be changed in part.
const fn provider(
    path: &'static str,
    body: fn() -> Schema,
    secrets: &'static [&'static [&'static str]],
) -> Setting {
    Setting { patch: Some(body), secrets, ..setting(path, "{}", body) }
}

const MESSAGES: &str = r#"{
    "enrollment_message":"{{code}} is your verification code for {{tenant.friendly_name}}. Please enter this code to verify your enrollment.",
    "verification_message":"{{code}} is your verification code for {{tenant.friendly_name}}"}"#;

pub(super) static SETTINGS: &[Setting] = &[
    Setting { parameters: &[FACTORS], ..setting(FACTOR_PATH, r#"{"enabled":false}"#, enabled) },
    setting("/api/v2/guardian/policies", "[]", policies),
    provider("/api/v2/guardian/factors/duo/settings", duo, &[&["skey"]]),
    setting("/api/v2/guardian/factors/phone/message-types", r#"{"message_types":[]}"#, message_types),
    Setting {
        secrets: &[&["auth_token"]],
        ..setting("/api/v2/guardian/factors/phone/providers/twilio", "{}", twilio)
    },
    Setting {
        secrets: &[&["auth_token"]],
        ..setting("/api/v2/guardian/factors/sms/providers/twilio", "{}", twilio)
    },
    setting("/api/v2/guardian/factors/phone/selected-provider", r#"{"provider":"auth0"}"#, phone_provider),
    setting("/api/v2/guardian/factors/sms/selected-provider", r#"{"provider":"auth0"}"#, phone_provider),
    setting("/api/v2/guardian/factors/phone/templates", MESSAGES, templates),
    setting("/api/v2/guardian/factors/sms/templates", MESSAGES, templates),
    provider("/api/v2/guardian/factors/push-notification/providers/apns", apns, &[&["p12"]]),
    provider("/api/v2/guardian/factors/push-notification/providers/fcm", fcm, &[&["server_key"]]),
    provider("/api/v2/guardian/factors/push-notification/providers/fcmv1", fcmv1, &[&["server_credentials"]]),
    provider("/api/v2/guardian/factors/push-notification/providers/sns", sns, &[&["aws_secret_access_key"]]),
    setting(
        "/api/v2/guardian/factors/push-notification/selected-provider",
        r#"{"provider":"guardian"}"#,
        push_provider,
    ),
];

fn enabled() -> Schema {
    object([required("enabled", boolean())])
}

fn policies() -> Schema {
    array(one_of(&["all-applications", "confidence-score"]))
}

fn duo() -> Schema {
    object([
        optional("ikey", string().max(10_000)),
        optional("skey", string().min(1).max(10_000)),
        optional("host", string().max(10_000)),
    ])
}

fn message_types() -> Schema {
    object([required("message_types", array(one_of(&["sms", "voice"])))])
}

fn text() -> Schema {
    string().min(1).max(1_000).nullable()
}

fn twilio() -> Schema {
    object([
        optional("from", string().max(64).nullable()),
        optional("messaging_service_sid", text()),
        optional("auth_token", text()),
        optional("sid", text()),
    ])
}

fn phone_provider() -> Schema {
    object([required("provider", one_of(&["auth0", "twilio", "phone-message-hook"]))])
}

fn push_provider() -> Schema {
    object([required("provider", one_of(&["guardian", "sns", "direct"]))])
}

fn templates() -> Schema {
    object([required("enrollment_message", string()), required("verification_message", string())])
}

fn apns() -> Schema {
    object([
        optional("sandbox", boolean()),
        optional("bundle_id", text()),
        optional("p12", string().min(1).max(10_000).nullable()),
    ])
}

fn fcm() -> Schema {
    object([optional("server_key", string().min(1).max(152).nullable())])
}

fn fcmv1() -> Schema {
    object([optional("server_credentials", string().min(1).max(10_000).nullable())])
}

fn sns() -> Schema {
    object([
        optional("aws_access_key_id", text()),
        optional("aws_secret_access_key", text()),
        optional("aws_region", text()),
        optional("sns_apns_platform_application_arn", text()),
        optional("sns_gcm_platform_application_arn", text()),
    ])
}
