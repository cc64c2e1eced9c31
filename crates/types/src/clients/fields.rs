//! The field table of the client resource.

use super::{Operation, schema};
use crate::Scope;
use crate::schema::{Member, Schema, optional, required};

/// Which read scopes reveal a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadGroup {
    /// Any scope that reads clients.
    Summary,
    /// `read:clients` or `read:client_keys`.
    Settings,
    /// `read:client_keys` or `read:client_credentials`.
    Keys,
}

impl ReadGroup {
    /// Scopes of which one reveals the field.
    #[must_use]
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Summary => super::READ_SCOPES,
            Self::Settings => &[Scope::READ_CLIENTS, Scope::READ_CLIENT_KEYS],
            Self::Keys => &[Scope::READ_CLIENT_KEYS, Scope::READ_CLIENT_CREDENTIALS],
        }
    }
}

/// Which write scopes may set a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteGuard {
    /// `create:clients`, `update:clients`.
    Settings,
    /// `update:client_keys`.
    Keys,
    /// `create:client_credentials`, `update:client_credentials`.
    Credentials,
    /// `create:client_credentials`, `update:client_token_vault_privileged_access`.
    TokenVault,
}

/// What a stored setting does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// A test flips it and sees another outcome.
    Enforced {
        /// The name of that test.
        test: &'static str,
    },
    /// It only describes.
    Echo,
    /// The flow that it governs is not served yet, so nothing can bypass it.
    Inert {
        /// That flow.
        flow: &'static str,
    },
}

/// How a `PATCH` changes a member that is an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// What is sent takes the place of what is stored.
    Replace,
    /// Each member that is sent takes the place of the stored one; `null` removes it.
    Members,
}

#[derive(Clone, Copy, Debug)]
enum Body {
    Refused,
    As(fn() -> Schema),
}

/// One field of a client.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// Who may read it.
    pub read: ReadGroup,
    /// Who may set it.
    pub write: WriteGuard,
    /// What it does.
    pub state: Enforcement,
    /// How a `PATCH` changes it.
    pub merge: Merge,
    /// Whether strict third-party clients may use it.
    pub curated: bool,
    create: Body,
    patch: Body,
    nullable_in_patch: bool,
}

impl Field {
    const fn new(name: &'static str, schema: fn() -> Schema) -> Self {
        Self {
            name,
            read: ReadGroup::Settings,
            write: WriteGuard::Settings,
            state: Enforcement::Echo,
            merge: Merge::Replace,
            curated: false,
            create: Body::As(schema),
            patch: Body::As(schema),
            nullable_in_patch: false,
        }
    }

    /// A field that only answers hold.
    const fn response_only(name: &'static str) -> Self {
        let mut field = Self::new(name, crate::schema::any);
        field.create = Body::Refused;
        field.patch = Body::Refused;
        field
    }

    const fn patch_only(mut self) -> Self {
        self.create = Body::Refused;
        self
    }

    const fn create_only(mut self) -> Self {
        self.patch = Body::Refused;
        self
    }

    /// `PATCH` takes another form than create.
    const fn patched_as(mut self, schema: fn() -> Schema) -> Self {
        self.patch = Body::As(schema);
        self
    }

    /// `null` in a `PATCH` removes the member.
    const fn removable(mut self) -> Self {
        self.nullable_in_patch = true;
        self
    }

    const fn merged(mut self) -> Self {
        self.merge = Merge::Members;
        self
    }

    /// Strict third-party clients may use it.
    const fn curated(mut self) -> Self {
        self.curated = true;
        self
    }

    const fn read(mut self, group: ReadGroup) -> Self {
        self.read = group;
        self
    }

    const fn write(mut self, guard: WriteGuard) -> Self {
        self.write = guard;
        self
    }

    const fn enforced(mut self, test: &'static str) -> Self {
        self.state = Enforcement::Enforced { test };
        self
    }

    const fn inert(mut self, flow: &'static str) -> Self {
        self.state = Enforcement::Inert { flow };
        self
    }

    /// Whether `POST /clients` takes the field.
    #[must_use]
    pub fn in_create(&self) -> bool {
        matches!(self.create, Body::As(_))
    }

    /// Whether `PATCH /clients/{id}` takes the field.
    #[must_use]
    pub fn in_patch(&self) -> bool {
        matches!(self.patch, Body::As(_))
    }

    pub(super) fn create_member(&self) -> Option<Member> {
        let Body::As(schema) = self.create else { return None };
        Some(if self.name == "name" { required(self.name, schema()) } else { optional(self.name, schema()) })
    }

    pub(super) fn patch_member(&self) -> Option<Member> {
        let Body::As(schema) = self.patch else { return None };
        let schema = if self.nullable_in_patch { schema().nullable() } else { schema() };
        Some(optional(self.name, schema))
    }

