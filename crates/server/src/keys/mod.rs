//! The tenant's signing keys: parsed once, published as a JWK Set, shown on clients as `signing_keys`, and used by
//! threads of their own.

mod routes;
mod signer;

pub(crate) use routes::routes;
pub(crate) use signer::{Signature, Signer};

use crate::db::{DbError, DbResult};
use crate::seal::MasterKey;
use bytes::Bytes;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use tenantry_jose::{
    JwkSet, RsaPublicKey, RsaSigningKey, SigningAlgorithm, VerifyingAlgorithm, base64url, certificate, sha256,
};
use tenantry_types::time;

/// Where a private key is sealed.
pub(crate) fn seal_context(tenant: &str, kid: &str) -> String {
    format!("signing_key/{tenant}/{kid}")
}

/// A row of `signing_key`.
pub(crate) struct StoredKey {
    pub(crate) kid: String,
    pub(crate) is_current: bool,
    pub(crate) private_key: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
    created_at: i64,
}

pub(crate) const KEYS: &str = "SELECT kid, state, private_key, certificate, created_at FROM signing_key \
    WHERE tenant = $1 AND state <> 'revoked' ORDER BY created_at DESC";

pub(crate) fn read_key(row: &crate::db::Row<'_>) -> DbResult<StoredKey> {
    Ok(StoredKey {
        kid: row.text(0)?.to_owned(),
        is_current: row.text(1)? == "current",
        private_key: row.bytes(2)?.to_vec(),
        certificate: row.bytes(3)?.to_vec(),
        created_at: row.int(4)?,
    })
}

/// The keys of a tenant.
#[expect(clippy::struct_field_names, reason = "`signing_keys` is the name on the wire")]
pub(crate) struct Keys {
    current: Arc<RsaSigningKey>,
    public: Vec<(String, RsaPublicKey)>,
    jwks: PublishedKeys,
    jwks_without_alg: PublishedKeys,
    signing_keys: SigningKeys,
    /// The keys as the API of signing keys shows them, by their ids.
    shown: Vec<(String, Value)>,
    /// The header of nearly every token that the current key signs.
    header: String,
}

/// A JWK Set as it is published.
pub(crate) struct PublishedKeys {
    body: Bytes,
    etag: String,
}

impl PublishedKeys {
    fn new(set: &JwkSet) -> serde_json::Result<Self> {
        let body = Bytes::from(serde_json::to_vec(set)?);
        let etag = format!("\"{}\"", base64url(&sha256(&body)[..12]));
        Ok(Self { body, etag })
    }

    pub(crate) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Its entity tag.
    pub(crate) fn etag(&self) -> &str {
        &self.etag
    }
}

/// The member `signing_keys` of a client, with its name, for each kind of answer.
pub(crate) struct SigningKeys {
    /// `subject` says that the member is deprecated.
    pub(crate) read: String,
    /// `subject` is the certificate's.
    pub(crate) written: String,
}

