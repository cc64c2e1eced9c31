//! Clients as types: what a create request holds, what an update changes, and what answers show.
//!
//! Every nested object keeps the members that this version does not know.

use crate::wire::{ClientId, CredentialId, OrganizationId, Secret, wire_enum};
use crate::{Object, Patch};
use serde::{Deserialize, Serialize};
use serde_json::Value;

wire_enum! {
    /// What kind of application a client is.
    AppType {
        /// A mobile or desktop app.
        Native = "native",
        /// A single-page app in a browser.
        Spa = "spa",
        /// A web app with a server.
        RegularWeb = "regular_web",
        /// A machine-to-machine client.
        NonInteractive = "non_interactive",
        /// The client of an API itself.
        ResourceServer = "resource_server",
        /// The client of an express configuration.
        ExpressConfiguration = "express_configuration",
        /// A single sign-on integration.
        SsoIntegration = "sso_integration",
    }
}

wire_enum! {
    /// How a client sends its secret.
    TokenEndpointAuthMethod {
        /// Not at all: a public client.
        None = "none",
        /// In the body.
        ClientSecretPost = "client_secret_post",
        /// In the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
    }
}

wire_enum! {
    /// A way to get tokens.
    GrantType {
        /// RFC 6749 section 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 section 4.2.
        Implicit = "implicit",
        /// RFC 6749 section 6.
        RefreshToken = "refresh_token",
        /// RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 section 4.3.
        Password = "password",
        /// RFC 8628.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// `OpenID` CIBA.
        Ciba = "urn:openid:params:grant-type:ciba",
    }
}

wire_enum! {
    /// How tokens for a client are signed.
    JwtAlgorithm {
        /// By its secret.
        Hs256 = "HS256",
        /// By the tenant's key, PKCS#1.
        Rs256 = "RS256",
        /// By the tenant's key, PKCS#1 with SHA-512.
        Rs512 = "RS512",
        /// By the tenant's key, PSS.
        Ps256 = "PS256",
    }
}

wire_enum! {
    /// Whether a refresh token is replaced when it is used.
    RotationType {
        /// It is.
        Rotating = "rotating",
        /// It is not.
        NonRotating = "non-rotating",
    }
}

wire_enum! {
    /// Whether refresh tokens expire.
    ExpirationType {
        /// They do.
        Expiring = "expiring",
        /// They do not.
        NonExpiring = "non-expiring",
    }
}

wire_enum! {
    /// Whether users log in to an organization.
    OrganizationUsage {
        /// They cannot.
        Deny = "deny",
        /// They may.
        Allow = "allow",
        /// They must.
        Require = "require",
    }
}

wire_enum! {
    /// How users choose their organization.
    OrganizationRequireBehavior {
        /// They are not asked.
        NoPrompt = "no_prompt",
        /// Before they log in.
        PreLoginPrompt = "pre_login_prompt",
        /// After they logged in.
        PostLoginPrompt = "post_login_prompt",
    }
}

wire_enum! {
    /// How a user's organization is found.
    OrganizationDiscoveryMethod {
        /// By the domain of the address.
        Email = "email",
        /// By its name.
        OrganizationName = "organization_name",
    }
}

wire_enum! {
    /// Which security profile a client follows.
    ComplianceLevel {
        /// No particular one.
        None = "none",
        /// FAPI 1 Advanced with private key JWT and PAR.
        Fapi1AdvPkjPar = "fapi1_adv_pkj_par",
        /// FAPI 1 Advanced with mTLS and PAR.
        Fapi1AdvMtlsPar = "fapi1_adv_mtls_par",
        /// FAPI 2 with private key JWT, bound by mTLS.
        Fapi2SpPkjMtls = "fapi2_sp_pkj_mtls",
        /// FAPI 2 with mTLS, bound by mTLS.
        Fapi2SpMtlsMtls = "fapi2_sp_mtls_mtls",
    }
}

wire_enum! {
    /// How a third-party client is held to the newer security rules.
    SecurityMode {
        /// To the curated set of features.
        Strict = "strict",
        /// As before the rules existed.
        Permissive = "permissive",
    }
}

wire_enum! {
    /// Whether errors are sent to the callback.
    RedirectionPolicy {
        /// They are.
        AllowAlways = "allow_always",
        /// An error page is shown instead.
        OpenRedirectProtection = "open_redirect_protection",
    }
}

