//! A call: one operation of the API with its options, retries and deadline.

use crate::client::ManagementClient;
use crate::error::{ApiFailure, Error};
use crate::token::classify;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// Options of a call. What is `None` is as the [`ManagementClient`] says.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) max_retries: Option<u32>,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
}

/// An operation that is done when it is awaited.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    client: ManagementClient,
    method: Method,
    path: String,
    body: Result<Option<Bytes>, Error>,
    options: Options,
    answer: PhantomData<fn() -> T>,
}

/// An answer with everything that came along.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response<T> {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub raw: Bytes,
    /// The typed body.
    pub value: T,
}

impl<T> Response<T> {
    fn number(&self, name: &str) -> Option<u64> {
        self.headers.get(name)?.to_str().ok()?.parse().ok()
    }

    /// Requests that are allowed in the current window.
    #[must_use]
    pub fn rate_limit(&self) -> Option<u64> {
        self.number("x-ratelimit-limit")
    }

    /// Requests that are left of them.
    #[must_use]
    pub fn rate_limit_remaining(&self) -> Option<u64> {
        self.number("x-ratelimit-remaining")
    }

    /// When the window ends, in seconds since 1970.
    #[must_use]
    pub fn rate_limit_reset(&self) -> Option<u64> {
        self.number("x-ratelimit-reset")
    }
}

/// The first pause between two attempts; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl<T> Call<T> {
    pub(crate) fn new(client: &ManagementClient, method: Method, path: String) -> Self {
        let options = Options::default();
        Self { client: client.clone(), method, path, body: Ok(None), options, answer: PhantomData }
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Self {
        let json = serde_json::to_vec(body).map_err(|error| Error::Build(error.to_string()));
        self.body = json.map(|json| Some(json.into()));
        self
    }

    /// How long the whole call may take, pauses and retries included.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// How long one attempt may take.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = Some(timeout);
        self
    }

    /// How often it is tried again.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.options.max_retries = Some(retries);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.insert(name, value);
        self
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.query.push((name.into(), value.into()));
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> Call<T> {
    /// Does it, and gives status, headers and the raw body as well.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn with_response(self) -> Result<Response<T>, Error> {
        let timeout = self.options.timeout.unwrap_or(self.client.defaults().timeout);
        let deadline = Instant::now() + timeout;
        match tokio::time::timeout(timeout, self.attempts(deadline)).await {
            Ok(done) => done,
            Err(_) => Err(Error::Timeout(timeout)),
        }
    }

    async fn attempts(self, deadline: Instant) -> Result<Response<T>, Error> {
        let body = self.body?;
        let defaults = self.client.defaults();
        let retries = self.options.max_retries.unwrap_or(defaults.max_retries);
        let attempt_timeout = self.options.attempt_timeout.or(defaults.attempt_timeout);
        let mut renewed = false;
        let mut tried = 0;
        loop {
            let token = self.client.tokens().get().await?;
            let request =
                self.client.request(&self.method, &self.path, &self.options, body.as_ref(), &token)?;
            let attempt = send(request);
            let result = match attempt_timeout {
                None => attempt.await,
                Some(timeout) => {
                    tokio::time::timeout(timeout, attempt).await.unwrap_or(Err(Error::Timeout(timeout)))
                }
            };
            let error = match result {
                Ok((status, headers, raw)) => return decode(status, headers, raw),
                Err(error) => error,
            };
            // A token may have been revoked, or its key replaced: one new token, once.
            if error.is_unauthorized() && !renewed && self.client.tokens().refused(&token).await {
                renewed = true;
                continue;
            }
            if tried >= retries || !may_repeat(&self.method, &error) {
                return Err(error);
            }
            let pause = error.retry_after().unwrap_or_else(|| backoff(tried)).min(LONGEST_PAUSE);
            if Instant::now() + pause >= deadline {
                return Err(error);
            }
            tried += 1;
            tracing::debug!(method = %self.method, path = self.path, attempt = tried, ?pause, "trying again");
            tokio::time::sleep(pause).await;
        }
    }
}

/// Twice as long after each attempt, and a random part of it, so that many callers do not come back together.
fn backoff(tried: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tried.min(16)).min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Whether an operation can be repeated after this failure. One that may have taken effect is repeated only if doing it
/// twice is the same as doing it once.
fn may_repeat(method: &Method, error: &Error) -> bool {
    let is_repeatable = method != Method::POST;
    match error {
        Error::Connect(_) => true,
        Error::Interrupted(_) | Error::Timeout(_) => is_repeatable,
        Error::Api(failure) => match failure.status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::REQUEST_TIMEOUT => is_repeatable,
            status => is_repeatable && status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED,
        },
        Error::Build(_) | Error::Token(_) | Error::Decode(_) => false,
    }
}

async fn send(request: reqwest::RequestBuilder) -> Result<(StatusCode, HeaderMap, Bytes), Error> {
    let response = request.send().await.map_err(classify)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let raw = response.bytes().await.map_err(classify)?;
    if status.is_success() {
        Ok((status, headers, raw))
    } else {
        Err(Error::Api(Box::new(ApiFailure::new(status, headers, &raw))))
    }
}

fn decode<T: DeserializeOwned>(
    status: StatusCode,
    headers: HeaderMap,
    raw: Bytes,
) -> Result<Response<T>, Error> {
    // An empty answer is `null`, which is what `()` reads.
    let text: &[u8] = if raw.is_empty() { b"null" } else { &raw };
    let value = serde_json::from_slice(text).map_err(Error::Decode)?;
    Ok(Response { status, headers, raw, value })
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.with_response().await.map(|response| response.value) })
    }
}
