//! E-mail: who sends it, and what it says.

use super::{Create, Initial, Nested, Null, Setting};
use crate::error::ErrorCode;
use crate::schema::{Schema, any_of, boolean, integer, object, one_of, optional, required, string};

pub(super) static SETTINGS: &[Setting] = &[
    Setting {
        path: "/api/v2/emails/provider",
        parameters: &[],
        initial: Initial::Absent(
            "There is not a configured email provider",
            ErrorCode::InexistentEmailProvider,
        ),
        patch: Some(|| provider(optional)),
        put: None,
        create: Some(Create {
            path: "/api/v2/emails/provider",
            status: 201,
            body: || provider(required),
            id: None,
            conflict: ("An email provider is already configured: ", "name", ErrorCode::EmailProviderConflict),
            defaults: r#"{"name":null,"enabled":true,"credentials":{}}"#,
        }),
        secrets: &[
            &["credentials", "api_key"],
            &["credentials", "accessKeyId"],
            &["credentials", "secretAccessKey"],
            &["credentials", "smtp_pass"],
            &["credentials", "connectionString"],
            &["credentials", "clientSecret"],
        ],
        null: Null::Resets,
        nested: Nested::Replaced,
    },
    Setting {
        path: "/api/v2/email-templates/{templateName}",
        parameters: &[TEMPLATES],
        initial: Initial::Absent("The template does not exist.", ErrorCode::InexistentEmailTemplate),
        patch: Some(|| template(optional)),
        put: Some(|| template(required)),
        create: Some(Create {
            path: "/api/v2/email-templates",
            status: 200,
            body: || template(required),
            id: Some("template"),
            conflict: ("Template already exists: ", "template", ErrorCode::EmailTemplateConflict),
            defaults: "{}",
        }),
        secrets: &[],
        null: Null::Kept,
        nested: Nested::Replaced,
    },
];

const TEMPLATES: &[&str] = &[
    "verify_email",
    "verify_email_by_code",
    "auth_email_by_code",
    "reset_email",
    "reset_email_by_code",
    "welcome_email",
    "blocked_account",
    "stolen_credentials",
    "enrollment_email",
    "mfa_oob_code",
    "user_invitation",
    "change_password",
    "password_reset",
    "async_approval",
];

/// Makes a member that must be sent, or one that need not.
type Make = fn(&'static str, Schema) -> crate::schema::Member;

fn provider(make: Make) -> Schema {
    let names = &[
        "mailgun",
        "mandrill",
        "sendgrid",
        "resend",
        "ses",
        "sparkpost",
        "smtp",
        "azure_cs",
        "ms365",
        "custom",
    ];
    let text = || string().min(1);
    let region = || string().nullable();
    let credentials = any_of([
        object([
            required("api_key", text()),
            optional("domain", string().min(4)),
            optional("region", region()),
        ]),
        object([
            optional("accessKeyId", text()),
            optional("secretAccessKey", text()),
            optional("region", text()),
        ]),
        object([
            optional("smtp_host", text()),
            optional("smtp_port", integer()),
            optional("smtp_user", text()),
            optional("smtp_pass", text()),
        ]),
        object([optional("domain", string().min(4)), optional("region", region())]),
        object([optional("connectionString", text())]),
        object([
            optional("tenantId", text()),
            optional("clientId", text()),
            optional("clientSecret", text()),
        ]),
    ]);
    object([
        make("name", one_of(names)),
        optional("enabled", boolean()),
        optional("default_from_address", string()),
        make("credentials", credentials),
        optional("settings", object([]).open().nullable()),
    ])
}

fn template(make: Make) -> Schema {
    let text = || string().nullable();
    object([
        make("template", one_of(TEMPLATES)),
        make("body", text()),
        make("from", text()),
        optional("resultUrl", text()),
        make("subject", text()),
        make("syntax", text()),
        optional("urlLifetimeInSeconds", integer().min(0).nullable()),
        optional("includeEmailInRedirect", boolean()),
        make("enabled", boolean().nullable()),
    ])
}
