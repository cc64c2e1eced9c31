//! Keys, JWKs, signatures, JWTs and thumbprints (RFC 7515, 7517, 7519, 7638).
//!
//! All cryptography is aws-lc-rs'. Nothing here knows about HTTP or storage.

#![warn(missing_docs)]

#[cfg(feature = "certificates")]
pub mod certificate;
#[cfg(feature = "certificates")]
pub mod credential;
pub mod jwe;
pub mod jwk;
pub mod jwt;
pub mod rsa;

pub use jwk::{Jwk, JwkSet};
pub use rsa::{RsaPublicKey, RsaSigningKey, SigningAlgorithm, VerifyingAlgorithm};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Base64url without padding (RFC 7515 section 2).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind base64url without padding, `None` for anything else.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// HMAC with SHA-256 (`HS256`, RFC 7518 section 3.2).
#[must_use]
pub fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
