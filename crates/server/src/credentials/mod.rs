//! Credentials of clients: the Credentials API, and what the token endpoint compares proofs with.
//!
//! Which credentials are in use is said by the client (`client_authentication_methods` and the like); what a proof must
//! look like is [`crate::clients::auth`]'s business.

mod definition;
pub(crate) mod routes;
pub(crate) mod store;

pub(crate) use definition::NewCredential;
pub(crate) use routes::routes;

use tenantry_jose::RsaPublicKey;

/// A credential that a client may authenticate with, decoded.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) proof: Proof,
    /// When it stops working, in milliseconds since 1970.
    pub(crate) expires_at: Option<i64>,
}

/// What proves that the client holds the credential.
#[derive(Debug)]
pub(crate) enum Proof {
    /// An assertion signed by this key.
    Signature { kid: String, key: RsaPublicKey },
    /// This certificate, by its thumbprint.
    Certificate { thumbprint_sha256: String },
    /// A certificate with this subject, by a trusted authority.
    Subject { subject_dn: String },
}
