//! A credential as it is defined by its owner.

use crate::clients::certificate::is_subject;
use crate::clock::{Clock, Random};
use crate::ids;
use serde_json::Value;
use tenantry_jose::credential::parse_pem;
use tenantry_jose::{Jwk, VerifyingAlgorithm};
use tenantry_types::credentials::{CredentialType, check_definition};
use tenantry_types::{ApiError, Object, time};

/// A credential, ready to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewCredential {
    pub(crate) id: String,
    pub(crate) kind: CredentialType,
    /// What lists are ordered by.
    pub(crate) sort: String,
    pub(crate) jwk: Option<String>,
    /// What was uploaded, unless only a subject was taken from it.
    pub(crate) pem: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) created_at: i64,
    /// The answer to a GET.
    pub(crate) document: Object,
}

impl NewCredential {
    /// A key that was found in a key set.
    pub(crate) fn of_key(
        kid: &str,
        alg: VerifyingAlgorithm,
        key: &Jwk,
        random: &Random,
        clock: &Clock,
    ) -> Self {
        let (id, now) = (ids::credential_id(random), clock.now_ms());
        let document = serde_json::json!({
            "id": id,
            "credential_type": CredentialType::PublicKey.as_str(),
            "kid": kid,
            "alg": alg.as_str(),
            "created_at": time::print(now),
            "updated_at": time::print(now),
        });
        let Value::Object(document) = document else { unreachable!("written as an object") };
        Self {
            id,
            kind: CredentialType::PublicKey,
            sort: kid.to_owned(),
            jwk: Some(serde_json::to_string(key).unwrap_or_default()),
            pem: None,
            expires_at: None,
            created_at: now,
            document,
        }
    }

    /// Reads a definition that was checked against its schema.
    pub(crate) fn new(definition: &Object, random: &Random, clock: &Clock) -> Result<Self, ApiError> {
        let kind = check_definition(definition)?;
        let text = |name: &str| definition.get(name).and_then(Value::as_str);
        let bad = |error: tenantry_jose::credential::BadPem| ApiError::invalid_body(error.to_string());
        let material = text("pem").map(parse_pem).transpose().map_err(bad)?;
        let (id, now) = (ids::credential_id(random), clock.now_ms());

        let mut credential = Self {
            id: id.clone(),
            kind,
            sort: id.clone(),
            jwk: None,
            pem: text("pem").filter(|_| kind != CredentialType::CertSubjectDn).map(str::to_owned),
            expires_at: None,
            created_at: now,
            document: Object::new(),
        };
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                credential.document.insert(name.into(), value.into());
            }
        };
        set("id", Some(&id));
        set("credential_type", Some(kind.as_str()));
        match (kind, &material) {
            (CredentialType::PublicKey, Some(material)) => {
                let key = material.rsa_key().map_err(bad)?;
                let key_id = text("kid").map_or_else(|| key.thumbprint(), str::to_owned);
                set("kid", Some(&key_id));
                set("alg", Some(text("alg").unwrap_or("RS256")));
                set("name", text("name"));
                credential.expires_at = text("expires_at").and_then(time::parse);
                if definition.get("parse_expiry_from_cert") == Some(&Value::Bool(true)) {
                    credential.expires_at = Some(material.certificate().map_err(bad)?.not_after * 1000);
                }
                credential.jwk = Some(serde_json::to_string(key).unwrap_or_default());
                credential.sort = key_id;
            }
            (CredentialType::X509Cert, Some(material)) => {
                let certificate = material.certificate().map_err(bad)?;
                set("name", text("name"));
                set("thumbprint_sha256", Some(&certificate.thumbprint_sha256));
                credential.expires_at = Some(certificate.not_after * 1000);
                credential.sort.clone_from(&certificate.thumbprint_sha256);
            }
            (CredentialType::CertSubjectDn, material) => {
                let from_pem =
                    material.as_ref().map(|material| material.certificate().map_err(bad)).transpose()?;
                if from_pem.is_some_and(|certificate| !is_subject(&certificate.subject_dn, certificate)) {
                    return Err(ApiError::invalid_body(
                        "the subject of the certificate is empty, or its text could be taken for another one",
                    ));
                }
                set("name", text("name"));
                set(
                    "subject_dn",
                    text("subject_dn").or(from_pem.map(|certificate| certificate.subject_dn.as_str())),
                );
            }
            (CredentialType::PublicKey | CredentialType::X509Cert, None) => {
                return Err(ApiError::invalid_body("pem is required"));
            }
        }
        let created = time::print(now);
        for name in ["created_at", "updated_at"] {
            credential.document.insert(name.into(), created.as_str().into());
        }
        if let Some(expires_at) = credential.expires_at {
            credential.document.insert("expires_at".into(), time::print(expires_at).into());
        }
        Ok(credential)
    }
}
