//! Settings of a client: its choices and nested objects.

use crate::wire::{OrganizationId, keeps_nulls, wire_enum};
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

/// How tokens for a client are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub policies: Patch<Vec<RefreshTokenPolicy>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// An API that a refresh token is good for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
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

keeps_nulls!(
    JwtConfiguration,
    RefreshTokenSettings,
    RefreshTokenPolicy,
    DefaultOrganization,
    OidcLogout,
    TokenQuota,
    QuotaLimits,
    SigningKey
);
