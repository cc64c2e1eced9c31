//! What each member of a client must look like in a request body: one function per member, named after it.
//!
//! A function describes the member in `POST /clients`. Where `PATCH /clients/{id}` takes something else than
//! that or `null`, a twin ending in `_patch` says what. Add-ons have their own file; rules that look at more
//! than one member are elsewhere.

mod authentication;
mod login;
mod organizations;
#[cfg(test)]
mod tests;
mod tokens;

use crate::format::Format;
use crate::schema::{Member, Schema, array, boolean, format, object, one_of, optional, string};

pub(super) use super::addons::addons;
pub(crate) use authentication::*;
pub(super) use login::*;
pub(super) use organizations::*;
pub(super) use tokens::*;

/// The longest identifier of an API.
const MAX_AUDIENCE: u32 = 600;

/// A switch that may be left out.
pub(super) fn flag(name: &'static str, description: &'static str) -> Member {
    optional(name, boolean().describe(description))
}

/// A text without further rules that may be left out.
pub(super) fn text(name: &'static str, description: &'static str) -> Member {
    optional(name, string().describe(description))
}

// Who the client is

pub(super) fn name() -> Schema {
    string().pattern("^[^<>]+$").describe("Shown to people, at least one character, neither `<` nor `>`")
}

pub(super) fn description() -> Schema {
    string().max(140).describe("What the client is, in at most 140 characters")
}

pub(super) fn client_secret() -> Schema {
    string().min(1).describe("The secret that the client authenticates with")
}

pub(super) fn app_type() -> Schema {
    one_of(&[
        "native",
        "spa",
        "regular_web",
        "non_interactive",
        "resource_server",
        "express_configuration",
        "rms",
        "box",
        "cloudbees",
        "concur",
        "dropbox",
        "mscrm",
        "echosign",
        "egnyte",
        "newrelic",
        "office365",
        "salesforce",
        "sentry",
        "sharepoint",
        "slack",
        "springcm",
        "zendesk",
        "zoom",
        "sso_integration",
        "oag",
    ])
    .describe("What kind of application this is")
}

pub(super) fn logo_uri() -> Schema {
    format(Format::AbsoluteUriOrEmpty).describe("Where the logo is, best at 150x150 pixels")
}

pub(super) fn is_first_party() -> Schema {
    boolean().describe("Whether the tenant's owner runs the client")
}

pub(super) fn third_party_security_mode() -> Schema {
    one_of(&["strict", "permissive"]).describe("How closely a third-party client is held to current practice")
}

pub(super) fn resource_server_identifier() -> Schema {
    string().min(1).max(MAX_AUDIENCE).describe("The API that this client stands for")
}

pub(super) fn client_metadata() -> Schema {
    object([])
        .open_with(string().max(255).nullable())
        .max(10)
        .describe("Up to 10 texts of your own, each at most 255 characters")
}

// Where browsers may come from and go to

pub(super) fn callbacks() -> Schema {
    array(format(Format::CallbackUrl)).describe("Where users may be sent back after login")
}

pub(super) fn allowed_origins() -> Schema {
    origins().describe("Origins whose scripts may call us, besides those of callbacks")
}

pub(super) fn web_origins() -> Schema {
    origins().describe("Origins for cross-origin login, device flow and web messages")
}

pub(super) fn allowed_logout_urls() -> Schema {
    origins().describe("Where users may be sent after logout, wildcard subdomains included")
}

fn origins() -> Schema {
    array(format(Format::UrlWithPlaceholders))
}

pub(super) fn initiate_login_uri() -> Schema {
    format(Format::AbsoluteHttpsUriWithPlaceholdersOrEmpty).describe("Where login starts, must be https")
}

pub(super) fn redirection_policy() -> Schema {
    one_of(&["allow_always", "open_redirect_protection"])
        .describe("Whether errors and email links may lead to a callback")
}

pub(super) fn skip_non_verifiable_callback_uri_confirmation_prompt() -> Schema {
    boolean().describe("Whether callbacks like `myapp://` or localhost are used without asking the user")
}

// Delegation and protocols of old

pub(super) fn client_aliases() -> Schema {
    array(string().min(1).max(600)).describe("Audiences or realms of the client in SAML and WS-Federation")
}

pub(super) fn allowed_clients() -> Schema {
    array(string().min(1)).describe("Clients and APIs that may ask for delegation, all if empty")
}

pub(super) fn encryption_key() -> Schema {
    object([
        text("pub", "RSA public key"),
        text("cert", "X.509 certificate of the public key"),
        text("subject", "Name that the certificate is made out to, like `/CN={domain}`"),
    ])
    .open()
    .nullable()
    .describe("Encrypts the client's WS-Federation responses")
}

pub(super) fn form_template() -> Schema {
    form_template_patch().min(1)
}

pub(super) fn form_template_patch() -> Schema {
    string().describe("HTML form that carries WS-Federation responses")
}

pub(super) fn sso() -> Schema {
    boolean().describe("Whether single sign-on happens here and not at the identity provider")
}

pub(super) fn sso_disabled() -> Schema {
    boolean().describe("Whether single sign-on is switched off")
}
