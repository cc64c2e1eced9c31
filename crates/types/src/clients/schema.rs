//! What each member of a client must look like in a request body: one function per member, named after it.
//!
//! A function describes the member in `POST /clients`. Where `PATCH /clients/{id}` takes something else than
//! that or `null`, a twin ending in `_patch` says what. Add-ons have their own file; rules that look at more
//! than one member are elsewhere.

use crate::format::Format;
use crate::schema::{
    Member, Schema, any_of, array, boolean, format, integer, object, one_of, optional, required, string,
};

pub(super) use super::addons::addons;

pub(crate) const CREDENTIAL_ALGORITHMS: &[&str] = &["RS256", "RS384", "PS256"];

/// The longest identifier of an API.
const MAX_AUDIENCE: u32 = 600;

/// Five years of 365.25 days, in seconds.
const MAX_TOKEN_LIFETIME: u32 = 157_788_000;

/// The largest 32-bit signed integer.
const MAX_QUOTA: u32 = 2_147_483_647;

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
    array(string().min(1)).describe("Audiences or realms of the client in SAML and WS-Federation")
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

// Tokens

pub(super) fn grant_types() -> Schema {
    array(string().min(1)).describe("Grants with which the client may ask for tokens")
}

pub(super) fn oidc_conformant() -> Schema {
    boolean().describe("Whether OpenID Connect is followed strictly, without legacy features")
}

pub(super) fn jwt_configuration() -> Schema {
    object([
        optional("lifetime_in_seconds", integer().describe("Seconds until an ID token expires")),
        flag("secret_encoded", "Whether the secret is kept as base64"),
        optional("scopes", object([]).open().describe("Claims of ID tokens")),
        optional(
            "alg",
            one_of(&["HS256", "RS256", "RS512", "PS256"])
                .describe("Algorithm that ID tokens are signed with"),
        ),
    ])
    .open()
    .describe("How ID tokens for the client are made")
}

pub(super) fn refresh_token() -> Schema {
    let policy = object([
        required("audience", string().min(1).max(MAX_AUDIENCE).describe("The API that the policy is about")),
        required(
            "scope",
            array(string().min(1).max(280).describe("A permission of that API"))
                .describe("Permissions that an access token for that API may get"),
        ),
    ]);
    object([
        required(
            "rotation_type",
            one_of(&["rotating", "non-rotating"])
                .describe("Whether use replaces a token: rotating, non-rotating"),
        ),
        required(
            "expiration_type",
            one_of(&["expiring", "non-expiring"]).describe("Whether tokens end: expiring, non-expiring"),
        ),
        optional(
            "leeway",
            integer().min(0).describe("Seconds in which a replaced token may still be used without alarm"),
        ),
        optional(
            "token_lifetime",
            integer().min(1).max(MAX_TOKEN_LIFETIME).describe("Seconds until a token ends, used or not"),
        ),
        flag("infinite_token_lifetime", "Whether tokens have no set end, whatever `token_lifetime` says"),
        optional("idle_token_lifetime", integer().min(1).describe("Seconds until an unused token ends")),
        flag(
            "infinite_idle_token_lifetime",
            "Whether unused tokens stay, whatever `idle_token_lifetime` says",
        ),
        optional(
            "policies",
            array(policy)
                .min(1)
                .nullable()
                .describe("APIs that a refresh token can also get access tokens for"),
        ),
    ])
    .nullable()
    .describe("How refresh tokens of the client live and end")
}

pub(super) fn session_transfer() -> Schema {
    let delegation = object([
        flag("allow_delegated_access", "Whether a session transfer token may act for another user"),
        optional(
            "enforce_device_binding",
            one_of(&["ip", "asn"]).describe("What must stay the same while acting for another user"),
        ),
    ]);
    object([
        flag("can_create_session_transfer_token", "Whether the client may get session transfer tokens"),
        flag("enforce_cascade_revocation", "Whether revoking the refresh token ends what came from it"),
        optional(
            "allowed_authentication_methods",
            array(one_of(&["cookie", "query"]))
                .nullable()
                .describe("How a session transfer token may be handed to the client"),
        ),
        optional(
            "enforce_device_binding",
            one_of(&["ip", "asn", "none"]).describe("What must stay the same from issue to use"),
        ),
        flag("allow_refresh_token", "Whether such a login may yield refresh tokens"),
        flag("enforce_online_refresh_tokens", "Whether those refresh tokens end with the session"),
        optional(
            "delegation",
            delegation.nullable().describe("Acting for another user by session transfer token"),
        ),
    ])
    .nullable()
    .describe("Single sign-on from native apps to the web")
}

