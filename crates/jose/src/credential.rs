//! Public material that a client uploads to prove later who it is: keys and certificates in PEM.

use crate::{Jwk, base64url, sha256};
use std::fmt::Write as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::objects::{oid_registry, oid2abbrev, oid2sn};
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, SubjectPublicKeyInfo, X509Name};

/// The smallest RSA modulus that may sign assertions, in bits.
pub const MIN_RSA_BITS: usize = 2_048;
/// The largest one; verifying costs time that anyone could make us spend.
pub const MAX_RSA_BITS: usize = 8_192;

/// Why a PEM text is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPem {
    /// It is not one well-formed PEM block of a kind that is known.
    #[error("pem must be one PEM-encoded public key (SPKI or PKCS#1) or X.509 certificate")]
    Malformed,
    /// It holds a private key, which nobody should send anywhere.
    #[error("pem holds a private key; send the public one, and replace this one: it is no longer secret")]
    PrivateKey,
    /// A certificate is needed.
    #[error("pem must be an X.509 certificate")]
    NotACertificate,
    /// Its key is not RSA.
    #[error("the key must be an RSA key")]
    NotRsa,
    /// Its key is too short or too long.
    #[error("the RSA key must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")]
    KeySize,
}

/// A public key or certificate, taken apart.
#[derive(Clone, Debug)]
pub struct Material {
    /// The key; `None` when it is not RSA.
    key: Option<Jwk>,
    bits: usize,
    certificate: Option<CertificateInfo>,
}

/// What is told of an identity provider's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// SHA-1 of the certificate in DER, in hex: a name, nothing that could be relied on.
    pub thumbprint_sha1: String,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// The subject's attributes by their long names (`commonName`), in the certificate's own order.
    pub subject: Vec<(String, String)>,
}

/// Describes a certificate in PEM; `None` when the text is none.
#[must_use]
pub fn describe_pem(text: &str) -> Option<Description> {
    let block = pem::parse(text).ok().filter(|block| block.tag() == "CERTIFICATE")?;
    describe(block.contents())
}

/// Describes a certificate in DER.
#[must_use]
pub fn describe(der: &[u8]) -> Option<Description> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    Some(Description {
        thumbprint_sha1: hex(digest.as_ref()),
        not_after: certificate.validity().not_after.timestamp(),
        subject: certificate
            .subject()
            .iter_attributes()
            .map(|attribute| {
                let name = oid2sn(attribute.attr_type(), oid_registry())
                    .map_or_else(|_| attribute.attr_type().to_id_string(), str::to_owned);
                (name, attribute_value(attribute))
            })
            .collect(),
    })
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What counts of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Base64url of SHA-256 of the certificate in DER (`x5t#S256`, RFC 8705 section 3.1).
    pub thumbprint_sha256: String,
    /// `KEY=value` lines in the certificate's own order.
    pub subject_dn: String,
    /// The same as names and values, to compare with; `None` where that would not be the whole of it, because a value is
    /// no text that can be read for certain, or one relative name has several values.
    pub subject: Option<Vec<(String, String)>>,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
}

/// Reads a PEM text.
///
/// # Errors
/// It is not one public key or certificate.
pub fn parse_pem(text: &str) -> Result<Material, BadPem> {
    let blocks = pem::parse_many(text).map_err(|_| BadPem::Malformed)?;
    let [block] = blocks.as_slice() else { return Err(BadPem::Malformed) };
    let der = block.contents();
    match block.tag() {
        "PUBLIC KEY" => of_key(&read_spki(der)?, None),
        "RSA PUBLIC KEY" => {
            let (rest, key) = RSAPublicKey::from_der(der).map_err(|_| BadPem::Malformed)?;
            if rest.is_empty() { of_key(&PublicKey::RSA(key), None) } else { Err(BadPem::Malformed) }
        }
        "CERTIFICATE" => parse_certificate(der),
        tag if tag.ends_with("PRIVATE KEY") => Err(BadPem::PrivateKey),
        _ => Err(BadPem::Malformed),
    }
}

/// Reads a certificate in DER.
///
/// # Errors
/// It is not a certificate.
pub fn parse_certificate(der: &[u8]) -> Result<Material, BadPem> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| BadPem::Malformed)?;
    if !rest.is_empty() {
        return Err(BadPem::Malformed);
    }
    let info = CertificateInfo {
        thumbprint_sha256: base64url(&sha256(der)),
        subject_dn: distinguished_name(certificate.subject()),
        subject: attributes(certificate.subject()),
        not_after: certificate.validity().not_after.timestamp(),
    };
    let key = certificate.public_key().parsed().map_err(|_| BadPem::Malformed)?;
    of_key(&key, Some(info))
}

fn read_spki(der: &[u8]) -> Result<PublicKey<'_>, BadPem> {
    let (rest, spki) = SubjectPublicKeyInfo::from_der(der).map_err(|_| BadPem::Malformed)?;
    if !rest.is_empty() {
        return Err(BadPem::Malformed);
    }
    // The raw bytes outlive the structure that points into them.
    let raw = spki.subject_public_key.data;
    if spki.algorithm.algorithm != OID_PKCS1_RSAENCRYPTION {
        return Ok(PublicKey::Unknown(&[]));
    }
    let std::borrow::Cow::Borrowed(raw) = raw else { return Err(BadPem::Malformed) };
    let (_, key) = RSAPublicKey::from_der(raw).map_err(|_| BadPem::Malformed)?;
    Ok(PublicKey::RSA(key))
}

