//! Sealing of secrets and private keys at rest: AES-256-GCM under the master key.
//!
//! A sealed value names the key that sealed it, so that the master key can be changed while the server runs, and is
//! bound to the place where it is stored, so that a value copied to another row does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::RwLock;
use std::fmt;
use std::sync::Arc;
use zeroize::{Zeroize as _, Zeroizing};

/// The first byte of every sealed value: the layout that follows (key id, nonce, ciphertext with tag).
const LAYOUT: u8 = 1;
const KEY_ID_LEN: usize = 8;
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;
const KEY_LEN: usize = 32;

/// A sealed value could not be made or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// The text is not a master key.
    #[error("the master key must be {KEY_LEN} bytes in base64")]
    BadMasterKey,
    /// The value was sealed under a key that is not at hand.
    #[error("sealed under another master key")]
    OtherKey,
    /// The value was altered, or moved to another place.
    #[error("a sealed value does not open: it was altered or moved")]
    Altered,
    /// The system has no randomness.
    #[error("no randomness for sealing")]
    NoRandomness,
}

/// One master key.
struct Key {
    id: [u8; KEY_ID_LEN],
    key: LessSafeKey,
}

impl Key {
    fn parse(text: &str) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| SealError::BadMasterKey)?);
        if bytes.len() != KEY_LEN {
            return Err(SealError::BadMasterKey);
        }
        let digest = tenantry_jose::sha256(&[b"tenantry master key id".as_slice(), &bytes].concat());
        let id = digest[..KEY_ID_LEN].try_into().expect("a digest is longer");
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::BadMasterKey)?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }
}

/// The master key; while it is being changed, there are several. The first seals, all of them open.
pub struct MasterKey(RwLock<Arc<[Key]>>);

impl MasterKey {
    /// Makes a key and its text form.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Zeroizing<String>, SealError> {
        let mut bytes = [0; KEY_LEN];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
        let text = Zeroizing::new(STANDARD.encode(bytes));
        bytes.zeroize();
        Ok(text)
    }

    /// Reads the text form: one key, or several with white space between them.
    ///
    /// # Errors
    /// A word of it is not 32 bytes in base64, or there is none.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let keys: Arc<[Key]> = text.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(SealError::BadMasterKey) } else { Ok(Self(RwLock::new(keys))) }
    }

    /// Uses the keys of `other` from now on.
    pub fn replace(&self, other: &Self) {
        let keys = Arc::clone(&other.0.read());
        *self.0.write() = keys;
    }

    /// The names of the keys, the one that seals first. They tell nothing about the keys.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.0.read().iter().map(|key| format!("{:016x}", u64::from_be_bytes(key.id))).collect()
    }

    /// The name of the key that seals, as it stands in what it sealed from byte 1 on.
    pub(crate) fn sealing_id(&self) -> [u8; KEY_ID_LEN] {
        self.0.read()[0].id
    }

    /// Whether the key that seals sealed it.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID_LEN) == Some(&self.sealing_id())
    }

    /// Seals `plain` for the place `context`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let keys = Arc::clone(&self.0.read());
        let Key { id, key } = &keys[0];
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let mut buffer = Zeroizing::new(plain.to_vec());
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut buffer)
            .map_err(|_| SealError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(HEADER_LEN + buffer.len() + tag.as_ref().len());
        sealed.push(LAYOUT);
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&buffer);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for the place `context`.
    ///
    /// # Errors
    /// Another key sealed it, or it was altered or moved.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, body) = sealed.split_at_checked(HEADER_LEN).ok_or(SealError::Altered)?;
        if header[0] != LAYOUT {
            return Err(SealError::Altered);
        }
        let keys = Arc::clone(&self.0.read());
        let sealed_by = |key: &&Key| header[1..=KEY_ID_LEN] == key.id;
        let Key { key, .. } = keys.iter().find(sealed_by).ok_or(SealError::OtherKey)?;
        let nonce = header[1 + KEY_ID_LEN..].try_into().map_err(|_| SealError::Altered)?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut buffer)
            .map_err(|_| SealError::Altered)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// Opens a sealed text.
    ///
    /// # Errors
    /// As [`Self::open`]; also when it is no text.
    pub fn open_text(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let mut bytes = self.open(context, sealed)?;
        let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
            error.into_bytes().zeroize();
            SealError::Altered
        });
        text.map(Zeroizing::new)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> MasterKey {
        MasterKey::parse(&MasterKey::generate().unwrap()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_only_in_its_place_and_under_its_key() {
        let key1 = key();
        let sealed = key1.seal("here", b"secret").unwrap();
        assert_eq!(key1.open("here", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(key1.open("there", &sealed), Err(SealError::Altered));
        assert_eq!(key().open("here", &sealed), Err(SealError::OtherKey));
        for i in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[i] ^= 1;
            assert!(key1.open("here", &altered).is_err(), "byte {i}");
            assert!(key1.open("here", &sealed[..i]).is_err(), "cut at {i}");
        }
    }

    #[test]
    fn equal_texts_are_sealed_differently_and_nothing_shows_them() {
        let key = key();
        let sealed = key.seal("x", b"a known secret text").unwrap();
        assert_ne!(sealed, key.seal("x", b"a known secret text").unwrap());
        assert!(!sealed.windows(7).any(|window| window == b"a known"));
        assert_eq!(format!("{key:?}"), "MasterKey");
    }

    #[test]
    fn of_several_keys_the_first_seals_and_all_open() {
        let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
        let both = MasterKey::parse(&format!("{}\n{}\n", *new, *old)).unwrap();
        let (old, new) = (MasterKey::parse(&old).unwrap(), MasterKey::parse(&new).unwrap());
        let sealed = old.seal("x", b"a").unwrap();
        assert_eq!(both.open("x", &sealed).unwrap().as_slice(), b"a");
        assert_eq!(new.open("x", &sealed), Err(SealError::OtherKey));
        assert!(!both.is_newest(&sealed));
        let sealed = both.seal("x", b"b").unwrap();
        assert!(both.is_newest(&sealed));
        assert_eq!(new.open("x", &sealed).unwrap().as_slice(), b"b");
        assert_eq!(old.open("x", &sealed), Err(SealError::OtherKey));
        assert_eq!(both.ids(), [new.ids(), old.ids()].concat());
        old.replace(&both);
        assert_eq!(old.open("x", &sealed).unwrap().as_slice(), b"b");
    }

    #[test]
    fn bad_master_keys_are_refused() {
        for text in ["", " \n", "c2hvcnQ=", "not base64 at all!"] {
            assert_eq!(MasterKey::parse(text).unwrap_err(), SealError::BadMasterKey);
        }
    }
}
