//! Time and randomness, injected so that tests move the clock and repeat a run.

use jiff::Timestamp;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until told to move.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.as_millisecond()))))
    }

    /// Moves a manual clock; the system's goes its own way.
    pub fn advance(&self, by: std::time::Duration) {
        if let Some(millis) = &self.0 {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Moves a manual clock back, as a system's is when somebody sets it.
    pub fn go_back(&self, by: std::time::Duration) {
        if let Some(millis) = &self.0 {
            millis.fetch_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Now, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(millis) => millis.load(Ordering::SeqCst),
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            None => Timestamp::now().as_millisecond(),
        }
    }

    /// Now, in seconds since 1970.
    #[must_use]
    pub fn now_secs(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Where identifiers and secrets come from: the system's generator, or a seeded one in tests.
#[derive(Clone, Default)]
pub struct Random(Option<Arc<Mutex<StdRng>>>);

impl Random {
    /// The system's cryptographic generator.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A generator that repeats itself, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Some(rng) => rng.lock().fill_bytes(bytes),
            #[expect(clippy::disallowed_methods, reason = "this is the app's randomness")]
            None => rand::rng().fill_bytes(bytes),
        }
    }

    /// `length` characters of `alphabet`, each as likely as the others.
    #[must_use]
    pub fn text(&self, alphabet: &[u8], length: usize) -> String {
        // Bytes beyond the largest multiple of the alphabet's length are drawn anew, or the first characters would
        // come up more often.
        let limit = 256 - 256 % alphabet.len();
        let mut text = String::with_capacity(length);
        let mut bytes = [0; 64];
        loop {
            self.fill(&mut bytes);
            for byte in bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit) {
                text.push(char::from(alphabet[byte % alphabet.len()]));
                if text.len() == length {
                    return text;
                }
            }
        }
    }
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_uses_the_whole_alphabet_evenly() {
        let random = Random::seeded(1);
        let text = random.text(b"abc", 3_000);
        for letter in ['a', 'b', 'c'] {
            let count = text.chars().filter(|c| *c == letter).count();
            assert!((900..1_100).contains(&count), "{letter}: {count}");
        }
        assert_ne!(random.text(b"abc", 30), random.text(b"abc", 30));
    }
}
