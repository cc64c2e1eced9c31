//! Compact JWE with RSA-OAEP and A256GCM (RFC 7516, RFC 7518 sections 4.3 and 5.3), for access tokens that only the API
//! itself may read.

use crate::rsa::BadKey;
use crate::{Jwk, base64url, from_base64url};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    OaepPublicEncryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// How the content key is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncryption {
    /// `RSA-OAEP-256`.
    RsaOaep256,
    /// `RSA-OAEP-384`.
    RsaOaep384,
    /// `RSA-OAEP-512`.
    RsaOaep512,
}

impl KeyEncryption {
    /// The algorithm of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "RSA-OAEP-256" => Some(Self::RsaOaep256),
            "RSA-OAEP-384" => Some(Self::RsaOaep384),
            "RSA-OAEP-512" => Some(Self::RsaOaep512),
            _ => None,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep384 => "RSA-OAEP-384",
            Self::RsaOaep512 => "RSA-OAEP-512",
        }
    }

    fn oaep(self) -> &'static OaepAlgorithm {
        match self {
            Self::RsaOaep256 => &OAEP_SHA256_MGF1SHA256,
            Self::RsaOaep384 => &OAEP_SHA384_MGF1SHA384,
            Self::RsaOaep512 => &OAEP_SHA512_MGF1SHA512,
        }
    }
}

/// A public key that tokens are encrypted for, parsed once.
pub struct EncryptionKey {
    key: OaepPublicEncryptingKey,
    algorithm: KeyEncryption,
    header: String,
}