pub(super) fn token_exchange() -> Schema {
    let kind = one_of(&["custom_authentication", "on_behalf_of_token_exchange"])
        .describe("A kind of token exchange");
    object([optional(
        "allow_any_profile_of_type",
        array(kind).describe("Kinds of token exchange that the client may use"),
    )])
    .describe("Which tokens the client may trade for others")
}

pub(super) fn token_quota() -> Schema {
    let tokens = || integer().min(1).max(MAX_QUOTA);
    object([required(
        "client_credentials",
        object([
            flag("enforce", "Whether requests beyond the quota are refused and not only logged"),
            optional("per_day", tokens().describe("Tokens that may be issued in a day")),
            optional("per_hour", tokens().describe("Tokens that may be issued in an hour")),
        ])
        .min(1)
        .describe("Quota of machine-to-machine tokens"),
    )])
    .describe("How many tokens the client may get")
}

pub(super) fn identity_assertion_authorization_grant() -> Schema {
    object([required("active", boolean().describe("Whether the client may use the grant"))])
        .describe("The identity assertion authorization grant")
}

// How the client authenticates

pub(super) fn token_endpoint_auth_method() -> Schema {
    one_of(&["none", "client_secret_post", "client_secret_basic"])
        .describe("How the client authenticates at the token endpoint, if by secret")
}

pub(super) fn is_token_endpoint_ip_header_trusted() -> Schema {
    boolean().describe("Whether `auth0-forwarded-for` is believed to hold the user's address")
}

pub(super) fn client_authentication_methods() -> Schema {
    authentication_methods(public_key_credential(), cert_subject_dn_credential(), x509_cert_credential())
}

pub(super) fn client_authentication_methods_patch() -> Schema {
    authentication_methods(credential_id(), credential_id(), credential_id()).nullable()
}

fn authentication_methods(public_key: Schema, subject_dn: Schema, certificate: Schema) -> Schema {
    let method = |name, credential, description| {
        let credentials = array(credential).describe("Credentials that are accepted with this method");
        optional(name, object([required("credentials", credentials)]).describe(description))
    };
    object([
        method("private_key_jwt", public_key, "Authentication by an assertion that the client signs"),
        method("tls_client_auth", subject_dn, "Authentication by a certificate that an authority issued"),
        method("self_signed_tls_client_auth", certificate, "Authentication by a self-signed certificate"),
    ])
    .min(1)
    .max(1)
    .describe("How the client authenticates, if not by secret")
}

pub(super) fn signed_request_object() -> Schema {
    request_object(public_key_credential())
}

pub(super) fn signed_request_object_patch() -> Schema {
    request_object(credential_id()).nullable()
}

fn request_object(credential: Schema) -> Schema {
    object([
        flag("required", "Whether unsigned authorization requests are refused"),
        optional("credentials", array(credential)),
    ])
    .describe("Authorization requests that are signed by the client")
}

pub(super) fn token_vault_privileged_access() -> Schema {
    privileged_access(public_key_credential())
}

pub(super) fn token_vault_privileged_access_patch() -> Schema {
    privileged_access(credential_id()).nullable()
}

fn privileged_access(credential: Schema) -> Schema {
    let address =
        any_of([format(Format::Ipv4), format(Format::Ipv6), format(Format::Cidr), format(Format::Ipv6Cidr)]);
    let grant = object([
        required("connection", string().min(1).describe("Name of the connection that issued the tokens")),
        required("scopes", array(string().min(1)).describe("Scopes that tokens may be asked for")),
    ]);
    object([
        required("credentials", array(credential)),
        optional("ip_allowlist", array(address)),
        optional("grants", array(grant).describe("Which tokens the client may ask for")),
    ])
    .describe("Access to users' tokens in the vault without the user")
}