    /// Scopes of which one is needed to set the field.
    #[must_use]
    pub fn scopes_to_set(&self, operation: Operation) -> &'static [Scope] {
        match (operation, self.write) {
            (Operation::Create, WriteGuard::Settings | WriteGuard::Keys) => &[Scope::CREATE_CLIENTS],
            (Operation::Create, WriteGuard::Credentials | WriteGuard::TokenVault) => {
                &[Scope::CREATE_CLIENT_CREDENTIALS]
            }
            (Operation::Update, WriteGuard::Settings) => &[Scope::UPDATE_CLIENTS],
            (Operation::Update, WriteGuard::Keys) => &[Scope::UPDATE_CLIENT_KEYS],
            (Operation::Update, WriteGuard::Credentials) => &[Scope::UPDATE_CLIENT_CREDENTIALS],
            (Operation::Update, WriteGuard::TokenVault) => {
                &[Scope::UPDATE_CLIENT_TOKEN_VAULT_PRIVILEGED_ACCESS]
            }
        }
    }
}

/// The field of that name.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

use ReadGroup::{Keys, Summary};

const LOGIN: &str = "login (`/authorize`)";
const LOGOUT: &str = "logout";
const REFRESH: &str = "refresh tokens";
const PAR: &str = "pushed authorization requests (`/oauth/par`)";