wire_enum! {
    /// How a key of a client signs.
    CredentialAlgorithm {
        /// PKCS#1 with SHA-256.
        Rs256 = "RS256",
        /// PKCS#1 with SHA-384.
        Rs384 = "RS384",
        /// PSS with SHA-256.
        Ps256 = "PS256",
    }
}

/// How tokens for a client are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JwtConfiguration {
    /// Seconds that an ID token is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_in_seconds: Option<i64>,
    /// Whether the secret is base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_encoded: Option<bool>,
    /// Claims by scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Value>,
    /// How they are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<JwtAlgorithm>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// How long refresh tokens live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RefreshTokenSettings {
    /// Whether one is replaced when it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<RotationType>,
    /// Whether they expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_type: Option<ExpirationType>,
    /// Seconds that a replaced one still works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leeway: Option<i64>,
    /// Seconds that one lives at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_lifetime: Option<i64>,
    /// Whether that has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infinite_token_lifetime: Option<bool>,
    /// Seconds that one lives unused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_token_lifetime: Option<i64>,
    /// Whether that has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infinite_idle_token_lifetime: Option<bool>,
    /// Other APIs that one is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<RefreshTokenPolicy>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// An API that a refresh token is good for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RefreshTokenPolicy {
    /// The API.
    pub audience: String,
    /// The scopes.
    pub scope: Vec<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// The organization of requests that name none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefaultOrganization {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The flows that it is for.
    pub flows: Vec<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// How a client learns that its user logged out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OidcLogout {
    /// Where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_urls: Option<Vec<String>>,
    /// Which events it is told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_initiators: Option<Value>,
    /// Whether it is told about the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_metadata: Option<Value>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// How many tokens a client may get.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenQuota {
    /// For itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_credentials: Option<QuotaLimits>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// Tokens in an hour and in a day (UTC).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuotaLimits {
    /// Whether more are refused, or only logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforce: Option<bool>,
    /// In a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<i64>,
    /// In an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<i64>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// The tenant's certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SigningKey {
    /// In PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// In a PKCS#7 container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pkcs7: Option<String>,
    /// Its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// How a client proves itself by keys or certificates; exactly one of the members is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthenticationMethods {
    /// By assertions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_jwt: Option<NamedCredentials>,
    /// By a certificate of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth: Option<NamedCredentials>,
    /// By a certificate of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_signed_tls_client_auth: Option<NamedCredentials>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A list of credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NamedCredentials {
    /// The credentials.
    pub credentials: Vec<NamedCredential>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A credential by its id. The answer to a create shows it as a whole, in `other`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedCredential {
    /// Its id.
    pub id: CredentialId,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// Whether authorization requests are signed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignedRequestObject {
    /// Whether they must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Keys that sign them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<NamedCredential>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A credential to be made with a client, or later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "credential_type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NewCredential {
    /// A key that signs assertions or requests.
    PublicKey {
        /// The key, or a certificate with it, in PEM.
        pem: String,
        /// A name for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// How it signs; RS256 when not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alg: Option<CredentialAlgorithm>,
        /// Its id; the RFC 7638 thumbprint when not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kid: Option<String>,
        /// When it stops working (RFC 3339).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<String>,
        /// Whether the certificate says when it stops working.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parse_expiry_from_cert: Option<bool>,
    },
    /// The subject of a certificate.
    CertSubjectDn {
        /// A name for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The subject; this or `pem`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject_dn: Option<String>,
        /// A certificate with the subject, in PEM.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pem: Option<String>,
    },
    /// A certificate.
    X509Cert {
        /// The certificate in PEM.
        pem: String,
        /// A name for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

/// How a new client proves itself: exactly one member, with credentials that are made along with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewAuthenticationMethods {
    /// By assertions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_jwt: Option<NewCredentials>,
    /// By a certificate of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth: Option<NewCredentials>,
    /// By a certificate of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_signed_tls_client_auth: Option<NewCredentials>,
}

/// Credentials to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCredentials {
    /// The credentials.
    pub credentials: Vec<NewCredential>,
}

/// A credential as answers show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// `public_key`, `cert_subject_dn` or `x509_cert`.
    pub credential_type: String,
    /// The id of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// How the key signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<CredentialAlgorithm>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The subject of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_dn: Option<String>,
    /// SHA-256 of the certificate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint_sha256: Option<String>,
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// The body of a change to a credential.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialPatch {
    /// When it stops working (RFC 3339); `null` never.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub expires_at: Patch<String>,
}

