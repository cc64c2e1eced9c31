//! Credentials of clients: public keys, certificates and certificate subjects that they prove to hold.

use crate::clients::schema::CREDENTIAL_ALGORITHMS;
use crate::format::Format;
use crate::schema::{Part, Schema, Violation, boolean, format, object, one_of, optional, required, string};
use crate::{ApiError, Object};
use serde_json::Value;
use std::sync::LazyLock;

/// Credentials of one type that a client may have at once: one in use, and the one that takes its place.
pub const MAX_OF_A_TYPE: usize = 2;

/// What kind of proof a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialType {
    /// An RSA key that signs assertions.
    PublicKey,
    /// The subject of a certificate that a trusted authority issued.
    CertSubjectDn,
    /// A certificate itself.
    X509Cert,
}

impl CredentialType {
    /// The type of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "public_key" => Some(Self::PublicKey),
            "cert_subject_dn" => Some(Self::CertSubjectDn),
            "x509_cert" => Some(Self::X509Cert),
            _ => None,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicKey => "public_key",
            Self::CertSubjectDn => "cert_subject_dn",
            Self::X509Cert => "x509_cert",
        }
    }

    /// The type that a client authentication method takes.
    #[must_use]
    pub fn for_method(method: &str) -> Option<Self> {
        match method {
            "private_key_jwt" => Some(Self::PublicKey),
            "tls_client_auth" => Some(Self::CertSubjectDn),
            "self_signed_tls_client_auth" => Some(Self::X509Cert),
            _ => None,
        }
    }
}

/// The body of `POST /clients/{client_id}/credentials`.
pub static CREATE: LazyLock<Schema> = LazyLock::new(|| {
    object([
        required(
            "credential_type",
            one_of(&["public_key", "cert_subject_dn", "x509_cert"]).describe("Kind of credential"),
        ),
        optional("name", string().max(128).describe("Name shown for this credential")),
        optional(
            "subject_dn",
            string().min(1).max(256).describe("Subject of the certificate, instead of pem"),
        ),
        optional("pem", string().min(1).max(4096).describe("Public key or certificate in PEM")),
        optional("alg", one_of(CREDENTIAL_ALGORITHMS).describe("Algorithm of signatures by the key")),
        optional(
            "parse_expiry_from_cert",
            boolean().describe("Whether the certificate says when it expires"),
        ),
        optional("expires_at", format(Format::DateTime).describe("When it stops working")),
        optional(
            "kid",
            string().min(10).max(64).pattern("^([0-9a-zA-Z-_]{10,64})$").describe("Id of the key"),
        ),
    ])
});
/// The body of `PATCH /clients/{client_id}/credentials/{credential_id}`.
pub static PATCH: LazyLock<Schema> = LazyLock::new(|| {
    object([optional("expires_at", format(Format::DateTime).nullable().describe("When it stops working"))])
        .min(1)
});

/// Checks the body of `POST /clients/{client_id}/credentials`.
///
/// # Errors
/// The first violation.
pub fn check_create_body(body: &Value) -> Result<&Object, Violation> {
    CREATE.check_body(body)
}

/// Checks the body of `PATCH /clients/{client_id}/credentials/{credential_id}`.
///
/// # Errors
/// The first violation.
pub fn check_patch_body(body: &Value) -> Result<&Object, Violation> {
    PATCH.check_body(body)
}

/// Rules between the members of a checked definition.
///
/// # Errors
/// The first rule that is broken.
pub fn check_definition(definition: &Object) -> Result<CredentialType, ApiError> {
    let has = |name: &str| definition.contains_key(name);
    let wanted = definition.get("credential_type").and_then(Value::as_str).and_then(CredentialType::of);
    let kind = wanted.ok_or_else(|| ApiError::invalid_body("credential_type is not known"))?;
    let name = kind.as_str();
    let only_for = |member: &str, owner: &str| {
        Err(ApiError::invalid_body(format!("{member} applies to credentials of type {owner}, not {name}")))
    };
    if kind != CredentialType::CertSubjectDn && has("subject_dn") {
        return only_for("subject_dn", "cert_subject_dn");
    }
    if kind != CredentialType::PublicKey {
        for member in ["alg", "kid", "expires_at"] {
            if has(member) {
                return only_for(member, "public_key");
            }
        }
        if definition.get("parse_expiry_from_cert") == Some(&Value::Bool(true)) {
            return only_for("parse_expiry_from_cert", "public_key");
        }
    }
    match kind {
        CredentialType::CertSubjectDn if has("pem") == has("subject_dn") => {
            Err(ApiError::invalid_body("exactly one of pem and subject_dn must be given"))
        }
        CredentialType::PublicKey | CredentialType::X509Cert if !has("pem") => {
            Err(ApiError::from(Violation::new(Part::Payload, "Missing required property: pem")))
        }
        CredentialType::PublicKey
            if has("expires_at") && definition.get("parse_expiry_from_cert") == Some(&Value::Bool(true)) =>
        {
            Err(ApiError::invalid_body("parse_expiry_from_cert and expires_at cannot be used together"))
        }
        kind => Ok(kind),
    }
}