impl Keys {
    /// Opens the stored keys. `tenant_domain` stands in the certificates' subject.
    pub(crate) fn open(
        master: &MasterKey,
        tenant: &str,
        tenant_domain: &str,
        stored: Vec<StoredKey>,
    ) -> DbResult<Self> {
        let bad = |what: &str| DbError::Data(format!("signing key: {what}"));
        let mut current = None;
        let mut public = Vec::new();
        let mut set = JwkSet::default();
        let mut shown = Vec::new();
        for key in stored {
            let pkcs8 = master
                .open(&seal_context(tenant, &key.kid), &key.private_key)
                .map_err(|error| bad(&error.to_string()))?;
            let private = RsaSigningKey::from_pkcs8(&pkcs8).map_err(|error| bad(&error.to_string()))?;
            let mut jwk = private.public_jwk();
            public.push((
                key.kid.clone(),
                jwk.public_key(VerifyingAlgorithm::Rs256).map_err(|error| bad(&error.to_string()))?,
            ));
            jwk.usage = Some("sig".into());
            jwk.alg = Some("RS256".into());
            jwk.x5t = Some(x5t(&key.certificate));
            jwk.x5c = Some(vec![base64::Engine::encode(
                &base64::engine::general_purpose::STANDARD,
                &key.certificate,
            )]);
            shown.push((key.kid.clone(), show(&key).map_err(|error| bad(&error.to_string()))?));
            jwk.kid = Some(key.kid);
            set.keys.push(jwk);
            if key.is_current {
                current = Some((Arc::new(private), key.certificate));
            }
        }
        let (current, certificate) = current.ok_or_else(|| bad("there is no current one"))?;
        let pem = certificate::to_pem(&certificate).map_err(|error| bad(&error.to_string()))?;
        let pkcs7 = certificate::to_pkcs7(&certificate).map_err(|error| bad(&error.to_string()))?;
        let member = |subject: &str| {
            let keys = json!([{"cert": &pem, "pkcs7": &pkcs7, "subject": subject}]);
            format!(r#""signing_keys":{keys}"#)
        };
        let signing_keys =
            SigningKeys { read: member("deprecated"), written: member(&format!("/CN={tenant_domain}")) };
        let publish = |set: &JwkSet| PublishedKeys::new(set).map_err(|error| bad(&error.to_string()));
        let jwks = publish(&set)?;
        for key in &mut set.keys {
            key.alg = None;
        }
        let jwks_without_alg = publish(&set)?;
        let header = header(SigningAlgorithm::Rs256, "JWT", current.kid());
        Ok(Self { current, public, jwks, jwks_without_alg, signing_keys, shown, header })
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> &Arc<RsaSigningKey> {
        &self.current
    }

    /// The published key of that id.
    pub(crate) fn public(&self, kid: &str) -> Option<&RsaPublicKey> {
        self.public.iter().find(|(known, _)| known == kid).map(|(_, key)| key)
    }

    /// The JWK Set.
    pub(crate) fn jwks(&self) -> &PublishedKeys {
        &self.jwks
    }

    /// The JWK Set for readers that trip over `alg`.
    pub(crate) fn jwks_without_alg(&self) -> &PublishedKeys {
        &self.jwks_without_alg
    }

    pub(crate) fn signing_keys(&self) -> &SigningKeys {
        &self.signing_keys
    }

    /// The keys as the API of signing keys shows them, by their ids.
    pub(crate) fn shown(&self) -> &[(String, Value)] {
        &self.shown
    }

    /// The protected header of a token that the current key signs.
    pub(crate) fn header(&self, algorithm: SigningAlgorithm, typ: &str) -> Cow<'_, str> {
        match (algorithm, typ) {
            (SigningAlgorithm::Rs256, "JWT") => Cow::Borrowed(&self.header),
            (algorithm, typ) => Cow::Owned(header(algorithm, typ, self.current.kid())),
        }
    }
}

fn header(algorithm: SigningAlgorithm, typ: &str, kid: &str) -> String {
    format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{kid}"}}"#, algorithm.as_str())
}

fn show(key: &StoredKey) -> Result<Value, certificate::CertificateError> {
    let thumbprint = sha1(&key.certificate).map(|byte| format!("{byte:02X}"));
    let mut shown = json!({
        "kid": &key.kid,
        "cert": certificate::to_pem(&key.certificate)?,
        "pkcs7": certificate::to_pkcs7(&key.certificate)?,
        "fingerprint": thumbprint.join(":"),
        "thumbprint": thumbprint.concat(),
    });
    if key.is_current {
        shown["current"] = true.into();
        shown["current_since"] = time::print(key.created_at).into();
    } else {
        shown["previous"] = true.into();
    }
    Ok(shown)
}

/// The `x5t` of RFC 7517 section 4.8, which is SHA-1 by definition; nothing relies on its strength.
fn x5t(certificate: &[u8]) -> String {
    base64url(&sha1(certificate))
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().try_into().expect("SHA-1 has 20 bytes")
}
