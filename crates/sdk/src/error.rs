//! What can go wrong, and at which stage.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::time::{Duration, SystemTime};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client or the request could not be put together.
    #[error("cannot build the request: {0}")]
    Build(String),
    /// No token could be had.
    #[error("cannot get a token: {0}")]
    Token(#[source] Box<Error>),
    /// The server could not be reached; nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(#[source] reqwest::Error),
    /// The time for the call was up.
    #[error("the call took longer than {0:?}")]
    Timeout(Duration),
    /// The connection broke after the request was sent; it may have taken effect.
    #[error("the connection broke: {0}")]
    Interrupted(#[source] reqwest::Error),
    /// The answer is not what the API promises.
    #[error("cannot read the answer: {0}")]
    Decode(#[source] serde_json::Error),
    /// The server refused.
    #[error("{0}")]
    Api(Box<ApiFailure>),
}

/// A refusal by the server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApiFailure {
    /// The status.
    pub status: StatusCode,
    /// `errorCode` of the Management API, or `error` of the token endpoint.
    pub code: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// The headers.
    pub headers: HeaderMap,
}

impl std::fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.status, self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
    message: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl ApiFailure {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        let reason = || status.canonical_reason().unwrap_or("refused").to_owned();
        let Ok(body) = serde_json::from_slice::<Body>(body) else {
            return Self { status, code: None, message: reason(), headers };
        };
        let (code, message) = match body.error_description {
            Some(description) => (body.error, description),
            None => (body.error_code, body.message.or(body.error).unwrap_or_else(reason)),
        };
        Self { status, code, message, headers }
    }

    /// How long the server asks to wait: `Retry-After`, else `X-RateLimit-Reset`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = |name: &str| self.headers.get(name)?.to_str().ok().map(str::trim);
        #[expect(clippy::disallowed_methods, reason = "the server speaks of the time of day")]
        let until = |at: SystemTime| at.duration_since(SystemTime::now()).unwrap_or_default();
        if let Some(value) = text("retry-after") {
            return match value.parse() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                Err(_) => httpdate::parse_http_date(value).ok().map(until),
            };
        }
        let reset = text("x-ratelimit-reset")?.parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset)).map(until)
    }
}

impl Error {
    /// The refusal, if the server refused.
    #[must_use]
    pub fn api(&self) -> Option<&ApiFailure> {
        match self {
            Self::Api(failure) => Some(failure),
            Self::Token(error) => error.api(),
            _ => None,
        }
    }

    /// The status of a refusal.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.api().map(|failure| failure.status)
    }

    /// The code of a refusal, for programs to branch on.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.api().and_then(|failure| failure.code.as_deref())
    }

    /// How long the server asks to wait before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiFailure::retry_after)
    }

    fn is(&self, status: StatusCode) -> bool {
        matches!(self, Self::Api(failure) if failure.status == status)
    }

    /// Whether the object does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is(StatusCode::NOT_FOUND)
    }

    /// Whether the request broke a rule.
    #[must_use]
    pub fn is_bad_request(&self) -> bool {
        self.is(StatusCode::BAD_REQUEST)
    }

    /// Whether the object exists already.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.is(StatusCode::CONFLICT)
    }

    /// Whether a scope is missing.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.is(StatusCode::FORBIDDEN)
    }

    /// Whether the token was refused.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.is(StatusCode::UNAUTHORIZED)
    }

    /// Whether too much was asked for.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.is(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the time was up.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Timeout(_) => true,
            Self::Token(error) => error.is_timeout(),
            _ => false,
        }
    }
}
