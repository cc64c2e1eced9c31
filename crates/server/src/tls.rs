//! The server's certificate: one of a local authority that needs no set-up, or one from files.

use crate::clients::certificate::ClientCertificate;
use crate::clock::Clock;
use crate::data_dir::{DataDir, DataDirError};
use crate::db::{Db, DbError, params};
use crate::seal::{MasterKey, SealError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The certificate or its key cannot be used.
    #[error("cannot use the certificate: {0}")]
    Use(#[from] rustls::Error),
    /// A PEM file cannot be read.
    #[error("{path}: {source}")]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// The authorities of clients cannot be used.
    #[error("cannot use --mtls-ca: {0}")]
    Authorities(String),
    /// Only one of the two files was given.
    #[error("--tls-cert and --tls-key belong together")]
    HalfGiven,
    /// The stored key does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A file of the data directory cannot be written.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The domain is not a host name.
    #[error("the domain `{0}` is not a host name with an optional port")]
    Domain(String),
}

const CA_DAYS: i64 = 3_650;
/// No longer than browsers accept.
const SERVER_DAYS: i64 = 397;
const RENEW_BEFORE: Duration = Duration::days(30);

struct StoredCertificate {
    private_key: Vec<u8>,
    certificate: Vec<u8>,
    not_after: i64,
}

async fn stored(db: &Db, name: &str) -> Result<Option<StoredCertificate>, DbError> {
    const BY_NAME: &str = "SELECT private_key, certificate, not_after FROM tls_key WHERE name = $1";
    db.query_opt(BY_NAME, params![name], |row| {
        Ok(StoredCertificate {
            private_key: row.bytes(0)?.to_vec(),
            certificate: row.bytes(1)?.to_vec(),
            not_after: row.int(2)?,
        })
    })
    .await
}

async fn store(
    db: &Db,
    name: String,
    sealed: Vec<u8>,
    certificate: Vec<u8>,
    not_after: i64,
) -> Result<(), DbError> {
    const UPSERT: &str = "INSERT INTO tls_key (name, private_key, certificate, not_after) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (name) DO UPDATE SET private_key = excluded.private_key, \
        certificate = excluded.certificate, not_after = excluded.not_after";
    db.transaction(move |tx| {
        tx.write(UPSERT, params![&name, &sealed, &certificate, not_after])?;
        Ok(())
    })
    .await
}

pub(crate) fn seal_context(name: &str) -> String {
    format!("tls_key/{name}")
}

/// The host of a domain, without its port.
pub(crate) fn host(domain: &str) -> &str {
    domain.rsplit_once(':').map_or(domain, |(host, _)| host)
}

/// The local authority, made when first needed, and the server certificate for `domain`, renewed when it must be.
pub(crate) async fn local(
    db: &Db,
    master: &MasterKey,
    clock: &Clock,
    dir: &DataDir,
    domain: &str,
) -> Result<Identity, TlsError> {
    let now = OffsetDateTime::from_unix_timestamp(clock.now_secs()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (ca, ca_der) = authority(db, master, now).await?;
    let ca_pem = pem(&ca_der);
    if std::fs::read(dir.ca()).ok().as_deref() != Some(ca_pem.as_bytes()) || !dir.ca_bundle().exists() {
        dir.write(&dir.ca(), ca_pem.as_bytes())?;
        dir.write(&dir.ca_bundle(), bundle(&ca_pem).as_bytes())?;
    }

    let host = host(domain);
    let name = format!("server/{host}");
    let renew_at = (now + RENEW_BEFORE).unix_timestamp() * 1000;
    let (key, certificate) = if let Some(kept) =
        stored(db, &name).await?.filter(|kept| kept.not_after > renew_at)
    {
        (master.open(&seal_context(&name), &kept.private_key)?.to_vec(), kept.certificate)
    } else {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut names = vec![host.to_owned(), format!("mtls.{host}")];
        for local in ["localhost", "mtls.localhost", "127.0.0.1", "::1"] {
            if !names.iter().any(|name| name == local) {
                names.push(local.into());
            }
        }
        let mut params = CertificateParams::new(names).map_err(|_| TlsError::Domain(domain.to_owned()))?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        params.not_before = now - Duration::hours(1);
        params.not_after = now + Duration::days(SERVER_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &ca)?.der().to_vec();
        let der = key.serialize_der();
        let sealed = master.seal(&seal_context(&name), &der)?;
        store(db, name, sealed, certificate.clone(), params.not_after.unix_timestamp() * 1000).await?;
        (der, certificate)
    };
    Ok(Identity {
        chain: vec![CertificateDer::from(certificate), CertificateDer::from(ca_der)],
        key: PrivatePkcs8KeyDer::from(key).into(),
    })
}

async fn authority(
    db: &Db,
    master: &MasterKey,
    now: OffsetDateTime,
) -> Result<(Issuer<'static, KeyPair>, Vec<u8>), TlsError> {
    const NAME: &str = "ca";
    if let Some(kept) = stored(db, NAME).await? {
        let key = master.open(&seal_context(NAME), &kept.private_key)?;
        let key = KeyPair::try_from(key.as_slice())?;
        let certificate = CertificateDer::from(kept.certificate.clone());
        return Ok((Issuer::from_ca_cert_der(&certificate, key)?, kept.certificate));
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Tenantry");
    params.distinguished_name.push(DnType::CommonName, "Tenantry local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(CA_DAYS);
    let certificate = params.self_signed(&key)?.der().to_vec();
    let sealed = master.seal(&seal_context(NAME), &key.serialize_der())?;
    let not_after = params.not_after.unix_timestamp() * 1000;
    store(db, NAME.into(), sealed, certificate.clone(), not_after).await?;
    Ok((Issuer::new(params, key), certificate))
}

/// The system's authorities and ours.
fn bundle(ca_pem: &str) -> String {
    let mut all = ca_pem.to_owned();
    for root in rustls_native_certs::load_native_certs().certs {
        all.push_str(&pem(&root));
    }
    all
}

fn pem(der: &[u8]) -> String {
    let unix = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", der), unix)
}

/// The certificate and key of two PEM files.
pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(bad(certificate))?;
    Ok(Identity { chain, key: PrivateKeyDer::from_pem_file(key).map_err(bad(key))? })
}

/// A certificate chain and its key.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// How TLS is spoken, with and without asking the caller for a certificate.
pub(crate) struct TlsSettings {
    pub(crate) plain: Arc<ServerConfig>,
    pub(crate) asking: Arc<ServerConfig>,
    /// When the certificate ends, in seconds since 1970.
    pub(crate) expiry: Option<i64>,
    /// Knows the authorities that certificates for `tls_client_auth` come from.
    authorities: Option<Arc<dyn ClientCertVerifier>>,
}

impl TlsSettings {
    /// `authorities` is a PEM file of those that issue certificates for `tls_client_auth`.
    pub(crate) fn new(identity: &Identity, authorities: Option<&Path>) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let build = |verifier: Option<Arc<dyn ClientCertVerifier>>| -> Result<Arc<ServerConfig>, TlsError> {
            let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_safe_default_protocol_versions()?;
            let builder = match verifier {
                Some(verifier) => builder.with_client_cert_verifier(verifier),
                None => builder.with_no_client_auth(),
            };
            let mut config = builder.with_single_cert(identity.chain.clone(), identity.key.clone_key())?;
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        };
        let authorities = authorities.map(|path| read_authorities(path, &provider)).transpose()?;
        let asking = build(Some(Arc::new(AnyCertificate(Arc::clone(&provider)))))?;
        let end = identity.chain.first().and_then(|der| x509_parser::parse_x509_certificate(der).ok());
        let expiry = end.map(|(_, certificate)| certificate.validity().not_after.timestamp());
        Ok(Self { plain: build(None)?, asking, expiry, authorities })
    }

    /// The certificate that a caller presented; the handshake proved that it has the key.
    pub(crate) fn certificate(&self, chain: Option<&[CertificateDer<'_>]>) -> Option<ClientCertificate> {
        let (end, others) = chain?.split_first()?;
        let verify = |authorities: &Arc<dyn ClientCertVerifier>| {
            authorities.verify_client_cert(end, others, UnixTime::now()).is_ok()
        };
        ClientCertificate::from_der(end, self.authorities.as_ref().is_some_and(verify))
    }
}

fn read_authorities(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let bad = |source| TlsError::Pem { path: path.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(path).map_err(bad)? {
        roots.add(authority.map_err(bad)?)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder.build().map(|verifier| verifier as _).map_err(|error| TlsError::Authorities(error.to_string()))
}

/// Asks for a certificate and takes any, or none: self-signed ones are compared with what the client registered, others
/// are verified against the authorities afterwards. The handshake's signature is verified in any case.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
