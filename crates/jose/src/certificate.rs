//! Certificates: self-signed ones for signing keys, and the forms in which an API answer shows them.

use crate::rsa::{BadKey, RsaSigningKey};
use cms::cert::CertificateChoices;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{CertificateSet, EncapsulatedContentInfo, SignedData, SignerInfos};
use der::asn1::{ObjectIdentifier, SetOfVec};
use der::pem::LineEnding;
use der::{Any, Decode, Encode, EncodePem};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, SerialNumber};
use rustls_pki_types::PrivatePkcs8KeyDer;
use time::OffsetDateTime;
use x509_cert::Certificate;

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

/// The certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The key cannot be used for it.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// Making it failed.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// It is not well-formed.
    #[error("not a well-formed certificate: {0}")]
    Form(#[from] der::Error),
}

/// A self-signed certificate of `key` for `common_name`, in DER.
///
/// # Errors
/// The key or the name cannot be used.
pub fn self_signed(
    key: &RsaSigningKey,
    common_name: &str,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    serial: u64,
) -> Result<Vec<u8>, CertificateError> {
    let pkcs8 = key.to_pkcs8()?;
    let pair =
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()), &PKCS_RSA_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = not_before;
    params.not_after = not_after;
    params.serial_number = Some(SerialNumber::from(serial));
    Ok(params.self_signed(&pair)?.der().to_vec())
}

/// A DER certificate as PEM with CRLF line ends, as the API shows it.
///
/// # Errors
/// The bytes are no certificate.
pub fn to_pem(der: &[u8]) -> Result<String, CertificateError> {
    Ok(Certificate::from_der(der)?.to_pem(LineEnding::CRLF)?)
}

/// A DER certificate alone in a PKCS#7 container (RFC 5652 `SignedData` without signers), as PEM with CRLF line ends.
///
/// # Errors
/// The bytes are no certificate.
pub fn to_pkcs7(der: &[u8]) -> Result<String, CertificateError> {
    let certificate = Certificate::from_der(der)?;
    let content = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::new(),
        encap_content_info: EncapsulatedContentInfo { econtent_type: ID_DATA, econtent: None },
        certificates: Some(CertificateSet(SetOfVec::from_iter([CertificateChoices::Certificate(
            certificate,
        )])?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::new()),
    };
    let info = ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&content)? };
    Ok(der::pem::encode_string("PKCS7", LineEnding::CRLF, &info.to_der()?).map_err(der::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_gets_a_certificate_in_every_form() {
        let key = RsaSigningKey::generate().unwrap();
        let now = OffsetDateTime::UNIX_EPOCH;
        let der = self_signed(&key, "tenant.example.com", now, now + time::Duration::days(3650), 7).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        assert_eq!(parsed.subject().to_string(), "CN=tenant.example.com");
        parsed.verify_signature(None).unwrap();
        let pem = to_pem(&der).unwrap();
        assert!(
            pem.starts_with("-----BEGIN CERTIFICATE-----\r\n")
                && pem.ends_with("-----END CERTIFICATE-----\r\n")
        );
        assert!(to_pkcs7(&der).unwrap().starts_with("-----BEGIN PKCS7-----\r\n"));
    }
}
