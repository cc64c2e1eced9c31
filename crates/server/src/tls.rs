//! The server's certificate: one of a local authority that needs no set-up, or one from files.

use crate::clock::Clock;
use crate::data_dir::{DataDir, DataDirError};
use crate::db::{Db, DbError, params};
use crate::seal::{MasterKey, SealError};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
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
        tx.execute(UPSERT, params![&name, &sealed, &certificate, not_after])?;
        Ok(())
    })
    .await
}

fn context(name: &str) -> String {
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
) -> Result<ServerConfig, TlsError> {
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
        (master.open(&context(&name), &kept.private_key)?.to_vec(), kept.certificate)
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
        let sealed = master.seal(&context(&name), &der)?;
        store(db, name, sealed, certificate.clone(), params.not_after.unix_timestamp() * 1000).await?;
        (der, certificate)
    };
    server_config(
        vec![CertificateDer::from(certificate), CertificateDer::from(ca_der)],
        PrivatePkcs8KeyDer::from(key).into(),
    )
}

async fn authority(
    db: &Db,
    master: &MasterKey,
    now: OffsetDateTime,
) -> Result<(Issuer<'static, KeyPair>, Vec<u8>), TlsError> {
    const NAME: &str = "ca";
    if let Some(kept) = stored(db, NAME).await? {
        let key = master.open(&context(NAME), &kept.private_key)?;
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
    let sealed = master.seal(&context(NAME), &key.serialize_der())?;
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
pub(crate) fn from_files(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let bad = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect).map_err(bad(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(bad(key))?;
    server_config(chain, key)
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