impl std::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncryptionKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl EncryptionKey {
    /// Reads a key. `kid` stands in the header of what is encrypted for it.
    ///
    /// # Errors
    /// It is no usable RSA key.
    pub fn new(jwk: &Jwk, algorithm: KeyEncryption, kid: Option<&str>) -> Result<Self, BadKey> {
        let (n, e) = (from_base64url(&jwk.n).ok_or(BadKey)?, from_base64url(&jwk.e).ok_or(BadKey)?);
        let components = RsaPublicKeyComponents { n, e };
        let key: PublicEncryptingKey = components.try_into().map_err(|_| BadKey)?;
        let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| BadKey)?;
        let key = PublicEncryptingKey::from_der(der.as_ref()).map_err(|_| BadKey)?;
        let kid = kid.map(|kid| format!(r#","kid":{}"#, serde_json::Value::from(kid))).unwrap_or_default();
        let header = format!(r#"{{"alg":"{}","enc":"A256GCM","cty":"JWT"{kid}}}"#, algorithm.as_str());
        Ok(Self {
            key: OaepPublicEncryptingKey::new(key).map_err(|_| BadKey)?,
            algorithm,
            header: base64url(header.as_bytes()),
        })
    }

    /// A signed JWT, nested in a compact JWE (RFC 7519 section 5.2).
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn encrypt(&self, token: &str) -> Result<String, BadKey> {
        let mut content_key = Zeroizing::new([0; KEY_LEN]);
        let mut nonce = [0; NONCE_LEN];
        let random = SystemRandom::new();
        random.fill(content_key.as_mut_slice()).map_err(|_| BadKey)?;
        random.fill(&mut nonce).map_err(|_| BadKey)?;
        let mut encrypted_key = vec![0; self.key.ciphertext_size()];
        let encrypted_key = self
            .key
            .encrypt(self.algorithm.oaep(), content_key.as_slice(), &mut encrypted_key, None)
            .map_err(|_| BadKey)?;
        let (ciphertext, tag) = seal(&content_key, nonce, &self.header, token.as_bytes())?;
        let parts = [
            &self.header,
            &base64url(encrypted_key),
            &base64url(&nonce),
            &base64url(&ciphertext),
            &base64url(&tag),
        ];
        Ok(parts.map(String::as_str).join("."))
    }
}

/// `A256GCM` over the content, with the protected header as associated data.
fn seal(
    key: &[u8; KEY_LEN],
    nonce: [u8; NONCE_LEN],
    header: &str,
    plain: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), BadKey> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| BadKey)?);
    let mut content = plain.to_vec();
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut content)
        .map_err(|_| BadKey)?;
    Ok((content, tag.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RsaSigningKey;
    use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};

    /// RFC 7520 section 5.2 (content encryption).
    #[test]
    fn the_content_is_encrypted_as_in_the_rfc() {
        let plain = "You can trust us to stick with you through thick and thin\u{2013}to the bitter end. And you can trust us to keep any secret of yours\u{2013}closer than you keep it yourself. But you cannot trust us to let you face trouble alone, and go off without a word. We are your friends, Frodo.";
        let key: [u8; 32] =
            from_base64url("mYMfsggkTAm0TbvtlFh2hyoXnbEzJQjMxmgLN3d8xXA").unwrap().try_into().unwrap();
        let nonce: [u8; 12] = from_base64url("-nBoKLH0YkLZPSI9").unwrap().try_into().unwrap();
        let header = "eyJhbGciOiJSU0EtT0FFUCIsImtpZCI6InNhbXdpc2UuZ2FtZ2VlQGhvYmJpdG9uLmV4YW1wbGUiLCJlbmMiOiJBMjU2R0NNIn0";
        let (ciphertext, tag) = seal(&key, nonce, header, plain.as_bytes()).unwrap();
        assert!(base64url(&ciphertext).starts_with("o4k2cnGN8rSSw3IDo1YuySkqeS_t2m1GXklSgqBdpACm6UJuJowOHC5ytjqYgRL-I-soPlwqMUf4UgRWWeaOGNw6vGW-xyM01lTYxrXfVzIIaRdhYtEMRBvBWbEwP7ua1DRfvaOjgZv6Ifa3brcAM64d8p5lhhNcizPersuhw5f-pGYzseva-TUaL8iWnctc-sSwy7SQmRkfhDjwbz0fz6kFovEgj64X1I5s7E6GLp5fnbYGLa1QUiML7Cc2GxgvI7zqWo0YIEc7aCflLG1-8BboVWFdZKLK9vNoycrYHumwzKluLWEbSVmaPpOslY2n525DxDfWaVFUfKQxMF56vn4B9QMpWAbnypNimbM8zVOw"));
        assert_eq!(base64url(&tag), "UCGiqJxhBI3IFVdPalHHvA");
    }

    #[test]
    fn only_the_owner_of_the_key_reads_the_token() {
        for algorithm in [KeyEncryption::RsaOaep256, KeyEncryption::RsaOaep384, KeyEncryption::RsaOaep512] {
            assert_eq!(KeyEncryption::of(algorithm.as_str()), Some(algorithm));
            let owner = RsaSigningKey::generate().unwrap();
            let key = EncryptionKey::new(&owner.public_jwk(), algorithm, Some("k\"1")).unwrap();
            let token = key.encrypt("header.claims.signature").unwrap();
            let parts: Vec<_> = token.split('.').map(|part| from_base64url(part).unwrap()).collect();
            let header: serde_json::Value = serde_json::from_slice(&parts[0]).unwrap();
            assert_eq!((&header["kid"], &header["cty"]), (&"k\"1".into(), &"JWT".into()));
            let private = PrivateDecryptingKey::from_pkcs8(&owner.to_pkcs8().unwrap()).unwrap();
            let private = OaepPrivateDecryptingKey::new(private).unwrap();
            let mut content_key = vec![0; private.min_output_size()];
            let content_key = private.decrypt(algorithm.oaep(), &parts[1], &mut content_key, None).unwrap();
            let opening = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, content_key).unwrap());
            let mut content = [parts[3].clone(), parts[4].clone()].concat();
            let nonce = Nonce::try_assume_unique_for_key(&parts[2]).unwrap();
            let plain = opening
                .open_in_place(nonce, Aad::from(token.split('.').next().unwrap()), &mut content)
                .unwrap();
            assert_eq!(plain, b"header.claims.signature");
            assert_ne!(token, key.encrypt("header.claims.signature").unwrap());
        }
    }
}