pub(super) fn require_pushed_authorization_requests() -> Schema {
    boolean().describe("Whether authorization requests have to be pushed first")
}

pub(super) fn par_request_expiry() -> Schema {
    integer().min(10).max(600).nullable().describe("Seconds until a pushed authorization request expires")
}

pub(super) fn require_proof_of_possession() -> Schema {
    boolean().describe("Whether tokens are bound to a key of the client")
}

pub(super) fn compliance_level() -> Schema {
    one_of(&["none", "fapi1_adv_pkj_par", "fapi1_adv_mtls_par", "fapi2_sp_pkj_mtls", "fapi2_sp_mtls_mtls"])
        .nullable()
        .describe("The security profile that the client is held to")
}

// Credentials

/// A new credential that is a public key.
pub(crate) fn public_key_credential() -> Schema {
    object([
        credential_type(&["public_key"]),
        credential_name(),
        required("pem", string().describe("Public key (SPKI or PKCS#1) or X.509 certificate, as PEM")),
        optional(
            "alg",
            one_of(CREDENTIAL_ALGORITHMS).describe("Algorithm of the key: RS256 (default), RS384, PS256"),
        ),
        flag("parse_expiry_from_cert", "Whether the certificate says when the credential expires"),
        optional(
            "expires_at",
            format(Format::DateTime).describe("When the credential expires, never if left out"),
        ),
        optional(
            "kid",
            string()
                .min(10)
                .max(64)
                .pattern("^([0-9a-zA-Z-_]{10,64})$")
                .describe("Key id in the client's JWTs, made up if left out"),
        ),
    ])
}

/// A new credential that is the subject of certificates, named directly or by an example of them.
pub(crate) fn cert_subject_dn_credential() -> Schema {
    object([
        credential_type(&["cert_subject_dn"]),
        credential_name(),
        optional(
            "subject_dn",
            string().min(1).max(256).describe("Subject of the certificate, instead of `pem`"),
        ),
        optional("pem", certificate().describe("X.509 certificate as PEM, instead of `subject_dn`")),
    ])
}

/// A new credential that is one certificate.
pub(crate) fn x509_cert_credential() -> Schema {
    object([
        credential_type(&["x509_cert"]),
        credential_name(),
        required("pem", certificate().describe("X.509 certificate as PEM")),
    ])
}

fn credential_type(only: &'static [&'static str]) -> Member {
    required("credential_type", one_of(only).describe("What kind of credential this is"))
}

fn credential_name() -> Member {
    optional("name", string().max(128).describe("What people call the credential"))
}

fn certificate() -> Schema {
    string().min(1).max(4096)
}

/// A credential that the client already has.
fn credential_id() -> Schema {
    object([required("id", format(Format::CredentialId).describe("Id of one of the client's credentials"))])
}

// Login

pub(super) fn cross_origin_authentication() -> Schema {
    boolean().describe("Whether users may log in from pages of other origins")
}

pub(super) fn cross_origin_auth() -> Schema {
    boolean().describe("Older name of `cross_origin_authentication`")
}

pub(super) fn cross_origin_loc() -> Schema {
    verification_page(Format::Url)
}

pub(super) fn cross_origin_loc_patch() -> Schema {
    verification_page(Format::UrlOrNull).nullable()
}

fn verification_page(url: Format) -> Schema {
    format(url).describe("Your page on which cross-origin logins are verified")
}

pub(super) fn custom_login_page_on() -> Schema {
    boolean().describe("Whether the custom login page is shown, true unless said otherwise")
}

pub(super) fn custom_login_page() -> Schema {
    custom_login_page_patch().min(1)
}

pub(super) fn custom_login_page_patch() -> Schema {
    string().describe("Custom login page, with its styles and scripts")
}

pub(super) fn custom_login_page_preview() -> Schema {
    custom_login_page_preview_patch().min(1)
}

