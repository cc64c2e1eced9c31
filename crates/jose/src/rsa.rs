//! RSA keys that sign and verify.

use crate::{Jwk, base64url};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    RsaParameters, RsaPublicKeyComponents,
};
use std::fmt;
use zeroize::Zeroizing;

/// The key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("not a usable RSA key")]
pub struct BadKey;

/// An RSA private key, parsed once.
pub struct RsaSigningKey {
    pair: RsaKeyPair,
    kid: String,
}

impl RsaSigningKey {
    /// Makes a key of 2048 bits. Takes 0.1 s and more.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, BadKey> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self::new).map_err(|_| BadKey)
    }

    /// Reads a PKCS#8 private key.
    ///
    /// # Errors
    /// The bytes are no RSA key of 2048 bits or more.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, BadKey> {
        RsaKeyPair::from_pkcs8(der).map(Self::new).map_err(|_| BadKey)
    }

    fn new(pair: RsaKeyPair) -> Self {
        let mut key = Self { pair, kid: String::new() };
        key.kid = key.public_jwk().thumbprint();
        key
    }

    /// The key as PKCS#8, to be sealed.
    ///
    /// # Errors
    /// The key cannot be written.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| BadKey)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// A signature.
    ///
    /// # Errors
    /// The library refused; not seen with a key that was parsed.
    pub fn sign(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, BadKey> {
        let encoding: &'static dyn RsaEncoding = match algorithm {
            SigningAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
            SigningAlgorithm::Rs384 => &RSA_PKCS1_SHA384,
            SigningAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
            SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| BadKey)?;
        Ok(signature)
    }

    /// The public half, without `kid` and the rest that a key set adds.
    #[must_use]
    pub fn public_jwk(&self) -> Jwk {
        let public = self.pair.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero();
        let exponent = public.exponent().big_endian_without_leading_zero();
        Jwk::rsa(&base64url(modulus), &base64url(exponent))
    }
}

/// Reads a PKCS#8 private key in PEM.
///
/// # Errors
/// The text holds no such key.
pub fn from_pkcs8_pem(text: &str) -> Result<RsaSigningKey, BadKey> {
    let block = pem::parse(text).map_err(|_| BadKey)?;
    if block.tag() != "PRIVATE KEY" {
        return Err(BadKey);
    }
    let der = Zeroizing::new(block.into_contents());
    RsaSigningKey::from_pkcs8(&der)
}

impl fmt::Debug for RsaSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaSigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// How an RSA key signs (RFC 7518 section 3.1): a tenant's signs tokens, a client's assertions (RS384 too).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// PSS with SHA-256.
    Ps256,
}

impl SigningAlgorithm {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
        }
    }
}

/// How a signature is verified. Never taken from the token alone: a key is made for one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyingAlgorithm {
    /// PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// PSS with SHA-256.
    Ps256,
}

impl VerifyingAlgorithm {
    /// The algorithm of that name, if credentials may have it.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "RS384" => Some(Self::Rs384),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
        }
    }

    fn parameters(self) -> &'static RsaParameters {
        match self {
            Self::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Self::Ps256 => &RSA_PSS_2048_8192_SHA256,
        }
    }
}

/// An RSA public key for one algorithm, parsed once.
#[derive(Debug)]
pub struct RsaPublicKey {
    key: ParsedPublicKey,
    algorithm: VerifyingAlgorithm,
}

impl RsaPublicKey {
    /// Reads modulus and exponent.
    ///
    /// # Errors
    /// They are no RSA key of 2048 bits or more.
    pub fn from_components(
        modulus: &[u8],
        exponent: &[u8],
        algorithm: VerifyingAlgorithm,
    ) -> Result<Self, BadKey> {
        let components = RsaPublicKeyComponents { n: modulus, e: exponent };
        let key: aws_lc_rs::rsa::PublicEncryptingKey = components.try_into().map_err(|_| BadKey)?;
        let spki: aws_lc_rs::encoding::PublicKeyX509Der<'_> = key.as_der().map_err(|_| BadKey)?;
        let key = ParsedPublicKey::new(algorithm.parameters(), spki.as_ref()).map_err(|_| BadKey)?;
        Ok(Self { key, algorithm })
    }

    /// The algorithm that this key is for.
    #[must_use]
    pub fn algorithm(&self) -> VerifyingAlgorithm {
        self.algorithm
    }

    /// Whether `signature` is a signature of `message` by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}