/// Every field of a client.
pub const FIELDS: &[Field] = &[
    Field::response_only("tenant"),
    Field::response_only("global").enforced("the_global_client_cannot_be_deleted"),
    Field::new("is_token_endpoint_ip_header_trusted", schema::is_token_endpoint_ip_header_trusted)
        .curated()
        .inert("brute-force protection of password logins"),
    Field::new("name", schema::name).curated().read(Summary),
    Field::new("description", schema::description).curated().read(Summary),
    Field::new("logo_uri", schema::logo_uri).curated(),
    Field::new("callbacks", schema::callbacks).curated().inert(LOGIN),
    Field::new("oidc_logout", schema::oidc_logout).curated().removable().inert(LOGOUT),
    Field::new("oidc_backchannel_logout", schema::oidc_backchannel_logout)
        .curated()
        .removable()
        .inert(LOGOUT),
    Field::new("session_transfer", schema::session_transfer)
        .removable()
        .merged()
        .inert("native to web sign-on"),
    Field::new("allowed_logout_urls", schema::allowed_logout_urls).curated().inert(LOGOUT),
    Field::new("allowed_clients", schema::allowed_clients).inert("delegation"),
    Field::new("is_first_party", schema::is_first_party)
        .curated()
        .enforced("ownership_of_strict_clients_never_changes"),
    Field::new("oidc_conformant", schema::oidc_conformant).curated().inert(LOGIN),
    Field::new("encryption_key", schema::encryption_key).read(Keys).removable().inert("WS-Federation"),
    Field::new("sso", schema::sso).inert(LOGIN),
    Field::new("sso_disabled", schema::sso_disabled).inert(LOGIN),
    Field::new("cross_origin_authentication", schema::cross_origin_authentication)
        .inert("cross-origin login"),
    Field::new("cross_origin_auth", schema::cross_origin_auth).inert("cross-origin login"),
    Field::new("cross_origin_loc", schema::cross_origin_loc)
        .patched_as(schema::cross_origin_loc_patch)
        .inert("cross-origin login"),
    Field::new("custom_login_page", schema::custom_login_page)
        .patched_as(schema::custom_login_page_patch)
        .inert(LOGIN),
    Field::new("custom_login_page_preview", schema::custom_login_page_preview)
        .patched_as(schema::custom_login_page_preview_patch)
        .inert(LOGIN),
    Field::new("form_template", schema::form_template)
        .patched_as(schema::form_template_patch)
        .inert("WS-Federation"),
    Field::new("addons", schema::addons).removable().inert("SAML, WS-Federation and delegation"),
    Field::new("client_metadata", schema::client_metadata).curated().merged(),
    Field::new("mobile", schema::mobile).merged().inert("native apps"),
    Field::new("initiate_login_uri", schema::initiate_login_uri).curated().inert(LOGIN),
    Field::new("native_social_login", schema::native_social_login)
        .patched_as(schema::native_social_login_patch)
        .removable()
        .merged()
        .inert("native social login"),
    Field::new("fedcm_login", schema::fedcm_login)
        .patched_as(schema::fedcm_login_patch)
        .removable()
        .inert(LOGIN),
    Field::new("refresh_token", schema::refresh_token).curated().removable().inert(REFRESH),
    Field::new("default_organization", schema::default_organization)
        .curated()
        .removable()
        .enforced("the_default_organization_fills_in_where_one_is_required"),
    Field::new("organization_usage", schema::organization_usage).curated().removable().inert(LOGIN),
    Field::new("organization_require_behavior", schema::organization_require_behavior)
        .curated()
        .removable()
        .inert(LOGIN),
    Field::new("organization_discovery_methods", schema::organization_discovery_methods)
        .curated()
        .removable()
        .inert(LOGIN),
    Field::new("client_authentication_methods", schema::client_authentication_methods)
        .curated()
        .patched_as(schema::client_authentication_methods_patch)
        .removable()
        .read(Keys)
        .write(WriteGuard::Credentials)
        .enforced("a_client_with_keys_proves_itself_by_them_and_by_nothing_else"),
    Field::new("require_pushed_authorization_requests", schema::require_pushed_authorization_requests)
        .curated()
        .inert(PAR),
    Field::new("require_proof_of_possession", schema::require_proof_of_possession)
        .curated()
        .enforced("a_client_that_must_prove_possession_gets_no_bearer_token"),
    Field::new("signed_request_object", schema::signed_request_object)
        .curated()
        .patched_as(schema::signed_request_object_patch)
        .removable()
        .merged()
        .inert(LOGIN),
    Field::new("token_vault_privileged_access", schema::token_vault_privileged_access)
        .patched_as(schema::token_vault_privileged_access_patch)
        .removable()
        .write(WriteGuard::TokenVault)
        .inert("the Token Vault"),
    Field::new("compliance_level", schema::compliance_level).curated().removable().inert(LOGIN),
    Field::new(
        "skip_non_verifiable_callback_uri_confirmation_prompt",
        schema::skip_non_verifiable_callback_uri_confirmation_prompt,
    )
    .curated()
    .removable()
    .inert(LOGIN),
    Field::new("token_exchange", schema::token_exchange).removable().inert("token exchange"),
    Field::new("par_request_expiry", schema::par_request_expiry).curated().removable().inert(PAR),
    Field::new("token_quota", schema::token_quota)
        .curated()
        .removable()
        .enforced("a_client_gets_no_more_tokens_than_its_quota"),
    Field::new("resource_server_identifier", schema::resource_server_identifier)
        .create_only()
        .enforced("a_resource_server_client_needs_an_api_of_its_own"),
    Field::new("express_configuration", schema::express_configuration)
        .removable()
        .inert("Okta's Express Configuration"),
    Field::new("my_organization_configuration", schema::my_organization_configuration)
        .removable()
        .inert("the My Organization API"),
    Field::new("async_approval_notification_channels", schema::async_approval_notification_channels)
        .removable()
        .inert("backchannel authentication (`/bc-authorize`)"),
    Field::new("identity_assertion_authorization_grant", schema::identity_assertion_authorization_grant)
        .removable()
        .inert("identity assertion grants"),
    Field::new("third_party_security_mode", schema::third_party_security_mode)
        .curated()
        .enforced("strict_third_party_clients_keep_to_the_curated_set"),
    Field::new("redirection_policy", schema::redirection_policy).curated().inert(LOGIN),
    Field::response_only("external_client_id").enforced("a_document_registers_a_client_once"),
    Field::response_only("external_metadata_type").enforced("clients_with_a_document_change_only_beside_it"),
    Field::response_only("external_metadata_created_by"),
    Field::response_only("jwks_uri").enforced("keys_of_a_document_prove_the_client"),
    Field::response_only("owners"),
    Field::response_only("encrypted"),
    Field::response_only("signing_keys").read(Keys),
    Field::new("allowed_origins", schema::allowed_origins).curated().inert(LOGIN),
    Field::response_only("client_id").read(Summary).enforced("every_operation_of_the_life_of_a_client"),
    Field::response_only("callback_url_template"),
    Field::new("client_secret", schema::client_secret)
        .curated()
        .patch_only()
        .read(Keys)
        .write(WriteGuard::Keys)
        .enforced("a_rotated_secret_works_at_once_and_the_old_one_never_again"),
    Field::new("jwt_configuration", schema::jwt_configuration).curated().merged().inert("ID tokens"),
    Field::new("client_aliases", schema::client_aliases).enforced("two_clients_cannot_share_an_alias"),
    Field::new("token_endpoint_auth_method", schema::token_endpoint_auth_method)
        .curated()
        .removable()
        .enforced("the_stored_method_decides_how_a_client_authenticates"),
    Field::new("app_type", schema::app_type)
        .curated()
        .read(Summary)
        .enforced("a_resource_server_client_needs_an_api_of_its_own"),
    Field::new("grant_types", schema::grant_types)
        .curated()
        .enforced("a_grant_type_that_is_not_enabled_is_refused"),
    Field::new("web_origins", schema::web_origins).curated().inert(LOGIN),
    Field::new("custom_login_page_on", schema::custom_login_page_on).inert(LOGIN),
];

/// Members of the last part of an answer, in their fixed order; see [`super::ClientDocument`].
pub const TAIL: &[&str] = &[
    "allowed_origins",
    "client_id",
    "callback_url_template",
    "client_secret",
    "jwt_configuration",
    "client_aliases",
    "token_endpoint_auth_method",
    "app_type",
    "grant_types",
    "web_origins",
    "custom_login_page_on",
];
