//! The tenant's signing keys: one signs, one is next, some signed before. Parsed once, published as a JWK Set, shown on
//! clients as `signing_keys`, and used by threads of their own.

pub(crate) mod rotation;
mod routes;
mod signer;
pub(crate) mod store;

pub(crate) use routes::{prepared, routes};
pub(crate) use signer::{Signature, Signer};
pub(crate) use store::{NewKey, State, StoredKey};

use crate::db::generations::Slot;
use crate::db::{Db, DbError, DbResult, Kind};
use crate::discovery::Published;
use crate::seal::MasterKey;
use parking_lot::RwLock;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use tenantry_jose::{
    Jwk, JwkSet, RsaPublicKey, RsaSigningKey, SigningAlgorithm, VerifyingAlgorithm, base64url, certificate,
    credential,
};
use tenantry_types::time;

/// Where a private key is sealed.
pub(crate) fn seal_context(tenant: &str, kid: &str) -> String {
    format!("signing_key/{tenant}/{kid}")
}

fn bad(what: &dyn std::fmt::Display) -> DbError {
    DbError::Data(format!("signing key: {what}"))
}

/// Makes sure that the master key is the one that the tenant's keys are sealed under.
pub(crate) async fn check_master(db: &Db, master: &MasterKey, tenant: &str) -> DbResult<()> {
    let Some(key) = store::current(db, tenant).await? else { return Ok(()) };
    master.open(&seal_context(tenant, &key.kid), &key.private_key).map_err(|error| bad(&error))?;
    Ok(())
}

/// The private half of a key that was not revoked.
fn open_private(master: &MasterKey, tenant: &str, key: &StoredKey) -> DbResult<RsaSigningKey> {
    let pkcs8 =
        master.open(&seal_context(tenant, &key.kid), &key.private_key).map_err(|error| bad(&error))?;
    RsaSigningKey::from_pkcs8(&pkcs8).map_err(|error| bad(&error))
}

/// The keys of a tenant.
#[expect(clippy::struct_field_names, reason = "`signing_keys` is the name on the wire")]
pub(crate) struct Keys {
    stored: Vec<StoredKey>,
    current: Arc<RsaSigningKey>,
    public: Vec<(String, RsaPublicKey)>,
    jwks: Published,
    jwks_without_alg: Published,
    signing_keys: SigningKeys,
    /// The header of nearly every token that the current key signs.
    header: String,
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
    fn open(master: &MasterKey, tenant: &str, tenant_domain: &str, stored: Vec<StoredKey>) -> DbResult<Self> {
        let current = stored.iter().find(|key| key.state == State::Current);
        let current = current.ok_or_else(|| bad(&"there is no current one"))?;
        let pem = certificate::to_pem(&current.certificate).map_err(|error| bad(&error))?;
        let pkcs7 = certificate::to_pkcs7(&current.certificate).map_err(|error| bad(&error))?;
        let member = |subject: &str| {
            let keys = json!([{"cert": &pem, "pkcs7": &pkcs7, "subject": subject}]);
            format!(r#""signing_keys":{keys}"#)
        };
        let signing_keys =
            SigningKeys { read: member("deprecated"), written: member(&format!("/CN={tenant_domain}")) };
        let current = Arc::new(open_private(master, tenant, current)?);

        let mut public = Vec::new();
        let mut set = JwkSet::default();
        for key in stored.iter().filter(|key| key.state != State::Revoked) {
            let jwk = published(key)?;
            public.push((
                key.kid.clone(),
                jwk.public_key(VerifyingAlgorithm::Rs256).map_err(|error| bad(&error))?,
            ));
            set.keys.push(jwk);
        }
        let publish = |set: &JwkSet| {
            serde_json::to_vec(set).map(|body| Published::new(body.into())).map_err(|error| bad(&error))
        };
        let jwks = publish(&set)?;
        for key in &mut set.keys {
            key.alg = None;
        }
        let jwks_without_alg = publish(&set)?;
        let header = header(SigningAlgorithm::Rs256, "JWT", current.kid());
        Ok(Self { stored, current, public, jwks, jwks_without_alg, signing_keys, header })
    }

    fn are_same(&self, stored: &[StoredKey]) -> bool {
        self.stored.len() == stored.len()
            && self.stored.iter().zip(stored).all(|(one, other)| one.is_same(other))
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> &Arc<RsaSigningKey> {
        &self.current
    }

    fn has_next(&self) -> bool {
        self.stored.iter().any(|key| key.state == State::Next)
    }

    /// Since when the current one signs, in milliseconds since 1970.
    pub(crate) fn current_since(&self) -> Option<i64> {
        self.stored.iter().find(|key| key.state == State::Current)?.current_since
    }

    /// The published key of that id.
    pub(crate) fn public(&self, kid: &str) -> Option<&RsaPublicKey> {
        self.public.iter().find(|(known, _)| known == kid).map(|(_, key)| key)
    }

    /// The JWK Set.
    pub(crate) fn jwks(&self) -> &Published {
        &self.jwks
    }

    /// The JWK Set for readers that trip over `alg`.
    pub(crate) fn jwks_without_alg(&self) -> &Published {
        &self.jwks_without_alg
    }

    pub(crate) fn signing_keys(&self) -> &SigningKeys {
        &self.signing_keys
    }

    /// The protected header of a token that the current key signs.
    pub(crate) fn header(&self, algorithm: SigningAlgorithm, typ: &str) -> Cow<'_, str> {
        match (algorithm, typ) {
            (SigningAlgorithm::Rs256, "JWT") => Cow::Borrowed(&self.header),
            (algorithm, typ) => Cow::Owned(header(algorithm, typ, self.current.kid())),
        }
    }
}

/// The keys as they are now, opened anew when they changed.
pub(crate) struct CachedKeys {
    tenant_domain: String,
    opened: RwLock<(u64, Arc<Keys>)>,
}

impl CachedKeys {
    pub(crate) async fn open(db: &Db, master: &MasterKey, tenant: &str, domain: &str) -> DbResult<Self> {
        let tenant_domain = crate::tls::host(domain).to_owned();
        let generation = db.generations().now(slot(tenant));
        let keys = Keys::open(master, tenant, &tenant_domain, store::list(db, tenant).await?)?;
        Ok(Self { tenant_domain, opened: RwLock::new((generation, Arc::new(keys))) })
    }