/// The members of a client that name credentials, each with the type that it takes: the lists under
/// `client_authentication_methods`, `signed_request_object` and `token_vault_privileged_access`.
///
/// `visit` is called with the path of a list (for messages), its type, and the list.
///
/// # Errors
/// The first that `visit` returns.
pub fn visit_lists<E>(
    members: &mut Object,
    mut visit: impl FnMut(&str, CredentialType, &mut Vec<Value>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(Value::Object(methods)) = members.get_mut("client_authentication_methods") {
        for (method, settings) in methods {
            if let Some(kind) = CredentialType::for_method(method)
                && let Some(Value::Array(list)) = settings.get_mut("credentials")
            {
                visit(&format!("client_authentication_methods.{method}.credentials"), kind, list)?;
            }
        }
    }
    for owner in ["signed_request_object", "token_vault_privileged_access"] {
        if let Some(Value::Array(list)) =
            members.get_mut(owner).and_then(|settings| settings.get_mut("credentials"))
        {
            visit(&format!("{owner}.credentials"), CredentialType::PublicKey, list)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_belong_to_their_types() {
        let good = [
            json!({"credential_type": "public_key", "pem": "x", "alg": "PS256", "kid": "0123456789", "expires_at": "2030-01-01T00:00:00Z"}),
            json!({"credential_type": "public_key", "pem": "x", "parse_expiry_from_cert": false, "expires_at": "2030-01-01T00:00:00Z"}),
            json!({"credential_type": "x509_cert", "pem": "x", "parse_expiry_from_cert": false}),
            json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=x"}),
            json!({"credential_type": "cert_subject_dn", "pem": "x"}),
        ];
        for body in good {
            assert!(check_definition(check_create_body(&body).unwrap()).is_ok(), "{body}");
        }
        let bad = [
            json!({"credential_type": "public_key"}),
            json!({"credential_type": "x509_cert"}),
            json!({"credential_type": "x509_cert", "pem": "x", "expires_at": "2030-01-01T00:00:00Z"}),
            json!({"credential_type": "x509_cert", "pem": "x", "alg": "RS256"}),
            json!({"credential_type": "cert_subject_dn"}),
            json!({"credential_type": "cert_subject_dn", "pem": "x", "subject_dn": "CN=x"}),
            json!({"credential_type": "public_key", "pem": "x", "subject_dn": "CN=x"}),
            json!({"credential_type": "public_key", "pem": "x", "parse_expiry_from_cert": true, "expires_at": "2030-01-01T00:00:00Z"}),
        ];
        for body in bad {
            assert!(check_definition(check_create_body(&body).unwrap()).is_err(), "{body}");
        }
        for body in
            [json!({"credential_type": "password"}), json!({"credential_type": "public_key", "kid": "short"})]
        {
            assert!(check_create_body(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn every_list_is_visited_with_its_type() {
        let mut members = json!({
            "client_authentication_methods": {"tls_client_auth": {"credentials": [1]}},
            "signed_request_object": {"required": true, "credentials": [2]},
            "token_vault_privileged_access": {"credentials": [3]},
        });
        let mut seen = Vec::new();
        visit_lists(members.as_object_mut().unwrap(), |path, kind, list| {
            seen.push((path.to_owned(), kind, list.clone()));
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0].1, CredentialType::CertSubjectDn);
        assert_eq!(
            seen[2],
            ("token_vault_privileged_access.credentials".into(), CredentialType::PublicKey, vec![json!(3)])
        );
    }
}
