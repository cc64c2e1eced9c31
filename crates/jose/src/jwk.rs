//! JSON Web Keys (RFC 7517).

use crate::rsa::{BadKey, VerifyingAlgorithm};
use crate::{RsaPublicKey, base64url, from_base64url, sha256};
use serde::{Deserialize, Serialize};

/// A public RSA key as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// `RSA`.
    pub kty: String,
    /// What the key is for: `sig`.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The modulus, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
    /// The id that tokens name in their header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// SHA-1 of the certificate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5t: Option<String>,
    /// The certificate, base64 of DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// The algorithm that the key is used with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
}

impl Jwk {
    /// An RSA key of its two base64url numbers.
    #[must_use]
    pub fn rsa(modulus: &str, exponent: &str) -> Self {
        Self {
            kty: "RSA".into(),
            usage: None,
            n: modulus.into(),
            e: exponent.into(),
            kid: None,
            x5t: None,
            x5c: None,
            alg: None,
        }
    }

    /// The RFC 7638 thumbprint with SHA-256.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let Self { kty, n, e, .. } = self;
        base64url(&sha256(format!(r#"{{"e":"{e}","kty":"{kty}","n":"{n}"}}"#).as_bytes()))
    }

    /// The key, ready to verify signatures of one algorithm.
    ///
    /// # Errors
    /// The members are no RSA key of 2048 bits or more.
    pub fn public_key(&self, algorithm: VerifyingAlgorithm) -> Result<RsaPublicKey, BadKey> {
        let modulus = from_base64url(&self.n).ok_or(BadKey)?;
        let exponent = from_base64url(&self.e).ok_or(BadKey)?;
        RsaPublicKey::from_components(&modulus, &exponent, algorithm)
    }
}

/// A JWK Set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_of_rfc_7638_section_3_1() {
        let jwk = Jwk::rsa(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "AQAB",
        );
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(jwk.public_key(VerifyingAlgorithm::Rs256).is_ok());
    }
}