/// One list of fields makes the three forms of a client: what a create sends, what an update changes, what answers show.
macro_rules! client_forms {
    (
        both { $($(#[$both_doc:meta])* $both:ident: $both_type:ty,)* }
        create { $($(#[$create_doc:meta])* $create:ident: $create_type:ty,)* }
        update { $($(#[$update_doc:meta])* $update:ident: $update_type:ty,)* }
        answer { $($(#[$answer_doc:meta])* $answer:ident: $answer_type:ty,)* }
    ) => {
        /// The body of `POST /clients`. What is `None` is not sent, and gets its default.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct NewClient {
            /// The name shown to people.
            pub name: String,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $both: Option<$both_type>,)*
            $($(#[$create_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $create: Option<$create_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        /// The body of `PATCH /clients/{id}`: absent keeps, `null` removes, a value sets.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct ClientPatch {
            /// The name shown to people.
            #[serde(default, skip_serializing_if = "Patch::is_absent")]
            pub name: Patch<String>,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $both: Patch<$both_type>,)*
            $($(#[$update_doc])* #[serde(default, skip_serializing_if = "Patch::is_absent")] pub $update: Patch<$update_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }

        /// A client as answers show it. What the caller may not read, did not ask for, or was never set is `None`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct Client {
            /// The name shown to people.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub name: Option<String>,
            $($(#[$both_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $both: Option<$both_type>,)*
            $($(#[$answer_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $answer: Option<$answer_type>,)*
            /// Members that this version does not know.
            #[serde(flatten)]
            pub other: Object,
        }
    };
}

client_forms! {
    both {
        /// Free text, 140 characters at most.
        description: String,
        /// A picture of 150 by 150 pixels.
        logo_uri: String,
        /// Where users may be sent after they logged in.
        callbacks: Vec<String>,
        /// Where users may be sent after they logged out.
        allowed_logout_urls: Vec<String>,
        /// Origins of scripts that may call.
        allowed_origins: Vec<String>,
        /// Origins of web messages.
        web_origins: Vec<String>,
        /// Other names of the client.
        client_aliases: Vec<String>,
        /// Clients that may delegate to this one.
        allowed_clients: Vec<String>,
        /// How tokens may be got.
        grant_types: Vec<GrantType>,
        /// How the secret is sent.
        token_endpoint_auth_method: TokenEndpointAuthMethod,
        /// Whether `auth0-forwarded-for` is believed at the token endpoint.
        is_token_endpoint_ip_header_trusted: bool,
        /// What kind of application it is.
        app_type: AppType,
        /// Whether the tenant's owner runs it.
        is_first_party: bool,
        /// Whether it keeps to OpenID Connect strictly.
        oidc_conformant: bool,
        /// How its tokens are made.
        jwt_configuration: JwtConfiguration,
        /// The key for WS-Federation.
        encryption_key: Value,
        /// Whether single sign-on is on.
        sso: bool,
        /// Whether single sign-on is off.
        sso_disabled: bool,
        /// Whether users may log in from other origins.
        cross_origin_authentication: bool,
        /// Where that falls back to.
        cross_origin_loc: String,
        /// Whether the custom login page is shown.
        custom_login_page_on: bool,
        /// The custom login page.
        custom_login_page: String,
        /// The same, for previews.
        custom_login_page_preview: String,
        /// The form of WS-Federation.
        form_template: String,
        /// Settings of add-ons.
        addons: Value,
        /// Ten entries of 255 characters at most.
        client_metadata: Object,
        /// Native apps.
        mobile: Value,
        /// Where login starts.
        initiate_login_uri: String,
        /// Native social login.
        native_social_login: Value,
        /// FedCM.
        fedcm_login: Value,
        /// How long refresh tokens live.
        refresh_token: RefreshTokenSettings,
        /// The organization of requests that name none.
        default_organization: DefaultOrganization,
        /// Whether users log in to an organization.
        organization_usage: OrganizationUsage,
        /// How they choose it.
        organization_require_behavior: OrganizationRequireBehavior,
        /// How it is found.
        organization_discovery_methods: Vec<OrganizationDiscoveryMethod>,
        /// Whether authorization requests must be pushed.
        require_pushed_authorization_requests: bool,
        /// Whether tokens must be bound to a key.
        require_proof_of_possession: bool,
        /// Which security profile it follows.
        compliance_level: ComplianceLevel,
        /// Whether users are not asked about callbacks that nobody can verify.
        skip_non_verifiable_callback_uri_confirmation_prompt: bool,
        /// Token exchange.
        token_exchange: Value,
        /// Seconds that a pushed request is good for.
        par_request_expiry: i64,
        /// How many tokens it may get.
        token_quota: TokenQuota,
        /// Native to web sign-on.
        session_transfer: Value,
        /// How it learns that its user logged out.
        oidc_logout: OidcLogout,
        /// The same under its older name.
        oidc_backchannel_logout: OidcLogout,
        /// Express configuration.
        express_configuration: Value,
        /// The My Organization API.
        my_organization_configuration: Value,
        /// How users are asked for approval.
        async_approval_notification_channels: Vec<String>,
        /// Identity assertion grants.
        identity_assertion_authorization_grant: Value,
        /// How a third-party client is held to the newer rules.
        third_party_security_mode: SecurityMode,
        /// Whether errors are sent to the callback.
        redirection_policy: RedirectionPolicy,
    }
    create {
        /// How it proves itself by keys or certificates.
        client_authentication_methods: NewAuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: Value,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
        /// The API that it is the client of.
        resource_server_identifier: String,
    }
    update {
        /// A secret of one's own.
        client_secret: Secret,
        /// How it proves itself by keys or certificates.
        client_authentication_methods: AuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: SignedRequestObject,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
    }
    answer {
        /// Its id.
        client_id: ClientId,
        /// Its secret.
        client_secret: Secret,
        /// The tenant's name.
        tenant: String,
        /// Whether it stands for all applications.
        global: bool,
        /// How it proves itself by keys or certificates.
        client_authentication_methods: AuthenticationMethods,
        /// Whether its authorization requests are signed.
        signed_request_object: SignedRequestObject,
        /// Access to the Token Vault.
        token_vault_privileged_access: Value,
        /// The API that it is the client of.
        resource_server_identifier: String,
        /// The tenant's certificate.
        signing_keys: Vec<SigningKey>,
        /// Where its metadata document is.
        external_client_id: String,
        /// What kind of document that is.
        external_metadata_type: String,
        /// Who registered it.
        external_metadata_created_by: String,
        /// Where its keys are.
        jwks_uri: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::FIELDS;
    use serde_json::json;

    #[test]
    fn every_field_of_the_table_is_a_field_of_the_forms() {
        let whole: Object = FIELDS.iter().map(|field| (field.name.to_owned(), Value::Null)).collect();
        // What a form does not know goes to `other`.
        let known_to = |others: &Object, name: &str| !others.contains_key(name);
        let client: Client = serde_json::from_value(Value::Object(whole.clone())).unwrap();
        let patch: ClientPatch = serde_json::from_value(Value::Object(whole.clone())).unwrap();
        let mut create = whole;
        create.insert("name".into(), "n".into());
        let create: NewClient = serde_json::from_value(Value::Object(create)).unwrap();
        let legacy = ["cross_origin_auth", "callback_url_template", "owners", "encrypted"];
        for field in FIELDS.iter().filter(|field| !legacy.contains(&field.name)) {
            assert!(known_to(&client.other, field.name), "Client has no {}", field.name);
            assert_eq!(
                known_to(&create.other, field.name),
                field.in_create(),
                "NewClient and {}",
                field.name
            );
            assert_eq!(
                known_to(&patch.other, field.name),
                field.in_patch(),
                "ClientPatch and {}",
                field.name
            );
        }
    }

    #[test]
    fn a_patch_tells_absent_null_and_value_apart() {
        let patch = ClientPatch {
            description: Patch::Value("d".into()),
            token_endpoint_auth_method: Patch::Null,
            ..ClientPatch::default()
        };
        let wire = serde_json::to_value(&patch).unwrap();
        assert_eq!(wire, json!({"description": "d", "token_endpoint_auth_method": null}));
        assert_eq!(serde_json::from_value::<ClientPatch>(wire).unwrap(), patch);
    }

    #[test]
    fn what_is_not_known_survives() {
        let wire = json!({"client_id": "c", "app_type": "toaster", "new": {"a": 1}, "refresh_token": {"shiny": true}});
        let client: Client = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(client.app_type, Some(AppType::Other("toaster".into())));
        assert_eq!(serde_json::to_value(&client).unwrap(), wire);
    }

    #[test]
    fn credentials_are_tagged_by_their_type() {
        let wire = json!({"credential_type": "public_key", "pem": "p", "alg": "PS256"});
        let credential: NewCredential = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&credential).unwrap(), wire);
    }

    #[test]
    fn secrets_of_a_client_are_not_printed() {
        let client: Client = serde_json::from_value(json!({"client_secret": "s3cr3t"})).unwrap();
        assert!(!format!("{client:?}").contains("s3cr3t"));
    }
}
