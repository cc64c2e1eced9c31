//! How many tokens were issued and refused.

use crate::http::OAuthError;
use crate::metrics::Counter;
use crate::resource_servers::SigningAlg;

/// The algorithms that tokens are signed with.
const ALGORITHMS: [&str; 4] = ["RS256", "RS512", "PS256", "HS256"];
/// Why tokens are refused, as the caller is told; the last stands for whatever else there may be one day.
const REASONS: [&str; 9] = [
    "access_denied",
    "invalid_client",
    "invalid_request",
    "unauthorized_client",
    "unsupported_grant_type",
    "too_many_requests",
    "temporarily_unavailable",
    "server_error",
    "other",
];

/// Tokens of this node.
#[derive(Default)]
pub(crate) struct TokenFigures {
    issued: [Counter; ALGORITHMS.len()],
    refused: [Counter; REASONS.len()],
}

impl TokenFigures {
    pub(super) fn issued(&self, algorithm: &SigningAlg) {
        let name = match algorithm {
            SigningAlg::Rsa(algorithm) => algorithm.as_str(),
            SigningAlg::Hs256(_) => "HS256",
        };
        if let Some(place) = ALGORITHMS.iter().position(|known| *known == name) {
            self.issued[place].increment();
        }
    }

    pub(super) fn refused(&self, refusal: &OAuthError) {
        let place = REASONS.iter().position(|known| *known == refusal.error());
        self.refused[place.unwrap_or(REASONS.len() - 1)].increment();
    }

    /// Tokens that were issued, by algorithm.
    pub(crate) fn by_algorithm(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ALGORITHMS.into_iter().zip(self.issued.iter().map(Counter::get))
    }

    /// Tokens that were refused, by reason.
    pub(crate) fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.refused.iter().map(Counter::get))
    }
}
