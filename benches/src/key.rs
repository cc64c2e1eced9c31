//! A bare RSA-2048 key: the reference signs with it, and clients sign assertions.

use crate::Failure;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::{Duration, SystemTime};

pub(crate) struct Key {
    pair: KeyPair,
    random: SystemRandom,
}

impl Key {
    pub(crate) fn generate() -> Result<Self, Failure> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| "no RSA key could be made")?;
        Ok(Self { pair, random: SystemRandom::new() })
    }

    pub(crate) fn public_pem(&self) -> Result<String, Failure> {
        let der = self.pair.public_key().as_der().map_err(|_| "the public key has no DER form")?;
        Ok(pem::encode(&pem::Pem::new("PUBLIC KEY", der.as_ref())))
    }

    /// An RS256 signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)
            .map_err(|_| "a signature could not be made")?;
        Ok(signature)
    }

    /// A JWT of this header and these claims.
    pub(crate) fn jwt(&self, header: &str, claims: &serde_json::Value) -> Result<String, Failure> {
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signature = self.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "this measures a running program, whose clock is the system's"
    )]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
