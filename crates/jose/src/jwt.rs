//! Signed JWTs in compact form (RFC 7515, RFC 7519).

use crate::{base64url, from_base64url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The first two parts of a token, ready to be signed.
#[must_use]
pub fn signing_input(header_json: &str, claims_json: &str) -> String {
    let mut input = String::with_capacity((header_json.len() + claims_json.len()) * 4 / 3 + 8);
    input.push_str(&base64url(header_json.as_bytes()));
    input.push('.');
    input.push_str(&base64url(claims_json.as_bytes()));
    input
}

/// The token: its signing input and the signature.
#[must_use]
pub fn assemble(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    signing_input.push_str(&base64url(signature));
    signing_input
}

/// Members of a protected header that are looked at.
#[derive(Clone, Debug, Deserialize)]
pub struct Header {
    /// The algorithm; never trusted beyond choosing among those that the verifier allows.
    pub alg: String,
    /// Which key signed.
    #[serde(default)]
    pub kid: Option<String>,
    /// Extensions that must be understood; none is, so a token that has some is refused.
    #[serde(default)]
    pub crit: Option<serde_json::Value>,
}

/// Who a token is for: the claim `aud`, one or several (RFC 7519 section 4.1.3).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Audience {
    /// Whether the token is for `audience`.
    #[must_use]
    pub fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// A token taken apart; nothing in it is verified yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// What was signed.
    pub signing_input: &'a str,
    /// The protected header.
    pub header: Header,
    /// The signature.
    pub signature: Vec<u8>,
    payload: Vec<u8>,
}

/// The text is not a signed JWT in compact form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signed JWT in compact form")]
pub struct Malformed;

impl<'a> Unverified<'a> {
    /// Takes a compact token apart.
    ///
    /// # Errors
    /// It has not three base64url parts with a JSON header, or its header asks for extensions.
    pub fn parse(token: &'a str) -> Result<Self, Malformed> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Malformed)?;
        let header: Header =
            serde_json::from_slice(&from_base64url(header).ok_or(Malformed)?).map_err(|_| Malformed)?;
        if header.crit.is_some() {
            return Err(Malformed);
        }
        Ok(Self {
            signing_input,
            header,
            signature: from_base64url(signature).ok_or(Malformed)?,
            payload: from_base64url(payload).ok_or(Malformed)?,
        })
    }

    /// Reads the claims. Only of use after the signature was verified.
    ///
    /// # Errors
    /// The payload is not JSON of that shape.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_slice(&self.payload).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RsaSigningKey, SigningAlgorithm, VerifyingAlgorithm};
    use proptest::prelude::*;

    #[test]
    fn a_signed_token_verifies_and_an_altered_one_does_not() {
        let key = RsaSigningKey::generate().unwrap();
        let public = key.public_jwk().public_key(VerifyingAlgorithm::Rs256).unwrap();
        let input = signing_input(r#"{"alg":"RS256","typ":"JWT"}"#, r#"{"sub":"a"}"#);
        let signature = key.sign(SigningAlgorithm::Rs256, input.as_bytes()).unwrap();
        let token = assemble(input, &signature);

        let parsed = Unverified::parse(&token).unwrap();
        assert!(public.verifies(parsed.signing_input.as_bytes(), &parsed.signature));
        assert_eq!(parsed.claims::<serde_json::Value>().unwrap()["sub"], "a");

        let forged = token.replacen('.', ".e", 1);
        let parsed = Unverified::parse(&forged);
        assert!(
            parsed.is_err() || {
                let parsed = parsed.unwrap();
                !public.verifies(parsed.signing_input.as_bytes(), &parsed.signature)
            }
        );
    }

    #[test]
    fn a_key_survives_storage() {
        let key = RsaSigningKey::generate().unwrap();
        let again = RsaSigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(key.kid(), again.kid());
        assert!(!format!("{key:?}").contains("BEGIN"));
    }

    #[test]
    fn critical_extensions_are_refused() {
        let token = format!("{}.e30.AA", base64url(br#"{"alg":"RS256","crit":["exp"]}"#));
        assert_eq!(Unverified::parse(&token).unwrap_err(), Malformed);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(token in "[A-Za-z0-9_.=+-]{0,80}") {
            let _ = Unverified::parse(&token);
        }
    }
}