    pub(crate) async fn get(&self, db: &Db, master: &MasterKey, tenant: &str) -> DbResult<Arc<Keys>> {
        let generation = db.generations().now(slot(tenant));
        let known = {
            let (seen, keys) = &*self.opened.read();
            if *seen == generation {
                return Ok(Arc::clone(keys));
            }
            Arc::clone(keys)
        };
        let stored = store::list(db, tenant).await?;
        let keys = if known.are_same(&stored) {
            known
        } else {
            Arc::new(Keys::open(master, tenant, &self.tenant_domain, stored)?)
        };
        *self.opened.write() = (generation, Arc::clone(&keys));
        Ok(keys)
    }
}

fn slot(tenant: &str) -> Slot {
    Slot::of(Kind::SigningKeys, tenant, "")
}

fn header(algorithm: SigningAlgorithm, typ: &str, kid: &str) -> String {
    format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{kid}"}}"#, algorithm.as_str())
}

/// A key in the JWK Set.
fn published(key: &StoredKey) -> DbResult<Jwk> {
    let material = credential::parse_certificate(&key.certificate).map_err(|error| bad(&error))?;
    let mut jwk = material.rsa_key().map_err(|error| bad(&error))?.clone();
    jwk.kid = Some(key.kid.clone());
    jwk.usage = Some("sig".into());
    jwk.alg = Some("RS256".into());
    jwk.x5t = Some(x5t(&key.certificate));
    jwk.x5c =
        Some(vec![base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key.certificate)]);
    Ok(jwk)
}

/// The id of the key of a certificate.
pub(crate) fn id_of(certificate: &[u8]) -> Option<String> {
    Some(credential::parse_certificate(certificate).ok()?.rsa_key().ok()?.thumbprint())
}

/// A key as the API of signing keys shows it. What it is not, is not said.
fn show(key: &StoredKey) -> DbResult<Value> {
    let thumbprint = sha1(&key.certificate).map(|byte| format!("{byte:02X}"));
    let mut shown = json!({
        "cert": certificate::to_pem(&key.certificate).map_err(|error| bad(&error))?,
        "pkcs7": certificate::to_pkcs7(&key.certificate).map_err(|error| bad(&error))?,
        "kid": &key.kid,
    });
    let state = match key.state {
        State::Next => "next",
        State::Current => "current",
        State::Previous => "previous",
        State::Revoked => "revoked",
    };
    shown[state] = true.into();
    let times = [
        ("current_since", key.current_since),
        ("current_until", key.current_until),
        ("revoked_at", key.revoked_at),
    ];
    for (name, at) in times {
        if let Some(at) = at {
            shown[name] = time::print(at).into();
        }
    }
    shown["fingerprint"] = thumbprint.join(":").into();
    shown["thumbprint"] = thumbprint.concat().into();
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
