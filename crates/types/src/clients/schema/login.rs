//! Login and logout.

use super::{flag, text};
use crate::format::Format;
use crate::schema::{Schema, array, boolean, format, object, one_of, optional, string};

// Login

pub(in crate::clients) fn cross_origin_authentication() -> Schema {
    boolean().describe("Whether users may log in from pages of other origins")
}

pub(in crate::clients) fn cross_origin_auth() -> Schema {
    boolean().describe("Older name of `cross_origin_authentication`")
}

pub(in crate::clients) fn cross_origin_loc() -> Schema {
    verification_page(Format::Url)
}

pub(in crate::clients) fn cross_origin_loc_patch() -> Schema {
    verification_page(Format::UrlOrNull).nullable()
}

fn verification_page(url: Format) -> Schema {
    format(url).describe("Your page on which cross-origin logins are verified")
}

pub(in crate::clients) fn custom_login_page_on() -> Schema {
    boolean().describe("Whether the custom login page is shown, true unless said otherwise")
}

pub(in crate::clients) fn custom_login_page() -> Schema {
    custom_login_page_patch().min(1)
}

pub(in crate::clients) fn custom_login_page_patch() -> Schema {
    string().describe("Custom login page, with its styles and scripts")
}

pub(in crate::clients) fn custom_login_page_preview() -> Schema {
    custom_login_page_preview_patch().min(1)
}

pub(in crate::clients) fn custom_login_page_preview_patch() -> Schema {
    string().describe("Custom login page as shown in previews")
}

pub(in crate::clients) fn mobile() -> Schema {
    let android = object([
        text("app_package_name", "Package name in the app's manifest"),
        optional(
            "sha256_cert_fingerprints",
            array(string().min(1))
                .min(1)
                .describe("SHA-256 fingerprints of certificates that builds are signed with"),
        ),
    ]);
    let ios = object([
        text("team_id", "Apple's id for the team that publishes the app"),
        text("app_bundle_identifier", "The app's id in the store, like `com.example.app`"),
    ]);
    object([
        optional("android", android.open().describe("The Android app")),
        optional("ios", ios.open().describe("The iOS app")),
    ])
    .open()
    .describe("The client's apps on phones")
}

pub(in crate::clients) fn native_social_login() -> Schema {
    social_logins(|login| login)
}

pub(in crate::clients) fn native_social_login_patch() -> Schema {
    social_logins(Schema::nullable).nullable()
}

fn social_logins(finish: fn(Schema) -> Schema) -> Schema {
    let login = |name, on, description| {
        optional(name, finish(object([flag("enabled", on)]).min(1).describe(description)))
    };
    object([
        login("apple", "Whether an authorization code from Apple logs in", "Native login with Apple"),
        login("facebook", "Whether Facebook logs in", "Native login with Facebook"),
        login("google", "Whether an ID token from Google logs in", "Native login with Google"),
    ])
    .min(1)
    .describe("Login in native apps with social accounts")
}

pub(in crate::clients) fn fedcm_login() -> Schema {
    fedcm_logins(|login| login)
}

pub(in crate::clients) fn fedcm_login_patch() -> Schema {
    fedcm_logins(Schema::nullable).nullable()
}

fn fedcm_logins(finish: fn(Schema) -> Schema) -> Schema {
    let google = object([flag("is_enabled", "Whether the login page shows Google's prompt")]).min(1);
    object([optional("google", finish(google.describe("FedCM with Google")))])
        .min(1)
        .describe("Login by the browser's own account prompt")
}

pub(in crate::clients) fn async_approval_notification_channels() -> Schema {
    array(one_of(&["guardian-push", "email"]))
        .min(1)
        .describe("How users are told that approval is wanted: guardian-push, email")
}

// Logout

pub(in crate::clients) fn oidc_logout() -> Schema {
    backchannel_logout().describe("Whom we tell about the end of a session, and when")
}

pub(in crate::clients) fn oidc_backchannel_logout() -> Schema {
    backchannel_logout().describe("Older name of `oidc_logout`")
}

fn backchannel_logout() -> Schema {
    let initiator = one_of(&[
        "rp-logout",
        "idp-logout",
        "password-changed",
        "session-expired",
        "session-revoked",
        "account-deleted",
        "email-identifier-changed",
        "mfa-phone-unenrolled",
        "account-deactivated",
    ]);
    let initiators = object([
        optional(
            "mode",
            one_of(&["custom", "all"])
                .describe("Either `custom`, only `selected_initiators`, or `all`, future ones too"),
        ),
        optional("selected_initiators", array(initiator.describe("An event that starts a logout"))),
    ]);
    let metadata = object([flag("include", "Whether logout tokens carry session metadata")]);
    object([
        optional(
            "backchannel_logout_urls",
            array(format(Format::AbsoluteHttpsUriWithPlaceholdersOrEmpty))
                .describe("Where logout tokens are sent, one URL at present"),
        ),
        optional("backchannel_logout_initiators", initiators.open().describe("Events that start a logout")),
        optional(
            "backchannel_logout_session_metadata",
            metadata.open().nullable().describe("What logout tokens say about the session"),
        ),
    ])
    .open()
}
