//! How a client authenticates, and its credentials.

use crate::wire::{CredentialId, keeps_nulls, wire_enum};
use crate::{Object, Patch};
use serde::{Deserialize, Serialize};

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

/// How a client proves itself by keys or certificates; exactly one of the members is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
pub struct NamedCredentials {
    /// The credentials.
    pub credentials: Vec<NamedCredential>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A credential by its id. The answer to a create shows it as a whole, in `other`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct NamedCredential {
    /// Its id.
    pub id: CredentialId,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// Whether authorization requests are signed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
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
#[serde(remote = "Self")]
#[non_exhaustive]
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

/// What was uploaded for a credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CredentialPem {
    /// The public key or certificate in PEM; `None` when only a subject was given.
    pub pem: Option<String>,
}

/// The body of a change to a credential.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialPatch {
    /// When it stops working (RFC 3339); `null` never.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub expires_at: Patch<String>,
}

keeps_nulls!(AuthenticationMethods, NamedCredentials, NamedCredential, SignedRequestObject, Credential);