fn of_key(key: &PublicKey<'_>, certificate: Option<CertificateInfo>) -> Result<Material, BadPem> {
    let PublicKey::RSA(rsa) = key else { return Ok(Material { key: None, bits: 0, certificate }) };
    let unsigned = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().skip_while(|b| *b == 0).collect() };
    let (modulus, exponent) = (unsigned(rsa.modulus), unsigned(rsa.exponent));
    let Some(first) = modulus.first() else { return Err(BadPem::Malformed) };
    let bits = modulus.len() * 8 - first.leading_zeros() as usize;
    Ok(Material { key: Some(Jwk::rsa(&base64url(&modulus), &base64url(&exponent))), bits, certificate })
}

impl Material {
    /// The RSA key, long enough to sign with.
    ///
    /// # Errors
    /// It is another kind of key, or too short or long.
    pub fn rsa_key(&self) -> Result<&Jwk, BadPem> {
        let key = self.key.as_ref().ok_or(BadPem::NotRsa)?;
        if (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&self.bits) { Ok(key) } else { Err(BadPem::KeySize) }
    }

    /// The certificate.
    ///
    /// # Errors
    /// It is a bare key.
    pub fn certificate(&self) -> Result<&CertificateInfo, BadPem> {
        self.certificate.as_ref().ok_or(BadPem::NotACertificate)
    }
}

/// A name as the API shows it: relative names in the certificate's order, `KEY=value`, one on each line.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let parts = name.iter_attributes().map(|one| format!("{}={}", attribute_name(one), attribute_value(one)));
    parts.collect::<Vec<_>>().join("\n")
}

fn attributes(name: &X509Name<'_>) -> Option<Vec<(String, String)>> {
    let of_one = |relative: &RelativeDistinguishedName<'_>| {
        let mut attributes = relative.iter();
        let only = attributes.next().filter(|_| attributes.next().is_none())?;
        let value = only.as_str().ok().filter(|value| !value.contains(char::is_control))?;
        Some((attribute_name(only), value.to_owned()))
    };
    name.iter().map(of_one).collect()
}

fn attribute_name(attribute: &AttributeTypeAndValue<'_>) -> String {
    oid2abbrev(attribute.attr_type(), oid_registry())
        .map_or_else(|_| attribute.attr_type().to_id_string(), str::to_owned)
}

fn attribute_value(attribute: &AttributeTypeAndValue<'_>) -> String {
    attribute
        .as_str()
        .map_or_else(|_| String::from_utf8_lossy(attribute.attr_value().data).into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The key of RFC 7638 section 3.1 as SPKI.
    fn rfc_key_pem() -> String {
        let n = crate::from_base64url("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
        let components = aws_lc_rs::signature::RsaPublicKeyComponents { n: n.as_slice(), e: &[1, 0, 1][..] };
        let key: aws_lc_rs::rsa::PublicEncryptingKey = components.try_into().unwrap();
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
            aws_lc_rs::encoding::AsDer::as_der(&key).unwrap();
        der::pem::encode_string("PUBLIC KEY", der::pem::LineEnding::LF, der.as_ref()).unwrap()
    }

    #[test]
    fn a_bare_key_has_a_thumbprint_and_no_certificate() {
        let material = parse_pem(&rfc_key_pem()).unwrap();
        assert_eq!(material.rsa_key().unwrap().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(material.certificate().unwrap_err(), BadPem::NotACertificate);
    }

    #[test]
    fn certificates_give_their_subject_in_order() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CountryName, "es");
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Acme, Inc.");
        params.distinguished_name.push(rcgen::DnType::CommonName, "client=1");
        let certificate = params.self_signed(&key).unwrap();
        let material = parse_pem(&certificate.pem()).unwrap();
        let info = material.certificate().unwrap();
        assert_eq!(info.subject_dn, "C=es\nO=Acme, Inc.\nCN=client=1");
        assert_eq!(info.thumbprint_sha256, base64url(&sha256(certificate.der())));
        assert_eq!(material.rsa_key().unwrap_err(), BadPem::NotRsa);
        assert_eq!(parse_pem(&key.serialize_pem()).unwrap_err(), BadPem::PrivateKey);
    }

    #[test]
    fn anything_else_is_refused() {
        let good = rfc_key_pem();
        for bad in [
            "",
            "nonsense",
            &good[..200],
            &format!("{good}{good}"),
            &good.replace("PUBLIC KEY", "CERTIFICATE"),
        ] {
            assert_eq!(parse_pem(bad).unwrap_err(), BadPem::Malformed, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(label in "PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE", der in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = der::pem::encode_string(&label, der::pem::LineEnding::LF, &der).unwrap();
            let _ = parse_pem(&text);
        }
    }
}