pub(super) fn custom_login_page_preview_patch() -> Schema {
    string().describe("Custom login page as shown in previews")
}

pub(super) fn mobile() -> Schema {
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

pub(super) fn native_social_login() -> Schema {
    social_logins(|login| login)
}

pub(super) fn native_social_login_patch() -> Schema {
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

pub(super) fn fedcm_login() -> Schema {
    fedcm_logins(|login| login)
}

pub(super) fn fedcm_login_patch() -> Schema {
    fedcm_logins(Schema::nullable).nullable()
}

fn fedcm_logins(finish: fn(Schema) -> Schema) -> Schema {
    let google = object([flag("is_enabled", "Whether the login page shows Google's prompt")]).min(1);
    object([optional("google", finish(google.describe("FedCM with Google")))])
        .min(1)
        .describe("Login by the browser's own account prompt")
}

pub(super) fn async_approval_notification_channels() -> Schema {
    array(one_of(&["guardian-push", "email"]))
        .min(1)
        .describe("How users are told that approval is wanted: guardian-push, email")
}

// Logout

pub(super) fn oidc_logout() -> Schema {
    backchannel_logout().describe("Whom we tell about the end of a session, and when")
}

pub(super) fn oidc_backchannel_logout() -> Schema {
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

// Organizations

pub(super) fn default_organization() -> Schema {
    object([
        required("organization_id", format(Format::OrganizationId).describe("Id of the organization")),
        required(
            "flows",
            array(one_of(&["client_credentials"])).describe("Flows in which the organization is assumed"),
        ),
    ])
    .nullable()
    .describe("The organization that is assumed when a request names none")
}

pub(super) fn organization_usage() -> Schema {
    one_of(&["deny", "allow", "require"])
        .describe("Whether users log in to an organization: deny (default), allow, require")
}

pub(super) fn organization_require_behavior() -> Schema {
    one_of(&["no_prompt", "pre_login_prompt", "post_login_prompt"])
        .describe("When users are asked for a required organization, `no_prompt` by default")
}

pub(super) fn organization_discovery_methods() -> Schema {
    array(
        one_of(&["email", "organization_name"])
            .describe("By domain of the `email`, or by `organization_name`"),
    )
    .min(1)
    .describe("How users find their organization in `pre_login_prompt`")
}

pub(super) fn express_configuration() -> Schema {
    let linked =
        object([required("client_id", format(Format::ClientId).describe("Id of the linked client"))]);
    object([
        required(
            "initiate_login_uri_template",
            format(Format::EcInitiateLoginUriTemplateUrl)
                .describe("Bookmark for login, with organization_name, organization_id and connection_name"),
        ),
        required(
            "user_attribute_profile_id",
            format(Format::UserAttributeProfileId)
                .describe("User attribute profile of the application, by id"),
        ),
        required(
            "connection_profile_id",
            format(Format::ConnectionProfileId).describe("Connection profile of the application, by id"),
        ),
        required("enable_client", boolean().describe("Whether new connections are enabled for the client")),
        required(
            "enable_organization",
            boolean().describe("Whether new connections are enabled for their organization"),
        ),
        optional(
            "linked_clients",
            array(linked.describe("A linked client"))
                .describe("Other clients of the application, web or mobile"),
        ),
        required(
            "okta_oin_client_id",
            format(Format::ClientId)
                .describe("Id of the client through which Okta configures the application"),
        ),
        required(
            "admin_login_domain",
            string().min(1).describe("Domain on which administrators log in, the tenant's or a custom one"),
        ),
        optional(
            "oin_submission_id",
            string().min(1).max(200).describe("Id of the application as published by Okta"),
        ),
    ])
    .describe("Set-up through Okta's Express Configuration")
}

pub(super) fn my_organization_configuration() -> Schema {
    let strategy = one_of(&["pingfederate", "adfs", "waad", "google-apps", "okta", "oidc", "samlp"]);
    object([
        optional(
            "connection_profile_id",
            format(Format::ConnectionProfileId).describe("Id of the connection profile to check against"),
        ),
        optional(
            "user_attribute_profile_id",
            format(Format::UserAttributeProfileId)
                .describe("Id of the user attribute profile to check against"),
        ),
        required(
            "allowed_strategies",
            array(strategy.describe("A kind of connection"))
                .describe("Kinds of connections that may be made"),
        ),
        required(
            "connection_deletion_behavior",
            one_of(&["allow", "allow_if_empty"]).describe("Which connections may be deleted"),
        ),
        optional(
            "invitation_landing_client_id",
            format(Format::ClientId).describe("Id of the client that invitations lead to"),
        ),
    ])
    .describe("What organizations may manage themselves through the client")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Part;
    use serde_json::{Value, json};

    /// Every good value passes; every bad one is refused with a message that holds the text beside it.
    fn check(schema: &Schema, good: &[Value], bad: &[(Value, &str)]) {
        for value in good {
            assert_eq!(schema.check(Part::Payload, value), Ok(()), "{value}");
        }
        for (value, expected) in bad {
            let message = schema.check(Part::Payload, value).expect_err(&value.to_string()).to_string();
            assert!(message.contains(expected), "{value}: {message}");
        }
    }

    const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----";
    const CREDENTIAL: &str = "cred_u48ffSJiNu39cUu2jAxjY2";

    #[test]
    fn a_client_has_a_name_without_angle_brackets() {
        check(
            &name(),
            &[json!("x"), json!("Größe & mehr")],
            &[
                (json!(""), "does not match pattern ^[^<>]+$: "),
                (json!("<b>"), "<b>"),
                (json!(null), "found type null"),
            ],
        );
    }

    #[test]
    fn metadata_holds_a_few_short_texts() {
        check(
            &client_metadata(),
            &[json!({}), json!({"a": "", "b": null, "c": "ä".repeat(255)})],
            &[
                (json!({"a": 1}), "Expected type string,null but found type integer' on property a"),
                (json!({"a": "x".repeat(256)}), "maximum 255' on property a"),
                (
                    Value::Object((0..11).map(|i| (i.to_string(), json!(""))).collect()),
                    "Too many properties defined (11)",
                ),
            ],
        );
    }

    #[test]
    fn refresh_tokens_need_both_types() {
        let sent = |more: Value| {
            let mut body = json!({"rotation_type": "rotating", "expiration_type": "expiring"});
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            body
        };
        check(
            &refresh_token(),
            &[
                json!(null),
                sent(json!({})),
                sent(json!({"leeway": 0, "token_lifetime": MAX_TOKEN_LIFETIME, "policies": null})),
                sent(json!({"policies": [{"audience": "x", "scope": ["read", "write"]}]})),
            ],
            &[
                (json!({"rotation_type": "rotating"}), "Missing required property: expiration_type"),
                (
                    sent(json!({"rotation_type": "always"})),
                    "No enum match for: always' on property rotation_type",
                ),
                (sent(json!({"leeway": -1})), "Value -1 is less than minimum 0"),
                (sent(json!({"token_lifetime": 157_788_001})), "greater than maximum 157788000"),
                (sent(json!({"idle_token_lifetime": 0})), "less than minimum 1"),
                (sent(json!({"policies": []})), "Array is too short (0), minimum 1' on property policies"),
                (sent(json!({"policies": [{"audience": "x"}]})), "Missing required property: scope"),
                (
                    sent(json!({"policies": [{"audience": "x", "scope": [""]}]})),
                    "on property policies[0].scope[0]",
                ),
                (sent(json!({"rotation": true})), "Additional properties not allowed: rotation"),
            ],
        );
    }

    #[test]
    fn session_transfer_has_nullable_parts() {
        check(
            &session_transfer(),
            &[
                json!(null),
                json!({"delegation": null, "allowed_authentication_methods": null}),
                json!({"allowed_authentication_methods": ["cookie"], "enforce_device_binding": "none"}),
                json!({"delegation": {"allow_delegated_access": true, "enforce_device_binding": "asn"}}),
            ],
            &[
                (json!({"enforce_device_binding": null}), "Expected type string but found type null"),
                (json!({"delegation": {"enforce_device_binding": "none"}}), "No enum match for: none"),
                (json!({"allowed_authentication_methods": ["header"]}), "No enum match for: header"),
                (json!({"x": 1}), "Additional properties not allowed: x"),
            ],
        );
    }

    #[test]
    fn a_client_is_created_with_whole_credentials() {
        let by = |method: &str, credential: Value| json!({method: {"credentials": [credential]}});
        let jwt = |credential| by("private_key_jwt", credential);
        let key = |name: &str, value: Value| {
            let mut body = json!({"credential_type": "public_key", "pem": KEY});
            body[name] = value;
            jwt(body)
        };
        check(
            &client_authentication_methods(),
            &[
                json!({"private_key_jwt": {"credentials": []}}),
                key("name", json!("Key")),
                key("alg", json!("PS256")),
                key("kid", json!("0aZ-_bcdef")),
                key("expires_at", json!("2095-05-13T09:33:13.000Z")),
                by("tls_client_auth", json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=x"})),
                by("self_signed_tls_client_auth", json!({"credential_type": "x509_cert", "pem": "x"})),
            ],
            &[
                (json!(null), "Expected type object but found type null"),
                (json!({}), "Too few properties defined (0), minimum 1"),
                (
                    json!({"private_key_jwt": {"credentials": []}, "tls_client_auth": {"credentials": []}}),
                    "Too many properties defined (2), maximum 1",
                ),
                (json!({"private_key_jwt": {}}), "Missing required property: credentials"),
                (jwt(json!({"id": CREDENTIAL})), "Additional properties not allowed: id"),
                (jwt(json!({"credential_type": "x509_cert", "pem": KEY})), "No enum match for: x509_cert"),
                (key("name", json!("x".repeat(129))), "maximum 128"),
                (key("alg", json!("HS256")), "No enum match for: HS256"),
                (key("kid", json!("short")), "String is too short (5 chars), minimum 10"),
                (
                    key("kid", json!("0123456789.")),
                    "does not match pattern ^([0-9a-zA-Z-_]{10,64})$: 0123456789.",
                ),
                (key("expires_at", json!("tomorrow")), "format date-time: tomorrow"),
                (
                    by("self_signed_tls_client_auth", json!({"credential_type": "x509_cert"})),
                    "Missing required property: pem",
                ),
            ],
        );
    }

    #[test]
    fn a_client_is_changed_with_ids_of_credentials() {
        let by_id = json!([{"id": CREDENTIAL}]);
        check(
            &client_authentication_methods_patch(),
            &[
                json!(null),
                json!({"private_key_jwt": {"credentials": by_id}}),
                json!({"tls_client_auth": {"credentials": []}}),
            ],
            &[
                (
                    json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}}),
                    "format credential-id: cred_1",
                ),
                (
                    json!({"private_key_jwt": {"credentials": [{"pem": KEY}]}}),
                    "Additional properties not allowed: pem",
                ),
            ],
        );
        check(
            &signed_request_object_patch(),
            &[json!({"required": true}), json!({"credentials": by_id})],
            &[],
        );
        check(
            &token_vault_privileged_access_patch(),
            &[
                json!({"credentials": by_id, "ip_allowlist": ["10.0.0.1", "::1", "10.0.0.0/8", "fc00::/7"]}),
                json!({"credentials": [], "ip_allowlist": [], "grants": []}),
                json!({"credentials": [], "grants": [{"connection": "github", "scopes": ["repo"]}]}),
            ],
            &[
                (json!({"grants": []}), "Missing required property: credentials"),
                (
                    json!({"credentials": [], "ip_allowlist": ["example.com"]}),
                    "None of the valid schemas were met",
                ),
                (
                    json!({"credentials": [], "grants": [{"connection": "github"}]}),
                    "Missing required property: scopes",
                ),
            ],
        );
    }

    #[test]
    fn quotas_say_at_least_one_thing() {
        check(
            &token_quota(),
            &[
                json!({"client_credentials": {"enforce": true}}),
                json!({"client_credentials": {"per_day": 1, "per_hour": MAX_QUOTA}}),
            ],
            &[
                (json!({}), "Missing required property: client_credentials"),
                (json!({"client_credentials": {}}), "Too few properties defined (0), minimum 1"),
                (json!({"client_credentials": {"per_day": 0}}), "Value 0 is less than minimum 1"),
                (
                    json!({"client_credentials": {"per_hour": 2_147_483_648_u32}}),
                    "greater than maximum 2147483647",
                ),
            ],
        );
    }

    #[test]
    fn apps_have_fingerprints_if_any() {
        check(
            &mobile(),
            &[
                json!({}),
                json!({"android": {"sha256_cert_fingerprints": ["D8:A0"]}, "ios": {"x": 1}, "x": 1}),
            ],
            &[
                (json!({"android": {"sha256_cert_fingerprints": []}}), "Array is too short (0), minimum 1"),
                (
                    json!({"ios": {"team_id": 9}}),
                    "Expected type string but found type integer' on property ios.team_id",
                ),
                (json!({"ios": null}), "Expected type object but found type null"),
            ],
        );
    }

    #[test]
    fn some_members_take_more_when_changed() {
        check(
            &cross_origin_loc(),
            &[json!("https://a.b/c")],
            &[(json!("a"), "format url: a"), (json!(null), "type null")],
        );
        check(
            &cross_origin_loc_patch(),
            &[json!("https://a.b/c"), json!(null)],
            &[(json!("a"), "format url-or-null: a")],
        );
        check(
            &custom_login_page(),
            &[json!("x")],
            &[(json!(""), "String is too short (0 chars), minimum 1")],
        );
        check(&custom_login_page_patch(), &[json!(""), json!("x")], &[]);
        check(
            &native_social_login(),
            &[json!({"apple": {"enabled": true}})],
            &[(json!({"apple": null}), "type null")],
        );
        check(
            &native_social_login_patch(),
            &[json!(null), json!({"apple": null})],
            &[(json!({}), "Too few")],
        );
        check(
            &fedcm_login(),
            &[json!({"google": {"is_enabled": false}})],
            &[(json!({"google": {}}), "Too few")],
        );
        check(&fedcm_login_patch(), &[json!({"google": null})], &[(json!({}), "Too few")]);
    }

    #[test]
    fn add_ons_have_patterns_and_limits() {
        let blob = |name: &str, value: Value| json!({"azure_blob": {name: value}});
        let key = format!("{}==", "aZ0+/9".repeat(15)[..86].to_owned());
        check(
            &addons(),
            &[
                json!({}),
                json!({"box": {}, "samlp": {"logout": {}, "mappings": {}}, "oag": null}),
                blob("accountName", json!("acme")),
                blob("storageAccessKey", json!(key)),
                blob("containerName", json!("my-container")),
                blob("blobName", json!("ä".repeat(1024))),
                json!({"sharepoint": {"external_url": "a"}}),
                json!({"sharepoint": {"external_url": ["a", "b"]}}),
                json!({"aws": {"lifetime_in_seconds": 900}}),
            ],
            &[
                (json!({"other": {}}), "Additional properties not allowed: other"),
                (json!({"box": null}), "Expected type object but found type null"),
                (json!({"oag": {"x": 1}}), "Additional properties not allowed: x"),
                (blob("accountName", json!("Acme")), "^([a-z0-9]){3,24}$: Acme"),
                (blob("storageAccessKey", json!("a==")), "^([A-Za-z0-9+/]){86}==$: a=="),
                (blob("containerName", json!("-a-")), "^([a-z0-9]){1}([a-z0-9-]){2,62}$: -a-"),
                (blob("blobName", json!("")), "^(.){1,1024}$: "),
                (json!({"aws": {"lifetime_in_seconds": 899}}), "Value 899 is less than minimum 900"),
                (json!({"sharepoint": {"external_url": 1}}), "None of the valid schemas were met"),
                (json!({"rms": {}}), "Missing required property: url"),
                (json!({"layer": {"keyId": "x"}}), "Missing required property: providerId"),
            ],
        );
    }
}
