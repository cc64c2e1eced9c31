//! What can go wrong, and at which stage.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client or the request could not be put together.
    #[error("cannot build the request: {0}")]
    Build(String),
    /// No token could be had. All calls that waited for it have the same error.
    #[error("cannot get a token: {0}")]
    Token(#[source] Arc<Error>),
    /// A [source of tokens](crate::Builder::token_source) failed; [`Error::supplier`] makes this.
    #[error("{0}")]
    Supplier(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server could not be reached; nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(#[source] reqwest::Error),
    /// The time for the call, or for one attempt, was up.
    #[error("{0}")]
    Timeout(TimedOut),
    /// The connection broke after the request was sent.
    #[error("the connection broke: {0}")]
    Interrupted(#[source] reqwest::Error),
    /// The answer is not what the API promises.
    #[error("{0}")]
    Decode(#[source] Box<Unreadable>),
    /// The server refused.
    #[error("{0}")]
    Api(Box<ApiFailure>),
}

/// How far a call got before it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was sent: the request could not be put together.
    Building,
    /// Nothing was sent: there was no token.
    Token,
    /// Nothing was sent: there was no connection.
    Connecting,
    /// The request was sent, or part of it, and no whole answer came.
    Waiting,
    /// The server did what was asked, and its answer could not be read.
    Reading,
    /// The server answered that it did not do what was asked.
    Refused,
}

/// The time that was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimedOut {
    /// How long it was.
    pub after: Duration,
    /// What it was spent on last.
    pub stage: Stage,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.stage == Stage::Waiting { "no answer" } else { "not sent" };
        write!(f, "{what} within {:?}", self.after)
    }
}

/// An answer that could not be read.
#[non_exhaustive]
pub struct Unreadable {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came; never printed.
    pub raw: Bytes,
    /// What is wrong with it.
    pub cause: serde_json::Error,
}

impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreadable")
            .field("status", &self.status)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the answer: {}", self.cause)
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// A refusal by the server.
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiFailure {
    /// The status.
    pub status: StatusCode,
    /// `errorCode` of the Management API, or `error` of the token endpoint: what programs branch on.
    pub code: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub raw: Bytes,
}

impl fmt::Debug for ApiFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiFailure")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// When the server wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `Retry-After`: this caller, then.
    After(Duration),
    /// `X-RateLimit-Reset`: everybody, from then on.
    Reset(Duration),
}

impl ApiFailure {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, raw: Bytes) -> Self {
        let reason = || status.canonical_reason().unwrap_or("refused").to_owned();
        let (code, message) = match serde_json::from_slice::<Body>(&raw) {
            Err(_) => (None, reason()),
            Ok(Body { error, error_description: Some(description), .. }) => (error, description),
            Ok(body) => (body.error_code, body.message.or(body.error).unwrap_or_else(reason)),
        };
        Self { status, code, message, headers, raw }
    }

    pub(crate) fn asked(&self) -> Option<Asked> {
        let text = |name: &str| self.headers.get(name)?.to_str().ok().map(str::trim);
        #[expect(clippy::disallowed_methods, reason = "the server speaks of the time of day")]
        let until = |at: SystemTime| at.duration_since(SystemTime::now()).unwrap_or_default();
        let after = |value: &str| match value.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => httpdate::parse_http_date(value).ok().map(until),
        };
        if let Some(after) = text("retry-after").and_then(after) {
            return Some(Asked::After(after));
        }
        let reset = text("x-ratelimit-reset")?.parse().ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(reset)).map(|at| Asked::Reset(until(at)))
    }

    /// How long the server asks to wait: `Retry-After`, else `X-RateLimit-Reset`. The latter stands in most answers of
    /// Auth0, and counts only when the [status](Self::status) is 429.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.asked()? {
            Asked::After(pause) => Some(pause),
            Asked::Reset(pause) => (self.status == StatusCode::TOO_MANY_REQUESTS).then_some(pause),
        }
    }
}

impl Error {
    /// The error of a [source of tokens](crate::Builder::token_source).
    ///
    /// ```
    /// let error = tenantry_sdk::Error::supplier("the vault is sealed");
    /// assert_eq!(error.to_string(), "the vault is sealed");
    /// ```
    pub fn supplier(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Supplier(cause.into())
    }

    /// How far the call got.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Build(_) => Stage::Building,
            Self::Token(_) | Self::Supplier(_) => Stage::Token,
            Self::Connect(_) => Stage::Connecting,
            Self::Timeout(timed_out) => timed_out.stage,
            Self::Interrupted(_) => Stage::Waiting,
            Self::Decode(_) => Stage::Reading,
            Self::Api(_) => Stage::Refused,
        }
    }

    /// Whether the server may have done what was asked nevertheless: the request was sent and no answer came, or none
    /// that says otherwise (5xx, 408). After this, look before you create something again.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self.stage() {
            Stage::Building | Stage::Token | Stage::Connecting => false,
            Stage::Waiting | Stage::Reading => true,
            Stage::Refused => self
                .status()
                .is_some_and(|status| status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT),
        }
    }

    /// The refusal, if the server refused; also the token endpoint's.
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

    /// The headers of a refusal.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.api().map(|failure| &failure.headers)
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
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether the server failed (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        self.status().is_some_and(|status| status.is_server_error())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, headers: &[(&'static str, &str)], body: &str) -> ApiFailure {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
        });
        ApiFailure::new(StatusCode::from_u16(status).unwrap(), headers.collect(), body.to_owned().into())
    }

    #[test]
    fn messages_come_from_either_envelope_and_from_none() {
        let management =
            r#"{"statusCode":404,"error":"Not Found","message":"gone","errorCode":"inexistent_client"}"#;
        for (body, shown) in [
            (management, "404 Not Found: gone (inexistent_client)"),
            (r#"{"error":"access_denied","error_description":"no"}"#, "404 Not Found: no (access_denied)"),
            (r#"{"error":"odd"}"#, "404 Not Found: odd"),
            ("<html>", "404 Not Found: Not Found"),
            ("", "404 Not Found: Not Found"),
            (r#"{"message":5}"#, "404 Not Found: Not Found"),
        ] {
            assert_eq!(failure(404, &[], body).to_string(), shown);
        }
    }

    #[test]
    fn the_server_says_when_to_come_back() {
        let seconds =
            |headers: &[(&'static str, &str)]| failure(429, headers, "").retry_after().map(|d| d.as_secs());
        assert_eq!(seconds(&[("retry-after", "7"), ("x-ratelimit-reset", "1")]), Some(7));
        assert_eq!(seconds(&[("retry-after", "Thu, 01 Jan 1970 00:00:01 GMT")]), Some(0));
        assert_eq!(seconds(&[("retry-after", "soon"), ("x-ratelimit-reset", "1")]), Some(0));
        assert_eq!(seconds(&[("x-ratelimit-reset", "18446744073709551615")]), None);
        assert_eq!(seconds(&[("x-ratelimit-reset", "-1")]), None);
        assert_eq!(seconds(&[]), None);
        assert_eq!(failure(503, &[("x-ratelimit-reset", "1")], "").retry_after(), None);
    }
}
