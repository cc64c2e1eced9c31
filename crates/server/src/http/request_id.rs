//! The id of the request that is being answered. It stands in the answer's header, in what an internal error tells the
//! caller, and in every line of the log until the answer is there.

use crate::clock::Random;
use http::{HeaderName, HeaderValue};
use tokio::task::futures::TaskLocalFuture;

/// Where Auth0 has its ids. What a caller sends under this name means nothing.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-auth0-requestid");

/// Twenty hexadecimal digits, as Auth0's.
#[derive(Clone, Copy)]
pub(crate) struct RequestId([u8; 20]);

tokio::task_local! {
    static CURRENT: RequestId;
}

impl RequestId {
    pub(super) fn new(random: &Random) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut bytes = [0; 10];
        random.fill(&mut bytes);
        let mut text = [0; 20];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(text)
    }

    /// Runs `work` as part of the request.
    pub(super) fn scope<F: Future>(self, work: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, work)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("digits")
    }
}

/// Calls `use_it` with the id of the request that this task answers, if it answers one: for the lines of a log.
pub fn with_request_id<T>(use_it: impl FnOnce(&str) -> T) -> Option<T> {
    CURRENT.try_with(|id| use_it(id.as_str())).ok()
}
