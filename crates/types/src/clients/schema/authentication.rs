//! How a client authenticates, and its credentials.

use super::flag;
use crate::format::Format;
use crate::schema::{
    Member, Schema, any_of, array, boolean, format, integer, object, one_of, optional, required, string,
};

pub(crate) const CREDENTIAL_ALGORITHMS: &[&str] = &["RS256", "RS384", "PS256"];

// How the client authenticates

pub(in crate::clients) fn token_endpoint_auth_method() -> Schema {
    one_of(&["none", "client_secret_post", "client_secret_basic"])
        .describe("How the client authenticates at the token endpoint, if by secret")
}

pub(in crate::clients) fn is_token_endpoint_ip_header_trusted() -> Schema {
    boolean().describe("Whether `auth0-forwarded-for` is believed to hold the user's address")
}

pub(in crate::clients) fn client_authentication_methods() -> Schema {
    authentication_methods(public_key_credential(), cert_subject_dn_credential(), x509_cert_credential())
}

pub(in crate::clients) fn client_authentication_methods_patch() -> Schema {
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

pub(in crate::clients) fn signed_request_object() -> Schema {
    request_object(public_key_credential())
}

pub(in crate::clients) fn signed_request_object_patch() -> Schema {
    request_object(credential_id()).nullable()
}

fn request_object(credential: Schema) -> Schema {
    object([
        flag("required", "Whether unsigned authorization requests are refused"),
        optional("credentials", array(credential)),
    ])
    .describe("Authorization requests that are signed by the client")
}

pub(in crate::clients) fn token_vault_privileged_access() -> Schema {
    privileged_access(public_key_credential())
}

pub(in crate::clients) fn token_vault_privileged_access_patch() -> Schema {
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

pub(in crate::clients) fn require_pushed_authorization_requests() -> Schema {
    boolean().describe("Whether authorization requests have to be pushed first")
}

pub(in crate::clients) fn par_request_expiry() -> Schema {
    integer().min(10).max(600).nullable().describe("Seconds until a pushed authorization request expires")
}

pub(in crate::clients) fn require_proof_of_possession() -> Schema {
    boolean().describe("Whether tokens are bound to a key of the client")
}

pub(in crate::clients) fn compliance_level() -> Schema {
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
