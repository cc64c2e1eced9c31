//! The tenant's signing keys as types.

use crate::Object;
use serde::{Deserialize, Serialize};

/// A key that signs the tenant's tokens, did so, or will.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TenantSigningKey {
    /// Its id, which tokens name in their header.
    pub kid: String,
    /// Its certificate in PEM.
    pub cert: String,
    /// The same in PKCS#7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkcs7: Option<String>,
    /// Whether it signs now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// Whether it signs after the next rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<bool>,
    /// Whether it signed before; what it signed is good until it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<bool>,
    /// When it began to sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_since: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_until: Option<String>,
    /// SHA-1 of the certificate, with colons.
    pub fingerprint: String,
    /// The same without.
    pub thumbprint: String,
    /// Whether what it signed is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<bool>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}

/// A signing key by its id and certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NamedSigningKey {
    /// Its id.
    pub kid: String,
    /// Its certificate in PEM.
    pub cert: String,
    /// Members that this version does not know.
    #[serde(flatten)]
    pub other: Object,
}
