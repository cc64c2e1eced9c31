//! Clients that publish what they are in a metadata document (CIMD) under an HTTPS URL of their own.

use super::{AppType, GrantType, TokenEndpointAuthMethod};
use crate::Object;
use crate::wire::{ClientId, keeps_nulls};
use serde::{Deserialize, Serialize};

/// The body of `POST /clients/cimd/preview` and `POST /clients/cimd/register`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataDocument {
    /// Where the document is: an `https` URL of 120 characters at most.
    pub external_client_id: String,
}

/// What registering a metadata document would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MetadataPreview {
    /// The client that this document made already, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Why the document could not be fetched; there is no `validation` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<String>>,
    /// Whether the document can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<MetadataValidation>,
    /// The settings that the document stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped_fields: Option<MappedFields>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// What registering a metadata document did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MetadataRegistration {
    /// The client that was made or changed.
    pub client_id: ClientId,
    /// The settings that it took from the document.
    pub mapped_fields: MappedFields,
    /// What was found in the document.
    pub validation: MetadataValidation,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// What was found in a metadata document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MetadataValidation {
    /// Whether it can be used.
    pub valid: bool,
    /// Why it cannot.
    pub violations: Vec<String>,
    /// What is odd, but does no harm.
    pub warnings: Vec<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// Settings of a client that its metadata document decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MappedFields {
    /// Where the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_client_id: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of application it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_type: Option<AppType>,
    /// Where users may be sent after they logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callbacks: Option<Vec<String>>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How tokens may be got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<GrantType>>,
    /// How it authenticates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<TokenEndpointAuthMethod>,
    /// Where its keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The keys that were found there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authentication_methods: Option<MappedAuthenticationMethods>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// How a client with a metadata document proves itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MappedAuthenticationMethods {
    /// By assertions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_jwt: Option<MappedKeys>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// The keys of a client with a metadata document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MappedKeys {
    /// The keys.
    pub credentials: Vec<MappedKey>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A key of a client with a metadata document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct MappedKey {
    /// `public_key`.
    pub credential_type: String,
    /// The id of the key, or its thumbprint.
    pub kid: String,
    /// How it signs.
    pub alg: super::CredentialAlgorithm,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

keeps_nulls!(
    MetadataPreview,
    MetadataRegistration,
    MetadataValidation,
    MappedFields,
    MappedAuthenticationMethods,
    MappedKeys,
    MappedKey
);
